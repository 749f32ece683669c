"""Figures for what is visible: which streams run when, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from dockdesk.bridge import stats_feed
from dockdesk.bridge.engine_session import EngineSession, SessionState
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.stats_feed import StatsFeed
from dockdesk.bridge.streams import Pulse
from dockdesk.core.environments import Environment
from dockdesk.core.errors import NotFoundError, RemoteError, UnreachableError
from tests.fakes import FakeEngine

TIMEOUT = 10_000
HERE = Environment("docker:default", "docker", "default", "unix:///run/docker.sock")


class Stage:
    """A session on a fake engine with a feed on it."""

    def __init__(self, jobs: Jobs, pulse: Pulse, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.engine = FakeEngine()
        self.session = EngineSession(jobs, pulse, first_retry=0.02, longest_retry=0.05)
        self.feed = StatsFeed(self.session, jobs, settle_ms=10, linger_s=0.05, first_retry=0.02)
        self.sampled: list[set[str]] = []
        self.feed.sampled.connect(self.sampled.append)
        self.session.connect_to(HERE, lambda _work: self.engine)
        self.until(lambda: self.session.state is SessionState.CONNECTED)
        running = [c.id for c in self.session.containers.values() if c.state == "running"]
        self.a, self.b, self.c = running[:3]

    def until(self, condition: object) -> None:
        self.qtbot.waitUntil(condition, timeout=TIMEOUT)

    def open(self) -> set[str]:
        """Ids whose stream is open on the engine's side."""
        return {id for id, streams in self.engine._stats_streams.items() if streams}

    def opened(self, id: str) -> int:
        return sum(1 for call in self.engine.calls if call == ("stats", id))

    def hear(self, id: str, samples: int = 1) -> None:
        """Let time go by until so many samples of ``id`` are there."""
        history = self.feed.history(id)
        assert history is not None
        wanted = len(history.cpu) + samples

        def heard() -> bool:
            self.engine.tick()
            return len(history.cpu) >= wanted

        self.until(heard)


@pytest.fixture
def stage(jobs: Jobs, pulse: Pulse, qtbot: QtBot) -> Iterator[Stage]:
    made = Stage(jobs, pulse, qtbot)
    yield made
    made.feed.close()
    made.session.close()
    qtbot.waitUntil(lambda: not jobs.busy(), timeout=TIMEOUT)
    assert made.engine.stats_streams == 0


def test_only_what_is_visible_and_runs_is_followed(stage: Stage) -> None:
    stopped = next(c.id for c in stage.session.containers.values() if not c.running)
    stage.feed.watch({stage.a, stage.b, stopped, "no such container"})
    stage.until(lambda: stage.open() == {stage.a, stage.b})
    assert stage.feed.streams == 2
    stage.hear(stage.a, 3)
    history = stage.feed.history(stage.a)
    assert history is not None
    assert history.latest is not None
    assert stage.feed.latest(stage.a) == history.latest
    assert history.cpu.last == history.latest.cpu
    assert history.memory.last == history.latest.memory
    assert history.pids.last == history.latest.pids
    assert set().union(*stage.sampled) == {stage.a, stage.b}
    assert stage.feed.history(stage.c) is None
    assert stage.feed.latest(stage.c) is None


def test_streams_end_after_a_while_out_of_view_and_histories_stay(stage: Stage) -> None:
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.open() == {stage.a})
    stage.hear(stage.a, 2)
    stage.feed.watch({stage.b})
    stage.until(lambda: stage.open() == {stage.b})
    history = stage.feed.history(stage.a)
    assert history is not None
    kept = len(history.cpu)
    assert kept >= 2
    stage.feed.watch({stage.a, stage.b})
    stage.until(lambda: stage.open() == {stage.a, stage.b})
    stage.hear(stage.a)
    assert stage.feed.history(stage.a) is history
    assert len(history.cpu) > kept


def test_scrolling_back_keeps_the_stream(stage: Stage) -> None:
    stage.feed._linger = 3_600
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.open() == {stage.a})
    stage.feed.watch({stage.b})
    stage.until(lambda: stage.b in stage.open())
    stage.feed.watch({stage.a})
    stage.qtbot.wait(50)
    assert stage.opened(stage.a) == 1


def test_scrolling_past_begins_nothing(stage: Stage) -> None:
    for _ in range(20):
        stage.feed.watch({stage.a})
        stage.feed.watch({stage.b})
    stage.feed.watch({stage.c})
    stage.until(lambda: stage.open() == {stage.c})
    assert stage.opened(stage.a) == stage.opened(stage.b) == 0


def test_a_pinned_container_is_followed_out_of_view(stage: Stage) -> None:
    stage.feed.pin(stage.a)
    stage.feed.pin(stage.a)
    stage.feed.watch({stage.b})
    stage.until(lambda: stage.open() == {stage.a, stage.b})
    stage.feed.unpin(stage.a)
    stage.feed.watch({stage.c})
    stage.until(lambda: stage.open() == {stage.a, stage.c})
    stage.feed.unpin(stage.a)
    stage.until(lambda: stage.open() == {stage.c})


