"""A million log lines: how long until they are in the view, how long they block it, what they cost, how they are found.

The floor of each is the same bytes, from a thread of their own, going nowhere.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable

import harness
from harness import FRAME_MS, Report, StallMeter, rss_mib, spin, spin_until, stalls

from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import Pulse
from dockdesk.core.logs.store import LogSource
from dockdesk.core.ports import LogChunk
from dockdesk.core.streams import Sink
from dockdesk.ui.theme import LIGHT, Theme
from dockdesk.ui.widgets.log.matcher import SearchSpec
from dockdesk.ui.widgets.log.panel import LogPanel

LINES = 1_000_000
CHUNK = 64 * 1024
SEARCH_LIMIT_S = 0.2


def plain_lines() -> bytes:
    return b"".join(
        b"2024-05-01 14:04:%02d INFO  GET /api/v1/items/%d 200 %02dms ok\n" % (n % 60, n, n % 100)
        for n in range(LINES)
    )


def coloured_lines(count: int) -> bytes:
    return b"".join(
        b"\x1b[2m14:04:%02d\x1b[0m \x1b[3%dmINFO \x1b[0m GET \x1b[1m/api/%d\x1b[0m \x1b[38;5;208m200\x1b[0m\n"
        % (n % 60, n % 8, n)
        for n in range(count)
    )


def stamped_lines(count: int, offset: int) -> bytes:
    return b"".join(
        b"2024-05-01T%02d:%02d:%02d.%09dZ GET /api/v1/items/%d\n"
        % (n // 3600 % 24, n // 60 % 60, n % 60, offset * 1000, n)
        for n in range(count)
    )


def rainbow_lines(count: int) -> bytes:
    """A colour for every character, as some tools print."""
    return b"".join(
        b"".join(b"\x1b[38;2;%d;%d;%dm%c" % (c, 255 - c, n % 256, 65 + c % 26) for c in range(200))
        + b"\n"
        for n in range(count)
    )


def stream(data: bytes, take: Callable[[bytes], None]) -> threading.Thread:
    """Hand over ``data`` in chunks on a thread, as fast as it is taken."""

    def run() -> None:
        for start in range(0, len(data), CHUNK):
            take(data[start : start + CHUNK])

    thread = threading.Thread(target=run)
    thread.start()
    return thread


class Bench:
    def __init__(self, report: Report) -> None:
        self.report = report
        theme = Theme(LIGHT)
        theme.apply(harness.application())
        self.jobs, self.pulse = Jobs(), Pulse()
        self.panel = LogPanel(theme, self.jobs, self.pulse)
        self.panel.resize(1200, 800)
        self.panel.show()
        spin(0.3)

    def open(self) -> Sink[LogChunk]:
        self.panel.set_sources([LogSource("a", "web")])
        spin(0.1)
        return self.panel.sink_for("a")

    def shows(self, row: int) -> bool:
        return self.panel.view.last_painted == row

    def tail(self) -> None:
        sink = self.open()
        data = b"".join(plain_lines().splitlines(keepends=True)[:1000])
        start = time.perf_counter()
        sink.put([LogChunk(1, data)])
        spin_until(lambda: self.shows(999))
        taken = (time.perf_counter() - start) * 1000
        self.report.add("tail of 1,000 lines on screen", taken, "ms", limit=100)

    def stall(self, name: str, meter: StallMeter, floor: float | None = None) -> None:
        if floor is None:
            with stalls() as idle:
                spin(0.3)
            floor = idle.longest
        self.report.add(
            f"{name}: longest stall", meter.longest, "ms", limit=FRAME_MS, floor=floor,
            note=f"at most {meter.busy:.1f} ms busy at a time",
        )  # fmt: skip

    def arrive(self, name: str, data: bytes, lines: int) -> None:
        sink = self.open()
        gc.collect()
        with stalls() as idle:
            floor = self._time(data, lambda chunk: chunk.count(b"\n"), lambda: True)
        before = rss_mib()
        with stalls() as meter:
            taken = self._time(
                data, lambda chunk: sink.put([LogChunk(1, chunk)]), lambda: self.shows(lines - 1)
            )
        size = len(data) / (1 << 20)
        note = f"{size:.0f} MiB"
        self.report.add(f"{name}: all in view", taken, "s", limit=1.5, floor=floor, note=note)
        self.stall(name, meter, idle.longest)
        ratio = (rss_mib() - before) / size
        self.report.add(f"{name}: memory for a byte", ratio, "bytes", limit=1.3)

    def merge(self, sources: int, lines: int) -> None:
        """History of several sources at once, to be put in the order of its stamps."""
        self.panel.set_sources([LogSource(str(n), f"web-{n}") for n in range(sources)])
        spin(0.1)
        streams = [(self.panel.sink_for(str(n)), stamped_lines(lines, n)) for n in range(sources)]
        with stalls() as meter:
            start = time.perf_counter()
            threads = [
                stream(data, lambda chunk, sink=sink: sink.put([LogChunk(1, chunk)]))
                for sink, data in streams
            ]
            spin_until(
                lambda: (
                    not any(thread.is_alive() for thread in threads)
                    and self.shows(sources * lines - 1)
                )
            )
            taken = time.perf_counter() - start
        name = f"{sources} × {lines:,} lines merged"
        self.report.add(f"{name}: all in view", taken, "s", limit=10)
        self.stall(name, meter)

    def search(self, name: str, spec: SearchSpec, limit: float) -> None:
        search = self.panel.search
        with stalls() as meter:
            start = time.perf_counter()
            search.start(spec)
            spin_until(lambda: search.ready)
            taken = time.perf_counter() - start
        hits = search.index.hits
        self.report.add(f"search {name}", taken, "s", limit=limit, note=f"{hits:,} hits")
        self.stall(f"search {name}", meter)

    def filter(self) -> None:
        search = self.panel.search
        search.start(SearchSpec("9ms ok"))
        self.panel.view.go_to_end()
        spin_until(lambda: search.ready)
        with stalls() as meter:
            start = time.perf_counter()
            self.panel.toolbar.search.filter.setChecked(True)
            spin_until(
                lambda: self.shows(LINES - 1) and self.panel.view.first_shown().row < LINES - 200
            )
            taken = time.perf_counter() - start
        self.report.add("filter for 100,000 of the lines", taken, "s", limit=0.5)
        self.stall("filter", meter)
        self.panel.toolbar.search.filter.setChecked(False)
        search.start(None)

    def scroll(self, name: str) -> None:
        bar = self.panel.view.verticalScrollBar()
        with stalls() as meter:
            for step in range(60):
                bar.setValue(bar.maximum() * (step * 37 % 61) // 61)
                spin(0.02)
        self.stall(f"{name}: scrolling", meter)

    def close(self) -> None:
        self.panel.close()
        self.jobs.close()
        self.pulse.close()

    @staticmethod
    def _time(data: bytes, take: Callable[[bytes], object], done: Callable[[], bool]) -> float:
        start = time.perf_counter()
        thread = stream(data, take)
        spin_until(lambda: not thread.is_alive() and done())
        return time.perf_counter() - start


def run(report: Report) -> None:
    # As the program itself does at its start.
    sys.setswitchinterval(0.0005)
    bench = Bench(report)
    gc.collect()
    gc.freeze()
    bench.tail()
    bench.arrive("1,000,000 lines", plain_lines(), LINES)
    bench.scroll("1,000,000 lines")
    bench.search("for what is once there", SearchSpec("items/777777 "), SEARCH_LIMIT_S)
    bench.search("for what is in every line", SearchSpec("get"), SEARCH_LIMIT_S)
    bench.search("by expression", SearchSpec(r"items/\d*777 ", expression=True), 1.0)
    bench.filter()
    bench.arrive("200,000 coloured lines", coloured_lines(200_000), 200_000)
    bench.search("in colours", SearchSpec("/api/177777"), 2 * SEARCH_LIMIT_S)
    bench.merge(3, 80_000)
    bench.arrive("2,000 lines in a colour a character", rainbow_lines(2_000), 2_000)
    bench.scroll("a colour a character")
    bench.close()


if __name__ == "__main__":
    harness.main("logs", run)
