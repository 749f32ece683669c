"""A hundred streams with two thousand messages a second reach the window without costing it a frame.

A process of its own writes JSON lines into a hundred sockets; the reactor reads them on one thread, decodes them and
hands them to sinks; a widget paints sixty times a second all the while. Beside it: the time from a message's arrival to
its receiver, what jobs cost, and how the window fares while jobs work: heavy work as the program does it, in helper
processes, and for comparison on threads, which share the interpreter with the window.

Limits: at least 58 frames a second, stall p99 16.7 ms, also while helpers work.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness import (
    FRAME_MS,
    FrameMeter,
    Report,
    cpu,
    main,
    percentile,
    spin,
    spin_until,
    stalls,
)
from PySide6.QtCore import QObject
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from dockdesk.bridge.call import Call
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import BatchedSink, Pulse
from dockdesk.core.errors import DockDeskError
from dockdesk.core.logs.export import TextFormat, save_portions
from dockdesk.core.logs.store import LogSnapshot, LogSource, LogStore
from dockdesk.core.reactor import Reactor
from dockdesk.core.work import Work
from dockdesk.ui.widgets.log.hits import AllRows, portions_between

STREAMS = 100
MESSAGES = 2_000
SECONDS = 4.0
_SAVERS = 3
_SWITCH_INTERVAL_S = 0.0005  # as the program sets it

_WRITER = """
import json, os, sys, time
sockets = [int(fd) for fd in sys.argv[2:]]
rate = float(sys.argv[1])
line = json.dumps({"read": "2026-01-01T00:00:00Z", "cpu": {"total": 123456789, "system": 987654321},
                   "memory": {"usage": 1 << 28, "limit": 1 << 33}, "name": "/container"}).encode() + b"\\n"
start, sent = time.monotonic(), 0
while True:
    due = int((time.monotonic() - start) * rate)
    for number in range(sent, due):
        try:
            os.write(sockets[number % len(sockets)], line)
        except OSError:
            sys.exit(0)
    sent = due
    time.sleep(0.002)
"""


class Canvas(QWidget):
    """Something that takes a few milliseconds to paint, as a window with a chart does."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        for row in range(30):
            painter.fillRect(0, row * 20, self.width(), 19, QColor(row * 8, 90, 160))
            painter.drawText(10, row * 20 + 15, f"row {row} at {time.monotonic():.3f}")


class Decoder:
    """A stream's bytes as decoded lines, into a sink."""

    def __init__(self, sink: BatchedSink[Any]) -> None:
        self._sink = sink
        self._rest = b""

    def received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._sink.put([json.loads(line) for line in lines])

    def lost(self, error: Exception | None) -> None:
        self._sink.ended(None)


class Feed:
    """A writing process and the sockets between it and the reactor."""

    def __init__(self, rate: float) -> None:
        self.owner = QObject()
        self.pulse = Pulse()
        self.reactor = Reactor("bench")
        self.received = 0
        pairs = [socket.socketpair() for _ in range(STREAMS)]
        for ours, _theirs in pairs:
            sink: BatchedSink[Any] = BatchedSink(self.pulse, self.owner, self._on_items)
            self.reactor.add(ours, Decoder(sink))
        ends = [theirs.fileno() for _ours, theirs in pairs]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(rate), *map(str, ends)], pass_fds=ends
        )
        for _ours, theirs in pairs:
            theirs.close()

    def _on_items(self, items: Sequence[Any], _skipped: int) -> None:
        self.received += len(items)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self.reactor.close()
        self.pulse.close()


def measure_frames(report: Report, title: str, widget: QWidget, limits: bool = True) -> None:
    """Frames, stalls and CPU of whatever goes on now."""
    frames = FrameMeter(widget)
    frames.start()
    with stalls() as stalled, cpu() as used:
        spin(SECONDS)
    frames.stop()
    at_least, limit = (58.0, FRAME_MS) if limits else (None, None)
    report.add(f"{title}: frames", frames.per_second, "/s", at_least=at_least)
    report.add(f"{title}: stall p99", stalled.share(), "ms", limit=limit)
    report.add(f"{title}: longest stall", stalled.longest, "ms")
    report.add(f"{title}: CPU", used.percent, "% of a core")


def measure_streams(report: Report, widget: QWidget) -> None:
    measure_frames(report, "nothing else to do", widget, limits=False)
    for rate, limits in ((MESSAGES, True), (10 * MESSAGES, False)):
        feed = Feed(rate)
        spin_until(lambda feed=feed: feed.received > 0)
        before, start = feed.received, time.monotonic()
        measure_frames(report, f"{STREAMS} streams, {rate} messages/s", widget, limits)
        arrived = (feed.received - before) / (time.monotonic() - start)
        report.add(f"{rate} messages/s: arrived", arrived, "/s", at_least=rate * 0.97)
        feed.close()


