"""What the tabs beside the container list show, and that they follow what happens to their container."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from dockdesk.core.environments import Guard
from dockdesk.core.errors import NotFoundError, RemoteError, UnreachableError
from dockdesk.core.preferences import LOG_BUFFER_MB, LOG_TAIL, LOG_WRAP
from dockdesk.core.resources.containers import HealthProbe, Mount
from dockdesk.ui.panes.containers.columns import COLUMNS, ContainerRow
from dockdesk.ui.panes.containers.details.files import FilesView
from dockdesk.ui.panes.containers.details.health import HealthView, check_facts, probe_facts
from dockdesk.ui.panes.containers.details.inspect import InspectView
from dockdesk.ui.panes.containers.details.logs import LogsView
from dockdesk.ui.panes.containers.details.processes import ProcessesView
from dockdesk.ui.panes.containers.details.stats import StatsView
from dockdesk.ui.panes.containers.details.summary import (
    EnvironmentView,
    SummaryView,
    command_fact,
)
from dockdesk.ui.panes.containers.pane import ContainersPane
from dockdesk.ui.widgets.key_values import Fact
from tests.fake_world import log_stamp
from tests.ui.doubles import environment
from tests.ui.panes.hands import Hands, drop
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")


@pytest.fixture
def hands(rig: Rig) -> Hands:
    return Hands.on(rig, ContainersPane, (1300, 900))


def lines(view: LogsView) -> list[str]:
    """Those on the screen."""
    panel = view.panel
    return [text for _, text in panel.view.lines_drawn()] if panel.view.isVisible() else []


def last(view: LogsView) -> str:
    """The lowest line on the screen."""
    return next(reversed(lines(view)), "")


def logs_of(hands: Hands, *names: str) -> LogsView:
    hands.choose(*names)
    view = hands.tab("Logs")
    assert isinstance(view, LogsView)
    return view


# Logs.


def test_the_log_shows_its_tail_and_goes_on(hands: Hands, rig: Rig) -> None:
    view = logs_of(hands, "redis")
    rig.until(lambda: any("(redis)" in line for line in lines(view)))
    rig.engine.emit_log("redis", b"one more line\n")
    rig.until(lambda: "one more line" in last(view))
    queries = hands.calls("logs")
    assert [query.tail for _, query in queries][-1] == 1000


def test_the_log_begins_as_the_settings_have_it(rig: Rig) -> None:
    rig.settings.set(LOG_TAIL, 7)
    rig.settings.set(LOG_WRAP, True)
    rig.settings.set(LOG_BUFFER_MB, 8)
    hands = Hands.on(rig, ContainersPane)
    view = logs_of(hands, "redis")
    rig.until(lambda: len(lines(view)) == 7)
    assert view.panel.toolbar.wrap.isChecked()
    ranges = view.panel.toolbar.range.menu().actions()
    assert [action.text() for action in ranges if action.isChecked()] == ["Last 7 lines"]
    assert view.panel.feed.store.max_bytes == 8 << 20
    rig.settings.set(LOG_WRAP, False)
    assert not view.panel.toolbar.wrap.isChecked()


def test_so_many_logs_are_merged_and_no_more(
    hands: Hands, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream each for thousands of containers would hold window and engine up for good."""
    monkeypatch.setattr("dockdesk.ui.panes.containers.details.logs.MOST", 2)
    view = hands.tab("Logs")
    assert isinstance(view, LogsView)
    chosen = hands.pane.model.shown_rows()[:3]
    hands.pane.table.select_keys([row.container.id for row in chosen])
    rig.until(lambda: len(view.panel.feed.sources) == 2)
    assert view._left_out.isVisible()
    assert view._left_out.text() == "The logs of 2 of the 3 chosen containers."
    hands.pane.table.select_keys([row.container.id for row in chosen[:2]])
    rig.until(lambda: not view._left_out.isVisible())


def test_several_logs_are_merged_and_labelled(hands: Hands, rig: Rig) -> None:
    view = logs_of(hands, "redis", "postgres")
    rig.until(lambda: rig.engine.log_streams("postgres") and rig.engine.log_streams("redis"))
    for second, name in ((500, "redis"), (501, "postgres"), (502, "redis")):
        rig.engine.emit_log(name, log_stamp(second) + f"from {name} {second}\n".encode())
    rig.until(lambda: any("from redis 502" in line for line in lines(view)))
    assert {source.label for source in view.panel.feed.sources} == {"redis", "postgres"}
    assert all(query.timestamps for _, query in hands.calls("logs")[-2:])
    hands.choose("redis")
    rig.until(lambda: [source.label for source in view.panel.feed.sources] == ["redis"])
    rig.until(lambda: rig.engine.log_streams("postgres") == 0)


