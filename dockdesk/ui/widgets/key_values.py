"""Facts about one thing: a name and a value a row."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFocusEvent,
    QFontMetricsF,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QToolTip, QWidget

from dockdesk.core.columns import Tone
from dockdesk.core.masking import MASK
from dockdesk.core.records import dataclass
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import breakable, one_line, plain_tip, shown

_SHOWN_LIMIT = 1200
_LABEL_LIMIT = 120
_LABEL_WIDTHS = (72.0, 220.0)
_GAP = 16.0
_PAD_X, _PAD_Y = 6.0, 5.0
_EYE = 16
_EYE_ROOM = 28.0
_SAYS_COPIED_MS = 1500
_WRAP = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)


@dataclass(frozen=True, slots=True)
class Fact:
    """One row. A ``secret`` value is masked until it is asked for; ``mono`` is for what machines write.

    A value with a ``link`` leads somewhere: what that means is the owner's to say.
    """

    label: str
    value: str
    secret: bool = False
    mono: bool = False
    tone: Tone = "neutral"
    link: object = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row is drawn, and what is drawn there."""

    top: float
    height: float
    label: str
    value: str


class KeyValueGrid(QWidget):
    """Rows of facts, painted by hand: hundreds of them, such as an environment, cost as much as a few labels.

    A click on a value, or Enter, copies it (``copied`` carries it) or follows its link (``followed``); the eye, or
    Space, shows a secret. What was revealed stays so while values change. Up and down move between rows.
    """

    copied = Signal(str)
    followed = Signal(object)  # the fact's link

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._facts: tuple[Fact, ...] = ()
        self._revealed: set[str] = set()
        self._places: list[_Place] = []
        self._laid_out_for = -1.0
        self._label_width = _LABEL_WIDTHS[0]
        self._hovered = -1
        self._current = 0
        self._said_copied = -1
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAYS_COPIED_MS)
        self._timer.timeout.connect(self._on_copied_seen)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._on_theme_changed)

    def facts(self) -> tuple[Fact, ...]:
        return self._facts

    def set_facts(self, facts: Sequence[Fact]) -> None:
        """Show ``facts``; cheap where they are the same as before."""
        if tuple(facts) == self._facts:
            return
        self._facts = tuple(facts)
        self._revealed &= {fact.label for fact in self._facts}
        self._current = min(self._current, max(0, len(self._facts) - 1))
        self._hovered = -1
        self._forget_layout()

    def shown_value(self, row: int) -> str:
        """What is shown of a row's value, before it is cut or broken into lines."""
        fact = self._facts[row]
        return MASK if fact.secret and fact.label not in self._revealed else fact.value

    def copy(self, row: int) -> None:
        """Copy a row's value, secret or not: asking for it is asking."""
        value = self._facts[row].value
        QGuiApplication.clipboard().setText(value)
        self._said_copied = row
        self._timer.start()
        self.update()
        self.copied.emit(value)

    def follow(self, row: int) -> None:
        """Go where a row's link leads, or copy its value where it has none."""
        link = self._facts[row].link
        if link is None:
            self.copy(row)
        else:
            self.followed.emit(link)

    def toggle(self, row: int) -> None:
        """Show a secret, or mask it again."""
        fact = self._facts[row]
        if fact.secret:
            self._revealed ^= {fact.label}
            self._forget_layout()

    def row_rect(self, row: int) -> QRectF:
        """Where a row is."""
        place = self._layout(self.width())[row]
        return QRectF(0, place.top, self.width(), place.height)

    # Where things are

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        places = self._layout(width)
        return round(places[-1].top + places[-1].height) if places else 0

    def sizeHint(self) -> QSize:
        return QSize(420, self.heightForWidth(max(420, self.width())))

    def minimumSizeHint(self) -> QSize:
        return QSize(220, 0)

    def _layout(self, width: float) -> list[_Place]:
        if self._laid_out_for == width:
            return self._places
        self._laid_out_for = width
        body = QFontMetricsF(self._theme.font("body"))
        mono = QFontMetricsF(self._theme.font("mono"))
        labels = [one_line(fact.label, _LABEL_LIMIT) for fact in self._facts]
        longest = max((body.horizontalAdvance(label) for label in labels), default=0.0)
        self._label_width = min(max(longest + 1, _LABEL_WIDTHS[0]), _LABEL_WIDTHS[1], width / 2)
        self._places = []
        top = 0.0
        for row, fact in enumerate(self._facts):
            label, value = breakable(labels[row]), self._lines(row)
            metrics = mono if fact.mono else body
            room = self._value_width(width, fact)
            tall = max(
                body.boundingRect(QRectF(0, 0, self._label_width, 1e6), _WRAP, label).height(),
                metrics.boundingRect(QRectF(0, 0, room, 1e6), _WRAP, value).height(),
                body.height(),
            )
            self._places.append(_Place(top, tall + 2 * _PAD_Y, label, value))
            top += tall + 2 * _PAD_Y
        return self._places

    def _lines(self, row: int) -> str:
        value = self.shown_value(row)
        cut = value if len(value) <= _SHOWN_LIMIT else value[:_SHOWN_LIMIT] + "…"
        return breakable(shown(cut)) or "—"

    def _value_left(self) -> float:
        return self._label_width + _GAP

    def _value_width(self, width: float, fact: Fact) -> float:
        eye = _EYE_ROOM if fact.secret else 0.0
        return max(40.0, width - self._value_left() - 2 * _PAD_X - eye)

    def _eye_rect(self, row: int) -> QRectF:
        box = self.row_rect(row)
        return QRectF(box.right() - _EYE_ROOM, box.top(), _EYE_ROOM, min(box.height(), _EYE_ROOM))

    def _row_at(self, y: float) -> int:
        for row, place in enumerate(self._layout(self.width())):
            if place.top <= y < place.top + place.height:
                return row
        return -1

    def _forget_layout(self) -> None:
        self._laid_out_for = -1.0
        self.updateGeometry()
        self.update()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        seen = QRectF(event.rect())
        for row, place in enumerate(self._layout(self.width())):
            if place.top + place.height >= seen.top() and place.top <= seen.bottom():
                self._paint_row(painter, row, place)
        painter.end()

    def _paint_row(self, painter: QPainter, row: int, place: _Place) -> None:
        fact, left = self._facts[row], self._value_left()
        box = QRectF(left, place.top, self.width() - left, place.height)
        self._paint_ground(painter, row, box)
        painter.setFont(self._theme.font("body"))
        painter.setPen(self._theme.tone("muted"))
        at = place.top + _PAD_Y
        height = place.height - _PAD_Y
        painter.drawText(QRectF(0, at, self._label_width, height), _WRAP, place.label)
        font = self._theme.font("mono" if fact.mono and fact.value else "body")
        font.setUnderline(fact.link is not None and row == self._hovered)
        painter.setFont(font)
        tone = "info" if fact.link is not None else fact.tone
        painter.setPen(self._theme.tone(tone if fact.value else "muted"))
        room = self._value_width(self.width(), fact)
        painter.drawText(QRectF(left + _PAD_X, at, room, height), _WRAP, place.value)
        if fact.secret:
            icon = "eye-off" if fact.label in self._revealed else "eye"
            pixmap = self._theme.pixmap(icon, "muted", _EYE, self.devicePixelRatioF())
            spot = self._eye_rect(row).center() - QPointF(_EYE / 2, _EYE / 2)
            painter.drawPixmap(spot, pixmap)
        if row == self._said_copied:
            self._paint_copied(painter, box)

    def _paint_ground(self, painter: QPainter, row: int, box: QRectF) -> None:
        inner = box.adjusted(1, 1, -1, -1)
        if row == self._hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("hover"))
            painter.drawRoundedRect(inner, 6, 6)
        if row == self._current and self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(inner, 6, 6)

    def _paint_copied(self, painter: QPainter, box: QRectF) -> None:
        painter.setFont(self._theme.font("small"))
        words = QRectF(box.right() - 68, box.top() + 2, 66, min(box.height(), 28) - 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.surface("good"))
        painter.drawRoundedRect(words, 6, 6)
        painter.setPen(self._theme.tone("good"))
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, "Copied")

    # What the user does

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().y())
        over = row >= 0 and event.position().x() >= self._value_left()
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        if row != self._hovered:
            self._hovered = row
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hovered = -1
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().y())
        if event.button() != Qt.MouseButton.LeftButton or row < 0:
            return
        self._current = row
        if self._facts[row].secret and self._eye_rect(row).contains(event.position()):
            self.toggle(row)
        elif event.position().x() >= self._value_left():
            self.follow(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
        row = self._current
        if not self._facts:
            super().keyPressEvent(event)
        elif step:
            self._move_to(min(max(row + step, 0), len(self._facts) - 1))
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.follow(row)
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy(row)
        elif event.key() == Qt.Key.Key_Space and self._facts[row].secret:
            self.toggle(row)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._move_to(self._current)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = self._row_at(event.pos().y())
            if row >= 0:
                QToolTip.showText(
                    event.globalPos(), plain_tip(self._tip(row, event.pos().x())), self
                )
            return True
        return super().event(event)

    def _tip(self, row: int, x: float) -> str:
        fact = self._facts[row]
        if x < self._value_left():
            return fact.label if len(fact.label) > _LABEL_LIMIT else ""
        if fact.secret and x >= self._eye_rect(row).left():
            return "Show or mask the value (Space)"
        return "Click to go there" if fact.link is not None else "Click to copy"

    def _move_to(self, row: int) -> None:
        self._current = row
        self.update()
        if not self._facts:
            return
        words = f"{self._facts[row].label}: {self.shown_value(row)[:_SHOWN_LIMIT]}"
        self.setAccessibleDescription(words)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))
        ancestor = self.parentWidget()
        while ancestor is not None and not isinstance(ancestor, QScrollArea):
            ancestor = ancestor.parentWidget()
        if ancestor is not None and (content := ancestor.widget()) is not None:
            spot = self.mapTo(content, self.row_rect(row).center().toPoint())
            half = round(self.row_rect(row).height() / 2) + 4
            ancestor.ensureVisible(spot.x(), spot.y(), 0, half)

    def _on_copied_seen(self) -> None:
        self._said_copied = -1
        self.update()

    def _on_theme_changed(self) -> None:
        self._forget_layout()
