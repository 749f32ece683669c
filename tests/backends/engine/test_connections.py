"""Ways to an engine, and what is said where there is none."""

from __future__ import annotations

import contextlib
import grp
import os
import shutil
import socket
import ssl
import sys
import textwrap
import threading
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockdesk.backends.engine import tunnel
from dockdesk.backends.engine.backend import connect
from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.connections import transport_for
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.backends.engine.endpoints import Endpoint, TlsFiles
from dockdesk.backends.engine.errors import connection_error
from dockdesk.core.errors import (
    CancelledError,
    DockDeskError,
    InvalidInputError,
    LocalError,
    PermissionDeniedError,
    UnreachableError,
)
from dockdesk.core.reactor import Reactor
from dockdesk.core.work import SilentWork
from tests.backends.engine.servers import (
    CancellableWork,
    Visit,
    tcp_server,
    unix_server,
)
from tests.certificates import Authority
from tests.engines import free_port, wait_for
from tests.sinks import Recorder


def refusal(target: Endpoint) -> DockDeskError:
    with pytest.raises(DockDeskError) as caught:
        EngineClient.connect(target)
    assert caught.value.hint, "the user must learn what to do"
    return caught.value


def at(host: str) -> Endpoint:
    return endpoint("test", host, "a test")


# --- unix sockets ---


def test_no_socket(tmp_path: Path) -> None:
    error = refusal(at(f"unix://{tmp_path}/none.sock"))
    assert isinstance(error, UnreachableError)
    assert f"{tmp_path}/none.sock" in error.detail


def test_a_socket_that_nobody_listens_at(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "e.sock"))
    error = refusal(at(f"unix://{tmp_path}/e.sock"))
    assert isinstance(error, UnreachableError)
    assert "refuses" in error.title


def test_hints_name_what_would_start_the_engine() -> None:
    def hint(host: str) -> str:
        return connection_error(at(host), FileNotFoundError(2, "No such file")).hint

    assert "systemctl start docker" in hint("unix:///var/run/docker.sock")
    assert "systemctl --user start podman.socket" in hint(
        "unix:///run/user/1000/podman/podman.sock"
    )
    assert "systemctl start podman.socket" in hint("unix:///run/podman/podman.sock")


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """As a user who is not root, where the test runs as root."""
    if os.geteuid() != 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([])
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setgroups(groups)


@pytest.fixture
def closed_socket(tmp_path: Path) -> Iterator[Endpoint]:
    """A listening socket that only its owner may open."""
    folder = Path("/tmp") / f"ddt-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / "e.sock"))
        sock.listen()
        (folder / "e.sock").chmod(0o000)
        yield at(f"unix://{folder}/e.sock")
    shutil.rmtree(folder)


