"""Opens sockets to an engine: unix, TCP, TLS, and unix through one ssh tunnel."""

from __future__ import annotations

import errno
import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Protocol

from dockdesk.backends.engine.endpoints import Endpoint, TlsFiles, socket_path, split_host
from dockdesk.backends.engine.errors import connection_error
from dockdesk.backends.engine.wire import shut
from dockdesk.core.errors import CancelledError, DockDeskError, InvalidInputError, LocalError
from dockdesk.core.work import Work

if TYPE_CHECKING:
    import ssl

CONNECT_TIMEOUT = 10.0


class Transport(Protocol):
    """How sockets to one engine are made. Thread-safe. A ``local`` one costs next to nothing to open."""

    local: bool

    def open(self, work: Work, timeout: float = CONNECT_TIMEOUT) -> socket.socket:
        """A connected, blocking socket; TLS is done. Ends early with CancelledError. Raises DockDeskError."""

    @property
    def host(self) -> str:
        """The Host header of its requests."""

    def reason(self) -> DockDeskError | None:
        """Why a connection broke, where what stands in between has said so."""

    def within_reach(self) -> Endpoint:
        """Where other processes of this computer find the engine while this is open."""

    def close(self) -> None: ...


def transport_for(endpoint: Endpoint) -> Transport:
    """The transport that an endpoint's host asks for. Reads certificates; raises DockDeskError."""
    parts = split_host(endpoint.host)
    if parts.scheme == "unix":
        return UnixTransport(endpoint, socket_path(parts))
    if parts.scheme == "ssh":
        from dockdesk.backends.engine.ssh import SshTransport

        return SshTransport(endpoint)
    secure = endpoint.tls is not None or parts.scheme == "https"
    port = parts.port or (2376 if secure else 2375)
    tls = (endpoint.tls or TlsFiles()) if secure else None
    return TcpTransport(endpoint, parts.hostname or "", port, tls)


class UnixTransport:
    """A unix socket on this computer."""

    local = True

    def __init__(self, endpoint: Endpoint, path: str) -> None:
        self._endpoint = endpoint
        self._path = path

    @property
    def host(self) -> str:
        return "docker"

    def reason(self) -> DockDeskError | None:
        return None

    def within_reach(self) -> Endpoint:
        return self._endpoint

    def open(self, work: Work, timeout: float = CONNECT_TIMEOUT) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # With a timeout a full backlog shows as EAGAIN at once instead of waiting, hence the loop.
            until = time.monotonic() + timeout
            sock.settimeout(timeout)
            while True:
                try:
                    sock.connect(self._path)
                    break
                except BlockingIOError:
                    work.check()
                    if time.monotonic() > until:
                        raise TimeoutError(
                            errno.ETIMEDOUT, "the engine's backlog is full"
                        ) from None
                    time.sleep(0.02)
            sock.settimeout(None)
        except OSError as error:
            sock.close()
            raise connection_error(self._endpoint, error) from error
        except BaseException:
            sock.close()
            raise
        return sock

    def close(self) -> None:
        """Nothing is kept."""


class TcpTransport:
    """TCP, with TLS where ``tls`` is given."""

    local = False

    def __init__(self, endpoint: Endpoint, host: str, port: int, tls: TlsFiles | None) -> None:
        self._endpoint = endpoint
        self._host = host
        self._port = port
        self._tls = tls
        self._context = tls_context(endpoint, tls) if tls is not None else None

    @property
    def host(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}"

    def reason(self) -> DockDeskError | None:
        return None

    def within_reach(self) -> Endpoint:
        return self._endpoint

    def open(self, work: Work, timeout: float = CONNECT_TIMEOUT) -> socket.socket:
        with ExitStack() as stack:
            try:
                sock = self._connect(work, timeout)
                stack.callback(sock.close)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _keep_alive(sock)
                if self._context is not None:
                    # Wrapping takes the descriptor over, so that only then is known what a cancel has to shut.
                    secure = self._context.wrap_socket(
                        sock, server_hostname=self._host, do_handshake_on_connect=False
                    )
                    stack.callback(secure.close)
                    with work.on_cancel(lambda: shut(secure)):
                        secure.do_handshake()
                    sock = secure
                sock.settimeout(None)
            except OSError as error:
                if work.cancelled:
                    raise CancelledError from error
                raise connection_error(self._endpoint, error) from error
            work.check()
            stack.pop_all()
            return sock

    def _connect(self, work: Work, timeout: float) -> socket.socket:
        """Try the host's addresses in turn, as socket.create_connection does, but let it be cancelled."""
        failure: OSError | None = None
        for family, kind, protocol, _, address in resolve(self._host, self._port, work):
            work.check()
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(timeout)
                with work.on_cancel(lambda sock=sock: shut(sock)):  # type: ignore[misc]
                    sock.connect(address)
                return sock
            except OSError as error:
                failure = error
                sock.close()
            except BaseException:
                sock.close()
                raise
        raise failure or OSError(errno.EADDRNOTAVAIL, "the host has no address")

    def close(self) -> None:
        """Nothing is kept."""


def resolve(host: str, port: int, work: Work) -> list[Any]:
    """What getaddrinfo says, but with a wait that can be cancelled: a name server may take half a minute to be silent.

    Raise OSError, or CancelledError; the thread that asks is left to itself then.
    """
    with suppress(socket.gaierror):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    found: list[Any] = []
    failure: list[OSError] = []
    done = threading.Event()

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failure.append(error)
        done.set()

    with work.on_cancel(done.set):
        threading.Thread(target=ask, name="engine-resolve", daemon=True).start()
        done.wait()
    work.check()
    if failure:
        raise failure[0]
    return found


def tls_context(endpoint: Endpoint, files: TlsFiles) -> ssl.SSLContext:
    """A client's TLS context; raise LocalError for key files that can't be read."""
    import ssl  # local engines do without it

    for file in (files.ca, files.cert, files.key):
        if file is not None and not file.is_file():
            raise LocalError(
                f"A certificate of “{endpoint.name}” is missing",
                f"There is no file {file}.",
                "Create the context again with its certificates.",
            )
    if (files.cert is None) != (files.key is None):
        raise InvalidInputError(
            f"The certificates of “{endpoint.name}” are not complete",
            "A client certificate needs both cert.pem and key.pem.",
            "Create the context again with both.",
        )
    try:
        context = ssl.create_default_context(cafile=str(files.ca) if files.ca else None)
        if not files.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if files.cert is not None:
            # A password would be asked for on the terminal, where nobody looks.
            context.load_cert_chain(str(files.cert), str(files.key), password=_no_password)
    except (OSError, ValueError) as error:
        raise LocalError(
            f"The certificates of “{endpoint.name}” can't be used",
            str(error),
            "ca.pem, cert.pem and key.pem must be PEM files that belong together, without a password.",
        ) from error
    return context


def _no_password() -> str:
    raise ValueError("the key is protected by a password")


def _keep_alive(sock: socket.socket) -> None:
    """Notice within about a minute that the other side vanished without a word, such as a laptop asleep."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
