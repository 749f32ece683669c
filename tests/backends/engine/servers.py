"""Servers that say what a test wants, to see how DockDesk takes it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from dockdesk.backends.engine.contexts import endpoint
from dockdesk.backends.engine.endpoints import Endpoint, TlsFiles
from dockdesk.core.errors import CancelledError

VERSION = {
    "Version": "20.10.24",
    "ApiVersion": "1.41",
    "MinAPIVersion": "1.12",
    "Os": "linux",
    "Components": [{"Name": "Engine"}],
}

Handler = Callable[["Visit"], None]


class Visit:
    """One connection to the server, with the request that came."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.method = self.target = ""
        self.headers: dict[str, str] = {}
        self.body = b""
        self.answered = False
        self._buffer = b""

    def read_request(self) -> bool:
        while b"\r\n\r\n" not in self._buffer:
            if not (data := self.sock.recv(65_536)):
                return False
            self._buffer += data
            if self._buffer[0] == 0x16:  # a TLS handshake: answer as Go's server does
                self.sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nThis is no HTTPS server.\n")
                return False
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(self.headers.get("content-length") or 0)
        while len(self._buffer) < length:
            if not (data := self.sock.recv(65_536)):
                return False
            self._buffer += data
        self.body, self._buffer = self._buffer[:length], self._buffer[length:]
        return True

    def answer(self, status: int = 200, value: Any = None, kind: str = "application/json") -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        if self.method == "HEAD":
            body = b""
        head = (
            f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.sock.sendall(head.encode() + body)
        self.answered = True

    def answer_raw(self, data: bytes) -> None:
        """Send an answer as it stands; the connection stays open, as an engine's does."""
        self.sock.sendall(data)
        self.answered = True

    def begin_chunks(self, kind: str = "application/json") -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.sock.sendall(head.encode())

    def chunk(self, data: bytes) -> None:
        self.sock.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def end_chunks(self) -> None:
        self.sock.sendall(b"0\r\n\r\n")

    def wait_for_hang_up(self) -> None:
        with suppress(OSError):
            while self.sock.recv(65_536):
                pass


class ScriptedServer:
    """Answers /version as Docker does, and everything else as ``handler`` says."""

    def __init__(
        self, listener: socket.socket, handler: Handler, context: ssl.SSLContext | None = None
    ) -> None:
        self.listener = listener
        self.handler = handler
        self.version: dict[str, Any] = dict(VERSION)
        self.visits: list[Visit] = []
        self._context = context
        self._closed = False
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._spawn(self._accept)

    def close(self) -> None:
        self._closed = True
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self._sockets:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)

    def _spawn(self, function: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(
            target=function, args=arguments, name="fixture-server", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closed:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self._sockets.append(sock)
            self._spawn(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self._context is not None:
                sock = self._secured(sock, self._context)
            visit = Visit(sock)
            while visit.read_request():
                if visit.target == "/version":
                    visit.answer(200, self.version)
                    continue
                self.visits.append(visit)
                visit.answered = False
                self.handler(visit)
                if not visit.answered or "transfer-encoding" in visit.headers:
                    return
        except OSError:
            return  # the client went, or was never one
        finally:
            sock.close()

    def _secured(self, sock: socket.socket, context: ssl.SSLContext) -> socket.socket:
        """TLS over ``sock``; a client that is refused hears why before the connection ends."""
        secure = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self._sockets.append(secure)
        try:
            secure.do_handshake()
        except OSError:
            with suppress(OSError):
                socket.socket.shutdown(secure, socket.SHUT_WR)
                while socket.socket.recv(secure, 65_536):
                    pass
            secure.close()
            raise
        return secure


def refuse_all(visit: Visit) -> None:
    visit.answer(500, {"message": "the test did not expect this request"})


@contextmanager
def unix_server(
    folder: Path, handler: Handler = refuse_all
) -> Iterator[tuple[ScriptedServer, Endpoint]]:
    """A server on a unix socket in ``folder``, and its endpoint."""
    path = folder / "e.sock"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(16)
    server = ScriptedServer(listener, handler)
    try:
        yield server, endpoint("test", f"unix://{path}", "a test")
    finally:
        server.close()


@contextmanager
def tcp_server(
    handler: Handler = refuse_all,
    context: ssl.SSLContext | None = None,
    tls: TlsFiles | None = None,
) -> Iterator[tuple[ScriptedServer, Endpoint]]:
    """A server on the loopback, and its endpoint; with TLS where ``context`` is given."""
    server = ScriptedServer(socket.create_server(("127.0.0.1", 0)), handler, context)
    port = server.listener.getsockname()[1]
    try:
        yield server, endpoint("test", f"tcp://127.0.0.1:{port}", "a test", tls)
    finally:
        server.close()


class CancellableWork:
    """Work that a test can cancel."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.cancelled = False
        self.parts: list[tuple[str, float | None, str]] = []

    def cancel(self) -> None:
        with self._lock:
            self.cancelled = True
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def check(self) -> None:
        if self.cancelled:
            raise CancelledError

    def progress(self, fraction: float | None, text: str = "") -> None:
        """Nobody asks."""

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        self.parts.append((key, fraction, text))

    def log(self, line: str) -> None:
        """Nobody asks."""

    def on_cancel(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        @contextmanager
        def scope() -> Iterator[None]:
            with self._lock:
                self._callbacks.append(callback)
                late = self.cancelled
            if late:
                callback()
            try:
                yield
            finally:
                with self._lock:
                    self._callbacks.remove(callback)

        return scope()
