"""The history of builds on disk: a record each, and for the newest also the context's listing and the steps' logs."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from dockdesk.backends.archive.database import Database
from dockdesk.core.builds.records import (
    BuildRecord,
    FileMark,
    StepRecord,
    spec_from_json,
    spec_to_json,
)

KEPT = 500  # builds of a project
KEPT_WHOLE = 40  # builds of a project with listing and logs: half a megabyte each for 50,000 files

_NEWEST_FIRST = "ORDER BY at DESC, id DESC"


class BuildArchive:
    """core.ports.KeepsBuilds in the archive's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        record: BuildRecord,
        files: Mapping[str, FileMark] | None = None,
        logs: Mapping[str, bytes] | None = None,
    ) -> int:
        """Keep it, whatever its id says; returns the id it got."""
        project = _clean(record.project)
        row = (
            project,
            record.at,
            _record_to_text(record),
            None if files is None else _pack_files(files),
            None if not logs else _pack_logs(logs),
        )

        def insert(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO build (project, at, record, files, logs) VALUES (?, ?, ?, ?, ?)", row
            )
            older = f"SELECT id FROM build WHERE project = ? {_NEWEST_FIRST} LIMIT -1 OFFSET ?"
            connection.execute(f"DELETE FROM build WHERE id IN ({older})", (project, KEPT))
            connection.execute(
                f"UPDATE build SET files = NULL, logs = NULL WHERE id IN ({older})",
                (project, KEPT_WHOLE),
            )
            return cursor.lastrowid or 0

        return self._database.run(insert)

    def newest(self, project: str = "", limit: int = 200, skip: int = 0) -> list[BuildRecord]:
        """Builds of ``project``, or of all, newest first; those that can't be read any more are left out."""
        where, values = (
            ("WHERE project = ?", (_clean(project), limit, skip))
            if project
            else ("", (limit, skip))
        )
        query = f"SELECT id, record FROM build {where} {_NEWEST_FIRST} LIMIT ? OFFSET ?"
        rows = self._database.run(lambda connection: connection.execute(query, values).fetchall())
        read = (_record_from_text(number, text) for number, text in rows)
        return [record for record in read if record is not None]

    def files(self, id: int) -> Mapping[str, FileMark] | None:
        packed = self._column("files", id)
        return None if packed is None else _unpack_files(packed)

    def logs(self, id: int) -> Mapping[str, bytes]:
        packed = self._column("logs", id)
        return {} if packed is None else _unpack_logs(packed)

    def forget(self, ids: Sequence[int]) -> None:
        self._database.run(
            lambda connection: connection.executemany(
                "DELETE FROM build WHERE id = ?", [(number,) for number in ids]
            )
        )

    def _column(self, name: str, id: int) -> bytes | None:
        row = self._database.run(
            lambda connection: connection.execute(
                f"SELECT {name} FROM build WHERE id = ?", (id,)
            ).fetchone()
        )
        return row[0] if row else None


def _record_to_text(record: BuildRecord) -> str:
    kept: dict[str, Any] = {
        item.name: getattr(record, item.name)
        for item in fields(record)
        if item.name not in {"id", "spec", "steps"}
    }
    kept["spec"] = spec_to_json(record.spec)
    kept["steps"] = [
        {
            item.name: value
            for item in fields(step)
            if (value := getattr(step, item.name)) != item.default
        }
        for step in record.steps
    ]
    return json.dumps(kept, separators=(",", ":"))


def _record_from_text(number: int, text: str) -> BuildRecord | None:
    """None where another version wrote something that can't be read: a history is no reason to fail."""
    try:
        kept = json.loads(text)
        known = {item.name for item in fields(BuildRecord)} - {"id", "spec", "steps", "bases"}
        values = {name: value for name, value in kept.items() if name in known}
        return BuildRecord(
            spec=spec_from_json(kept["spec"]),
            steps=tuple(_step(step) for step in kept["steps"]),
            bases=tuple((str(name), str(digest)) for name, digest in kept["bases"]),
            id=number,
            **values,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _step(kept: Mapping[str, Any]) -> StepRecord:
    known = {item.name for item in fields(StepRecord)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in kept.items()
        if name in known
    }
    return StepRecord(**values)


def _pack_files(files: Mapping[str, FileMark]) -> bytes:
    """Sorted by path and columns of their own: like next to like packs to a tenth."""
    paths = sorted(files)
    marks = [files[path] for path in paths]
    columns = (
        paths,
        [mark.size for mark in marks],
        [mark.modified for mark in marks],
        [mark.mode for mark in marks],
    )
    return zlib.compress(json.dumps(columns, separators=(",", ":")).encode(), 6)


def _unpack_files(packed: bytes) -> dict[str, FileMark] | None:
    try:
        paths, sizes, times, modes = json.loads(zlib.decompress(packed))
        return {
            path: FileMark(size, time, mode)
            for path, size, time, mode in zip(paths, sizes, times, modes, strict=True)
        }
    except (ValueError, TypeError, zlib.error):
        return None


def _pack_logs(logs: Mapping[str, bytes]) -> bytes:
    texts = {digest: log.decode("latin-1") for digest, log in logs.items() if log}
    return zlib.compress(json.dumps(texts, separators=(",", ":")).encode(), 6)


def _unpack_logs(packed: bytes) -> dict[str, bytes]:
    try:
        texts = json.loads(zlib.decompress(packed))
        return {digest: text.encode("latin-1") for digest, text in texts.items()}
    except (ValueError, AttributeError, zlib.error):
        return {}


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
