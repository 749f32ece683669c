"""A build goes on whatever is shown, and leaves a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from dockdesk.bridge.build_run import BuildRun, bases_of
from dockdesk.bridge.builds import REMEMBERED, BuildRuns
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import Pulse
from dockdesk.core.builds.records import BuildRecord, FileMark
from dockdesk.core.errors import BuildError, DockDeskError, LocalError
from dockdesk.core.masking import MASK
from dockdesk.core.resources.builds import BuildItem, BuildLog, BuildSpec, BuildStep
from dockdesk.core.work import Work
from tests.fakes import FakeEngine

TIMEOUT = 10_000
TEXT = "FROM base\nRUN make\n"
SPEC = BuildSpec(Path("/project"), tags=("app:1",), args=(("API_TOKEN", "s3cret"), ("V", "1")))
DIGEST = "sha256:" + "0" * 64
ITEMS: Sequence[BuildItem] = (
    BuildStep("f", f"[1/2] FROM docker.io/library/base@{DIGEST}", (), False, 1.0, 2.0),
    BuildStep("r", "[2/2] RUN make", ("f",), False, 2.0, 5.0),
    BuildLog("r", b"made\n"),
)


class Archive:
    """Keeps in memory."""

    def __init__(self, error: DockDeskError | None = None) -> None:
        self.error = error
        self.kept: list[tuple[BuildRecord, Mapping[str, FileMark] | None, Mapping[str, bytes]]] = []

    def add(
        self,
        record: BuildRecord,
        files: Mapping[str, FileMark] | None = None,
        logs: Mapping[str, bytes] | None = None,
    ) -> int:
        if self.error is not None:
            raise self.error
        self.kept.append((record, files, logs or {}))
        return len(self.kept)

    def newest(self, project: str = "", limit: int = 200, skip: int = 0) -> list[BuildRecord]:
        return [record for record, _files, _logs in self.kept]

    def files(self, id: int) -> Mapping[str, FileMark] | None:
        return self.kept[id - 1][1]

    def logs(self, id: int) -> Mapping[str, bytes]:
        return self.kept[id - 1][2]

    def forget(self, ids: Sequence[int]) -> None:
        raise NotImplementedError


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.close()


@pytest.fixture
def runs(jobs: Jobs, qtbot: QtBot) -> Iterator[BuildRuns]:
    pulse = Pulse()
    yield BuildRuns(jobs, pulse)
    pulse.close()


def _start(jobs: Jobs, run: BuildRun, engine: FakeEngine) -> None:
    jobs.submit(None, lambda work: run.execute(engine, work), None, lambda _error: None)


def _until(qtbot: QtBot, condition: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(condition()), timeout=TIMEOUT)


def test_a_build_is_folded_and_recorded(qtbot: QtBot, jobs: Jobs, runs: BuildRuns) -> None:
    archive = Archive()
    runs.set_archive(archive)
    engine = FakeEngine()
    engine.build_items = ITEMS
    told: list[object] = []
    runs.started.connect(told.append)
    runs.recorded.connect(told.append)
    run = runs.prepare(SPEC, TEXT, "default")
    _start(jobs, run, engine)
    _until(qtbot, lambda: len(told) == 2)
    assert run.state == "ok"
    assert [run.place(step).line for step in run.progress.in_order() if run.place(step)] == [0, 1]
    (kept, _files, logs) = archive.kept[0]
    assert told == [run, run.record]
    assert run.record is not None
    assert run.record.id == 1
    assert kept.outcome == "ok"
    assert kept.project == "/project/Dockerfile"
    assert kept.bases == (("docker.io/library/base", DIGEST),)
    assert [(step.keyword, step.line, step.seconds) for step in kept.steps] == [
        ("FROM", 0, 1.0),
        ("RUN", 1, 3.0),
    ]
    assert logs == {"r": b"made\n"}


def test_values_of_secret_arguments_are_not_kept(qtbot: QtBot, jobs: Jobs, runs: BuildRuns) -> None:
    archive = Archive()
    runs.set_archive(archive)
    spec = replace(
        SPEC,
        labels=(("db.password", "s3cret"), ("team", "blue")),
        cache_to=("type=s3,secret_access_key=s3cret",),
    )
    engine = FakeEngine()
    engine.build_items = [
        BuildStep("r", "[2/2] RUN make s3cret", (), False, 2.0, None),
        BuildLog("r", b"using s3c"),
        BuildLog("r", b"ret\n"),
        BuildStep("r", "[2/2] RUN make s3cret", (), False, 2.0, 3.0),
    ]
    run = runs.prepare(spec, TEXT, "default")
    _start(jobs, run, engine)
    _until(qtbot, lambda: archive.kept)
    kept, _files, logs = archive.kept[0]
    assert kept.spec.args == (("API_TOKEN", MASK), ("V", "1"))
    assert kept.spec.labels == (("db.password", MASK), ("team", "blue"))
    assert logs == {"r": f"using {MASK}\n".encode()}
    assert "s3cret" not in repr(archive.kept)
    assert run.spec.args == SPEC.args


def test_what_ended_before_the_history_was_open_is_kept(
    qtbot: QtBot, jobs: Jobs, runs: BuildRuns
) -> None:
    run = runs.prepare(SPEC, TEXT, "default")
    _start(jobs, run, FakeEngine())
    _until(qtbot, lambda: run.over)
    archive = Archive()
    runs.set_archive(archive)
    _until(qtbot, lambda: run.record is not None and run.record.id == 1)
    assert len(archive.kept) == 1


def test_a_failure_is_told_with_its_line(qtbot: QtBot, jobs: Jobs, runs: BuildRuns) -> None:
    class Failing(FakeEngine):
        def build(self, spec: BuildSpec, sink: Callable[..., None], work: object) -> object:  # type: ignore[override]
            sink(
                [
                    ITEMS[0],
                    BuildStep("r", "[2/2] RUN make", ("f",), False, 2.0, 3.0, "exit code: 2"),
                ]
            )
            raise BuildError("The build failed", "exit code: 2", step="r")

    run = runs.prepare(SPEC, TEXT, "default")
    _start(jobs, run, Failing())
    _until(qtbot, lambda: run.over)
    assert (run.state, run.failed_line()) == ("failed", 1)
    assert run.record is not None
    assert run.record.outcome == "failed"
    assert "exit code: 2" in run.record.error
    assert runs.running() == []


def test_a_history_that_takes_nothing_says_so(qtbot: QtBot, jobs: Jobs, runs: BuildRuns) -> None:
    runs.set_archive(Archive(LocalError("The disk is full")))
    with qtbot.waitSignal(runs.failed, timeout=TIMEOUT) as told:
        _start(jobs, runs.prepare(SPEC, TEXT, "default"), FakeEngine())
    assert str(told.args[0]) == "The disk is full"


def test_only_the_newest_are_remembered(qtbot: QtBot, jobs: Jobs, runs: BuildRuns) -> None:
    for _ in range(REMEMBERED + 2):
        run = runs.prepare(SPEC, TEXT, "default")
        _start(jobs, run, FakeEngine())
        _until(qtbot, lambda run=run: run.over)
    assert len(runs.runs) == REMEMBERED
    assert runs.of_project("/project/Dockerfile") is run
    assert runs.of_project("/other/Dockerfile") is None


def test_bases_are_named_with_their_digests() -> None:
    names = [
        f"[build 1/2] FROM docker.io/library/a:1@{DIGEST}",
        "[linux/arm64 x 1/2] FROM --platform=linux/arm64 b:2",
        "[2/2] RUN FROM c",
        "[internal] load metadata for docker.io/library/a:1",
    ]
    assert bases_of(names) == (("docker.io/library/a:1", DIGEST), ("b:2", ""))


def test_each_try_is_a_build_of_its_own_and_can_be_stopped(
    qtbot: QtBot, jobs: Jobs, runs: BuildRuns
) -> None:
    engine = FakeEngine()

    def build(work: Work) -> object:
        return runs.begin(SPEC, TEXT, "default", work).execute(engine, work)

    with engine.pause_on("build"):
        job = jobs.submit(None, build, None, lambda _error: None, title="Build app", retryable=True)
        _until(qtbot, lambda: runs.running() and engine.calls)
        (first,) = runs.runs
        first.cancel()
        assert job.cancelled
    _until(qtbot, lambda: first.over and job.state.over)
    assert first.state == "cancelled"
    again = jobs.retry(job)
    _until(qtbot, lambda: again.state.over and not runs.running())
    assert [run.number for run in runs.runs] == [2, 1]
    assert runs.runs[0].state == "ok"


def test_what_breaks_unexpectedly_is_over_too(
    qtbot: QtBot, jobs: Jobs, runs: BuildRuns, expect_log: Callable[[str], None]
) -> None:
    class Broken(FakeEngine):
        def build(self, *_arguments: object) -> object:  # type: ignore[override]
            raise KeyError("layer")

    run = runs.prepare(SPEC, TEXT, "default")
    expect_log("failed unexpectedly")
    _start(jobs, run, Broken())
    _until(qtbot, lambda: run.over)
    assert run.state == "failed"
    assert "KeyError" in str(run.error)
