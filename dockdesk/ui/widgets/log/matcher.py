"""Matching text in blocks of log rows, plain or by regular expression.

Expressions run in the `regex` package, not in `re`: it gives up the interpreter lock while it matches, and stops at a
deadline. So an expression that would backtrack for ever ends with an error at its field and freezes nothing. A helper
process would do that too, but it would need a second copy of the log.
"""

from __future__ import annotations

import re
import time
from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.logs.ansi import safe_text, strip_escapes
from dockdesk.core.logs.blocks import Block
from dockdesk.core.records import dataclass

if TYPE_CHECKING:
    import regex

BLOCK_SECONDS = 2.0
"""How long an expression may work on one block (256 KiB, usually done in a millisecond)."""

MAX_LENGTH = 1000
SPARSE = 64
"""Blocks with more hits than this are marked as a whole at the scroll bar."""

_BY_LINE = re.compile(r"\\[AZz]|\(\?<?[!=]|\(\?P?<?[a-zA-Z]*-?[a-zA-Z]*s")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SearchSpec:
    """What to look for. ``case``: capitals matter; ``expression``: it is a regular expression."""

    text: str
    case: bool = False
    expression: bool = False


class Hit(NamedTuple):
    """One hit: characters ``start`` to ``end`` of the shown text of a row, and its place among the block's hits."""

    row: int
    start: int
    end: int
    block: int
    ordinal: int


class Scan(NamedTuple):
    """What a scan found in a block, known by its first row.

    ``rows`` are indexes in the block of the rows with a hit; None if there are hits but nobody needs them one by one.
    ``marks`` are the stretches of rows (first, end) to mark at the scroll bar.
    """

    block: int
    scanned: int
    hits: int
    rows: array[int] | None
    marks: Sequence[Span]


def scan_of(block: Block, hits: int, rows: array[int] | None) -> Scan:
    """A scan with its marks made: many hits in a block come down to at most SPARSE stretches."""
    first = block.first_row
    marks: Sequence[Span] = ()
    if rows is None:
        marks = ((first, first + block.rows),)
    elif len(rows) <= SPARSE:
        marks = [(first + row, first + row + 1) for row in rows]
    else:
        step = -(-block.rows // SPARSE)
        marks = [
            (first + part * step, first + (part + 1) * step)
            for part in sorted({row // step for row in rows})
        ]
    return Scan(first, block.rows, hits, rows, marks)


class Matcher(Protocol):
    """Finds hits. All but ``spans`` of a ``quick`` one are for worker threads."""

    quick: bool

    def scan(self, block: Block, every_row: bool) -> Scan:
        """Count the hits in a block. Raises InvalidInputError when it takes too long."""

    def rows(self, block: Block) -> array[int]:
        """The indexes of the rows with a hit."""

    def spans(self, text: str) -> list[Span]:
        """The hits in the text of one row, as it is shown."""


def make_matcher(spec: SearchSpec) -> Matcher:
    """Raises InvalidInputError, with what is wrong in its title, for an expression that is none."""
    if len(spec.text) > MAX_LENGTH:
        raise InvalidInputError("That is too long to search for", field="search")
    if not spec.expression and (spec.case or spec.text.isascii()):
        return PlainMatcher(spec)
    import regex  # of a size that a log nobody searches can do without

    pattern = spec.text if spec.expression else regex.escape(spec.text, literal_spaces=True)
    flags = regex.MULTILINE if spec.case else regex.MULTILINE | regex.IGNORECASE
    try:
        compiled = regex.compile(pattern, flags)
    except (regex.error, RecursionError, OverflowError, MemoryError, ValueError) as error:
        raise InvalidInputError(_compile_problem(error), field="search") from error
    return ExpressionMatcher(compiled, not spec.expression)


def hits_in(matcher: Matcher, block: Block) -> list[Hit]:
    """All hits in a block, in order. For worker threads."""
    found: list[Hit] = []
    rows = matcher.rows(block)
    lines = block.data.split(b"\n")
    for index in rows:
        for start, end in matcher.spans(safe_text(lines[index])):
            found.append(Hit(block.first_row + index, start, end, block.first_row, len(found)))
    return found


class PlainMatcher:
    """Looks for text as it stands, byte by byte; capitals may be ignored for ASCII."""

    quick = True

    def __init__(self, spec: SearchSpec) -> None:
        self._fold = not spec.case
        text = spec.text.lower() if self._fold else spec.text
        self._needle = text.encode("utf-8", "replace")
        flags = re.IGNORECASE | re.ASCII if self._fold else 0
        self._pattern = re.compile(re.escape(spec.text), flags)

    def _searched(self, block: Block) -> bytes:
        data = strip_escapes(block.data)
        return data.lower() if self._fold else data

    def scan(self, block: Block, every_row: bool) -> Scan:
        data = self._searched(block)
        hits = data.count(self._needle)
        rows: array[int] | None = array("I")
        if hits > SPARSE and not every_row:
            rows = None
        elif hits:
            rows = self._rows(data)
        return scan_of(block, hits, rows)

    def rows(self, block: Block) -> array[int]:
        return self._rows(self._searched(block))

    def _rows(self, data: bytes) -> array[int]:
        needle = self._needle
        return array("I", [at for at, line in enumerate(data.split(b"\n")) if needle in line])

    def spans(self, text: str) -> list[Span]:
        return [match.span() for match in self._pattern.finditer(text)]


class ExpressionMatcher:
    """Looks for a regular expression, row by row: a hit never spans two rows, and empty ones don't count."""

    def __init__(self, pattern: regex.Pattern[str], literal: bool = False) -> None:
        self._pattern = pattern
        self._by_line = _BY_LINE.search(pattern.pattern) is not None
        self.quick = literal

    def scan(self, block: Block, every_row: bool) -> Scan:
        rows = array("I")
        hits = 0
        for row, _, _ in self._matches(block):
            hits += 1
            if (every_row or hits <= SPARSE) and (not rows or rows[-1] != row):
                rows.append(row)
        dense = hits > SPARSE and not every_row
        return scan_of(block, hits, None if dense else rows)

    def rows(self, block: Block) -> array[int]:
        found = self.scan(block, every_row=True).rows
        return found if found is not None else array("I")

    def spans(self, text: str) -> list[Span]:
        with _Deadline() as deadline:
            found = self._pattern.finditer(text, timeout=deadline.left)
            return [match.span() for match in found if match.end() > match.start()]

    def _matches(self, block: Block) -> Iterator[tuple[int, int, int]]:
        """Row index, first and end column of every hit, in order."""
        text = strip_escapes(block.data).decode("utf-8", "replace")
        with _Deadline() as deadline:
            first = column = 0
            if not self._by_line:
                for row, start, end in self._matches_at_once(text, deadline):
                    if row < 0:
                        first, column = start, end
                        break
                    yield row, start, end
                else:
                    return
            yield from self._matches_by_line(text, first, column, deadline)

    def _matches_at_once(self, text: str, deadline: _Deadline) -> Iterator[tuple[int, int, int]]:
        """The same over the whole text, which is faster.

        Where a match would span rows it ends with (-1, row, column): go on from there by line.
        """
        row = line = 0
        for match in self._pattern.finditer(text, timeout=deadline.left):
            start, end = match.span()
            if start == end:
                continue
            newlines = text.count("\n", line, start)
            if newlines:
                row += newlines
                line = text.rfind("\n", line, start) + 1
            if text.find("\n", start, end) >= 0:
                yield -1, row, start - line
                return
            yield row, start - line, end - line

    def _matches_by_line(
        self, text: str, first: int, column: int, deadline: _Deadline
    ) -> Iterator[tuple[int, int, int]]:
        lines = text.split("\n")
        for row in range(first, len(lines) - 1):
            for match in self._pattern.finditer(lines[row], timeout=deadline.left):
                start, end = match.span()
                if end > start and (row > first or start >= column):
                    yield row, start, end


class _Deadline:
    """Turns a timeout of the matching inside into words for the user."""

    def __enter__(self) -> _Deadline:
        self._until = time.monotonic() + BLOCK_SECONDS
        return self

    @property
    def left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, TimeoutError | MemoryError):
            raise InvalidInputError(
                "This expression takes too long",
                "It was stopped: on some line it has too many ways to match.",
                "Repeat less inside of what is repeated, such as a+ instead of (a+)+.",
                field="search",
            ) from error


def _compile_problem(error: Exception) -> str:
    """What is wrong with an expression, as one line."""
    import regex

    if isinstance(error, regex.error):
        text = str(error)
        return f"Not a regular expression: {text}"
    return "This expression is too complex"
