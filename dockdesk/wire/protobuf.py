"""Protocol Buffers over frozen dataclasses: fields are declared where they are read, and nothing is generated.

The protobuf package was weighed. It wants protoc at development time, generated modules that no type checker and no
reader follows, 60 ms at import, and mutable messages that can't cross threads; of BuildKit's messages some thirty are
needed, made of six kinds of field. What is left out here: groups, extensions, Any's registry, and keeping unknown
fields, which are skipped, as newer peers may send them.

A message is declared as

    @dataclass(frozen=True, slots=True)
    class Vertex:
        digest: str = string(1)
        inputs: tuple[str, ...] = repeated(string(2))

and read with ``decode(Vertex, data)``, written with ``encode(vertex)``. Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Buffer: TypeAlias = bytes | bytearray | memoryview

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WORD = 1 << 64
_KEY = "protobuf"


class ProtobufError(ValueError):
    """What came is no message of the expected kind."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a value is written. ``read`` takes an int for VARINT and the fixed ones, bytes for BYTES."""

    wire: int
    write: Callable[[Any], bytes]
    read: Callable[[Any], Any]
    default: Any


@dataclass(frozen=True, slots=True)
class _Declared:
    number: int
    kind: _Kind
    repeated: bool = False
    key: _Kind | None = None  # of a map


# --- Varints ---


def _slow_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SMALL = tuple(_slow_varint(value) for value in range(1 << 14))


def varint(value: int) -> bytes:
    """A varint; negative numbers as 64 bits in two's complement, as int32 and int64 have them."""
    if 0 <= value < 16384:
        return _SMALL[value]
    return _slow_varint(value % _WORD)


def read_varint(data: Buffer, position: int) -> tuple[int, int]:
    """The unsigned number at ``position``, and where it ends. Raise ProtobufError."""
    value = shift = 0
    try:
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value % _WORD, position
            shift += 7
            if shift > 63:
                raise ProtobufError("a varint of more than ten bytes")
    except IndexError:
        raise ProtobufError("a message ends within a varint") from None


def _signed(value: int) -> int:
    return value - _WORD if value >= _WORD // 2 else value


