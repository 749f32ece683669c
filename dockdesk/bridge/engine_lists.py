"""What an engine lists, read once and then kept current by its events: never by asking for everything again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.event_effects import effects_of
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.users import Change, images_after, volumes_after
from dockdesk.core.errors import DockDeskError, UnreachableError
from dockdesk.core.ports import Engine
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import Container
from dockdesk.core.resources.engine import EngineEvent, Network, Volume
from dockdesk.core.resources.images import Image
from dockdesk.core.work import Work

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Ids a request: they travel in the address, whose length servers and proxies bound (8 KiB is common).
_IDS_A_CALL = 80
# From so many changed containers on, one list of everything is the smaller burden.
_WHOLE_LIST_FROM = 240
_TRIES = 3


class _Listing(Generic[T]):
    """One kind of thing that is read as a whole list when somebody wants it."""

    def __init__(self, fetch: Callable[[Engine], list[T]], key: Callable[[T], str]) -> None:
        self.fetch = fetch
        self.key = key
        self.rows: dict[str, T] = {}
        self.wanted = False
        self.loaded = False
        self.reading = False


class EngineLists(QObject):
    """Containers always, images, volumes and networks once wanted. Rows stay while the connection is lost."""

    ready = Signal()  # the first list after `attach` is here
    containers_changed = Signal(object, object)  # ids that changed or are new; ids that are gone
    changed = Signal(str)  # another kind
    failed = Signal(str, object)  # kind, DockDeskError
    lost = Signal(object)  # the engine can't be reached: DockDeskError

    def __init__(self, jobs: Jobs, parent: QObject | None = None, debounce_ms: int = 100) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._engine: Engine | None = None
        self._lane = ""
        self._epoch = 0
        self.containers: dict[str, Container] = {}
        self._images = _Listing[Image](lambda engine: engine.images(), lambda row: row.id)
        self._volumes = _Listing[Volume](lambda engine: engine.volumes(), lambda row: row.name)
        self._networks = _Listing[Network](lambda engine: engine.networks(), lambda row: row.id)
        self._listings: Mapping[str, _Listing[Any]] = {
            "images": self._images,
            "volumes": self._volumes,
            "networks": self._networks,
        }
        self._dirty: set[str] = set()
        self._dirty_lists: set[str] = set()
        self._all_dirty = False
        self._reading = False
        self._loaded = False
        # Removed while a read was under way, whose answer may still hold them.
        self._gone: set[str] = set()
        self._failures = 0
        self.untold: frozenset[str] = frozenset()  # kinds of which the engine's events don't tell
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(debounce_ms)
        self._timer.timeout.connect(self._on_settled)

    @property
    def images(self) -> Mapping[str, Image]:
        return self._images.rows

    @property
    def volumes(self) -> Mapping[str, Volume]:
        return self._volumes.rows

    @property
    def networks(self) -> Mapping[str, Network]:
        return self._networks.rows

    def loaded(self, kind: str) -> bool:
        """Whether a kind has been read from the present environment."""
        return self._loaded if kind == "containers" else self._listings[kind].loaded

    def attach(self, engine: Engine, lane: str, before: Callable[[], None]) -> None:
        """Read everything that is wanted from ``engine``; ``before`` runs first, on the worker: it begins the events.

        In this order no change can fall between the list and the events.
        """
        self.detach()
        self._engine, self._lane = engine, lane
        self._read_containers((), before)

    def detach(self) -> None:
        """Ask nothing more; answers that are still to come are out of date."""
        self._epoch += 1
        self._engine = None
        self._timer.stop()
        self._dirty.clear()
        self._dirty_lists.clear()
        self._gone.clear()
        self._all_dirty = self._reading = False
        self._failures = 0
        for listing in self._listings.values():
            listing.reading = False

    def clear(self) -> None:
        """Forget all rows: they are of another engine than the next ones."""
        removed = set(self.containers)
        self.containers.clear()
        self._loaded = False
        for kind, listing in self._listings.items():
            had, listing.rows, listing.loaded = bool(listing.rows), {}, False
            if had:
                self.changed.emit(kind)
        if removed:
            self.containers_changed.emit(set(), removed)

    def want(self, kind: str) -> None:
        """Load a kind of list, now or once connected, and keep it current from then on."""
        if kind == "containers":
            return
        listing = self._listings[kind]
        listing.wanted = True
        if not listing.loaded or kind in self.untold:
            self._read(kind)

    def refresh(self, kind: str) -> None:
        """Read a whole list anew."""
        if kind == "containers":
            self._all_dirty = True
            self._on_settled()
        else:
            self._listings[kind].wanted = True
            self._read(kind)

    def read_back(self, targets: Iterable[ResourceRef]) -> None:
        """Read again, soon, what an action has changed; events tell of it too, but no engine tells of everything."""
        for target in targets:
            if target.kind == "container":
                if target.id in self.containers:
                    self._dirty.add(target.id)
                elif target.id == "*":
                    self._all_dirty = True
            elif f"{target.kind}s" in self._listings:
                self._dirty_lists.add(f"{target.kind}s")
        self._settle_soon()

    def note(self, events: Iterable[EngineEvent]) -> None:
        """Take what events tell: what is gone leaves at once, what changed is read after a moment."""
        removed: set[str] = set()
        for event in events:
            effects = effects_of(event)
            if effects.removed:
                removed.add(effects.removed)
                self._dirty.discard(effects.removed)
            elif effects.changed:
                self._dirty.add(effects.changed)
            self._all_dirty = self._all_dirty or effects.all_containers
            self._dirty_lists |= effects.lists
        if self._reading:
            self._gone |= removed
        self._settle_soon()
        if removed:
            self._apply({}, removed & self.containers.keys())

    def note_gap(self) -> None:
        """Events were missed: everything may have changed."""
        self._all_dirty = True
        self._dirty_lists.update(self._listings)
        self._settle_soon()

    def _settle_soon(self) -> None:
        # Not started anew by each event: a steady stream of them would put reading off for ever.
        if (self._dirty or self._all_dirty or self._dirty_lists) and not self._timer.isActive():
            self._timer.start()

    def _on_settled(self) -> None:
        if self._engine is None:
            return
        kinds, self._dirty_lists = self._dirty_lists, set()
        for kind in kinds:
            if self._listings[kind].wanted:
                self._read(kind)
        if self._reading:
            return
        if self._all_dirty or len(self._dirty) >= _WHOLE_LIST_FROM:
            self._all_dirty = False
            self._dirty.clear()
            self._read_containers(())
        elif self._dirty:
            ids, self._dirty = tuple(self._dirty), set()
            self._read_containers(ids)

    # Containers.

    def _read_containers(
        self, ids: Sequence[str], before: Callable[[], None] | None = None
    ) -> None:
        engine = self._engine
        if engine is None:
            return

        def read(_work: Work) -> list[Container]:
            if before is not None:
                before()
            rows: list[Container] = []
            for start in range(0, max(1, len(ids)), _IDS_A_CALL):
                rows += engine.containers(ids[start : start + _IDS_A_CALL])
            return rows

        self._reading = True
        first = before is not None
        self._jobs.submit(
            self,
            read,
            partial(self._on_containers, self._epoch, ids, first),
            partial(self._on_containers_failed, self._epoch, ids, first),
            lane=self._lane,
        )

    def _on_containers(
        self, epoch: int, ids: Sequence[str], first: bool, rows: Sequence[Container]
    ) -> None:
        if epoch != self._epoch:
            return
        self._reading = False
        self._failures = 0
        found = {row.id: row for row in rows if row.id not in self._gone}
        self._gone.clear()
        asked = set(ids) if ids else set(self.containers)
        self._apply(found, (asked & self.containers.keys()) - found.keys(), first)
        if first:
            for kind, listing in self._listings.items():
                # Whoever was told of the containers may have asked already.
                if listing.wanted and not listing.reading:
                    self._read(kind)
        self._settle_soon()

    def _apply(
        self, found: Mapping[str, Container], removed: set[str], first: bool = False
    ) -> None:
        """Put new rows in place and take ``removed`` out; tells what really differs."""
        changes: list[Change] = []
        changed: set[str] = set()
        for id, row in found.items():
            old = self.containers.get(id)
            if old != row:
                changed.add(id)
                changes.append((old, row))
                self.containers[id] = row
        changes += [(self.containers.pop(id), None) for id in removed]
        if first:
            self._loaded = True
            self.ready.emit()
        if changed or removed or first:
            self.containers_changed.emit(changed, removed)
            self._adjust_users(changes)

    def _adjust_users(self, changes: Sequence[Change]) -> None:
        if self._images.loaded and (images := images_after(self._images.rows, changes)):
            self._images.rows.update(images)
            self.changed.emit("images")
        if self._volumes.loaded and (volumes := volumes_after(self._volumes.rows, changes)):
            self._volumes.rows.update(volumes)
            self.changed.emit("volumes")

    def _on_containers_failed(
        self, epoch: int, ids: Sequence[str], first: bool, error: DockDeskError
    ) -> None:
        if epoch != self._epoch:
            return
        self._reading = False
        self._gone.clear()
        if first or isinstance(error, UnreachableError):
            self.lost.emit(error)
            return
        self._failures += 1
        _log.info("containers could not be read back: %s", error)
        if self._failures < _TRIES:
            # Engines may trip over a container that vanishes while they list.
            self._dirty.update(ids)
            self._all_dirty = self._all_dirty or not ids
            self._settle_soon()
        else:
            self.failed.emit("containers", error)

    # Other kinds.

    def _read(self, kind: str) -> None:
        engine, listing = self._engine, self._listings[kind]
        if engine is None:
            return
        if listing.reading:
            # Read again after this one, whose answer may be older than the change.
            self._dirty_lists.add(kind)
            return
        listing.reading = True
        self._jobs.submit(
            self,
            lambda _work: listing.fetch(engine),
            partial(self._on_listed, self._epoch, kind),
            partial(self._on_list_failed, self._epoch, kind),
            lane=self._lane,
        )

    def _on_listed(self, epoch: int, kind: str, rows: Sequence[Any]) -> None:
        if epoch != self._epoch:
            return
        listing = self._listings[kind]
        found = {listing.key(row): row for row in rows}
        differs = found != listing.rows or not listing.loaded
        listing.rows, listing.loaded, listing.reading = found, True, False
        if differs:
            self.changed.emit(kind)
        self._settle_soon()

    def _on_list_failed(self, epoch: int, kind: str, error: DockDeskError) -> None:
        if epoch != self._epoch:
            return
        self._listings[kind].reading = False
        if isinstance(error, UnreachableError):
            self.lost.emit(error)
        else:
            self.failed.emit(kind, error)
