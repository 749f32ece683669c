"""Docker Hub's limit of pulls: so many manifests in six hours, by address or account.

Time is real, not the world's: clients wait as long as they are told. Source: docs.docker.com, "Docker Hub usage and limits".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from dockdesk.sandbox.registry.errors import RegistryError

WINDOW = 21_600
ANONYMOUS = 100
AUTHENTICATED = 200


@dataclass(slots=True)
class _Count:
    since: float
    pulls: int = 0


class PullLimits:
    """Counts pulls. ``anonymous`` and ``authenticated`` are the pulls in a window; changed while it runs, they hold at once."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.anonymous = ANONYMOUS
        self.authenticated = AUTHENTICATED
        self._now = now
        self._counts: dict[str, _Count] = {}

    def take(self, user: str, address: str, pull: bool) -> dict[str, str]:
        """The headers that tell what is left, after counting a pull. Raises RegistryError TOOMANYREQUESTS."""
        limit = self.authenticated if user else self.anonymous
        now = self._now()
        count = self._counts.get(user or address)
        if count is None or now - count.since >= WINDOW:
            count = self._counts[user or address] = _Count(now)
        if pull and count.pulls >= limit:
            headers = self._headers(limit, 0, user, address)
            headers["Retry-After"] = str(max(int(count.since + WINDOW - now), 1))
            who = "" if user else "unauthenticated "
            text = (
                f"You have reached your {who}pull rate limit. It is counted anew every six hours."
            )
            raise RegistryError("TOOMANYREQUESTS", message=text, headers=headers)
        count.pulls += pull
        return self._headers(limit, limit - count.pulls, user, address)

    @staticmethod
    def _headers(limit: int, left: int, user: str, address: str) -> dict[str, str]:
        return {
            "RateLimit-Limit": f"{limit};w={WINDOW}",
            "RateLimit-Remaining": f"{max(left, 0)};w={WINDOW}",
            "Docker-RateLimit-Source": user or address,
        }
