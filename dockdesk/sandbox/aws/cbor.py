"""The part of CBOR that Smithy's RPC v2 protocol uses, both ways.

Source: RFC 8949; https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html (timestamps are tag 1).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.aws.values import When

_DEEPEST = 64
_BREAK = object()
_TIME_TAG = 1


def encode(value: Any) -> bytes:
    """Raises TypeError for what CBOR cannot hold here."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


def _head(out: bytearray, major: int, number: int) -> None:
    first = major << 5
    if number < 24:
        out.append(first | number)
    elif number < 1 << 8:
        out += struct.pack(">BB", first | 24, number)
    elif number < 1 << 16:
        out += struct.pack(">BH", first | 25, number)
    elif number < 1 << 32:
        out += struct.pack(">BI", first | 26, number)
    else:
        out += struct.pack(">BQ", first | 27, number)


def _write(out: bytearray, value: Any) -> None:
    if value is None:
        out.append(0xF6)
    elif isinstance(value, bool):
        out.append(0xF5 if value else 0xF4)
    elif isinstance(value, int):
        _head(out, 0 if value >= 0 else 1, value if value >= 0 else -1 - value)
    elif isinstance(value, When):
        out.append(0xC0 | _TIME_TAG)
        out += struct.pack(">Bd", 0xFB, value)
    elif isinstance(value, float):
        out += struct.pack(">Bd", 0xFB, value)
    elif isinstance(value, str):
        data = value.encode()
        _head(out, 3, len(data))
        out += data
    elif isinstance(value, bytes):
        _head(out, 2, len(value))
        out += value
    elif isinstance(value, Mapping):
        _head(out, 5, len(value))
        for name, inner in value.items():
            _write(out, name)
            _write(out, inner)
    elif isinstance(value, list | tuple):
        _head(out, 4, len(value))
        for inner in value:
            _write(out, inner)
    else:
        raise TypeError(f"{type(value).__name__} in CBOR")


def decode(data: bytes) -> Any:
    """Raises ValueError for what is not CBOR, or nested too deep."""
    reader = _Reader(data)
    try:
        value = reader.item(0)
    except (IndexError, struct.error, OverflowError) as error:
        raise ValueError(f"not CBOR: {error}") from None
    if value is _BREAK or reader.at != len(data):
        raise ValueError("not CBOR: something is left over")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self.at:
            raise ValueError("not CBOR: it ends early")
        taken = self._data[self.at : self.at + count]
        self.at += count
        return taken

    def _number(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise ValueError("not CBOR: a reserved length")
        return int.from_bytes(self._take(1 << (info - 24)), "big")

    def item(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("nested too deep")
        first = self._take(1)[0]
        major, info = first >> 5, first & 31
        if major == 7:
            return self._simple(info)
        endless = info == 31
        if endless and major not in {2, 3, 4, 5}:
            raise ValueError("not CBOR: an endless number")
        number = -1 if endless else self._number(info)
        if major == 0:
            return number
        if major == 1:
            return -1 - number
        if major in {2, 3}:
            return self._string(major, number, depth)
        if major == 4:
            return self._list(number, depth)
        if major == 5:
            return self._map(number, depth)
        value = self.item(depth + 1)
        return When(value) if number == _TIME_TAG and isinstance(value, int | float) else value

    def _string(self, major: int, number: int, depth: int) -> str | bytes:
        if number >= 0:
            data = self._take(number)
            return data if major == 2 else data.decode()
        parts: list[Any] = []
        while (part := self.item(depth + 1)) is not _BREAK:
            if not isinstance(part, str if major == 3 else bytes):
                raise ValueError("not CBOR: a string of something else")
            parts.append(part)
        joined: str | bytes = "".join(parts) if major == 3 else b"".join(parts)
        return joined

    def _list(self, number: int, depth: int) -> list[Any]:
        values: list[Any] = []
        while number < 0 or len(values) < number:
            value = self.item(depth + 1)
            if value is _BREAK:
                if number >= 0:
                    raise ValueError("not CBOR: a list ends early")
                break
            values.append(value)
        return values

    def _map(self, number: int, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        count = 0
        while number < 0 or count < number:
            name = self.item(depth + 1)
            if name is _BREAK and number < 0:
                break
            if not isinstance(name, str):
                raise ValueError("a key that is not text")
            values[name] = self.item(depth + 1)
            count += 1
        return values

    def _simple(self, info: int) -> Any:
        if info in {20, 21}:
            return info == 21
        if info in {22, 23}:
            return None
        if info == 31:
            return _BREAK
        sizes = {25: ">e", 26: ">f", 27: ">d"}
        if info not in sizes:
            raise ValueError("not CBOR: an unknown simple value")
        (value,) = struct.unpack(sizes[info], self._take(struct.calcsize(sizes[info])))
        if not math.isfinite(value):
            raise ValueError("a number that is not finite")
        return value
