"""What the tabs beside the image list show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtWidgets import QWidget

from dockdesk.core.columns import CellKind, Column
from dockdesk.core.dissection.instructions import instruction_text
from dockdesk.core.records import dataclass
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.images import Image, ImageDetail
from dockdesk.core.units import age_text, bytes_text
from dockdesk.core.work import Work
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.facts_view import FactsView, pair_facts, time_text
from dockdesk.ui.fetched import FetchedView
from dockdesk.ui.raw_view import RawView
from dockdesk.ui.widgets.key_values import Fact
from dockdesk.ui.widgets.table import TableView

MOST_USERS = 50


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A line of the history; ``share`` of the whole image, 0.0 to 1.0."""

    number: int
    instruction: str
    size: int
    share: float
    created: float


def layer_rows(detail: ImageDetail) -> list[LayerRow]:
    """The history, the lowest layer first, as a Dockerfile is read."""
    total = sum(layer.size for layer in detail.layers) or 1
    return [
        LayerRow(
            number,
            instruction_text(layer.created_by),
            layer.size,
            layer.size / total,
            layer.created,
        )
        for number, layer in enumerate(reversed(detail.layers), 1)
    ]


_COLUMNS: tuple[Column[LayerRow], ...] = (
    Column(
        "number",
        "#",
        lambda row: row.number,
        lambda row: str(row.number),
        CellKind.NUMBER,
        width=48,
    ),
    Column(
        "instruction",
        "Instruction",
        lambda row: row.instruction,
        lambda row: row.instruction,
        CellKind.MONO,
        width=420,
        stretch=True,
        tip=lambda row: row.instruction,
    ),
    Column(
        "size",
        "Size",
        lambda row: row.size,
        lambda row: bytes_text(row.size) if row.size else "no layer",
        CellKind.BAR,
        width=180,
        fraction=lambda row: row.share,
    ),
    Column(
        "created",
        "Created",
        lambda row: row.created,
        lambda row: age_text(row.created),
        width=120,
        tone=lambda _row: "muted",
    ),
)


def _fetch(engine: Any, image: Image) -> ImageDetail:
    detail: ImageDetail = engine.image(image.id)
    return detail


class LayersView(FetchedView[Image, ImageDetail]):
    """Where an image's size comes from."""

    def make_content(self) -> QWidget:
        model: KeyedTableModel[LayerRow] = KeyedTableModel(
            _COLUMNS, lambda row: str(row.number), self
        )
        model.sort_by("number", False)
        self._table = TableView(self.context.theme, model, "Layers")
        self.setFocusProxy(self._table)
        return self._table

    def key(self, row: Image) -> str:
        return row.id

    def fetch(self, engine: Any, row: Image, work: Work) -> ImageDetail:  # noqa: ARG002
        return _fetch(engine, row)

    def present(self, row: Image, data: ImageDetail) -> None:  # noqa: ARG002
        self._table.rows.reset_to(layer_rows(data))


def general_facts(detail: ImageDetail) -> list[Fact]:
    image = detail.image
    return [
        Fact("Id", image.id, mono=True),
        Fact("Created", time_text(image.created)),
        Fact("Platform", f"{detail.os}/{detail.architecture}"),
        Fact("Size", bytes_text(image.size)),
        Fact("Entrypoint", " ".join(detail.entrypoint), mono=True),
        Fact("Command", " ".join(detail.command), mono=True),
        Fact("User", detail.user or "root"),
        Fact("Working folder", detail.working_dir or "/", mono=True),
        Fact("Ports", ", ".join(detail.exposed)),
        Fact("Volumes", ", ".join(detail.volumes), mono=True),
    ]


class SummaryView(FactsView[Image, ImageDetail]):
    def layout_of_cards(self) -> Sequence[Sequence[tuple[str, str]]]:
        return (
            (("General", ""), ("In use by", "No container uses it.")),
            (
                ("Names", "It has no tag and no digest."),
                ("Environment variables", "None are set."),
                ("Labels", "It has none."),
            ),
        )

    def key(self, row: Image) -> str:
        return row.id

    def stamp(self, row: Image) -> Any:
        return row.id, row.tags, row.used_by

    def fetch(self, engine: Any, row: Image, work: Work) -> ImageDetail:  # noqa: ARG002
        return _fetch(engine, row)

    def present(self, row: Image, data: ImageDetail) -> None:
        self.set_card("General", general_facts(data))
        self.set_card(
            "In use by",
            [
                Fact("container", name, link=ResourceRef("container", "", name))
                for name in row.used_by[:MOST_USERS]
            ],
        )
        names = [Fact("tag", tag, mono=True) for tag in row.tags]
        self.set_card(
            "Names", names + [Fact("digest", digest, mono=True) for digest in row.digests]
        )
        self.set_card("Environment variables", pair_facts(data.environment))
        self.set_card("Labels", pair_facts(sorted(row.labels.items())))


class InspectView(RawView[Image]):
    def key(self, row: Image) -> str:
        return row.id

    def stamp(self, row: Image) -> Any:
        return row.id, row.tags

    def fetch(self, engine: Any, row: Image, work: Work) -> Mapping[str, Any]:  # noqa: ARG002
        return _fetch(engine, row).raw
