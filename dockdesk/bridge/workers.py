"""Threads for jobs: made when needed, kept for a while, and never in the way of the program's end."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable


class Workers:
    """As many threads as there is work at once; the caller bounds it.

    Not a QThreadPool, for two reasons: the destructor of that one waits for its threads without end, so that a single
    stuck remote would keep the program from quitting, and it gives Python a new thread state for every run, which
    throws away what libraries keep per thread (connection pools, database handles). These are daemon threads.
    """

    def __init__(self, name: str, idle_s: float = 30.0) -> None:
        self._name = name
        self._idle_s = idle_s
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._closed = False
        self._numbers = itertools.count(1)

    def start(self, task: Callable[[], None]) -> None:
        """Run ``task`` on a thread of its own, at once. It must not raise."""
        with self._lock:
            # Not handed over as the thread's argument, which the thread would keep as long as it lives.
            self._tasks.put(task)
            if self._idle:
                self._idle -= 1
                return
            name = f"{self._name}-{next(self._numbers)}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.add(thread)
            thread.start()

    def close(self, timeout: float) -> bool:
        """Let the threads end and wait so many seconds for them; False if one is still at work then.

        What was started before is run to its end. Threads that don't end are left behind: they die with the process.
        """
        with self._lock:
            self._closed = True
            threads = list(self._threads)
            for _ in range(self._idle):
                self._tasks.put(None)
            self._idle = 0
        until = time.monotonic() + timeout
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _run(self) -> None:
        task = self._tasks.get()
        while task is not None:
            task()
            task = None  # what it holds must not live until the next one comes
            task = self._next()
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._closed:
                return None
            self._idle += 1
        try:
            return self._tasks.get(timeout=self._idle_s)
        except queue.Empty:
            with self._lock:
                try:
                    return self._tasks.get_nowait()  # claimed between the timeout and the lock
                except queue.Empty:
                    self._idle -= 1
                    return None
