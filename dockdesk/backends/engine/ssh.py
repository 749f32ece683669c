"""A unix socket on another computer, through one ssh tunnel."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

from dockdesk.backends.engine.connections import CONNECT_TIMEOUT, UnixTransport
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.backends.engine.tunnel import SshTunnel, forward_error, ssh_error
from dockdesk.core.errors import CancelledError, DockDeskError
from dockdesk.core.work import Work

_SSH_TALK = 0.3  # seconds in which ssh says why it failed


class SshTransport:
    """A unix socket on another computer, reached through one `ssh -L` that all requests share."""

    local = False

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._tunnel = SshTunnel(endpoint)
        self._lock = threading.Lock()
        self._closed = False

    def open(self, work: Work, timeout: float = CONNECT_TIMEOUT) -> socket.socket:
        with self._lock:
            if self._closed:
                raise CancelledError
            if not self._tunnel.alive:
                self._tunnel.start(work)
        return UnixTransport(self._endpoint, self._tunnel.path).open(work, timeout)

    @property
    def host(self) -> str:
        return "docker"

    def reason(self) -> DockDeskError | None:
        """ssh says why it could not reach the remote socket, but only after it has closed the local end."""
        until = time.monotonic() + _SSH_TALK
        while time.monotonic() < until:
            if (reason := forward_error(self._endpoint, self._tunnel.said)) is not None:
                self._tunnel.forget_said()
                return reason
            if not self._tunnel.alive:
                return ssh_error(self._endpoint, self._tunnel.said)
            time.sleep(0.02)
        return None

    def within_reach(self) -> Endpoint:
        return replace(self._endpoint, host=f"unix://{self._tunnel.path}")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._tunnel.close()
