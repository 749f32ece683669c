"""Builds of a small project for tests: a file changes, a step gets slower, one fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dockdesk.backends.archive import BuildArchive, Database
from dockdesk.core.builds.records import BuildRecord, FileMark, StepRecord
from dockdesk.core.masking import MASK
from dockdesk.core.resources.builds import BuildSpec

TEXT = "FROM base\nARG V\nCOPY src .\nRUN make\nRUN test\n"
NOW = 1_700_000_000.0
STEPS = (
    StepRecord("[internal] load build context", "ctx", 0.0, 0.1, bytes=2_000),
    StepRecord("[1/4] FROM base", "f", 0.1, keyword="FROM", stage="stage-0", line=0, last=0),
    StepRecord(
        "[2/4] COPY src .", "c", 0.2, 0.5, inputs=("f", "ctx"),
        line=2, last=2, keyword="COPY", stage="stage-0", sources=("src",), layer=1_500,
    ),
    StepRecord(
        "[3/4] RUN make", "m", 0.7, 4.0, inputs=("c",),
        line=3, last=3, keyword="RUN", stage="stage-0", args=("V",), layer=120_000_000,
    ),
    StepRecord(
        "[4/4] RUN test", "t", 4.7, 1.0, inputs=("m",),
        line=4, last=4, keyword="RUN", stage="stage-0", args=("V",), layer=0,
    ),
)  # fmt: skip
FILES = {"src/app.py": FileMark(10, 1), "src/other.py": FileMark(5, 1)}


def build(
    at: float, folder: Path = Path("/shop"), reran: tuple[str, ...] = (), **changes: object
) -> BuildRecord:
    """A build of which only the steps of ``reran`` (digests) did not come from the cache."""
    steps = tuple(
        replace(
            s,
            cached=s.line > 0 and s.digest not in reran,
            seconds=s.seconds if s.digest in reran else 0.0,
        )
        for s in STEPS
    )
    values: dict[str, object] = {
        "steps": steps,
        "cached_share": (3 - len(reran)) / 3,
        "size": 150_000_000,
        "image": f"sha256:{at:064.0f}",
        "bases": (("base", "sha256:1"),),
        "spec": BuildSpec(folder, tags=(f"shop:{at:.0f}",)),
        "seconds": 1.0 + sum(step.seconds for step in steps),
        "outcome": "ok",
        **changes,
    }
    return BuildRecord(NOW + at, "workshop", text=TEXT, **values)  # type: ignore[arg-type]


def fill(archive: BuildArchive, folder: Path = Path("/shop")) -> None:
    """Three builds of one project, the oldest with all steps run, and one of another."""
    all_of_them = ("c", "m", "t")
    archive.add(build(1, folder, all_of_them), FILES, {"m": b"\x1b[32mmade\x1b[0m\n", "t": b"ok\n"})
    archive.add(build(2, folder), FILES)
    failed = build(3, folder, all_of_them, outcome="failed", error="exit code: 1", image="", size=0)
    steps = tuple(replace(s, error="exit code: 1") if s.digest == "t" else s for s in failed.steps)
    changed = {**FILES, "src/app.py": FileMark(12, 2)}
    archive.add(replace(failed, steps=steps), changed, {"t": b"10%\r90%\rbroken\n"})
    spec = BuildSpec(Path("/tools"), args=(("API_TOKEN", MASK), ("V", "1")))
    archive.add(build(0, Path("/tools"), all_of_them, spec=spec))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[BuildArchive]:
    database = Database(tmp_path / "archive.db")
    yield BuildArchive(database)
    database.close()
