"""Jobs: who hears what, in which order, and what is left afterwards."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from dockdesk.bridge.jobs import HISTORY, Job, Jobs, JobState
from dockdesk.core.errors import CancelledError, DockDeskError, LocalError, RemoteError
from dockdesk.core.work import Work

TIMEOUT = 10_000


class Gate:
    """Holds workers until opened, and counts how many are inside."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._lock = threading.Lock()
        self.inside = 0
        self.most = 0
        self.passed: list[object] = []

    def wait(self, work: Work, name: object = None) -> object:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        with work.on_cancel(self._open.set):
            assert self._open.wait(10)
        with self._lock:
            self.inside -= 1
            self.passed.append(name)
        work.check()
        return name

    def open(self) -> None:
        self._open.set()

    def work(self, name: object = None) -> Callable[[Work], object]:
        return lambda work: self.wait(work, name)


class Ears:
    """Collects what callbacks hear."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def success(self, result: Any) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.heard.append(("success", result))

    def failure(self, error: DockDeskError) -> None:
        assert threading.current_thread() is threading.main_thread()
        self.heard.append(("failure", error))


@pytest.fixture
def ears() -> Ears:
    return Ears()


def idle(qtbot: QtBot, jobs: Jobs) -> None:
    qtbot.waitUntil(lambda: not jobs.busy(), timeout=TIMEOUT)
    qtbot.wait(1)


def raising(error: BaseException) -> Callable[[Work], Any]:
    def work(_work: Work) -> Any:
        raise error

    return work


def test_a_result_arrives_on_the_gui_thread(qtbot: QtBot, jobs: Jobs, ears: Ears) -> None:
    owner = QObject()
    threads: list[int] = []
    job = jobs.submit(
        owner, lambda _work: threads.append(threading.get_ident()) or 42, ears.success, ears.failure
    )
    qtbot.waitUntil(lambda: bool(ears.heard), timeout=TIMEOUT)
    assert ears.heard == [("success", 42)]
    assert threads != [threading.get_ident()]
    assert job.state is JobState.DONE
    assert job.result == 42


def test_a_failure_goes_to_the_caller_or_becomes_a_notice(
    qtbot: QtBot, jobs: Jobs, ears: Ears
) -> None:
    notices: list[Job] = []
    jobs.job_failed.connect(notices.append)
    error = RemoteError("No space", "disk full")
    jobs.submit(None, raising(error), ears.success, ears.failure)
    unhandled = jobs.submit(None, raising(error), ears.success)
    qtbot.waitUntil(lambda: bool(ears.heard and notices), timeout=TIMEOUT)
    assert ears.heard == [("failure", error)]
    assert notices == [unhandled]


@pytest.mark.parametrize("error", [ZeroDivisionError("0"), SystemExit(3), MemoryError()])
def test_an_unexpected_failure_is_shown_and_logged(
    qtbot: QtBot,
    jobs: Jobs,
    ears: Ears,
    error: BaseException,
    expect_log: Callable[[str], None],
) -> None:
    expect_log("failed unexpectedly")
    jobs.submit(None, raising(error), failure=ears.failure)
    qtbot.waitUntil(lambda: bool(ears.heard), timeout=TIMEOUT)
    (kind, shown) = ears.heard[0]
    assert kind == "failure"
    assert isinstance(shown, LocalError)
    assert type(error).__name__ in shown.detail
    assert not jobs.busy()


def test_reads_of_a_lane_are_bounded_and_others_go_past(qtbot: QtBot, ears: Ears) -> None:
    jobs = Jobs(lane_reads=3)
    gate = Gate()
    for number in range(20):
        jobs.submit(None, gate.work(number), lane="slow")
    jobs.submit(None, lambda _work: "quick", ears.success, lane="other")
    jobs.submit(None, lambda _work: "long", ears.success, lane="slow", long=True)
    qtbot.waitUntil(lambda: len(ears.heard) == 2, timeout=TIMEOUT)
    gate.open()
    idle(qtbot, jobs)
    assert gate.most == 3
    assert sorted(gate.passed) == list(range(20))  # type: ignore[type-var]
    assert jobs.close(TIMEOUT)


def test_writes_to_one_resource_run_in_order(qtbot: QtBot, jobs: Jobs) -> None:
    done: list[int] = []
    inside = 0

    def write(number: int) -> Callable[[Work], None]:
        def work(_work: Work) -> None:
            nonlocal inside
            inside += 1
            assert inside == 1
            time.sleep(0.001)
            done.append(number)
            inside -= 1

        return work

    for number in range(30):
        jobs.submit(None, write(number), order="env/container/1", long=number % 3 == 0)
    idle(qtbot, jobs)
    assert done == list(range(30))


def test_a_cancelled_queued_job_never_starts_and_tells_nobody(
    qtbot: QtBot, jobs: Jobs, ears: Ears
) -> None:
    gate = Gate()
    first = jobs.submit(None, gate.work("first"), order="x")
    second = jobs.submit(
        None, gate.work("second"), ears.success, ears.failure, order="x", title="Second"
    )
    third = jobs.submit(None, lambda _work: 3, ears.success, order="x")
    second.cancel()
    assert second.state is JobState.CANCELLED
    assert isinstance(second.error, CancelledError)
    gate.open()
    qtbot.waitUntil(lambda: bool(ears.heard), timeout=TIMEOUT)
    assert ears.heard == [("success", 3)]
    assert gate.passed == ["first"]
    assert (first.state, third.state) == (JobState.DONE, JobState.DONE)
    assert not second.began


def test_cancelling_breaks_a_wait_and_is_told_as_such(qtbot: QtBot, jobs: Jobs, ears: Ears) -> None:
    """A socket that was shut down fails in its own words; what the user hears is that it was cancelled."""
    started = threading.Event()
    ended = threading.Event()

    def work(work: Work) -> None:
        with work.on_cancel(ended.set):
            started.set()
            assert ended.wait(10)
        raise RemoteError("Connection reset by peer")

    job = jobs.submit(None, work, ears.success, ears.failure, title="Pull")
    assert started.wait(10)
    job.cancel()
    qtbot.waitUntil(lambda: bool(ears.heard), timeout=TIMEOUT)
    ((kind, error),) = ears.heard
    assert kind == "failure"
    assert isinstance(error, CancelledError)
    assert job.state is JobState.CANCELLED


def test_work_that_was_done_before_it_noticed_counts_as_done(
    qtbot: QtBot, jobs: Jobs, ears: Ears
) -> None:
    started, go = threading.Event(), threading.Event()

    def work(_work: Work) -> str:
        started.set()
        assert go.wait(10)
        return "pushed"

    job = jobs.submit(None, work, ears.success, ears.failure)
    assert started.wait(10)
    job.cancel()
    go.set()
    qtbot.waitUntil(lambda: bool(ears.heard), timeout=TIMEOUT)
    assert ears.heard == [("success", "pushed")]
    assert job.state is JobState.DONE


def test_cancel_callbacks_run_once_and_never_after_the_wait(qtbot: QtBot, jobs: Jobs) -> None:
    """Whoever comes first, canceller or worker: a callback is called at most once, and only while it is wanted."""
    for _ in range(200):
        calls: list[bool] = []
        inside = [False]
        start = threading.Event()

        def work(
            work: Work,
            inside: list[bool] = inside,
            calls: list[bool] = calls,
            start: threading.Event = start,
        ) -> None:
            start.set()
            inside[0] = True
            with work.on_cancel(lambda: calls.append(inside[0])):
                pass
            inside[0] = False

        job = jobs.submit(None, work)
        start.wait(10)
        job.cancel()
        job.cancel()
        qtbot.waitUntil(lambda job=job: job.state.over, timeout=TIMEOUT)
        assert calls in ([], [True])
    idle(qtbot, jobs)


def test_a_failing_cancel_callback_does_not_stop_the_others(
    qtbot: QtBot, jobs: Jobs, expect_log: Callable[[str], None]
) -> None:
    expect_log("end a wait")
    started, released = threading.Event(), threading.Event()

    def work(work: Work) -> None:
        def bad() -> None:
            raise OSError("already closed")

        with work.on_cancel(bad), work.on_cancel(released.set):
            started.set()
            assert released.wait(10)
        work.check()

    job = jobs.submit(None, work)
    assert started.wait(10)
    job.cancel()
    idle(qtbot, jobs)
    assert job.state is JobState.CANCELLED


def test_it_can_be_cancelled_from_any_thread(qtbot: QtBot, jobs: Jobs) -> None:
    gate = Gate()
    running = jobs.submit(None, gate.work(), order="x")
    waiting = [jobs.submit(None, gate.work(), order="x") for _ in range(10)]
    threads = [threading.Thread(target=job.cancel) for job in [*waiting, running]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    idle(qtbot, jobs)
    assert all(job.state is JobState.CANCELLED for job in [running, *waiting])


def test_a_newer_question_silences_the_older(qtbot: QtBot, jobs: Jobs, ears: Ears) -> None:
    owner = QObject()
    notices: list[Job] = []
    jobs.job_failed.connect(notices.append)
    started, go = threading.Event(), threading.Event()

    def old(_work: Work) -> str:
        started.set()
        assert go.wait(10)
        raise RemoteError("out of date")

    jobs.submit(owner, old, ears.success, ears.failure, question="list")
    assert started.wait(10)
    jobs.submit(owner, lambda _work: "new", ears.success, ears.failure, question="list")
    qtbot.waitUntil(lambda: bool(ears.heard), timeout=TIMEOUT)
    go.set()
    idle(qtbot, jobs)
    assert ears.heard == [("success", "new")]
    assert notices == []
    assert jobs._questions == {}


def test_nothing_is_called_once_the_owner_is_gone(qtbot: QtBot, jobs: Jobs, ears: Ears) -> None:
    gate = Gate()
    notices: list[Job] = []
    jobs.job_failed.connect(notices.append)
    owners = [QObject(), QObject()]
    jobs.submit(owners[0], gate.work("running"), ears.success, ears.failure, lane="a")
    jobs.submit(owners[1], gate.work("running"), ears.success, ears.failure, lane="a")
    shiboken6.delete(owners[0])
    owners.clear()
    gate.open()
    idle(qtbot, jobs)
    assert gate.passed == ["running", "running"]
    assert ears.heard == []
    assert notices == []


def test_a_question_whose_owner_is_gone_is_never_begun_but_a_change_is(qtbot: QtBot) -> None:
    jobs = Jobs(lane_reads=1, lane_writes=1)
    gate = Gate()
    ran: list[str] = []
    notices: list[str] = []
    jobs.job_failed.connect(lambda job: notices.append(job.title))
    owner = QObject()
    jobs.submit(None, gate.work(), order="blocks writes")
    jobs.submit(None, gate.work())
    jobs.submit(owner, lambda _work: ran.append("list"))

    def remove(_work: Work) -> None:
        ran.append("remove")
        raise RemoteError("in use")

    jobs.submit(owner, remove, None, lambda _error: ran.append("told"), order="x", title="Remove")
    shiboken6.delete(owner)
    gate.open()
    idle(qtbot, jobs)
    assert ran == ["remove"]
    assert notices == ["Remove"]  # its window is gone, so the failure becomes a notice
    assert jobs.close(TIMEOUT)


def test_an_owner_is_not_kept_alive(qtbot: QtBot, jobs: Jobs) -> None:
    gate = Gate()
    owner = QObject()
    seen = weakref.ref(owner)
    jobs.submit(owner, gate.work())
    del owner
    gc.collect()
    assert seen() is None
    gate.open()
    idle(qtbot, jobs)


class Big:
    """Something too large to keep, that can be watched."""


def test_past_jobs_keep_nothing_large(qtbot: QtBot, jobs: Jobs) -> None:
    watched: list[weakref.ref[Big]] = []

    def make() -> Big:
        big = Big()
        watched.append(weakref.ref(big))
        return big

    def fails(_work: Work) -> None:
        local = make()
        raise RemoteError("failed", repr(local))

    closure = make()
    jobs.submit(None, lambda _work: make(), lambda _big: None, title="Result")
    jobs.submit(None, lambda _work, closure=closure: repr(closure), title="Closure")
    jobs.submit(None, fails, None, lambda _error: None, title="Locals of a failure")
    del closure
    idle(qtbot, jobs)
    assert len(jobs.visible()) == 3
    assert len(watched) == 3

    def gone() -> bool:
        gc.collect()
        return all(big() is None for big in watched)

    qtbot.waitUntil(gone, timeout=TIMEOUT)


def test_history_is_bounded_but_shows_all_that_run(qtbot: QtBot, jobs: Jobs) -> None:
    gate = Gate()
    running = [
        jobs.submit(None, gate.work(), order="one after the other", title=f"Remove {number}")
        for number in range(HISTORY + 50)
    ]
    assert jobs.visible() == list(reversed(running))
    jobs.forget_ended()
    assert len(jobs.visible()) == HISTORY + 50
    gate.open()
    idle(qtbot, jobs)
    assert len(jobs.visible()) == HISTORY
    jobs.forget_ended()
    assert jobs.visible() == []


def test_progress_arrives_in_batches(qtbot: QtBot, jobs: Jobs) -> None:
    told: list[tuple[JobState, float | None]] = []
    jobs.job_changed.connect(lambda job: told.append((job.state, job.fraction)))

    def work(work: Work) -> None:
        for step in range(20_000):
            work.progress(step / 20_000, f"step {step}")
            work.part(f"layer {step % 7}", step / 20_000)
            work.log(f"line {step}")

    job = jobs.submit(None, work, title="Pull")
    quiet = jobs.submit(None, lambda work: work.progress(0.5))
    qtbot.waitUntil(lambda: (JobState.DONE, 1.0) in told, timeout=60_000)
    assert len(told) < 2_000
    assert len(job.lines_now()) == 2_000
    assert len(job.parts_now()) == 7
    assert job.text == "step 19999"
    assert quiet not in jobs.visible()


def test_a_log_line_of_ten_mebibytes_is_cut(qtbot: QtBot, jobs: Jobs) -> None:
    job = jobs.submit(None, lambda work: work.log("x" * (10 << 20)), title="Build")
    idle(qtbot, jobs)
    assert len(job.lines_now()[0]) < 10_000


def test_retry_runs_the_same_work_again(qtbot: QtBot, jobs: Jobs, ears: Ears) -> None:
    owner = QObject()
    results = iter([RemoteError("down"), RemoteError("down"), "up"])

    def work(_work: Work) -> str:
        result = next(results)
        if isinstance(result, DockDeskError):
            raise result
        return result

    job = jobs.submit(
        owner, work, ears.success, ears.failure, lane="a", order="x", title="Pull", retryable=True
    )
    with pytest.raises(ValueError, match="retryable"):
        jobs.retry(job)
    for _ in range(2):
        idle(qtbot, jobs)
        job = jobs.retry(job)
    idle(qtbot, jobs)
    assert [kind for kind, _ in ears.heard] == ["failure", "failure", "success"]
    assert (job.lane, job.order, job.title) == ("a", "x", "Pull")
    assert [item.state for item in jobs.visible()] == [
        JobState.DONE,
        JobState.FAILED,
        JobState.FAILED,
    ]


def test_retry_after_the_owner_is_gone_runs_but_tells_nobody(
    qtbot: QtBot, jobs: Jobs, ears: Ears
) -> None:
    owner = QObject()
    runs: list[int] = []
    job = jobs.submit(
        owner,
        lambda _work: runs.append(1),
        ears.success,
        ears.failure,
        title="Export",
        retryable=True,
    )
    qtbot.waitUntil(lambda: bool(ears.heard), timeout=TIMEOUT)
    shiboken6.delete(owner)
    jobs.retry(job)
    idle(qtbot, jobs)
    assert runs == [1, 1]
    assert ears.heard == [("success", None)]


def test_what_is_not_retryable_is_refused(qtbot: QtBot, jobs: Jobs) -> None:
    job = jobs.submit(None, lambda _work: None, title="Once")
    idle(qtbot, jobs)
    with pytest.raises(ValueError, match="retryable"):
        jobs.retry(job)


def test_five_thousand_jobs_at_once(qtbot: QtBot, jobs: Jobs) -> None:
    done: list[int] = []
    for number in range(5_000):
        jobs.submit(
            None, lambda _work, number=number: done.append(number), order=f"c{number % 100}"
        )
    qtbot.waitUntil(lambda: not jobs.busy(), timeout=60_000)
    assert sorted(done) == list(range(5_000))


def test_close_cancels_what_runs_and_drops_what_waits(qtbot: QtBot, ears: Ears) -> None:
    jobs = Jobs()
    gate = Gate()
    submitted = [
        jobs.submit(None, gate.work(), ears.success, ears.failure, order="x") for _ in range(5)
    ]
    assert jobs.close(TIMEOUT)
    qtbot.wait(1)
    assert [job.state for job in submitted] == [JobState.CANCELLED] * 5
    assert not jobs.busy()
    assert ears.heard == []
    assert jobs.submit(None, gate.work()).state is JobState.CANCELLED


def test_close_finishes_vital_work_in_order(qtbot: QtBot) -> None:
    jobs = Jobs()
    gate, entered = Gate(), threading.Event()
    done: list[str] = []

    def first(work: Work) -> None:
        entered.set()
        gate.wait(work)

    jobs.submit(None, first, order="audit")
    for number in range(5):
        jobs.submit(
            None, lambda _work, n=number: done.append(f"entry {n}"), order="audit", vital=True
        )
        jobs.submit(None, lambda _work: done.append("lost"), order="audit")
    jobs.submit(None, lambda _work: done.append("closed"), vital=True)
    assert entered.wait(10)
    assert jobs.close(TIMEOUT)
    assert [line for line in done if line != "closed"] == [f"entry {n}" for n in range(5)]
    assert "closed" in done


def test_close_does_not_wait_for_ever(qtbot: QtBot) -> None:
    jobs = Jobs()
    release = threading.Event()
    entered = threading.Event()

    def stuck(_work: Work) -> None:
        entered.set()
        release.wait(20)

    jobs.submit(None, stuck)
    jobs.submit(None, stuck, long=True)
    assert entered.wait(10)
    start = time.monotonic()
    assert not jobs.close(50)
    assert time.monotonic() - start < 10
    # What outlives the program's objects must not bring it down.
    shiboken6.delete(jobs)
    release.set()


def test_nothing_breaks_when_jobs_die_without_close(qtbot: QtBot) -> None:
    jobs = Jobs()
    release, entered = threading.Event(), threading.Event()

    def work(work: Work) -> None:
        entered.set()
        assert release.wait(10)
        work.progress(0.5)

    job = jobs.submit(None, work, title="Export")
    assert entered.wait(10)
    workers = jobs._workers
    shiboken6.delete(jobs)
    release.set()
    assert job.wait(10)
    assert workers.close(10)
