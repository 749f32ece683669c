"""Images as the Engine API (v1.41 and later: ImageList, ImageInspect, ImageHistory) tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the list. Sizes in bytes; ``shared`` is -1 where the engine has not computed it.

    ``used_by`` holds names of the containers made from it.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    created: float
    size: int
    shared: int = -1
    used_by: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def short_id(self) -> str:
        return self.id.removeprefix("sha256:")[:12]

    @property
    def dangling(self) -> bool:
        return not self.tags

    @property
    def name(self) -> str:
        """What people call it: its first tag, else its short id."""
        return self.tags[0] if self.tags else self.short_id


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """One line of an image's history; ``created_by`` is the instruction, ``size`` in bytes."""

    id: str
    created: float
    created_by: str
    size: int
    comment: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageDetail:
    """What inspect and history tell of one image; ``raw`` is inspect's whole answer."""

    image: Image
    raw: Mapping[str, Any]
    layers: tuple[ImageLayer, ...] = ()
    architecture: str = ""
    os: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
