"""Lets the GUI thread draw undisturbed: two threads that both want the interpreter slow a frame down several times."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_STEP_S = 0.0005
_STEPS = 30


class PaintGate:
    """The GUI thread is ``busy`` inside of `drawing`; a worker that calls `pass_through` waits for that to end."""

    def __init__(self) -> None:
        self._depth = 0

    @contextmanager
    def drawing(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def pass_through(self) -> None:
        """Wait until nothing is drawn, at most a frame long. Worker thread."""
        for _ in range(_STEPS):
            if not self._depth:
                return
            time.sleep(_STEP_S)
