"""A small registry that misbehaves as told: each path has a script of answers, one a request."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = Callable[["Request"], None]


class Request(http.server.BaseHTTPRequestHandler):
    """One request; answers are functions that write to it."""

    protocol_version = "HTTP/1.1"
    faulty: Faulty
    content = b""

    def setup(self) -> None:
        super().setup()
        self.faulty.note_connection(self.connection)

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        answer = self.faulty.next_answer(self.command, self.path, dict(self.headers))
        if getattr(answer, "reads", True):
            self.content = self.rfile.read(length) if length else b""
            self.faulty.note_body(self.content)
        answer(self)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve

    def reply(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None, cut: int = -1
    ) -> None:
        """Answer; with ``cut``, only so many bytes of the body, and the connection is reset."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut < 0 else body[:cut])
        if cut >= 0:
            self.reset()

    def reset(self) -> None:
        self.wfile.flush()
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: Any) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what these tests are about."""


class Faulty:
    """``script`` answers for a method and path; the last one stays. ``seen`` are the requests so far."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self._scripts: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        self._connections: list[socket.socket] = []
        self._lock = threading.Lock()
        handler = type("Bound", (Request,), {"faulty": self, "timeout": 10})
        self._server = _Server(("127.0.0.1", 0), handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, certificate))
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"{'https' if certificate else 'http'}://{self.host}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="fixture faulty"
        )
        self._thread.start()

    def on(self, method: str, path: str, *answers: Answer) -> None:
        with self._lock:
            self._scripts[method, path] = list(answers)

    def next_answer(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        with self._lock:
            self.seen.append((method, path, headers))
            script = self._scripts.get((method, path.partition("?")[0]))
            if not script:
                return lambda request: request.reply(404, b"{}")
            return script.pop(0) if len(script) > 1 else script[0]

    def note_body(self, body: bytes) -> None:
        with self._lock:
            self.bodies.append(body)

    def requests(self, method: str, path: str) -> list[dict[str, str]]:
        """Headers of the requests for a path so far."""
        with self._lock:
            return [
                headers
                for done, where, headers in self.seen
                if (done, where.partition("?")[0]) == (method, path)
            ]

    def note_connection(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.append(connection)

    def close(self) -> None:
        self._server.shutdown()
        for connection in self._connections:  # clients keep theirs open for the next request
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()


def says(status: int, body: bytes = b"", cut: int = -1, **headers: str) -> Answer:
    """An answer with headers whose _ stand for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: request.reply(status, body, named, cut)


def resets(request: Request) -> None:
    request.reset()
