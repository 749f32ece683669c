"""Turning lines into comments and back, so that what is left is still a Dockerfile.

A comment within a continued instruction vanishes, but one in place of its last line would let the line above swallow
the next instruction; and half an instruction is none. So whole instructions go together, and continuations follow.
"""

from __future__ import annotations

from dockdesk.dockerfile.shell import SPACES
from dockdesk.dockerfile.syntax import parse
from dockdesk.dockerfile.tree import Document, Instruction
from dockdesk.dockerfile.vocabulary import KNOWN


def toggle_comment(text: str, first: int, last: int) -> str:
    """``text`` with lines ``first`` to ``last`` (both 0-based, included) turned into comments, or back if all are.

    Where the first line of an instruction is among them, its other lines and heredocs go along; where its last line is,
    the line left last loses its continuation, and gets it back when that comment is turned into code again.
    """
    document = parse(text)
    lines = list(document.lines)
    rows = {
        row for row in range(max(first, 0), min(last + 1, len(lines))) if lines[row].strip(SPACES)
    }
    if not rows:
        return text
    directives = {directive.line for directive in document.directives}
    if all(
        row not in directives and lines[row].lstrip(SPACES + "\ufeff")[:1] == "#" for row in rows
    ):
        return _uncommented(document, lines, rows)
    return _commented(document, lines, rows)


def _commented(document: Document, lines: list[str], rows: set[int]) -> str:
    for instruction in document.instructions:
        own = set(range(instruction.first, instruction.last + 1))
        if instruction.first in rows:
            rows |= {row for row in own if lines[row].strip(SPACES) or row > instruction.code_last}
        elif own & rows:
            _comment_part(instruction, document.escape, lines, rows)
    indent = min(_indentation(lines[row]) for row in rows if lines[row].strip(SPACES))
    for row in rows:
        at = min(indent, len(lines[row].rstrip("\r")))
        at += lines[row].startswith("\ufeff")
        mark = "# " if lines[row].strip(SPACES) else "#"
        lines[row] = lines[row][:at] + mark + lines[row][at:]
    return "\n".join(lines)


def _comment_part(instruction: Instruction, escape: str, lines: list[str], rows: set[int]) -> None:
    """Take care of an instruction whose first line stays."""
    for heredoc in instruction.heredocs:
        if heredoc.place.line in rows:
            rows |= set(range(heredoc.first, min(heredoc.last + 1, len(lines))))
        else:
            rows.discard(heredoc.last if heredoc.terminated else -1)
    coded = [piece[1] for piece in instruction.source.pieces]
    left = [row for row in coded if row not in rows]
    if left and left[-1] != coded[-1]:
        row = left[-1]
        end = "\r" if lines[row].endswith("\r") else ""
        kept = lines[row].rstrip("\r").rstrip(" \t")
        lines[row] = kept.removesuffix(escape).rstrip(" \t") + end


def _indentation(line: str) -> int:
    bare = line.removeprefix("\ufeff")
    return len(bare) - len(bare.lstrip(SPACES))


def _uncommented(document: Document, lines: list[str], rows: set[int]) -> str:
    orphans = set()
    for row in rows:
        start = lines[row].index("#")
        end = start + 2 if lines[row].startswith("# ", start) else start + 1
        body = lines[row][end:]
        if start or not body[:1].isalpha():
            orphans.add(row)
        lines[row] = lines[row][:start] + body
    text = "\n".join(lines)
    for _ in rows:
        above = _continued_from(parse(text), orphans)
        if above is None:
            break
        ending = "\r" if lines[above].endswith("\r") else ""
        lines[above] = f"{lines[above].rstrip()} {document.escape}{ending}"
        text = "\n".join(lines)
    return text


def _continued_from(document: Document, orphans: set[int]) -> int | None:
    """The line that should continue onto one of ``orphans``, which is no instruction by itself."""
    above: Instruction | None = None
    for instruction in document.instructions:
        if (
            above
            and instruction.first in orphans
            and instruction.keyword not in KNOWN
            and not above.heredocs
            and _adjoin(document, above.code_last, instruction.first)
        ):
            return above.source.pieces[-1][1]
        above = instruction
    return None


def _adjoin(document: Document, above: int, below: int) -> bool:
    between = document.lines[above + 1 : below]
    return all(line.lstrip(SPACES).startswith("#") for line in between)
