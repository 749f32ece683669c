"""What the controllers share: the store, the time, a queue of what to look at, timers, and the recorder of events."""

from __future__ import annotations

import heapq
import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.kube.kinds import Kind, Kinds
from dockdesk.sandbox.kube.objects import (
    Object,
    name_of,
    namespace_of,
    number_of,
    rfc3339,
    spelled,
    uid_of,
)
from dockdesk.sandbox.kube.status import KubeError
from dockdesk.sandbox.kube.store import Change, Store

_log = logging.getLogger(__name__)

EVENT_SECONDS = 3600.0
MOST_EVENTS = 1500
_STEPS_A_TICK = 3000
_RETRY_SECONDS = 30.0


class Controller:
    """Brings objects of one kind to where they should be. Subclasses say what makes them look again."""

    group = ""
    name = ""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.store = cluster.store
        self.kind = cluster.kinds.of(self.group, self.name)

    def notice(self, change: Change) -> None:
        """Something was written: enqueue what it concerns."""
        if change.kind.key == self.kind.key:
            self.enqueue(change.object)
        for owner in change.object["metadata"].get("ownerReferences") or ():
            if owner.get("controller") and owner.get("kind") == self.name:
                self.look(namespace_of(change.object), str(owner.get("name", "")))

    def enqueue(self, item: Mapping[str, Any]) -> None:
        self.look(namespace_of(item), name_of(item))

    def look(self, namespace: str, name: str) -> None:
        self.cluster.enqueue(self, namespace, name)

    def look_later(self, seconds: float, namespace: str, name: str) -> None:
        self.cluster.later(seconds, lambda: self.look(namespace, name))

    def reconcile(self, namespace: str, name: str) -> None:
        """Look at one object, which may be gone."""
        raise NotImplementedError


class Cluster:
    """One simulated cluster. ``tick`` lets its time pass; nothing in it waits."""

    def __init__(self, now: Callable[[], float], seed: int) -> None:
        self._clock = now
        self._frozen: float | None = None
        self.seed = seed
        self.kinds = Kinds()
        self.store = Store(self.kinds, self.now, seed)
        self.store.observers.append(self._notice)
        self.controllers: list[Controller] = []
        self._queue: dict[tuple[Controller, str, str], None] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._names = itertools.count()
        self._events: dict[tuple[str, str, str], tuple[str, str]] = {}

    def now(self) -> float:
        """Seconds since 1970, of the world."""
        return self._clock() if self._frozen is None else self._frozen

    def freeze(self, time: float | None) -> None:
        """Hold the time at a moment while the past is made; None lets it run."""
        self._frozen = time

    def kind(self, name: str, group: str = "") -> Kind:
        return self.kinds.of(group, name)

    def suffix(self, *key: object) -> str:
        """Five letters for a generated name, another each time, the same for the same seed."""
        return spelled(number_of(self.seed, next(self._names), *key), 5)

    # --- What to look at ---

    def _notice(self, change: Change) -> None:
        for controller in self.controllers:
            controller.notice(change)

    def enqueue(self, controller: Controller, namespace: str, name: str) -> None:
        self._queue[controller, namespace, name] = None

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after so many seconds of the world's time."""
        heapq.heappush(self._timers, (self.now() + seconds, next(self._count), act))

    @property
    def is_busy(self) -> bool:
        """Whether something is left to look at right now."""
        return bool(self._queue)

    def next_timer(self) -> float | None:
        """When something is due next; None where nothing is."""
        return self._timers[0][0] if self._timers else None

    def tick(self) -> None:
        """Do what is due. Bounded: what is too much for one tick is done in the next."""
        steps = 0
        while steps < _STEPS_A_TICK:
            steps += 1
            if self._queue:
                controller, namespace, name = key = next(iter(self._queue))
                del self._queue[key]
                self._guarded(controller, namespace, name)
                continue
            if not self._timers or self._timers[0][0] > self.now():
                return
            act = heapq.heappop(self._timers)[2]
            try:
                act()
            except Exception:  # noqa: BLE001 - one odd object must not stop the others
                _log.exception("a timer failed")

    def _guarded(self, controller: Controller, namespace: str, name: str) -> None:
        try:
            controller.reconcile(namespace, name)
        except KubeError as error:
            # What a controller wanted to write was refused: its object says so, and it tries again.
            item = self.store.find(controller.kind, namespace, name)
            if item is not None:
                self.tell(
                    item,
                    "FailedCreate",
                    f"Error creating: {error.message}",
                    "controller-manager",
                    True,
                )
                self.later(_RETRY_SECONDS, lambda: self.enqueue(controller, namespace, name))
        except Exception:  # noqa: BLE001
            _log.exception("%s %s/%s", type(controller).__name__, namespace, name)

    # --- Events ---

    def tell(
        self,
        item: Mapping[str, Any],
        reason: str,
        message: str,
        component: str,
        warning: bool = False,
        host: str = "",
        path: str = "",
    ) -> None:
        """Record an event about an object; the same one again only counts up."""
        kind, now = self.kind("Event"), self.now()
        namespace = namespace_of(item) or "default"
        key = (uid_of(item) + path, reason, message)
        known = self.store.find(kind, *self._events.get(key, ("", "")))
        if known is not None:
            again = {
                **known,
                "metadata": dict(known["metadata"]),
                "count": known["count"] + 1,
                "lastTimestamp": rfc3339(now),
            }
            self.store.replace(kind, again)
            return
        number = number_of(self.seed, "event", next(self._names))
        name = f"{name_of(item)}.{number:016x}"
        about = {
            "kind": item.get("kind", ""),
            "namespace": namespace_of(item),
            "name": name_of(item),
            "uid": uid_of(item),
            "apiVersion": item.get("apiVersion", ""),
            "resourceVersion": str(item["metadata"].get("resourceVersion", "")),
        }
        if path:
            about["fieldPath"] = path
        if not about["namespace"]:
            del about["namespace"]
        made: Object = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "source": {"component": component, **({"host": host} if host else {})},
            "firstTimestamp": rfc3339(now),
            "lastTimestamp": rfc3339(now),
            "count": 1,
            "type": "Warning" if warning else "Normal",
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": host,
        }
        self.store.add(kind, made)
        self._events[key] = (namespace, name)
        self.later(EVENT_SECONDS, lambda: self._forget(key))
        while len(self._events) > MOST_EVENTS:
            self.store.drop(kind, *self._events.pop(next(iter(self._events))))

    def _forget(self, key: tuple[str, str, str]) -> None:
        """Drop an event whose time is over, unless it happened again meanwhile."""
        if key not in self._events:
            return
        kind, at = self.kind("Event"), self._events[key]
        known = self.store.find(kind, *at)
        if known is not None and known["lastTimestamp"] > rfc3339(self.now() - EVENT_SECONDS + 1):
            self.later(EVENT_SECONDS, lambda: self._forget(key))
            return
        del self._events[key]
        self.store.drop(kind, *at)
