"""Streams of the engine in memory, in a test's hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from dockdesk.core.errors import DockDeskError
from dockdesk.core.streams import Sink

T = TypeVar("T")


class FakeSubscription(Generic[T]):
    """A stream of the fake; `push` gives it items until someone closes it."""

    def __init__(self, sink: Sink[T], gone: Callable[[FakeSubscription[T]], None]) -> None:
        self.sink = sink
        self.closed = False
        self._gone = gone

    def push(self, *items: T) -> None:
        if not self.closed:
            self.sink.put(items)

    def end(self, error: DockDeskError | None = None) -> None:
        """End it as a remote would."""
        if not self.closed:
            self.closed = True
            self._gone(self)
            self.sink.ended(error)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._gone(self)


class FakeExec:
    """A process that echoes what is typed."""

    def __init__(self, sink: Sink[bytes]) -> None:
        self.sink = sink
        self.written = b""
        self.size = (80, 24)
        self.closed = False
        sink.put([b"/ # "])

    def write(self, data: bytes) -> None:
        self.written += data
        self.sink.put([data.replace(b"\r", b"\r\n/ # ")])

    def resize(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)

    def exit_code(self) -> int | None:
        return 0 if self.closed else None

    def close(self) -> None:
        self.closed = True
