"""The notices over the window's lower right corner."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.columns import Tone
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.ui.context import NoticeAction
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.notice import Notice

BOUND = 5
_MARGIN = 16
_PASSING: frozenset[Tone] = frozenset({"good", "info", "neutral", "muted", "accent"})


class NoticeStack(QObject):
    """Implements `dockdesk.ui.context.Notices` over ``parent``, ``bottom`` pixels above its lower edge.

    The newest is lowest. At most five are seen: the oldest that would leave by itself gives way first. A notice that is
    on the screen already is not shown twice.
    """

    def __init__(self, theme: Theme, parent: QWidget, bottom: int = 0) -> None:
        super().__init__(parent)
        self._theme = theme
        self._over = parent
        self._bottom = bottom
        self._notices: list[tuple[Notice, tuple[str, str, str, Tone]]] = []
        self.surface = QWidget(parent)
        self.surface.setAccessibleName("Notices")
        self.surface.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._column = QVBoxLayout(self.surface)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        parent.installEventFilter(self)
        self.surface.installEventFilter(self)
        self.surface.hide()

    def texts(self) -> list[str]:
        """What is on the screen, oldest first."""
        return [notice.text() for notice, _key in self._notices]

    def show(
        self,
        title: str,
        detail: str = "",
        hint: str = "",
        tone: Tone = "info",
        actions: Sequence[NoticeAction] = (),
    ) -> None:
        key = (title, detail, hint, tone)
        for notice, known in self._notices:
            if known == key:
                self._close(notice)
                break
        notice = self._make(key, actions)
        self._notices.append((notice, key))
        self._column.addWidget(notice)
        self._make_room()
        notice.show()
        self.surface.show()
        self.surface.raise_()
        self._place()
        from PySide6.QtGui import QAccessible, QAccessibleEvent

        QAccessible.updateAccessibility(QAccessibleEvent(notice, QAccessible.Event.Alert))

    def failure(self, error: DockDeskError, actions: Sequence[NoticeAction] = ()) -> None:
        if not isinstance(error, CancelledError):
            self.show(error.title, error.detail, error.hint, "bad", actions)

    def close_all(self) -> None:
        for notice, _key in list(self._notices):
            self._close(notice)

    def _make(self, key: tuple[str, str, str, Tone], actions: Sequence[NoticeAction]) -> Notice:
        title, detail, hint, tone = key
        made: list[Notice] = []

        def run(action: NoticeAction) -> None:
            self._close(made[0])
            action.run()

        buttons = [StateButton(action.title, lambda a=action: run(a)) for action in actions]  # type: ignore[misc]
        notice = Notice(self._theme, title, detail, hint, tone, buttons)
        made.append(notice)
        notice.closed.connect(lambda: self._close(notice))
        return notice

    def _make_room(self) -> None:
        while len(self._notices) > BOUND:
            passing = [n for n, key in self._notices[:-1] if key[3] in _PASSING]
            self._close(passing[0] if passing else self._notices[0][0])

    def _close(self, notice: Notice) -> None:
        if all(known is not notice for known, _key in self._notices):
            return
        had_focus = notice.isAncestorOf(self._over.focusWidget() or self.surface)
        self._notices = [item for item in self._notices if item[0] is not notice]
        self._column.removeWidget(notice)
        notice.hide()
        notice.deleteLater()
        if not self._notices:
            self.surface.hide()
        elif had_focus:
            self._notices[-1][0].setFocus()
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._over:
            self._place()
        elif event.type() == QEvent.Type.LayoutRequest and watched is self.surface:
            self._place()  # a detail was unfolded
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        if not self._notices:
            return
        self._column.activate()
        width = self._column.sizeHint().width()
        # Texts wrap: only the width says how high they are.
        height = self._column.heightForWidth(width)
        height = min(height, self._over.height() - 2 * _MARGIN)
        self.surface.setGeometry(
            self._over.width() - width - _MARGIN,
            self._over.height() - height - _MARGIN - self._bottom,
            width,
            height,
        )
