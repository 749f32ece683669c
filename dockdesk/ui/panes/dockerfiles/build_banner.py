"""Why a build failed, above its steps: the reason, the last lines, what mends it, and the way to the line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.core.columns import Tone
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.plain import plain_tip

_ICONS = {"bad": "alert-circle", "warn": "alert-triangle"}
# What the title says already.
_ONLY_CODE = re.compile(
    r"executor failed running \[.*\]: exit code: \d+|"
    r"process \".*\" did not complete successfully: exit code: \d+|"
    r"The command '.*' returned a non-zero code: \d+",
    re.DOTALL,
)


class BuildBanner(QWidget):
    """Hidden until `say` has something to say."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._banner_tone: Tone = "bad"
        self.title = PlainLabel(theme, "", "strong", wrap=True)
        self.detail = ElidedLabel(theme, "", "small")
        self.lines = ElidedLabel(theme, "", "mono", "muted")
        self.hint = PlainLabel(theme, "", wrap=True, selectable=True)
        self.buttons: list[Button] = []
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        for label in (self.title, self.detail, self.lines, self.hint):
            texts.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(40, 8, 12, 8)
        row.setSpacing(12)
        row.addLayout(texts, 1)
        row.addLayout(self._row)
        row.setAlignment(self._row, Qt.AlignmentFlag.AlignTop)
        theme.changed.connect(self.update)
        self.hide()

    def say(
        self,
        title: str,
        detail: str = "",
        lines: Sequence[str] = (),
        hint: str = "",
        buttons: Sequence[StateButton] = (),
        tone: Tone = "bad",
    ) -> None:
        """Show this; the last of ``lines`` stands under the reason, all of them in the tooltip."""
        self._banner_tone = tone
        self.title.setText(title)
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail) and not _ONLY_CODE.fullmatch(detail.strip()))
        self.lines.setText(lines[-1] if lines else "")
        self.lines.setVisible(bool(lines))
        self.setToolTip(plain_tip("\n".join((title, detail, "", *lines))))
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self._set_buttons(buttons)
        self.show()
        self.update()

    def _set_buttons(self, buttons: Sequence[StateButton]) -> None:
        while (item := self._row.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.buttons = []
        for description in buttons:
            button = Button(self._theme, description.title, description.icon, description.look)
            button.clicked.connect(lambda _on=False, run=description.run: run())
            self.buttons.append(button)
            self._row.addWidget(button)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.surface(self._banner_tone))
        pixmap = self._theme.pixmap(
            _ICONS.get(self._banner_tone, "info-circle"),
            self._banner_tone,
            18,
            self.devicePixelRatioF(),
        )
        painter.drawPixmap(QPoint(14, 9), pixmap)
        painter.end()
