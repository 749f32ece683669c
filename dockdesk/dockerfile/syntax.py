"""Reading a Dockerfile: `parse` never raises and loses nothing, whatever the text.

It follows BuildKit's parser to the letter, quirks included (a quote that never closes hides a heredoc; a blank line
within a continued instruction does not end it): an editor that read a file otherwise than the builder would mislead.
Source: moby/buildkit, frontend/dockerfile/parser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockdesk.dockerfile import faults, stage_faults
from dockdesk.dockerfile.notes import Notes
from dockdesk.dockerfile.shell import SPACES, ExpansionError
from dockdesk.dockerfile.stages import collect
from dockdesk.dockerfile.tree import (
    Comment,
    Directive,
    Document,
    Flag,
    Form,
    Heredoc,
    Input,
    Instruction,
    Option,
    Pair,
    Place,
    Source,
    Stage,
    Word,
)
from dockdesk.dockerfile.vocabulary import DIRECTIVES, HEREDOCS
from dockdesk.dockerfile.words import (
    GAP,
    NotStringsError,
    Piece,
    flag_words,
    heredoc_words,
    json_words,
    quoted_words,
    runs,
)

__all__ = [
    "Comment",
    "Directive",
    "Document",
    "Flag",
    "Heredoc",
    "Input",
    "Instruction",
    "Option",
    "Pair",
    "Place",
    "Source",
    "Stage",
    "Word",
    "parse",
]

_DIRECTIVE = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z")
_CSV = re.compile(r'(?:"(?:[^"]|"")*"?|[^,"]+)+')
_WHOLE = frozenset(("MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"))
_SPLIT = frozenset(("FROM", "EXPOSE"))
_JSON_OR_WORDS = frozenset(("ADD", "COPY", "VOLUME"))
_JSON_OR_SHELL = frozenset(("RUN", "CMD", "ENTRYPOINT", "SHELL"))


def parse(text: str) -> Document:
    """Read ``text``, whatever it is; what is wrong with it is in ``problems``, in the order of the lines."""
    return _Reader(text).read()


class _Reader:
    """One reading of one text, line by line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.split("\n")
        # A last line feed ends a line, it begins none.
        self.count = len(self.lines) - (self.lines[-1] == "")
        self.escape = "\\"
        self.notes = Notes()
        self.directives: list[Directive] = []
        self.instructions: list[Instruction] = []
        self.comments: list[Comment] = []
        self.pending: list[Comment] = []
        self.stage = -1
        self.directive_lines: dict[int, str] = {}

    def read(self) -> Document:
        self.read_directives()
        at = 0
        while at < self.count:
            at = self.read_line(at)
        stages = collect(self.instructions, self.escape)
        for instruction in self.instructions:
            faults.check(instruction, self.escape, self.notes)
        stage_faults.check_stages(self.instructions, stages, self.notes)
        return Document(
            text=self.text,
            lines=tuple(self.lines),
            escape=self.escape,
            directives=tuple(self.directives),
            instructions=tuple(self.instructions),
            stages=tuple(stages),
            problems=self.notes.ordered(),
            comments=tuple(self.comments),
        )

    def read_directives(self) -> None:
        """Read the top up to the first line that is no directive. A shebang hides ``escape``, not the others."""
        shebang = bool(self.lines) and self.first_line().startswith("#!")
        for number in range(int(shebang), self.count):
            line = self.lines[number].rstrip("\r") if number else self.first_line()
            if not line.lstrip(SPACES).startswith("#"):
                return
            found = self.directive(number, line)
            if found is None:
                return
            if found.name in self.directive_lines.values():
                self.notes.directive_twice(found)
                self.directive_lines[number] = ""
                return
            self.directive_lines[number] = found.name
            self.directives.append(found)
            if found.name == "escape":
                self.set_escape(found, shebang)

    def first_line(self) -> str:
        return self.lines[0].rstrip("\r").removeprefix("\ufeff")

    def set_escape(self, found: Directive, shebang: bool) -> None:
        if shebang:
            self.notes.directive_misplaced(found)
        elif found.value in ("\\", "`"):
            self.escape = found.value
        else:
            self.notes.escape_unknown(found)

    def directive(self, number: int, line: str) -> Directive | None:
        body = line.lstrip(SPACES)
        column = len(self.lines[number].rstrip("\r")) - len(body)
        inner = body[1:].lstrip(SPACES)
        found = _DIRECTIVE.match(inner)
        if not found or found[1].lower() not in DIRECTIVES:
            return None
        shift = column + len(body) - len(inner)
        return Directive(
            found[1].lower(),
            found[2],
            number,
            Place(number, column, number, shift + found.end(2)),
            Place(number, shift + found.start(2), number, shift + found.end(2)),
        )

    def read_line(self, at: int) -> int:
        """Read what begins on line ``at``; gives the line after it."""
        line = self.lines[at].rstrip("\r") if at else self.first_line()
        body = line.lstrip(SPACES)
        if not body or at in self.directive_lines:
            return at + 1
        if body[0] == "#":
            self.comment(at, body, self.pending)
            found = self.directive(at, line)
            if found and found.name != "check":
                self.notes.directive_misplaced(found)
            return at + 1
        return self.read_instruction(at, line, len(self.lines[at].rstrip("\r")) - len(body))

    def comment(self, at: int, body: str, into: list[Comment]) -> None:
        found = Comment(body[1:].strip(SPACES), at)
        self.comments.append(found)
        if into is self.pending:
            if found.text:
                into.append(found)
            else:
                into.clear()

    def read_instruction(self, first: int, line: str, column: int) -> int:
        escape = self.escape
        body = line.lstrip(SPACES)
        kept = body.rstrip(" \t")
        skipped: list[int] = []
        if not kept.endswith(escape) or kept[-2:-1] == escape:
            text = body
            source = Source([(0, first, column)])
            at = first + 1
        else:
            pieces = [(0, first, column)]
            parts = [kept[:-1]]
            length = len(kept) - 1
            at = first + 1
            while at < self.count:
                line = self.lines[at].rstrip("\r")
                body = line.lstrip(SPACES)
                if not body or body[0] == "#":
                    skipped.append(at)
                    if body:
                        self.comment(at, body, [])
                    at += 1
                    continue
                kept = line.rstrip(" \t")
                more = kept.endswith(escape) and kept[-2:-1] != escape
                part = kept[:-1] if more else line
                pieces.append((length, at, 0))
                parts.append(part)
                length += len(part)
                at += 1
                if not more:
                    break
            text = "".join(parts)
            source = Source(pieces)
        made, at = self.instruction(text, source, 0, (first, at), tuple(skipped), True)
        self.instructions.append(made)
        self.pending = []
        return at

    def instruction(
        self,
        text: str,
        source: Source,
        start: int,
        lines: tuple[int, int],
        skipped: tuple[int, ...],
        outermost: bool,
    ) -> tuple[Instruction, int]:
        """Split a logical line from ``start``; gives the instruction and the line after it and its heredocs."""
        end = len(text.rstrip(SPACES))
        begin = start
        while begin < end and text[begin] in SPACES:
            begin += 1
        gap = GAP.search(text, begin, end)
        written = text[begin : gap.start()] if gap else text[begin:end]
        keyword = written.upper() if written.isascii() else written
        code = text[:end]
        flags: tuple[Flag, ...] = ()
        rest = end
        if gap:
            rest = gap.end()
            if code.startswith("-", rest) or code[rest : rest + 1] in SPACES:
                flags, rest = self.flags(keyword, code, rest, source)
                while rest < end and code[rest] in SPACES:
                    rest += 1
        inner: Instruction | None = None
        if keyword == "ONBUILD" and outermost and rest < end:
            inner = self.instruction(text, source, rest, lines, skipped, False)[0]
        if keyword == "FROM" and outermost:
            self.stage += 1
        form, arguments, pairs = self.arguments(keyword, code, rest, source)
        place = source.place(begin, begin + len(written))
        at = lines[1]
        heredocs: tuple[Heredoc, ...] = ()
        if outermost and "<<" in text:
            holder = inner if keyword == "ONBUILD" else None
            kind, kind_form = (holder.keyword, holder.form) if holder else (keyword, form)
            if kind in HEREDOCS and kind_form != "json":
                heredocs, at = self.heredocs(text, source, place, at)
        return (
            Instruction(
                keyword,
                written,
                lines[0],
                max(lines[0], min(at, len(self.lines)) - 1),
                max(lines[0], lines[1] - 1),
                place,
                text,
                code[rest:],
                rest,
                flags,
                arguments,
                "instruction" if inner else form,
                pairs,
                heredocs,
                tuple(self.pending) if outermost and self.pending else (),
                skipped,
                inner,
                self.stage,
                source,
                begin,
            ),
            at,
        )

    def flags(
        self, keyword: str, text: str, start: int, source: Source
    ) -> tuple[tuple[Flag, ...], int]:
        pieces, rest = flag_words(text, start, self.escape)
        found = []
        for piece in pieces:
            name, equals, value = piece.text[2:].partition("=")
            options: tuple[Option, ...] = ()
            if name == "mount" and equals and keyword == "RUN":
                options = _options(text, piece, source)
            given = value if equals else None
            found.append(Flag(name, given, piece.start, piece.end, source, options))
        return tuple(found), rest

    def arguments(
        self, keyword: str, text: str, start: int, source: Source
    ) -> tuple[Form, tuple[Word, ...], tuple[Pair, ...]]:
        """What follows the flags, split as this instruction's is."""
        if start >= len(text):
            return "none", (), ()
        if keyword in _JSON_OR_SHELL or keyword in _JSON_OR_WORDS:
            return self.json_or(keyword in _JSON_OR_WORDS, text, start, source)
        if keyword in _SPLIT:
            return "words", _words(runs(text, start), source), ()
        if keyword in ("ENV", "LABEL", "ARG"):
            pieces = quoted_words(text, start, self.escape)
            pairs = _pairs(keyword, text, pieces, source)
            return "pairs", _words(pieces, source), pairs
        if keyword == "HEALTHCHECK":
            kind = runs(text, start)[:1]
            after = kind[0].end if kind else start
            while after < len(text) and text[after] in SPACES:
                after += 1
            if after >= len(text):
                return "words", _words(kind, source), ()
            form, words, _ = self.json_or(False, text, after, source)
            return form, _words(kind, source) + words, ()
        if keyword in _WHOLE:
            return "whole", _words([Piece(text[start:], start, len(text))], source), ()
        return "words", _words(runs(text, start), source), ()

    def json_or(
        self, split: bool, text: str, start: int, source: Source
    ) -> tuple[Form, tuple[Word, ...], tuple[Pair, ...]]:
        if text[start] == "[":
            try:
                strings = json_words(text, start)
            except NotStringsError:
                self.notes.json_not_strings(source.place(start, len(text)))
                strings = None
            if strings is not None:
                return "json", _words(strings, source), ()
        if split:
            return "words", _words(runs(text, start), source), ()
        return "shell", _words([Piece(text[start:], start, len(text))], source), ()

    def heredocs(
        self, text: str, source: Source, place: Place, at: int
    ) -> tuple[tuple[Heredoc, ...], int]:
        """Read the bodies the logical line announces, from line ``at``; gives them and the line after the last."""
        try:
            headings = heredoc_words(text)
        except ExpansionError as error:
            self.notes.heredoc_unreadable(place, str(error))
            return (), at
        found = []
        for heading in headings:
            first = at
            terminated = False
            while at < self.count and not terminated:
                line = self.lines[at].rstrip("\r")
                terminated = (line.lstrip("\t") if heading.chomp else line) == heading.name
                at += 1
            last = at - 1 if terminated else at
            content = "".join(line + "\n" for line in self.lines[first:last])
            if not terminated and self.count == len(self.lines):
                content = content[:-1]
            where = source.place(heading.start, heading.end)
            found.append(
                Heredoc(
                    heading.name,
                    heading.descriptor,
                    heading.expand,
                    heading.chomp,
                    content,
                    where,
                    first,
                    last,
                    terminated,
                )
            )
            if not terminated:
                self.notes.heredoc_open(found[-1])
                break
        return tuple(found), at


