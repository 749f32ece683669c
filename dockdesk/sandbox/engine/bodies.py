"""Types of what clients send to make and change containers: a wrong one is refused as Go's decoder refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.http import HttpError

# Field → its type: s text, i integer, b boolean; * before it is a list, % a map from texts.
_CONFIG = {
    "Image": "s", "User": "s", "WorkingDir": "s", "Hostname": "s", "Tty": "b", "OpenStdin": "b", "Env": "*s", "Cmd": "*s",
    "Entrypoint": "*s", "Labels": "%s", "Healthcheck": "{}", "HostConfig": "{}", "NetworkingConfig": "{}",
    "ExposedPorts": "%{}", "Volumes": "%{}", "StopSignal": "s", "StopTimeout": "i",
}  # fmt: skip
_HOST = {
    "Binds": "*s", "Mounts": "*{}", "Tmpfs": "%s", "NetworkMode": "s", "PortBindings": "%*{}", "PublishAllPorts": "b",
    "RestartPolicy": "{}", "AutoRemove": "b", "Memory": "i", "MemorySwap": "i", "MemoryReservation": "i", "NanoCpus": "i",
    "CpuShares": "i", "CpuQuota": "i", "CpuPeriod": "i", "CpusetCpus": "s", "CpusetMems": "s", "PidsLimit": "i",
    "BlkioWeight": "i", "Dns": "*s", "ExtraHosts": "*s",
}  # fmt: skip
_HEALTH = {"Test": "*s", "Interval": "i", "Timeout": "i", "StartPeriod": "i", "StartInterval": "i", "Retries": "i"}  # fmt: skip
_POLICY = {"Name": "s", "MaximumRetryCount": "i"}
_MOUNT = {"Type": "s", "Source": "s", "Target": "s", "ReadOnly": "b", "VolumeOptions": "{}"}
_BINDING = {"HostIp": "s", "HostPort": "s"}
_CHANGEABLE = {
    "Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpuShares", "CpuQuota", "CpuPeriod", "CpusetCpus", "CpusetMems",
    "PidsLimit", "BlkioWeight", "RestartPolicy",
}  # fmt: skip
_GO = {"s": "string", "i": "int64", "b": "bool", "{}": "map[string]interface {}"}
_LEAST_MEMORY = 6 << 20
_POLICIES = {"", "no", "always", "unless-stopped", "on-failure"}


def check_container(body: Mapping[str, Any]) -> None:
    """The body of a create call. Raises HttpError 400."""
    _fields(body, _CONFIG, "ContainerConfigWrapper")
    _fields(body.get("Healthcheck") or {}, _HEALTH, "HealthConfig")
    host = body.get("HostConfig") or {}
    _check_host(host)
    for mount in host.get("Mounts") or ():
        _fields(mount, _MOUNT, "Mount")
    for port, bindings in (host.get("PortBindings") or {}).items():
        if not str(port).partition("/")[0].isdigit():
            raise HttpError(400, f"invalid port specification: {port!r}")
        for binding in bindings or ():
            _fields(binding, _BINDING, "PortBinding")
    for port in body.get("ExposedPorts") or ():
        if not str(port).partition("/")[0].isdigit():
            raise HttpError(400, f"invalid port specification: {port!r}")


def _check_host(host: Mapping[str, Any]) -> None:
    _fields(host, _HOST, "HostConfig")
    policy = host.get("RestartPolicy") or {}
    _fields(policy, _POLICY, "RestartPolicy")
    name, count = policy.get("Name") or "", policy.get("MaximumRetryCount") or 0
    if name not in _POLICIES:
        raise HttpError(
            400,
            f"invalid restart policy: unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
        )
    memory = host.get("Memory") or 0
    if 0 < memory < _LEAST_MEMORY:
        raise HttpError(400, "Minimum memory limit allowed is 6MB")
    if count and name != "on-failure":
        text = "maximum retry count can only be used with 'on-failure'"
        raise HttpError(400, f"invalid restart policy: {text}")


def changes_of(body: Any) -> dict[str, Any]:
    """What an update call changes of a HostConfig. Raises HttpError 400."""
    if not isinstance(body, dict):
        raise HttpError(400, "invalid JSON: an object is needed")
    _check_host(body)
    return {
        name: value for name, value in body.items() if name in _CHANGEABLE and value is not None
    }


def _fields(value: Any, shapes: Mapping[str, str], struct: str) -> None:
    if not isinstance(value, dict):
        raise _wrong(value, struct, struct)
    for name, shape in shapes.items():
        if (found := value.get(name)) is not None:
            _one(found, shape, f"{struct}.{name}")


def _one(value: Any, shape: str, where: str) -> None:
    if shape.startswith("*"):
        if isinstance(value, str) and where.endswith((".Cmd", ".Entrypoint")):
            return
        if not isinstance(value, list):
            raise _wrong(value, where, f"[]{_GO[shape[1:]]}")
        for item in value:
            _one(item, shape[1:], where)
    elif shape.startswith("%"):
        if not isinstance(value, dict):
            raise _wrong(value, where, "map[string]")
        for item in value.values():
            if item is not None:
                _one(item, shape[1:], where)
    elif not isinstance(value, {"s": str, "i": int, "b": bool, "{}": dict}[shape]) or isinstance(
        value, bool
    ) != (shape == "b"):
        raise _wrong(value, where, _GO[shape])


def _wrong(value: Any, where: str, wanted: str) -> HttpError:
    found = {str: "string", bool: "bool", dict: "object", list: "array"}.get(type(value), "number")
    return HttpError(
        400, f"json: cannot unmarshal {found} into Go struct field {where} of type {wanted}"
    )
