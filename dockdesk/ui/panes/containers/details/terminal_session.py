"""One terminal in a container."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.core.actions import AuditEntry
from dockdesk.core.errors import CancelledError, ConflictError, DockDeskError, NotSupportedError
from dockdesk.core.ports import Engine, ExecSession
from dockdesk.core.preferences import SCROLLBACK, SHELL
from dockdesk.core.resources.containers import Container
from dockdesk.core.streams import Sink
from dockdesk.core.work import Work
from dockdesk.ui.context import UiContext
from dockdesk.ui.panes.containers.details.launch import ATTACH, Launch, equivalent_of
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.terminal import TerminalView


class _Lines:
    """What a process without a TTY prints, with the carriage returns that a terminal wants."""

    def __init__(self, sink: Sink[bytes]) -> None:
        self._sink = sink

    def put(self, items: Sequence[bytes]) -> None:
        self._sink.put([item.replace(b"\n", b"\r\n") for item in items])

    def ended(self, error: DockDeskError | None) -> None:
        self._sink.ended(error)


class _Opening:
    """One try to open a terminal. If nobody waits for it any more, what was opened is closed at once."""

    def __init__(
        self,
        container: Container,
        launch: Launch,
        shell: str,
        sink: Sink[bytes],
        grid: tuple[int, int],
    ) -> None:
        self._container = container
        self._launch = launch
        self._shell = shell
        self._sink = sink
        self._grid = grid
        self._lock = threading.Lock()
        self._abandoned = False
        self._session: ExecSession | None = None
        self.at = time.time()
        self.command: tuple[str, ...] = ()

    def open(self, engine: Engine, work: Work) -> ExecSession:
        """On a worker."""
        session = self._attach(engine) if self._launch.attach else self._execute(engine, work)
        with self._lock:
            late = self._abandoned
            if not late:
                self._session = session
        if late:
            session.close()
            raise CancelledError
        return session

    def abandon(self) -> ExecSession | None:
        """Want it no more; returns what has been opened already, for the caller to close."""
        with self._lock:
            self._abandoned = True
            session, self._session = self._session, None
        return session

    def _attach(self, engine: Engine) -> ExecSession:
        id = self._container.id
        sink = self._sink if engine.container(id).tty else _Lines(self._sink)
        return engine.attach(id, sink, *self._grid)

    def _execute(self, engine: Engine, work: Work) -> ExecSession:
        self.command = self._chosen(engine)
        work.check()
        return engine.execute(
            self._container.id,
            self.command,
            self._sink,
            *self._grid,
            self._launch.user,
            self._launch.workdir,
            env=("TERM=xterm-256color",),
        )

    def _chosen(self, engine: Engine) -> tuple[str, ...]:
        """What was chosen for this terminal, else the shell of the settings, else the best there is."""
        if self._launch.command:
            return self._launch.command
        if self._shell.strip():
            return tuple(shlex.split(self._shell))
        shells = engine.shells(self._container.id)
        if not shells:
            raise NotSupportedError(
                "There is no shell in this container",
                f"{self._container.name} was made from an image without one.",
                "Look at its files and logs instead, or attach to its main process.",
            )
        return (shells[0],)


class TerminalSession(QWidget):
    """One program in one container, from asking for it to its end.

    ``named`` tells what runs, ``ended`` that it is over. What is opened is written to the command log, as a command.
    """

    named = Signal(str)
    ended = Signal()
    attach_asked = Signal()

    def __init__(
        self,
        context: UiContext,
        container: Container,
        launch: Launch,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._container = container
        self._launch = launch
        self._session: ExecSession | None = None
        self._alive = False
        self._opening: _Opening | None = None
        self._focus_before: QWidget | None = None
        self.view = TerminalView(context.theme, scrollback=context.settings.get(SCROLLBACK))
        opening = "Attaching…" if launch.attach else "Opening a terminal…"
        self._loading = LoadingState(context.theme, opening)
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
        self.setFocusProxy(self.view)

    @property
    def alive(self) -> bool:
        """Whether a program runs in it."""
        return self._alive

    @property
    def message(self) -> EmptyState | None:
        """What is said instead of the terminal, or None."""
        return self._message if self._pages.currentWidget() is self._message else None

    def start(self) -> None:
        """Open it, for the first time or again."""
        context = self._context
        engine, environment = context.session.backend, context.session.environment
        if engine is None or environment is None:
            self._fail(ConflictError("Not connected", "The engine does not answer."))
            return
        self._pages.setCurrentWidget(self._loading)
        self._focus_before = QApplication.focusWidget()
        self._give_up()
        shell = context.settings.get(SHELL)
        opening = _Opening(self._container, self._launch, shell, self._sink, self.view.grid)
        self._opening = opening
        context.jobs.submit(
            self,
            lambda work: opening.open(engine, work),
            lambda session: self._on_open(opening, session),
            lambda error: self._on_open_failed(opening, error),
            lane=environment.id,
        )

    def _on_open(self, opening: _Opening, session: ExecSession) -> None:
        if opening is not self._opening:
            return
        self._session, self._alive = session, True
        self._record(opening, None)
        if self.view.ended:
            self.view.restart()
        if self._launch.attach:
            self.view.feed(
                b"\x1b[2mWhat the main process prints from now on is shown here.\x1b[0m\r\n"
            )
        self._pages.setCurrentWidget(self.view)
        # Whoever has gone elsewhere meanwhile must not find themselves typing into a shell.
        if self.isVisible() and QApplication.focusWidget() is self._focus_before:
            self.view.setFocus()
        self.named.emit(
            opening.command[0].rsplit("/", 1)[-1] if opening.command else "Main process"
        )
        self._on_resized(*self.view.grid)

    def _on_open_failed(self, opening: _Opening, error: DockDeskError) -> None:
        if opening is self._opening:
            self._record(opening, error)
            self._fail(error)

    def _record(self, opening: _Opening, error: DockDeskError | None) -> None:
        environment = self._context.session.environment
        container, launch = self._container, self._launch
        verb = "Attach to" if launch.attach else "Open terminal in"
        self._context.audit.record(
            AuditEntry(
                at=opening.at,
                environment=environment.name if environment is not None else "",
                action="container.attach" if launch.attach else "container.terminal",
                title=f"{verb} {container.name}",
                target=container.name,
                equivalent=equivalent_of(container, launch, opening.command),
                outcome="ok" if error is None else "failed",
                error="" if error is None else str(error),
                duration=max(0.0, time.time() - opening.at),
            )
        )

    def _fail(self, error: DockDeskError) -> None:
        self._alive = False
        buttons = [StateButton("Try again", self.start, icon="refresh")]
        if isinstance(error, NotSupportedError) and not self._launch.attach:
            buttons.append(StateButton("Attach to the main process", self.attach_asked.emit))
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
            failure=_ignore,
            lane=environment.id,
            question="resize",
        )

    def _on_over(self, error: DockDeskError | None) -> None:
        self._alive = False
        session, environment = self._session, self._context.session.environment
        if error is not None or session is None or environment is None:
            # A stream that is closed with its connection only knows that it was cancelled.
            why = "" if isinstance(error, CancelledError) else f" {error}"
            self._say_ended(f"The connection ended.{why}" if error else "The program ended.")
            return
        self._context.jobs.submit(
            self,
            lambda _work: session.exit_code(),
            self._on_exit_code,
            lambda _error: self._on_exit_code(None),
            lane=environment.id,
        )

    def _on_exit_code(self, code: int | None) -> None:
        what = "The main process" if self._launch == ATTACH else "The program"
        self._say_ended(f"{what} ended." if code is None else f"{what} ended with code {code}.")

    def _say_ended(self, words: str) -> None:
        self.view.set_ended(words)
        self.ended.emit()

    def _give_up(self) -> None:
        """Close what is open, or about to be."""
        opening, self._opening = self._opening, None
        session = opening.abandon() if opening is not None else None
        if session is not None and self._alive:
            close = session.close
            self._context.jobs.submit(None, lambda _work: close(), failure=_ignore, vital=True)
        self._alive = False

    def end(self) -> None:
        """End the program (a main process goes on) and the terminal."""
        self._give_up()
        self.view.close_terminal()


def _ignore(_error: DockDeskError) -> None:
    """It has just ended, or the connection is gone: the stream's end tells of it."""
