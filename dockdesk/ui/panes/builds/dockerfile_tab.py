"""The Dockerfile as it was built, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

from PySide6.QtGui import QSyntaxHighlighter, QTextCharFormat, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from dockdesk.bridge.builds import ARCHIVE_LANE
from dockdesk.core.columns import Tone
from dockdesk.core.refs import ResourceRef
from dockdesk.core.work import Work
from dockdesk.ui.panes.builds.content import ContentView
from dockdesk.ui.panes.builds.rows import BuildRow
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, Segment, SegmentedControl
from dockdesk.ui.widgets.labels import ElidedLabel
from dockdesk.ui.widgets.text_view import TextView

_LOOKS = (
    Segment("text", "As built", tip="The Dockerfile as it was when this was built"),
    Segment("now", "Since then", tip="What has changed in the file since"),
    Segment("before", "From before", tip="What had changed since the build before"),
)
_LARGEST = 2_000_000  # bytes of a Dockerfile that are read
_MOST_LINES = 20_000  # a diff takes long for files that have nothing in common


class DiffColours(QSyntaxHighlighter):
    """Colours the lines of a unified diff; text that is none stays as it is."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme
        self.on = False
        theme.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        tones: dict[str, Tone] = {"+": "good", "-": "bad", "@": "accent"}
        if self.on and (tone := tones.get(text[:1])) is not None:
            form = QTextCharFormat()
            form.setForeground(self._theme.tone(tone))
            self.setFormat(0, len(text), form)


def diff_text(old: str, new: str, from_name: str, to_name: str) -> str:
    """A unified diff, "" where there is no difference."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > _MOST_LINES:
        return "" if before == after else "They differ, and are too long to be compared."
    return "\n".join(unified_diff(before, after, from_name, to_name, lineterm=""))


class DockerfileView(ContentView[str]):
    """As a text, or what changed since then, or before."""

    def make_content(self) -> QWidget:
        theme = self.context.theme
        self.text = TextView(theme)
        self.text.setAccessibleName("Dockerfile")
        self._colours = DiffColours(theme, self.text.document())
        self.look = SegmentedControl(theme, _LOOKS)
        self.look.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.look.changed.connect(lambda _id: self.refresh())
        self._note = ElidedLabel(theme, role="small", tone="muted", middle=True)
        button = Button(theme, "Open in the editor", "file-code", "flat")
        button.clicked.connect(self._on_open_clicked)
        head = QHBoxLayout()
        head.setContentsMargins(12, 8, 12, 6)
        head.addWidget(self.look)
        head.addSpacing(4)
        head.addWidget(self._note)
        head.addStretch(1)
        head.addWidget(button)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        self.setFocusProxy(self.text)
        return page

    def work(self, row: BuildRow) -> tuple[str, Callable[[Work], str]] | None:
        text = row.record.text if row.record is not None else row.run.text if row.run else None
        if text is None:
            self.say("The Dockerfile is not known", "The engine does not keep it with a build.")
            return None
        look = self.look.current()
        before = self.history.before(row)

        def shown(_work: Work) -> str:
            if look == "now":
                now, problem = _read(Path(row.project))
                return problem or diff_text(text, now, "as built", "as it is now")
            if look == "before":
                return diff_text(before.text, text, "before", "as built") if before else ""
            return text

        return ARCHIVE_LANE, shown

    def present(self, row: BuildRow, data: str) -> None:
        look = self.look.current()
        note = row.project
        if look == "before" and self.history.before(row) is None:
            note = "There is no build before it."
        elif look != "text" and not data:
            note = "Nothing has changed since." if look == "now" else "Nothing had changed."
        self._note.setText(note)
        self._colours.on = look != "text"
        self.text.set_text(data)

    def _on_open_clicked(self) -> None:
        if self.row is not None and self.row.project:
            self.context.navigator.open(ResourceRef("dockerfile", self.row.project))


def _read(path: Path) -> tuple[str, str]:
    """The file as it is now, or why it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace"), ""
    except OSError as error:
        return "", f"{path} can't be read any more: {error.strerror or error}."
