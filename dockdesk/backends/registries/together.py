"""Several requests side by side within one Work, which is spoken to from its own thread alone."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from dockdesk.core.errors import CancelledError
from dockdesk.core.work import Work

T = TypeVar("T")
_TICK = 0.1


class _Group:
    """What the parts share: one wish to stop, and words for the work's own thread to say."""

    def __init__(self) -> None:
        self.said: queue.SimpleQueue[Callable[[Work], None] | None] = queue.SimpleQueue()
        self.stopped = threading.Event()
        self._lock = threading.RLock()
        self._callbacks: list[Callable[[], None]] = []

    def stop(self) -> None:
        with self._lock:
            self.stopped.set()
            for callback in list(self._callbacks):
                callback()

    @contextmanager
    def on_stop(self, callback: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._callbacks.append(callback)
            if self.stopped.is_set():
                callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)


class _PartWork:
    """The Work of one part, on a thread of its own."""

    def __init__(self, group: _Group) -> None:
        self._group = group

    @property
    def cancelled(self) -> bool:
        return self._group.stopped.is_set()

    def check(self) -> None:
        if self.cancelled:
            raise CancelledError

    def progress(self, fraction: float | None, text: str = "") -> None:
        self._group.said.put(lambda work: work.progress(fraction, text))

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        self._group.said.put(lambda work: work.part(key, fraction, text))

    def log(self, line: str) -> None:
        self._group.said.put(lambda work: work.log(line))

    def on_cancel(self, callback: Callable[[], None]) -> contextlib.AbstractContextManager[None]:
        return self._group.on_stop(callback)


def side_by_side(
    work: Work, tasks: Sequence[Callable[[Work], T]], bound: int, name: str = "registry"
) -> list[T]:
    """What the tasks return, in order. The first that fails ends the others, and is raised once all have ended."""
    if len(tasks) <= 1:
        return [task(work) for task in tasks]
    group = _Group()
    part = _PartWork(group)
    with (
        ThreadPoolExecutor(min(bound, len(tasks)), thread_name_prefix=name) as pool,
        work.on_cancel(group.stop),
    ):
        futures = [pool.submit(_run, task, part, group) for task in tasks]
        _listen(work, group, futures)
    failures = [error for future in futures if (error := future.exception()) is not None]
    work.check()
    for error in failures:
        if not isinstance(error, CancelledError):
            raise error
    if failures:
        raise failures[0]
    return [future.result() for future in futures]


def _run(task: Callable[[Work], T], part: _PartWork, group: _Group) -> T:
    try:
        part.check()
        return task(part)
    except BaseException:
        group.stop()
        raise
    finally:
        group.said.put(None)


def _listen(work: Work, group: _Group, futures: Sequence[Future[Any]]) -> None:
    """Hand on what the parts say until all have ended."""
    left = len(futures)
    while left:
        try:
            said = group.said.get(timeout=_TICK)
        except queue.Empty:
            if work.cancelled:
                group.stop()
            continue
        if said is None:
            left -= 1
        else:
            said(work)
