"""A sink that remembers, for tests of streams."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from dockdesk.core.errors import DockDeskError


class Recorder:
    """Keeps what a stream yields and how it ended; tests wait on it.

    ``broken`` is every breach of the contract of sinks: items after the end, a second end, anything after `closing`.
    """

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.ends: list[DockDeskError | None] = []
        self.threads: set[str] = set()
        self.broken: list[str] = []
        self._closed = False
        self._bytes = bytearray()
        self._changed = threading.Condition()

    def put(self, items: Sequence[Any]) -> None:
        with self._changed:
            self._heard("items")
            if not items:
                self.broken.append("an empty burst")
            self.items += items
            for item in items:
                self._bytes += item if isinstance(item, bytes) else getattr(item, "data", b"")
            self._changed.notify_all()

    def ended(self, error: DockDeskError | None) -> None:
        with self._changed:
            self._heard("an end")
            self.ends.append(error)
            self._changed.notify_all()

    def closed(self) -> None:
        """The test has closed the stream: from now on nothing may come."""
        with self._changed:
            self._closed = True

    def wait(
        self, condition: Callable[[], Any], timeout: float = 30.0, what: str = "items"
    ) -> None:
        """Until ``condition`` is true; it is asked again with everything that comes."""
        until = time.monotonic() + timeout
        with self._changed:
            while not condition():
                left = until - time.monotonic()
                if left <= 0:
                    pytest.fail(
                        f"no {what} within {timeout:.0f} s; got {self.items[-3:]!r}, ends {self.ends!r}"
                    )
                self._changed.wait(left)

    def wait_for_end(self, timeout: float = 30.0) -> DockDeskError | None:
        self.wait(lambda: self.ends, timeout, "end")
        return self.ends[0]

    def wait_for_text(self, text: str, timeout: float = 30.0) -> str:
        """Until ``text`` is in what came; returns all of it."""
        wanted = text.encode()
        searched = 0

        def there() -> bool:
            nonlocal searched
            begin, searched = max(0, searched - len(wanted)), len(self._bytes)
            return self._bytes.find(wanted, begin) >= 0

        self.wait(there, timeout, repr(text))
        return self.text

    @property
    def data(self) -> bytes:
        """The bytes of all items, which are bytes or LogChunks."""
        with self._changed:
            return bytes(self._bytes)

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")

    def _heard(self, what: str) -> None:
        self.threads.add(threading.current_thread().name)
        if self._closed:
            self.broken.append(f"{what} after close")
        if self.ends:
            self.broken.append(f"{what} after the end")
