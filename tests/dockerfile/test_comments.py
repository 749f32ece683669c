from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.dockerfile.formatting import toggle_comment
from dockdesk.dockerfile.syntax import parse

LONG = """\
FROM a
RUN one \\
    && two \\
    && three
CMD x
"""


def test_lines_become_comments_and_code_again() -> None:
    there = toggle_comment("FROM a\nRUN b\nCMD c\n", 1, 2)
    assert there == "FROM a\n# RUN b\n# CMD c\n"
    assert toggle_comment(there, 1, 2) == "FROM a\nRUN b\nCMD c\n"


def test_the_first_line_takes_the_instruction_along() -> None:
    there = toggle_comment(LONG, 1, 1)
    assert there == "FROM a\n# RUN one \\\n#     && two \\\n#     && three\nCMD x\n"
    assert toggle_comment(there, 1, 3) == LONG


def test_a_line_in_the_middle_vanishes_from_the_instruction() -> None:
    there = toggle_comment(LONG, 2, 2)
    assert there == LONG.replace("    && two", "    # && two")
    assert parse(there).instructions[1].text == "RUN one     && three"
    assert toggle_comment(there, 2, 2) == LONG


@pytest.mark.parametrize("first", [2, 3])
def test_without_its_last_line_an_instruction_ends_before_it(first: int) -> None:
    there = toggle_comment(LONG, first, 3)
    assert [each.keyword for each in parse(there).instructions] == ["FROM", "RUN", "CMD"]
    assert not parse(there).problems
    assert toggle_comment(there, first, 3) == LONG


def test_comments_among_code_get_another_mark() -> None:
    there = toggle_comment("# a\nFROM b\n", 0, 1)
    assert there == "# # a\n# FROM b\n"
    assert toggle_comment(there, 0, 1) == "# a\nFROM b\n"


def test_directives_are_code() -> None:
    assert toggle_comment("# syntax=x\nFROM a\n", 0, 0) == "# # syntax=x\nFROM a\n"


def test_heredocs_go_with_their_instruction() -> None:
    text = "FROM a\nRUN <<E\nx\n\n  y\nE\nCMD z\n"
    there = toggle_comment(text, 1, 1)
    assert there == "FROM a\n# RUN <<E\n# x\n#\n#   y\n# E\nCMD z\n"
    assert toggle_comment(there, 1, 5) == text


def test_lines_of_a_heredoc_become_its_comments_and_its_end_stays() -> None:
    text = "FROM a\nRUN <<E\nx\ny\nE\nCMD z\n"
    there = toggle_comment(text, 3, 4)
    assert there == "FROM a\nRUN <<E\nx\n# y\nE\nCMD z\n"
    assert toggle_comment(there, 3, 3) == text


def test_blank_lines_and_other_line_endings() -> None:
    assert toggle_comment("\n\n", 0, 1) == "\n\n"
    assert (
        toggle_comment("FROM a\r\n\r\nRUN b \\\r\n c\r\n", 3, 3)
        == "FROM a\r\n\r\nRUN b\r\n # c\r\n"
    )
    assert toggle_comment("\ufeffFROM a", 0, 0) == "\ufeff# FROM a"
    assert toggle_comment("FROM a", 5, 9) == "FROM a"


def test_an_ordinary_comment_is_not_drawn_into_the_instruction_above() -> None:
    text = "FROM a\n# RUM b\nCMD x\n"
    assert toggle_comment(text, 1, 1) == "FROM a\nRUM b\nCMD x\n"


LINES = st.sampled_from(
    [
        "FROM a",
        "RUN x \\",
        "  y \\",
        "  z",
        "CMD q",
        "# c",
        "  # d",
        "",
        "RUN <<E",
        "E",
        "b",
        "\tRUN b",
        "# RUN c",
        "`",
    ]
)


@settings(deadline=None)
@given(st.lists(LINES), st.integers(-1, 9), st.integers(-1, 9))
def test_only_lines_asked_for_or_of_their_instructions_change(
    lines: list[str], first: int, last: int
) -> None:
    text = "\n".join(lines)
    after = toggle_comment(text, first, last).split("\n")
    assert len(after) == len(text.split("\n"))
    touched = set(range(first, last + 1))
    for instruction in parse(text).instructions:
        own = set(range(instruction.first, instruction.last + 1))
        if own & touched:
            touched |= own
    before = text.split("\n")
    for number, line in enumerate(after):
        if number not in touched:
            # The line above gets its continuation back, nothing else.
            assert line in (before[number], before[number].rstrip() + " \\")
