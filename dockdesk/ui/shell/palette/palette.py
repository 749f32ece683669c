"""The palette's surface: a field and a list over the window."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from dockdesk.ui.shell.palette.candidates import (
    CANDIDATE_ROLE,
    MATCH_ROLE,
    Candidate,
    CandidateModel,
)
from dockdesk.ui.shell.palette.fuzzy import Match
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import one_line

_WIDTH = 640
_ROW = 44
_ROWS = 9


class _Delegate(QStyledItemDelegate):
    """Icon, title with the matched letters marked, a quiet second line, the shortcut or section at the end."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(200, _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        candidate, match = index.data(CANDIDATE_ROLE), index.data(MATCH_ROLE)
        if not isinstance(candidate, Candidate) or not isinstance(match, Match):
            return
        theme = self._theme
        box = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_surface"))
            painter.drawRoundedRect(box.adjusted(6, 1, -6, -1), 8, 8)
        tone = "muted" if candidate.reason else "text"
        scale = painter.device().devicePixelRatioF()
        painter.drawPixmap(
            QPoint(box.left() + 18, box.center().y() - 9),
            theme.pixmap(candidate.icon, tone, 18, scale),
        )
        end = self._paint_end(painter, box, candidate)
        room = QRect(box.left() + 48, box.top(), end - box.left() - 60, box.height())
        second = candidate.reason or candidate.detail
        if second:
            quiet = QRect(room.left(), box.center().y(), room.width(), 18)
            painter.setFont(theme.font("small"))
            painter.setPen(theme.tone("warn") if candidate.reason else theme.colour("muted"))
            metrics = QFontMetrics(theme.font("small"))
            text = metrics.elidedText(one_line(second), Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(quiet, _LEFT, text)
            room = QRect(room.left(), box.top() + 4, room.width(), 20)
        self._paint_title(painter, room, candidate, match, theme.colour(tone))
        painter.restore()

    def _paint_end(self, painter: QPainter, box: QRect, candidate: Candidate) -> int:
        """The section's name and the shortcut; returns where they begin."""
        theme = self._theme
        font = theme.font("small")
        metrics = QFontMetrics(font)
        painter.setFont(font)
        right = box.right() - 18
        if candidate.shortcut:
            width = metrics.horizontalAdvance(candidate.shortcut) + 14
            key = QRect(right - width, box.center().y() - 10, width, 21)
            painter.setPen(theme.colour("control_line"))
            painter.setBrush(theme.colour("raised"))
            painter.drawRoundedRect(key, 5, 5)
            painter.setPen(theme.colour("text"))
            painter.drawText(key, Qt.AlignmentFlag.AlignCenter, candidate.shortcut)
            right -= width + 10
        width = metrics.horizontalAdvance(candidate.section)
        painter.setPen(theme.colour("muted"))
        where = QRect(right - width, box.top(), width + 1, box.height())
        painter.drawText(where, _LEFT, candidate.section)
        return right - width

    def _paint_title(
        self, painter: QPainter, room: QRect, candidate: Candidate, match: Match, colour: QColor
    ) -> None:
        """Letter runs, matched ones in the accent: colour and weight, never HTML."""
        theme = self._theme
        plain, strong = theme.font("body"), theme.font("strong")
        shown = QFontMetrics(strong).elidedText(
            candidate.title, Qt.TextElideMode.ElideRight, room.width()
        )
        hits = set(match.positions)
        x, at = room.left(), 0
        while at < len(shown):
            end, hit = at, at in hits
            while end < len(shown) and (end in hits) is hit:
                end += 1
            font: QFont = strong if hit else plain
            painter.setFont(font)
            painter.setPen(theme.colour("accent") if hit and not candidate.reason else colour)
            piece = shown[at:end]
            painter.drawText(
                QRect(x, room.top(), room.right() - x + 40, room.height()), _LEFT, piece
            )
            x += QFontMetrics(font).horizontalAdvance(piece)
            at = end


_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft


class CommandPalette(QWidget):
    """Covers the window it belongs to while open. ``closed`` tells that it is gone."""

    closed = Signal()

    def __init__(
        self, theme: Theme, source: Callable[[], Iterable[Candidate]], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._source = source
        self._over = parent
        self._before: QWidget | None = None
        self._run_first = False
        self.hide()
        card = QFrame(self)
        card.setProperty("look", "card")
        self._card = card
        self._field = QLineEdit()
        self._field.setPlaceholderText("Type a command, a name or a setting")
        self._field.setAccessibleName("Command palette")
        self._field.addAction(
            theme.icon("search", "muted"), QLineEdit.ActionPosition.LeadingPosition
        )
        self._model = CandidateModel(self)
        self._list = QListView()
        self._list.setModel(self._model)
        self._list.setItemDelegate(_Delegate(theme, self._list))
        self._list.setUniformItemSizes(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setAccessibleName("Found")
        self._nothing = PlainLabel(theme, "Nothing fits. Try fewer letters.", tone="muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._nothing.setMinimumHeight(_ROW * 2)
        column = QVBoxLayout(card)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        for widget in (self._field, self._list, self._nothing):
            column.addWidget(widget)

        self._field.textChanged.connect(self._on_text_changed)
        self._field.installEventFilter(self)
        self._model.modelReset.connect(self._on_found)
        self._list.clicked.connect(self._on_clicked)
        parent.installEventFilter(self)

    def open(self, text: str = "") -> None:
        """Show it, with ``text`` typed already."""
        self._before = self._over.focusWidget()
        self._model.set_candidates(self._source())
        self._place()
        self.show()
        self.raise_()
        self._field.setText(text)
        self._model.search(text)
        self._field.selectAll()
        self._field.setFocus(Qt.FocusReason.PopupFocusReason)

    def shut(self) -> None:
        if not self.isVisible():
            return
        self._run_first = False
        self._model.stop()
        before, self._before = self._before, None  # hiding moves the focus on, to anywhere
        self.hide()
        if before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        self.closed.emit()

    def run_current(self) -> None:
        """Do what is chosen, where it can be done now; what fits best once that is known, while it is looked for."""
        if self._model.searching:
            self._run_first = True
            return
        index = self._list.currentIndex()
        if not index.isValid():
            return
        candidate = self._model.candidate(index.row())
        if candidate.reason:
            return
        self._model.note_used(candidate)
        self.shut()
        candidate.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self._place()
        elif watched is self._field and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.KeyPress and self._on_key(event):
                return True
        elif watched is self._field and event.type() == QEvent.Type.FocusOut:
            # Anything else that takes the focus (a dialog, another window's widget) ends it.
            focus = self.window().focusWidget()
            if focus is not None and focus is not self._field and not self.isAncestorOf(focus):
                self._before = None
                self.shut()
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._card.geometry().contains(event.position().toPoint()):
            self.shut()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(8, 11, 18, 90))

    def _on_key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.shut()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.run_current()
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            pass  # there is nowhere else to go
        elif key in _STEPS:
            self._step(_STEPS[Qt.Key(key)])
        else:
            return False
        return True

    def _step(self, by: int) -> None:
        rows = self._model.rowCount()
        if not rows:
            return
        at = self._list.currentIndex().row() + by
        at = at % rows if abs(by) == 1 else max(0, min(rows - 1, at))
        self._list.setCurrentIndex(self._model.index(at))

    def _on_text_changed(self, text: str) -> None:
        self._run_first = False
        self._model.search(text)

    def _on_found(self) -> None:
        rows = self._model.rowCount()
        self._list.setVisible(rows > 0)
        self._nothing.setVisible(rows == 0)
        if rows:
            self._list.setCurrentIndex(self._model.index(0))
        self._place()
        if self._run_first:
            self._run_first = False
            QTimer.singleShot(0, self, self.run_current)

    def _on_clicked(self, index: QModelIndex) -> None:
        self._list.setCurrentIndex(index)
        self.run_current()

    def _place(self) -> None:
        window = self._over
        self.setGeometry(window.rect())
        rows = min(max(self._model.rowCount(), 1), _ROWS)
        self._list.setFixedHeight(rows * _ROW + 4)
        width = min(_WIDTH, window.width() - 40)
        self._card.setFixedWidth(width)
        self._card.adjustSize()
        self._card.move((window.width() - width) // 2, max(20, window.height() // 8))


_STEPS = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageDown: _ROWS - 1,
    Qt.Key.Key_PageUp: 1 - _ROWS,
}
