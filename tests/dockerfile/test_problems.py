from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.dockerfile.problems import Edit, apply, line_starts, offset_at, place_at


def test_edits_are_made_at_the_places_of_the_text_as_it_was() -> None:
    text = "FROM a\nRUN b\nCMD c\n"
    edits = [Edit(2, 0, 2, 3, "ENTRYPOINT"), Edit(0, 5, 0, 6, "scratch"), Edit(1, 0, 2, 0, "")]
    assert apply(text, edits) == "FROM scratch\nENTRYPOINT c\n"


def test_insertions_at_one_place_keep_their_order() -> None:
    assert apply("ad", [Edit(0, 1, 0, 1, "b"), Edit(0, 1, 0, 1, "c")]) == "abcd"


def test_places_outside_of_the_text_are_its_ends() -> None:
    assert apply("ab\ncd", [Edit(0, 99, 0, 99, "!"), Edit(9, 0, 9, 0, "?")]) == "ab!\ncd?"


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply("abcdef", [Edit(0, 0, 0, 3, "x"), Edit(0, 2, 0, 4, "y")])


@given(st.text(alphabet="ab\n\ré😀"), st.data())
def test_an_offset_survives_its_way_through_line_and_column(text: str, data: st.DataObject) -> None:
    starts = line_starts(text)
    offset = data.draw(st.integers(0, len(text)))
    assert offset_at(text, starts, *place_at(starts, offset)) == offset
