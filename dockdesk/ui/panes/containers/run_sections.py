"""The run form in its sections."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from dockdesk.runspec.fields import SECTIONS
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.sections import SectionsForm


class RunSections(SectionsForm):
    """Everything that `docker run` takes."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, SECTIONS, parent)
