"""What is not to be told: inline comments, BuildKit's `check` directive, and .hadolint.yaml.

Above an instruction: `# hadolint ignore=DL3008,SC2086` and `# dockdesk ignore=DD014`; for a whole file
`# hadolint global ignore=…` and, at the top, `# check=skip=StageNameCasing`. A finding is silenced by any of its names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockdesk.core.records import dataclass
from dockdesk.dockerfile.lint.catalog import RULES, codes
from dockdesk.dockerfile.problems import Edit, Fix, Problem
from dockdesk.dockerfile.tree import Document

_INLINE = re.compile(r"(?:hadolint|dockdesk)\s+(global\s+)?ignore\s*=\s*([A-Za-z0-9_,\s-]+)")
_SKIP = re.compile(r"skip\s*=\s*([A-Za-z0-9_,\s]+)")
CONFIG_NAMES = (".hadolint.yaml", ".hadolint.yml")
LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Ignores:
    """Codes that are silenced in the whole file, and by line; `all_checks` is `# check=skip=all`."""

    everywhere: frozenset[str] = frozenset()
    by_line: tuple[tuple[int, int, frozenset[str]], ...] = ()
    all_checks: bool = False

    def with_document(self, document: Document) -> Ignores:
        """These and what the document itself silences."""
        everywhere = set(self.everywhere)
        by_line = list(self.by_line)
        for comment in document.comments:
            found = _INLINE.match(comment.text)
            if found and found[1]:
                everywhere |= _split(found[2])
        for instruction in document.instructions:
            for comment in instruction.comments:
                found = _INLINE.match(comment.text)
                if found and not found[1]:
                    by_line.append((instruction.first, instruction.last, _split(found[2])))
        directive = document.directive("check")
        skip = _SKIP.search(directive.value) if directive else None
        skipped = _split(skip[1]) if skip else frozenset()
        everywhere |= skipped
        return Ignores(frozenset(everywhere), tuple(by_line), self.all_checks or "all" in skipped)

    def silences(self, code: str, line: int) -> bool:
        """Whether a finding of that code on that line (from 0) is not to be told."""
        names = codes(code)
        if names & self.everywhere:
            return True
        if self.all_checks and any(name in RULES and not name.startswith("DD") for name in names):
            return True
        return any(first <= line <= last and names & silent for first, last, silent in self.by_line)


def _split(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in re.split(r"[,\s]+", text) if part.strip())


def from_config(text: str) -> Ignores:
    """What the `ignored` of a .hadolint.yaml silences; nothing where it is no such file."""
    import yaml  # takes a while, and few projects have such a file

    try:
        read: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return Ignores()
    if not isinstance(read, Mapping) or not isinstance(read.get("ignored"), list):
        return Ignores()
    return Ignores(frozenset(code for code in read["ignored"] if isinstance(code, str)))


def load(folder: Path) -> Ignores:
    """From the folder's .hadolint.yaml; reads the disk. A file that can't be read silences nothing."""
    for name in CONFIG_NAMES:
        try:
            with open(folder / name, encoding="utf-8", errors="replace") as file:
                return from_config(file.read(LIMIT))
        except OSError:
            continue
    return Ignores()


def offer(document: Document, problem: Problem) -> tuple[Fix, ...]:
    """The fix that silences a finding; none for what fails the build anyway."""
    if problem.tone == "bad" or problem.code == "DL1000":
        return ()
    code = problem.code
    if code.startswith(("DL", "SC")):
        return _inline(document, problem, "hadolint", code)
    rule = RULES.get(code)
    if rule is None:
        return ()
    if code.startswith("DD"):
        outside = next((name for name in rule.same if name.startswith("DL")), "")
        return _inline(document, problem, "hadolint" if outside else "dockdesk", outside or code)
    return _directive(document, code)


def _inline(document: Document, problem: Problem, whose: str, code: str) -> tuple[Fix, ...]:
    instruction = document.instruction_at(problem.line)
    if instruction is None:
        return ()
    title = f"Ignore {code} here"
    for comment in instruction.comments:
        found = re.match(rf"{whose}\s+ignore\s*=\s*[A-Za-z0-9_,\s]+", comment.text)
        if found:
            written = document.lines[comment.line].rstrip("\r")
            end = written.find(found[0].rstrip()) + len(found[0].rstrip())
            return (Fix(title, (Edit(comment.line, end, comment.line, end, f",{code}"),)),)
    line = instruction.first
    text = document.lines[line]
    indent = text[: len(text) - len(text.lstrip())]
    return (Fix(title, (Edit(line, 0, line, 0, f"{indent}# {whose} ignore={code}\n"),)),)


def _directive(document: Document, code: str) -> tuple[Fix, ...]:
    title = f"Ignore {code} in this file"
    known = document.directive("check")
    if known is not None:
        skip = re.search(r"skip\s*=\s*[A-Za-z0-9_,]*", known.value)
        place = known.value_place
        if skip:
            at = place.column + skip.end()
            return (Fix(title, (Edit(place.line, at, place.line, at, f",{code}"),)),)
        edit = Edit(place.line, place.column, place.line, place.column, f"skip={code};")
        return (Fix(title, (edit,)),)
    line = max((each.line + 1 for each in document.directives), default=0)
    if line >= len(document.lines):
        return ()
    column = 1 if line == 0 and document.text.startswith("\ufeff") else 0
    if document.text.lstrip("\ufeff").startswith("#!") and line == 0:
        line, column = 1, 0
    return (Fix(title, (Edit(line, column, line, column, f"# check=skip={code}\n"),)),)
