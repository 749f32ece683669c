"""Which rows a table shows, in which order and in which groups; plain Python over rows of any type.

A proxy model over a source model costs a call into Python for every comparison and a mapping for every signal: with ten
thousand rows and five hundred changes a second it takes most of a core. Here keys are kept in order, native sort values
and search texts beside them, and only rows that changed are looked at again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from dockdesk.core.columns import Column

T = TypeVar("T")

Key = Hashable


@dataclass(frozen=True)
class Grouping(Generic[T]):
    """How rows stand together under headers.

    ``of`` gives a row's group, "" for none; ``detail`` what a header says of its rows ("3 of 4 running"). Rows of no
    group come last, under ``rest``; where no row has a group there are no headers at all. Headers stand by name, or
    by what ``order`` makes of it.
    """

    of: Callable[[T], str]
    detail: Callable[[Sequence[T]], str] | None = None
    rest: str = "Others"
    order: Callable[[str], Any] | None = None


@dataclass(eq=False, slots=True)
class Group:
    """A header among the rows. ``name`` is "" for the rows of no group; ``members`` are keys in order."""

    name: str
    title: str
    members: list[Key] = field(default_factory=list)
    collapsed: bool = False


Entry = Key | Group
"""One line of the table: a row's key, or a header."""


class Arrangement(Generic[T]):
    """Rows by key, and the lines made of them.

    `put` and `remove` are cheap and may leave rows in places that are out of date; `arrange` makes the lines anew.
    """

    def __init__(
        self,
        columns: Sequence[Column[T]],
        search: Callable[[T], str] | None = None,
    ) -> None:
        self._columns = columns
        self._search = search
        self.rows: dict[Key, T] = {}
        self._order: list[Key] = []
        self._values: dict[Key, Any] = {}
        self._texts: dict[Key, str] = {}
        self._hidden: set[Key] = set()
        self._misplaced: dict[Key, None] = {}
        self._removed = False
        # Since the last `arrange`: there may be other lines, not only another order.
        self.members_changed = False
        self._sort: Column[T] | None = None
        self._descending = False
        self._words: tuple[str, ...] = ()
        self._predicate: Callable[[T], bool] | None = None
        self._grouping: Grouping[T] | None = None
        self._group_of: dict[Key, str] = {}
        self._groups: dict[str, Group] = {}
        self.collapsed: frozenset[str] = frozenset()
        self.shown = 0  # rows that match, those in collapsed groups too

    @property
    def sort(self) -> tuple[Column[T] | None, bool]:
        """The column that rows are sorted by, and whether it falls."""
        return self._sort, self._descending

    @property
    def filtered(self) -> bool:
        return bool(self._words or self._predicate)

    @property
    def grouped(self) -> bool:
        """Whether there are headers now."""
        return bool(self._groups)

    def put(self, key: Key, row: T) -> bool:
        """Add or change a row; True if the lines may differ now, False if only what stands in one does."""
        new = key not in self.rows
        self.rows[key] = row
        self._texts.pop(key, None)
        moved = new
        if self._sort is not None:
            value = sort_value(self._sort.value(row))
            if new or not _same(value, self._values[key]):
                self._values[key] = value
                moved = True
        if moved:
            self._misplaced[key] = None
        others = new
        if self._grouping is not None:
            name = self._grouping.of(row)
            if self._group_of.get(key) != name:
                self._group_of[key] = name
                others = True
        if self.filtered:
            hidden = not self._matches(key, row)
            if hidden != (key in self._hidden):
                self._hidden ^= {key}
                others = True
        self.members_changed = self.members_changed or others
        return moved or others

    def remove(self, key: Key) -> T | None:
        """Take a row out; returns it, or None if there was none."""
        if key not in self.rows:
            return None
        row = self.rows.pop(key)
        self._misplaced.pop(key, None)
        self._values.pop(key, None)
        self._texts.pop(key, None)
        self._group_of.pop(key, None)
        self._hidden.discard(key)
        self._removed = self.members_changed = True
        return row

    def set_sort(self, column: Column[T] | None, descending: bool) -> None:
        """Sort by a column; equal rows keep the order in which they stand. None: the order in which they came."""
        self._sort, self._descending = column, descending
        self._values.clear()
        if column is None:
            self._order = list(self.rows)
        else:
            self._place()
            value = column.value
            self._values = {key: sort_value(value(row)) for key, row in self.rows.items()}
            self._order = self._sorted(self._order)
        self._misplaced.clear()

    def set_filter(self, text: str) -> None:
        """Show rows whose texts hold all words of ``text``, in any case and order."""
        self._words = tuple(text.casefold().split())
        self.refilter()

    def set_predicate(self, predicate: Callable[[T], bool] | None) -> None:
        self._predicate = predicate
        self.refilter()

    def refilter(self) -> None:
        """Ask every row again."""
        self.members_changed = True
        if not self.filtered:
            self._hidden.clear()
            return
        self._hidden = {key for key, row in self.rows.items() if not self._matches(key, row)}

    def set_grouping(self, grouping: Grouping[T] | None) -> None:
        self._grouping = grouping
        self.members_changed = True
        self._groups.clear()
        self._group_of = (
            {key: grouping.of(row) for key, row in self.rows.items()}
            if grouping is not None
            else {}
        )

    def collapse(self, names: Iterable[str]) -> None:
        """Hide the rows of these groups and of no others."""
        self.collapsed = frozenset(names)
        self.members_changed = True

    def group_of(self, key: Key) -> Group | None:
        """The header above a row, where there are headers."""
        return self._groups.get(self._group_of.get(key, ""))

    def detail(self, group: Group) -> str:
        """What a header says of its rows."""
        if self._grouping is None or self._grouping.detail is None:
            return ""
        return self._grouping.detail([self.rows[key] for key in group.members if key in self.rows])

    @property
    def unprepared(self) -> int:
        """How many rows have no search text yet."""
        return len(self.rows) - len(self._texts)

    def prepare(self, seconds: float) -> bool:
        """Make search texts ahead for about so long; True while there are more to make.

        The first letter typed into a filter otherwise pays for all of them at once.
        """
        until = time.perf_counter() + seconds
        if len(self._texts) >= len(self.rows):
            return False
        for count, (key, row) in enumerate(self.rows.items()):
            if key not in self._texts:
                self._texts[key] = self._text(row)
            if count % 64 == 63 and time.perf_counter() > until:
                return True
        return False

    def arrange(self) -> list[Entry]:
        """The lines to show now, top to bottom."""
        self._place()
        self.members_changed = False
        hidden = self._hidden
        keys = [key for key in self._order if key not in hidden] if hidden else self._order
        self.shown = len(keys)
        return list(keys) if self._grouping is None else self._grouped(keys)

    def _place(self) -> None:
        """Bring `_order` up to date. What is in place keeps it, so that sorting only has to merge two sorted runs."""
        rows, misplaced, order = self.rows, self._misplaced, self._order
        if self._removed:
            order = [key for key in order if key in rows]
            self._removed = False
        if not misplaced:
            self._order = order
        elif self._sort is None:
            known = set(order)
            self._order = order + [key for key in misplaced if key not in known]
        else:
            moved = self._sorted(list(misplaced))
            self._order = self._sorted([key for key in order if key not in misplaced] + moved)
        misplaced.clear()

    def _sorted(self, keys: list[Key]) -> list[Key]:
        """``keys`` by value, equal ones as they stand; None last, whichever way the column runs."""
        values = self._values
        if not values:
            return keys
        unknown: list[Key] = []
        if None in values.values():
            unknown = [key for key in keys if values[key] is None]
            keys = [key for key in keys if values[key] is not None]
        try:
            keys.sort(key=values.__getitem__, reverse=self._descending)
        except TypeError:
            # Values of different types can't be compared: by type, then by what they look like.
            keys.sort(
                key=lambda key: (type(values[key]).__name__, str(values[key])),
                reverse=self._descending,
            )
        return keys + unknown

    def _grouped(self, keys: Sequence[Key]) -> list[Entry]:
        members: dict[str, list[Key]] = {}
        group_of = self._group_of
        for key in keys:
            members.setdefault(group_of[key], []).append(key)
        order = self._grouping.order if self._grouping is not None else None
        names = sorted((name for name in members if name), key=order or str.casefold)
        if not names:
            self._groups.clear()
            return list(keys)
        if "" in members:
            names.append("")
        rest = self._grouping.rest if self._grouping is not None else ""
        entries: list[Entry] = []
        groups: dict[str, Group] = {}
        for name in names:
            group = groups[name] = self._groups.get(name) or Group(name, name or rest)
            group.members = members[name]
            # What was searched for must not stay hidden in a collapsed group.
            group.collapsed = name in self.collapsed and not self._words
            entries.append(group)
            if not group.collapsed:
                entries += members[name]
        self._groups = groups
        return entries

    def _matches(self, key: Key, row: T) -> bool:
        if self._predicate is not None and not self._predicate(row):
            return False
        if not self._words:
            return True
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._text(row)
        return all(word in text for word in self._words)

    def _text(self, row: T) -> str:
        if self._search is not None:
            return self._search(row).casefold()
        # Joined with a line break, which no word of a filter can hold: nothing matches across two cells.
        return "\n".join([column.text(row) for column in self._columns]).casefold()


def sort_value(value: Any) -> Any:
    """What is compared for ``value``: text without regard to case; what has no order (NaN) like nothing at all."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and bool(one == other))
