"""The run dialog: everything people use of `docker run`, with the command it stands for beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QWidget,
)

from dockdesk.core.actions import Values
from dockdesk.core.columns import Tone
from dockdesk.core.errors import DockDeskError
from dockdesk.core.forms import Choice
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import Container
from dockdesk.runspec.form import problems_of, values_of
from dockdesk.runspec.parse import ParsedRun
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.panes.containers.dropped import compose_file
from dockdesk.ui.panes.containers.run_head import RunHead, was_pasted
from dockdesk.ui.panes.containers.run_plan import CREATE, RUN, equivalent_of
from dockdesk.ui.panes.containers.run_sections import RunSections
from dockdesk.ui.panes.containers.run_sources import (
    free_name,
    names_of,
)
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.equivalents import EquivalentView
from dockdesk.ui.widgets.notice import MessageCard
from dockdesk.ui.widgets.plain import plain_tip

_PREVIEW_DELAY_MS = 120
_WIDTH, _HEIGHT = 980, 640


class _Filled:
    """The dialog as the action runner knows it: open until the action begins, with everything typed in it."""

    def __init__(self, dialog: RunDialog, values: Values) -> None:
        self._dialog = dialog
        self.values = values

    def done(self) -> None:
        self._dialog.close_done()

    def failed(self, error: DockDeskError) -> None:
        self._dialog.show_error(error)


class RunDialog(Dialog):
    """Fill it in, paste a `docker run` line, drop a Compose file, choose a preset, or start from a container."""

    def __init__(
        self,
        context: UiContext,
        values: Mapping[str, Any] | None = None,
        title: str = "Run an image",
        parent: QWidget | None = None,
        *,
        typed: bool = False,
    ) -> None:
        """``typed`` says that ``values`` are the user's own, not to be thrown away without a question."""
        super().__init__(context.theme, title, _WIDTH, parent)
        self._context = context
        self._sure = False
        self.setAcceptDrops(True)
        self.preview = EquivalentView(context.theme, "As a command")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PREVIEW_DELAY_MS)
        self._timer.timeout.connect(self._show_preview)
        self.sections = RunSections(context.theme, self)
        self._image = ""
        self.sections.changed.connect(self._on_changed)
        self.head = RunHead(context, self.values, self)
        self.head.taken.connect(self._take)
        self.head.failed.connect(self.show_error)
        self.head.told.connect(self.tell)
        self.body.addWidget(self.head)
        self._make_body()
        self._make_buttons()
        if values is not None:
            self.fill(values, modified=typed)
        self._show_preview()
        self._look_up()
        self.sections.focus_first()

    @classmethod
    def open_for(
        cls,
        parent: QWidget,
        context: UiContext,
        values: Mapping[str, Any] | None = None,
        *,
        typed: bool = False,
    ) -> RunDialog:
        """An empty form, or one with values."""
        dialog = cls(context, values, parent=parent.window(), typed=typed)
        dialog.open_soon()
        return dialog

    @classmethod
    def open_again(cls, parent: QWidget, context: UiContext, container: Container) -> None:
        """The form as it would run ``container`` again; asks the engine first."""
        engine, environment = context.session.backend, context.session.environment
        if engine is None or environment is None:
            context.notices.show(
                "Not connected",
                "The engine that knows how it was run does not answer.",
                tone="warn",
            )
            return

        def opened(spec: ContainerSpec) -> None:
            taken = names_of(context)
            name = free_name(spec.name, taken)
            values = {**values_of(spec), "name": name}
            dialog = cls(context, values, f"Run {container.name} again", parent.window())
            if name != spec.name:
                dialog.tell(
                    f"It is called {name}, since {spec.name} still exists",
                    "info",
                    "To have the same name again, rename or remove that one first.",
                )
            dialog.open_soon()

        context.jobs.submit(
            parent,
            lambda _work: engine.spec_of(container.id),
            opened,
            context.notices.failure,
            lane=environment.id,
        )

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width(), min(_HEIGHT, self.screen().availableSize().height() - 40))

    # Parts.

    def _make_body(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.sections, 7)
        row.addWidget(self.preview, 4)
        self.body.addLayout(row, 1)

    def _make_buttons(self) -> None:
        cancel = self.add_button(Button(self.theme, "Cancel"))
        cancel.clicked.connect(self.reject)
        create = self.add_button(Button(self.theme, "Create only"))
        create.setToolTip(plain_tip("Create the container without starting it."))
        create.clicked.connect(lambda: self._submit(False))
        run = self.add_button(Button(self.theme, "Run", "player-play", "primary"))
        run.setDefault(True)
        run.clicked.connect(lambda: self._submit(True))
        for button in (cancel, create):
            button.setAutoDefault(False)

    def _look_up(self) -> None:
        """Names that are there already: images and networks of the engine."""
        session = self._context.session
        session.want("images")
        session.want("networks")
        session.images_changed.connect(self._offer_names)
        session.networks_changed.connect(self._offer_names)
        self._offer_names()

    def _offer_names(self) -> None:
        session = self._context.session
        tags = sorted({tag for image in session.images.values() for tag in image.tags})
        networks = sorted(network.name for network in session.networks.values())
        for name, found in (("image", tags), ("network", networks)):
            self.sections.offer(name, [Choice(item, item) for item in found])

    # Values.

    def values(self) -> dict[str, Any]:
        return self.sections.values()

    def fill(self, values: Mapping[str, Any], modified: bool = True) -> None:
        """Put values into the form."""
        self.sections.fill(values, modified)
        self._show_preview()

    def problems(self) -> dict[str, str]:
        """Field id → what is wrong with it."""
        values = self.values()
        found = problems_of(values)
        name = str(values.get("name") or "").strip()
        if name and name in names_of(self._context):
            found.setdefault("name", f"There is a container called {name} already.")
        return found

    def _on_changed(self) -> None:
        """A command that was pasted into the first field, where the focus is, is read as one."""
        image = self.sections.editor("image")
        before, self._image = self._image, str(image.value() or "")
        if was_pasted(before, self._image):
            line, self._image = self._image, ""
            image.set_value("")
            self.head.read_line(line)
        self._timer.start()

    def _take(self, parsed: ParsedRun, said: str) -> None:
        values = values_of(parsed.spec)
        values["env_file"] = parsed.env_files[0] if parsed.env_files else ""
        self.fill(values)
        notes = list(parsed.notes)
        if len(parsed.env_files) > 1:
            notes.append("Only the first env file is taken over.")
        self.tell(said, "warn" if notes else "good", "\n".join(notes))

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

    def _show_preview(self) -> None:
        values = self.values()
        problems = self.problems()
        self.sections.mark(problems)
        if problems:
            first = next(iter(problems.values()))
            self.preview.set_equivalents((), first)
        else:
            self.preview.set_equivalents([equivalent_of(values, wrapped=True)])

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if compose_file(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = compose_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.head.read_compose(path)

    # The end.

    def _submit(self, start: bool) -> None:
        self.say(None)
        values = self.values()
        problems = self.problems()
        if problems:
            self._show_problems(problems)
            return
        context, owner = self._context, self.parentWidget()

        def edit() -> None:
            if owner is not None:
                RunDialog.open_for(owner, context, values, typed=True)

        def done(results: Sequence[Any]) -> None:
            id, name = str(results[0]), str(values.get("name") or values.get("image"))
            show = NoticeAction(
                "Show", lambda: context.navigator.open(ResourceRef("container", id, name))
            )
            word = "running" if start else "created"
            context.notices.show(f"{name}: {word}", f"Container {id[:12]}", "", "good", (show,))

        action = RUN if start else CREATE
        filled = _Filled(self, values)
        context.runner.trigger(action, (), values, done=done, edit=edit, filled=filled)

    def close_done(self) -> None:
        """Close: what was filled in is being done."""
        self._sure = True
        self.accept()

    def _show_problems(self, problems: Mapping[str, str]) -> None:
        self.sections.show_problems(problems)
        count = len(problems)
        self.tell("1 field needs a look" if count == 1 else f"{count} fields need a look", "warn")

    def modified(self) -> bool:
        return self.sections.modified()

    def reject(self) -> None:
        """Close; asks first if something was typed."""
        if self._sure or not self.modified():
            super().reject()
            return
        buttons = (
            StateButton("Keep editing", lambda: self.say(None)),
            StateButton("Discard", self._discard, "danger"),
        )
        self.say(
            MessageCard(
                self.theme,
                "Discard what you filled in?",
                tone="warn",
                buttons=buttons,
                closable=False,
            )
        )

    def _discard(self) -> None:
        self._sure = True
        self.reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.isVisible() and not self._sure and self.modified():
            event.ignore()
            self.reject()
            return
        super().closeEvent(event)
