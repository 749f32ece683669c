"""Where an engine listens, and with which keys to speak to it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from dockdesk.core.environments import Environment
from dockdesk.core.errors import InvalidInputError
from dockdesk.core.records import dataclass

DEFAULT_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files of a TLS endpoint: the authority that signs the engine, and this user's certificate and key.

    ``verify`` False takes any certificate, as a context with SkipTLSVerify asks.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One engine that can be connected to.

    ``host`` is a URL as in DOCKER_HOST: unix:///path, tcp://host:port, https://…, or
    ssh://[user@]host[:port][/path of the remote socket]. ``problem`` says why it can't be used, such as a context whose
    file is broken; such endpoints are listed so that the user learns of it. ``current`` is true for the one that the
    docker CLI would use.
    """

    environment: Environment
    host: str
    tls: TlsFiles | None = None
    problem: str = ""
    current: bool = False

    @property
    def name(self) -> str:
        return self.environment.name


def split_host(host: str) -> SplitResult:
    """The parts of a DOCKER_HOST URL; raise InvalidInputError for one that no engine can listen at."""
    url = host if "://" in host else f"tcp://{host}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        # What Python says of it may quote the password.
        raise _unusable(host, "" if "@" in host else str(error)) from None
    if parts.scheme == "unix":
        if not parts.path and not parts.netloc:
            raise _unusable(host, "It names no socket.")
    elif parts.scheme in {"tcp", "http", "https", "ssh"}:
        if not parts.hostname:
            raise _unusable(host, "It names no host.")
        if port == 0:
            raise _unusable(host, "Port 0 is not an address.")
    else:
        raise _unusable(host, f"DockDesk does not speak “{parts.scheme}”.")
    return parts


def shown_host(host: str) -> str:
    """A host as it may be shown: without its password, should it have one."""
    scheme, separator, rest = host.rpartition("://")
    return scheme + separator + re.sub(r":[^@]*@", "@", rest)


def socket_path(parts: SplitResult) -> str:
    """The path of a unix:// URL, also where it was written with two slashes only."""
    return f"/{parts.netloc}{parts.path}" if parts.netloc else parts.path


def _unusable(host: str, detail: str) -> InvalidInputError:
    return InvalidInputError(
        f"“{shown_host(host)}” is not the address of an engine",
        detail,
        "Use unix:///path, tcp://host:port or ssh://user@host, as in DOCKER_HOST.",
    )
