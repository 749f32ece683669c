"""The context as a tree with bars: what is sent stands out, what stays behind steps back."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QTreeView,
    QWidget,
)

from dockdesk.ui.panes.dockerfiles.context_model import NAME, RULE, SIZE, ContextModel, ContextRole
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.plain import one_line, plain_tip

_SIZE_WIDTH = 152
_RULE_WIDTH = 210
_RULE_FROM = 560  # pixels of width from which the rules have a column
_BAR_WIDTH, _BAR_HEIGHT = 44, 6
_ROW = 28


class ContextTree(QTreeView):
    """``chosen`` carries the number of the entry that is chosen, 0 for none."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, model: ContextModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = model
        self.setModel(model)
        self.setItemDelegate(_Delegate(theme, self))
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setIndentation(16)
        self.setMouseTracking(True)
        self.setFrameShape(QTreeView.Shape.NoFrame)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Build context")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(SIZE, _SIZE_WIDTH)
        header.resizeSection(RULE, _RULE_WIDTH)
        header.setMinimumSectionSize(60)
        header.hide()
        self.selectionModel().currentRowChanged.connect(self._on_current_changed)
        model.modelReset.connect(lambda: self.chosen.emit(0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setColumnHidden(RULE, self.width() < _RULE_FROM)

    def show_entry(self, entry: int) -> None:
        """Unfold the way to an entry and choose it."""
        index = self.context.index_of(entry)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def current(self) -> int:
        return self.context.entry(self.currentIndex())

    def unfolded(self) -> list[str]:
        """Paths of the folders that are open, to open them again once the context was read anew."""
        inventory = self.context.inventory
        if inventory is None:
            return []
        found, pending = [], [0]
        while pending:
            for entry in self.context.inside(pending.pop()):
                if self.context.is_folder(entry) and self.isExpanded(self.context.index_of(entry)):
                    found.append(inventory.path(entry))
                    pending.append(entry)
        return found

    def unfold(self, paths: list[str]) -> None:
        inventory = self.context.inventory
        if inventory is None:
            return
        for path in paths:
            if (entry := inventory.find(path)) is not None:
                self.expand(self.context.index_of(entry))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            entry = self.context.entry(self.indexAt(event.pos()))
            QToolTip.showText(event.globalPos(), plain_tip(self._tip(entry)), self)
            return True
        return super().viewportEvent(event)

    def _tip(self, entry: int) -> str:
        inventory, verdict = self.context.inventory, self.context.verdict
        if not entry or inventory is None or verdict is None:
            return ""
        rule = self.context.rule(entry)
        word = {"all": "Sent", "part": "Sent in part", "none": "Left out"}
        lines = [inventory.path(entry), word[self.context.state(entry)]]
        if rule:
            lines[1] += f" by “{rule}” in line {self.context.line(entry) + 1}"
        if self.context.is_folder(entry):
            sent, left = verdict.files[entry], verdict.left_files[entry]
            lines.append(f"{sent:,} files sent, {left:,} left out")
        if note := inventory.notes.get(entry):
            lines.append(note[1])
        if finding := inventory.findings.get(entry):
            lines.append(f"It {finding.why}.")
        return "\n".join(lines)

    def _on_current_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        self.chosen.emit(self.context.entry(current))


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QTreeView) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(super().sizeHint(option, index).width(), _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        self.initStyleOption(option, index)
        option.text = ""
        widget = option.widget
        style = widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        state = index.data(ContextRole.STATE)
        rect = QRect(option.rect)
        painter.save()
        if index.column() == NAME:
            self._name(painter, rect, index, state)
        elif index.column() == SIZE:
            self._size(painter, rect, index, state)
        else:
            painter.setFont(self._mono())
            painter.setPen(self._theme.colour("muted"))
            self._text(
                painter, rect.adjusted(8, 0, -8, 0), str(index.data()), Qt.AlignmentFlag.AlignLeft
            )
        painter.restore()

    def _mono(self) -> QFont:
        font = self._theme.font("mono")
        font.setPixelSize(font.pixelSize() - 1)
        return font

    def _name(
        self,
        painter: QPainter,
        rect: QRect,
        index: QModelIndex | QPersistentModelIndex,
        state: str,
    ) -> None:
        scale = painter.device().devicePixelRatioF()
        model = index.model()
        assert isinstance(model, ContextModel)
        entry = model.entry(index)
        inventory = model.inventory
        secret = inventory is not None and entry in inventory.findings and state != "none"
        name = "eye-off" if state == "none" else str(index.data(ContextRole.ICON))
        tone = "warn" if secret else "muted"
        pixmap = self._theme.pixmap("alert-triangle" if secret else name, tone, 16, scale)
        painter.drawPixmap(rect.left() + 4, rect.center().y() - 7, pixmap)
        painter.setFont(self._theme.font("body"))
        painter.setPen(self._theme.colour("muted" if state == "none" else "text"))
        inner = rect.adjusted(26, 0, -4, 0)
        self._text(painter, inner, one_line(str(index.data()), 200), Qt.AlignmentFlag.AlignLeft)

    def _size(
        self,
        painter: QPainter,
        rect: QRect,
        index: QModelIndex | QPersistentModelIndex,
        state: str,
    ) -> None:
        sent, left = index.data(ContextRole.SHARES)
        bar = QRectF(
            rect.right() - _BAR_WIDTH - 8,
            rect.center().y() - _BAR_HEIGHT / 2 + 1,
            _BAR_WIDTH,
            _BAR_HEIGHT,
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("neutral_surface"))
        painter.drawRoundedRect(bar, 3, 3)
        both = QRectF(bar)
        both.setWidth(max((sent + left) * _BAR_WIDTH, 2.0 if sent + left else 0.0))
        painter.setBrush(self._theme.colour("muted", 0.45))
        painter.drawRoundedRect(both, 3, 3)
        if sent:
            both.setWidth(max(sent * _BAR_WIDTH, 2.0))
            painter.setBrush(self._theme.colour("accent"))
            painter.drawRoundedRect(both, 3, 3)
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(self._theme.colour("muted" if state == "none" else "text"))
        inner = rect.adjusted(0, 0, -_BAR_WIDTH - 18, 0)
        self._text(painter, inner, str(index.data()), Qt.AlignmentFlag.AlignRight)

    def _text(self, painter: QPainter, rect: QRect, text: str, side: Qt.AlignmentFlag) -> None:
        metrics = QFontMetrics(painter.font())
        fitted = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width())
        painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter, fitted)
