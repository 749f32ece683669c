from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dockdesk.core.errors import CancelledError, LocalError
from dockdesk.core.work import SilentWork
from dockdesk.launcher import Sandbox


def _waits_for(condition: object, seconds: float = 15.0) -> bool:
    assert callable(condition)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def test_it_starts_once_serves_privately_and_leaves_nothing_behind() -> None:
    sandbox = Sandbox()
    host = sandbox.start(SilentWork())
    path = Path(urlsplit(host).path)
    assert sandbox.start(SilentWork()) == host
    assert path.is_socket()
    assert path.stat().st_mode & 0o077 == 0
    sandbox.stop()
    assert not path.parent.exists()
    sandbox.stop()


def test_after_it_died_it_is_started_again() -> None:
    sandbox = Sandbox()
    first = sandbox.start(SilentWork())
    process = sandbox._process
    assert process is not None
    process.terminate()
    process.wait(15)
    second = sandbox.start(SilentWork())
    assert second != first
    sandbox.stop()


def test_a_start_that_fails_says_why() -> None:
    with pytest.raises(LocalError) as caught:
        Sandbox(["--no-such-option"]).start(SilentWork())
    assert "no-such-option" in caught.value.detail


class _Cancelled(SilentWork):
    """Work whose cancel button is pressed as soon as the start waits."""

    cancelled = False

    @contextmanager
    def on_cancel(self, callback: object) -> Iterator[None]:
        assert callable(callback)
        type(self).cancelled = True
        callback()
        yield

    def check(self) -> None:
        raise CancelledError


def test_a_start_can_be_cancelled() -> None:
    with pytest.raises(CancelledError):
        Sandbox().start(_Cancelled())


def test_it_ends_with_its_parent() -> None:
    """A program that is killed can't tell its sandbox: the sandbox notices by itself."""
    code = (
        "from dockdesk.core.work import SilentWork\n"
        "from dockdesk.launcher import Sandbox\n"
        "import sys, time\n"
        "sandbox = Sandbox()\n"
        "print(sandbox.start(SilentWork()), sandbox._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        host, pid = parent.stdout.readline().split()
        folder = Path(urlsplit(host).path).parent
        assert folder.exists()
        parent.kill()
    assert _waits_for(lambda: not folder.exists())
    assert _waits_for(lambda: not _alive(int(pid)))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Nobody reaps it where the machine's first process does not: then a zombie is left, which is not alive.
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_threads_can_ask_for_it_at_once() -> None:
    sandbox = Sandbox()
    hosts: list[str] = []
    threads = [
        threading.Thread(target=lambda: hosts.append(sandbox.start(SilentWork()))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(hosts)) == 1
    assert len(hosts) == 4
    sandbox.stop()


def test_nobody_waits_for_one_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program ends, and the menu is told, while it starts."""
    monkeypatch.setattr("dockdesk.launcher._program", lambda: ["-c", "import time; time.sleep(60)"])
    sandbox = Sandbox()
    ended: list[BaseException] = []

    def start() -> None:
        try:
            sandbox.start(SilentWork())
        except CancelledError as error:
            ended.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    assert _waits_for(lambda: sandbox._coming is not None)
    process = sandbox._coming
    assert process is not None
    with pytest.raises(LocalError, match="does not run"):
        sandbox.status()
    sandbox.stop()
    thread.join(30)
    assert not thread.is_alive()
    assert ended
    assert process.poll() is not None
