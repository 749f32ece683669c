"""Find and replace, above the text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QTextEdit, QWidget

from dockdesk.core.errors import CancelledError, DockDeskError, InvalidInputError
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.editor.editor import CodeEditor, selection
from dockdesk.ui.widgets.editor.finder import Hits, Replaced, Search, find_all, replace_all
from dockdesk.ui.widgets.labels import ElidedLabel
from dockdesk.ui.widgets.search_field import SearchField

_KEEP = QTextCursor.MoveMode.KeepAnchor
_DRAWN = 1000


class _Toggle(IconButton):
    def __init__(self, theme: Theme, icon: str, tip: str) -> None:
        super().__init__(theme, icon, tip)
        self._name = icon
        self.setCheckable(True)
        self.toggled.connect(lambda on: self.set_icon(self._name, "accent" if on else "muted"))


class _Field(SearchField):
    """Enter goes on, with Shift back; Escape leaves at once."""

    next_asked = Signal(bool)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.next_asked.emit(bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))


class FindBar(QWidget):
    """Hits are counted and drawn as the text changes; the one at the cursor is chosen."""

    def __init__(self, theme: Theme, editor: CodeEditor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._editor = editor
        self._hits = Hits()
        self._jump = False
        self.field = _Field(theme, "Find", parent=self)
        self.case = _Toggle(theme, "letter-case", "Match capitals")
        self.word = _Toggle(theme, "letter-w", "Whole words")
        self.expression = _Toggle(theme, "regex", "Regular expression")
        self.count = ElidedLabel(theme, "", "small", "muted")
        self.count.setMinimumWidth(92)
        self.replacement = QLineEdit(self)
        self.replacement.setPlaceholderText("Replace with")
        self.replacement.setAccessibleName("Replace with")
        self.replace_one = Button(theme, "Replace", look="flat")
        self.replace_every = Button(theme, "Replace all", look="flat")
        self._replacing = (self.replacement, self.replace_one, self.replace_every)
        self._lay_out(theme)
        self.field.searched.connect(lambda _text: self._search(jump=True))
        self.field.next_asked.connect(self.go)
        self.field.left.connect(self.leave)
        for toggle in (self.case, self.word, self.expression):
            toggle.toggled.connect(lambda _on: self._search(jump=True))
        self.replace_one.clicked.connect(lambda: self._replace(one=True))
        self.replace_every.clicked.connect(lambda: self._replace(one=False))
        self.replacement.returnPressed.connect(lambda: self._replace(one=True))
        editor.textChanged.connect(self._on_text_changed)
        editor.cursorPositionChanged.connect(self._say)
        theme.changed.connect(self._draw)
        self.hide()

    def _lay_out(self, theme: Theme) -> None:
        previous = IconButton(theme, "chevron-up", "Previous hit", "Shift+F3")
        previous.clicked.connect(lambda: self.go(True))
        following = IconButton(theme, "chevron-down", "Next hit", "F3")
        following.clicked.connect(lambda: self.go(False))
        close = IconButton(theme, "x", "Close", "Esc")
        close.clicked.connect(self.leave)
        first = QHBoxLayout()
        first.setSpacing(2)
        for button in (self.case, self.word, self.expression, previous, following):
            first.addWidget(button)
        first.addSpacing(6)
        first.addWidget(self.count)
        first.addStretch(1)
        first.addWidget(close)
        second = QHBoxLayout()
        second.setSpacing(4)
        second.addWidget(self.replace_one)
        second.addWidget(self.replace_every)
        second.addStretch(1)
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 6, 8, 6)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        for row, (field, rest) in enumerate(((self.field, first), (self.replacement, second))):
            field.setMaximumWidth(360)
            grid.addWidget(field, row, 0)
            grid.addLayout(rest, row, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)

    def open(self, replace: bool = False) -> None:
        """Show it, with what is chosen in the text as what is looked for."""
        chosen = self._editor.textCursor().selectedText()
        if chosen and "\u2029" not in chosen:
            self.field.setText(chosen)
        for widget in self._replacing:
            widget.setVisible(replace and not self._editor.isReadOnly())
        self.show()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        self._search(jump=False)

    def leave(self) -> None:
        self.hide()
        self._editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._hits = Hits()
        self._editor.set_extra("hits", [])

    def go(self, backwards: bool = False) -> None:
        """To the next hit, around the end if need be."""
        if self.isHidden():
            self.open()
            return
        spans = self._hits.spans
        if not spans:
            return
        cursor = self._editor.textCursor()
        starts = [start for start, _end in spans]
        if backwards:
            at = bisect_left(starts, cursor.selectionStart()) - 1
        else:
            same = (cursor.selectionStart(), cursor.selectionEnd()) in spans
            at = (
                bisect_right(starts, cursor.selectionStart())
                if same
                else bisect_left(starts, cursor.selectionStart())
            )
        self._choose(spans[at % len(spans)])

    def _choose(self, span: tuple[int, int]) -> None:
        start, end = (self._editor.place_of(position) for position in span)
        self._editor.go_to(*start, end=end)

    def _spec(self) -> Search:
        return Search(
            self.field.text(),
            self.case.isChecked(),
            self.word.isChecked(),
            self.expression.isChecked(),
        )

    def _on_text_changed(self) -> None:
        if self.isVisible():
            self._search(jump=False)

    def _search(self, jump: bool) -> None:
        spec, text = self._spec(), self._editor.text()
        self._set_invalid("")
        if not spec.text:
            self._take(Hits(), jump=False)
            return
        self._editor.jobs.submit(
            self,
            lambda work: find_all(text, spec, work),
            lambda hits: self._take(hits, jump) if self.isVisible() else None,
            self._on_failed,
            question="find",
        )

    def _take(self, hits: Hits, jump: bool) -> None:
        self._hits = hits
        self._draw()
        self._say()
        if jump and hits.spans:
            starts = [start for start, _end in hits.spans]
            at = bisect_left(starts, self._editor.textCursor().selectionStart())
            self._choose(hits.spans[at % len(starts)])

    def _draw(self) -> None:
        form = QTextCharFormat()
        form.setBackground(self._theme.colour("warn_surface"))
        document = self._editor.document()
        shown: list[QTextEdit.ExtraSelection] = []
        last = document.characterCount() - 1
        for start, end in self._hits.spans[:_DRAWN]:
            cursor = QTextCursor(document)
            cursor.setPosition(min(start, last))
            cursor.setPosition(min(end, last), _KEEP)
            shown.append(selection(cursor, form))
        self._editor.set_extra("hits", shown)

    def _say(self) -> None:
        if self.isHidden():
            return
        spans = self._hits.spans
        if not self.field.text():
            self.count.setText("")
        elif not spans:
            self.count.setText("No hits")
        else:
            cursor = self._editor.textCursor()
            span = (cursor.selectionStart(), cursor.selectionEnd())
            number = bisect_left(spans, span)
            total = f"{len(spans)}+" if self._hits.more else str(len(spans))
            here = number < len(spans) and spans[number] == span
            self.count.setText(f"{number + 1} of {total}" if here else f"{total} hits")

    def _replace(self, one: bool) -> None:
        editor = self._editor
        spec, text, replacement = self._spec(), editor.text(), self.replacement.text()
        cursor = editor.textCursor()
        span = (cursor.selectionStart(), cursor.selectionEnd())
        if not spec.text or editor.isReadOnly():
            return
        if one and span not in self._hits.spans:
            self.go()
            return

        def done(made: Replaced) -> None:
            if editor.text() != text:
                return
            place = editor.cursor_place()
            editor.replace_text(made.text)
            if one:
                editor.go_to(
                    *editor.place_of(
                        min(span[0] + len(replacement), editor.document().characterCount() - 1)
                    )
                )
                self._search(jump=True)
            else:
                editor.go_to(*place)
                self.count.setText(f"{made.count} replaced")

        editor.jobs.submit(
            self,
            lambda _work: replace_all(text, spec, replacement, span if one else None),
            done,
            self._on_failed,
            question="replace",
        )

    def _on_failed(self, error: DockDeskError) -> None:
        if isinstance(error, CancelledError):
            return
        field = error.field if isinstance(error, InvalidInputError) else ""
        self._set_invalid(field or "search")
        self._take(Hits(), jump=False)
        self.count.setText(error.detail or error.title)

    def _set_invalid(self, field: str) -> None:
        for name, widget in (("search", self.field), ("replace", self.replacement)):
            wrong = name == field
            if bool(widget.property("invalid")) != wrong:
                widget.setProperty("invalid", wrong)
                widget.style().polish(widget)
