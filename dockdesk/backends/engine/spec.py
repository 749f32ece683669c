"""What `docker run` takes, as the Engine API's ContainerCreate wants it.

Everything is checked here as far as it can be without the engine, so that a mistake is told at its field.
Sources: Engine API v1.41 to v1.55, ContainerCreate; docker CLI reference, `docker container run`.
"""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dockdesk.backends.engine.spec_ports import port_maps
from dockdesk.backends.engine.values import NANO
from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.core.ports import ContainerSpec

_RESTARTS = {"no", "always", "unless-stopped", "on-failure"}
# Networks that give no addresses or names of the user's choice.
_FIXED_NETWORKS = {"host", "none", "default", "bridge"}
_SECCOMP_LIMIT = 1 << 20


def create_body(spec: ContainerSpec) -> dict[str, Any]:
    """The body of POST /containers/create. Raise InvalidInputError with the field at fault."""
    if not spec.image.strip():
        raise InvalidInputError("No image is given", "", "Say which image to run.", "image")
    bindings, exposed = port_maps(spec.ports, spec.expose)
    binds, anonymous = _volumes(spec.volumes)
    body: dict[str, Any] = {
        "Image": spec.image.strip(),
        "Env": [f"{name}={value}" for name, value in spec.env],
        "Labels": dict(spec.labels),
        "Tty": spec.tty,
        "OpenStdin": spec.interactive,
    }
    if spec.command:
        body["Cmd"] = list(spec.command)
    if spec.entrypoint is not None:
        # One empty word is how the API is told to drop the image's entrypoint; an empty list keeps it.
        body["Entrypoint"] = list(spec.entrypoint) or [""]
    texts = {
        "Hostname": spec.hostname,
        "User": spec.user,
        "WorkingDir": spec.workdir,
        "StopSignal": spec.stop_signal,
    }
    body.update({key: value for key, value in texts.items() if value})
    if exposed:
        body["ExposedPorts"] = exposed
    if anonymous:
        body["Volumes"] = {target: {} for target in anonymous}
    if spec.stop_timeout is not None:
        body["StopTimeout"] = spec.stop_timeout
    if health := _health(spec):
        body["Healthcheck"] = health
    body["HostConfig"] = _host_config(spec, bindings, binds)
    if endpoints := _endpoints(spec):
        body["NetworkingConfig"] = {"EndpointsConfig": endpoints}
    return body


def create_params(spec: ContainerSpec) -> dict[str, Any]:
    """The query of POST /containers/create."""
    return {"name": spec.name or None, "platform": spec.platform or None}


def _host_config(spec: ContainerSpec, bindings: dict[str, Any], binds: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "Binds": binds,
        "PortBindings": bindings,
        "PublishAllPorts": spec.publish_all,
        "Tmpfs": _tmpfs(spec.tmpfs),
        "NetworkMode": spec.network,
        "Dns": [_address(item, "dns") for item in spec.dns],
        "ExtraHosts": [_extra_host(item) for item in spec.add_hosts],
        "RestartPolicy": restart_policy(spec.restart, "restart") if spec.restart else None,
        "Memory": spec.memory,
        "MemorySwap": spec.memory_swap,
        "NanoCpus": round(spec.cpus * NANO),
        "CpuShares": spec.cpu_shares,
        "PidsLimit": spec.pids_limit,
        "ShmSize": spec.shm_size,
        "Ulimits": [_ulimit(item) for item in spec.ulimits],
        "CapAdd": list(spec.cap_add),
        "CapDrop": list(spec.cap_drop),
        "SecurityOpt": [security_option(item) for item in spec.security_opt],
        "Devices": [_device(item) for item in spec.devices if not is_cdi(item)],
        "DeviceRequests": device_requests(spec.gpus, spec.devices),
        "Sysctls": dict(spec.sysctls),
        "Privileged": spec.privileged,
        "ReadonlyRootfs": spec.read_only,
        "Init": spec.init,
        "AutoRemove": spec.auto_remove,
        "PidMode": spec.pid_mode,
        "IpcMode": spec.ipc_mode,
        "LogConfig": _log_config(spec),
    }
    if spec.auto_remove and spec.restart not in {"", "no"}:
        raise InvalidInputError(
            "It can't be both restarted and removed",
            f"Removed when it ends, and restart {spec.restart}, exclude each other.",
            "Choose one of them.",
            "restart",
        )
    return {key: value for key, value in values.items() if value}