def test_nothing_runs_while_the_window_is_hidden(stage: Stage) -> None:
    stage.feed.watch({stage.a, stage.b})
    stage.until(lambda: stage.open() == {stage.a, stage.b})
    stage.feed.set_active(False)
    assert stage.engine.stats_streams == 0
    stage.feed.watch({stage.c})
    stage.feed.pin(stage.a)
    stage.engine.stop(stage.b)
    stage.until(lambda: stage.session.containers[stage.b].state == "exited")
    assert stage.feed.streams == 0
    assert not stage.feed._timer.isActive()
    stage.feed.set_active(True)
    stage.until(lambda: stage.open() == {stage.a, stage.c})


def test_it_survives_a_restart_of_the_container(stage: Stage) -> None:
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.open() == {stage.a})
    stage.hear(stage.a, 2)
    stage.sampled.clear()
    stage.engine.stop(stage.a)
    stage.until(lambda: stage.open() == set())
    stage.until(lambda: stage.sampled == [{stage.a}])
    assert stage.feed.latest(stage.a) is None
    history = stage.feed.history(stage.a)
    assert history is not None
    assert len(history.cpu) >= 2
    stage.engine.start(stage.a)
    stage.until(lambda: stage.open() == {stage.a})
    stage.hear(stage.a)
    assert stage.feed.history(stage.a) is history
    assert stage.feed.latest(stage.a) is not None


def test_a_stream_that_ends_while_the_container_runs_is_begun_again(stage: Stage) -> None:
    """Podman ends it when the container restarts, which may be too quick to be seen as a change of state."""
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.open() == {stage.a})
    for error in (None, RemoteError("cut")):
        for stream in list(stage.engine._stats_streams[stage.a]):
            stream.end(error)
        assert stage.open() == set()
        stage.until(lambda: stage.open() == {stage.a})
    stage.hear(stage.a)


def test_an_end_among_too_many_samples_is_not_missed(stage: Stage) -> None:
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.open() == {stage.a})
    for stream in list(stage.engine._stats_streams[stage.a]):
        stream.end(None)
    stage.feed._feed.put([(stage.feed._streams[stage.a], stage.engine._sample(stage.a))] * 30_000)
    stage.until(lambda: stage.open() == {stage.a})


def test_a_stream_that_can_not_be_opened_is_tried_again(stage: Stage) -> None:
    stage.engine.faults["stats"] = RemoteError("The engine failed")
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.opened(stage.a) >= 3)
    stage.engine.faults.clear()
    stage.until(lambda: stage.open() == {stage.a})


def test_a_container_that_vanished_is_not_tried_for_ever(stage: Stage) -> None:
    stage.engine.faults["stats"] = NotFoundError("No such container")
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.opened(stage.a) >= 1)
    stage.engine.remove(stage.a, force=True)
    stage.until(lambda: stage.a not in stage.session.containers)
    stage.until(lambda: stage.feed.streams == 0)
    tried = stage.opened(stage.a)
    stage.qtbot.wait(100)
    assert stage.opened(stage.a) == tried
    assert stage.feed.history(stage.a) is None


def test_it_survives_a_restart_of_the_engine(stage: Stage) -> None:
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.open() == {stage.a})
    stage.hear(stage.a)
    history = stage.feed.history(stage.a)
    stage.engine.drop(UnreachableError("The connection broke"))
    stage.until(lambda: stage.session.state is SessionState.LOST)
    assert stage.feed.streams == 0
    stage.until(lambda: stage.session.state is SessionState.CONNECTED)
    stage.until(lambda: stage.open() == {stage.a})
    stage.hear(stage.a)
    assert stage.feed.history(stage.a) is history


def test_another_environment_has_no_old_histories(stage: Stage) -> None:
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.open() == {stage.a})
    stage.hear(stage.a)
    stage.session.disconnect()
    assert stage.feed.history(stage.a) is None
    assert stage.engine.stats_streams == 0


def test_a_stream_that_opens_too_late_is_ended(stage: Stage) -> None:
    with stage.engine.pause_on("stats"):
        stage.feed.watch({stage.a})
        stage.until(lambda: stage.opened(stage.a) == 1)
        stage.feed.set_active(False)
    stage.until(lambda: not stage.feed._jobs.busy())
    assert stage.engine.stats_streams == 0


def test_histories_are_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats_feed, "_HISTORIES", 5)
    row = stage.session.containers[stage.a]
    ids = [f"{number:064x}" for number in range(12)]
    for id in ids:
        stage.engine.put_container(replace(row, id=id, name=id[-4:]), "create")
    stage.until(lambda: ids[-1] in stage.session.containers)
    for id in ids:
        stage.feed.watch({id})
        stage.until(lambda id=id: stage.open() == {id})
    assert len(stage.feed._histories) <= 6
    assert stage.feed.history(ids[-1]) is not None
    assert stage.feed.history(ids[0]) is None


def test_ten_minutes_are_kept(stage: Stage) -> None:
    stage.feed.watch({stage.a})
    stage.until(lambda: stage.open() == {stage.a})
    history = stage.feed.history(stage.a)
    assert history is not None
    stage.engine.tick(2_000)
    stage.until(lambda: len(history.cpu.values) == 600)
    assert history.cpu.times[-1] - history.cpu.times[0] == 599
