"""Layers out of the archive that an engine sends of an image, all in one pass and without keeping any of it.

Which of its files are layers stands at the archive's end, so that everything that looks like a layer is read as one.
Sources: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format"; OCI image specification,
"Image Layout", "Layer Filesystem Changeset".
"""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Callable
from typing import IO, Any, Protocol, cast

from dockdesk.backends.engine.tarstream import Member, TarFormatError, TarReader
from dockdesk.core.dissection.model import DEVICE, FILE, FOLDER, HARD_LINK, LINK
from dockdesk.core.dissection.replay import OPAQUE, WHITEOUT, Entry

_MOST_JSON = 16 << 20
_MOST_MEMBERS = 5_000_000
_INFLATED = 1 << 18
_SNIFFED = 265  # up to where a tar archive says that it is one
_KINDS = {
    b"0": FILE, b"\0": FILE, b"7": FILE, b"S": FILE, b"1": HARD_LINK, b"2": LINK, b"5": FOLDER,
    b"3": DEVICE, b"4": DEVICE, b"6": DEVICE,
}  # fmt: skip


class Pipe(Protocol):
    """What bytes flow into."""

    def feed(self, data: bytes | memoryview) -> None: ...

    def finish(self) -> None: ...


def clean(name: str) -> str:
    """A member's path without dots and needless slashes; the root is ""."""
    if name.startswith("./"):
        name = name[2:]
    if not (name.startswith(("/", ".")) or "//" in name or "/." in name):
        return name.rstrip("/")
    return posixpath.normpath("/" + name).lstrip("/")


class LayerReader(TarReader):
    """Collects what a layer says of its files, and the CRC-32 of each content."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self._sum = 0

    def member(self, member: Member) -> bool:
        kind = _KINDS.get(member.kind)
        if kind is None:
            return False  # a volume's label and other things that are no files
        path = clean(member.name)
        if ".wh." in path:
            folder, _, name = path.rpartition("/")
            if name.startswith(".wh."):
                if name == ".wh..wh..opq":
                    self.entries.append(Entry(folder, OPAQUE))
                elif not name.startswith(".wh..wh."):  # which are AUFS's own
                    gone = f"{folder}/{name[4:]}" if folder else name[4:]
                    self.entries.append(Entry(gone, WHITEOUT))
                return False
        if len(self.entries) >= _MOST_MEMBERS:
            raise TarFormatError("it has more than five million files")
        link = member.link if kind == LINK else ""
        if kind == HARD_LINK:
            link = clean(member.link)
        if kind == FILE and member.name.endswith("/"):
            kind = FOLDER  # as archives from before 1988 write them
        size = member.real if kind == FILE else 0
        self.entries.append(
            Entry(path, kind, member.mode, member.uid, member.gid, size, member.modified, link)
        )
        self._sum = 0
        return bool(member.size) and kind == FILE

    def content(self, piece: memoryview) -> None:
        self._sum = zlib.crc32(piece, self._sum)

    def ended(self) -> None:
        self.entries[-1] = self.entries[-1]._replace(checksum=self._sum)


class FileReader(TarReader):
    """Hands on the content of one file of a layer; ``found`` tells whether it came."""

    def __init__(self, path: str, take: Callable[[memoryview], None]) -> None:
        super().__init__()
        self._path = path
        self._take_content = take
        self.found = False

    def member(self, member: Member) -> bool:
        # A second one of the same name would replace it; nobody writes such layers.
        if self.found or _KINDS.get(member.kind) != FILE or clean(member.name) != self._path:
            return False
        self.found = True
        return True

    def content(self, piece: memoryview) -> None:
        self._take_content(piece)

    def ended(self) -> None:
        raise FileDone


class FileDone(Exception):  # noqa: N818 - no failure: the rest of the archive is not wanted
    """The file that was asked for has been read."""


class Gunzip:
    """Takes gzip's compression away, also of several streams one after the other."""

    def __init__(self, target: Pipe) -> None:
        self._target = target
        self._stream = zlib.decompressobj(31)
        self._begun = False

    def feed(self, data: bytes | memoryview) -> None:
        left: bytes | memoryview = data
        try:
            while left:
                self._begun = True
                out = self._stream.decompress(left, _INFLATED)
                if out:
                    self._target.feed(out)
                left = self._stream.unconsumed_tail
                if self._stream.eof:
                    left = self._stream.unused_data
                    self._stream = zlib.decompressobj(31)
                    self._begun = False
                    if not left.strip(b"\0"):
                        return
        except zlib.error as error:
            raise TarFormatError(f"its compression is broken: {error}") from None

    def finish(self) -> None:
        if self._begun:
            raise TarFormatError("its compression breaks off")
        self._target.finish()


