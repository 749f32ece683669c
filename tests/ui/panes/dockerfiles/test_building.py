"""Dockerfiles are built from the pane: asked for, followed, explained where they fail, and built again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from dockdesk.core.environments import Guard
from dockdesk.core.errors import BuildError
from dockdesk.core.preferences import BUILD_SAVES
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.builds import (
    Builder,
    BuildItem,
    BuildLog,
    BuildResult,
    BuildSpec,
    BuildStep,
    BuildWarning,
)
from dockdesk.core.work import Work
from dockdesk.ui.panes.dockerfiles.build_dialog import BuildDialog
from dockdesk.ui.panes.dockerfiles.build_view import BuildView
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from tests.fakes import FakeEngine
from tests.ui.doubles import environment
from tests.ui.panes.dockerfiles.conftest import Desk
from tests.ui.panes.hands import dialog, open_dialogs

TEXT = """FROM busybox AS base
RUN one
FROM base
COPY data /
RUN two
"""
ITEMS: Sequence[BuildItem] = (
    BuildStep("i", "[internal] load build definition from Dockerfile", (), False, 10.0, 10.1),
    BuildStep("f", "[base 1/2] FROM docker.io/library/busybox", ("i",), False, 10.1, 12.0),
    BuildStep("o", "[base 2/2] RUN one", ("f",), True, 12.0, 12.0),
    BuildStep("c", "[stage-1 1/2] COPY data /", ("o",), False, 12.0, 12.5),
    BuildStep("t", "[stage-1 2/2] RUN two", ("c",), False, 12.5),
    BuildLog("t", b"\x1b[32mtwo\x1b[0m begins\n"),
)
FAILED = BuildStep("t", "[stage-1 2/2] RUN two", ("c",), False, 12.5, 14.0, "exit code: 127")
DONE = BuildStep("t", "[stage-1 2/2] RUN two", ("c",), False, 12.5, 14.0)


class Builds(FakeEngine):
    """Tells `ITEMS`, waits for `go`, and ends as `error` has it."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.error: BuildError | None = None
        self.specs: list[BuildSpec] = []
        self.first: Sequence[BuildItem] = ITEMS

    def build(
        self, spec: BuildSpec, sink: Callable[[Sequence[BuildItem]], None], work: Work
    ) -> BuildResult:
        self.specs.append(spec)
        sink(self.first)
        while not self.go.wait(0.01):
            work.check()
        if self.error is not None:
            sink([BuildLog("t", b"/bin/sh: two: not found\n"), FAILED])
            raise self.error
        sink([DONE, BuildStep("e", "exporting to image", ("t",), False, 14.0, 14.2)])
        return BuildResult("buildkit", self._add_image(spec.tags[0]))


@pytest.fixture
def engine(desk: Desk) -> Iterator[Builds]:
    made = Builds()
    desk.rig.engine = made
    (desk.folder / "Dockerfile").write_text(TEXT)
    desk.rig.connect()
    yield made
    made.go.set()


def ask(desk: Desk) -> BuildDialog:
    """Press the button; the form that opens."""
    desk.rig.until(lambda: not desk.rig.jobs.busy() or desk.rig.builds.running())
    desk.pane.bound["build.run"].trigger()
    return dialog(desk.rig, BuildDialog)


def start(desk: Desk, document: OpenDocument, **values: Any) -> BuildView:
    """Build with these values; waits until its steps are shown."""
    form = ask(desk)
    form.form.fill(values)
    form.submit()
    view = shown(desk)
    desk.rig.until(lambda: view.run is not None and len(view.steps.items) >= 5)
    assert document is desk.pane.document
    return view


def shown(desk: Desk) -> BuildView:
    desk.rig.until(lambda: desk.pane.below.view("build") is not None)
    view = desk.pane.below.view("build")
    assert isinstance(view, BuildView)
    return view


def over(desk: Desk, view: BuildView) -> None:
    desk.rig.until(lambda: view.run is not None and view.run.over)


def text_of(view: BuildView) -> str:
    snapshot = view.panel.feed.store.snapshot()
    rows = snapshot.rows(snapshot.first_row, snapshot.last_row - snapshot.first_row)
    return "\n".join(row.data.decode() for row in rows)


