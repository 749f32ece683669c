"""What the API server keeps: objects by resource, their versions, and the changes that watches replay.

Objects are never changed once stored: a write stores a new dictionary. So answers, watch events and snapshots share
them, and their JSON is made once. Source: Kubernetes API concepts, "Efficient detection of changes".
"""

from __future__ import annotations

import asyncio
import bisect
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.kube import status
from dockdesk.sandbox.kube.kinds import Kind, Kinds
from dockdesk.sandbox.kube.objects import (
    Object,
    encoded,
    name_of,
    namespace_of,
    rfc3339,
    uid_of,
    uuid_of,
)

KEPT_CHANGES = 1000
_FIRST_VERSION = 10_000


@dataclass(slots=True)
class Stored:
    """An object as it was at a resource version, with its JSON once somebody asked for it."""

    object: Object
    version: int
    _json: bytes | None = None
    _partial: bytes | None = None

    @property
    def json(self) -> bytes:
        if self._json is None:
            self._json = encoded(self.object)
        return self._json

    @property
    def partial(self) -> bytes:
        """Its PartialObjectMetadata, as tables carry it."""
        if self._partial is None:
            self._partial = encoded(
                {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": self.object["metadata"],
                }
            )
        return self._partial


@dataclass(frozen=True, slots=True)
class Change:
    """One write. ``word`` is ADDED, MODIFIED or DELETED; ``old`` what was there before."""

    kind: Kind
    word: str
    new: Stored
    old: Stored | None

    @property
    def object(self) -> Object:
        return self.new.object


@dataclass(slots=True)
class Shelf:
    """All objects of one resource. ``forgotten`` is the version of the newest change that can't be replayed."""

    items: dict[tuple[str, str], Stored] = field(default_factory=dict)
    changes: deque[Change] = field(default_factory=lambda: deque(maxlen=KEPT_CHANGES))
    forgotten: int = 0
    listeners: set[asyncio.Event] = field(default_factory=set)
    _order: list[tuple[str, str]] | None = None

    def order(self) -> list[tuple[str, str]]:
        """Keys as etcd lists them: by namespace, then name."""
        if self._order is None:
            self._order = sorted(self.items)
        return self._order

    def since(self, version: int) -> list[Change]:
        """Changes after a version; raises KubeError 410 where some are forgotten."""
        if version < self.forgotten:
            raise status.expired(f"too old resource version: {version} ({self.forgotten})")
        start = bisect.bisect_right(self.changes, version, key=lambda change: change.new.version)
        return [self.changes[index] for index in range(start, len(self.changes))]

    def record(self, change: Change) -> None:
        if len(self.changes) == self.changes.maxlen:
            self.forgotten = self.changes[0].new.version
        self.changes.append(change)
        if change.word != "MODIFIED":
            self._order = None
        for listener in self.listeners:
            listener.set()


