"""Python's cycle collector, kept to the GUI thread.

Python collects on whichever thread happens to allocate. When that is a worker, and a QObject hangs in a cycle (a timer
whose slot refers to its owner is enough), Qt destroys it on the wrong thread: “Timers cannot be stopped from another
thread”, then a crash. So the automatic collection is off while the program runs, and a timer does its work.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_INTERVAL_MS = 1000
_RESTING_MS = 60_000
# A round of the youngest is worth it from so many objects on; at some 80 ns each it is far below a frame.
YOUNG = 2000
# Rounds of one generation before the next older one is looked at, as CPython has it.
ROUNDS = 10


class Collector(QObject):
    """Switches the automatic collection off, and collects once a second if enough was made. `close` undoes it.

    What exists when it starts (modules, classes) is taken out of later rounds; make it when imports are done.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_on = gc.isenabled()
        self._young_rounds = 0
        self._middle_rounds = 0
        gc.disable()
        gc.freeze()
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> int:
        """One round, if it is due; returns the generation that was collected, or -1."""
        if gc.get_count()[0] < YOUNG:
            return -1
        generation = self._due()
        gc.collect(generation)
        return generation

    def keep(self) -> None:
        """Take what exists by now out of later rounds too: all panes, say, of which a round would take 16 ms."""
        gc.freeze()

    def rest(self, resting: bool) -> None:
        """Wake up once a minute at most, while nobody looks and little is made; else as ever, beginning soon."""
        interval = _RESTING_MS if resting else _INTERVAL_MS
        if interval != self._timer.interval():
            self._timer.setInterval(interval)

    def close(self) -> None:
        """Hand collecting back to Python."""
        self._timer.stop()
        if self._was_on:
            gc.enable()

    def _due(self) -> int:
        self._young_rounds += 1
        if self._young_rounds <= ROUNDS:
            return 0
        self._young_rounds = 0
        self._middle_rounds += 1
        if self._middle_rounds <= ROUNDS:
            return 1
        self._middle_rounds = 0
        return 2
