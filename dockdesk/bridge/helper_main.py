"""The far end of `dockdesk.bridge.helper_process`: a process that calls functions for the program, one at a time.

It imports no Qt, and of DockDesk only what it is asked to call. It ends when the program does: between calls it reads
the end of its input, and while it works a thread waits for the same.
"""

from __future__ import annotations

import importlib
import os
import pickle
import select
import signal
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import IO, Any, NoReturn

from dockdesk.core.errors import DockDeskError

CALL, ITEM, END = "call", "item", "end"  # to the helper
NEXT, PROGRESS, PART, LOG, RESULT, ERROR, BROKEN = (
    "next",
    "progress",
    "part",
    "log",
    "result",
    "error",
    "broken",
)

ANSWERS = frozenset({RESULT, ERROR, BROKEN})

_LENGTH = struct.Struct("<Q")
_TELL_S = 0.1


def packed(*message: Any) -> bytes:
    """A message as it is sent. Raises what pickle raises for what can't travel."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def send(pipe: IO[bytes], data: bytes) -> None:
    """Write one message: its length, then its pickle. Raises OSError where nobody reads any more."""
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> tuple[Any, ...]:
    """The next message. Raises EOFError once there is none."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    message: tuple[Any, ...] = pickle.loads(_exactly(pipe, length))
    return message


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    data = pipe.read(count)
    if len(data) != count:
        raise EOFError
    return data


class _FarWork:
    """The Work of a call: what it reports goes to the program, at most ten times a second for each kind and part.

    Cancelling is not asked for here: it ends the process, see `_end`.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._told: dict[str, float] = {}

    @property
    def cancelled(self) -> bool:
        return False

    def check(self) -> None:
        """A call that is cancelled does not get here."""

    def progress(self, fraction: float | None, text: str = "") -> None:
        if self._due("", fraction):
            send(self._pipe, packed(PROGRESS, fraction, text))

    def part(self, key: str, fraction: float | None, text: str = "") -> None:
        if self._due(f"part {key}", fraction):
            send(self._pipe, packed(PART, key, fraction, text))

    def log(self, line: str) -> None:
        send(self._pipe, packed(LOG, line))

    def on_cancel(self, callback: Callable[[], None]) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()

    def _due(self, kind: str, fraction: float | None) -> bool:
        now = time.monotonic()
        if now - self._told.get(kind, 0.0) < _TELL_S and fraction != 1.0:
            return False
        self._told[kind] = now
        return True


class Far:
    """Reads calls from ``source`` and answers into ``target`` until there are no more."""

    def __init__(self, source: IO[bytes], target: IO[bytes], allowed: Sequence[str]) -> None:
        self._source = source
        self._target = target
        self._allowed = tuple(allowed)

    def run(self) -> None:
        while True:
            try:
                kind, module, name, arguments, fed = receive(self._source)
            except EOFError:
                return
            assert kind == CALL
            send(self._target, self._answer(module, name, arguments, fed))

    def _answer(self, module: str, name: str, arguments: Any, fed: bool) -> bytes:
        work = _FarWork(self._target)
        try:
            function = self._function(module, name)
            return packed(RESULT, function(work, *arguments, *([self._items()] if fed else [])))
        except DockDeskError as error:
            return packed(ERROR, error)
        except (BrokenPipeError, EOFError):
            raise
        except Exception as error:  # noqa: BLE001 - told to the program, which logs and shows it
            return packed(BROKEN, f"{type(error).__name__}: {error}", traceback.format_exc())

    def _function(self, module: str, name: str) -> Callable[..., Any]:
        if not any(module == place or module.startswith(f"{place}.") for place in self._allowed):
            raise PermissionError(f"{module} is nothing that a helper may call")
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        return function

    def _items(self) -> Iterator[Any]:
        """What the program feeds, each when it is wanted."""
        while True:
            send(self._target, packed(NEXT))
            kind, *rest = receive(self._source)
            if kind == END:
                return
            yield rest[0]


def _end(_number: int, _frame: object) -> None:
    """Unwind whatever runs, so that half-written files are removed, and end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _watch(descriptor: int) -> None:
    """End this process when the program at the other end of its input is gone, whatever it does."""
    # The main thread alone can act on it, and only if it is the one that is woken.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    poll = select.poll()
    poll.register(descriptor, 0)  # a hang-up alone
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)


def main(allowed: Sequence[str]) -> NoReturn:
    signal.signal(signal.SIGTERM, _end)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl+C in the terminal is the program's to handle
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a called function prints must not get between the messages
    if hasattr(select, "poll"):
        threading.Thread(target=_watch, args=(source.fileno(),), daemon=True).start()
    try:
        Far(source, target, allowed).run()
    except (BrokenPipeError, EOFError, SystemExit):
        pass  # nobody asks any more
    except BaseException:  # noqa: BLE001 - the last line of defence of a process
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # flushing what nobody reads would fail
