"""Terminals in a container: several at once, and they go on while something else is looked at."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from dockdesk.core.actions import Danger
from dockdesk.core.environments import Confirmation
from dockdesk.core.resources.containers import Container
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.panes.containers.details.launch import (
    ATTACH,
    SHELL,
    Launch,
    equivalent_of,
    launch_form,
    launch_of,
)
from dockdesk.ui.panes.containers.details.terminal_session import TerminalSession
from dockdesk.ui.widgets.buttons import IconButton
from dockdesk.ui.widgets.dialogs import FormDialog
from dockdesk.ui.widgets.empty import EmptyState, StateButton
from dockdesk.ui.widgets.labels import Line


class TerminalsView(DetailView[ContainerRow]):
    """The terminals of one container, in tabs of their own.

    The first opens when the user brings this view forward, never because another row was chosen: going through a list
    must not start a shell in each container, nor take the keys away from the list.
    """

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._container: Container | None = None
        self._count = 0
        self._sessions: list[TerminalSession] = []  # in the order of their tabs
        self._said: tuple[str, str] | None = None
        self._tabs = QTabBar()
        self._tabs.setTabsClosable(True)
        self._tabs.setDrawBase(False)
        self._tabs.setExpanding(False)
        self._tabs.setDocumentMode(True)
        self._tabs.setMinimumWidth(1)  # else it is wide enough for the buttons that scroll it
        self._tabs.setAccessibleName("Terminals")
        self._add = IconButton(context.theme, "plus", "Another terminal")
        self._more = IconButton(context.theme, "chevron-down", "Other ways to open a terminal")
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setMenu(self._make_menu())
        self._pages = QStackedWidget()
        self._message = EmptyState(context.theme, "terminal-2")
        self._pages.addWidget(self._message)
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setContentsMargins(8, 2, 8, 2)
        head.setSpacing(2)
        head.addWidget(self._tabs)
        head.addWidget(self._add)
        head.addWidget(self._more)
        head.addStretch(1)
        self._line = Line()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(self._line)
        column.addWidget(self._pages, 1)
        self._add.clicked.connect(self._on_open_clicked)
        self._tabs.currentChanged.connect(self._on_tab_changed)
        self._tabs.tabCloseRequested.connect(self._on_close_asked)
        context.session.state_changed.connect(self._on_state_changed)

    def _make_menu(self) -> QMenu:
        icon = self.context.theme.icon
        menu = QMenu(self)
        menu.addAction(icon("plus"), "New terminal", self._on_open_clicked)
        menu.addAction(icon("adjustments"), "Command, user and folder…", self.ask)
        menu.addSeparator()
        attach = "Attach to the main process"
        menu.addAction(icon("plug-connected"), attach, self._on_attach_clicked)
        return menu

    # DetailView.

    def set_rows(self, rows: Sequence[ContainerRow]) -> None:
        container = rows[0].container if rows else self._container
        if container is not self._container or self._said is None:
            self._container = container
            self._show_state()

    def shown(self) -> None:
        self._show_state()

    def brought_forward(self) -> None:
        session = self._current()
        if session is not None:
            session.setFocus()
        elif self._why_not() is None and not self._asks_first():
            self.open_terminal()

    def may_close(self) -> str | None:
        alive = sum(session.alive for session in self.sessions())
        if not alive or self._container is None:
            return None
        what = "A terminal is" if alive == 1 else f"{alive} terminals are"
        return f"{what} open in {self._container.name}."

    def closeEvent(self, event: QCloseEvent) -> None:
        """Its container is gone, or another environment is shown: nothing must go on unseen."""
        self.end_all()
        super().closeEvent(event)

    # Terminals.

    def sessions(self) -> list[TerminalSession]:
        """In the order of their tabs."""
        return list(self._sessions)

    def open_terminal(self, launch: Launch = SHELL) -> TerminalSession | None:
        """Open one more, and give it the focus, unless a guard forbids it or the container does not run."""
        container = self._container
        if container is None or (why := self._why_not()) is not None:
            if container is not None and why is not None:
                self.context.notices.show("No terminal can be opened", why[1], tone="warn")
            return None
        self._count += 1
        session = TerminalSession(self.context, container, launch, self)
        self._pages.addWidget(session)
        self._sessions.append(session)
        at = self._tabs.addTab("Main process" if launch.attach else f"Terminal {self._count}")
        number = self._count
        session.named.connect(lambda name: self._name(session, name, number))
        session.ended.connect(lambda: self._mark_ended(session))
        session.attach_asked.connect(lambda: self._attach_instead(session))
        self._tabs.setCurrentIndex(at)
        self._show_state()
        session.start()
        return session

    def ask(self) -> None:
        """Have command, user and folder chosen, then open."""
        container, backend = self._container, self.context.session.backend
        if container is None or self._why_not() is not None:
            return
        dialog = FormDialog(
            self.context.theme,
            launch_form(container),
            self.context.jobs,
            backend,
            lambda values: [equivalent_of(container, launch_of(values))],
            parent=self.window(),
        )
        dialog.submitted.connect(lambda values: self.open_terminal(launch_of(values)))
        dialog.open()

    def end_all(self) -> None:
        for session in self.sessions():
            session.end()

    # How it comes about.

    def _current(self) -> TerminalSession | None:
        at = self._tabs.currentIndex()
        return self._sessions[at] if 0 <= at < len(self._sessions) else None

    def _why_not(self) -> tuple[str, str] | None:
        """Title and text of why no terminal can be opened now."""
        container, session = self._container, self.context.session
        if container is None or container.state != "running":
            paused = container is not None and container.state == "paused"
            what = "Resume" if paused else "Start"
            return (
                "It is paused" if paused else "It does not run",
                f"{what} the container to open a terminal in it.",
            )
        if session.backend is None or session.environment is None:
            return "Not connected", "The engine does not answer."
        reason = session.environment.refusal(Danger.CHANGES)
        return None if reason is None else ("No terminal here", reason)

    def _asks_first(self) -> bool:
        """Where every change is asked about, looking at this view must not begin one."""
        environment = self.context.session.environment
        return environment is not None and (
            environment.confirmation(Danger.CHANGES) is not Confirmation.NONE
        )

    def _show_state(self) -> None:
        why = self._why_not()
        self._add.setEnabled(why is None)
        self._more.setEnabled(why is None)
        current = self._current()
        self._head.setVisible(current is not None)
        self._line.setVisible(current is not None)
        if current is not None and self.focusProxy() is not current:
            self.setFocusProxy(current)
        if current is not None:
            self._pages.setCurrentWidget(current)
            return
        self._pages.setCurrentWidget(self._message)
        title, text = why or ("No terminal open", "A terminal is a shell inside the container.")
        if (title, text) == self._said:
            return
        self._said = (title, text)
        buttons = (
            StateButton("Open a terminal", self._on_open_clicked, "primary"),
            StateButton("With options…", self.ask),
            StateButton("Attach to the main process", self._on_attach_clicked),
        )
        self._message.show_message("terminal-2", title, text, () if why else buttons)

    def _on_state_changed(self, _state: object) -> None:
        self._show_state()

    def _on_open_clicked(self) -> None:
        self.open_terminal()

    def _on_attach_clicked(self) -> None:
        self.open_terminal(ATTACH)

    def _on_tab_changed(self, _at: int) -> None:
        self._show_state()
        session = self._current()
        if session is not None and self.isVisible() and self._holds_focus():
            session.setFocus()

    def _holds_focus(self) -> bool:
        focus = self.window().focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _name(self, session: TerminalSession, name: str, number: int) -> None:
        if (at := self._place(session)) >= 0:
            self._tabs.setTabText(at, f"{name} {number}".replace("&", "&&"))

    def _mark_ended(self, session: TerminalSession) -> None:
        at = self._place(session)
        if at >= 0 and not self._tabs.tabText(at).endswith("(ended)"):
            self._tabs.setTabText(at, f"{self._tabs.tabText(at)} (ended)")

    def _place(self, session: TerminalSession) -> int:
        return self._sessions.index(session) if session in self._sessions else -1

    def _attach_instead(self, session: TerminalSession) -> None:
        if self.open_terminal(ATTACH) is not None:
            self._on_close_asked(self._place(session))

    def _on_close_asked(self, at: int) -> None:
        if not 0 <= at < len(self._sessions):
            return
        session = self._sessions.pop(at)
        session.end()
        self._tabs.removeTab(at)
        self._pages.removeWidget(session)
        session.deleteLater()
        self._show_state()