def test_the_log_goes_on_when_its_container_is_started_again(hands: Hands, rig: Rig) -> None:
    view = logs_of(hands, "redis")
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    id = hands.row("redis").container.id
    rig.engine.emit_log("redis", b"before\n")
    rig.until(lambda: "before" in last(view))
    rig.engine.stop(id)
    rig.until(lambda: "Exited with code 0" in view.panel.status.state.text())
    rig.engine.start(id)
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    rig.engine.emit_log("redis", b"after\n")
    rig.until(lambda: "after" in last(view))
    assert "before" in lines(view)[-2]


def test_a_restart_that_was_never_seen_as_a_stop_goes_on_too(hands: Hands, rig: Rig) -> None:
    view = logs_of(hands, "redis")
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    rig.engine.restart(hands.row("redis").container.id)
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    rig.engine.emit_log("redis", b"after\n")
    rig.until(lambda: "after" in last(view))


def test_a_log_that_was_lost_is_asked_for_again(hands: Hands, rig: Rig) -> None:
    view = logs_of(hands, "redis")
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    stream = rig.engine._log_streams[hands.row("redis").container.id][0]
    stream.end(UnreachableError("The log broke off", "reset by peer"))
    rig.until(lambda: view.panel.lost_sources())
    rig.until(lambda: view.panel.status.retry.isVisible())
    QTest.mouseClick(view.panel.status.retry, Qt.MouseButton.LeftButton)
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    assert hands.calls("logs")[-1][1].since is not None
    rig.until(lambda: not view.panel.lost_sources())


def test_a_log_that_can_not_be_opened_says_why(hands: Hands, rig: Rig) -> None:
    rig.engine.faults["logs"] = RemoteError("No log here", "the driver keeps none")
    view = logs_of(hands, "redis")
    rig.until(lambda: view.panel.lost_sources())
    del rig.engine.faults["logs"]
    view.panel.retry_requested.emit()
    rig.until(lambda: lines(view))


def test_logs_survive_a_restart_of_the_engine(hands: Hands, rig: Rig) -> None:
    view = logs_of(hands, "redis")
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    rig.engine.faults["containers"] = UnreachableError("No answer")
    rig.engine.drop(UnreachableError("Gone"))
    rig.until(lambda: rig.session.state.value == "lost")
    shown = lines(view)
    del rig.engine.faults["containers"]
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    rig.engine.emit_log("redis", b"back again\n")
    rig.until(lambda: "back again" in last(view))
    assert lines(view)[-2] == shown[-1]


def test_a_log_out_of_sight_stops_after_a_while_and_goes_on(hands: Hands, rig: Rig) -> None:
    view = logs_of(hands, "redis")
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    rig.until(lambda: lines(view))
    view._linger.setInterval(1)
    hands.tab("Summary")
    rig.until(lambda: rig.engine.log_streams("redis") == 0)
    hands.tab("Logs")
    rig.until(lambda: rig.engine.log_streams("redis") == 1)
    rig.engine.emit_log("redis", b"seen again\n")
    rig.until(lambda: "seen again" in last(view))
    assert len(lines(view)) > 1


def test_stopped_containers_say_how_they_ended(hands: Hands, rig: Rig) -> None:
    view = logs_of(hands, "batch-night")
    rig.until(lambda: "Exited with code 1" in view.panel.status.state.text())
    hands.choose("loki")
    rig.until(lambda: "Never started" in view.panel.status.state.text())


# Charts.


def samples(view: StatsView, chart: int, key: str) -> int:
    line = view._charts[chart]._model.lines[key]
    return len(line.samples)


