"""A file that is pointed at is left out or sent, by the smallest change of the rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.ignore_edits import leave_out, rule_text, send_after_all, with_line


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ("", "a/b", "a/b\n"),
        ("*.md", "x", "*.md\nx\n"),
        ("*\n!keep\n", "keep", "*\n"),
        ("!keep\n", "keep", "!keep\nkeep\n"),
        ("", "#1 ", "\\#1[ ]\n"),
        ("", "!a", "\\!a\n"),
        ("", "odd[1]*", "odd\\[1\\]\\*\n"),
        ("a\n!a/b\n", "a", "a\n!a/b\na\n"),
    ],
)
def test_leaving_out(text: str, path: str, after: str) -> None:
    assert leave_out(text, path) == after
    assert IgnoreRules.parse(after).list.matches(path)


@pytest.mark.parametrize(
    ("text", "path", "after"),
    [
        ("a/b\n*.md\n", "a/b", "*.md\n"),
        ("*.md\n", "x.md", "*.md\n!x.md\n"),
        ("a\n**/b\n", "a", "**/b\n"),
        ("node_modules", "node_modules/x/y", "node_modules\n!node_modules/x/y\n"),
        ("*\na\n", "a", "*\na\n!a\n"),
    ],
)
def test_sending_after_all(text: str, path: str, after: str) -> None:
    assert send_after_all(text, path) == after
    assert not IgnoreRules.parse(after).list.matches(path)


def test_a_line_stands_once() -> None:
    assert with_line("**/.env\n", "**/.env") == "**/.env\n"
    assert with_line("**/.env\n!a\n", "**/.env") == "**/.env\n!a\n**/.env\n"
    assert rule_text("# a\n  b \n", 1) == "b"
    assert rule_text("", 4) == ""


NAME = st.text(
    st.characters(
        codec="utf-8", exclude_characters="/\n\r\0\\", exclude_categories=("Zl", "Zp", "C")
    ),
    min_size=1,
    max_size=6,
)
PATH = st.lists(NAME.filter(lambda n: n not in {".", ".."}), min_size=1, max_size=3).map("/".join)
LINE = st.lists(st.sampled_from(["a", "*", "**", "!", "b", "/", "# c"]), max_size=4).map("".join)


@given(st.lists(LINE, max_size=5).map("\n".join), PATH)
def test_what_is_asked_for_comes_about(text: str, path: str) -> None:
    assert IgnoreRules.parse(leave_out(text, path)).list.matches(path)
    assert not IgnoreRules.parse(send_after_all(text, path)).list.matches(path)