def test_a_socket_without_permission_says_how_to_get_it(
    closed_socket: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = types.SimpleNamespace(gr_name="docker", gr_mem=[])
    monkeypatch.setattr(grp, "getgrgid", lambda number: group)
    monkeypatch.setenv("LOGNAME", "ada")
    with unprivileged():
        error = refusal(closed_socket)
    assert isinstance(error, PermissionDeniedError)
    assert "sudo usermod -aG docker $USER" in error.hint
    assert "log out" in error.hint
    assert "docker" in error.detail
    group.gr_mem = ["ada"]
    with unprivileged():
        assert "not yet in this session" in refusal(closed_socket).hint
    group.gr_name = "root"
    with unprivileged():
        assert "groupadd docker" in refusal(closed_socket).hint


def test_a_folder_without_permission(closed_socket: Endpoint) -> None:
    folder = Path(closed_socket.host.removeprefix("unix://")).parent
    folder.chmod(0o000)
    with unprivileged():
        error = refusal(closed_socket)
    folder.chmod(0o755)
    assert isinstance(error, PermissionDeniedError)


def test_plain_requests_tell_the_same(tmp_path: Path) -> None:
    """The SDK's way to the engine ends in the same words as DockDesk's own."""
    with unix_server(tmp_path) as (server, target):
        client = EngineClient.connect(target)
        server.close()
        for ask in (client.get, client.post):
            with pytest.raises(UnreachableError, match="refuses") as caught:
                ask("/info")
            assert caught.value.hint
        (tmp_path / "e.sock").unlink()
        for ask in (client.get, client.post):
            with pytest.raises(UnreachableError, match="No engine listens"):
                ask("/info")
        client.close()


# --- TCP ---


def test_tcp(tmp_path: Path) -> None:
    with tcp_server(lambda visit: visit.answer(200, {"host": visit.headers["host"]})) as (
        _,
        target,
    ):
        client = EngineClient.connect(target)
        place = target.host.removeprefix("tcp://")
        assert client.get("/info") == {"host": place}
        with client.stream("GET", "/info") as answer:
            assert next(answer.json_lines()) == {"host": place}
        client.close()


def test_a_port_that_nobody_listens_at() -> None:
    error = refusal(at(f"tcp://127.0.0.1:{free_port()}"))
    assert isinstance(error, UnreachableError)
    assert "refuses" in error.title


def test_a_host_that_does_not_exist() -> None:
    error = refusal(at("tcp://host.invalid:2375"))
    assert isinstance(error, UnreachableError)
    assert "host.invalid" in error.detail


def test_something_else_listens_there() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.sendall(b"220 mail.example ESMTP\r\n")
            sock.recv(1000)

    thread = threading.Thread(target=greet, name="fixture-mail")
    thread.start()
    error = refusal(at(f"tcp://127.0.0.1:{listener.getsockname()[1]}"))
    assert "no container engine" in error.title
    thread.join(30)
    listener.close()


@pytest.mark.parametrize("host", ["gopher://x", "unix://", "tcp://"])
def test_addresses_that_cannot_be(host: str) -> None:
    with pytest.raises(InvalidInputError):
        EngineClient.connect(at(host))


@pytest.fixture
def full_backlog() -> Iterator[str]:
    """The address of a server that lets nobody in: connecting to it hangs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting: list[socket.socket] = []
    for _ in range(8):
        sock = socket.socket()
        sock.settimeout(0.3)
        waiting.append(sock)
        try:
            sock.connect(listener.getsockname())
        except TimeoutError:
            break
    else:
        pytest.skip("this kernel lets everybody in")
    yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    for sock in waiting:
        sock.close()
    listener.close()


def test_connecting_can_be_cancelled(full_backlog: str, reactor: Reactor) -> None:
    work = CancellableWork()
    timer = threading.Timer(0.2, work.cancel)
    timer.start()
    begun = time.monotonic()
    with pytest.raises(CancelledError):
        connect(at(full_backlog), reactor, work)
    # Long before the connection would have timed out.
    assert time.monotonic() - begun < 9
    timer.join()


def test_waiting_for_a_name_server_can_be_cancelled(
    monkeypatch: pytest.MonkeyPatch, reactor: Reactor
) -> None:
    go_on = threading.Event()
    real = socket.getaddrinfo

    def silent(host: str, *rest: object, **more: object) -> object:
        if more.get("flags"):
            return real(host, *rest, **more)  # type: ignore[arg-type]
        go_on.wait(60)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    work = CancellableWork()
    timer = threading.Timer(0.2, work.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        connect(at("tcp://engine.example:2375"), reactor, work)
    assert not go_on.is_set()
    go_on.set()
    timer.join()


def test_connecting_takes_only_so_long(full_backlog: str) -> None:
    with pytest.raises(UnreachableError, match="does not answer"):
        transport_for(at(full_backlog)).open(SilentWork(), timeout=0.3)


def test_waiting_for_the_engine_can_be_cancelled(tmp_path: Path, reactor: Reactor) -> None:
    listener = socket.create_server(("127.0.0.1", 0))  # takes connections and never says a word
    work = CancellableWork()
    timer = threading.Timer(0.2, work.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        connect(at(f"tcp://127.0.0.1:{listener.getsockname()[1]}"), reactor, work)
    timer.join()
    listener.close()


def test_a_tls_handshake_can_be_cancelled(tls: Tls, reactor: Reactor) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    work = CancellableWork()
    timer = threading.Timer(0.2, work.cancel)
    timer.start()
    target = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    begun = time.monotonic()
    with pytest.raises(CancelledError):
        connect(endpoint("test", target, "a test", tls.files), reactor, work)
    assert time.monotonic() - begun < 9
    timer.join()
    listener.close()


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with tcp_server(lambda visit: visit.answer(200, {"ok": True})) as (_, target):
        client = EngineClient.connect(target)
        assert client.get("/info") == {"ok": True}
        client.close()


# --- TLS ---


class Tls:
    """An authority, a server that wants client certificates, and the files of a client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder)
        cert, key = self.authority.issue(folder / "client", client=True)
        self.files = TlsFiles(self.authority.certificate, cert, key)

    def server(self, *hosts: str, expired: bool = False) -> ssl.SSLContext:
        cert, key = self.authority.issue(self.folder / "server", *hosts, expired=expired)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.load_verify_locations(self.authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


def tls_refusal(context: ssl.SSLContext | None, files: TlsFiles | None) -> DockDeskError:
    with tcp_server(context=context, tls=files) as (_, target):
        return refusal(target)


def test_tls_both_ways(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    # A bundle of the environment must not replace the context's own authority.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    context = tls.server("127.0.0.1")
    with tcp_server(lambda visit: visit.answer(200, {"ok": 1}), context, tls.files) as (_, target):
        client = EngineClient.connect(target)
        assert client.get("/info") == {"ok": 1}
        with client.stream("GET", "/info") as answer:
            assert next(answer.json_lines()) == {"ok": 1}
        client.close()


def test_tls_without_checks(tls: Tls) -> None:
    files = TlsFiles(None, tls.files.cert, tls.files.key, verify=False)
    context = tls.server("elsewhere.example")
    with tcp_server(lambda visit: visit.answer(200, {"ok": 1}), context, files) as (_, target):
        client = EngineClient.connect(target)
        assert client.get("/info") == {"ok": 1}
        client.close()


def test_streams_over_tls(tls: Tls, reactor: Reactor) -> None:
    """Frames larger than a TLS record, then silence: nothing may be left in TLS's own buffer."""
    line = b"x" * 100_000 + b"\n"

    def handler(visit: Visit) -> None:
        if visit.target.endswith("/json"):
            visit.answer(200, {"Config": {"Tty": False}})
            return
        visit.begin_chunks("application/octet-stream")
        visit.chunk(b"\x01\0\0\0" + len(line).to_bytes(4, "big") + line)
        visit.wait_for_hang_up()

    from dockdesk.core.ports import LogQuery

    with tcp_server(handler, tls.server("127.0.0.1"), tls.files) as (_, target):
        backend = connect(target, reactor)
        sink = Recorder()
        stream = backend.logs("x", LogQuery(), sink)
        sink.wait(lambda: len(sink.data) == len(line))
        stream.close()
        backend.close()


def test_tls_of_an_unknown_authority(tls: Tls, tmp_path: Path) -> None:
    other = Authority(tmp_path, "Another CA")
    files = TlsFiles(other.certificate, tls.files.cert, tls.files.key)
    error = tls_refusal(tls.server("127.0.0.1"), files)
    assert isinstance(error, UnreachableError)
    assert "ca.pem" in error.hint


def test_tls_for_another_name(tls: Tls) -> None:
    error = tls_refusal(tls.server("elsewhere.example"), tls.files)
    assert "another name" in error.hint


def test_tls_out_of_date(tls: Tls) -> None:
    assert "out of date" in tls_refusal(tls.server("127.0.0.1", expired=True), tls.files).hint


def test_tls_without_a_client_certificate(tls: Tls) -> None:
    error = tls_refusal(tls.server("127.0.0.1"), TlsFiles(tls.files.ca))
    assert isinstance(error, PermissionDeniedError)
    assert "cert.pem" in error.hint


def test_tls_with_another_authoritys_client_certificate(tls: Tls, tmp_path: Path) -> None:
    cert, key = Authority(tmp_path, "Another CA").issue(tmp_path / "client", client=True)
    error = tls_refusal(tls.server("127.0.0.1"), TlsFiles(tls.files.ca, cert, key))
    assert isinstance(error, PermissionDeniedError)


def test_tls_where_there_is_none(tls: Tls) -> None:
    assert "no TLS" in tls_refusal(None, tls.files).hint


def test_no_tls_where_there_is_some(tls: Tls) -> None:
    assert isinstance(tls_refusal(tls.server("127.0.0.1"), None), UnreachableError)


def test_key_files_that_are_missing_or_damaged(tls: Tls, tmp_path: Path) -> None:
    gone = tls_refusal(None, TlsFiles(tmp_path / "ca.pem"))
    assert isinstance(gone, LocalError)
    assert "ca.pem" in gone.detail
    (tmp_path / "ca.pem").write_text("no certificate")
    assert isinstance(tls_refusal(None, TlsFiles(tmp_path / "ca.pem")), LocalError)
    assert isinstance(tls_refusal(None, TlsFiles(tls.files.ca, tls.files.cert)), InvalidInputError)
    _, other_key = tls.authority.issue(tmp_path / "other", client=True)
    assert isinstance(
        tls_refusal(None, TlsFiles(tls.files.ca, tls.files.cert, other_key)), LocalError
    )


# --- ssh ---

FAKE_SSH = '''\
#!{python}
"""Stands in for ssh -N -L LOCAL:REMOTE: forwards to a local socket, or fails as FAKE_SSH says."""
import os, socket, sys, threading
arguments = sys.argv[1:]
with open(os.environ["FAKE_SSH_LOG"], "a") as log:
    log.write(" ".join(arguments) + "\\n")
if says := os.environ.get("FAKE_SSH"):
    sys.exit(says)
if os.environ.get("FAKE_SSH_HANGS"):
    threading.Event().wait()
local, remote = arguments[arguments.index("-L") + 1].split(":")
def pump(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)
def serve(near):
    far = socket.socket(socket.AF_UNIX)
    try:
        far.connect(remote)
    except OSError:
        print("channel 2: open failed: connect failed: open failed", file=sys.stderr, flush=True)
        near.close()
        return
    threading.Thread(target=pump, args=(near, far), daemon=True).start()
    try:
        pump(far, near)
    except OSError:
        pass
    near.close(), far.close()
listener = socket.socket(socket.AF_UNIX)
listener.bind(local)
listener.listen()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
'''


@pytest.fixture
def fake_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """An ssh on the PATH that forwards on this computer; returns the command lines it was run with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(textwrap.dedent(FAKE_SSH).replace("{python}", sys.executable, 1))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_SSH_LOG", str(tmp_path / "ssh.log"))

    def lines() -> list[str]:
        return (tmp_path / "ssh.log").read_text().splitlines()

    return lines


def test_one_ssh_carries_every_request(tmp_path: Path, fake_ssh: Callable[[], list[str]]) -> None:
    with unix_server(tmp_path, lambda visit: visit.answer(200, {"ok": 1})) as (_, target):
        path = target.host.removeprefix("unix://")
        client = EngineClient.connect(at(f"ssh://me@far:2222{path}"))
        for _ in range(5):
            assert client.get("/info") == {"ok": 1}
            with client.stream("GET", "/info") as answer:
                answer.read()
        client.close()
    (line,) = fake_ssh()
    assert line.endswith("-l me -p 2222 -- far")
    assert f":{path} " in line
    assert "BatchMode=yes" in line


def test_a_tunnel_that_ends_is_opened_again(
    tmp_path: Path, fake_ssh: Callable[[], list[str]]
) -> None:
    with unix_server(tmp_path, lambda visit: visit.answer(200, {"ok": 1})) as (_, target):
        path = target.host.removeprefix("unix://")
        client = EngineClient.connect(at(f"ssh://far{path}"))
        process = client._transport._tunnel._process  # type: ignore[attr-defined]
        process.kill()
        process.wait()
        assert client.get("/info") == {"ok": 1}
        client.close()
    assert len(fake_ssh()) == 2


def test_closing_ends_ssh_and_removes_the_socket(
    tmp_path: Path, fake_ssh: Callable[[], list[str]]
) -> None:
    with unix_server(tmp_path) as (_, target):
        client = EngineClient.connect(at(f"ssh://far{target.host.removeprefix('unix://')}"))
        kept = client._transport._tunnel  # type: ignore[attr-defined]
        process = kept._process
        client.close()
        assert process.poll() is not None
        assert not Path(kept.path).parent.exists()


@pytest.mark.parametrize(
    ("said", "kind", "hint"),
    [
        ("Host key verification failed.", PermissionDeniedError, "check its key"),
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            PermissionDeniedError,
            "Ask its owner",
        ),
        ("me@far: Permission denied (publickey).", PermissionDeniedError, "ssh-add"),
        ("ssh: Could not resolve hostname far: unknown", UnreachableError, "name"),
        ("ssh: connect to host far port 22: Connection refused", UnreachableError, "sshd"),
        ("ssh: connect to host far port 22: Connection timed out", UnreachableError, "VPN"),
        ("Something new", UnreachableError, "terminal"),
    ],
)
def test_what_ssh_says(
    fake_ssh: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    kind: type[DockDeskError],
    hint: str,
) -> None:
    monkeypatch.setenv("FAKE_SSH", said)
    error = refusal(at("ssh://far"))
    assert type(error) is kind
    assert hint in error.hint
    assert error.detail == said


def test_no_engine_at_the_other_end(fake_ssh: Callable[[], list[str]], tmp_path: Path) -> None:
    error = refusal(at(f"ssh://far{tmp_path}/none.sock"))
    assert isinstance(error, UnreachableError)
    assert "No engine answers" in error.title
    assert "open failed" in error.detail


def test_a_tunnel_that_is_forbidden() -> None:
    said = "channel 2: open failed: administratively prohibited: open failed"
    error = tunnel.forward_error(at("ssh://far"), said)
    assert isinstance(error, PermissionDeniedError)
    assert "AllowStreamLocalForwarding" in error.hint


def test_waiting_for_ssh_can_be_cancelled(
    fake_ssh: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    reactor: Reactor,
) -> None:
    monkeypatch.setenv("FAKE_SSH_HANGS", "1")
    work = CancellableWork()

    def cancel_once_it_runs() -> None:
        wait_for(lambda: (tmp_path / "ssh.log").exists())
        work.cancel()

    thread = threading.Thread(target=cancel_once_it_runs)
    thread.start()
    with pytest.raises(CancelledError):
        connect(at("ssh://far"), reactor, work)
    thread.join(30)


def test_no_ssh_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert isinstance(refusal(at("ssh://far")), LocalError)


def test_a_host_cannot_be_an_option() -> None:
    command = tunnel.SshTunnel(at("ssh://-oProxyCommand=evil")).command()
    assert command[-2] == "--"
