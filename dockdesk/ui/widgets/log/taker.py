"""Taking lines out of a log panel: to the clipboard or to a file, off the GUI thread where it may take long."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Qt, Signal
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtWidgets import QFileDialog

from dockdesk.bridge.call import Call
from dockdesk.bridge.jobs import Job, Jobs
from dockdesk.core.logs.export import TextFormat, copy_text, save_portions
from dockdesk.core.logs.store import LogSnapshot
from dockdesk.core.units import bytes_text
from dockdesk.ui.widgets.log.hits import AllRows, ShownRows, portions_between, rows_between
from dockdesk.ui.widgets.log.selection import Position
from dockdesk.ui.widgets.log.view import LogView

_AT_ONCE = 200
"""So many rows are copied on the spot: what is pasted right away must be there."""

_FEW = 20_000
"""Rows that are saved in less time than a process takes to start."""

_TEXT = "Plain text (*.log *.txt)"
_RAW = "With its colours, as it came (*.ansi)"


class LogTaker(QObject):
    """Copies and saves what the view shows; ``told`` with a few words when that is done."""

    told = Signal(str)

    def __init__(self, jobs: Jobs, view: LogView, parent: QObject) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._view = view
        self._snapshot: LogSnapshot | None = None
        self._shown: ShownRows = AllRows()
        self.stamps = False

    def use(self, snapshot: LogSnapshot, shown: ShownRows) -> None:
        """Take what is shown from now on."""
        self._snapshot, self._shown = snapshot, shown

    def copy(self, everything: bool) -> None:
        """Copy the selection; without one, ``everything`` that is shown, or nothing."""
        chosen = self._view.selection.range
        if chosen is None and everything and len(self._shown):
            first, last = self._ends()
            chosen = Position(first, 0), Position(last, 1 << 30)
        if chosen is None:
            self.told.emit("Nothing is selected.")
        else:
            self._copy(*chosen, QClipboard.Mode.Clipboard)

    def offer_selection(self) -> None:
        """Let the middle mouse button paste what was selected, where the system knows that."""
        chosen = self._view.selection.range
        clipboard = QGuiApplication.clipboard()
        if (
            chosen is not None
            and clipboard.supportsSelection()
            and self._count(*chosen) <= _AT_ONCE
        ):
            clipboard.setText(self._text(*chosen), QClipboard.Mode.Selection)

    def ask_where(self) -> None:
        """Ask for a file and save what is shown to it."""
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
        dialog = QFileDialog(self._view.window(), "Save the lines shown", folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([_TEXT, _RAW])
        dialog.selectFile(f"{self._name()}.log")
        dialog.setDefaultSuffix("log")
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix("ansi" if chosen == _RAW else "log")
        )
        dialog.fileSelected.connect(
            lambda path: self.save(Path(path), dialog.selectedNameFilter() == _RAW)
        )
        dialog.open()

    def save(self, target: Path, raw: bool = False) -> Job | None:
        """Save what is shown; ``raw`` keeps colours and other escape sequences. None if there is nothing."""
        snapshot, shown = self._snapshot, self._shown
        if snapshot is None or not len(shown):
            self.told.emit("There is nothing to save.")
            return None
        first, last = self._ends()
        count = len(shown)
        form = self._format(raw)

        return self._jobs.submit(
            self,
            Call(
                save_portions,
                (count, snapshot.sources, form, target),
                lambda: portions_between(snapshot, shown, first, last),
            ),
            lambda size: self.told.emit(f"Saved {bytes_text(size)} to {target.name}."),
            title=f"Save log to {target.name}",
            long=True,
            retryable=True,
            process=count >= _FEW,
        )

    def _copy(self, start: Position, end: Position, mode: QClipboard.Mode) -> None:
        count = self._count(start, end)
        words = f"Copied {count:,} line{'' if count == 1 else 's'}."

        def put(text: str) -> None:
            QGuiApplication.clipboard().setText(text, mode)
            self.told.emit(words)

        if count <= _AT_ONCE:
            put(self._text(start, end))
            return
        snapshot, shown, form = self._snapshot, self._shown, self._format()
        assert snapshot is not None
        self._jobs.submit(
            self, lambda _work: _copied(snapshot, shown, form, start, end), put, question="copy"
        )

    def _count(self, start: Position, end: Position) -> int:
        """How many rows a selection takes."""
        last = end.row if end.char else end.row - 1
        return self._shown.index(last + 1) - self._shown.index(start.row)

    def _ends(self) -> tuple[int, int]:
        return self._shown.row(0), self._shown.row(len(self._shown) - 1)

    def _format(self, raw: bool = False) -> TextFormat:
        labels = self._snapshot is not None and len(self._snapshot.sources) > 1
        return TextFormat(stamps=self.stamps, labels=labels, raw=raw)

    def _text(self, start: Position, end: Position) -> str:
        if self._snapshot is None:
            return ""
        return _copied(self._snapshot, self._shown, self._format(), start, end)

    def _name(self) -> str:
        """A file name made of the sources' labels."""
        sources = self._snapshot.sources if self._snapshot is not None else ()
        label = sources[0].label if len(sources) == 1 else ""
        safe = "".join(char if char.isalnum() or char in "-_." else "-" for char in label[:60])
        return safe.strip("-.") or "log"


def _copied(
    snapshot: LogSnapshot, shown: ShownRows, form: TextFormat, start: Position, end: Position
) -> str:
    rows = rows_between(snapshot, shown, start.row, end.row)
    return copy_text(rows, snapshot.sources, form, start, end)
