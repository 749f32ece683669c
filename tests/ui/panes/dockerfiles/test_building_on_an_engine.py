"""Building from the pane on real engines: several stages, an argument, a secret, the cache, a failure, a stop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.ui.panes.dockerfiles.build_dialog import BuildDialog
from dockdesk.ui.panes.dockerfiles.build_view import BuildView
from tests.ui.panes.dockerfiles.conftest import Desk, make_pane
from tests.ui.panes.hands import dialog
from tests.ui.rig import Rig

pytestmark = pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)")

TAG = "dockdesk/pane-build:test"
TEXT = """ARG WORDS=nothing
FROM {busybox} AS made
ARG WORDS
COPY data.txt /in/
RUN echo "made of $WORDS" > /out && cat /in/data.txt
{secret}
FROM scratch
COPY --from=made /out /out
"""
SECRET = "RUN --mount=type=secret,id=key,required=true wc -c < /run/secrets/key > /size\n"


@pytest.fixture
def desk(
    theme: Any,
    jobs: Any,
    pulse: Any,
    qtbot: Any,
    docker_engine: EngineBackend,
    busybox_image: str,
    tmp_path: Path,
) -> Iterator[Desk]:
    engine: Any = docker_engine
    rig = Rig(theme, jobs, pulse, qtbot, engine=engine)
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "data.txt").write_text("the data\n")
    (folder / "key").write_text("hunter2")
    (folder / ".dockerignore").write_text("key\n")
    rig.connect()
    secret = SECRET if "buildkit" in rig.session.capabilities else ""
    (folder / "Dockerfile").write_text(TEXT.format(busybox=busybox_image, secret=secret))
    made = Desk(rig, make_pane(rig, tmp_path / "data"), folder, tmp_path / "data")
    yield made
    made.pane.hide()
    for image in docker_engine.images():
        if TAG in image.tags:
            docker_engine.remove_image(image.id, force=True)
    rig.settle()
    rig.close()


def build(desk: Desk, **values: Any) -> BuildView:
    """Fill the form in and build; the view, as soon as it has another build."""
    desk.pane.bound["build.run"].trigger()
    form = dialog(desk.rig, BuildDialog)
    if "buildkit" in desk.rig.session.capabilities and "secret:key" in form.values():
        values.setdefault("secret:key", str(desk.folder / "key"))
    form.form.fill({"tags": TAG, "network": "none", **values})
    assert form.problems() == {}
    count = len(desk.rig.builds.runs)
    form.submit()
    desk.rig.until(lambda: len(desk.rig.builds.runs) > count)
    desk.rig.until(lambda: desk.pane.below.view("build") is not None)
    view = desk.pane.below.view("build")
    assert isinstance(view, BuildView)
    desk.rig.until(lambda: view.run is desk.rig.builds.runs[0])
    return view


def over(desk: Desk, view: BuildView) -> None:
    desk.rig.qtbot.waitUntil(lambda: view.run is not None and view.run.over, timeout=120_000)
    assert view.run is not None
    desk.rig.until(lambda: view.steps.items)


def states(view: BuildView, keyword: str) -> list[str]:
    return [item.state for item in view.steps.items if item.title.startswith(keyword)]


def test_builds_from_the_pane(desk: Desk, docker_engine: EngineBackend) -> None:
    document = desk.open()
    view = build(desk, **{"arg:WORDS": "hills"})
    over(desk, view)
    run = view.run
    assert run is not None
    assert run.state == "ok", run.error
    assert any(TAG in image.tags for image in docker_engine.images())
    logs = b"".join(bytes(step.log) for step in run.progress.steps.values())
    assert b"the data" in logs
    places = {place.line for step in run.progress.in_order() if (place := run.place(step))}
    assert 4 in places
    # A second one comes from the cache.
    desk.pane.bound["build.again"].trigger()
    desk.rig.until(lambda: view.run is not run)
    over(desk, view)
    again = view.run
    assert again is not None
    assert again.state == "ok", again.error
    assert states(view, "RUN")[0] == "cached"
    assert (again.progress.cached_share() or 0) > 0.5
    # What fails is told at its line.
    document.set_text(document.text().replace("cat /in/data.txt", "nosuchprogram"))
    view = build(desk)
    over(desk, view)
    assert view.run is not None
    assert (view.run.state, view.run.failed_line()) == ("failed", 4)
    desk.rig.until(lambda: "nosuchprogram" in view.banner.hint.text())
    assert "nosuchprogram" in view.banner.lines.text()
    desk.rig.until(lambda: any(p.source == "build" and p.line == 4 for p in document.problems()))
    # The file that an ignore rule keeps back is told with its rule.
    document.set_text(document.text().replace("COPY data.txt", "COPY key"))
    view = build(desk)
    over(desk, view)
    desk.rig.until(lambda: "Line 1 of .dockerignore" in view.banner.hint.text())


def test_a_build_is_stopped_in_the_engine(desk: Desk) -> None:
    document = desk.open()
    document.set_text(document.text().replace("cat /in/data.txt", "sleep 600"))
    view = build(desk)
    desk.rig.qtbot.waitUntil(lambda: "running" in states(view, "RUN"), timeout=60_000)
    view.header.stop.click()
    over(desk, view)
    assert view.run is not None
    assert view.run.state == "cancelled"


def test_without_buildkit(desk: Desk) -> None:
    document = desk.open()
    text = document.text().replace(SECRET, "")
    document.set_text(text)
    view = build(desk, classic=True)
    over(desk, view)
    run = view.run
    assert run is not None
    assert run.state == "ok", run.error
    assert "without BuildKit" in view.header.words.text()
    assert states(view, "RUN") == ["done"]
    assert isinstance(replace(run.spec, text=None), BuildSpec)
