"""Files that are dragged over the containers pane or the run form."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData


def compose_file(data: QMimeData) -> Path | None:
    """The one Compose file that is dragged, if it is one."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return paths[0] if len(paths) == 1 and paths[0].suffix.lower() in {".yml", ".yaml"} else None
