"""What the palette offers, and the search through it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
)

from dockdesk.core.records import dataclass
from dockdesk.ui.shell.palette.fuzzy import Match, Query

CANDIDATE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
MATCH_ROLE = CANDIDATE_ROLE + 1

BOUND = 60
_SLICE_S = 0.006


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of the palette.

    ``section`` says what it is ("Container", "Go to"); ``reason`` why it can't be run now (it is listed all the same:
    that is an answer too). ``weight`` lifts it over equally good matches.
    """

    title: str
    section: str
    icon: str
    run: Callable[[], None]
    detail: str = ""
    shortcut: str = ""
    reason: str = ""
    weight: int = 0


class CandidateModel(QAbstractListModel):
    """The best candidates for what is typed. Works in slices of a few milliseconds, however many there are."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._made: list[Candidate] = []
        self._rest: Iterator[Candidate] = iter(())
        self._shown: list[tuple[Candidate, Match]] = []
        self._recent: dict[tuple[str, str], int] = {}
        self._search: Iterator[None] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._on_slice)

    def set_candidates(self, candidates: Iterable[Candidate]) -> None:
        """What there is to find; made in slices too, where it is an iterator."""
        self._made = []
        self._rest = iter(candidates)

    @property
    def searching(self) -> bool:
        """Whether what is shown is not yet what fits the text."""
        return self._search is not None

    def note_used(self, candidate: Candidate) -> None:
        """What was used last comes first where nothing is typed yet."""
        key = (candidate.section, candidate.title)
        self._recent[key] = max(self._recent.values(), default=0) + 1

    def search(self, text: str) -> None:
        """Show what fits ``text``; a search under way gives way to it."""
        self._search = self._run(Query(text))
        self._timer.start()
        self._on_slice()

    def stop(self) -> None:
        self._timer.stop()
        self._search = None

    def candidate(self, row: int) -> Candidate:
        return self._shown[row][0]

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> Any:
        if not index.isValid():
            return None
        candidate, match = self._shown[index.row()]
        if role == CANDIDATE_ROLE:
            return candidate
        if role == MATCH_ROLE:
            return match
        if role == Qt.ItemDataRole.DisplayRole:
            return candidate.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (candidate.title, candidate.section, candidate.shortcut, candidate.reason)
            return ", ".join(part for part in parts if part)
        return None

    def _on_slice(self) -> None:
        until = time.perf_counter() + _SLICE_S
        while self._search is not None and time.perf_counter() < until:
            if next(self._search, False) is False:
                self._search = None
        if self._search is None:
            self._timer.stop()

    def _candidates(self) -> Iterator[Candidate]:
        yield from self._made
        for candidate in self._rest:
            self._made.append(candidate)
            yield candidate

    def _run(self, query: Query) -> Iterator[None]:
        found: list[tuple[int, int, Candidate, Match]] = []
        for number, candidate in enumerate(self._candidates()):
            if number % 64 == 63:
                yield None
            match = query.match(candidate.title, f"{candidate.section} {candidate.detail}")
            if match is not None:
                recent = self._recent.get((candidate.section, candidate.title), 0)
                score = match.score + candidate.weight - (6 if candidate.reason else 0)
                bonus = recent * 100 if not query.words else min(recent, 4)
                found.append((-(score + bonus), number, candidate, match))
        found.sort(key=lambda item: item[:2])
        self.beginResetModel()
        self._shown = [(candidate, match) for _score, _at, candidate, match in found[:BOUND]]
        self.endResetModel()
