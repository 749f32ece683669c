"""Where the engine gets registry logins from: the caller gives it something that can be asked."""

from __future__ import annotations

from typing import Protocol


class Logins(Protocol):
    """The user's logins. Blocking (it may start a helper program): called on a worker thread."""

    def registry_auth(self, reference: str) -> tuple[str, str]:
        """The X-Registry-Auth header for an image reference, and why none was found where that is a problem.

        The header is never empty: without a login it is an anonymous one, which push needs. Never raises.
        """


class NoLogins:
    """Nobody is logged in anywhere."""

    def registry_auth(self, reference: str) -> tuple[str, str]:  # noqa: ARG002
        return "e30=", ""  # {}
