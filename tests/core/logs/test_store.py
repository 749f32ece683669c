"""The log store gives back what was put in, however it was cut, and never grows beyond its bound."""

from __future__ import annotations

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.logs.blocks import BLOCK_BYTES, ROW_BYTES, Row
from dockdesk.core.logs.export import TextFormat, export_rows
from dockdesk.core.logs.store import LogSnapshot, LogSource, LogStore

ONE = (LogSource("a", "web"),)
TWO = (LogSource("a", "web"), LogSource("b", "db"))


def filled(chunks: list[bytes], timestamped: bool = False, finish: bool = True) -> LogSnapshot:
    store = LogStore()
    generation = store.reset(ONE, timestamped)
    for chunk in chunks:
        store.append(generation, 0, 1, chunk)
    if finish:
        store.finish(generation, 0)
    return store.snapshot()


def all_rows(snapshot: LogSnapshot) -> list[Row]:
    return list(snapshot.rows(snapshot.first_row, snapshot.last_row - snapshot.first_row))


def raw(snapshot: LogSnapshot) -> bytes:
    return b"".join(export_rows(all_rows(snapshot), snapshot.sources, TextFormat(raw=True)))


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


lines = st.lists(
    st.one_of(st.binary(max_size=30), st.text(max_size=10).map(str.encode)), max_size=20
)


@given(lines, st.lists(st.integers(0, 1000), max_size=10))
def test_any_chunking_gives_the_same_rows(parts: list[bytes], cuts: list[int]) -> None:
    data = b"\n".join(parts)
    assert all_rows(filled(chunked(data, cuts))) == all_rows(filled([data]))


