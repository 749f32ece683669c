"""From a container's inspect back to the spec that would run it again, without what its image brings along.

Sources: Engine API, ContainerInspect; Podman 4.3, which spells out its defaults in the answer.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from dockdesk.backends.engine.convert import cpu_limit, restart_text
from dockdesk.backends.engine.spec_ports import exposed_lines, port_lines
from dockdesk.backends.engine.values import (
    leaf_name,
    mapping,
    records,
    seconds,
    strings,
    text,
    unique,
    whole,
)
from dockdesk.core.masking import split_pairs
from dockdesk.core.ports import ContainerSpec

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_SHM_SIZES = {64 << 20, 65_536_000}  # Docker's default, and Podman's
_LOG_DRIVERS = {"json-file", "journald", "k8s-file", "passthrough"}
# A container that is run by hand again is not Compose's: it would count it among its own, and replace it.
_COMPOSE = "com.docker.compose."
_PODMAN_ENV = {"container", "TERM", "HOSTNAME", "HOME"}
_PODMAN_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PODMAN_MOUNT_OPTIONS = {
    *("rw", "rprivate", "private", "rbind", "bind", "nosuid", "nodev", "exec", "tmpcopyup"),
}
_PODMAN_SCRATCH = {"/run", "/tmp", "/var/tmp", "/dev/shm"}  # comes with a read-only root
_PODMAN_DROPPED = {"AUDIT_WRITE", "MKNOD", "NET_RAW"}  # capabilities it never grants by default
_PODMAN_HEALTH = {"Interval": 30_000_000_000, "Timeout": 30_000_000_000, "Retries": 3}


class SpecReader:
    """Reads one container's inspect.

    ``image`` is the inspect of its image, empty if that is gone: then what the image brought is kept in the spec.
    ``log_driver`` is the engine's default.
    """

    def __init__(
        self,
        raw: Mapping[str, Any],
        image: Mapping[str, Any] | None = None,
        *,
        log_driver: str = "json-file",
        podman: bool = False,
    ) -> None:
        self._raw = raw
        self._config = mapping(raw.get("Config"))
        self._host = mapping(raw.get("HostConfig"))
        self._networks = mapping(mapping(raw.get("NetworkSettings")).get("Networks"))
        self._image = mapping(mapping(image).get("Config"))
        self._log_driver = log_driver
        self._podman = podman

    def spec(self) -> ContainerSpec:
        config, host = self._config, self._host
        network = self._network()
        entrypoint, command = self._words()
        health = self._health()
        timeout = config.get("StopTimeout")
        return ContainerSpec(
            image=text(config.get("Image")) or text(self._raw.get("Image")),
            name=leaf_name([text(self._raw.get("Name"))]),
            command=command,
            entrypoint=entrypoint,
            env=self._env(),
            ports=port_lines(host.get("PortBindings")),
            expose=self._exposed(),
            publish_all=bool(host.get("PublishAllPorts")),
            volumes=self._volumes(),
            tmpfs=self._tmpfs(),
            network=network,
            network_aliases=self._aliases(network),
            ip=self._ip(network),
            hostname=self._hostname(network),
            dns=strings(host.get("Dns")),
            add_hosts=strings(host.get("ExtraHosts")),
            restart=self._restart(),
            memory=max(0, whole(host.get("Memory"))),
            memory_swap=self._swap(),
            cpus=cpu_limit(host) or 0.0,
            cpu_shares=whole(host.get("CpuShares")),
            pids_limit=self._pids(),
            shm_size=self._shm(),
            ulimits=tuple(_ulimit(entry) for entry in records(host.get("Ulimits"))),
            user=self._own("User"),
            workdir=self._own("WorkingDir"),
            labels=self._labels(),
            health_cmd=health[0],
            health_interval=health[1],
            health_timeout=health[2],
            health_retries=health[3],
            health_start_period=health[4],
            no_healthcheck=health[5],
            cap_add=self._capabilities("CapAdd"),
            cap_drop=self._capabilities("CapDrop"),
            security_opt=self._security(),
            devices=self._devices(),
            sysctls=tuple(sorted((k, text(v)) for k, v in mapping(host.get("Sysctls")).items())),
            privileged=bool(host.get("Privileged")),
            read_only=bool(host.get("ReadonlyRootfs")),
            init=bool(host.get("Init")),
            tty=bool(config.get("Tty")),
            interactive=bool(config.get("OpenStdin")),
            auto_remove=bool(host.get("AutoRemove")),
            gpus=self._gpus(),
            stop_signal=self._stop_signal(),
            stop_timeout=None if timeout is None or self._podman else whole(timeout),
            pid_mode=_mode(host.get("PidMode"), {"", "private"}),
            ipc_mode=_mode(host.get("IpcMode"), {"", "private", "shareable"}),
            log_driver=self._driver(),
            log_options=tuple(
                sorted(
                    (key, text(value))
                    for key, value in mapping(mapping(host.get("LogConfig")).get("Config")).items()
                )
            ),
        )

    def _own(self, key: str) -> str:
        value = text(self._config.get(key))
        return (
            ""
            if value == text(self._image.get(key)) or (key, value) == ("WorkingDir", "/")
            else value
        )

    # --- Command and surroundings ---

    def _words(self) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        """Entrypoint and command. An entrypoint of one's own drops the image's command with it."""
        entrypoint = tuple(word for word in strings(self._config.get("Entrypoint")) if word)
        command = strings(self._config.get("Cmd"))
        brought = tuple(word for word in strings(self._image.get("Entrypoint")) if word)
        if entrypoint == brought:
            return None, () if command == strings(self._image.get("Cmd")) else command
        return entrypoint, command

    def _env(self) -> tuple[tuple[str, str], ...]:
        brought = set(strings(self._image.get("Env")))
        lines = strings(self._config.get("Env"))
        if self._podman and any(line == "container=podman" for line in lines):
            lines = tuple(
                line
                for line in lines
                if line.partition("=")[0] not in _PODMAN_ENV and line != _PODMAN_PATH
            )
        return tuple(split_pairs(line for line in lines if line not in brought))

    def _labels(self) -> tuple[tuple[str, str], ...]:
        brought = mapping(self._image.get("Labels"))
        return tuple(
            sorted(
                (key, text(value))
                for key, value in mapping(self._config.get("Labels")).items()
                if brought.get(key) != value and not key.startswith(_COMPOSE)
            )
        )

    def _exposed(self) -> tuple[str, ...]:
        brought = mapping(self._image.get("ExposedPorts"))
        published = mapping(self._host.get("PortBindings"))
        keys = mapping(self._config.get("ExposedPorts"))
        return exposed_lines(key for key in keys if key not in brought and key not in published)

    def _stop_signal(self) -> str:
        signal = self._own("StopSignal")
        # Podman tells the default as a number.
        return "" if self._podman and signal in {"15", "SIGTERM"} else signal

    # --- Storage ---

    def _volumes(self) -> tuple[str, ...]:
        lines = [line for bind in strings(self._host.get("Binds")) if (line := self._bind(bind))]
        lines += [
            _mount_line(entry)
            for entry in records(self._host.get("Mounts"))
            if text(entry.get("Type")) in {"bind", "volume"}
        ]
        covered = {_bind_target(line) for line in lines}
        # What came from elsewhere, such as --volumes-from; anonymous volumes are made anew.
        for entry in records(self._raw.get("Mounts")):
            target, kind = text(entry.get("Destination")), text(entry.get("Type"))
            source = text(entry.get("Name")) if kind == "volume" else text(entry.get("Source"))
            if kind in {"bind", "volume"} and target not in covered and source:
                if kind == "volume" and _ANONYMOUS.fullmatch(source):
                    continue
                lines.append(f"{source}:{target}" + (":ro" if entry.get("RW") is False else ""))
                covered.add(target)
        brought = mapping(self._image.get("Volumes"))
        anonymous = mapping(self._config.get("Volumes"))
        lines += sorted(key for key in anonymous if key not in brought and key not in covered)
        return unique(lines)

    def _bind(self, bind: str) -> str:
        """A bind as -v takes it; empty for the anonymous volumes that Podman lists here."""
        source, _, rest = bind.partition(":")
        target, _, options = rest.partition(":")
        if not self._podman:
            return bind
        if _ANONYMOUS.fullmatch(source):
            return "" if target in mapping(self._image.get("Volumes")) else target
        kept = [item for item in options.split(",") if item and item not in _PODMAN_MOUNT_OPTIONS]
        return ":".join((source, target, *([",".join(kept)] if kept else [])))

    def _tmpfs(self) -> tuple[str, ...]:
        lines = []
        for target, options in mapping(self._host.get("Tmpfs")).items():
            kept = [item for item in text(options).split(",") if item]
            if self._podman:
                kept = [item for item in kept if item not in _PODMAN_MOUNT_OPTIONS]
                if not kept and self._host.get("ReadonlyRootfs") and target in _PODMAN_SCRATCH:
                    continue
            lines.append(f"{target}:{','.join(kept)}" if kept else target)
        for entry in records(self._host.get("Mounts")):
            if text(entry.get("Type")) == "tmpfs":
                options = mapping(entry.get("TmpfsOptions"))
                kept = [f"size={options['SizeBytes']}"] if options.get("SizeBytes") else []
                kept += [f"mode={whole(options['Mode']):o}"] if options.get("Mode") else []
                target = text(entry.get("Target"))
                lines.append(f"{target}:{','.join(kept)}" if kept else target)
        return tuple(sorted(lines))

    def _devices(self) -> tuple[str, ...]:
        lines = []
        for entry in records(self._host.get("Devices")):
            parts = [text(entry.get("PathOnHost")), text(entry.get("PathInContainer"))]
            access = text(entry.get("CgroupPermissions"))
            if access and access != "rwm":
                parts.append(access)
            elif parts[0] == parts[1]:
                parts.pop()
            lines.append(":".join(parts))
        for request in records(self._host.get("DeviceRequests")):
            if text(request.get("Driver")) == "cdi":
                lines += strings(request.get("DeviceIDs"))
        return tuple(lines)

    # --- Network ---

    def _network(self) -> str:
        mode = text(self._host.get("NetworkMode"))
        if mode.startswith("container:") or mode in {"host", "none"}:
            return mode
        if self._podman:
            # Its mode is always “bridge”; the network's name stands among the endpoints.
            own = [name for name in self._networks if name not in {"podman", "bridge"}]
            return own[0] if own else ""
        return "" if mode in {"default", "bridge"} else mode

    def _endpoint(self, network: str) -> Mapping[str, Any]:
        return mapping(self._networks.get(network))

    def _aliases(self, network: str) -> tuple[str, ...]:
        id = text(self._raw.get("Id"))
        given = strings(self._endpoint(network).get("Aliases"))
        return tuple(alias for alias in given if not alias or not id.startswith(alias))

    def _ip(self, network: str) -> str:
        fixed = mapping(self._endpoint(network).get("IPAMConfig"))
        return text(fixed.get("IPv4Address")) or text(fixed.get("IPv6Address"))

    def _hostname(self, network: str) -> str:
        hostname = text(self._config.get("Hostname"))
        shared = network == "host" or network.startswith("container:")
        return "" if shared or hostname == text(self._raw.get("Id"))[:12] else hostname

    # --- Limits ---

    def _restart(self) -> str:
        policy = restart_text(self._host.get("RestartPolicy"))
        return "" if policy == "no" else policy

    def _swap(self) -> int:
        memory, swap = whole(self._host.get("Memory")), whole(self._host.get("MemorySwap"))
        return 0 if memory > 0 and swap == 2 * memory else swap

    def _pids(self) -> int:
        limit = whole(self._host.get("PidsLimit"))
        return 0 if limit < 0 or (self._podman and limit == 2048) else limit

    def _shm(self) -> int:
        size = whole(self._host.get("ShmSize"))
        return 0 if size in _SHM_SIZES else size

    def _gpus(self) -> str:
        for request in records(self._host.get("DeviceRequests")):
            if text(request.get("Driver")) == "cdi":
                continue
            if ids := strings(request.get("DeviceIDs")):
                return f"device={','.join(ids)}"
            count = whole(request.get("Count"))
            return "all" if count == -1 else str(count)
        return ""

    # --- Health, logging, security ---

    def _health(self) -> tuple[str, float, float, int, float, bool]:
        """Command, interval, timeout, retries, start period, and whether checks are off; the image's own left out."""
        own = mapping(self._config.get("Healthcheck"))
        brought = mapping(self._image.get("Healthcheck"))
        test = strings(own.get("Test"))
        if test == ("NONE",):
            return "", 0.0, 0.0, 0, 0.0, brought.get("Test") != ["NONE"]
        values = {}
        for key in ("Interval", "Timeout", "Retries", "StartPeriod"):
            value = whole(own.get(key))
            default = self._podman and value == _PODMAN_HEALTH.get(key)
            values[key] = 0 if value == whole(brought.get(key)) or default else value
        command = "" if test == strings(brought.get("Test")) else _health_command(test)
        return (
            command,
            seconds(values["Interval"]),
            seconds(values["Timeout"]),
            values["Retries"],
            seconds(values["StartPeriod"]),
            False,
        )

    def _driver(self) -> str:
        driver = text(mapping(self._host.get("LogConfig")).get("Type"))
        if self._podman and driver in _LOG_DRIVERS:
            return ""  # it answers json-file whatever it uses
        return "" if driver == self._log_driver else driver

    def _capabilities(self, key: str) -> tuple[str, ...]:
        names = tuple(name.removeprefix("CAP_") for name in strings(self._host.get(key)))
        if self._podman and key == "CapDrop":
            names = tuple(name for name in names if name not in _PODMAN_DROPPED)
        return names

    def _security(self) -> tuple[str, ...]:
        options = strings(self._host.get("SecurityOpt"))
        if self._host.get("Privileged"):
            options = tuple(option for option in options if option != "label=disable")
        return options


