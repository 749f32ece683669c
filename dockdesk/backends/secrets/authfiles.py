"""The files in which the docker CLI and Podman keep logins, and which helpers have them.

Sources: docker CLI, config.json; containers/image, containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from dockdesk.core.records import dataclass

HUB_SERVER = "https://index.docker.io/v1/"
_HUB_NAMES = {"docker.io", "index.docker.io", "registry-1.docker.io"}
_LIMIT = 4 << 20


@dataclass(frozen=True, slots=True)
class Login:
    """A login at a registry: a user with a password, or a token instead."""

    server: str
    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    @property
    def empty(self) -> bool:
        return not (self.username or self.identity_token or self.registry_token)


@dataclass(frozen=True, slots=True)
class AuthFile:
    """One such file, read. ``auths`` maps normalised keys (host, or host/path) to entries as they stand there."""

    path: Path
    auths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    helpers: Mapping[str, str] = field(default_factory=dict)
    store: str = ""
    problem: str = ""


def config_paths(environ: Mapping[str, str] | None = None) -> tuple[Path, list[Path]]:
    """docker's config.json, and Podman's files, the first that counts first."""
    env = os.environ if environ is None else environ
    home = Path(env.get("HOME") or Path.home())
    docker = Path(env.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    podman: list[Path] = []
    if chosen := env.get("REGISTRY_AUTH_FILE"):
        podman.append(Path(chosen))
    if runtime := env.get("XDG_RUNTIME_DIR"):
        podman.append(Path(runtime) / "containers" / "auth.json")
    config = Path(env.get("XDG_CONFIG_HOME") or home / ".config")
    podman.append(config / "containers" / "auth.json")
    return docker, podman


def read_auth_file(path: Path) -> AuthFile | None:
    """The file's logins; None if there is no such file. One that can't be read has its ``problem`` said."""
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        return AuthFile(path, problem=f"{path} can't be read: {error.strerror}.")
    try:
        raw = json.loads(content) if len(content) <= _LIMIT else None
    except ValueError:
        # Without the cause: its text quotes the file.
        raw = None
    if not isinstance(raw, dict):
        return AuthFile(path, problem=f"{path} is not understood: it is no JSON object.")
    auths = raw.get("auths")
    helpers = raw.get("credHelpers")
    store = raw.get("credsStore")
    return AuthFile(
        path,
        {normalised(key): value for key, value in _objects(auths)},
        {normalised(key): value for key, value in _texts(helpers)},
        store if isinstance(store, str) else "",
    )


def _objects(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict):
                yield key, item


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and item:
                yield key, item


def normalised(key: str) -> str:
    """A key as host, or host/path: old ones have a scheme, a version, or one of the hub's other names."""
    plain = key.partition("://")[2] if "://" in key else key
    plain = plain.rstrip("/")
    for version in ("/v1", "/v2", "/v0"):
        plain = plain.removesuffix(version)
    host, slash, path = plain.partition("/")
    host = "docker.io" if host in _HUB_NAMES else host
    return f"{host}{slash}{path}"


def keys_for(repository: str) -> list[str]:
    """The keys under which a login for host/path/name may stand, the most specific first."""
    parts = repository.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def login_in(entry: Mapping[str, Any], server: str) -> Login | None:
    """The login that an entry of ``auths`` holds itself; None if it is kept elsewhere. Raise ValueError if damaged."""
    username, password = entry.get("username"), entry.get("password")
    if isinstance(encoded := entry.get("auth"), str) and encoded:
        try:
            decoded = base64.b64decode(encoded, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            raise ValueError("its login is damaged") from None
        username, colon, password = decoded.partition(":")
        if not colon:
            raise ValueError("its login is damaged")
        password = password.rstrip("\0")
    login = Login(
        server,
        username if isinstance(username, str) else "",
        password if isinstance(password, str) else "",
        _text(entry.get("identitytoken")),
        _text(entry.get("registrytoken")),
    )
    return None if login.empty else login


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