def _words(pieces: Sequence[Piece], source: Source) -> tuple[Word, ...]:
    return tuple([Word(text, start, end, source) for text, start, end in pieces])


def _pairs(keyword: str, text: str, pieces: Sequence[Piece], source: Source) -> tuple[Pair, ...]:
    """Names and values of ENV, LABEL and ARG. Words without ``=`` where one must be are left out."""
    if not pieces:
        return ()
    if keyword != "ARG" and "=" not in pieces[0].text:
        name_end = GAP.search(text, pieces[0].start)
        if not name_end:
            return ()
        start = pieces[0].start
        return (
            Pair(
                text[start : name_end.start()],
                text[name_end.end() :],
                "",
                start,
                name_end.start(),
                name_end.end(),
                len(text),
                source,
            ),
        )
    pairs = []
    for word, start, end in pieces:
        name, equals, value = word.partition("=")
        middle = start + len(name)
        if equals:
            pairs.append(Pair(name, value, "=", start, middle, middle + 1, end, source))
        elif keyword == "ARG":
            pairs.append(Pair(name, None, "", start, end, end, end, source))
    return tuple(pairs)


def _options(text: str, flag: Piece, source: Source) -> tuple[Option, ...]:
    """The comma-separated fields of ``--mount=``, read as CSV; of a quoted flag all have the flag's place."""
    written = text[flag.start : flag.end]
    begin = flag.start + written.find("=") + 1
    plain = written == flag.text
    value = text[begin : flag.end] if plain else flag.text.partition("=")[2]
    options = []
    for found in _CSV.finditer(value):
        field = found[0]
        if field[0] == '"':
            field = field[1:].removesuffix('"').replace('""', '"')
        key, equals, content = field.partition("=")
        start = begin + found.start() if plain else flag.start
        end = begin + found.end() if plain else flag.end
        options.append(Option(key.lower(), content if equals else None, start, end, source))
    return tuple(options)
