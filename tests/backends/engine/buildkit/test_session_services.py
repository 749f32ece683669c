"""What a session answers, asked over a pair of sockets as the engine asks it."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.backends.engine.buildkit.filesync import DiskFolder, FileSync
from dockdesk.backends.engine.buildkit.outputs import FileSend, FolderOutput
from dockdesk.backends.engine.buildkit.packets import (
    data_packet,
    go_mode,
    long_varint,
    read_packet,
    stat_packet,
)
from dockdesk.backends.engine.buildkit.services import Agents, Credentials, Secrets
from dockdesk.backends.secrets.authfiles import Login
from dockdesk.backends.secrets.logins import encoded
from dockdesk.core.errors import RemoteError
from dockdesk.core.resources.builds import BuildSecret
from dockdesk.wire import buildkit as bk
from dockdesk.wire.grpc import Client, ClientCall, Code, GrpcError, Handler, Server
from dockdesk.wire.protobuf import decode, encode, varint


@contextlib.contextmanager
def asked(handlers: dict[str, Handler]) -> Iterator[Client]:
    here, there = socket.socketpair()
    server = Server(handlers)
    serving = server.serve(there)
    client = Client(here)
    try:
        yield client
    finally:
        client.close()
        serving.close()
        server.join()


# --- Packets ---


@given(st.integers(1 << 42, (1 << 63) - 1))
def test_long_numbers(value: int) -> None:
    assert long_varint(value) == varint(value)


@given(
    st.binary(min_size=1, max_size=300),
    st.integers(0, 0o177777),
    st.integers(0, 1 << 40),
    st.integers(-(1 << 60), (1 << 62)),
    st.binary(max_size=200),
    st.dictionaries(st.text(max_size=9), st.binary(max_size=300), max_size=3),
)
def test_listed_files_are_what_the_declared_message_says(
    path: bytes, mode: int, size: int, modified: int, link: bytes, xattrs: dict[str, bytes]
) -> None:
    packet = stat_packet(path, mode, size, modified, link, 8, 1, xattrs)
    assert int.from_bytes(packet[1:5], "big") == len(packet) - 5
    found = decode(bk.Packet, packet[5:]).stat
    assert found is not None
    assert os.fsencode(found.path) == path
    assert os.fsencode(found.linkname) == link
    assert (found.mode, found.size, found.modified) == (go_mode(mode), size, modified)
    assert (found.uid, found.gid, found.major, found.minor) == (0, 0, 8, 1)
    assert found.xattrs == xattrs


@given(st.integers(0, (1 << 32) - 1), st.binary(max_size=50_000))
def test_pieces_of_files(id: int, content: bytes) -> None:
    packet = data_packet(id, content)
    assert int.from_bytes(packet[1:5], "big") == len(packet) - 5
    assert decode(bk.Packet, packet[5:]) == bk.Packet(bk.DATA, id=id, content=content)


@given(st.sampled_from([bk.REQUEST, bk.FINISH, bk.ERROR]), st.integers(0, 1 << 31), st.binary())
def test_what_a_receiver_says(kind: int, id: int, content: bytes) -> None:
    assert read_packet(encode(bk.Packet(kind, id=id, content=content))) == (kind, id, content)


# --- Logins, secrets, agents ---


class Ann:
    def registry_auth(self, reference: str) -> tuple[str, str]:
        if reference.startswith("token.example/"):
            return encoded(Login("x", identity_token="t0k")), ""
        if reference.startswith("registry.example:5000/"):
            return encoded(Login("x", "ann", "pw")), ""
        return encoded(None), "no helper"


def test_credentials() -> None:
    credentials = Credentials(Ann())
    with asked(credentials.handlers()) as client:

        def ask(host: str) -> bk.CredentialsResponse:
            answer = client.ask(bk.CREDENTIALS, encode(bk.CredentialsRequest(host)))
            return decode(bk.CredentialsResponse, answer)

        assert ask("registry.example:5000") == bk.CredentialsResponse("ann", "pw")
        assert ask("token.example") == bk.CredentialsResponse("", "t0k")
        assert ask("registry-1.docker.io") == bk.CredentialsResponse()
    assert credentials.problems == {"registry-1.docker.io": "no helper"}


def test_secrets(tmp_path: Path) -> None:
    file = tmp_path / "s"
    file.write_bytes(b"one")
    with asked(Secrets([BuildSecret("a", str(file))]).handlers()) as client:

        def ask(id: str) -> bytes:
            answer = client.ask(bk.GET_SECRET, encode(bk.GetSecretRequest(id)))
            return decode(bk.GetSecretResponse, answer).content

        assert ask("a") == b"one"
        file.write_bytes(b"two")
        assert ask("a") == b"two", "it is read when it is asked for"
        with pytest.raises(GrpcError) as caught:
            ask("b")
        assert caught.value.code is Code.NOT_FOUND
        file.unlink()
        with pytest.raises(GrpcError) as caught:
            ask("a")
        assert caught.value.code is Code.UNKNOWN


def test_an_agent_hears_and_answers(tmp_path: Path) -> None:
    path = tmp_path / "agent"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def agent() -> None:
        visitor, _ = listener.accept()
        with visitor:
            while data := visitor.recv(1 << 16):
                visitor.sendall(data.upper())

    thread = threading.Thread(target=agent)
    thread.start()
    with asked(Agents([f"mine={path}"]).handlers()) as client:
        assert client.ask(bk.CHECK_AGENT, encode(bk.CheckAgentRequest("mine"))) == b""
        with pytest.raises(GrpcError) as caught:
            client.ask(bk.CHECK_AGENT, encode(bk.CheckAgentRequest("other")))
        assert caught.value.code is Code.NOT_FOUND
        call = client.call(bk.FORWARD_AGENT, [(bk.SSH_ID, "mine")])
        for words in (b"hello", b"again"):
            call.send(encode(bk.BytesMessage(words)))
            answer = call.receive()
            assert answer is not None
            assert decode(bk.BytesMessage, answer).content == words.upper()
        call.end()
        assert call.receive() is None
    thread.join(30)
    listener.close()


# --- Files ---


def listed(call: ClientCall) -> list[bk.Stat]:
    found = []
    for message in call:
        packet = decode(bk.Packet, message)
        if packet.type == bk.ERROR:
            raise AssertionError(packet.content)
        if packet.stat is None:
            return found
        found.append(packet.stat)
    raise AssertionError("the list has no end")


def test_a_folder_in_order_with_its_kinds(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/z", "a.txt", "a-b", "é", "Z"):
        (tmp_path / name).write_text(name)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("a")
    os.link(tmp_path / "Z", tmp_path / "hard")
    (tmp_path / "a").chmod(0o1770)
    sync = FileSync({"context": DiskFolder(str(tmp_path))})
    with asked({bk.FILE_SYNC: sync.handle}) as client:
        call = client.call(bk.FILE_SYNC, [("dir-name", "context")])
        found = listed(call)
        assert [item.path for item in found] == [
            "Z", "a", "a/z", "a-b", "a.txt", "hard", "link", "pipe", "é",
        ]  # fmt: skip
        kinds = {item.path: item for item in found}
        assert kinds["a"].mode == bk.GO_FOLDER | bk.GO_STICKY | 0o770
        assert (kinds["link"].mode & bk.GO_KINDS, kinds["link"].linkname) == (bk.GO_LINK, "a")
        assert kinds["pipe"].mode & bk.GO_KINDS == bk.GO_PIPE
        assert (kinds["hard"].linkname, kinds["hard"].size) == ("Z", 0)
        assert kinds["Z"].modified == (tmp_path / "Z").stat().st_mtime_ns
        call.send(encode(bk.Packet(bk.REQUEST, id=8)), encode(bk.Packet(bk.REQUEST, id=0)))
        answers = [decode(bk.Packet, call.receive() or b"") for _ in range(4)]
        assert [(item.id, item.content) for item in answers] == [
            (8, "é".encode()), (8, b""), (0, b"Z"), (0, b""),
        ]  # fmt: skip
        call.send(encode(bk.Packet(bk.FINISH)))
        assert decode(bk.Packet, call.receive() or b"").type == bk.FINISH
        assert call.receive() is None
    assert (sync.files, sync.sent) == (2, 3)
    assert sync.failure is None


def test_patterns_with_characters_that_no_header_holds(tmp_path: Path) -> None:
    for name in ("é 1", "b+c", "x"):
        (tmp_path / name).write_text(name)
    sync = FileSync({"context": DiskFolder(str(tmp_path))})
    metadata = [
        ("dir-name", "context"),
        ("include-patterns", "%C3%A9+1"), ("include-patterns", "b%2Bc"), ("include-patterns-encoded", "1"),
    ]  # fmt: skip
    with asked({bk.FILE_SYNC: sync.handle}) as client:
        call = client.call(bk.FILE_SYNC, metadata)
        assert [item.path for item in listed(call)] == ["b+c", "é 1"]
        call.cancel()
        with pytest.raises(GrpcError, match="no access"):
            client.ask(bk.FILE_SYNC, b"", [("dir-name", "elsewhere")])


def test_links_on_the_way_are_followed_but_not_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real/inner").mkdir(parents=True)
    (root / "real/inner/file").write_text("x")
    (root / "real/other").write_text("x")
    (root / "first").symlink_to("second")
    (root / "second").symlink_to("/real")
    (root / "out").symlink_to("../../../../etc")
    (root / "loop").symlink_to("loop")
    sync = FileSync({"context": DiskFolder(str(root))})
    metadata = [("dir-name", "context")] + [
        ("followpaths", path) for path in ("first/inner/file", "out/passwd", "loop", "s*nd")
    ]
    with asked({bk.FILE_SYNC: sync.handle}) as client:
        call = client.call(bk.FILE_SYNC, metadata)
        assert [item.path for item in listed(call)] == [
            "first", "loop", "out", "real", "real/inner", "real/inner/file", "real/other", "second",
        ]  # fmt: skip
        call.cancel()


def send_folder(target: Path, stats: list[bk.Stat], contents: dict[int, bytes]) -> FileSend:
    """What an engine does that sends a local output."""
    send = FileSend({0: FolderOutput(target)})
    (output,) = send._outputs.values()
    with output, asked({bk.FILE_SEND: send.handle}) as client:
        call = client.call(bk.FILE_SEND)
        call.send(*[encode(bk.Packet(bk.STAT, stat)) for stat in stats], b"")
        with contextlib.suppress(GrpcError):
            for message in call:
                packet = decode(bk.Packet, message)
                if packet.type == bk.REQUEST:
                    content = contents[packet.id]
                    call.send(encode(bk.Packet(bk.DATA, id=packet.id, content=content)))
                    call.send(encode(bk.Packet(bk.DATA, id=packet.id)))
                elif packet.type == bk.FINISH:
                    call.send(encode(bk.Packet(bk.FINISH)))
        if send.failure is None:
            output.finish()
    return send


def test_a_folder_that_is_received(tmp_path: Path) -> None:
    target = tmp_path / "out"
    stats = [
        bk.Stat("d", bk.GO_FOLDER | 0o750, modified=10**18),
        bk.Stat("d/f", 0o640, size=3, modified=2 * 10**18),
        bk.Stat("d/same", 0o640, linkname="d/f"),
        bk.Stat("l", bk.GO_LINK | 0o777, linkname="/anywhere"),
    ]
    assert send_folder(target, stats, {1: b"abc"}).failure is None
    assert (target / "d/f").read_bytes() == b"abc"
    assert (target / "d/same").samefile(target / "d/f")
    assert os.readlink(target / "l") == "/anywhere"
    assert stat.S_IMODE((target / "d/f").stat().st_mode) == 0o640
    assert (target / "d/f").stat().st_mtime_ns == 2 * 10**18
    assert (target / "d").stat().st_mtime_ns == 10**18
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    "stats",
    [
        [bk.Stat("../x", 0o644)],
        [bk.Stat("/x", 0o644)],
        [bk.Stat("a/../../x", 0o644)],
        [bk.Stat("l", bk.GO_LINK | 0o777, linkname=".."), bk.Stat("l/x", 0o644)],
        [bk.Stat("x", 0o644, linkname="/etc/passwd")],
        [bk.Stat("", 0o644)],
        [bk.Stat("a\0b", 0o644)],
    ],
)
def test_what_would_leave_the_folder_is_refused(tmp_path: Path, stats: list[bk.Stat]) -> None:
    target = tmp_path / "deep/out"
    target.parent.mkdir()
    send = send_folder(target, stats, dict.fromkeys(range(3), b"hostile"))
    assert isinstance(send.failure, RemoteError)
    assert not list(target.parent.iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
