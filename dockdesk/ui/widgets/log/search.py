"""The search of one log: scans on worker threads, counts and hits back on the GUI thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.jobs import Job, Jobs
from dockdesk.bridge.streams import BatchedSink, Pulse
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.logs.blocks import Block
from dockdesk.core.logs.store import LogSnapshot
from dockdesk.core.work import Work
from dockdesk.ui.widgets.log.gate import PaintGate
from dockdesk.ui.widgets.log.hits import HitIndex
from dockdesk.ui.widgets.log.matcher import (
    Hit,
    Matcher,
    Scan,
    SearchSpec,
    Span,
    hits_in,
    make_matcher,
)

_LANE = "log search"
_GROWN_MS = 150
_KEPT_SPANS = 2048
_EVERY_ROW_BLOCKS = 16
"""In a log of so few blocks the scroll bar is finer than a block: hits are noted row by row."""


class LogSearch(QObject):
    """Finds what `start` asked for in every snapshot that `update` brings.

    ``changed`` when counts, rows or spans did; ``found`` with a Hit (or None) as the answer to `find`; ``failed`` with
    what is wrong with the expression, after which nothing is searched. ``matching`` says whether every matching row
    is noted, which a filter needs and a search does not.
    """

    changed = Signal()
    failed = Signal(object)
    found = Signal(object)

    def __init__(
        self, jobs: Jobs, pulse: Pulse, gate: PaintGate, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._pulse = pulse
        self._snapshot: LogSnapshot | None = None
        self._matcher: Matcher | None = None
        self._gate = gate
        self._scan_job: Job | None = None
        self._sink: BatchedSink[Scan] | None = None
        self._spans: OrderedDict[str, list[Span]] = OrderedDict()
        self._wanted: dict[str, None] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_GROWN_MS)
        self._timer.timeout.connect(self._scan)
        self._asked: tuple[int, int, bool] | None = None  # a `find` before the matcher was made
        self.spec: SearchSpec | None = None
        self.matching = False
        self.ready = False  # the log as it was at the start has been searched
        self.index = HitIndex()
        self.current: Hit | None = None

    @property
    def active(self) -> bool:
        return self._matcher is not None

    @property
    def scanning(self) -> bool:
        """Whether part of the log has still to be looked at for the first time."""
        return self._scan_job is not None

    def start(self, spec: SearchSpec | None) -> None:
        """Search for something else, or for nothing."""
        self._stop()
        self.spec = spec if spec is not None and spec.text else None
        if self.spec is not None:
            self._ask_for_matcher(self.spec)
        self.changed.emit()

    def note_rows(self, matching: bool) -> None:
        """Note every matching row from now on, or no more."""
        if matching != self.matching:
            self._drop_scan()
            self.matching = matching
            self.ready = self.ready and not matching
            self._scan()

    def update(self, snapshot: LogSnapshot) -> None:
        """Take what the log holds now."""
        before, self._snapshot = self._snapshot, snapshot
        if before is not None and before.generation != snapshot.generation:
            self.index = HitIndex()
            self.current = None
            self._drop_scan()
            self.changed.emit()
        self.index.forget_before(snapshot.first_row)
        if self._matcher is not None and self._scan_job is None and not self._timer.isActive():
            self._timer.start()

    def find(self, row: int, column: int, backwards: bool = False) -> None:
        """Look for the first hit at or after a position, or the last one before it; around the end if need be."""
        matcher, snapshot = self._matcher, self._snapshot
        if matcher is None or snapshot is None:
            self._asked = (row, column, backwards) if self.spec is not None else None
            return
        # Blocks not scanned yet may hold hits; those without are passed over.
        blocks = [
            block
            for block in snapshot.blocks
            if (scan := self.index.scan_of(block.first_row)) is None
            or scan.hits
            or scan.scanned < block.rows
        ]
        self._jobs.submit(
            self,
            lambda work: _find_hit(work, matcher, blocks, (row, column), backwards),
            self._on_found,
            self._on_failed,
            question="find",
            lane=_LANE,
        )

    def spans(self, text: str) -> Sequence[Span]:
        """The hits in the text of a row. If that may take long: none now, and ``changed`` when they are known."""
        if self._matcher is None:
            return ()
        known = self._spans.get(text)
        if known is not None:
            return known
        if self._matcher.quick:
            return self._keep(text, self._matcher.spans(text))
        self._wanted[text] = None
        return ()

    def fetch_spans(self) -> None:
        """Look up what `spans` did not know. Call it after painting."""
        matcher = self._matcher
        if not self._wanted or matcher is None:
            return
        texts, self._wanted = list(self._wanted), {}
        self._jobs.submit(
            self,
            lambda work: _find_spans(work, matcher, texts),
            self._on_spans,
            self._on_failed,
            question="spans",
            lane=_LANE,
        )

    def close(self) -> None:
        """Search no more."""
        self._stop()

    def _stop(self) -> None:
        self._matcher = None
        self._asked = None
        self.spec = None
        self.ready = False
        self.index = HitIndex()
        self.current = None
        self._spans.clear()
        self._wanted.clear()
        self._drop_scan()

    def _drop_scan(self) -> None:
        self._timer.stop()
        if self._sink is not None:
            self._sink.close()
            self._sink = None
        if self._scan_job is not None:
            self._scan_job.success = None
            self._scan_job.failure = _ignore
            self._scan_job.cancel()
            self._scan_job = None

    def _ask_for_matcher(self, spec: SearchSpec) -> None:
        def done(matcher: Matcher) -> None:
            self._matcher = matcher
            self._scan()
            if self._asked is not None:
                self.find(*self._asked)
            self.changed.emit()

        if not spec.expression:
            done(make_matcher(spec))
            return
        self._jobs.submit(
            self,
            lambda _work: make_matcher(spec),
            lambda matcher: done(matcher) if spec is self.spec else None,
            lambda error: self._on_failed(error) if spec is self.spec else None,
            question="matcher",
            lane=_LANE,
        )

    def _scan(self) -> None:
        matcher, snapshot = self._matcher, self._snapshot
        if matcher is None or snapshot is None or self._scan_job is not None:
            return
        matching = self.matching
        every_row = matching or len(snapshot.blocks) <= _EVERY_ROW_BLOCKS
        todo = self.index.missing(snapshot, matching)
        if not todo:
            self._note_ready()
            return
        gate = self._gate
        sink = self._sink = BatchedSink(self._pulse, self, self._on_scans, bound=1_000_000)
        self._scan_job = self._jobs.submit(
            self,
            lambda work: _scan_blocks(work, matcher, todo, every_row, gate, sink),
            self._on_scanned,
            self._on_failed,
            long=True,
        )

    def _on_scans(self, scans: Sequence[Scan], _skipped: int) -> None:
        for scan in scans:
            self.index.add(scan)
        if self._snapshot is not None:
            self.index.forget_before(self._snapshot.first_row)
        self.changed.emit()

    def _on_scanned(self, last: Sequence[Scan]) -> None:
        """The end of a scan may overtake the last batch of its results: both bring them."""
        self._scan_job = None
        if self._sink is not None:
            self._sink.close()
            self._sink = None
        self._on_scans(last, 0)
        self._note_ready()
        snapshot = self._snapshot
        if snapshot is not None and self.index.missing(snapshot, self.matching):
            self._timer.start()

    def _note_ready(self) -> None:
        if not self.ready:
            self.ready = True
            self.changed.emit()

    def _on_found(self, hit: Hit | None) -> None:
        self.current = hit
        self.found.emit(hit)
        self.changed.emit()

    def _on_spans(self, found: Sequence[tuple[str, list[Span]]]) -> None:
        for text, spans in found:
            self._keep(text, spans)
        self.changed.emit()

    def _on_failed(self, error: DockDeskError) -> None:
        if isinstance(error, CancelledError):
            return
        self._stop()
        self.failed.emit(error)
        self.changed.emit()

    def _keep(self, text: str, spans: list[Span]) -> list[Span]:
        self._spans[text] = spans
        if len(self._spans) > _KEPT_SPANS:
            self._spans.popitem(last=False)
        return spans


def _scan_blocks(
    work: Work,
    matcher: Matcher,
    blocks: Sequence[Block],
    every_row: bool,
    gate: PaintGate,
    sink: BatchedSink[Scan],
) -> list[Scan]:
    """Scan ``blocks``; all results are returned, too, for the case that the sink is not heard any more."""
    found: list[Scan] = []
    for block in blocks:
        work.check()
        gate.pass_through()
        scan = matcher.scan(block, every_row)
        found.append(scan)
        sink.put((scan,))
    return found


def _find_hit(
    work: Work,
    matcher: Matcher,
    blocks: Sequence[Block],
    position: tuple[int, int],
    backwards: bool,
) -> Hit | None:
    at = next((i for i, block in enumerate(blocks) if block.end_row > position[0]), -1)
    if at < 0:
        order = list(reversed(blocks)) if backwards else list(blocks)
    elif backwards:
        # The block of the position comes first and, for what lies behind it there, once more at the end.
        order = [*reversed(blocks[: at + 1]), *reversed(blocks[at:])]
    else:
        order = [*blocks[at:], *blocks[: at + 1]]
    for turn, block in enumerate(order):
        work.check()
        hits = hits_in(matcher, block)
        if turn == 0 and at >= 0:
            hits = [hit for hit in hits if ((hit.row, hit.start) < position) == backwards]
        if hits:
            return hits[-1] if backwards else hits[0]
    return None


def _find_spans(work: Work, matcher: Matcher, texts: Sequence[str]) -> list[tuple[str, list[Span]]]:
    found: list[tuple[str, list[Span]]] = []
    for text in texts:
        work.check()
        found.append((text, matcher.spans(text)))
    return found


def _ignore(_error: DockDeskError) -> None:
    """The failure of a scan that nobody waits for any more."""
