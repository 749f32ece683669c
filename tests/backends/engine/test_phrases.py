"""When a state began, by the words that engines have for it."""

from __future__ import annotations

import pytest

from dockdesk.backends.engine.phrases import began

NOW = 1_000_000_000.0


@pytest.mark.parametrize(
    ("phrase", "seconds"),
    [
        ("Up Less than a second", 0),
        ("Up 1 second", 1),
        ("Up 3 seconds (health: starting)", 3),
        ("Up About a minute (Paused)", 60),
        ("Up 5 minutes ago", 300),  # Podman
        ("Up About an hour (healthy)", 3_600),
        ("Exited (137) 47 hours ago", 47 * 3_600),
        ("Exited (0) Less than a second ago", 0),
        ("Restarting (1) 2 days ago", 2 * 86_400),
        ("Exited (0) 3 weeks ago", 3 * 604_800),
        ("Up 4 months", 4 * 2_592_000),
        ("Exited (-1) 2 years ago", 2 * 31_536_000),
    ],
)
def test_words_become_a_time(phrase: str, seconds: int) -> None:
    assert began(phrase, 0.0, NOW) == NOW - seconds


@pytest.mark.parametrize(
    "phrase", ["", "Created", "Dead", "Removal In Progress", "Up", "Up 3 moons"]
)
def test_no_words_no_time(phrase: str) -> None:
    assert began(phrase, NOW - 5, NOW) == 0.0


def test_making_it_is_taken_for_the_start_where_that_fits() -> None:
    made = NOW - 2 * 3_600 - 1_234
    assert began("Up 2 hours", made, NOW) == made
    assert began("Up 20 minutes", made, NOW) == NOW - 1_200
