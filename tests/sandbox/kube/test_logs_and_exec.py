"""Logs, and programs run in containers over WebSockets."""

from __future__ import annotations

import base64
import http.client
import io
import json
import os
import socket
import struct
import tarfile
from typing import Self
from urllib.parse import quote

import pytest

from dockdesk.sandbox.kube.server import TOKEN
from tests.sandbox.kube.conftest import Served
from tests.sandbox.kube.test_api import APPS, MERGE, PODS, until

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255


class Exec:
    """A client that knows WebSockets and Kubernetes' channels, and nothing of the server's code."""

    def __init__(
        self,
        served: Served,
        pod: str,
        command: list[str],
        tty: bool = False,
        protocol: str = "v5.channel.k8s.io",
    ) -> None:
        words = "&".join(f"command={quote(word, safe='')}" for word in command)
        streams = f"stdin=true&stdout=true&stderr=true&tty={str(tty).lower()}"
        self._open(served, f"{PODS}/{pod}/exec?{words}&{streams}", protocol)

    def _open(self, served: Served, path: str, protocol: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", served.port), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        head = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {protocol}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        )
        self.socket.sendall(head.encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        self.headers = http.client.parse_headers(self._file)
        self.output = {STDOUT: b"", STDERR: b""}
        self.ending: dict[str, object] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def frame(self, opcode: int, data: bytes, final: bool = True) -> None:
        mask = os.urandom(4)
        size = bytes([128 | len(data)]) if len(data) < 126 else struct.pack(">BH", 254, len(data))
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))
        self.socket.sendall(bytes([(128 if final else 0) | opcode]) + size + mask + masked)

    def send(self, channel: int, data: bytes) -> None:
        self.frame(2, bytes([channel]) + data)

    def _read(self) -> bool:
        """One frame; whether there may be more."""
        first, second = self._file.read(2)
        length = second & 127
        if length >= 126:
            length = int.from_bytes(self._file.read(2 if length == 126 else 8), "big")
        data = self._file.read(length)
        if first & 15 == 8:
            return False
        if first & 15 == 2:
            if data[0] == ERROR:
                self.ending = json.loads(data[1:])
            else:
                self.output[data[0]] += data[1:]
        return True

    def until(self, text: bytes) -> bytes:
        while text not in self.output[STDOUT]:
            assert self._read(), self.output
        return self.output[STDOUT]

    def finish(self) -> dict[str, object]:
        while self._read():
            pass
        assert self.ending is not None
        return self.ending


def _logs(served: Served, pod: str, query: str = "") -> list[str]:
    status, text = served.request("GET", f"{PODS}/{pod}/log?{query}")
    assert status == 200, text
    return text.decode().splitlines()


@pytest.fixture(scope="module")
def api_pod(served: Served) -> str:
    name: str = served.get(f"{PODS}?labelSelector=app%3Dapi-gateway")["items"][0]["metadata"][
        "name"
    ]
    return name


def test_logs_have_a_tail_times_and_a_beginning(served: Served, api_pod: str) -> None:
    lines = _logs(served, api_pod, "tailLines=20&timestamps=true")
    assert len(lines) == 20
    stamps = [line.split(" ")[0] for line in lines]
    assert stamps == sorted(stamps)
    assert stamps[0].endswith("Z")
    recent = _logs(served, api_pod, "sinceSeconds=60&timestamps=true")
    assert 20 < len(recent) < 200
    since = recent[len(recent) // 2].split(" ")[0]
    assert _logs(served, api_pod, f"sinceTime={since}&timestamps=true")[0].split(" ")[0] >= since
    assert sum(map(len, _logs(served, api_pod, "limitBytes=100&tailLines=50"))) <= 100


def test_logs_are_the_same_each_time(served: Served, api_pod: str) -> None:
    lines = _logs(served, api_pod, "tailLines=10&timestamps=true")
    until(lambda: lines[-1] != _logs(served, api_pod, "tailLines=1&timestamps=true")[0])
    assert lines[-1] in _logs(
        served, api_pod, f"sinceTime={lines[0].split(' ')[0]}&timestamps=true"
    )


def test_logs_can_be_followed(served: Served, api_pod: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request(
        "GET",
        f"{PODS}/{api_pod}/log?follow=true&tailLines=1",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    response = connection.getresponse()
    lines = [response.readline() for _ in range(10)]
    assert all(lines)
    response.close()
    connection.close()


def test_a_followed_log_ends_with_its_container(served: Served) -> None:
    pod = {
        "metadata": {"name": "short"},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "main",
                    "image": "alpine:3.21",
                    "command": ["sh", "-c", "echo first; sleep 20; echo last"],
                }
            ],
        },
    }
    assert served.request("POST", PODS, pod)[0] == 201
    status, value = served.request("GET", f"{PODS}/short/log")
    assert status == 400
    assert "waiting to start" in value["message"] or "host assigned" in value["message"]
    until(lambda: served.get(f"{PODS}/short")["status"]["phase"] == "Running")
    assert "first" in _logs(served, "short", "follow=true")
    until(lambda: served.get(f"{PODS}/short")["status"]["phase"] == "Succeeded")
    assert served.request("GET", f"{PODS}/short/exec?command=ls")[0] == 400


