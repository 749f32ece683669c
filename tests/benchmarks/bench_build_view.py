"""What it costs to watch a build of 200 steps: CPU in percent of a core, and the window's longest work without a break.

The builder's words are told by a thread, as a backend does: 200 steps in 10 seconds, eight at a time, with a line of
output and a count of bytes every 50 ms for each step that runs. The floor is the same thread with nobody who looks.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness import Report, application, cpu, main, spin, spin_until, stalls

from dockdesk.bridge.builds import BuildRuns
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import Pulse
from dockdesk.core.resources.builds import (
    BuildItem,
    BuildLog,
    BuildResult,
    BuildSpec,
    BuildStatus,
    BuildStep,
)
from dockdesk.core.work import Work
from dockdesk.ui.panes.dockerfiles.build_view import BuildView
from dockdesk.ui.theme import Theme

STEPS, SECONDS, AT_ONCE, BEAT = 200, 10.0, 8, 0.05
STAGES = 10
FRAME_MS = 16.7

TEXT = "\n".join(
    f"FROM scratch AS s{stage}\n" + "\n".join(f"RUN step {n}" for n in range(STEPS // STAGES))
    for stage in range(STAGES)
)


def name(number: int) -> str:
    per = STEPS // STAGES
    stage, step = divmod(number, per)
    return f"[s{stage} {step + 1}/{per}] RUN step {step}"


class Told:
    """An engine as far as builds ask for one: tells its items at their times."""

    def build(
        self, _spec: BuildSpec, sink: Callable[[Sequence[BuildItem]], None], work: Work
    ) -> BuildResult:
        tell(sink, work)
        return BuildResult("buildkit")


def tell(sink: Callable[[Sequence[BuildItem]], None], work: Work | None = None) -> None:
    begun = time.time()
    sink([BuildStep(str(n), name(n), (str(n - 1),) if n else ()) for n in range(STEPS)])
    length = SECONDS / STEPS * AT_ONCE
    running: dict[int, float] = {}
    upcoming = 0
    while running or upcoming < STEPS:
        now = time.time()
        items: list[BuildItem] = []
        for number, start in list(running.items()):
            if now - start >= length:
                del running[number]
                items.append(BuildStep(str(number), name(number), (), False, start, now))
            else:
                text = f"\x1b[32mstep {number}\x1b[0m at {now - begun:.2f} s of work\n"
                items.append(BuildLog(str(number), text.encode()))
                moved = round((now - start) / length * 1_000_000)
                items.append(BuildStatus("bytes", str(number), "", moved, 1_000_000, start))
        while len(running) < AT_ONCE and upcoming < STEPS:
            running[upcoming] = now
            items.append(BuildStep(str(upcoming), name(upcoming), (), False, now))
            upcoming += 1
        sink(items)
        if work is not None:
            work.check()
        time.sleep(BEAT)


@contextmanager
def view(theme: Theme) -> Iterator[tuple[BuildView, BuildRuns, Jobs]]:
    from tests.ui.rig import Rig

    class Bot:
        def waitUntil(self, condition: Callable[[], bool], timeout: int = 10_000) -> None:
            spin_until(condition, timeout / 1000)

    jobs, pulse = Jobs(), Pulse()
    rig = Rig(theme, jobs, pulse, Bot())
    made = BuildView(rig.context)
    made.resize(1100, 420)
    made.show()
    yield made, rig.builds, jobs
    made.hide()
    made.deleteLater()
    spin(0.1)
    rig.close()
    jobs.close()
    pulse.close()


def measure(theme: Theme, page: str) -> tuple[float, float, float]:
    """CPU in percent, and the longest stall and the longest work without a break in ms."""
    with view(theme) as (made, builds, jobs), tempfile.TemporaryDirectory() as folder:
        made.header.pages.set_current(page)
        spec = BuildSpec(Path(folder), str(Path(folder, "Dockerfile")))
        engine: Any = Told()
        run = builds.prepare(spec, TEXT, "bench")
        made._show_run(run)
        with stalls() as meter:
            jobs.submit(None, lambda work: run.execute(engine, work))
            spin_until(lambda: run.over, 60)
            spin(0.3)
        again = builds.prepare(spec, TEXT, "bench")
        made._show_run(again)
        with cpu() as used:
            jobs.submit(None, lambda work: again.execute(engine, work))
            spin_until(lambda: again.over, 60)
        return used.percent, meter.longest, meter.busy


def floor() -> float:
    """What the telling itself costs, in percent."""
    thread = threading.Thread(target=tell, args=(lambda _items: None,))
    with cpu() as used:
        thread.start()
        spin_until(lambda: not thread.is_alive(), 60)
    return used.percent


def run(report: Report) -> None:
    theme = Theme()
    theme.apply(application())
    least = floor()
    for page in ("log", "timeline"):
        percent, longest, busy = measure(theme, page)
        report.add(
            f"{STEPS} steps in {SECONDS:g} s, {page}",
            percent,
            "% of a core",
            limit=5 + least,
            floor=least,
        )
        note = f"longest stall by the clock {longest:.1f} ms"
        report.add(f"longest work without a break, {page}", busy, "ms", limit=FRAME_MS, note=note)


if __name__ == "__main__":
    main("build_view", run)