def _mode(value: Any, defaults: Iterable[str]) -> str:
    mode = text(value)
    return "" if mode in defaults else mode


def _ulimit(entry: Mapping[str, Any]) -> str:
    name = text(entry.get("Name")).removeprefix("RLIMIT_").lower()
    soft, hard = whole(entry.get("Soft")), whole(entry.get("Hard"))
    return f"{name}={soft}" if soft == hard else f"{name}={soft}:{hard}"


def _health_command(test: tuple[str, ...]) -> str:
    if not test:
        return ""
    if test[0] == "CMD-SHELL":
        return " ".join(test[1:])
    return shlex.join(test[1:] if test[0] == "CMD" else test)


def _bind_target(line: str) -> str:
    source, colon, rest = line.partition(":")
    return rest.partition(":")[0] if colon else source


def _mount_line(entry: Mapping[str, Any]) -> str:
    """A --mount as -v says it."""
    source, target = text(entry.get("Source")), text(entry.get("Target"))
    options = ["ro"] if entry.get("ReadOnly") else []
    if mapping(entry.get("VolumeOptions")).get("NoCopy"):
        options.append("nocopy")
    if propagation := text(mapping(entry.get("BindOptions")).get("Propagation")):
        options.append(propagation)
    if not source:
        return target
    return ":".join((source, target, *([",".join(options)] if options else [])))
