"""Lines of a built text in the text as it is now."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.builds.placing import Placed, place_spans

OLD = "FROM a\nRUN b \\\n  c\nCOPY d .\nCMD e"
SPANS = ((0, 0), (1, 2), (3, 3))


def test_nothing_moves_in_the_same_text() -> None:
    assert place_spans(OLD, OLD, SPANS) == {span: Placed(span[0]) for span in SPANS}


def test_lines_that_were_put_in_move_what_follows() -> None:
    new = OLD.replace("RUN b", "# why\n\nRUN b")
    assert place_spans(OLD, new, SPANS) == {
        (0, 0): Placed(0),
        (1, 2): Placed(3),
        (3, 3): Placed(5),
    }


def test_what_was_edited_is_there_but_not_fresh() -> None:
    found = place_spans(OLD, OLD.replace("  c", "  cc"), SPANS)
    assert found[1, 2] == Placed(1, fresh=False)
    assert found[3, 3] == Placed(3)
    found = place_spans(OLD, OLD.replace("COPY d .", "COPY dd ."), SPANS)
    assert found[3, 3] == Placed(3, fresh=False)


def test_a_line_put_into_an_instruction_makes_it_stale() -> None:
    found = place_spans(OLD, OLD.replace("  c", "  x \\\n  c"), SPANS)
    assert found[1, 2] == Placed(1, fresh=False)
    assert found[3, 3] == Placed(4)


def test_what_was_deleted_is_nowhere() -> None:
    assert (3, 3) not in place_spans(OLD, OLD.replace("COPY d .\n", ""), SPANS)


LINES = st.lists(st.sampled_from(["a", "b", "c", "d e", ""]), max_size=12)


@given(LINES, LINES)
def test_a_fresh_place_holds_the_same_lines(before: list[str], after: list[str]) -> None:
    old, new = "\n".join(before), "\n".join(after)
    was, now = old.split("\n"), new.split("\n")
    spans = [(line, min(line + 1, len(was) - 1)) for line in range(len(was))]
    for (first, last), placed in place_spans(old, new, spans).items():
        assert 0 <= placed.line < len(now)
        if placed.fresh:
            assert now[placed.line : placed.line + last - first + 1] == was[first : last + 1]
