"""Helper processes: what is called there answers, reports, fails, is cancelled and dies as a thread's work would."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from dockdesk.bridge.call import Call
from dockdesk.bridge.helper_process import ALLOWED, Helpers
from dockdesk.bridge.jobs import Jobs
from dockdesk.core.errors import CancelledError, ConflictError, DockDeskError, LocalError
from dockdesk.core.logs.blocks import Row
from dockdesk.core.logs.export import TextFormat, save_portions
from dockdesk.core.work import SilentWork
from tests.bridge import far_work

TIMEOUT = 30_000


@pytest.fixture
def helpers() -> Iterator[Helpers]:
    made = Helpers(limit=2, allowed=["tests.bridge.far_work"])
    yield made
    made.close()


class Reports(SilentWork):
    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def progress(self, fraction: float | None, text: str = "") -> None:
        self.said.append((fraction, text))

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        self.said.append((key, fraction, text))

    def log(self, line: str) -> None:
        self.said.append((line,))


class Cancellable(SilentWork):
    """A Work that another thread can cancel."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def on_cancel(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
        @contextmanager
        def noted() -> Iterator[None]:
            self._callbacks.append(callback)
            if self.cancelled:
                callback()
            yield
            self._callbacks.remove(callback)

        return noted()

    def cancel(self) -> None:
        self._cancelled.set()
        for callback in list(self._callbacks):
            callback()


def waited(condition: Callable[[], object]) -> bool:
    until = time.monotonic() + TIMEOUT / 1000
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def cancelled_once(helpers: Helpers, call: Call, began: Path) -> BaseException | None:
    """What a call ends with that is cancelled as soon as ``began`` is there."""
    work, ends = Cancellable(), list[BaseException | None]()

    def run() -> None:
        try:
            helpers.call(call, work)
            ends.append(None)
        except DockDeskError as error:
            ends.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert waited(began.exists)
    work.cancel()
    thread.join(TIMEOUT / 1000)
    assert not thread.is_alive()
    return ends[0]


def test_it_calls_elsewhere_without_qt(helpers: Helpers) -> None:
    assert helpers.call(Call(far_work.add, (1, 2)), SilentWork()) == 3
    pid, qt = helpers.call(Call(far_work.where), SilentWork())
    assert pid != os.getpid()
    assert not qt


def test_one_process_serves_many_calls_until_it_rests(helpers: Helpers) -> None:
    pids = {helpers.call(Call(far_work.where), SilentWork())[0] for _ in range(3)}
    assert len(pids) == 1
    assert helpers.alive == 1
    helpers.rest()
    assert helpers.alive == 0
    assert helpers.call(Call(far_work.where), SilentWork())[0] not in pids


def test_reports_reach_the_work(helpers: Helpers) -> None:
    work = Reports()
    helpers.call(Call(far_work.report), work)
    assert work.said == [(0.5, "half"), ("layer", 0.25, "pulling"), ("a line",), (1.0, "all")]


def test_large_inputs_travel_in_pieces(helpers: Helpers) -> None:
    made = []

    def items() -> Iterator[bytes]:
        for number in range(40):
            made.append(number)
            yield bytes(100_000)

    assert helpers.call(Call(far_work.total, (1,), items), SilentWork()) == 4_000_001
    made.clear()
    assert len(helpers.call(Call(far_work.first, (), items), SilentWork())) == 100_000
    assert made == [0]  # no more than was asked for
    assert helpers.call(Call(far_work.total, (0,), items), SilentWork()) == 4_000_000


def test_failures_come_back_as_they_are(helpers: Helpers) -> None:
    with pytest.raises(ConflictError) as caught:
        helpers.call(Call(far_work.refuse), SilentWork())
    assert (caught.value.title, caught.value.detail, caught.value.hint) == (
        "It is in use",
        "by web",
        "Stop web.",
    )
    assert helpers.call(Call(far_work.add, (1, 2)), SilentWork()) == 3


