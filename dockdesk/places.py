"""Where this user's files are."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Places(NamedTuple):
    """What was set, what was done, and what went wrong. Made before the first paint, hence so light a class."""

    settings: Path
    archive: Path
    log: Path


def user_places() -> Places:
    """As the desktop's conventions have it (XDG on Linux)."""
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("dockdesk", appauthor=False)
    return Places(
        settings=dirs.user_config_path / "settings.json",
        archive=dirs.user_data_path / "archive.sqlite",
        log=dirs.user_log_path / "dockdesk.log",
    )
