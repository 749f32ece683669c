"""Colours, type, icons and the style made from them."""

from dockdesk.ui.theme.theme import Theme
from dockdesk.ui.theme.tokens import DARK, LIGHT, Tokens

__all__ = ["DARK", "LIGHT", "Theme", "Tokens"]
