"""The bar over the panes: back and forward, where the user is, the palette, the environment and the activity."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QSizePolicy,
    QWidget,
)

from dockdesk.core.environments import Environment, Guard
from dockdesk.ui.actions.bound import tip
from dockdesk.ui.shell.guards import GUARD_TITLES
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.breadcrumb import Breadcrumb
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.plain import one_line

_HEIGHT = 34


class Stripe(QWidget):
    """A line in the environment's colour across the whole window: production is told apart at a glance."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._environment: Environment | None = None
        self.setFixedHeight(4)
        theme.changed.connect(self.update)

    def set_environment(self, environment: Environment | None) -> None:
        self._environment = environment
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        environment = self._environment
        if environment is None:
            painter.fillRect(self.rect(), self._theme.colour("line"))
            return
        colour = self._theme.environment(environment.colour)
        painter.fillRect(self.rect(), colour)
        if environment.guard is Guard.NORMAL:
            return
        # A guard shows without colour too: slanted gaps, wide when read-only.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        gap = 9 if environment.guard is Guard.READ_ONLY else 4
        painter.setPen(QPen(self._theme.colour("panel"), gap))
        for x in range(-8, self.width() + 8, 28):
            painter.drawLine(QPointF(x, 8), QPointF(x + 8, -4))


class EnvironmentButton(QAbstractButton):
    """The connected environment: its colour, its name and, where it is guarded, a shield with a word."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._environment: Environment | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        theme.changed.connect(self.update)
        self.set_environment(None)

    def set_environment(self, environment: Environment | None) -> None:
        self._environment = environment
        if environment is None:
            self.setText("No environment")
            self.setToolTip(tip("Environment", "Nothing is connected.", "Ctrl+E"))
        else:
            self.setText(environment.name)
            guard = GUARD_TITLES[environment.guard]
            self.setToolTip(
                tip(environment.name, environment.address, environment.source,
                    f"Guard: {guard}", "Ctrl+E")
            )  # fmt: skip
        self.setAccessibleName(f"Environment: {self.text()}{self._guard_text()}")
        self.updateGeometry()
        self.update()

    def _guard_text(self) -> str:
        environment = self._environment
        if environment is None:
            return ""
        words = [GUARD_TITLES[environment.guard]] if environment.guard is not Guard.NORMAL else []
        words += ["simulated"] if environment.simulated else []
        return "".join(f" · {word}" for word in words)

    def sizeHint(self) -> QSize:
        name = QFontMetrics(self._theme.font("strong")).horizontalAdvance(self.text())
        guard = QFontMetrics(self._theme.font("small")).horizontalAdvance(self._guard_text())
        return QSize(min(name, 220) + guard + 62, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, _HEIGHT)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.HoverEnter, QEvent.Type.HoverLeave):
            self.update()
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, environment = self._theme, self._environment
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        focus = self.hasFocus()
        painter.setPen(QPen(theme.colour("accent" if focus else "control_line"), 2 if focus else 1))
        painter.setBrush(theme.colour("hover" if self.underMouse() else "raised"))
        painter.drawRoundedRect(box, 8, 8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(
            theme.colour("muted") if environment is None else theme.environment(environment.colour)
        )
        painter.drawEllipse(QPointF(16, self.height() / 2), 5, 5)
        metrics = QFontMetrics(theme.font("strong"))
        guard = self._guard_text()
        guard_width = QFontMetrics(theme.font("small")).horizontalAdvance(guard)
        room = self.width() - 62 - guard_width + 2
        name = metrics.elidedText(
            one_line(self.text()), Qt.TextElideMode.ElideMiddle, max(20, room)
        )
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.colour("text"))
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(30, 0, room + 2, self.height()), left, name)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.colour("muted"))
        at = 30 + metrics.horizontalAdvance(name)
        painter.drawText(QRectF(at, 0, guard_width + 4, self.height()), left, guard)
        arrow = theme.pixmap("chevron-down", "muted", 16, self.devicePixelRatioF())
        painter.drawPixmap(QPointF(self.width() - 26, (self.height() - 16) / 2), arrow)


class TopBar(QWidget):
    """Its signals say what was asked for; the window answers."""

    back_asked = Signal()
    forward_asked = Signal()
    palette_asked = Signal()
    activity_asked = Signal()
    environments_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.back = self._tool("arrow-left", "Back", "Alt+Left", self.back_asked)
        self.forward = self._tool("arrow-right", "Forward", "Alt+Right", self.forward_asked)
        self.crumbs = Breadcrumb(theme)
        self.crumbs.setAccessibleName("Where you are")
        self.environment = EnvironmentButton(theme)
        self.environment.clicked.connect(self.environments_asked)
        search = Button(theme, "Search or run…  Ctrl+K", "search")
        search.setAccessibleName("Command palette")
        search.clicked.connect(self.palette_asked)
        self._search = search
        self.activity = self._tool("activity", "Activity", "Ctrl+J", self.activity_asked)
        self.activity.setCheckable(True)
        self.activity.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)

        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.setSpacing(4)
        row.addWidget(self.back)
        row.addWidget(self.forward)
        row.addSpacing(4)
        row.addWidget(self.crumbs, 1)
        row.addWidget(search)
        row.addSpacing(8)
        row.addWidget(self.environment)
        row.addSpacing(4)
        row.addWidget(self.activity)

    def _tool(self, icon: str, title: str, shortcut: str, signal: SignalInstance) -> IconButton:
        button = IconButton(self._theme, icon, title, shortcut, "text")
        button.clicked.connect(lambda _checked=False: signal.emit())
        return button

    def set_running(self, count: int) -> None:
        """How many jobs run: said in words beside the icon."""
        self.activity.setText(f"{count} running" if count else "")
        self.activity.setIconSize(QSize(21 if count else 18, 18))

    def set_compact(self, compact: bool) -> None:
        """Leave words away in a narrow window."""
        self._search.setText("" if compact else "Search or run…  Ctrl+K")
