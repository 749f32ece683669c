from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.environments import Guard
from dockdesk.ui.actions.audit import AuditLog
from dockdesk.ui.actions.runner import ActionRunner
from tests.fakes import FakeEngine
from tests.ui.doubles import (
    FakeConnection,
    MemoryArchive,
    RecordingNotices,
    ScriptedAsker,
    environment,
)


@dataclass
class Bench:
    """A runner with everything around it."""

    engine: FakeEngine
    session: FakeConnection
    notices: RecordingNotices
    asker: ScriptedAsker
    archive: MemoryArchive
    audit: AuditLog
    jobs: Jobs
    runner: ActionRunner
    wait: Callable[[], None]


@pytest.fixture
def bench(jobs: Jobs, qtbot: Any) -> Iterator[Bench]:
    engine = FakeEngine()
    session = FakeConnection(environment(Guard.NORMAL), engine, engine.capabilities)
    notices, asker, archive = RecordingNotices(), ScriptedAsker(), MemoryArchive()
    audit = AuditLog(jobs, archive)
    runner = ActionRunner(jobs, session, audit, notices, asker)

    def wait() -> None:
        qtbot.waitUntil(lambda: not jobs.busy(), timeout=10_000)

    yield Bench(engine, session, notices, asker, archive, audit, jobs, runner, wait)
    jobs.close(10_000)
