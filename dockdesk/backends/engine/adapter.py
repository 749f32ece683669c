"""Makes the SDK's requests travel over DockDesk's own sockets.

One way to the engine for requests and streams means one place for TLS, tunnels and the words of failures. The SDK's own
adapters take proxies and CA bundles from the environment, which are meant for the web, and leave sockets unclosed when
nobody listens.
"""

from __future__ import annotations

from typing import Any

import requests
import requests.adapters
import urllib3.connection
import urllib3.connectionpool

from dockdesk.backends.engine.connections import CONNECT_TIMEOUT, Transport
from dockdesk.core.work import SilentWork


class _Connection(urllib3.connection.HTTPConnection):
    def __init__(self, transport: Transport) -> None:
        super().__init__("localhost")
        self._transport = transport

    def connect(self) -> None:
        self.sock = self._transport.open(SilentWork(), CONNECT_TIMEOUT)
        self.sock.settimeout(self.timeout)


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, transport: Transport, size: int) -> None:
        super().__init__("localhost", maxsize=size)
        self._transport = transport

    def _new_conn(self) -> _Connection:
        self.num_connections += 1
        return _Connection(self._transport)


class TransportAdapter(requests.adapters.HTTPAdapter):
    """Sends requests through ``transport``; keeps up to ``size`` idle connections."""

    def __init__(self, transport: Transport, size: int = 32) -> None:
        super().__init__()
        self._pool = _Pool(transport, size)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> _Pool:
        return self._pool

    def get_connection(self, *_: Any, **__: Any) -> _Pool:
        return self._pool

    def request_url(self, request: requests.PreparedRequest, *_: Any) -> str:
        return request.path_url

    def close(self) -> None:
        self._pool.close()
        super().close()
