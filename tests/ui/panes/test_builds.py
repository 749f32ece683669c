"""The pane of all builds: what is listed, what its tabs say, and what can be done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from dockdesk.backends.archive import BuildArchive
from dockdesk.bridge.build_run import BuildRun
from dockdesk.core.builds.records import BuildRecord, FileMark
from dockdesk.core.errors import DockDeskError, LocalError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.builds import BuildLog, BuildSpec, BuildStep, PastBuild
from dockdesk.models.arrangement import Group
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.builds.compare_tab import CompareView
from dockdesk.ui.panes.builds.dockerfile_tab import DockerfileView
from dockdesk.ui.panes.builds.history import LISTED, read_listing
from dockdesk.ui.panes.builds.log_tab import LogView
from dockdesk.ui.panes.builds.pane import BuildsPane
from dockdesk.ui.panes.builds.rows import ELSEWHERE, BuildRow, from_elsewhere, project_name, row_of
from dockdesk.ui.panes.builds.steps_tab import StepsView
from dockdesk.ui.panes.builds.summary_tab import SummaryView
from dockdesk.ui.panes.builds.trend_tab import TrendView
from dockdesk.ui.widgets.labels import PlainLabel
from tests.backends.engine.works import RecordingWork
from tests.ui.panes.past_builds import NOW, TEXT, archive, build, fill
from tests.ui.rig import Rig

__all__ = ["archive"]

V = TypeVar("V", bound=DetailView[BuildRow])


@pytest.fixture
def pane(rig: Rig, archive: BuildArchive) -> BuildsPane:
    fill(archive)
    rig.builds.set_archive(archive)
    rig.connect()
    return shown(rig)


def shown(rig: Rig) -> BuildsPane:
    made = BuildsPane(rig.context)
    rig.qtbot.addWidget(made)
    made.resize(1200, 860)
    made.show()
    rig.until(lambda: made.history.loaded or made.body.message)
    rig.settle()
    return made


def choose(rig: Rig, pane: BuildsPane, at: float, *more: float) -> BuildRow:
    """Choose builds by when they were, the first one as the current one."""
    rows = {row.at: row for row in pane.model.rows()}
    keys = [rows[NOW + each].key for each in (at, *more)]
    rig.until(lambda: pane.model.line_of(keys[0]) >= 0)
    assert pane.table.select_keys(keys)
    rig.until(lambda: pane.current() is not None and pane.current().at == NOW + at)  # type: ignore[union-attr]
    return rows[NOW + at]


def tab(rig: Rig, pane: BuildsPane, id: str, kind: type[V]) -> V:
    view = pane.show_tab(id)
    assert isinstance(view, kind)
    rig.settle()
    return view


def titles(pane: BuildsPane) -> list[str]:
    """The headers, top to bottom."""
    entries = [pane.model.entry_at(line) for line in range(pane.model.rowCount())]
    return [entry.title for entry in entries if isinstance(entry, Group)]


def test_builds_are_listed_by_project_the_newest_first(rig: Rig, pane: BuildsPane) -> None:
    rig.until(lambda: pane.model.rowCount() == 6)
    assert titles(pane) == ["/shop/Dockerfile", "/tools/Dockerfile"]
    assert [row.at - NOW for row in pane.model.shown_rows()] == [3, 2, 1, 0]
    newest = pane.model.shown_rows()[0]
    assert (newest.name, newest.outcome, newest.cached) == ("shop", "failed", 0.0)
    assert newest.durations == (6.5, 1.0)
    assert "1" in pane.cards._cards["failed"].accessibleName()


def test_the_filter_and_the_groups(rig: Rig, pane: BuildsPane) -> None:
    pane.set_filter("tools")
    rig.until(lambda: [row.name for row in pane.model.shown_rows()] == ["tools"])
    pane.set_filter("")
    pane.bound["builds.group"].trigger()
    rig.until(lambda: len(pane.model.shown_rows()) == 4)
    state = pane.save_state()
    assert state["grouped"] is False
    pane.restore_state({**state, "grouped": True})
    rig.until(lambda: isinstance(pane.model.entry_at(0), Group))


def test_steps_say_why_they_ran(rig: Rig, pane: BuildsPane) -> None:
    choose(rig, pane, 3)
    view = tab(rig, pane, "steps", StepsView)
    rig.until(lambda: view.model.total == 5)
    rows = {row.step.digest: row for row in view.model.rows()}
    assert rows["c"].reason == "Changed in the build context: src/app.py."
    assert rows["c"].root
    assert rows["m"].reason == "An earlier step ran again: COPY src ."
    assert rows["m"].before == 0.0
    assert len(view.chart.items) == 5
    rig.until(lambda: view.table.rows.rowCount() == 5)
    view.table.activated_row.emit(rows["m"])
    assert rig.navigator.went[-1] == ("open", ResourceRef("dockerfile", "/shop/Dockerfile"))


def test_the_log_is_that_of_the_step_that_failed(rig: Rig, pane: BuildsPane) -> None:
    choose(rig, pane, 3)
    view = tab(rig, pane, "log", LogView)
    rig.until(lambda: view.text.text() == "broken")
    view.choose("all")
    rig.until(lambda: "RUN test" in view.text.text())
    assert "exit code: 1" in view.text.text()
    choose(rig, pane, 1)
    rig.until(lambda: "made\n" in view.text.text())
    assert "\x1b" not in view.text.text()
    choose(rig, pane, 2)
    rig.until(lambda: not view.ready and "not kept" in texts(view))


def texts(view: LogView | CompareView | StepsView) -> str:
    return " ".join(label.text() for label in view.message.findChildren(PlainLabel))


def test_two_builds_are_compared(rig: Rig, pane: BuildsPane) -> None:
    choose(rig, pane, 3)
    view = tab(rig, pane, "compare", CompareView)
    rig.until(lambda: view.causes.findings())
    (cause,) = view.causes.findings()
    assert cause.title == "COPY src ."
    assert cause.text.startswith("Changed in the build context: src/app.py.")
    assert "RUN make; RUN test" in cause.text
    assert [finding.figure for finding in view.slower.findings()] == ["+4.0 s", "+1.0 s", "+500 ms"]
    (files,) = view.grids["Files of the context"][0].facts()
    assert (files.label, files.value) == ("1 changed", "src/app.py")
    assert view.choice.count() == 2
    view.choice.setCurrentIndex(1)
    view.choice.activated.emit(1)
    rig.until(lambda: not view.slower.findings())


def test_two_chosen_rows_are_compared_with_each_other(rig: Rig, pane: BuildsPane) -> None:
    choose(rig, pane, 1, 3)
    pane.bound["builds.compare"].trigger()
    rig.settle()
    view = pane.detail.view()
    assert isinstance(view, CompareView)
    rig.until(lambda: view.grids["In figures"][0].facts())
    assert view.grids["In figures"][0].facts()[0].value == "6.5 s → 6.5 s"


def test_the_first_build_has_nothing_to_be_compared_with(rig: Rig, pane: BuildsPane) -> None:
    choose(rig, pane, 1)
    view = tab(rig, pane, "compare", CompareView)
    rig.until(lambda: "first build" in texts(view))


def test_the_dockerfile_as_it_was_and_what_became_of_it(
    rig: Rig, archive: BuildArchive, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(TEXT.replace("RUN make", "RUN make all"))
    archive.add(build(1, tmp_path))
    rig.builds.set_archive(archive)
    rig.connect()
    pane = shown(rig)
    choose(rig, pane, 1)
    view = tab(rig, pane, "dockerfile", DockerfileView)
    rig.until(lambda: view.text.text() == TEXT)
    view.look.set_current("now")
    rig.until(lambda: "+RUN make all" in view.text.text())
    assert "-RUN make\n" in view.text.text()
    (tmp_path / "Dockerfile").unlink()
    view.refresh()
    rig.until(lambda: "can't be read any more" in view.text.text())


def test_the_trend_leads_to_other_builds(rig: Rig, pane: BuildsPane) -> None:
    row = choose(rig, pane, 3)
    view = tab(rig, pane, "trend", TrendView)
    assert [point.at - NOW for point in view.chart.points] == [1, 2, 3]
    assert [point.outcome for point in view.chart.points] == ["ok", "ok", "failed"]
    place = view.chart.column(0).center().toPoint()
    QTest.mouseClick(view.chart, Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    oldest = next(each for each in pane.model.rows() if each.at == NOW + 1)
    assert rig.navigator.went[-1] == ("open", ResourceRef("build", oldest.key))
    assert row.key != oldest.key
    QTest.keyClick(view.chart, Qt.Key.Key_Left)
    assert rig.navigator.went[-1][1].id != oldest.key


def test_the_summary_tells_what_was_asked_for(rig: Rig, pane: BuildsPane) -> None:
    choose(rig, pane, 0)
    view = tab(rig, pane, "summary", SummaryView)
    asked = {fact.label: fact.value for fact in view.facts("Asked for")}
    assert asked["Context"] == "/tools"
    assert asked["Argument V"] == "1"
    assert "Argument API_TOKEN" in asked
    assert view.facts("Base images")[0].value == "sha256:1"


def test_a_build_runs_on_top_and_is_kept(rig: Rig, pane: BuildsPane, archive: BuildArchive) -> None:
    spec = BuildSpec(Path("/shop"), tags=("shop:new",))
    run = rig.builds.prepare(spec, TEXT, "workshop")
    rig.until(lambda: pane.model.row("r1") is not None)
    rig.until(lambda: [row.key for row in pane.model.shown_rows()][:1] == ["r1"])
    rig.engine.build_items = [
        BuildStep("f", "[1/4] FROM base", (), False, 1.0, 1.0),
        BuildStep("c", "[2/4] COPY src .", ("f",), False, 1.0, 3.0),
        BuildLog("c", b"copied\n"),
    ]
    row = pane.model.row("r1")
    assert row is not None
    pane.table.select_keys(["r1"])
    view = tab(rig, pane, "log", LogView)
    rig.until(lambda: "Nothing written yet" in texts(view))
    start(rig, run)
    rig.until(lambda: (row := pane.model.row("r1")) is not None and row.record is not None)
    rig.until(lambda: "copied" in view.text.text())
    steps = tab(rig, pane, "steps", StepsView)
    rig.until(lambda: steps.model.total == 2)
    # Read anew, it is still the row that was chosen.
    pane.reload()
    rig.settle()
    assert len([row for row in pane.model.rows() if row.project == "/shop/Dockerfile"]) == 4
    assert pane.open(ResourceRef("build", f"b{run.record.id if run.record else 0}"))
    assert pane.current() is not None
    assert archive.newest("/shop/Dockerfile", 1)[0].spec.tags == ("shop:new",)


def start(rig: Rig, run: BuildRun) -> None:
    engine = rig.engine
    rig.jobs.submit(None, lambda work: run.execute(engine, work), None, lambda _error: None)


def test_building_again_takes_what_is_on_the_disk(
    rig: Rig, archive: BuildArchive, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(TEXT)
    spec = BuildSpec(tmp_path, tags=("a:1",), args=(("API_TOKEN", "••••••"), ("V", "1")))
    archive.add(build(1, spec=spec))
    rig.builds.set_archive(archive)
    rig.connect()
    pane = shown(rig)
    choose(rig, pane, 1)
    rig.asker.values = {"arg.0": "s3cret"}
    pane.bound["builds.again"].trigger()
    rig.until(lambda: rig.audit.entries)
    rig.until(lambda: rig.builds.runs and rig.builds.runs[0].over)
    (form,) = rig.asker.forms
    assert [field.title for field in form.form.fields] == ["API_TOKEN"]
    built = next(call[1] for call in rig.engine.calls if call[0] == "build")
    assert built.args == (("API_TOKEN", "s3cret"), ("V", "1"))
    assert built.text is None
    (entry,) = rig.audit.entries
    assert "s3cret" not in entry.equivalent.cli
    assert (entry.action, entry.outcome) == ("builds.again", "ok")
    rig.settle()
    assert "s3cret" not in repr(archive.newest())


def test_a_dockerfile_that_is_gone_is_said(rig: Rig, pane: BuildsPane) -> None:
    choose(rig, pane, 2)
    pane.bound["builds.again"].trigger()
    rig.until(lambda: rig.notices.shown)
    assert "/shop/Dockerfile" in rig.notices.shown[-1].detail


def test_what_else_can_be_done(rig: Rig, pane: BuildsPane, tmp_path: Path) -> None:
    choose(rig, pane, 1)
    pane.bound["builds.open"].trigger()
    assert rig.navigator.went[-1] == ("open", ResourceRef("dockerfile", "/shop/Dockerfile"))
    pane.bound["builds.copy_command"].trigger()
    assert QGuiApplication.clipboard().text() == "docker buildx build --tag shop:1 /shop"
    pane.bound["builds.run_image"].trigger()
    assert rig.notices.shown[-1].title == "The image is not in this engine"
    row = pane.current()
    assert row is not None
    pane.export_log(row, tmp_path / "x.log")
    rig.until(lambda: (tmp_path / "x.log").exists() and rig.notices.shown[-1].title == "Exported")
    assert "made\n" in (tmp_path / "x.log").read_text()
    choose(rig, pane, 3)
    assert not pane.bound["builds.run_image"].isEnabled()


def test_the_image_is_run_where_it_is_there(rig: Rig, archive: BuildArchive) -> None:
    rig.builds.set_archive(archive)
    rig.connect()
    rig.session.want("images")
    rig.until(lambda: rig.session.images)
    image = next(iter(rig.session.images.values()))
    archive.add(build(1, image=image.id))
    pane = shown(rig)
    choose(rig, pane, 1)
    pane.bound["builds.run_image"].trigger()
    assert rig.navigator.went[-1] == ("trigger", "container.run", [image])


def test_builds_are_forgotten_and_got_back(
    rig: Rig, pane: BuildsPane, archive: BuildArchive
) -> None:
    choose(rig, pane, 3, 2)
    pane.bound["builds.forget"].trigger()
    rig.until(lambda: pane.model.total == 2)
    assert len(archive.newest()) == 2
    (undo,) = rig.notices.shown[-1].actions
    undo.run()
    rig.until(lambda: pane.model.total == 4)
    newest = archive.newest("/shop/Dockerfile", 1)[0]
    assert archive.logs(newest.id) == {"t": b"10%\r90%\rbroken\n"}
    assert archive.files(newest.id) is not None


def test_what_the_engine_tells_of_builds_elsewhere(rig: Rig, archive: BuildArchive) -> None:
    fill(archive)
    rig.builds.set_archive(archive)
    rig.engine.build_history = [
        PastBuild("ref1", "acme/app:1", "", NOW - 500, NOW - 495, "", 4, 1, "sha256:e"),
        PastBuild("own", "shop:3", "", NOW + 3.2, NOW + 9, "exit code: 1", 4, 1),
        PastBuild("ref2", "", "test", NOW - 900, None, ""),
    ]
    rig.connect()
    pane = shown(rig)
    rig.until(lambda: pane.model.row("eref1") is not None)
    assert pane.model.row("eown") is None, "it is one of ours"
    rig.until(lambda: titles(pane)[-1:] == [ELSEWHERE])
    pane.table.select_keys(["eref1"])
    view = tab(rig, pane, "steps", StepsView)
    rig.until(lambda: view.model.total)
    assert not pane.bound["builds.again"].isEnabled()
    pane.bound["builds.elsewhere"].trigger()
    rig.until(lambda: all(row.project for row in pane.model.shown_rows()))


def test_an_engine_that_tells_of_none_is_said(rig: Rig, pane: BuildsPane) -> None:
    card = pane.cards._cards["elsewhere"]
    rig.until(lambda: "tells of no others" in card.accessibleName())


def test_an_empty_history_helps(rig: Rig, archive: BuildArchive) -> None:
    rig.builds.set_archive(archive)
    pane = shown(rig)
    rig.until(lambda: pane.body.message is not None)
    message = pane.body.message
    assert message is not None
    (button,) = message.buttons()
    button.click()
    assert rig.navigator.went == [("pane", "dockerfiles")]


class Broken:
    """An archive that can't be read."""

    def __init__(self, archive: BuildArchive) -> None:
        self.error: DockDeskError | None = LocalError("The history can't be read", "disk I/O error")
        self._archive = archive

    def newest(self, project: str = "", limit: int = 200, skip: int = 0) -> list[BuildRecord]:
        if self.error is not None:
            raise self.error
        return self._archive.newest(project, limit, skip)

    def add(self, record: BuildRecord, files: object = None, logs: object = None) -> int:
        raise NotImplementedError

    def files(self, id: int) -> dict[str, FileMark] | None:
        raise NotImplementedError

    def logs(self, id: int) -> dict[str, bytes]:
        raise NotImplementedError

    def forget(self, ids: object) -> None:
        raise NotImplementedError


