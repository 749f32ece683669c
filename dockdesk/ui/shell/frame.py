"""How the window's parts are placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.environments import Environment
from dockdesk.ui.panes.registry import PaneEntry
from dockdesk.ui.shell.banner import Banner
from dockdesk.ui.shell.nav_rail import NavRail
from dockdesk.ui.shell.status_bar import StatusBar
from dockdesk.ui.shell.top_bar import Stripe, TopBar
from dockdesk.ui.theme import Theme

if TYPE_CHECKING:
    from dockdesk.ui.shell.activity.drawer import ActivityDrawer
    from dockdesk.ui.shell.welcome import WelcomePage

COMPACT_BELOW = 1100  # pixels: the rail shows icons only, and words are left away


class Edge(QWidget):
    """A thin line where two surfaces meet."""

    def __init__(self, theme: Theme, vertical: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.colour("line"))


class Frame(QWidget):
    """A stripe in the environment's colour; rail | top bar, banner, panes | activity; the status bar below all.

    ``drawer_closed`` tells that the user has shut the activity drawer; ``retry_asked`` and ``connect_asked`` are the
    welcome page's.
    """

    drawer_closed = Signal()
    retry_asked = Signal()
    connect_asked = Signal(object)

    def __init__(
        self, theme: Theme, jobs: Jobs, entries: Sequence[PaneEntry], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.stripe = Stripe(theme)
        self.rail = NavRail(theme, entries)
        self.top = TopBar(theme)
        self.banner = Banner(theme)
        self.stack = QStackedWidget()
        self._theme = theme
        self._jobs = jobs
        self._drawer: ActivityDrawer | None = None
        self._welcome: WelcomePage | None = None
        self._drawer_edge = Edge(theme, vertical=True)
        self._drawer_edge.hide()
        self.status = StatusBar(theme)

        # Tab order follows the order of making and adding: rail, top bar, panes, drawer, status.
        middle = QVBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addWidget(self.top)
        middle.addWidget(Edge(theme, vertical=False))
        under = QVBoxLayout()
        under.setContentsMargins(20, 12, 20, 12)
        under.setSpacing(12)
        under.addWidget(self.banner)
        under.addWidget(self.stack, 1)
        middle.addLayout(under, 1)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(Edge(theme, vertical=True))
        row.addLayout(middle, 1)
        row.addWidget(self._drawer_edge)
        self._row = row
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.stripe)
        column.addLayout(row, 1)
        column.addWidget(Edge(theme, vertical=False))
        column.addWidget(self.status)
        self._folded: bool | None = None

    def set_environment(self, environment: Environment | None) -> None:
        self.stripe.set_environment(environment)
        self.top.environment.set_environment(environment)

    @property
    def welcome(self) -> WelcomePage:
        """The page for when there is no engine, made when it is first needed."""
        if self._welcome is None:
            from dockdesk.ui.shell.welcome import WelcomePage

            self._welcome = WelcomePage(self._theme)
            self._welcome.retry_asked.connect(self.retry_asked)
            self._welcome.connect_asked.connect(self.connect_asked)
            self.stack.addWidget(self._welcome)
        return self._welcome

    @property
    def drawer(self) -> ActivityDrawer:
        """The activity drawer, made when it is first needed."""
        if self._drawer is None:
            from dockdesk.ui.shell.activity.drawer import ActivityDrawer

            self._drawer = ActivityDrawer(self._theme, self._jobs)
            self._drawer.hide()
            self._drawer.closed.connect(self.drawer_closed)
            self._row.addWidget(self._drawer)
        return self._drawer

    @property
    def drawer_open(self) -> bool:
        return self._drawer is not None and not self._drawer.isHidden()

    def set_drawer(self, open: bool) -> None:
        """Show or hide the activity drawer."""
        if open or self._drawer is not None:
            self.drawer.setVisible(open)
        self._drawer_edge.setVisible(open)
        self.top.activity.setChecked(open)

    @property
    def folded(self) -> bool | None:
        """Whether the user has folded the rail (None: as the width asks)."""
        return self._folded

    def set_folded(self, folded: bool | None) -> None:
        self._folded = folded
        self.fit(self.width())

    def fit(self, width: int) -> None:
        """Suit the parts to the window's width in pixels."""
        compact = width < COMPACT_BELOW
        self.rail.set_narrow(compact if self._folded is None else self._folded)
        self.top.set_compact(compact)
