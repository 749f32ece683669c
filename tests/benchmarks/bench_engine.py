"""Two hundred running containers on a real dockerd: what listing them, following them and their figures cost.

Requests are counted on the way, by a proxy on the socket. The CPU of live figures is that of the client and the
daemon together, while DockDesk shows its list, beside `docker stats` of the same containers, and of all.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from harness import FRAME_MS, Report, best_of, elsewhere, main, percentile, spin, spin_until, stalls
from live import engine, program, run_containers

from dockdesk.app import Program
from dockdesk.backends.engine.backend import connect
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.core.reactor import Reactor
from tests.engines import Dockerd

CONTAINERS = int(os.environ.get("BENCH_CONTAINERS", "200"))
SECONDS = 10.0
CHANGES = 12
ROUNDS = 2
_QUIET = 2.0  # percent of a core
_REQUEST = re.compile(rb"^([A-Z]+) (\S+) HTTP/1\.1\r\n")
_TICK = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """CPU in percent of a core."""

    client: float
    daemon: float

    @property
    def both(self) -> float:
        return self.client + self.daemon


class CountingProxy:
    """A unix socket that passes on to another, and keeps what is asked and how many bytes are answered."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name("count.sock")
        self.asked: list[str] = []
        self.answered = 0
        self._target = target
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> None:
        self.asked.clear()
        self.answered = 0

    def of(self, path: str) -> list[str]:
        """The requests so far for a path, as METHOD TARGET."""
        return [item for item in self.asked if path in item.partition("?")[0]]

    def close(self) -> None:
        for sock in (self._listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                server.connect(str(self._target))
                self._open += [client, server]
                for pair, note in (
                    ((client, server), self._note_request),
                    ((server, client), self._note_answer),
                ):
                    threading.Thread(target=self._pass, args=(*pair, note), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, note) -> None:  # type: ignore[no-untyped-def]
        with suppress(OSError):
            while data := source.recv(1 << 16):
                note(data)
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _note_request(self, data: bytes) -> None:
        if (found := _REQUEST.match(data)) is not None:
            self.asked.append(b" ".join(found.groups()).decode())

    def _note_answer(self, data: bytes) -> None:
        self.answered += len(data)


def start_containers(dockerd: Dockerd, count: int) -> list[str]:
    """Several at a time: most of a start is waiting."""
    names = [f"bench-{number:03}" for number in range(count)]
    with ThreadPoolExecutor(4) as pool:
        return [ids[0] for ids in pool.map(lambda name: run_containers(dockerd, [name]), names)]


def daemon_cpu(dockerd: Dockerd) -> float:
    """Seconds of CPU that dockerd, its containerd and the shims have used so far."""
    mark, total = str(dockerd.folder).encode(), 0
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        with suppress(OSError):
            if mark in (process / "cmdline").read_bytes():
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
    return total / _TICK


def list_cost(report: Report, dockerd: Dockerd) -> None:
    """One list through the backend, beside the bare request."""
    reactor = Reactor()
    backend = connect(endpoint("x", dockerd.host, "x"), reactor)
    bare = best_of(lambda: dockerd.request("GET", "/v1.41/containers/json?all=1"))
    own = best_of(lambda: backend.containers())
    assert len(backend.containers()) == CONTAINERS
    report.add("list", own, "ms", limit=2 * bare + 20, floor=bare, note="floor: the bare request")
    backend.close()
    reactor.close()


def settled(proxy: CountingProxy, quiet: float = 1.0) -> None:
    """Return once nothing has been asked for a while."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < quiet:
        if len(proxy.asked) != last:
            last, since = len(proxy.asked), time.monotonic()
        spin(0.05)


def requests(report: Report, dockerd: Dockerd, ids: list[str]) -> None:
    """How often the engine is asked at the start, and for one change."""
    proxy = CountingProxy(dockerd.socket)
    try:
        with program(dockerd, host=f"unix://{proxy.path}") as made:
            spin_until(lambda: made.session.loaded("images"))
            settled(proxy)
            # Images come later, and ask for their users by a list of their own.
            first = proxy.asked[
                : next(n for n, item in enumerate(proxy.asked) if "/images" in item)
            ]
            lists = [item for item in first if "/containers/" in item]
            report.add("requests for the first list", len(lists), "requests", limit=1)
            others = [item for item in proxy.asked if "/stats" not in item]
            report.add(
                "requests until all is there, figures aside",
                len(others),
                "requests",
                limit=8,
                note="version, info, events, list; images and their users; the log that is shown, its kind",
            )
            made.services.stats.set_active(False)
            spin(1.0)
            changes(report, dockerd, made, proxy, ids)
    finally:
        proxy.close()


def changes(
    report: Report, dockerd: Dockerd, made: Program, proxy: CountingProxy, ids: list[str]
) -> None:
    delays, calls, sizes = [], [], []
    for number in range(CHANGES):
        id = ids[number // 2]
        verb, state = ("pause", "paused") if number % 2 == 0 else ("unpause", "running")
        settled(proxy, 0.6)
        proxy.reset()
        dockerd.request("POST", f"/containers/{id}/{verb}")
        begun = time.perf_counter()
        spin_until(lambda: made.session.containers[id].state == state)  # noqa: B023
        delays.append((time.perf_counter() - begun) * 1000)
        settled(proxy, 0.6)
        calls.append(len(proxy.asked))
        sizes.append(proxy.answered)
        assert all("filters=" in item for item in proxy.of("/containers/json"))
    report.add("requests for a change", max(calls), "requests", limit=1, note="filtered by the id")
    report.add("bytes read for a change", max(sizes), "bytes", limit=8192, note="the event's too")
    report.add(
        "a change on the screen",
        percentile(delays, 0.5),
        "ms",
        limit=300,
        floor=100,
        note="floor: how long changes are gathered",
    )


def docker_stats(dockerd: Dockerd, ids: list[str]) -> Cost:
    """CPU in percent of a core of `docker stats`, and of the daemon meanwhile."""
    process = subprocess.Popen(
        ["docker", "--host", dockerd.host, "stats", *ids],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(3.0)
        begun, daemon, client = time.perf_counter(), daemon_cpu(dockerd), _process_cpu(process.pid)
        time.sleep(SECONDS)
        client, daemon = _process_cpu(process.pid) - client, daemon_cpu(dockerd) - daemon
        passed = time.perf_counter() - begun
    finally:
        process.kill()
        process.wait()
    return Cost(100 * client / passed, 100 * daemon / passed)


def _process_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def quiet_daemon(dockerd: Dockerd, patience: float = 60.0) -> float:
    """Wait until the daemon has nothing left to do of what was before; return its CPU in percent of a core."""
    until = time.monotonic() + patience
    while True:
        begun, daemon = time.perf_counter(), daemon_cpu(dockerd)
        time.sleep(3.0)
        rest = 100 * (daemon_cpu(dockerd) - daemon) / (time.perf_counter() - begun)
        if rest < _QUIET or time.monotonic() > until:
            return rest


def own_figures(report: Report, dockerd: Dockerd, rounds: int) -> tuple[list[str], Cost]:
    """What DockDesk's own cost, with its window shown: the least of some rounds."""
    costs = []
    with program(dockerd) as made:
        stats = made.services.stats
        spin_until(lambda: stats.streams > 3)
        watched = sorted(stats._streams)
        spin_until(lambda: all(stats.latest(id) is not None for id in watched))
        spin(4.0)
        for _ in range(rounds):
            begun, daemon, client = time.perf_counter(), daemon_cpu(dockerd), time.process_time()
            spin(SECONDS)
            client, daemon = time.process_time() - client, daemon_cpu(dockerd) - daemon
            passed = time.perf_counter() - begun
            costs.append(Cost(100 * client / passed, 100 * daemon / passed))
        with elsewhere() as others, stalls(10) as meter:
            spin(SECONDS)
        threads = sum(thread.name == "streams" for thread in threading.enumerate())
    report.add("rows with live figures", len(watched), "rows")
    report.add("threads that read them", threads, "threads", limit=1)
    peer = "a bare process that waits for the same CPU at the same time"
    report.add("own work at a stretch meanwhile", meter.busy, "ms", limit=FRAME_MS)
    report.add("stall meanwhile, 99 of 100", meter.share(), "ms", limit=FRAME_MS)
    report.add("longest stall meanwhile", meter.longest, "ms", floor=others[0], peer=peer)
    return watched, min(costs, key=lambda cost: cost.both)


def figures(report: Report, dockerd: Dockerd) -> None:
    """Live figures of what is visible, beside `docker stats`."""
    report.add("daemon at rest", quiet_daemon(dockerd), "% of a core")
    watched, own = own_figures(report, dockerd, ROUNDS)
    name, note = (
        "live figures, client and daemon",
        f"client {own.client:.1f}, daemon {own.daemon:.1f}",
    )
    if shutil.which("docker") is None:
        report.add(name, own.both, "% of a core", note=note)
        return
    for which, ids in (("the same containers", watched), ("all", [])):
        quiet_daemon(dockerd)
        costs = [docker_stats(dockerd, ids) for _ in range(ROUNDS)]
        peer = min(costs, key=lambda cost: cost.both)
        report.add(
            name,
            own.both,
            "% of a core",
            limit=peer.both,
            peer=f"docker stats of {which}",
            note=f"{note}; peer: client {peer.client:.1f}, daemon {peer.daemon:.1f}",
        )


def run(report: Report) -> None:
    with engine() as dockerd:
        begun = time.perf_counter()
        ids = start_containers(dockerd, CONTAINERS)
        report.add("containers", len(ids), "running", note=f"{time.perf_counter() - begun:.0f} s")
        list_cost(report, dockerd)
        requests(report, dockerd, ids)
        figures(report, dockerd)


if __name__ == "__main__":
    main("engine", run)
