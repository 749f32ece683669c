"""Watch mode on real files and the engine in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from dockdesk.core.errors import BuildError, RemoteError
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.resources.builds import BuildResult
from dockdesk.core.resources.containers import Container, Port
from dockdesk.core.work import SilentWork
from dockdesk.ui.panes.dockerfiles import launch_plan
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.launch_plan import (
    LABEL,
    Launch,
    equivalent_of,
    host_of,
    name_for,
    own_container,
    plan,
    url_of,
)
from tests.fakes import FakeEngine
from tests.ui.panes.dockerfiles.conftest import Desk

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")
WORK = SilentWork()


class Builder:
    """What the fake engine builds: another image at each change."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.count = 0
        self.error: Exception | None = None
        self.hold: Any = None
        self.same = False
        engine.build = self.build  # type: ignore[method-assign]

    def build(self, spec: Any, sink: Any, work: Any) -> BuildResult:
        self.count += 1
        if self.hold is not None:
            while not self.hold.is_set():
                work.check()
                self.hold.wait(0.01)
        if self.error is not None:
            raise self.error
        number = 0 if self.same else self.count
        self.engine._add_image(spec.tags[0])
        return BuildResult("buildkit", f"sha256:{number:064x}")


@pytest.fixture
def builder(desk: Desk) -> Iterator[Builder]:
    made = Builder(desk.rig.engine)
    own = desk.rig.engine.image

    def image(id: str) -> Any:
        return own(next(i.id for i in desk.rig.engine.images() if i.tags == ("shop:latest",)))

    desk.rig.engine.image = image  # type: ignore[method-assign]
    desk.rig.connect()
    yield made
    desk.pane.watch.close()


def shop(desk: Desk) -> Container | None:
    return next((c for c in desk.rig.engine.containers() if c.name == "shop"), None)


def watched(desk: Desk) -> OpenDocument:
    document = desk.open()
    desk.pane.watch.start(document)
    resting(desk)
    return document


def resting(desk: Desk) -> None:
    """Wait until the last build's container runs, and changes are seen."""
    desk.rig.until(lambda: desk.pane.watch.state.tone == "good" and desk.pane.watch.ready)


def change(desk: Desk, name: str = "app.py", text: str = "print(1)\n") -> None:
    (desk.folder / name).write_text(text)


def test_a_change_builds_and_the_container_runs_anew(desk: Desk, builder: Builder) -> None:
    watched(desk)
    first = shop(desk)
    assert first is not None
    assert first.labels[LABEL] == str(desk.folder / "Dockerfile")
    assert desk.pane.strip.isVisible()
    assert desk.pane._watch_button.isChecked()
    change(desk)
    desk.rig.until(lambda: builder.count == 2)
    resting(desk)
    desk.rig.until(lambda: (c := shop(desk)) is not None and c.id != first.id)
    assert desk.pane.strip.words._whole.startswith("shop restarted at ")
    assert desk.pane.strip.detail._whole == "app.py changed. Watching for changes"
    commands = [entry.equivalent.cli for entry in desk.rig.audit.entries]
    assert any(command.startswith("docker run -d --name shop") for command in commands)
    assert any(command.startswith("docker stop shop && docker rm shop") for command in commands)


def test_what_is_ignored_builds_nothing(desk: Desk, builder: Builder) -> None:
    (desk.folder / ".dockerignore").write_text("*.log\n")
    watched(desk)
    change(desk, "noise.log")
    change(desk)
    desk.rig.until(lambda: builder.count == 2)
    resting(desk)
    assert desk.pane.watch.files == ["app.py"]


def test_changes_during_a_build_are_one_more_build(desk: Desk, builder: Builder) -> None:
    import threading

    watched(desk)
    builder.hold = threading.Event()
    change(desk)
    desk.rig.until(lambda: builder.count == 2)
    change(desk, "b.py")
    desk.rig.until(lambda: desk.pane.watch._pending)
    change(desk, "c.py")
    desk.rig.until(lambda: "c.py" in desk.pane.watch.files)
    builder.hold.set()
    desk.rig.until(lambda: builder.count == 3)
    resting(desk)
    assert builder.count == 3


def test_a_build_that_fails_leaves_the_container_alone(desk: Desk, builder: Builder) -> None:
    watched(desk)
    first = shop(desk)
    builder.error = BuildError("RUN make failed", "exit 2")
    change(desk)
    desk.rig.until(lambda: desk.pane.watch.state.word == "failed")
    assert desk.pane.strip.detail._whole == "The container runs as before."
    assert shop(desk) == first
    builder.error = None
    change(desk, text="print(2)\n")
    resting(desk)
    desk.rig.until(lambda: shop(desk) != first)


def test_a_container_that_can_not_start_is_taken_back(desk: Desk, builder: Builder) -> None:
    watched(desk)
    first = shop(desk)
    assert first is not None
    own = desk.rig.engine.start

    def start(id: str) -> None:
        if id != first.id:
            raise RemoteError("No such program", "python")
        own(id)

    desk.rig.engine.start = start  # type: ignore[method-assign]
    change(desk)
    desk.rig.until(lambda: desk.pane.watch.state.word == "failed")
    assert "runs again" in desk.pane.watch.state.detail
    after = shop(desk)
    assert after is not None
    assert (after.id, after.running) == (first.id, True)


