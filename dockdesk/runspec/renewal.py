"""A container made anew from another image, with the old one kept until the new one has proved itself."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from dockdesk.core.errors import ConflictError, DockDeskError, NotFoundError, RemoteError
from dockdesk.core.ports import ContainerSpec, Engine, LogChunk, LogQuery
from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import Container
from dockdesk.core.work import SilentWork, Work

SETTLE_S = 1.0
"""A program that fails at its start has mostly done so by then, in seconds."""

_STEP_S = 0.1
_STOP_S = 3  # what is being replaced gets less time than what is stopped for good
_LOG_LINES = 12
_LOG_WAIT_S = 3.0
_GONE_S = 10.0


@dataclass(frozen=True, slots=True)
class Renewed:
    """The new container's id and name; ``warning`` where the old one could not be removed."""

    id: str
    name: str
    warning: str = ""


def renew(engine: Engine, id: str, image: str, work: Work, settle: float = SETTLE_S) -> Renewed:
    """Replace a container by one with the same settings from ``image``; blocks.

    Names and ports can't be had twice, so the old one is renamed, and stopped once the new one is created. It is
    removed only when the new one runs (or has ended well) after ``settle`` seconds; else it gets its name back and, if
    it ran, runs again. Raises what went wrong, its hint saying what became of the old one.
    """
    before = _only(engine.containers([id]), id)
    spec = replace(engine.spec_of(id), name=before.name)
    renewal = _Renewal(engine, before, spec)
    try:
        made = renewal.start_new(replace(spec, image=image, pull="never"), work, settle)
    except DockDeskError as error:
        renewal.roll_back(error)
        raise
    return Renewed(made, before.name, renewal.remove_old())


def run_and_prove(
    engine: Engine, spec: ContainerSpec, work: Work, settle: float = SETTLE_S
) -> Renewed:
    """Run a container, and see that it does not fail at once; blocks. It is left for inspection where it did."""
    id = engine.run_container(spec, work)
    prove(engine, id, work, settle)
    return Renewed(id, _only(engine.containers([id]), id).name)


def prove(engine: Engine, id: str, work: Work, settle: float = SETTLE_S) -> None:
    """Watch a container that was just started for ``settle`` seconds; raises RemoteError where it fails meanwhile."""
    until = time.monotonic() + settle
    while True:
        work.check()
        found = engine.containers([id])
        if not found:
            raise RemoteError(
                "The container ended at its start",
                "It removed itself at its end, with what it wrote.",
            )
        state = found[0]
        if not state.running and state.exit_code not in (0, None):
            raise RemoteError(
                f"{state.name} ended at its start",
                f"Exit code {state.exit_code}.\n{tail(engine, id)}".strip(),
            )
        if time.monotonic() >= until:
            return
        time.sleep(_STEP_S)


class _Renewal:
    def __init__(self, engine: Engine, before: Container, spec: ContainerSpec) -> None:
        self.engine = engine
        self.before = before
        self.spec = spec
        self.made = ""
        self.spare_name = f"{before.name}-before-{before.id[:6]}"

    def start_new(self, spec: ContainerSpec, work: Work, settle: float) -> str:
        engine, before = self.engine, self.before
        engine.rename(before.id, self.spare_name)
        self.made = engine.create_container(spec, work)
        if before.running:
            work.progress(None, f"Stopping {before.name}")
            own = spec.stop_timeout
            engine.stop(before.id, _STOP_S if own is None else own, work)
        work.progress(None, f"Starting {before.name}")
        engine.start(self.made)
        prove(engine, self.made, work, settle)
        return self.made

    def roll_back(self, error: DockDeskError) -> None:
        """Put the old one back as it was; what fails in that is told with ``error``."""
        try:
            self._remove_new()
            self._restore()
            word = "runs again" if self.before.running else "was put back"
            told = f"The container as it was before {word}."
        except DockDeskError as other:
            told = (
                f"The container as it was before could not be put back ({other.title}); "
                f"it may still be called {self.spare_name}."
            )
        error.hint = f"{told} {error.hint}".strip()

    def _remove_new(self) -> None:
        if self.made:
            with contextlib.suppress(NotFoundError, ConflictError):
                self.engine.remove(self.made, force=True)

    def _restore(self) -> None:
        engine, before = self.engine, self.before
        found = engine.containers([before.id])
        until = time.monotonic() + _GONE_S
        while self.spec.auto_remove and found and not found[0].running:
            # Started with --rm, it goes once it is stopped; until then its name is not free.
            if time.monotonic() > until:
                break
            time.sleep(_STEP_S)
            found = engine.containers([before.id])
        if not found:
            old = replace(self.spec, image=before.image_id or before.image, pull="never")
            engine.run_container(old, SilentWork())
            return
        if found[0].name != before.name:
            engine.rename(before.id, before.name)
        if before.running and not found[0].running:
            engine.start(before.id)

    def remove_old(self) -> str:
        """What is to be said where it stays; empty where it is gone."""
        try:
            self.engine.remove(self.before.id, force=True)
        except (NotFoundError, ConflictError):
            return ""  # it removes itself, or has
        except DockDeskError as error:
            return f"The one before stays as {self.spare_name}: {error.title}"
        return ""


def tail(engine: Engine, id: str, lines: int = _LOG_LINES) -> str:
    """The last lines that a container wrote; empty where they can't be had. Blocks for three seconds at most."""
    found = bytearray()
    over = threading.Event()

    class _Sink:
        def put(self, items: Sequence[LogChunk]) -> None:
            for item in items:
                found.extend(item.data)

        def ended(self, error: DockDeskError | None) -> None:  # noqa: ARG002
            over.set()

    try:
        subscription = engine.logs(id, LogQuery(tail=lines, follow=False), _Sink())
    except DockDeskError:
        return ""
    over.wait(_LOG_WAIT_S)
    subscription.close()
    return found.decode("utf-8", "replace").strip()


def _only(found: Sequence[Container], id: str) -> Container:
    if not found:
        raise NotFoundError("The container is gone", id[:12])
    return found[0]
