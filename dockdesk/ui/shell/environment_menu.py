"""The menu behind the environment button: switch, and say how careful to be there and in which colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QActionGroup, QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from dockdesk.core.environments import COLOURS, Environment, Guard
from dockdesk.ui.actions.bound import tip
from dockdesk.ui.shell.guards import GUARD_HELP, GUARD_ICONS, GUARD_TITLES
from dockdesk.ui.theme import Theme


def disc(colour: QColor, scale: float = 1.0) -> QIcon:
    """A disc of an environment's colour."""
    pixmap = QPixmap(round(18 * scale), round(18 * scale))
    pixmap.setDevicePixelRatio(scale)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(QPointF(9, 9), 6, 6)
    painter.end()
    return QIcon(pixmap)


class EnvironmentMenu(QMenu):
    """Filled each time it opens. ``switched(environment)`` and ``marked(environment)`` tell what was chosen."""

    switched = Signal(object)
    marked = Signal(object)
    find_asked = Signal()
    reconnect_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setToolTipsVisible(True)
        self.setAccessibleName("Environment")

    def fill(
        self,
        environments: Sequence[Environment],
        current: Environment | None,
        connected: bool = True,
    ) -> None:
        """Show what can be switched to, and the marks of the one in use."""
        self.clear()
        self._add_environments(environments, current, connected)
        self.addSeparator()
        self.addAction(self._theme.icon("search"), "Look for environments again").triggered.connect(
            self.find_asked
        )
        if current is None:
            return
        self.addAction(self._theme.icon("refresh"), "Reconnect").triggered.connect(
            self.reconnect_asked
        )
        self.addSeparator()
        self._add_guards(current)
        self._add_colours(current)

    def _add_environments(
        self, environments: Sequence[Environment], current: Environment | None, connected: bool
    ) -> None:
        group = QActionGroup(self)
        if not environments:
            self.addAction("No environment was found").setEnabled(False)
        scale = self.devicePixelRatioF()
        for environment in environments:
            name = environment.name.replace("&", "&&")
            note = " (simulated)" if environment.simulated else ""
            here = current is not None and environment.id == current.id
            mark = "\tconnected" if here and connected else "\tchosen" if here else ""
            guard = (
                "" if environment.guard is Guard.NORMAL else f" · {GUARD_TITLES[environment.guard]}"
            )
            entry = self.addAction(
                disc(self._theme.environment(environment.colour), scale),
                f"{name}{note}{guard}{mark}",
            )
            entry.setToolTip(tip(environment.name, environment.address, environment.source))
            entry.setCheckable(True)
            entry.setChecked(here)
            group.addAction(entry)
            entry.triggered.connect(
                lambda _checked=False, chosen=environment: self.switched.emit(chosen)
            )

    def _add_guards(self, current: Environment) -> None:
        menu = self.addMenu(
            self._theme.icon(GUARD_ICONS[current.guard]), f"Guard: {GUARD_TITLES[current.guard]}"
        )
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        for guard in Guard:
            entry = menu.addAction(
                self._theme.icon(GUARD_ICONS[guard]), GUARD_TITLES[guard].capitalize()
            )
            entry.setToolTip(tip(GUARD_TITLES[guard].capitalize(), GUARD_HELP[guard]))
            entry.setCheckable(True)
            entry.setChecked(guard is current.guard)
            group.addAction(entry)
            entry.triggered.connect(
                lambda _checked=False, guard=guard: self.marked.emit(replace(current, guard=guard))
            )

    def _add_colours(self, current: Environment) -> None:
        scale = self.devicePixelRatioF()
        menu = self.addMenu(disc(self._theme.environment(current.colour), scale), "Colour")
        group = QActionGroup(menu)
        for colour in COLOURS:
            entry = menu.addAction(
                disc(self._theme.environment(colour), scale), colour.capitalize()
            )
            entry.setCheckable(True)
            entry.setChecked(colour == current.colour)
            group.addAction(entry)
            entry.triggered.connect(
                lambda _checked=False, colour=colour: self.marked.emit(
                    replace(current, colour=colour)
                )
            )
