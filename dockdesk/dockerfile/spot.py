"""Where in the language a cursor stands, in a text that is just being typed."""

from __future__ import annotations

import re

from dockdesk.core.records import dataclass
from dockdesk.dockerfile.shell import SPACES
from dockdesk.dockerfile.tree import Document, Instruction
from dockdesk.dockerfile.vocabulary import KNOWN

_VARIABLE = re.compile(r"(?<!\\)\$(\{?)(\w*)\Z")


@dataclass(frozen=True, slots=True)
class Spot:
    """Everything completion has to know of a place.

    ``keyword`` is empty where one is being typed; ``token`` stands between the last white space and the cursor.
    ``words`` are the arguments before it, ``flags`` the names of flags before it. ``variable`` is the beginning of a
    name after ``$``, or None. ``stage`` is the index of the stage the cursor is in; a FROM being typed is its own.
    """

    keyword: str
    token: str
    words: tuple[str, ...]
    flags: tuple[str, ...]
    line: int
    stage: int | None
    onbuild: bool = False
    before_from: bool = False
    variable: str | None = None
    braced: bool = False
    closed: bool = False
    in_heredoc: bool = False


def find_spot(document: Document, line: int, column: int) -> Spot | None:
    """The spot, or None in comments and past the end."""
    if not 0 <= line < len(document.lines):
        return None
    whole = document.lines[line]
    typed = whole[:column]
    instruction = document.instruction_at(line)
    before_from = not any(stage.line < line for stage in document.stages)
    if instruction is None:
        if typed.lstrip(SPACES).startswith("#"):
            return None
        stage = document.stage_at(line)
        return Spot(
            "",
            typed.lstrip(SPACES),
            (),
            (),
            line,
            stage.index if stage else None,
            before_from=before_from,
        )
    if line > instruction.code_last:
        return _heredoc(instruction, line, typed, whole)
    if line in instruction.skipped and typed.lstrip(SPACES).startswith("#"):
        return None
    head = _head(instruction, line, column)
    return _within(instruction, head, line, whole[column : column + 1], before_from)


def _heredoc(instruction: Instruction, line: int, typed: str, whole: str) -> Spot:
    heredoc = next((each for each in instruction.heredocs if each.first <= line <= each.last), None)
    stage = max(instruction.stage, 0)
    found = _VARIABLE.search(typed)
    if heredoc is None or not heredoc.expand or not found:
        return Spot(instruction.keyword, "", (), (), line, stage, in_heredoc=True)
    closed = whole[len(typed) : len(typed) + 1] == "}"
    return Spot(
        instruction.keyword,
        "",
        (),
        (),
        line,
        stage,
        variable=found[2],
        braced=bool(found[1]),
        closed=closed,
        in_heredoc=True,
    )


def _head(instruction: Instruction, line: int, column: int) -> str:
    """The logical line up to the cursor; on a blank line within it, up to the lines below."""
    length = len(instruction.text)
    offset = length
    pieces = instruction.source.pieces
    for number, (start, piece_line, piece_column) in enumerate(pieces):
        end = pieces[number + 1][0] if number + 1 < len(pieces) else length
        if piece_line == line:
            offset = min(start + max(column - piece_column, 0), end)
            break
        if piece_line > line:
            offset = start
            return instruction.text[:offset] + " "
    return instruction.text[:offset]


def _within(
    instruction: Instruction, head: str, line: int, follower: str, before_from: bool
) -> Spot:
    stage = instruction.stage if instruction.stage >= 0 else None
    chunks = head.split()
    ended = not head or head[-1] in SPACES
    token = "" if ended or not chunks else chunks.pop()
    onbuild = bool(chunks) and chunks[0].upper() == "ONBUILD"
    if onbuild:
        chunks = chunks[1:]
    if not chunks:
        return Spot("", token, (), (), line, stage, onbuild, before_from)
    keyword = chunks[0].upper() if chunks[0].upper() in KNOWN else chunks[0]
    flags: list[str] = []
    rest = chunks[1:]
    while rest and rest[0].startswith("--"):
        flags.append(rest.pop(0)[2:].partition("=")[0])
    if rest and rest[0].startswith("["):
        # Within a JSON array the string being typed is the token.
        token = token.lstrip('["')
    elif token.startswith('["'):
        token = token[2:]
    variable = None
    braced = False
    found = _VARIABLE.search(head)
    if found and not _single_quoted(head):
        variable, braced = found[2], bool(found[1])
    return Spot(
        keyword,
        token,
        tuple(rest),
        tuple(flags),
        line,
        stage,
        onbuild,
        before_from,
        variable,
        braced,
        follower == "}",
    )


def _single_quoted(head: str) -> bool:
    """Whether a single quote is open at the end; one within double quotes is none."""
    quote = ""
    for char in head:
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
    return quote == "'"
