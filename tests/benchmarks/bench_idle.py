"""What DockDesk costs while nobody does anything: three running containers shown, and hidden, ten seconds each.

Shown, it costs what it shows: figures that an engine sends each second are read and painted. The floor is the same
streams read and decoded for nobody. Without these figures, as with the window hidden or minimised, there should be
nothing left. ``wake-ups`` counts how often any of its threads began to run: timers betray themselves there first.
"""

from __future__ import annotations

import time
from pathlib import Path

from harness import Report, main, spin, spin_until
from live import engine, program, run_containers

from dockdesk.app import Program
from dockdesk.bridge.engine_session import EngineSession
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.stats_feed import StatsFeed
from dockdesk.bridge.streams import Pulse
from dockdesk.core.reactor import Reactor
from tests.engines import Dockerd

NAMES = ["web", "api", "db"]
SECONDS = 10.0
_NONE = 0.1  # percent of a core: what a few wake-ups of the interpreter in ten seconds come to


def wakeups() -> int:
    """Voluntary context switches of all threads so far."""
    total = 0
    for status in Path("/proc/self/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def idle(seconds: float = SECONDS) -> tuple[float, float]:
    """Percent of a core, and wake-ups a second, while nothing is done."""
    begun, cpu, woken = time.perf_counter(), time.process_time(), wakeups()
    spin(seconds)
    cpu, woken = time.process_time() - cpu, wakeups() - woken
    passed = time.perf_counter() - begun
    return 100 * cpu / passed, woken / passed


def streams_alone(dockerd: Dockerd, ids: list[str]) -> tuple[float, float]:
    """The same figures, read and decoded, without anything to show them."""
    from dockdesk.backends.engine.backend import connect
    from dockdesk.backends.engine.contexts import endpoint

    found, reactor, jobs, pulse = endpoint("x", dockerd.host, "x"), Reactor(), Jobs(), Pulse()
    session = EngineSession(jobs, pulse)
    stats = StatsFeed(session, jobs)
    session.connect_to(found.environment, lambda work: connect(found, reactor, work))
    spin_until(lambda: session.loaded("containers"))
    stats.watch(ids)
    spin_until(lambda: all(stats.latest(id) is not None for id in ids))
    spin(2.0)
    taken = idle()
    stats.close()
    session.close()
    jobs.close(3000)
    pulse.close()
    reactor.close()
    return taken


def live(made: Program, ids: list[str]) -> None:
    """Return once figures of all containers are on the screen."""
    stats = made.services.stats
    spin_until(lambda: all(stats.latest(id) is not None for id in ids))
    spin(5.0)  # details, archive and the first figures are over by then


def run(report: Report) -> None:
    with engine() as dockerd:
        ids = run_containers(dockerd, NAMES)
        floor, floor_wakeups = streams_alone(dockerd, ids)
        with program(dockerd) as made:
            window, stats = made.shell.window, made.services.stats
            live(made, ids)
            shown, shown_wakeups = idle()
            report.add(
                "shown, with live figures",
                shown,
                "% of a core",
                limit=1.5,
                floor=floor,
                note="floor: the same streams read for nobody",
            )
            report.add("wake-ups shown", shown_wakeups, "1/s", floor=floor_wakeups)
            stats.set_active(False)
            spin(2.0)
            still, still_wakeups = idle()
            report.add("shown, without figures", still, "% of a core", limit=_NONE)
            report.add("wake-ups without figures", still_wakeups, "1/s", limit=2.0)
            stats.set_active(True)
            live(made, ids)
            window.showMinimized()
            spin(4.0)
            minimised, minimised_wakeups = idle()
            report.add("minimised", minimised, "% of a core", limit=_NONE)
            report.add("wake-ups minimised", minimised_wakeups, "1/s", limit=1.0)
            window.showNormal()
            live(made, ids)
            window.hide()
            spin(4.0)
            hidden, hidden_wakeups = idle()
            report.add("hidden", hidden, "% of a core", limit=_NONE)
            report.add("wake-ups hidden", hidden_wakeups, "1/s", limit=1.0)
            report.add("streams while hidden", stats.streams, "streams", limit=0)


if __name__ == "__main__":
    main("idle", run)
