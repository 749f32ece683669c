"""HTTP responses and the engine's frames, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.backends.engine.frames import FrameSplitter, LineSplitter, RawSplitter
from dockdesk.backends.engine.wire import ProtocolError, ResponseReader, chunks, request_head
from dockdesk.core.ports import LogChunk

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def read(reader: ResponseReader, data: bytes, cuts: list[int]) -> bytes:
    """Feed ``data`` cut at ``cuts``; the body."""
    body: list[bytes] = []
    start = 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        if cut > start:
            body += reader.feed(data[start:cut])
            start = cut
    return b"".join(body)


cut_lists = st.lists(st.integers(0, 10_000), max_size=12)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), cut_lists)
def test_a_chunked_body_is_the_same_wherever_it_is_cut(
    pieces: list[bytes], cuts: list[int]
) -> None:
    reader = ResponseReader()
    data = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks(pieces))
    assert read(reader, data, cuts) == b"".join(pieces)
    assert reader.complete
    assert not reader.upgraded
    assert reader.finish()


@given(st.binary(max_size=200), cut_lists)
def test_a_body_of_known_length(body: bytes, cuts: list[int]) -> None:
    reader = ResponseReader()
    data = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    assert read(reader, data, cuts) == body
    assert reader.complete


@given(st.binary(max_size=200), cut_lists)
def test_an_upgraded_connection_carries_raw_bytes(body: bytes, cuts: list[int]) -> None:
    reader = ResponseReader()
    head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
    assert read(reader, head + body, cuts) == body
    assert reader.upgraded
    assert not reader.complete
    assert reader.finish()


def test_a_body_without_framing_ends_with_the_connection() -> None:
    reader = ResponseReader()
    assert b"".join(reader.feed(HEAD + b"\r\nabc")) == b"abc"
    assert reader.upgraded
    assert reader.finish()


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        HEAD + b"Content-Length: 9\r\n\r\nabc",
        HEAD,
        b"",
    ],
)
def test_a_connection_that_breaks_is_not_an_end(data: bytes) -> None:
    reader = ResponseReader()
    if data:
        reader.feed(data)
    assert not reader.finish()


def test_continue_and_extensions_and_trailers_are_skipped() -> None:
    reader = ResponseReader()
    data = (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        + HEAD
        + b"X-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"3;name=value\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"
    )
    assert b"".join(reader.feed(data)) == b"abc"
    assert reader.complete
    assert reader.headers["x-a"] == "1, 2"
    assert reader.feed(b"left over") == []


def test_answers_without_a_body() -> None:
    head = ResponseReader(bodyless=True)
    head.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
    assert head.complete
    for status in (b"204 No Content", b"304 Not Modified"):
        reader = ResponseReader()
        reader.feed(b"HTTP/1.1 " + status + b"\r\n\r\n")
        assert reader.complete


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"\x15\x03\x01\0\x02\x02\x16",
        HEAD + b"Content-Length: many\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 5000,
        HEAD + b"X: " + b"x" * 300_000,
    ],
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        ResponseReader().feed(data)


def test_a_header_cannot_smuggle_another() -> None:
    with pytest.raises(ValueError, match="line end"):
        request_head("GET", "/", {"Host": "a\r\nX: y"})


def frame(kind: int, data: bytes) -> bytes:
    return bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


frame_lists = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=12)


@given(frame_lists, cut_lists)
def test_frames_are_the_same_wherever_they_are_cut(
    frames: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    data = b"".join(frame(kind, part) for kind, part in frames)
    splitter = FrameSplitter()
    found: list[LogChunk] = []
    start = 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        found += splitter.feed([data[start:cut]])
        start = cut
    for kind in (1, 2):
        expected = b"".join(part for other, part in frames if other == kind)
        assert b"".join(chunk.data for chunk in found if chunk.stream == kind) == expected
    assert _merged(found) == _merged([LogChunk(kind, part) for kind, part in frames if part])


def _merged(found: list[LogChunk]) -> list[LogChunk]:
    """Neighbours of one stream put together: what does not depend on the cuts."""
    merged: list[LogChunk] = []
    for chunk in found:
        if merged and merged[-1].stream == chunk.stream:
            merged[-1] = LogChunk(chunk.stream, merged[-1].data + chunk.data)
        else:
            merged.append(chunk)
    return merged


@given(frame_lists)
def test_a_frame_a_piece_is_as_good_as_one_run_of_bytes(frames: list[tuple[int, bytes]]) -> None:
    pieces = [frame(kind, part) for kind, part in frames]
    assert FrameSplitter().feed(pieces) == FrameSplitter().feed([b"".join(pieces)])


def test_neighbouring_frames_become_one_chunk() -> None:
    pieces = [frame(1, b"a\n"), frame(1, b"b\n"), frame(2, b"c\n"), frame(1, b"d\n")]
    assert FrameSplitter().feed(pieces) == [
        LogChunk(1, b"a\nb\n"),
        LogChunk(2, b"c\n"),
        LogChunk(1, b"d\n"),
    ]


def test_what_the_engine_itself_says_stands_with_the_errors() -> None:
    assert FrameSplitter().feed([frame(3, b"lost")]) == [LogChunk(2, b"lost")]
    assert FrameSplitter().feed([frame(0, b"typed")]) == [LogChunk(1, b"typed")]


def test_a_long_frame_is_passed_on_as_it_comes() -> None:
    splitter = FrameSplitter()
    assert splitter.feed([b"\x01\0\0\0\x00\xa0\0\0" + b"x" * 100]) == [LogChunk(1, b"x" * 100)]
    assert splitter.feed([b"y" * 50]) == [LogChunk(1, b"y" * 50)]


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(ProtocolError):
        FrameSplitter().feed([b"plain text, no frames"])


def test_raw_output_is_one_stream() -> None:
    assert RawSplitter().feed([b"a", b"b"]) == [LogChunk(1, b"ab")]
    assert RawSplitter().feed([]) == []


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line)), cut_lists)
def test_lines_are_the_same_wherever_they_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter()
    found: list[bytes] = []
    start = 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        found += splitter.feed([data[start:cut]])
        start = cut
    assert found == [line for line in lines if line.strip()]
    assert splitter.rest() == b""
