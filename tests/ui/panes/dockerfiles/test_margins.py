"""What the last build took stands beside its instructions, and moves with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockdesk.backends.archive import BuildArchive
from dockdesk.core.builds.compare import compare
from dockdesk.core.builds.placing import Placed
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.builds import BuildItem, BuildSpec, BuildStep
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.history_view import HistoryView, told
from dockdesk.ui.panes.dockerfiles.margins import cells_of, times_of
from tests.ui.panes.dockerfiles.conftest import Desk
from tests.ui.panes.past_builds import NOW, STEPS, TEXT, archive, build, fill

__all__ = ["archive"]


def margin(document: OpenDocument) -> dict[int, tuple[str, ...]]:
    """Line → the texts beside it."""
    gutter = document.editor.gutter
    cells = {line: gutter.cells(line) for line in range(document.editor.blockCount())}
    return {line: tuple(cell.text for cell in row) for line, row in cells.items() if row}


@pytest.fixture
def built(desk: Desk, archive: BuildArchive) -> OpenDocument:
    """The project's Dockerfile, of which the archive has builds."""
    (desk.folder / "Dockerfile").write_text(TEXT)
    fill(archive, desk.folder)
    desk.rig.builds.set_archive(archive)
    document = desk.open()
    desk.rig.until(lambda: margin(document))
    return document


def test_the_last_build_stands_beside_the_text(desk: Desk, built: OpenDocument) -> None:
    assert margin(built) == {
        2: ("0.5 s", "1.5 kB"),
        3: ("4.0 s", "120 MB"),
        4: ("1.0 s", ""),
    }
    tones = [[cell.tone for cell in built.editor.gutter.cells(line)] for line in (2, 3, 4)]
    assert tones == [["neutral", "muted"], ["neutral", "warn"], ["bad", "muted"]]
    assert "exit code: 1" in built.editor.gutter.cells(4)[0].tip


def test_it_moves_with_its_line_and_is_muted_where_edited(desk: Desk, built: OpenDocument) -> None:
    built.go_to(1)
    desk.type(built, "# a comment\n\n")
    desk.rig.until(lambda: set(margin(built)) == {4, 5, 6})
    built.go_to(5, 8)
    desk.type(built, " all")
    desk.rig.until(lambda: built.editor.gutter.cells(5)[0].tone == "muted")
    assert "edited since" in built.editor.gutter.cells(5)[0].tip
    assert built.editor.gutter.cells(4)[0].tone == "neutral"
    built.editor.undo()
    desk.rig.until(lambda: built.editor.gutter.cells(5)[0].tone == "neutral")
    built.set_text(built.text().replace("RUN make\n", ""))
    desk.rig.until(lambda: set(margin(built)) == {4, 5})


def test_a_build_that_runs_is_followed(desk: Desk, built: OpenDocument) -> None:
    rig = desk.rig
    run = rig.builds.prepare(BuildSpec(desk.folder), TEXT, "workshop")
    items: list[BuildItem] = [
        BuildStep("c", "[2/4] COPY src .", (), True, 1.0, 1.0),
        BuildStep("m", "[3/4] RUN make", ("c",), False, 1.0),
    ]
    run._sink.put(items)
    rig.until(lambda: margin(built).get(2, ("",))[0] == "cached" and 3 in margin(built))
    assert built.editor.gutter.cells(3)[0].tone == "accent"
    assert 4 not in margin(built)
    run._sink.put([BuildStep("m", "[3/4] RUN make", ("c",), False, 1.0, 43.0)])
    run._sink.ended(None)
    rig.until(lambda: margin(built).get(3) == ("42.0 s", ""))
    assert built.editor.gutter.cells(3)[0].tone == "warn"


def test_another_file_has_no_margin(desk: Desk, archive: BuildArchive) -> None:
    fill(archive, Path("/elsewhere"))
    desk.rig.builds.set_archive(archive)
    document = desk.open()
    desk.rig.settle()
    assert margin(document) == {}


def test_platforms_of_one_instruction_count_together() -> None:
    run = next(step for step in STEPS if step.digest == "m")
    times = times_of([replace(run, cached=True, seconds=0.0), replace(run, seconds=7.0)])
    assert [(each.state, each.seconds) for each in times] == [("ran", 7.0)]


def test_long_and_unknown_times() -> None:
    (times,) = times_of([replace(STEPS[3], seconds=130.0, layer=-1)])
    cells = cells_of([times], {(3, 3): Placed(9)}, "Built just now")
    assert [cell.text for cell in cells[9]] == ["2 min 10 s", ""]
    assert cells_of([times], {}, "") == {}


# The view.


def history(desk: Desk) -> HistoryView:
    view = desk.pane.show_view("history")
    assert isinstance(view, HistoryView)
    return view


def test_the_builds_of_the_file_in_front(desk: Desk, built: OpenDocument) -> None:
    view = history(desk)
    desk.rig.until(lambda: len(view.model.shown_rows()) == 3)
    assert [record.at - NOW for record in view.model.shown_rows()] == [3, 2, 1]
    desk.rig.until(lambda: "src/app.py" in view.told.text())
    assert view.told.text().startswith("5.5 s longer than the build before. COPY src .: Changed")
    view._button.click()
    record = view.model.shown_rows()[0]
    assert desk.rig.navigator.went[-2:] == [
        ("open", ResourceRef("build", f"b{record.id}")),
        ("trigger", "builds.compare", [record]),
    ]


def test_a_click_in_the_margin_opens_the_history(desk: Desk, built: OpenDocument) -> None:
    built.editor.gutter.cell_pressed.emit(3)
    desk.rig.until(lambda: desk.pane.below.view("history") is not None)


def test_a_file_that_was_never_built(desk: Desk, archive: BuildArchive) -> None:
    desk.rig.builds.set_archive(archive)
    document = desk.open()
    view = history(desk)
    desk.rig.settle()
    assert view._stack.currentIndex() == 0
    archive.add(build(1, desk.folder))
    desk.rig.builds.recorded.emit(archive.newest()[0])
    desk.rig.until(lambda: view._stack.currentIndex() == 1)
    desk.rig.until(lambda: view.told.text() == "The first build that is kept.")
    desk.rig.until(lambda: margin(document))


def test_nothing_ran_again_in_words() -> None:
    assert told(compare(build(1), build(2))) == (
        "As quick as the build before; nothing ran that had not."
    )


def test_what_was_stopped_is_no_failure() -> None:
    steps = [replace(STEPS[2], cached=False, error="failed to solve: context canceled")]
    (times,) = times_of(steps)
    cells = cells_of([times], {times.span: Placed(times.span[0], True)}, "1 min ago")
    (cell, _size) = cells[times.span[0]]
    assert (times.state, cell.tone) == ("stopped", "muted")
    assert "was stopped after" in cell.tip
