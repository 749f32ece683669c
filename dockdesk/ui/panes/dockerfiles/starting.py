"""Ways to begin without a Dockerfile: a draft from a project's folder, or the sample project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from dockdesk.core.errors import DockDeskError
from dockdesk.core.forms import Field, FieldKind, Form
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.panes.dockerfiles import wizard_files
from dockdesk.ui.panes.dockerfiles.bars import FileBar
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.widgets.dialogs import FormDialog
from dockdesk.ui.widgets.empty import StateButton

if TYPE_CHECKING:
    from dockdesk.ui.panes.dockerfiles.pane import DockerfilesPane


class Starting(QObject):
    """Opens the wizard, and what comes of it."""

    def __init__(self, context: UiContext, pane: DockerfilesPane) -> None:
        super().__init__(pane)
        self._context = context
        self._pane = pane

    def new_from_project(self, folder: Path | None = None) -> None:
        """Ask which project, and draft its files; ``folder`` is the one it is about."""
        from dockdesk.ui.panes.dockerfiles.wizard import ProjectWizard

        wizard = ProjectWizard(self._context, folder, self._pane.window())
        wizard.written.connect(self._on_written)
        wizard.open()

    def for_project(self) -> None:
        """The same for the folder that is open, where it has no Dockerfile."""
        document = self._pane.document
        folder = document.project if document is not None else None
        folders = list(self._pane.workspace.projects)
        self.new_from_project(folder or (folders[-1] if folders else None))

    def offer(self, folder: Path) -> None:
        """Say that a folder has no Dockerfile, and offer to draft one."""
        self._context.notices.show(
            f"{folder.name} has no Dockerfile yet",
            "One can be drafted from what is in the folder.",
            tone="info",
            actions=(NoticeAction("Draft a Dockerfile…", lambda: self.new_from_project(folder)),),
        )

    def try_sample(self) -> None:
        """Copy the sample project to a folder of the user's choice, and open it."""
        self._context.jobs.submit(
            self, lambda _work: wizard_files.free_sample_folder(), self._ask_sample_folder
        )

    def _ask_sample_folder(self, suggested: Path) -> None:
        field = Field(
            "folder",
            "Copy it to",
            FieldKind.FOLDER,
            str(suggested),
            "A folder that is empty, or does not exist yet.",
            required=True,
        )
        form = Form(
            "Try a sample project",
            (field,),
            "Copy and open",
            "hello-web is a page that greets, in one file of Python. Its Dockerfile builds and runs, "
            "and gives the editor a few things to say.",
        )
        dialog = FormDialog(self._context.theme, form, stays=True, parent=self._pane.window())

        def submitted(values: dict[str, str]) -> None:
            self.copy_sample(Path(values["folder"]), dialog.close_done, dialog.show_error)

        dialog.submitted.connect(submitted)
        dialog.open()

    def copy_sample(
        self,
        target: Path,
        done: Callable[[], None] | None = None,
        failed: Callable[[DockDeskError], None] | None = None,
    ) -> None:
        """Copy the sample project there, and open it."""

        def copied(folder: Path) -> None:
            if done is not None:
                done()
            self._pane.open_folder(folder)

        self._context.jobs.submit(
            self, lambda _work: wizard_files.copy_sample(target), copied, failed, lane="files"
        )

    def _on_written(self, path: Path, folder: Path, run: bool) -> None:
        def opened(document: OpenDocument) -> None:
            self._pane.workspace.keeper.look()
            if run:
                self._pane.launcher.build_and_run(document)
            else:
                self._offer_run(document)

        self._pane.show_part("files", True)
        self._pane.workspace.open_folder(folder)
        self._pane.workspace.open(path, folder, opened)

    def _offer_run(self, document: OpenDocument) -> None:
        """A line above the new text: the next step is one click."""

        def run() -> None:
            bar.hide()
            bar.deleteLater()
            self._pane.launcher.build_and_run(document)

        button = StateButton("Build and run", run, "primary", "player-play")
        bar = FileBar(
            self._context.theme, "Written. Next: build it, and run it.", "good", (button,)
        )
        bar.closed.connect(bar.hide)
        bar.closed.connect(bar.deleteLater)
        document.view.bars.addWidget(bar)
