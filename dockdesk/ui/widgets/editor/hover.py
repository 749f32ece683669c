"""What is known of the word under the pointer, and of the findings there, on a card that can be pointed at too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QCursor, QDesktopServices, QEnterEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.editor.language import Card, Mark, Remedy, mends
from dockdesk.ui.widgets.labels import Line, PlainLabel

if TYPE_CHECKING:
    from dockdesk.ui.widgets.editor.editor import CodeEditor

_DELAY_MS = 450
_GRACE_MS = 250
_WIDTH = 440
_FIXES = 3


class HoverCard(QFrame):
    """Findings first, then the explanation. All of it is plain text."""

    def __init__(self, theme: Theme, hover: Hover, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName("Explanation")
        self._theme = theme
        self._hover = hover
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 10, 14, 10)
        self._column.setSpacing(6)
        line, panel = theme.colour("control_line"), theme.colour("panel")
        self.setStyleSheet(
            f"HoverCard {{ background: {panel.name()}; border: 1px solid {line.name()}; }}"
        )

    def fill(self, marks: Sequence[Mark], card: Card | None) -> None:
        for mark in marks:
            self._add_mark(mark)
        if card is not None:
            if marks:
                self._column.addWidget(Line())
            self._add_card(card)
        self.setFixedWidth(_WIDTH)
        height = self._column.heightForWidth(_WIDTH)
        self.setFixedHeight(height if height > 0 else self.sizeHint().height())

    def _add_mark(self, mark: Mark) -> None:
        theme = self._theme
        self._column.addWidget(PlainLabel(theme, mark.message, "strong", mark.tone, wrap=True))
        if mark.why:
            self._column.addWidget(PlainLabel(theme, mark.why, wrap=True))
        row = QHBoxLayout()
        row.setSpacing(8)
        named = " · ".join(part for part in (mark.code, mark.source) if part)
        row.addWidget(PlainLabel(theme, named, "small", "muted"))
        row.addStretch(1)
        if mark.url.startswith("https://"):
            row.addWidget(self._link(mark.url))
        self._column.addLayout(row)
        for remedy in [each for each in mark.fixes if mends(each)][:_FIXES]:
            button = Button(theme, remedy.title, "bulb", "flat", self)
            button.clicked.connect(lambda _on=False, remedy=remedy: self._hover.use(remedy))
            self._column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def _add_card(self, card: Card) -> None:
        theme = self._theme
        self._column.addWidget(PlainLabel(theme, card.title, "strong", wrap=True))
        if card.code:
            self._column.addWidget(PlainLabel(theme, card.code, "mono", wrap=True))
        if card.text:
            self._column.addWidget(PlainLabel(theme, card.text, wrap=True))
        for word, sentence in card.facts:
            row = QHBoxLayout()
            row.setSpacing(8)
            name = PlainLabel(theme, word, "small", "muted")
            name.setAlignment(Qt.AlignmentFlag.AlignTop)
            name.setFixedWidth(64)
            row.addWidget(name)
            row.addWidget(PlainLabel(theme, sentence, "small", wrap=True), 1)
            self._column.addLayout(row)
        if card.url.startswith("https://"):
            self._column.addWidget(self._link(card.url), 0, Qt.AlignmentFlag.AlignLeft)

    def _link(self, url: str) -> Button:
        button = Button(self._theme, "Reference", "external-link", "flat", self)
        button.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(url)))
        return button

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._hover.keep()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover.left()


class Hover(QObject):
    """Waits until the pointer rests, asks the language on a worker, and shows the card."""

    def __init__(self, theme: Theme, editor: CodeEditor) -> None:
        super().__init__(editor)
        self._theme = theme
        self._editor = editor
        self._card: HoverCard | None = None
        self._spot = QPoint()
        self._position = -1
        self._rests = self._timer(_DELAY_MS, self._on_rested)
        self._leaves = self._timer(_GRACE_MS, self._on_left)

    def _timer(self, interval: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    @property
    def card(self) -> HoverCard | None:
        """The card on the screen."""
        return self._card

    def pointed(self, spot: QPoint) -> None:
        """The pointer is over the text."""
        self._spot = spot
        position = self._position_at(spot)
        if self._card is not None:
            if self._word(position) == self._word(self._position):
                self._leaves.stop()
                return
            self._leaves.start()
        self._rests.start()

    def left(self) -> None:
        self._rests.stop()
        if self._card is not None:
            self._leaves.start()

    def keep(self) -> None:
        self._leaves.stop()
        self._rests.stop()

    def hide(self) -> None:
        self._rests.stop()
        self._leaves.stop()
        card, self._card = self._card, None
        if card is not None:
            card.close()

    def use(self, remedy: Remedy) -> None:
        self.hide()
        self._editor.use(remedy)

    def show_at_cursor(self) -> None:
        """The card of the word at the cursor, by a key."""
        self._ask(self._editor.textCursor().position())

    def _on_rested(self) -> None:
        position = self._position_at(self._spot)
        if position >= 0 and self._editor.isVisible():
            self._ask(position)

    def _on_left(self) -> None:
        if self._card is None or not self._card.geometry().contains(QCursor.pos()):
            self.hide()

    def _position_at(self, spot: QPoint) -> int:
        """The position of the character under a spot; -1 beyond the ends of lines."""
        editor = self._editor
        cursor = editor.cursorForPosition(spot)
        rect = editor.cursorRect(cursor)
        far = abs(spot.x() - rect.x()) > 2 * editor.fontMetrics().averageCharWidth()
        below = not rect.top() <= spot.y() <= rect.bottom() + 2
        return -1 if far or below else cursor.position()

    def _word(self, position: int) -> tuple[int, int]:
        if position < 0:
            return -1, -1
        cursor = QTextCursor(self._editor.document())
        cursor.setPosition(position)
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        return cursor.selectionStart(), cursor.selectionEnd()

    def _ask(self, position: int) -> None:
        editor = self._editor
        language, text = editor.language, editor.text()
        line, column = editor.place_of(position)
        revision = editor.document().revision()

        def done(card: Card | None) -> None:
            if editor.document().revision() == revision and editor.isVisible():
                self._show(position, card)

        def failed(error: DockDeskError) -> None:
            if not isinstance(error, CancelledError):
                done(None)

        editor.jobs.submit(
            self,
            lambda _work: language.explain(text, line, column),
            done,
            failed,
            question="explain",
        )

    def _show(self, position: int, card: Card | None) -> None:
        editor = self._editor
        marks = editor.marks.at(position)
        self.hide()
        if not marks and card is None:
            return
        self._position = position
        made = HoverCard(self._theme, self, editor)
        made.fill(marks, card)
        spot = editor.spot(self._word(position)[0] if position >= 0 else position)
        screen = made.screen().availableGeometry()
        x = max(screen.left(), min(spot.x(), screen.right() - made.width()))
        y = spot.y() + 4
        if y + made.height() > screen.bottom():
            y = spot.y() - editor.fontMetrics().height() - made.height() - 6
        made.move(x, max(screen.top(), y))
        self._card = made
        made.show()
