"""The settings dialog is what the declarations say, applies at once, and goes back to defaults."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from dockdesk.core.preferences import FONT_SIZE, LOG_TAIL, SHOWN, THEME, TRAY
from dockdesk.core.settings import Settings
from dockdesk.ui.shell.settings_dialog import SettingsDialog
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.labels import PlainLabel


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def dialog(qtbot: QtBot, theme: Theme, settings: Settings, parent: QWidget) -> SettingsDialog:
    made = SettingsDialog(theme, settings, parent=parent)
    made.open()
    qtbot.waitExposed(made)
    # Its groups come one after the other.
    last = SHOWN[-1].key
    qtbot.waitUntil(lambda: last in made._rows and made.row(last).isVisibleTo(made), timeout=10_000)
    return made


def test_what_is_asked_for_is_there_before_its_turn(
    qtbot: QtBot, theme: Theme, settings: Settings, parent: QWidget
) -> None:
    made = SettingsDialog(theme, settings, parent=parent)
    made.open()
    assert {row.setting.group for row in made._rows.values()} == {SHOWN[0].group}
    key = SHOWN[-1].key
    made.go_to(key)

    def reached() -> bool:
        row = made._rows.get(key)
        if row is None or made.focusWidget() is not row.editor.input():
            return False
        return not row.visibleRegion().isEmpty()

    qtbot.waitUntil(reached, timeout=10_000)
    assert {item.key for item in SHOWN} == made._rows.keys()
    made.close()


def field(dialog: SettingsDialog, key: str) -> QWidget:
    return dialog.row(key).editor.input()


def test_every_declared_setting_is_shown(dialog: SettingsDialog) -> None:
    for setting in SHOWN:
        row = dialog.row(setting.key)
        assert row.isVisibleTo(dialog)
        assert row.editor.value() == setting.default
        assert row.editor.input().accessibleName() == setting.title
        assert not row.reset.isVisibleTo(dialog)
    dialog.close()


def test_changes_apply_at_once(dialog: SettingsDialog, settings: Settings) -> None:
    heard: list[str] = []
    settings.listen(THEME, heard.append)
    combo, tick, size = field(dialog, "theme"), field(dialog, "tray"), field(dialog, "font_size")
    assert isinstance(combo, QComboBox)
    assert isinstance(tick, QCheckBox)
    assert isinstance(size, QLineEdit)
    combo.setCurrentIndex(combo.findText("Dark"))
    tick.setChecked(False)
    size.setText("15")
    assert heard == ["dark"]
    assert settings.get(TRAY) is False
    assert settings.get(FONT_SIZE) == 15
    dialog.close()


def test_what_cannot_be_taken_is_said_and_not_applied(
    dialog: SettingsDialog, settings: Settings
) -> None:
    size = field(dialog, "font_size")
    assert isinstance(size, QLineEdit)
    for typed in ("", "1", "x", "99"):
        size.setText(typed)
        assert settings.get(FONT_SIZE) == FONT_SIZE.default
        assert "between 10 and 22" in dialog.row("font_size").problem.text()
        assert size.text() == typed
    size.setText("16")
    assert settings.get(FONT_SIZE) == 16
    assert not dialog.row("font_size").problem.isVisibleTo(dialog)
    dialog.close()


def test_a_setting_and_all_settings_go_back(dialog: SettingsDialog, settings: Settings) -> None:
    settings.set(FONT_SIZE, 16)
    settings.set(LOG_TAIL, 50)
    row = dialog.row("font_size")
    assert row.editor.value() == 16, "changes made elsewhere are shown"
    assert row.reset.isVisibleTo(dialog)
    row.reset.click()
    assert settings.is_default(FONT_SIZE)
    assert row.editor.value() == FONT_SIZE.default
    assert settings.get(LOG_TAIL) == 50
    dialog.reset_all.click()
    assert settings.is_default(LOG_TAIL)
    assert dialog.row("log_tail").editor.value() == LOG_TAIL.default
    dialog.close()


def test_search_finds_by_any_words(qtbot: QtBot, dialog: SettingsDialog) -> None:
    def seen() -> set[str]:
        return {item.key for item in SHOWN if dialog.row(item.key).isVisibleTo(dialog)}

    dialog.search.setText("scroll terminal")
    qtbot.waitUntil(lambda: seen() == {"scrollback"}, timeout=10_000)
    dialog.search.setText("dark")
    qtbot.waitUntil(lambda: seen() == {"theme"}, timeout=10_000)
    dialog.search.setText("no such thing")
    qtbot.waitUntil(lambda: not seen(), timeout=10_000)
    dialog.search.setText("")
    qtbot.waitUntil(lambda: len(seen()) == len(SHOWN), timeout=10_000)
    dialog.go_to("shell")
    assert field(dialog, "shell").hasFocus()
    dialog.go_to("no such setting")
    dialog.close()


def test_a_closed_dialog_listens_no_more(dialog: SettingsDialog, settings: Settings) -> None:
    dialog.close()
    settings.set(FONT_SIZE, 17)
    assert not any(settings._listeners.values())


def test_no_words_are_cut(qtbot: QtBot, dialog: SettingsDialog) -> None:
    def cut() -> list[str]:
        return [
            label.text()
            for label in dialog.findChildren(PlainLabel)
            if label.isVisibleTo(dialog) and label.height() < label.heightForWidth(label.width())
        ]

    qtbot.waitUntil(lambda: not cut(), timeout=10_000)
    dialog.resize(640, 480)
    qtbot.waitUntil(lambda: not cut(), timeout=10_000)
    dialog.close()