def test_what_the_container_before_said(served: Served) -> None:
    pod = {
        "metadata": {"name": "crashes"},
        "spec": {"containers": [{"name": "main", "image": "nginx:1.27-crash"}]},
    }
    served.request("POST", PODS, pod)
    until(
        lambda: (
            served.get(f"{PODS}/crashes")["status"]
            .get("containerStatuses", [{}])[0]
            .get("restartCount", 0)
            > 0
        )
    )
    assert any("exit status 1" in line for line in _logs(served, "crashes", "previous=true"))


def test_a_pod_with_two_containers_wants_one_named(served: Served) -> None:
    both = [{"name": name, "image": "nginx:1.27-alpine"} for name in ("one", "two")]
    served.request("POST", PODS, {"metadata": {"name": "pair"}, "spec": {"containers": both}})
    until(lambda: served.get(f"{PODS}/pair")["status"]["phase"] == "Running")
    status, value = served.request("GET", f"{PODS}/pair/log")
    assert status == 400
    assert "choose one of: [one two]" in value["message"]
    assert _logs(served, "pair", "container=two")


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
def test_a_command_runs_and_says_how_it_ended(served: Served, protocol: str) -> None:
    with Exec(
        served, "postgres-0", ["cat", "/var/lib/postgresql/data/PG_VERSION"], protocol=protocol
    ) as run:
        assert run.status == 101
        assert run.headers["Sec-WebSocket-Protocol"] == protocol
        assert run.finish() == {"metadata": {}, "status": "Success"}
        assert run.output[STDOUT] == b"16\n"
    with Exec(served, "postgres-0", ["sh", "-c", "exit 3"], protocol=protocol) as run:
        ending = run.finish()
    assert ending["reason"] == "NonZeroExitCode"
    assert ending["details"] == {"causes": [{"reason": "ExitCode", "message": "3"}]}
    with Exec(served, "postgres-0", ["perl"], protocol=protocol) as run:
        assert "executable file not found" in str(run.finish()["message"])


def test_a_terminal_has_a_size(served: Served) -> None:
    with Exec(served, "postgres-0", ["/bin/sh"], tty=True) as run:
        run.send(RESIZE, json.dumps({"Width": 40, "Height": 10}).encode())
        run.until(b"# ")
        run.send(STDIN, b"echo $POSTGRES_USER; ls /etc\r")
        shown = run.until(b"passwd")
        assert b"shop\r\n" in shown
        assert max(len(line) for line in shown.split(b"\r\n")) <= 45
        run.send(STDIN, b"exit 4\r")
        assert run.finish()["details"] == {"causes": [{"reason": "ExitCode", "message": "4"}]}


def test_input_can_end(served: Served) -> None:
    with Exec(served, "redis-0", ["sh"]) as run:
        run.send(STDIN, b"hostname\n")
        run.send(CLOSE, bytes([STDIN]))
        assert run.finish()["status"] == "Success"
        assert run.output[STDOUT] == b"redis-0\n"


def test_messages_may_come_in_pieces(served: Served) -> None:
    with Exec(served, "redis-0", ["sh"]) as run:
        run.frame(9, b"are you there")
        run.frame(2, bytes([STDIN]) + b"echo to", final=False)
        run.frame(0, b"gether\nexit\n")
        run.finish()
        assert run.output[STDOUT] == b"together\n"


