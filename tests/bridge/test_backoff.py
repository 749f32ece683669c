"""Waits between tries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dockdesk.bridge.backoff import Backoff


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(0.5, 6.0, rand=lambda: 1.0)
    assert [backoff.next() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 6.0, 6.0]
    backoff.reset()
    assert backoff.next() == 0.5


@given(st.floats(0.0, 1.0), st.integers(0, 200))
def test_chance_never_shortens_a_wait_below_half(chance: float, tries: int) -> None:
    backoff = Backoff(0.5, 15.0, rand=lambda: chance)
    for _ in range(tries):
        backoff.next()
    whole = min(15.0, 0.5 * 2.0 ** min(tries, 30))
    assert whole / 2 <= backoff.next() <= whole
