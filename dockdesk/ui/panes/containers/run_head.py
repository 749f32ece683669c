"""The line above the run form, to fill it from elsewhere: a pasted command, a Compose file, a preset."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QMenu, QWidget

from dockdesk.runspec.compose import ComposeService
from dockdesk.runspec.parse import LONGEST_LINE, ParsedRun, parse_run
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.containers.presets_menu import PresetsMenu, ReadValues
from dockdesk.ui.panes.containers.run_sources import services_of
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.plain import plain_tip

_COMPOSE_FILTER = "Compose files (*.yml *.yaml);;All files (*)"
_COMMAND = re.compile(r"\s*(\$\s+)?(sudo\s+)?(docker|podman)\s+(container\s+)?(run|create)\s")
_AT_ONCE = 10  # characters that nobody types at once


def was_pasted(before: str, text: str) -> bool:
    """Whether ``text`` became a whole docker command at once, and not letter by letter."""
    return len(text) - len(before) > _AT_ONCE and _COMMAND.match(text) is not None


class PasteField(QLineEdit):
    """Enter reads what was pasted. It goes no further: in a dialog it would also press the button that runs."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            event.accept()


class RunHead(QWidget):
    """``taken`` carries a ParsedRun and where it is from; ``failed`` a DockDeskError; ``told`` words and their tone."""

    taken = Signal(object, str)
    failed = Signal(object)
    told = Signal(str, str)

    def __init__(self, context: UiContext, values: ReadValues, parent: QWidget) -> None:
        """``values`` reads the form, for what is kept as a preset."""
        super().__init__(parent)
        self._context = context
        theme = context.theme
        self.paste = PasteField()
        self.paste.setPlaceholderText("Paste a “docker run …” line here")
        self.paste.setAccessibleName("A docker run line to fill the form from")
        self.paste.setMaxLength(LONGEST_LINE)
        self.paste.setAcceptDrops(False)
        self.paste.returnPressed.connect(self._read_line)
        self.paste.textEdited.connect(self._on_edited)
        self._before = ""
        self.compose = Button(theme, "From Compose…", "file-import")
        self.compose.setToolTip(
            plain_tip(
                "Fill the form from a service of a Compose file; one can be dropped here too."
            )
        )
        self.compose.clicked.connect(self._on_compose_clicked)
        self.presets = PresetsMenu(context, values, self)
        self.presets.chosen.connect(
            lambda name, spec: self.taken.emit(ParsedRun(spec), f"Filled in from “{name}”.")
        )
        self.presets.told.connect(self.told)
        presets = Button(theme, "Presets", "bookmark")
        presets.setMenu(self.presets)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.paste, 1)
        row.addWidget(self.compose)
        row.addWidget(presets)

    def read_compose(self, path: Path) -> None:
        """Read a Compose file and have one of its services chosen."""
        self._context.jobs.submit(
            self,
            lambda _work: services_of(path),
            self._choose_service,
            self.failed.emit,
            question="parse",
        )

    def read_line(self, line: str) -> None:
        """Read a docker command; until that succeeds it stands in the field, to be mended."""
        self.paste.setText(line)
        self._read_line()

    def _on_edited(self, text: str) -> None:
        before, self._before = self._before, text
        if was_pasted(before, text):
            self._read_line()

    def _read_line(self) -> None:
        line = self.paste.text()
        if not line.strip():
            return
        self._context.jobs.submit(
            self,
            lambda _work: parse_run(line, folder=str(Path.cwd())),
            self._on_parsed,
            self.failed.emit,
            question="parse",
        )

    def _on_parsed(self, parsed: ParsedRun) -> None:
        self.paste.clear()
        self._before = ""
        self.taken.emit(parsed, "Filled in from the command.")

    def _on_compose_clicked(self) -> None:
        dialog = QFileDialog(self, "Choose a Compose file", "", _COMPOSE_FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.read_compose(Path(path)))
        dialog.open()

    def _choose_service(self, services: list[ComposeService]) -> None:
        if len(services) == 1:
            self._take_service(services[0])
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for service in services:
            image = f"  ({service.run.spec.image})" if service.run.spec.image else ""
            entry = menu.addAction(f"{service.name}{image}".replace("&", "&&"))
            entry.triggered.connect(lambda _on=False, service=service: self._take_service(service))
        menu.popup(self.paste.mapToGlobal(self.paste.rect().bottomLeft()))

    def _take_service(self, service: ComposeService) -> None:
        self.taken.emit(service.run, f"Filled in from the service “{service.name}”.")
