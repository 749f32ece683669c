"""The engine as core's ports see it, put together from its parts."""

from __future__ import annotations

from dockdesk.backends.engine.buildkit.builds import BuildCalls
from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.containers import ContainerCalls
from dockdesk.backends.engine.create import CreateCalls
from dockdesk.backends.engine.disk import DiskCalls
from dockdesk.backends.engine.dissect import DissectCalls
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.backends.engine.exec import Terminals
from dockdesk.backends.engine.identity import Identity, capabilities_of
from dockdesk.backends.engine.live import LiveStreams
from dockdesk.backends.engine.logins import Logins, NoLogins
from dockdesk.backends.engine.networks import NetworkCalls
from dockdesk.backends.engine.streams import StreamHub
from dockdesk.backends.engine.volumes import VolumeCalls
from dockdesk.core.reactor import Reactor
from dockdesk.core.work import Work


class EngineBackend(
    Identity,
    LiveStreams,
    Terminals,
    ContainerCalls,
    CreateCalls,
    BuildCalls,
    DissectCalls,
    VolumeCalls,
    NetworkCalls,
    DiskCalls,
):
    """A Docker Engine or Podman; see Engine in core/ports.py. Thread-safe."""

    def __init__(
        self, client: EngineClient, reactor: Reactor, logins: Logins | None = None
    ) -> None:
        self.client = client
        self.logins = logins or NoLogins()
        self.hub = StreamHub(client, reactor)

    @property
    def capabilities(self) -> frozenset[str]:
        """Also what was learned since: only a build's try shows whether an engine opens sessions."""
        found = capabilities_of(self.client.server)
        return found - {"buildkit"} if self.without_buildkit else found


def connect(
    endpoint: Endpoint,
    reactor: Reactor,
    work: Work | None = None,
    logins: Logins | None = None,
) -> EngineBackend:
    """Connect to an engine; its streams are read by ``reactor``, which the caller closes after the backend.

    ``logins`` is asked when an image is pulled or pushed.

    Blocks until the engine has answered; cancelling ``work`` ends that at once. Raise DockDeskError, with what to do
    about it: no socket, no permission, refused, no answer, TLS, ssh, no engine there, too old an engine.
    """
    return EngineBackend(EngineClient.connect(endpoint, work), reactor, logins)
