"""The steps of a build: what each took, whether it ran, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.builds.compare import FileChanges, StepChange, changed_files, compare
from dockdesk.core.builds.progress import parse_step_name
from dockdesk.core.builds.records import BuildRecord, FileMark, StepRecord
from dockdesk.core.columns import CellKind, Column, Tone
from dockdesk.core.ports import KeepsBuilds
from dockdesk.core.records import dataclass
from dockdesk.core.refs import ResourceRef
from dockdesk.core.units import age_text, bytes_text
from dockdesk.core.work import Work
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.panes.builds.columns import seconds_text
from dockdesk.ui.panes.builds.content import ContentView, content_of
from dockdesk.ui.panes.builds.rows import BuildRow
from dockdesk.ui.widgets.buttons import Segment, SegmentedControl
from dockdesk.ui.widgets.labels import ElidedLabel
from dockdesk.ui.widgets.steps.gantt import GanttChart
from dockdesk.ui.widgets.steps.items import StepItem
from dockdesk.ui.widgets.table import TableView

_STATES: Mapping[str, Tone] = {
    "cached": "info",
    "ran": "neutral",
    "failed": "bad",
    "stopped": "muted",
    "not reached": "muted",
}


@dataclass(frozen=True, slots=True)
class StepRow:
    """A line: ``share`` of the longest step, ``reason`` why it ran compared with the build before."""

    number: int
    step: StepRecord
    share: float
    reason: str = ""
    root: bool = False
    before: float | None = None


@dataclass(frozen=True, slots=True)
class StepsShown:
    """What the tab shows. ``compared`` is when the build was that reasons refer to."""

    rows: tuple[StepRow, ...]
    compared: float | None = None


def state_of(step: StepRecord) -> str:
    if not step.reached:
        return "not reached"
    if step.error:
        return "stopped" if step.stopped else "failed"
    return "cached" if step.cached else "ran"


def instruction_of(step: StepRecord) -> str:
    """A step's words on one line, with its stage before them where there is one."""
    parsed = parse_step_name(step.name)
    text = " ".join((parsed.text if parsed else step.name).split())
    where = parsed.stage if parsed else ""
    return f"{where} · {text}" if where else text


def step_rows(
    steps: Sequence[StepRecord], changes: Sequence[StepChange] = ()
) -> tuple[StepRow, ...]:
    """Lines for ``steps``; ``changes`` are those of a comparison with the build before."""
    known = {change.after.digest: change for change in changes if change.after is not None}
    longest = max((step.seconds for step in steps), default=0.0) or 1.0
    rows = []
    for number, step in enumerate(steps, 1):
        change = known.get(step.digest)
        before = change.before if change is not None else None
        rows.append(
            StepRow(
                number,
                step,
                step.seconds / longest,
                change.reason if change is not None else "",
                change.root if change is not None else False,
                before.seconds if before is not None and before.reached else None,
            )
        )
    return tuple(rows)


def _before_text(row: StepRow) -> str:
    if row.before is None:
        return ""
    difference = row.step.seconds - row.before
    if abs(difference) < 0.05:
        return "same"
    text = f"{abs(difference):.1f} s" if abs(difference) < 10 else seconds_text(abs(difference))
    return f"{'+' if difference > 0 else '−'}{text}"


def _difference_tone(row: StepRow) -> Tone:
    difference = 0.0 if row.before is None else row.step.seconds - row.before
    return "warn" if difference >= 0.5 else "good" if difference <= -0.5 else "muted"


COLUMNS: tuple[Column[StepRow], ...] = (
    Column("number", "#", lambda r: r.number, lambda r: str(r.number), CellKind.NUMBER, width=44),
    Column(
        "step",
        "Step",
        lambda r: instruction_of(r.step),
        lambda r: instruction_of(r.step),
        CellKind.MONO,
        width=340,
        stretch=True,
        tip=lambda r: r.step.name,
    ),
    Column(
        "state",
        "State",
        lambda r: state_of(r.step),
        lambda r: state_of(r.step),
        CellKind.PILL,
        width=112,
        tone=lambda r: _STATES.get(state_of(r.step), "neutral"),
        tip=lambda r: r.step.error or state_of(r.step),
    ),
    Column(
        "time",
        "Time",
        lambda r: r.step.seconds,
        lambda r: seconds_text(r.step.seconds) if r.step.reached else "",
        CellKind.BAR,
        width=150,
        tone=lambda r: "bad" if state_of(r.step) == "failed" else "accent",
        fraction=lambda r: r.share,
    ),
    Column(
        "before",
        "Before",
        lambda r: None if r.before is None else r.step.seconds - r.before,
        _before_text,
        CellKind.NUMBER,
        width=86,
        tone=_difference_tone,
        tip=lambda r: "" if r.before is None else f"{seconds_text(r.before)} the time before",
    ),
    Column(
        "why",
        "Why it ran",
        lambda r: (not r.root, r.reason) if r.reason else None,
        lambda r: r.reason,
        width=320,
        stretch=True,
        tone=lambda r: "warn" if r.root else "muted",
        tip=lambda r: r.reason,
    ),
    Column(
        "bytes",
        "Moved",
        lambda r: r.step.bytes or None,
        lambda r: bytes_text(r.step.bytes) if r.step.bytes else "",
        CellKind.NUMBER,
        width=86,
        tip=lambda _r: "Bytes that were fetched, sent or written.",
    ),
    Column(
        "layer",
        "Layer",
        lambda r: r.step.layer if r.step.layer >= 0 else None,
        lambda r: bytes_text(r.step.layer) if r.step.layer >= 0 else "",
        CellKind.NUMBER,
        width=86,
        tip=lambda _r: "What it added to the image.",
    ),
)


