"""The volume list's columns."""

from __future__ import annotations

from dockdesk.core.columns import CellKind, Column
from dockdesk.core.resources.engine import Volume
from dockdesk.core.units import age_text, bytes_text


def use_text(volume: Volume) -> str:
    if not volume.used_by:
        return "unused"
    return volume.used_by[0] if len(volume.used_by) == 1 else f"{len(volume.used_by)} containers"


COLUMNS: tuple[Column[Volume], ...] = (
    Column(
        "name",
        "Name",
        lambda volume: volume.name.lower(),
        lambda volume: volume.name,
        CellKind.STRONG,
        width=280,
        stretch=True,
        tip=lambda volume: volume.name,
    ),
    Column(
        "use",
        "In use by",
        lambda volume: len(volume.used_by),
        use_text,
        CellKind.PILL,
        width=160,
        tone=lambda volume: "good" if volume.used_by else "muted",
        tip=lambda volume: "\n".join(volume.used_by[:40]),
    ),
    Column(
        "size",
        "Size",
        lambda volume: volume.size if volume.size >= 0 else None,
        lambda volume: bytes_text(volume.size) if volume.size >= 0 else "",
        CellKind.NUMBER,
        width=96,
    ),
    Column(
        "driver", "Driver", lambda volume: volume.driver, lambda volume: volume.driver, width=90
    ),
    Column(
        "project",
        "Compose project",
        lambda volume: volume.labels.get("com.docker.compose.project", ""),
        lambda volume: volume.labels.get("com.docker.compose.project", ""),
        width=152,
    ),
    Column(
        "created",
        "Created",
        lambda volume: volume.created,
        lambda volume: age_text(volume.created),
        width=110,
        tone=lambda _volume: "muted",
    ),
    Column(
        "mountpoint",
        "Mount point",
        lambda volume: volume.mountpoint,
        lambda volume: volume.mountpoint,
        CellKind.MONO,
        width=240,
        hidden=True,
    ),
)
