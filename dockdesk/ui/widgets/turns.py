"""Work that would hold the window up, a step each time the event loop comes round."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer

_PAUSE_MS = 2  # what waits, keys and paints, comes before the next step


class Turns(QObject):
    """Takes ``steps`` one by one once `begin` was called; `finish` takes all that are left, at once."""

    def __init__(self, steps: Iterable[Callable[[], object]], parent: QObject) -> None:
        super().__init__(parent)
        self._steps = deque(steps)
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._take)

    @property
    def over(self) -> bool:
        return not self._steps

    def begin(self) -> None:
        if self._steps:
            self._timer.start()

    def stop(self) -> None:
        """Take no more by itself; `finish` still can."""
        self._timer.stop()

    def finish(self) -> None:
        while self._steps:
            self._take()

    def _take(self) -> None:
        if self._steps:
            self._steps.popleft()()
        if not self._steps:
            self._timer.stop()
