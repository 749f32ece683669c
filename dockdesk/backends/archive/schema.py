"""The archive's tables, as steps from one version to the next. A step that was released never changes; add another."""

from __future__ import annotations

from collections.abc import Sequence

AUDIT = (
    """
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        environment TEXT NOT NULL,
        action TEXT NOT NULL,
        title TEXT NOT NULL,
        target TEXT NOT NULL,
        cli TEXT NOT NULL,
        sdk TEXT NOT NULL,
        api TEXT NOT NULL,
        outcome TEXT NOT NULL,
        error TEXT NOT NULL,
        duration REAL NOT NULL
    )
    """,
    "CREATE INDEX audit_at ON audit (at)",
)

BUILDS = (
    """
    CREATE TABLE build (
        id INTEGER PRIMARY KEY,
        project TEXT NOT NULL,
        at REAL NOT NULL,
        record TEXT NOT NULL,
        files BLOB,
        logs BLOB
    )
    """,
    "CREATE INDEX build_project ON build (project, at)",
    "CREATE INDEX build_at ON build (at)",
)

# Step n takes a file from version n to n + 1 (SQLite's user_version).
STEPS: Sequence[Sequence[str]] = (AUDIT, BUILDS)
