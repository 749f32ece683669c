"""Colours, type, icons and the style made from them."""

from dockdesk.ui.theme.fonts import FontRole
from dockdesk.ui.theme.theme import MotionMode, Theme, ThemeMode
from dockdesk.ui.theme.tokens import DARK, LIGHT, Tokens

__all__ = ["DARK", "LIGHT", "FontRole", "MotionMode", "Theme", "ThemeMode", "Tokens"]
