"""The user's logins: found where they are, kept where the user chooses, and gone everywhere after logging out."""

from __future__ import annotations

import base64
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import chainer, fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError

from dockdesk.backends.secrets.accounts import AccountStore
from dockdesk.backends.secrets.keyrings import KeyringStore
from dockdesk.core.errors import DockDeskError, InvalidInputError, LocalError
from dockdesk.core.resources.registries import (
    DOCKER_FILE,
    DOCKER_HELPER,
    DOCKER_HUB,
    HUB_REGISTRY,
    KEYRING,
    PODMAN,
    SESSION,
    Credential,
    Registry,
)

SECRET = "planted-hunter2-secret"
GHCR = Registry("ghcr.io")
ANN = Credential("ann", SECRET)

# A credential helper that keeps its logins in a file, as `pass` and others do in theirs.
HELPER = """#!/usr/bin/env python3
import json, pathlib, sys
file = pathlib.Path(__file__).parent / "kept.json"
kept = json.loads(file.read_text()) if file.exists() else {}
given = sys.stdin.read()
with open(pathlib.Path(__file__).parent / "argv", "a") as log:
    log.write(" ".join(sys.argv) + "\\n")
action = sys.argv[1]
if action == "store":
    value = json.loads(given)
    kept[value["ServerURL"]] = [value["Username"], value["Secret"]]
elif action == "list":
    print(json.dumps({server: value[0] for server, value in kept.items()}))
elif given not in kept:
    print("credentials not found in native keychain")
    sys.exit(1)
elif action == "get":
    print(json.dumps({"Username": kept[given][0], "Secret": kept[given][1]}))
elif action == "erase":
    del kept[given]
file.write_text(json.dumps(kept))
"""


class Memory(KeyringBackend):
    """A keyring like any other, in memory."""

    name = "Memory Keyring"
    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise PasswordSetError(f"could not keep {password}")
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        try:
            del self.kept[service, username]
        except KeyError:
            raise PasswordDeleteError("not there") from None


