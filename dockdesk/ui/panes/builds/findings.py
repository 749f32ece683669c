"""A list of what was found: what it is about, what there is to say of it, and a figure."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.dot import Dot
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel

_MOST = 12  # a longer list explains nothing


@dataclass(frozen=True, slots=True)
class Finding:
    """``title`` is an instruction, ``text`` one or more sentences, ``figure`` a short text such as “+2.1 s”."""

    title: str
    text: str
    figure: str = ""
    tone: Tone = "neutral"


class _Row(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._dot = Dot(theme, lambda used: used.tone("neutral"))
        self._title = ElidedLabel(theme, role="mono")
        self._figure = PlainLabel(theme, "", "strong")
        self._text = PlainLabel(theme, "", tone="muted", wrap=True, selectable=True)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._dot)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self._figure)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 6)
        column.setSpacing(2)
        column.addLayout(head)
        text = QHBoxLayout()
        text.setContentsMargins(16, 0, 0, 0)
        text.addWidget(self._text)
        column.addLayout(text)

    def show_finding(self, finding: Finding) -> None:
        self._dot.set_pick(lambda used: used.tone(finding.tone))
        self._title.setText(finding.title)
        self._figure.setText(finding.figure)
        self._figure.setVisible(bool(finding.figure))
        self._text.setText(finding.text)


class FindingList(QWidget):
    """Rows are made once and used again. ``nothing`` is what an empty list says."""

    def __init__(self, theme: Theme, nothing: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: list[_Row] = []
        self._findings: tuple[Finding, ...] = ()
        self._nothing = PlainLabel(theme, nothing, tone="muted", wrap=True)
        self._more = PlainLabel(theme, "", "small", "muted")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addWidget(self._nothing)
        self._column.addWidget(self._more)
        self.set_findings(())

    def findings(self) -> Sequence[Finding]:
        return self._findings

    def set_findings(self, findings: Sequence[Finding]) -> None:
        self._findings = tuple(findings)
        shown = self._findings[:_MOST]
        while len(self._rows) < len(shown):
            row = _Row(self._theme)
            self._column.insertWidget(len(self._rows), row)
            self._rows.append(row)
        for number, row in enumerate(self._rows):
            row.setVisible(number < len(shown))
            if number < len(shown):
                row.show_finding(shown[number])
        left = len(self._findings) - len(shown)
        self._more.setText(f"and {left} more")
        self._more.setVisible(left > 0)
        self._nothing.setVisible(not shown)
