"""Collecting what the rules find, and making the edits of their fixes."""

from __future__ import annotations

from collections.abc import Iterable

from dockdesk.dockerfile.lint.catalog import RULES, url_of
from dockdesk.dockerfile.problems import Edit, Fix, Problem
from dockdesk.dockerfile.tree import Document, Instruction, Place


class Findings:
    """Findings on one document."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[Problem] = []

    def add(
        self, place: Place, code: str, message: str, fixes: Iterable[Fix] = (), why: str = ""
    ) -> None:
        rule = RULES[code]
        self.found.append(
            Problem(
                *place,
                code=code,
                tone=rule.tone,
                message=message,
                why=why or rule.why,
                source="dockdesk",
                url=url_of(code),
                fixes=tuple(fixes),
            )
        )


def keyword_place(instruction: Instruction) -> Place:
    """Where the keyword stands."""
    line, column = instruction.source.at(0)
    return Place(line, column, line, column + len(instruction.written))


def replace(place: Place, text: str) -> Edit:
    return Edit(*place, text)


def insert(instruction: Instruction, offset: int, text: str) -> Edit:
    """Insert before the character at ``offset`` of the logical line."""
    line, column = instruction.source.at(offset)
    return Edit(line, column, line, column, text)


def insert_after(instruction: Instruction, offset: int, text: str) -> Edit:
    """Insert behind the character before ``offset``: at a continuation the two are on different lines."""
    line, column = instruction.source.at(offset - 1)
    return Edit(line, column + 1, line, column + 1, text)


def insert_line(line: int, text: str) -> Edit:
    """A new line above ``line``."""
    return Edit(line, 0, line, 0, text + "\n")


def append_line(document: Document, after: Instruction, text: str) -> tuple[Edit, ...]:
    """A new line below an instruction, also where the text's last line has no end.

    Empty where the line would become part of the instruction, which is not finished yet.
    """
    unfinished = any(not each.terminated for each in after.heredocs)
    if unfinished or _continues(document, after):
        return ()
    if after.last + 1 >= len(document.lines):
        end = len(document.lines[after.last])
        return (Edit(after.last, end, after.last, end, "\n" + text),)
    return (insert_line(after.last + 1, text),)


def _continues(document: Document, instruction: Instruction) -> bool:
    """Whether its last line asks for another one, which the text does not have."""
    lines = {line for _, line, _ in instruction.source.pieces}
    line = document.lines[max(lines)].rstrip()
    return line.endswith(document.escape) and not line.endswith(document.escape * 2)


def whole_lines(document: Document, instruction: Instruction) -> tuple[int, int, int, int]:
    """The range of an instruction's lines with the line feed behind them."""
    if instruction.last + 1 < len(document.lines):
        return instruction.first, 0, instruction.last + 1, 0
    if instruction.first == 0:
        return 0, 0, instruction.last, len(document.lines[instruction.last])
    before = instruction.first - 1
    return (
        before,
        len(document.lines[before]),
        instruction.last,
        len(document.lines[instruction.last]),
    )


def lines_text(document: Document, instruction: Instruction) -> str:
    """An instruction's lines as they stand, without the last line feed."""
    return "\n".join(document.lines[instruction.first : instruction.last + 1])


def indent_of(document: Document, line: int) -> str:
    text = document.lines[line]
    return text[: len(text) - len(text.lstrip())]
