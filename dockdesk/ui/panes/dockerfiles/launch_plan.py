"""What “Build and run” does with a built image: which container, which ports, and the same as commands. No Qt in it."""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from dockdesk.core.actions import Equivalent
from dockdesk.core.ports import ContainerSpec, Engine
from dockdesk.core.records import dataclass
from dockdesk.core.references import reference_parts
from dockdesk.core.resources.containers import Container
from dockdesk.runspec.render import run_equivalent

LABEL = "dockdesk.dockerfile"
"""The container's label that names the Dockerfile it was built from: it is found again by that."""

_INSTEAD = {80: 8080, 443: 8443}  # ports that want rights which not everyone has
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Launch:
    """What is to be done: run ``spec``, or make ``instead`` anew from ``image``."""

    image: str
    spec: ContainerSpec
    instead: Container | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A container of an image that was just built; ``url`` is where its first published port answers."""

    id: str
    name: str
    url: str = ""


def host_of(address: str) -> str:
    """Where published ports of an engine are reached: its host, or this computer for a socket."""
    host = urlsplit(address).hostname if "://" in address else None
    return host if host and not address.startswith(("unix:", "npipe:")) else "localhost"


def own_container(
    containers: Iterable[Container], project: str, image: str, last: str = ""
) -> Container | None:
    """The container that a build of ``project`` replaces.

    The one that was last run for it (``last``, an id), else one with its label, else the newest of that image.
    """
    found = list(containers)
    for container in found:
        if last and container.id == last:
            return container
    labelled = [each for each in found if each.labels.get(LABEL) == project]
    same = [each for each in found if image and each.image == image]
    choice = labelled or same
    return max(choice, key=lambda each: (each.running, each.created), default=None)


def name_for(image: str, taken: Collection[str]) -> str:
    """A free name for a container of an image: its repository's last word; engines want two characters at least."""
    word = re.sub(r"[^a-zA-Z0-9_.-]+", "-", reference_parts(image)[0].rpartition("/")[2])
    base = word.strip("-._") or "app"
    if len(base) == 1:
        base = f"{base}-app"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def plan(
    engine: Engine,
    project: str,
    image: str,
    built: str,
    last: str = "",
    local: bool = True,
) -> Launch:
    """Work out what is to be run; blocks. ``built`` is the image's id, ``local`` whether its ports are this computer's.

    Ports that the image exposes are published under the same number, or the next free one.
    """
    containers = engine.containers()
    before = own_container(containers, project, image, last)
    detail = engine.image(built or image)
    used = {
        port.public
        for container in containers
        if container.running
        for port in container.ports
        if port.public
    }
    ports = []
    for exposed in detail.exposed:
        number, _slash, protocol = exposed.partition("/")
        if number.isdigit():
            public = _free(int(number), used, local and protocol != "udp")
            used.add(public)
            suffix = f"/{protocol}" if protocol not in ("", "tcp") else ""
            ports.append(f"{public}:{number}{suffix}")
    name = name_for(image, {container.name for container in containers})
    spec = ContainerSpec(
        image, name=name, ports=tuple(ports), labels=((LABEL, project),), pull="never"
    )
    return Launch(image, spec, before)


def equivalent_of(launch: Launch) -> Equivalent:
    """The commands that it stands for."""
    if launch.instead is None:
        return run_equivalent(launch.spec)
    name = shlex.quote(launch.instead.name)
    again = f"docker run -d --name {name} … {shlex.quote(launch.image)}"
    return Equivalent(
        f"docker stop {name} && docker rm {name} && {again}",
        f"container = client.containers.get({launch.instead.name!r})\n"
        f"container.stop()\ncontainer.remove()\n"
        f"client.containers.run({launch.image!r}, name={launch.instead.name!r}, detach=True)",
        f"POST /containers/create?name={launch.instead.name}",
    )


def url_of(container: Container | None, ports: Iterable[str], host: str) -> str:
    """Where the first published port answers; empty where there is none."""
    published = [port.public for port in container.ports if port.public] if container else []
    if not published:
        published = [
            int(public)
            for port in ports
            if (public := port.rpartition(":")[0].rpartition(":")[2]).isdigit()
            and not port.endswith("/udp")
        ]
    return f"http://{host}:{published[0]}/" if published else ""


def _free(port: int, used: Collection[int | None], local: bool) -> int:
    wanted = _INSTEAD.get(port, port)
    for number in range(wanted, min(wanted + _TRIES, 65_536)):
        if number not in used and not (local and _taken(number)):
            return number
    return wanted


def _taken(port: int) -> bool:
    """Whether some program of this computer listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            own.bind(("0.0.0.0", port))
        except OSError:
            return True
    return False
