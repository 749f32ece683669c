"""The image list's columns."""

from __future__ import annotations

from dockdesk.core.columns import CellKind, Column, Tone
from dockdesk.core.resources.images import Image
from dockdesk.core.units import age_text, bytes_text


def tags_text(image: Image) -> str:
    """Its tags after the first one, since the first is its name."""
    return ", ".join(image.tags[1:])


def use_text(image: Image) -> str:
    if not image.used_by:
        return "dangling" if image.dangling else "unused"
    return image.used_by[0] if len(image.used_by) == 1 else f"{len(image.used_by)} containers"


def _use_tone(image: Image) -> Tone:
    if image.used_by:
        return "good"
    return "warn" if image.dangling else "muted"


COLUMNS: tuple[Column[Image], ...] = (
    Column(
        "name",
        "Image",
        lambda image: (image.dangling, image.name),
        lambda image: image.name,
        CellKind.STRONG,
        width=280,
        stretch=True,
        tip=lambda image: "\n".join(image.tags) or image.id,
    ),
    Column(
        "tags",
        "More tags",
        tags_text,
        tags_text,
        width=170,
        stretch=True,
        tone=lambda _image: "muted",
        tip=lambda image: "\n".join(image.tags),
    ),
    Column(
        "use",
        "In use by",
        lambda image: len(image.used_by),
        use_text,
        CellKind.PILL,
        width=140,
        tone=_use_tone,
        tip=lambda image: "\n".join(image.used_by[:40]),
    ),
    Column(
        "size",
        "Size",
        lambda image: image.size,
        lambda image: bytes_text(image.size),
        CellKind.NUMBER,
        width=96,
    ),
    Column(
        "shared",
        "Shared",
        lambda image: image.shared if image.shared >= 0 else None,
        lambda image: bytes_text(image.shared) if image.shared >= 0 else "",
        CellKind.NUMBER,
        width=96,
        tone=lambda _image: "muted",
    ),
    Column(
        "created",
        "Created",
        lambda image: image.created,
        lambda image: age_text(image.created),
        width=120,
        tone=lambda _image: "muted",
    ),
    Column(
        "id", "Id", lambda image: image.id, lambda image: image.short_id, CellKind.MONO, width=120
    ),
)
