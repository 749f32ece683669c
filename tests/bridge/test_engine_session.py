"""The session: connected, current, lost, found again, and gone without a trace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from dockdesk.bridge.engine_session import EngineSession, SessionState
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import Pulse
from dockdesk.core.environments import Environment, Guard
from dockdesk.core.errors import (
    DockDeskError,
    LocalError,
    NotFoundError,
    PermissionDeniedError,
    RemoteError,
    UnreachableError,
)
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.engine import EngineEvent, EngineInfo
from dockdesk.core.work import Work
from tests.fakes import FakeEngine

TIMEOUT = 10_000
HERE = Environment("docker:default", "docker", "default", "unix:///run/docker.sock")
THERE = Environment("docker:staging", "docker", "staging", "tcp://staging:2376")


class World:
    """An engine that can be started and stopped, the session on it, and what the session said."""

    def __init__(self, jobs: Jobs, pulse: Pulse) -> None:
        self.engines = [FakeEngine()]
        self.opened = 0
        self.fault: DockDeskError | None = None
        self.session = EngineSession(jobs, pulse, first_retry=0.02, longest_retry=0.05)
        self.states: list[SessionState] = []
        self.changes: list[tuple[set[str], set[str]]] = []
        self.told: list[str] = []
        self.events: list[EngineEvent] = []
        session = self.session
        session.state_changed.connect(self.states.append)
        session.containers_changed.connect(lambda new, gone: self.changes.append((new, gone)))
        session.images_changed.connect(lambda: self.told.append("images"))
        session.volumes_changed.connect(lambda: self.told.append("volumes"))
        session.networks_changed.connect(lambda: self.told.append("networks"))
        session.event_arrived.connect(self.events.append)

    @property
    def engine(self) -> FakeEngine:
        return self.engines[-1]

    def open(self, _work: Work) -> Any:
        self.opened += 1
        if self.fault is not None:
            raise self.fault
        return self.engine

    def connect(self, qtbot: QtBot, environment: Environment = HERE) -> None:
        self.session.connect_to(environment, self.open)
        self.wait_for(qtbot, SessionState.CONNECTED)
        qtbot.waitUntil(lambda: self.session.info is not None, timeout=TIMEOUT)

    def wait_for(self, qtbot: QtBot, state: SessionState) -> None:
        qtbot.waitUntil(lambda: self.session.state is state, timeout=TIMEOUT)

    def restart_engine(self, error: DockDeskError | None = None) -> None:
        """The daemon dies, and a new one with the same containers takes its place."""
        old, new = self.engine, FakeEngine()
        new._containers = dict(old._containers)
        self.engines.append(new)
        old.drop(error or UnreachableError("The connection broke"))

    def calls(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.engine.calls if call[0] == name]

    def id_of(self, name: str) -> str:
        return next(c.id for c in self.session.containers.values() if c.name == name)

    def names(self) -> set[str]:
        return {item.name for item in self.session.containers.values()}


@pytest.fixture
def world(jobs: Jobs, pulse: Pulse, qtbot: QtBot) -> Iterator[World]:
    made = World(jobs, pulse)
    yield made
    made.session.close()
    qtbot.waitUntil(lambda: not jobs.busy(), timeout=TIMEOUT)
    assert all(
        not engine._event_streams and (engine.closed or not engine.calls) for engine in made.engines
    ), "an engine or its events were left open"


def test_it_connects_lists_once_and_says_who_answers(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    session = world.session
    assert world.states == [SessionState.CONNECTING, SessionState.CONNECTED]
    assert session.loaded("containers")
    assert session.engine is world.engine
    assert session.backend is world.engine
    assert session.capabilities == world.engine.capabilities
    assert session.info is not None
    assert session.info.product == "Docker Engine"
    assert len(session.containers) == 12
    assert world.changes == [(set(session.containers), set())]
    assert world.calls("containers") == [((),)]
    assert world.calls("images") == []


def test_events_begin_before_the_list(world: World, qtbot: QtBot) -> None:
    """Otherwise a change between the two would never be seen."""
    world.connect(qtbot)
    names = [call[0] for call in world.engine.calls]
    assert names.index("events") < names.index("containers")


def test_a_change_costs_one_small_call(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.changes.clear()
    world.engine.calls.clear()
    web, db = world.id_of("redis"), world.id_of("postgres")
    world.engine.stop(web)
    world.engine.stop(db)
    world.engine.emit("container", "exec_create: /bin/sh -c true", web)
    qtbot.waitUntil(lambda: len(world.changes) == 1, timeout=TIMEOUT)
    assert world.changes == [({web, db}, set())]
    assert world.session.containers[web].state == "exited"
    (asked,) = world.calls("containers")
    assert set(asked[0]) == {web, db}


def test_a_health_check_costs_no_call(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.engine.calls.clear()
    web = world.id_of("redis")
    for action in ("exec_create: curl", "exec_start: curl", "exec_die"):
        world.engine.emit("container", action, web)
    qtbot.waitUntil(lambda: len(world.events) == 3, timeout=TIMEOUT)
    qtbot.wait(150)
    assert world.calls("containers") == []


def test_a_removed_container_leaves_without_a_call(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.changes.clear()
    web = world.id_of("redis")
    world.engine.remove(web, force=True)
    qtbot.waitUntil(lambda: bool(world.changes), timeout=TIMEOUT)
    assert world.changes[0] == (set(), {web})
    assert web not in world.session.containers


def test_a_container_removed_while_it_is_read_does_not_come_back(
    world: World, qtbot: QtBot
) -> None:
    world.connect(qtbot)
    web = world.id_of("redis")
    row = world.session.containers[web]
    world.changes.clear()
    with world.engine.pause_on("containers"):
        world.engine.put_container(replace(row, status="Up 9 hours"))
        qtbot.waitUntil(lambda: len(world.calls("containers")) == 2, timeout=TIMEOUT)
        # The answer that is under way still holds it.
        world.engine.emit("container", "destroy", web)
        qtbot.waitUntil(lambda: web not in world.session.containers, timeout=TIMEOUT)
    world.engine.start(world.id_of("postgres"))
    qtbot.waitUntil(lambda: len(world.calls("containers")) == 3, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: world.changes[-1][0] == {world.id_of("postgres")}, timeout=TIMEOUT)
    assert web not in world.session.containers
    assert world.changes[0] == (set(), {web})


def test_a_change_during_the_first_list_is_not_lost(world: World, qtbot: QtBot) -> None:
    web = next(c for c in world.engine.containers() if c.name == "redis")
    with world.engine.pause_on("containers"):
        world.session.connect_to(HERE, world.open)
        qtbot.waitUntil(lambda: bool(world.engine._event_streams), timeout=TIMEOUT)
        world.engine.emit("container", "update", web.id)
        qtbot.waitUntil(lambda: bool(world.events), timeout=TIMEOUT)
    world.wait_for(qtbot, SessionState.CONNECTED)
    qtbot.waitUntil(lambda: ((web.id,),) in world.calls("containers"), timeout=TIMEOUT)


def test_many_changes_are_asked_in_pieces_and_very_many_at_once(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.engine.calls.clear()
    for number in range(200):
        world.engine.emit("container", "update", f"{number:064x}")
    qtbot.waitUntil(lambda: len(world.calls("containers")) == 3, timeout=TIMEOUT)
    assert [len(call[0]) for call in world.calls("containers")] == [80, 80, 40]
    world.engine.calls.clear()
    for number in range(1_000):
        world.engine.emit("container", "update", f"{number:064x}")
    qtbot.waitUntil(lambda: ((),) in world.calls("containers"), timeout=TIMEOUT)
    assert len(world.session.containers) == 12


def test_lists_are_read_when_wanted_and_kept_current(world: World, qtbot: QtBot) -> None:
    world.session.want("images")
    world.connect(qtbot)
    session = world.session
    qtbot.waitUntil(lambda: session.loaded("images"), timeout=TIMEOUT)
    assert not session.loaded("volumes")
    assert world.calls("volumes") == []
    session.want("volumes")
    session.want("networks")
    session.want("images")
    qtbot.waitUntil(
        lambda: session.loaded("volumes") and session.loaded("networks"), timeout=TIMEOUT
    )
    assert set(world.told) == {"images", "volumes", "networks"}
    assert len(world.calls("images")) == 1
    world.engine.tag(next(iter(session.images)), "shop/new:1")
    qtbot.waitUntil(
        lambda: any("shop/new:1" in image.tags for image in session.images.values()),
        timeout=TIMEOUT,
    )
    assert len(world.calls("images")) == 2


def test_a_list_asked_for_as_the_engine_comes_is_read_once(world: World, qtbot: QtBot) -> None:
    session = world.session

    def ask(state: SessionState) -> None:
        if state is SessionState.CONNECTED:
            session.want("images")

    session.state_changed.connect(ask)
    session.want("images")
    world.connect(qtbot)
    qtbot.waitUntil(lambda: session.loaded("images"), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: not session._lists._timer.isActive(), timeout=TIMEOUT)
    assert len(world.calls("images")) == 1


def test_users_of_images_follow_containers_without_a_listing(world: World, qtbot: QtBot) -> None:
    world.session.want("images")
    world.session.want("volumes")
    world.connect(qtbot)
    session = world.session
    qtbot.waitUntil(lambda: session.loaded("images") and session.loaded("volumes"), timeout=TIMEOUT)
    web = session.containers[world.id_of("postgres")]
    image = next(i for i in session.images.values() if i.id == web.image_id)
    new = replace(web, id="f" * 64, name="postgres-2")
    world.engine.put_container(new, "create")
    qtbot.waitUntil(lambda: "postgres-2" in session.images[image.id].used_by, timeout=TIMEOUT)
    volume = web.mounts[0].name
    assert "postgres-2" in session.volumes[volume].used_by
    world.engine.remove(new.id, force=True)
    qtbot.waitUntil(lambda: "postgres-2" not in session.images[image.id].used_by, timeout=TIMEOUT)
    assert "postgres-2" not in session.volumes[volume].used_by
    assert len(world.calls("images")) == 1
    assert len(world.calls("volumes")) == 1


def test_a_change_while_a_list_is_read_has_it_read_again(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    with world.engine.pause_on("images"):
        world.session.want("images")
        qtbot.waitUntil(lambda: len(world.calls("images")) == 1, timeout=TIMEOUT)
        world.engine.emit("image", "pull", "shop/web:2")
        qtbot.waitUntil(lambda: bool(world.events), timeout=TIMEOUT)
        qtbot.wait(150)
        assert len(world.calls("images")) == 1
    qtbot.waitUntil(lambda: len(world.calls("images")) == 2, timeout=TIMEOUT)


def test_it_heals_when_the_engine_restarts(world: World, qtbot: QtBot) -> None:
    world.session.want("images")
    world.connect(qtbot)
    qtbot.waitUntil(lambda: world.session.loaded("images"), timeout=TIMEOUT)
    web = world.id_of("redis")
    world.changes.clear()
    world.states.clear()
    world.fault = UnreachableError("Nothing listens")
    first = world.engine
    world.restart_engine()
    world.wait_for(qtbot, SessionState.LOST)
    assert world.session.engine is None
    assert web in world.session.containers, "what was seen last stays while it is away"
    assert isinstance(world.session.error, UnreachableError)
    qtbot.waitUntil(lambda: world.opened >= 4, timeout=TIMEOUT)
    assert set(world.states) == {SessionState.LOST}
    del world.engine._containers[web]
    changed = replace(world.engine._containers[world.id_of("postgres")], status="Up 1 second")
    world.engine._containers[changed.id] = changed
    world.fault = None
    world.wait_for(qtbot, SessionState.CONNECTED)
    assert world.session.retry_at is None
    assert world.session.error is None
    assert world.changes == [({changed.id}, {web})]
    assert first.closed
    assert world.session.engine is world.engine
    qtbot.waitUntil(lambda: len(world.calls("images")) == 1, timeout=TIMEOUT)


def test_it_finds_an_engine_that_starts_later(world: World, qtbot: QtBot) -> None:
    world.fault = UnreachableError("No engine listens")
    world.session.connect_to(HERE, world.open)
    world.wait_for(qtbot, SessionState.LOST)
    qtbot.waitUntil(lambda: world.opened >= 3, timeout=TIMEOUT)
    world.fault = None
    world.wait_for(qtbot, SessionState.CONNECTED)


def test_losing_says_when_it_tries_again(world: World, qtbot: QtBot) -> None:
    session = world.session
    session._backoff._first = session._backoff._longest = 3_600
    world.fault = UnreachableError("No engine listens")
    session.connect_to(HERE, world.open)
    world.wait_for(qtbot, SessionState.LOST)
    assert session.retry_at is not None
    assert world.opened == 1
    world.fault = None
    session.reconnect()
    assert session.state is SessionState.CONNECTING
    world.wait_for(qtbot, SessionState.CONNECTED)
    assert world.opened == 2


@pytest.mark.parametrize("error", [PermissionDeniedError("Denied"), LocalError("No ssh")])
def test_what_time_does_not_heal_waits_for_the_user(
    world: World, qtbot: QtBot, error: DockDeskError
) -> None:
    world.fault = error
    world.session.connect_to(HERE, world.open)
    world.wait_for(qtbot, SessionState.FAILED)
    assert world.session.error is error
    assert world.session.retry_at is None
    assert world.opened == 1
    world.fault = None
    world.session.reconnect()
    world.wait_for(qtbot, SessionState.CONNECTED)


def test_a_socket_that_is_not_open_yet_after_a_restart_is_tried_again(
    world: World, qtbot: QtBot
) -> None:
    world.connect(qtbot)
    world.fault = PermissionDeniedError("Denied")
    opened = world.opened
    world.restart_engine()
    qtbot.waitUntil(lambda: world.opened > opened, timeout=TIMEOUT)
    world.fault = None
    world.wait_for(qtbot, SessionState.CONNECTED)
    world.fault = PermissionDeniedError("Denied")
    world.restart_engine()
    world.wait_for(qtbot, SessionState.FAILED)


def test_a_failing_first_list_is_tried_again(world: World, qtbot: QtBot) -> None:
    world.engine.faults["containers"] = RemoteError("The engine failed")
    world.session.connect_to(HERE, world.open)
    world.wait_for(qtbot, SessionState.LOST)
    world.engine.faults.clear()
    world.wait_for(qtbot, SessionState.CONNECTED)


def test_a_failing_list_is_told_and_the_connection_kept(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    failures: list[tuple[str, DockDeskError]] = []
    world.session.list_failed.connect(lambda kind, error: failures.append((kind, error)))
    error = RemoteError("The image store is damaged")
    world.engine.faults["images"] = error
    world.session.want("images")
    qtbot.waitUntil(lambda: failures == [("images", error)], timeout=TIMEOUT)
    assert world.session.state is SessionState.CONNECTED
    world.engine.faults.clear()
    world.session.refresh("images")
    qtbot.waitUntil(lambda: world.session.loaded("images"), timeout=TIMEOUT)


def test_a_read_back_that_trips_is_tried_again(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.changes.clear()
    world.engine.faults["containers"] = NotFoundError("No such container")
    web = world.id_of("redis")
    world.engine.stop(web)
    qtbot.waitUntil(lambda: len(world.calls("containers")) == 2, timeout=TIMEOUT)
    world.engine.faults.clear()
    qtbot.waitUntil(lambda: world.changes == [({web}, set())], timeout=TIMEOUT)


def test_a_call_that_finds_nobody_is_a_loss(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.engine.faults["networks"] = UnreachableError("The connection broke")
    world.session.want("networks")
    world.wait_for(qtbot, SessionState.LOST)
    world.engine.faults.clear()
    world.wait_for(qtbot, SessionState.CONNECTED)


def test_an_engine_that_does_not_say_who_it_is_can_be_used(world: World, qtbot: QtBot) -> None:
    world.engine.faults["info"] = RemoteError("The engine failed")
    world.session.connect_to(HERE, world.open)
    world.wait_for(qtbot, SessionState.CONNECTED)
    assert world.session.info is None
    assert len(world.session.containers) == 12


def test_refresh_reads_everything(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.changes.clear()
    web = world.id_of("redis")
    del world.engine._containers[web]
    world.session.refresh("containers")
    qtbot.waitUntil(lambda: world.changes == [(set(), {web})], timeout=TIMEOUT)


def test_what_an_action_changed_is_read_back(world: World, qtbot: QtBot) -> None:
    """Events tell of it too; but Podman, say, does not tell of new networks."""
    world.session.want("networks")
    world.connect(qtbot)
    qtbot.waitUntil(lambda: world.session.loaded("networks"), timeout=TIMEOUT)
    world.engine.calls.clear()
    web = world.id_of("redis")
    world.session.read_back(
        [
            ResourceRef("container", web),
            ResourceRef("container", "no longer there"),
            ResourceRef("network", "backend"),
            ResourceRef("image", "not wanted by anybody"),
            ResourceRef("file", "of another kind"),
        ]
    )
    qtbot.waitUntil(lambda: len(world.calls("networks")) == 1, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: world.calls("containers") == [((web,),)], timeout=TIMEOUT)
    assert world.calls("images") == []
    world.session.read_back([ResourceRef("container", "*")])
    qtbot.waitUntil(lambda: ((),) in world.calls("containers"), timeout=TIMEOUT)


def test_what_events_do_not_tell_is_read_when_it_is_shown(world: World, qtbot: QtBot) -> None:
    told = world.engine.info

    def as_podman() -> EngineInfo:
        return replace(told(), product="Podman")

    world.engine.info = as_podman  # type: ignore[method-assign]
    world.session.want("networks")
    world.session.want("images")
    world.connect(qtbot)
    qtbot.waitUntil(
        lambda: world.session.loaded("networks") and world.session.loaded("images"),
        timeout=TIMEOUT,
    )
    world.session.want("images")
    world.session.want("networks")
    qtbot.waitUntil(lambda: len(world.calls("networks")) == 2, timeout=TIMEOUT)
    assert len(world.calls("images")) == 1


def test_a_prune_reads_everything(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.engine.calls.clear()
    world.engine.emit("container", "prune", "")
    qtbot.waitUntil(lambda: world.calls("containers") == [((),)], timeout=TIMEOUT)


def test_missed_events_lead_to_a_whole_list(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.engine.calls.clear()
    world.session._on_events((), 5)
    qtbot.waitUntil(lambda: world.calls("containers") == [((),)], timeout=TIMEOUT)


def test_another_environment_begins_empty(world: World, qtbot: QtBot) -> None:
    world.session.want("images")
    world.connect(qtbot)
    qtbot.waitUntil(lambda: world.session.loaded("images"), timeout=TIMEOUT)
    old = set(world.session.containers)
    first = world.engine
    world.changes.clear()
    world.engines.append(FakeEngine())
    with world.engine.pause_on("containers"):
        world.session.connect_to(THERE, world.open)
        assert world.session.containers == {}
        assert world.session.images == {}
        assert world.session.info is None
        assert world.changes == [(set(), old)]
        qtbot.waitUntil(lambda: first.closed, timeout=TIMEOUT)
    world.wait_for(qtbot, SessionState.CONNECTED)
    assert world.session.environment == THERE
    assert len(world.session.containers) == 12
    assert world.session._heartbeat.isActive()


def test_events_of_the_engine_that_was_left_are_not_heard(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    first = world.engine
    web = world.id_of("redis")
    first.emit("container", "destroy", web)  # waits in the sink
    world.engines.append(FakeEngine())
    world.session.connect_to(THERE, world.open)
    world.wait_for(qtbot, SessionState.CONNECTED)
    qtbot.wait(50)
    assert web in world.session.containers
    assert world.events == []


def test_an_engine_that_opens_too_late_is_closed(world: World, qtbot: QtBot) -> None:
    """The user has moved on while a slow engine was being reached."""
    entered, go = threading.Event(), threading.Event()
    late = FakeEngine()

    def slow(_work: Work) -> Any:
        entered.set()
        assert go.wait(10)
        return late

    world.session.connect_to(THERE, slow)
    assert entered.wait(10)
    world.connect(qtbot)
    go.set()
    qtbot.waitUntil(lambda: late.closed, timeout=TIMEOUT)
    assert world.session.state is SessionState.CONNECTED
    assert world.session.engine is world.engine
    assert late.calls == []


def test_disconnect_forgets_and_closes(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.session.disconnect()
    assert world.session.state is SessionState.IDLE
    assert world.session.environment is None
    assert world.session.containers == {}
    assert not world.session.loaded("containers")
    qtbot.waitUntil(lambda: world.engine.closed, timeout=TIMEOUT)
    world.session.reconnect()
    assert world.session.state is SessionState.IDLE


def test_a_lost_session_can_be_left(world: World, qtbot: QtBot) -> None:
    world.fault = UnreachableError("No engine listens")
    world.session.connect_to(HERE, world.open)
    world.wait_for(qtbot, SessionState.LOST)
    world.session.disconnect()
    opened = world.opened
    qtbot.wait(150)
    assert world.opened == opened


def test_marks_change_without_a_new_connection(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    world.states.clear()
    marked = HERE.marked("red", Guard.READ_ONLY)
    world.session.remark(marked)
    world.session.remark(THERE)
    assert world.session.environment == marked
    assert world.states == [SessionState.CONNECTED]
    assert world.opened == 1


def test_a_silent_loss_over_a_network_is_noticed(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot, THERE)
    world.engine.faults["ping"] = UnreachableError("It does not answer")
    world.session._heartbeat.timeout.emit()
    world.wait_for(qtbot, SessionState.LOST)
    world.engine.faults.clear()
    world.wait_for(qtbot, SessionState.CONNECTED)


def test_a_local_engine_is_not_asked_whether_it_lives(world: World, qtbot: QtBot) -> None:
    world.connect(qtbot)
    assert not world.session._heartbeat.isActive()


def test_closing_the_program_closes_the_engine(qtbot: QtBot, pulse: Pulse) -> None:
    jobs = Jobs()
    world = World(jobs, pulse)
    world.connect(qtbot)
    world.session.close()
    assert jobs.close(TIMEOUT)
    assert world.engine.closed
    assert world.engine._event_streams == []


def test_closing_while_connecting_leaves_nothing(qtbot: QtBot, pulse: Pulse) -> None:
    jobs = Jobs()
    world = World(jobs, pulse)
    entered, go = threading.Event(), threading.Event()

    def slow(work: Work) -> Any:
        entered.set()
        with work.on_cancel(go.set):
            assert go.wait(10)
        return world.engine

    world.session.connect_to(HERE, slow)
    assert entered.wait(10)
    world.session.close()
    assert jobs.close(TIMEOUT)
    assert world.engine.closed


def test_five_thousand_containers(world: World, qtbot: QtBot) -> None:
    row = next(iter(world.engine._containers.values()))
    for number in range(5_000):
        id = f"{number:064x}"
        world.engine._containers[id] = replace(row, id=id, name=f"c{number}")
    world.connect(qtbot)
    assert len(world.session.containers) == 5_012
    world.changes.clear()
    for number in range(50):
        world.engine.stop(f"{number:064x}")
    qtbot.waitUntil(lambda: sum(len(new) for new, _gone in world.changes) == 50, timeout=TIMEOUT)
    assert len(world.calls("containers")) <= 1 + len(world.changes)
