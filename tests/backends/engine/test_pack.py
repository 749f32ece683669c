"""Files of this computer become a tar while they are sent."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from pathlib import Path

import pytest

from dockdesk.backends.engine.pack import Packer
from dockdesk.core.errors import CancelledError, InvalidInputError, LocalError
from dockdesk.core.work import SilentWork
from tests.backends.engine.works import RecordingWork


def packed(*sources: Path) -> dict[str, tarfile.TarInfo]:
    data = b"".join(Packer(sources, "Could not copy", SilentWork()))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        return {item.name: item for item in tar}


def content(source: Path, name: str) -> bytes:
    data = b"".join(Packer([source], "Could not copy", SilentWork()))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"hello")
    (root / "sub" / "big").write_bytes(bytes(range(256)) * 5000)
    (root / "sub" / "empty").touch()
    (root / "loop").symlink_to(".")
    (root / "absolute").symlink_to("/etc/passwd")
    return root


def test_a_tree(tree: Path) -> None:
    found = packed(tree)
    assert set(found) == {
        "tree",
        "tree/a.txt",
        "tree/sub",
        "tree/sub/big",
        "tree/sub/empty",
        "tree/loop",
        "tree/absolute",
    }
    assert found["tree/sub"].isdir()
    assert found["tree/loop"].issym()
    assert found["tree/absolute"].linkname == "/etc/passwd"
    assert (found["tree/a.txt"].uid, found["tree/a.txt"].gid, found["tree/a.txt"].uname) == (
        0,
        0,
        "",
    )
    assert content(tree, "tree/sub/big") == bytes(range(256)) * 5000


def test_several_sources_and_odd_names(tree: Path, tmp_path: Path) -> None:
    odd = tmp_path / ("\u202e🐳 <b> " + "ä" * 100)
    odd.write_bytes(b"1")
    broken = Path(os.fsdecode(os.fsencode(tmp_path) + b"/broken-\xff-utf8"))
    broken.write_bytes(b"2")
    found = packed(odd, broken, tree / "a.txt")
    assert set(found) == {odd.name, broken.name, "a.txt"}


def test_a_link_that_was_chosen_stands_for_its_target(tree: Path, tmp_path: Path) -> None:
    chosen = tmp_path / "chosen"
    chosen.symlink_to(tree / "a.txt")
    assert packed(chosen)["chosen"].isreg()
    folder = tmp_path / "folder"
    folder.symlink_to(tree)
    assert packed(folder)["folder/a.txt"].isreg()


def test_the_size_is_known_before(tree: Path) -> None:
    assert Packer([tree], "", SilentWork()).size == 5 + 256 * 5000


def test_progress_goes_up(tree: Path) -> None:
    work = RecordingWork()
    for _ in Packer([tree], "", work):
        pass
    fractions = [fraction for fraction in work.fractions if fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions
    assert fractions[-1] <= 1.0


def test_two_of_one_name_are_refused(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "a.txt"
    other.touch()
    with pytest.raises(InvalidInputError, match=r"a\.txt"):
        Packer([tree / "a.txt", other], "Could not copy", SilentWork())


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LocalError) as caught:
        Packer([tmp_path / "gone"], "Could not copy", SilentWork())
    assert "gone" in caught.value.detail
    assert caught.value.hint


def test_a_file_that_vanishes_meanwhile_is_told(tree: Path) -> None:
    packer = Packer([tree], "Could not copy", SilentWork())
    (tree / "sub" / "empty").unlink()
    with pytest.raises(LocalError) as caught:
        b"".join(packer)
    assert "empty" in caught.value.detail


def test_a_file_that_becomes_shorter_meanwhile_is_told(tree: Path) -> None:
    big = tree / "sub" / "big"
    pieces = iter(Packer([big], "Could not copy", SilentWork()))
    next(pieces)
    os.truncate(big, 10)
    with pytest.raises(LocalError, match="shorter"):
        list(pieces)


def test_a_file_that_grows_meanwhile_is_sent_as_it_was(tree: Path) -> None:
    big = tree / "sub" / "big"
    pieces = iter(Packer([big], "Could not copy", SilentWork()))
    first = next(pieces)
    with big.open("ab") as file:
        file.write(b"more")
    data = first + b"".join(pieces)
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        assert [item.size for item in tar] == [256 * 5000]


def test_a_file_that_a_link_replaced_is_not_followed(tree: Path) -> None:
    packer = Packer([tree], "Could not copy", SilentWork())
    (tree / "a.txt").unlink()
    (tree / "a.txt").symlink_to("/etc/passwd")
    with pytest.raises(LocalError):
        b"".join(packer)


def test_a_pipe_that_took_a_files_place_is_not_waited_for(tree: Path) -> None:
    packer = Packer([tree], "Could not copy", SilentWork())
    (tree / "a.txt").unlink()
    os.mkfifo(tree / "a.txt")
    with pytest.raises(LocalError, match="place"):
        b"".join(packer)


def test_pipes_and_sockets_are_left_out_and_named(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tree / "sock"))
        work = RecordingWork()
        data = b"".join(Packer([tree], "", work))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
        assert not {"tree/pipe", "tree/sock"} & set(tar.getnames())
    assert len(work.lines) == 2
    with pytest.raises(InvalidInputError):
        Packer([tree / "pipe"], "", SilentWork())


def test_it_can_be_cancelled(tree: Path) -> None:
    with pytest.raises(CancelledError):
        b"".join(Packer([tree], "", RecordingWork(cancel_after=4)))
