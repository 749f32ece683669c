"""The palette made from the tokens. The style sheet names palette roles only, so it is the same in every theme."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

from dockdesk.ui.theme.tokens import Tokens

_Role = QPalette.ColorRole

ROLES: dict[QPalette.ColorRole, str] = {
    _Role.Window: "window",
    _Role.WindowText: "text",
    _Role.Base: "panel",
    _Role.AlternateBase: "raised",
    _Role.Text: "text",
    _Role.Button: "raised",
    _Role.ButtonText: "text",
    _Role.PlaceholderText: "muted",
    _Role.Highlight: "selection",
    _Role.HighlightedText: "text",
    _Role.Accent: "accent",
    _Role.Link: "info",
    _Role.ToolTipBase: "raised",
    _Role.ToolTipText: "text",
    # Roles that Fusion uses for bevels only; the style sheet takes them for what Qt has no role for.
    _Role.Light: "hover",
    _Role.Midlight: "neutral_surface",
    _Role.Mid: "line",
    _Role.Dark: "control_line",
    _Role.Shadow: "window",
    _Role.BrightText: "bad",
    _Role.LinkVisited: "accent_surface",
}

_TEXTS = (_Role.WindowText, _Role.Text, _Role.ButtonText, _Role.HighlightedText)


def mix(first: QColor, second: QColor, share: float) -> QColor:
    """``first`` with ``share`` (0.0 to 1.0) of ``second`` in it."""
    return QColor.fromRgbF(
        first.redF() * (1 - share) + second.redF() * share,
        first.greenF() * (1 - share) + second.greenF() * share,
        first.blueF() * (1 - share) + second.blueF() * share,
    )


def make_palette(tokens: Tokens) -> QPalette:
    palette = QPalette()
    for role, token in ROLES.items():
        palette.setColor(role, QColor(getattr(tokens, token)))
    faint = mix(QColor(tokens.text), QColor(tokens.panel), 0.55)
    for role in (*_TEXTS, _Role.PlaceholderText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return palette
