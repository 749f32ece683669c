"""What keys do to lines: each is one step of undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QTextCursor

if TYPE_CHECKING:
    from dockdesk.ui.widgets.editor.editor import CodeEditor

INDENT = "    "
_KEEP = QTextCursor.MoveMode.KeepAnchor


def chosen_lines(editor: CodeEditor) -> tuple[int, int]:
    """The first and last line of the selection; a selection that ends before a line's first character leaves it out."""
    cursor = editor.textCursor()
    document = editor.document()
    first = document.findBlock(cursor.selectionStart()).blockNumber()
    end = document.findBlock(cursor.selectionEnd())
    last = end.blockNumber()
    if last > first and cursor.selectionEnd() == end.position():
        last -= 1
    return first, last


def duplicate(editor: CodeEditor) -> None:
    """Repeat the selection behind itself, or the line below itself."""
    cursor = editor.textCursor()
    if cursor.hasSelection():
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        text = cursor.selectedText()
        cursor.setPosition(end)
        cursor.insertText(text)
        cursor.setPosition(end)
        cursor.setPosition(end + (end - start), _KEEP)
    else:
        column = cursor.positionInBlock()
        text = cursor.block().text()
        cursor.beginEditBlock()
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
        cursor.insertText("\n" + text)
        cursor.endEditBlock()
        cursor.setPosition(cursor.block().position() + column)
    editor.setTextCursor(cursor)


def move_lines(editor: CodeEditor, down: bool) -> None:
    """Swap the chosen lines with the one above or below them."""
    first, last = chosen_lines(editor)
    document = editor.document()
    if (last + 1 >= document.blockCount()) if down else first == 0:
        return
    cursor = editor.textCursor()
    anchor, position = cursor.anchor(), cursor.position()
    other = document.findBlockByNumber(last + 1 if down else first - 1)
    step = len(_raw(other.text())) + 1
    top = document.findBlockByNumber(first if down else first - 1).position()
    bottom_block = document.findBlockByNumber(last + 1 if down else last)
    bottom = bottom_block.position() + bottom_block.length() - 1
    lines = [document.findBlockByNumber(n).text() for n in range(first, last + 1)]
    swapped = [other.text(), *lines] if down else [*lines, other.text()]
    edit = QTextCursor(document)
    edit.setPosition(top)
    edit.setPosition(bottom, _KEEP)
    edit.insertText("\n".join(swapped))
    shift = step if down else -step
    cursor = editor.textCursor()
    # Lines chosen with their ends may now end with the text.
    last_place = document.characterCount() - 1
    cursor.setPosition(min(anchor + shift, last_place))
    cursor.setPosition(min(position + shift, last_place), _KEEP)
    editor.setTextCursor(cursor)


def delete_lines(editor: CodeEditor) -> None:
    first, last = chosen_lines(editor)
    document = editor.document()
    block = document.findBlockByNumber(last)
    start = document.findBlockByNumber(first).position()
    end = block.position() + block.length()
    if not block.next().isValid():
        start, end = max(0, start - 1), end - 1
    cursor = QTextCursor(document)
    cursor.setPosition(start)
    cursor.setPosition(end, _KEEP)
    cursor.removeSelectedText()
    editor.setTextCursor(cursor)


def indent(editor: CodeEditor) -> None:
    """Indent the chosen lines, or go on to the next place that is a multiple of four columns."""
    cursor = editor.textCursor()
    first, last = chosen_lines(editor)
    if first == last and not cursor.hasSelection():
        cursor.insertText(" " * (len(INDENT) - cursor.positionInBlock() % len(INDENT)))
        editor.setTextCursor(cursor)
        return
    edit = QTextCursor(editor.document())
    edit.beginEditBlock()
    for line in range(first, last + 1):
        block = editor.document().findBlockByNumber(line)
        if block.text().strip():
            edit.setPosition(block.position())
            edit.insertText(INDENT)
    edit.endEditBlock()


def outdent(editor: CodeEditor) -> None:
    first, last = chosen_lines(editor)
    edit = QTextCursor(editor.document())
    edit.beginEditBlock()
    for line in range(first, last + 1):
        block = editor.document().findBlockByNumber(line)
        text = block.text()
        width = min(len(INDENT), len(text) - len(text.lstrip(" "))) or int(text[:1] == "\t")
        if width:
            edit.setPosition(block.position())
            edit.setPosition(block.position() + width, _KEEP)
            edit.removeSelectedText()
    edit.endEditBlock()


def new_line(editor: CodeEditor) -> None:
    """Begin a line as far in as this one is; after a backslash, one step further in."""
    cursor = editor.textCursor()
    before = cursor.block().text()[: cursor.positionInBlock()]
    space = before[: len(before) - len(before.lstrip())]
    if before.rstrip().endswith("\\") and not space:
        space = INDENT
    cursor.insertText("\n" + space)
    editor.setTextCursor(cursor)


def backspace(editor: CodeEditor) -> bool:
    """Take back a step of indentation; False where there is none before the cursor."""
    cursor = editor.textCursor()
    at = cursor.positionInBlock()
    before = cursor.block().text()[:at]
    if cursor.hasSelection() or not at or before.strip(" "):
        return False
    width = (at - 1) % len(INDENT) + 1
    cursor.movePosition(QTextCursor.MoveOperation.Left, _KEEP, width)
    cursor.removeSelectedText()
    editor.setTextCursor(cursor)
    return True


def home(editor: CodeEditor, select: bool) -> None:
    """To the line's first word, and from there to its very beginning."""
    cursor = editor.textCursor()
    text = cursor.block().text()
    word = len(text) - len(text.lstrip())
    column = 0 if cursor.positionInBlock() == word else word
    mode = _KEEP if select else QTextCursor.MoveMode.MoveAnchor
    cursor.setPosition(cursor.block().position() + column, mode)
    editor.setTextCursor(cursor)


def _raw(text: str) -> bytes | str:
    """As long as Qt counts it."""
    from dockdesk.ui.widgets.editor.units import units

    return text if text.isascii() else "x" * units(text)
