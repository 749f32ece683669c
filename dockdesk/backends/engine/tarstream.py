"""Tar archives read while they stream by: headers are read, contents handed on or stepped over.

Python's tarfile makes a dozen objects of each member and reads in blocks of its own; here a member costs a few
microseconds and what is received is never copied. Sources: POSIX.1-2017 pax, section "ustar Interchange Format"; GNU
tar manual, "Basic Tar Format" and "Sparse Formats".
"""

from __future__ import annotations

import struct
from typing import NamedTuple
from zlib import adler32

BLOCK = 512
_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x")
_LONGEST = 1 << 20  # of a name or of attributes
_MODULUS = 65521  # of Adler-32, whose lower half is a sum of bytes


class TarFormatError(Exception):
    """What came is no tar archive, or not all of one."""


class Member(NamedTuple):
    """A header, with what extended headers say. ``name`` and ``link`` are as they stand in the archive.

    ``size`` is that of the content in bytes, ``real`` that of the file, which is larger where it is sparse.
    """

    name: str
    kind: bytes
    mode: int
    uid: int
    gid: int
    size: int
    real: int
    modified: int
    link: str


class TarReader:
    """Takes an archive's bytes as they come, cut anywhere. Subclasses hear of each member and its content.

    ``done`` is true once the archive's end was read: what follows is padding.
    """

    def __init__(self) -> None:
        self.done = False
        self._header = bytearray()
        self._left = 0  # of the content, then of the padding
        self._padding = 0
        self._inside = False
        self._wanted = False
        self._long = b""  # the kind of extended header that is being collected
        self._collected = bytearray()
        self._extensions = False
        self._next: dict[str, str] = {}
        self._always: dict[str, str] = {}
        self._pending: Member | None = None

    def member(self, member: Member) -> bool:
        """A member begins; whether its content is wanted, piece by piece."""
        raise NotImplementedError

    def content(self, piece: memoryview) -> None:
        """A piece of the content of the member that began last."""
        raise NotImplementedError

    def ended(self) -> None:
        """All of that content was told."""
        raise NotImplementedError

    def feed(self, data: bytes | memoryview) -> None:
        """Take what was received. Raise TarFormatError."""
        view = memoryview(data)
        at, end = 0, len(view)
        while at < end and not self.done:
            if self._left:
                take = min(self._left, end - at)
                if self._long:
                    self._collected += view[at : at + take]
                elif self._wanted:
                    self.content(view[at : at + take])
                at += take
                self._left -= take
                if self._left:
                    return
            if self._inside:
                self._inside = False
                self._close()
            if self._padding:
                take = min(self._padding, end - at)
                at += take
                self._padding -= take
                continue
            if at >= end:
                return
            if not self._header and end - at >= BLOCK:
                block = bytes(view[at : at + BLOCK])
                at += BLOCK
            else:
                take = min(BLOCK - len(self._header), end - at)
                self._header += view[at : at + take]
                at += take
                if len(self._header) < BLOCK:
                    return
                block = bytes(self._header)
                self._header.clear()
            self._take(block)

    def finish(self) -> None:
        """The archive is over: raise TarFormatError if it broke off."""
        if not self.done and (self._left or self._header or self._long or self._pending):
            raise TarFormatError("it breaks off inside a file")

    def _take(self, block: bytes) -> None:
        if self._extensions:  # of an old GNU sparse file: more of its map
            self._extensions = bool(block[504])
            if not self._extensions:
                self._begin_pending()
            return
        (
            name, mode, uid, gid, size, modified, checksum, kind, link, magic, _, _, _, _, _, prefix,
        ) = _FIELDS.unpack(block)  # fmt: skip
        if not block[0] and not block.strip(b"\0"):
            self.done = True
            return
        if (adler32(block) & 0xFFFF) != _expected(checksum):
            raise TarFormatError("a header's checksum is wrong")
        length = number(size)
        if kind in b"xgLKX" and kind != b"":
            if length > _LONGEST:
                raise TarFormatError("a name is longer than a megabyte")
            self._long = b"x" if kind == b"X" else kind
            self._open(length)
            return
        text = _text(name)
        if magic == b"ustar\0" and prefix[0]:
            text = f"{_text(prefix)}/{text}"
        found = Member(
            text, kind, number(mode) & 0o7777, number(uid), number(gid), length, length,
            number(modified), _text(link),
        )  # fmt: skip
        if self._next or self._always:
            found = self._extended(found)
        if kind == b"S":
            found = found._replace(real=number(block[483:495]))
            if block[482]:
                self._pending, self._extensions = found, True
                return
        self._begin(found)

    def _begin_pending(self) -> None:
        found, self._pending = self._pending, None
        assert found is not None
        self._begin(found)

    def _begin(self, found: Member) -> None:
        self._wanted = self.member(found)
        # Links and folders have no content, whatever their header says.
        self._open(found.size if found.kind not in (b"1", b"2", b"3", b"4", b"5", b"6") else 0)

    def _open(self, length: int) -> None:
        self._left = length
        self._padding = -length % BLOCK
        self._inside = True
        if not length:
            self._inside = False
            self._close()

    def _close(self) -> None:
        if not self._long:
            if self._wanted:
                self.ended()
            return
        kind, self._long = self._long, b""
        body = bytes(self._collected)
        self._collected.clear()
        if kind == b"L":
            self._next["path"] = _text(body)
        elif kind == b"K":
            self._next["linkpath"] = _text(body)
        else:
            (self._always if kind == b"g" else self._next).update(attributes(body))

    def _extended(self, found: Member) -> Member:
        values = {**self._always, **self._next}
        self._next = {}
        try:
            size = int(values.get("size", found.size))
            real = int(values.get("GNU.sparse.realsize") or values.get("GNU.sparse.size") or size)
            return Member(
                values.get("GNU.sparse.name") or values.get("path") or found.name,
                found.kind,
                found.mode,
                int(values.get("uid", found.uid)),
                int(values.get("gid", found.gid)),
                size,
                real,
                int(float(values.get("mtime", found.modified))),
                values.get("linkpath", found.link),
            )
        except (ValueError, OverflowError) as error:
            raise TarFormatError(f"an extended header is broken: {error}") from None


