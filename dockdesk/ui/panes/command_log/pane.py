"""The command log pane: everything DockDesk did on this computer, newest first, live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from dockdesk.core.actions import AuditEntry
from dockdesk.core.audit_export import to_markdown, to_shell
from dockdesk.core.errors import LocalError
from dockdesk.core.units import took_text
from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import DetailTab, EmptyText, ListDescription
from dockdesk.ui.list_pane import ListPane
from dockdesk.ui.pane import DetailView, Handler
from dockdesk.ui.panes.command_log.actions import ACTIONS
from dockdesk.ui.panes.command_log.columns import COLUMNS
from dockdesk.ui.widgets.equivalents import EquivalentView
from dockdesk.ui.widgets.labels import PlainLabel


class EntryView(DetailView[AuditEntry]):
    """One line of the log in all its forms, and why it failed."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._title = PlainLabel(context.theme, "", "strong")
        self._outcome = PlainLabel(context.theme, "", tone="muted", wrap=True, selectable=True)
        self._commands = EquivalentView(context.theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._outcome)
        column.addWidget(self._commands, 1)

    def set_rows(self, rows: Sequence[AuditEntry]) -> None:
        if not rows:
            return
        entry = rows[0]
        self._title.setText(entry.title)
        where = f" on {entry.environment}" if entry.environment else ""
        text = f"{entry.outcome}{where} after {took_text(entry.duration)}"
        self._outcome.setText(f"{text}: {entry.error}" if entry.error else text)
        self._outcome.set_tone("bad" if entry.outcome == "failed" else "muted")
        self._commands.set_equivalents([entry.equivalent])


DESCRIPTION: ListDescription[AuditEntry] = ListDescription(
    id="command_log",
    title="Command log",
    icon="history",
    kind="audit",
    noun=("line", "lines"),
    columns=COLUMNS,
    key=lambda entry: str(entry.id),
    name=lambda entry: entry.title,
    actions=ACTIONS,
    tabs=(DetailTab("entry", "Command", EntryView, "terminal-2"),),
    empty=EmptyText(
        "Nothing done yet",
        "Everything you do in DockDesk is listed here as the command, SDK call and API request it stands for.",
    ),
    search=lambda entry: (
        f"{entry.title} {entry.target} {entry.equivalent.cli} {entry.environment} {entry.outcome}"
    ),
    sort=("at", True),
    of_engine=False,
)


class CommandLogPane(ListPane[AuditEntry]):
    def __init__(self, context: UiContext) -> None:
        super().__init__(context, DESCRIPTION)
        context.audit.added.connect(self._on_added)
        context.audit.loaded.connect(self._show_all)
        self._show_all()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "log.export_script": lambda _rows: self._export("sh", "Shell scripts (*.sh)", _script),
            "log.export_markdown": lambda _rows: self._export("md", "Markdown (*.md)", _handout),
            "log.copy": lambda rows: _copy(rows, "cli"),
            "log.copy_sdk": lambda rows: _copy(rows, "sdk"),
        }

    def reload(self) -> None:
        self._show_all()

    def _show_all(self) -> None:
        self.set_rows(self.context.audit.entries)

    def _on_added(self, entry: AuditEntry) -> None:
        self.apply([entry])

    def entries_to_export(self) -> list[AuditEntry]:
        """The chosen lines where there are several, else all that the filter lets through."""
        chosen = list(self.selected())
        return chosen if len(chosen) > 1 else list(self.model.shown_rows())

    def _export(
        self, suffix: str, kinds: str, write: Callable[[Sequence[AuditEntry]], str]
    ) -> None:
        entries = self.entries_to_export()
        if not entries:
            self.context.notices.show(
                "Nothing to export", "The log has no lines to show.", tone="info"
            )
            return
        dialog = QFileDialog(
            self, "Export the command log", f"dockdesk-{datetime.now():%Y-%m-%d}.{suffix}", kinds
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.fileSelected.connect(lambda path: self.export_to(Path(path), entries, write))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export_to(
        self,
        path: Path,
        entries: Sequence[AuditEntry],
        write: Callable[[Sequence[AuditEntry]], str],
    ) -> None:
        """Write ``entries`` to ``path`` in the background and say so."""

        def work(_work: Any) -> Path:
            try:
                path.write_text(write(entries), "utf-8")
                if path.suffix == ".sh":
                    path.chmod(path.stat().st_mode | 0o100)
            except OSError as error:
                raise LocalError("The log could not be exported", f"{path}: {error}") from error
            return path

        self.context.jobs.submit(
            self,
            work,
            lambda made: self.context.notices.show("Exported", str(made), tone="good"),
            self.context.notices.failure,
        )


def _script(entries: Sequence[AuditEntry]) -> str:
    return to_shell(entries)


def _handout(entries: Sequence[AuditEntry]) -> str:
    return to_markdown(entries)


def _copy(rows: Sequence[AuditEntry], kind: str) -> None:
    ordered = sorted(rows, key=lambda entry: (entry.at, entry.id))
    QGuiApplication.clipboard().setText(
        "\n".join(text for row in ordered if (text := getattr(row.equivalent, kind)))
    )