class Home:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.docker = folder / ".docker" / "config.json"
        self.podman = Path(os.environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"
        self.programs = folder / "programs"
        self.programs.mkdir()

    def write(self, path: Path, **values: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def helper(self, name: str = "test") -> None:
        program = self.programs / f"docker-credential-{name}"
        program.write_text(HELPER)
        program.chmod(0o755)

    @property
    def config(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.docker.read_text())
        return value

    def everything(self) -> str:
        """All files there are, but those of the helper, which is where the secret belongs."""
        return " ".join(
            path.read_text(errors="replace")
            for path in self.folder.rglob("*")
            if path.is_file() and path.name != "kept.json"
        )


@pytest.fixture
def home(isolated_user: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(isolated_user)
    monkeypatch.setenv("PATH", f"{made.programs}:{os.environ['PATH']}")
    return made


@pytest.fixture
def keyring() -> Memory:
    return Memory()


@pytest.fixture
def store(home: Home, keyring: Memory) -> AccountStore:
    return AccountStore(keyring=KeyringStore(keyring))


def found(store: AccountStore, registry: Registry = GHCR) -> tuple[str, str]:
    credential, problem = store.credential(registry)
    assert problem == ""
    return (credential.username, credential.secret) if credential is not None else ("", "")


def auth(user: str, secret: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}


def test_what_exists_is_used(home: Home, store: AccountStore) -> None:
    home.write(
        home.docker, auths={"ghcr.io": auth("docker"), "https://index.docker.io/v1/": auth("h")}
    )
    home.write(home.podman, auths={"quay.io": auth("podman")})
    assert found(store) == ("docker", SECRET)
    assert found(store, HUB_REGISTRY) == ("h", SECRET)
    assert found(store, Registry("quay.io")) == ("podman", SECRET)
    listed = {(item.host, item.username, item.place) for item in store.accounts()}
    assert listed == {
        ("ghcr.io", "docker", DOCKER_FILE),
        ("docker.io", "h", DOCKER_FILE),
        ("quay.io", "podman", PODMAN),
    }
    assert (
        next(item for item in store.accounts() if item.host == "docker.io").registry == HUB_REGISTRY
    )


def test_a_login_in_the_keyring(home: Home, store: AccountStore, keyring: Memory) -> None:
    home.write(home.docker, auths={"ghcr.io": auth("old", "old")})
    registry = Registry("ghcr.io", title="GitHub", ca_file="/ca.pem")
    place = store.keep(registry, ANN, KEYRING)
    assert (place.place, place.safe) == (KEYRING, True)
    # What was given to DockDesk itself was given since what exists did not do.
    assert found(store) == ("ann", SECRET)
    again = AccountStore(keyring=KeyringStore(keyring))
    assert found(again) == ("ann", SECRET)
    header, problem = again.registry_auth("ghcr.io/acme/api:1")
    assert (json.loads(base64.urlsafe_b64decode(header))["password"], problem) == (SECRET, "")
    assert again.registry_auth("quay.io/x")[0] == "e30="
    own = next(item for item in again.accounts() if item.place == KEYRING)
    assert (own.registry, own.username) == (registry, "ann")
    assert SECRET not in home.everything()
    assert SECRET not in repr(again.accounts())


def test_a_kept_login_is_replaced_whole(store: AccountStore, keyring: Memory) -> None:
    store.keep(GHCR, ANN, KEYRING)
    store.keep(GHCR, Credential("bob", identity_token="idt"), KEYRING)
    credential, _ = store.credential(GHCR)
    assert credential is not None
    assert (credential.username, credential.secret, credential.identity_token) == ("bob", "", "idt")
    assert SECRET not in str(keyring.kept)
    assert len([item for item in store.accounts() if item.host == "ghcr.io"]) == 1


@pytest.mark.parametrize("none", [fail.Keyring, null.Keyring])
def test_without_a_keyring_it_is_kept_for_the_session(
    home: Home, none: type[KeyringBackend]
) -> None:
    store = AccountStore(keyring=KeyringStore(none()))
    places = store.places(GHCR)
    assert [item.place for item in places] == [SESSION, DOCKER_FILE]
    assert "no keyring" in places[0].note
    assert (places[1].safe, "encoded" in places[1].note) == (False, True)
    with pytest.raises(LocalError):
        store.keep(GHCR, ANN, KEYRING)
    store.keep(GHCR, ANN, SESSION)
    assert found(store) == ("ann", SECRET)
    assert [item.place for item in store.accounts()] == [SESSION]
    assert SECRET not in home.everything()
    assert found(AccountStore(keyring=KeyringStore(none()))) == ("", "")


def test_the_keyring_of_the_system_is_asked(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests get one that always fails: as a system without one.
    assert KeyringStore().source() == ""
    memory = Memory()
    monkeypatch.setattr("keyring.get_keyring", lambda: memory)
    assert KeyringStore().source() == "the keyring (Memory)"

    class Chain(chainer.ChainerBackend):
        backends = (null.Keyring(), memory)

    assert KeyringStore(Chain()).backend() is memory

    class Plain(Memory):
        pass

    Plain.__module__ = "keyrings.alt.file"
    assert KeyringStore(Plain()).backend() is None


def test_a_locked_keyring_is_told(home: Home, store: AccountStore, keyring: Memory) -> None:
    home.write(home.docker, auths={"ghcr.io": auth("docker")})
    keyring.locked = True
    assert found(store) == ("docker", SECRET)
    credential, problem = store.credential(Registry("quay.io"))
    assert credential is None
    assert "keyring" in problem
    with pytest.raises(LocalError) as caught:
        store.keep(GHCR, ANN, KEYRING)
    assert SECRET not in f"{caught.value!r} {caught.value.detail} {caught.value.__cause__!r}"


def test_a_login_for_the_docker_cli(home: Home, store: AccountStore) -> None:
    home.write(
        home.docker, auths={"other.example": auth("o")}, currentContext="mine", detachKeys="x"
    )
    home.docker.chmod(0o644)
    place = store.keep(GHCR, ANN, DOCKER_FILE)
    assert (place.source, place.safe) == (str(home.docker), False)
    assert home.config == {
        "auths": {"other.example": auth("o"), "ghcr.io": auth("ann")},
        "currentContext": "mine",
        "detachKeys": "x",
    }
    assert home.docker.stat().st_mode & 0o777 == 0o600
    store.keep(HUB_REGISTRY, Credential("ann", identity_token="idt"), DOCKER_FILE)
    entry = home.config["auths"]["https://index.docker.io/v1/"]
    assert entry["identitytoken"] == "idt"
    assert base64.b64decode(entry["auth"]) == b"ann:"
    assert found(store) == ("ann", SECRET)


def test_a_damaged_file_is_left_alone(home: Home, store: AccountStore) -> None:
    home.docker.parent.mkdir()
    home.docker.write_text(f"not JSON {SECRET}")
    for place in (DOCKER_FILE, KEYRING):
        with pytest.raises(DockDeskError) as caught:
            store.keep(GHCR, ANN, place)
        assert SECRET not in f"{caught.value.detail}{caught.value.__cause__!r}"
    assert home.docker.read_text() == f"not JSON {SECRET}"


def test_a_login_for_a_helper(home: Home, store: AccountStore) -> None:
    home.helper()
    home.write(home.docker, credsStore="test")
    assert [item.place for item in store.places(GHCR)] == [KEYRING, SESSION, DOCKER_HELPER]
    store.keep(GHCR, ANN, KEYRING)
    place = store.keep(GHCR, Credential("bob", SECRET), DOCKER_HELPER)
    assert place.source == "docker-credential-test"
    # It is in one place: DockDesk's own older one would hide it.
    assert found(store) == ("bob", SECRET)
    assert home.config == {"credsStore": "test", "auths": {"ghcr.io": {}}}
    assert [(item.username, item.place) for item in store.accounts()] == [("bob", DOCKER_HELPER)]
    assert SECRET not in home.everything()
    argv = (home.programs / "argv").read_text()
    assert "store" in argv
    assert SECRET not in argv
    store.keep(Registry("a.example"), Credential("t", identity_token="idt"), DOCKER_HELPER)
    credential, _ = store.credential(Registry("a.example"))
    assert credential is not None
    assert credential.identity_token == "idt"


def test_logging_out_removes_it_everywhere(
    home: Home, store: AccountStore, keyring: Memory
) -> None:
    home.helper()
    home.write(
        home.docker,
        credsStore="test",
        auths={"https://ghcr.io/v2/": auth("old"), "quay.io": auth("q")},
    )
    home.write(home.podman, auths={"ghcr.io": auth("podman"), "quay.io": auth("q")})
    store.keep(GHCR, ANN, DOCKER_HELPER)
    store.keep(GHCR, ANN, KEYRING)
    gone = store.log_out(GHCR)
    assert gone == [
        "the keyring (Memory)",
        "docker-credential-test",
        str(home.docker),
        str(home.podman),
    ]
    assert found(store) == ("", "")
    assert found(store, Registry("quay.io")) == ("q", SECRET)
    assert SECRET not in str(keyring.kept)
    assert json.loads((home.programs / "kept.json").read_text()) == {}
    assert store.log_out(GHCR) == []


def test_what_could_not_be_removed_is_told(home: Home, store: AccountStore) -> None:
    home.write(home.docker, credHelpers={"ghcr.io": "absent"})
    home.write(home.podman, auths={"ghcr.io": auth("podman")})
    store.keep(GHCR, ANN, SESSION)
    with pytest.raises(LocalError) as caught:
        store.log_out(GHCR)
    assert "docker-credential-absent is not installed" in caught.value.detail
    assert "this session" in caught.value.detail
    assert json.loads(home.podman.read_text())["auths"] == {}


def test_a_login_without_a_secret_is_refused(store: AccountStore) -> None:
    with pytest.raises(InvalidInputError) as caught:
        store.keep(GHCR, Credential("ann"), KEYRING)
    assert caught.value.field == "secret"


def test_a_registry_comes_back_as_it_was(store: AccountStore) -> None:
    local = Registry("localhost:5000", plain_http=True)
    hub = Registry(
        "127.0.0.1:1", DOCKER_HUB, "Demo", False, "", "http://127.0.0.1:1", "http://127.0.0.1:2"
    )
    for registry in (local, hub):
        store.keep(registry, ANN, KEYRING)
    assert {item.registry for item in store.accounts()} == {local, hub}


def test_secrets_are_not_logged(
    home: Home, store: AccountStore, keyring: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    program = home.programs / "docker-credential-loud"
    program.write_text("#!/bin/sh\ncat\nexit 1\n")
    program.chmod(0o755)
    home.write(home.docker, credsStore="loud")
    with pytest.raises(LocalError) as caught:
        store.keep(GHCR, ANN, DOCKER_HELPER)
    keyring.locked = True
    store.accounts()
    store.registry_auth("ghcr.io/x")
    assert SECRET not in f"{caught.value!r}{caught.value.detail}{caplog.text}"
