"""Terminals in a container: several at once, and they go on while something else is looked at."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from dockdesk.core.errors import ConflictError, DockDeskError, NotFoundError, NotSupportedError
from dockdesk.core.ports import ExecSession
from dockdesk.core.preferences import SHELL
from dockdesk.core.resources.containers import Container
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.labels import Line
from dockdesk.ui.widgets.terminal import TerminalView


class TerminalSession(QWidget):
    """One shell in one container, from asking for it to its end."""

    ended = Signal()

    def __init__(
        self, context: UiContext, container: Container, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._container = container
        self._session: ExecSession | None = None
        self._alive = False
        self._starts = 0
        self.shell = ""
        self.view = TerminalView(context.theme)
        self._loading = LoadingState(context.theme, "Opening a shell…")
        self._message = EmptyState(context.theme, "terminal-2")
        self._pages = QStackedWidget()
        for page in (self._loading, self._message, self.view):
            self._pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        self._sink = self.view.sink()
        self._sink.over.connect(self._on_over)
        self.view.input_ready.connect(self._on_input)
        self.view.resized.connect(self._on_resized)
        self.view.restart_requested.connect(self.start)

    @property
    def alive(self) -> bool:
        """Whether a shell runs in it."""
        return self._alive

    def start(self) -> None:
        """Open a shell: the one of the settings where the container has it, else the best there is."""
        context = self._context
        engine, environment = context.session.backend, context.session.environment
        if engine is None or environment is None:
            self._fail(ConflictError("Not connected", "The engine does not answer."))
            return
        container, sink = self._container, self._sink
        wanted = context.settings.get(SHELL)
        columns, rows = self.view.grid
        self._pages.setCurrentWidget(self._loading)
        self._starts += 1
        number = self._starts

        def open_shell(work: Work) -> tuple[str, ExecSession]:
            command = shlex.split(wanted) if wanted else []
            if not command:
                shells = engine.shells(container.id)
                if not shells:
                    raise NotSupportedError(
                        "There is no shell in this container",
                        f"{container.name} was made from an image without one.",
                        "Look at its files and logs instead, or attach to its main process.",
                    )
                command = shells[:1]
            work.check()
            session = engine.execute(
                container.id, command, sink, columns, rows, env=("TERM=xterm-256color",)
            )
            return " ".join(command), session

        context.jobs.submit(
            self,
            open_shell,
            lambda found: self._on_open(number, *found),
            self._fail,
            lane=environment.id,
        )

    def _on_open(self, number: int, shell: str, session: ExecSession) -> None:
        if number != self._starts:
            self._close_session(session)
            return
        self.shell, self._session, self._alive = shell, session, True
        if self.view.ended:
            self.view.restart()
        self._pages.setCurrentWidget(self.view)
        self.view.setFocus()
        self._on_resized(*self.view.grid)

    def _fail(self, error: DockDeskError) -> None:
        self._alive = False
        gone = isinstance(error, NotFoundError)
        buttons = [] if gone else [StateButton("Try again", self.start)]
        self._message.show_error(error, buttons)
        self._pages.setCurrentWidget(self._message)
        self.ended.emit()

    def _on_input(self, data: bytes) -> None:
        if self._session is not None and self._alive:
            self._session.write(data)

    def _on_resized(self, columns: int, rows: int) -> None:
        session, environment = self._session, self._context.session.environment
        if session is None or not self._alive or environment is None:
            return
        self._context.jobs.submit(
            self,
            lambda _work: session.resize(columns, rows),
            failure=self._on_resize_failed,
            lane=environment.id,
            question="resize",
        )

    def _on_resize_failed(self, _error: DockDeskError) -> None:
        """The process has just ended, or the connection is gone: the stream's end tells of it."""

    def _on_over(self, error: DockDeskError | None) -> None:
        self._alive = False
        session, environment = self._session, self._context.session.environment
        if error is not None or session is None or environment is None:
            self.view.set_ended(f"The connection ended. {error}" if error else "The shell ended.")
            self.ended.emit()
            return
        self._context.jobs.submit(
            self,
            lambda _work: session.exit_code(),
            self._on_exit_code,
            lambda _error: self._on_exit_code(None),
            lane=environment.id,
        )

    def _on_exit_code(self, code: int | None) -> None:
        self.view.set_ended(
            "The shell ended." if code is None else f"The shell ended with code {code}."
        )
        self.ended.emit()

    def _close_session(self, session: ExecSession) -> None:
        self._context.jobs.submit(None, lambda _work: session.close(), failure=_log_only)

    def end(self) -> None:
        """End the shell and the terminal."""
        self._starts += 1
        if self._session is not None and self._alive:
            self._close_session(self._session)
        self._alive = False
        self.view.close_terminal()