def measure_latency(report: Report) -> None:
    """From a put on another thread to the receiver, one message now and then, as when keys are typed."""
    pulse, owner = Pulse(), QObject()
    taken: list[float] = []
    sink: BatchedSink[float] = BatchedSink(
        pulse,
        owner,
        lambda items, _skipped: taken.extend(time.perf_counter() - at for at in items),
        prompt=True,
    )

    def produce() -> None:
        random_ = random.Random(3)
        for _ in range(100):
            time.sleep(0.04 + random_.random() * 0.02)
            sink.put([time.perf_counter()])

    thread = threading.Thread(target=produce)
    thread.start()
    spin_until(lambda: len(taken) == 100)
    thread.join()
    pulse.close()
    times = [item * 1000 for item in taken]
    report.add("one message, arrival to receiver: p95", percentile(times, 0.95), "ms", limit=5)


def measure_jobs(report: Report, widget: QWidget) -> None:
    jobs = Jobs()
    done: list[float] = []

    def ask() -> None:
        start = time.perf_counter()
        jobs.submit(None, lambda _work: None, lambda _r: done.append(time.perf_counter() - start))
        spin_until(lambda: not jobs.busy())

    for _ in range(200):
        ask()
    report.add("one job, there and back: median", percentile(done, 0.5) * 1000, "ms", limit=2)

    count = 5_000
    finished: list[int] = []
    start = time.perf_counter()
    with stalls() as stalled:
        for number in range(count):
            jobs.submit(None, lambda _work: None, lambda _r: finished.append(1), order=f"c{number}")
        submitted = time.perf_counter() - start
        spin_until(lambda: len(finished) == count)
    report.add("5,000 jobs: submitted", submitted * 1000 / count * 1000, "µs each", limit=100)
    report.add("5,000 jobs: all done", (time.perf_counter() - start) * 1000, "ms")
    report.add("5,000 jobs: stall p99", stalled.share(), "ms", limit=FRAME_MS)

    stop = threading.Event()
    text = json.dumps([{"id": number, "name": "x" * 50} for number in range(400)])

    def parse(_work: Work) -> None:
        while not stop.is_set():
            json.loads(text)

    def copy(_work: Work) -> None:
        while not stop.is_set():
            os.stat("/")
            bytes(1 << 20).count(b"x")

    measure_heavy(report, jobs, widget)
    for title, work in (("two jobs that parse", parse), ("four jobs that copy and wait", copy)):
        stop.clear()
        for _ in range(2 if work is parse else 4):
            jobs.submit(None, work, lane=title, long=True)
        # Two cores are no more than the jobs take: frames are told, and not held against a limit.
        measure_frames(report, title, widget, limits=False)
        stop.set()
        spin_until(lambda: not jobs.busy())
    jobs.close()


def measure_heavy(report: Report, jobs: Jobs, widget: QWidget) -> None:
    """Long logs are saved, again and again, while streams arrive: as the program does it, and on threads beside it."""
    store = LogStore()
    generation = store.reset([LogSource("web", "web")])
    for number in range(200):
        lines = (f"2024-05-01 INFO GET /items/{number}/{at} 200 12ms in cart" for at in range(5000))
        store.append(generation, 0, 1, ("\n".join(lines) + "\n").encode())
    feed = Feed(MESSAGES)
    spin_until(lambda: feed.received > 0)
    for process in (True, False):
        title = f"{_SAVERS} logs are saved " + ("by a helper process" if process else "on threads")
        with TemporaryDirectory() as folder:
            saving = Saving(jobs, store.snapshot(), Path(folder), process)
            measure_frames(report, title, widget, limits=process)
            spin_until(lambda saving=saving: bool(saving.ended), 120)
            saving.stop()
        report.add(f"{title}: the first after", saving.ended[0], "s", note="1,000,000 lines each")
    feed.close()


class Saving(QObject):
    """Saves a log again and again, some at a time."""

    def __init__(self, jobs: Jobs, snapshot: LogSnapshot, folder: Path, process: bool) -> None:
        super().__init__()
        self._jobs = jobs
        self._snapshot = snapshot
        self._folder = folder
        self._process = process
        self._begun = time.perf_counter()
        self.ended: list[float] = []
        for number in range(_SAVERS):
            self._save(number)

    def _save(self, number: int) -> None:
        snapshot = self._snapshot
        first, end = snapshot.first_row, snapshot.end_row
        form, target = TextFormat(labels=True), self._folder / str(number)

        def again(_size: int) -> None:
            self.ended.append(time.perf_counter() - self._begun)
            self._save(number)

        self._jobs.submit(
            self,
            Call(
                save_portions,
                (snapshot.lines, snapshot.sources, form, target),
                lambda: portions_between(snapshot, AllRows(first, end), first, end - 1),
            ),
            again,
            _ignore,
            lane="save",
            title="Save",
            long=True,
            process=self._process,
        )

    def stop(self) -> None:
        for job in self._jobs.visible():
            job.cancel()
        spin_until(lambda: not self._jobs.busy())


def _ignore(_error: DockDeskError) -> None:
    """They are cancelled in the end."""


def run(report: Report) -> None:
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    widget = Canvas()
    widget.resize(1000, 620)
    widget.show()
    spin(0.2)
    measure_streams(report, widget)
    measure_latency(report)
    measure_jobs(report, widget)
    widget.close()


if __name__ == "__main__":
    main("streams", run)
