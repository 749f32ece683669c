"""The terminal against `script`, a bare pty and its own limits: floods, a long listing, and from key to paint."""

from __future__ import annotations

import os
import pty
import random
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest

from dockdesk.bridge.collector import Collector
from dockdesk.ui.theme import LIGHT, Theme
from dockdesk.ui.widgets.terminal import TerminalView, preload
from tests.benchmarks.harness import (
    FRAME_MS,
    Report,
    application,
    cpu,
    main,
    percentile,
    spin,
    spin_until,
    stalls,
)

_SEQ = ["seq", "1", "200000"]
_KEYS = 200


def _coloured(size: int) -> bytes:
    """About ``size`` bytes as a build or a test run prints them: every line in three colours."""
    chooser = random.Random(1)
    lines = []
    total = 0
    while total < size:
        number = chooser.randrange(256)
        line = (
            f"\x1b[{31 + number % 7}m{number:06}\x1b[0m compiled \x1b[1;38;5;{number}mcolour\x1b[0m in"
            f" \x1b[48;2;{number};20;30mtrue\x1b[0m {'x' * (number % 60)}\r\n"
        ).encode()
        lines.append(line)
        total += len(line)
    return b"".join(lines)


class _Paints(QObject):
    """Counts a widget's paint events."""

    def __init__(self, widget: QObject) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.count += 1
        return False


def _floods(view: TerminalView, paints: _Paints, report: Report) -> None:
    block = _coloured(64 * 1024)
    for rate, seconds in ((20e6, 4.0), (0.0, 2.0)):
        sent = 0

        def pour(rate: float = rate, seconds: float = seconds) -> None:
            nonlocal sent
            start = time.perf_counter()
            while time.perf_counter() - start < seconds:
                view.feed(block)
                sent += len(block)
                ahead = sent / rate - (time.perf_counter() - start) if rate else 0.0
                if ahead > 0.001:
                    time.sleep(ahead)

        thread = threading.Thread(target=pour)
        paints.count = 0
        with stalls() as meter, cpu() as used:
            start = time.perf_counter()
            thread.start()
            spin_until(lambda thread=thread: not thread.is_alive() and view._emulation.waiting == 0)
            took = time.perf_counter() - start
        speed, frames = sent / took / 1e6, paints.count / took
        if rate:
            report.add("flood at 20 MB/s: throughput", speed, "MB/s", at_least=19.0)
            report.add("flood at 20 MB/s: longest stall", meter.longest, "ms", limit=FRAME_MS)
            report.add(
                "flood at 20 MB/s: GUI thread busy at a stretch", meter.busy, "ms", limit=FRAME_MS
            )
            report.add("flood at 20 MB/s: frames", frames, "1/s", at_least=30)
            report.add("flood at 20 MB/s: CPU", used.percent, "% of a core")
        else:
            report.add("flood without a limit: throughput", speed, "MB/s", at_least=20.0)
            report.add("flood without a limit: longest stall", meter.longest, "ms", limit=FRAME_MS)


def _read_all(command: list[str]) -> float:
    """Seconds until a command on a pty has ended and all its output was read and dropped."""
    start = time.perf_counter()
    process, master = _start(command)
    while True:
        try:
            if not os.read(master, 65536):
                break
        except OSError:
            break
    process.wait()
    os.close(master)
    return time.perf_counter() - start


def _start(command: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    )
    os.close(slave)
    return process, master


def _show_all(view: TerminalView, command: list[str]) -> float:
    """Seconds until a command's output is in the terminal, to the last line."""
    view.restart()
    start = time.perf_counter()
    process, master = _start(command)

    def read() -> None:
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                return
            if not data:
                return
            view.feed(data)

    thread = threading.Thread(target=read)
    thread.start()
    spin_until(lambda: not thread.is_alive() and view._emulation.waiting == 0)
    view._canvas.repaint()
    took = time.perf_counter() - start
    process.wait()
    os.close(master)
    return took


def _listing(view: TerminalView, report: Report) -> None:
    script = ["script", "-qfc", " ".join(_SEQ), "/dev/null"]
    floors, peers, ours = [], [], []
    for _ in range(5):
        floors.append(_read_all(_SEQ))
        start = time.perf_counter()
        subprocess.run(script, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        peers.append(time.perf_counter() - start)
        ours.append(_show_all(view, _SEQ))
    report.add(
        "seq 1 200000, all of it shown",
        min(ours) * 1000,
        "ms",
        limit=2 * min(peers) * 1000,
        floor=min(floors) * 1000,
        peer="limit: 2 × script(1) writing to /dev/null; floor: a loop of read()",
    )


def _echo_floor(master: int) -> float:
    times = []
    for _ in range(_KEYS):
        start = time.perf_counter()
        os.write(master, b"x")
        select.select([master], [], [])
        os.read(master, 100)
        times.append((time.perf_counter() - start) * 1000)
    return percentile(times, 0.95)


def _echo(view: TerminalView, paints: _Paints, report: Report) -> None:
    """From a key press to the end of the paint that shows the program's echo."""
    process, master = _start(["cat"])
    floor = _echo_floor(master)
    view.restart()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            if select.select([master], [], [], 0.05)[0]:
                view.feed(os.read(master, 65536))

    thread = threading.Thread(target=read)
    thread.start()
    view.input_ready.connect(lambda data: os.write(master, data))
    times = []
    for number in range(_KEYS):
        spin(0.02)
        column = view.emulator.cursor().column if view.emulator else 0
        paints.count = 0
        start = time.perf_counter()
        QTest.keyClick(view._canvas, Qt.Key.Key_A)
        spin_until(
            lambda column=column: (
                paints.count > 0
                and view.emulator is not None
                and view.emulator.cursor().column != column
            )
        )
        times.append((time.perf_counter() - start) * 1000)
        if number % 60 == 59:
            QTest.keyClick(view._canvas, Qt.Key.Key_U, Qt.KeyboardModifier.ControlModifier)
            spin(0.05)
    stop.set()
    thread.join()
    process.kill()
    process.wait()
    os.close(master)
    report.add(
        "key to painted echo, p95",
        percentile(times, 0.95),
        "ms",
        limit=5.0 + floor,
        floor=floor,
        peer="floor: the same echo from the bare pty",
    )
    report.add("key to painted echo, median", percentile(times, 0.5), "ms")


def _idle(view: TerminalView, report: Report) -> None:
    view.feed(b"\r\n$ ")
    spin(0.3)
    with cpu() as used:
        spin(2.0)
    report.add("idle, shown", used.percent, "% of a core", limit=1.0)
    view.hide()
    with cpu() as used:
        spin(2.0)
    report.add("idle, hidden", used.percent, "% of a core", limit=1.0)


def run(report: Report) -> None:
    app = application()
    theme = Theme(LIGHT)
    theme.apply(app)
    start = time.perf_counter()
    preload()
    report.add("loading the core, off the GUI thread", (time.perf_counter() - start) * 1000, "ms")
    start = time.perf_counter()
    view = TerminalView(theme)
    view.resize(1200, 800)
    view.show()
    report.add("making a terminal", (time.perf_counter() - start) * 1000, "ms", limit=FRAME_MS * 3)
    spin(0.3)
    paints = _Paints(view._canvas)
    collector = Collector()  # as in the program: Python's own rounds would come at any time
    _floods(view, paints, report)
    _listing(view, report)
    _echo(view, paints, report)
    _idle(view, report)
    view.close_terminal()
    collector.close()


if __name__ == "__main__":
    main("terminal", run)
