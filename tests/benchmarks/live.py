"""The whole program on a real engine, in the process of a benchmark, and containers for it to show."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import application, spin_until

from dockdesk.app import Program
from dockdesk.backends.engine.backend import connect
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.core.reactor import Reactor
from dockdesk.places import Places
from dockdesk.services import Services
from dockdesk.ui.shell.environments import FoundEnvironment
from dockdesk.ui.shell.main_window import MainWindow
from tests.engines import BUSYBOX, Dockerd, load_busybox

SLEEPER = ("sleep", "1000000")


@contextmanager
def engine() -> Iterator[Dockerd]:
    """A dockerd of its own, with the busybox image; it is removed with all that was made in it."""
    made = Dockerd()
    try:
        made.start()
        load_busybox(made)
        yield made
    finally:
        made.remove()


def run_containers(
    dockerd: Dockerd, names: list[str], command: tuple[str, ...] = SLEEPER, tty: bool = False
) -> list[str]:
    """Start a container for each of ``names``, on the host's network, which costs the least; return their ids."""
    ids = []
    for name in names:
        body = {
            "Image": BUSYBOX,
            "Cmd": list(command),
            "Tty": tty,
            "HostConfig": {"NetworkMode": "host", "Init": False},
        }
        answer = dockerd.request(
            "POST",
            f"/containers/create?name={name}",
            json.dumps(body).encode(),
            "application/json",
        )
        ids.append(json.loads(answer)["Id"])
        dockerd.request("POST", f"/containers/{ids[-1]}/start")
    return ids


@contextmanager
def program(
    dockerd: Dockerd, size: tuple[int, int] = (1440, 900), host: str = ""
) -> Iterator[Program]:
    """DockDesk, begun and connected to ``dockerd`` (or to ``host``), with settings of its own."""
    found = endpoint("bench", host or dockerd.host, "a benchmark")

    def discover(reactor: Reactor) -> list[FoundEnvironment]:
        return [
            FoundEnvironment(
                found.environment, lambda work: connect(found, reactor, work), current=True
            )
        ]

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        places = Places(home / "settings.json", home / "archive.sqlite", home / "dockdesk.log")
        window = MainWindow()
        window.resize(*size)
        window.show()
        made = Program(application(), window, places, Services(places, discover))
        try:
            made.begin()
            spin_until(lambda: made.session.loaded("containers"))
            yield made
        finally:
            made.end()
