"""How a job is drawn in the activity drawer, and the bars of its parts."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from dockdesk.bridge.jobs import Job, JobState
from dockdesk.ui.shell.activity.model import JOB_ROLE, STATES, job_line
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import one_line

ROW = 56
PART_ROW = 22


def paint_bar(
    painter: QPainter, box: QRectF, fraction: float | None, full: QColor, empty: QColor
) -> None:
    """A thin bar; where the share is unknown, a hatched one that does not pretend to know."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(empty)
    painter.drawRoundedRect(box, 2, 2)
    if fraction is None:
        painter.setBrush(full)
        painter.setOpacity(0.45)
        step = 12.0
        at = box.left()
        while at < box.right():
            painter.drawRoundedRect(
                QRectF(at, box.top(), min(step / 2, box.right() - at), box.height()), 2, 2
            )
            at += step
        painter.setOpacity(1.0)
        return
    painter.setBrush(full)
    share = max(0.0, min(1.0, fraction))
    painter.drawRoundedRect(QRectF(box.left(), box.top(), box.width() * share, box.height()), 2, 2)


class JobDelegate(QStyledItemDelegate):
    """Icon, title, a quiet line and, while it runs, a bar."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(200, ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        job = index.data(JOB_ROLE)
        if not isinstance(job, Job):
            return
        theme = self._theme
        box: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, box, state)
        icon, tone, _word = STATES[job.state]
        scale = painter.device().devicePixelRatioF()
        painter.drawPixmap(
            QPoint(box.left() + 12, box.top() + 11), theme.pixmap(icon, tone, 18, scale)
        )
        room = box.adjusted(40, 8, -12, 0)
        self._paint_line(painter, room, job.title, theme.font("strong"), theme.colour("text"))
        room.translate(0, 20)
        colour = theme.tone("bad") if job.state is JobState.FAILED else theme.colour("muted")
        self._paint_line(painter, room, job_line(job), theme.font("small", tabular=True), colour)
        if job.state is JobState.RUNNING:
            bar = QRectF(box.left() + 40, box.bottom() - 7, box.width() - 52, 4)
            paint_bar(
                painter, bar, job.fraction, theme.colour("accent"), theme.colour("neutral_surface")
            )
        painter.restore()

    def _paint_ground(self, painter: QPainter, box: QRect, state: QStyle.StateFlag) -> None:
        theme = self._theme
        inside = box.adjusted(4, 1, -4, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(theme.colour("accent_surface"))
            painter.drawRoundedRect(inside, 8, 8)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.colour("hover"))
            painter.drawRoundedRect(inside, 8, 8)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(inside, 8, 8)

    @staticmethod
    def _paint_line(
        painter: QPainter, room: QRect, text: str, font: object, colour: QColor
    ) -> None:
        painter.setFont(font)  # type: ignore[arg-type]
        painter.setPen(colour)
        metrics = QFontMetrics(font)  # type: ignore[call-overload]
        shown = metrics.elidedText(one_line(text), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(
            QRect(room.left(), room.top(), room.width(), 18),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            shown,
        )


class PartsView(QWidget):
    """The bars of a job's parts, such as the layers of a pull: name, bar and text, a row each."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: list[tuple[str, float | None, str]] = []
        theme.changed.connect(self.update)

    def set_parts(self, parts: Mapping[str, tuple[float | None, str]]) -> None:
        fresh = [(key, fraction, text) for key, (fraction, text) in parts.items()]
        if fresh == self._parts:
            return
        taller = len(fresh) != len(self._parts)
        self._parts = fresh
        self.setAccessibleDescription(
            ", ".join(f"{key}: {text}" for key, _fraction, text in fresh[:20])
        )
        if taller:
            self.setMinimumHeight(PART_ROW * len(fresh))
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(220, PART_ROW * len(self._parts))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        name_font, text_font = theme.font("mono"), theme.font("small", tabular=True)
        names, texts = QFontMetrics(name_font), QFontMetrics(text_font)
        first = max(0, event.rect().top() // PART_ROW)
        last = min(len(self._parts), event.rect().bottom() // PART_ROW + 1)
        full, empty = theme.colour("accent"), theme.colour("neutral_surface")
        done = theme.tone("good")
        for row in range(first, last):
            key, fraction, text = self._parts[row]
            top = row * PART_ROW
            painter.setFont(name_font)
            painter.setPen(theme.colour("text"))
            shown = names.elidedText(one_line(key), Qt.TextElideMode.ElideMiddle, 104)
            left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(QRect(0, top, 108, PART_ROW), left, shown)
            bar = QRectF(116, top + PART_ROW / 2 - 2, max(24, self.width() - 232), 4)
            over = fraction is not None and fraction >= 1
            paint_bar(painter, bar, fraction, done if over else full, empty)
            painter.setFont(text_font)
            painter.setPen(theme.colour("muted"))
            said = texts.elidedText(one_line(text), Qt.TextElideMode.ElideRight, 104)
            painter.drawText(QRect(self.width() - 108, top, 108, PART_ROW), left, said)
