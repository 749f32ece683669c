"""The docker SDK's client, over DockDesk's own sockets.

Importing it takes longer than an engine's first list: it is done when something is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import docker
import docker.errors
import requests
import urllib3.exceptions

from dockdesk.backends.engine.adapter import TransportAdapter
from dockdesk.backends.engine.answers import error_message
from dockdesk.backends.engine.connections import Transport
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.backends.engine.errors import api_error, connection_error, timeout_error
from dockdesk.backends.engine.exchange import USER_AGENT
from dockdesk.backends.engine.paths import Method
from dockdesk.core.errors import DockDeskError

_FAILURES = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    docker.errors.DockerException,
    OSError,
)


class SdkSession:
    """Sends requests through the SDK, which keeps connections for the next one. Thread-safe."""

    def __init__(
        self,
        endpoint: Endpoint,
        transport: Transport,
        api_version: str,
        explained: Callable[[DockDeskError], DockDeskError],
        timeout: int,
    ) -> None:
        self.api_version = api_version
        self._endpoint = endpoint
        self._explained = explained
        self._timeout = timeout
        # The address is a formality: the adapter connects.
        self._sdk = docker.APIClient(
            "unix:///dockdesk", api_version, timeout, user_agent=USER_AGENT
        )
        self._sdk.mount("http+docker://", TransportAdapter(transport))
        self._sdk.headers["Host"] = transport.host
        self._sdk.trust_env = False

    def send(
        self,
        method: Method,
        target: str,
        body: bytes | Iterable[bytes] | None,
        headers: Mapping[str, str],
        timeout: float | None,
        title: str,
    ) -> tuple[Mapping[str, str], bytes]:
        """The answer's headers, names in lower case, and its body; raise DockDeskError."""
        send = partial(
            self._sdk.request,
            method,
            f"{self._sdk.base_url}{target}",
            data=body,
            headers=headers,
            timeout=(self._timeout, timeout),
            allow_redirects=False,
        )
        try:
            try:
                response: requests.Response = send()
            except requests.exceptions.ConnectionError:
                # A connection kept from earlier may have ended at this very moment; asking again does no harm.
                if method not in {"GET", "HEAD"}:
                    raise
                response = send()
        except requests.exceptions.Timeout as error:
            raise timeout_error(self._endpoint) from error
        except _FAILURES as error:
            raise self._explained(connection_error(self._endpoint, error)) from error
        if response.status_code >= 400:
            raise api_error(response.status_code, error_message(response.content), title)
        return {name.lower(): value for name, value in response.headers.items()}, response.content

    def close(self) -> None:
        self._sdk.close()
