"""The run dialog: everything people use of `docker run`, with the command it stands for beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from dockdesk.core.columns import Tone
from dockdesk.core.errors import DockDeskError, LocalError
from dockdesk.core.forms import Choice, Form
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.resources.containers import Container
from dockdesk.runspec.compose import LARGEST_FILE, ComposeService, parse_compose
from dockdesk.runspec.fields import SECTIONS
from dockdesk.runspec.form import parse_env_file, problems_of, values_of
from dockdesk.runspec.parse import ParsedRun, parse_run
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.containers.presets_menu import PresetsMenu
from dockdesk.ui.panes.containers.run_plan import CREATE, RUN, equivalent_of
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.equivalents import EquivalentView
from dockdesk.ui.widgets.forms import FormView
from dockdesk.ui.widgets.notice import MessageCard
from dockdesk.ui.widgets.plain import plain_tip
from dockdesk.ui.widgets.scroll import ContentScroll

_PREVIEW_DELAY_MS = 120
_WIDTH, _HEIGHT = 980, 640
_COMPOSE_FILTER = "Compose files (*.yml *.yaml);;All files (*)"


class RunDialog(Dialog):
    """Fill it in, paste a `docker run` line, drop a Compose file, choose a preset, or start from a container."""

    def __init__(
        self,
        context: UiContext,
        values: Mapping[str, Any] | None = None,
        title: str = "Run an image",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context.theme, title, _WIDTH, parent)
        self._context = context
        self._sure = False
        self.setAcceptDrops(True)
        self.forms: list[FormView] = []
        self._list = QListWidget()
        self._list.setAccessibleName("Sections of the form")
        self._list.setFixedWidth(172)
        self._pages = QStackedWidget()
        self.preview = EquivalentView(context.theme)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PREVIEW_DELAY_MS)
        self._timer.timeout.connect(self._show_preview)
        self._make_forms()
        self._make_head()
        self._make_body()
        self._make_buttons()
        if values is not None:
            self.fill(values, modified=False)
        self._show_preview()
        self._look_up()
        self.forms[0].focus_first()

    @classmethod
    def open_for(
        cls, parent: QWidget, context: UiContext, values: Mapping[str, Any] | None = None
    ) -> RunDialog:
        """An empty form, or one with values."""
        dialog = cls(context, values, parent=parent.window())
        dialog.open()
        return dialog

    @classmethod
    def open_again(cls, parent: QWidget, context: UiContext, container: Container) -> None:
        """The form as it would run ``container`` again; asks the engine first."""
        engine, environment = context.session.backend, context.session.environment
        if engine is None or environment is None:
            return

        def opened(spec: ContainerSpec) -> None:
            dialog = cls(context, values_of(spec), f"Run {container.name} again", parent.window())
            dialog.open()

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

    def _make_head(self) -> None:
        self._paste = QLineEdit()
        self._paste.setPlaceholderText("Paste a “docker run …” line here and press Enter")
        self._paste.setAccessibleName("A docker run line to fill the form from")
        self._paste.setMaxLength(65_536)
        self._paste.returnPressed.connect(self._on_pasted)
        compose = Button(self.theme, "From Compose…", "file-import")
        compose.setToolTip(
            plain_tip(
                "Fill the form from a service of a Compose file; one can be dropped here too."
            )
        )
        compose.clicked.connect(self._on_compose_clicked)
        self._presets = PresetsMenu(self._context, self)
        self._presets.chosen.connect(
            lambda name, spec: self._take(ParsedRun(spec), f"Filled in from “{name}”.")
        )
        self._presets.told.connect(lambda text: self._tell(text, "good"))
        presets = Button(self.theme, "Presets", "bookmark")
        presets.setMenu(self._presets)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._paste, 1)
        row.addWidget(compose)
        row.addWidget(presets)
        self.body.addLayout(row)

    def _make_forms(self) -> None:
        for section in SECTIONS:
            form = FormView(self.theme, Form(section.title, section.fields))
            form.changed.connect(self._on_changed)
            self.forms.append(form)
            self._list.addItem(QListWidgetItem(section.title))
            holder = QWidget()
            column = QVBoxLayout(holder)
            column.setContentsMargins(4, 0, 12, 8)
            column.addWidget(form)
            self._pages.addWidget(ContentScroll(holder))
        self._list.currentRowChanged.connect(self._pages.setCurrentIndex)
        self._list.setCurrentRow(0)

    def _make_body(self) -> None:
        side = QVBoxLayout()
        side.addWidget(self.preview, 1)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self._list)
        row.addWidget(self._pages, 5)
        row.addLayout(side, 4)
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
            editor = self._form_of(name).editor(name)
            value = editor.value()
            editor.set_choices([Choice(item, item) for item in found])
            if editor.value() != value:
                editor.set_value(value)

    def _form_of(self, field: str) -> FormView:
        return next(
            form for form in self.forms if any(item.id == field for item in form.form.fields)
        )

    # Values.

    def values(self) -> dict[str, Any]:
        return {id: value for form in self.forms for id, value in form.values().items()}

    def fill(self, values: Mapping[str, Any], modified: bool = True) -> None:
        """Put values into the form."""
        for form in self.forms:
            own = {item.id for item in form.form.fields}
            form.set_values({id: value for id, value in values.items() if id in own})
            if not modified:
                form.set_unmodified()
        self._show_preview()

    def _take(self, parsed: ParsedRun, said: str) -> None:
        values = values_of(parsed.spec)
        values["env_file"] = parsed.env_files[0] if parsed.env_files else ""
        self.fill(values)
        self._paste.clear()
        notes = list(parsed.notes)
        if len(parsed.env_files) > 1:
            notes.append("Only the first env file is taken over.")
        self._tell(said, "warn" if notes else "good", "\n".join(notes))

    def _tell(self, title: str, tone: Tone, detail: str = "") -> None:
        card = MessageCard(self.theme, title, detail, "", tone)
        card.closed.connect(lambda: self.say(None))
        self.say(card)

    def _fail(self, error: DockDeskError) -> None:
        card = MessageCard(self.theme, error.title, error.detail, error.hint, "bad")
        card.closed.connect(lambda: self.say(None))
        self.say(card)

    def _on_changed(self) -> None:
        self._timer.start()

    def _show_preview(self) -> None:
        values = self.values()
        problems = problems_of(values)
        for row, form in enumerate(self.forms):
            wrong = any(item.id in problems for item in form.form.fields)
            item = self._list.item(row)
            shown = wrong and (row > 0 or form.modified())
            item.setIcon(
                self.theme.icon("alert-circle", "bad", 16)
                if shown
                else self.theme.icon("point", "muted", 16)
            )
        if problems:
            first = next(iter(problems.values()))
            self.preview.set_equivalents((), first)
        else:
            self.preview.set_equivalents([equivalent_of(values, wrapped=True)])

    # Filling from elsewhere.

    def _on_pasted(self) -> None:
        line = self._paste.text()
        if line.strip():
            self._read(
                lambda: parse_run(line, folder=str(Path.cwd())), "Filled in from the command."
            )

    def _read(self, parse: Callable[[], ParsedRun], said: str) -> None:
        self._context.jobs.submit(
            self,
            lambda _work: parse(),
            lambda parsed: self._take(parsed, said),
            self._fail,
            question="parse",
        )

    def _on_compose_clicked(self) -> None:
        dialog = QFileDialog(self, "Choose a Compose file", "", _COMPOSE_FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.read_compose(Path(path)))
        dialog.open()

    def read_compose(self, path: Path) -> None:
        """Read a Compose file and have one of its services chosen."""
        self._context.jobs.submit(
            self, lambda _work: _services(path), self._choose_service, self._fail, question="parse"
        )

    def _choose_service(self, services: list[ComposeService]) -> None:
        if len(services) == 1:
            self._take_service(services[0])
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for service in services:
            entry = menu.addAction(f"{service.name}  ({service.run.spec.image})".replace("&", "&&"))
            entry.triggered.connect(lambda _on=False, service=service: self._take_service(service))
        menu.popup(self._paste.mapToGlobal(self._paste.rect().bottomLeft()))

    def _take_service(self, service: ComposeService) -> None:
        self._take(service.run, f"Filled in from the service “{service.name}”.")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_file(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_file(event.mimeData())
        if path is not None:
            event.acceptProposedAction()
            self.read_compose(path)

    # The end.

    def _submit(self, start: bool) -> None:
        values = self.values()
        problems = problems_of(values)
        if problems:
            self._show_problems(problems)
            return
        context, owner = self._context, self.parentWidget()
        self._sure = True
        self.accept()

        def edit() -> None:
            RunDialog.open_for(owner or self, context, values)

        def done(results: Any) -> None:
            context.session.refresh("containers")
            name = values.get("name") or values.get("image")
            word = "running" if start else "created"
            context.notices.show(
                f"{name}: {word}", f"Container {str(results[0])[:12]}", tone="good"
            )

        context.runner.trigger(RUN if start else CREATE, (), values, done=done, edit=edit)

    def _show_problems(self, problems: Mapping[str, str]) -> None:
        shown = False
        for row, form in enumerate(self.forms):
            own = {item.id: problems[item.id] for item in form.form.fields if item.id in problems}
            if own and not shown:
                self._list.setCurrentRow(row)
                shown = True
                form.show_problems(own)
            elif own:
                form.show_problems(own)
        count = len(problems)
        self._tell("1 field needs a look" if count == 1 else f"{count} fields need a look", "warn")

    def modified(self) -> bool:
        return any(form.modified() for form in self.forms)

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


def _dropped_file(data: QMimeData) -> Path | None:
    """The YAML file that was dropped, if it is one."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return paths[0] if len(paths) == 1 and paths[0].suffix.lower() in {".yml", ".yaml"} else None


def _services(path: Path) -> list[ComposeService]:
    """The services of a file, with the variables of the .env beside it. On a worker."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise LocalError("The Compose file is too large", str(path))
        text = path.read_text("utf-8")
        beside = path.with_name(".env")
        variables = dict(parse_env_file(beside.read_text("utf-8"))) if beside.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError("The Compose file can't be read", f"{path}: {error}") from error
    return parse_compose(text, str(path.parent), {**variables, **os.environ})
