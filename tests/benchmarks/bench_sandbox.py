"""The sandbox as a process: how soon it serves, what it weighs, what sixtyfold time costs, and a huge world.

Requests are sent by hand, so that what an SDK takes is not counted.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[2]))

from dockdesk.sandbox.aws.signing import sign
from tests.benchmarks.harness import Report, main

_TICKS = os.sysconf("SC_CLK_TCK")
_WATCHED_SECONDS = 20.0


class _Unix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


class _Sandbox:
    def __init__(self, *arguments: str) -> None:
        began = time.perf_counter()
        command = [sys.executable, "-m", "dockdesk.sandbox.main", "--json", *arguments]
        # As installed: with its modules compiled.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        self.variables: dict[str, str] = json.loads(self.process.stdout.readline())
        parts = urlsplit(self.variables["AWS_ENDPOINT_URL"])
        self.aws = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self.ecs("ListClusters")
        self.ready = time.perf_counter() - began

    def ecs(self, operation: str, **params: Any) -> Any:
        headers = {
            "host": urlsplit(self.variables["AWS_ENDPOINT_URL"]).netloc,
            "x-amz-target": f"AmazonEC2ContainerServiceV20141113.{operation}",
            "content-type": "application/x-amz-json-1.1",
        }
        body = json.dumps(params).encode()
        key, secret = (
            self.variables[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        )
        signed = sign(
            key,
            secret,
            self.variables["AWS_REGION"],
            "ecs",
            "POST",
            "/",
            headers,
            body,
            time.time(),
        )
        self.aws.request("POST", "/", body, signed)
        response = self.aws.getresponse()
        answer = json.loads(response.read())
        assert response.status == 200, answer
        return answer

    def pages(self, operation: str, key: str, **params: Any) -> list[str]:
        found: list[str] = []
        token: dict[str, str] = {}
        while True:
            answer = self.ecs(operation, maxResults=100, **params, **token)
            found += answer[key]
            if "nextToken" not in answer:
                return found
            token = {"nextToken": answer["nextToken"]}

    def containers(self) -> int:
        connection = _Unix(urlsplit(self.variables["DOCKER_HOST"]).path)
        connection.request("GET", "/v1.43/containers/json?all=1")
        count = len(json.loads(connection.getresponse().read()))
        connection.close()
        return count

    def rss_mib(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def cpu_seconds(self) -> float:
        text = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def _sandbox(*arguments: str) -> Iterator[_Sandbox]:
    sandbox = _Sandbox(*arguments)
    try:
        yield sandbox
    finally:
        sandbox.aws.close()
        sandbox.process.terminate()
        sandbox.process.communicate()


def _cpu_percent(sandbox: _Sandbox) -> float:
    before, cpu = time.perf_counter(), sandbox.cpu_seconds()
    time.sleep(_WATCHED_SECONDS)
    return 100 * (sandbox.cpu_seconds() - cpu) / (time.perf_counter() - before)


def run(report: Report) -> None:
    ready = []
    for _ in range(4):
        with _sandbox() as sandbox:
            ready.append(sandbox.ready)
    report.add(
        "ready to serve",
        min(ready),
        "s",
        limit=0.5,
        note="the best of four: the machine may be busy",
    )
    with _sandbox() as sandbox:
        time.sleep(2)
        report.add("idle memory", sandbox.rss_mib(), "MiB", limit=60)
        report.add("time ×1, CPU", _cpu_percent(sandbox), "% of a core")
    with _sandbox("--speed", "60") as sandbox:
        services = sum(
            len(sandbox.pages("ListServices", "serviceArns", cluster=cluster))
            for cluster in sandbox.pages("ListClusters", "clusterArns")
        )
        report.add("services", services, "", at_least=24)
        report.add("time ×60, CPU", _cpu_percent(sandbox), "% of a core", limit=25)
    with _sandbox("--scenario", "huge") as sandbox:
        report.add("huge: ready to serve", sandbox.ready, "s")
        began = time.perf_counter()
        clusters = sandbox.pages("ListClusters", "clusterArns")
        names = {
            cluster: sandbox.pages("ListServices", "serviceArns", cluster=cluster)
            for cluster in clusters
        }
        report.add("huge: list all ECS services", time.perf_counter() - began, "s", limit=1.0)
        report.add("huge: services", sum(len(arns) for arns in names.values()), "", at_least=5000)
        began = time.perf_counter()
        for cluster, arns in names.items():
            for start in range(0, len(arns), 10):
                sandbox.ecs("DescribeServices", cluster=cluster, services=arns[start : start + 10])
        report.add("huge: describe all of them", time.perf_counter() - began, "s")
        began = time.perf_counter()
        count = sandbox.containers()
        report.add("huge: list all containers", time.perf_counter() - began, "s", limit=1.0)
        report.add("huge: containers", count, "", at_least=5000)
        report.add("huge: memory", sandbox.rss_mib(), "MiB")
        report.add("huge: time ×1, CPU", _cpu_percent(sandbox), "% of a core")


if __name__ == "__main__":
    main("sandbox", run)
