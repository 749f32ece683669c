"""Between the values of the run form's fields and a ContainerSpec."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.masking import split_pairs
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.units import parse_bytes
from dockdesk.runspec import checks
from dockdesk.runspec.checks import lines_of
from dockdesk.runspec.durations import duration_flag, parse_duration
from dockdesk.runspec.fields import FIELDS
from dockdesk.runspec.render import size_flag

LARGEST_ENV_FILE = 1 << 20

_LIST_FIELDS = (
    "ports expose volumes tmpfs network_aliases dns add_hosts ulimits cap_add cap_drop security_opt devices"
).split()
_PAIR_FIELDS = ("env", "labels", "sysctls", "log_options")
_SIZE_FIELDS = ("memory", "memory_swap", "shm_size")
_DURATION_FIELDS = ("health_interval", "health_timeout", "health_start_period")
_PLAIN_FIELDS = (
    "image name network ip hostname workdir gpus restart stop_signal health_cmd user pid_mode ipc_mode log_driver "
    "platform pull cpus cpu_shares pids_limit health_retries auto_remove tty interactive init publish_all read_only "
    "no_healthcheck privileged"
).split()
_SWITCHES = (
    "auto_remove tty interactive init publish_all read_only no_healthcheck privileged".split()
)


def values_of(spec: ContainerSpec) -> dict[str, Any]:
    """What the form's fields hold for a spec."""
    values: dict[str, Any] = {name: getattr(spec, name) for name in _PLAIN_FIELDS}
    values.update({name: "\n".join(getattr(spec, name)) for name in _LIST_FIELDS})
    for name in _PAIR_FIELDS:
        values[name] = "\n".join(f"{key}={value}" for key, value in getattr(spec, name))
    for name in _SIZE_FIELDS:
        values[name] = size_flag(getattr(spec, name)) if getattr(spec, name) else ""
    for name in _DURATION_FIELDS:
        values[name] = duration_flag(getattr(spec, name)) if getattr(spec, name) else ""
    values["command"] = shlex.join(spec.command)
    values["entrypoint"] = "" if spec.entrypoint is None else shlex.join(spec.entrypoint or ("",))
    values["stop_timeout"] = "" if spec.stop_timeout is None else str(spec.stop_timeout)
    values["env_file"] = ""
    return values


def spec_of(values: Mapping[str, Any], file_env: Sequence[tuple[str, str]] = ()) -> ContainerSpec:
    """The spec that the form's values describe; ``file_env`` comes before the form's own variables, which win.

    Raises ValueError for values that `problems_of` complains about.
    """
    read: dict[str, Any] = {}
    for name in _PLAIN_FIELDS:
        value = values.get(name)
        read[name] = value.strip() if isinstance(value, str) else (value or 0)
    read.update({name: tuple(lines_of(values.get(name))) for name in _LIST_FIELDS})
    read.update({name: tuple(split_pairs(lines_of(values.get(name)))) for name in _PAIR_FIELDS})
    for name in _SIZE_FIELDS:
        text = str(values.get(name) or "").strip()
        read[name] = -1 if text == "-1" else parse_bytes(text) if text else 0
    for name in _DURATION_FIELDS:
        text = str(values.get(name) or "").strip()
        read[name] = parse_duration(text) if text else 0.0
    own = {name for name, _ in read["env"]}
    read["env"] = (*((name, value) for name, value in file_env if name not in own), *read["env"])
    read["command"] = tuple(shlex.split(str(values.get("command") or "")))
    entrypoint = str(values.get("entrypoint") or "").strip()
    read["entrypoint"] = tuple(filter(None, shlex.split(entrypoint))) if entrypoint else None
    timeout = str(values.get("stop_timeout") or "").strip()
    read["stop_timeout"] = round(parse_duration(timeout)) if timeout else None
    for name in _SWITCHES:
        read[name] = bool(read[name])
    return ContainerSpec(
        **{**read, "pull": read["pull"] or "missing", "image": read["image"] or ""}
    )


def problems_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Field id → what is wrong with it, single fields first, then what does not go together."""
    found = {
        field.id: problem
        for field in FIELDS
        if (problem := field.problem(values.get(field.id, field.default))) is not None
    }
    if "ports" not in found and (problem := checks.repeated_ports(lines_of(values.get("ports")))):
        found["ports"] = problem
    restart = str(values.get("restart") or "no").strip()
    if values.get("auto_remove") and restart not in {"", "no"}:
        found.setdefault(
            "restart",
            "What is removed when it ends can't be restarted; choose one of the two.",
        )
    if values.get("no_healthcheck") and str(values.get("health_cmd") or "").strip():
        found.setdefault(
            "health_cmd", "The health check is switched off below; choose one of the two."
        )
    if str(values.get("network") or "") in {"host", "none"} and lines_of(values.get("ports")):
        found.setdefault("ports", f"The network “{values['network']}” publishes no ports.")
    if str(values.get("ip") or "").strip() and str(values.get("network") or "") in {
        "",
        "bridge",
        "host",
        "none",
    }:
        found.setdefault("ip", "A fixed address needs a network of your own.")
    return found


def parse_env_file(text: str) -> list[tuple[str, str]]:
    """Variables of an env file, as docker reads it: NAME=value a line, # comments, no quoting.

    Names without = are left out, since their value would come from a shell. Source: docker CLI, opts.ParseEnvFile.
    """
    lines = (line.lstrip() for line in text.removeprefix("\ufeff").splitlines())
    return [
        (name, value)
        for name, value in split_pairs(
            line for line in lines if line and not line.startswith("#") and "=" in line
        )
        if name
    ]


def read_env_file(path: str) -> list[tuple[str, str]]:
    """The variables of an env file on this computer; call it on a worker. Raises InvalidInputError for its field."""
    try:
        data = Path(path).expanduser().read_bytes()
        if len(data) > LARGEST_ENV_FILE:
            raise InvalidInputError(
                "The env file is too large", f"{path}: {len(data)} bytes.", field="env_file"
            )
        return parse_env_file(data.decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            "The env file can't be read",
            f"{path}: {error}",
            "Choose a text file of NAME=value lines.",
            "env_file",
        ) from error
