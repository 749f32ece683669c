"""Files are written whole or not at all, and read with what goes wrong in words."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.backends.engine.localfiles import file_chunks, save_stream
from dockdesk.core.errors import CancelledError, LocalError, UnreachableError
from dockdesk.core.wholefile import PartFile, local_error
from dockdesk.core.work import SilentWork
from tests.backends.engine.works import RecordingWork


def test_a_stream_becomes_a_file(tmp_path: Path) -> None:
    work = RecordingWork()
    target = tmp_path / "a.tar"
    assert save_stream([b"ab", b"cd"], target, work, "", expected=8) == 4
    assert target.read_bytes() == b"abcd"
    assert work.fractions == [0.25, 0.5, 1.0]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.tar"]


def test_an_unknown_size_has_no_fraction(tmp_path: Path) -> None:
    work = RecordingWork()
    save_stream([b"ab"], tmp_path / "a", work, "")
    assert work.fractions == [None, 1.0]


@pytest.mark.parametrize("failure", [UnreachableError("lost"), KeyError("x")])
def test_a_stream_that_breaks_leaves_the_old_file(tmp_path: Path, failure: Exception) -> None:
    target = tmp_path / "a.tar"
    target.write_bytes(b"old")

    def breaking() -> Iterator[bytes]:
        yield b"new"
        raise failure

    with pytest.raises(type(failure)):
        save_stream(breaking(), target, SilentWork(), "")
    assert target.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.tar"]


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CancelledError):
        save_stream([b"a"] * 10, tmp_path / "a", RecordingWork(cancel_after=3), "")
    assert list(tmp_path.iterdir()) == []


def test_cancelling_at_the_end_still_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CancelledError):
        save_stream([b"a"], tmp_path / "a", RecordingWork(cancel_after=1), "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's own full device stands in for the temporary file."""
    real = os.fdopen

    def full(handle: int, mode: str) -> object:
        os.close(handle)
        return real(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr("dockdesk.backends.engine.localfiles.os.fdopen", full)
    with pytest.raises(LocalError) as caught:
        save_stream([b"x" * 1000] * 1000, tmp_path / "a", SilentWork(), "It could not be saved")
    assert caught.value.title == "It could not be saved"
    assert "full" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_delayed_failure_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("dockdesk.backends.engine.localfiles.os.fsync", full)
    with PartFile(tmp_path / "a", "") as file:
        file.write(b"x")
        with pytest.raises(LocalError):
            file.finish()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError) as caught:
        save_stream([b"x"], tmp_path / "no" / "a", SilentWork(), "It could not be saved")
    assert caught.value.hint


def test_long_names(tmp_path: Path) -> None:
    name = "n" * 250
    save_stream([b"x"], tmp_path / name, SilentWork(), "")
    assert (tmp_path / name).read_bytes() == b"x"


def test_reading_for_a_request(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"z" * 3_000_000)
    work = RecordingWork()
    assert b"".join(file_chunks(source, work, "", share=0.5)) == b"z" * 3_000_000
    assert work.fractions[-1] == 0.5
    assert work.texts[-1] == "Sent 3 MB of 3 MB"


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError) as caught:
        list(file_chunks(tmp_path / "gone", SilentWork(), "It could not be loaded"))
    assert "gone" in caught.value.detail


def test_reading_what_becomes_shorter(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(b"z" * 3_000_000)
    chunks = file_chunks(source, SilentWork(), "It could not be loaded")
    next(chunks)
    os.truncate(source, 1000)
    with pytest.raises(LocalError, match="shorter"):
        list(chunks)


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "quota"),
        (errno.EACCES, "right"),
        (errno.EROFS, "read"),
        (errno.ENOENT, "moved"),
    ],
)
def test_hints(number: int, word: str) -> None:
    assert word in local_error("T", "/x", OSError(number, "why")).hint
