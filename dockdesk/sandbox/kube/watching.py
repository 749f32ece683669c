"""Watches: changes since a version, bookmarks, and 410 where they are forgotten.

Source: Kubernetes API concepts, "Efficient detection of changes", "Watch bookmarks" and "Streaming lists".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from dockdesk.sandbox.http import Request, Response
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.listing import Selection, selection_of, table, wanted_shape
from dockdesk.sandbox.kube.objects import encoded
from dockdesk.sandbox.kube.status import KubeError, status_object
from dockdesk.sandbox.kube.store import Change, Shelf, Store, Stored

BOOKMARK_SECONDS = 60.0
_LONGEST = 3600.0
_LOOK_SECONDS = 2.0  # how soon a client that went away is noticed where nothing happens


def is_gone(request: Request) -> bool:
    """Whether the client hung up: an orderly end, or a connection that was reset."""
    reader = request.reader
    return reader.at_eof() or reader.exception() is not None or request.writer.is_closing()


class Watcher:
    """Answers watch requests. Its times are real ones: a client's patience does not run faster with the world."""

    def __init__(
        self, store: Store, now: Callable[[], float], bookmark_seconds: float = BOOKMARK_SECONDS
    ) -> None:
        self._store = store
        self._now = now
        self._bookmarks = bookmark_seconds

    def answer(self, kind: Kind, namespace: str, request: Request, name: str = "") -> Response:
        selection = selection_of(kind, namespace, request, name)
        shape = wanted_shape(request)
        timeout = request.first("timeoutSeconds")
        version = request.first("resourceVersion") or "0"
        if not version.isdigit() or (timeout and not timeout.isdigit()):
            raise KubeError(400, f'Invalid value: "{version[:40]}": must be a resource version')
        initial = request.flag("sendInitialEvents")
        if initial and request.first("resourceVersionMatch") != "NotOlderThan":
            raise KubeError(
                422, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            )
        stream = _Stream(self._store, kind, selection, request, shape, self._now)
        seconds = min(float(timeout), _LONGEST) if timeout and int(timeout) else _LONGEST
        bookmarks = self._bookmarks if request.flag("allowWatchBookmarks") else 0.0
        start = -1 if version == "0" or initial else int(version)
        ends = initial and bool(bookmarks)
        return Response(body=stream.run(start, seconds, bookmarks, ends))


class _Stream:
    def __init__(
        self,
        store: Store,
        kind: Kind,
        selection: Selection,
        request: Request,
        shape: str,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._kind = kind
        self._shelf: Shelf = store.shelf(kind)
        self._selection = selection
        self._request = request
        self._shape = shape
        self._now = now
        self._first = True

    async def run(
        self, start: int, seconds: float, bookmarks: float, ends: bool
    ) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        until, wake = loop.time() + seconds, asyncio.Event()
        self._shelf.listeners.add(wake)
        try:
            position = start
            if start < 0:
                position = self._store.version
                yield b"".join(self._event("ADDED", item) for item in self._current())
                if ends:
                    yield self._bookmark(position, True)
            told = loop.time()
            while True:
                wake.clear()
                try:
                    changes = self._shelf.since(position)
                except KubeError as error:
                    yield b'{"type":"ERROR","object":%b}\n' % encoded(status_object(error))
                    return
                if changes:
                    position = changes[-1].new.version
                    lines = b"".join(self._line(change) for change in changes)
                    if lines:
                        yield lines
                now = loop.time()
                if now >= until or is_gone(self._request):
                    return
                if bookmarks and now - told >= bookmarks:
                    told = now
                    # Everything up to here was seen, also what belongs to other resources.
                    position = max(position, self._store.version)
                    yield self._bookmark(position, False)
                left = min(until, told + bookmarks if bookmarks else until) - now
                try:
                    await asyncio.wait_for(wake.wait(), min(max(left, 0.001), _LOOK_SECONDS))
                except TimeoutError:
                    continue
        finally:
            self._shelf.listeners.discard(wake)

    def _current(self) -> list[Stored]:
        items = self._shelf.items
        return [
            items[key] for key in self._shelf.order() if self._selection.fits(items[key].object)
        ]

    def _line(self, change: Change) -> bytes:
        """What a change is to this watch: an object may come into its selection, or leave it."""
        before = change.old is not None and self._selection.fits(change.old.object)
        after = change.word != "DELETED" and self._selection.fits(change.object)
        if after:
            return self._event("MODIFIED" if before else "ADDED", change.new)
        return self._event("DELETED", change.new) if before else b""

    def _event(self, word: str, item: Stored) -> bytes:
        if self._shape == "Table":
            meta = {"resourceVersion": str(item.version)}
            text = table(self._kind, [item], meta, self._request, self._now(), self._first)
            self._first = False
        elif self._shape.startswith("Partial"):
            text = item.partial
        else:
            text = item.json
        return b'{"type":"%b","object":%b}\n' % (word.encode(), text)

    def _bookmark(self, version: int, end: bool) -> bytes:
        meta: dict[str, object] = {"resourceVersion": str(version), "creationTimestamp": None}
        if end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        plain = {"kind": self._kind.name, "apiVersion": self._kind.api_version, "metadata": meta}
        partial = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": meta,
        }
        value: dict[str, object] = dict(partial if self._shape.startswith("Partial") else plain)
        if self._shape == "Table":
            value = {
                "kind": "Table",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": {"resourceVersion": str(version)},
                "columnDefinitions": [],
                "rows": [{"cells": [], "object": partial}],
            }
        return b'{"type":"BOOKMARK","object":%b}\n' % encoded(value)
