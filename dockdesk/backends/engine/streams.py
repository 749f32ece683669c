"""Live streams of an engine: a connection in the reactor's care, taken apart on its thread, handed to a sink."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from dockdesk.backends.engine.answers import error_message
from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.errors import (
    api_error,
    broken_answer,
    connection_error,
    disconnected_error,
    lost_error,
)
from dockdesk.backends.engine.exchange import Exchange
from dockdesk.backends.engine.wire import ProtocolError, ResponseReader
from dockdesk.core.errors import DockDeskError, LocalError
from dockdesk.core.reactor import Link, Reactor
from dockdesk.core.streams import Sink

_log = logging.getLogger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# How long the caller waits for the answer to begin. Podman holds it back until there is something to say; then the
# reactor waits on.
_HEAD_PATIENCE = 1.0
# How long `close` waits for a delivery that is under way. Longer would be felt, or lock up with a sink that waits.
_CLOSE_PATIENCE = 0.01
_CHECK_TIMEOUT = 10.0
_FAREWELL_PATIENCE = 2.0  # longer than a terminal takes to say goodbye
_REQUEST_TIMEOUT = 30.0


class Decoder(Protocol[T_co]):
    """Makes a stream's items of its bytes."""

    def feed(self, pieces: Sequence[bytes]) -> Sequence[T_co]: ...


class Delivery(Generic[T]):
    """Keeps the contract of sinks: items in order, the end told once, nothing after `close`.

    ``error`` is the failure of a sink that raised.
    """

    def __init__(self, sink: Sink[T]) -> None:
        self._sink = sink
        self._lock = threading.RLock()  # a sink may close its own stream
        self._closed = False
        self._over = False

    @property
    def closed(self) -> bool:
        return self._closed

    def put(self, items: Sequence[T]) -> bool:
        """Hand items over; False if nobody wants them any more."""
        if not items:
            return not self._closed
        with self._lock:
            if self._closed or self._over:
                return False
            try:
                self._sink.put(items)
            except Exception as error:  # noqa: BLE001 - a sink's fault ends its own stream; it is logged and told
                _log.exception("a stream's sink failed")
                self.end(_sink_error(error))
                return False
            return not self._closed

    def end(self, error: DockDeskError | None) -> None:
        """Tell the end, if it was not told and nobody closed the stream."""
        with self._lock:
            if self._closed or self._over:
                return
            self._over = True
            try:
                self._sink.ended(error)
            except Exception:  # noqa: BLE001 - nobody is left to be told; it is logged
                _log.exception("a stream's sink failed on its end")

    def close(self) -> None:
        """Nothing more reaches the sink once this returns; a delivery under way is waited for, but not for ever."""
        self._closed = True
        if self._lock.acquire(timeout=_CLOSE_PATIENCE):
            self._lock.release()


