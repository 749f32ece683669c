"""What a Dockerfile consists of, each part with its place.

Places are 0-based (line, column) in code points, ends exclusive. A logical line is what BuildKit sees of an
instruction: its physical lines joined, without continuation characters, comments and blank lines between them.
Source: moby/buildkit, frontend/dockerfile/parser.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Literal, NamedTuple

from dockdesk.core.records import dataclass
from dockdesk.dockerfile.problems import Problem

Form = Literal["none", "words", "whole", "json", "pairs", "shell", "instruction"]


class Place(NamedTuple):
    """A range of the text."""

    line: int
    column: int
    end_line: int
    end_column: int

    def holds(self, line: int, column: int) -> bool:
        """Whether a cursor there touches it; being at its end counts."""
        return self[:2] <= (line, column) <= self[2:]


# What a named tuple's constructor calls; a long file makes ten thousand of them at every key.
_new = tuple.__new__


class Source:
    """Where each piece of a logical line stands: ``pieces`` are (offset in it, line, column), ordered."""

    __slots__ = ("line", "offsets", "pieces", "shift")

    def __init__(self, pieces: list[tuple[int, int, int]]) -> None:
        self.pieces = pieces
        self.offsets = [piece[0] for piece in pieces] if len(pieces) > 1 else None
        self.line, self.shift = pieces[0][1:]

    def at(self, offset: int) -> tuple[int, int]:
        """The (line, column) of a character of the logical line."""
        if self.offsets is None:
            return self.line, self.shift + offset
        start, line, column = self.pieces[bisect_right(self.offsets, offset) - 1]
        return line, column + offset - start

    def place(self, start: int, end: int) -> Place:
        if self.offsets is None:
            return _new(Place, (self.line, start + self.shift, self.line, end + self.shift))
        found = bisect_right(self.offsets, start) - 1
        first, line, column = self.pieces[found]
        column += start - first
        if end <= start:
            return Place(line, column, line, column)
        if found + 1 == len(self.pieces) or end <= self.offsets[found + 1]:
            return _new(Place, (line, column, line, column + end - start))
        end_line, end_column = self.at(end - 1)
        return Place(line, column, end_line, end_column + 1)

    def offset(self, line: int, column: int) -> int | None:
        """The offset in the logical line of a place, or None for lines that are no part of it."""
        for start, piece_line, piece_column in reversed(self.pieces):
            if piece_line == line:
                return start + max(column - piece_column, 0)
        return None


class Word(NamedTuple):
    """A word as written (quotes kept), in a JSON form decoded; ``start`` and ``end`` are logical offsets."""

    text: str
    start: int
    end: int
    source: Source

    @property
    def place(self) -> Place:
        return self.source.place(self.start, self.end)


class Option(NamedTuple):
    """One ``key=value`` of ``--mount``; ``value`` is None where there is no ``=``. Keys are lower case."""

    key: str
    value: str | None
    start: int
    end: int
    source: Source

    @property
    def place(self) -> Place:
        return self.source.place(self.start, self.end)


class Flag(NamedTuple):
    """``--name=value``, its quotes removed as BuildKit does; ``value`` is None where there is no ``=``."""

    name: str
    value: str | None
    start: int
    end: int
    source: Source
    options: tuple[Option, ...] = ()

    @property
    def place(self) -> Place:
        return self.source.place(self.start, self.end)

    def option(self, *keys: str) -> Option | None:
        return next((option for option in self.options if option.key in keys), None)


class Pair(NamedTuple):
    """A name and its value as written; ``separator`` is ``=``, or empty for ``ENV name value`` and a bare ARG."""

    name: str
    value: str | None
    separator: str
    start: int
    name_end: int
    value_start: int
    end: int
    source: Source

    @property
    def name_place(self) -> Place:
        return self.source.place(self.start, self.name_end)

    @property
    def value_place(self) -> Place | None:
        return None if self.value is None else self.source.place(self.value_start, self.end)


class Heredoc(NamedTuple):
    """``<<NAME``: ``content`` lies on lines ``first`` to ``last - 1``, ``last`` is the terminator's line.

    ``expand`` is False where a part of the name is quoted; ``chomp`` is ``<<-``: leading tabs do not count. Without a
    terminator ``last`` is one past the text's last line.
    """

    name: str
    descriptor: int
    expand: bool
    chomp: bool
    content: str
    place: Place
    first: int
    last: int
    terminated: bool


class Comment(NamedTuple):
    """A comment line's text without ``#`` and spaces around."""

    text: str
    line: int


