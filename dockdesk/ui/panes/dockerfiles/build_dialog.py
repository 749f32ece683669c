"""The build form: everything that `docker buildx build` takes, with the command it stands for beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.core.actions import Values
from dockdesk.core.columns import Tone
from dockdesk.core.errors import DockDeskError
from dockdesk.core.forms import Choice
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import Builder, BuildSpec
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles.build_facts import FileFacts
from dockdesk.ui.panes.dockerfiles.build_fields import FILE_OUTPUTS, sections_of
from dockdesk.ui.panes.dockerfiles.build_form import (
    BuilderFacts,
    notes_of,
    problems_of,
    spec_of,
    values_of,
)
from dockdesk.ui.panes.dockerfiles.build_plan import BuildRequest, equivalent_of
from dockdesk.ui.panes.dockerfiles.build_presets import BuildPresets, Preset
from dockdesk.ui.panes.dockerfiles.build_presets_menu import BuildPresetsMenu
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.equivalents import EquivalentView
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.notice import MessageCard
from dockdesk.ui.widgets.sections import SectionsForm

_PREVIEW_DELAY_MS = 120
_WIDTH, _HEIGHT = 980, 640


@dataclass(frozen=True, slots=True)
class BuildFile:
    """The Dockerfile that is to be built. ``path`` is None for one that was never saved; ``modified``: not all is."""

    name: str
    text: str
    facts: FileFacts
    path: Path | None = None
    modified: bool = False


class _Filled:
    """The dialog as the action runner knows it: open until the action begins, with everything typed in it."""

    def __init__(self, dialog: BuildDialog, values: Values) -> None:
        self._dialog = dialog
        self.values = values

    def done(self) -> None:
        self._dialog.close_done()

    def failed(self, error: DockDeskError) -> None:
        self._dialog.show_error(error)


class BuildDialog(Dialog):
    """``submitted`` carries the form's values and the form as the runner wants it, once nothing is wrong."""

    submitted = Signal(dict, object)

    def __init__(
        self,
        context: UiContext,
        file: BuildFile,
        values: Mapping[str, Any],
        presets: BuildPresets,
        parent: QWidget | None = None,
        *,
        typed: bool = False,
    ) -> None:
        """``typed`` says that ``values`` are the user's own, not to be thrown away without a question."""
        super().__init__(context.theme, f"Build {file.name}", _WIDTH, parent)
        self._context = context
        self._file = file
        self._sections = sections_of(file.facts, file.modified)
        self._builders: dict[str, Builder] = {}
        self._sure = False
        self.preview = EquivalentView(context.theme, "As a command")
        self.note = PlainLabel(context.theme, "", "small", "muted", wrap=True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PREVIEW_DELAY_MS)
        self._timer.timeout.connect(self._show_preview)
        self.form = SectionsForm(context.theme, self._sections, self)
        self.form.changed.connect(self._on_changed)
        self.menu = BuildPresetsMenu(context, presets, file.path, self._read, self)
        self.menu.chosen.connect(self._on_preset_chosen)
        self.menu.told.connect(self.tell)
        self._make_body()
        self._make_buttons()
        self.form.fill(values, modified=typed)
        self._show_preview()
        self._look_up()
        self.form.editor("tags").input().setFocus()

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width(), min(_HEIGHT, self.screen().availableSize().height() - 40))

    # Parts.

    def _make_body(self) -> None:
        theme, file = self.theme, self._file
        head = QHBoxLayout()
        head.setSpacing(8)
        where = str(file.path) if file.path is not None else "not saved yet"
        if file.modified:
            where += "  ·  with your changes that are not saved"
        head.addWidget(ElidedLabel(theme, where, "body", "muted", middle=True))
        head.addStretch(1)
        presets = Button(theme, "Presets", "bookmark")
        presets.setMenu(self.menu)
        head.addWidget(presets)
        self.body.addLayout(head)
        beside = QVBoxLayout()
        beside.setSpacing(8)
        beside.addWidget(self.preview, 1)
        beside.addWidget(self.note)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.form, 7)
        row.addLayout(beside, 4)
        self.body.addLayout(row, 1)

    def _make_buttons(self) -> None:
        cancel = self.add_button(Button(self.theme, "Cancel"))
        cancel.clicked.connect(self.reject)
        self.build = self.add_button(Button(self.theme, "Build", "hammer", "primary"))
        self.build.setDefault(True)
        self.build.clicked.connect(self.submit)

    def _look_up(self) -> None:
        """The builders that buildx knows: asked for with a process, so they may come late."""
        session = self._context.session
        engine, environment = session.backend, session.environment
        if engine is None or environment is None:
            return
        self._context.jobs.submit(
            self,
            lambda _work: engine.builders(),
            self._on_builders,
            self._on_no_builders,
            lane=environment.id,
            question="builders",
        )

    def _on_builders(self, builders: Sequence[Builder]) -> None:
        self._builders = {builder.name: builder for builder in builders}
        choices = [Choice("", "The engine's own")]
        for builder in builders:
            told = ", ".join(filter(None, (builder.driver, builder.error or builder.status)))
            choices.append(
                Choice(builder.name, f"{builder.name}  ({told})" if told else builder.name)
            )
        self.form.offer("builder", choices)
        self._show_preview()

    def _on_no_builders(self, error: DockDeskError) -> None:
        """buildx is there, but does not answer: that matters only to who wants another builder."""
        self.note.setText(f"{error.title}: {error.detail}")

    # Values.

    def values(self) -> dict[str, Any]:
        return self.form.values()

    def builder(self) -> BuilderFacts:
        """What would build with the form as it is."""
        name = str(self.values().get("builder") or "")
        known = self._builders.get(name)
        buildkit = "buildkit" in self._context.session.capabilities
        return BuilderFacts(buildkit, name, known.driver if known is not None else "")

    def problems(self) -> dict[str, str]:
        """Field id → what is wrong with it."""
        return problems_of(self.values(), self._sections, self._file.facts, self.builder())

    def spec(self) -> BuildSpec:
        """The build as the form has it. Raises ValueError where `problems` says why."""
        file = self._file
        return spec_of(
            self.values(), file.facts, str(file.path) if file.path is not None else "", file.text
        )

    def request(self) -> BuildRequest:
        unsaved = self._file.modified and not self.values().get("save_first")
        unsaved = unsaved or self._file.path is None
        builder = self.builder()
        return BuildRequest(self.spec(), self._file.text, unsaved, not builder.buildkit)

    def _read(self) -> BuildSpec | None:
        problems = self.problems()
        if problems:
            self._show_problems(problems)
            return None
        return self.spec()

    def _on_preset_chosen(self, preset: Preset) -> None:
        values = values_of(preset.spec, self._file.facts)
        kept = self.values()
        # What was not kept, since it is secret, stays as it is typed.
        for id, value in kept.items():
            if id not in values:
                values[id] = value
        self.form.fill(values)
        self._show_preview()
        self.tell(f"Filled in from “{preset.name}”.", "good")

    def _on_changed(self) -> None:
        self._timer.start()

    def _show_preview(self) -> None:
        values, problems = self.values(), self.problems()
        self.form.mark(problems)
        kind = str(values.get("output") or "image")
        output = self.form.form_of("output")
        output.set_shown("output_file", kind in FILE_OUTPUTS)
        output.set_shown("output_folder", kind == "local")
        if problems:
            self.preview.set_equivalents((), self._told(problems))
        else:
            self.preview.set_equivalents([equivalent_of(self.request(), wrapped=True)])
        notes = " ".join(notes_of(values, self.builder()))
        self.note.setText(notes)
        self.note.setVisible(bool(notes))

    def _told(self, problems: Mapping[str, str]) -> str:
        """The first problem, with the name of its field."""
        fields = (field for section in self._sections for field in section.fields)
        return next(f"{f.title}: {problems[f.id]}" for f in fields if f.id in problems)

    def tell(self, title: str, tone: Tone, detail: str = "") -> None:
        """Say something above the buttons."""
        card = MessageCard(self.theme, title, detail, "", tone)
        card.closed.connect(lambda: self.say(None))
        self.say(card)

    def show_error(self, error: DockDeskError) -> None:
        """Say what failed; everything typed is still there."""
        card = MessageCard(self.theme, error.title, error.detail, error.hint, "bad")
        card.closed.connect(lambda: self.say(None))
        self.say(card)

    # The end.

    def submit(self) -> None:
        """Build, or say what is wrong."""
        self.say(None)
        problems = self.problems()
        if problems:
            self._show_problems(problems)
            return
        values = self.values()
        self.submitted.emit(values, _Filled(self, values))

    def close_done(self) -> None:
        """Close: what was filled in is being done."""
        self._sure = True
        self.accept()

    def _show_problems(self, problems: Mapping[str, str]) -> None:
        self.form.show_problems(problems)
        count = len(problems)
        self.tell("1 field needs a look" if count == 1 else f"{count} fields need a look", "warn")

    def modified(self) -> bool:
        return self.form.modified()

    def reject(self) -> None:
        """Close; asks first if something was typed."""
        if self._sure or not self.modified():
            super().reject()
            return
        buttons = (
            StateButton("Keep editing", lambda: self.say(None)),
            StateButton("Discard", self._discard, "danger"),
        )
        card = MessageCard(
            self.theme,
            "Discard what you filled in?",
            tone="warn",
            buttons=buttons,
            closable=False,
        )
        self.say(card)

    def _discard(self) -> None:
        self._sure = True
        self.reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.isVisible() and not self._sure and self.modified():
            event.ignore()
            self.reject()
            return
        super().closeEvent(event)
