"""One list of what everybody found: the same finding from two sources stands once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dockdesk.dockerfile.lint.catalog import canonical
from dockdesk.dockerfile.lint.ignores import Ignores, offer
from dockdesk.dockerfile.problems import Problem
from dockdesk.dockerfile.tree import Document

# Whose words stand, where several found the same: those with the exact place and the fixes.
_ORDER = {"parser": 0, "dockdesk": 1, "buildkit": 2, "hadolint": 3}


def merge(
    document: Document, *sources: Iterable[Problem], ignores: Ignores | None = None
) -> list[Problem]:
    """The findings of all ``sources`` on ``document``, by line, each once, with its fixes and the one to ignore it.

    The same code under any of its names, within one instruction, is the same finding. Ignores hold for all sources.
    """
    silenced = (ignores or Ignores()).with_document(document)
    unreadable = {each.line for each in document.problems if each.tone == "bad"}
    kept: dict[tuple[str, int], list[Problem]] = {}
    merged: list[Problem] = []
    every = [problem for source in sources for problem in source]
    for problem in sorted(every, key=lambda each: _ORDER.get(each.source, 9)):
        if silenced.silences(problem.code, problem.line):
            continue
        if problem.code == "DL1000" and unreadable:
            continue  # the parser says it better
        if problem.code == "buildkit" and problem.line in unreadable:
            continue  # the engine stumbles over the same
        instruction = document.instruction_at(problem.line)
        key = canonical(problem.code), instruction.first if instruction else problem.line
        before = kept.setdefault(key, [])
        # A source may find a thing twice in an instruction; another source's finding of it is the same.
        if any(each.source != problem.source or each == problem for each in before):
            continue
        before.append(problem)
        if not problem.fixes:
            problem = replace(problem, fixes=offer(document, problem))
        merged.append(problem)
    return sorted(merged, key=lambda each: (each.line, each.column, each.code))