class Store:
    """The objects of one cluster."""

    def __init__(self, kinds: Kinds, now: Callable[[], float], seed: int) -> None:
        self.kinds = kinds
        self.version = _FIRST_VERSION
        self.observers: list[Callable[[Change], None]] = []
        self._now = now
        self._seed = seed
        self._shelves: dict[tuple[str, str], Shelf] = {}
        self._owned: dict[str, dict[tuple[Kind, str, str], None]] = {}

    def shelf(self, kind: Kind) -> Shelf:
        found = self._shelves.get(kind.key)
        if found is None:
            found = self._shelves[kind.key] = Shelf()
        return found

    # --- Reading ---

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        stored = self.shelf(kind).items.get((namespace, name))
        return None if stored is None else stored.object

    def get(self, kind: Kind, namespace: str, name: str) -> Stored:
        """Raises KubeError 404."""
        stored = self.shelf(kind).items.get((namespace, name))
        if stored is None:
            raise status.not_found(kind.plural, kind.group, name)
        return stored

    def all(self, kind: Kind, namespace: str = "") -> Iterator[Object]:
        """Objects of a resource, of all namespaces where none is given; safe against writes meanwhile."""
        for key in self.shelf(kind).order():
            if namespace and key[0] != namespace:
                continue
            stored = self.shelf(kind).items.get(key)
            if stored is not None:
                yield stored.object

    def dependents(self, uid: str) -> list[tuple[Kind, Object]]:
        """What names ``uid`` among its owners."""
        found = []
        for kind, namespace, name in list(self._owned.get(uid, ())):
            item = self.find(kind, namespace, name)
            if item is not None:
                found.append((kind, item))
        return found

    def owned(self, owner: Mapping[str, Any], kind: Kind) -> list[Object]:
        """Objects of a kind that ``owner`` controls, in order of creation."""
        uid = uid_of(owner)
        return [
            item
            for found, item in self.dependents(uid)
            if found.key == kind.key
            and any(
                reference.get("controller") and reference.get("uid") == uid
                for reference in item["metadata"].get("ownerReferences") or ()
            )
        ]

    # --- Writing ---

    def add(self, kind: Kind, item: Object, created: float | None = None) -> Object:
        """Store a new object, which the store owns from then on. Raises KubeError 409 where the name is taken."""
        key = (namespace_of(item), name_of(item))
        shelf = self.shelf(kind)
        if key in shelf.items:
            raise status.already_exists(kind.plural, kind.group, key[1])
        meta = item["metadata"]
        meta["uid"] = self.uid_of_next(*key)
        self.version += 1
        meta["creationTimestamp"] = rfc3339(self._now() if created is None else created)
        if kind.generation or kind.custom is not None:
            meta["generation"] = 1
        return self._put(kind, key, item, "ADDED", None)

    def uid_of_next(self, namespace: str, name: str) -> str:
        """The uid that the next new object will have, if it has this name."""
        return uuid_of(self._seed, self.version + 1, (namespace, name))

    def replace(self, kind: Kind, item: Object) -> Object:
        """Store a new state of an object; nothing happens where it does not differ. Raises KubeError 404."""
        key = (namespace_of(item), name_of(item))
        old = self.get(kind, *key)
        item["metadata"]["resourceVersion"] = str(old.version)
        if item == old.object:
            return old.object
        self.version += 1
        return self._put(kind, key, item, "MODIFIED", old)

    def set_status(self, kind: Kind, item: Object, state: Mapping[str, Any]) -> Object:
        """Store another status of an object that is there."""
        current = self.find(kind, namespace_of(item), name_of(item))
        if current is None or uid_of(current) != uid_of(item) or current.get("status") == state:
            return current or item
        return self.replace(
            kind, {**current, "metadata": dict(current["metadata"]), "status": dict(state)}
        )

    def set_meta(self, kind: Kind, item: Object, **changed: Any) -> Object:
        """Store an object with some of its metadata changed; None takes a field away."""
        meta = {**item["metadata"], **changed}
        meta = {name: value for name, value in meta.items() if value is not None}
        return self.replace(kind, {**item, "metadata": meta})

    def drop(self, kind: Kind, namespace: str, name: str) -> None:
        """Remove an object at once, whatever its finalizers say."""
        shelf = self.shelf(kind)
        old = shelf.items.pop((namespace, name), None)
        if old is None:
            return
        self._index(kind, old.object, False)
        self.version += 1
        last = {
            **old.object,
            "metadata": {**old.object["metadata"], "resourceVersion": str(self.version)},
        }
        self._tell(shelf, Change(kind, "DELETED", Stored(last, self.version), old))

    def _put(
        self, kind: Kind, key: tuple[str, str], item: Object, word: str, old: Stored | None
    ) -> Object:
        item["metadata"]["resourceVersion"] = str(self.version)
        if old is not None:
            before = old.object["metadata"].get("ownerReferences")
            if before != item["metadata"].get("ownerReferences"):
                self._index(kind, old.object, False)
                self._index(kind, item, True)
        else:
            self._index(kind, item, True)
        shelf = self.shelf(kind)
        shelf.items[key] = stored = Stored(item, self.version)
        self._tell(shelf, Change(kind, word, stored, old))
        return item

    def _tell(self, shelf: Shelf, change: Change) -> None:
        shelf.record(change)
        for observer in self.observers:
            observer(change)

    def _index(self, kind: Kind, item: Object, add: bool) -> None:
        entry = (kind, namespace_of(item), name_of(item))
        for owner in item["metadata"].get("ownerReferences") or ():
            uid = str(owner.get("uid", ""))
            if add:
                self._owned.setdefault(uid, {})[entry] = None
            elif uid in self._owned:
                self._owned[uid].pop(entry, None)
                if not self._owned[uid]:
                    del self._owned[uid]

    # --- Forgetting ---

    def compact(self, kinds: Iterable[Kind] | None = None) -> None:
        """Forget all changes so far: watches that resume from before are answered 410."""
        for kind in self.kinds if kinds is None else kinds:
            shelf = self.shelf(kind)
            shelf.changes.clear()
            shelf.forgotten = self.version
            for listener in shelf.listeners:
                listener.set()

    def remove_shelf(self, kind: Kind) -> None:
        """Forget a custom resource and its objects."""
        for namespace, name in list(self.shelf(kind).items):
            self.drop(kind, namespace, name)
