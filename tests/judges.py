"""Other simulations of AWS, each a process of its own on the loopback: what they and the sandbox agree on is right.

They live in an environment of their own, which `packaging/setup.sh test` makes. Where it is missing their tests are
skipped with the reason, except under CI=true, where that is a failure.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines import CannotStart, free_port, unavailable

PYTHON = Path(__file__).parent.parent / ".venv" / "judges" / "bin" / "python"
START_TIMEOUT = 90.0


class Judge:
    """A simulation named ``kind``: moto or ministack. Neither can reach an engine: both think there is none."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.port = 0
        self._folder = tempfile.TemporaryDirectory(prefix="ddj-", dir="/tmp")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Raise CannotStart with what it said."""
        if not PYTHON.exists():
            raise CannotStart(f"{self.kind} is not installed; packaging/setup.sh test installs it")
        for _ in range(5):
            self.port = free_port()
            with open(self._log, "ab") as log:
                self._process = subprocess.Popen(
                    [str(PYTHON), *self._arguments()],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._folder.name,
                    env=self._environment(),
                )
            until = time.monotonic() + START_TIMEOUT
            while self._process.poll() is None and time.monotonic() < until:
                if self._answers():
                    return
                time.sleep(0.05)
            self._end()
        raise CannotStart(self._log.read_text(errors="replace")[-1500:])

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "log"

    def _arguments(self) -> list[str]:
        if self.kind == "moto":
            return ["-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        return ["-m", "ministack"]

    def _environment(self) -> dict[str, str]:
        nowhere = f"unix://{self._folder.name}/no-engine"
        return {
            **os.environ,
            "HOME": self._folder.name,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "DOCKER_HOST": nowhere,
            "CONTAINER_HOST": nowhere,
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(
                "GET", "/_ministack/health" if self.kind == "ministack" else "/moto-api/"
            )
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        self._end()
        self._folder.cleanup()


def judge(kind: str) -> Iterator[Judge]:
    """A running one, for a fixture."""
    made = Judge(kind)
    try:
        made.start()
    except CannotStart as error:
        made.stop()
        unavailable(str(error))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def moto() -> Iterator[Judge]:
    yield from judge("moto")


@pytest.fixture(scope="session")
def ministack() -> Iterator[Judge]:
    yield from judge("ministack")
