"""What the window joins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dockdesk.bridge.builds import BuildRuns
from dockdesk.bridge.engine_session import EngineSession
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.stats_feed import StatsFeed
from dockdesk.bridge.streams import Pulse
from dockdesk.core.records import dataclass
from dockdesk.core.settings import Settings
from dockdesk.core.simulation import DirectsSimulation
from dockdesk.ui.actions.audit import AuditLog
from dockdesk.ui.panes.registry import PaneEntry
from dockdesk.ui.shell.environments import Environments
from dockdesk.ui.theme import Theme


@dataclass(frozen=True, slots=True)
class WindowParts:
    """All are made and ended by app.py.

    ``log_path`` is where failures go; ``simulation`` directs the sandbox, ``data`` is where what panes keep goes.
    """

    theme: Theme
    jobs: Jobs
    pulse: Pulse
    session: EngineSession
    stats: StatsFeed
    settings: Settings
    audit: AuditLog
    builds: BuildRuns
    environments: Environments
    entries: Sequence[PaneEntry]
    log_path: Path
    simulation: DirectsSimulation | None = None
    data: Path | None = None
