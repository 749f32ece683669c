"""Files of this computer that transfers read and write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from dockdesk.core.errors import LocalError
from dockdesk.core.units import bytes_text
from dockdesk.core.wholefile import PartFile, local_error
from dockdesk.core.work import Work

CHUNK = 1 << 20


def save_stream(
    pieces: Iterable[bytes], target: Path, work: Work, title: str, expected: int = 0
) -> int:
    """Write a stream to ``target`` whole or not at all; return the bytes written.

    ``expected`` is roughly how many bytes will come, 0 where unknown: it only feeds the progress.
    """
    with PartFile(target, title) as file:
        for piece in pieces:
            work.check()
            file.write(piece)
            fraction = min(0.99, file.written / expected) if expected else None
            work.progress(fraction, bytes_text(file.written))
        work.check()
        file.finish()
        work.progress(1.0, bytes_text(file.written))
        return file.written


def file_chunks(source: Path, work: Work, title: str, share: float = 1.0) -> Iterator[bytes]:
    """A file's bytes for a request's body. Raise LocalError if it can't be read or becomes shorter.

    ``share`` is the part of the whole work that sending them is.
    """
    try:
        with source.open("rb") as file:
            total = os.fstat(file.fileno()).st_size
            sent = 0
            while piece := file.read(CHUNK):
                work.check()
                yield piece
                sent += len(piece)
                work.progress(
                    min(1.0, sent / total) * share if total else None,
                    f"Sent {bytes_text(sent)} of {bytes_text(total)}",
                )
    except OSError as error:
        raise local_error(title, source, error) from error
    if sent < total:
        raise LocalError(title, f"{source}: it became shorter while it was read.", "Try again.")
