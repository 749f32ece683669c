"""A work that remembers what it was told, and can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dockdesk.core.errors import CancelledError


class RecordingWork:
    """``cancel_after`` cancels it at that many calls of `check`, as a user may at any moment."""

    def __init__(self, cancel_after: int | None = None) -> None:
        self.fractions: list[float | None] = []
        self.texts: list[str] = []
        self.parts: dict[str, list[tuple[float | None, str]]] = {}
        self.lines: list[str] = []
        self.checks = 0
        self._cancel_after = cancel_after
        self._cancelled = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def check(self) -> None:
        self.checks += 1
        if self._cancel_after is not None and self.checks > self._cancel_after:
            self.cancel()
        if self.cancelled:
            raise CancelledError

    def progress(self, fraction: float | None, text: str = "") -> None:
        self.fractions.append(fraction)
        if text:
            self.texts.append(text)

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        self.parts.setdefault(key, []).append((fraction, text))

    def log(self, line: str) -> None:
        self.lines.append(line)

    @contextmanager
    def on_cancel(self, callback: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._callbacks.append(callback)
            late = self.cancelled
        if late:
            callback()
        try:
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def cancel(self) -> None:
        self._cancelled.set()
        with self._lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()
