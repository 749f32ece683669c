"""System, volumes and networks of the Engine API. Source: moby/api/swagger.yaml v1.43."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from dockdesk.sandbox.engine import present
from dockdesk.sandbox.engine.events import Listening
from dockdesk.sandbox.engine.filters import Filters
from dockdesk.sandbox.engine.lifecycle import NAME, Lifecycle
from dockdesk.sandbox.engine.state import CPUS, MEMORY, EngineState, SimNetwork, SimVolume
from dockdesk.sandbox.http import HttpError, Request, Response, Router, json_response

_POOLS = (
    *(f"172.{number}.0.0/16" for number in range(15, 32)),
    *(f"192.168.{number}.0/20" for number in range(0, 256, 16)),
)


class SystemApi:
    def __init__(self, state: EngineState) -> None:
        self._state = state

    def add_to(self, router: Router) -> None:
        router.add("GET", "/_ping", self._ping)
        router.add("GET", "/version", self._version)
        router.add("GET", "/info", self._info)
        router.add("GET", "/events", self._events)
        router.add("GET", "/system/df", self._disk)

    async def _ping(self, _request: Request) -> Response:
        headers = {
            "Api-Version": present.API_VERSION,
            "Docker-Experimental": "false",
            "Builder-Version": "2",
            "Ostype": "linux",
            "Cache-Control": "no-cache, no-store, must-revalidate",
        }
        return Response(body=b"OK", content_type="text/plain; charset=utf-8", headers=headers)

    async def _version(self, _request: Request) -> Response:
        details = {
            "ApiVersion": present.API_VERSION,
            "Arch": "amd64",
            "MinAPIVersion": present.MIN_API_VERSION,
            "Os": "linux",
        }
        return json_response(
            {
                "Platform": {"Name": "DockDesk sandbox (a simulation)"},
                "Components": [{"Name": "Engine", "Version": present.VERSION, "Details": details}],
                "Version": present.VERSION,
                "ApiVersion": present.API_VERSION,
                "MinAPIVersion": present.MIN_API_VERSION,
                "GitCommit": "sandbox",
                "GoVersion": "",
                "Os": "linux",
                "Arch": "amd64",
                "KernelVersion": "6.6.0-sandbox",
                "BuildTime": "",
            }
        )

    async def _info(self, _request: Request) -> Response:
        containers = list(self._state.containers.values())
        paused = sum(item.status == "paused" for item in containers)
        running = sum(item.status == "running" for item in containers)
        return json_response(
            {
                "ID": "SANDBOX",
                "Name": NAME,
                "Containers": len(containers),
                "ContainersRunning": running,
                "ContainersPaused": paused,
                "ContainersStopped": len(containers) - running - paused,
                "Images": len(self._state.images),
                "Driver": "overlay2",
                "DriverStatus": [],
                "DockerRootDir": "/var/lib/docker",
                "LoggingDriver": "json-file",
                "CgroupDriver": "systemd",
                "CgroupVersion": "2",
                "KernelVersion": "6.6.0-sandbox",
                "OperatingSystem": "DockDesk sandbox",
                "OSType": "linux",
                "OSVersion": "1",
                "Architecture": "x86_64",
                "NCPU": CPUS,
                "MemTotal": MEMORY,
                "ServerVersion": present.VERSION,
                "MemoryLimit": True,
                "SwapLimit": True,
                "PidsLimit": True,
                "Plugins": {
                    "Volume": ["local"],
                    "Network": ["bridge", "host", "none"],
                    "Authorization": None,
                    "Log": ["json-file"],
                },
                "RegistryConfig": {
                    "IndexConfigs": {},
                    "InsecureRegistryCIDRs": ["127.0.0.0/8"],
                    "Mirrors": [],
                },
                "IndexServerAddress": "https://index.docker.io/v1/",
                "SecurityOptions": [],
                "Runtimes": {"runc": {"path": "runc"}},
                "DefaultRuntime": "runc",
                "Swarm": {"LocalNodeState": "inactive"},
                "LiveRestoreEnabled": False,
                "Isolation": "",
                "InitBinary": "docker-init",
                "Labels": ["simulation=true"],
                "ExperimentalBuild": False,
                "Warnings": None,
            }
        )

    async def _events(self, request: Request) -> Response:
        filters = Filters.of(request)
        since, until = float(request.first("since") or 0), float(request.first("until") or 0)
        now = self._state.clock.now()
        past = [
            event
            for event in self._state.events.past
            if since and since <= event["timeNano"] / 1e9 <= (until or now)
        ]

        def line(event: Mapping[str, Any]) -> bytes:
            return json.dumps(event, separators=(",", ":")).encode() + b"\n"

        async def body(queue: asyncio.Queue[dict[str, Any]]) -> AsyncIterator[bytes]:
            yield b"".join(line(event) for event in past if _event_matches(event, filters))
            while not until or self._state.clock.now() < until:
                try:
                    event = await asyncio.wait_for(queue.get(), 1.0 if until else None)
                except TimeoutError:
                    continue
                if _event_matches(event, filters):
                    yield line(event)

        return Response(body=Listening(self._state.events, body))

    async def _disk(self, _request: Request) -> Response:
        return json_response(present.disk_json(self._state))


def _event_matches(event: Mapping[str, Any], filters: Filters) -> bool:
    actor = event["Actor"]
    kind, id = event["Type"], actor["ID"]
    name = actor["Attributes"].get("name", "")
    return (
        filters.allows("type", kind)
        and filters.starts("event", event["Action"])
        and (kind != "container" or filters.allows("container", id, name, id[:12]))
        and ("container" not in filters or kind == "container")
        and filters.labels(actor["Attributes"])
    )


class VolumesApi:
    def __init__(self, state: EngineState, lifecycle: Lifecycle) -> None:
        self._state = state
        self._life = lifecycle

    def add_to(self, router: Router) -> None:
        router.add("GET", "/volumes", self._list)
        router.add("POST", "/volumes/create", self._create)
        router.add("POST", "/volumes/prune", self._prune)
        router.add("GET", "/volumes/{name}", self._inspect)
        router.add("DELETE", "/volumes/{name}", self._remove)

    async def _list(self, request: Request) -> Response:
        filters = Filters.of(request)
        dangling = filters.boolean("dangling")
        found = [
            present.volume_json(self._state, volume)
            for volume in self._state.volumes.values()
            if (dangling is None or dangling != bool(self._state.users_of(volume.name)))
            and filters.holds("name", volume.name)
            and filters.allows("driver", volume.driver)
            and filters.labels(volume.labels)
        ]
        return json_response({"Volumes": found, "Warnings": None})

    async def _create(self, request: Request) -> Response:
        body = await request.json() or {}
        name = str(body.get("Name") or self._state.new_id("volume"))
        volume = self._state.volumes.get(name) or self._life.create_volume(
            name, body, anonymous=not body.get("Name")
        )
        return json_response(present.volume_json(self._state, volume), 201)

    async def _inspect(self, request: Request) -> Response:
        return json_response(
            present.volume_json(self._state, self._state.volume(request.params["name"]))
        )

    async def _remove(self, request: Request) -> Response:
        volume = self._state.volume(request.params["name"])
        if users := self._state.users_of(volume.name):
            raise HttpError(409, f"remove {volume.name}: volume is in use - [{users[0].id}]")
        self._drop(volume)
        return Response(204)

    def _drop(self, volume: SimVolume) -> None:
        del self._state.volumes[volume.name]
        self._state.events.emit("volume", "destroy", volume.name, {"driver": volume.driver})

    async def _prune(self, request: Request) -> Response:
        filters = Filters.of(request)
        everything = filters.boolean("all") is True
        gone = [
            volume
            for volume in list(self._state.volumes.values())
            if (everything or volume.anonymous)
            and not self._state.users_of(volume.name)
            and filters.labels(volume.labels)
        ]
        for volume in gone:
            self._drop(volume)
        freed = sum(volume.bytes for volume in gone)
        self._state.events.emit("volume", "prune", "", {"reclaimed": str(freed)})
        return json_response(
            {"VolumesDeleted": [volume.name for volume in gone] or None, "SpaceReclaimed": freed}
        )


class NetworksApi:
    def __init__(self, state: EngineState, lifecycle: Lifecycle) -> None:
        self._state = state
        self._life = lifecycle

    def add_to(self, router: Router) -> None:
        router.add("GET", "/networks", self._list)
        router.add("POST", "/networks/create", self._create)
        router.add("POST", "/networks/prune", self._prune)
        router.add("GET", "/networks/{id}", self._inspect)
        router.add("DELETE", "/networks/{id}", self._remove)
        router.add("POST", "/networks/{id}/connect", self._connect)
        router.add("POST", "/networks/{id}/disconnect", self._disconnect)

    async def _list(self, request: Request) -> Response:
        filters = Filters.of(request)
        found = [
            {**present.network_json(self._state, network), "Containers": {}}
            for network in self._state.networks.values()
            if filters.starts("id", network.id)
            and filters.holds("name", network.name)
            and filters.allows("driver", network.driver)
            and filters.labels(network.labels)
        ]
        return json_response(found)

    async def _inspect(self, request: Request) -> Response:
        return json_response(
            present.network_json(self._state, self._state.network(request.params["id"]))
        )

    async def _create(self, request: Request) -> Response:
        body = await request.json() or {}
        name = str(body.get("Name") or "")
        if not name:
            raise HttpError(400, "network name is required")
        if any(network.name == name for network in self._state.networks.values()):
            raise HttpError(409, f"network with name {name} already exists")
        network = self.add(name, body)
        return json_response({"Id": network.id, "Warning": ""}, 201)

    def add(self, name: str, body: Mapping[str, Any]) -> SimNetwork:
        config = ((body.get("IPAM") or {}).get("Config") or [{}])[0]
        subnet = str(config.get("Subnet") or self._free_subnet())
        try:
            first = str(ipaddress.ip_network(subnet, strict=False)[1])
        except (ValueError, IndexError):
            raise HttpError(400, f"invalid subnet {subnet}: invalid CIDR address") from None
        gateway = str(config.get("Gateway") or first)
        network = SimNetwork(
            self._state.new_id("network", name),
            name,
            self._state.clock.now(),
            str(body.get("Driver") or "bridge"),
            subnet,
            gateway,
            bool(body.get("Internal")),
            bool(body.get("Attachable")),
            bool(body.get("EnableIPv6")),
            dict(body.get("Labels") or {}),
            dict(body.get("Options") or {}),
        )
        self._state.networks[network.id] = network
        self._state.events.emit(
            "network", "create", network.id, {"name": name, "type": network.driver}
        )
        return network

    def _free_subnet(self) -> str:
        """The next of the engine's default address pools that no network has."""
        taken = {network.subnet for network in self._state.networks.values()}
        for subnet in _POOLS:
            if subnet not in taken:
                return subnet
        raise HttpError(400, "all predefined address pools have been fully subnetted")

    async def _remove(self, request: Request) -> Response:
        network = self._state.network(request.params["id"])
        if network.name in {"bridge", "host", "none"}:
            raise HttpError(403, f"{network.name} is a pre-defined network and cannot be removed")
        if any(
            network.name in item.endpoints
            for item in self._state.containers.values()
            if item.running
        ):
            raise HttpError(
                403,
                f"error while removing network: network {network.name} id {network.id} has active endpoints",
            )
        self._drop(network)
        return Response(204)

    def _drop(self, network: SimNetwork) -> None:
        del self._state.networks[network.id]
        self._state.events.emit(
            "network", "destroy", network.id, {"name": network.name, "type": network.driver}
        )

    async def _connect(self, request: Request) -> Response:
        body = await request.json() or {}
        container = self._state.container(str(body.get("Container") or ""))
        self._life.connect(
            self._state.network(request.params["id"]), container, body.get("EndpointConfig") or {}
        )
        return Response()

    async def _disconnect(self, request: Request) -> Response:
        body = await request.json() or {}
        container = self._state.container(str(body.get("Container") or ""))
        self._life.disconnect(self._state.network(request.params["id"]), container)
        return Response()

    async def _prune(self, request: Request) -> Response:
        filters = Filters.of(request)
        used = {name for item in self._state.containers.values() for name in item.endpoints}
        gone = [
            network
            for network in list(self._state.networks.values())
            if network.name not in used | {"bridge", "host", "none"}
            and filters.labels(network.labels)
        ]
        for network in gone:
            self._drop(network)
        return json_response({"NetworksDeleted": [network.name for network in gone] or None})