class Unzstd:
    """Takes Zstandard's compression away. The library bounds what comes out at a time."""

    def __init__(self, target: Pipe) -> None:
        import zstandard  # most engines send layers as they are

        self._target = target
        self._error: type[Exception] = zstandard.ZstdError
        self._stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_writer(
            cast("IO[bytes]", _Outlet(target)), write_size=_INFLATED, closefd=False
        )

    def feed(self, data: bytes | memoryview) -> None:
        try:
            self._stream.write(data)
        except self._error as error:
            raise TarFormatError(f"its compression is broken: {error}") from None

    def finish(self) -> None:
        self._target.finish()


class _Outlet:
    """A pipe as a file that is written."""

    def __init__(self, target: Pipe) -> None:
        self._target = target

    def write(self, data: bytes) -> int:
        self._target.feed(data)
        return len(data)


class Text:
    """Keeps a small file: a manifest or a configuration."""

    def __init__(self) -> None:
        self.data: bytearray | None = bytearray()

    def feed(self, data: bytes | memoryview) -> None:
        if self.data is not None:
            self.data += data
            if len(self.data) > _MOST_JSON:
                self.data = None

    def finish(self) -> None:
        """Nothing follows."""


def unpacking(magic: bytes, target: Pipe) -> Pipe:
    """``target`` behind what takes a layer's compression away. Raise TarFormatError for an unknown one."""
    if magic.startswith(b"\x1f\x8b"):
        return Gunzip(target)
    if magic.startswith(b"\x28\xb5\x2f\xfd") or (
        magic[1:4] == b"\x2a\x4d\x18" and magic[0] & 0xF0 == 0x50
    ):
        return Unzstd(target)
    if magic.startswith((b"BZh", b"\xfd7zX", b"\x04\x22\x4d\x18")):
        raise TarFormatError("it is compressed in a way that is not supported (bzip2, xz or lz4)")
    return target


class ImageReader(TarReader):
    """Reads an image's archive, of Docker's form or OCI's.

    ``texts`` has its small files, ``layers`` what looked like a layer, ``broken`` why a file is none, ``links`` files
    that are links to others; all by their cleaned names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, bytes] = {}
        self.layers: dict[str, list[Entry]] = {}
        self.broken: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self._name = ""
        self._head = b""
        self._pipe: Pipe | None = None
        self._layer: LayerReader | None = None
        self._text: Text | None = None

    def member(self, member: Member) -> bool:
        name = clean(member.name)
        kind = _KINDS.get(member.kind)
        if kind == LINK:
            self.links[name] = clean(posixpath.join("/" + posixpath.dirname(name), member.link))
        elif kind == HARD_LINK:
            self.links[name] = clean(member.link)
        if kind != FILE:
            return False
        self._name, self._head = name, b""
        self._pipe = self._layer = self._text = None
        if not member.size:
            self.layers[name] = []
        return bool(member.size)

    def content(self, piece: memoryview) -> None:
        if self._name in self.broken:
            return
        try:
            if self._pipe is None:
                self._head += piece
                if len(self._head) < _SNIFFED:
                    return
                self._pipe = self._pipe_for(self._head)
                self._pipe.feed(self._head)
            else:
                self._pipe.feed(piece)
        except TarFormatError as error:
            self.broken[self._name] = str(error)

    def ended(self) -> None:
        if self._name in self.broken:
            return
        try:
            if self._pipe is None:  # it is that small
                self._pipe = self._pipe_for(self._head)
                self._pipe.feed(self._head)
            self._pipe.finish()
        except TarFormatError as error:
            self.broken[self._name] = str(error)
            return
        if self._layer is not None:
            self.layers[self._name] = self._layer.entries
        elif self._text is not None and self._text.data is not None:
            self.texts[self._name] = bytes(self._text.data)

    def _pipe_for(self, head: bytes) -> Pipe:
        if head.lstrip()[:1] in (b"{", b"[") and head[257:262] != b"ustar":
            self._text = Text()
            return self._text
        self._layer = LayerReader()
        return unpacking(head, self._layer)


class OneFile(TarReader):
    """Finds one file of one layer in an image's archive. Raises FileDone from `feed` once it was handed on."""

    def __init__(self, place: str, path: str, take: Callable[[memoryview], None]) -> None:
        super().__init__()
        self._place = place
        self._reader = FileReader(path, take)
        self._head = b""
        self._pipe: Pipe | None = None

    @property
    def found(self) -> bool:
        return self._reader.found

    def member(self, member: Member) -> bool:
        return clean(member.name) == self._place and _KINDS.get(member.kind) == FILE

    def content(self, piece: memoryview) -> None:
        if self._pipe is None:
            self._head += piece
            if len(self._head) < _SNIFFED:
                return
            self._pipe = unpacking(self._head, self._reader)
            self._pipe.feed(self._head)
        else:
            self._pipe.feed(piece)

    def ended(self) -> None:
        if self._pipe is None:
            unpacking(self._head, self._reader).feed(self._head)


def jsonish(data: bytes) -> Any:
    """Parsed JSON; None for what is none."""
    import json

    try:
        return json.loads(data)
    except ValueError:
        return None
