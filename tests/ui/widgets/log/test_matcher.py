"""Matching in blocks finds what reading the log line by line would find."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.logs.ansi import safe_text
from dockdesk.core.logs.blocks import Block
from dockdesk.core.logs.store import LogSource, LogStore
from dockdesk.ui.widgets.log import matcher as matching
from dockdesk.ui.widgets.log.hits import AllRows, HitIndex, MatchingRows, rows_between
from dockdesk.ui.widgets.log.matcher import SPARSE, SearchSpec, hits_in, make_matcher


def block_of(*lines: str | bytes) -> Block:
    store = LogStore()
    generation = store.reset([LogSource("a")])
    for line in lines:
        data = line if isinstance(line, bytes) else line.encode()
        store.append(generation, 0, 1, data + b"\n")
    return store.snapshot().blocks[0]


words = st.text("abAB é.\x1b[3m\t", max_size=12)


@given(
    st.lists(words, min_size=1, max_size=12),
    st.text("abAB é", min_size=1, max_size=3),
    st.booleans(),
)
def test_plain_hits_are_those_of_every_line(lines: list[str], text: str, case: bool) -> None:
    block = block_of(*lines)
    found = [
        (hit.row, hit.start, hit.end)
        for hit in hits_in(make_matcher(SearchSpec(text, case)), block)
    ]
    pattern = re.compile(re.escape(text), 0 if case else re.IGNORECASE)
    expected = [
        (row, *match.span())
        for row, line in enumerate(lines)
        for match in pattern.finditer(safe_text(line.encode()))
    ]
    assert found == expected
    scan = make_matcher(SearchSpec(text, case)).scan(block, True)
    assert scan.hits == len(expected)
    assert list(scan.rows or ()) == sorted({row for row, _, _ in expected})


@given(
    st.lists(words, min_size=1, max_size=12),
    st.sampled_from(
        [
            "a+",
            "^a",
            "b$",
            "[^a]+",
            r"\s+",
            "a|b",
            "(a)(?!b)",
            ".",
            "a*",
            r"\w+",
            "(?s)a.b",
            r"\Aa",
            r"b\Z",
        ]
    ),
)
def test_expressions_match_line_by_line(lines: list[str], pattern: str) -> None:
    block = block_of(*lines)
    expected = [
        (row, *match.span())
        for row, line in enumerate(lines)
        for match in re.finditer(pattern, safe_text(line.encode()))
        if match.end() > match.start()
    ]
    matcher = make_matcher(SearchSpec(pattern, case=True, expression=True))
    assert [(hit.row, hit.start, hit.end) for hit in hits_in(matcher, block)] == expected
    assert matcher.scan(block, True).hits == len(expected)


def test_colours_do_not_hide_what_is_searched() -> None:
    block = block_of("\x1b[31mERR\x1b[0mOR here", "31m is no text", "error")
    assert [hit.row for hit in hits_in(make_matcher(SearchSpec("error")), block)] == [0, 2]
    assert [hit.row for hit in hits_in(make_matcher(SearchSpec("31m")), block)] == [1]
    assert [
        hit.row for hit in hits_in(make_matcher(SearchSpec("^err", expression=True)), block)
    ] == [0, 2]


def test_broken_utf8_does_not_shift_hits() -> None:
    block = block_of(b"\xff\xfe caf\xc3\xa9 \xe2\x82")
    (hit,) = hits_in(make_matcher(SearchSpec("café")), block)
    assert safe_text(b"\xff\xfe caf\xc3\xa9 \xe2\x82")[hit.start : hit.end] == "café"


@pytest.mark.parametrize("text", ["(", "*a", "[", "a" * 5000, "(?P<x", "\\"])
def test_what_is_no_expression_is_said_so(text: str) -> None:
    with pytest.raises(InvalidInputError) as failure:
        make_matcher(SearchSpec(text, expression=True))
    assert failure.value.title
    assert failure.value.field == "search"


def test_nested_groups_beyond_measure_are_no_crash() -> None:
    with pytest.raises(InvalidInputError):
        make_matcher(SearchSpec("(" * 490 + "a" + ")" * 490 + "(" * 5, expression=True))


@pytest.mark.parametrize("call", ["scan", "spans"])
def test_a_catastrophic_expression_is_stopped(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "BLOCK_SECONDS", 0.2)
    matcher = make_matcher(SearchSpec("(a|aa)+$", expression=True))
    evil = "a" * 5000 + "b"
    block = block_of(evil)
    match = (
        (lambda: matcher.scan(block, False)) if call == "scan" else (lambda: matcher.spans(evil))
    )
    with pytest.raises(InvalidInputError, match="too long"):
        match()


def test_other_threads_run_while_an_expression_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(matching, "BLOCK_SECONDS", 1.0)
    matcher = make_matcher(SearchSpec("(a|aa)+$", expression=True))
    block = block_of("a" * 5000 + "b")
    failures: list[Exception] = []

    def scan() -> None:
        try:
            matcher.scan(block, False)
        except InvalidInputError as error:
            failures.append(error)

    thread = threading.Thread(target=scan)
    thread.start()
    turns = 0
    while thread.is_alive():
        time.sleep(0.001)
        turns += 1
    thread.join()
    assert failures
    # Had the interpreter been held, there would have been one turn or two.
    assert turns > 10


def test_many_hits_are_marked_as_stretches() -> None:
    block = block_of(*(["hit"] * 1000))
    plain = make_matcher(SearchSpec("hit"))
    assert plain.scan(block, False).rows is None
    assert list(plain.scan(block, False).marks) == [(0, 1000)]
    every = plain.scan(block, True)
    assert len(every.rows or ()) == 1000
    assert len(every.marks) <= SPARSE


# --- Where hits are ---


def test_the_index_counts_replaces_and_forgets() -> None:
    store = LogStore()
    generation = store.reset([LogSource("a")])
    index = HitIndex()
    matcher = make_matcher(SearchSpec("x", case=True))
    for number in range(40_000):
        store.append(generation, 0, 1, b"x\n" if number % 1000 == 0 else b"nothing here\n")
    snapshot = store.snapshot()
    for block in index.missing(snapshot, False):
        index.add(matcher.scan(block, False))
    assert index.hits == 40
    assert index.missing(snapshot, False) == []
    store.append(generation, 0, 1, b"x\n")
    grown = store.snapshot()
    (last,) = index.missing(grown, False)
    index.add(matcher.scan(last, False))
    assert index.hits == 41
    second = grown.blocks[1]
    hit = hits_in(matcher, second)[0]
    before = sum(1 for number in range(0, second.first_row, 1000))
    assert index.place(hit) == before + 1
    index.forget_before(second.first_row)
    assert index.hits == 41 - before
    assert index.place(hit) == 1


@given(st.lists(st.sets(st.integers(0, 99)), min_size=1, max_size=6))
def test_matching_rows_are_found_both_ways(blocks: list[set[int]]) -> None:
    from array import array

    rows = [number * 100 + row for number, found in enumerate(blocks) for row in sorted(found)]
    shown = MatchingRows(
        [(number * 100, array("I", sorted(found))) for number, found in enumerate(blocks)]
    )
    assert len(shown) == len(rows)
    assert list(shown.numbers(0, len(rows) + 5)) == rows
    for index, row in enumerate(rows):
        assert shown.row(index) == row
        assert shown.index(row) == index
    for row in range(len(blocks) * 100 + 1):
        assert shown.index(row) == sum(1 for found in rows if found < row)


def test_rows_between_are_those_shown() -> None:
    store = LogStore()
    generation = store.reset([LogSource("a")])
    for number in range(60_000):
        store.append(generation, 0, 1, b"row %d\n" % number)
    store.append(generation, 0, 1, b"partial")
    snapshot = store.snapshot()
    everything = AllRows(snapshot.first_row, snapshot.last_row)
    assert [row.number for row in rows_between(snapshot, everything, 59_998, 70_000)] == [
        59_998,
        59_999,
        60_000,
    ]
    matcher = make_matcher(SearchSpec("00", case=True))
    index = HitIndex()
    for block in snapshot.blocks:
        index.add(matcher.scan(block, True))
    found = [row.number for row in rows_between(snapshot, index.matching_rows(), 100, 50_000)]
    assert found == [number for number in range(100, 50_001) if "00" in str(number)]
