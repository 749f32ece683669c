"""The codec, against bytes from protobuf's own documentation and against itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.wire import buildkit
from dockdesk.wire.protobuf import (
    ProtobufError,
    boolean,
    data,
    decode,
    double,
    encode,
    int32,
    int64,
    mapping,
    message,
    raw_fields,
    repeated,
    string,
    uint,
    varint,
)


@dataclass(frozen=True, slots=True)
class Inner:
    name: str = string(1)


@dataclass(frozen=True, slots=True)
class Everything:
    text: str = string(1)
    raw: bytes = data(2)
    long: int = int64(3)
    short: int = int32(4)
    count: int = uint(5)
    yes: bool = boolean(6)
    ratio: float = double(7)
    inner: Inner | None = message(8, Inner)  # noqa: RUF009
    names: tuple[str, ...] = repeated(string(9))
    numbers: tuple[int, ...] = repeated(int64(10))
    inners: tuple[Inner, ...] = repeated(message(11, Inner))
    attrs: Mapping[str, str] = mapping(12)
    files: Mapping[str, bytes] = mapping(300, data(2))
    by_number: Mapping[int, Inner] = mapping(301, message(2, Inner), int64(1))


INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
INNER = st.builds(Inner, st.text())
EVERYTHING = st.builds(
    Everything,
    text=st.text(),
    raw=st.binary(),
    long=INT64,
    short=st.integers(-(1 << 31), (1 << 31) - 1),
    count=st.integers(0, (1 << 64) - 1),
    yes=st.booleans(),
    ratio=st.floats(allow_nan=False),
    inner=st.none() | INNER,
    names=st.lists(st.text()).map(tuple),
    numbers=st.lists(INT64).map(tuple),
    inners=st.lists(INNER).map(tuple),
    attrs=st.dictionaries(st.text(), st.text()),
    files=st.dictionaries(st.text(), st.binary()),
    by_number=st.dictionaries(INT64, INNER),
)


@given(EVERYTHING)
def test_round_trip(item: Everything) -> None:
    assert decode(Everything, encode(item)) == item


@given(EVERYTHING, st.data())
def test_a_cut_message_is_refused_or_is_a_shorter_one(
    item: Everything, drawn: st.DataObject
) -> None:
    whole = encode(item)
    cut = drawn.draw(st.integers(0, len(whole)))
    try:
        decode(Everything, whole[:cut])
    except ProtobufError:
        return
    assert isinstance(decode(Everything, whole[:cut]), Everything)


@given(st.binary())
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for made in (Everything, buildkit.StatusResponse, buildkit.Packet):
        try:
            decode(made, content)
        except ProtobufError:
            continue


def test_the_bytes_of_the_documentation() -> None:
    assert varint(150) == b"\x96\x01"
    assert varint(-2) == b"\xfe" + b"\xff" * 8 + b"\x01"
    assert encode(Inner("testing")) == b"\x0a\x07testing"
    assert decode(Everything, b"\x18\x96\x01").long == 150
    assert list(raw_fields(b"\x08\x96\x01")) == [(1, 0, 150)]


def test_defaults_are_left_out_and_an_empty_message_is_not() -> None:
    assert encode(Everything()) == b""
    assert decode(Everything, encode(Everything(inner=Inner()))).inner == Inner()


def test_packed_numbers_and_those_one_by_one() -> None:
    assert decode(Everything, b"\x52\x03\x01\x96\x01").numbers == (1, 150)
    assert decode(Everything, b"\x50\x01\x50\x02").numbers == (1, 2)


def test_unknown_fields_are_skipped_and_the_last_one_counts() -> None:
    unknown = (
        b"\xf8\x3f\x05" + b"\xfd\x3f\x00\x00\x00\x00" + b"\xf9\x3f" + bytes(8) + b"\xfa\x3f\x01x"
    )
    assert decode(Inner, unknown + b"\x0a\x01a" + unknown + b"\x0a\x01b") == Inner("b")


@pytest.mark.parametrize(
    "content",
    [
        b"\x08",  # no value
        b"\x0a\x05abc",  # shorter than it says
        b"\x08" + b"\xff" * 11,  # a varint without end
        b"\x0b",  # a group
        b"\x02\x00",  # field 0
        b"\x08\x01",  # a number where a text is declared
    ],
)
def test_broken_messages(content: bytes) -> None:
    with pytest.raises(ProtobufError):
        decode(Inner, content)


def test_names_that_are_no_text_survive() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert encode(Inner(name)) == b"\x0a\x04caf\xe9"
    assert decode(Inner, b"\x0a\x04caf\xe9").name == name


def test_a_plain_dataclass_is_no_message() -> None:
    @dataclass
    class Plain:
        name: str = ""

    with pytest.raises(TypeError, match=r"Plain\.name"):
        encode(Plain())


@given(st.floats(0, 4e9))
def test_times(moment: float) -> None:
    assert abs(buildkit.Timestamp.at(moment).moment - moment) < 1e-6
