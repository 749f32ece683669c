"""One open file: its text, where it is kept, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildWarning
from dockdesk.dockerfile.problems import Problem
from dockdesk.dockerfile.tree import Document
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.files import FileContent, FileForm, Stamp, from_screen, to_screen
from dockdesk.ui.widgets.editor import EditorView, MarginCell
from dockdesk.ui.widgets.editor.language import Change

_NEXT_TURN_MS = 2


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a reading of ``text`` found; ``document`` is None for what is no Dockerfile.

    ``problems`` are in the order of the lines, from all sources that have answered so far.
    """

    text: str
    document: Document | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """What the last build of a document said: of which text, where it failed, and the builder's warnings."""

    text: str = ""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[BuildWarning, ...] = ()


class OpenDocument(QObject):
    """What views and actions know of a document. Lines and columns are 0-based, in code points.

    ``path`` is None for a file that was never saved; ``kind`` a word of `kinds`; ``project`` the folder it was opened
    with, if any. ``analysis`` may be of an older text until ``analysed`` comes: compare its ``text`` where it matters.
    """

    changed = Signal()  # the text, at each key
    analysed = Signal()
    cursor_moved = Signal(int, int)
    modified_changed = Signal(bool)
    built_changed = Signal()  # another build said something of it
    moved = Signal()  # it has another path, or another context folder

    def __init__(self, view: EditorView, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.editor = view.editor
        self.id = uuid4().hex
        self.path: Path | None = None
        self.project: Path | None = None
        self.form = FileForm()
        self.stamp: Stamp | None = None
        self.analysis = Analysis("")
        self.built = Built()
        self.ignored: set[str] = set()  # codes not to be shown until the program ends
        self._name = name
        self._context: Path | None = None
        self._text: str | None = None
        # Underlining takes half a frame in a long file, and showing the findings another.
        self._telling = QTimer(self)
        self._telling.setSingleShot(True)
        self._telling.setInterval(_NEXT_TURN_MS)
        self._telling.timeout.connect(self.analysed)
        self.editor.textChanged.connect(self._on_text_changed)
        self.editor.moved.connect(self.cursor_moved)
        self.editor.document().modificationChanged.connect(self.modified_changed)
        self.moved.connect(self._name_text)
        self._name_text()

    # Where it is.

    @property
    def name(self) -> str:
        return self.path.name if self.path is not None else self._name

    @property
    def kind(self) -> str:
        return kinds.kind_of(self.name)

    @property
    def context_folder(self) -> Path | None:
        """The folder that a build would send: the file's own, unless another was chosen."""
        if self._context is not None:
            return self._context
        return self.path.parent if self.path is not None else self.project

    @property
    def has_own_context(self) -> bool:
        """Whether another folder than the file's own was chosen."""
        return self._context is not None

    def set_context_folder(self, folder: Path | None) -> None:
        """Build with another folder; None for the file's own."""
        if folder != self._context:
            self._context = folder
            self.moved.emit()

    def set_path(self, path: Path) -> None:
        if path != self.path:
            self.path = path
            self.moved.emit()

    # Its text.

    def text(self) -> str:
        """As it would be saved, with LF as line end. Cheap to call again while nothing is typed."""
        if self._text is None:
            self._text = from_screen(self.editor.text())
        return self._text

    def set_text(self, text: str) -> None:
        """Change it all as one step of undo."""
        self.editor.replace_text(to_screen(text))

    @property
    def modified(self) -> bool:
        return self.editor.document().isModified()

    @property
    def read_only(self) -> bool:
        return self.editor.isReadOnly()

    def load(self, content: FileContent) -> None:
        """Hold what was read, with nothing to undo."""
        self.editor.set_text(content.text)
        self._loaded(content)

    def load_unseen(self, content: FileContent, done: Callable[[], None]) -> None:
        """The same for a document that nobody sees yet, a piece at a time; ``done`` once it is all there."""

        def filled() -> None:
            self._loaded(content)
            done()

        self.editor.fill(content.text, filled)

    def _loaded(self, content: FileContent) -> None:
        self.path, self.form, self.stamp = content.path, content.form, content.stamp
        self._name_text()
        kept = self.editor.text() == content.text and content.faithful
        self.editor.setReadOnly(not content.writable or not kept)

    def reload(self, content: FileContent) -> None:
        """Hold what another program wrote; undo gets the text before it back."""
        place = self.editor.cursor_place()
        self.form, self.stamp = content.form, content.stamp
        self.editor.replace_text(content.text)
        self.editor.go_to(*place)
        self.editor.document().setModified(False)

    def saved(self, text: str, stamp: Stamp) -> None:
        """``text`` (of the screen) is on the disk; what was typed meanwhile is not."""
        self.stamp = stamp
        if self.editor.text() == text:
            self.editor.document().setModified(False)

    # What can be done with it.

    @property
    def line(self) -> int:
        """Where the cursor is."""
        return self.editor.cursor_place()[0]

    def go_to(self, line: int, column: int = 0, end: tuple[int, int] | None = None) -> None:
        """Put the cursor there, choose up to ``end`` where it is given, and give the text the focus."""
        self.editor.go_to(line, column, end)
        self.editor.setFocus()

    def apply(self, changes: Sequence[Change]) -> None:
        """Make changes as one step of undo."""
        if not self.read_only:
            self.editor.apply(changes)

    def set_margin(self, cells: Mapping[int, Sequence[MarginCell]]) -> None:
        """Show short texts beside lines; {} for none."""
        self.editor.set_margin(cells)

    def set_analysis(self, analysis: Analysis) -> None:
        """Take what was found, and underline it; views hear of it in a moment."""
        self.analysis = analysis
        self.editor.set_marks([p for p in analysis.problems if p.code not in self.ignored])
        self._telling.start()

    def set_build(
        self, text: str, problems: tuple[Problem, ...], warnings: tuple[BuildWarning, ...]
    ) -> None:
        """Take what a build of ``text`` said, in place of what the one before it did."""
        built = Built(text, problems, warnings)
        if built != self.built:
            self.built = built
            self.built_changed.emit()

    def problems(self) -> list[Problem]:
        """What is wrong with it, without what the user wants to hear no more of."""
        return [p for p in self.analysis.problems if p.code not in self.ignored]

    def _name_text(self) -> None:
        self.editor.setAccessibleName(f"Text of {self.name}")

    def _on_text_changed(self) -> None:
        self._text = None
        self.changed.emit()
