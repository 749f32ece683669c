"""What the tests have called in helper processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dockdesk.core.errors import ConflictError
from dockdesk.core.wholefile import PartFile
from dockdesk.core.work import Work


def add(_work: Work, left: int, right: int) -> int:
    print("printing does no harm")
    return left + right


def where(_work: Work) -> tuple[int, bool]:
    return os.getpid(), any(name.startswith("PySide6") for name in sys.modules)


def report(work: Work) -> None:
    work.progress(0.5, "half")
    work.part("layer", 0.25, "pulling")
    work.log("a line")
    work.progress(1.0, "all")


def total(_work: Work, start: int, items: Iterator[bytes]) -> int:
    return start + sum(map(len, items))


def first(_work: Work, items: Iterator[bytes]) -> bytes:
    return next(items)


def refuse(_work: Work) -> None:
    raise ConflictError("It is in use", "by web", "Stop web.")


def stumble(_work: Work) -> None:
    raise ValueError("nobody thought of this")


def die(_work: Work) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def unsendable(_work: Work) -> object:
    return lambda: None


def write_for_ever(_work: Work, target: Path, began: Path) -> None:
    with PartFile(target, "It could not be written") as file:
        file.write(b"x")
        began.touch()
        while True:
            time.sleep(0.01)


def stay(_work: Work, began: Path) -> None:
    """Hear no signal, as a long step in C does not."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    began.write_text(str(os.getpid()))
    while True:
        time.sleep(0.1)
