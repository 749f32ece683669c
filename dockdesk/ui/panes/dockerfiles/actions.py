"""What can be done in the Dockerfiles pane: the declarations that buttons, menus, palette and keys are made from."""

from __future__ import annotations

from typing import Any

from dockdesk.core.actions import Action, Danger


def _file(id: str, title: str, icon: str, shortcut: str = "", **more: Any) -> Action[Any]:
    return Action(f"dockerfile.{id}", title, icon, shortcut=shortcut, group="file", **more)


def _edit(
    id: str, title: str, icon: str, shortcut: str = "", group: str = "edit", help: str = ""
) -> Action[Any]:
    return Action(
        f"dockerfile.{id}", title, icon, shortcut=shortcut, group=group, many=False, help=help
    )


def _build(id: str, title: str, icon: str, shortcut: str, help: str) -> Action[Any]:
    # It needs no row: from another page, the Dockerfile that is open here is built.
    return Action(
        f"build.{id}",
        title,
        icon,
        danger=Danger.CHANGES,
        shortcut=shortcut,
        on_rows=False,
        group="build",
        help=help,
    )


ACTIONS: tuple[Action[Any], ...] = (
    _build("run", "Build…", "hammer", "Ctrl+B", "Choose how, and build the Dockerfile."),
    _build("again", "Build again", "refresh", "Ctrl+Shift+B", "At once, as it was built last."),
    _build("and_run", "Build and run", "player-play", "Ctrl+F5", "Build it, and run a container."),
    _build("watch", "Watch", "eye", "Ctrl+Alt+W", "Build and run after each change, or stop that."),
    _file("from_project", "New from project…", "bulb", "Ctrl+Shift+N", on_rows=False),
    _file("sample", "Try a sample project", "school", on_rows=False),
    _file("open_folder", "Open folder…", "folder-open", "Ctrl+Alt+O", on_rows=False, primary=True),
    _file("open", "Open file…", "file-import", "Ctrl+O", on_rows=False, primary=True),
    _file("new", "New Dockerfile", "file-plus", "Ctrl+N", on_rows=False),
    _file("save", "Save", "device-floppy", "Ctrl+S", many=False, primary=True),
    _file("save_as", "Save as…", "device-floppy", "Ctrl+Shift+S", many=False),
    _file("save_all", "Save all", "device-floppy", "Ctrl+Alt+S", on_rows=False),
    _file("close", "Close file", "x", "Ctrl+W", many=False),
    _file("close_folder", "Close folder", "folder", on_rows=False),
    _edit("copy_path", "Copy path", "copy", group="file"),
    _edit("find", "Find…", "search", "", help="Ctrl+F"),
    _edit("replace", "Replace…", "replace", "Ctrl+H"),
    _edit("comment", "Comment or uncomment", "hash", "Ctrl+/"),
    _edit("format", "Format", "adjustments", "Shift+Alt+F"),
    _edit("duplicate", "Duplicate line", "copy-plus", "Ctrl+D"),
    _edit("move_up", "Move line up", "arrow-up", "Alt+Up"),
    _edit("move_down", "Move line down", "arrow-down", "Alt+Down"),
    _edit("delete_line", "Delete line", "eraser", "Ctrl+Shift+K"),
    _edit("complete", "Complete", "list", "Ctrl+Space", "help"),
    _edit("explain", "Explain", "info-circle", "Ctrl+I", "help"),
    _edit("fix", "Quick fix…", "bulb", "Alt+Return", "help"),
    _edit("next_problem", "Next problem", "arrow-down", "F8", "go"),
    _edit("previous_problem", "Previous problem", "arrow-up", "Shift+F8", "go"),
    _edit("go_to_line", "Go to line…", "list", "Ctrl+G", "go"),
    _edit("go_to_stage", "Go to stage…", "list-tree", "Ctrl+Shift+O", "go"),
    _edit("next_tab", "Next file", "arrow-right", "Ctrl+PgDown", "go"),
    _edit("previous_tab", "Previous file", "arrow-left", "Ctrl+PgUp", "go"),
    _edit("wrap", "Wrap long lines", "text-wrap", "Alt+Z", "look"),
    _edit(
        "tab_moves",
        "Let Tab move on, or indent",
        "keyboard",
        "Ctrl+M",
        "look",
        "Tab then goes to the next part of the window instead of indenting.",
    ),
    _edit("larger", "Larger text", "plus", "Ctrl++", "look"),
    _edit("smaller", "Smaller text", "minus", "Ctrl+-", "look"),
)

KEYS = {
    "comment": "Ctrl+/",
    "format": "Shift+Alt+F",
    "duplicate": "Ctrl+D",
    "move_up": "Alt+Up",
    "move_down": "Alt+Down",
    "delete_line": "Ctrl+Shift+K",
    "complete": "Ctrl+Space",
    "explain": "Ctrl+I",
    "fix": "Alt+Return",
    "next_problem": "F8",
    "previous_problem": "Shift+F8",
    "tab_moves": "Ctrl+M",
    "larger": "Ctrl++",
    "smaller": "Ctrl+-",
}
"""Actions that are a key of the editor's own, which does the same wherever the focus is."""
