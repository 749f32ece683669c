"""Which engines are found, and which one is used, as the docker CLI sees it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dockdesk.backends.engine import contexts
from dockdesk.backends.engine.contexts import discover
from dockdesk.backends.engine.endpoints import Endpoint


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with no engine anywhere."""
    monkeypatch.setattr(contexts, "DEFAULT_SOCKET", str(tmp_path / "no" / "docker.sock"))
    monkeypatch.setattr(contexts, "ROOT_PODMAN_SOCKET", str(tmp_path / "no" / "podman.sock"))
    (tmp_path / ".docker").mkdir()
    return tmp_path


def add_context(home: Path, name: str, host: str, skip: bool = False, keys: str = "") -> Path:
    folder = hashlib.sha256(name.encode()).hexdigest()
    meta = home / ".docker/contexts/meta" / folder
    meta.mkdir(parents=True)
    docker = {"Host": host, "SkipTLSVerify": skip}
    value = {"Name": name, "Metadata": {}, "Endpoints": {"docker": docker}}
    (meta / "meta.json").write_text(json.dumps(value))
    tls = home / ".docker/contexts/tls" / folder / "docker"
    for file in keys.split():
        tls.mkdir(parents=True, exist_ok=True)
        (tls / file).write_text("pem")
    return meta / "meta.json"


def find(home: Path, **environ: str) -> dict[str, Endpoint]:
    notes: list[str] = []
    environ = {"XDG_RUNTIME_DIR": str(home / "run"), **environ}
    found = {item.name: item for item in discover(environ, home, notes.append)}
    assert sum(item.current for item in found.values()) == 1
    assert len({item.environment.id for item in found.values()}) == len(found)
    return found


def current(home: Path, **environ: str) -> Endpoint:
    return next(item for item in find(home, **environ).values() if item.current)


def test_with_nothing_set_it_is_the_default_socket(home: Path) -> None:
    endpoint = current(home)
    assert endpoint.host == f"unix://{contexts.DEFAULT_SOCKET}"
    assert endpoint.environment.id == "docker:default"
    assert endpoint.environment.kind == "docker"


def test_the_order_of_precedence(home: Path) -> None:
    add_context(home, "one", "tcp://one:2375")
    add_context(home, "two", "tcp://two:2375")
    (home / ".docker/config.json").write_text('{"currentContext": "one"}')
    assert current(home).name == "one"
    assert current(home, DOCKER_CONTEXT="two").name == "two"
    endpoint = current(home, DOCKER_CONTEXT="two", DOCKER_HOST="tcp://three:2375")
    assert endpoint.name == "default"
    assert endpoint.host == "tcp://three:2375"
    assert endpoint.environment.source == "DOCKER_HOST"


def test_a_context_that_does_not_exist_is_not_the_default_one(home: Path) -> None:
    endpoint = current(home, DOCKER_CONTEXT="gone")
    assert endpoint.name == "gone"
    assert "DOCKER_CONTEXT" in endpoint.problem
    (home / ".docker/config.json").write_text('{"currentContext": "lost"}')
    assert "config.json" in current(home).problem


def test_contexts_bring_their_keys(home: Path) -> None:
    add_context(home, "secure", "tcp://far:2376", keys="ca.pem cert.pem key.pem")
    add_context(home, "blind", "tcp://far:2376", skip=True)
    add_context(home, "plain", "tcp://far:2375")
    add_context(home, "shell", "ssh://me@far")
    found = find(home)
    tls = found["secure"].tls
    assert tls is not None
    assert tls.ca is not None
    assert tls.ca.name == "ca.pem"
    assert tls.cert is not None
    assert tls.verify
    blind = found["blind"].tls
    assert blind is not None
    assert not blind.verify
    assert found["plain"].tls is None
    assert found["shell"].tls is None
    assert found["secure"].environment.source == "context secure"


def test_tls_of_the_environment(home: Path) -> None:
    keys = home / "keys"
    keys.mkdir()
    (keys / "ca.pem").write_text("pem")
    tls = current(
        home, DOCKER_HOST="tcp://far:2376", DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH=str(keys)
    ).tls
    assert tls is not None
    assert tls.ca == keys / "ca.pem"
    assert tls.verify
    loose = current(home, DOCKER_HOST="tcp://far:2376", DOCKER_TLS="1").tls
    assert loose is not None
    assert not loose.verify
    assert current(home, DOCKER_HOST="tcp://far:2376").tls is None
    assert current(home, DOCKER_HOST="unix:///x", DOCKER_TLS_VERIFY="1").tls is None


