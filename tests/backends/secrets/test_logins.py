"""Logins are found where the docker CLI and Podman keep them, and never told to anybody but the engine."""

from __future__ import annotations

import base64
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import pytest

from dockdesk.backends.secrets.authfiles import (
    Login,
    config_paths,
    keys_for,
    normalised,
    read_auth_file,
)
from dockdesk.backends.secrets.helpers import HelperError, Stored, ask_helper
from dockdesk.backends.secrets.logins import RegistryLogins, encoded

SECRET = "hunter2:with:colons"


def basic(user: str, password: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def decoded(header: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(header))
    return value


class Home:
    """A user's files, and programs on the path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "programs"
        self.programs.mkdir(exist_ok=True)

    def docker(self, **values: Any) -> None:
        self._write(self.folder / ".docker" / "config.json", values)

    def podman(self, **values: Any) -> None:
        self._write(Path(os.environ["XDG_RUNTIME_DIR"]) / "containers" / "auth.json", values)

    def helper(self, name: str, script: str) -> None:
        program = self.programs / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def _write(self, path: Path, values: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


@pytest.fixture
def home(isolated_user: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(isolated_user)
    monkeypatch.setenv("PATH", f"{made.programs}:{os.environ['PATH']}")
    return made


def header_for(reference: str, **options: Any) -> tuple[dict[str, Any], str]:
    header, problem = RegistryLogins(**options).registry_auth(reference)
    return decoded(header), problem


def test_nobody_is_logged_in(home: Home) -> None:
    assert header_for("nginx") == ({}, "")


def test_a_login_in_the_file(home: Home) -> None:
    home.docker(auths={"ghcr.io": basic("ann"), "https://index.docker.io/v1/": basic("hub")})
    assert header_for("ghcr.io/acme/api:2") == (
        {"username": "ann", "password": SECRET, "serveraddress": "ghcr.io"},
        "",
    )
    found, _ = header_for("nginx")
    assert found["username"] == "hub"
    assert found["serveraddress"] == "https://index.docker.io/v1/"
    assert header_for("quay.io/x") == ({}, "")


@pytest.mark.parametrize(
    "key",
    ["localhost:5000", "http://localhost:5000", "https://localhost:5000/v2/", "localhost:5000/"],
)
def test_old_keys(home: Home, key: str) -> None:
    home.docker(auths={key: basic("ann")})
    assert header_for("localhost:5000/a")[0]["username"] == "ann"


def test_tokens(home: Home) -> None:
    home.docker(auths={"a.example": {"identitytoken": "idt"}, "b.example": {"registrytoken": "rt"}})
    assert header_for("a.example/x")[0] == {"identitytoken": "idt", "serveraddress": "a.example"}
    assert header_for("b.example/x")[0] == {"registrytoken": "rt", "serveraddress": "b.example"}


def test_podmans_namespaces(home: Home) -> None:
    home.podman(
        auths={
            "quay.io": basic("all"),
            "quay.io/acme": basic("acme"),
            "quay.io/acme/api": basic("api"),
        }
    )
    assert header_for("quay.io/acme/api:1")[0]["username"] == "api"
    assert header_for("quay.io/acme/web:1")[0]["username"] == "acme"
    assert header_for("quay.io/other/x")[0]["username"] == "all"
    assert header_for("quay.io/acmeish/x")[0]["username"] == "all"


def test_whose_file_comes_first(home: Home) -> None:
    home.docker(auths={"quay.io": basic("docker")})
    home.podman(auths={"quay.io": basic("podman")})
    assert header_for("quay.io/x")[0]["username"] == "docker"
    assert header_for("quay.io/x", podman_first=True)[0]["username"] == "podman"


def test_where_the_files_are(tmp_path: Path) -> None:
    docker, podman = config_paths(
        {
            "HOME": "/h",
            "DOCKER_CONFIG": "/d",
            "REGISTRY_AUTH_FILE": "/r",
            "XDG_RUNTIME_DIR": "/run/u",
        }
    )
    assert docker == Path("/d/config.json")
    assert podman == [
        Path("/r"),
        Path("/run/u/containers/auth.json"),
        Path("/h/.config/containers/auth.json"),
    ]
    assert config_paths({"HOME": "/h"})[0] == Path("/h/.docker/config.json")


def test_a_helper_for_one_registry(home: Home) -> None:
    home.helper(
        "one", 'read server; echo "{\\"Username\\": \\"u\\", \\"Secret\\": \\"s-$server\\"}"'
    )
    home.helper("all", "echo must not be asked >&2; exit 3")
    home.docker(credHelpers={"ghcr.io": "one"}, credsStore="all")
    assert header_for("ghcr.io/a/b")[0] == {
        "username": "u",
        "password": "s-ghcr.io",
        "serveraddress": "ghcr.io",
    }


def test_a_store_for_all(home: Home) -> None:
    home.helper(
        "store", 'read server; echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"$server\\"}"'
    )
    home.docker(credsStore="store", auths={"https://index.docker.io/v1/": {}})
    assert header_for("nginx")[0] == {
        "identitytoken": "https://index.docker.io/v1/",
        "serveraddress": "https://index.docker.io/v1/",
    }


def test_a_store_that_has_none_is_no_problem(home: Home) -> None:
    home.helper("store", "echo credentials not found in native keychain; exit 1")
    home.docker(credsStore="store")
    assert header_for("nginx") == ({}, "")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo keyring is locked; exit 1", "keyring is locked"),
        ("exit 7", "exit code 7"),
        ("echo nonsense", "not understood"),
        ('echo "{\\"Username\\": 1, \\"Secret\\": 2}"', "not understood"),
        (None, "not installed"),
    ],
)
def test_a_broken_helper_is_told_but_stops_nothing(
    home: Home, script: str | None, problem: str
) -> None:
    if script is not None:
        home.helper("broken", script)
    home.docker(credsStore="broken")
    home.podman(auths={"quay.io": basic("podman")})
    header, said = header_for("nginx")
    assert header == {}
    assert problem in said
    assert header_for("quay.io/x")[0]["username"] == "podman"


def test_a_helper_that_hangs_is_ended_with_all_it_started(home: Home) -> None:
    pid_file = home.folder / "pid"
    home.helper("slow", f"sleep 600 & echo $! > {pid_file}; wait")
    began = time.monotonic()
    with pytest.raises(HelperError, match="no answer"):
        ask_helper("slow", "x", timeout=1.0)
    assert time.monotonic() - began < 60
    pid = int(pid_file.read_text())
    for _ in range(1000):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.01)
    else:
        pytest.fail("what the helper started still runs")


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "-x", "a b"])
def test_a_helper_is_a_name_and_no_path(home: Home, name: str) -> None:
    with pytest.raises(HelperError, match="not the name"):
        ask_helper(name, "x")


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "null"])
def test_a_broken_file_is_told(home: Home, content: str) -> None:
    path = home.folder / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_text(content)
    header, problem = header_for("nginx")
    assert header == {}
    assert str(path) in problem


def test_a_damaged_login_is_told(home: Home) -> None:
    home.docker(auths={"ghcr.io": {"auth": "%%%"}, "quay.io": {"auth": "bm9jb2xvbg=="}})
    assert "docker login" in header_for("ghcr.io/x")[1]
    assert "docker login" in header_for("quay.io/x")[1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(home: Home) -> None:
    home.docker()
    path = home.folder / ".docker" / "config.json"
    path.chmod(0)
    assert "can't be read" in header_for("nginx")[1]


def test_odd_files_hold_nothing(home: Home) -> None:
    home.docker(auths={"ghcr.io": "x", "quay.io": {"auth": 5}}, credHelpers=[1], credsStore=7)
    assert header_for("ghcr.io/x") == ({}, "")
    assert header_for("quay.io/x") == ({}, "")


def test_a_reference_that_is_none(home: Home) -> None:
    header, problem = header_for("a b")
    assert header == {}
    assert problem


def test_secrets_are_in_no_log_and_no_text(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    home.helper("leaky", f'echo \'{{"Username": "u", "Secret": "{SECRET}"}} trailing\'')
    home.helper("good", f'echo \'{{"Username": "u", "Secret": "{SECRET}"}}\'')
    home.docker(
        auths={"ghcr.io": basic("ann")}, credHelpers={"a.example": "leaky", "b.example": "good"}
    )
    with caplog.at_level(logging.DEBUG, logger="dockdesk"):
        login, _ = RegistryLogins().find("ghcr.io/x")
        other, _ = RegistryLogins().find("b.example/x")
        _, problem = RegistryLogins().registry_auth("a.example/x")
    assert login is not None
    assert other is not None
    assert login.password == other.password == SECRET
    file = read_auth_file(home.folder / ".docker" / "config.json")
    texts = [
        repr(login),
        str(login),
        repr(other),
        repr(Stored("u", SECRET)),
        repr(file),
        problem,
        caplog.text,
    ]
    for text in texts:
        assert SECRET not in text
        assert basic("ann")["auth"] not in text


def test_no_secret_in_the_causes_of_a_failure(home: Home) -> None:
    home.helper("leaky", f'echo \'{{"Secret": "{SECRET}"\'')
    with pytest.raises(HelperError) as caught:
        ask_helper("leaky", "x")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_headers_are_safe_in_urls_and_lines() -> None:
    header = encoded(Login("x", "ü" * 50, "?>" * 50))
    assert "+" not in header
    assert "/" not in header
    assert "\n" not in header
    assert decoded(header)["username"] == "ü" * 50
    assert decoded(encoded(None)) == {}


def test_keys() -> None:
    assert normalised("https://index.docker.io/v1/") == "docker.io"
    assert normalised("registry-1.docker.io") == "docker.io"
    assert normalised("https://ghcr.io") == "ghcr.io"
    assert normalised("quay.io/acme") == "quay.io/acme"
    assert keys_for("quay.io/a/b") == ["quay.io/a/b", "quay.io/a", "quay.io"]
