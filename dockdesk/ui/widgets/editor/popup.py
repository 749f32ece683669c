"""The list of completions, with what is known of the chosen one beside it. It never takes the focus."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.editor.language import Candidate
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import one_line

_ROW = 26
_ROWS = 9
_WIDTH = 340
_DOCS = 300
_DETAIL_SHARE = 0.5

Index = QModelIndex | QPersistentModelIndex


class _Model(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.items: list[Candidate] = []

    def set_items(self, items: Sequence[Candidate]) -> None:
        self.beginResetModel()
        self.items = list(items)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        item = self.items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(item.label, 120)
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return one_line(item.detail)
        return None


class _Rows(QStyledItemDelegate):
    def __init__(self, theme: Theme, model: _Model) -> None:
        super().__init__(model)
        self._theme = theme
        self._rows = model

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(_WIDTH - 12, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = self._theme
        item = self._rows.items[index.row()]
        rect: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_surface"))
            painter.drawRoundedRect(rect, 6, 6)
        room = rect.adjusted(8, 0, -8, 0)
        detail = one_line(item.detail or item.kind, 80)
        small = theme.font("small")
        metrics = QFontMetrics(small)
        # A pixel more: advances are rounded, and what is a fraction too wide would be cut.
        wide = min(metrics.horizontalAdvance(detail) + 2, round(room.width() * _DETAIL_SHARE))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(small)
        painter.setPen(theme.colour("muted"))
        cut = metrics.elidedText(detail, Qt.TextElideMode.ElideRight, wide)
        painter.drawText(room, right, cut)
        mono = theme.font("mono")
        label = QFontMetrics(mono).elidedText(
            one_line(item.label, 120), Qt.TextElideMode.ElideMiddle, room.width() - wide - 12
        )
        painter.setFont(mono)
        painter.setPen(theme.colour("text"))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, label)
        painter.restore()


class CompletionPopup(QFrame):
    """``chosen`` carries the candidate that was clicked."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Completions")
        self._theme = theme
        self._model = _Model(self)
        self._list = QListView()
        self._list.setModel(self._model)
        self._list.setItemDelegate(_Rows(theme, self._model))
        self._list.setUniformItemSizes(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setFixedWidth(_WIDTH)
        self._list.clicked.connect(lambda index: self.chosen.emit(self._model.items[index.row()]))
        self._docs = QWidget()
        self._docs.setFixedWidth(_DOCS)
        self._title = PlainLabel(theme, "", "mono_strong", wrap=True)
        self._detail = PlainLabel(theme, "", "small", "muted", wrap=True)
        self._text = PlainLabel(theme, "", "small", wrap=True)
        docs = QVBoxLayout(self._docs)
        docs.setContentsMargins(12, 8, 12, 8)
        docs.setSpacing(6)
        docs.addWidget(self._title)
        docs.addWidget(self._detail)
        docs.addWidget(self._text)
        docs.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(5, 5, 5, 5)
        layout.setSpacing(0)
        layout.addWidget(self._list)
        layout.addWidget(self._docs)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def show_items(self, items: Sequence[Candidate], below: QPoint, line_height: int) -> None:
        """Offer ``items`` under a place on the screen, or above it where there is no room."""
        self._model.set_items(items)
        self._list.setCurrentIndex(self._model.index(0))
        rows = min(_ROWS, len(items))
        height = max(rows * _ROW + 2, 120 if items[0].explanation else 0)
        self._list.setFixedHeight(height)
        self._show_docs()
        self.setFixedSize(self.sizeHint())
        screen = self.screen().availableGeometry()
        x = max(screen.left(), min(below.x() - 14, screen.right() - self.width()))
        y = below.y() + 2
        if y + self.height() > screen.bottom():
            y = below.y() - line_height - self.height() - 2
        self.move(x, max(screen.top(), y))
        self.show()
        self.raise_()

    def step(self, by: int) -> None:
        count = self._model.rowCount()
        if count:
            row = self._list.currentIndex().row() + by
            row = row % count if abs(by) == 1 else max(0, min(count - 1, row))
            self._list.setCurrentIndex(self._model.index(row))
            self._show_docs()
            self.setFixedSize(self.sizeHint())

    def current(self) -> Candidate | None:
        row = self._list.currentIndex().row()
        return self._model.items[row] if 0 <= row < len(self._model.items) else None

    def items(self) -> Sequence[Candidate]:
        return tuple(self._model.items)

    @property
    def page(self) -> int:
        return _ROWS - 1

    def _show_docs(self) -> None:
        item = self.current()
        explained = item is not None and bool(item.explanation)
        self._docs.setVisible(explained)
        if item is not None and explained:
            whole = item.detail.startswith(item.label)
            self._title.setText(item.detail if whole else item.label)
            self._detail.setText("" if whole else item.detail)
            self._detail.setVisible(bool(self._detail.text()))
            self._text.setText(item.explanation)

    def _on_theme_changed(self) -> None:
        line, panel = self._theme.colour("control_line"), self._theme.colour("panel")
        self.setStyleSheet(
            f"CompletionPopup {{ background: {panel.name()}; border: 1px solid {line.name()}; }}"
        )
