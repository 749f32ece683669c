"""Steps from one list of lines to another."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from dockdesk.models.arrangement import Entry
from dockdesk.models.reconcile import Insert, Permute, Remove, Step, steps

lines = st.lists(st.integers(0, 40), unique=True)


def done(old: list[Entry], todo: list[Step]) -> list[Entry]:
    now = list(old)
    for step in todo:
        if isinstance(step, Remove):
            assert 0 <= step.first <= step.last < len(now)
            del now[step.first : step.last + 1]
        elif isinstance(step, Insert):
            assert 0 <= step.first <= len(now)
            assert step.entries
            now[step.first : step.first] = step.entries
        else:
            assert sorted(map(hash, step.entries)) == sorted(map(hash, now))
            now = list(step.entries)
    return now


@given(lines, lines)
def test_the_steps_lead_there(old: list[Entry], new: list[Entry]) -> None:
    assert done(old, steps(old, new)) == new


@given(lines, st.integers(0, 40), st.integers(100, 101))
def test_one_new_line_is_one_insertion(old: list[Entry], at: int, entry: int) -> None:
    new = [*old[:at], entry, *old[at:]]
    assert steps(old, new) == [Insert(min(at, len(old)), [entry])]


def test_nothing_to_do() -> None:
    assert steps([1, 2], [1, 2]) == []
    assert steps([], []) == []


def test_a_few_removals_stay_what_they_are() -> None:
    assert steps([1, 2, 3, 4, 5, 6], [1, 4, 6]) == [Remove(4, 4), Remove(1, 2)]


def test_a_new_order_is_one_step() -> None:
    assert steps([1, 2, 3, 4], [1, 3, 2, 4]) == [Permute([1, 3, 2, 4])]


def test_however_much_changes_there_are_at_most_three_steps() -> None:
    old = list(range(1_000))
    new = [number for number in range(500, 1_500) if number % 2]
    random.Random(1).shuffle(new)
    todo = steps(old, new)
    assert [type(step) for step in todo] == [Insert, Permute, Remove]
    assert done(old, todo) == new


def test_scattered_removals_become_one() -> None:
    old = list(range(1_000))
    new = [number for number in old if number % 3]
    todo = steps(old, new)
    assert [type(step) for step in todo] == [Permute, Remove]
    assert done(old, todo) == new