class Directive(NamedTuple):
    """A parser directive: ``# name=value`` at the top; names are lower case."""

    name: str
    value: str
    line: int
    place: Place
    value_place: Place


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    ``keyword`` is upper case, ``written`` as typed. ``first`` to ``last`` are its lines with heredoc bodies,
    ``code_last`` the last one before those. ``text`` is the logical line, the keyword begins at its offset ``start``;
    ``rest`` is what follows the flags, from ``rest_start``. ``form`` says how ``arguments`` are to be read: ``words``
    (split at white space), ``whole`` (one), ``json``, ``shell`` (one, for a shell), ``pairs`` (see ``pairs``),
    ``instruction`` (ONBUILD, see ``inner``). HEALTHCHECK's first argument is CMD or NONE. ``skipped`` are comments and
    blank lines between its lines. ``stage`` is an index, -1 before the first FROM.
    """

    keyword: str
    written: str
    first: int
    last: int
    code_last: int
    place: Place
    text: str
    rest: str
    rest_start: int
    flags: tuple[Flag, ...]
    arguments: tuple[Word, ...]
    form: Form
    pairs: tuple[Pair, ...]
    heredocs: tuple[Heredoc, ...]
    comments: tuple[Comment, ...]
    skipped: tuple[int, ...]
    inner: Instruction | None
    stage: int
    source: Source
    start: int

    @property
    def code_place(self) -> Place:
        """From the keyword to the end of what it is given, without heredoc bodies."""
        return self.source.place(self.start, max(self.rest_start + len(self.rest), self.start))

    def flag(self, name: str) -> Flag | None:
        """The first flag of that name (without dashes)."""
        return next((flag for flag in self.flags if flag.name == name), None)


class Input(NamedTuple):
    """What a stage takes from elsewhere.

    ``name`` is as written: a stage's name or number, an image, a named context, or empty for the build context;
    ``stage`` is the stage's index where it is one.
    """

    kind: Literal["from", "copy", "add", "mount"]
    name: str
    stage: int | None
    line: int
    place: Place


@dataclass(frozen=True, slots=True)
class Stage:
    """A build stage: lines ``line`` (its FROM) to ``last``; ``name`` lower case or empty; ``base`` as written."""

    index: int
    name: str
    base: str
    platform: str
    line: int
    last: int
    instruction: Instruction
    instructions: tuple[Instruction, ...]
    inputs: tuple[Input, ...]
    base_stage: int | None


@dataclass(frozen=True, slots=True)
class Document:
    """A read Dockerfile; ``str()`` gives the text back. ``lines`` are split at LF alone, a CR stays with its line."""

    text: str
    lines: tuple[str, ...]
    escape: str
    directives: tuple[Directive, ...]
    instructions: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    problems: tuple[Problem, ...]
    comments: tuple[Comment, ...]

    def __str__(self) -> str:
        return self.text

    def instruction_at(self, line: int) -> Instruction | None:
        """The instruction on that line, heredoc bodies and lines between its lines included."""
        found = bisect_right(self.instructions, line, key=lambda each: each.first) - 1
        if found < 0 or self.instructions[found].last < line:
            return None
        return self.instructions[found]

    def stage_at(self, line: int) -> Stage | None:
        """The stage that line belongs to: the one of the nearest FROM above."""
        found = bisect_right(self.stages, line, key=lambda each: each.line) - 1
        return self.stages[found] if found >= 0 else None

    def stage_named(self, name: str, before: int | None = None) -> Stage | None:
        """The last stage of that name among those with an index below ``before``; case does not count."""
        wanted = name.lower()
        candidates = self.stages[:before]
        return next((stage for stage in reversed(candidates) if stage.name == wanted), None)

    def directive(self, name: str) -> Directive | None:
        return next((each for each in self.directives if each.name == name), None)
