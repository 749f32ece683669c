"""Manifests and configurations by digest: what is named by its content never changes, so it is fetched once.

In memory within a bound, and in a folder within another, where there is one. Whoever can write that folder changes
nothing: content is checked against its digest when it is read.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from dockdesk.backends.registries.convert import digest_of, is_digest
from dockdesk.core.work import Work

_log = logging.getLogger(__name__)

MEMORY = 32 << 20
DISK = 128 << 20
LARGEST = 4 << 20
_TYPE_LIMIT = 256


class DigestCache:
    """Thread-safe. Each entry is a media type and bytes. ``folder`` is made when something is first kept in it."""

    def __init__(self, folder: Path | None = None, memory: int = MEMORY, disk: int = DISK) -> None:
        self._folder = folder
        self._memory = memory
        self._disk = disk
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._size = 0
        self._written = 0
        self._fetching: dict[str, tuple[threading.Lock, list[int]]] = {}

    def get(self, digest: str) -> tuple[str, bytes] | None:
        with self._lock:
            found = self._entries.get(digest)
            if found is not None:
                self._entries.move_to_end(digest)
                return found
        found = self._read(digest)
        if found is not None:
            self._remember(digest, found)
        return found

    def put(self, digest: str, media_type: str, data: bytes) -> None:
        """Keep content that was checked against its digest."""
        if len(data) > LARGEST or not is_digest(digest):
            return
        self._remember(digest, (media_type, data))
        self._write(digest, media_type, data)

    def drop(self, digest: str) -> None:
        """Forget what was deleted where it came from."""
        with self._lock:
            found = self._entries.pop(digest, None)
            self._size -= len(found[1]) if found is not None else 0
        path = self._path(digest)
        if path is not None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def fetched(
        self, digest: str, work: Work, fetch: Callable[[], tuple[str, bytes]]
    ) -> tuple[str, bytes]:
        """What is kept, else what ``fetch`` returns; those who ask at the same time wait for one fetch."""
        found = self.get(digest)
        if found is not None:
            return found
        with self._one_at_a_time(digest, work):
            found = self.get(digest)
            if found is None:
                found = fetch()
                self.put(digest, *found)
            return found

    @contextlib.contextmanager
    def _one_at_a_time(self, digest: str, work: Work) -> Iterator[None]:
        with self._lock:
            lock, users = self._fetching.setdefault(digest, (threading.Lock(), [0]))
            users[0] += 1
        try:
            while not lock.acquire(timeout=0.1):
                work.check()
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._lock:
                users[0] -= 1
                if not users[0]:
                    self._fetching.pop(digest, None)

    def _remember(self, digest: str, entry: tuple[str, bytes]) -> None:
        with self._lock:
            if digest in self._entries:
                return
            self._entries[digest] = entry
            self._size += len(entry[1])
            while self._size > self._memory and len(self._entries) > 1:
                _, (_, dropped) = self._entries.popitem(last=False)
                self._size -= len(dropped)

    # --- the folder ---

    def _path(self, digest: str) -> Path | None:
        if self._folder is None or not is_digest(digest):
            return None
        return self._folder / digest.replace(":", "-")

    def _read(self, digest: str) -> tuple[str, bytes] | None:
        path = self._path(digest)
        if path is None:
            return None
        try:
            with path.open("rb") as file:
                content = file.read(LARGEST + _TYPE_LIMIT + 1)
            os.utime(path)
        except OSError:  # not kept, or no longer readable: it is fetched
            return None
        media_type, newline, data = content.partition(b"\n")
        if not newline or len(media_type) > _TYPE_LIMIT or digest_of(data, digest) != digest:
            return None
        return media_type.decode("ascii", "replace"), data

    def _write(self, digest: str, media_type: str, data: bytes) -> None:
        path = self._path(digest)
        if path is None or len(media_type) > _TYPE_LIMIT or "\n" in media_type:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(media_type.encode("ascii", "replace") + b"\n" + data)
                os.replace(name, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(name)
                raise
        except OSError as error:
            _log.info("manifests are not kept in %s: %s", path.parent, error.strerror)
            return
        self._make_room(len(data))

    def _make_room(self, written: int) -> None:
        """Every now and then, drop what was not used for longest."""
        assert self._folder is not None
        with self._lock:
            first = self._written == 0
            self._written += written
            if not first and self._written < self._disk // 8:
                return
            self._written = 1
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                told = path.stat()
                files.append((told.st_mtime, told.st_size, path))
        size = sum(item[1] for item in files)
        for _, length, path in sorted(files):
            if size <= self._disk:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                size -= length
