"""Stamps, cells, order and export of rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.logs.blocks import ROW_BYTES
from dockdesk.core.logs.cells import cell_offsets, char_cells, wrap_breaks
from dockdesk.core.logs.export import TextFormat, export_rows
from dockdesk.core.logs.merge import MAX_STAGED, PATIENCE, SILENCE, Merger
from dockdesk.core.logs.stamps import split_stamp, split_stamps, stamp_ns
from dockdesk.core.logs.store import LogSource, LogStore

SOURCES = (LogSource("a", "web"), LogSource("b", "db"))


# --- Stamps ---


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        (b"1970-01-01T00:00:01Z", 1),
        (b"2024-05-01T14:04:48.5Z", 1714572288.5),
        (b"2024-05-01T16:04:48+02:00", 1714572288),
        (b"2024-05-01T08:34:48-05:30", 1714572288),
        (b"2016-12-31T23:59:60Z", 1483228799),
    ],
)
def test_stamps_are_moments(stamp: bytes, seconds: float) -> None:
    assert stamp_ns(stamp) == int(seconds * 1e9)


@pytest.mark.parametrize(
    "stamp", [b"", b"yesterday", b"2024-13-01T00:00:00Z", b"2024-05-01 14:04:48Z"]
)
def test_what_is_no_stamp(stamp: bytes) -> None:
    assert stamp_ns(stamp) is None


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.binary(max_size=20))
def test_a_stamp_is_split_off(moment: datetime, rest: bytes) -> None:
    text = rest.replace(b"\n", b"")
    stamp = moment.isoformat().encode() + b"Z"
    assert split_stamp(stamp + b" " + text) == (stamp, text)
    assert split_stamps(stamp + b" " + text + b"\n") == ([stamp], text + b"\n")
    exact = moment.replace(tzinfo=UTC, microsecond=0)
    assert stamp_ns(stamp) == int(exact.timestamp()) * 10**9 + moment.microsecond * 1000


# --- Cells ---


@given(st.text(max_size=60), st.integers(1, 20))
def test_wrapped_lines_cover_the_text_and_fit(text: str, columns: int) -> None:
    offsets = cell_offsets(text)
    breaks = list(wrap_breaks(text, offsets, columns))
    assert breaks[0] == 0
    assert breaks == sorted(set(breaks))
    for start, end in zip(breaks, [*breaks[1:], len(text)], strict=True):
        first = offsets[start] if offsets is not None else start
        last = offsets[end] if offsets is not None else end
        alone = end - start == 1 or all(not char_cells(char) for char in text[start + 1 : end])
        assert last - first <= columns or alone or text[start] == "\t"


def test_cells_of_uneven_text() -> None:
    assert cell_offsets("plain é") is None
    assert list(cell_offsets("a\tb") or ()) == [0, 1, 8, 9]
    assert list(cell_offsets("日本x") or ()) == [0, 2, 4, 5]
    assert list(cell_offsets("e\u0301x") or ()) == [0, 1, 1, 2]
    assert list(cell_offsets("👩\u200d💻") or ()) == [0, 2, 2, 4]


# --- Order ---


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def line(second: int, text: str) -> bytes:
    return f"2024-05-01T00:{second // 60:02}:{second % 60:02}.000000000Z {text}\n".encode()


class Merged:
    def __init__(self, sources: int = 2) -> None:
        self.clock = Clock()
        self.store = LogStore()
        generation = self.store.reset([LogSource(str(index)) for index in range(sources)], True)
        opened = 1714521600 + 1000  # 2024-05-01T00:16:40Z
        self.merger = Merger(self.store, generation, sources, self.clock, lambda: opened)

    def texts(self) -> list[str]:
        snapshot = self.store.snapshot()
        return [row.data.decode() for row in snapshot.rows(0, snapshot.last_row)]


def test_history_comes_in_the_order_of_its_stamps() -> None:
    merged = Merged()
    merged.merger.put(0, 1, line(1, "a1") + line(4, "a4") + line(6, "a6"))
    assert merged.texts() == []
    merged.merger.put(1, 2, line(2, "b2") + line(5, "b5"))
    merged.merger.tick()
    assert merged.texts() == ["a1", "b2", "a4", "b5"]
    merged.clock.now += 2 * SILENCE
    merged.merger.tick()
    assert merged.texts() == ["a1", "b2", "a4", "b5", "a6"]
    assert merged.merger.settled
    merged.merger.put(0, 1, line(3, "late"))
    assert merged.texts()[-1] == "late"


@pytest.mark.parametrize("told", [True, False])
def test_a_silent_source_holds_nobody_up_for_long(told: bool) -> None:
    merged = Merged(3)
    merged.merger.put(0, 1, line(2, "a2"))
    merged.merger.put(1, 1, line(1, "b1"))
    merged.clock.now += 2 * SILENCE
    merged.merger.tick()
    assert merged.texts() == []
    if told:
        merged.merger.opened()
        merged.clock.now += 2 * SILENCE
    else:
        merged.clock.now += PATIENCE
    merged.merger.tick()
    assert merged.texts() == ["b1", "a2"]
    assert merged.merger.settled


def test_an_ended_source_is_not_waited_for() -> None:
    merged = Merged()
    merged.merger.put(0, 1, line(2, "a2"))
    merged.merger.put(1, 1, line(1, "b1") + b"no newline")
    merged.merger.finish(1)
    assert merged.texts() == ["b1", "no newline", "a2"]


def test_live_lines_do_not_wait() -> None:
    merged = Merged()
    merged.merger.put(0, 1, line(1001, "a"))
    merged.merger.put(1, 1, line(1000, "b"))
    merged.merger.tick()
    assert merged.merger.settled
    assert merged.texts() == ["b", "a"]


def test_waiting_is_bounded() -> None:
    merged = Merged()
    burst = b"".join(line(index % 60, "x" * 200) for index in range(200))
    for _ in range(MAX_STAGED // len(burst) + 2):
        merged.merger.put(0, 1, burst)
    assert merged.store.snapshot().size > MAX_STAGED // 2
    merged.merger.put(1, 1, b"z" * (3 * 1024 * 1024))
    assert merged.merger.settled
    merged.merger.finish(1)
    assert len(merged.texts()) > 3 * 1024 * 1024 // ROW_BYTES


@given(st.lists(st.lists(st.integers(0, 900), max_size=12), min_size=2, max_size=4), st.randoms())
def test_merged_history_is_sorted_and_complete(streams: list[list[int]], random: object) -> None:
    merged = Merged(len(streams))
    data = [
        b"".join(line(second, f"{index} {second}") for second in sorted(seconds))
        for index, seconds in enumerate(streams)
    ]
    while any(data):
        index = random.choice([i for i, left in enumerate(data) if left])  # type: ignore[attr-defined]
        cut = random.randint(1, len(data[index]))  # type: ignore[attr-defined]
        merged.merger.put(index, 1, data[index][:cut])
        data[index] = data[index][cut:]
        merged.merger.tick()
    merged.clock.now += PATIENCE
    merged.merger.tick()
    seconds = [int(text.split()[1]) for text in merged.texts()]
    assert seconds == sorted(second for stream in streams for second in stream)


# --- Export ---


def test_exported_text_is_plain() -> None:
    store = LogStore()
    generation = store.reset(SOURCES, True)
    store.append(generation, 0, 1, b"2024-05-01T00:00:01Z \x1b[31mred\x1b[0m \x00\n")
    store.append(generation, 1, 2, b"2024-05-01T00:00:02Z " + b"w" * ROW_BYTES + b"end\n")
    snapshot = store.snapshot()

    def text(**form: bool) -> bytes:
        return b"".join(export_rows(snapshot.rows(0, 9), snapshot.sources, TextFormat(**form)))

    long = b"w" * ROW_BYTES + b"end\n"
    assert text() == "red \u2400\n".encode() + long
    assert text(raw=True) == b"\x1b[31mred\x1b[0m \x00\n" + long
    assert text(stamps=True, labels=True) == (
        "2024-05-01T00:00:01Z web red \u2400\n2024-05-01T00:00:02Z db ".encode() + long
    )


def test_parts_of_two_lines_are_not_joined() -> None:
    store = LogStore()
    generation = store.reset(SOURCES)
    for source in (0, 1):
        store.append(generation, source, 1, b"ab"[source : source + 1] * (ROW_BYTES + 5))
    for source in (0, 1):
        store.append(generation, source, 1, b"!\n")
    rows = store.snapshot().rows(0, 9)
    text = b"".join(export_rows(rows, SOURCES, TextFormat())).split(b"\n")
    assert [line[:1] + line[-1:] for line in text] == [b"aa", b"bb", b"a!", b"b!", b""]