def test_broken_files_are_told_and_hide_nothing(home: Path) -> None:
    add_context(home, "good", "tcp://far:2375")
    broken = add_context(home, "bad", "tcp://far:2375")
    broken.write_text("{")
    no_name = add_context(home, "nameless", "tcp://far:2375")
    no_name.write_text('{"Name": "", "Endpoints": {"docker": {"Host": "tcp://far:1"}}}')
    (home / ".docker/config.json").write_text("[1, 2")
    notes: list[str] = []
    found = discover({"XDG_RUNTIME_DIR": str(home)}, home, notes.append)
    assert [item.name for item in found if not item.problem] == ["default", "good"]
    assert len([item for item in found if item.problem]) == 2
    assert sum("config.json" in note for note in notes) == 1
    assert len(notes) == 3


def test_contexts_for_something_else_are_left_out(home: Path) -> None:
    file = add_context(home, "cluster", "x")
    file.write_text('{"Name": "cluster", "Metadata": {}, "Endpoints": {"kubernetes": {}}}')
    assert "cluster" not in find(home)


@pytest.mark.parametrize("host", ["gopher://x", "tcp://", "tcp://x:99999", "unix://", "ssh://:22"])
def test_an_address_that_no_engine_has_is_a_problem(home: Path, host: str) -> None:
    assert current(home, DOCKER_HOST=host).problem


def test_secrets_do_not_show_in_addresses(home: Path) -> None:
    endpoint = current(home, DOCKER_HOST="ssh://me:hunter2@far:22/run/x.sock")
    assert "hunter2" not in endpoint.environment.address
    assert endpoint.environment.address == "ssh://me@far:22/run/x.sock"
    for broken in ("gopher://me:hunter2@far", "tcp://me:hunter2@far:99999", "ssh://me:hunter2/x@"):
        endpoint = current(home, DOCKER_HOST=broken)
        assert endpoint.problem
        assert "hunter2" not in f"{endpoint.problem}{endpoint.environment.address}"


def test_sockets_that_no_context_names(home: Path) -> None:
    for path in ("run/docker.sock", "run/podman/podman.sock", ".docker/desktop/docker.sock"):
        file = home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = find(home)
    assert found["podman"].host == f"unix://{home}/run/podman/podman.sock"
    assert set(found) == {"default", "rootless docker", "docker desktop", "podman"}
    # Nobody chose, and no engine listens at the default place: one that is there is better.
    assert found["rootless docker"].current
    assert current(home, DOCKER_CONTEXT="default").name == "default"


def test_one_socket_is_listed_once(home: Path) -> None:
    (home / "run/podman").mkdir(parents=True)
    (home / "run/podman/podman.sock").touch()
    os.symlink("podman/podman.sock", home / "run/docker.sock")
    assert set(find(home)) == {"default", "rootless docker"}
    assert set(find(home, DOCKER_HOST=f"unix://{home}/run/docker.sock")) == {"default"}


def test_podmans_own_variable(home: Path) -> None:
    found = find(home, CONTAINER_HOST="ssh://core@far:22/run/podman/podman.sock")
    assert found["podman (CONTAINER_HOST)"].host.startswith("ssh://core@far")


def test_docker_config_moves_it_all(home: Path) -> None:
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    add_context(elsewhere, "there", "tcp://far:2375")
    shutil.move(elsewhere / ".docker", home / "conf")
    assert "there" in find(home, DOCKER_CONFIG=str(home / "conf"))
    assert "there" not in find(home)


def test_it_sees_what_the_docker_cli_writes(home: Path) -> None:
    if shutil.which("docker") is None:
        pytest.skip("there is no docker CLI")
    env = {"HOME": str(home), "PATH": os.environ["PATH"]}
    for name, host in (("far", "ssh://me@far"), ("near", "tcp://127.0.0.1:2375")):
        command = ["docker", "context", "create", name, "--docker", f"host={host}"]
        subprocess.run(command, env=env, check=True, capture_output=True)
    subprocess.run(["docker", "context", "use", "near"], env=env, check=True, capture_output=True)
    found = find(home)
    assert found["far"].host == "ssh://me@far"
    assert found["near"].current
