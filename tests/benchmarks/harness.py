"""What every benchmark needs: a clock for stalls, one for CPU, one for frames, and a report as JSON.

A benchmark is a script: ``python tests/benchmarks/bench_table.py`` prints one JSON object whose ``results`` stand
beside their limit and, where there is one, their floor: the same measure taken in the same run with nothing to do.
Compare with the floor before blaming the program, since a loaded machine stalls an idle loop too.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __package__ in {None, ""} and str(Path(__file__).parents[2]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parents[2]))

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from dockdesk import plain_import  # isort: split

from PySide6.QtCore import QCoreApplication, QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

plain_import.restore()  # as the program does

FRAME_MS = 1000 / 60


def application() -> QApplication:
    """The one QApplication of the process, offscreen unless the environment says otherwise."""
    found = QCoreApplication.instance()
    return found if isinstance(found, QApplication) else QApplication(["benchmark"])


def spin(seconds: float) -> None:
    """Run the event loop for so long; it sleeps when there is nothing to do."""
    loop = QEventLoop()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setSingleShot(True)
    timer.timeout.connect(loop.quit)
    timer.start(round(seconds * 1000))
    loop.exec()


def spin_until(condition: Callable[[], bool], timeout: float = 60.0) -> float:
    """Run the event loop until ``condition`` holds; returns the seconds it took. Raises TimeoutError."""
    start = time.perf_counter()
    alarm = QTimer()
    alarm.setTimerType(Qt.TimerType.PreciseTimer)
    alarm.start(1)
    while not condition():
        if time.perf_counter() - start > timeout:
            raise TimeoutError(f"not reached in {timeout} s")
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    return time.perf_counter() - start


def rss_mib() -> float:
    """Resident memory of this process, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def percentile(values: list[float], share: float) -> float:
    """The value that ``share`` (0.0 to 1.0) of ``values`` do not exceed; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


class StallMeter:
    """How long the event loop did not come round: gaps between the beats of a timer, beyond the timer's own interval.

    ``longest`` is the user's view, in ms. ``busy`` is the longest gap in CPU time of the GUI thread: work of its own.
    A long gap that is not busy was spent without the CPU: by another thread that held the GIL, or by other processes.
    """

    def __init__(self, interval_ms: int = 2) -> None:
        self._interval = interval_ms / 1000
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self._on_beat)
        self._last = self._last_cpu = 0.0
        self.gaps: list[float] = []
        self.busy_gaps: list[float] = []

    def _on_beat(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self.gaps.append((now - self._last - self._interval) * 1000)
        self.busy_gaps.append((cpu - self._last_cpu) * 1000)
        self._last, self._last_cpu = now, cpu

    def start(self) -> None:
        self.gaps.clear()
        self.busy_gaps.clear()
        self._last, self._last_cpu = time.perf_counter(), time.thread_time()
        self._timer.start()

    def stop(self) -> None:
        self._on_beat()
        self._timer.stop()

    @property
    def longest(self) -> float:
        return max(self.gaps, default=0.0)

    @property
    def busy(self) -> float:
        return max(self.busy_gaps, default=0.0)

    def share(self, share: float = 0.99) -> float:
        """The gap in ms that ``share`` of all beats did not exceed."""
        return percentile(self.gaps, share)


@contextmanager
def stalls(interval_ms: int = 2) -> Iterator[StallMeter]:
    """Measure the stalls of what runs inside."""
    meter = StallMeter(interval_ms)
    meter.start()
    try:
        yield meter
    finally:
        meter.stop()


_ELSEWHERE = """
import select, sys, time
worst, last = 0.0, time.perf_counter()
while not select.select([sys.stdin], [], [], 0.002)[0]:
    now = time.perf_counter()
    worst, last = max(worst, now - last - 0.002), now
print(worst * 1000)
"""


@contextmanager
def elsewhere() -> Iterator[list[float]]:
    """Meanwhile, how long a bare process with nothing to do waits for the CPU: the list holds the longest, in ms.

    It is the floor of a stall by the clock on a machine where others work.
    """
    found: list[float] = []
    with subprocess.Popen(
        [sys.executable, "-c", _ELSEWHERE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield found
        finally:
            out, _err = process.communicate("over\n")
            found.append(float(out))


class CpuMeter:
    """CPU time of this process, all threads, in percent of one core. It costs nothing itself, unlike a StallMeter."""

    def __init__(self) -> None:
        self._wall = self._cpu = 0.0
        self.percent = 0.0
        self.seconds = 0.0

    def start(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        self.seconds = time.process_time() - self._cpu
        self.percent = 100 * self.seconds / max(1e-9, time.perf_counter() - self._wall)


@contextmanager
def cpu() -> Iterator[CpuMeter]:
    """Measure the CPU of what runs inside; read ``percent`` afterwards."""
    meter = CpuMeter()
    meter.start()
    try:
        yield meter
    finally:
        meter.stop()


class FrameMeter:
    """How many frames a second a widget that always has something new gets to paint, at most ``rate``."""

    def __init__(self, widget: QWidget, rate: float = 60.0) -> None:
        self._widget = widget
        self._step = 1 / rate
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_frame)
        self._start = self._due = 0.0
        self._frames = 0
        self.per_second = 0.0

    def start(self) -> None:
        self._start = self._due = time.perf_counter()
        self._frames = 0
        self._arm()

    def _arm(self) -> None:
        # Frames that were missed are lost, as on a display: the next one is due on the grid.
        now = time.perf_counter()
        self._due += self._step
        while self._due <= now:
            self._due += self._step
        self._timer.start(max(0, round((self._due - now) * 1000)))

    def _on_frame(self) -> None:
        self._widget.repaint()
        self._frames += 1
        self._arm()

    def stop(self) -> None:
        self._timer.stop()
        self.per_second = self._frames / max(1e-9, time.perf_counter() - self._start)


def best_of(function: Callable[[], Any], times: int = 5) -> float:
    """The shortest of several runs, in ms: the time with the least disturbance by others."""
    taken: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        taken.append((time.perf_counter() - start) * 1000)
    return min(taken)


@dataclass(slots=True)
class Report:
    """Collects results and prints them. A limit is an upper bound, unless ``at_least`` is given instead."""

    name: str
    results: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        limit: float | None = None,
        at_least: float | None = None,
        floor: float | None = None,
        peer: str = "",
        note: str = "",
    ) -> None:
        """Add a number, beside its ``limit``, its ``floor`` and the ``peer`` that the floor or limit comes from."""
        row: dict[str, Any] = {"name": name, "value": round(value, 3), "unit": unit}
        if limit is not None:
            row |= {"limit": round(limit, 3), "ok": value <= limit}
        if at_least is not None:
            row |= {"at_least": round(at_least, 3), "ok": value >= at_least}
        if floor is not None:
            row["floor"] = round(floor, 3)
        if peer:
            row["peer"] = peer
        if note:
            row["note"] = note
        self.results.append(row)

    @property
    def ok(self) -> bool:
        return all(row.get("ok", True) for row in self.results)

    def as_dict(self) -> dict[str, Any]:
        return {
            "benchmark": self.name,
            "python": platform.python_version(),
            "cores": os.cpu_count() or 1,
            "load": round(os.getloadavg()[0], 2),
            "ok": self.ok,
            "results": self.results,
        }


def main(name: str, run: Callable[[Report], None]) -> None:
    """Run a benchmark and print its report as JSON; the exit code is 1 when a limit was missed."""
    application()
    report = Report(name)
    run(report)
    json.dump(report.as_dict(), sys.stdout, indent=2)
    sys.stdout.write("\n")
    raise SystemExit(0 if report.ok else 1)
