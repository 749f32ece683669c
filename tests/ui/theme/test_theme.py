"""The theme: contrast, change while running, icons and fonts."""

from __future__ import annotations

import itertools
from dataclasses import fields
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontInfo, QFontMetricsF, QIcon, QImage, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from dockdesk.core.environments import COLOURS
from dockdesk.ui.theme import DARK, LIGHT, Theme, Tokens
from dockdesk.ui.theme.data import shipped
from dockdesk.ui.theme.palette import ROLES, make_palette, mix

BOTH = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
GROUNDS = ("window", "panel", "raised", "hover")


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@BOTH
def test_text_can_be_read_on_every_ground(tokens: Tokens) -> None:
    for text in ("text", "muted", "good", "warn", "bad", "info"):
        for ground in (*GROUNDS, "accent_surface"):
            ratio = contrast(getattr(tokens, text), getattr(tokens, ground))
            assert ratio >= 4.5, f"{text} on {ground}: {ratio:.2f}"
    for tone in ("good", "warn", "bad", "info"):
        assert contrast(getattr(tokens, tone), getattr(tokens, f"{tone}_surface")) >= 4.5
    assert contrast(tokens.muted, tokens.neutral_surface) >= 4.5
    assert contrast(tokens.text, tokens.selection) >= 4.5


@BOTH
def test_focus_and_chart_lines_stand_out(tokens: Tokens) -> None:
    for ground in ("window", "panel", "raised"):
        assert contrast(tokens.accent, getattr(tokens, ground)) >= 3
    for line in (*tokens.series, *tokens.environments):
        assert contrast(line, tokens.panel) >= 3


@pytest.mark.parametrize("fill", ["#2e66f0", "#2458d6", "#1e4bb8", "#c3234a", "#a91d3f"])
def test_white_text_on_filled_buttons_can_be_read(fill: str) -> None:
    assert fill in shipped("style", "dockdesk.qss").read_text("utf-8")
    assert contrast("#ffffff", fill) >= 4.5


@BOTH
def test_every_environment_has_a_colour(tokens: Tokens, qapp: QApplication) -> None:
    theme = Theme(tokens)
    assert len(tokens.environments) == len(COLOURS)
    shown = {theme.environment(name).name() for name in COLOURS}
    assert len(shown) == len(COLOURS)
    assert theme.environment("no such colour") == theme.environment("blue")


def test_tokens_are_colours() -> None:
    for tokens, item in itertools.product((LIGHT, DARK), fields(Tokens)):
        value = getattr(tokens, item.name)
        if item.name != "name":
            for colour in value if isinstance(value, tuple) else (value,):
                assert QColor(colour).isValid(), item.name


def test_style_sheet_names_only_roles_that_the_theme_sets() -> None:
    sheet = shipped("style", "dockdesk.qss").read_text("utf-8")
    named = {piece.split(")")[0] for piece in sheet.split("palette(")[1:]}
    kebab = {
        "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in role.name)[1:]
        for role in ROLES
    }
    assert named
    assert {name.replace("tool-tip", "tooltip") for name in named} <= {
        name.replace("tool-tip", "tooltip") for name in kebab
    }


def test_pictures_of_the_style_sheet_are_shipped() -> None:
    sheet = shipped("style", "dockdesk.qss").read_text("utf-8")
    for piece in sheet.split("url(dockdesk:")[1:]:
        name = piece.split(")")[0]
        assert shipped(*name.split("/")).is_file(), name


# --- Change while running ---


