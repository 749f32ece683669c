"""Finds the login for an image's registry, as the docker CLI and Podman would, and packs it for the engine.

Sources: docker CLI, cli/config; Engine API, section Authentication (X-Registry-Auth); containers-auth.json(5).
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping

from dockdesk.backends.secrets.authfiles import (
    HUB_SERVER,
    AuthFile,
    Login,
    config_paths,
    keys_for,
    login_in,
    read_auth_file,
)
from dockdesk.backends.secrets.helpers import TIMEOUT, TOKEN_USER, HelperError, ask_helper
from dockdesk.core.errors import DockDeskError
from dockdesk.core.references import HUB, registry_of, repository_path

_log = logging.getLogger(__name__)


class RegistryLogins:
    """The user's logins. Everything is read anew each time, so that a `docker login` counts at once. Thread-safe.

    Blocking: it reads files and may start a helper program, so call it on a worker thread. ``podman_first`` prefers
    Podman's files over docker's, as suits an engine that is Podman.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        podman_first: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        self._environ = environ
        self._podman_first = podman_first
        self._timeout = timeout

    def registry_auth(self, reference: str) -> tuple[str, str]:
        """The X-Registry-Auth header for an image reference, and why no login was found where something is wrong.

        A public image needs none: so a broken helper is no failure here, but what is wrong can be told when the
        registry refuses. Never raises.
        """
        try:
            login, problem = self.find(reference)
        except DockDeskError as error:
            return encoded(None), str(error)
        if problem:
            _log.info("no login for %s: %s", registry_of(reference), problem)
        return encoded(login), problem

    def find(self, reference: str) -> tuple[Login | None, str]:
        """The login for an image reference, and what went wrong on the way to one."""
        repository = repository_path(reference)
        server = HUB_SERVER if registry_of(reference) == HUB else registry_of(reference)
        problems = []
        for file in self._files():
            if file.problem:
                problems.append(file.problem)
                continue
            login, problem = self._look_in(file, repository, server)
            if login is not None:
                return login, ""
            if problem:
                problems.append(problem)
        return None, " ".join(dict.fromkeys(problems))

    def _files(self) -> list[AuthFile]:
        docker, podman = config_paths(self._environ)
        paths = [*podman, docker] if self._podman_first else [docker, *podman]
        return [file for path in dict.fromkeys(paths) if (file := read_auth_file(path)) is not None]

    def _look_in(self, file: AuthFile, repository: str, server: str) -> tuple[Login | None, str]:
        keys = keys_for(repository)
        helper = next((file.helpers[key] for key in keys if key in file.helpers), file.store)
        problem = ""
        if helper:
            try:
                if (login := self._ask(helper, server)) is not None:
                    return login, ""
            except HelperError as error:
                problem = str(error)
        for key in keys:
            if (entry := file.auths.get(key)) is None:
                continue
            try:
                if (login := login_in(entry, server)) is not None:
                    return login, ""
            except ValueError as error:
                problem = f"{file.path}: {error}. Log in again with docker login."
        return None, problem

    def _ask(self, helper: str, server: str) -> Login | None:
        stored = ask_helper(helper, server, self._timeout)
        if stored is None:
            return None
        if stored.username == TOKEN_USER:
            return Login(server, identity_token=stored.secret)
        return Login(server, stored.username, stored.secret)


def encoded(login: Login | None) -> str:
    """A login as X-Registry-Auth has it: URL-safe base64 of JSON; {} for none, since push insists on the header."""
    values: dict[str, str] = {}
    if login is not None:
        values = {
            "username": login.username,
            "password": login.password,
            "identitytoken": login.identity_token,
            "registrytoken": login.registry_token,
            "serveraddress": login.server,
        }
    kept = {key: value for key, value in values.items() if value}
    return base64.urlsafe_b64encode(json.dumps(kept).encode()).decode("ascii")
