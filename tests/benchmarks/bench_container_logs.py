"""A container has printed a million lines on a real dockerd: how long until all are in the view, and searchable.

The peer is `docker logs` of the same container to /dev/null, in the same run: both wait for the same daemon.
"""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
import time

from harness import FRAME_MS, Report, application, main, rss_mib, spin, spin_until, stalls
from live import engine, run_containers

from dockdesk.backends.engine.backend import EngineBackend, connect
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import Pulse
from dockdesk.core.logs.store import LogSource
from dockdesk.core.ports import LogQuery
from dockdesk.core.reactor import Reactor
from dockdesk.ui.theme import LIGHT, Theme
from dockdesk.ui.widgets.log.matcher import SearchSpec
from dockdesk.ui.widgets.log.panel import LogPanel
from tests.engines import Dockerd, wait_for

LINES = 1_000_000
ROUNDS = 3
# Numbered from a million and one, 61 bytes each.
_PRINT = (
    f"seq {LINES + 1} {2 * LINES} | "
    "sed 's#^#2024-05-01 14:04:00 INFO  GET /items/#;s#$# 200 12ms in cart#'"
)
_WANTED = "items/1777777 "
_SWITCH_INTERVAL_S = 0.0005  # as the program sets it


def printed(dockerd: Dockerd) -> str:
    """The id of a container that has printed all lines."""
    id = run_containers(dockerd, ["chatty"], ("sh", "-c", _PRINT))[0]
    wait_for(
        lambda: (
            not json.loads(dockerd.request("GET", f"/containers/{id}/json"))["State"]["Running"]
        ),
        600,
    )
    return id


class Bench:
    def __init__(self, report: Report, dockerd: Dockerd) -> None:
        self.report = report
        self.dockerd = dockerd
        theme = Theme(LIGHT)
        theme.apply(application())
        self.jobs, self.pulse, self.reactor = Jobs(), Pulse(), Reactor()
        self.backend: EngineBackend = connect(endpoint("x", dockerd.host, "x"), self.reactor)
        self.panel = LogPanel(theme, self.jobs, self.pulse)
        self.panel.resize(1200, 800)
        self.panel.show()
        spin(0.5)

    def open(self, id: str, tail: int | None) -> float:
        """Show a log up to its last line, as its tab does; return the seconds that took."""
        self.panel.set_sources([LogSource(id, "chatty")])
        spin(0.1)
        last = (LINES if tail is None else tail) - 1
        sink, query = self.panel.sink_for(id), LogQuery(tail=tail, follow=False)
        begun = time.perf_counter()
        self.jobs.submit(self.panel, lambda _work: self.backend.logs(id, query, sink))
        store, view = self.panel.feed.store, self.panel.view
        spin_until(lambda: view.last_painted == last and store.snapshot().end_row == last + 1, 120)
        return time.perf_counter() - begun

    def peer(self, id: str) -> float:
        begun = time.perf_counter()
        subprocess.run(
            ["docker", "--host", self.dockerd.host, "logs", id],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - begun

    def close(self) -> None:
        self.panel.close()
        self.jobs.close()
        self.backend.close()
        self.pulse.close()
        self.reactor.close()


def run(report: Report) -> None:
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with engine() as dockerd:
        id = printed(dockerd)
        bench = Bench(report, dockerd)
        gc.collect()
        gc.freeze()
        bench.open(id, 1000)
        tail = min(bench.open(id, 1000) for _ in range(5)) * 1000
        report.add("tail of 1,000 lines on screen", tail, "ms", limit=100)
        measure(report, bench, id)
        bench.close()


def measure(report: Report, bench: Bench, id: str) -> None:
    peers, taken, longest, busy = [], [], [], []
    grown = 0.0
    for number in range(ROUNDS):  # in turn, so that a slow moment hits both
        if shutil.which("docker") is not None:
            peers.append(bench.peer(id))
        bench.panel.set_sources([])
        spin(0.5)
        gc.collect()
        before = rss_mib()
        with stalls() as meter:
            taken.append(bench.open(id, None))
        if number == 0:  # memory that was freed is used again by the next rounds
            grown = rss_mib() - before
        longest.append(meter.longest)
        busy.append(meter.busy)
    snapshot = bench.panel.feed.store.snapshot()
    size = snapshot.size / (1 << 20)
    report.add("lines in the view", snapshot.lines, "lines", at_least=LINES, note=f"{size:.0f} MiB")
    report.add("all in the view", min(taken), "s")
    if peers:
        report.add(
            "all in the view",
            min(own / peer for own, peer in zip(taken, peers, strict=True)),
            "x docker logs",
            limit=1.2,
            floor=1.0,
            peer="docker logs to /dev/null",
            note=f"{min(peers):.2f} s",
        )
    note = f"at most {min(busy):.1f} ms busy at a time"
    report.add("longest stall", min(longest), "ms", limit=FRAME_MS, note=note)
    report.add("memory for a byte", grown / size, "bytes", limit=1.3)
    search = bench.panel.search
    with stalls() as meter:
        begun = time.perf_counter()
        search.start(SearchSpec(_WANTED))
        spin_until(lambda: search.ready)
        found = time.perf_counter() - begun
    report.add("search", found, "s", limit=0.2, note=f"{search.index.hits} hits")
    report.add("search: longest stall", meter.longest, "ms", limit=FRAME_MS)


if __name__ == "__main__":
    main("container logs", run)
