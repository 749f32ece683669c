"""The simulated registry: the distribution API on one port, Docker Hub's own API on another, as they have two hosts."""

from __future__ import annotations

from pathlib import Path

from dockdesk.sandbox.registry.access import TokenAccess
from dockdesk.sandbox.registry.accounts import (
    ORGANISATION,
    PASSWORD,
    READ_TOKEN,
    USER,
    WRITE_TOKEN,
    Account,
    Accounts,
)
from dockdesk.sandbox.registry.api import DistributionApi
from dockdesk.sandbox.registry.blobs import Blobs
from dockdesk.sandbox.registry.hub import HubApi
from dockdesk.sandbox.registry.limits import ANONYMOUS, AUTHENTICATED, PullLimits
from dockdesk.sandbox.registry.repositories import Repositories
from dockdesk.sandbox.registry.seed import NIGHTLY, add_many, furnish
from dockdesk.sandbox.registry.tokens import Tokens
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.scenarios import Conditions

SERVICE = "registry.dockdesk.sandbox"
HUGE_TAGS = 10_000
_THROTTLED_PULLS = 3


class SimulatedRegistry:
    """Keeps what is pushed below ``folder``. Anybody may pull what is public; `accounts.USER` may push.

    ``tags`` makes one repository with that many. `repositories`, `accounts`, `limits` and `tokens` may be changed while
    it serves: scenarios do.
    """

    def __init__(self, clock: Clock, seed: int, folder: Path, tags: int = 0) -> None:
        self.seed = seed
        self._clock = clock
        self.repositories = Repositories(Blobs(folder / "registry"), clock.now)
        user = Account(
            USER, PASSWORD, {WRITE_TOKEN: True, READ_TOKEN: False}, namespaces=(ORGANISATION,)
        )
        self.accounts = Accounts(self.repositories, [user])
        self.limits = PullLimits()
        self.tokens = Tokens(SERVICE)
        self._access = TokenAccess(self.accounts, self.tokens)
        self._api = DistributionApi(self.repositories, self._access, self.limits)
        self._api.router.add("GET", "/token", self._access.token)
        self._api.router.add("POST", "/token", self._access.oauth)
        self.hub = HubApi(self.repositories, self.accounts, self.tokens)
        furnish(self.repositories, self.accounts, clock.now(), tags)
        self.server = self._api.server
        self.port = 0
        self.hub_port = 0

    @property
    def address(self) -> str:
        """As in an image's name."""
        return f"127.0.0.1:{self.port}"

    @property
    def hub_url(self) -> str:
        """Where Docker Hub's own API is served."""
        return f"http://127.0.0.1:{self.hub_port}"

    def play(self, conditions: Conditions) -> None:
        """Take part in a scenario: fewer pulls, tokens that have ended, very many tags."""
        throttled = conditions.throttled > 0
        self.limits.anonymous = _THROTTLED_PULLS if throttled else ANONYMOUS
        self.limits.authenticated = 2 * _THROTTLED_PULLS if throttled else AUTHENTICATED
        if conditions.expired:
            self.tokens.forget()
        if conditions.huge and self.repositories.find(NIGHTLY) is None:
            add_many(self.repositories, self._clock.now(), HUGE_TAGS)

    async def listen(self, port: int = 0, hub_port: int = 0) -> None:
        """Serve on the loopback; port 0 takes a free one."""
        self.port = self._access.port = await self.server.listen_loopback(port)
        self.hub_port = self.hub.port = await self.hub.server.listen_loopback(hub_port)

    async def close(self) -> None:
        await self.server.close()
        await self.hub.server.close()
