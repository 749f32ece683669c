"""Who may log in, and what each may do with which repository."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dockdesk.sandbox.registry.repositories import Repositories

USER, PASSWORD = "demo", "demo"
WRITE_TOKEN = "dckr_pat_sandbox_write"
READ_TOKEN = "dckr_pat_sandbox_read"
ORGANISATION = "acme"

PULL, PUSH, DELETE = "pull", "push", "delete"


@dataclass(frozen=True, slots=True)
class Account:
    """A user. ``tokens`` are personal access tokens with whether they may write; ``namespaces`` are theirs to push to."""

    name: str
    password: str
    tokens: Mapping[str, bool] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who proved who they are; the empty name is anybody. ``writes`` is False for a token to read with."""

    name: str = ""
    writes: bool = False


ANYBODY = Login()


class Accounts:
    """The accounts of a registry and its rules: what others own is theirs, all other names are free."""

    def __init__(self, repositories: Repositories, accounts: Iterable[Account] = ()) -> None:
        self._repositories = repositories
        self._accounts = {account.name: account for account in accounts}
        self._reserved: set[str] = set()

    def add(self, account: Account) -> None:
        """Let somebody in; replaces an account of the same name."""
        self._accounts[account.name] = account

    def reserve(self, namespace: str) -> None:
        """A namespace that nobody here may push to."""
        self._reserved.add(namespace)

    def login(self, name: str, secret: str) -> Login | None:
        """Who it is, by password or access token; None where that is wrong."""
        account = self._accounts.get(name)
        if account is None or not secret:
            return None
        given = secret.encode()
        if hmac.compare_digest(given, account.password.encode()):
            return Login(name, True)
        for token, writes in account.tokens.items():
            if hmac.compare_digest(given, token.encode()):
                return Login(name, writes)
        return None

    def namespaces(self, name: str) -> tuple[str, ...]:
        """Where a user's repositories are: under the own name first."""
        account = self._accounts.get(name)
        return (account.name, *account.namespaces) if account is not None else ()

    def allowed(self, login: Login, repository: str) -> set[str]:
        """What somebody may do with a repository, there or not."""
        name = self._repositories.canonical(repository)
        found = self._repositories.find(name)
        namespace = name.partition("/")[0] if "/" in name else ""
        own = bool(login.name) and namespace in self.namespaces(login.name)
        foreign = namespace in self._reserved or (
            not own and any(namespace in self.namespaces(other) for other in self._accounts)
        )
        actions = set[str]()
        if own or (found is not None and not found.about.private):
            actions.add(PULL)
        if login.name and not foreign:
            actions |= {PULL, PUSH, DELETE} if login.writes else {PULL}
        return actions
