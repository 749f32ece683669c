"""All of the user's registry logins in one: DockDesk's own, docker's and Podman's; found, kept and removed.

What exists is used without asking. A login given to DockDesk itself comes first: it was given because what exists was
not enough. Sources: docker CLI, cli/config; containers-auth.json(5).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from dockdesk.backends.secrets.authedits import note_login, remove_login, write_login
from dockdesk.backends.secrets.authfiles import (
    HUB_SERVER,
    AuthFile,
    Login,
    config_paths,
    login_in,
    normalised,
    read_auth_file,
)
from dockdesk.backends.secrets.helpers import (
    TIMEOUT,
    TOKEN_USER,
    HelperError,
    ask_helper,
    erase_with_helper,
    list_of_helper,
    store_with_helper,
)
from dockdesk.backends.secrets.keyrings import KeyringStore
from dockdesk.backends.secrets.logins import RegistryLogins, encoded
from dockdesk.core.errors import DockDeskError, InvalidInputError, LocalError
from dockdesk.core.references import HUB, registry_of
from dockdesk.core.resources.registries import (
    DOCKER_FILE,
    DOCKER_HELPER,
    KEYRING,
    PODMAN,
    SESSION,
    Account,
    Credential,
    KeepingPlace,
    Registry,
    registry_for,
)

_log = logging.getLogger(__name__)


class AccountStore:
    """`KeepsAccounts` of core/registry_ports.py, and the engine's Logins. Blocking; thread-safe."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        podman_first: bool = False,
        timeout: float = TIMEOUT,
        keyring: KeyringStore | None = None,
    ) -> None:
        self._environ = environ
        self._timeout = timeout
        self._files = RegistryLogins(environ, podman_first, timeout)
        self._own = keyring or KeyringStore()

    # --- find ---

    def credential(self, registry: Registry, repository: str = "") -> tuple[Credential | None, str]:
        problem = ""
        try:
            own = self._own.find(registry.host)
        except LocalError as error:
            own, problem = None, str(error)
        if own is not None:
            return own, ""
        reference = f"{registry.host}/{repository or '_'}"
        try:
            login, wrong = self._files.find(reference)
        except DockDeskError as error:
            login, wrong = None, str(error)
        if login is not None:
            return _credential(login), ""
        return None, " ".join(part for part in (problem, wrong) if part)

    def refused(self, registry: Registry) -> None:
        """Passwords and tokens of the user can't be renewed without the user."""

    def registry_auth(self, reference: str) -> tuple[str, str]:
        """As `RegistryLogins.registry_auth`, with DockDesk's own logins first. Never raises."""
        host = registry_of(reference)
        try:
            own = self._own.find(host)
        except LocalError as error:
            _log.info("no login of DockDesk's own for %s: %s", host, error)
            own = None
        if own is None:
            return self._files.registry_auth(reference)
        server = _server(host)
        login = Login(server, own.username, own.secret, own.identity_token, own.registry_token)
        return encoded(login), ""

    def accounts(self) -> list[Account]:
        found: dict[tuple[str, str], Account] = {}

        def add(account: Account) -> None:
            found.setdefault((account.host, account.source), account)

        try:
            for registry, user, kept in self._own.accounts():
                place = KEYRING if kept else SESSION
                source = self._own.source() if kept else "DockDesk, until it ends"
                add(Account(registry, user, place, source))
        except LocalError as error:
            _log.info("accounts of the keyring are not shown: %s", error)
        docker, podman = config_paths(self._environ)
        for path in [docker, *podman]:
            file = read_auth_file(path)
            for account in self._in_file(file, path != docker) if file is not None else ():
                add(account)
        return list(found.values())

    def _in_file(self, file: AuthFile, podman: bool) -> list[Account]:
        found = []
        for host, entry in file.auths.items():
            try:
                login = login_in(entry, host)
            except ValueError:
                continue  # told when somebody needs it
            if login is not None:
                place = PODMAN if podman else DOCKER_FILE
                user = login.username or "token"
                found.append(Account(_known(host), user, place, str(file.path)))
        for name in dict.fromkeys([*file.helpers.values(), *([file.store] if file.store else [])]):
            found += self._in_helper(file, name)
        return found

    def _in_helper(self, file: AuthFile, name: str) -> list[Account]:
        """What a helper lists; one that is asked for some hosts only is not asked about others."""
        try:
            listed = list_of_helper(name, self._timeout)
        except HelperError as error:
            _log.info("accounts of a credential helper are not shown: %s", error)
            listed = {}
        users = {normalised(server): user for server, user in listed.items()}
        hosts = [host for host, helper in file.helpers.items() if helper == name]
        if name == file.store:
            hosts += [host for host in users if host not in file.helpers]
        source = f"docker-credential-{name}"
        return [
            Account(_known(host), _user_shown(users.get(host, "")), DOCKER_HELPER, source)
            for host in dict.fromkeys(hosts)
            # Some helpers, such as that for ECR, list nothing and know all the same.
            if "/" not in host and (host in users or not listed)
        ]

    # --- keep ---

    def places(self, registry: Registry) -> list[KeepingPlace]:
        found = []
        if source := self._own.source():
            found.append(KeepingPlace(KEYRING, source))
        found.append(
            KeepingPlace(
                SESSION,
                "DockDesk, until it ends",
                note="" if found else "This system has no keyring: kept until DockDesk ends.",
            )
        )
        found.append(self._docker_place(registry.host))
        return found

    def _docker_place(self, host: str) -> KeepingPlace:
        path = config_paths(self._environ)[0]
        helper = self._helper_for(host, path)
        if helper:
            source = f"docker-credential-{helper}"
            return KeepingPlace(DOCKER_HELPER, source, note="The docker CLI uses it too.")
        note = "The docker CLI uses it too. It is merely encoded: whoever reads the file has it."
        return KeepingPlace(DOCKER_FILE, str(path), False, note)

    @staticmethod
    def _helper_for(host: str, path: Path) -> str:
        file = read_auth_file(path)
        if file is None:
            return ""
        if file.problem:
            raise LocalError(
                "docker's logins can't be read", file.problem, "Mend or move the file."
            )
        return file.helpers.get(host) or file.store

    def keep(self, registry: Registry, credential: Credential, place: str) -> KeepingPlace:
        if not (credential.secret or credential.identity_token):
            raise InvalidInputError(
                "There is no password or token", "", "Type one.", field="secret"
            )
        chosen = next((item for item in self.places(registry) if item.place == place), None)
        if chosen is None:
            raise LocalError(
                "The login can't be kept there",
                f"This system has no {place.replace('-', ' ')}.",
                "Choose another place.",
            )
        if place == KEYRING:
            self._own.keep(registry, credential)
        elif place == SESSION:
            # A login for now must not leave another one behind that comes back later.
            self._own.remove(registry.host)
            self._own.keep_for_session(registry, credential)
        else:
            self._keep_for_docker(registry, credential)
            self._own.remove(registry.host)
        return chosen

    def _keep_for_docker(self, registry: Registry, credential: Credential) -> None:
        path = config_paths(self._environ)[0]
        server = _server(registry.host)
        token = not credential.secret
        secret = credential.identity_token if token else credential.secret
        helper = self._helper_for(registry.host, path)
        if not helper:
            write_login(path, server, credential.username, secret, token)
            return
        try:
            user = TOKEN_USER if token else credential.username
            store_with_helper(helper, server, user, secret, self._timeout)
        except HelperError as error:
            raise LocalError(
                "The login was not kept", str(error), "Unlock its keyring, or choose another place."
            ) from None
        note_login(path, server)

    # --- log out ---

    def log_out(self, registry: Registry) -> list[str]:
        host = registry.host
        gone: list[str] = []
        problems: list[str] = []

        def attempt(step: Callable[[], list[str]]) -> None:
            try:
                gone.extend(step())
            except (DockDeskError, HelperError) as error:
                problems.append(str(error))

        attempt(lambda: self._own.remove(host))
        docker, podman = config_paths(self._environ)
        for path in dict.fromkeys([docker, *podman]):
            file = read_auth_file(path)
            if file is None:
                continue
            if file.problem:
                problems.append(file.problem)
                continue
            attempt(partial(self._erased, file, host))
            attempt(partial(_removed, path, host))
        if problems:
            done = f" It was removed from {', '.join(gone)}." if gone else ""
            raise LocalError(
                f"The login at {host} is not gone everywhere",
                f"{' '.join(problems)}{done}",
                "Remove it there, or try again.",
            )
        return gone

    def _erased(self, file: AuthFile, host: str) -> list[str]:
        helper = file.helpers.get(host) or file.store
        if not helper:
            return []
        servers = {_server(host), *self._servers_of(helper, host)}
        there = [item for item in sorted(servers) if ask_helper(helper, item, self._timeout)]
        for server in there:
            erase_with_helper(helper, server, self._timeout)
        return [f"docker-credential-{helper}"] if there else []

    def _servers_of(self, helper: str, host: str) -> list[str]:
        """The names under which a helper has logins for a host: old ones have a scheme or a path."""
        try:
            listed = list_of_helper(helper, self._timeout)
        except HelperError as error:  # some can't list, and forget all the same
            _log.info("what a credential helper has is not known: %s", error)
            return []
        return [server for server in listed if normalised(server) == host]


def _removed(path: Path, host: str) -> list[str]:
    return [str(path)] if remove_login(path, host) else []


def _credential(login: Login) -> Credential:
    return Credential(
        login.username,
        login.password,
        login.identity_token,
        login.registry_token,
        "docker's or Podman's logins",
    )


def _server(host: str) -> str:
    return HUB_SERVER if host == HUB else host


def _known(host: str) -> Registry:
    return registry_for(host)


def _user_shown(user: str) -> str:
    return "token" if user == TOKEN_USER else user