class EngineStream(Generic[T]):
    """One live stream: what the reactor reads into, and the Subscription that ends it.

    ``verify`` is asked, on a thread that may wait, whether a connection that just stopped was lost (its failure) or had
    come to its end (None). ``farewell`` starts what must be said before the connection is closed.
    """

    def __init__(
        self,
        hub: StreamHub,
        reader: ResponseReader,
        decoder: Decoder[T],
        sink: Sink[T],
        title: str = "",
        verify: Callable[[], DockDeskError | None] | None = None,
        farewell: Callable[[], None] | None = None,
    ) -> None:
        self._hub = hub
        self._reader = reader
        self._decoder = decoder
        self._title = title
        self._verify = verify
        self._delivery = Delivery(sink)
        self._farewell = farewell
        self._refusal: list[bytes] = []
        self._link: Link | None = None
        self._muted = False
        self._over = False

    @property
    def over(self) -> bool:
        """Whether the connection is gone."""
        return self._over

    def start(self, exchange: Exchange) -> None:
        """Take over the exchange's connection; what it received already is the stream's beginning."""
        sock, pieces = exchange.detach()
        if not self._hub.reactor.call(lambda: self._begin(sock, pieces)):
            sock.close()
            raise disconnected_error(self._hub.client.endpoint)

    def send(self, data: bytes) -> None:
        """Queue bytes for the other side."""
        self._hub.reactor.call(lambda: self._link.send(data) if self._link is not None else None)

    def received(self, data: bytes) -> None:
        try:
            self._take(self._reader.feed(data))
        except ProtocolError as error:
            self._end(_broken_answer(error))

    def lost(self, error: Exception | None) -> None:
        if error is None:
            if self._reader.finish():
                self._finish()
            else:
                self._end(self._hub.lost())
        elif isinstance(error, OSError):
            self._end(connection_error(self._hub.client.endpoint, error))
        elif isinstance(error, DockDeskError):
            self._end(error)
        else:
            self._end(_broken_answer(error))

    def close(self) -> None:
        self._delivery.close()
        self._drop()

    def mute(self) -> None:
        """Tell the sink nothing more, but keep the connection until its other side is done."""
        self._muted = True
        self._delivery.close()

    def shut(self) -> None:
        """End it because the connection to the engine is given up; the sink is told so."""
        self._delivery.end(disconnected_error(self._hub.client.endpoint))
        if self._farewell is not None:
            self._farewell()
        else:
            self.close()

    def _begin(self, sock: socket.socket, pieces: list[bytes]) -> None:
        """On the reactor's thread, so that nothing is received before the link is known here."""
        self._link = self._hub.reactor.add(sock, self)
        if self._over:
            self._link.close()
            return
        try:
            self._take(pieces)
        except Exception as error:  # noqa: BLE001 - whatever it is ends this stream, with its reason
            if not isinstance(error, ProtocolError):
                _log.exception("a stream failed on its first bytes")
            self._end(_broken_answer(error))

    def _take(self, pieces: list[bytes]) -> None:
        if self._reader.head_done and self._reader.status >= 400:
            self._refusal += pieces
            if self._reader.complete:
                self._refuse()
            return
        if pieces and not self._muted and not self._delivery.put(self._decoder.feed(pieces)):
            if not self._muted:
                self._drop()
        elif self._reader.complete:
            self._finish()

    def _finish(self) -> None:
        """The body is over. Where it had no framing, a lost engine looks the same, and is asked for."""
        if self._reader.status >= 400:
            self._refuse()
        elif self._verify is None or self._muted or not self._reader.upgraded:
            self._end(None)
        else:
            self._drop()
            # Asking waits, which the reactor must not.
            threading.Thread(target=self._end_verified, name="engine-check", daemon=True).start()

    def _end_verified(self) -> None:
        assert self._verify is not None
        try:
            error = self._verify()
        except DockDeskError as failure:
            error = failure
        self._end(error)

    def _refuse(self) -> None:
        message = error_message(b"".join(self._refusal))
        self._end(api_error(self._reader.status, message, self._title))

    def _end(self, error: DockDeskError | None) -> None:
        self._drop()
        self._delivery.end(error)

    def _drop(self) -> None:
        self._over = True
        self._hub.forget(self)
        if self._link is not None:
            self._link.close()


class StreamHub:
    """All live streams of one engine. Thread-safe."""

    def __init__(self, client: EngineClient, reactor: Reactor) -> None:
        self.client = client
        self.reactor = reactor
        self._lock = threading.Lock()
        self._streams: set[EngineStream[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._streams)

    def open(
        self, path: str, params: dict[str, Any], decoder: Decoder[T], sink: Sink[T], title: str
    ) -> EngineStream[T]:
        """GET a stream: connect and ask on this thread, then yield on the reactor's. Raise DockDeskError."""
        exchange = self.client.send("GET", path, params, timeout=_REQUEST_TIMEOUT, title=title)
        try:
            exchange.answer(_HEAD_PATIENCE)
            return self.adopt(exchange, EngineStream(self, exchange.reader, decoder, sink, title))
        finally:
            exchange.close()

    def adopt(self, exchange: Exchange, stream: EngineStream[T]) -> EngineStream[T]:
        """Hand an exchange's connection to the reactor as ``stream``."""
        with self._lock:
            if self._closed:
                raise disconnected_error(self.client.endpoint)
            self._streams.add(stream)
        try:
            stream.start(exchange)
        except BaseException:
            self.forget(stream)
            raise
        return stream

    def forget(self, stream: EngineStream[Any]) -> None:
        with self._lock:
            self._streams.discard(stream)

    def lost(self) -> DockDeskError:
        return lost_error(self.client.endpoint)

    def check(self) -> DockDeskError | None:
        """Whether the engine still answers."""
        try:
            self.client.get("/_ping", timeout=_CHECK_TIMEOUT)
        except DockDeskError as error:
            return error
        return None

    def close(self) -> None:
        """End every stream, and tell the sinks why. Waits a moment for terminals to end their processes."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            stream.shut()
        if self.reactor.here:
            return
        until = time.monotonic() + _FAREWELL_PATIENCE
        while self._streams and time.monotonic() < until:
            time.sleep(0.01)
        for stream in list(self._streams):
            stream.close()


def _sink_error(error: Exception) -> DockDeskError:
    if isinstance(error, DockDeskError):
        return error
    return LocalError(
        "Something in DockDesk went wrong",
        f"{type(error).__name__}: {error}",
        "Open it again. If it happens again, please report it with the log.",
    )


def _broken_answer(error: Exception) -> DockDeskError:
    if isinstance(error, ProtocolError):
        return broken_answer(error)
    return _sink_error(error)


def seconds(value: float) -> str:
    """A time as the engine's since and until take it: seconds since 1970 with nanoseconds."""
    return f"{value:.9f}"
