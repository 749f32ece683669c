"""The theme in force. Widgets take it as an argument and repaint on `changed`."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QDir, QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPixmap
from PySide6.QtWidgets import QApplication

from dockdesk.core.columns import Tone
from dockdesk.core.environments import COLOURS
from dockdesk.ui.theme.data import shipped
from dockdesk.ui.theme.fonts import FontRole, load_fonts, make_font
from dockdesk.ui.theme.icons import IconSet
from dockdesk.ui.theme.motion import SystemMotion
from dockdesk.ui.theme.palette import make_palette, mix
from dockdesk.ui.theme.repolish import Repolisher
from dockdesk.ui.theme.tokens import DARK, LIGHT, Tokens

ThemeMode = Literal["system", "light", "dark"]
MotionMode = Literal["system", "on", "off"]

_TOKENS = {"neutral": "text"}
"""Tones whose text colour is a token of another name."""


class Theme(QObject):
    """Colours, fonts and icons for the whole program; light or dark, and it can change while running.

    Widgets that paint themselves repaint on ``changed``. Icons and everything the style sheet draws follow by
    themselves.
    """

    changed = Signal()

    def __init__(self, tokens: Tokens = LIGHT, parent: QObject | None = None) -> None:
        super().__init__(parent)
        load_fonts()
        self._tokens = tokens
        self._mode: ThemeMode = "dark" if tokens is DARK else "light"
        self._body_size = 13
        self._mono_size = 13
        self._motion: MotionMode = "on"
        self._system_motion: SystemMotion | None = None
        self._app: QApplication | None = None
        self._fonts: dict[tuple[FontRole, bool], QFont] = {}
        self._icons = IconSet(self._icon_colour)
        self._repolisher = Repolisher(self)

    @property
    def tokens(self) -> Tokens:
        return self._tokens

    @property
    def is_dark(self) -> bool:
        return self._tokens.name == "dark"

    @property
    def mode(self) -> ThemeMode:
        """What was asked for; `is_dark` says what that comes to."""
        return self._mode

    @property
    def animated(self) -> bool:
        """Whether things may move. False where the user, or their system, asks for reduced motion."""
        if self._motion == "system" and self._system_motion is not None:
            return not self._system_motion.reduced
        return self._motion != "off"

    def apply(self, app: QApplication) -> None:
        """Give the application its style, palette, font and style sheet. Call it once, before any widget is made."""
        load_fonts()
        self._app = app
        if not app.property("fusion"):
            app.setStyle("Fusion")
        app.setPalette(make_palette(self._tokens))
        app.setFont(self.font("body"))
        QDir.setSearchPaths("dockdesk", [str(shipped())])
        app.setStyleSheet(shipped("style", "dockdesk.qss").read_text("utf-8"))
        app.styleHints().colorSchemeChanged.connect(self._on_system_scheme_changed)
        self.set_mode(self._mode)

    def set_mode(self, mode: ThemeMode) -> None:
        """Light, dark, or as the system is and becomes."""
        self._mode = mode
        hints = QGuiApplication.styleHints()
        if self._app is not None:
            # Window frames and native dialogs follow too.
            scheme = {
                "light": Qt.ColorScheme.Light,
                "dark": Qt.ColorScheme.Dark,
            }.get(mode, Qt.ColorScheme.Unknown)
            hints.setColorScheme(scheme)
        if mode == "system":
            self._use(DARK if hints.colorScheme() is Qt.ColorScheme.Dark else LIGHT)
        else:
            self._use(DARK if mode == "dark" else LIGHT)

    def set_sizes(self, body: int = 13, mono: int = 13) -> None:
        """Base sizes in pixels of text for people and of monospaced text."""
        if (body, mono) == (self._body_size, self._mono_size):
            return
        self._body_size, self._mono_size = body, mono
        self._fonts.clear()
        if self._app is not None:
            self._app.setFont(self.font("body"))
        self.changed.emit()

    def set_motion(self, mode: MotionMode) -> None:
        """Let things move, keep them still, or do as the system asks; best called once the window is painted."""
        before = self.animated
        self._motion = mode
        if mode == "system" and self._system_motion is None:
            self._system_motion = SystemMotion(self)
            self._system_motion.changed.connect(self._on_system_motion_changed)
            self._system_motion.start()
        if self.animated != before:
            self.changed.emit()

    def changing(self) -> bool:
        """Whether widgets that the style sheet draws are still being brought up to date."""
        return self._repolisher.busy()

    def settle(self) -> None:
        """Finish a change of theme at once rather than in slices: for pictures and tests."""
        self._repolisher.finish()

    def colour(self, token: str, alpha: float = 1.0) -> QColor:
        """The colour of a token, such as "panel" or "muted"; ``alpha`` from 0.0 to 1.0."""
        colour = QColor(getattr(self._tokens, token))
        colour.setAlphaF(alpha)
        return colour

    def tone(self, tone: Tone) -> QColor:
        """The text colour of a tone."""
        return QColor(getattr(self._tokens, _TOKENS.get(tone, tone)))

    def surface(self, tone: Tone) -> QColor:
        """The quiet background behind text of a tone."""
        name = {"neutral": "neutral_surface", "muted": "neutral_surface"}.get(
            tone, f"{tone}_surface"
        )
        return QColor(getattr(self._tokens, name))

    def series(self, index: int) -> QColor:
        """The colour of the ``index``-th line of a chart (they repeat after eight)."""
        return QColor(self._tokens.series[index % len(self._tokens.series)])

    def environment(self, colour: str) -> QColor:
        """The colour of an environment, named as in `dockdesk.core.environments.COLOURS`."""
        known = COLOURS.index(colour) if colour in COLOURS else 0
        return QColor(self._tokens.environments[known])

    def font(self, role: FontRole = "body", tabular: bool = False) -> QFont:
        """Inter for people, JetBrains Mono for machines' words; sizes as in the design.

        ``tabular`` gives figures of one width, for numbers that change in place.
        """
        key = (role, tabular)
        if key not in self._fonts:
            self._fonts[key] = make_font(role, self._body_size, self._mono_size, tabular)
        return QFont(self._fonts[key])

    def icon(self, name: str, tone: str = "text", size: int = 18) -> QIcon:
        """A Tabler outline icon tinted with a token or an #rrggbb colour; ``name`` as Tabler names it.

        It follows the theme by itself. Raises FileNotFoundError for an icon that is not shipped.
        """
        return self._icons.icon(name, tone, size)

    def pixmap(self, name: str, tone: str = "text", size: int = 18, scale: float = 1.0) -> QPixmap:
        """The same as a picture in the colours of now, for own painting; ``scale`` is the device pixel ratio."""
        colour = self._icon_colour(tone, QIcon.Mode.Normal)
        return self._icons.pixmap(name, colour, QSize(size, size), scale)

    def app_icon(self) -> QIcon:
        """DockDesk's own icon, in its own colours."""
        pixmap = QPixmap()
        # The format is said, or Qt would load every plugin it has to find it out.
        pixmap.loadFromData(shipped("app", "dockdesk-128.png").read_bytes(), "PNG")
        return QIcon(pixmap)

    def _icon_colour(self, tone: str, mode: QIcon.Mode) -> QColor:
        colour = QColor(
            tone if tone.startswith("#") else getattr(self._tokens, _TOKENS.get(tone, tone))
        )
        if mode == QIcon.Mode.Disabled:
            if tone == "on_accent":
                colour = QColor(self._tokens.muted)
            return mix(colour, QColor(self._tokens.panel), 0.6)
        return colour

    def _use(self, tokens: Tokens) -> None:
        if tokens is self._tokens:
            return
        self._tokens = tokens
        if self._app is not None:
            self._app.setPalette(make_palette(tokens))
        self.changed.emit()
        if self._app is not None:
            self._repolisher.start()

    def _on_system_scheme_changed(self, scheme: Qt.ColorScheme) -> None:
        if self._mode == "system":
            self._use(DARK if scheme is Qt.ColorScheme.Dark else LIGHT)

    def _on_system_motion_changed(self) -> None:
        if self._motion == "system":
            self.changed.emit()