def _signed32(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


# --- Kinds ---

_TEXT = _Kind(
    BYTES,
    # File names need not be UTF-8; nothing of them may get lost on the way.
    lambda value: value.encode("utf-8", "surrogateescape"),
    lambda data: str(data, "utf-8", "surrogateescape"),
    "",
)
_DATA = _Kind(BYTES, bytes, bytes, b"")
_INT64 = _Kind(VARINT, varint, _signed, 0)
_INT32 = _Kind(VARINT, varint, _signed32, 0)
_UINT64 = _Kind(VARINT, varint, int, 0)
_BOOL = _Kind(VARINT, lambda value: b"\1" if value else b"\0", bool, False)
_DOUBLE = _Kind(
    FIXED64,
    lambda value: struct.pack("<d", value),
    lambda value: struct.unpack("<d", value.to_bytes(8, "little"))[0],
    0.0,
)


def _field(number: int, kind: _Kind) -> Any:
    return field(default=kind.default, metadata={_KEY: _Declared(number, kind)})


def string(number: int) -> Any:
    """A text; bytes that are no UTF-8 survive as surrogate escapes."""
    return _field(number, _TEXT)


def data(number: int) -> Any:
    """Bytes."""
    return _field(number, _DATA)


def int64(number: int) -> Any:
    return _field(number, _INT64)


def int32(number: int) -> Any:
    """An int32, or an enumeration."""
    return _field(number, _INT32)


def uint(number: int) -> Any:
    """A uint32 or uint64."""
    return _field(number, _UINT64)


def boolean(number: int) -> Any:
    return _field(number, _BOOL)


def double(number: int) -> Any:
    return _field(number, _DOUBLE)


def message(number: int, made: type[Any] | Callable[[], type[Any]]) -> Any:
    """A message within; None where it is absent. ``made`` is its class, or returns it where it is declared later."""
    return _field(number, _message_kind(made))


def repeated(one: Any) -> Any:
    """A tuple of what ``one`` declares, such as ``repeated(string(2))``."""
    declared: _Declared = one.metadata[_KEY]
    return field(
        default=(), metadata={_KEY: _Declared(declared.number, declared.kind, repeated=True)}
    )


def mapping(number: int, value: Any = None, key: Any = None) -> Any:
    """A map of texts to texts, or to what ``value`` declares (its number does not count)."""
    kind = _TEXT if value is None else value.metadata[_KEY].kind
    key_kind = _TEXT if key is None else key.metadata[_KEY].kind
    return field(default_factory=dict, metadata={_KEY: _Declared(number, kind, key=key_kind)})


def _message_kind(made: type[Any] | Callable[[], type[Any]]) -> _Kind:
    def read(content: Any) -> Any:
        return decode(made if isinstance(made, type) else made(), content)

    return _Kind(BYTES, encode, read, None)


# --- Messages ---


@dataclass(frozen=True, slots=True)
class _Plan:
    """A class's fields, by name for writing and by number for reading."""

    writers: tuple[tuple[str, _Declared, bytes], ...]
    readers: Mapping[int, tuple[str, _Declared]]


_plans: dict[type[Any], _Plan] = {}


def _plan(made: type[Any]) -> _Plan:
    found = _plans.get(made)
    if found is None:
        found = _plans[made] = _made_plan(made)
    return found


def _made_plan(made: type[Any]) -> _Plan:
    declared = [(item.name, _declared(made, item)) for item in fields(made)]
    return _Plan(
        tuple(
            (name, how, varint(how.number << 3 | (BYTES if how.key else how.kind.wire)))
            for name, how in sorted(declared, key=lambda pair: pair[1].number)
        ),
        {how.number: (name, how) for name, how in declared},
    )


def _declared(made: type[Any], item: Field[Any]) -> _Declared:
    how = item.metadata.get(_KEY)
    if not isinstance(how, _Declared) or (
        item.default is MISSING and item.default_factory is MISSING
    ):
        raise TypeError(f"{made.__name__}.{item.name} is not declared as a field of a message")
    return how


def encode(item: Any) -> bytes:
    """A message's bytes, fields in the order of their numbers. Defaults are left out, as proto3 does."""
    out: list[bytes] = []
    for name, how, tag in _plan(type(item)).writers:
        value = getattr(item, name)
        if how.key is not None:
            out += _entries(tag, how, value)
        elif how.repeated:
            for one in value:
                out += (tag, _sized(how.kind, one))
        elif value is not None and (how.kind.default is None or value != how.kind.default):
            out += (tag, _sized(how.kind, value))
    return b"".join(out)


def _sized(kind: _Kind, value: Any) -> bytes:
    written = kind.write(value)
    return varint(len(written)) + written if kind.wire == BYTES else written


def _entries(tag: bytes, how: _Declared, values: Mapping[Any, Any]) -> Iterator[bytes]:
    assert how.key is not None
    for key, value in values.items():
        entry = (
            varint(1 << 3 | how.key.wire)
            + _sized(how.key, key)
            + varint(2 << 3 | how.kind.wire)
            + _sized(how.kind, value)
        )
        yield tag + varint(len(entry)) + entry


def raw_fields(content: Buffer) -> Iterator[tuple[int, int, Any]]:
    """Each field's number, wire type and value: an int, or a memoryview. Raise ProtobufError."""
    view = memoryview(content)
    position, end = 0, len(view)
    while position < end:
        tag, position = read_varint(view, position)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise ProtobufError("a field without a number")
        value: Any
        if wire == VARINT:
            value, position = read_varint(view, position)
        elif wire == BYTES:
            size, position = read_varint(view, position)
            value = view[position : position + size]
            position += size
        elif wire in {FIXED64, FIXED32}:
            size = 8 if wire == FIXED64 else 4
            value = int.from_bytes(view[position : position + size], "little")
            position += size
        else:
            raise ProtobufError(f"a field of wire type {wire}")
        if position > end:
            raise ProtobufError("a message ends within a field")
        yield number, wire, value


def decode(made: type[T], content: Buffer) -> T:
    """A message from its bytes. Fields nobody declared are skipped. Raise ProtobufError."""
    readers = _plan(made).readers
    values: dict[str, Any] = {}
    for number, wire, raw in raw_fields(content):
        found = readers.get(number)
        if found is None:
            continue
        name, how = found
        if how.key is not None:
            _expect(BYTES, wire, made, name)
            key, value = _entry(how.key, how.kind, raw)
            values.setdefault(name, {})[key] = value
        elif how.repeated:
            values.setdefault(name, []).extend(_several(how.kind, wire, raw, made, name))
        else:
            _expect(how.kind.wire, wire, made, name)
            values[name] = how.kind.read(raw)
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = tuple(value)
    return made(**values)


def _expect(wanted: int, wire: int, made: type[Any], name: str) -> None:
    if wire != wanted:
        raise ProtobufError(f"{made.__name__}.{name} has wire type {wire}")


def _several(kind: _Kind, wire: int, raw: Any, made: type[Any], name: str) -> Iterator[Any]:
    if wire == BYTES and kind.wire == VARINT:  # packed
        position = 0
        while position < len(raw):
            value, position = read_varint(raw, position)
            yield kind.read(value)
        return
    _expect(kind.wire, wire, made, name)
    yield kind.read(raw)


def _entry(key: _Kind, value: _Kind, raw: Buffer) -> tuple[Any, Any]:
    found: dict[int, Any] = {}
    for number, wire, content in raw_fields(raw):
        kind = {1: key, 2: value}.get(number)
        if kind is not None:
            if wire != kind.wire:
                raise ProtobufError(f"a map's entry has wire type {wire}")
            found[number] = kind.read(content)
    # An absent value is the empty one, which for a message is one without fields.
    return found.get(1, key.default), found[2] if 2 in found else (
        value.default if value.default is not None else value.read(b"")
    )
