"""What the workspace remembers from one start to the next, and how it is brought back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockdesk.core.errors import DockDeskError
from dockdesk.core.records import dataclass
from dockdesk.ui.panes.dockerfiles.files import FileContent

if TYPE_CHECKING:
    from dockdesk.ui.panes.dockerfiles.document import OpenDocument
    from dockdesk.ui.panes.dockerfiles.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _OpenFile:
    path: Path
    line: int
    column: int
    front: bool


def state_of(workspace: Workspace) -> dict[str, Any]:
    """Plain JSON values."""
    current = workspace.tabs.current
    return {
        "files": [
            {"path": str(item.path), "place": list(item.editor.cursor_place())}
            for item in workspace.tabs.documents()
            if item.path is not None
        ],
        "current": str(current.path) if current is not None and current.path else "",
        "folders": [str(folder) for folder in workspace.projects],
        "wraps": workspace.wraps,
        "size": workspace.size,
    }


def bring_back(workspace: Workspace, state: Mapping[str, Any]) -> None:
    """Open what was open, tab by tab in its order. What the user opens meanwhile stays in front."""
    workspace.wraps = state.get("wraps") is True
    size = state.get("size")
    workspace.size = size if isinstance(size, int) and 0 <= size <= 40 else 0
    for folder in _texts(state.get("folders")):
        workspace.list_folder(Path(folder), quiet=True)
    todo = _files(state)
    asked = workspace.asked

    def following() -> None:
        if not todo:
            return
        item = todo.pop(0)

        def read(content: FileContent) -> None:
            if workspace.document_of(item.path) is not None:
                following()
                return
            front = item.front and workspace.asked == asked
            project = _project(workspace, item.path)
            workspace.take_in(content, project, front=front, done=placed)

        def placed(document: OpenDocument) -> None:
            document.editor.go_to(item.line, item.column)
            following()

        def gone(_error: DockDeskError) -> None:
            workspace.forget_recent(item.path)
            following()

        workspace.keeper.read(item.path, read, gone)

    following()


def _project(workspace: Workspace, path: Path) -> Path | None:
    return next((folder for folder in workspace.projects if path.is_relative_to(folder)), None)


def _files(state: Mapping[str, Any]) -> list[_OpenFile]:
    found = []
    files = state.get("files")
    for item in files if isinstance(files, list) else []:
        if not isinstance(item, Mapping) or not isinstance(item.get("path"), str):
            continue
        match item.get("place"):
            case [int(line), int(column)]:
                pass
            case _:
                line = column = 0
        front = item["path"] == state.get("current")
        found.append(_OpenFile(Path(item["path"]), line, column, front))
    return found


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
