"""The look as words: every colour in DockDesk is one of these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours as #rrggbb. ``*_surface`` are the quiet backgrounds behind text of the same tone."""

    name: str
    window: str
    panel: str
    raised: str
    line: str
    text: str
    muted: str
    accent: str
    accent_surface: str
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


LIGHT = Tokens(
    name="light",
    window="#f5f6f9",
    panel="#ffffff",
    raised="#fafbfc",
    line="#e3e6ec",
    text="#1b2130",
    muted="#5f6b80",
    accent="#2f6bff",
    accent_surface="#e6eeff",
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
)

DARK = Tokens(
    name="dark",
    window="#0f1218",
    panel="#161a22",
    raised="#1c212b",
    line="#262c38",
    text="#e6e9ef",
    muted="#98a1b3",
    accent="#5b8cff",
    accent_surface="#1d2a4a",
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
)
