"""The columns of the list of what takes up space."""

from __future__ import annotations

from dockdesk.core.columns import CellKind, Column
from dockdesk.core.records import dataclass
from dockdesk.core.resources.engine import DiskItem
from dockdesk.core.units import age_text, bytes_text

KIND_WORDS = {
    "images": "image",
    "containers": "container",
    "volumes": "volume",
    "build cache": "build cache",
}


@dataclass(frozen=True, slots=True)
class DiskRow:
    """One thing on disk; ``share`` of the largest one, 0.0 to 1.0."""

    item: DiskItem
    share: float

    @property
    def key(self) -> str:
        return f"{self.item.kind}/{self.item.id}"


def status_text(row: DiskRow) -> str:
    if row.item.used_by:
        return f"used by {row.item.used_by}"
    return "can be freed" if row.item.reclaimable else "in use"


COLUMNS: tuple[Column[DiskRow], ...] = (
    Column(
        "name",
        "Name",
        lambda row: row.item.name.lower(),
        lambda row: row.item.name,
        CellKind.STRONG,
        width=320,
        stretch=True,
        tip=lambda row: row.item.name,
    ),
    Column(
        "kind",
        "Kind",
        lambda row: row.item.kind,
        lambda row: KIND_WORDS.get(row.item.kind, row.item.kind),
        width=110,
        tone=lambda _row: "muted",
    ),
    Column(
        "size",
        "Size",
        lambda row: row.item.size,
        lambda row: bytes_text(row.item.size),
        CellKind.BAR,
        width=220,
        fraction=lambda row: row.share,
    ),
    Column(
        "status",
        "Status",
        status_text,
        status_text,
        CellKind.PILL,
        width=200,
        tone=lambda row: "warn" if row.item.reclaimable else "good",
        tip=status_text,
    ),
    Column(
        "created",
        "Created",
        lambda row: row.item.created or None,
        lambda row: age_text(row.item.created),
        width=120,
        tone=lambda _row: "muted",
    ),
)
