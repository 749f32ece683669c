"""A code editor that knows no language: one is plugged in."""

from dockdesk.ui.widgets.editor.editor import CodeEditor
from dockdesk.ui.widgets.editor.language import (
    Candidate,
    Candidates,
    Card,
    Language,
    MarginCell,
    Mark,
    Place,
    PlainLanguage,
)
from dockdesk.ui.widgets.editor.view import EditorView

__all__ = [
    "Candidate",
    "Candidates",
    "Card",
    "CodeEditor",
    "EditorView",
    "Language",
    "MarginCell",
    "Mark",
    "Place",
    "PlainLanguage",
]
