"""A UiContext on the fake engine: the session, the feed and the runner are the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dockdesk.bridge.builds import BuildRuns
from dockdesk.bridge.engine_session import EngineSession, SessionState
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.stats_feed import StatsFeed
from dockdesk.bridge.streams import Pulse
from dockdesk.core.environments import Environment
from dockdesk.core.settings import Settings
from dockdesk.ui.actions.audit import AuditLog
from dockdesk.ui.actions.runner import ActionRunner
from dockdesk.ui.context import UiContext
from dockdesk.ui.theme import Theme
from tests.fakes import FakeEngine
from tests.ui.doubles import (
    MemoryArchive,
    RecordingNavigator,
    RecordingNotices,
    ScriptedAsker,
    environment,
)


@dataclass
class Rig:
    """Everything a pane needs, and what it did. Use the ``rig`` fixture."""

    theme: Theme
    jobs: Jobs
    pulse: Pulse
    qtbot: Any
    engine: FakeEngine = field(default_factory=FakeEngine)
    notices: RecordingNotices = field(default_factory=RecordingNotices)
    asker: ScriptedAsker = field(default_factory=ScriptedAsker)
    navigator: RecordingNavigator = field(default_factory=RecordingNavigator)
    archive: MemoryArchive = field(default_factory=MemoryArchive)

    def __post_init__(self) -> None:
        self.settings = Settings()
        self.session = EngineSession(
            self.jobs, self.pulse, first_retry=0.05, longest_retry=0.2, debounce_ms=5
        )
        self.stats = StatsFeed(self.session, self.jobs, self.pulse, settle_ms=5, linger_s=0.05)
        self.audit = AuditLog(self.jobs, self.archive)
        self.builds = BuildRuns(self.jobs, self.pulse)
        self.runner = ActionRunner(self.jobs, self.session, self.audit, self.notices, self.asker)
        self.context = UiContext(
            theme=self.theme,
            jobs=self.jobs,
            pulse=self.pulse,
            session=self.session,
            stats=self.stats,
            runner=self.runner,
            navigator=self.navigator,
            notices=self.notices,
            settings=self.settings,
            audit=self.audit,
            builds=self.builds,
        )

    def connect(self, where: Environment | None = None) -> None:
        """Connect to the fake engine and wait until its containers are here."""
        self.session.connect_to(where or environment(), lambda _work: self.engine)
        self.until(lambda: self.session.state is SessionState.CONNECTED)

    def until(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=10_000)

    def settle(self) -> None:
        """Wait until no job runs."""
        self.until(lambda: not self.jobs.busy())

    def close(self) -> None:
        self.stats.close()
        self.session.close()