def test_a_build_is_asked_for_and_followed(desk: Desk, engine: Builds) -> None:
    document = desk.open()
    form = ask(desk)
    assert form.values()["tags"] == "shop:latest"
    desk.rig.until(lambda: "--tag shop:latest" in form.preview.text.toPlainText())
    form.submit()
    view = shown(desk)
    desk.rig.until(lambda: view.run is not None and text_of(view))
    assert not open_dialogs()
    assert (engine.specs[0].text, engine.specs[0].tags) == (TEXT, ("shop:latest",))
    # It follows what runs.
    assert view.steps.key == view.log.key == "t"
    assert "two" in text_of(view)
    assert [item.group for item in view.steps.items] == [
        "Preparation", "base", "base", "Stage 1", "Stage 1",
    ]  # fmt: skip
    assert [item.state for item in view.steps.items][-3:] == ["cached", "done", "running"]
    assert not view.header.stop.isHidden()
    engine.go.set()
    over(desk, view)
    desk.rig.settle()
    desk.rig.until(lambda: not view.header.image.isHidden())
    assert view.steps.items[-1].group == "Result"
    assert [entry.equivalent.cli for entry in desk.rig.audit.entries] == [
        f"docker buildx build --tag shop:latest {document.context_folder}"
    ]
    QTest.mouseClick(view.header.image, Qt.MouseButton.LeftButton)
    opened = desk.rig.navigator.went[-1]
    assert opened[0] == "open"
    assert isinstance(opened[1], ResourceRef)
    assert (opened[1].kind, opened[1].name) == ("image", "shop:latest")
    image = desk.rig.engine.image(opened[1].id).image
    desk.rig.until(lambda: image.id in desk.rig.session.images)
    QTest.mouseClick(view.header.run, Qt.MouseButton.LeftButton)
    assert desk.rig.navigator.went[-1][:2] == ("trigger", "container.run")


