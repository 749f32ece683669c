"""The packets of FileSync, written by hand where there are fifty thousand of them.

The declared messages (wire/buildkit.py) take 20 µs each; these take two. Each is returned with gRPC's length prefix,
ready to be joined. Source: tonistiigi/fsutil, types/wire.proto and types/stat.proto.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from functools import lru_cache

from dockdesk.wire.buildkit import (
    ERROR,
    FINISH,
    GO_CHARACTERS,
    GO_DEVICE,
    GO_FOLDER,
    GO_LINK,
    GO_PIPE,
    GO_SETGID,
    GO_SETUID,
    GO_STICKY,
    REQUEST,
    STAT,
    Packet,
)
from dockdesk.wire.grpc import framed
from dockdesk.wire.protobuf import encode, raw_fields, varint

# Fourteen bits at a time: a time in nanoseconds is five look-ups instead of a loop over nine bytes.
_TWO = tuple(bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(1 << 14))

END_OF_LIST = framed(b"")
FINISHED = framed(encode(Packet(FINISH)))
_DATA_TAG = b"\x08\x02"
_DATA_ID_TAG = b"\x08\x02\x18"


def long_varint(value: int) -> bytes:
    """A varint of a number from 2**42 to 2**63."""
    rest = value >> 42
    head = _TWO[value & 0x3FFF] + _TWO[value >> 14 & 0x3FFF] + _TWO[value >> 28 & 0x3FFF]
    return head + (_TWO[rest & 0x3FFF] + varint(rest >> 14) if rest >> 14 else varint(rest))


def _time(value: int) -> bytes:
    return long_varint(value) if value >> 42 and value > 0 else varint(value)


@lru_cache(maxsize=4096)
def go_mode(mode: int) -> int:
    """st_mode as Go's os.FileMode."""
    made = mode & 0o777
    for bit, go in (
        (stat.S_ISUID, GO_SETUID),
        (stat.S_ISGID, GO_SETGID),
        (stat.S_ISVTX, GO_STICKY),
    ):
        if mode & bit:
            made |= go
    if stat.S_ISDIR(mode):
        return made | GO_FOLDER
    if stat.S_ISLNK(mode):
        return made | GO_LINK
    if stat.S_ISFIFO(mode):
        return made | GO_PIPE
    if stat.S_ISBLK(mode):
        return made | GO_DEVICE
    if stat.S_ISCHR(mode):
        return made | GO_DEVICE | GO_CHARACTERS
    return made


@lru_cache(maxsize=4096)
def _mode_field(mode: int) -> bytes:
    return b"\x10" + varint(go_mode(mode))


def stat_packet(
    path: bytes,
    mode: int,
    size: int,
    modified: int,
    link: bytes = b"",
    device: int = 0,
    minor: int = 0,
    xattrs: Mapping[str, bytes] | None = None,
) -> bytes:
    """One file of the list. ``mode`` is st_mode, ``modified`` in nanoseconds. Its owner is root, as the CLI has it."""
    content = b"\x0a" + varint(len(path)) + path + _mode_field(mode)
    if size:
        content += b"\x28" + varint(size)
    if modified:
        content += b"\x30" + _time(modified)
    if link:
        content += b"\x3a" + varint(len(link)) + link
    if device:
        content += b"\x40" + varint(device)
    if minor:
        content += b"\x48" + varint(minor)
    for name, value in (xattrs or {}).items():
        key = name.encode("utf-8", "surrogateescape")
        entry = b"\x0a" + varint(len(key)) + key + b"\x12" + varint(len(value)) + value
        content += b"\x52" + varint(len(entry)) + entry
    size = len(content)
    packet = b"\x12" + varint(size) + content
    return b"\0" + len(packet).to_bytes(4, "big") + packet


def data_packet(id: int, content: bytes) -> bytes:
    """A piece of a file; without content its end."""
    head = _DATA_ID_TAG + varint(id) if id else _DATA_TAG
    if content:
        head += b"\x22" + varint(len(content))
    return b"\0" + (len(head) + len(content)).to_bytes(4, "big") + head + content


def error_packet(text: str) -> bytes:
    return framed(encode(Packet(ERROR, content=text.encode("utf-8", "replace"))))


def read_packet(message: bytes) -> tuple[int, int, bytes]:
    """Kind, file and content of a packet that the receiver sends. Raise ProtobufError."""
    # The one of which there are many: a request for a file of a number below 2**14.
    if message[:3] == b"\x08\x01\x18":
        if len(message) == 4 and message[3] < 0x80:
            return REQUEST, message[3], b""
        if len(message) == 5 and message[3] >= 0x80 > message[4]:
            return REQUEST, message[3] & 0x7F | message[4] << 7, b""
    kind, id, content = STAT, 0, b""
    for number, _, value in raw_fields(message):
        if number == 1:
            kind = value
        elif number == 3:
            id = value
        elif number == 4:
            content = bytes(value)
    return kind, id, content