def ground_of(widget: QWidget) -> str:
    image = widget.grab().toImage()
    return image.pixelColor(image.width() // 2, image.height() - 6).name()


def test_a_change_of_theme_reaches_widgets_that_the_style_sheet_draws(
    qtbot: QtBot, applied: Theme
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    card = QFrame(window)
    card.setProperty("look", "card")
    card.setMinimumSize(60, 60)
    field, button = QLineEdit(window), QPushButton("Prune", window)
    layout = QVBoxLayout(window)
    for widget in (card, field, button):
        layout.addWidget(widget)
    window.show()
    qtbot.waitExposed(window)
    assert ground_of(card) == LIGHT.panel
    assert ground_of(field) == LIGHT.panel
    assert ground_of(button) == LIGHT.raised

    told: list[bool] = []
    applied.changed.connect(lambda: told.append(applied.is_dark))
    applied.set_mode("dark")
    assert told == [True]
    qtbot.waitUntil(lambda: ground_of(button) == DARK.raised, timeout=10_000)
    qtbot.waitUntil(lambda: ground_of(field) == DARK.panel, timeout=10_000)
    assert ground_of(card) == DARK.panel
    assert window.palette().color(QPalette.ColorRole.Window).name() == DARK.window


def test_widgets_may_go_while_a_change_is_under_way(qtbot: QtBot, applied: Theme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    for number in range(200):
        layout.addWidget(QPushButton(str(number), window))
    window.show()
    applied.set_mode("dark")
    for child in window.findChildren(QPushButton)[::2]:
        shiboken6.delete(child)
    applied.set_mode("light")
    applied.set_mode("dark")
    QApplication.processEvents()
    applied.settle()
    left = window.findChildren(QPushButton)
    assert len(left) == 100
    assert ground_of(left[-1]) == DARK.raised


def test_system_mode_follows_the_system(qtbot: QtBot, applied: Theme, qapp: QApplication) -> None:
    applied.set_mode("system")
    assert not applied.is_dark
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert applied.is_dark
    applied.set_mode("light")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert not applied.is_dark, "a fixed theme does not follow the system"


def test_sizes_and_motion_are_told_once(applied: Theme, qapp: QApplication) -> None:
    told: list[None] = []
    applied.changed.connect(lambda: told.append(None))
    applied.set_sizes(body=15, mono=16)
    assert qapp.font().pixelSize() == 15
    assert applied.font("mono").pixelSize() == 16
    applied.set_sizes(body=15, mono=16)
    assert len(told) == 1
    applied.set_motion("off")
    applied.set_motion("off")
    assert not applied.animated
    assert len(told) == 2


# --- Type ---


def test_shipped_fonts_are_used(theme: Theme) -> None:
    assert QFontInfo(theme.font("body")).family() == "Inter"
    assert QFontInfo(theme.font("mono")).family() == "JetBrains Mono"
    assert theme.font("title").pixelSize() > theme.font("body").pixelSize()
    for name in ("OFL-Inter.txt", "OFL-JetBrainsMono.txt"):
        assert "SIL OPEN FONT LICENSE" in shipped("fonts", name).read_text("utf-8").upper()
    assert "MIT" in shipped("icons", "LICENSE").read_text("utf-8")


def test_changing_numbers_keep_their_width(theme: Theme) -> None:
    metrics = QFontMetricsF(theme.font("body", tabular=True))
    assert metrics.horizontalAdvance("1111") == pytest.approx(metrics.horizontalAdvance("8888"))


def test_what_a_machine_wrote_is_drawn_letter_by_letter(theme: Theme) -> None:
    """No ligature may turn "->" into an arrow: the width of the pair is that of its letters."""
    for role in ("body", "mono"):
        metrics = QFontMetricsF(theme.font(role))
        for pair in ("->", "!=", "=>", "www"):
            alone = sum(metrics.horizontalAdvance(letter) for letter in pair)
            assert metrics.horizontalAdvance(pair) == pytest.approx(alone, abs=1.5)


# --- Icons ---


def inks(image: QImage) -> set[str]:
    """Colours of the fully opaque pixels."""
    return {
        image.pixelColor(x, y).name()
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    }


def test_icons_are_tinted_and_follow_the_theme(theme: Theme) -> None:
    icon = theme.icon("box", "bad", 32)
    assert LIGHT.bad in inks(icon.pixmap(QSize(32, 32)).toImage())
    theme.set_mode("dark")
    assert DARK.bad in inks(icon.pixmap(QSize(32, 32)).toImage())


def test_disabled_icons_look_disabled(theme: Theme) -> None:
    icon = theme.icon("square", "text", 32)
    usual = inks(icon.pixmap(QSize(32, 32)).toImage())
    disabled = inks(icon.pixmap(QSize(32, 32), QIcon.Mode.Disabled).toImage())
    expected = mix(QColor(LIGHT.text), QColor(LIGHT.panel), 0.6).name()
    assert LIGHT.text in usual
    assert expected in disabled
    assert LIGHT.text not in disabled


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0, 3.0])
def test_icons_are_sharp_on_every_screen(theme: Theme, scale: float) -> None:
    pixmap = theme.icon("box").pixmap(QSize(20, 20), scale)
    assert pixmap.width() == round(20 * scale)
    assert pixmap.devicePixelRatio() == scale


def test_an_icon_that_is_not_shipped_is_told_at_once(theme: Theme) -> None:
    with pytest.raises(FileNotFoundError):
        theme.icon("no-such-icon")


def test_icons_outlive_what_made_them(theme: Theme, qtbot: QtBot) -> None:
    button = QPushButton(theme.icon("trash"), "Prune")
    qtbot.addWidget(button)
    copy = QIcon(button.icon())
    button.setIcon(QIcon())
    assert not copy.pixmap(QSize(18, 18)).isNull()
    assert not theme.pixmap("trash", "muted", 18, 2.0).isNull()
    assert not theme.app_icon().isNull()


def test_labels_take_plain_colours(theme: Theme, qtbot: QtBot) -> None:
    assert theme.tone("neutral").name() == LIGHT.text
    assert theme.surface("muted").name() == LIGHT.neutral_surface
    assert theme.colour("panel", 0.5).alphaF() == pytest.approx(0.5, abs=0.01)
    assert theme.series(0) == theme.series(len(LIGHT.series))
    label = QLabel("x")
    qtbot.addWidget(label)
    palette = make_palette(LIGHT)
    disabled = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text)
    assert disabled != palette.color(QPalette.ColorRole.Text)


def test_the_shipped_data_stays_small() -> None:
    total = sum(
        path.stat().st_size
        for path in Path(str(shipped())).rglob("*")
        if path.suffix in {".ttf", ".svg", ".png", ".qss"}
    )
    assert total < 2_000_000