# --- Storage ---


def _volumes(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """Binds, and the targets of anonymous volumes."""
    binds, anonymous = [], []
    for line in lines:
        source, colon, rest = line.strip().partition(":")
        if not colon:
            anonymous.append(_target(source, line))
            continue
        target = rest.partition(":")[0]
        _target(target, line)
        if not source:
            raise _wrong_volume(line, "What to mount is missing before the colon.")
        if source == "~" or source.startswith("~/"):
            source = os.path.expanduser(source)
        if source.startswith("."):
            raise _wrong_volume(
                line, f"“{source}” is relative, and DockDesk has no current folder."
            )
        binds.append(f"{source}:{rest}")
    return binds, anonymous


def _target(target: str, line: str) -> str:
    if not target.startswith("/"):
        raise _wrong_volume(line, "The path in the container must begin with “/”.")
    if not target.strip("/."):
        raise _wrong_volume(line, "Nothing can be mounted over “/”.")
    return target


def _wrong_volume(line: str, why: str) -> InvalidInputError:
    hint = "Write it as /full/path:/target, volume:/target, or with options as volume:/target:ro."
    return InvalidInputError(f"“{line}” can't be mounted", why, hint, "volumes")


def _tmpfs(lines: Iterable[str]) -> dict[str, str]:
    made = {}
    for line in lines:
        target, _, options = line.strip().partition(":")
        if not target.startswith("/"):
            raise InvalidInputError(
                f"“{line}” can't be mounted",
                "The path in the container must begin with “/”.",
                "Write it as /run or /run:size=64m.",
                "tmpfs",
            )
        made[target] = options
    return made


def is_cdi(device: str) -> bool:
    """Whether a device is named as the Container Device Interface does: vendor.com/class=name."""
    return not device.startswith("/") and "=" in device


def _device(line: str) -> dict[str, str]:
    parts = line.strip().split(":")
    problem = ""
    inside, access = parts[0], "rwm"
    if len(parts) == 2 and not parts[1].startswith("/"):
        access = parts[1]
    elif len(parts) >= 2:
        inside = parts[1]
    if len(parts) == 3:
        access = parts[2]
    if len(parts) > 3 or not parts[0].startswith("/") or not inside.startswith("/"):
        problem = "Devices are paths."
    elif not access or set(access) - set("rwm"):
        problem = f"“{access}” is no access: use r, w and m."
    if problem:
        raise InvalidInputError(
            f"“{line}” is no device", problem, "Write it as /dev/x or /dev/x:/dev/y:rwm.", "devices"
        )
    return {"PathOnHost": parts[0], "PathInContainer": inside, "CgroupPermissions": access}


def device_requests(gpus: str, devices: Iterable[str]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    cdi = [device for device in devices if is_cdi(device)]
    if cdi:
        made.append({"Driver": "cdi", "DeviceIDs": cdi})
    wish = gpus.strip().strip('"')
    if not wish:
        return made
    request: dict[str, Any] = {"Capabilities": [["gpu"]]}
    if wish == "all":
        request["Count"] = -1
    elif wish.isascii() and wish.isdecimal():
        request["Count"] = int(wish)
    elif wish.startswith("device=") and all(ids := wish.removeprefix("device=").split(",")):
        request["DeviceIDs"] = ids
    else:
        raise InvalidInputError(
            f"“{gpus}” names no GPUs", "", "Write all, a count, or device=0,1.", "gpus"
        )
    made.append(request)
    return made


# --- Network ---


def _endpoints(spec: ContainerSpec) -> dict[str, Any]:
    if not spec.network_aliases and not spec.ip:
        return {}
    network = spec.network
    if not network or network in _FIXED_NETWORKS or network.startswith("container:"):
        field = "ip" if spec.ip else "network_aliases"
        what = "An address" if spec.ip else "An alias"
        raise InvalidInputError(
            f"{what} needs a network of your own",
            f"The network {network or 'bridge'} gives none.",
            "Choose a network that you made.",
            field,
        )
    endpoint: dict[str, Any] = {}
    if spec.network_aliases:
        endpoint["Aliases"] = list(spec.network_aliases)
    if spec.ip:
        kind = "IPv6Address" if ":" in _address(spec.ip, "ip") else "IPv4Address"
        endpoint["IPAMConfig"] = {kind: spec.ip}
    return {network: endpoint}


def _address(text: str, field: str) -> str:
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        raise InvalidInputError(f"“{text}” is no IP address", "", "", field) from None
    return text.strip()


def _extra_host(line: str) -> str:
    """name:address; the CLI takes name=address too, and brackets around IPv6 addresses."""
    stripped = line.strip()
    separator = "=" if "=" in stripped else ":"
    name, _, address = stripped.partition(separator)
    address = address.strip()
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    if not name or not address:
        raise InvalidInputError(
            f"“{line}” is no host entry", "", "Write it as name:address.", "add_hosts"
        )
    if address != "host-gateway":
        _address(address, "add_hosts")
    return f"{name}:{address}"


# --- Limits, health, logging, security ---


def restart_policy(wish: str, field: str) -> dict[str, Any]:
    name, colon, most = wish.partition(":")
    name = name or "no"
    policy: dict[str, Any] = {"Name": name, "MaximumRetryCount": 0}
    if name in _RESTARTS and not colon:
        return policy
    if name == "on-failure" and most.isascii() and most.isdecimal():
        policy["MaximumRetryCount"] = int(most)
        return policy
    raise InvalidInputError(
        f"“{wish}” is no restart policy",
        "",
        "Choose no, always, unless-stopped or on-failure[:most tries].",
        field,
    )


def _ulimit(line: str) -> dict[str, Any]:
    name, _, limits = line.strip().partition("=")
    soft, colon, hard = limits.partition(":")
    try:
        low = int(soft)
        high = int(hard) if colon else low
    except ValueError:
        name = ""
        low = high = 0
    if not name or (high != -1 and (low > high or low == -1)):
        raise InvalidInputError(
            f"“{line}” is no limit",
            "",
            "Write it as nofile=1024:2048, the soft limit at most the hard one.",
            "ulimits",
        )
    return {"Name": name, "Soft": low, "Hard": high}


def _health(spec: ContainerSpec) -> dict[str, Any]:
    if spec.no_healthcheck:
        return {"Test": ["NONE"]}
    values = {
        "Test": ["CMD-SHELL", spec.health_cmd] if spec.health_cmd else None,
        "Interval": round(spec.health_interval * NANO),
        "Timeout": round(spec.health_timeout * NANO),
        "Retries": spec.health_retries,
        "StartPeriod": round(spec.health_start_period * NANO),
    }
    return {key: value for key, value in values.items() if value}


def _log_config(spec: ContainerSpec) -> dict[str, Any] | None:
    if not spec.log_driver and not spec.log_options:
        return None
    return {"Type": spec.log_driver, "Config": dict(spec.log_options)}


def security_option(option: str) -> str:
    """A security option as the engine wants it: a seccomp profile is sent by content, not by name.

    Reads the file: call it on a worker thread. Raise LocalError if it can't be read.
    """
    name, separator, value = option.strip().partition("=")
    if name != "seccomp" or not separator or value in {"unconfined", "builtin"}:
        return option.strip()
    if value.lstrip().startswith("{"):
        return option.strip()
    path = Path(value).expanduser()
    try:
        with path.open("rb") as file:
            content = file.read(_SECCOMP_LIMIT + 1)
        if len(content) > _SECCOMP_LIMIT:
            raise ValueError("it is larger than 1 MiB")
        profile = json.dumps(json.loads(content), separators=(",", ":"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise LocalError(
            "The seccomp profile can't be read",
            f"{path}: {reason}",
            "Give the path of a JSON file.",
        ) from error
    return f"seccomp={profile}"
