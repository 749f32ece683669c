"""What was typed and not saved, kept in the user's data folder: a crash costs a second of typing at most."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
import time
import weakref
from pathlib import Path
from uuid import uuid4

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


def folder_of(data: Path) -> Path:
    """Where they are, in the user's folder for data."""
    return data / "unsaved"


def anything_left(data: Path) -> bool:
    """Whether there may be something to offer; blocks for a moment."""
    try:
        return any(folder_of(data).glob("*.json"))
    except OSError:
        return False


class Recovery:
    """Files of one folder, one for each document. All methods block and may be called on any thread.

    A lock says that a program still runs: the system gives it up when that ends, however it does. A process's number
    would not do, as another process has it after the computer was started again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._session = uuid4().hex
        self._holding = threading.Lock()
        self._release: weakref.finalize[[int], Recovery] | None = None

    def keep(self, id: str, name: str, path: str, text: str) -> None:
        """Keep a text. Raises OSError."""
        self._hold()
        body = {
            "name": name,
            "path": path,
            "text": text,
            "at": time.time(),
            "session": self._session,
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
        running: dict[str, bool] = {}
        try:
            files = sorted(self.folder.glob("*.json"))
        except OSError as error:
            _log.info("unsaved texts can't be looked for: %s", error)
            return []
        for file in files:
            try:
                body = json.loads(file.read_text("utf-8"))
                session = str(body["session"])
                if session not in running:
                    running[session] = self._runs(session)
                if running[session]:
                    continue
                name, path, text = (str(body[key]) for key in ("name", "path", "text"))
                found.append(Unsaved(file.stem, name, path, text, float(body["at"])))
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.info("%s can't be read: %s", file, error)
        self._sweep(running)
        return sorted(found, key=lambda item: -item.at)

    def close(self) -> None:
        """What is kept now is left behind, for the next start to offer."""
        with self._holding:
            if self._release is not None:
                self._release()
                self._release = None

    def _hold(self) -> None:
        with self._holding:
            if self._release is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                handle = os.open(self._lock_of(self._session), os.O_RDWR | os.O_CREAT, 0o600)
                self._release = weakref.finalize(self, os.close, handle)
                _lock(handle, wait=True)

    def _lock_of(self, session: str) -> Path:
        return self.folder / f"{session}.lock"

    def _runs(self, session: str) -> bool:
        if session == self._session:
            return True
        try:
            handle = os.open(self._lock_of(session), os.O_RDWR)
        except OSError:
            return False
        try:
            return not _lock(handle, wait=False)
        finally:
            os.close(handle)

    def _sweep(self, known: dict[str, bool]) -> None:
        """Remove the locks of programs that have ended and left nothing."""
        for file in self.folder.glob("*.lock"):
            if file.stem not in known and not self._runs(file.stem):
                with contextlib.suppress(OSError):
                    file.unlink()


def _lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file; False where another has. On a file system without locks nobody is ever found to run."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        _log.info("the folder of unsaved texts knows no locks: %s", error)
    return True