def test_what_is_written_stays_in_the_container(served: Served) -> None:
    with Exec(served, "redis-0", ["sh", "-c", "echo kept > /tmp/note"]) as run:
        run.finish()
    with Exec(served, "redis-0", ["cat", "/tmp/note"]) as run:
        run.finish()
        assert run.output[STDOUT] == b"kept\n"


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
def test_files_are_copied_by_tar(served: Served, protocol: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("x/hello.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"hello"))
    with Exec(served, "redis-0", ["tar", "-xmf", "-", "-C", "/tmp"], protocol=protocol) as run:
        data = buffer.getvalue()
        for start in range(0, len(data), 4096):
            run.send(STDIN, data[start : start + 4096])
        if protocol.startswith("v5"):
            run.send(CLOSE, bytes([STDIN]))
        assert run.finish()["status"] == "Success"
    with Exec(served, "redis-0", ["tar", "cf", "-", "/tmp/x"]) as run:
        run.finish()
        with tarfile.open(fileobj=io.BytesIO(run.output[STDOUT])) as archive:
            member = archive.extractfile("tmp/x/hello.txt")
            assert member is not None
            assert member.read() == b"hello"
    with Exec(served, "redis-0", ["tar", "cf", "-", "/nope"]) as run:
        assert run.finish()["reason"] == "NonZeroExitCode"


def test_a_shell_ends_with_its_pod(served: Served) -> None:
    status, _ = served.request(
        "PATCH", f"{APPS}/mail-dev", {"spec": {"replicas": 1}}, Content_Type=MERGE
    )
    assert status == 200
    name = until(
        lambda: next(
            (
                pod["metadata"]["name"]
                for pod in served.get(f"{PODS}?labelSelector=app%3Dmail-dev")["items"]
                if pod["status"]["phase"] == "Running"
            ),
            None,
        )
    )
    with Exec(served, name, ["sh"], tty=True) as run:
        run.until(b"# ")
        served.request("DELETE", f"{PODS}/{name}")
        assert run.finish()["details"] == {"causes": [{"reason": "ExitCode", "message": "137"}]}


@pytest.mark.parametrize("protocol", ["", "SPDY/3.1"])
def test_only_known_protocols_are_spoken(served: Served, protocol: str) -> None:
    with Exec(served, "redis-0", ["ls"], protocol=protocol) as run:
        assert run.status == 400


def test_broken_frames_end_the_connection(served: Served) -> None:
    with Exec(served, "redis-0", ["sh"], tty=True) as run:
        run.until(b"# ")
        run.socket.sendall(b"\xff\xff\xff\xff")
        while run._file.read(1024):
            pass
    assert served.request("GET", "/healthz", token="")[0] == 200


class Attach(Exec):
    def __init__(self, served: Served, pod: str) -> None:
        self._open(
            served, f"{PODS}/{pod}/attach?stdin=true&stdout=true&tty=true", "v5.channel.k8s.io"
        )


def test_a_shell_can_be_attached_to_and_ends_its_pod(served: Served) -> None:
    shell = {"name": "main", "image": "busybox:1.37", "command": ["sh"], "stdin": True, "tty": True}
    body = {
        "metadata": {"name": "talks"},
        "spec": {"restartPolicy": "Never", "containers": [shell]},
    }
    assert served.request("POST", PODS, body)[0] == 201
    until(lambda: served.get(f"{PODS}/talks")["status"]["phase"] == "Running")
    with Attach(served, "talks") as run:
        run.until(b"# ")
    assert (
        served.get(f"{PODS}/talks")["status"]["phase"] == "Running"
    )  # whoever detaches leaves it running
    with Attach(served, "talks") as run:
        run.until(b"# ")
        run.send(STDIN, b"echo said; exit 5\r")
        run.finish()
        assert b"said" in run.output[STDOUT]
    until(lambda: served.get(f"{PODS}/talks")["status"]["phase"] == "Failed")
    state = served.get(f"{PODS}/talks")["status"]["containerStatuses"][0]["state"]
    assert state["terminated"]["exitCode"] == 5


def test_what_is_said_after_attaching_is_heard(served: Served, api_pod: str) -> None:
    with Attach(served, api_pod) as run:
        run.until(b"GET")


class Forward(Exec):
    """Two channels a port, each of which begins with the port."""

    def __init__(self, served: Served, pod: str, *ports: int) -> None:
        query = "&".join(f"ports={port}" for port in ports)
        self._open(served, f"{PODS}/{pod}/portforward?{query}", "v4.channel.k8s.io")
        self.output = dict.fromkeys(range(2 * len(ports)), b"")

    def read(self) -> bool:
        """One frame; whether there may be more."""
        first, second = self._file.read(2)
        length = second & 127
        if length == 126:
            length = int.from_bytes(self._file.read(2), "big")
        data = self._file.read(length)
        if first & 15 == 2:
            self.output[data[0]] += data[1:]
        return bool(first & 15 != 8)


def test_ports_are_forwarded(served: Served) -> None:
    pods = served.get(f"{PODS}?labelSelector=app%3Dweb-frontend")["items"]
    with Forward(served, pods[0]["metadata"]["name"], 80, 81) as run:
        assert run.status == 101
        run.send(0, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /no")
        run.send(0, b"pe HTTP/1.1\r\nConnection: close\r\n\r\n")
        while run.read():
            pass
    assert run.output[0].startswith(b"\x50\x00HTTP/1.1 200 OK\r\n")
    assert b"Welcome to the shop" in run.output[0]
    assert b"HTTP/1.1 404 Not Found" in run.output[0]
    assert b"connection refused" in run.output[3]
    with Forward(served, "redis-0", 6379) as run:
        run.send(0, b"PING\r\n")
        while b"PONG" not in run.output[0]:
            assert run.read()


def test_a_forwarded_api_says_who_answers(served: Served, api_pod: str) -> None:
    with Forward(served, api_pod, 9000) as run:
        run.send(0, b"GET /api/v1/items HTTP/1.1\r\nConnection: close\r\n\r\n")
        while run.read():
            pass
    said = json.loads(run.output[0].partition(b"\r\n\r\n")[2])
    assert said == {
        "service": "api-gateway",
        "host": api_pod,
        "path": "/api/v1/items",
        "simulated": True,
    }