def test_charts_fill_while_they_are_looked_at(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    view = hands.tab("Charts")
    assert isinstance(view, StatsView)
    id = hands.row("redis").container.id
    hands.tick_until(lambda: samples(view, 0, f"{id}/cpu") >= 3)
    assert samples(view, 2, f"{id}/net_in") >= 2
    assert samples(view, 4, f"{id}/pids") >= 2


def test_charts_use_the_room_there_is(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    view = hands.tab("Charts")
    assert isinstance(view, StatsView)
    rows = [(1200, 240, 1), (1200, 600, 2), (800, 240, 2), (500, 600, 3)]
    for width, height, expected in rows:
        view.resize(width, height)
        used = [view._grid.getItemPosition(view._grid.indexOf(c))[0] for c in view._charts]  # type: ignore[index]
        assert max(used) + 1 == expected


def test_charts_compare_several_and_drop_who_leaves(hands: Hands, rig: Rig) -> None:
    hands.choose("redis", "postgres")
    view = hands.tab("Charts")
    assert isinstance(view, StatsView)
    names = {hands.row(name).container.id for name in ("redis", "postgres")}
    assert {key.split("/")[0] for key in view._lines} == names
    hands.tick_until(lambda: all(samples(view, 0, f"{id}/cpu") for id in names))
    hands.choose("postgres")
    assert {key.split("/")[0] for key in view._lines} == {hands.row("postgres").container.id}


def test_charts_of_what_does_not_run_say_so(hands: Hands, rig: Rig) -> None:
    hands.choose("migrate")
    view = hands.tab("Charts")
    assert isinstance(view, StatsView)
    assert view._pages.currentIndex() == 1
    rig.engine.start(hands.row("migrate").container.id)
    rig.until(lambda: view._pages.currentIndex() == 0)


# Files.


@pytest.fixture
def files(hands: Hands, rig: Rig) -> FilesView:
    hands.choose("redis")
    view = hands.tab("Files")
    assert isinstance(view, FilesView)
    rig.until(lambda: view.browser.model.total() == 5)
    return view


def test_files_are_listed_and_read(hands: Hands, rig: Rig, files: FilesView) -> None:
    browser = files.browser
    browser.go("/app")
    rig.until(lambda: browser.path() == "/app" and browser.model.total() == 3)
    browser.view.choose("/app/config.toml")
    rig.until(lambda: hands.calls("read_file"))
    hands.choose("postgres")
    rig.until(lambda: browser.path() == "/")
    hands.choose("redis")
    rig.until(lambda: browser.path() == "/app")


def test_files_are_uploaded_where_they_are_dropped(
    hands: Hands, rig: Rig, files: FilesView, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "a two.txt"
    for path in (one, two):
        path.write_text("x")
    assert drop(files.browser, one, two)
    rig.until(lambda: hands.calls("upload"))
    id = hands.row("redis").container.id
    assert hands.calls("upload") == [(id, (one, two), "/")]
    rig.until(lambda: hands.logged())
    assert hands.logged() == [f"docker cp {one} redis:/\ndocker cp '{two}' redis:/"]
    rig.until(lambda: len(hands.calls("list_files")) >= 2)
    (told,) = [shown for shown in rig.notices.shown if shown.title == "Uploaded"]
    assert told.detail == "2 files and folders into /"


def test_an_upload_that_fails_is_told_and_can_be_tried_again(
    hands: Hands, rig: Rig, files: FilesView, tmp_path: Path
) -> None:
    rig.engine.faults["upload"] = NotFoundError("The file is gone", "one.txt vanished")
    files.browser.upload_asked.emit([tmp_path / "one.txt"], "/app")
    rig.until(lambda: "The file is gone" in hands.titles())
    assert [action.title for action in rig.notices.shown[-1].actions] == ["Try again"]
    assert rig.audit.entries[-1].outcome == "failed"


def test_files_are_downloaded(hands: Hands, rig: Rig, files: FilesView, tmp_path: Path) -> None:
    browser = files.browser
    browser.view.choose("/start.sh")
    browser.download_asked.emit(browser.view.chosen(), tmp_path)
    rig.until((tmp_path / "start.sh").exists)
    rig.until(lambda: hands.logged() == [f"docker cp redis:/start.sh {tmp_path}"])
    assert "Downloaded" in hands.titles()


def test_nothing_is_uploaded_to_a_read_only_environment(
    hands: Hands, rig: Rig, files: FilesView, tmp_path: Path
) -> None:
    rig.session.remark(environment(Guard.READ_ONLY))
    assert not files.browser.upload.isEnabled()
    assert "read-only" in files.browser.upload.toolTip()
    files.browser.upload_asked.emit([tmp_path], "/")
    rig.settle()
    assert hands.calls("upload") == []


# Facts.


def facts(view: Any, card: str) -> dict[str, Fact]:
    return {fact.label: fact for fact in view.facts(card)}


def test_the_summary_leads_to_image_network_and_volume(hands: Hands, rig: Rig) -> None:
    hands.choose("postgres")
    view = hands.tab("Summary")
    assert isinstance(view, SummaryView)
    rig.until(lambda: view.ready)
    general = facts(view, "General")
    assert general["State"].value == "healthy"
    assert general["Memory limit"].value == "1 GiB"
    grid = view.grid("General")
    row = list(general).index("Image")
    place = grid.row_rect(row)
    spot = place.center().toPoint()
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=spot)
    for card in ("Networks", "Mounts"):
        view.grid(card).setFocus()
        QTest.keyClick(view.grid(card), Qt.Key.Key_Return)
    refs = [went[1] for went in rig.navigator.went]
    assert [(ref.kind, ref.name) for ref in refs] == [
        ("image", "postgres:16"), ("network", "shop_default"), ("volume", "shop_db"),
    ]  # fmt: skip
    assert refs[0].id == hands.row("postgres").container.image_id


def test_a_summary_follows_its_container(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    view = hands.tab("Summary")
    assert isinstance(view, SummaryView)
    rig.until(lambda: view.ready)
    rig.engine.stop(hands.row("redis").container.id)
    rig.until(lambda: facts(view, "General")["State"].value == "exited")
    bind = Mount("bind", "/srv/data", "/data", True)
    rig.engine.put_container(replace(hands.row("redis").container, name="cache", mounts=(bind,)))
    rig.until(lambda: "/data" in facts(view, "Mounts"))
    assert facts(view, "Mounts")["/data"] == Fact("/data", "bind /srv/data (read-only)", mono=True)


def test_a_late_answer_about_another_row_is_not_shown(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    view = hands.tab("Summary")
    assert isinstance(view, SummaryView)
    rig.until(lambda: view.ready)
    with rig.engine.pause_on("container"):
        hands.choose("postgres")
        rig.until(lambda: len(hands.calls("container")) == 2)
        hands.choose("redis")
    rig.settle()
    assert view.ready
    assert facts(view, "General")["Image"].value == "redis:7-alpine"


def test_what_can_not_be_fetched_says_why_and_tries_again(hands: Hands, rig: Rig) -> None:
    rig.engine.faults["container"] = RemoteError("Inspect failed", "500")
    hands.choose("redis")
    view = hands.tab("Summary")
    assert isinstance(view, SummaryView)
    rig.until(lambda: view._message.isVisible())
    del rig.engine.faults["container"]
    QTest.mouseClick(view._message.buttons()[0], Qt.MouseButton.LeftButton)
    rig.until(lambda: view.ready)


def test_details_wait_for_the_engine_and_fill_themselves(hands: Hands, rig: Rig) -> None:
    rig.engine.faults["containers"] = UnreachableError("No answer")
    rig.engine.drop(UnreachableError("Gone"))
    rig.until(lambda: rig.session.state.value == "lost")
    hands.choose("redis")
    view = hands.tab("Summary")
    assert isinstance(view, SummaryView)
    assert not view.ready
    del rig.engine.faults["containers"]
    rig.until(lambda: view.ready)


def test_secrets_are_masked_until_asked_for(hands: Hands, rig: Rig) -> None:
    hands.choose("postgres")
    view = hands.tab("Environment")
    assert isinstance(view, EnvironmentView)
    rig.until(lambda: view.ready)
    grid = view.grid("Environment variables")
    labels = [fact.label for fact in grid.facts()]
    row = labels.index("POSTGRES_PASSWORD")
    assert "horse" not in grid.shown_value(row)
    assert grid.shown_value(labels.index("PATH")) == "/usr/bin:/bin"
    grid.setFocus()
    for _ in range(row):
        QTest.keyClick(grid, Qt.Key.Key_Down)
    QTest.keyClick(grid, Qt.Key.Key_Space)
    assert grid.shown_value(row) == "correct-horse"


def test_inspect_is_a_tree_that_can_be_searched(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    view = hands.tab("Inspect")
    assert isinstance(view, InspectView)
    rig.until(lambda: view.inspect.model.rowCount() > 0)
    assert view.focus_filter()
    QTest.keyClicks(view.inspect.search, "redis:7")
    rig.until(lambda: view.inspect.matches.text().startswith("1 of"))


# Health.


def test_health_has_a_tab_only_where_it_is_checked(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    assert "Health" not in hands.tabs()
    hands.choose("postgres")
    assert "Health" in hands.tabs()
    view = hands.tab("Health")
    assert isinstance(view, HealthView)
    rig.until(lambda: view.ready)
    assert facts(view, "Health check")["Health"].value == "healthy"
    assert "HTTP/1.1 200 OK" in view.facts("Last checks")[0].value
    before = len(hands.calls("container"))
    view._timer.setInterval(10)
    rig.until(lambda: len(hands.calls("container")) > before + 1)
    hands.choose("redis")
    rig.until(lambda: not view._timer.isActive())


def test_a_health_check_is_told_in_full(rig: Rig) -> None:
    detail = rig.engine.container("postgres")
    declared = {
        "Test": ["CMD-SHELL", "pg_isready -U 'me'"],
        "Interval": 30_000_000_000,
        "Timeout": 0,
        "Retries": 3,
    }
    probes = (
        HealthProbe(1000.0, 1000.02, 0, "fine"),
        HealthProbe(1030.0, 1040.0, 1, "no\nanswer\n"),
    )
    detail = replace(
        detail, raw={"Config": {"Healthcheck": declared}}, failing_streak=2, health_log=probes
    )
    told = {fact.label: fact.value for fact in check_facts(detail)}
    assert told == {
        "Health": "healthy",
        "Failed": "2 times in a row",
        "Command": "pg_isready -U 'me'",
        "Every": "30 s",
        "Unhealthy after": "3 failures in a row",
    }
    newest, oldest = probe_facts(detail)
    assert newest.value == "failed with code 1 in 10 s\nno\nanswer"
    assert (newest.tone, oldest.value) == ("bad", "passed in 20 ms\nfine")
    assert check_facts(replace(detail, raw={"Config": None}))[0].value == "healthy"


# Processes.


def test_processes_are_read_again_only_while_shown(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    view = hands.tab("Processes")
    assert isinstance(view, ProcessesView)
    rig.until(lambda: view.ready)
    table = view._table
    assert table is not None
    rig.until(lambda: table.rows.rowCount() == 2)
    assert [column.title for column in table.rows.columns][-1] == "CMD"
    view._timer.setInterval(10)
    rig.until(lambda: len(hands.calls("processes")) > 3)
    hands.tab("Summary")
    rig.settle()
    asked = len(hands.calls("processes"))
    hands.choose("postgres")
    rig.settle()
    assert len(hands.calls("processes")) == asked
    assert not view._timer.isActive()


def test_processes_of_what_does_not_run(hands: Hands, rig: Rig) -> None:
    hands.choose("migrate")
    view = hands.tab("Processes")
    assert isinstance(view, ProcessesView)
    assert not view.ready
    rig.engine.start(hands.row("migrate").container.id)
    rig.until(lambda: view.ready)
    rig.engine.stop(hands.row("migrate").container.id)
    rig.until(lambda: not view.ready)


# Strange contents.


def test_hostile_values_stay_text(hands: Hands, rig: Rig) -> None:
    strange = "<b>x</b>\u202etxt👩‍👩‍👧" * 200
    item = hands.row("redis").container
    rig.engine.put_container(replace(item, command=strange, labels={strange: strange}))
    rig.until(lambda: hands.row("redis").container.command == strange)
    hands.choose("redis")
    for title in hands.tabs():
        if title != "Terminal":
            hands.tab(title)
            rig.settle()
            hands.pane.grab()
    view = hands.tab("Environment")
    assert isinstance(view, EnvironmentView)
    grid = view.grid("Labels")
    grid.copy(0)
    assert QGuiApplication.clipboard().text() == strange


def test_files_give_way_to_their_names_where_it_is_narrow(
    hands: Hands, rig: Rig, files: FilesView
) -> None:
    view = files.browser.view
    view.resize(800, 300)
    assert not any(view.isColumnHidden(column) for column in (1, 2, 3, 4))
    view.resize(400, 300)
    assert view.isColumnHidden(3)
    assert not view.isColumnHidden(1)
    assert view.columnWidth(0) >= 100


def test_charts_look_back_further_as_there_is_more_to_see(hands: Hands, rig: Rig) -> None:
    hands.choose("redis")
    view = hands.tab("Charts")
    assert isinstance(view, StatsView)
    id = hands.row("redis").container.id
    hands.tick_until(lambda: samples(view, 0, f"{id}/cpu") >= 3)
    assert view._window == 60
    rig.engine.tick(100)
    hands.tick_until(lambda: samples(view, 0, f"{id}/cpu") > 100)
    assert view._window == 180
    start, end = view._charts[0].shown_range
    assert end - start == pytest.approx(180, abs=2)


def test_a_password_in_the_command_is_hidden_until_asked_for(hands: Hands) -> None:
    assert command_fact(("redis-server", "--requirepass", "hunter2")).secret
    assert not command_fact(("redis-server", "--port", "1")).secret
    known = hands.row("redis").container
    row = ContainerRow(replace(known, command="redis-server --requirepass hunter2"))
    column = next(column for column in COLUMNS if column.id == "command")
    assert "hunter2" not in column.text(row)
