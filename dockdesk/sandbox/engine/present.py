"""What the simulated engine knows, in the JSON of the Engine API. Source: moby/api/swagger.yaml v1.43."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.engine.filesystem import clean
from dockdesk.sandbox.engine.lifecycle import stamp
from dockdesk.sandbox.engine.mounts import points_of
from dockdesk.sandbox.engine.state import (
    CPUS,
    MEMORY,
    EngineState,
    SimContainer,
    SimImage,
    SimNetwork,
    SimVolume,
)

API_VERSION = "1.47"
MIN_API_VERSION = "1.24"
VERSION = "27.3.1"


def _span(seconds: float) -> str:
    """A length of time as `docker ps` says it. Source: docker/go-units HumanDuration."""
    for limit, unit, size in (
        (60, "second", 1),
        (3600, "minute", 60),
        (48 * 3600, "hour", 3600),
        (14 * 86_400, "day", 86_400),
    ):
        if seconds < limit:
            count = int(seconds // size)
            if unit == "second" and count < 1:
                return "Less than a second"
            if count == 1:
                return (
                    "About an hour"
                    if unit == "hour"
                    else "About a minute"
                    if unit == "minute"
                    else f"1 {unit}"
                )
            return f"{count} {unit}s"
    return f"{int(seconds // (7 * 86_400))} weeks"


def status_text(container: SimContainer, now: float) -> str:
    if container.running:
        text = f"Up {_span(now - container.started)}"
        if container.status == "paused":
            return f"{text} (Paused)"
        health = {"starting": " (health: starting)", "": ""}.get(
            container.health, f" ({container.health})"
        )
        return text + health
    if container.status == "exited":
        return f"Exited ({container.exit_code}) {_span(now - container.finished)} ago"
    return "Created"


def _mounts(state: EngineState, container: SimContainer) -> list[dict[str, Any]]:
    mounts: list[dict[str, Any]] = []
    for point in points_of(container.host):
        mount = {
            "Type": point.kind,
            "Source": point.source,
            "Destination": point.target,
            "Mode": point.mode or ("z" if point.kind == "volume" else ""),
            "RW": not point.read_only,
            "Propagation": "rprivate" if point.kind == "bind" else "",
        }
        if point.kind == "volume":
            known = state.volumes.get(point.source)
            mount["Name"] = point.source
            mount["Source"] = f"/var/lib/docker/volumes/{point.source}/_data"
            mount["Driver"] = known.driver if known is not None else "local"
        mounts.append(mount)
    return mounts


def _asked_for(host: Mapping[str, Any], container: SimContainer) -> list[Any] | None:
    """The mounts that somebody asked for: not the volumes that its configuration makes."""
    own = {clean(str(target)) for target in container.config.get("Volumes") or ()}
    mounts = [one for one in host.get("Mounts") or () if clean(str(one.get("Target"))) not in own]
    return mounts or None


def _endpoints(state: EngineState, container: SimContainer) -> dict[str, Any]:
    found = {}
    for name, endpoint in container.endpoints.items():
        network = next((item for item in state.networks.values() if item.name == name), None)
        live = container.running
        found[name] = {
            "IPAMConfig": endpoint.asked or None,
            "Links": None,
            "Aliases": endpoint.aliases or None,
            "NetworkID": network.id if network else "",
            "EndpointID": container.id[::-1] if live else "",
            "Gateway": network.gateway if network and live else "",
            "IPAddress": endpoint.address if live else "",
            "IPPrefixLen": int(network.subnet.partition("/")[2] or 0)
            if network and live and network.subnet
            else 0,
            "IPv6Gateway": "",
            "GlobalIPv6Address": "",
            "GlobalIPv6PrefixLen": 0,
            "MacAddress": endpoint.mac if live else "",
            "DriverOpts": None,
        }
    return found


def container_line(
    state: EngineState, container: SimContainer, size: bool = False
) -> dict[str, Any]:
    """One entry of ContainerList."""
    config = container.config
    ports = [
        {
            "IP": binding["HostIp"],
            "PrivatePort": int(port.partition("/")[0]),
            "PublicPort": int(binding["HostPort"]),
            "Type": port.partition("/")[2] or "tcp",
        }
        for port, bindings in container.ports.items()
        for binding in bindings
    ]
    exposed = config.get("ExposedPorts") or {}
    if container.running:
        ports += [
            {"PrivatePort": int(port.partition("/")[0]), "Type": port.partition("/")[2] or "tcp"}
            for port in exposed
            if port not in container.ports
        ]
    line: dict[str, Any] = {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.image_name,
        "ImageID": container.image.id,
        "Command": " ".join([*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]),
        "Created": int(container.created),
        "Ports": ports,
        "Labels": dict(container.labels),
        "State": container.status,
        "Status": status_text(container, state.clock.now()),
        "HostConfig": {"NetworkMode": container.host.get("NetworkMode") or "default"},
        "NetworkSettings": {"Networks": _endpoints(state, container)},
        "Mounts": _mounts(state, container),
    }
    if size:
        line |= {
            "SizeRw": container.files.size(),
            "SizeRootFs": container.image.size + container.files.size(),
        }
    return line


def container_json(state: EngineState, container: SimContainer) -> dict[str, Any]:
    """ContainerInspect."""
    words = [*(container.config.get("Entrypoint") or ()), *(container.config.get("Cmd") or ())]
    status: dict[str, Any] = {
        "Status": container.status,
        "Running": container.running,
        "Paused": container.status == "paused",
        "Restarting": False,
        "OOMKilled": container.oom_killed,
        "Dead": False,
        "Pid": container.pid,
        "ExitCode": container.exit_code,
        "Error": "",
        "StartedAt": stamp(container.started),
        "FinishedAt": stamp(container.finished),
    }
    if container.health:
        status["Health"] = {
            "Status": container.health,
            "FailingStreak": container.failing,
            "Log": container.health_log,
        }
    host = {
        "Binds": None,
        "NetworkMode": "default",
        "PortBindings": {},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": False,
        "Memory": 0,
        "MemorySwap": 0,
        "NanoCpus": 0,
        "CpuShares": 0,
        "PidsLimit": None,
        "Privileged": False,
        "ReadonlyRootfs": False,
        "LogConfig": {"Type": "json-file", "Config": {}},
        "ShmSize": 67_108_864,
        **container.host,
    }
    return {
        "Id": container.id,
        "Created": stamp(container.created),
        "Path": words[0] if words else "",
        "Args": words[1:],
        "State": status,
        "Image": container.image.id,
        "ResolvConfPath": "",
        "HostnamePath": "",
        "HostsPath": "",
        "LogPath": "",
        "Name": f"/{container.name}",
        "RestartCount": container.restarts,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": container.exec_ids or None,
        "HostConfig": {**host, "Mounts": _asked_for(host, container)},
        "GraphDriver": {"Name": "overlay2", "Data": {}},
        "SizeRw": container.files.size(),
        "SizeRootFs": container.image.size + container.files.size(),
        "Mounts": _mounts(state, container),
        "Config": {
            "Domainname": "",
            "AttachStdin": False,
            "AttachStdout": False,
            "AttachStderr": False,
            "Tty": False,
            "OpenStdin": False,
            "StdinOnce": False,
            "User": "",
            "WorkingDir": "",
            **container.config,
        },
        "NetworkSettings": {
            "Bridge": "",
            "SandboxID": container.id if container.running else "",
            "Ports": {
                **dict.fromkeys(container.config.get("ExposedPorts") or (), None),
                **container.ports,
            }
            if container.running
            else {},
            "Gateway": "",
            "IPAddress": container.endpoints["bridge"].address
            if "bridge" in container.endpoints and container.running
            else "",
            "Networks": _endpoints(state, container),
        },
    }


def stats_json(
    container: SimContainer, now: float, before: dict[str, Any] | None
) -> dict[str, Any]:
    """One message of ContainerStats; ``before`` is the one before it, for precpu_stats."""
    rate = container.traffic.rate(now) if container.running else 0.0
    total = container.cpu_total(now)
    lived = max(now - container.started, 0.0) if container.running else 0.0
    cpu = {
        "cpu_usage": {
            "total_usage": total,
            "usage_in_kernelmode": total // 5,
            "usage_in_usermode": total - total // 5,
        },
        "system_cpu_usage": int(now * CPUS * 1e9) % 2**62,
        "online_cpus": CPUS,
        "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
    }
    # Counters only ever grow, so they follow from how long the container has lived, not from the rate of the moment.
    average = container.traffic.mean
    network = int(lived * average * 700 + rate)
    written = int(lived * average * 90)
    limit = int(container.host.get("Memory") or MEMORY)
    memory = container.memory(now)
    return {
        "read": stamp(now),
        "preread": before["read"] if before else stamp(0),
        "id": container.id,
        "name": f"/{container.name}",
        "num_procs": 0,
        "pids_stats": {
            "current": 3 if container.running else 0,
            "limit": 18_446_744_073_709_551_615,
        },
        "cpu_stats": cpu,
        "precpu_stats": before["cpu_stats"]
        if before
        else {"cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0}},
        "memory_stats": {
            "usage": memory + (1 << 20),
            "limit": limit,
            "stats": {"inactive_file": 1 << 20},
        }
        if container.running
        else {},
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"major": 254, "minor": 0, "op": "read", "value": written // 3},
                {"major": 254, "minor": 0, "op": "write", "value": written},
            ]
        },
        "storage_stats": {},
        "networks": {
            "eth0": {
                "rx_bytes": network,
                "rx_packets": network // 600,
                "rx_errors": 0,
                "rx_dropped": 0,
                "tx_bytes": network * 3,
                "tx_packets": network // 200,
                "tx_errors": 0,
                "tx_dropped": 0,
            }
        },
    }


def image_line(state: EngineState, image: SimImage, shared: bool = False) -> dict[str, Any]:
    """One entry of ImageList."""
    return {
        "Id": image.id,
        "ParentId": image.parent,
        "RepoTags": list(image.tags),
        "RepoDigests": list(image.digests),
        "Created": int(image.created),
        "Size": image.size,
        "SharedSize": _shared(state, image) if shared else -1,
        "VirtualSize": image.size,
        "Labels": image.config.get("Labels") or None,
        "Containers": sum(1 for _ in state.made_from(image)) if shared else -1,
    }


def _shared(state: EngineState, image: SimImage) -> int:
    others = {
        layer.id
        for other in state.images.values()
        if other is not image
        for layer in other.layers
        if layer.id
    }
    return sum(layer.size for layer in image.layers if layer.id in others)


def image_json(image: SimImage) -> dict[str, Any]:
    """ImageInspect."""
    return {
        "Id": image.id,
        "RepoTags": list(image.tags),
        "RepoDigests": list(image.digests),
        "Parent": image.parent,
        "Comment": "buildkit.dockerfile.v0",
        "Created": stamp(image.created),
        "DockerVersion": "",
        "Author": "",
        "Config": image.config,
        "Architecture": image.architecture,
        "Os": "linux",
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": {"Name": "overlay2", "Data": {}},
        "RootFS": {"Type": "layers", "Layers": [layer.id for layer in image.layers if layer.id]},
        "Metadata": {"LastTagTime": stamp(image.created)},
    }


def history_json(image: SimImage) -> list[dict[str, Any]]:
    """ImageHistory, the newest layer first."""
    newest = len(image.layers) - 1
    return [
        {
            "Id": image.id if position == newest else "<missing>",
            "Created": int(image.created),
            "CreatedBy": layer.created_by,
            "Tags": image.tags if position == newest and image.tags else None,
            "Size": layer.size,
            "Comment": "buildkit.dockerfile.v0" if "buildkit" in layer.created_by else "",
        }
        for position, layer in reversed(list(enumerate(image.layers)))
    ]


def volume_json(state: EngineState, volume: SimVolume, usage: bool = False) -> dict[str, Any]:
    value: dict[str, Any] = {
        "CreatedAt": stamp(volume.created).partition(".")[0] + "Z",
        "Driver": volume.driver,
        "Labels": volume.labels or None,
        "Mountpoint": f"/var/lib/docker/volumes/{volume.name}/_data",
        "Name": volume.name,
        "Options": volume.options or None,
        "Scope": "local",
    }
    if usage:
        value["UsageData"] = {"Size": volume.bytes, "RefCount": len(state.users_of(volume.name))}
    return value


def network_json(state: EngineState, network: SimNetwork) -> dict[str, Any]:
    members = {
        container.id: {
            "Name": container.name,
            "EndpointID": container.id[::-1],
            "MacAddress": endpoint.mac,
            "IPv4Address": f"{endpoint.address}/{network.subnet.partition('/')[2]}"
            if endpoint.address
            else "",
            "IPv6Address": "",
        }
        for container in state.containers.values()
        if container.running
        for name, endpoint in container.endpoints.items()
        if name == network.name
    }
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": stamp(network.created),
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv6": network.ipv6,
        "IPAM": {
            "Driver": "default",
            "Options": None,
            "Config": [{"Subnet": network.subnet, "Gateway": network.gateway}]
            if network.subnet
            else [],
        },
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": False,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": members,
        "Options": network.options,
        "Labels": network.labels,
    }


def disk_json(state: EngineState) -> dict[str, Any]:
    """SystemDataUsage."""
    layers = {
        layer.id: layer.size
        for image in state.images.values()
        for layer in image.layers
        if layer.id
    }
    return {
        "LayersSize": sum(layers.values()),
        "Images": [image_line(state, image, shared=True) for image in state.images.values()],
        "Containers": [
            container_line(state, item, size=True) for item in state.containers.values()
        ],
        "Volumes": [volume_json(state, volume, usage=True) for volume in state.volumes.values()],
        "BuildCache": state.build_cache,
        "BuilderSize": 0,
    }
