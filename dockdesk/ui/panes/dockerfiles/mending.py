"""Mending: one problem, or all of a kind."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.dockerfile.problems import Edit, Fix, Problem
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.widgets.editor.language import mends


def mend_of(problem: Problem) -> Fix | None:
    """The first fix that mends it, rather than ignore it."""
    return next((fix for fix in problem.fixes if mends(fix)), None)


def edits_of_all(problems: Sequence[Problem], code: str) -> list[Edit]:
    """The edits that mend each problem of a kind; of mends that overlap, the first alone is made."""
    made: list[Edit] = []
    for problem in problems:
        mend = mend_of(problem) if problem.code == code else None
        if mend is not None and not any(_overlap(e, o) for e in mend.edits for o in made):
            made += mend.edits
    return made


def _overlap(one: Edit, other: Edit) -> bool:
    start, end = (one.line, one.column), (one.end_line, one.end_column)
    begin, stop = (other.line, other.column), (other.end_line, other.end_column)
    return (start < stop and begin < end) or (start, end) == (begin, stop)


def mend_all(document: OpenDocument, code: str) -> int:
    """Mend all problems of a kind as one step of undo; returns how many edits that took."""
    edits = edits_of_all(document.problems(), code)
    document.apply(edits)
    return len(edits)