def test_a_history_that_cannot_be_read_is_tried_again(rig: Rig, archive: BuildArchive) -> None:
    fill(archive)
    broken = Broken(archive)
    rig.builds.set_archive(broken)  # type: ignore[arg-type]
    pane = shown(rig)
    rig.until(lambda: pane.body.message is not None and pane.body.message.buttons())
    broken.error = None
    message = pane.body.message
    assert message is not None
    message.buttons()[0].click()
    rig.until(lambda: pane.model.total == 4)


def test_thousands_are_read_up_to_a_bound(archive: BuildArchive) -> None:
    for number in range(450):
        archive.add(replace(build(number), steps=()))
    read = read_listing(archive, LISTED, RecordingWork())
    assert len(read.rows) == 450
    assert len(next(iter(read.projects.values()))) == 450
    assert len(read_listing(archive, 60, RecordingWork()).rows) == 60
    newest = max(read.rows.values(), key=lambda row: row.at)
    assert len(newest.durations) == 60


def test_builds_of_ours_are_told_from_others_by_their_start() -> None:
    ours = [row_of(replace(build(10), id=1))]
    told = [PastBuild("a", started=NOW + 12), PastBuild("b", started=NOW + 14)]
    assert [row.key for row in from_elsewhere(told, ours)] == ["eb"]


def test_short_names_of_projects() -> None:
    assert project_name("/home/ann/shop/Dockerfile") == "shop"
    assert project_name("/home/ann/shop/docker/api.Dockerfile") == "docker/api.Dockerfile"
    assert project_name("/Dockerfile") == "/"
