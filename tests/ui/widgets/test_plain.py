"""Text from outside never becomes markup and never steers what stands beside it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QHelpEvent, QTextDocument
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from dockdesk.ui.theme import LIGHT, Theme
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.plain import ZERO_WIDTH_SPACE, breakable, one_line, plain_tip, shown

NASTY = (
    '<img src="http://evil.example/x.png">',
    "<b>bold</b> & <script>alert(1)</script>",
    "evil\u202egnp.exe",
    "left\u2066right\u2069",
    "bell\x07 escape\x1b[31m null\x00",
    "👩‍💻 naïve Ω",
)


def as_seen(tip: str) -> str:
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


@given(st.text(max_size=300) | st.sampled_from(NASTY))
def test_tooltips_say_what_they_were_given(text: str) -> None:
    tip = plain_tip(text)
    assert bool(tip) == bool(text)
    if not text:
        return
    assert tip.startswith("<p")
    expected = "".join(shown(text).split())
    assert "".join(as_seen(tip).split()) == expected


def test_tooltips_are_bounded() -> None:
    assert len(as_seen(plain_tip("x" * 100_000))) <= 2000


@given(st.text())
def test_nothing_that_steers_is_left(text: str) -> None:
    for made in (shown(text), one_line(text)):
        assert not set(made) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x1b")
    assert not set(one_line(text)) & set("\n\r\t")


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("web-1", "naïve Ω 漢字", "👩‍💻", "שלום", "tab\tand\nline"):
        assert shown(text) == text


def test_long_words_can_be_broken_and_are_whole_without_the_breaks() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    assert ZERO_WIDTH_SPACE in breakable(digest)
    assert breakable(digest).replace(ZERO_WIDTH_SPACE, "") == digest
    assert breakable("short words stay") == "short words stay"


@given(st.text(max_size=200))
def test_breaks_change_nothing_else(text: str) -> None:
    bare = text.replace(ZERO_WIDTH_SPACE, "")
    assert breakable(bare).replace(ZERO_WIDTH_SPACE, "") == bare


def test_labels_are_plain_and_follow_the_theme(qtbot: QtBot, theme: Theme) -> None:
    label = PlainLabel(theme, "<b>web</b>", tone="good")
    qtbot.addWidget(label)
    assert label.textFormat() is Qt.TextFormat.PlainText
    assert label.text() == "<b>web</b>"
    assert label.palette().color(label.foregroundRole()).name() == LIGHT.good
    theme.set_mode("dark")
    assert label.palette().color(label.foregroundRole()) == theme.tone("good")
    label.set_tone("muted")
    theme.set_sizes(body=17)
    assert label.font().pixelSize() == 17


def test_an_elided_label_tells_the_whole_text(qtbot: QtBot, theme: Theme) -> None:
    label = ElidedLabel(theme, "a-very-long-name-" * 20)
    qtbot.addWidget(label)
    label.resize(80, 20)
    ask = QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(5, 5), QPoint(5, 5))
    QApplication.sendEvent(label, ask)
    QToolTip.hideText()
    assert "a-very-long-name" in as_seen(label.toolTip())
    label.setText("short")
    label.resize(label.sizeHint())
    QApplication.sendEvent(label, ask)
    assert label.toolTip() == ""
    assert label.rect() != QRect()
