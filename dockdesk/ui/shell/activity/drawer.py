"""The drawer at the window's right: a list of jobs above, the chosen one below."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListView,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from dockdesk.bridge.jobs import Job, Jobs
from dockdesk.ui.actions.bound import tip
from dockdesk.ui.shell.activity.delegate import JobDelegate
from dockdesk.ui.shell.activity.detail import JobDetail
from dockdesk.ui.shell.activity.model import JobModel
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.labels import PlainLabel

WIDTH = 380


class ActivityDrawer(QFrame):
    """Running and past jobs. ``closed`` tells that the user has shut it."""

    closed = Signal()

    def __init__(self, theme: Theme, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self.setProperty("look", "panel")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Activity")

        self._model = JobModel(jobs, self)
        self._list = QListView()
        self._list.setModel(self._model)
        self._list.setItemDelegate(JobDelegate(theme, self._list))
        self._list.setUniformItemSizes(True)
        self._list.setMouseTracking(True)
        self._list.setAccessibleName("Jobs")
        self._list.selectionModel().currentChanged.connect(self._on_current_changed)
        self._empty = PlainLabel(
            theme,
            "Nothing has run yet.\nPulls, exports and every change you make appear here.",
            tone="muted",
            wrap=True,
        )
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._detail = JobDetail(theme)
        self._detail.retry_asked.connect(self._on_retry_asked)

        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self._list)
        split.addWidget(self._detail)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._make_header(theme))
        column.addWidget(self._empty, 1)
        column.addWidget(split, 1)
        self._split = split

        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._model.tick)
        jobs.job_changed.connect(self._on_job_changed)
        self._on_rows_changed()

    def _make_header(self, theme: Theme) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(16, 10, 10, 6)
        title = PlainLabel(theme, "Activity", "heading")
        self._clear = Button(theme, "Clear", "clear-all", "flat")
        self._clear.setToolTip(tip("Clear", "Take what has ended off the list."))
        self._clear.clicked.connect(self._on_clear_clicked)
        shut = IconButton(theme, "x", "Close the activity drawer", "Esc")
        shut.clicked.connect(self.closed)
        row.addWidget(title)
        row.addStretch(1)
        row.addWidget(self._clear)
        row.addWidget(shut)
        return row

    def show_job(self, job: Job) -> None:
        """Choose a job; one that has only just changed may not be listed yet."""
        self._model.note(job)
        self._on_rows_changed()
        if (row := self._model.row_of(job)) >= 0:
            self._list.setCurrentIndex(self._model.index(row))

    def focus(self) -> None:
        """Put the focus on the list, on its newest job where none is chosen."""
        if not self._list.currentIndex().isValid() and self._model.rowCount():
            self._list.setCurrentIndex(self._model.index(0))
        self._list.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._detail.refresh()
        self._run_clock()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
            return
        super().keyPressEvent(event)

    def _on_job_changed(self, job: Job) -> None:
        # The model is told first: it connected earlier.
        self._on_rows_changed()
        index = self._list.currentIndex()
        if index.isValid() and self._model.job(index.row()) is job and self.isVisible():
            self._detail.refresh()

    def _on_rows_changed(self) -> None:
        empty = self._model.rowCount() == 0
        self._empty.setVisible(empty)
        self._split.setVisible(not empty)
        self._clear.setEnabled(self._model.rowCount() > self._model.running())
        self._run_clock()

    def _run_clock(self) -> None:
        if self.isVisible() and self._model.running():
            self._clock.start()
        else:
            self._clock.stop()

    def _on_current_changed(self, current: QModelIndex) -> None:
        self._detail.show_job(self._model.job(current.row()) if current.isValid() else None)

    def _on_clear_clicked(self) -> None:
        self._model.forget_ended()
        self._on_rows_changed()

    def _on_retry_asked(self, job: Job) -> None:
        fresh = self._jobs.retry(job)
        self._model.note(fresh)
        self._on_rows_changed()
        self.show_job(fresh)
