"""The two ends of a live stream: a sink that takes items on any thread, and a subscription that ends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from dockdesk.core.errors import DockDeskError

T_contra = TypeVar("T_contra", contravariant=True)


class Sink(Protocol[T_contra]):
    """Takes what a stream yields, on the stream's thread; blocks it no longer than back-pressure needs."""

    def put(self, items: Sequence[T_contra]) -> None:
        """Take a burst of items, in order."""

    def ended(self, error: DockDeskError | None) -> None:
        """The stream is over: by itself (None), or because of ``error``. Called once, and never after `close`."""


class Subscription(Protocol):
    """A live stream that can be ended from any thread."""

    def close(self) -> None:
        """End it. Returns at once; the sink hears nothing more. Calling it twice is harmless."""
