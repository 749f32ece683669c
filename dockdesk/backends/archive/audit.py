"""The audit log on disk: what was done, kept until the user clears it."""

from __future__ import annotations

import sqlite3
from typing import Any

from dockdesk.backends.archive.database import Database
from dockdesk.core.actions import AuditEntry, Equivalent

_COLUMNS = "id, at, environment, action, title, target, cli, sdk, api, outcome, error, duration"
# What a search looks at; a line feed between keeps a word from matching across two columns.
_HAYSTACK = " || char(10) || ".join(
    ("title", "target", "cli", "environment", "action", "outcome", "error")
)
# Rows are read in this order: of two entries at the same moment, the later written is the newer.
_NEWEST_FIRST = "ORDER BY at DESC, id DESC LIMIT ?"


class AuditArchive:
    """core.ports.KeepsAudit in the archive's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: AuditEntry) -> int:
        """Keep ``entry``, whatever its id says; returns the id it got."""
        values = (
            entry.at,
            entry.environment,
            entry.action,
            entry.title,
            entry.target,
            entry.equivalent.cli,
            entry.equivalent.sdk,
            entry.equivalent.api,
            entry.outcome,
            entry.error,
            entry.duration,
        )
        # Names of files may hold bytes that are no UTF-8 (surrogates in Python), which SQLite refuses.
        clean = tuple(_clean(value) if isinstance(value, str) else value for value in values)

        def insert(connection: sqlite3.Connection) -> int:
            marks = ", ".join("?" * len(clean))
            cursor = connection.execute(
                f"INSERT INTO audit ({_COLUMNS.removeprefix('id, ')}) VALUES ({marks})", clean
            )
            return cursor.lastrowid or 0

        return self._database.run(insert)

    def newest(self, limit: int = 1000) -> list[AuditEntry]:
        """The newest ``limit`` entries, newest first."""
        return self._read(f"SELECT {_COLUMNS} FROM audit {_NEWEST_FIRST}", (limit,))

    def search(self, text: str, limit: int = 1000) -> list[AuditEntry]:
        """Entries that hold every word of ``text`` (ASCII case does not matter), newest first."""
        words = _clean(text).split()
        where = " AND ".join(f"({_HAYSTACK}) LIKE ? ESCAPE '\\'" for _ in words) or "1"
        patterns = (f"%{_escaped(word)}%" for word in words)
        return self._read(
            f"SELECT {_COLUMNS} FROM audit WHERE {where} {_NEWEST_FIRST}", (*patterns, limit)
        )

    def clear_before(self, at: float) -> int:
        """Forget what happened before ``at`` (seconds since 1970); returns how many entries that were."""
        return self._database.run(
            lambda connection: connection.execute("DELETE FROM audit WHERE at < ?", (at,)).rowcount
        )

    def _read(self, query: str, values: tuple[object, ...]) -> list[AuditEntry]:
        rows = self._database.run(lambda connection: connection.execute(query, values).fetchall())
        return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> AuditEntry:
    number, at, environment, action, title, target, cli, sdk, api, outcome, error, duration = row
    return AuditEntry(
        at=at,
        environment=environment,
        action=action,
        title=title,
        target=target,
        equivalent=Equivalent(cli, sdk, api),
        outcome=outcome,
        error=error,
        duration=duration,
        id=number,
    )


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
