"""YAML coloured line by line, and what is no YAML located."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.core.work import SilentWork
from dockdesk.dockerfile.yaml_text import START, check_yaml, scan_line

COMPOSE = """\
services:
  web:
    image: "nginx:${TAG:-1}" # the server
    ports: [80:80, 443]
    command: |
      echo: not a key
        more

    labels: &l {a.b/c: x, "d": 'it''s'}
    again: *l
    url: http://x:80/y#z
  - yes
"""


def kinds(text: str) -> list[list[tuple[str, str]]]:
    state = START
    lines: list[list[tuple[str, str]]] = []
    for line in text.split("\n"):
        spans, state = scan_line(line, state)
        lines.append([(line[start:end], kind) for start, end, kind in spans])
    return lines


def test_keys_strings_blocks_and_variables_are_told_apart() -> None:
    found = kinds(COMPOSE)
    assert found[0] == [("services", "flag")]
    assert found[2] == [
        ("image", "flag"),
        ('"nginx:${TAG:-1}"', "string"),
        ("# the server", "comment"),
    ]
    assert ("443", "number") in found[3]
    assert found[5] == [("echo: not a key", "heredoc")]
    assert found[6] == [("more", "heredoc")]
    assert [text for text, kind in found[8] if kind == "flag"] == ["labels", "a.b/c", '"d"']
    assert ("'it''s'", "string") in found[8]
    assert ("*l", "stage") in found[9]
    assert found[10] == [("url", "flag")]
    assert found[11] == [("-", "operator"), ("yes", "number")]
    assert kinds("a: $X $$y")[0] == [("a", "flag"), ("$X", "variable")]
    assert kinds('a: "b\n c" \nd: e')[1:] == [[(' c"', "string")], [("d", "flag")]]


@pytest.mark.parametrize(
    "line", ["a" + " " * 200_000 + "b", "'" * 200_000, "1" * 200_000, "${" * 100_000, "| " * 99_999]
)
@pytest.mark.timeout(60)
def test_no_line_takes_for_ever(line: str) -> None:
    scan_line(line, START)


@given(st.lists(st.text(alphabet="ab :-|>#\"'[]{},&*!?$\\\t1", max_size=12), max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_text_is_coloured_in_order_and_read_without_an_exception(lines: list[str]) -> None:
    state = START
    for line in lines:
        spans, state = scan_line(line, state)
        at = 0
        for start, end, _kind in spans:
            assert at <= start < end <= len(line)
            at = end
    for problem in check_yaml(SilentWork(), "\n".join(lines)):
        assert 0 <= problem.line < max(1, len(lines))
        there = lines[problem.line] if lines else ""
        assert 0 <= problem.column <= problem.end_column <= len(there)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a: b: c\n", 0, 4, "mapping values"),
        ("a:\n\t- b\n", 1, 0, "a tab can't stand here"),
        ("a: *x\n", 0, 3, "alias"),
        ("a: [1\n", 0, 4, "expected"),
        ("ok: 1\na: \x01b", 1, 3, "no such character"),
        ("[" * 20_000, 0, 0, ""),
    ],
)
def test_what_is_no_yaml_is_located(text: str, line: int, column: int, said: str) -> None:
    (problem,) = check_yaml(SilentWork(), text)
    assert problem.tone == "bad"
    assert said in problem.message
    if said:
        assert (problem.line, problem.column) == (line, column)


def test_a_key_is_there_once() -> None:
    (problem,) = check_yaml(SilentWork(), "a: 1\nb: {x: 1, x: 2}\n---\na: &y {<<: *y}\n")
    assert (problem.line, problem.column, problem.code) == (1, 10, "yaml-twice")
    assert "line 2" in problem.why
    assert check_yaml(SilentWork(), COMPOSE.replace("  - yes\n", "")) == ()
    assert check_yaml(SilentWork(), "a: \udcff\n") == ()
