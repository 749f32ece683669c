"""Files as they are on the disk, and as the editor holds them: read exactly, written whole, nothing lost between.

The text area can't hold every character, and a file need not be UTF-8. What can't be shown goes into private-use
characters that stand for it, and back when it is saved.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.core.records import dataclass
from dockdesk.core.wholefile import PartFile, local_error

LARGEST = 2 * 1024 * 1024
"""Bytes of the largest file that is opened: what is larger was not written by hand."""

_BOM = b"\xef\xbb\xbf"
_HOLDER = 0x10F000  # in the last private-use plane: the last byte says what it stands for
_HELD = {char: chr(_HOLDER + number) for number, char in enumerate("\r\u2029\ufdd0\ufdd1\ufeff")}
_HELD |= {chr(0xDC00 + byte): chr(_HOLDER + byte) for byte in range(0x80, 0x100)}
_TO_SCREEN = str.maketrans(_HELD)
_FROM_SCREEN = str.maketrans({held: char for char, held in _HELD.items()})


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from another."""

    modified: int  # nanoseconds since 1970
    size: int
    file: int  # its inode: an atomic save makes another file


@dataclass(frozen=True, slots=True)
class FileForm:
    """How a text is written: its line ends, a byte order mark, and whether all of it was UTF-8.

    ``ends`` holds the end of each line where they differ, for ``lines``, which are the lines as they were read.
    """

    newline: str = "\n"
    bom: bool = False
    clean: bool = True
    lines: Sequence[str] = field(default=(), repr=False)
    ends: Sequence[str] = field(default=(), repr=False)

    @property
    def mixed(self) -> bool:
        return bool(self.ends)


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file as it was read. ``text`` is for the screen; ``faithful`` says that saving would give the same bytes."""

    path: Path
    text: str
    form: FileForm
    stamp: Stamp
    writable: bool
    faithful: bool = True


def to_screen(text: str) -> str:
    """As the text area holds it."""
    return text if text.isascii() and "\r" not in text else text.translate(_TO_SCREEN)


def from_screen(text: str) -> str:
    """What it stands for; bytes that are no UTF-8 are surrogates, as Python's ``surrogateescape`` has them."""
    return text if text.isascii() else text.translate(_FROM_SCREEN)


def stamp_of(path: Path) -> Stamp | None:
    """The state of a file now; None where there is none. Raises OSError."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def read(path: Path) -> FileContent:
    """Read a file; blocks. Raises LocalError, and InvalidInputError for what is no text file of a sensible size."""
    title = f"“{path.name}” can't be opened"
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise InvalidInputError(title, "It is not a file.", "Choose a file or a folder.")
            if found.st_size > LARGEST:
                size = f"It has {found.st_size / 1e6:.0f} MB; files up to 2 MB can be edited here."
                raise InvalidInputError(title, size, "Open it in another editor.")
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise local_error(title, path, error) from error
    if b"\0" in data[:8000]:
        raise InvalidInputError(title, "It holds no text: there are zero bytes in it.")
    text, form = decode(data)
    return FileContent(
        path,
        text,
        form,
        Stamp(found.st_mtime_ns, found.st_size, found.st_ino),
        os.access(path, os.W_OK),
        encode(text, form) == data,
    )


def decode(data: bytes) -> tuple[str, FileForm]:
    """The text for the screen, and how it was written."""
    bom = data.startswith(_BOM)
    body = data[len(_BOM) :] if bom else data
    try:
        text, clean = body.decode("utf-8"), True
    except UnicodeDecodeError:
        text, clean = body.decode("utf-8", "surrogateescape"), False
    windows, all_ends = text.count("\r\n"), text.count("\n")
    newline = "\r\n" if windows * 2 > all_ends else "\n"
    pieces = text.split("\n")
    mixed = 0 < windows < all_ends
    ends = ["\r\n" if piece.endswith("\r") else "\n" for piece in pieces[:-1]] if mixed else []
    if windows:
        pieces = [piece.removesuffix("\r") for piece in pieces[:-1]] + pieces[-1:]
    shown = [to_screen(piece) for piece in pieces]
    lines = tuple(shown) if mixed else ()
    return "\n".join(shown), FileForm(newline, bom, clean, lines, tuple(ends))


def encode(text: str, form: FileForm) -> bytes:
    """The bytes of a text of the screen. Lines that are as they were read keep their own ends."""
    body = from_screen(text)
    if form.mixed:
        body = _with_ends(text, form)
    elif form.newline != "\n":
        body = body.replace("\n", form.newline)
    return (_BOM if form.bom else b"") + body.encode("utf-8", "surrogateescape")


def _with_ends(text: str, form: FileForm) -> str:
    lines, old = text.split("\n"), form.lines
    least = min(len(lines), len(old))
    head = 0
    while head < least and lines[head] == old[head]:
        head += 1
    tail = 0
    while tail < least - head and lines[-1 - tail] == old[-1 - tail]:
        tail += 1
    ends = [*form.ends, ""]
    middle = [form.newline] * (len(lines) - head - tail)
    kept = ends[len(old) - tail :] if tail else []
    pairs = zip(lines, [*ends[:head], *middle, *kept], strict=True)
    written = [from_screen(line) + (end or form.newline) for line, end in pairs]
    written[-1] = from_screen(lines[-1])
    return "".join(written)


def write(path: Path, data: bytes) -> Stamp:
    """Replace a file's content, whole or not at all; blocks. Its rights stay, and a link stays a link.

    A file with several names, or in a folder that takes no new files, is written in its place. Raises LocalError.
    """
    title = f"“{path.name}” could not be saved"
    try:
        target = path.resolve()
        before = target.stat() if target.exists() else None
        if before is not None and not os.access(target, os.W_OK):
            raise PermissionError(13, "It can only be read")
        alone = before is None or before.st_nlink == 1
        if alone and os.access(target.parent, os.W_OK):
            with PartFile(target, title) as part:
                part.write(data)
                part.finish()
            if before is not None:
                os.chmod(target, stat.S_IMODE(before.st_mode))
        else:
            with target.open("r+b" if before is not None else "wb") as file:
                file.write(data)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
        found = target.stat()
    except LocalError:
        raise
    except OSError as error:
        raise local_error(title, path, error) from error
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)
