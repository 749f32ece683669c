"""The menu of a project's kept build settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from dockdesk.core.forms import Field, FieldKind, Form
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles.build_presets import SHARED, BuildPresets, KeptBuilds, Preset
from dockdesk.ui.widgets.dialogs import FormDialog

_LONGEST_NAME = 80


class BuildPresetsMenu(QMenu):
    """``chosen`` carries a Preset, ``told`` what was kept or removed, and its tone."""

    chosen = Signal(object)
    told = Signal(str, str)

    def __init__(
        self,
        context: UiContext,
        presets: BuildPresets,
        dockerfile: Path | None,
        read: Callable[[], BuildSpec | None],
        parent: QWidget,
    ) -> None:
        """``dockerfile`` says whose presets; None for a file that was never saved, which has none.

        ``read`` reads the form; None, and says why itself, where it can't be used.
        """
        super().__init__(parent)
        self._context = context
        self._presets = presets
        self._dockerfile = dockerfile
        self._read = read
        self._found: Mapping[str, Preset] = {}
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._load)
        self.set_found({})

    def set_found(self, found: Mapping[str, Preset]) -> None:
        """List these."""
        self._found = found
        self.clear()
        for preset in found.values():
            where = "  (in the project)" if preset.shared else ""
            entry = self.addAction(_menu_text(f"{preset.name}{where}"))
            entry.triggered.connect(lambda _on=False, preset=preset: self.chosen.emit(preset))
        if not found:
            self.addAction("No presets kept yet").setEnabled(False)
        self.addSeparator()
        keep = self.addAction("Keep these settings…")
        keep.setEnabled(self._dockerfile is not None)
        if self._dockerfile is None:
            keep.setToolTip("Save the file first: settings are kept for it.")
        keep.triggered.connect(self._on_keep)
        if found:
            remove = self.addMenu("Remove")
            for name in found:
                entry = remove.addAction(_menu_text(name))
                entry.triggered.connect(lambda _on=False, name=name: self._remove(name))

    def _load(self) -> None:
        dockerfile, presets = self._dockerfile, self._presets
        if dockerfile is None:
            return

        def loaded(kept: KeptBuilds) -> None:
            if kept.presets != self._found:
                self.set_found(kept.presets)

        self._context.jobs.submit(
            self,
            lambda _work: presets.load(dockerfile),
            loaded,
            self._context.notices.failure,
            question="presets",
        )

    def _on_keep(self) -> None:
        spec = self._read()
        if spec is None:
            return
        form = Form(
            "Keep these settings",
            [
                Field("name", "Name", required=True, placeholder="release", check=_name_problem),
                Field(
                    "shared",
                    "Keep them in the project",
                    FieldKind.CHECK,
                    default=not self._presets.keeps,
                    help=f"In {SHARED} beside the Dockerfile, for all who work on it. Else only you have them.",
                ),
            ],
            submit="Keep",
            intro="Values of arguments and labels that look like secrets are not kept.",
        )
        dialog = FormDialog(self._context.theme, form, parent=self.window())
        dialog.submitted.connect(
            lambda typed: self._keep(str(typed["name"]).strip(), spec, bool(typed["shared"]))
        )
        dialog.open()

    def _keep(self, name: str, spec: BuildSpec, shared: bool) -> None:
        dockerfile, presets = self._dockerfile, self._presets
        if dockerfile is None:
            return
        again = name in self._found

        def kept(left_out: list[str]) -> None:
            without = f" Without the values of {', '.join(left_out)}." if left_out else ""
            instead = " in place of the earlier one" if again else ""
            self.told.emit(f"Kept as “{name}”{instead}.{without}", "good")
            self._load()

        self._context.jobs.submit(
            self,
            lambda _work: presets.save(dockerfile, name, spec, shared),
            kept,
            self._context.notices.failure,
        )

    def _remove(self, name: str) -> None:
        dockerfile, presets = self._dockerfile, self._presets
        if dockerfile is None:
            return

        def removed(_result: object) -> None:
            self.told.emit(f"Removed “{name}”.", "good")
            self._load()

        self._context.jobs.submit(
            self,
            lambda _work: presets.remove(dockerfile, name),
            removed,
            self._context.notices.failure,
        )


def _menu_text(name: str) -> str:
    return name.replace("&", "&&")


def _name_problem(name: str) -> str | None:
    return None if len(name) <= _LONGEST_NAME else f"At most {_LONGEST_NAME} characters."
