"""Several timestamped streams as one, in the order of their stamps.

Each stream brings its history at once, so the order of arrival says nothing at first: lines wait until every stream
that still reads history has reached their time. Once all are live, or over, arrival is the order and nothing waits.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter

from dockdesk.core.logs.blocks import tag_of
from dockdesk.core.logs.stamps import key_of, sort_key
from dockdesk.core.logs.store import LogStore

SILENCE = 0.3
"""A stream that said nothing for this many seconds has no more history to bring."""

PATIENCE = 3.0
"""Nor has one that said nothing at all for so long, since connecting may take that; `Merger.opened` cuts it short."""

MAX_STAGED = 8 * 1024 * 1024
"""Bytes that may wait; beyond, they are shown in the best order known."""

_RELEASE_STEP = 64 * 1024
_LONGEST_PARTIAL = 1024 * 1024  # a line that never ends has no order worth waiting for
_NEVER = b"\xff"
_SORTED_AT_ONCE = 2048  # lines of each stream: sorting can't be interrupted

_Line = tuple[bytes, int, bytes]  # sort key, tag, line with its newline


class _Stream:
    """What is known of one source while its history comes in."""

    def __init__(self, started: float) -> None:
        self.silent_at = started + PATIENCE  # from when on it counts as silent
        self.reached = b""  # newest sort key
        self.live = False
        self.ended = False
        self.partial: dict[int, bytes] = {}
        self.staged: list[_Line] = []


class Merger:
    """Between the sinks of several sources and their store; for one generation of it. Any thread.

    ``clock`` is monotonic seconds, ``wall`` seconds since 1970. Call `tick` every SILENCE seconds or so until it
    says that it has `settled`: silence can't be heard from inside `put`.
    """

    def __init__(
        self,
        store: LogStore,
        generation: int,
        sources: int,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._generation = generation
        self._clock = clock
        self._opened = key_of(int(wall() * 1e9))
        self._lock = threading.Lock()
        self._streams = [_Stream(clock()) for _ in range(sources)]
        self._staged_bytes = 0
        self._fresh_bytes = 0
        self._settled = sources < 2

    @property
    def settled(self) -> bool:
        return self._settled

    def put(self, source: int, stream: int, data: bytes) -> None:
        """Take bytes of one source, cut anywhere."""
        with self._lock:
            if not self._settled:
                self._stage(source, tag_of(source, stream), data)
                if self._fresh_bytes >= _RELEASE_STEP:
                    self._release()
                return
        self._store.append(self._generation, source, stream, data)

    def finish(self, source: int) -> None:
        """The source has ended."""
        with self._lock:
            state = self._streams[source]
            state.ended = True
            if not self._settled:
                for tag, partial in state.partial.items():
                    self._keep(state, tag, [partial])
                state.partial.clear()
                self._release()
        self._store.finish(self._generation, source)

    def opened(self) -> None:
        """All streams are open: one that says nothing from now on has nothing to say."""
        with self._lock:
            silent_at = self._clock() + SILENCE
            for state in self._streams:
                state.silent_at = min(state.silent_at, silent_at)

    def tick(self) -> None:
        """Let lines go that wait for a stream that has fallen silent."""
        with self._lock:
            if not self._settled:
                self._release()

    def _stage(self, source: int, tag: int, data: bytes) -> None:
        state = self._streams[source]
        state.silent_at = self._clock() + SILENCE
        lines = (state.partial.pop(tag, b"") + data).split(b"\n")
        rest = lines.pop()
        if rest:
            state.partial[tag] = rest
        self._keep(state, tag, lines)
        if state.reached >= self._opened:
            state.live = True
        if len(rest) > _LONGEST_PARTIAL:
            self._hand_on_until(_NEVER)
            self._settle()

    def _keep(self, state: _Stream, tag: int, lines: list[bytes]) -> None:
        reached = state.reached
        size = 0
        for line in lines:
            # A line without a stamp, or with one that goes back, belongs to the one before it.
            reached = max(reached, sort_key(line))
            state.staged.append((reached, tag, line + b"\n"))
            size += len(line) + 1
        state.reached = reached
        self._staged_bytes += size
        self._fresh_bytes += size

    def _release(self) -> None:
        """Hand on what no stream can come before any more."""
        self._fresh_bytes = 0
        now = self._clock()
        for state in self._streams:
            state.live = state.live or now >= state.silent_at
        behind = [state.reached for state in self._streams if not state.live and not state.ended]
        waits = behind and self._staged_bytes < MAX_STAGED
        self._hand_on_until(min(behind) if waits else _NEVER)
        if not behind:
            self._settle()

    def _hand_on_until(self, limit: bytes) -> None:
        """Hand on every line up to the time ``limit``, in order."""
        while True:
            step = min(
                (
                    state.staged[_SORTED_AT_ONCE][0]
                    for state in self._streams
                    if len(state.staged) > _SORTED_AT_ONCE
                ),
                default=limit,
            )
            step = min(step, limit)
            ready: list[_Line] = []
            for state in self._streams:
                count = bisect_right(state.staged, step, key=itemgetter(0))
                ready += state.staged[:count]
                del state.staged[:count]
            ready.sort(key=itemgetter(0))
            self._hand_on(ready)
            if step == limit:
                return

    def _hand_on(self, lines: list[_Line]) -> None:
        runs: list[tuple[int, bytes]] = []
        size = 0
        for tag, run in groupby(lines, key=itemgetter(1)):
            data = b"".join([line for _, _, line in run])
            runs.append((tag, data))
            size += len(data)
            self._staged_bytes -= len(data)
            if size >= _RELEASE_STEP:
                self._store.append_runs(self._generation, runs)
                runs, size = [], 0
        self._store.append_runs(self._generation, runs)

    def _settle(self) -> None:
        for state in self._streams:
            for tag, partial in state.partial.items():
                self._store.append(self._generation, tag >> 1, 1 + (tag & 1), partial)
            state.partial.clear()
        self._settled = True
