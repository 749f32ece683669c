"""Files of this computer that are written whole or not at all, and their failures in words.

What is written goes to a temporary name beside its target and is moved there once it is complete, so that a full disk,
a lost connection or a cancelled export leaves neither half a file nor a damaged older one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import IO

from dockdesk.core.errors import LocalError

_HINTS = {
    errno.ENOSPC: "The disk is full. Free some space, or choose another place.",
    errno.EDQUOT: "Your disk quota is used up. Free some space, or choose another place.",
    errno.EFBIG: "The file system takes no files of this size. Choose another place.",
    errno.EROFS: "This place can only be read. Choose another.",
    errno.EACCES: "You have no right to this place. Choose another.",
    errno.EPERM: "You have no right to this place. Choose another.",
    errno.ENOENT: "It may have been moved or removed. Choose it again.",
    errno.ENOTDIR: "A folder on the way to it is a file. Choose another place.",
    errno.ENAMETOOLONG: "The name is too long for this file system. Choose another place.",
    errno.EIO: "The disk reports an error. Check it.",
}


def local_error(title: str, path: Path | str, error: OSError) -> LocalError:
    """A failure of this computer's files, with what to do about it."""
    reason = error.strerror or str(error)
    return LocalError(title, f"{path}: {reason}", _HINTS.get(error.errno or 0, ""))


class PartFile:
    """A file that appears under its name only when it is complete. A context manager; call `finish` at the end.

    Raises LocalError from every method. Its mode is what a newly made file of the user gets.
    """

    def __init__(self, target: Path, title: str) -> None:
        self._target = target
        self._title = title
        self._file: IO[bytes] | None = None
        self._path = target
        self.written = 0

    def __enter__(self) -> PartFile:
        try:
            handle, name = tempfile.mkstemp(
                prefix=f".{self._target.name[:80]}.", suffix=".part", dir=self._target.parent
            )
            self._path = Path(name)
            self._file = os.fdopen(handle, "wb")
        except OSError as error:
            raise local_error(self._title, self._target, error) from error
        return self

    def write(self, data: bytes) -> None:
        assert self._file is not None
        try:
            self._file.write(data)
        except OSError as error:
            raise local_error(self._title, self._target, error) from error
        self.written += len(data)

    def finish(self) -> None:
        """Move it to its name, over what was there."""
        assert self._file is not None
        try:
            self._file.flush()
            # A delayed write may find the disk full only now.
            os.fsync(self._file.fileno())
            self._close()
            os.chmod(self._path, 0o666 & ~_umask())
            os.replace(self._path, self._target)
        except OSError as error:
            raise local_error(self._title, self._target, error) from error
        self._path = self._target

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # the first failure is the one to tell
            self._close()
        if self._path != self._target:
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _umask() -> int:
    """The process's umask, read without changing it: another thread may make a file at the same moment."""
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except (OSError, ValueError, IndexError):
        return 0o022
    return 0o022


def write_whole(path: Path, text: str) -> None:
    """Replace a file by one that the user alone can read; its folder is made. Raises OSError."""
    # The file itself may be a link into the user's own collection of settings: write where it leads.
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
