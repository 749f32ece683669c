"""A build context of 50,000 small files: read, shown, and judged anew while rules are typed beside it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import harness
from bench_editor import Bench
from harness import FRAME_MS, Report, best_of, spin, spin_until, stalls

from dockdesk.core.work import SilentWork
from dockdesk.dockerfile.inventory import take
from dockdesk.dockerfile.verdict import judge_text
from dockdesk.dockerfile.watched import watched

FILES = 50_000
FOLDERS = 1_000
SWITCH_INTERVAL_S = 0.0005  # as the program sets it
RULES = "**/node_modules\n**/*.log\n.git\ng3/**\n!g3/q150\n"


def make(folder: Path) -> None:
    """The files, 50 in a folder, 50 folders in a group."""
    for number in range(FOLDERS):
        inner = folder / f"g{number // 50}" / f"q{number}"
        inner.mkdir(parents=True)
        for file in range(FILES // FOLDERS):
            (inner / f"f{file}.txt").write_bytes(b"x" * file)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY . .\n")
    (folder / ".dockerignore").write_text(RULES)


class ContextBench(Bench):
    def run(self, context: Path) -> None:
        report = self.report
        work = SilentWork()
        inventory = take(context, work)
        report.add("read 50,000 files", best_of(lambda: take(context, work), 3), "ms", limit=2000)
        judged = best_of(lambda: judge_text(work, inventory, RULES), 3)
        report.add("judge 50,000 files by 5 rules", judged, "ms", limit=500)
        folders = best_of(lambda: watched(work, context, context / "Dockerfile"), 3)
        report.add("find the folders to watch", folders, "ms", limit=1000)
        self.pane.workspace.open(context / "Dockerfile")
        spin_until(lambda: self.pane.document is not None)
        view = self.pane.show_view("context")
        with stalls() as meter:
            spin_until(lambda: self.pane.beside.view("context") is not None)
            view = self.pane.beside.view("context")
            shown = spin_until(lambda: view.look.verdict is not None)  # type: ignore[union-attr]
            spin(0.5)
        report.add("from the click to the tree", shown, "s", limit=3.0)
        self._stall("while it is read and shown", meter)
        editor = view.ignore.document.editor  # type: ignore[union-attr]
        taken = []
        with stalls() as meter:
            for number in range(12):
                editor.insertPlainText(f"g{number}\n")
                text = editor.text()
                taken.append(spin_until(lambda text=text: view.look.text == text))  # type: ignore[misc,union-attr]
                spin(0.1)
        report.add("from the last key to the tree", sorted(taken)[len(taken) // 2], "s", limit=0.6)
        self._stall("while rules are typed", meter)
        with stalls() as meter:
            for row in range(20):
                view.tree.expand(view.model.index(row, 0))  # type: ignore[union-attr]
                spin(0.02)
            view.tree.expandAll()  # type: ignore[union-attr]
            spin(0.5)
        report.add(
            "unfold all 50,000 at once: stall", meter.busy, "ms", note="a keyboard's “*”; once"
        )
        self._watch(context)

    def _watch(self, context: Path) -> None:
        watcher = self.pane.watch.watcher
        began: list[int] = []
        told: list[object] = []
        watcher.started.connect(lambda: began.append(1))
        watcher.changed.connect(told.append)
        with stalls() as meter:
            watcher.start(context, context / "Dockerfile")
            took = spin_until(lambda: bool(began))
        self.report.add("until changes in 1,000 folders are seen", took, "s", limit=3.0)
        self._stall("while watching begins", meter)
        with harness.cpu() as cpu:
            spin(3.0)
        self.report.add("watching while nothing changes", cpu.percent, "%", limit=2.0)
        (context / "g1" / "q60" / "f1.txt").write_text("y")
        heard = spin_until(lambda: bool(told))
        self.report.add("from a change to its news", heard, "s", limit=1.5)
        watcher.close()

    def _stall(self, when: str, meter: harness.StallMeter) -> None:
        self.report.add(
            f"{when}: work of the GUI thread at a stretch",
            meter.busy,
            "ms",
            limit=FRAME_MS,
            note=f"stall {meter.longest:.1f} ms by the clock",
        )


def run(report: Report) -> None:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with tempfile.TemporaryDirectory(prefix="dd-bench-") as folder:
        context = Path(folder) / "context"
        context.mkdir()
        make(context)
        bench = ContextBench(report, Path(folder))
        try:
            bench.run(context)
        finally:
            bench.close()


if __name__ == "__main__":
    harness.main("context", run)
