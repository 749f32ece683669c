"""What the window itself can do, declared as the panes declare theirs: menus, palette and shortcut sheet follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockdesk.core.actions import Action
from dockdesk.core.environments import Guard
from dockdesk.ui.shell.guards import GUARD_HELP, GUARD_ICONS, GUARD_TITLES


def _opens(
    id: str, title: str, icon: str, shortcut: str = "", help: str = "", group: str = ""
) -> Action[Any]:
    return Action(id, title, icon, None, shortcut=shortcut, on_rows=False, help=help, group=group)


FILE: Sequence[Action[Any]] = (
    _opens("app.settings", "Settings…", "settings", "Ctrl+,", group="settings"),
    _opens("app.close", "Close window", "x", "Ctrl+W", group="end"),
    _opens("app.quit", "Quit", "power", "Ctrl+Q", "Ends DockDesk, also in the tray.", group="end"),
)

VIEW: Sequence[Action[Any]] = (
    _opens("view.reload", "Reload", "refresh", "F5", "Ask for what is shown anew.", "pane"),
    _opens("view.filter", "Filter", "filter", "Ctrl+F", "Also with /", "pane"),
    _opens("view.rail", "Fold or unfold the rail", "layout-sidebar", "Ctrl+Alt+B", group="parts"),
    _opens("view.activity", "Activity", "activity", "Ctrl+J", "Running and past jobs.", "parts"),
    _opens("view.maximise", "Maximise the details", "maximize", "Ctrl+Shift+D", group="parts"),
    _opens("view.menu_bar", "Show or hide the menu bar", "menu-2", "Ctrl+Shift+M", group="parts"),
    _opens("view.full_screen", "Full screen", "screen-share", "F11", group="parts"),
    _opens("view.light", "Light theme", "sun", group="theme"),
    _opens("view.dark", "Dark theme", "moon", group="theme"),
    _opens("view.system", "Theme as the system has it", "device-desktop", group="theme"),
)

GO: Sequence[Action[Any]] = (
    _opens("go.back", "Back", "arrow-left", "Alt+Left", group="history"),
    _opens("go.forward", "Forward", "arrow-right", "Alt+Right", group="history"),
    _opens("go.next_part", "Next part of the window", "select", "F6", group="focus"),
)

ENVIRONMENT: Sequence[Action[Any]] = (
    _opens("environment.switch", "Switch environment…", "server", "Ctrl+E", group="switch"),
    _opens("environment.reconnect", "Reconnect", "plug-connected", "Ctrl+Shift+R", group="switch"),
    _opens("environment.find", "Look for environments again", "search", group="switch"),
    *(
        _opens(f"environment.{guard.name.lower()}", f"Guard: {GUARD_TITLES[guard]}", GUARD_ICONS[guard],
               help=GUARD_HELP[guard], group="guard")
        for guard in Guard
    ),
)  # fmt: skip

HELP: Sequence[Action[Any]] = (
    _opens("help.palette", "Command palette…", "command", "Ctrl+K", "Also with Ctrl+Shift+P"),
    _opens("help.shortcuts", "Keyboard shortcuts", "keyboard", "F1", "Also with ?"),
    _opens("help.log", "Show the log file", "file-text", group="about"),
    _opens("help.about", "About DockDesk", "info-circle", group="about"),
)

MENUS: Sequence[tuple[str, Sequence[Action[Any]]]] = (
    ("&File", FILE),
    ("&View", VIEW),
    ("&Go", GO),
    ("&Environment", ENVIRONMENT),
    ("&Help", HELP),
)

EXTRA_SHORTCUTS: dict[str, tuple[str, ...]] = {
    "help.palette": ("Ctrl+Shift+P",),
    "view.filter": ("/",),
    "go.next_part": ("Ctrl+F6",),  # out of a terminal, whose programs get F6
    "help.shortcuts": ("?",),
}
"""Second keys of an action, beside the one that menus show."""
