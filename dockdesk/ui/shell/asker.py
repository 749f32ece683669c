"""Asks for forms and confirmations with dialogs over the window; they are imported when something is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.actions import Danger
from dockdesk.core.errors import DockDeskError
from dockdesk.ui.actions.questions import FilledForm, FormRequest, Question
from dockdesk.ui.theme import Theme

if TYPE_CHECKING:
    from dockdesk.ui.widgets.dialogs import FormDialog


class _Filled:
    """A submitted form whose dialog is still open."""

    def __init__(self, dialog: FormDialog, values: Mapping[str, Any]) -> None:
        self._dialog = dialog
        self.values = values

    def done(self) -> None:
        self._dialog.close_done()

    def failed(self, error: DockDeskError) -> None:
        self._dialog.show_error(error)


class DialogAsker:
    """Implements `dockdesk.ui.actions.questions.Asker`. ``window`` is asked for each time: it may not exist yet."""

    def __init__(self, theme: Theme, jobs: Jobs, window: Callable[[], QWidget | None]) -> None:
        self._theme = theme
        self._jobs = jobs
        self._window = window

    def form(self, request: FormRequest, accepted: Callable[[FilledForm], None]) -> None:
        from dockdesk.ui.widgets.dialogs import FormDialog

        dialog = FormDialog(
            self._theme,
            request.form,
            self._jobs,
            request.backend,
            request.preview if request.action.plan is not None else None,
            danger=request.action.danger >= Danger.DESTROYS,
            stays=True,
            parent=self._window(),
        )
        if request.values:
            dialog.view.set_values(request.values)

        def submit(values: Mapping[str, Any]) -> None:
            # Free again before anything else: a confirmation over it may be turned down.
            dialog.set_busy(False)
            accepted(_Filled(dialog, values))

        dialog.submitted.connect(submit)
        dialog.open()

    def confirm(self, question: Question, accepted: Callable[[], None]) -> None:
        from dockdesk.ui.widgets.confirm import ConfirmDialog

        dialog = ConfirmDialog.for_question(self._theme, question, self._window())
        dialog.confirmed.connect(accepted)
        dialog.open()