@given(lines, st.lists(st.integers(0, 1000), max_size=10))
def test_nothing_is_lost(parts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(part.replace(b"\n", b"").replace(b"\r", b"") + b"\n" for part in parts)
    snapshot = filled(chunked(data, cuts))
    assert raw(snapshot) == data
    assert snapshot.lines == len(parts)


@given(
    st.lists(st.integers(0, 3 * ROW_BYTES), min_size=1, max_size=4),
    st.lists(st.integers(0, 10**6), max_size=6),
)
def test_long_lines_are_kept_in_parts(lengths: list[int], cuts: list[int]) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    snapshot = filled(chunked(data, cuts))
    rows = all_rows(snapshot)
    assert raw(snapshot) == data
    assert snapshot.lines == len(lengths)
    assert max(len(row.data) for row in rows) <= ROW_BYTES
    assert rows == all_rows(filled([data]))


@given(st.lists(st.integers(0, 10**6), max_size=6))
def test_parts_end_between_characters(cuts: list[int]) -> None:
    data = ("€" * ROW_BYTES + "\n").encode()
    for row in all_rows(filled(chunked(data, cuts))):
        row.data.decode()


def test_parts_do_not_cut_escape_sequences() -> None:
    data = b"x" * (ROW_BYTES - 4) + b"\x1b[38;5;208mtext"
    first, second = all_rows(filled([data]))
    assert first.data == b"x" * (ROW_BYTES - 4)
    assert second.data == b"\x1b[38;5;208mtext"


def test_a_line_of_10_mib() -> None:
    data = b"y" * (10 * 1024 * 1024)
    snapshot = filled(chunked(data, list(range(0, len(data), 65_521))))
    assert snapshot.lines == 1
    assert raw(snapshot) == data + b"\n"
    assert snapshot.size < 1.01 * len(data)


def test_nul_and_binary_are_kept() -> None:
    data = bytes(byte for byte in range(256) if byte not in b"\n\r") + b"\n"
    assert raw(filled([data])) == data


def test_carriage_returns_of_a_terminal_are_no_text() -> None:
    rows = all_rows(filled([b"one\r", b"\ntwo\rthree\r\n"]))
    assert [row.data for row in rows] == [b"one", b"two\rthree"]


def test_the_last_line_shows_before_it_ends() -> None:
    snapshot = filled([b"done\npassword: "], finish=False)
    assert snapshot.end_row == 1
    assert [row.data for row in snapshot.partial] == [b"password: "]
    assert [row.number for row in all_rows(snapshot)] == [0, 1]


def test_lines_of_two_outputs_do_not_mix() -> None:
    store = LogStore()
    generation = store.reset(TWO)
    for source, stream, data in [
        (0, 1, b"hel"),
        (0, 2, b"err"),
        (1, 1, b"db\n"),
        (0, 1, b"lo\n"),
        (0, 2, b"or\n"),
    ]:
        store.append(generation, source, stream, data)
    rows = all_rows(store.snapshot())
    assert [(row.source, row.stream, row.data) for row in rows] == [
        (1, 1, b"db"),
        (0, 1, b"hello"),
        (0, 2, b"error"),
    ]


def test_stamps_are_kept_apart() -> None:
    stamp = b"2024-05-01T14:04:48.123456789Z"
    rows = all_rows(
        filled(
            [stamp[:10], stamp[10:] + b" one\nno stamp\n" + stamp + b" two\n" + stamp + b" \n"],
            True,
        )
    )
    assert [(row.stamp, row.data) for row in rows] == [
        (stamp, b"one"),
        (b"", b"no stamp"),
        (stamp, b"two"),
        (stamp, b""),
    ]


def test_the_rest_of_a_long_line_has_no_stamp_of_its_own() -> None:
    stamp = b"2024-05-01T14:04:48Z"
    line = stamp + b" " + b"z" * ROW_BYTES
    snapshot = filled([line + stamp + b" more\n" + stamp + b" next\n"], True)
    rows = all_rows(snapshot)
    assert [bool(row.stamp) for row in rows] == [True, False, True]
    assert [row.continued for row in rows] == [False, True, False]
    assert rows[1].data.endswith(stamp + b" more")
    assert snapshot.lines == 2


def test_the_oldest_are_dropped_and_counted() -> None:
    store = LogStore(max_bytes=3 * BLOCK_BYTES)
    generation = store.reset(ONE)
    for number in range(60_000):
        store.append(generation, 0, 1, b"line %06d of many\n" % number)
    snapshot = store.snapshot()
    rows = all_rows(snapshot)
    assert snapshot.size <= 3 * BLOCK_BYTES
    assert snapshot.dropped_lines > 0
    assert snapshot.dropped_lines + len(rows) == 60_000
    assert rows[0].number == snapshot.dropped_lines
    assert rows[0].data == b"line %06d of many" % snapshot.dropped_lines
    assert rows[-1].data == b"line 059999 of many"


def test_an_old_snapshot_stays_as_it_was() -> None:
    store = LogStore(max_bytes=BLOCK_BYTES)
    generation = store.reset(ONE)
    store.append(generation, 0, 1, b"first\n")
    before = store.snapshot()
    store.append(generation, 0, 1, b"more\n" * 200_000)
    store.reset(ONE)
    assert [row.data for row in all_rows(before)] == [b"first"]


def test_rows_are_found_by_number() -> None:
    data = b"".join(b"%d\n" % number for number in range(200_000))
    snapshot = filled([data])
    assert len(snapshot.blocks) > 3
    for number in (0, 1, 4321, 99_999, 131_072, 199_999):
        row = snapshot.row(number)
        assert row is not None
        assert (row.number, row.data) == (number, b"%d" % number)
    assert snapshot.row(200_000) is None
    assert snapshot.row(-1) is None
    edge = snapshot.blocks[1].first_row
    assert [row.number for row in snapshot.rows(edge - 2, 4)] == [
        edge - 2,
        edge - 1,
        edge,
        edge + 1,
    ]


@given(st.integers(0, 1200), st.integers(0, 700))
def test_reading_from_the_end_is_the_same_with_and_without_an_index(first: int, count: int) -> None:
    (block,) = filled([b"".join(b"%d\n" % number for number in range(1200))]).blocks
    without = list(block.rows_at(first, count))
    list(block.rows_at(0, 1))
    assert list(block.rows_at(first, count)) == without
    assert [row.number for row in without] == list(range(first, min(1200, first + count)))


def test_clearing_keeps_the_count_of_rows() -> None:
    store = LogStore()
    generation = store.reset(ONE)
    store.append(generation, 0, 1, b"a\nb\npart")
    store.clear()
    store.append(generation, 0, 1, b"c\n")
    snapshot = store.snapshot()
    assert [(row.number, row.data) for row in all_rows(snapshot)] == [(2, b"c")]
    assert snapshot.dropped_lines == 0


def test_bytes_of_an_older_stream_are_ignored() -> None:
    store = LogStore()
    old = store.reset(ONE)
    new = store.reset(ONE)
    store.append(old, 0, 1, b"old\n")
    store.finish(old, 0)
    store.append(new, 0, 1, b"new\n")
    assert [row.data for row in all_rows(store.snapshot())] == [b"new"]


def test_a_change_is_told_once_until_it_is_acknowledged() -> None:
    told: list[None] = []
    store = LogStore(on_change=lambda: told.append(None))
    generation = store.reset(ONE)
    store.append(generation, 0, 1, b"a\n")
    store.append(generation, 0, 1, b"b\n")
    assert len(told) == 1
    store.acknowledge()
    store.append(generation, 0, 1, b"c\n")
    assert len(told) == 2


def test_several_threads_append_while_another_reads() -> None:
    store = LogStore(max_bytes=4 * BLOCK_BYTES)
    sources = tuple(LogSource(str(index)) for index in range(4))
    generation = store.reset(sources)

    def write(source: int) -> None:
        for number in range(4000):
            store.append(generation, source, 1 + number % 2, b"%d line %d" % (source, number))
            store.append(generation, source, 1 + number % 2, b" ends\n")

    threads = [threading.Thread(target=write, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        snapshot = store.snapshot()
        for row in list(snapshot.rows(snapshot.end_row - 50, 50)):
            assert row.data.startswith(b"%d " % row.source)
            assert row.data.endswith(b" ends")
    for thread in threads:
        thread.join()
    snapshot = store.snapshot()
    assert snapshot.end_row == 16_000
    for source in range(4):
        numbers = [int(row.data.split()[2]) for row in all_rows(snapshot) if row.source == source]
        assert numbers == list(range(4000 - len(numbers), 4000))


@pytest.mark.parametrize("size", [1, 30, 200])
def test_it_needs_little_more_than_the_bytes(size: int) -> None:
    import tracemalloc

    data = (b"k" * size + b"\n") * 20_000
    store = LogStore()
    generation = store.reset(ONE)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for start in range(0, len(data), 10_000):
            store.append(generation, 0, 1, data[start : start + 10_000])
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # The block that grows has room to spare, which a few blocks more would not notice.
    assert used < 1.15 * len(data) + BLOCK_BYTES
