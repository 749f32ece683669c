"""Fuzzy matching for the command palette: what is typed must occur in order, and good places count more."""

from __future__ import annotations

import re

from dockdesk.core.records import dataclass

_WORD_START = 12
_RUN = 12
_WHOLE = 10
_GAP = 1
_LEAD = 3
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text fits (higher is better) and the positions of the matched characters in it."""

    score: int
    positions: tuple[int, ...]


class Query:
    """What was typed, ready to be compared with many texts.

    Words may be typed in any order ("web restart" finds "Restart web"). A text that lacks a character is turned down by
    one compiled expression, so that thousands of texts are gone through in a few milliseconds.
    """

    def __init__(self, text: str) -> None:
        self.words = [word.casefold() for word in text.split()]
        self._filters = [
            re.compile(".*?".join(re.escape(char) for char in word), re.DOTALL)
            for word in self.words
        ]

    def match(self, text: str, also: str = "") -> Match | None:
        """How well ``text`` fits, or None. An empty query fits everything equally.

        Words that do not fit it may stand, whole, in ``also``: what is said beside the text.
        """
        text = text[:_LONGEST]
        folded = text.casefold()
        if len(folded) != len(text):  # such as ß: positions would be off
            folded = text.lower() if len(text.lower()) == len(text) else text
        total = 0
        positions: set[int] = set()
        for word, expression in zip(self.words, self._filters, strict=True):
            fits = expression.search(folded) is not None
            found = _best(word, text, folded) if fits else None
            if found is not None:
                total += found.score
                positions.update(found.positions)
            elif word not in also.casefold():
                return None
        return Match(total - len(text) // 8, tuple(sorted(positions)))


def _best(word: str, text: str, folded: str) -> Match | None:
    """The best of the matches that begin at each place where the word's first character stands."""
    best: Match | None = None
    start = folded.find(word[0])
    tried = 0
    while start >= 0 and tried < 8:
        tried += 1
        found = _from(word, text, folded, start)
        if found is None:
            break
        if best is None or found.score > best.score:
            best = found
        start = folded.find(word[0], start + 1)
    return best


def _from(word: str, text: str, folded: str, start: int) -> Match | None:
    positions = [start]
    score = _place_bonus(text, start) - min(start, 10) // _LEAD
    for char in word[1:]:
        before = positions[-1]
        at = folded.find(char, before + 1)
        if at < 0:
            return None
        # A word's start further on beats the nearest occurrence, unless that continues a run.
        if at != before + 1 and not _place_bonus(text, at):
            later = _next_start(text, folded, char, at + 1)
            at = later if later >= 0 and _rest_fits(word, len(positions), folded, later) else at
        score += _RUN if at == before + 1 else _place_bonus(text, at) - _GAP * min(at - before, 6)
        positions.append(at)
    if positions[-1] - start == len(word) - 1 and _place_bonus(text, start):
        score += _WHOLE
    return Match(score, tuple(positions))


def _place_bonus(text: str, at: int) -> int:
    if at == 0:
        return _WORD_START + _LEAD
    before, here = text[at - 1], text[at]
    if not before.isalnum() or (before.islower() and here.isupper()):
        return _WORD_START
    return 0


def _next_start(text: str, folded: str, char: str, start: int) -> int:
    at = folded.find(char, start)
    while at >= 0:
        if _place_bonus(text, at):
            return at
        at = folded.find(char, at + 1)
    return -1


def _rest_fits(word: str, done: int, folded: str, at: int) -> bool:
    for char in word[done + 1 :]:
        at = folded.find(char, at + 1)
        if at < 0:
            return False
    return True
