"""The menu of kept run settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.core.forms import Field, Form
from dockdesk.core.ports import ContainerSpec
from dockdesk.runspec.form import problems_of, spec_of
from dockdesk.runspec.presets import Presets
from dockdesk.ui.context import UiContext
from dockdesk.ui.widgets.dialogs import FormDialog

ReadValues = Callable[[], Mapping[str, Any]]

_LONGEST_NAME = 80


class PresetsMenu(QMenu):
    """Lists the presets when it opens; ``chosen`` carries a name and its spec, ``told`` what was kept or removed."""

    chosen = Signal(str, object)
    told = Signal(str, str)  # what was done, and its tone

    def __init__(self, context: UiContext, values: ReadValues, parent: QWidget) -> None:
        """``values`` reads the form."""
        super().__init__(parent)
        self._context = context
        self._values = values
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
        values = self._values()
        problems = problems_of(values)
        problems.pop("image", None)
        if problems:
            self.told.emit("Mend the fields with problems before keeping the settings.", "warn")
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
        dialog = FormDialog(self._context.theme, form, parent=self.window())
        dialog.submitted.connect(
            lambda typed: self._keep(str(typed["name"]).strip(), spec_of(values))
        )
        dialog.open()

    def _keep(self, name: str, spec: ContainerSpec) -> None:
        presets = self._presets
        if presets is None:
            return

        again = name in self._found

        def kept(left_out: list[str]) -> None:
            without = f" Without the values of {', '.join(left_out)}." if left_out else ""
            instead = " in place of the earlier one" if again else ""
            self.told.emit(f"Kept as “{name}”{instead}.{without}", "good")
            self._load()

        self._context.jobs.submit(
            self, lambda _work: presets.save(name, spec), kept, self._on_failed
        )

    def _remove(self, name: str) -> None:
        presets = self._presets
        if presets is None:
            return

        def removed(_result: object) -> None:
            self.told.emit(f"Removed “{name}”.", "good")
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
