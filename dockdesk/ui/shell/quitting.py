"""The question before the program ends: what would be cancelled, what would be lost, and what can be saved before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from dockdesk.bridge.jobs import Jobs
from dockdesk.ui.shell.navigation import Navigation
from dockdesk.ui.theme import Theme

if TYPE_CHECKING:
    from dockdesk.ui.widgets.confirm import ConfirmDialog


class Quitting(QObject):
    """``agreed`` tells that the program may end: nothing would be lost, or the user said so.

    ``stayed`` carries the id of the pane that has something left to say, because saving did not succeed.
    """

    agreed = Signal()
    stayed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        jobs: Jobs,
        navigation: Navigation,
        window: Callable[[], QWidget | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._navigation = navigation
        self._window = window
        self._dialog: ConfirmDialog | None = None  # over a hidden window nothing else keeps it

    def ask(self) -> None:
        """Ask where something would be lost; agree at once where nothing would."""
        jobs = [job.title for job in self._jobs.visible() if not job.state.over]
        losses, unsaved = self._navigation.losses(), self._navigation.unsaved()
        if not jobs and not losses and not unsaved:
            self.agreed.emit()
            return
        if self._dialog is not None and isValid(self._dialog):
            self._dialog.close()  # asked again, from the tray
        from dockdesk.core.actions import Danger
        from dockdesk.ui.widgets.confirm import ConfirmDialog

        dialog = ConfirmDialog(
            self._theme,
            "Quit DockDesk?",
            "Quit without saving" if unsaved else "Quit",
            consequence="\n".join(part for part in (_running(jobs), *losses) if part),
            names=[*(name for item in unsaved.values() for name in item.names), *jobs],
            danger=Danger.DISRUPTS,
            icon="" if unsaved else "power",
            parent=self._window(),
        )
        dialog.confirmed.connect(self.agreed)
        if unsaved:
            self._offer_save(dialog)
        self._dialog = dialog
        dialog.open()
        dialog.raise_()
        dialog.activateWindow()

    def _offer_save(self, dialog: ConfirmDialog) -> None:
        from dockdesk.ui.widgets.buttons import Button

        dialog.agree.set_look("usual")
        save = dialog.add_button(Button(self._theme, "Save all", "device-floppy", "primary"))
        save.setObjectName("save_all")
        save.setDefault(True)
        save.setFocus()
        save.clicked.connect(dialog.accept)
        save.clicked.connect(self._save)

    def _save(self) -> None:
        todo = list(self._navigation.unsaved().items())

        def following() -> None:
            if todo:
                pane, item = todo.pop(0)
                item.save(following, lambda: self.stayed.emit(pane))
            elif self._navigation.unsaved():
                self.ask()  # something was typed meanwhile
            else:
                self.agreed.emit()

        following()


def _running(jobs: Sequence[str]) -> str:
    if not jobs:
        return ""
    if len(jobs) == 1:
        return f"“{jobs[0]}” still runs and would be cancelled."
    return f"{len(jobs)} jobs still run and would be cancelled."