def _log_only(_error: DockDeskError) -> None:
    """A shell that can't be told to end is ended with its connection."""


class TerminalsView(DetailView[ContainerRow]):
    """The terminals of one container in tabs of their own."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._container: Container | None = None
        self._tabs = QTabBar()
        self._tabs.setTabsClosable(True)
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._tabs.setDocumentMode(True)
        self._tabs.setAccessibleName("Terminals")
        self._add = IconButton(context.theme, "plus", "Another terminal")
        self._add.clicked.connect(self._on_open_clicked)
        self._pages = QStackedWidget()
        self._message = EmptyState(context.theme, "terminal-2")
        self._pages.addWidget(self._message)
        head = QHBoxLayout()
        head.setContentsMargins(8, 2, 8, 2)
        head.addWidget(self._tabs)
        head.addWidget(self._add)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(Line())
        column.addWidget(self._pages, 1)
        self._tabs.currentChanged.connect(self._on_tab_changed)
        self._tabs.tabCloseRequested.connect(self._on_close_asked)
        self._count = 0

    def set_rows(self, rows: Sequence[ContainerRow]) -> None:
        if rows:
            self._container = rows[0].container
        self._show_state()

    def shown(self) -> None:
        if (
            not self.sessions()
            and self._container is not None
            and self._container.state == "running"
        ):
            self.open_terminal()
        self._show_state()

    def sessions(self) -> list[TerminalSession]:
        widgets = (self._pages.widget(at) for at in range(self._pages.count()))
        return [widget for widget in widgets if isinstance(widget, TerminalSession)]

    def open_terminal(self) -> TerminalSession | None:
        """Open one more, unless a guard forbids it or the container does not run."""
        container, environment = self._container, self.context.session.environment
        if container is None or environment is None or container.state != "running":
            return None
        self._count += 1
        session = TerminalSession(self.context, container, self)
        self._pages.addWidget(session)
        at = self._tabs.addTab(f"Shell {self._count}")
        self._tabs.setTabData(at, self._count)
        session.setProperty("number", self._count)
        self._tabs.setCurrentIndex(at)
        session.start()
        self._show_state()
        return session

    def _on_open_clicked(self) -> None:
        self.open_terminal()

    def _show_state(self) -> None:
        container = self._container
        running = container is not None and container.state == "running"
        self._add.setEnabled(running)
        if self.sessions():
            self._on_tab_changed(self._tabs.currentIndex())
            return
        if running:
            self._message.show_message(
                "terminal-2",
                "No terminal open",
                "A terminal is a shell inside the container.",
                [StateButton("Open a terminal", self._on_open_clicked, "primary")],
            )
        else:
            self._message.show_message(
                "terminal-2", "It does not run", "Start the container to open a terminal in it."
            )
        self._pages.setCurrentWidget(self._message)

    def _on_tab_changed(self, at: int) -> None:
        number = self._tabs.tabData(at) if at >= 0 else None
        for session in self.sessions():
            if session.property("number") == number:
                self._pages.setCurrentWidget(session)
                session.view.setFocus()

    def _on_close_asked(self, at: int) -> None:
        number = self._tabs.tabData(at)
        for session in self.sessions():
            if session.property("number") == number:
                session.end()
                self._pages.removeWidget(session)
                session.deleteLater()
        self._tabs.removeTab(at)
        self._show_state()

    def may_close(self) -> str | None:
        alive = sum(session.alive for session in self.sessions())
        if not alive or self._container is None:
            return None
        what = "A terminal is" if alive == 1 else f"{alive} terminals are"
        return f"{what} open in {self._container.name}."

    def end_all(self) -> None:
        for session in self.sessions():
            session.end()

    def save_state(self) -> Mapping[str, Any]:
        return {}
