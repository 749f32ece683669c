"""What can be done about findings, as entries of a menu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from dockdesk.ui.widgets.editor.language import Mark, mends
from dockdesk.ui.widgets.plain import one_line, plain_tip

if TYPE_CHECKING:
    from dockdesk.ui.widgets.editor.editor import CodeEditor

_WORDS = 70


def fill_menu(
    menu: QMenu, editor: CodeEditor, marks: Sequence[Mark], before: QAction | None = None
) -> bool:
    """Offer the remedies of ``marks``; False where there is nothing to offer."""
    if editor.isReadOnly() or not marks:
        return False
    made: list[QAction] = []
    for mark in marks:
        for remedy in mark.fixes:
            entry = QAction(one_line(remedy.title, _WORDS).replace("&", "&&"), menu)
            entry.setToolTip(plain_tip(mark.message))
            entry.triggered.connect(lambda _on=False, remedy=remedy: editor.use(remedy))
            made.append(entry)
    for mark in _first_of_each_code(marks):
        count = editor.marks.count(mark.code)
        if count > 1 and any(mends(remedy) for remedy in mark.fixes):
            entry = QAction(f"Fix all {count} of {mark.code}", menu)
            entry.triggered.connect(lambda _on=False, mark=mark: editor.fix_all_asked.emit(mark))
            made.append(entry)
    menu.setToolTipsVisible(True)
    for entry in made:
        menu.insertAction(before, entry) if before is not None else menu.addAction(entry)
    if made and before is not None:
        menu.insertSeparator(before)
    return bool(made)


def _first_of_each_code(marks: Sequence[Mark]) -> list[Mark]:
    return list({mark.code: mark for mark in reversed(marks) if mark.code}.values())[::-1]
