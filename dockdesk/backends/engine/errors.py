"""Turns what sockets, TLS, the SDK and the engine itself report into failures a person can act on.

Sources: Engine API (error responses), connect(2), `man ssh`.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import grp
import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dockdesk.backends.engine.endpoints import Endpoint, socket_path, split_host
from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    InvalidInputError,
    LocalError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    RemoteError,
    UnreachableError,
)

if TYPE_CHECKING:
    import ssl

_REFUSALS = {errno.EACCES, errno.EPERM}
_ABSENT = {errno.ENOENT, errno.ENOTDIR}
_LOST = {errno.ECONNRESET, errno.EPIPE, errno.ESHUTDOWN, errno.ENOTCONN, errno.ECONNABORTED}
_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
_LOCAL = {errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.EDQUOT, errno.EROFS, errno.ENOMEM}


def api_error(status: int, message: str, title: str = "") -> DockDeskError:
    """The failure that an HTTP status of 400 or more stands for. ``title`` says what could not be done."""
    detail = message.strip() or f"The engine answered with status {status} and no explanation."
    lowered = detail.casefold()
    if status == 404 and lowered in {"page not found", "not found", "404 page not found"}:
        return NotSupportedError(
            title or "This engine can't do that",
            "It does not know the request.",
            "A newer engine may; Podman lacks some of Docker's requests.",
        )
    if status == 404:
        return NotFoundError(title or "It does not exist", detail, "It may have been removed.")
    if status == 409 or (status == 500 and _podman_conflict(lowered)):
        return ConflictError(title or "Its present state does not allow this", detail)
    if status in {401, 403}:
        return PermissionDeniedError(
            title or "The engine refused",
            detail,
            "Ask who runs the engine for the right to do this.",
        )
    if status in {405, 501}:
        return NotSupportedError(title or "This engine can't do that", detail)
    if status == 400:
        return InvalidInputError(title or "The engine can't use these values", detail)
    return RemoteError(title or "The engine failed", detail)


def _podman_conflict(message: str) -> bool:
    """Podman reports some conflicts of state with status 500."""
    return "container state improper" in message or "is in use by" in message


def connection_error(endpoint: Endpoint, error: BaseException) -> DockDeskError:
    """The failure behind an exception raised while connecting to, or talking with, ``endpoint``."""
    if isinstance(error, DockDeskError):
        return error
    import ssl  # imported long before where it was used

    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLError):
            return _tls_error(endpoint, cause)
    for cause in chain:
        if isinstance(cause, socket.gaierror):
            return UnreachableError(
                f"The name of “{endpoint.name}” is not known",
                f"{endpoint.environment.address}: {cause.strerror or cause}",
                "Check the spelling of the host and your connection to its network.",
            )
    for cause in chain:
        if isinstance(cause, OSError) and cause.errno is not None:
            return _os_error(endpoint, cause)
    if any(isinstance(cause, TimeoutError) or "timed out" in str(cause) for cause in chain):
        return timeout_error(endpoint)
    return UnreachableError(
        f"The connection to “{endpoint.name}” broke",
        _plain(chain[-1]),
        "The engine may have stopped or be restarting. Try again.",
    )


def timeout_error(endpoint: Endpoint) -> UnreachableError:
    return UnreachableError(
        f"“{endpoint.name}” does not answer",
        f"{endpoint.environment.address} took too long to answer.",
        "The engine may be overloaded or hang, or a firewall may be in between. Try again.",
    )


def lost_error(endpoint: Endpoint) -> UnreachableError:
    """A live stream broke off before its end."""
    return UnreachableError(
        f"The connection to “{endpoint.name}” broke",
        "The engine closed it before the end.",
        "The engine may have stopped or be restarting.",
    )


def broken_answer(error: Exception) -> RemoteError:
    """The engine said something that is against the protocol."""
    return RemoteError("The engine's answer is not understood", f"It seems that {error}.")


def disconnected_error(endpoint: Endpoint) -> UnreachableError:
    """DockDesk itself has given the connection up, such as when another engine was chosen."""
    return UnreachableError(f"“{endpoint.name}” was disconnected", "", "Connect to it again.")


def _os_error(endpoint: Endpoint, error: OSError) -> DockDeskError:
    number = error.errno
    local = endpoint.host.startswith("unix:")
    if number in _REFUSALS and local:
        return _socket_denied(endpoint)
    if number in _ABSENT and local:
        return UnreachableError(
            f"No engine listens for “{endpoint.name}”",
            f"There is no socket at {_path(endpoint)}.",
            _start_hint(endpoint),
        )
    if number == errno.ECONNREFUSED:
        return UnreachableError(
            f"“{endpoint.name}” refuses connections",
            f"Nothing listens at {endpoint.environment.address}; the engine is not running.",
            _start_hint(endpoint) if local else "Check that the engine runs there, and its port.",
        )
    if number == errno.ETIMEDOUT:
        return timeout_error(endpoint)
    if number in _NO_ROUTE:
        return UnreachableError(
            f"“{endpoint.name}” can't be reached",
            f"{endpoint.environment.address}: {error.strerror}",
            "Check your network connection, or VPN.",
        )
    if number in _LOST:
        return lost_error(endpoint)
    if number in _LOCAL:
        return LocalError("This computer has run out of something", error.strerror or str(error))
    return UnreachableError(
        f"“{endpoint.name}” can't be reached", f"{endpoint.environment.address}: {_plain(error)}"
    )


def _socket_denied(endpoint: Endpoint) -> PermissionDeniedError:
    path = _path(endpoint)
    user = _user()
    title = f"You may not use the engine “{endpoint.name}”"
    try:
        group = grp.getgrgid(os.stat(path).st_gid)
    except (OSError, KeyError):
        return PermissionDeniedError(
            title,
            f"The user {user} may not open {path}.",
            "Ask who set up the engine for access to its socket and folder.",
        )
    detail = (
        f"{path} may be used by members of the group {group.gr_name}; {user} has no access now."
    )
    if group.gr_name in {"root", "wheel"}:
        hint = (
            "The engine gives its socket to root alone. Create the group docker "
            "(sudo groupadd docker), add yourself (sudo usermod -aG docker $USER), restart the "
            "engine (sudo systemctl restart docker), then log out and in."
        )
    elif user in group.gr_mem:
        hint = (
            f"You are a member of {group.gr_name}, but not yet in this session: "
            "log out and in again."
        )
    else:
        hint = (
            f"Run: sudo usermod -aG {group.gr_name} $USER, then log out and in again. Members of "
            "that group have the powers of root on this computer."
        )
    return PermissionDeniedError(title, detail, hint)


def _tls_error(endpoint: Endpoint, error: ssl.SSLError) -> DockDeskError:
    import ssl

    title = f"No trusted connection to “{endpoint.name}”"
    reason = _plain(error)
    lowered = reason.casefold()
    if isinstance(error, ssl.SSLCertVerificationError):
        if "hostname mismatch" in lowered or "ip address mismatch" in lowered:
            hint = "The certificate is for another name: use the name it was made for."
        elif "expired" in lowered or "not yet valid" in lowered:
            hint = "The engine's certificate is out of date, or a clock is wrong."
        else:
            hint = "Give the context the CA that signed the engine's certificate (ca.pem)."
        return UnreachableError(title, reason, hint)
    if any(
        word in lowered for word in ("certificate_required", "certificate required", "bad_cert")
    ):
        return PermissionDeniedError(
            title, reason, "The engine wants a client certificate: add cert.pem and key.pem."
        )
    if any(word in lowered for word in ("unknown_ca", "unknown ca", "alert")):
        return PermissionDeniedError(
            title,
            reason,
            "The engine does not accept your certificate: check cert.pem and key.pem.",
        )
    if any(word in lowered for word in ("wrong_version_number", "wrong version", "http request")):
        return UnreachableError(
            title, reason, "The engine there speaks no TLS: use tcp:// without certificates."
        )
    if any(word in lowered for word in ("key_values_mismatch", "pem", "no start line")):
        return LocalError(
            title, reason, "cert.pem, key.pem or ca.pem is damaged or does not match."
        )
    if endpoint.tls is not None and endpoint.tls.cert is None:
        # An engine that misses one may hang up before it has said so.
        return UnreachableError(
            title, reason, "The engine may want a client certificate: add cert.pem and key.pem."
        )
    return UnreachableError(title, reason, "Check the context's certificates and the engine's.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what lies beneath it: causes, contexts, and the exceptions that urllib3 keeps in args."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        item = waiting.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        waiting += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]


def _plain(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _path(endpoint: Endpoint) -> str:
    return socket_path(split_host(endpoint.host))


def _user() -> str:
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return f"number {os.geteuid()}"


def _start_hint(endpoint: Endpoint) -> str:
    if "podman" in endpoint.host:
        scope = "" if endpoint.host.startswith("unix:///run/podman") else "--user "
        return f"Start Podman's service: systemctl {scope}start podman.socket"
    if endpoint.host.startswith(("unix:///var/run/", "unix:///run/docker.sock")):
        return "Start Docker: sudo systemctl start docker. Or choose another environment."
    return "Start the engine, or choose another environment."
