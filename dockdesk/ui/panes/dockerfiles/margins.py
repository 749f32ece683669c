"""Beside each instruction: what it took in the last build, whether from the cache, and what its layer weighs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.builds import ARCHIVE_LANE
from dockdesk.core.builds.placing import Placed, place_spans
from dockdesk.core.builds.records import BuildRecord, StepRecord, project_of
from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass
from dockdesk.core.units import age_text, bytes_text, took_text
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.widgets.editor import MarginCell

if TYPE_CHECKING:
    from dockdesk.bridge.build_run import BuildRun

_LIVE_MS = 250
_TYPING_MS = 300
_HEAVY = 100_000_000  # bytes of a layer that are worth a second look
_SLOW = 10.0  # seconds of a step that are

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class LineTimes:
    """What a build tells of an instruction; ``layer`` is in bytes.

    ``state``: waiting, running, cached, ran, stopped or failed.
    """

    span: Span
    state: str
    seconds: float = 0.0
    layer: int = -1
    error: str = ""


def times_of(
    steps: Sequence[StepRecord], running: Mapping[str, str] | None = None
) -> list[LineTimes]:
    """Steps by instruction; several of one instruction (for several platforms) count together.

    ``running`` gives the states of steps of a build that is not over, by digest.
    """
    lines: dict[Span, LineTimes] = {}
    for step in steps:
        if step.line < 0 or step.keyword == "FROM":
            continue
        span = (step.line, max(step.line, step.last))
        state = (running or {}).get(step.digest) or _state(step)
        known = lines.get(span)
        if known is not None:
            both = {known.state, state}
            state = next(word for word in _WORST if word in both)
        lines[span] = LineTimes(
            span,
            state,
            max(step.seconds, known.seconds if known else 0.0),
            max(step.layer, known.layer if known else -1),
            step.error or (known.error if known else ""),
        )
    return list(lines.values())


_WORST = ("failed", "stopped", "running", "waiting", "ran", "cached")


def _state(step: StepRecord) -> str:
    if step.error:
        return "stopped" if step.stopped else "failed"
    if step.cached:
        return "cached"
    return "ran" if step.reached else "waiting"


def cells_of(
    times: Sequence[LineTimes], places: Mapping[Span, Placed], when: str
) -> dict[int, tuple[MarginCell, ...]]:
    """Line → its cells. ``when`` is what tips say of the build; what was edited since is muted, and says so."""
    cells: dict[int, tuple[MarginCell, ...]] = {}
    for each in times:
        placed = places.get(each.span)
        if placed is None or each.state == "waiting":
            continue
        text, tone = _time_cell(each)
        size = bytes_text(each.layer) if each.layer > 0 else ""
        weight: Tone = "warn" if each.layer >= _HEAVY else "muted"
        tip = _tip(each, when)
        if not placed.fresh:
            tone = weight = "muted"
            tip += "\nThe instruction was edited since."
        cells[placed.line] = (MarginCell(text, tone, tip), MarginCell(size, weight, tip))
    return cells


def _time_cell(times: LineTimes) -> tuple[str, Tone]:
    if times.state == "cached":
        return "cached", "info"
    text = f"{times.seconds:.1f} s" if times.seconds < 60 else took_text(times.seconds)
    if times.state == "failed":
        return text, "bad"
    if times.state in {"running", "stopped"}:
        return text, "accent" if times.state == "running" else "muted"
    return text, "warn" if times.seconds >= _SLOW else "neutral"


def _tip(times: LineTimes, when: str) -> str:
    words = {
        "cached": "came from the cache",
        "failed": f"failed after {took_text(times.seconds)}",
        "stopped": f"was stopped after {took_text(times.seconds)}",
        "running": f"runs since {took_text(times.seconds)}",
    }
    lines = [f"{when}: {words.get(times.state, f'ran {took_text(times.seconds)}')}"]
    if times.layer >= 0:
        size = bytes_text(times.layer) if times.layer else "nothing"
        lines.append(f"Its layer adds {size} to the image.")
    if times.error:
        lines.append(times.error)
    return "\n".join(lines)


class Margin(QObject):
    """The margin of one document. ``pressed`` tells that the user asked for more, with the line.

    Shown is the build that runs, else the last one that is known. Cells move with their lines at once; where they
    belong is worked out anew, off the GUI thread, when typing pauses.
    """

    pressed = Signal(int)

    def __init__(self, context: UiContext, document: OpenDocument) -> None:
        super().__init__(document)
        self._context = context
        self._document = document
        self._project = ""
        self._run: BuildRun | None = None
        self._record: BuildRecord | None = None
        self._places: Mapping[Span, Placed] = {}
        self._lost: set[Span] = set()
        self._placed_for: tuple[str, str] | None = None
        self._live = self._timer(_LIVE_MS, self._show)
        self._typing = self._timer(_TYPING_MS, self._show)
        builds = context.builds
        builds.opened.connect(self._read)
        builds.started.connect(self._on_started)
        builds.ended.connect(self._on_ended)
        builds.recorded.connect(self._on_recorded)
        document.changed.connect(self._on_text_changed)
        document.moved.connect(self._on_moved)
        document.editor.cell_pressed.connect(self.pressed)
        self._on_moved()

    def _timer(self, interval: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    # Which build.

    def _on_moved(self) -> None:
        document = self._document
        path = str(document.path) if document.path is not None else ""
        project = path if document.kind == kinds.DOCKERFILE else ""
        if project == self._project:
            return
        self._project = project
        self._record = None
        self._follow(self._context.builds.of_project(project) if project else None)
        self._document.set_margin({})
        self._read()

    def _read(self) -> None:
        """Ask the archive for the last build, unless this window has had a newer one."""
        archive, project = self._context.builds.archive, self._project
        if not project or self._run is not None:
            self._show()
            return
        if archive is None:
            return
        self._context.jobs.submit(
            self,
            lambda _work: archive.newest(project, _LOOKED_AT),
            lambda records: self._take(project, records),
            lane=ARCHIVE_LANE,
            question="margin",
        )

    def _take(self, project: str, records: Sequence[BuildRecord]) -> None:
        found = next((each for each in records if _tells(each)), None)
        if project != self._project or self._run is not None or found is None:
            return
        if self._record is None or self._record.at <= found.at:
            self._record = found
            self._show()

    def _follow(self, run: BuildRun | None) -> None:
        if self._run is not None:
            self._run.changed.disconnect(self._on_news)
        self._run = run
        if run is not None and not run.over:
            run.changed.connect(self._on_news)
        else:
            self._keep(run)

    def _keep(self, run: BuildRun | None) -> None:
        """Of a build that is over, its record is all that is needed."""
        self._run = None
        if run is not None and run.record is not None and _tells(run.record):
            self._record = run.record

    def _on_started(self, run: BuildRun) -> None:
        if self._project and project_of(run.spec) == self._project:
            self._follow(run)

    def _on_news(self, _digests: object) -> None:
        if not self._live.isActive():
            self._live.start()

    def _on_ended(self, run: BuildRun) -> None:
        if run is self._run:
            run.changed.disconnect(self._on_news)
            self._keep(run)
            self._show()

    def _on_recorded(self, record: BuildRecord) -> None:
        """Also of builds that other windows or commands began."""
        if self._run is None and record.project == self._project and _tells(record):
            self._record = record
            self._show()

    # Where it stands.

    def _on_text_changed(self) -> None:
        if self._run is not None or self._record is not None:
            self._typing.start()

    def _show(self) -> None:
        run, record = self._run, self._record
        if run is not None:
            states = {
                digest: "ran" if step.state == "done" else step.state
                for digest, step in run.progress.steps.items()
            }
            self._place(run.text, times_of(run.steps(), states), "In the build that runs now")
        elif record is not None:
            self._place(record.text, times_of(record.steps), f"Built {age_text(record.at)}")

    def _place(self, built: str, times: Sequence[LineTimes], when: str) -> None:
        text = self._document.text()
        spans = {each.span for each in times}
        if self._placed_for == (built, text) and spans <= self._places.keys() | self._lost:
            self._document.set_margin(cells_of(times, self._places, when))
            return

        def placed(places: Mapping[Span, Placed]) -> None:
            self._places, self._placed_for = places, (built, text)
            self._lost = spans - places.keys()
            if self._document.text() == text:
                self._document.set_margin(cells_of(times, places, when))
            else:
                self._typing.start()

        self._context.jobs.submit(
            self, lambda _work: place_spans(built, text, spans), placed, question="places"
        )


_LOOKED_AT = 5  # builds: the last one may have failed before it had any step


def _tells(record: BuildRecord) -> bool:
    """Whether a build got as far as an instruction."""
    return any(step.line >= 0 and step.reached for step in record.steps)
