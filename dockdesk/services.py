"""What the program does without a window: settings, jobs, the engine's session and the command log.

It is made before the parts of the window are imported, so that the engine answers meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dockdesk.bridge.builds import BuildRuns
from dockdesk.bridge.engine_session import EngineSession
from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.stats_feed import StatsFeed
from dockdesk.bridge.streams import Pulse
from dockdesk.core.ports import Engine, KeepsAudit, KeepsBuilds
from dockdesk.core.reactor import Reactor
from dockdesk.core.settings import Settings
from dockdesk.core.work import Work
from dockdesk.launcher import ENVIRONMENT, Sandbox
from dockdesk.places import Places
from dockdesk.ui.actions.audit import AuditLog
from dockdesk.ui.shell.environments import Environments, FoundEnvironment

if TYPE_CHECKING:
    from pathlib import Path

    from dockdesk.backends.archive import Database

_END_MS = 3000

Discover = Callable[[Reactor], Sequence[FoundEnvironment]]


class Services:
    """Made on the GUI thread; looks for engines and connects at once. ``unread`` says why settings can't be read."""

    def __init__(
        self, places: Places, discover: Discover | None = None, demo: bool = False
    ) -> None:
        self._archive_path = places.archive
        self._database: Database | None = None
        self.settings = Settings(places.settings)
        self.unread = self.settings.load()
        self.jobs = Jobs()
        self.pulse = Pulse()
        self.reactor = Reactor()
        self.sandbox = Sandbox()
        self.session = EngineSession(self.jobs, self.pulse)
        self.stats = StatsFeed(self.session, self.jobs)
        self.audit = AuditLog(self.jobs)
        self.builds = BuildRuns(self.jobs, self.pulse)
        self.environments = Environments(
            self.jobs,
            self.session,
            self.settings,
            lambda: [*(discover or find_engines)(self.reactor), self._sandbox_environment()],
            ENVIRONMENT.id if demo else "",
        )
        self.environments.find()

    def open_archive(self, _work: Work) -> tuple[KeepsAudit, KeepsBuilds]:
        """On a worker; raises LocalError."""
        from dockdesk.backends.archive import AuditArchive, BuildArchive, Database

        self._database = Database(self._archive_path)
        self._database.open()
        return AuditArchive(self._database), BuildArchive(self._database)

    @property
    def damaged_archive(self) -> Path | None:
        """Where the archive was moved that could not be read, if it was so."""
        return self._database.set_aside if self._database is not None else None

    def end_work(self) -> bool:
        """Leave the engine and wait for what runs; False if some of it would not end in time."""
        self.stats.close()
        self.session.close()
        return self.jobs.close(_END_MS)

    def close(self) -> None:
        """Release everything, after `end_work`."""
        self.pulse.close()
        self.reactor.close()
        self.sandbox.stop()
        if self._database is not None:
            self._database.close()

    def _sandbox_environment(self) -> FoundEnvironment:
        """The sandbox as one more environment: it starts when it is connected to."""

        def connect_to_sandbox(work: Work) -> Engine:
            from dockdesk.backends.engine.backend import connect
            from dockdesk.backends.engine.endpoints import Endpoint

            return connect(Endpoint(ENVIRONMENT, self.sandbox.start(work)), self.reactor, work)

        return FoundEnvironment(ENVIRONMENT, connect_to_sandbox)


def find_engines(reactor: Reactor) -> list[FoundEnvironment]:
    """The engines this user knows. Imports the backend, so call it on a worker."""
    from dockdesk.backends.engine.backend import connect
    from dockdesk.backends.engine.contexts import discover
    from dockdesk.backends.engine.endpoints import Endpoint
    from dockdesk.backends.secrets.logins import RegistryLogins

    def found(endpoint: Endpoint) -> FoundEnvironment:
        logins = RegistryLogins(podman_first="podman" in endpoint.host)
        return FoundEnvironment(
            endpoint.environment,
            lambda work: connect(endpoint, reactor, work, logins),
            endpoint.current,
            endpoint.problem,
        )

    return [found(endpoint) for endpoint in discover()]
