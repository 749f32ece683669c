"""What stands where a pane could not be made: the rest of the window goes on."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.errors import LocalError
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import Pane
from dockdesk.ui.widgets.empty import EmptyState


class BrokenPane(Pane):
    """Says what went wrong while a pane was made."""

    def __init__(
        self, context: UiContext, title: str, error: Exception, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, parent)
        self.title = title
        message = EmptyState(context.theme)
        message.show_error(
            LocalError(
                f"{title} can't be shown",
                f"{type(error).__name__}: {error}",
                "The other pages work. Please report this with the log (Help › Show the log file).",
            )
        )
        column = QVBoxLayout(self)
        column.addWidget(message)