def test_a_chosen_step_stays_chosen(desk: Desk, engine: Builds) -> None:
    view = start(desk, desk.open())
    view.steps.setFocus()
    QTest.keyClick(view.steps, Qt.Key.Key_Home)
    assert view.log.key == "i"
    engine.go.set()
    over(desk, view)
    desk.rig.settle()
    assert view.steps.key == "i"
    line = view.steps.line_of("c")
    assert line is not None
    spot = view.steps.rect_of(line).center()
    QTest.mouseClick(view.steps.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert view.log.key == "c"
    QTest.keyClick(view.steps, Qt.Key.Key_Return)
    assert desk.pane.document is not None
    assert desk.pane.document.line == 3


def test_a_failure_is_explained_at_its_line(desk: Desk, engine: Builds) -> None:
    document = desk.open()
    desk.checked(document)
    engine.error = BuildError("A step failed with exit code 127", "exit code: 127", "", "t", 5)
    engine.go.set()
    view = start(desk, document)
    over(desk, view)
    desk.rig.until(lambda: "two" in view.banner.hint.text())
    assert view.banner.title.text() == "A step failed with exit code 127"
    assert view.banner.lines.text() == "/bin/sh: two: not found"
    assert view.steps.key == "t"
    desk.rig.until(lambda: "exit code: 127" in text_of(view))
    desk.rig.until(lambda: any(p.source == "build" for p in document.problems()))
    (problem,) = [p for p in document.problems() if p.source == "build"]
    assert (problem.line, problem.tone) == (4, "bad")
    document.go_to(0)
    (go,) = [b for b in view.banner.buttons if b.text() == "Go to line 5"]
    QTest.mouseClick(go, Qt.MouseButton.LeftButton)
    assert document.line == 4
    # A new build forgets what the one before said.
    engine.error = None
    desk.pane.bound["build.again"].trigger()
    desk.rig.until(lambda: len(engine.specs) == 2)
    desk.rig.until(lambda: not any(p.source == "build" for p in document.problems()))
    desk.rig.until(lambda: view.run is not None and view.run.state == "ok")
    assert view.banner.isHidden()


def test_an_excluded_file_leads_to_its_rule(desk: Desk, engine: Builds) -> None:
    (desk.folder / ".dockerignore").write_text("# what is large\ndata\n")
    engine.error = BuildError(
        "The build failed",
        'failed to compute cache key: failed to calculate checksum of ref a::b: "/data": not found',
        "",
        "c",
        4,
    )
    engine.go.set()
    view = start(desk, desk.open())
    over(desk, view)
    desk.rig.until(lambda: "Line 2 of .dockerignore" in view.banner.hint.text())
    (show,) = [b for b in view.banner.buttons if b.text() == "Open .dockerignore"]
    QTest.mouseClick(show, Qt.MouseButton.LeftButton)
    assert desk.rig.navigator.went[-1][1].id == str(desk.folder / ".dockerignore")


def test_stopping_ends_the_build_in_the_engine(desk: Desk, engine: Builds) -> None:
    view = start(desk, desk.open())
    QTest.mouseClick(view.header.stop, Qt.MouseButton.LeftButton)
    over(desk, view)
    assert view.run is not None
    assert view.run.state == "cancelled"
    desk.rig.settle()
    assert desk.rig.audit.entries[-1].outcome == "cancelled"
    assert not view.header.again.isHidden()


def test_unsaved_text_is_built_or_saved_first(desk: Desk, engine: Builds) -> None:
    engine.go.set()
    document = desk.open()
    document.editor.moveCursor(document.editor.textCursor().MoveOperation.End)
    desk.type(document, "RUN three\n")
    form = ask(desk)
    assert form.values()["save_first"] is False
    desk.rig.until(lambda: "editor" in form.preview.text.toPlainText())
    form.submit()
    desk.rig.until(lambda: engine.specs)
    assert engine.specs[0].text == TEXT + "RUN three\n"
    assert (desk.folder / "Dockerfile").read_text() == TEXT
    view = shown(desk)
    over(desk, view)
    form = ask(desk)
    form.form.fill({"save_first": True})
    form.submit()
    desk.rig.until(lambda: len(engine.specs) == 2)
    assert (desk.folder / "Dockerfile").read_text() == TEXT + "RUN three\n"
    assert desk.rig.settings.get(BUILD_SAVES) is True
    over(desk, view)
    desk.rig.settle()


def test_nothing_is_lost_when_the_pane_is_left(desk: Desk, engine: Builds) -> None:
    document = desk.open()
    view = start(desk, document)
    run = view.run
    desk.pane.hide()
    other = desk.open(".dockerignore")
    assert desk.pane.document is other
    desk.pane.workspace.discard(document)
    engine.go.set()
    desk.rig.until(lambda: run is not None and run.state == "ok")
    desk.rig.until(lambda: [n.title for n in desk.rig.notices.shown] == ["Built shop:latest"])
    desk.pane.show()
    again = desk.open()
    desk.rig.until(lambda: desk.pane.document is again)
    desk.pane.show_view("build")
    desk.rig.until(lambda: view.run is run and len(view.steps.items) == 6)
    assert "two" in text_of(view)


def test_earlier_builds_can_be_looked_at(desk: Desk, engine: Builds) -> None:
    engine.go.set()
    document = desk.open()
    view = start(desk, document)
    over(desk, view)
    start(desk, document, tags="shop:2")
    desk.rig.until(lambda: view.run is not None and view.run.number == 2 and view.run.over)
    assert not view.header.others.isHidden()
    menu = view.header.others.menu()
    menu.aboutToShow.emit()
    newest, first = menu.actions()
    assert "shop:2" in newest.text()
    assert "shop:latest" in first.text()
    first.trigger()
    assert view.run is not None
    assert view.run.number == 1


def test_the_timeline_shows_what_took_long(desk: Desk, engine: Builds) -> None:
    view = start(desk, desk.open())
    view.header.pages.button("timeline").click()
    assert [item.key for item in view.gantt.items] == ["i", "f", "o", "c", "t"]
    engine.go.set()
    over(desk, view)
    desk.rig.until(lambda: list(view.gantt.critical) == ["i", "f", "o", "c", "t", "e"])
    start_at, length = view.gantt.span()
    assert (start_at, round(length, 3)) == (10.0, 4.2)
    item = next(item for item in view.gantt.items if item.key == "f")
    line = view.gantt.line_of("f")
    assert line is not None
    bar = view.gantt.bar_of(item, view.gantt.rect_of(line))
    other = view.gantt.bar_of(view.gantt.items[-1], view.gantt.rect_of(line))
    assert bar.width() > other.width()
    assert bar.right() < other.left()
    assert "Critical path" not in view.gantt.tip(item)
    assert "critical path" in view.gantt.tip(item)
    QTest.mouseClick(
        view.gantt.viewport(), Qt.MouseButton.LeftButton, pos=view.gantt.rect_of(line).center()
    )
    assert view.log.key == "f"


def test_what_was_filled_in_is_there_again(desk: Desk, engine: Builds) -> None:
    engine.go.set()
    document = desk.open()
    view = start(desk, document, tags="shop:9 hub.example/shop:9", args="A=1\nB_TOKEN=x", pull=True)
    over(desk, view)
    form = ask(desk)
    values = form.values()
    assert values["tags"] == "shop:9 hub.example/shop:9"
    # In this window secrets are known; to the disk they never go.
    assert values["args"] == "A=1\nB_TOKEN=x"
    form.reject()
    desk.rig.until(lambda: list((desk.data / "builds").glob("*.json")))
    desk.rig.settle()
    written = "".join(path.read_text() for path in (desk.data / "builds").glob("*.json"))
    assert "hub.example/shop:9" in written
    assert "B_TOKEN" not in written


def test_presets_are_kept_and_chosen(desk: Desk, engine: Builds) -> None:
    desk.open()
    form = ask(desk)
    form.form.fill({"tags": "shop:rel", "target": "base"})
    form.menu._keep("release", form.spec(), False)
    desk.rig.until(lambda: "release" in form.menu._found)
    form.form.fill({"tags": "other", "target": ""})
    entry = next(action for action in form.menu.actions() if action.text() == "release")
    entry.trigger()
    assert (form.values()["tags"], form.values()["target"]) == ("shop:rel", "base")
    form._discard()


def test_wrong_values_are_told_at_their_fields(desk: Desk, engine: Builds) -> None:
    desk.open()
    form = ask(desk)
    form.form.fill({"tags": "Not A Tag", "output": "local"})
    form.submit()
    assert set(form.problems()) == {"tags", "output_folder"}
    assert form.isVisible()
    assert form.form.editor("tags").input().property("invalid")
    assert not engine.specs
    form._discard()


def test_builders_of_buildx_can_be_chosen(desk: Desk, engine: Builds) -> None:
    engine.build_builders = [Builder("farm", "docker-container", "running")]
    engine.go.set()
    document = desk.open()
    form = ask(desk)
    builder = form.form.editor("builder").input()
    desk.rig.until(lambda: builder.count() == 2)  # type: ignore[attr-defined]
    form.form.fill({"builder": "farm"})
    assert form.builder().driver == "docker-container"
    form.submit()
    desk.rig.until(lambda: engine.specs)
    assert engine.specs[0].builder == "farm"
    # It reads the file itself, so that <Dockerfile>.dockerignore is found.
    assert engine.specs[0].text is None
    assert shown(desk).run is not None
    assert document.path is not None


def test_warnings_of_the_builder_become_problems(desk: Desk, engine: Builds) -> None:
    engine.go.set()
    document = desk.open()
    desk.checked(document)
    warning = BuildWarning(
        "i", "StageNameCasing: Stage name should be lowercase (line 3)", 1, (), "", "", ((3, 3),)
    )
    engine.first = (*ITEMS, warning)
    start(desk, document)
    desk.rig.until(lambda: any(p.code == "StageNameCasing" for p in document.problems()))


def test_a_guarded_environment_refuses(desk: Desk, engine: Builds) -> None:
    document = desk.open()
    desk.rig.session.connect_to(environment(Guard.READ_ONLY), lambda _work: engine)
    desk.rig.until(lambda: not desk.pane.bound["build.run"].isEnabled())
    desk.pane.builds.open_form(document)
    form = dialog(desk.rig, BuildDialog)
    form.submit()
    desk.rig.until(lambda: form.messages.count() == 1)
    assert not engine.specs
    form._discard()


def test_without_a_dockerfile_it_says_what_to_do(desk: Desk, engine: Builds) -> None:
    desk.pane.bound["build.run"].trigger()
    assert desk.rig.notices.shown[-1].title == "No Dockerfile is open"
    desk.open("compose.yaml")
    desk.pane.bound["build.run"].trigger()
    assert len(desk.rig.notices.shown) == 2
    # Beside the one Dockerfile that is open, its other files build it, too.
    desk.open()
    desk.open("compose.yaml")
    form = ask(desk)
    assert form.heading.text() == "Build Dockerfile"
    form.reject()


def test_a_document_that_was_never_saved_is_built(
    desk: Desk, engine: Builds, tmp_path: Path
) -> None:
    engine.go.set()
    document = desk.pane.workspace.new("FROM scratch\n", project=desk.folder)
    form = ask(desk)
    assert form.values()["context"] == str(desk.folder)
    form.submit()
    desk.rig.until(lambda: engine.specs)
    spec = engine.specs[0]
    assert (spec.text, spec.dockerfile, spec.context) == ("FROM scratch\n", "", desk.folder)
    assert replace(spec, text=None).tags == ("shop:latest",)
    over(desk, shown(desk))
    desk.pane.workspace.discard(document)
