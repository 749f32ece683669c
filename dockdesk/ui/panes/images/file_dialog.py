"""A file of an image's layer: its text, and a way to save it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from dockdesk.bridge.jobs import Job
from dockdesk.core.dissection.model import HARD_LINK, Dissection
from dockdesk.core.dissection.tree import FileTree
from dockdesk.core.errors import DockDeskError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.images import Image
from dockdesk.core.units import bytes_text
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.files.source import PREVIEW_BYTES, Preview, make_preview
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.text_view import TextView

_SIZE = (760, 560)


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A file of a layer: ``place`` is the layer's in the engine's archive, ``content`` the path of its bytes."""

    image: Image
    place: str
    layer: int
    path: str
    content: str
    size: int


def layer_file(image: Image, made: Dissection, tree: FileTree, number: int) -> LayerFile | None:
    """The file at a line of a tree; None where its content is not in a layer."""
    origin = tree.origin[number]
    if not 0 <= origin < len(made.layers):
        return None
    path = tree.names.path(number)
    content = path
    if tree.kind[number] == HARD_LINK:
        content = "/" + tree.links.get(number, path.lstrip("/"))
    return LayerFile(image, made.layers[origin].place, origin + 1, path, content, tree.size[number])


class LayerFileDialog(Dialog):
    """The engine packs the whole image to give one file of it: closing the dialog ends that."""

    def __init__(
        self,
        context: UiContext,
        file: LayerFile,
        save: Callable[[LayerFile], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(context.theme, file.path.rpartition("/")[2], _SIZE[0], parent)
        self._context = context
        self._file = file
        self._job: Job | None = None
        self.note = PlainLabel(context.theme, "", "small", "muted")
        self.note.setText(self._words(""))
        self.text = TextView(context.theme)
        self.text.setAccessibleName("Content of the file")
        self.text.setMinimumHeight(_SIZE[1] - 220)
        self.state = EmptyState(context.theme)
        self._loading = LoadingState(context.theme, "The engine packs the image to read it…")
        self.pages = QStackedWidget()
        for page in (self._loading, self.text, self.state):
            self.pages.addWidget(page)
        head = QHBoxLayout()
        head.addWidget(self.note, 1)
        self.body.addLayout(head)
        self.body.addWidget(self.pages, 1)
        self.save = self.add_button(Button(context.theme, "Save…", "download"))
        self.save.clicked.connect(lambda: save(self._file))
        close = self.add_button(Button(context.theme, "Close"))
        close.clicked.connect(self.reject)
        self.finished.connect(lambda _code: self._stop())
        self._read()

    def _read(self) -> None:
        session = self._context.session
        engine, environment, file = session.backend, session.environment, self._file
        if engine is None or environment is None:
            self.state.show_message(
                "plug-connected-x", "Not connected", "The engine does not answer."
            )
            self.pages.setCurrentWidget(self.state)
            return
        self.pages.setCurrentWidget(self._loading)

        def read(work: Work) -> Preview:
            data, cut = engine.read_image_file(
                file.image.id, file.place, file.content, work, PREVIEW_BYTES
            )
            return make_preview(file.path, data, cut)

        self._job = self._context.jobs.submit(
            self, read, self._on_read, self._on_failed, lane=environment.id, long=True
        )

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()

    def _on_read(self, preview: Preview) -> None:
        self._job = None
        if preview.kind == "empty":
            self.state.show_message("file", "Empty", "The file has no content.")
            self.pages.setCurrentWidget(self.state)
        else:
            self.text.set_text(preview.text)
            self.pages.setCurrentWidget(self.text)
        kind = {"hex": "binary", "text": "text"}.get(preview.kind, "")
        first = f", the first {bytes_text(preview.shown_bytes)}" if preview.cut else ""
        self.note.setText(self._words(f"{kind}{first}"))

    def _on_failed(self, error: DockDeskError) -> None:
        self._job = None
        self.state.show_error(error, [StateButton("Try again", self._read, icon="refresh")])
        self.pages.setCurrentWidget(self.state)

    def _words(self, more: str) -> str:
        parts = [self._file.path, f"layer {self._file.layer}", bytes_text(self._file.size), more]
        return "  ·  ".join(part for part in parts if part)
