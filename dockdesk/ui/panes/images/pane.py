"""The images pane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication

from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.images import Image
from dockdesk.core.units import bytes_text
from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import DetailTab, EmptyText, ListDescription, StatCard
from dockdesk.ui.following_pane import FollowingPane
from dockdesk.ui.pane import Handler
from dockdesk.ui.panes.images.actions import ACTIONS
from dockdesk.ui.panes.images.columns import COLUMNS
from dockdesk.ui.panes.images.compare_dialog import CompareDialog
from dockdesk.ui.panes.images.details import InspectView, LayersView, SummaryView
from dockdesk.ui.panes.images.dissect_view import DissectView
from dockdesk.ui.panes.images.dissections import Dissections

DESCRIPTION: ListDescription[Image] = ListDescription(
    id="images",
    title="Images",
    icon="stack-2",
    kind="image",
    noun=("image", "images"),
    columns=COLUMNS,
    key=lambda image: image.id,
    name=lambda image: image.name,
    actions=ACTIONS,
    tabs=(
        DetailTab("layers", "Layers", LayersView, "stack-2"),
        DetailTab("summary", "Summary", SummaryView, "info-circle"),
        DetailTab("inspect", "Inspect", InspectView, "list-tree"),
    ),
    empty=EmptyText(
        "No images yet",
        "An image is the template that containers are made from. Pull one from a registry, or load one from a file.",
        "image.pull",
    ),
    sort=("name", False),
    activate="image.run",
)


def reclaimable(images: Sequence[Image]) -> int:
    """Bytes that go when every image that no container uses is removed, as far as layers are not shared."""
    return sum(image.size - max(image.shared, 0) for image in images if not image.used_by)


class ImagesPane(FollowingPane[Image]):
    def __init__(self, context: UiContext) -> None:
        session = context.session
        dissections = Dissections(context)
        tab = DetailTab(
            "dissect", "Dissect", lambda context: DissectView(context, dissections), "stack-2"
        )
        description = replace(DESCRIPTION, tabs=(*DESCRIPTION.tabs[:1], tab, *DESCRIPTION.tabs[1:]))
        super().__init__(
            context, description, "images", session.images_changed, lambda: session.images.values()
        )
        self.dissections = dissections
        dissections.setParent(self)
        self.setAcceptDrops(True)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "image.build": lambda _rows: self.context.navigator.trigger("build.run"),
            "image.run": lambda rows: self.context.navigator.trigger("container.run", rows),
            "image.dissect": self._on_dissect_asked,
            "image.compare": self._on_compare_asked,
            "image.copy_name": lambda rows: _copy(rows[0].name),
            "image.copy_digest": lambda rows: _copy(rows[0].digests[0]),
        }

    def _on_dissect_asked(self, rows: Sequence[Image]) -> None:
        """Also from other panes, for an image that is not chosen here."""
        self.context.navigator.show_pane(self.pane_id)
        self.open(ResourceRef("image", rows[0].id, rows[0].name))
        if isinstance(view := self.show_tab("dissect"), DissectView):
            view.begin()
            self.set_maximised(True)
            view.setFocus()

    def _on_compare_asked(self, rows: Sequence[Image]) -> None:
        images = sorted(self.context.session.images.values(), key=lambda image: image.name)
        CompareDialog(self.context, self.dissections, images, rows, self).open()

    def after_rows(self) -> None:
        images = list(self.context.session.images.values())
        used = sum(bool(image.used_by) for image in images)
        dangling = [image for image in images if image.dangling]
        total = sum(image.size - max(image.shared, 0) for image in images)
        self.set_cards(
            [
                StatCard("count", "Images", str(len(images)), f"{used} in use"),
                StatCard(
                    "size", "Own size", bytes_text(total), "layers that no other image shares"
                ),
                StatCard(
                    "unused",
                    "Unused",
                    bytes_text(reclaimable(images)),
                    f"{len(images) - used} images that no container uses",
                ),
                StatCard(
                    "dangling",
                    "Dangling",
                    str(len(dangling)),
                    "images without a tag",
                    "warn" if dangling else "neutral",
                ),
            ]
        )

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _archives(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Dropped archives are loaded, as `docker load` does."""
        load = next(action for action in ACTIONS if action.id == "image.load")
        for path in _archives(event):
            event.acceptProposedAction()
            self.context.runner.trigger(load, (), {"path": str(path)})


def _archives(event: QDropEvent) -> list[Path]:
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [
        path
        for path in paths
        if path.name.endswith((".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz"))
    ]


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
