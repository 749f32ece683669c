"""Where the lines of a text that was built are in the text as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a stretch of lines begins now; ``fresh`` where none of its lines differs."""

    line: int
    fresh: bool = True


def place_spans(
    old: str, new: str, spans: Iterable[tuple[int, int]]
) -> Mapping[tuple[int, int], Placed]:
    """For stretches of lines (first and last, 0-based) of ``old``, where they are in ``new``.

    What was edited is found where it was, as not fresh; what was deleted is left out.
    """
    before, after = old.split("\n"), new.split("\n")
    places = _places(before, after)
    found: dict[tuple[int, int], Placed] = {}
    for span in spans:
        first, last = span[0], max(span)
        start = places.get(first)
        if start is None:
            continue
        fresh = all(
            (place := places.get(line)) is not None
            and place.fresh
            and place.line - start.line == line - first
            for line in range(first, last + 1)
        )
        found[span] = Placed(start.line, fresh)
    return found


def _places(before: list[str], after: list[str]) -> dict[int, Placed]:
    """Each line of ``before`` that is still there, edited or not."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    places = {line: Placed(line) for line in range(start)}
    shift = len(after) - len(before)
    places |= {line: Placed(line + shift) for line in range(len(before) - end, len(before))}
    inner, outer = before[start : len(before) - end], after[start : len(after) - end]
    for tag, first, last, begin, stop in SequenceMatcher(None, inner, outer).get_opcodes():
        if tag == "equal":
            for offset in range(last - first):
                places[start + first + offset] = Placed(start + begin + offset)
        elif tag == "replace":
            for offset in range(min(last - first, stop - begin)):
                places[start + first + offset] = Placed(start + begin + offset, fresh=False)
    return places