def test_the_same_image_needs_no_restart(desk: Desk, builder: Builder) -> None:
    builder.same = True
    watched(desk)
    first = shop(desk)
    desk.rig.until(lambda: first is not None and first.id in desk.rig.session.containers)
    QTest.keyClick(desk.pane, Qt.Key.Key_Escape)
    desk.pane.watch.build_now()
    desk.rig.until(lambda: builder.count == 2)
    desk.rig.until(lambda: "Nothing changed" in desk.pane.watch.state.text)
    assert shop(desk) == first


def test_it_ends_by_its_button_and_with_its_document(desk: Desk, builder: Builder) -> None:
    document = watched(desk)
    QTest.mouseClick(desk.pane.strip.stop_button, Qt.MouseButton.LeftButton)
    assert not desk.pane.strip.isVisible()
    assert not desk.pane._watch_button.isChecked()
    change(desk)
    desk.pane.watch.start(document)
    resting(desk)
    desk.pane.workspace.discard(document)
    desk.rig.until(lambda: not desk.pane.watch.state.on)
    assert not desk.pane.watch.watcher.active


def test_without_the_engine_it_waits(desk: Desk, builder: Builder) -> None:
    watched(desk)
    desk.rig.session.disconnect()
    desk.rig.until(lambda: desk.pane.watch.state.word == "waiting")
    change(desk)
    desk.rig.until(lambda: desk.pane.watch._pending)
    assert builder.count == 1
    desk.rig.connect()
    desk.rig.until(lambda: builder.count == 2)
    resting(desk)


def test_a_file_that_is_nowhere_can_not_be_watched(desk: Desk, builder: Builder) -> None:
    document = desk.pane.workspace.new()
    desk.pane.watch.toggle(document)
    assert not desk.pane.watch.state.on
    assert desk.rig.notices.shown[-1].title == "Save the Dockerfile first"
    desk.pane.workspace.discard(document)


def test_build_and_run_shows_the_container_and_replaces_it(desk: Desk, builder: Builder) -> None:
    document = desk.open()
    desk.pane.launcher.build_and_run(document)
    desk.rig.until(lambda: desk.rig.navigator.went)
    first = shop(desk)
    assert first is not None
    assert desk.rig.navigator.went[-1][1].id == first.id
    assert desk.rig.notices.shown[-1].title == "shop is running"
    desk.rig.navigator.went.clear()
    desk.pane.launcher.build_and_run(document)
    desk.rig.until(lambda: desk.rig.navigator.went)
    second = shop(desk)
    assert second is not None
    assert second.id != first.id
    assert builder.count == 2


# What is run, and under which ports.


def container(name: str, **more: Any) -> Container:
    more.setdefault("state", "running")
    return Container(
        name, name, more.pop("image", "shop:latest"), "i", status="", created=1.0, **more
    )


def test_the_container_that_a_build_replaces() -> None:
    mine = container("mine", labels={LABEL: "/p/Dockerfile"}, image="other")
    same, ended = container("same"), container("ended", state="exited")
    last = container("last", image="x")
    every = [ended, same, mine, last]
    assert own_container(every, "/p/Dockerfile", "shop:latest", "last") is last
    assert own_container(every, "/p/Dockerfile", "shop:latest", "gone") is mine
    assert own_container([ended, same], "/p/Dockerfile", "shop:latest") is same
    assert own_container([last], "/p/Dockerfile", "shop:latest") is None


def test_names_and_addresses() -> None:
    assert name_for("registry.local:5000/team/shop:1", {"x"}) == "shop"
    assert name_for("shop:latest", {"shop", "shop-2"}) == "shop-3"
    assert name_for("p:latest", set()) == "p-app"
    assert name_for("_.:1", {"app"}) == "app-2"
    assert host_of("unix:///run/docker.sock") == "localhost"
    assert host_of("tcp://build.local:2376") == "build.local"
    assert url_of(None, ["8080:80"], "localhost") == "http://localhost:8080/"
    assert url_of(None, ["53:53/udp"], "localhost") == ""
    published = container("a", ports=(Port(80, public=9000),))
    assert url_of(published, (), "h") == "http://h:9000/"


def test_ports_are_published_where_they_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    image = engine.images()[0]
    detail = engine.image(image.id)
    from dataclasses import replace

    exposed = replace(detail, exposed=("80/tcp", "8000/tcp", "53/udp"))
    engine.image = lambda _id: exposed  # type: ignore[method-assign]
    engine.containers = lambda ids=(): [container("a", ports=(Port(1, public=8000),))]  # type: ignore[method-assign]
    monkeypatch.setattr(launch_plan, "_taken", lambda port: port == 8001)
    made = plan(engine, "/p/Dockerfile", "web:1", image.id)
    assert made.instead is None
    assert made.spec.ports == ("8080:80", "8002:8000", "53:53/udp")
    assert made.spec.labels == ((LABEL, "/p/Dockerfile"),)
    far = plan(engine, "/p/Dockerfile", "web:1", image.id, local=False)
    assert far.spec.ports[1] == "8001:8000"


def test_the_same_as_commands() -> None:
    spec = ContainerSpec("web:1", name="web", ports=("80:80",))
    assert equivalent_of(Launch("web:1", spec)).cli.startswith("docker run -d")
    renewed = equivalent_of(Launch("web:1", spec, container("it's")))
    assert renewed.cli.startswith("docker stop 'it'\"'\"'s' && docker rm")
    assert renewed.sdk.endswith("detach=True)")
