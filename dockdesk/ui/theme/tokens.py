"""The look as words: every colour in DockDesk is one of these."""

from __future__ import annotations

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours as #rrggbb. ``*_surface`` are the quiet backgrounds behind text of the same tone.

    ``control_line`` is the border of what can be typed in or pressed, ``selection`` the background of selected text.
    ``series`` are the colours of chart lines in their order, told apart by colour-blind people too; ``environments``
    are in the order of `dockdesk.core.environments.COLOURS`.
    """

    name: str
    window: str
    panel: str
    raised: str
    line: str
    control_line: str
    text: str
    muted: str
    accent: str
    accent_surface: str
    selection: str
    on_accent: str
    good: str
    good_surface: str
    warn: str
    warn_surface: str
    bad: str
    bad_surface: str
    info: str
    info_surface: str
    neutral_surface: str
    hover: str
    series: tuple[str, ...]
    environments: tuple[str, ...]


LIGHT = Tokens(
    name="light",
    window="#f5f6f9",
    panel="#ffffff",
    raised="#fafbfc",
    line="#e3e6ec",
    control_line="#d0d5df",
    text="#1b2130",
    muted="#5f6b80",
    accent="#2f6bff",
    accent_surface="#e6eeff",
    selection="#c4d6ff",
    on_accent="#ffffff",
    good="#0b7a3b",
    good_surface="#dff5e8",
    warn="#8f5b0a",
    warn_surface="#fbf0da",
    bad="#c3234a",
    bad_surface="#fce4e9",
    info="#2458d6",
    info_surface="#e6eeff",
    neutral_surface="#eef0f4",
    hover="#f0f2f6",
    series=("#2f6bff", "#c2570c", "#0f8a7e", "#8b3fc7", "#a16207", "#c02672", "#4b5565", "#2b87c9"),
    environments=("#2458d6", "#0b7a3b", "#8f5b0a", "#c3234a", "#7a3fc0", "#0c7a74", "#5f6b80"),
)

DARK = Tokens(
    name="dark",
    window="#0f1218",
    panel="#161a22",
    raised="#1c212b",
    line="#262c38",
    control_line="#363e4e",
    text="#e6e9ef",
    muted="#98a1b3",
    accent="#5b8cff",
    accent_surface="#1d2a4a",
    selection="#2d4580",
    on_accent="#ffffff",
    good="#3ecf8e",
    good_surface="#16352a",
    warn="#f5b84c",
    warn_surface="#3a2e16",
    bad="#f2637e",
    bad_surface="#3d1d27",
    info="#7aa2ff",
    info_surface="#1d2a4a",
    neutral_surface="#222834",
    hover="#202633",
    series=("#5b8cff", "#f59e57", "#3cc4b4", "#c08bf0", "#e0c04a", "#f07ab0", "#a3adbf", "#6cc0f5"),
    environments=("#7aa2ff", "#3ecf8e", "#f5b84c", "#f2637e", "#b48cf2", "#4cc9c0", "#98a1b3"),
)
