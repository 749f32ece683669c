"""What a user does with a pane: chooses rows with the mouse, opens menus, clicks in them, looks at tabs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QWidget

from dockdesk.models.arrangement import Group
from dockdesk.ui.list_pane import ListPane
from dockdesk.ui.pane import DetailView
from tests.ui.rig import Rig

V = TypeVar("V", bound=QWidget)

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier


@dataclass
class Hands:
    """Works one pane in a window of its own."""

    rig: Rig
    pane: ListPane[Any]

    @classmethod
    def on(
        cls, rig: Rig, make: Callable[[Any], ListPane[Any]], size: tuple[int, int] = (1200, 860)
    ) -> Hands:
        """The pane made, shown and connected; waits until it has rows, and its first one is chosen."""
        pane = make(rig.context)
        rig.qtbot.addWidget(pane)
        pane.resize(*size)
        pane.show()
        rig.connect()
        rig.until(lambda: pane.model.rowCount() and (pane.selected() or not pane.description.tabs))
        return cls(rig, pane)

    def name(self, row: Any) -> str:
        return self.pane.description.name(row)

    def names(self) -> list[str]:
        """Rows that are shown, top to bottom."""
        return [self.name(row) for row in self.pane.model.shown_rows()]

    def chosen(self) -> list[str]:
        return [self.name(row) for row in self.pane.selected()]

    def row(self, name: str) -> Any:
        return next(row for row in self.pane.model.rows() if self.name(row) == name)

    def has(self, name: str) -> bool:
        """Whether a row of this name has its line."""
        model = self.pane.model
        entries = (model.entry_at(line) for line in range(model.rowCount()))
        return any(not isinstance(e, Group) and self.name(e) == name for e in entries)

    def line(self, name: str) -> int:
        """The line of a row, or of a group's header."""
        model = self.pane.model
        for line in range(model.rowCount()):
            entry = model.entry_at(line)
            if (entry.title if isinstance(entry, Group) else self.name(entry)) == name:
                return line
        raise AssertionError(f"{name} is not shown")

    def spot(self, name: str) -> QPoint:
        """In the table's viewport: on a row, clear of its links and of a header's arrow."""
        table = self.pane.table
        line = self.line(name)
        table.scrollTo(self.pane.model.index(line, 0))
        y = table.rowViewportPosition(line) + table.rowHeight(line) // 2
        return QPoint(table.columnViewportPosition(0) + 60, y)

    def choose(self, *names: str) -> None:
        """Click the first, and the others with Ctrl."""
        viewport = self.pane.table.viewport()
        for number, name in enumerate(names):
            QTest.mouseClick(viewport, LEFT, CTRL if number else NONE, self.spot(name))

    def double_click(self, name: str) -> None:
        viewport = self.pane.table.viewport()
        spot = self.spot(name)
        QTest.mouseClick(viewport, LEFT, NONE, spot)
        QTest.mouseDClick(viewport, LEFT, NONE, spot)

    def menu(self, name: str) -> QMenu:
        """The context menu of a row or header, as a right click opens it."""
        viewport = self.pane.table.viewport()
        spot = self.spot(name)
        if self.pane.selected() == [] or name not in self.chosen():
            QTest.mouseClick(viewport, Qt.MouseButton.RightButton, NONE, spot)
        reason = QContextMenuEvent.Reason.Mouse
        event = QContextMenuEvent(reason, spot, viewport.mapToGlobal(spot))
        QApplication.sendEvent(viewport, event)
        return popup(self.rig)

    def do(self, name: str, entry: str) -> None:
        """Choose an entry of a row's context menu."""
        pick(self.menu(name), entry)

    def tab(self, title: str) -> DetailView[Any]:
        """Click a tab of the details."""
        bar = self.pane.detail._bar
        for at in range(bar.count()):
            if bar.tabText(at) == title:
                QTest.mouseClick(bar, LEFT, NONE, bar.tabRect(at).center())
                view = self.pane.detail.view()
                assert view is not None
                return view
        raise AssertionError(f"there is no tab {title}")

    def tabs(self) -> list[str]:
        bar = self.pane.detail._bar
        return [bar.tabText(at) for at in range(bar.count())]

    def press(self, keys: str) -> None:
        """A shortcut of the pane's window."""
        self.pane.window().activateWindow()
        action = next(a for a in self.pane.bound.actions if a.shortcut == keys)
        self.pane.bound[action.id].trigger()

    def tick_until(self, condition: Callable[[], object]) -> None:
        """Let seconds of use go by until something shows: a stream may not be open yet for the first of them."""

        def look() -> object:
            self.rig.engine.tick()
            return condition()

        self.rig.until(look)

    def titles(self) -> list[str]:
        """Of the notices so far."""
        return [shown.title for shown in self.rig.notices.shown]

    def logged(self) -> list[str]:
        """The command log's commands, oldest first."""
        return [entry.equivalent.cli for entry in self.rig.audit.entries]

    def calls(self, name: str) -> list[tuple[Any, ...]]:
        """What the engine was asked under this name."""
        return [call[1:] for call in self.rig.engine.calls if call[0] == name]


def popup(rig: Rig) -> QMenu:
    """The menu that is open."""
    rig.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def pick(menu: QMenu, entry: str) -> None:
    """Click an entry of an open menu."""
    action = next((item for item in menu.actions() if item.text() == entry), None)
    assert action is not None, f"{entry} is not among {texts(menu)}"
    assert action.isEnabled(), f"{entry} is greyed: {action.toolTip()}"
    QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(action).center())


def dialog(rig: Rig, kind: type[V]) -> V:
    """The open dialog of this kind."""
    found: list[V] = []

    def look() -> bool:
        found[:] = [
            widget
            for widget in QApplication.topLevelWidgets()
            if isinstance(widget, kind) and widget.isVisible()
        ]
        return bool(found)

    rig.until(look)
    return found[-1]


def open_dialogs() -> list[QDialog]:
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()]


def drop(target: QWidget, *paths: Any) -> bool:
    """Drag files over a widget and let go; False where it does not want them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    spot = target.rect().center()
    buttons = (Qt.DropAction.CopyAction, data, LEFT, NONE)
    enter = QDragEnterEvent(spot, *buttons)
    QApplication.sendEvent(target, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(target, QDropEvent(QPointF(spot), *buttons))
    return True
