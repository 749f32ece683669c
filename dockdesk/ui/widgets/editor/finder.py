"""Finding in the text: on a worker, within a time, with every hit's place and what would stand in its stead.

Expressions run in the `regex` package: it gives up the interpreter lock while it matches, and stops at a deadline, so
that one which would backtrack for ever freezes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.records import dataclass
from dockdesk.core.work import Work
from dockdesk.ui.widgets.editor.units import UnitMap

MOST = 20_000
SECONDS = 2.0
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for. ``case``: capitals matter; ``word``: whole words only; ``expression``: a regular expression."""

    text: str
    case: bool = False
    word: bool = False
    expression: bool = False


@dataclass(frozen=True, slots=True)
class Hits:
    """Starts and ends in Qt's units, in order; ``more`` where there are more than `MOST`."""

    spans: Sequence[tuple[int, int]] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Replaced:
    """The whole text with its hits replaced, and how many there were."""

    text: str
    count: int


def _compiled(search: Search) -> object:
    import regex

    if len(search.text) > _LONGEST:
        raise InvalidInputError("That is too long to search for", field="search")
    pattern = search.text if search.expression else regex.escape(search.text, literal_spaces=True)
    if search.word:
        pattern = rf"\b(?:{pattern})\b" if search.expression else rf"(?<!\w){pattern}(?!\w)"
    flags = regex.MULTILINE if search.case else regex.MULTILINE | regex.IGNORECASE
    try:
        return regex.compile(pattern, flags)
    except (regex.error, RecursionError, OverflowError, MemoryError, ValueError) as error:
        reason = getattr(error, "msg", None) or "too complicated"
        raise InvalidInputError("Not an expression", str(reason), field="search") from error


def _too_slow() -> InvalidInputError:
    return InvalidInputError("That takes too long", "Make the expression simpler.", field="search")


def find_all(text: str, search: Search, work: Work) -> Hits:
    """Every hit that is not empty. Raises InvalidInputError for what is no expression, or takes too long."""
    compiled = _compiled(search)
    offsets = UnitMap(text)
    spans: list[tuple[int, int]] = []
    try:
        for found in compiled.finditer(text, timeout=SECONDS, concurrent=True):  # type: ignore[attr-defined]
            if found.end() > found.start():
                spans.append((offsets.units(found.start()), offsets.units(found.end())))
                if len(spans) >= MOST:
                    return Hits(spans, True)
            if len(spans) % 256 == 0:
                work.check()
    except TimeoutError as error:
        raise _too_slow() from error
    return Hits(spans)


def replace_all(
    text: str, search: Search, replacement: str, only: tuple[int, int] | None = None
) -> Replaced:
    r"""Replace every hit, or that at ``only`` alone; \1 and \g<name> are groups of an expression."""
    compiled = _compiled(search)
    offsets = UnitMap(text)
    count = 0

    def write(found: object) -> str:
        nonlocal count
        start, end = found.start(), found.end()  # type: ignore[attr-defined]
        here = (offsets.units(start), offsets.units(end))
        if end == start or (only is not None and here != only):
            return str(found.group())  # type: ignore[attr-defined]
        count += 1
        return str(found.expand(replacement)) if search.expression else replacement  # type: ignore[attr-defined]

    try:
        made = compiled.sub(write, text, timeout=SECONDS, concurrent=True)  # type: ignore[attr-defined]
    except TimeoutError as error:
        raise _too_slow() from error
    except (IndexError, ValueError, KeyError, _regex_error()) as error:
        raise InvalidInputError(
            "The replacement names a group that is not there", str(error), field="replace"
        ) from error
    return Replaced(made, count)


def _regex_error() -> type[Exception]:
    import regex

    return regex.error
