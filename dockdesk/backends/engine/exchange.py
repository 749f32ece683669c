"""One request to the engine on a socket of its own, and its answer as it comes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from dockdesk.backends.engine.answers import decode, error_message
from dockdesk.backends.engine.connections import Transport
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.backends.engine.errors import (
    api_error,
    broken_answer,
    connection_error,
    lost_error,
)
from dockdesk.backends.engine.wire import ProtocolError, ResponseReader, chunks, request_head, shut
from dockdesk.core.errors import CancelledError, DockDeskError, UnreachableError
from dockdesk.core.reactor import RECEIVE
from dockdesk.core.work import Work

USER_AGENT = "DockDesk"


class Exchange:
    """One request on a socket of its own, and its answer. Owned by one thread; only `abort` is for any thread.

    ``headers`` has lower-case names. Iterating gives the body in pieces as they arrive.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        explained: Callable[[DockDeskError], DockDeskError],
        method: str,
        timeout: float | None,
        title: str,
        work: Work,
    ) -> None:
        self.reader = ResponseReader(bodyless=method == "HEAD")
        self._endpoint = endpoint
        self._explained = explained
        self._method = method
        self._timeout = timeout
        self._title = title
        self._work = work
        self._sock: socket.socket | None = None
        self._pieces: list[bytes] = []
        self._aborted = False
        self._scope = ExitStack()

    @property
    def status(self) -> int:
        return self.reader.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.reader.headers

    def send(
        self,
        transport: Transport,
        target: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str | tuple[str, ...]],
    ) -> None:
        """Connect and send the request."""
        self._work.check()
        sock = self._sock = transport.open(self._work)
        self._scope.enter_context(self._work.on_cancel(self.abort))
        if self._aborted:
            raise CancelledError
        sock.settimeout(self._timeout)
        sent = {"Host": transport.host, "User-Agent": USER_AGENT, "Connection": "close", **headers}
        if isinstance(body, bytes):
            sent["Content-Length"] = str(len(body))
        elif body is not None:
            sent["Transfer-Encoding"] = "chunked"
        elif self._method in {"POST", "PUT"}:
            sent["Content-Length"] = "0"
        head = request_head(self._method, target, sent)
        if body is None or isinstance(body, bytes):
            self._transmit(head + (body or b""))
        elif self._transmit(head):
            # Written so that a failure of the source, such as a file that vanished, is not taken for the engine's.
            pieces = chunks(body)
            while (piece := next(pieces, None)) is not None and self._transmit(piece):
                pass

    def answer(self, patience: float | None = None) -> bool:
        """Wait for the answer's head; raise the failure that it stands for.

        Return False if it has not come within ``patience`` seconds.
        """
        if patience is not None:
            self._connected.settimeout(patience)
        while not self.reader.head_done:
            if not self._receive(patient=patience is not None):
                return False
        self._connected.settimeout(self._timeout)
        if self.reader.status >= 400:
            raise api_error(self.reader.status, error_message(self.read()), self._title)
        return True

    def __iter__(self) -> Iterator[bytes]:
        while True:
            pieces, self._pieces = self._pieces, []
            yield from pieces
            if self.reader.complete:
                if self._pieces:
                    continue
                return
            self._receive()

    def read(self) -> bytes:
        """All that is left of the body."""
        return b"".join(self)

    def json_lines(self) -> Iterator[Any]:
        """The body as JSON values, one a line, as pull, push and load answer."""
        rest = b""
        for piece in self:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.strip():
                    yield decode(line, None)
        if rest.strip():
            yield decode(rest, None)

    def detach(self) -> tuple[socket.socket, list[bytes]]:
        """Hand the socket over to the caller, with what of the body was received already."""
        sock = self._connected
        self._sock = None
        pieces, self._pieces = self._pieces, []
        self.close()
        if self._aborted:
            sock.close()
            raise CancelledError
        return sock, pieces

    def abort(self) -> None:
        """End it now; whoever waits for it gets CancelledError. Any thread."""
        self._aborted = True
        if (sock := self._sock) is not None:
            shut(sock)

    def close(self) -> None:
        self._scope.close()
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def __enter__(self) -> Exchange:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _transmit(self, data: bytes) -> bool:
        try:
            self._connected.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            if self._aborted:
                raise CancelledError from None
            return False  # the engine refused before it had read everything: its answer says why
        except OSError as error:
            raise self._broken(error) from error
        return True

    @property
    def _connected(self) -> socket.socket:
        if self._sock is None:
            raise CancelledError
        return self._sock

    def _receive(self, patient: bool = False) -> bool:
        try:
            data = self._connected.recv(RECEIVE)
        except TimeoutError as error:
            if patient:
                return False
            raise self._broken(error) from error
        except OSError as error:
            raise self._broken(error) from error
        if self._aborted:
            raise CancelledError
        try:
            if data:
                self._pieces += self.reader.feed(data)
            elif not self.reader.finish():
                raise self._explained(lost_error(self._endpoint))
        except ProtocolError as error:
            if self.reader.head_done:
                raise broken_answer(error) from error
            raise UnreachableError(
                f"“{self._endpoint.name}” is no container engine",
                f"It answered, but {error}.",
                "Check the address and whether it wants TLS.",
            ) from error
        return True

    def _broken(self, error: OSError) -> DockDeskError:
        if self._aborted:
            return CancelledError()
        return self._explained(connection_error(self._endpoint, error))
