"""Finds the engines this user knows: DOCKER_HOST, Docker's contexts, and sockets of Podman and rootless Docker.

The SDK's own reader looks for contexts relative to the working directory where there is no config.json, and takes the
default socket for a context that does not exist; so they are read here. Sources: docker/cli, cli/context/store and
cli/command/cli.go (precedence); podman-system-service(1).
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from dockdesk.backends.engine.endpoints import (
    DEFAULT_SOCKET,
    Endpoint,
    TlsFiles,
    shown_host,
    socket_path,
    split_host,
)
from dockdesk.core.environments import Environment
from dockdesk.core.errors import DockDeskError

_log = logging.getLogger(__name__)

DEFAULT = "default"
ROOT_PODMAN_SOCKET = "/run/podman/podman.sock"
_REMOTE_COLOUR = "amber"
_PODMAN_COLOUR = "violet"


class Finder:
    """Looks for endpoints with a given environment; ``note`` is told of what could not be read."""

    def __init__(self, environ: Mapping[str, str], home: Path, note: Callable[[str], None]) -> None:
        self._environ = environ
        self._home = home
        self._note = note
        self._folder = Path(environ.get("DOCKER_CONFIG") or home / ".docker")

    def endpoints(self) -> list[Endpoint]:
        found = [self._default(), *self._contexts()]
        found += self._sockets(found)
        return self._marked(found)

    # --- What docker knows ---

    def _default(self) -> Endpoint:
        host = self._environ.get("DOCKER_HOST", "").strip()
        if not host:
            return endpoint(DEFAULT, f"unix://{DEFAULT_SOCKET}", "default")
        return endpoint(DEFAULT, host, "DOCKER_HOST", self._environment_tls(host))

    def _environment_tls(self, host: str) -> TlsFiles | None:
        """DOCKER_TLS_VERIFY asks for TLS with checks, DOCKER_TLS for TLS without."""
        verify = bool(self._environ.get("DOCKER_TLS_VERIFY"))
        if host.startswith(("unix:", "ssh:")) or not (verify or self._environ.get("DOCKER_TLS")):
            return None
        folder = Path(self._environ.get("DOCKER_CERT_PATH") or self._folder)
        return _tls_files(folder, verify)

    def _contexts(self) -> list[Endpoint]:
        meta = self._folder / "contexts" / "meta"
        try:
            folders = sorted(meta.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            self._note(f"Docker's contexts can't be read: {error}")
            return []
        found = [self._context(folder) for folder in folders if folder.is_dir()]
        return sorted((item for item in found if item is not None), key=lambda item: item.name)

    def _context(self, folder: Path) -> Endpoint | None:
        file = folder / "meta.json"
        try:
            meta = json.loads(file.read_text(encoding="utf-8"))
            name = meta["Name"]
            docker = meta.get("Endpoints", {}).get("docker")
            if not isinstance(name, str) or not name:
                raise ValueError("it has no name")
            if docker is None:
                return None  # such as one for Kubernetes alone
            host = docker.get("Host") or f"unix://{DEFAULT_SOCKET}"
            skip = bool(docker.get("SkipTLSVerify"))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._note(f"The context in {file} can't be read: {error}")
            return _broken(folder.name[:12], f"Its file {file} can't be read: {error}")
        keys = self._folder / "contexts" / "tls" / folder.name / "docker"
        tls = _tls_files(keys, not skip)
        used = skip or tls.ca is not None or tls.cert is not None
        if host.startswith(("unix:", "ssh:")):
            used = False
        return endpoint(name, host, f"context {name}", tls if used else None)

    def _marked(self, found: list[Endpoint]) -> list[Endpoint]:
        """Mark the endpoint that the docker CLI would use; name the one that is asked for and missing."""
        wanted, source = self._wanted()
        names = [item.name for item in found]
        if wanted not in names:
            problem = f"{source} asks for the context “{wanted}”, which does not exist."
            found = [*found, _broken(wanted, problem)]
            names.append(wanted)
        current = names.index(wanted)
        if wanted == DEFAULT and not source and not os.path.exists(DEFAULT_SOCKET):
            # Nobody chose: then an engine that is there is better than one that is not.
            there = [number for number, item in enumerate(found) if _present(item)]
            current = there[0] if there else current
        return [replace(item, current=number == current) for number, item in enumerate(found)]

    def _wanted(self) -> tuple[str, str]:
        """The name of the context in use and what asks for it, in the order of precedence of the docker CLI."""
        if self._environ.get("DOCKER_HOST", "").strip():
            return DEFAULT, "DOCKER_HOST"
        if name := self._environ.get("DOCKER_CONTEXT"):
            return name, "DOCKER_CONTEXT"
        file = self._folder / "config.json"
        try:
            config = json.loads(file.read_text(encoding="utf-8"))
            name = config.get("currentContext") or ""
        except FileNotFoundError:
            return DEFAULT, ""
        except (OSError, ValueError, AttributeError) as error:
            self._note(f"{file} can't be read: {error}")
            return DEFAULT, ""
        if isinstance(name, str) and name:
            return name, str(file)
        return DEFAULT, ""

    # --- What else listens ---

    def _sockets(self, known: list[Endpoint]) -> list[Endpoint]:
        """Sockets of engines that no context names, where they exist."""
        runtime = self._environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        candidates = [
            ("rootless docker", f"{runtime}/docker.sock", ""),
            ("docker desktop", str(self._home / ".docker/desktop/docker.sock"), ""),
            ("podman", f"{runtime}/podman/podman.sock", _PODMAN_COLOUR),
            ("podman (root)", ROOT_PODMAN_SOCKET, _PODMAN_COLOUR),
        ]
        seen = {os.path.realpath(path) for item in known if (path := _local_path(item))}
        names = {item.name for item in known}
        found: list[Endpoint] = []
        if host := self._environ.get("CONTAINER_HOST", "").strip():
            found.append(
                endpoint("podman (CONTAINER_HOST)", host, "CONTAINER_HOST", None, _PODMAN_COLOUR)
            )
            seen.add(os.path.realpath(_local_path(found[0]) or host))
        for name, path, colour in candidates:
            if not os.path.exists(path) or os.path.realpath(path) in seen or name in names:
                continue
            seen.add(os.path.realpath(path))
            found.append(endpoint(name, f"unix://{path}", path, None, colour))
        return found


def discover(
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
    note: Callable[[str], None] | None = None,
) -> list[Endpoint]:
    """Every engine this user knows, `docker context ls` first; exactly one is ``current``.

    Reads files only, and a few: blocks for about a millisecond. ``note`` is told of files that can't be read.
    """
    finder = Finder(
        os.environ if environ is None else environ, home or Path.home(), note or _log.warning
    )
    return finder.endpoints()


def endpoint(
    name: str, host: str, source: str, tls: TlsFiles | None = None, colour: str = ""
) -> Endpoint:
    """An endpoint by its host; one that can't be used says so in ``problem``."""
    problem = ""
    address = shown_host(host)
    try:
        parts = split_host(host)
    except DockDeskError as error:
        problem = str(error)
    else:
        if parts.scheme == "unix":
            address = f"unix://{socket_path(parts)}"
        elif not colour:
            colour = _REMOTE_COLOUR
    environment = Environment(f"docker:{name}", "docker", name, address, source, colour or "blue")
    return Endpoint(environment, host, tls, problem)


def _broken(name: str, problem: str) -> Endpoint:
    environment = Environment(f"docker:{name}", "docker", name, "", f"context {name}", "grey")
    return Endpoint(environment, "", None, problem)


def _tls_files(folder: Path, verify: bool) -> TlsFiles:
    def there(name: str) -> Path | None:
        file = folder / name
        return file if os.path.exists(file) else None

    return TlsFiles(there("ca.pem"), there("cert.pem"), there("key.pem"), verify)


def _local_path(item: Endpoint) -> str:
    """The path of an endpoint's local socket, or an empty string."""
    if item.problem or not item.host.startswith("unix:"):
        return ""
    return socket_path(split_host(item.host))


def _present(item: Endpoint) -> bool:
    path = _local_path(item)
    return bool(path) and os.path.exists(path)
