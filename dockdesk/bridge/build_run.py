"""One build of this window: what the builder tells of it, and the record that it leaves."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from dockdesk.bridge.job import Job
from dockdesk.bridge.streams import BatchedSink, Pulse
from dockdesk.core.builds.progress import BuildProgress, StepProgress
from dockdesk.core.builds.records import BuildRecord, StepRecord
from dockdesk.core.errors import BuildError, CancelledError, DockDeskError, LocalError
from dockdesk.core.masking import masked_value
from dockdesk.core.resources.builds import BuildItem, BuildResult, BuildSpec, FileMark
from dockdesk.core.work import Work
from dockdesk.dockerfile.steps import StepPlace, step_places
from dockdesk.dockerfile.syntax import parse

if TYPE_CHECKING:
    from dockdesk.core.ports import Engine

# Logs are clipped by the builder and never dropped here: an error is often their first line.
_BOUND = 1_000_000
_BASE = re.compile(r"^\[[^\]]*\] FROM (?:--\S+ )*([^\s@]+)(?:@(sha256:[0-9a-f]{64}))?(?:\s|$)")


class BuildRun(QObject):
    """One build, running or over. Read it on the GUI thread.

    ``state`` is waiting, running, ok, failed or cancelled; ``error`` why it failed. ``text`` is the Dockerfile as it
    was built. ``changed`` gives the digests of steps that have news.
    """

    changed = Signal(object)
    ended = Signal()

    def __init__(
        self,
        number: int,
        spec: BuildSpec,
        text: str,
        environment: str,
        pulse: Pulse,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.number = number
        self.spec = spec
        self.text = text
        self.environment = environment
        self.state = "waiting"
        self.at = time.time()
        self.progress = BuildProgress()
        self.result: BuildResult | None = None
        self.size = 0
        self.error: DockDeskError | None = None
        self.record: BuildRecord | None = None
        self._work: Work | None = None
        self._document = parse(text)
        self._places: dict[str, StepPlace] = {}
        self._sink: BatchedSink[BuildItem] = BatchedSink(
            pulse, self, self._on_items, self._on_end, bound=_BOUND
        )

    def execute(self, backend: Engine, work: Work) -> BuildResult:
        """Build, on a worker. Raises what `Builds.build` does."""
        self.state = "running"
        self.at = time.time()
        self._work = work
        try:
            result = backend.build(self.spec, self._sink.put, work)
            self.size = self._size_of(backend, result)
            self.result = result
        except DockDeskError as error:
            self._sink.ended(error)
            raise
        except BaseException as error:
            # Told in words by the job; here it must not seem to run for ever.
            self._sink.ended(LocalError("The build broke off", f"{type(error).__name__}: {error}"))
            raise
        finally:
            self._work = None
        self._sink.ended(None)
        return result

    def cancel(self) -> None:
        """Stop it in the engine, by stopping the job that it is."""
        if isinstance(self._work, Job):
            self._work.cancel()

    @property
    def over(self) -> bool:
        return self.state in {"ok", "failed", "cancelled"}

    @property
    def seconds(self) -> float:
        """How long it has worked, in seconds."""
        if self.record is not None:
            return self.record.seconds
        return time.time() - self.at

    def place(self, step: StepProgress) -> StepPlace | None:
        """The instruction behind a step; None for the builder's own."""
        return self._places.get(step.step.name)

    @property
    def listing(self) -> Mapping[str, FileMark]:
        """The files of the context that the builder was told of; empty where that isn't known."""
        if self.result is not None:
            return self.result.listing
        return self.error.listing if isinstance(self.error, BuildError) else {}

    def failed_line(self) -> int | None:
        """The 0-based line of the instruction that failed; None where it isn't known."""
        if isinstance(self.error, BuildError) and self.error.line > 0:
            return self.error.line - 1
        failed = self.progress.failed()
        place = self.place(failed) if failed else None
        return place.line if place else None

    @staticmethod
    def _size_of(backend: Engine, result: BuildResult) -> int:
        """The image's size in bytes; 0 where it isn't in the engine, or already gone."""
        if not result.image:
            return 0
        try:
            return backend.image(result.image).image.size
        except DockDeskError:
            return 0

    def _on_items(self, items: Sequence[BuildItem], _skipped: int) -> None:
        changed = self.progress.apply(items)
        names = {
            progress.step.name
            for digest in changed
            if (progress := self.progress.steps.get(digest))
        }
        if unknown := names - self._places.keys():
            self._places.update(step_places(self._document, unknown))
        self.changed.emit(frozenset(changed))

    def _on_end(self, error: DockDeskError | None) -> None:
        self.error = error
        if isinstance(error, CancelledError):
            self.state = "cancelled"
        else:
            self.state = "ok" if error is None else "failed"
        self.record = self._recorded()
        self.ended.emit()

    def _recorded(self) -> BuildRecord:
        told = self.error.method if isinstance(self.error, BuildError) else ""
        result = self.result or BuildResult(told or _method_of(self.spec))
        return BuildRecord(
            at=self.at,
            environment=self.environment,
            spec=replace(self.spec, text=None, args=_without_secrets(self.spec.args)),
            text=self.text,
            outcome=self.state,
            seconds=time.time() - self.at,
            method=result.method,
            error=str(self.error) if self.error else "",
            image=result.image,
            digest=result.digest,
            size=self.size,
            cached_share=self.progress.cached_share(),
            steps=tuple(self._step(progress) for progress in self.progress.in_order()),
            bases=bases_of(progress.step.name for progress in self.progress.in_order()),
        )

    def _step(self, progress: StepProgress) -> StepRecord:
        step, place = progress.step, self.place(progress)
        start = max(0.0, (step.started or self.at) - (self.progress.started or self.at))
        record = StepRecord(
            step.name,
            step.digest,
            start,
            progress.seconds(self.progress.ended or self.at),
            step.cached,
            step.error,
            progress.moved()[0],
            step.inputs,
        )
        if place is None:
            return record
        return replace(
            record,
            line=place.line,
            keyword=place.keyword,
            stage=place.stage,
            sources=place.sources,
            taken_from=place.taken_from,
            below=place.below,
            args=place.args,
        )


def _method_of(spec: BuildSpec) -> str:
    """How it was to be built."""
    if spec.builder:
        return "buildx"
    return "classic" if spec.classic else "buildkit"


def bases_of(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The images that FROM steps name, with their digests where these are told."""
    found: dict[str, str] = {}
    for name in names:
        if match := _BASE.match(name):
            found[match[1]] = match[2] or found.get(match[1], "")
    return tuple(found.items())


def _without_secrets(args: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Build arguments without the values of those that look like secrets: a history is no place for them."""
    return tuple((name, masked_value(name, value)) for name, value in args)
