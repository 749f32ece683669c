"""What the pane's actions do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from dockdesk.ui.pane import Handler
from dockdesk.ui.panes.dockerfiles.actions import KEYS
from dockdesk.ui.panes.dockerfiles.document import OpenDocument
from dockdesk.ui.widgets.editor.keys import OWN

if TYPE_CHECKING:
    from dockdesk.ui.panes.dockerfiles.pane import DockerfilesPane


def handlers_of(pane: DockerfilesPane) -> Mapping[str, Handler]:
    """Action id → what it does."""
    work = pane.workspace
    plain: dict[str, Callable[[], object]] = {
        "open_folder": pane.ask_folder,
        "open": pane.ask_file,
        "new": pane.new,
        "from_project": pane.starting.for_project,
        "sample": pane.starting.try_sample,
        "save_all": work.save_all,
        "close_folder": pane.close_folder,
        "wrap": lambda: work.set_wrap(not work.wraps),
        "next_tab": lambda: pane.tabs.step(1),
        "previous_tab": lambda: pane.tabs.step(-1),
    }
    on_document: dict[str, Callable[[OpenDocument], object]] = {
        "save": work.save,
        "save_as": work.save_as,
        "close": work.close,
        "copy_path": _copy_path,
        "find": lambda document: document.view.do("find"),
        "replace": lambda document: document.view.do("replace"),
        "go_to_line": lambda document: document.view.do("go_to_line"),
        "go_to_stage": lambda document: document.view.do("go_to_place"),
    }
    for id, key in KEYS.items():
        on_document[id] = lambda document, key=key: OWN[key](document.editor)  # type: ignore[misc]
    made: dict[str, Handler] = {
        f"dockerfile.{id}": lambda _rows, do=do: do()  # type: ignore[misc]
        for id, do in plain.items()
    }
    for id, act in on_document.items():
        made[f"dockerfile.{id}"] = lambda rows, act=act: act(rows[0])  # type: ignore[misc]
    made["build.and_run"] = lambda _rows: pane.launcher.build_and_run(pane.document)
    made["build.watch"] = lambda _rows: pane.watch.toggle(pane.document)
    made["build.run"] = lambda _rows: pane.build()
    made["build.again"] = lambda _rows: pane.build(again=True)
    return made


def _copy_path(document: OpenDocument) -> None:
    if document.path is not None:
        QGuiApplication.clipboard().setText(str(document.path))
