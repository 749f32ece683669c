"""Tells when the user first touches the program: what only they can need is loaded then, not before."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal

# Not Enter: a window that opens below the pointer gets that too.
_INPUT = frozenset(
    {
        QEvent.Type.MouseMove,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.KeyPress,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
    }
)


class FirstInput(QObject):
    """Looks at every event until one is the user's; ``came`` tells of it, once."""

    came = Signal()

    def __init__(self, app: QCoreApplication) -> None:
        super().__init__(app)
        self._app = app
        app.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT:
            self._app.removeEventFilter(self)
            self.came.emit()
        return False
