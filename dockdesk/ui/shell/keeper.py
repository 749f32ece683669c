"""Keeps the settings on disk shortly after they change, and applies those that concern the look."""

from __future__ import annotations

from typing import Any, cast

from PySide6.QtCore import QObject, QTimer, Signal

from dockdesk.bridge.jobs import Jobs
from dockdesk.core import preferences
from dockdesk.core.settings import Setting, Settings
from dockdesk.ui.theme import MotionMode, Theme, ThemeMode

_SAVE_MS = 500


class SettingsKeeper(QObject):
    """``failed`` tells with which DockDeskError the settings could not be saved, once until they can be again."""

    failed = Signal(object)

    def __init__(
        self, theme: Theme, jobs: Jobs, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._jobs = jobs
        self._settings = settings
        self._failing = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SAVE_MS)
        self._timer.timeout.connect(self.save)
        self._ends = [settings.listen_all(lambda _setting: self._timer.start())]
        looks: tuple[Setting[Any], ...] = (
            preferences.THEME,
            preferences.FONT_SIZE,
            preferences.MONO_SIZE,
        )
        self._ends += [settings.listen(setting, lambda _value: self.apply()) for setting in looks]
        self._ends.append(settings.listen(preferences.ANIMATIONS, lambda _v: self.apply_motion()))

    def apply(self) -> None:
        """Make the theme's colours and sizes as the settings have them."""
        settings, theme = self._settings, self._theme
        theme.set_mode(cast(ThemeMode, settings.get(preferences.THEME)))
        theme.set_sizes(settings.get(preferences.FONT_SIZE), settings.get(preferences.MONO_SIZE))

    def apply_motion(self) -> None:
        """Let things move or not; asks the desktop, so it waits until the window has been painted."""
        mode = cast(MotionMode, self._settings.get(preferences.ANIMATIONS))
        self._theme.set_motion(mode)

    def save(self) -> None:
        """Write now, off the GUI thread; done even when the program ends meanwhile."""
        self._timer.stop()
        self._jobs.submit(
            self,
            lambda _work: self._settings.save(),
            lambda _none: self._on_saved(),
            self._on_failed,
            lane="settings",
            order="settings",
            vital=True,
        )

    def close(self) -> None:
        """Listen no more."""
        self._timer.stop()
        for end in self._ends:
            end()
        self._ends.clear()

    def _on_saved(self) -> None:
        self._failing = False

    def _on_failed(self, error: object) -> None:
        if not self._failing:
            self._failing = True
            self.failed.emit(error)
