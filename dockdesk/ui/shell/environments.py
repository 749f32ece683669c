"""Which environments there are, which one is connected, and how each is marked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from dockdesk.bridge.engine_session import EngineSession, SessionState
from dockdesk.bridge.jobs import Jobs
from dockdesk.core import preferences
from dockdesk.core.environments import Environment
from dockdesk.core.errors import DockDeskError, InvalidInputError
from dockdesk.core.ports import Engine
from dockdesk.core.records import dataclass
from dockdesk.core.settings import Settings
from dockdesk.core.work import Work

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FoundEnvironment:
    """An environment and how to connect to it.

    ``open`` runs on a worker. ``current`` marks the one that the user's other tools would take. ``problem`` says why
    one can't be used at all (its context is broken); it is listed all the same.
    """

    environment: Environment
    open: Callable[[Work], Engine]
    current: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One place where an engine was looked for, and why there is none."""

    environment: Environment
    error: DockDeskError


Discover = Callable[[], Sequence[FoundEnvironment]]


class Environments(QObject):
    """Finds environments and connects the session to one of them.

    At the start ``wanted`` (an id) is tried, else the last one used, else the current one. Where it does not answer,
    the other engines of this computer are tried too, and the first that answers is taken. Remote and simulated ones are
    only connected when they are chosen. ``changed`` tells of new lists and marks, ``attempts_changed`` of what was
    tried in vain, ``failed`` (a DockDeskError) that they can't be looked for.
    """

    changed = Signal()
    failed = Signal(object)
    attempts_changed = Signal()

    def __init__(
        self,
        jobs: Jobs,
        session: EngineSession,
        settings: Settings,
        discover: Discover,
        wanted: str = "",
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._session = session
        self._settings = settings
        self._discover = discover
        self._wanted = wanted
        self._found: list[FoundEnvironment] = []
        self._attempts: dict[str, Attempt] = {}
        self._untried: list[FoundEnvironment] = []
        self._first: FoundEnvironment | None = None
        self.searching = False
        session.state_changed.connect(self._on_state_changed)

    @property
    def environments(self) -> list[Environment]:
        """All known ones, coloured and guarded as marked."""
        return [preferences.marked(self._settings, item.environment) for item in self._found]

    @property
    def sandbox(self) -> Environment | None:
        """The simulated one, where there is one."""
        return next((item for item in self.environments if item.simulated), None)

    @property
    def attempts(self) -> list[Attempt]:
        """What was tried since the last success, in the order of the list."""
        order = {item.environment.id: at for at, item in enumerate(self._found)}
        return sorted(
            self._attempts.values(), key=lambda item: order.get(item.environment.id, len(order))
        )

    def find(self) -> None:
        """Look for environments; where none is connected, connect to the best one then."""
        self.searching = True
        self.attempts_changed.emit()
        self._jobs.submit(
            self,
            lambda _work: list(self._discover()),
            self._on_found,
            self._on_find_failed,
            question="find",
        )

    def switch(self, environment: Environment) -> None:
        """Connect to another environment, because the user said so."""
        found = self._by_id(environment.id)
        if found is None:
            return
        self._untried.clear()
        self._first = None
        self.searching = False
        self._attempts.clear()
        self._connect(found)
        self.attempts_changed.emit()

    def mark(self, environment: Environment) -> None:
        """Colour and guard an environment from now on."""
        preferences.mark(self._settings, environment)
        self._session.remark(environment)
        self.changed.emit()

    def _by_id(self, id: str) -> FoundEnvironment | None:
        return next((item for item in self._found if item.environment.id == id), None)

    def _on_found(self, found: Sequence[FoundEnvironment]) -> None:
        self._found = list(found)
        self.searching = False
        self.changed.emit()
        if self._session.state in (SessionState.CONNECTED, SessionState.CONNECTING):
            return
        self._attempts.clear()
        first = self._preferred()
        if first is None:
            self.attempts_changed.emit()
            return
        self._first = first
        self._untried = [
            item
            for item in self._found
            if item is not first
            and not item.problem
            and item.environment.address.startswith("unix")
        ]
        self.searching = True
        self.attempts_changed.emit()
        self._connect(first)

    def _on_find_failed(self, error: DockDeskError) -> None:
        _log.warning("environments could not be looked for: %s", error)
        self.searching = False
        self.attempts_changed.emit()
        self.failed.emit(error)

    def _preferred(self) -> FoundEnvironment | None:
        """The one in use or asked for, the last one used, the current one, or the first, in this order."""
        present = self._session.environment
        wanted = present.id if present is not None else self._wanted
        if wanted and (found := self._by_id(wanted)) is not None:
            return found
        real = [item for item in self._found if not item.environment.simulated]
        usable = [item for item in real if not item.problem] or real
        last = self._settings.get(preferences.LAST_ENVIRONMENT)
        for item in usable:
            if item.environment.id == last:
                return item
        return next((item for item in usable if item.current), usable[0] if usable else None)

    def _connect(self, found: FoundEnvironment) -> None:
        environment = preferences.marked(self._settings, found.environment)
        if not found.problem:
            self._session.connect_to(environment, found.open)
            return

        def refuse(_work: Work) -> Engine:
            raise InvalidInputError(
                f"“{environment.name}” can't be used", found.problem, "Mend or remove it."
            )

        self._session.connect_to(environment, refuse)

    def _on_state_changed(self, state: SessionState) -> None:
        environment = self._session.environment
        if environment is None:
            return
        if state is SessionState.CONNECTED:
            if not environment.simulated:
                # The next start must not begin in a simulation that nobody asked for.
                self._settings.set(preferences.LAST_ENVIRONMENT, environment.id)
            self._untried.clear()
            self._first = None
            self._forget_attempts()
        elif state in (SessionState.LOST, SessionState.FAILED):
            error = self._session.error
            if error is not None:
                self._attempts[environment.id] = Attempt(environment, error)
            self._try_next()

    def _try_next(self) -> None:
        if self._untried:
            self._connect(self._untried.pop(0))
            return
        first, self._first = self._first, None
        was_searching, self.searching = self.searching, False
        environment = self._session.environment
        if first is not None and environment is not None and environment.id != first.environment.id:
            # Nobody answers: wait for the one that was wanted first. The session tries it again by itself.
            self._connect(first)
        if was_searching or first is not None:
            self.attempts_changed.emit()

    def _forget_attempts(self) -> None:
        self.searching = False
        self._attempts.clear()
        self.attempts_changed.emit()
