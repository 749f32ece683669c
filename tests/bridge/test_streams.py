"""Streams: batches, bounds, and what happens to those who leave."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from dockdesk.bridge.streams import BatchedSink, Pulse
from dockdesk.core.errors import DockDeskError, RemoteError

TIMEOUT = 10_000


class Subscription:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Reader(QObject):
    """An owner that notes what it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[list[Any], int]] = []
        self.ends: list[DockDeskError | None] = []

    def on_items(self, items: Sequence[Any], skipped: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.batches.append((list(items), skipped))

    def on_end(self, error: DockDeskError | None) -> None:
        self.ends.append(error)

    @property
    def items(self) -> list[Any]:
        return [item for batch, _ in self.batches for item in batch]

    @property
    def skipped(self) -> int:
        return sum(skipped for _, skipped in self.batches)

    def sink(self, pulse: Pulse, **options: Any) -> BatchedSink[Any]:
        return BatchedSink(pulse, self, self.on_items, self.on_end, **options)


@contextmanager
def in_thread(function: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=function)
    thread.start()
    yield
    thread.join(30)


def test_all_items_arrive_in_order_and_then_the_end(qtbot: QtBot, pulse: Pulse) -> None:
    reader = Reader()
    sink = reader.sink(pulse, bound=100_000)
    error = RemoteError("cut")

    def produce() -> None:
        for number in range(20_000):
            sink.put([number])
        sink.ended(error)

    with in_thread(produce):
        qtbot.waitUntil(lambda: bool(reader.ends), timeout=TIMEOUT)
    assert reader.items == list(range(20_000))
    assert reader.skipped == 0
    assert reader.ends == [error]
    qtbot.wait(50)
    assert reader.ends == [error]


def test_a_flood_comes_in_few_batches(qtbot: QtBot, pulse: Pulse) -> None:
    reader = Reader()
    sink = reader.sink(pulse)
    start = time.monotonic()

    def produce() -> None:
        while time.monotonic() - start < 0.5:
            sink.put(["line"])
            time.sleep(0.0002)
        sink.ended(None)

    with in_thread(produce):
        qtbot.waitUntil(lambda: bool(reader.ends), timeout=TIMEOUT)
    elapsed = time.monotonic() - start
    assert len(reader.batches) <= elapsed * 1000 / 33 + 3


def test_one_item_after_a_quiet_time_is_not_held_up(qtbot: QtBot) -> None:
    """The clock's interval is far longer than the test waits: what arrives came at once."""
    pulse = Pulse(interval_ms=3_600_000)
    pulse._last = time.monotonic() - 3_600
    reader = Reader()
    reader.sink(pulse).put(["key"])
    qtbot.waitUntil(lambda: bool(reader.items), timeout=TIMEOUT)
    pulse.close()


def test_a_prompt_sink_does_not_wait_for_the_tick_of_others(qtbot: QtBot) -> None:
    pulse = Pulse(interval_ms=3_600_000)
    other, terminal = Reader(), Reader()
    slow, quick = other.sink(pulse), terminal.sink(pulse, prompt=True)
    pulse._last = time.monotonic()  # a tick has just been
    slow.put(["later"])
    quick.flushed = time.monotonic() - 3_601
    quick.put(["echo"])
    qtbot.waitUntil(lambda: bool(terminal.items), timeout=TIMEOUT)
    assert other.items == []
    quick.put(["flood"])  # no longer quiet: from now on at the pace of all
    qtbot.wait(20)
    assert terminal.items == ["echo"]
    pulse.close()


def test_what_is_skipped_is_counted(qtbot: QtBot, pulse: Pulse) -> None:
    reader = Reader()
    sink = reader.sink(pulse, bound=100)
    sink.put(list(range(60)))
    sink.put(list(range(60, 120)))
    sink.put(list(range(120, 400)))
    qtbot.waitUntil(lambda: bool(reader.items), timeout=TIMEOUT)
    assert reader.items == list(range(300, 400))
    assert reader.skipped == 300
    sink.put([400])
    qtbot.waitUntil(lambda: len(reader.items) == 101, timeout=TIMEOUT)
    assert reader.skipped == 300


def test_nothing_arrives_after_close(qtbot: QtBot, pulse: Pulse) -> None:
    reader = Reader()
    sink = reader.sink(pulse)
    subscription = Subscription()
    sink.hold(subscription)
    sink.put([1])
    sink.close()
    sink.put([2])
    sink.ended(None)
    sink.close()
    qtbot.wait(60)
    assert reader.batches == []
    assert reader.ends == []
    assert subscription.closed == 1


def test_a_stream_that_opens_after_close_is_ended(pulse: Pulse) -> None:
    reader = Reader()
    sink = reader.sink(pulse)
    sink.close()
    late = Subscription()
    sink.hold(late)
    assert late.closed == 1


def test_a_reader_may_close_its_stream_while_it_reads(qtbot: QtBot, pulse: Pulse) -> None:
    reader = Reader()
    seen: list[int] = []

    def on_items(items: Sequence[int], _skipped: int) -> None:
        seen.extend(items)
        sink.close()

    sink: BatchedSink[int] = BatchedSink(pulse, reader, on_items, reader.on_end)
    sink.put([1])
    sink.ended(None)
    qtbot.waitUntil(lambda: seen == [1], timeout=TIMEOUT)
    qtbot.wait(1)
    assert reader.ends == []


@pytest.mark.parametrize("how", ["delete", "collect"])
def test_the_stream_ends_with_its_owner(qtbot: QtBot, pulse: Pulse, how: str) -> None:
    """A stream must end even if nothing ever comes down it, and must not keep its reader alive."""
    reader = Reader()
    sink = reader.sink(pulse)
    subscription = Subscription()
    sink.hold(subscription)
    watched = weakref.ref(reader)
    if how == "delete":
        shiboken6.delete(reader)
    else:
        del reader
        gc.collect()
        assert watched() is None
    assert subscription.closed == 1
    assert sink.closed
    assert pulse._owned == {}


def test_items_for_an_owner_that_just_died_are_dropped(qtbot: QtBot, pulse: Pulse) -> None:
    reader = Reader()
    sink = reader.sink(pulse)
    sink.put([1])
    shiboken6.delete(reader)
    qtbot.wait(50)
    assert reader.batches == []


def test_closed_sinks_are_not_kept(qtbot: QtBot, pulse: Pulse) -> None:
    reader = Reader()
    for _ in range(100):
        reader.sink(pulse).close()
    gc.collect()
    assert sum(len(sinks) for sinks in pulse._owned.values()) == 0


def test_a_receiver_that_raises_does_not_silence_the_others(qtbot: QtBot, pulse: Pulse) -> None:
    owner = QObject()
    reader = Reader()

    def bad(_items: Sequence[int], _skipped: int) -> None:
        raise ZeroDivisionError("in a receiver")

    ends: list[DockDeskError | None] = []
    broken: BatchedSink[int] = BatchedSink(pulse, owner, bad, ends.append)
    good = reader.sink(pulse)
    with qtbot.captureExceptions() as exceptions:
        broken.put([1])
        broken.ended(None)
        good.put([1])
        qtbot.waitUntil(lambda: bool(reader.items), timeout=TIMEOUT)
        good.put([2])
        qtbot.waitUntil(lambda: reader.items == [1, 2], timeout=TIMEOUT)
    assert [kind for kind, *_ in exceptions] == [ZeroDivisionError]
    assert ends == [None]


def test_a_slow_receiver_does_not_starve_the_others(qtbot: QtBot, pulse: Pulse) -> None:
    """What comes back before the tick is over waits for the next one, behind the others."""
    owner = QObject()
    reader = Reader()
    stop = [False]

    def slow(_items: Sequence[int], _skipped: int) -> None:
        time.sleep(0.012)
        if not stop[0]:
            greedy.put([1])

    greedy: BatchedSink[int] = BatchedSink(pulse, owner, slow)
    others = [reader.sink(pulse) for _ in range(20)]
    greedy.put([1])
    for number, sink in enumerate(others):
        sink.put([number])
    qtbot.waitUntil(lambda: sorted(reader.items) == list(range(20)), timeout=TIMEOUT)
    stop[0] = True
    greedy.close()


def test_a_closed_pulse_takes_no_more(qtbot: QtBot) -> None:
    pulse = Pulse()
    reader = Reader()
    sink = reader.sink(pulse)
    sink.put([1])
    pulse.close()
    sink.put([2])
    qtbot.wait(50)
    assert reader.batches == []


def test_a_stream_may_outlive_the_pulse(qtbot: QtBot) -> None:
    pulse = Pulse()
    reader = Reader()
    sink = reader.sink(pulse)
    shiboken6.delete(pulse)
    with in_thread(lambda: sink.put([1])):
        pass
    assert reader.batches == []


def test_many_streams_at_once(qtbot: QtBot, pulse: Pulse) -> None:
    readers = [Reader() for _ in range(100)]
    sinks = [reader.sink(pulse, bound=100_000) for reader in readers]

    def produce() -> None:
        for number in range(200):
            for sink in sinks:
                sink.put([number])
        for sink in sinks:
            sink.ended(None)

    with in_thread(produce):
        qtbot.waitUntil(lambda: all(reader.ends for reader in readers), timeout=30_000)
    assert all(reader.items == list(range(200)) for reader in readers)
