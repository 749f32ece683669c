"""Making a Dockerfile tidy without changing what it means, and turning lines into comments and back.

What a formatter may touch is less than it seems: white space within quotes, in ``ENV name value`` or in a path counts,
and a joined line has no line feeds. So lines are indented anew only where white space surely separates, and what cannot
be told stays as it is. Source of what counts: moby/buildkit, frontend/dockerfile/parser.
"""

from __future__ import annotations

import re
from itertools import pairwise

from dockdesk.dockerfile.comments import toggle_comment
from dockdesk.dockerfile.quoting import Quoting
from dockdesk.dockerfile.shell import SPACES
from dockdesk.dockerfile.syntax import parse
from dockdesk.dockerfile.tree import Document, Instruction, Word
from dockdesk.dockerfile.vocabulary import KNOWN, SHELL_FORMS

__all__ = ["INDENT", "format_document", "toggle_comment"]

INDENT = 4
_GAP = re.compile(r"[ \t\v\f]+(?=[^ \t\v\f\r])")


def format_document(text: str) -> str:
    """``text`` tidied; doing it again changes nothing, and the build of the result is the build of ``text``.

    Keywords in capitals with one space after them, continued lines indented by four (deeper ones keep their distance),
    no spaces at the end of lines, one blank line before a stage and never two in a row, none within an instruction.
    Comments and heredocs keep their text.
    """
    document = parse(text)
    if not document.instructions:
        return text
    lines = list(document.lines)
    dropped: set[int] = set()
    for instruction in document.instructions:
        _format_instruction(instruction, document.escape, lines, dropped)
    result = "\n".join(_spaced(document, lines, dropped))
    if any(not heredoc.terminated for heredoc in document.instructions[-1].heredocs):
        return result
    return result.rstrip("\r\n") + ("\r\n" if document.lines[0].endswith("\r") else "\n")


def _format_instruction(
    instruction: Instruction, escape: str, lines: list[str], dropped: set[int]
) -> None:
    pieces = instruction.source.pieces
    breaks = _breaks(instruction, escape)
    free = [line for (_, line, _), loose in zip(pieces[1:], breaks, strict=True) if loose]
    shift = INDENT - min((_width(lines[line]) for line in free), default=0)
    for line in free:
        lines[line] = " " * (_width(lines[line]) + shift) + lines[line].lstrip(" \t")
    for number, (_, line, column) in enumerate(pieces):
        lines[line] = _trimmed(lines[line], escape, number < len(breaks) and breaks[number])
        if number == 0:
            bom = "\ufeff" if lines[line].startswith("\ufeff") else ""
            lines[line] = bom + lines[line][column:]
    for line in instruction.skipped:
        body = lines[line].strip(SPACES)
        if not body:
            dropped.add(line)
        elif free:
            lines[line] = " " * INDENT + lines[line].lstrip(SPACES)
    _tidy_words(instruction, lines)


def _breaks(instruction: Instruction, escape: str) -> list[bool]:
    """For each place where a line continues: whether white space there only separates, and there is some."""
    offsets = [piece[0] for piece in instruction.source.pieces[1:]]
    if not offsets:
        return []
    text = instruction.text
    inner = instruction.inner or instruction
    value = inner.rest_start
    flags = Quoting(text[:value], "words", escape)
    values = Quoting(text[value:], _style(inner), escape)
    found = []
    for offset in offsets:
        around = text[max(offset - 1, 0) : offset + 1]
        if not text[:offset].strip(SPACES) or not (" " in around or "\t" in around):
            found.append(False)
        elif offset <= value:
            found.append(flags.free(offset))
        else:
            found.append(not _verbatim(inner) and values.free(offset - value))
    return found


def _style(instruction: Instruction) -> str:
    if instruction.form == "json":
        return "json"
    if instruction.keyword in SHELL_FORMS:
        return "shell"
    return "list" if instruction.form == "words" else "words"


