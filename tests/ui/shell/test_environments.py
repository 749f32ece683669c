"""Which environment is taken at the start, and what happens where it does not answer."""

from __future__ import annotations

from typing import Any

from dockdesk.bridge.engine_session import SessionState
from dockdesk.core import preferences
from dockdesk.core.environments import Guard
from dockdesk.core.errors import PermissionDeniedError, UnreachableError
from dockdesk.core.work import Work
from dockdesk.ui.shell.environments import Environments, FoundEnvironment
from tests.fakes import FakeEngine
from tests.ui.rig import Rig
from tests.ui.shell.conftest import LOCAL, PODMAN, PROD


def dead(error: Exception) -> Any:
    def open(work: Work) -> Any:
        raise error

    return open


GONE = UnreachableError("No engine answers", "no socket", "Start it.")


class Bench:
    def __init__(self, rig: Rig, *found: FoundEnvironment) -> None:
        self.rig = rig
        self.found = list(found)
        self.environments = Environments(
            rig.jobs, rig.session, rig.settings, lambda: list(self.found)
        )

    def begin(self) -> None:
        self.environments.find()
        self.rig.until(lambda: not self.environments.searching)

    @property
    def connected(self) -> str:
        session = self.rig.session
        there = session.state is SessionState.CONNECTED and session.environment is not None
        return session.environment.name if there and session.environment is not None else ""


def answers(where: Any, **options: Any) -> FoundEnvironment:
    return FoundEnvironment(where, lambda _work: FakeEngine(), **options)


def test_takes_the_current_one(rig: Rig) -> None:
    bench = Bench(rig, answers(PROD), answers(LOCAL, current=True))
    bench.begin()
    assert bench.connected == "default"
    assert rig.settings.get(preferences.LAST_ENVIRONMENT) == LOCAL.id


def test_takes_the_last_one_used(rig: Rig) -> None:
    rig.settings.set(preferences.LAST_ENVIRONMENT, PODMAN.id)
    bench = Bench(rig, answers(LOCAL, current=True), answers(PODMAN))
    bench.begin()
    assert bench.connected == "podman"


def test_tries_the_other_engines_of_this_computer_but_no_remote_one(rig: Rig) -> None:
    tried: list[str] = []

    def remote(work: Work) -> Any:
        tried.append("prod")
        return FakeEngine()

    bench = Bench(
        rig,
        FoundEnvironment(LOCAL, dead(GONE), current=True),
        FoundEnvironment(PROD, remote),
        answers(PODMAN),
    )
    bench.begin()
    assert bench.connected == "podman"
    assert tried == []


def test_says_of_each_why_and_waits_for_the_wanted_one(rig: Rig) -> None:
    denied = PermissionDeniedError("Not allowed", "root only", "Join the group.")
    alive: list[bool] = []

    def open_local(work: Work) -> Any:
        if not alive:
            raise GONE
        return FakeEngine()

    bench = Bench(
        rig,
        FoundEnvironment(LOCAL, open_local, current=True),
        FoundEnvironment(PODMAN, dead(denied)),
    )
    bench.begin()
    rig.until(lambda: len(bench.environments.attempts) == 2)
    assert [a.environment.name for a in bench.environments.attempts] == ["default", "podman"]
    assert bench.environments.attempts[1].error is denied
    rig.until(lambda: rig.session.environment == LOCAL)
    alive.append(True)  # somebody starts it: it is found without being asked
    rig.until(lambda: bench.connected == "default")
    assert bench.environments.attempts == []


def test_a_broken_context_says_so(rig: Rig) -> None:
    bench = Bench(rig, FoundEnvironment(LOCAL, dead(GONE), problem="Its file is broken."))
    bench.begin()
    rig.until(lambda: bench.environments.attempts)
    assert bench.environments.attempts[0].error.detail == "Its file is broken."
    assert rig.session.state is SessionState.FAILED


def test_nothing_at_all_is_no_failure(rig: Rig) -> None:
    bench = Bench(rig)
    bench.begin()
    rig.settle()
    assert bench.environments.attempts == []
    assert rig.session.environment is None


def test_marks_are_kept_and_hold_at_once(rig: Rig) -> None:
    bench = Bench(rig, answers(LOCAL, current=True))
    bench.begin()
    told: list[int] = []
    bench.environments.changed.connect(lambda: told.append(1))
    bench.environments.mark(LOCAL.marked("violet", Guard.READ_ONLY))
    assert rig.session.environment is not None
    assert rig.session.environment.guard is Guard.READ_ONLY
    assert bench.environments.environments[0].colour == "violet"
    assert told


def test_switching_leaves_the_other(rig: Rig) -> None:
    bench = Bench(rig, answers(LOCAL, current=True), answers(PROD))
    bench.begin()
    bench.environments.switch(PROD)
    rig.until(lambda: bench.connected == "prod")
    assert rig.settings.get(preferences.LAST_ENVIRONMENT) == PROD.id


def test_looking_that_fails_ends_the_search(rig: Rig, expect_log: Any) -> None:
    expect_log("could not be looked for")

    def fails() -> Any:
        raise GONE

    environments = Environments(rig.jobs, rig.session, rig.settings, fails)
    told: list[object] = []
    environments.failed.connect(told.append)
    environments.find()
    rig.until(lambda: told)
    assert told == [GONE]
    assert not environments.searching


def test_looking_again_does_not_disturb_a_connection(rig: Rig) -> None:
    bench = Bench(rig, answers(LOCAL, current=True))
    bench.begin()
    engine = rig.session.engine
    bench.found.append(answers(PODMAN))
    bench.begin()
    assert rig.session.engine is engine
    assert [e.name for e in bench.environments.environments] == ["default", "podman"]
