"""Making containers, and what they are made with: names, files, volumes, networks."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from dockdesk.sandbox.engine.catalogue import fated
from dockdesk.sandbox.engine.filesystem import FileSystem, clean, file_node, folder_node
from dockdesk.sandbox.engine.mounts import Mount, Point, fill, points_of
from dockdesk.sandbox.engine.state import (
    Endpoint,
    EngineState,
    SimContainer,
    SimNetwork,
    SimVolume,
    volume_names,
)
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.world.traffic import Traffic, unit

_log = logging.getLogger(__name__)

_ADJECTIVES = (
    "brave",
    "calm",
    "eager",
    "gentle",
    "jolly",
    "keen",
    "lucid",
    "merry",
    "proud",
    "quiet",
    "swift",
    "witty",
)
_NAMES = (
    "curie",
    "darwin",
    "euler",
    "hopper",
    "kepler",
    "lovelace",
    "noether",
    "pascal",
    "sagan",
    "turing",
    "volta",
    "wright",
)
NAME = "dockdesk-sandbox"


def stamp(time: float) -> str:
    """A time as Go writes it: RFC 3339 with nanoseconds; the zero time where it never happened."""
    if time <= 0:
        return "0001-01-01T00:00:00Z"
    text = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{int(time % 1 * 1e9):09d}Z"


@lru_cache(64)
def _subnet(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text, strict=False)


class Creation:
    """Adds to an EngineState as the engine would, and tells of it by events."""

    def __init__(self, state: EngineState) -> None:
        self.state = state

    def attributes(self, container: SimContainer, **more: str) -> dict[str, str]:
        return {**container.labels, "image": container.image_name, "name": container.name, **more}

    def tell(self, container: SimContainer, action: str, **more: str) -> None:
        self.state.events.emit(
            "container", action, container.id, self.attributes(container, **more)
        )

    def create(self, name: str, body: Mapping[str, Any]) -> SimContainer:
        """Raises HttpError 404 without the image, 409 if the name is taken, 400 for a bad name."""
        state = self.state
        reference = str(body.get("Image") or "")
        if not reference:
            raise HttpError(
                400,
                "no command specified"
                if "Image" in body
                else "config cannot be empty in order to create a container",
            )
        image = state.image(reference)
        container_id = state.new_id("container", name)
        name = self._free_name(name, container_id)
        host = dict(body.get("HostConfig") or {})
        config = self._config(body, image.config, container_id)
        now = state.clock.now()
        program = image.program
        if body.get("Cmd") or body.get("Entrypoint") or program.logs == "quiet":
            program = self._program_of(config, image.program)
        program = fated(config, program)
        container = SimContainer(
            container_id,
            name,
            image,
            reference,
            config,
            host,
            FileSystem(image.tree),
            program,
            now,
            Traffic(state.seed, name, 12.0),
        )
        self._make_volumes(container, image.config)
        self._mount(container)
        self._join(container, body)
        state.containers[container_id] = state.names[name] = container
        self.tell(container, "create")
        return container

    def _free_name(self, name: str, container_id: str) -> str:
        if not name:
            picks = [unit(container_id, part) for part in ("adjective", "name")]
            name = f"{_ADJECTIVES[int(picks[0] * len(_ADJECTIVES))]}_{_NAMES[int(picks[1] * len(_NAMES))]}"
            while name in self.state.names:
                name += container_id[0]
            return name
        name = name.lstrip("/")
        if len(name) < 2 or not (
            name[0].isalnum() and all(c.isalnum() or c in "_.-" for c in name) and name.isascii()
        ):
            raise HttpError(
                400, f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
            )
        if other := self.state.names.get(name):
            raise HttpError(
                409,
                f'Conflict. The container name "/{name}" is already in use by container "{other.id}". '
                "You have to remove (or rename) that container to be able to reuse that name.",
            )
        return name

    def _mount(self, container: SimContainer) -> None:
        """Put what a container asks for at its places, and what tells it who it is."""
        for point in points_of(container.host):
            if point.kind == "volume":
                files = self.state.volumes[point.source].files
                if point.copies:
                    fill(files, container.image.tree, point.target)
            else:
                files = self._place(container, point)
            container.mounts[point.target] = Mount(files, point.read_only)
            root = files.get("/")
            if root is not None and container.files.get(point.target) is None:
                container.files.put(point.target, replace(root, data=b""))

    def _place(self, container: SimContainer, point: Point) -> FileSystem:
        """What stands for a folder of the host, or for memory: empty, but a file where the image has one."""
        known = self.state.binds.get(point.source) if point.kind == "bind" else None
        if known is not None:
            return known
        there = container.image.tree.get(point.target)
        is_file = there is not None and not there.is_folder
        node = there if is_file and there is not None else folder_node(modified=container.created)
        made = FileSystem({}, {"/": node})
        if point.kind == "bind":
            self.state.binds[point.source] = made
        return made

    def _identify(self, container: SimContainer) -> None:
        """Write the files that say what a container and its neighbours are called, as the engine does at each start."""
        hostname = str(container.config["Hostname"])
        mode = str(container.host.get("NetworkMode") or "")
        lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"]
        if mode == "host":
            hostname = NAME
        lines += [
            f"{item.address}\t{hostname}" for item in container.endpoints.values() if item.address
        ]
        for extra in container.host.get("ExtraHosts") or ():
            name, _, address = str(extra).partition(":")
            lines.append(f"{address.replace('host-gateway', '172.15.0.1')}\t{name}")
        custom = set(container.endpoints) - {"bridge", "host", "none"}
        servers = container.host.get("Dns") or (["127.0.0.11"] if custom else ["10.0.0.2"])
        resolv = "".join(f"nameserver {server}\n" for server in servers)
        texts = {
            "/etc/hostname": hostname + "\n",
            "/etc/hosts": "\n".join(lines) + "\n",
            "/etc/resolv.conf": resolv + ("options ndots:0\n" if custom else ""),
        }
        now = self.state.clock.now()
        for path, text in texts.items():
            container.mounts[path] = Mount(FileSystem({}, {"/": file_node(text, modified=now)}))

    @staticmethod
    def _config(
        body: Mapping[str, Any], image: Mapping[str, Any], container_id: str
    ) -> dict[str, Any]:
        config = {
            key: value
            for key, value in body.items()
            if key not in {"HostConfig", "NetworkingConfig"}
        }
        own = {str(item).partition("=")[0] for item in config.get("Env") or ()}
        inherited = [item for item in image.get("Env") or () if item.partition("=")[0] not in own]
        config["Env"] = [*(config.get("Env") or ()), *inherited]
        entrypoint = config.get("Entrypoint")
        if entrypoint is None:
            config["Entrypoint"] = image.get("Entrypoint")
            config["Cmd"] = config.get("Cmd") or image.get("Cmd")
        elif entrypoint in ([""], []):
            config["Entrypoint"] = None
        config["Labels"] = {**(image.get("Labels") or {}), **(config.get("Labels") or {})}
        for key in ("WorkingDir", "User", "Healthcheck", "ExposedPorts", "Volumes", "StopSignal"):
            if not config.get(key) and image.get(key):
                config[key] = image[key]
        config["Hostname"] = config.get("Hostname") or container_id[:12]
        return config

    @staticmethod
    def _program_of(config: Mapping[str, Any], program: Any) -> Any:
        """A command of one's own behaves like what it says: sleep sleeps, true ends, anything short ends soon."""
        words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
        quiet = replace(
            program, logs="quiet", cpu=0.1, cpu_per_request=0.0, memory=2 << 20, fails_health=False
        )
        last = (
            " ".join(words[-1:])
            if words[:1] in (["sh"], ["/bin/sh"], ["bash"]) and "-c" in words
            else " ".join(words)
        )
        first = last.split()[:1]
        if first == ["sleep"] and last.split()[1:2]:
            seconds = last.split()[1]
            return replace(
                quiet, runs_for=float(seconds) if seconds.replace(".", "", 1).isdigit() else 0.0
            )
        if first in (["true"], ["echo"], ["ls"], ["env"], ["date"], ["cat"], ["false"], ["exit"]):
            code = 1 if first == ["false"] else 0
            if first == ["exit"] and last.split()[1:2]:
                code = int(last.split()[1]) if last.split()[1].isdigit() else 2
            return replace(quiet, runs_for=0.05, exit_code=code)
        if words[:1] in (["sh"], ["/bin/sh"], ["bash"], ["/bin/bash"]):
            if "while" in last and not {"sleep", "read"} & set(last.split()):
                quiet = replace(quiet, cpu=96.0)  # it never waits
            waits = "-c" not in words and (config.get("Tty") or config.get("OpenStdin"))
            return replace(quiet, runs_for=0.0 if waits else 0.05)
        return program

    def _make_volumes(self, container: SimContainer, image: Mapping[str, Any]) -> None:
        named = volume_names(container)
        taken = {point.target for point in points_of(container.host)}
        for target in {**(image.get("Volumes") or {}), **(container.config.get("Volumes") or {})}:
            if clean(target) not in taken:
                name = self.state.new_id("volume", container.id, target)
                container.host.setdefault("Mounts", []).append(
                    {"Type": "volume", "Source": name, "Target": target}
                )
                self.create_volume(name, anonymous=True)
        for name in named:
            if name not in self.state.volumes:
                self.create_volume(name)

    def create_volume(
        self, name: str, body: Mapping[str, Any] | None = None, anonymous: bool = False
    ) -> SimVolume:
        body = body or {}
        volume = SimVolume(
            name,
            self.state.clock.now(),
            str(body.get("Driver") or "local"),
            dict(body.get("Labels") or {}),
            dict(body.get("DriverOpts") or {}),
            anonymous=anonymous,
        )
        volume.files.put("/", folder_node(modified=volume.created))
        self.state.volumes[name] = volume
        self.state.events.emit("volume", "create", name, {"driver": volume.driver})
        return volume

    def _join(self, container: SimContainer, body: Mapping[str, Any]) -> None:
        mode = str(container.host.get("NetworkMode") or "default")
        named = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
        if mode in {"host", "none"} or mode.startswith("container:"):
            if mode in {"host", "none"}:
                container.endpoints[mode] = Endpoint(mode, "", "")
            return
        # A client may name one network in several ways: as default and as bridge, by name and by id.
        wanted: dict[str, tuple[SimNetwork, Mapping[str, Any]]] = {}
        for name, options in (*named.items(), (mode, None)):
            network = self.state.network("bridge" if name == "default" else name)
            wanted.setdefault(network.name, (network, options or {}))
        for network, options in wanted.values():
            self.connect(network, container, options, tell=False)

    def connect(
        self,
        network: SimNetwork,
        container: SimContainer,
        options: Mapping[str, Any],
        tell: bool = True,
    ) -> None:
        """Raises HttpError 403 if it is connected already."""
        if network.name in container.endpoints:
            raise HttpError(
                403, f"endpoint with name {container.name} already exists in network {network.name}"
            )
        ipam = options.get("IPAMConfig") or {}
        address = str(ipam.get("IPv4Address") or "")
        if (
            address
            and network.subnet
            and ipaddress.ip_address(address) not in _subnet(network.subnet)
        ):
            raise HttpError(
                400,
                f"Invalid address {address}: It does not belong to any of this network's subnets",
            )
        if not address and network.subnet:
            try:
                address = str(_subnet(network.subnet)[network.next_host])
            except IndexError:
                text = f"no available IPv4 addresses on this network's address pools: {network.name} ({network.id})"
                raise HttpError(403, text) from None
            network.next_host += 1
        number = int(unit(container.id, network.id) * 2**32)
        mac = "02:42:" + ":".join(f"{number >> shift & 255:02x}" for shift in (24, 16, 8, 0))
        aliases = [*(options.get("Aliases") or ()), container.id[:12]]
        asked = {str(key): str(value) for key, value in ipam.items()}
        container.endpoints[network.name] = Endpoint(network.name, address, mac, aliases, asked)
        container.identify = self._identify
        if tell:
            self.state.events.emit(
                "network",
                "connect",
                network.id,
                {"container": container.id, "name": network.name, "type": network.driver},
            )

    def disconnect(self, network: SimNetwork, container: SimContainer) -> None:
        if container.endpoints.pop(network.name, None) is None:
            raise HttpError(
                403, f"container {container.id} is not connected to network {network.name}"
            )
        self.state.events.emit(
            "network",
            "disconnect",
            network.id,
            {"container": container.id, "name": network.name, "type": network.driver},
        )
