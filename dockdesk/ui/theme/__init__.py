"""Colours, type, icons and the style made from them."""

from dockdesk.ui.theme.fonts import FontRole
from dockdesk.ui.theme.theme import Theme, ThemeMode
from dockdesk.ui.theme.tokens import DARK, LIGHT, Tokens

__all__ = ["DARK", "LIGHT", "FontRole", "Theme", "ThemeMode", "Tokens"]
