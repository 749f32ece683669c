"""One SQLite file for all threads: opened late, migrated, and set aside where it is damaged.

The archive is a help, not the truth: losing it must never keep anybody from their containers. So a damaged file is
renamed, not repaired and not deleted, and a new one begun.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from dockdesk.backends.archive.schema import STEPS
from dockdesk.core.errors import LocalError

_log = logging.getLogger(__name__)

T = TypeVar("T")

BUSY_S = 5.0
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_WORDS = {
    sqlite3.SQLITE_FULL: "The disk is full. Free some space; DockDesk goes on without the archive until then.",
    sqlite3.SQLITE_READONLY: "The file or its folder is read-only. Make it writable for your user.",
    sqlite3.SQLITE_CANTOPEN: "The folder can't be used. Check that it exists and that your user may write to it.",
    sqlite3.SQLITE_BUSY: "Another program holds the archive. Close other DockDesk windows if this persists.",
    sqlite3.SQLITE_IOERR: "The disk does not read or write properly. Check it.",
}


class Database:
    """The archive's file at ``path``. Nothing is read or written before the first `run`, which opens it.

    Used from worker threads; calls wait for each other. ``set_aside`` is where a damaged file was moved to, if one was.
    Source: https://www.sqlite.org/wal.html, https://www.sqlite.org/rescode.html.
    """

    def __init__(
        self,
        path: Path,
        steps: Sequence[Sequence[str]] = STEPS,
    ) -> None:
        self._path = path
        self.set_aside: Path | None = None
        self._steps = steps
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def open(self) -> None:
        """Open it now, so that what is wrong with it is known. Raises LocalError."""
        self.run(lambda _connection: None)

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do ``work`` in one transaction: all of it, or nothing where it raises. Raises LocalError.

        On a damaged file it is done once more, on a new one.
        """
        with self._lock:
            if self._closed:
                raise LocalError("The archive is closed", "DockDesk is about to end.")
            try:
                return self._attempt(work)
            except sqlite3.DatabaseError as error:
                if _code(error) not in _DAMAGED:
                    raise self._told(error) from error
                self._set_aside(error)
            try:
                return self._attempt(work)
            except sqlite3.DatabaseError as error:
                raise self._told(error) from error

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._disconnect()

    def _attempt(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._open()
        with _transaction(self._connection):
            return work(self._connection)

    def _open(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite would make it readable for everybody; it tells of the user's servers.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise LocalError(
                "The archive can't be opened",
                f"{self._path}: {error.strerror}",
                _WORDS[sqlite3.SQLITE_CANTOPEN],
            ) from error
        connection = sqlite3.connect(
            self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if _version(connection) == len(self._steps):
            return
        # Within the transaction the version is read again: another window may have migrated meanwhile.
        with _transaction(connection):
            version = _version(connection)
            if version > len(self._steps):
                raise LocalError(
                    "The archive is from a newer DockDesk",
                    f"{self._path} has version {version}; this DockDesk knows {len(self._steps)}.",
                    "Update DockDesk. Until then it works without the command log of earlier days.",
                )
            for step in self._steps[version:]:
                for statement in step:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(self._steps)}")

    def _set_aside(self, error: sqlite3.DatabaseError) -> None:
        self._disconnect()
        stamp = time.strftime("%Y%m%d-%H%M%S")
        aside = self._path.with_name(f"{self._path.name}.damaged-{stamp}")
        count = 1
        while aside.exists():
            count += 1
            aside = self._path.with_name(f"{self._path.name}.damaged-{stamp}-{count}")
        try:
            self._path.rename(aside)
            for suffix in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    self._path.with_name(self._path.name + suffix).rename(
                        aside.with_name(aside.name + suffix)
                    )
        except OSError as refusal:
            raise LocalError(
                "The archive is damaged",
                f"{self._path}: {error}. It can't be moved away: {refusal.strerror}.",
                "Move the file away yourself and start DockDesk again.",
            ) from refusal
        _log.warning("the archive was damaged (%s) and was set aside as %s", error, aside)
        self.set_aside = aside

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _told(self, error: sqlite3.DatabaseError) -> LocalError:
        return LocalError(
            "The archive can't be used", f"{self._path}: {error}", _WORDS.get(_code(error), "")
        )


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has rolled back already, and a damaged file can't.
        with contextlib.suppress(sqlite3.DatabaseError):
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    """The primary result code: the lowest byte of the extended one."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
