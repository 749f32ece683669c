"""What every pane and dialog is given: one frozen bundle, so that nothing is reached through a global."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dockdesk.core.errors import DockDeskError
from dockdesk.core.records import dataclass
from dockdesk.core.refs import ResourceRef

if TYPE_CHECKING:
    from pathlib import Path

    from dockdesk.bridge.builds import BuildRuns
    from dockdesk.bridge.engine_session import EngineSession
    from dockdesk.bridge.jobs import Jobs
    from dockdesk.bridge.stats_feed import StatsFeed
    from dockdesk.bridge.streams import Pulse
    from dockdesk.core.columns import Tone
    from dockdesk.core.settings import Settings
    from dockdesk.ui.actions.audit import AuditLog
    from dockdesk.ui.actions.runner import ActionRunner
    from dockdesk.ui.theme import Theme


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """A button on a notice: its word and what it does."""

    title: str
    run: Callable[[], None]


class Navigator(Protocol):
    """Moves between panes, which never know each other."""

    def show_pane(self, pane_id: str) -> None:
        """Bring a pane forward and remember where the user came from."""

    def open(self, ref: ResourceRef) -> None:
        """Show a resource where it lives: its pane, with it chosen. Says so where it can't be found."""

    def trigger(self, action_id: str, rows: Sequence[Any] = ()) -> None:
        """Run an action of any pane, such as "container.run" from the images pane."""

    def show_activity(self) -> None:
        """Open the drawer with running and past jobs."""

    def show_settings(self, name: str = "") -> None:
        """Open the settings, at the setting called ``name`` where one is given."""


class Notices(Protocol):
    """Short messages over the window. All texts are plain."""

    def show(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        tone: Tone = "info",
        actions: Sequence[NoticeAction] = (),
    ) -> None:
        """Show a message; good and info ones leave by themselves, warn and bad ones stay until closed."""

    def failure(self, error: DockDeskError, actions: Sequence[NoticeAction] = ()) -> None:
        """Show what failed, why, and what to do. A CancelledError is not shown."""


@dataclass(frozen=True, slots=True)
class UiContext:
    """The program's parts as panes see them.

    ``session`` is the connected engine and what it lists, ``stats`` the live figures of what is visible, ``runner``
    carries out actions, ``navigator`` crosses between panes, ``audit`` is the command log, ``builds`` the builds of
    this window and their history. ``data`` is the user's folder for what must outlive the program, None where nothing
    does.
    """

    theme: Theme
    jobs: Jobs
    pulse: Pulse
    session: EngineSession
    stats: StatsFeed
    runner: ActionRunner
    navigator: Navigator
    notices: Notices
    settings: Settings
    audit: AuditLog
    builds: BuildRuns
    data: Path | None = None
