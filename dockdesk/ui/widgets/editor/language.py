"""What the editor asks of a language, and what it shows: no language is known here.

Places are 0-based lines and columns in code points; the editor turns them into Qt's UTF-16 units.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass


class SpanLike(Protocol):
    """A coloured stretch of one line. ``kind`` is a word of `dockdesk.ui.widgets.editor.colours.KINDS`."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def kind(self) -> str: ...


class Change(Protocol):
    """One replaced range, the end exclusive."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end_line(self) -> int: ...
    @property
    def end_column(self) -> int: ...
    @property
    def text(self) -> str: ...


class Remedy(Protocol):
    """Something that mends a mark: offered by its title; its edits are made as one step of undo."""

    @property
    def title(self) -> str: ...
    @property
    def edits(self) -> Sequence[Change]: ...


def mends(remedy: Remedy) -> bool:
    """Whether it changes what is wrong, rather than silence who says so: those are titled “Ignore …”."""
    return not remedy.title.startswith("Ignore ")


class Mark(Protocol):
    """Something to say about a stretch of the text, underlined in its tone: a finding of a linter."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end_line(self) -> int: ...
    @property
    def end_column(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def tone(self) -> Tone: ...
    @property
    def message(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def fixes(self) -> Sequence[Remedy]: ...


@dataclass(frozen=True, slots=True)
class TextChange:
    """A `Change` made here rather than by a language."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True)
class MarginCell:
    """A short text beside a line, such as how long its instruction took."""

    text: str
    tone: Tone = "muted"
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One completion. ``text`` replaces what was typed of it; ``stops`` are stretches that Tab goes through, to be
    filled in. ``kind`` is a word of the language, shown as a small label.
    """

    label: str
    text: str
    kind: str = ""
    detail: str = ""
    explanation: str = ""
    stops: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may stand at a place: the candidates, and the columns of the line that the chosen one replaces."""

    items: tuple[Candidate, ...] = ()
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of the word under the pointer, in plain text; ``facts`` are pairs of a word and a sentence."""

    title: str
    code: str = ""
    text: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere in the text that can be gone to by its name."""

    title: str
    detail: str
    line: int


class Language(Protocol):
    """Pure functions over the text; all but `scan_line` may be called on any thread.

    ``triggers`` are characters after which candidates are asked for by themselves.
    """

    @property
    def triggers(self) -> str: ...

    def scan_line(self, line: str, state: Hashable) -> tuple[Sequence[SpanLike], Hashable]:
        """Colour one line; ``state`` is what the line before it returned, None at the first. A few µs a line."""

    def complete(self, text: str, line: int, column: int) -> Candidates: ...

    def explain(self, text: str, line: int, column: int) -> Card | None: ...

    def places(self, text: str) -> Sequence[Place]:
        """What Ctrl+Shift+O lists."""

    def toggle_comment(self, text: str, first: int, last: int) -> str: ...

    def format(self, text: str) -> str:
        """The whole text, well laid out."""


class PlainLanguage:
    """Any text: with a comment sign, its comments are coloured and can be toggled."""

    triggers = ""

    def __init__(self, comment: str = "") -> None:
        self._comment = comment

    def scan_line(self, line: str, state: Hashable) -> tuple[Sequence[SpanLike], Hashable]:
        at = len(line) - len(line.lstrip())
        if self._comment and line.startswith(self._comment, at):
            return (Stretch(at, len(line), "comment"),), state
        return (), state

    def complete(self, text: str, line: int, column: int) -> Candidates:  # noqa: ARG002
        return Candidates((), column, column)

    def explain(self, text: str, line: int, column: int) -> Card | None:  # noqa: ARG002
        return None

    def places(self, text: str) -> Sequence[Place]:  # noqa: ARG002
        return ()

    def toggle_comment(self, text: str, first: int, last: int) -> str:
        if not self._comment:
            return text
        lines = text.split("\n")
        chosen = [n for n in range(first, min(last + 1, len(lines))) if lines[n].strip()]
        sign = self._comment
        if chosen and all(lines[n].lstrip().startswith(sign) for n in chosen):
            for n in chosen:
                before, _sign, after = lines[n].partition(sign)
                lines[n] = before + after.removeprefix(" ")
        else:
            least = min((len(lines[n]) - len(lines[n].lstrip()) for n in chosen), default=0)
            for n in chosen:
                lines[n] = f"{lines[n][:least]}{sign} {lines[n][least:]}"
        return "\n".join(lines)

    def format(self, text: str) -> str:
        return text


@dataclass(frozen=True, slots=True)
class Stretch:
    """A `SpanLike` made here."""

    start: int
    end: int
    kind: str
