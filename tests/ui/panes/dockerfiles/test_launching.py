"""On a real engine: a folder without a Dockerfile becomes a running container, which follows its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.core.resources.containers import Container
from dockdesk.core.work import SilentWork
from dockdesk.ui.panes.dockerfiles.pane import DockerfilesPane
from dockdesk.ui.panes.dockerfiles.wizard import ProjectWizard
from tests.ui.panes.dockerfiles.conftest import make_pane
from tests.ui.panes.hands import dialog
from tests.ui.rig import Rig

pytestmark = [pytest.mark.qt_log_ignore("grabbing the (keyboard|mouse)"), pytest.mark.engine]

BASE = "python:3.13-slim"
# What stands for Python where none can be fetched: it makes an environment, and serves a page.
PYTHON = """FROM {base}
RUN printf '%s\\n' '#!/bin/sh' \\
    'case "$1" in -m) mkdir -p "$3/bin";; -c) exit 0;;' \\
    '*) grep -q BROKEN "$1" && exit 7; mkdir -p /tmp/w && cp "$1" /tmp/w/index.html' \\
    'trap "exit 0" TERM; httpd -f -p 8000 -h /tmp/w & wait;; esac' > /bin/python && chmod +x /bin/python
"""


@dataclass
class Real:
    rig: Rig
    pane: DockerfilesPane
    engine: EngineBackend
    folder: Path

    def container(self) -> Container | None:
        return next((c for c in self.engine.containers() if c.name == self.folder.name), None)

    def until(self, condition: Any, timeout: int = 60_000) -> None:
        self.rig.qtbot.waitUntil(lambda: bool(condition()), timeout=timeout)

    def page(self) -> str:
        """What the container serves; empty while it does not run."""
        container = self.container()
        if container is None or not container.running:
            return ""
        try:
            return self.engine.read_file(container.id, "/tmp/w/index.html")[0].decode()
        except DockDeskError:
            return ""


@pytest.fixture
def real(
    theme: Any,
    jobs: Any,
    pulse: Any,
    qtbot: Any,
    docker_engine: EngineBackend,
    busybox_image: str,
    tmp_path: Path,
) -> Iterator[Real]:
    docker_engine.build(
        BuildSpec(tmp_path, text=PYTHON.format(base=busybox_image), tags=(BASE,), network="none"),
        lambda _items: None,
        SilentWork(),
    )
    folder = tmp_path / "ddlaunch"
    folder.mkdir()
    (folder / "main.py").write_text("one\n")
    engine: Any = docker_engine
    rig = Rig(theme, jobs, pulse, qtbot, engine=engine)
    pane = make_pane(rig, tmp_path / "data")
    rig.connect()
    rig.until(lambda: rig.session.loaded("containers"))
    made = Real(rig, pane, docker_engine, folder)
    yield made
    pane.watch.close()
    for container in docker_engine.containers():
        if container.name.startswith(folder.name):
            docker_engine.remove(container.id, force=True)
    rig.close()


def launched(real: Real) -> None:
    """The whole path: choose the folder, a port, and press the button."""
    real.pane.starting.new_from_project(real.folder)
    wizard = dialog(real.rig, ProjectWizard)
    real.until(lambda: wizard._form is not None)
    assert wizard._form is not None
    # The newest syntax would have to be fetched.
    wizard._form.editor("newest").set_value(False)
    wizard._form.editor("port").set_value("8000")
    real.until(lambda: "EXPOSE 8000" in wizard.previews["Dockerfile"].text())
    real.until(lambda: wizard.previews["Dockerfile"].text().startswith("#"))
    real.until(lambda: "syntax=" not in wizard.previews["Dockerfile"].text())
    QTest.mouseClick(wizard.run_button, Qt.MouseButton.LeftButton)
    real.until(lambda: any("is running" in notice.title for notice in real.rig.notices.shown))


def test_a_folder_becomes_a_container_that_follows_its_files(real: Real) -> None:
    launched(real)
    first = real.container()
    assert first is not None
    assert first.running
    real.until(lambda: real.page() == "one\n")
    document = real.pane.document
    assert document is not None
    real.pane.watch.start(document)
    watch = real.pane.watch
    real.until(lambda: watch.state.tone == "good" and watch.ready)
    (real.folder / "main.py").write_text("two\n")
    real.until(lambda: real.page() == "two\n")
    real.until(lambda: watch.state.tone == "good")
    second = real.container()
    assert second is not None
    assert second.id != first.id
    assert [p.public for p in second.ports if p.public] == [
        p.public for p in first.ports if p.public
    ]
    assert watch.files == ["main.py"]
    # A program that ends at its start: the container before runs on.
    (real.folder / "main.py").write_text("BROKEN\n")
    real.until(lambda: watch.state.word == "failed")
    real.until(lambda: real.page() == "two\n")
    back = real.container()
    assert back is not None
    assert back.id == second.id
    # A Dockerfile that can't be built leaves it alone, too.
    (real.folder / "main.py").write_text("three\n")
    real.until(lambda: real.page() == "three\n")
    text = (real.folder / "Dockerfile").read_text()
    (real.folder / "Dockerfile").write_text(text.replace("USER", "RUN exit 4\nUSER"))
    real.until(lambda: watch.state.text.startswith("The build failed"))
    assert real.page() == "three\n"
