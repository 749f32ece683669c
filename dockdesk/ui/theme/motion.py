"""Whether the user's system asks for reduced motion.

On Linux desktops the answer comes from the settings portal: ``org.freedesktop.appearance reduced-motion`` where it is
known, else GNOME's ``enable-animations``. Elsewhere Qt knows it as an effect of the user interface.
Source: XDG desktop portal, org.freedesktop.portal.Settings.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from PySide6.QtCore import SLOT, QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication

_SERVICE = "org.freedesktop.portal.Desktop"
_PATH = "/org/freedesktop/portal/desktop"
_INTERFACE = "org.freedesktop.portal.Settings"
_STANDARD = ("org.freedesktop.appearance", "reduced-motion")
_GNOME = ("org.gnome.desktop.interface", "enable-animations")


class SystemMotion(QObject):
    """Asks the system without waiting for it, and listens for changes. ``reduced`` is False until it is known."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reduced = False
        self._pending: list[QObject] = []
        self._has_standard = False

    def start(self) -> None:
        if sys.platform != "linux":
            self._set(not QApplication.isEffectEnabled(Qt.UIEffect.UI_AnimateMenu))
        elif os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
            # Without an address the D-Bus library would start a bus of its own and wait for it.
            self._listen()
            self._ask(_STANDARD)

    def _listen(self) -> None:
        from PySide6.QtDBus import QDBusConnection

        # Qt wants the slot as a signature, which only the stub denies.
        slot: Any = SLOT("_on_setting_changed(QString,QString,QDBusVariant)")
        QDBusConnection.sessionBus().connect(
            _SERVICE, _PATH, _INTERFACE, "SettingChanged", self, slot
        )

    def _ask(self, setting: tuple[str, str]) -> None:
        from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher

        question = QDBusMessage.createMethodCall(_SERVICE, _PATH, _INTERFACE, "Read")
        question.setArguments(list(setting))
        watcher = QDBusPendingCallWatcher(QDBusConnection.sessionBus().asyncCall(question), self)
        self._pending.append(watcher)
        watcher.finished.connect(lambda: self._on_answered(watcher, setting))

    def _on_answered(self, watcher: Any, setting: tuple[str, str]) -> None:
        from PySide6.QtDBus import QDBusMessage

        self._pending.remove(watcher)
        watcher.deleteLater()
        reply = watcher.reply()
        if reply.type() == QDBusMessage.MessageType.ReplyMessage and reply.arguments():
            self._take(setting, reply.arguments()[0])
        elif setting == _STANDARD:
            self._ask(_GNOME)

    @Slot(str, str, "QDBusVariant")
    def _on_setting_changed(self, namespace: str, key: str, value: Any) -> None:
        self._take((namespace, key), value)

    def _take(self, setting: tuple[str, str], value: Any) -> None:
        # The portal's older Read wraps the value in a variant more than once.
        while hasattr(value, "variant"):
            value = value.variant()
        if setting == _STANDARD:
            self._has_standard = True
            self._set(value == 1)
        elif setting == _GNOME and not self._has_standard:
            self._set(value is False)

    def _set(self, reduced: bool) -> None:
        if reduced != self.reduced:
            self.reduced = reduced
            self.changed.emit()
