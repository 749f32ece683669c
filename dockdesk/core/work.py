"""What a running piece of work may say and hear while it runs off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from dockdesk.core.errors import CancelledError


class Work(Protocol):
    """Handed to every long call of a port, so that backends can report progress and be cancelled.

    All methods are called on the worker's thread and are cheap enough to call per chunk.
    """

    @property
    def cancelled(self) -> bool:
        """Whether the user asked to stop."""

    def check(self) -> None:
        """Raise CancelledError if the user asked to stop."""

    def progress(self, fraction: float | None, text: str = "") -> None:
        """Say how far the work is: 0.0 to 1.0, or None where it cannot be known."""

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        """Progress of one named part of the work, such as a layer of a pull; shown as a bar of its own."""

    def log(self, line: str) -> None:
        """Add a line to the work's log, plain text."""

    def on_cancel(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        """While inside the context, ``callback`` ends a blocking wait (say, shuts its socket down) when cancelled.

        It is called on the canceller's thread, at once if the work is cancelled already.
        """


class SilentWork:
    """Work that nobody watches: for calls outside a job, such as tests and the command line."""

    @property
    def cancelled(self) -> bool:
        return False

    def check(self) -> None:
        if self.cancelled:
            raise CancelledError

    def progress(self, fraction: float | None, text: str = "") -> None:
        """Nobody watches."""

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        """Nobody watches."""

    def log(self, line: str) -> None:
        """Nobody watches."""

    def on_cancel(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        return nullcontext()
