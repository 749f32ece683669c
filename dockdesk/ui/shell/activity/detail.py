"""One job looked at closely: its parts, its log, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from dockdesk.bridge.job import LOG_LINES
from dockdesk.bridge.jobs import Job, JobState
from dockdesk.ui.shell.activity.delegate import PART_ROW, PartsView
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.scroll import ContentScroll

_PARTS_SHOWN = 8


class JobDetail(QWidget):
    """The lower half of the drawer. ``retry_asked(job)`` tells of the retry button."""

    retry_asked = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._job: Job | None = None
        self._last_line: str | None = None

        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(8)
        self._title = PlainLabel(theme, role="strong", wrap=True)
        self._problem = PlainLabel(theme, wrap=True, selectable=True)
        column.addWidget(self._title)
        column.addWidget(self._problem)
        column.addLayout(self._make_buttons())

        self._parts = PartsView(theme)
        self._parts_area = ContentScroll(self._parts)
        column.addWidget(self._parts_area)

        self._log = QPlainTextEdit()
        self._log.setReadOnly(True)
        self._log.setMaximumBlockCount(LOG_LINES)
        self._log.setFont(theme.font("mono"))
        self._log.setPlaceholderText("This job has said nothing yet.")
        self._log.setAccessibleName("Log of the job")
        column.addWidget(self._log, 1)
        column.addStretch(0)  # takes the room where there is no log
        theme.changed.connect(self._on_theme_changed)
        self.show_job(None)

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self._cancel = Button(self._theme, "Cancel", "player-stop")
        self._cancel.clicked.connect(self._on_cancel_clicked)
        self._retry = Button(self._theme, "Try again", "refresh")
        self._retry.clicked.connect(self._on_retry_clicked)
        self._copy = Button(self._theme, "Copy log", "copy")
        self._copy.clicked.connect(self._on_copy_clicked)
        for button in (self._cancel, self._retry, self._copy):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def show_job(self, job: Job | None) -> None:
        """Look at another job, or at none."""
        self._job = job
        self._last_line = None
        self._log.clear()
        self.setVisible(job is not None)
        self.refresh()

    def refresh(self) -> None:
        """Take over what the job has become."""
        job = self._job
        if job is None:
            return
        self._title.setText(job.title)
        self._cancel.setVisible(not job.state.over)
        self._cancel.setEnabled(not job.cancelled)
        self._retry.setVisible(job.state in {JobState.FAILED, JobState.CANCELLED} and job.retryable)
        error = job.error if job.state is JobState.FAILED else None
        self._problem.setText(
            "\n".join(part for part in (error.title, error.detail, error.hint) if part)
            if error is not None
            else ""
        )
        self._problem.setVisible(error is not None)
        parts = job.parts_now()
        self._parts.set_parts(parts)
        self._parts_area.setVisible(bool(parts))
        self._parts_area.setFixedHeight(min(len(parts), _PARTS_SHOWN) * PART_ROW + 4)
        self._take_lines(job)

    def _take_lines(self, job: Job) -> None:
        """Add what is new: lines are told apart by identity, since a log may repeat itself."""
        lines = job.lines_now()
        self._copy.setEnabled(bool(lines))
        self._log.setVisible(bool(lines) or not job.state.over)
        if not lines or lines[-1] is self._last_line:
            return
        start = 0
        for at in range(len(lines) - 1, -1, -1):
            if lines[at] is self._last_line:
                start = at + 1
                break
        self._log.appendPlainText("\n".join(lines[start:]))
        self._last_line = lines[-1]

    def _on_cancel_clicked(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self.refresh()

    def _on_retry_clicked(self) -> None:
        if self._job is not None:
            self.retry_asked.emit(self._job)

    def _on_copy_clicked(self) -> None:
        if self._job is not None:
            QGuiApplication.clipboard().setText("\n".join(self._job.lines_now()))

    def _on_theme_changed(self) -> None:
        self._log.setFont(self._theme.font("mono"))
