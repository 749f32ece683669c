"""The text area with what opens around it: find and replace above, go to over it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.editor.editor import CodeEditor
from dockdesk.ui.widgets.editor.find_bar import FindBar
from dockdesk.ui.widgets.editor.go_to import GoTo
from dockdesk.ui.widgets.editor.language import Language, Place


class EditorView(QWidget):
    """``key_pressed`` carries the names of keys that are the owner's: close, next_tab, previous_tab."""

    key_pressed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        jobs: Jobs,
        language: Language | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.editor = CodeEditor(theme, jobs, language, self)
        self.find_bar = FindBar(theme, self.editor, self)
        self.bars = QVBoxLayout()
        self.bars.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self.bars)
        layout.addWidget(self.find_bar)
        layout.addWidget(self.editor, 1)
        self._go_to = GoTo(theme, self.editor)
        self._go_to.chosen.connect(self._on_chosen)
        self._go_to.closed.connect(lambda: self.editor.setFocus())
        self.editor.key_pressed.connect(self.do)

    def do(self, name: str) -> None:
        """What one of the editor's keys asks for: find, replace, find_next, go_to_line …"""
        if name in {"find", "replace"}:
            self.find_bar.open(name == "replace")
        elif name in {"find_next", "find_previous"}:
            self.find_bar.go(name == "find_previous")
        elif name == "go_to_line":
            self._go_to.ask_line(self.editor.blockCount())
        elif name == "go_to_place":
            self.go_to_place()
        else:
            self.key_pressed.emit(name)

    def go_to_place(self) -> None:
        """Ask the language for its places, on a worker, and offer them."""
        text, language = self.editor.text(), self.editor.language

        def done(places: Sequence[Place]) -> None:
            if self.isVisible():
                self._go_to.ask_place(places)

        self.editor.jobs.submit(self, lambda _work: language.places(text), done, question="places")

    @property
    def go_to_box(self) -> GoTo:
        return self._go_to

    def _on_chosen(self, line: int, column: int) -> None:
        self.editor.setFocus()
        self.editor.go_to(line, column)
