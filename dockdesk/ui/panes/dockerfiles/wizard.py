"""From a project's folder to a Dockerfile: what it is, what is chosen, and what would be written, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.errors import CancelledError, DockDeskError, InvalidInputError
from dockdesk.core.forms import Choice as FormChoice
from dockdesk.core.forms import Field, FieldKind, Form
from dockdesk.core.work import Work
from dockdesk.dockerfile.detect.folder import Choice, Project
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.dockerfiles import kinds, wizard_files
from dockdesk.ui.panes.dockerfiles.compare import CompareDialog
from dockdesk.ui.panes.dockerfiles.keeping import difference
from dockdesk.ui.panes.dockerfiles.language import language_of
from dockdesk.ui.panes.dockerfiles.reading import Reader
from dockdesk.ui.panes.dockerfiles.sources import CachedSources
from dockdesk.ui.panes.dockerfiles.wizard_files import Drafted, Found
from dockdesk.ui.panes.dockerfiles.wizard_kinds import KindList
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.editor import CodeEditor
from dockdesk.ui.widgets.empty import EmptyState, StateButton
from dockdesk.ui.widgets.forms import FormView
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.notice import MessageCard
from dockdesk.ui.widgets.path_field import PathField
from dockdesk.ui.widgets.scroll import ContentScroll
from dockdesk.ui.widgets.splitter import Splitter

_WIDTH, _HEIGHT = 1120, 720
_LEFT = 272
_SIDE_BY_SIDE = 600  # pixels for both previews
_LOOK_MS, _DRAFT_MS = 250, 120
_COMMENTS, _NEWEST = "comments", "newest"


class ProjectWizard(Dialog):
    """``written`` carries the Dockerfile, its folder, and whether it is to be built and run at once."""

    written = Signal(object, object, bool)

    def __init__(
        self, context: UiContext, folder: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(context.theme, "New from project", _WIDTH, parent)
        self._context = context
        self._found: Found | None = None
        self._project: Project | None = None
        self._drafted: Drafted | None = None
        self._touched = False
        self._sure = False
        self._form: FormView | None = None
        self.setAcceptDrops(True)
        self._look_timer = self._timer(_LOOK_MS, self._look)
        self._draft_timer = self._timer(_DRAFT_MS, self._draft)
        self._make_left()
        self._make_right()
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self._left_side)
        row.addWidget(self._right_side, 1)
        self.body.addLayout(row, 1)
        self._make_buttons()
        self._show_state()
        if folder is not None:
            self.folder.set_path(str(folder))
            self._look_timer.start(0)

    def sizeHint(self) -> QSize:
        screen = self.screen().availableSize()
        return QSize(min(_WIDTH, screen.width() - 48), min(_HEIGHT, screen.height() - 48))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self._right_side.width() >= _SIDE_BY_SIDE
        wanted = Qt.Orientation.Horizontal if beside else Qt.Orientation.Vertical
        if self._both.orientation() != wanted:
            self._both.setOrientation(wanted)
            self._both.setSizes([640, 360])

    # Parts.

    def _timer(self, interval: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    def _make_left(self) -> None:
        theme = self.theme
        self.folder = PathField(theme, "folder", "The project's folder")
        self.folder.edit.setPlaceholderText("Choose or drop a folder")
        self.folder.edit.setAccessibleName("Project folder")
        self.folder.changed.connect(self._on_folder_changed)
        self.kinds = KindList(theme)
        self.kinds.chosen.connect(self._on_kind_chosen)
        self._form_place = QVBoxLayout()
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(12)
        column.addWidget(self.kinds)
        column.addLayout(self._form_place)
        column.addStretch(1)
        self._left_side = QWidget()
        self._left_side.setFixedWidth(_LEFT)
        left = QVBoxLayout(self._left_side)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(8)
        left.addWidget(PlainLabel(theme, "Project folder", "strong"))
        left.addWidget(self.folder)
        left.addSpacing(4)
        left.addWidget(ContentScroll(page, self), 1)

    def _make_right(self) -> None:
        self._reader = Reader()
        self.previews: dict[str, CodeEditor] = {}
        self._both = Splitter(Qt.Orientation.Horizontal, (2, 1))
        for name, kind in (("Dockerfile", kinds.DOCKERFILE), (".dockerignore", kinds.IGNORE)):
            self._both.addWidget(self._preview(name, kind))
        self._both.setSizes([520, 260])
        self._empty = EmptyState(
            self.theme,
            "folder-open",
            "Which project?",
            "Choose its folder, or drop it here. Its own files tell what it is; nothing of it is run.",
            (StateButton("Choose a folder…", self.folder.browse.click, "primary", "folder-open"),),
        )
        self._right_side = QStackedWidget()
        self._right_side.addWidget(self._empty)
        self._right_side.addWidget(self._both)

    def _preview(self, name: str, kind: str) -> QWidget:
        language = language_of(kind, self._reader, lambda: CachedSources({}))
        editor = CodeEditor(self.theme, self._context.jobs, language)
        editor.setReadOnly(True)
        editor.set_wrap(True)
        editor.setAccessibleName(f"{name} as it would be written")
        self.previews[name] = editor
        card = QFrame()
        card.setProperty("look", "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(1, 8, 1, 8)
        column.setSpacing(6)
        title = PlainLabel(self.theme, name, "strong")
        title.setContentsMargins(14, 0, 0, 0)
        column.addWidget(title)
        column.addWidget(editor, 1)
        return card

    def _make_buttons(self) -> None:
        cancel = self.add_button(Button(self.theme, "Cancel"))
        cancel.clicked.connect(self.reject)
        self.write_button = self.add_button(Button(self.theme, "Write files", "device-floppy"))
        self.write_button.clicked.connect(lambda: self._write(False))
        self.run_button = self.add_button(
            Button(self.theme, "Write, build and run", "player-play", "primary")
        )
        self.run_button.clicked.connect(lambda: self._write(True))

    # What the folder is.

    def _on_folder_changed(self) -> None:
        self._drafted = None  # what is shown is about another folder
        self._show_state()
        self._look_timer.start()

    def _look(self) -> None:
        path = self.folder.path()
        if not path:
            self._show_found(None)
            return
        folder = Path(path)
        self._context.jobs.submit(
            self,
            lambda _work: wizard_files.look(folder),
            self._show_found,
            self._on_no_folder,
            lane="files",
            question="look",
        )

    def _on_no_folder(self, error: DockDeskError) -> None:
        if isinstance(error, CancelledError):
            return
        self._show_found(None)
        self._empty.show_error(error)

    def _show_found(self, found: Found | None) -> None:
        self._found = found
        self._drafted = None
        self._project = None
        self.say(None)
        if found is None:
            self.kinds.show_kinds((), True)
            self._show_form(None)
        else:
            self.kinds.show_kinds(found.projects, found.detected)
        self._show_state()

    def _on_kind_chosen(self, project: Project) -> None:
        self._project = project
        self._show_form(project)
        self._draft()

    def _show_form(self, project: Project | None) -> None:
        kept = self._form.values() if self._form is not None else {}
        while (item := self._form_place.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._form = None
        if project is None:
            return
        form = FormView(self.theme, form_of(project))
        form.set_values({id: kept[id] for id in (_COMMENTS, _NEWEST) if id in kept})
        form.changed.connect(self._on_form_changed)
        self._form = form
        self._form_place.addWidget(form)

    # What would be written.

    def _on_form_changed(self) -> None:
        self._touched = True
        self._draft_timer.start()

    def _draft(self) -> None:
        project, form = self._project, self._form
        if project is None or form is None:
            return
        if form.problems():
            self._drafted = None
            self._show_state()
            return
        values = form.values()
        choices = {choice.id: str(values[choice.id]) for choice in project.choices}
        comments, newest = bool(values[_COMMENTS]), bool(values[_NEWEST])

        def work(_work: Work) -> Drafted:
            return wizard_files.drafted(project, choices, comments=comments, newest=newest)

        self._context.jobs.submit(
            self, work, self._show_drafted, self._on_not_drafted, question="draft"
        )

    def _show_drafted(self, drafted: Drafted) -> None:
        self._drafted = drafted
        for name, editor in self.previews.items():
            text = drafted.texts[name]
            if editor.text() != text:
                editor.set_text(text)
        self._show_state()

    def _on_not_drafted(self, error: DockDeskError) -> None:
        self._drafted = None
        form = self._form
        if isinstance(error, CancelledError):
            return
        if not (
            form is not None and isinstance(error, InvalidInputError) and form.show_error(error)
        ):
            self._context.notices.failure(error)
        self._show_state()

    def _show_state(self) -> None:
        ready = self._drafted is not None
        self.write_button.setEnabled(ready)
        self.run_button.setEnabled(ready)
        if self._found is None:
            self._right_side.setCurrentWidget(self._empty)
        elif self._project is None:
            self._empty.show_message(
                "file-code",
                "Which kind of project is it?",
                "Nothing in the folder says so. Choose on the left; the draft is a start to be adapted.",
            )
            self._right_side.setCurrentWidget(self._empty)
        elif ready:
            self._right_side.setCurrentWidget(self._both)

    # Writing.

    def _write(self, run: bool) -> None:
        """Write both files; asks where one is there already and says something else."""
        found, drafted = self._found, self._drafted
        if found is None or drafted is None:
            return
        folder, texts = found.folder, drafted.texts

        def look(_work: Work) -> dict[str, str]:
            return wizard_files.standing(folder, texts)

        def go_on(standing: dict[str, str]) -> None:
            if standing:
                self._ask(folder, texts, standing, run)
            else:
                self._do_write(folder, texts, list(texts), run)

        self._context.jobs.submit(self, look, go_on, self._on_failed, lane="files")

    def _ask(
        self, folder: Path, texts: Mapping[str, str], standing: Mapping[str, str], run: bool
    ) -> None:
        others = [name for name in texts if name not in standing]
        names = " and ".join(standing)
        several = len(standing) > 1
        keep = "Keep them" if several else "Keep it"
        buttons = [
            StateButton("Compare", lambda: self._compare(texts, standing), icon="git-compare"),
            StateButton(keep, lambda: self._do_write(folder, texts, others, run)),
            StateButton(
                "Replace them" if several else "Replace it",
                lambda: self._do_write(folder, texts, list(texts), run),
                "danger",
            ),
        ]
        detail = f"{', '.join(others)} will be written." if others else ""
        card = MessageCard(
            self.theme,
            f"There {'are' if several else 'is'} {names} already",
            detail,
            "",
            "warn",
            buttons,
        )
        card.closed.connect(lambda: self.say(None))
        self.say(card)

    def _compare(self, texts: Mapping[str, str], standing: Mapping[str, str]) -> None:
        def work(_work: Work) -> str:
            return "\n".join(difference(texts[n], there, n) for n, there in standing.items())

        def show(text: str) -> None:
            CompareDialog(self.theme, " and ".join(standing), text, self).open()

        self._context.jobs.submit(self, work, show)

    def _do_write(
        self, folder: Path, texts: Mapping[str, str], names: list[str], run: bool
    ) -> None:
        self.say(None)
        self.write_button.setEnabled(False)
        self.run_button.setEnabled(False)

        def work(_work: Work) -> Path:
            return wizard_files.write(folder, texts, names)

        def done(path: Path) -> None:
            self._sure = True
            self.written.emit(path, folder, run)
            self.accept()

        self._context.jobs.submit(self, work, done, self._on_failed, lane="files", vital=True)

    def _on_failed(self, error: DockDeskError) -> None:
        self._show_state()
        card = MessageCard(self.theme, error.title, error.detail, error.hint, "bad")
        card.closed.connect(lambda: self.say(None))
        self.say(card)

    # The end, and files that are dropped.

    def reject(self) -> None:
        """Close without writing; asks first where choices were changed."""
        if self._sure or not self._touched:
            super().reject()
            return
        buttons = (
            StateButton("Keep editing", lambda: self.say(None)),
            StateButton("Discard", self._discard, "danger"),
        )
        self.say(
            MessageCard(
                self.theme, "Discard what you chose?", tone="warn", buttons=buttons, closable=False
            )
        )

    def _discard(self) -> None:
        self._sure = True
        self.reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.isVisible() and not self._sure and self._touched:
            event.ignore()
            self.reject()
            return
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.folder.set_path(url.toLocalFile())
                event.acceptProposedAction()
                return


def form_of(project: Project) -> Form:
    """The choices of a kind of project, and how its files are to be written."""
    fields = [_field(choice) for choice in project.choices]
    fields += [
        Field(_COMMENTS, "Explain each line in a comment", FieldKind.CHECK, True),
        Field(
            _NEWEST,
            "Use the newest Dockerfile syntax",
            FieldKind.CHECK,
            True,
            help="The builder fetches it from Docker Hub; not needed by recent engines.",
        ),
    ]
    return Form("", fields)


def _field(choice: Choice) -> Field:
    if choice.options:
        options = [FormChoice(option, option) for option in choice.options]
        return Field(choice.id, choice.title, FieldKind.CHOICE, choice.value, choices=options)

    def check(value: object) -> str | None:
        return None if choice.pattern_holds(str(value).strip()) else choice.help

    return Field(choice.id, choice.title, FieldKind.TEXT, choice.value, choice.help, check=check)
