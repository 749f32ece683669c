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
from dockdesk.core.builds.layers import layer_sizes
from dockdesk.core.builds.progress import BuildProgress, StepProgress
from dockdesk.core.builds.records import BuildRecord, StepRecord
from dockdesk.core.builds.redaction import Redaction
from dockdesk.core.errors import BuildError, CancelledError, DockDeskError, LocalError
from dockdesk.core.masking import masked_value
from dockdesk.core.resources.builds import (
    BuildItem,
    BuildResult,
    BuildSpec,
    BuildStep,
    FileMark,
)
from dockdesk.core.work import Work
from dockdesk.dockerfile.steps import StepPlace, stages_of_image, step_places
from dockdesk.dockerfile.syntax import parse

if TYPE_CHECKING:
    from dockdesk.core.ports import Engine
    from dockdesk.core.resources.images import ImageLayer

# Logs are clipped by the builder and never dropped here: an error is often their first line.
_BOUND = 1_000_000
_BASE = re.compile(r"^(?:\[[^\]]*\] )?FROM (?:--\S+ )*([^\s@]+)(?:@(sha256:[0-9a-f]{64}))?(?:\s|$)")


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
        self.in_engine = False  # whether the image can be run: an archive's can't
        self._layers: tuple[ImageLayer, ...] = ()
        self._bases: tuple[tuple[str, str], ...] = ()
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
        named: set[str] = set()
        redaction = Redaction(self.spec)

        def take(items: Sequence[BuildItem]) -> None:
            items = redaction.items(items)
            named.update(item.name for item in items if isinstance(item, BuildStep))
            self._sink.put(items)

        def end(error: DockDeskError | None) -> None:
            self._sink.put(redaction.rest())
            self._sink.ended(error)

        try:
            result = backend.build(self.spec, take, work)
            self._bases = _known_bases(backend, named)
            self._look_at(backend, result)
            self.result = result
        except CancelledError as error:
            end(error)
            raise
        except DockDeskError as error:
            redaction.error(error)
            self._bases = _known_bases(backend, named)
            end(error)
            raise
        except BaseException as error:
            # Told in words by the job; here it must not seem to run for ever.
            end(LocalError("The build broke off", f"{type(error).__name__}: {error}"))
            raise
        finally:
            self._work = None
        end(None)
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

    def steps(self) -> list[StepRecord]:
        """The steps as they stand now, in the order in which they were heard of."""
        return [self._step(progress) for progress in self.progress.in_order()]

    def failed_line(self) -> int | None:
        """The 0-based line of the instruction that failed; None where it isn't known."""
        if isinstance(self.error, BuildError) and self.error.line > 0:
            return self.error.line - 1
        failed = self.progress.failed()
        place = self.place(failed) if failed else None
        return place.line if place else None

    def _look_at(self, backend: Engine, result: BuildResult) -> None:
        """Note the image's size and layers, unless it isn't in the engine, or already gone."""
        if not result.image:
            return
        try:
            detail = backend.image(result.image)
        except DockDeskError:
            return
        self.size, self._layers = detail.image.size, detail.layers
        self.in_engine = True

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
        steps = self.steps()
        stages = stages_of_image(self._document, self.spec.target)
        sizes = layer_sizes(steps, stages, self._layers)
        return BuildRecord(
            at=self.at,
            environment=self.environment,
            spec=_without_secrets(self.spec),
            text=self.text,
            outcome=self.state,
            seconds=time.time() - self.at,
            method=result.method,
            error=str(self.error) if self.error else "",
            image=result.image,
            digest=result.digest,
            size=self.size,
            cached_share=self.progress.cached_share(),
            steps=tuple(replace(step, layer=sizes.get(step.digest, -1)) for step in steps),
            bases=self._bases,
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
            reached=progress.state != "waiting",
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
            last=place.last,
        )


def _method_of(spec: BuildSpec) -> str:
    """How it was to be built."""
    if spec.builder:
        return "buildx"
    return "classic" if spec.classic else "buildkit"


def _known_bases(backend: Engine, names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The images that were built on. Of those the engine has itself no digest is told: then it is asked."""
    return tuple((name, digest or _digest_of(backend, name)) for name, digest in bases_of(names))


def _digest_of(backend: Engine, reference: str) -> str:
    """The digest of the repository that it came from, else its id; "" where the engine has it no more."""
    try:
        image = backend.image(reference).image
    except DockDeskError:
        return ""
    repository = reference.rpartition(":")[0] or reference
    of_own = [digest for digest in image.digests if repository.endswith(digest.partition("@")[0])]
    return of_own[0].partition("@")[2] if of_own else image.id


def bases_of(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The images that FROM steps name, with their digests where these are told."""
    found: dict[str, str] = {}
    for name in names:
        if match := _BASE.match(name):
            found[match[1]] = match[2] or found.get(match[1], "")
    return tuple(found.items())


def _without_secrets(spec: BuildSpec) -> BuildSpec:
    """The settings without the values that look like secrets: a history is no place for them."""
    return replace(
        spec,
        text=None,
        args=tuple((name, masked_value(name, value)) for name, value in spec.args),
        labels=tuple((name, masked_value(name, value)) for name, value in spec.labels),
        cache_from=tuple(masked_value("", item) for item in spec.cache_from),
        cache_to=tuple(masked_value("", item) for item in spec.cache_to),
    )
