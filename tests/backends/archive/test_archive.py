"""The archive: what is written is read back, also by many threads, after damage and by an older version."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dockdesk.backends.archive import AuditArchive, Database
from dockdesk.backends.archive.schema import STEPS
from dockdesk.core.actions import AuditEntry, Equivalent
from dockdesk.core.errors import LocalError
from dockdesk.core.ports import KeepsAudit

Expect = Callable[[str], None]


def entry(at: float, title: str = "Restart web", **changes: object) -> AuditEntry:
    values: dict[str, object] = {
        "environment": "default",
        "action": "container.restart",
        "target": "web",
        "equivalent": Equivalent(
            "docker restart web", "container.restart()", "POST /containers/web/restart"
        ),
        "outcome": "ok",
        "duration": 0.25,
    }
    return AuditEntry(at=at, title=title, **{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "archive.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    made = Database(path)
    yield made
    made.close()


@pytest.fixture
def archive(database: Database) -> KeepsAudit:
    return AuditArchive(database)


def titles(entries: list[AuditEntry]) -> list[str]:
    return [entry.title for entry in entries]


def test_nothing_is_written_before_it_is_used(path: Path) -> None:
    Database(path).close()
    assert not path.parent.exists()


def test_what_was_added_is_read_back_after_a_restart(path: Path) -> None:
    first = Database(path)
    given = entry(1_800_000_000.123456, error="naïve ✓ 日本", outcome="failed")
    number = AuditArchive(first).add(given)
    first.close()
    second = Database(path)
    (read,) = AuditArchive(second).newest()
    second.close()
    assert read.id == number == 1
    assert read == AuditEntry(
        **{**{name: getattr(given, name) for name in given.__slots__}, "id": 1}
    )


def test_only_the_user_may_read_it(archive: KeepsAudit, path: Path) -> None:
    archive.add(entry(1.0))
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_newest_come_first_and_are_bounded(archive: KeepsAudit) -> None:
    for at, title in ((3.0, "third"), (1.0, "first"), (3.0, "fourth"), (2.0, "second")):
        archive.add(entry(at, title))
    assert titles(archive.newest()) == ["fourth", "third", "second", "first"]
    assert titles(archive.newest(2)) == ["fourth", "third"]


def test_search_finds_every_word_anywhere(archive: KeepsAudit) -> None:
    archive.add(entry(1.0, "Restart web"))
    archive.add(entry(2.0, "Remove db", target="db", outcome="failed", error="volume in use"))
    archive.add(entry(3.0, "Pull 100%_\\x", target="x"))
    assert titles(archive.search("WEB restart")) == ["Pull 100%_\\x", "Remove db", "Restart web"]
    assert titles(archive.search("in  use db")) == ["Remove db"]
    assert titles(archive.search("100%_\\")) == ["Pull 100%_\\x"]
    assert titles(archive.search("0_0")) == []
    assert titles(archive.search("weblocal")) == []
    assert titles(archive.search("", limit=1)) == ["Pull 100%_\\x"]


def test_older_ones_are_cleared(archive: KeepsAudit) -> None:
    for at in (1.0, 2.0, 3.0):
        archive.add(entry(at, str(at)))
    assert archive.clear_before(2.0) == 1
    assert titles(archive.newest()) == ["3.0", "2.0"]
    assert archive.clear_before(2.0) == 0


def test_bytes_that_are_no_text_are_kept_readable(archive: KeepsAudit) -> None:
    archive.add(entry(1.0, "Upload caf\udce9.txt"))
    assert titles(archive.newest()) == ["Upload caf?.txt"]
    assert titles(archive.search("caf\udce9")) == ["Upload caf?.txt"]


def test_many_threads_lose_nothing(archive: KeepsAudit) -> None:
    def add(number: int) -> int:
        archive.newest(3)
        return archive.add(entry(float(number), str(number)))

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(add, range(200)))
    assert sorted(ids) == list(range(1, 201))
    assert len(archive.newest()) == 200


def test_two_programs_share_one_file(path: Path) -> None:
    one, two = Database(path), Database(path)
    AuditArchive(one).add(entry(1.0, "one"))
    AuditArchive(two).add(entry(2.0, "two"))
    assert titles(AuditArchive(one).newest()) == ["two", "one"]
    one.close()
    two.close()


def test_a_failed_transaction_leaves_nothing(database: Database, archive: KeepsAudit) -> None:
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM audit")
        raise ZeroDivisionError

    archive.add(entry(1.0))
    with pytest.raises(ZeroDivisionError):
        database.run(half)
    assert len(archive.newest()) == 1


def test_a_file_that_is_no_database_is_set_aside(path: Path, expect_log: Expect) -> None:
    expect_log("was set aside as")
    path.parent.mkdir()
    path.write_bytes(b"this was something else\n" * 100)
    database = Database(path)
    database.open()
    aside = database.set_aside
    archive = AuditArchive(database)
    archive.add(entry(1.0, "after"))
    assert titles(archive.newest()) == ["after"]
    database.close()
    assert aside is not None
    assert aside.read_bytes().startswith(b"this was something else")
    assert aside.name.startswith("archive.db.damaged-")


def test_damage_found_later_is_set_aside_too(path: Path, expect_log: Expect) -> None:
    expect_log("was set aside as")
    database = Database(path)
    archive = AuditArchive(database)
    for number in range(300):
        archive.add(entry(float(number), "x" * 200))
    database.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    again = Database(path)
    archive = AuditArchive(again)
    assert archive.newest() == []
    archive.add(entry(1.0, "new"))
    assert titles(archive.newest()) == ["new"]
    again.close()
    assert again.set_aside is not None
    assert len(list(path.parent.glob("*.damaged-*[0-9]"))) == 1


def test_a_newer_file_is_left_alone(path: Path) -> None:
    newer = Database(path, steps=[*STEPS, ["CREATE TABLE later (x)"]])
    AuditArchive(newer).add(entry(1.0))
    newer.close()
    before = path.read_bytes()
    database = Database(path)
    with pytest.raises(LocalError, match="from a newer DockDesk"):
        AuditArchive(database).newest()
    database.close()
    assert path.read_bytes() == before


def test_an_older_file_is_brought_up_to_date(path: Path) -> None:
    older = Database(path)
    AuditArchive(older).add(entry(1.0, "kept"))
    older.close()
    steps = [*STEPS, ["ALTER TABLE audit ADD COLUMN note TEXT NOT NULL DEFAULT 'none'"]]
    database = Database(path, steps=steps)
    note = database.run(lambda c: c.execute("SELECT note FROM audit").fetchone()[0])
    assert note == "none"
    assert titles(AuditArchive(database).newest()) == ["kept"]
    database.close()


def test_a_failing_step_changes_nothing(path: Path) -> None:
    broken = Database(path, steps=[*STEPS, ["CREATE TABLE later (x)", "not SQL"]])
    with pytest.raises(LocalError, match="syntax error"):
        AuditArchive(broken).newest()
    broken.close()
    database = Database(path)
    assert AuditArchive(database).newest() == []
    database.close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    database = Database(tmp_path / "data" / "archive.db")
    with pytest.raises(LocalError, match="The archive can't be opened") as caught:
        AuditArchive(database).add(entry(1.0))
    assert caught.value.hint
    database.close()


def test_a_full_disk_is_said_and_heals(database: Database, archive: KeepsAudit) -> None:
    archive.add(entry(1.0))
    pages = database.run(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    database.run(lambda c: c.execute(f"PRAGMA max_page_count = {pages}").fetchone())
    with pytest.raises(LocalError, match="full") as caught:
        archive.add(entry(2.0, "x" * 100_000))
    assert "Free some space" in caught.value.hint
    database.run(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchone())
    archive.add(entry(2.0, "y" * 100_000))
    assert len(archive.newest()) == 2


def test_after_closing_it_says_so(database: Database, archive: KeepsAudit) -> None:
    archive.add(entry(1.0))
    database.close()
    database.close()
    with pytest.raises(LocalError, match="closed"):
        archive.newest()
