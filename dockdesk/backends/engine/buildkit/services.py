"""What the engine may ask of a session besides files: logins, secrets and ssh agents.

Source: moby/buildkit, session/auth, session/secrets, session/sshforward.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import socket
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

from dockdesk.backends.engine.logins import Logins
from dockdesk.core.errors import InvalidInputError, LocalError, NotSupportedError
from dockdesk.core.resources.builds import BuildSecret
from dockdesk.core.wholefile import local_error
from dockdesk.wire.buildkit import (
    CHECK_AGENT,
    CREDENTIALS,
    FORWARD_AGENT,
    GET_SECRET,
    SSH_ID,
    BytesMessage,
    CheckAgentRequest,
    CredentialsRequest,
    CredentialsResponse,
    GetSecretRequest,
    GetSecretResponse,
)
from dockdesk.wire.grpc import Code, GrpcError, Handler, ServerCall, unary
from dockdesk.wire.protobuf import decode, encode

_SECRET_LIMIT = 500 * 1024  # bytes, BuildKit's own
_PIECE = 32 * 1024
_ASKED = "registry-1.docker.io"


class Credentials:
    """Logs in where the engine has to, with what `docker login` keeps. ``problems`` tells why a login was missing."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins
        self.problems: dict[str, str] = {}

    def handlers(self) -> dict[str, Handler]:
        # Tokens are not fetched here: BuildKit asks for the credentials where FetchToken is not offered.
        return {CREDENTIALS: unary(self._answer)}

    def _answer(self, message: bytes) -> bytes:
        host = decode(CredentialsRequest, message).host
        values, problem = login_for(self._logins, host)
        if problem:
            self.problems[host] = problem
        if token := values.get("identitytoken") or values.get("registrytoken"):
            return encode(CredentialsResponse(secret=token))
        return encode(CredentialsResponse(values.get("username", ""), values.get("password", "")))


def login_for(logins: Logins, host: str) -> tuple[dict[str, str], str]:
    """The login for a registry, as X-Registry-Auth has it, and why there is none where something is wrong."""
    header, problem = logins.registry_auth(f"{host or _ASKED}/any")
    try:
        values = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (binascii.Error, ValueError):
        return {}, problem
    return {key: str(value) for key, value in values.items()} if isinstance(
        values, dict
    ) else {}, problem


class Secrets:
    """Reads a secret at the moment at which a step asks for it."""

    def __init__(self, secrets: Sequence[BuildSecret]) -> None:
        self._secrets = {secret.id: secret for secret in secrets}

    def check(self) -> None:
        """Raise where one can't be read, before anything is built."""
        for secret in self._secrets.values():
            if not secret.id:
                raise InvalidInputError(
                    "A secret has no id", "", "Give it the id of its mount.", "secrets"
                )
            read_secret(secret)

    def handlers(self) -> dict[str, Handler]:
        return {GET_SECRET: unary(self._answer)}

    def _answer(self, message: bytes) -> bytes:
        id = decode(GetSecretRequest, message).id
        secret = self._secrets.get(id)
        if secret is None:
            raise GrpcError(Code.NOT_FOUND, f"secret {id}: not found")
        try:
            return encode(GetSecretResponse(read_secret(secret)))
        except (LocalError, InvalidInputError) as error:
            raise GrpcError(Code.UNKNOWN, f"{error.title}: {error.detail}") from error


def read_secret(secret: BuildSecret) -> bytes:
    """A secret's value. Raise LocalError or InvalidInputError."""
    title = f"The secret {secret.id} can't be read"
    if secret.file:
        path = Path(secret.file).expanduser()
        try:
            with path.open("rb") as file:
                value = file.read(_SECRET_LIMIT + 1)
        except OSError as error:
            raise local_error(title, path, error) from error
    else:
        name = secret.variable or secret.id
        if name not in os.environ:
            raise InvalidInputError(
                title, f"There is no environment variable {name}.", "Choose a file.", "secrets"
            )
        value = os.environb[os.fsencode(name)]
    if len(value) > _SECRET_LIMIT:
        raise InvalidInputError(
            title, "It is longer than 500 KiB.", "BuildKit takes no longer ones.", "secrets"
        )
    return value


class Agents:
    """Passes ssh agents on: ``ssh`` are “default”, “id” or “id=socket”, as in `docker build --ssh`."""

    def __init__(self, ssh: Sequence[str]) -> None:
        self._sockets = dict(_agent(entry) for entry in ssh)

    def check(self) -> None:
        """Raise where an agent can't be reached, before anything is built."""
        for id, path in self._sockets.items():
            _connect(id, path).close()

    def handlers(self) -> dict[str, Handler]:
        return {CHECK_AGENT: unary(self._check), FORWARD_AGENT: self._forward}

    def _socket(self, id: str) -> str:
        path = self._sockets.get(id or "default")
        if path is None:
            raise GrpcError(Code.NOT_FOUND, f"unset ssh forward key {id or 'default'}")
        return path

    def _check(self, message: bytes) -> bytes:
        self._socket(decode(CheckAgentRequest, message).id)
        return b""

    def _forward(self, call: ServerCall) -> None:
        id = next(iter(call.metadata.get(SSH_ID, ())), "")
        try:
            agent = _connect(id, self._socket(id))
        except LocalError as error:
            raise GrpcError(Code.UNAVAILABLE, f"{error.title}: {error.detail}") from error
        call.begin()
        with agent:
            reader = threading.Thread(
                target=_to_agent, args=(call, agent), name="buildkit-ssh", daemon=True
            )
            reader.start()
            try:
                while data := agent.recv(_PIECE):
                    call.send(encode(BytesMessage(data)))
            except OSError as error:
                raise GrpcError(Code.UNAVAILABLE, str(error)) from error
            finally:
                call.stop_receiving()
                reader.join()


def _to_agent(call: ServerCall, agent: socket.socket) -> None:
    # Either side may hang up at any time; the other direction ends the call.
    with contextlib.suppress(GrpcError, OSError):
        for message in call:
            agent.sendall(decode(BytesMessage, message).content)
    with contextlib.suppress(OSError):
        agent.shutdown(socket.SHUT_WR)


def _agent(entry: str) -> tuple[str, str]:
    id, equals, path = entry.partition("=")
    if not equals:
        path = os.environ.get("SSH_AUTH_SOCK", "")
        if not path:
            raise InvalidInputError(
                "There is no ssh agent",
                "SSH_AUTH_SOCK is not set.",
                "Start ssh-agent and load your key with ssh-add.",
                "ssh",
            )
    path = os.path.expanduser(path)
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise local_error(f"The ssh agent {id} can't be used", path, error) from error
    if not stat.S_ISSOCK(mode):
        raise NotSupportedError(
            f"The ssh key {id} can't be used",
            f"{path} is a key file; agents are passed on, keys are not read.",
            "Load it with ssh-add and choose “default”, or build with buildx.",
        )
    return id or "default", path


def _connect(id: str, path: str) -> socket.socket:
    agent = socket.socket(socket.AF_UNIX)
    try:
        agent.connect(path)
    except OSError as error:
        agent.close()
        raise local_error(f"The ssh agent {id} does not answer", path, error) from error
    return agent
