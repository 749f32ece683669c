"""Failures in the words a user needs: what happened, why, and what to do about it.

Backends translate every exception of their SDK into one of these at their edge, so that the rest of the program
never sees an SDK's exception and every failure can be shown as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dockdesk.core.resources.builds import FileMark


class DockDeskError(Exception):
    """A failure that can be shown.

    ``title`` says what happened in a few words, ``detail`` why (often the remote's own message, plain text),
    ``hint`` what the user can do next. Empty strings mean that nothing more is known.
    """

    def __init__(self, title: str, detail: str = "", hint: str = "") -> None:
        super().__init__(": ".join(part for part in (title, detail) if part))
        self.title = title
        self.detail = detail
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[DockDeskError], state: dict[str, Any]) -> DockDeskError:
    error = kind.__new__(kind)
    Exception.__init__(error, ": ".join(part for part in (state["title"], state["detail"]) if part))
    error.__dict__.update(state)
    return error


class UnreachableError(DockDeskError):
    """The remote did not answer: it is down, restarting, or the address is wrong. Trying again may help."""


class PermissionDeniedError(DockDeskError):
    """The remote, or the operating system in front of it, refused this user."""


class LoginNeededError(PermissionDeniedError):
    """A registry wants a login, or another one than it got. ``registry`` is its host: a login can be offered."""

    def __init__(self, title: str, detail: str = "", hint: str = "", registry: str = "") -> None:
        super().__init__(title, detail, hint)
        self.registry = registry


class NotFoundError(DockDeskError):
    """The resource does not exist, or no longer exists."""


class ConflictError(DockDeskError):
    """The resource is in a state, or in use by something, that forbids the request."""


class InvalidInputError(DockDeskError):
    """What the user gave cannot be used. ``field`` is the id of the form field at fault, or empty."""

    def __init__(self, title: str, detail: str = "", hint: str = "", field: str = "") -> None:
        super().__init__(title, detail, hint)
        self.field = field


class NotSupportedError(DockDeskError):
    """The remote lacks the capability, such as `docker update` on Podman."""


class RemoteError(DockDeskError):
    """The remote failed for a reason of its own; ``detail`` is its message."""


class RateLimitedError(RemoteError):
    """The remote wants to be asked less often. ``until`` is when to try again, in seconds since 1970; 0.0: unknown."""

    def __init__(self, title: str, detail: str = "", hint: str = "", until: float = 0.0) -> None:
        super().__init__(title, detail, hint)
        self.until = until


class BuildError(RemoteError):
    """A build failed. ``step`` is the digest of the step at fault, ``line`` its Dockerfile line from 1; 0: unknown.

    ``method`` and ``listing`` are as in `BuildResult`, where they are known: what failed is compared with, too.
    """

    def __init__(
        self, title: str, detail: str = "", hint: str = "", step: str = "", line: int = 0
    ) -> None:
        super().__init__(title, detail, hint)
        self.step = step
        self.line = line
        self.method = ""
        self.listing: Mapping[str, FileMark] = {}


class LocalError(DockDeskError):
    """This computer failed: a full disk, a file that vanished, a missing program."""


class CancelledError(DockDeskError):
    """The user asked to stop. Never shown as a failure."""

    def __init__(self) -> None:
        super().__init__("Cancelled")
