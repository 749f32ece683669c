"""The session and the feed on real engines: kept current by what those really tell, and found again after a restart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.bridge.engine_session import EngineSession, SessionState
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.stats_feed import StatsFeed
from dockdesk.bridge.streams import Pulse
from dockdesk.core.environments import Environment
from dockdesk.core.ports import ContainerSpec, NetworkSpec
from dockdesk.core.reactor import Reactor
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import Container
from dockdesk.core.work import SilentWork
from tests.contract.conftest import Rig
from tests.engines import BUSYBOX, Dockerd, connected

TIMEOUT = 60_000
LOOP = "trap 'exit 0' TERM INT; while true; do sleep 1 & wait $!; done"


@dataclass
class Live:
    """A session with a feed on a real engine."""

    session: EngineSession
    feed: StatsFeed
    qtbot: QtBot
    opened: list[EngineBackend]

    def until(self, condition: Callable[[], Any]) -> None:
        self.qtbot.waitUntil(condition, timeout=TIMEOUT)

    def named(self, name: str) -> Container | None:
        return next((c for c in self.session.containers.values() if c.name == name), None)

    def state(self, name: str) -> str:
        found = self.named(name)
        return found.state if found is not None else ""

    def do(self, call: Callable[[], Any]) -> None:
        """Change something as another program would, while the window goes on."""
        failures: list[BaseException] = []

        def run() -> None:
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - told to the test below
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        self.until(lambda: not thread.is_alive())
        assert not failures, failures


def start(server: Any, jobs: Jobs, pulse: Pulse, reactor: Reactor, qtbot: QtBot) -> Iterator[Live]:
    opened: list[EngineBackend] = []

    def open_engine(_work: Any) -> EngineBackend:
        opened.append(connected(server, reactor))
        return opened[-1]

    session = EngineSession(jobs, pulse, first_retry=0.2, longest_retry=1.0)
    feed = StatsFeed(session, jobs, first_retry=0.2)
    session.connect_to(Environment("test", "docker", "test", server.host), open_engine)
    live = Live(session, feed, qtbot, opened)
    live.until(lambda: session.state is SessionState.CONNECTED and session.info is not None)
    yield live
    feed.close()
    session.close()
    qtbot.waitUntil(lambda: not jobs.busy(), timeout=TIMEOUT)


@pytest.fixture
def live(rig: Rig, jobs: Jobs, pulse: Pulse, reactor: Reactor, qtbot: QtBot) -> Iterator[Live]:
    yield from start(rig.server, jobs, pulse, reactor, qtbot)


def test_the_life_of_a_container_is_followed(rig: Rig, live: Live) -> None:
    changes: list[tuple[set[str], set[str]]] = []
    live.session.containers_changed.connect(lambda new, gone: changes.append((new, gone)))
    name = rig.name()
    live.do(lambda: rig.run("sh", "-c", LOOP, name=name))
    live.until(lambda: live.state(name) == "running")
    found = live.named(name)
    assert found is not None
    live.do(lambda: rig.backend.pause(found.id))
    live.until(lambda: live.state(name) == "paused")
    live.do(lambda: rig.backend.unpause(found.id))
    live.until(lambda: live.state(name) == "running")
    other = rig.name()
    live.do(lambda: rig.backend.rename(found.id, other))
    live.until(lambda: live.state(other) == "running")
    live.do(lambda: rig.backend.kill(found.id))
    live.until(lambda: live.state(other) == "exited")
    killed = live.named(other)
    assert killed is not None
    assert killed.exit_code == 137
    changes.clear()
    live.do(lambda: rig.backend.remove(found.id, force=True))
    live.until(lambda: live.named(other) is None)
    assert any(found.id in gone for _new, gone in changes)


def test_images_and_volumes_know_who_uses_them(rig: Rig, live: Live) -> None:
    session = live.session
    for kind in ("images", "volumes", "networks"):
        session.want(kind)
    live.until(lambda: all(session.loaded(k) for k in ("images", "volumes", "networks")))
    volume = rig.name()
    name = rig.name()
    live.do(lambda: rig.run("sh", "-c", LOOP, name=name, volumes=(f"{volume}:/data",)))
    live.until(lambda: volume in session.volumes)
    live.until(lambda: name in session.volumes[volume].used_by)
    live.until(lambda: any(name in image.used_by for image in session.images.values()))
    found = live.named(name)
    assert found is not None
    live.do(lambda: rig.backend.remove(found.id, force=True))
    live.until(lambda: name not in session.volumes[volume].used_by)
    assert not any(name in image.used_by for image in session.images.values())
    live.do(lambda: rig.backend.remove_volume(volume))
    live.until(lambda: volume not in session.volumes)


def test_tags_and_networks_come_and_go(rig: Rig, live: Live) -> None:
    session = live.session
    session.want("images")
    session.want("networks")
    live.until(lambda: session.loaded("images") and session.loaded("networks"))
    tag = f"{rig.name()}:1"
    live.do(lambda: rig.backend.tag(rig.image, tag))

    def tagged() -> bool:
        return any(t.endswith(tag) for image in session.images.values() for t in image.tags)

    live.until(tagged)
    live.do(lambda: rig.backend.remove_image(tag))
    live.until(lambda: not tagged())
    network = rig.name()
    live.do(lambda: rig.backend.create_network(NetworkSpec(network)))
    # Podman tells nothing of networks: it is read when it is shown again, and after what the user did.
    session.want("networks")
    live.until(lambda: any(item.name == network for item in session.networks.values()))
    live.do(lambda: rig.backend.remove_network(network))
    session.read_back([ResourceRef("network", network)])
    live.until(lambda: not any(item.name == network for item in session.networks.values()))


def test_figures_come_and_survive_a_restart(rig: Rig, live: Live) -> None:
    name = rig.name()
    live.do(lambda: rig.run("sh", "-c", LOOP, name=name))
    live.until(lambda: live.state(name) == "running")
    found = live.named(name)
    assert found is not None
    live.feed.watch({found.id})
    live.until(lambda: live.feed.latest(found.id) is not None)
    history = live.feed.history(found.id)
    assert history is not None
    assert history.memory.last
    live.do(lambda: rig.backend.stop(found.id, timeout=1))
    live.until(lambda: live.state(name) == "exited")
    assert live.feed.latest(found.id) is None
    kept = len(history.cpu)
    live.do(lambda: rig.backend.start(found.id))
    live.until(lambda: len(history.cpu) > kept)
    assert live.feed.latest(found.id) is not None


@pytest.fixture
def own_live(
    own_dockerd: Dockerd, jobs: Jobs, pulse: Pulse, reactor: Reactor, qtbot: QtBot
) -> Iterator[Live]:
    yield from start(own_dockerd, jobs, pulse, reactor, qtbot)


@pytest.mark.engine
def test_it_is_found_again_after_the_daemon_was_killed(
    own_dockerd: Dockerd, own_live: Live
) -> None:
    live, name = own_live, "stays"
    spec = ContainerSpec(BUSYBOX, name=name, command=("sleep", "1000"), stop_timeout=0)
    live.do(lambda: live.opened[0].run_container(spec, SilentWork()))
    live.until(lambda: live.state(name) == "running")
    live.do(own_dockerd.kill)
    live.until(lambda: live.session.state is SessionState.LOST)
    assert live.session.error is not None
    assert live.named(name) is not None
    live.do(own_dockerd.start)
    live.until(lambda: live.session.state is SessionState.CONNECTED)
    live.until(lambda: live.state(name) in {"exited", "running"})
    assert live.session.engine is live.opened[-1]
    assert len(live.opened) > 1
