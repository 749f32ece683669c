"""The menu of kept run settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu

from dockdesk.core.errors import DockDeskError
from dockdesk.core.forms import Field, Form
from dockdesk.core.ports import ContainerSpec
from dockdesk.runspec.form import problems_of, spec_of
from dockdesk.runspec.presets import Presets
from dockdesk.ui.context import UiContext
from dockdesk.ui.widgets.dialogs import FormDialog

if TYPE_CHECKING:
    from dockdesk.ui.panes.containers.run_dialog import RunDialog

_LONGEST_NAME = 80


class PresetsMenu(QMenu):
    """Lists the presets when it opens; ``chosen`` carries a name and its spec, ``told`` what was kept or removed."""

    chosen = Signal(str, object)
    told = Signal(str)

    def __init__(self, context: UiContext, dialog: RunDialog) -> None:
        super().__init__(dialog)
        self._context = context
        self._dialog = dialog
        path = context.settings.path
        self._presets = Presets(path.with_name("run-presets.json")) if path is not None else None
        self._found: dict[str, ContainerSpec] = {}
        self.aboutToShow.connect(self._load)
        self._fill()

    def _load(self) -> None:
        presets = self._presets
        if presets is not None:
            self._context.jobs.submit(
                self,
                lambda _work: presets.load(),
                self._on_loaded,
                self._context.notices.failure,
                question="presets",
            )

    def _on_loaded(self, found: dict[str, ContainerSpec]) -> None:
        if found != self._found:
            self._found = found
            self._fill()

    def _fill(self) -> None:
        self.clear()
        for name, spec in self._found.items():
            entry = self.addAction(_menu_text(name))
            entry.triggered.connect(
                lambda _on=False, name=name, spec=spec: self.chosen.emit(name, spec)
            )
        if not self._found:
            self.addAction("No presets kept yet").setEnabled(False)
        self.addSeparator()
        keep = self.addAction("Keep these settings…")
        keep.setEnabled(self._presets is not None)
        keep.triggered.connect(self._on_keep)
        if self._found:
            remove = self.addMenu("Remove")
            for name in self._found:
                entry = remove.addAction(_menu_text(name))
                entry.triggered.connect(lambda _on=False, name=name: self._remove(name))

    def _on_keep(self) -> None:
        values = self._dialog.values()
        problems = problems_of(values)
        problems.pop("image", None)
        if problems:
            self.told.emit("Mend the fields with problems before keeping the settings.")
            return
        form = Form(
            "Keep these settings",
            [
                Field(
                    "name",
                    "Name",
                    required=True,
                    default=str(values.get("name") or ""),
                    check=_name_problem,
                )
            ],
            submit="Keep",
            intro="Values of variables that look like secrets are not kept.",
        )
        dialog = FormDialog(self._context.theme, form, parent=self._dialog)
        dialog.submitted.connect(
            lambda typed: self._keep(str(typed["name"]).strip(), spec_of(values))
        )
        dialog.open()

    def _keep(self, name: str, spec: ContainerSpec) -> None:
        presets = self._presets
        if presets is None:
            return

        def kept(left_out: list[str]) -> None:
            without = f" Without the values of {', '.join(left_out)}." if left_out else ""
            self.told.emit(f"Kept as “{name}”.{without}")
            self._load()

        self._context.jobs.submit(
            self, lambda _work: presets.save(name, spec), kept, self._on_failed
        )

    def _remove(self, name: str) -> None:
        presets = self._presets
        if presets is None:
            return

        def removed(_result: object) -> None:
            self.told.emit(f"Removed “{name}”.")
            self._load()

        self._context.jobs.submit(
            self, lambda _work: presets.remove(name), removed, self._on_failed
        )

    def _on_failed(self, error: DockDeskError) -> None:
        self._context.notices.failure(error)


def _menu_text(name: str) -> str:
    return name.replace("&", "&&")


def _name_problem(name: str) -> str | None:
    return None if len(name) <= _LONGEST_NAME else f"At most {_LONGEST_NAME} characters."
