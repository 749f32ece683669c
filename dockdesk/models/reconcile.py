"""From one list of lines to another in the fewest steps a view must hear of."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.core.records import dataclass
from dockdesk.models.arrangement import Entry

# Every step costs a view about as much as some hundred lines do; beyond so many one change of layout is cheaper.
_STEPS = 24


@dataclass(frozen=True, slots=True)
class Remove:
    """Take out the lines ``first`` to ``last``, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Insert:
    """Put ``entries`` in before line ``first``."""

    first: int
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Permute:
    """Show the same lines in the order of ``entries``."""

    entries: list[Entry]


Step = Remove | Insert | Permute


def steps(old: list[Entry], new: list[Entry], reordered: bool = False) -> list[Step]:
    """Steps that make ``new`` of ``old``, to be done one after the other; no line stands in either of them twice.

    ``reordered`` says that both hold the same lines, which then isn't found out.
    A handful of insertions and removals stay what they are. Whatever is more becomes at most three steps: what is new
    goes to the end, one change of order puts everything in place and what left behind it, and the end is cut off.
    """
    if old == new:
        return []
    if reordered:
        return [Permute(new)]
    start, end = _common(old, new)
    old_middle, new_middle = old[start : len(old) - end], new[start : len(new) - end]
    old_set, new_set = set(old_middle), set(new_middle)
    removed = [index for index, entry in enumerate(old_middle, start) if entry not in new_set]
    added = [index for index, entry in enumerate(new_middle, start) if entry not in old_set]
    if _same_order(old_middle, new_middle, old_set, new_set):
        removals, insertions = _runs(removed), _runs(added)
        if len(removals) + len(insertions) <= _STEPS:
            found: list[Step] = [Remove(first, last) for first, last in reversed(removals)]
            found += [Insert(first, new[first : last + 1]) for first, last in insertions]
            return found
    bulk: list[Step] = []
    if added:
        bulk.append(Insert(len(old), [new[index] for index in added]))
    bulk.append(Permute([*new, *(old[index] for index in removed)]))
    if removed:
        bulk.append(Remove(len(new), len(new) + len(removed) - 1))
    return bulk


def _common(old: Sequence[Entry], new: Sequence[Entry]) -> tuple[int, int]:
    """How many lines are the same at the start, and after those at the end."""
    shorter = min(len(old), len(new))
    start = end = 0
    # By hundreds first: comparing slices costs a hundredth of comparing one by one.
    while start + 100 <= shorter and old[start : start + 100] == new[start : start + 100]:
        start += 100
    while start < shorter and old[start] == new[start]:
        start += 1
    a, b, left = len(old), len(new), shorter - start
    while end + 100 <= left and old[a - end - 100 : a - end] == new[b - end - 100 : b - end]:
        end += 100
    while end < left and old[a - end - 1] == new[b - end - 1]:
        end += 1
    return start, end


def _same_order(
    old: Sequence[Entry], new: Sequence[Entry], old_set: set[Entry], new_set: set[Entry]
) -> bool:
    return [e for e in old if e in new_set] == [e for e in new if e in old_set]


def _runs(indexes: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as ranges, both ends included."""
    runs: list[tuple[int, int]] = []
    for index in indexes:
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs
