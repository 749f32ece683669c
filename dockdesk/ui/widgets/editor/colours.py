"""What the kinds of a language's spans look like in the theme in force."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QTextCharFormat

from dockdesk.ui.theme import Theme

KINDS = (
    "keyword",
    "flag",
    "string",
    "variable",
    "comment",
    "heredoc",
    "stage",
    "directive",
    "number",
    "operator",
    "error",
)
"""A span of any other kind looks as plain text does."""

_TEAL = 5  # of `Tokens.environments`; all of those have the contrast of text
_PURPLE = 4


def make_formats(theme: Theme) -> dict[str, QTextCharFormat]:
    """Kind → how it is written. Comments lean, instructions weigh: colour is never all there is."""
    environments = theme.tokens.environments
    formats = {
        "keyword": _format(theme.tone("info"), QFont.Weight.Bold),
        "flag": _format(QColor(environments[_TEAL])),
        "string": _format(theme.tone("good")),
        "variable": _format(theme.tone("warn")),
        "comment": _format(theme.colour("muted"), italic=True),
        "heredoc": _format(QColor(environments[_TEAL])),
        "stage": _format(QColor(environments[_PURPLE]), QFont.Weight.Bold),
        "directive": _format(theme.colour("muted"), QFont.Weight.Bold),
        "number": _format(QColor(environments[_PURPLE])),
        "operator": _format(theme.colour("muted")),
        "error": _format(theme.tone("bad")),
    }
    return {kind: formats[kind] for kind in KINDS}


def _format(
    colour: QColor, weight: QFont.Weight | None = None, italic: bool = False
) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(colour)
    if weight is not None:
        made.setFontWeight(weight)
    if italic:
        made.setFontItalic(True)
    return made
