"""One `ssh -L` process that carries every request to a remote engine's socket.

The user's own ssh does it, so that their ~/.ssh/config, agent, ProxyJump and known hosts count. Source: ssh(1), -L.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from dockdesk.backends.engine.endpoints import DEFAULT_SOCKET, Endpoint, split_host
from dockdesk.core.errors import (
    DockDeskError,
    InvalidInputError,
    LocalError,
    PermissionDeniedError,
    UnreachableError,
)
from dockdesk.core.work import Work

_START_TIMEOUT = 30.0
_KEPT = 4096  # of what ssh says


class SshTunnel:
    """Forwards ``path``, a local socket, to the engine's socket on the endpoint's host."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._folder = tempfile.mkdtemp(prefix="dockdesk-")
        self.path = f"{self._folder}/engine.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: threading.Thread | None = None
        self._said = ""

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """The end of what ssh wrote to its error output."""
        return self._said

    def forget_said(self) -> None:
        self._said = ""

    def start(self, work: Work) -> None:
        """Run ssh and wait until the socket is there. Raise DockDeskError with what ssh said."""
        self._stop()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self._said = ""
        command = self.command()
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl+C in the terminal that started DockDesk is not for it
                env=_environment(),
            )
        except OSError as error:
            raise LocalError(
                "ssh can't be run", error.strerror or str(error), "Install the OpenSSH client."
            ) from error
        self._process = process
        assert process.stderr is not None
        self._listener = threading.Thread(
            target=self._listen, args=(process.stderr,), name="engine-ssh", daemon=True
        )
        self._listener.start()
        try:
            self._await_socket(process, work)
        except BaseException:
            self._stop()
            raise

    def command(self) -> list[str]:
        """The ssh command. BatchMode: a question on a terminal that nobody looks at would hang for ever."""
        parts = split_host(self._endpoint.host)
        if parts.password:
            raise InvalidInputError(
                "A password in an ssh address is not used", "", "Use a key, or an agent."
            )
        remote = parts.path if parts.path not in ("", "/") else DEFAULT_SOCKET
        ask = bool(os.environ.get("SSH_ASKPASS"))
        options = [
            f"BatchMode={'no' if ask else 'yes'}",
            "ConnectTimeout=15",
            "ControlMaster=no",
            "ControlPath=none",
            "ExitOnForwardFailure=yes",
            "ForwardAgent=no",
            "ForwardX11=no",
            "PermitLocalCommand=no",
            "RequestTTY=no",
            "ServerAliveCountMax=3",
            "ServerAliveInterval=15",
            "StreamLocalBindMask=0177",
        ]
        command = ["ssh", "-N", "-T"]
        for option in options:
            command += ["-o", option]
        command += ["-L", f"{self.path}:{unquote(remote)}"]
        if parts.username:
            command += ["-l", unquote(parts.username)]
        if parts.port:
            command += ["-p", str(parts.port)]
        # "--" keeps a host that begins with a dash from being read as an option.
        return [*command, "--", parts.hostname or ""]

    def close(self) -> None:
        """End ssh and remove the socket."""
        self._stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _await_socket(self, process: subprocess.Popen[bytes], work: Work) -> None:
        until = time.monotonic() + _START_TIMEOUT
        pause = 0.01
        while not Path(self.path).exists():
            work.check()
            if process.poll() is not None:
                if self._listener is not None:
                    self._listener.join(2.0)
                raise ssh_error(self._endpoint, self._said)
            if time.monotonic() > until:
                raise UnreachableError(
                    f"ssh to “{self._endpoint.name}” takes too long",
                    self._said.strip() or "There was no answer.",
                    f"Try “{terminal_command(self._endpoint)}” in a terminal.",
                )
            time.sleep(pause)
            pause = min(0.1, pause * 1.5)

    def _listen(self, pipe: IO[bytes]) -> None:
        with pipe:
            while data := os.read(pipe.fileno(), 4096):
                self._said = (self._said + data.decode("utf-8", "replace"))[-_KEPT:]

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # The whole group: a ProxyCommand is a child of ssh's.
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2.0)
                break
        if self._listener is not None:
            self._listener.join(2.0)
            self._listener = None


def _environment() -> dict[str, str]:
    env = dict(os.environ)
    if env.get("SSH_ASKPASS"):
        env["SSH_ASKPASS_REQUIRE"] = "force"
    return env


def terminal_command(endpoint: Endpoint) -> str:
    """What a person types to reach the same host."""
    parts = split_host(endpoint.host)
    port = f"-p {parts.port} " if parts.port else ""
    user = f"{unquote(parts.username)}@" if parts.username else ""
    return f"ssh {port}{user}{parts.hostname}"


def ssh_error(endpoint: Endpoint, said: str) -> DockDeskError:
    """What ssh's last words mean."""
    host = split_host(endpoint.host).hostname or ""
    command = f"“{terminal_command(endpoint)}”"
    detail = said.strip() or "ssh ended without a word."
    lowered = said.casefold()
    title = f"ssh to “{host}” failed"
    if "host key verification failed" in lowered or "host identification has changed" in lowered:
        if "changed" in lowered:
            hint = "The host's key is not the one you know. Ask its owner before you go on."
        else:
            hint = f"The host is unknown. Run {command} in a terminal once and check its key."
        return PermissionDeniedError(title, detail, hint)
    if "permission denied" in lowered or "too many authentication failures" in lowered:
        return PermissionDeniedError(
            title,
            detail,
            "Load your key into the agent (ssh-add), or set SSH_ASKPASS. DockDesk can't ask for a "
            "password on a terminal.",
        )
    if "could not resolve hostname" in lowered:
        return UnreachableError(title, detail, "Check the host's name and your network.")
    if "connection refused" in lowered:
        return UnreachableError(title, detail, "Check that sshd runs there, and its port.")
    if "timed out" in lowered or "no route to host" in lowered:
        return UnreachableError(title, detail, "Check your network connection, or VPN.")
    return UnreachableError(title, detail, f"Try {command} in a terminal.")


def forward_error(endpoint: Endpoint, said: str) -> DockDeskError | None:
    """Why a tunnel that stands carries nothing, from what ssh said; None where it said nothing of it."""
    lowered = said.casefold()
    if "administratively prohibited" in lowered:
        return PermissionDeniedError(
            f"“{endpoint.name}” forbids the tunnel",
            said.strip(),
            "sshd there needs AllowStreamLocalForwarding yes (and AllowTcpForwarding).",
        )
    if "open failed" in lowered:
        return UnreachableError(
            f"No engine answers on “{endpoint.name}”",
            said.strip(),
            "Check that the engine runs there and that your user there may use its socket. For a socket "
            "elsewhere write its path: ssh://user@host/run/user/1000/docker.sock",
        )
    return None
