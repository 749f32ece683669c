"""The text area: what it holds, where things stand in it, what is coloured and underlined, and its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QPalette,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QTextEdit, QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.editor import commands
from dockdesk.ui.widgets.editor.brackets import matching, pair_at
from dockdesk.ui.widgets.editor.changes import change_between, positions
from dockdesk.ui.widgets.editor.colours import make_formats
from dockdesk.ui.widgets.editor.completion import Completer
from dockdesk.ui.widgets.editor.filling import Filling
from dockdesk.ui.widgets.editor.gutter import Gutter
from dockdesk.ui.widgets.editor.highlighter import Highlighter
from dockdesk.ui.widgets.editor.hover import Hover
from dockdesk.ui.widgets.editor.keys import LEFT_TO_OTHERS, OWN, key_name
from dockdesk.ui.widgets.editor.language import (
    Change,
    Language,
    MarginCell,
    Mark,
    PlainLanguage,
    Remedy,
)
from dockdesk.ui.widgets.editor.marks import MarkLayer
from dockdesk.ui.widgets.editor.remedies import fill_menu
from dockdesk.ui.widgets.editor.units import to_points, to_units

_KEEP = QTextCursor.MoveMode.KeepAnchor
_ZOOM = (7, 40)  # pixels


class CodeEditor(QPlainTextEdit):
    """Edits one text in one language. Lines and columns are 0-based and in code points.

    ``key_pressed`` carries the name (see `dockdesk.ui.widgets.editor.keys`) of one of its own keys that the owner
    answers: find, replace, go to line …; ``fix_all_asked`` a mark all of whose
    kind are to be mended.
    """

    key_pressed = Signal(str)
    moved = Signal(int, int)  # line and column of the cursor
    fix_all_asked = Signal(object)
    cell_pressed = Signal(int)
    font_changed = Signal(int)
    tab_moves_changed = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        jobs: Jobs,
        language: Language | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.jobs = jobs
        self.language: Language = language or PlainLanguage()
        self._size = 0
        self._blocks = 1
        self._extra: dict[str, list[QTextEdit.ExtraSelection]] = {}
        self.setProperty("look", "plain")
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setCursorWidth(2)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName("Text")
        self.setAccessibleDescription("Tab indents; Ctrl+M lets it move on, and back again.")
        self.gutter = Gutter(theme, self)
        self.highlighter = Highlighter(self.document(), self.language, self)
        self.marks = MarkLayer(self.document(), theme, self)
        self.completer: Completer = Completer(theme, self)
        self.hover: Hover = Hover(theme, self)
        self._connect(theme)
        self._on_theme_changed()

    def _connect(self, theme: Theme) -> None:
        theme.changed.connect(self._on_theme_changed)
        self.blockCountChanged.connect(self._on_block_count_changed)
        self.updateRequest.connect(self._on_update_request)
        self.cursorPositionChanged.connect(self._on_cursor_moved)
        self.document().contentsChange.connect(self._on_contents_change)
        self.gutter.bulb_pressed.connect(self._on_bulb_pressed)
        self.gutter.line_pressed.connect(self._on_line_pressed)
        self.gutter.cell_pressed.connect(self.cell_pressed)

    # What it holds.

    def text(self) -> str:
        """All of it, exactly: Qt's own `toPlainText` turns no-break spaces into spaces."""
        return self.document().toRawText().replace("\u2029", "\n")

    def set_text(self, text: str) -> None:
        """Hold another text, with nothing to undo."""
        self.setPlainText(text)
        self.document().setModified(False)

    def fill(self, text: str, done: Callable[[], None]) -> None:
        """Hold a text for the first time, before anybody sees it: put in piece by piece, then ``done`` is called."""

        def filled() -> None:
            self.go_to(0)
            done()

        Filling(self.document(), text, filled, self).begin()

    def replace_text(self, text: str) -> None:
        """Change the text into another as one step of undo; only the lines that differ are touched."""
        change = change_between(self.text(), text)
        if change is not None:
            self.apply((change,))

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes, whose places are those of the text as it is now, as one step of undo."""
        document = self.document()
        spots = [
            (
                self.position_of(change.line, change.column),
                self.position_of(change.end_line, change.end_column),
                change.text,
            )
            for change in changes
        ]
        edit = QTextCursor(document)
        edit.beginEditBlock()
        for start, end, text in sorted(spots, key=lambda spot: spot[:2], reverse=True):
            edit.setPosition(start)
            edit.setPosition(max(start, end), _KEEP)
            edit.insertText(text)
        edit.endEditBlock()

    def set_language(self, language: Language) -> None:
        self.language = language
        self.highlighter.set_language(language)

    # Where things stand.

    def position_of(self, line: int, column: int) -> int:
        """Qt's position of a place; what lies outside is moved to the nearest end."""
        return positions(self.document(), line, column)

    def place_of(self, position: int) -> tuple[int, int]:
        """The line and column of Qt's position."""
        block = self.document().findBlock(position)
        return block.blockNumber(), to_points(block.text(), position - block.position())

    def cursor_place(self) -> tuple[int, int]:
        return self.place_of(self.textCursor().position())

    def go_to(self, line: int, column: int = 0, end: tuple[int, int] | None = None) -> None:
        """Put the cursor there, or choose up to ``end``, and have it seen with some lines around it."""
        cursor = self.textCursor()
        cursor.setPosition(self.position_of(line, column))
        if end is not None:
            cursor.setPosition(self.position_of(*end), _KEEP)
        self.setTextCursor(cursor)
        rect = self.cursorRect()
        if rect.top() < 40 or rect.bottom() > self.viewport().height() - 40:
            self.centerCursor()

    def visible_lines(self) -> Iterator[tuple[int, int, int]]:
        """Line, top and height in pixels of each line that is seen."""
        block = self.firstVisibleBlock()
        offset = self.contentOffset()
        bottom = self.viewport().height()
        while block.isValid():
            box = self.blockBoundingGeometry(block).translated(offset)
            if box.top() > bottom:
                return
            yield block.blockNumber(), round(box.top()), round(box.height())
            block = block.next()

    # What is shown in it.

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Underline these, and no others."""
        self.marks.set_marks(marks)
        self._show_selections()
        self._place_bulb()
        self.gutter.update()

    def mark_tones(self) -> Mapping[int, Tone]:
        return self.marks.tones()

    def set_margin(self, cells: Mapping[int, Sequence[MarginCell]]) -> None:
        """Show texts beside lines: they move with the lines."""
        self.gutter.set_cells(cells)

    def set_extra(self, name: str, selections: list[QTextEdit.ExtraSelection]) -> None:
        """Have stretches drawn behind the text, under a name to replace them by; hits of a search, say."""
        if selections or self._extra.get(name):
            self._extra[name] = selections
            self._show_selections()

    def set_tab_moves(self, on: bool) -> None:
        """Whether Tab goes on to the next part of the window, for who has no mouse, or indents."""
        if on != self.tabChangesFocus():
            self.setTabChangesFocus(on)
            self.tab_moves_changed.emit(on)

    def set_wrap(self, on: bool) -> None:
        mode = QPlainTextEdit.LineWrapMode
        self.setLineWrapMode(mode.WidgetWidth if on else mode.NoWrap)

    @property
    def wraps(self) -> bool:
        return self.lineWrapMode() != QPlainTextEdit.LineWrapMode.NoWrap

    def zoom(self, by: int) -> None:
        """Larger or smaller by so many pixels; 0 for the size of the settings."""
        present = self.font().pixelSize()
        self._size = max(_ZOOM[0], min(_ZOOM[1], present + by)) if by else 0
        self._on_theme_changed()
        self.font_changed.emit(self._size)

    def set_size(self, size: int) -> None:
        """A size in pixels, or 0 for that of the settings."""
        if size != self._size:
            self._size = size
            self._on_theme_changed()

    # What can be asked of it.

    def toggle_comment(self) -> None:
        first, last = commands.chosen_lines(self)
        place = self.cursor_place()
        before = self.text()
        after = self.language.toggle_comment(before, first, last)
        self.replace_text(after)
        if first == last:
            grown = len(after) - len(before)
            self.go_to(place[0], max(0, place[1] + grown))
        else:
            end = self.document().findBlockByNumber(last).text()
            self.go_to(first, 0, (last, len(end)))

    def format(self) -> None:
        """Lay the text out as the language does; worked out elsewhere, and dropped if typing goes on meanwhile."""
        text, language = self.text(), self.language

        def done(formatted: str) -> None:
            if self.text() == text and not self.isReadOnly():
                place = self.cursor_place()
                self.replace_text(formatted)
                self.go_to(*place)

        self.jobs.submit(self, lambda _work: language.format(text), done, question="format")

    def next_mark(self, backwards: bool = False) -> None:
        """To the next finding, around the end if need be."""
        places = [position for _line, position in self.marks.places()]
        if not places:
            return
        here = self.textCursor().position()
        if backwards:
            target = next((p for p in reversed(places) if p < here), places[-1])
        else:
            target = next((p for p in places if p > here), places[0])
        self.go_to(*self.place_of(target))
        self.hover.show_at_cursor()

    def show_remedies(self) -> None:
        """What can be done about the findings of this line, as a menu at the cursor."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if fill_menu(menu, self, self.marks.on_line(self.textCursor().blockNumber())):
            menu.popup(self.viewport().mapToGlobal(self.cursorRect().bottomLeft()))
        else:
            menu.deleteLater()

    def use(self, remedy: Remedy) -> None:
        """Mend; as one step of undo."""
        if not self.isReadOnly():
            self.apply(remedy.edits)

    # Keys.

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            name = key_name(event)
            if name in LEFT_TO_OTHERS:
                event.ignore()
                return False
            if name in OWN or self.completer.wants(event):
                event.accept()
                return True
        return super().event(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        if self.completer.takes_tab:
            return False  # it is a key then
        return super().focusNextPrevChild(next)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.hover.hide()
        if self.completer.take_key(event):
            return
        name = key_name(event)
        if name in LEFT_TO_OTHERS:
            event.ignore()
            return
        if (own := OWN.get(name)) is not None:
            own(self)
            return
        if self.isReadOnly():
            super().keyPressEvent(event)
            return
        before = self.document().revision()
        super().keyPressEvent(event)
        if self.document().revision() != before:
            self.completer.typed(event.text())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Files that are dragged here are for the owner to open: their addresses are no text for the text."""
        return not source.hasUrls() and super().canInsertFromMimeData(source)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
            return
        super().wheelEvent(event)

    # How it comes about.

    def fit_gutter(self) -> None:
        width = self.gutter.wanted_width()
        if self.viewportMargins().left() != width:
            self.setViewportMargins(width, 0, 0, 0)
        area = self.contentsRect()
        self.gutter.setGeometry(QRect(area.left(), area.top(), width, area.height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_gutter()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if not event.buttons():
            self.hover.pointed(event.position().toPoint())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.completer.close()
        self.hover.hide()
        super().mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hover.left()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.completer.close()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = self.createStandardContextMenu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            line = self.cursorForPosition(event.pos()).blockNumber()
        else:
            line = self.textCursor().blockNumber()
        first = menu.actions()[0] if menu.actions() else None
        fill_menu(menu, self, self.marks.on_line(line), before=first)
        menu.popup(event.globalPos())

    def _on_theme_changed(self) -> None:
        font = QFont(self._theme.font("mono"))
        if self._size:
            font.setPixelSize(self._size)
        self.setFont(font)
        self.setTabStopDistance(self.fontMetrics().horizontalAdvance(" ") * 4)
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Base, self._theme.colour("panel"))
        palette.setColor(QPalette.ColorRole.Text, self._theme.colour("text"))
        palette.setColor(QPalette.ColorRole.Highlight, self._theme.colour("selection"))
        palette.setColor(QPalette.ColorRole.HighlightedText, self._theme.colour("text"))
        self.setPalette(palette)
        self.highlighter.set_formats(make_formats(self._theme))
        self.marks.recolour()
        self.gutter.measure()
        self._show_selections()

    def _on_block_count_changed(self, _count: int) -> None:
        self.fit_gutter()

    def _on_update_request(self, rect: QRect, dy: int) -> None:
        if dy:
            self.gutter.scroll(0, dy)
        else:
            self.gutter.update(0, rect.y(), self.gutter.width(), rect.height())

    def _on_contents_change(self, position: int, _removed: int, _added: int) -> None:
        grown = self.document().blockCount() - self._blocks
        self._blocks = self.document().blockCount()
        if grown:
            self.gutter.shift(self.document().findBlock(position).blockNumber(), grown)

    def _on_cursor_moved(self) -> None:
        self._show_selections()
        self._place_bulb()
        self.gutter.update()
        self.completer.cursor_moved()
        self.moved.emit(*self.cursor_place())

    def _place_bulb(self) -> None:
        line = self.textCursor().blockNumber()
        can = not self.isReadOnly() and any(mark.fixes for mark in self.marks.on_line(line))
        self.gutter.set_bulb(line if can else -1)

    def _on_bulb_pressed(self, _line: int) -> None:
        self.show_remedies()

    def _on_line_pressed(self, line: int) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        block = self.document().findBlockByNumber(line)
        cursor = self.textCursor()
        cursor.setPosition(block.position() + block.length() - 1)
        cursor.setPosition(block.position(), _KEEP)
        self.setTextCursor(cursor)

    def _show_selections(self) -> None:
        shown = [self._current_line(), *self.marks.selections()]
        for extra in self._extra.values():
            shown += extra
        self.setExtraSelections([*shown, *self._brackets()])

    def _current_line(self) -> QTextEdit.ExtraSelection:
        form = QTextCharFormat()
        form.setBackground(self._theme.colour("hover"))
        form.setProperty(QTextFormat.Property.FullWidthSelection, True)
        cursor = self.textCursor()
        cursor.clearSelection()
        return selection(cursor, form)

    def _brackets(self) -> list[QTextEdit.ExtraSelection]:
        document = self.document()
        at = pair_at(document.characterAt, self.textCursor().position())
        if at is None:
            return []
        block = document.findBlock(at)
        start = max(0, block.blockNumber() - 50)
        first = document.findBlockByNumber(start)
        stretch: list[str] = []
        near = first
        while near.isValid() and near.blockNumber() <= block.blockNumber() + 50:
            stretch.append(near.text())
            near = near.next()
        text = "\n".join(stretch)
        inside = to_points(text, at - first.position())
        other = matching(text, inside)
        if other is None:
            return []
        form = QTextCharFormat()
        form.setBackground(self._theme.colour("selection"))
        shown = []
        for index in (at, first.position() + to_units(text, other)):
            cursor = QTextCursor(document)
            cursor.setPosition(index)
            cursor.setPosition(index + 1, _KEEP)
            shown.append(selection(cursor, form))
        return shown

    def spot(self, position: int) -> QPoint:
        """The lower left corner, on the screen, of the character at Qt's position."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(position)
        return self.viewport().mapToGlobal(self.cursorRect(cursor).bottomLeft())


def selection(cursor: QTextCursor, form: QTextCharFormat) -> QTextEdit.ExtraSelection:
    made = QTextEdit.ExtraSelection()
    made.cursor, made.format = cursor, form
    return made
