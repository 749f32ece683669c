"""Threads for jobs."""

from __future__ import annotations

import threading
import time

from dockdesk.bridge.workers import Workers


def test_threads_are_used_again_and_end_when_idle() -> None:
    workers = Workers("test", idle_s=0.05)
    seen: set[int] = set()
    local = threading.local()
    kept: list[bool] = []

    def task() -> None:
        kept.append(hasattr(local, "value"))
        local.value = 1
        seen.add(threading.get_ident())

    for count in range(1, 21):
        workers.start(task)
        until = time.monotonic() + 10
        while (len(kept) < count or workers._idle == 0) and workers._threads:
            assert time.monotonic() < until
            time.sleep(0.001)
    assert any(kept), "what a library keeps per thread is kept between jobs"
    until = time.monotonic() + 10
    while workers._threads:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert workers.close(10)


def test_every_task_runs_at_once_and_none_is_lost() -> None:
    workers = Workers("test", idle_s=0.001)
    barrier = threading.Barrier(10)
    for _ in range(30):
        done: list[int] = []
        for number in range(9):
            workers.start(lambda done=done, number=number: (barrier.wait(10), done.append(number)))
        barrier.wait(10)
        until = time.monotonic() + 10
        while len(done) < 9:
            assert time.monotonic() < until
            time.sleep(0.001)
    assert workers.close(10)


def test_close_runs_what_was_started() -> None:
    workers = Workers("test")
    done: list[int] = []
    for number in range(20):
        workers.start(lambda number=number: (time.sleep(0.01), done.append(number)))
    assert workers.close(10)
    assert sorted(done) == list(range(20))


def test_an_idle_thread_keeps_nothing_of_its_last_task() -> None:
    import gc
    import weakref

    class Big:
        pass

    workers = Workers("test")
    big = Big()
    watched = weakref.ref(big)
    ran = threading.Event()
    workers.start(lambda big=big: (repr(big), ran.set()))
    del big
    assert ran.wait(10)
    until = time.monotonic() + 10
    while watched() is not None:
        gc.collect()
        assert time.monotonic() < until
        time.sleep(0.005)
    assert workers.close(10)
