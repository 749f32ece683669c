"""What was typed and not saved, kept in the user's data folder: a crash costs a second of typing at most."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from pathlib import Path

from dockdesk.core.records import dataclass
from dockdesk.core.wholefile import write_whole

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A text that was not saved. ``path`` is empty for a new file; ``at`` in seconds since 1970."""

    id: str
    name: str
    path: str
    text: str
    at: float


class Recovery:
    """Files of one folder, one for each document. All methods block and may be called on any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, id: str, name: str, path: str, text: str) -> None:
        """Keep a text. Raises OSError."""
        body = {
            "name": name,
            "path": path,
            "text": text,
            "at": time.time(),
            "process": os.getpid(),
        }
        # Bytes that are no UTF-8 are lone surrogates: JSON's escapes keep them.
        write_whole(self.folder / f"{id}.json", json.dumps(body))

    def drop(self, id: str) -> None:
        """Its text is saved, or not wanted."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / f"{id}.json").unlink()

    def left_behind(self) -> list[Unsaved]:
        """What programs that have ended left, the newest first. What can't be read is passed over and kept."""
        found: list[Unsaved] = []
        try:
            files = sorted(self.folder.glob("*.json"))
        except OSError as error:
            _log.info("unsaved texts can't be looked for: %s", error)
            return []
        for file in files:
            try:
                body = json.loads(file.read_text("utf-8"))
                if _runs(int(body["process"])):
                    continue
                name, path, text = (str(body[key]) for key in ("name", "path", "text"))
                found.append(Unsaved(file.stem, name, path, text, float(body["at"])))
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.info("%s can't be read: %s", file, error)
        return sorted(found, key=lambda item: -item.at)


def _runs(process: int) -> bool:
    """Whether a process is there; this one counts as well: its texts are open."""
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
