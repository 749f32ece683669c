"""What is typed finds what people mean, and never raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.ui.shell.palette.fuzzy import Query


def best(query: str, *titles: str) -> str:
    found = [(match.score, title) for title in titles if (match := Query(query).match(title))]
    return max(found)[1]


def test_letters_must_occur_in_order() -> None:
    assert Query("rst").match("Restart") is not None
    assert Query("tsr").match("Restart") is None


@pytest.mark.parametrize(
    ("query", "wanted", "others"),
    [
        ("res", "Restart", ["Remove unused images", "Show resources of the engine"]),
        ("gc", "Go to Containers", ["Magic", "Change colour"]),
        ("pi", "Prune images", ["Spring clean", "Rapid"]),
        ("web", "web-frontend", ["new-brew", "worker-web-backup-old"]),
        ("restart web", "Restart web", ["Restart worker", "web"]),
    ],
)
def test_word_starts_and_runs_win(query: str, wanted: str, others: list[str]) -> None:
    assert best(query, wanted, *others) == wanted


def test_words_may_come_in_any_order() -> None:
    assert Query("web restart").match("Restart web") is not None


def test_positions_are_those_of_the_letters() -> None:
    match = Query("Ctn").match("Containers")
    assert match is not None
    assert "".join("Containers"[at] for at in match.positions).lower() == "ctn"


def test_an_empty_query_fits_everything() -> None:
    assert Query("  ").match("anything") is not None


@given(st.text(max_size=12), st.text(max_size=60))
def test_any_text_may_be_asked_of_any_text(query: str, text: str) -> None:
    match = Query(query).match(text)
    if match is not None:
        assert all(0 <= at < len(text) for at in match.positions)


@given(st.text(alphabet=st.characters(max_codepoint=0x7F), min_size=1, max_size=40))
def test_a_text_finds_itself(text: str) -> None:
    assert Query(text).match(text) is not None
