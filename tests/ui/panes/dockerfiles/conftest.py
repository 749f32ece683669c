from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import shiboken6

from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.panes.dockerfiles.pane import DockerfilesPane
from tests.ui.rig import Rig

TEXT = """ARG TAG=1
FROM alpine AS base
WORKDIR /src
RUN apk add curl

FROM base AS build
COPY . .

FROM scratch
COPY --from=build /src /src
CMD run it
"""


@dataclass
class Desk:
    """A Dockerfiles pane in a window of its own, with a project beside it."""

    rig: Rig
    pane: DockerfilesPane
    folder: Path
    data: Path

    def open(self, name: str = "Dockerfile") -> OpenDocument:
        path = self.folder / name
        self.pane.workspace.open(path)
        self.rig.until(lambda: self.pane.workspace.document_of(path) is not None)
        document = self.pane.workspace.document_of(path)
        assert document is not None
        return document

    def checked(self, document: OpenDocument) -> None:
        """Wait until the text as it is now has been read by the own rules."""
        self.rig.until(lambda: document.analysis.text == document.text())

    def type(self, document: OpenDocument, text: str) -> None:
        document.editor.insertPlainText(text)

    def crash(self) -> None:
        """As far as the next start can tell."""
        self.rig.settle()
        recovery = self.pane.workspace.keeper._recovery
        assert recovery is not None
        recovery.close()

    def another(self) -> DockerfilesPane:
        """The pane of the program started again, on the same data."""
        return make_pane(self.rig, self.data)


def make_pane(rig: Rig, data: Path) -> DockerfilesPane:
    pane = DockerfilesPane(replace(rig.context, data=data))
    rig.qtbot.addWidget(pane)
    pane.resize(1300, 860)
    pane.show()
    pane.activateWindow()
    return pane


@pytest.fixture
def desk(rig: Rig, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text(TEXT)
    (folder / ".dockerignore").write_text("# rules\n[\nnode_modules\n")
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "app.py").write_text("print()\n")
    made = Desk(rig, make_pane(rig, tmp_path / "data"), folder, tmp_path / "data")
    yield made
    # Its window is closed before fixtures end; one of them that waits has it deleted, too.
    if shiboken6.isValid(made.pane):
        made.pane.hide()
    rig.settle()