def number(field: bytes) -> int:
    """A number of a header: octal digits, or the base 256 of GNU tar. Raise TarFormatError."""
    first = field[0]
    if first & 0x80:
        value = int.from_bytes(field, "big", signed=first == 0xFF)
        return value if first == 0xFF else value & ((1 << (8 * len(field) - 1)) - 1)
    digits = field.partition(b"\0")[0].strip()
    try:
        value = int(digits, 8) if digits else 0
    except ValueError:
        raise TarFormatError("a header holds no number where one belongs") from None
    if value < 0:
        raise TarFormatError("a header holds a negative number")
    return value


def attributes(body: bytes) -> dict[str, str]:
    """The records of a pax header: "length key=value\\n" each. Raise TarFormatError."""
    found: dict[str, str] = {}
    at = 0
    while at < len(body) and body[at]:
        space = body.find(b" ", at, at + 20)
        try:
            length = int(body[at:space]) if space > 0 else 0
        except ValueError:
            length = 0
        record = body[space + 1 : at + length - 1]
        key, equals, value = record.partition(b"=")
        if length <= 0 or at + length > len(body) or not equals:
            raise TarFormatError("an extended header is broken")
        if not key.startswith((b"SCHILY.", b"LIBARCHIVE.")):
            found[_text(key)] = value.decode("utf-8", "surrogateescape")
        at += length
    return found


def _expected(checksum: bytes) -> int:
    """A header's checksum as Adler-32 gives it, which counts the field itself where the header's counts spaces."""
    return (number(checksum) + sum(checksum) - 8 * 32 + 1) % _MODULUS


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
