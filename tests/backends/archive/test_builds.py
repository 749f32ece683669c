"""The history of builds: what is kept is read back, the old gives way, and damage is survived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.backends.archive import BuildArchive, Database
from dockdesk.backends.archive.builds import KEPT_WHOLE
from dockdesk.core.builds.records import BuildRecord, FileMark, StepRecord
from dockdesk.core.ports import KeepsBuilds
from dockdesk.core.resources.builds import BuildSecret, BuildSpec


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "archive.db")
    yield made
    made.close()


@pytest.fixture
def archive(database: Database) -> KeepsBuilds:
    return BuildArchive(database)


def _record(at: float, folder: str = "/p", **changes: object) -> BuildRecord:
    values: dict[str, object] = {
        "steps": (
            StepRecord("[1/2] FROM x", "sha256:a", cached=True, keyword="FROM", line=0),
            StepRecord(
                "[2/2] COPY . .", "sha256:b", 0.5, 2.0, inputs=("sha256:a",), sources=(".",)
            ),
        ),
        "bases": (("x", "sha256:1"),),
        "cached_share": 0.5,
        **changes,
    }
    spec = BuildSpec(Path(folder), tags=("t:1",), secrets=(BuildSecret("s", variable="TOKEN"),))
    return BuildRecord(at, "default", spec, "FROM x\n", "ok", 2.5, **values)  # type: ignore[arg-type]


def test_a_build_is_read_back_as_it_was(archive: KeepsBuilds) -> None:
    number = archive.add(_record(1.0))
    (read,) = archive.newest()
    assert read.id == number
    assert read == _record(1.0, id=number)


def test_the_newest_of_a_project_come_first(archive: KeepsBuilds) -> None:
    for at, folder in ((1.0, "/p"), (3.0, "/other"), (2.0, "/p")):
        archive.add(_record(at, folder))
    assert [build.at for build in archive.newest()] == [3.0, 2.0, 1.0]
    assert [build.at for build in archive.newest("/p/Dockerfile")] == [2.0, 1.0]
    assert [build.at for build in archive.newest(limit=1)] == [3.0]


def test_listings_and_logs_are_kept_apart(archive: KeepsBuilds) -> None:
    files = {"src/a ü.py": FileMark(3, 17, 0o644), "b\udcff": FileMark(0, 1)}
    logs = {"sha256:b": b"\xff\x00binary\n", "sha256:empty": b""}
    number = archive.add(_record(1.0), files, logs)
    assert archive.files(number) == files
    assert archive.logs(number) == {"sha256:b": b"\xff\x00binary\n"}
    assert archive.files(number + 1) is None
    bare = archive.add(_record(2.0))
    assert archive.files(bare) is None
    assert archive.logs(bare) == {}


def test_the_old_lose_their_listings_first(archive: KeepsBuilds) -> None:
    numbers = [
        archive.add(_record(float(at)), {"a": FileMark(1, 1)}) for at in range(KEPT_WHOLE + 2)
    ]
    assert [archive.files(number) is None for number in numbers[:3]] == [True, True, False]
    assert len(archive.newest()) == KEPT_WHOLE + 2


def test_what_cannot_be_read_is_left_out(archive: KeepsBuilds, database: Database) -> None:
    good = archive.add(_record(1.0))
    for text in ("{", "[]", '{"spec": {}, "steps": [], "bases": []}', '{"spec": 5}'):
        database.run(
            lambda connection, text=text: connection.execute(
                "INSERT INTO build (project, at, record, files, logs) VALUES ('p', 9, ?, x'00', x'00')",
                (text,),
            )
        )
    assert [build.id for build in archive.newest()] == [good]
    assert archive.files(good + 1) is None
    assert archive.logs(good + 1) == {}


def test_builds_are_forgotten(archive: KeepsBuilds) -> None:
    first, second = archive.add(_record(1.0)), archive.add(_record(2.0))
    archive.forget([first])
    assert [build.id for build in archive.newest()] == [second]