def _verbatim(instruction: Instruction) -> bool:
    """Whether all white space is a part of the value: one whole argument, ``ENV name value``, or unknown."""
    if instruction.form == "whole" or instruction.keyword not in KNOWN:
        return True
    legacy = instruction.keyword in ("ENV", "LABEL")
    return legacy and any(not pair.separator for pair in instruction.pairs)


def _width(line: str) -> int:
    """The width of the indentation, a tab being four."""
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    return sum(INDENT if char == "\t" else 1 for char in indentation)


def _trimmed(line: str, escape: str, loose: bool) -> str:
    """Without spaces at the end; before a continuation one space where white space only separates."""
    bare = line.rstrip("\r")
    end = "\r" if bare != line else ""
    kept = bare.rstrip(" \t")
    if kept.endswith("\r"):
        return line
    if loose and kept.endswith(escape):
        before = kept[:-1].rstrip(" \t")
        if before and before != kept[:-1] and not before.endswith((escape, "\\")):
            kept = f"{before} {escape}"
    return kept + end


def _tidy_words(instruction: Instruction, lines: list[str]) -> None:
    """Capitals for keywords and one space after each, on the first line, which begins with the keyword now."""
    first = instruction.first
    line = lines[first]
    base = instruction.source.pieces[0][2] - line.startswith("\ufeff")
    edits: list[tuple[int, int, str]] = []
    each: Instruction | None = instruction
    while each and each.keyword in KNOWN:
        place = each.place
        if place.line == first == place.end_line:
            end = place.end_column - base
            gap = _GAP.match(line, end)
            edits.append(
                (place.column - base, gap.end() if gap else end, each.keyword + " " * bool(gap))
            )
        word = _second_keyword(each)
        if word and word.place.line == first == word.place.end_line:
            edits.append(
                (word.place.column - base, word.place.end_column - base, word.text.upper())
            )
        edits += _gaps(each, first, base)
        each = each.inner
    for start, end, new in sorted(edits, reverse=True):
        line = line[:start] + new + line[end:]
    lines[first] = line


def _gaps(instruction: Instruction, first: int, base: int) -> list[tuple[int, int, str]]:
    """One space between flags and words that stand on the first line, where white space always separates."""
    places = [flag.place for flag in instruction.flags]
    if instruction.form == "words":
        places += [word.place for word in instruction.arguments]
    edits = []
    for left, right in pairwise(places):
        if left.end_line == right.line == first and left.end_column + 1 != right.column:
            edits.append((left.end_column - base, right.column - base, " "))
    return edits


def _second_keyword(instruction: Instruction) -> Word | None:
    """FROM's AS, HEALTHCHECK's CMD or NONE."""
    words = instruction.arguments
    if instruction.keyword == "FROM" and len(words) == 3 and words[1].text.lower() == "as":
        return words[1]
    if instruction.keyword == "HEALTHCHECK" and words and words[0].text.lower() in ("cmd", "none"):
        return words[0]
    return None


def _spaced(document: Document, lines: list[str], dropped: set[int]) -> list[str]:
    """All lines with blank ones set right between instructions: one before a stage, never two in a row."""
    inside: set[int] = set()
    for instruction in document.instructions:
        inside.update(range(instruction.first, instruction.last + 1))
    openings = {_block_start(document, stage.line, inside) for stage in document.stages}
    openings.discard(_block_start(document, document.instructions[0].first, inside))
    end = "\r" if document.lines[0].endswith("\r") else ""
    kept: list[str] = []
    blank_before = False
    for number, line in enumerate(lines):
        if number in dropped:
            continue
        blank = number not in inside and not line.strip(SPACES)
        if blank and blank_before:
            continue
        if number in openings and kept and not blank_before:
            kept.append(end)
        if blank:
            line = end if number < len(lines) - 1 else ""
        kept.append(line)
        blank_before = blank
    return kept


def _block_start(document: Document, line: int, inside: set[int]) -> int:
    """The first of the comment lines right above an instruction, else its own line."""
    directives = {directive.line for directive in document.directives}
    while line > 0 and line - 1 not in inside and line - 1 not in directives:
        if not document.lines[line - 1].lstrip(SPACES).startswith("#"):
            break
        line -= 1
    return line
