"""All settings of DockDesk, and what it remembers between starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.core.actions import Danger
from dockdesk.core.environments import Confirmation, Environment, Guard
from dockdesk.core.forms import Choice
from dockdesk.core.settings import Setting, SettingKind, Settings

APPEARANCE = "Appearance"
GENERAL = "General"
SAFETY = "Safety"
BUILDS = "Builds"
LOGS = "Logs"
TERMINAL = "Terminal"

THEME = Setting(
    "theme",
    "system",
    "Theme",
    "Light, dark, or as the system is and becomes.",
    APPEARANCE,
    SettingKind.CHOICE,
    (Choice("system", "As the system"), Choice("light", "Light"), Choice("dark", "Dark")),
)
FONT_SIZE = Setting(
    "font_size",
    13,
    "Text size",
    "Size of the text in menus, tables and forms.",
    APPEARANCE,
    SettingKind.NUMBER,
    minimum=10,
    maximum=22,
    unit="px",
)
MONO_SIZE = Setting(
    "mono_size",
    13,
    "Text size of logs and terminals",
    "Size of monospaced text: logs, terminals, ids and code.",
    APPEARANCE,
    SettingKind.NUMBER,
    minimum=9,
    maximum=28,
    unit="px",
)
ANIMATIONS = Setting(
    "animations",
    "system",
    "Movement",
    "Whether things may move to show what changed. The system's wish for reduced motion is followed by default.",
    APPEARANCE,
    SettingKind.CHOICE,
    (Choice("system", "As the system"), Choice("on", "On"), Choice("off", "Off")),
)
START_PAGE = Setting(
    "start_page",
    "last",
    "Open at start",
    "The page that DockDesk shows when it starts.",
    GENERAL,
    SettingKind.CHOICE,
    (
        Choice("last", "Where I was"),
        Choice("dockerfiles", "Dockerfiles"),
        Choice("builds", "Builds"),
        Choice("containers", "Containers"),
        Choice("images", "Images"),
        Choice("volumes", "Volumes"),
        Choice("networks", "Networks"),
        Choice("disk", "Disk"),
        Choice("command_log", "Command log"),
    ),
)
TRAY = Setting(
    "tray",
    True,
    "Icon in the tray",
    "Shows the engine's state, and how many containers run, where the desktop has a tray.",
    GENERAL,
    SettingKind.SWITCH,
)
CLOSE_TO_TRAY = Setting(
    "close_to_tray",
    False,
    "Keep running in the tray",
    "Closing the window leaves DockDesk in the tray. Without a tray, closing always ends it.",
    GENERAL,
    SettingKind.SWITCH,
)
CONFIRM = Setting(
    "confirm",
    "disrupts",
    "Ask before",
    "Which changes are asked about. Protected environments always ask before every change.",
    SAFETY,
    SettingKind.CHOICE,
    (
        Choice("changes", "Every change"),
        Choice("disrupts", "What interrupts or destroys"),
        Choice("destroys", "What destroys"),
    ),
)
BUILD_SAVES = Setting(
    "build_saves",
    False,
    "Save before a build",
    "The Dockerfile is saved first. Without it, too, what stands in the editor is what is built.",
    BUILDS,
    SettingKind.SWITCH,
)
LOG_BUFFER_MB = Setting(
    "log_buffer_mb",
    256,
    "Log memory",
    "How much of one log is kept in memory; beyond it the oldest lines are dropped, and the log says so.",
    LOGS,
    SettingKind.NUMBER,
    minimum=8,
    maximum=4096,
    unit="MB",
)
LOG_TAIL = Setting(
    "log_tail",
    1000,
    "Lines at first",
    "How many of the newest lines a log shows when it is opened.",
    LOGS,
    SettingKind.NUMBER,
    minimum=1,
    maximum=1_000_000,
    unit="lines",
)
LOG_WRAP = Setting(
    "log_wrap",
    False,
    "Wrap long lines",
    "Logs wrap lines that are longer than the window is wide.",
    LOGS,
    SettingKind.SWITCH,
)
SHELL = Setting(
    "shell",
    "",
    "Shell",
    "The shell that a new terminal starts, such as /bin/bash. Leave it empty to take the best one that is there.",
    TERMINAL,
    SettingKind.TEXT,
)
SCROLLBACK = Setting(
    "scrollback",
    10_000,
    "Lines to scroll back",
    "How many lines a terminal keeps above its screen.",
    TERMINAL,
    SettingKind.NUMBER,
    minimum=0,
    maximum=200_000,
    unit="lines",
)

_NOTHING: Mapping[str, Any] = {}

ENVIRONMENT_MARKS: Setting[Mapping[str, Any]] = Setting("environment_marks", _NOTHING)
"""Environment id → {"colour": …, "guard": …} as the user marked it; read through `marked`."""
LAST_ENVIRONMENT: Setting[Any] = Setting("last_environment", "")
LAST_PANE: Setting[Any] = Setting("last_pane", "")
WINDOW_STATE: Setting[Mapping[str, Any]] = Setting("window_state", _NOTHING)
"""What the window wants back: geometry, splitters, folded parts."""
PANE_STATES: Setting[Mapping[str, Any]] = Setting("pane_states", _NOTHING)
"""Pane id → what its `save_state` gave: columns, sort order, chosen tab."""
COLUMN_STATES: Setting[Mapping[str, Any]] = Setting("column_states", _NOTHING)
"""Table id → widths, order and hidden columns."""
RECENT_FILES: Setting[Any] = Setting("recent_files", ())
"""Paths of Dockerfiles and project folders that were open, the newest first."""

SHOWN: tuple[Setting[Any], ...] = (
    THEME,
    FONT_SIZE,
    MONO_SIZE,
    ANIMATIONS,
    START_PAGE,
    TRAY,
    CLOSE_TO_TRAY,
    CONFIRM,
    BUILD_SAVES,
    LOG_BUFFER_MB,
    LOG_TAIL,
    LOG_WRAP,
    SHELL,
    SCROLLBACK,
)
"""What the settings dialog shows, in its order."""

REMEMBERED: tuple[Setting[Any], ...] = (
    ENVIRONMENT_MARKS,
    LAST_ENVIRONMENT,
    LAST_PANE,
    WINDOW_STATE,
    PANE_STATES,
    COLUMN_STATES,
    RECENT_FILES,
)


def marked(settings: Settings, environment: Environment) -> Environment:
    """The environment coloured and guarded as the user marked it; what is marked wrongly counts as not marked."""
    marks = settings.get(ENVIRONMENT_MARKS)
    mark = marks.get(environment.id)
    if not isinstance(mark, Mapping):
        return environment
    guards = {guard.value: guard for guard in Guard}
    guard = guards.get(str(mark.get("guard")), environment.guard)
    return environment.marked(str(mark.get("colour", environment.colour)), guard)


def mark(settings: Settings, environment: Environment) -> None:
    """Remember the colour and the guard of ``environment``."""
    before = settings.get(ENVIRONMENT_MARKS)
    marks = dict(before)
    marks[environment.id] = {"colour": environment.colour, "guard": environment.guard.value}
    settings.set(ENVIRONMENT_MARKS, marks)


def remember(settings: Settings, setting: Setting[Mapping[str, Any]], id: str, state: Any) -> None:
    """Remember ``state`` (plain JSON values) under one id of a mapping such as COLUMN_STATES."""
    before = settings.get(setting)
    states = dict(before)
    states[id] = state
    settings.set(setting, states)


def confirmation(level: str, environment: Environment, danger: Danger) -> Confirmation:
    """How an action is confirmed at a level of CONFIRM: never less than a protected environment asks for."""
    asked = environment.confirmation(danger)
    if danger is Danger.READS or environment.guard is Guard.PROTECTED:
        return asked
    if level == "changes" and asked is Confirmation.NONE:
        return Confirmation.ASK
    if level == "destroys" and danger is Danger.DISRUPTS:
        return Confirmation.NONE
    return asked
