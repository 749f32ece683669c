"""The theme in force. Widgets take it as an argument and repaint on `changed`."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor, QFont, QIcon

from dockdesk.core.columns import Tone
from dockdesk.ui.theme.tokens import LIGHT, Tokens


class Theme(QObject):
    """Colours, fonts and icons for the whole program; light or dark, and it can change while running."""

    changed = Signal()

    def __init__(self, tokens: Tokens = LIGHT, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens

    @property
    def tokens(self) -> Tokens:
        return self._tokens

    def colour(self, token: str) -> QColor:
        """The colour of a token, such as "panel" or "muted"."""
        return QColor(getattr(self._tokens, token))

    def tone(self, tone: Tone) -> QColor:
        """The text colour of a tone."""
        name = {"neutral": "text"}.get(tone, tone)
        return QColor(getattr(self._tokens, name))

    def surface(self, tone: Tone) -> QColor:
        """The quiet background behind text of a tone."""
        name = {"neutral": "neutral_surface", "muted": "neutral_surface"}.get(
            tone, f"{tone}_surface"
        )
        return QColor(getattr(self._tokens, name))

    def font(self, role: Literal["body", "small", "strong", "title", "mono"] = "body") -> QFont:
        """Inter for people, JetBrains Mono for machines' words; sizes as in the design."""
        raise NotImplementedError

    def icon(self, name: str, tone: str = "text", size: int = 18) -> QIcon:
        """A Tabler outline icon tinted with a token, with its disabled look; ``name`` as Tabler names it."""
        raise NotImplementedError
