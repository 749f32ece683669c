"""Makes what may be opened next, a piece at a time, so that opening it takes no longer than a frame."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QTimer

_log = logging.getLogger(__name__)

_PAUSE_MS = 150


class Primer(QObject):
    """Takes one step, then lets the event loop come round for a while; over when there are no more.

    A pane is made in some 12 ms, and laid out and painted in as many: both at once, when it is opened, would be felt.
    """

    def __init__(
        self, steps: Iterable[Callable[[], object]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._steps = iter(steps)
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._take)
        self._timer.start()

    @property
    def over(self) -> bool:
        return not self._timer.isActive()

    def stop(self) -> None:
        """Leave the rest to whoever opens it."""
        self._timer.stop()

    def _take(self) -> None:
        step = next(self._steps, None)
        if step is None:
            self._timer.stop()
            return
        try:
            step()
        except Exception:  # noqa: BLE001 - whoever opens it sees it fail; the rest can be made all the same
            _log.exception("%r can't be done ahead", step)
