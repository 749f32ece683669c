"""Services of a Compose file as ContainerSpecs. Source: the Compose Specification (compose-spec.io), services."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import yaml

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.records import dataclass
from dockdesk.core.units import parse_bytes
from dockdesk.runspec.durations import parse_duration
from dockdesk.runspec.parse import ParsedRun

LARGEST_FILE = 1 << 20
_VARIABLE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)(?:(:?[-?+])([^}]*))?\})")
_TAKEN = frozenset(
    (
        "image command entrypoint environment env_file ports expose volumes tmpfs "
        "network_mode networks hostname dns extra_hosts restart mem_limit memswap_limit cpus "
        "cpu_shares pids_limit shm_size ulimits user working_dir labels healthcheck platform "
        "cap_add cap_drop security_opt devices sysctls privileged read_only init tty "
        "stdin_open stop_signal stop_grace_period pid ipc logging container_name pull_policy "
        "deploy gpus"
    ).split()
)


@dataclass(frozen=True, slots=True)
class ComposeService:
    """A service by name and what it runs as."""

    name: str
    run: ParsedRun


def parse_compose(
    text: str, folder: str = "", variables: Mapping[str, str] | None = None
) -> list[ComposeService]:
    """The services of a Compose file.

    ``folder`` is where relative paths start, ``variables`` fill ${NAME} (unknown ones become
    empty, with a note). A service that is built takes the image name that Compose would give it.
    Raises InvalidInputError.
    """
    if len(text) > LARGEST_FILE:
        raise InvalidInputError(
            "The Compose file is too large", f"{len(text)} characters; {LARGEST_FILE} can be read."
        )
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise InvalidInputError("The Compose file can't be read", str(error)) from None
    services = data.get("services") if isinstance(data, dict) else None
    if not isinstance(services, dict) or not services:
        raise InvalidInputError(
            "No services in this file", hint="A Compose file has a “services:” section."
        )
    project = str(data.get("name") or PurePosixPath(folder).name or "project").lower()
    found = []
    for name, body in services.items():
        if not isinstance(body, dict):
            raise InvalidInputError(f"Service “{name}” is not a mapping")
        reader = _Service(str(name), body, folder, project, dict(variables or {}))
        found.append(ComposeService(str(name), reader.read()))
    return found


class _Service:
    """Reads one service; keeps notes of what it could not take over."""

    def __init__(
        self,
        name: str,
        body: Mapping[str, Any],
        folder: str,
        project: str,
        variables: Mapping[str, str],
    ) -> None:
        self.name, self.folder, self.project, self.variables = name, folder, project, variables
        self.notes: list[str] = []
        self.body: Mapping[str, Any] = self._expanded(body)

    def read(self) -> ParsedRun:
        try:
            spec = self._spec()
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidInputError(f"Service “{self.name}” can't be read", str(error)) from None
        left = sorted(set(map(str, self.body)) - _TAKEN - {"build", "depends_on", "profiles"})
        left = [key for key in left if not key.startswith("x-")]
        if left:
            self.notes.append(f"Not taken over: {', '.join(left)}.")
        env_files = [
            item.get("path", "") if isinstance(item, dict) else str(item)
            for item in self._list("env_file")
        ]
        return ParsedRun(
            spec, tuple(self._path(item) for item in env_files), tuple(dict.fromkeys(self.notes))
        )

    def _spec(self) -> ContainerSpec:
        body = self.body
        limits = _mapping(_mapping(_mapping(body.get("deploy")).get("resources")).get("limits"))
        health = _mapping(body.get("healthcheck"))
        logging = _mapping(body.get("logging"))
        network, aliases, ip = self._network()
        entrypoint = body.get("entrypoint")
        test = health.get("test", "")
        return ContainerSpec(
            image=str(body.get("image") or f"{self.project}-{self.name}"),
            name=str(body.get("container_name") or ""),
            command=_words(body.get("command")),
            entrypoint=None if entrypoint is None else _words(entrypoint),
            env=self._pairs("environment"),
            ports=tuple(self._port(item) for item in self._list("ports")),
            expose=tuple(map(str, self._list("expose"))),
            volumes=tuple(filter(None, (self._volume(item) for item in self._list("volumes")))),
            tmpfs=tuple(map(str, self._list("tmpfs"))),
            network=network,
            network_aliases=aliases,
            ip=ip,
            hostname=str(body.get("hostname") or ""),
            dns=tuple(map(str, self._list("dns"))),
            add_hosts=self._hosts(),
            restart=str(body.get("restart") or ""),
            memory=_size(body.get("mem_limit") or limits.get("memory") or 0),
            memory_swap=_size(body.get("memswap_limit") or 0),
            cpus=float(body.get("cpus") or limits.get("cpus") or 0),
            cpu_shares=int(body.get("cpu_shares") or 0),
            pids_limit=int(body.get("pids_limit") or limits.get("pids") or 0),
            shm_size=_size(body.get("shm_size") or 0),
            ulimits=tuple(
                _ulimit(name, value) for name, value in _mapping(body.get("ulimits")).items()
            ),
            user=str(body.get("user", "")),
            workdir=str(body.get("working_dir") or ""),
            labels=self._pairs("labels"),
            health_cmd=_health_command(test),
            health_interval=_seconds(health.get("interval")),
            health_timeout=_seconds(health.get("timeout")),
            health_retries=int(health.get("retries") or 0),
            health_start_period=_seconds(health.get("start_period")),
            no_healthcheck=bool(health.get("disable")) or test in ("NONE", ["NONE"]),
            platform=str(body.get("platform") or ""),
            pull={"always": "always", "never": "never"}.get(
                str(body.get("pull_policy")), "missing"
            ),
            cap_add=tuple(map(str, self._list("cap_add"))),
            cap_drop=tuple(map(str, self._list("cap_drop"))),
            security_opt=tuple(map(str, self._list("security_opt"))),
            devices=tuple(map(str, self._list("devices"))),
            sysctls=self._pairs("sysctls"),
            privileged=bool(body.get("privileged")),
            read_only=bool(body.get("read_only")),
            init=bool(body.get("init")),
            tty=bool(body.get("tty")),
            interactive=bool(body.get("stdin_open")),
            gpus="all" if body.get("gpus") == "all" else "",
            stop_signal=str(body.get("stop_signal") or ""),
            stop_timeout=round(_seconds(body.get("stop_grace_period")))
            if body.get("stop_grace_period")
            else None,
            pid_mode=str(body.get("pid") or ""),
            ipc_mode=str(body.get("ipc") or ""),
            log_driver=str(logging.get("driver") or ""),
            log_options=tuple(
                (str(key), str(value)) for key, value in _mapping(logging.get("options")).items()
            ),
        )

    def _expanded(self, value: Any) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(self._variable, value)
        if isinstance(value, Mapping):
            return {key: self._expanded(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._expanded(item) for item in value]
        return value

    def _variable(self, match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        name, operator, word = match[2] or match[3], match[4] or "", match[5] or ""
        value = self.variables.get(name)
        present = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return word if present else ""
        if present:
            return value or ""
        if operator.endswith("-"):
            return word
        self.notes.append(f"The variable {name} is not set; it was taken as empty.")
        return ""

    def _list(self, key: str) -> Sequence[Any]:
        value = self.body.get(key)
        if value is None:
            return ()
        return value if isinstance(value, list) else (value,)

    def _pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        value = self.body.get(key) or {}
        if isinstance(value, dict):
            return tuple((str(name), _text(item)) for name, item in value.items())
        pairs = []
        for line in value:
            name, has_value, item = str(line).partition("=")
            if not has_value and key == "environment":
                item = self.variables.get(name, "")
            pairs.append((name, item))
        return tuple(pairs)

    def _path(self, path: str) -> str:
        if self.folder and path.startswith("."):
            return str(PurePosixPath(self.folder) / path)
        return path

    def _port(self, item: Any) -> str:
        if not isinstance(item, dict):
            return str(item)
        host = f"{item['host_ip']}:" if item.get("host_ip") else ""
        public = f"{item['published']}:" if item.get("published") else (":" if host else "")
        protocol = f"/{item['protocol']}" if item.get("protocol") else ""
        return f"{host}{public}{item['target']}{protocol}"

    def _volume(self, item: Any) -> str:
        if not isinstance(item, dict):
            source, separator, rest = str(item).partition(":")
            return f"{self._path(source)}{separator}{rest}"
        if item.get("type", "volume") not in {"bind", "volume"}:
            self.notes.append(f"Not taken over: a volume of type {item.get('type')}.")
            return ""
        source = self._path(str(item.get("source") or ""))
        suffix = ":ro" if item.get("read_only") else ""
        return f"{source}:{item['target']}{suffix}" if source else f"{item['target']}{suffix}"

    def _network(self) -> tuple[str, tuple[str, ...], str]:
        if mode := self.body.get("network_mode"):
            return str(mode), (), ""
        networks = self.body.get("networks")
        if not networks:
            return "", (), ""
        first = str(next(iter(networks)))
        if len(networks) > 1:
            self.notes.append(
                "Only the first network is taken over; connect the others afterwards."
            )
        options = _mapping(networks.get(first)) if isinstance(networks, dict) else {}
        name = f"{self.project}_{first}"
        self.notes.append(f"The network “{name}” must exist.")
        aliases = tuple(map(str, options.get("aliases") or ()))
        return (
            f"{self.project}_default" if first == "default" else name,
            aliases,
            str(options.get("ipv4_address") or ""),
        )

    def _hosts(self) -> tuple[str, ...]:
        value = self.body.get("extra_hosts") or ()
        if isinstance(value, dict):
            return tuple(f"{name}:{address}" for name, address in value.items())
        return tuple(str(item).replace("=", ":", 1) for item in value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(shlex.split(value)) if isinstance(value, str) else tuple(map(str, value))


def _size(value: Any) -> int:
    return parse_bytes(str(value)) if value else 0


def _seconds(value: Any) -> float:
    return parse_duration(str(value)) if value else 0.0


def _ulimit(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{name}={value.get('soft')}:{value.get('hard')}"
    return f"{name}={value}"


def _health_command(test: Any) -> str:
    """`docker run --health-cmd` takes a shell command only: the exec form is quoted into one."""
    if isinstance(test, str):
        return "" if test == "NONE" else test
    words = [str(word) for word in test]
    if not words or words[0] == "NONE":
        return ""
    if words[0] == "CMD-SHELL":
        return " ".join(words[1:])
    return shlex.join(words[1:] if words[0] == "CMD" else words)