class StepsView(ContentView[StepsShown]):
    """As a table, or over time. Enter on a step goes to its line of the Dockerfile."""

    def make_content(self) -> QWidget:
        theme = self.context.theme
        self.model: KeyedTableModel[StepRow] = KeyedTableModel(
            COLUMNS, lambda r: r.step.digest or str(r.number), self
        )
        self.model.sort_by("number", False)
        self.table: TableView[StepRow] = TableView(theme, self.model, "Steps")
        self.table.activated_row.connect(self._on_activated)
        self.chart = GanttChart(theme)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.chart)
        self._look = SegmentedControl(
            theme, (Segment("table", "Table", "table"), Segment("chart", "Over time", "timeline"))
        )
        self._look.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._look.changed.connect(
            lambda id: self._stack.setCurrentIndex(0 if id == "table" else 1)
        )
        self._note = ElidedLabel(theme, role="small", tone="muted")
        head = QHBoxLayout()
        head.setContentsMargins(12, 8, 12, 6)
        head.addWidget(self._note)
        head.addStretch(1)
        head.addWidget(self._look)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self.setFocusProxy(self.table)
        return page

    def stamp(self, row: BuildRow) -> object:
        # A build that runs is looked at anew whenever its row is.
        return (*super().stamp(row), row.over or row.seconds)

    def work(self, row: BuildRow) -> tuple[str, Callable[[Work], StepsShown]]:
        lane, fetch = content_of(self.context, row)
        archive, record = self.context.builds.archive, row.record
        before = self.history.before(row) if record is not None else None

        def shown(work: Work) -> StepsShown:
            if archive is None or record is None or before is None:
                return StepsShown(step_rows(fetch(work).steps))
            files = changed_between(archive, before, record, row)
            found = compare(before, record, files)
            return StepsShown(step_rows(record.steps, found.steps), before.at)

        return lane, shown

    def present(self, row: BuildRow, data: StepsShown) -> None:
        if not data.rows:
            self.say("No steps", "The build ended before it had any.")
            return
        self.model.reset_to(data.rows)
        self.chart.set_steps([_item(each, row.at) for each in data.rows])
        ran = sum(state_of(each.step) == "ran" for each in data.rows if each.step.line >= 0)
        text = f"{len(data.rows)} steps, {ran} of the Dockerfile's ran"
        if data.compared is not None:
            text += f"; compared with the build {age_text(data.compared)}"
        elif row.record is not None:
            text += "; there is none before it to compare it with"
        self._note.setText(text)

    def _on_activated(self, row: StepRow) -> None:
        shown = self.row
        if shown is not None and shown.project and row.step.line >= 0:
            self.context.navigator.open(ResourceRef("dockerfile", shown.project))


def changed_between(
    archive: KeepsBuilds, before: BuildRecord, after: BuildRecord, row: BuildRow | None = None
) -> FileChanges | None:
    """The files of the context that differ; None where a listing isn't kept. On a worker."""
    was = archive.files(before.id)
    now: Mapping[str, FileMark] | None
    now = row.run.listing or None if row and row.run else archive.files(after.id)
    return changed_files(was, now) if was is not None and now is not None else None


def _item(row: StepRow, at: float) -> StepItem:
    step = row.step
    state = {"ran": "done", "not reached": "waiting", "stopped": "cancelled"}.get(
        state_of(step), state_of(step)
    )
    started = at + step.start if step.reached else None
    return StepItem(
        step.digest or str(row.number),
        instruction_of(step),
        state=state,
        started=started,
        ended=None if started is None else started + step.seconds,
        amount=bytes_text(step.bytes) if step.bytes else "",
        inputs=step.inputs,
        note=row.reason,
    )