@pytest.mark.parametrize("function", [far_work.stumble, far_work.unsendable])
def test_what_nobody_foresaw_is_logged(
    helpers: Helpers, function: Callable[..., Any], expect_log: Callable[[str], None]
) -> None:
    expect_log("a helper's function failed")
    with pytest.raises(RuntimeError):
        helpers.call(Call(function), SilentWork())
    assert helpers.call(Call(far_work.add, (1, 2)), SilentWork()) == 3


def test_a_source_that_fails_spoils_nothing(helpers: Helpers) -> None:
    def items() -> Iterator[bytes]:
        yield b"x"
        raise ConflictError("The file vanished")

    with pytest.raises(ConflictError):
        helpers.call(Call(far_work.total, (0,), items), SilentWork())
    assert helpers.call(Call(far_work.add, (1, 2)), SilentWork()) == 3


def test_one_that_dies_is_told_and_replaced(helpers: Helpers) -> None:
    with pytest.raises(LocalError, match="broken off"):
        helpers.call(Call(far_work.die), SilentWork())
    assert helpers.call(Call(far_work.add, (1, 2)), SilentWork()) == 3


def test_cancelling_ends_it_and_leaves_no_file(helpers: Helpers, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    call = Call(far_work.write_for_ever, (folder / "log", tmp_path / "began"))
    end = cancelled_once(helpers, call, tmp_path / "began")
    assert isinstance(end, CancelledError)
    assert list(folder.iterdir()) == []
    assert helpers.alive == 0


def test_cancelling_ends_what_does_not_listen(helpers: Helpers, tmp_path: Path) -> None:
    end = cancelled_once(helpers, Call(far_work.stay, (tmp_path / "b",)), tmp_path / "b")
    assert isinstance(end, CancelledError)
    assert helpers.alive == 0


def test_more_calls_than_processes_take_turns(helpers: Helpers) -> None:
    results: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: results.append(
                helpers.call(Call(far_work.add, (n, n)), SilentWork())
            )
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT / 1000)
    assert sorted(results) == list(range(0, 16, 2))
    assert helpers.alive <= 2


def test_only_what_is_allowed_is_called(expect_log: Callable[[str], None]) -> None:
    expect_log("a helper's function failed")
    strict = Helpers(limit=1)
    try:
        with pytest.raises(RuntimeError, match="nothing that a helper may call"):
            strict.call(Call(far_work.add, (1, 2)), SilentWork())
    finally:
        strict.close()
    assert all(name.startswith("dockdesk.") for name in ALLOWED)


def test_it_ends_with_the_program() -> None:
    """Whatever it does: the program here is killed while its helper writes."""
    code = (
        "import sys, threading, time, pathlib\n"
        "from dockdesk.bridge.call import Call\n"
        "from dockdesk.bridge.helper_process import Helpers\n"
        "from dockdesk.core.work import SilentWork\n"
        "from tests.bridge import far_work\n"
        "Helpers(1, ['tests.bridge.far_work']).call(\n"
        "    Call(far_work.write_for_ever, tuple(map(pathlib.Path, sys.argv[1:]))), SilentWork())\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder, began = Path(name) / "out", Path(name) / "began"
        folder.mkdir()
        program = subprocess.Popen([sys.executable, "-c", code, str(folder / "log"), str(began)])
        assert waited(began.exists)
        assert list(folder.iterdir())
        program.kill()
        program.wait()
        assert waited(lambda: not list(folder.iterdir()))


def test_jobs_call_it(qtbot: QtBot, tmp_path: Path) -> None:
    jobs = Jobs()
    heard: list[object] = []
    target = tmp_path / "log"
    rows = [Row(number, 0, 1, b"line", b"", False) for number in range(3)]
    call = Call(save_portions, (3, (), TextFormat(), target), lambda: [rows])
    try:
        with pytest.raises(TypeError):
            jobs.submit(None, lambda _work: None, process=True)
        job = jobs.submit(None, call, heard.append, process=True, title="Save", retryable=True)
        qtbot.waitUntil(lambda: heard == [15], timeout=TIMEOUT)
        assert target.read_text() == "line\n" * 3
        target.unlink()
        jobs.retry(job)
        qtbot.waitUntil(lambda: heard == [15, 15], timeout=TIMEOUT)
        assert target.exists()
    finally:
        assert jobs.close()
