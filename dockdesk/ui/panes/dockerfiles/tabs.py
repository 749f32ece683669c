"""The open documents as tabs, each with its text."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.labels import Line
from dockdesk.ui.widgets.plain import one_line, plain_tip

_NARROWEST = 150  # pixels in which a name can be read; more tabs than fit are scrolled


class _Bar(QTabBar):
    """The middle button closes."""

    middle_clicked = Signal(int)

    def minimumTabSizeHint(self, index: int) -> QSize:
        size = self.tabSizeHint(index)
        return QSize(min(size.width(), _NARROWEST), size.height())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            at = self.tabAt(event.position().toPoint())
            if at >= 0:
                self.middle_clicked.emit(at)
            return
        super().mouseReleaseEvent(event)


class DocumentTabs(QFrame):
    """``chosen`` carries the document in front, or None; ``close_asked`` those that are to be closed."""

    chosen = Signal(object)
    close_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._documents: list[OpenDocument] = []
        self.setProperty("look", "card")
        self.bar = _Bar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setMovable(True)
        self.bar.setTabsClosable(True)
        self.bar.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.bar.setUsesScrollButtons(True)
        self.bar.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.bar.customContextMenuRequested.connect(self._on_menu_asked)
        self.bar.currentChanged.connect(self._on_current_changed)
        self.bar.tabCloseRequested.connect(self._ask_to_close)
        self.bar.middle_clicked.connect(self._ask_to_close)
        self.bar.tabMoved.connect(self._on_moved)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(0)
        self._stack = QStackedWidget()
        head = QHBoxLayout()
        head.setContentsMargins(8, 2, 8, 0)
        head.setSpacing(4)
        head.addWidget(self.bar, 1)
        head.addLayout(self.tools)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 8)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(Line())
        column.addWidget(self._stack, 1)

    def documents(self) -> Iterator[OpenDocument]:
        """In the order of the tabs."""
        yield from self._documents

    @property
    def pages(self) -> QWidget:
        """What the documents' views stand in: their parent from the beginning."""
        return self._stack

    def __len__(self) -> int:
        return len(self._documents)

    @property
    def current(self) -> OpenDocument | None:
        at = self.bar.currentIndex()
        return self._documents[at] if 0 <= at < len(self._documents) else None

    def add(self, document: OpenDocument, *, front: bool = True) -> None:
        """Another tab, brought forward unless one is to stay in front of it."""
        self._documents.append(document)
        self._stack.addWidget(document.view)
        blocked = self.bar.blockSignals(True)
        self.bar.addTab("")
        front = front or self.bar.count() == 1
        if front:
            self.bar.setCurrentIndex(self.bar.count() - 1)
        self.bar.blockSignals(blocked)
        document.modified_changed.connect(lambda _on: self.name_tabs())
        document.moved.connect(self.name_tabs)
        self.name_tabs()
        if front:
            self._on_current_changed(self.bar.currentIndex())

    def remove(self, document: OpenDocument) -> None:
        at = self._documents.index(document)
        del self._documents[at]
        blocked = self.bar.blockSignals(True)
        self.bar.removeTab(at)
        self.bar.blockSignals(blocked)
        self._stack.removeWidget(document.view)
        self.name_tabs()
        self._on_current_changed(self.bar.currentIndex())

    def show_document(self, document: OpenDocument) -> None:
        self.bar.setCurrentIndex(self._documents.index(document))

    def step(self, by: int) -> None:
        """To the next tab, around the end."""
        if self._documents:
            self.bar.setCurrentIndex((self.bar.currentIndex() + by) % len(self._documents))

    def name_tabs(self) -> None:
        """Names, with the folder where two are the same, and a dot where something is not saved."""
        names = [document.name for document in self._documents]
        for at, document in enumerate(self._documents):
            name = document.name
            if names.count(name) > 1 and document.path is not None:
                name = f"{document.path.parent.name}/{name}"
            mark = " •" if document.modified else ""
            self.bar.setTabText(at, one_line(name, 60).replace("&", "&&") + mark)
            self.bar.setTabIcon(at, self._theme.icon(kinds.ICONS[document.kind], "muted", 16))
            where = str(document.path) if document.path is not None else "Never saved"
            state = "\nNot saved" if document.modified else ""
            only = "\nCan only be read" if document.read_only else ""
            self.bar.setTabToolTip(at, plain_tip(where + state + only))

    def _on_current_changed(self, at: int) -> None:
        document = self._documents[at] if 0 <= at < len(self._documents) else None
        if document is not None:
            self._stack.setCurrentWidget(document.view)
        self.chosen.emit(document)

    def _on_moved(self, start: int, end: int) -> None:
        self._documents.insert(end, self._documents.pop(start))

    def _ask_to_close(self, at: int) -> None:
        if 0 <= at < len(self._documents):
            self.close_asked.emit([self._documents[at]])

    def _on_menu_asked(self, position: QPoint) -> None:
        at = self.bar.tabAt(position)
        if at < 0:
            return
        document = self._documents[at]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Close").triggered.connect(lambda: self.close_asked.emit([document]))
        others = [item for item in self._documents if item is not document]
        entry = menu.addAction("Close others")
        entry.setEnabled(bool(others))
        entry.triggered.connect(lambda: self.close_asked.emit(others))
        every = list(self._documents)
        menu.addAction("Close all").triggered.connect(lambda: self.close_asked.emit(every))
        menu.popup(self.bar.mapToGlobal(position))
