"""Files in containers of real engines."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockdesk.backends.engine.files import FileCalls
from dockdesk.backends.engine.listing import PART_NAME
from dockdesk.backends.engine.pack import Packer
from dockdesk.core.errors import (
    CancelledError,
    ConflictError,
    DockDeskError,
    InvalidInputError,
    LocalError,
    NotFoundError,
)
from dockdesk.core.resources.containers import FileEntry
from dockdesk.core.work import SilentWork
from tests.backends.engine.works import RecordingWork
from tests.contract.conftest import Rig
from tests.engines import wait_for

TREE = """
mkdir -p /d/sub/deep /d/empty
echo hello > /d/a.txt
echo deep > /d/sub/deep/file
echo odd > '/d/two words'
echo odd > "/d/line
end"
ln -s a.txt /d/link
ln -s /etc/passwd /d/outside
ln -s /d /to-d
ln -s nowhere /d/broken
chmod 4755 /d/a.txt
chown 1000:1000 /d/sub
mkfifo /d/pipe
"""


def names(entries: list[FileEntry]) -> set[str]:
    return {entry.name for entry in entries}


@pytest.fixture
def stopped(rig: Rig) -> str:
    """A container that has run and ended, with a tree of files."""
    return rig.do(TREE)


@pytest.fixture(params=["running", "stopped"])
def container(rig: Rig, request: pytest.FixtureRequest) -> str:
    if request.param == "stopped":
        return rig.do(TREE)
    name = rig.run("sh", "-c", f"{TREE}\ntouch /ready; sleep 1000")

    def ready() -> bool:
        try:
            rig.backend.read_file(name, "/ready")
        except NotFoundError:
            return False
        return True

    wait_for(ready, 60, "the files are there")
    return name


def test_a_folder(rig: Rig, container: str) -> None:
    entries = {entry.name: entry for entry in rig.backend.list_files(container, "/d")}
    assert set(entries) == {
        "a.txt", "sub", "empty", "two words", "line\nend", "link", "outside", "broken", "pipe",
    }  # fmt: skip
    assert entries["a.txt"].kind == "file"
    assert entries["a.txt"].size == 6
    assert entries["a.txt"].mode & 0o7777 == 0o4755
    assert entries["a.txt"].path == "/d/a.txt"
    assert entries["a.txt"].modified > 1_700_000_000
    assert entries["sub"].kind == "folder"
    assert entries["link"].kind == "link"
    assert entries["link"].link_target == "a.txt"
    assert entries["pipe"].kind == "other"
    assert rig.backend.list_files(container, "/d/empty") == []


def test_links_to_folders_are_followed(rig: Rig, container: str) -> None:
    entries = rig.backend.list_files(container, "/to-d")
    assert "a.txt" in names(entries)
    assert {os.path.dirname(entry.path) for entry in entries} == {"/to-d"}
    assert names(rig.backend.list_files(container, "/to-d/sub/../sub/deep/")) == {"file"}


def test_the_root(rig: Rig, container: str) -> None:
    listed = names(rig.backend.list_files(container, "/"))
    assert {"bin", "d", "etc", "to-d"} <= listed
    assert "a.txt" not in listed


def test_what_the_kernel_mounts_is_asked_of_the_container(rig: Rig) -> None:
    rig.must_be_real("no kernel mounts anything in it")
    name = rig.run("sleep", "1000")
    assert {"1", "mounts"} <= names(rig.backend.list_files(name, "/proc"))


@pytest.fixture
def frugal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """As if every folder were too large to be read through."""
    monkeypatch.setattr(FileCalls, "cheap_bytes", 0)
    monkeypatch.setattr(FileCalls, "most_bytes", 0)
    return monkeypatch


def test_a_large_folder_is_asked_of_the_container(rig: Rig, frugal: pytest.MonkeyPatch) -> None:
    rig.must_be_real("its shell has no stat, which the listing asks")
    name = rig.run("sh", "-c", f"{TREE}\nsleep 1000")
    wait_for(lambda: "to-d" in names(rig.backend.list_files(name, "/")), 60, "the files are there")
    wait_for(lambda: "pipe" in names(rig.backend.list_files(name, "/d")), 60, "the files are there")
    entries = {entry.name: entry for entry in rig.backend.list_files(name, "/d")}
    frugal.undo()
    archived = {entry.name: entry for entry in rig.backend.list_files(name, "/d")}
    assert set(entries) == set(archived)
    for entry in entries.values():
        other = archived[entry.name]
        assert (entry.kind, entry.mode, entry.link_target, entry.path) == (
            other.kind, other.mode, other.link_target, other.path,
        )  # fmt: skip
        assert entry.modified == pytest.approx(other.modified, abs=1.5)
        if entry.kind == "file":
            assert entry.size == other.size
    assert entries["sub"].owner in {"user", "1000"}


def test_a_large_folder_of_a_stopped_container_is_read_on(
    rig: Rig, stopped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileCalls, "cheap_bytes", 0)
    listed = names(rig.backend.list_files(stopped, "/"))
    assert {"bin", "d", "etc", "to-d"} <= listed
    assert PART_NAME not in listed


def test_a_huge_folder_of_a_stopped_container_is_guessed_at_and_says_so(
    rig: Rig, stopped: str, frugal: pytest.MonkeyPatch
) -> None:
    entries = {entry.name: entry for entry in rig.backend.list_files(stopped, "/")}
    # Usual names, and what the container changed.
    assert {"bin", "etc", "d", "to-d"} <= set(entries)
    assert entries["bin"].kind == "folder"
    assert entries["to-d"].kind == "link"
    assert entries[PART_NAME].kind == "other"
    assert "Start it" in entries[PART_NAME].link_target


def test_reading(rig: Rig, container: str) -> None:
    backend = rig.backend
    assert backend.read_file(container, "/d/a.txt") == (b"hello\n", False)
    assert backend.read_file(container, "/d/a.txt", limit=4) == (b"hell", True)
    assert backend.read_file(container, "/d/a.txt", limit=6) == (b"hello\n", False)
    assert backend.read_file(container, "/d/link") == (b"hello\n", False)
    assert backend.read_file(container, "/to-d/sub/deep/file") == (b"deep\n", False)
    data, more = backend.read_file(container, "/bin/busybox", limit=1000)
    assert (len(data), data[:4], more) == (1000, b"\x7fELF", True)


def test_what_can_not_be_read_or_listed(rig: Rig, stopped: str) -> None:
    unreadable: dict[str, type[DockDeskError]] = {
        "/d": InvalidInputError,
        "/to-d": InvalidInputError,
        "/d/pipe": InvalidInputError,
        "/d/none": NotFoundError,
        "/d/broken": NotFoundError,
    }
    for path, kind in unreadable.items():
        with pytest.raises(kind) as caught:
            rig.backend.read_file(stopped, path)
        assert path in caught.value.title
    unlistable: dict[str, type[DockDeskError]] = {
        "/none": NotFoundError,
        "/d/a.txt": InvalidInputError,
    }
    for path, kind in unlistable.items():
        with pytest.raises(kind) as caught:
            rig.backend.list_files(stopped, path)
        assert path in caught.value.title


def test_downloading_a_folder(rig: Rig, container: str, tmp_path: Path) -> None:
    work = RecordingWork()
    made = rig.backend.download(container, "/d", tmp_path, work)
    assert made == tmp_path / "d"
    assert (made / "a.txt").read_text() == "hello\n"
    assert (made / "sub" / "deep" / "file").read_text() == "deep\n"
    assert (made / "line\nend").read_text() == "odd\n"
    assert (made / "link").readlink() == Path("a.txt")
    assert (made / "empty").is_dir()
    assert not (made / "outside").is_symlink()
    assert not (made / "pipe").exists()
    assert len([line for line in work.lines if line.startswith("Left out")]) == 2
    assert "without 2" in work.texts[-1]
    assert work.fractions[-1] == 1.0
    # A second time goes beside it.
    assert rig.backend.download(container, "/d/", tmp_path, SilentWork()) == tmp_path / "d (2)"
    assert {entry.name for entry in tmp_path.iterdir()} == {"d", "d (2)"}


def test_downloading_a_file(rig: Rig, container: str, tmp_path: Path) -> None:
    backend = rig.backend
    made = backend.download(container, "/d/link", tmp_path, SilentWork())
    assert made == tmp_path / "link"
    assert made.read_text() == "hello\n"
    assert not made.is_symlink()
    target = tmp_path / "chosen.txt"
    target.write_text("old")
    assert backend.download(container, "/d/a.txt", target, SilentWork()) == target
    assert target.read_text() == "hello\n"
    work = RecordingWork()
    made = backend.download(container, "/bin/busybox", tmp_path, work)
    assert made.stat().st_size > 1_000_000
    known = [fraction for fraction in work.fractions if fraction is not None]
    assert known == sorted(known)
    assert len(known) > 2


def test_downloading_what_is_not_there_leaves_nothing(
    rig: Rig, stopped: str, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError):
        rig.backend.download(stopped, "/none", tmp_path, SilentWork())
    with pytest.raises(LocalError):
        rig.backend.download(stopped, "/d", tmp_path / "no" / "where", SilentWork())
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_download_leaves_nothing(rig: Rig, stopped: str, tmp_path: Path) -> None:
    with pytest.raises(CancelledError):
        rig.backend.download(stopped, "/", tmp_path, RecordingWork(cancel_after=20))
    assert list(tmp_path.iterdir()) == []
    rig.backend.remove(stopped)  # the engine let go of it


@pytest.fixture
def local(tmp_path: Path) -> Path:
    tree = tmp_path / "local"
    (tree / "sub").mkdir(parents=True)
    (tree / "a.txt").write_text("from here\n")
    (tree / "sub" / "big").write_bytes(os.urandom(3_000_000))
    (tree / "link").symlink_to("a.txt")
    (tree / "🐳 ü").write_text("odd")
    (tree / "run").write_text("#!/bin/sh\n")
    (tree / "run").chmod(0o755)
    return tree


def test_uploading(rig: Rig, container: str, local: Path) -> None:
    backend = rig.backend
    work = RecordingWork()
    backend.upload(container, [local, local / "a.txt"], "/d/empty", work)
    assert names(backend.list_files(container, "/d/empty")) == {"local", "a.txt"}
    entries = {e.name: e for e in backend.list_files(container, "/d/empty/local")}
    assert set(entries) == {"a.txt", "sub", "link", "🐳 ü", "run"}
    assert entries["link"].link_target == "a.txt"
    assert entries["run"].mode == 0o755
    assert backend.read_file(container, "/d/empty/a.txt") == (b"from here\n", False)
    big, more = backend.read_file(container, "/d/empty/local/sub/big", limit=4_000_000)
    assert not more
    assert big == (local / "sub" / "big").read_bytes()
    assert work.fractions[-1] == 1.0
    assert any(0 < (fraction or 0) < 1 for fraction in work.fractions)


def test_uploading_through_a_link(rig: Rig, container: str, local: Path) -> None:
    rig.backend.upload(container, [local / "run"], "/to-d/empty", SilentWork())
    assert names(rig.backend.list_files(container, "/d/empty")) == {"run"}


def test_an_upload_replaces_a_file(rig: Rig, stopped: str, local: Path) -> None:
    rig.backend.upload(stopped, [local / "a.txt"], "/d", SilentWork())
    assert rig.backend.read_file(stopped, "/d/a.txt") == (b"from here\n", False)


def test_uploading_where_it_can_not_go(rig: Rig, stopped: str, local: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        rig.backend.upload(stopped, [local / "a.txt"], "/none", SilentWork())
    assert "exists" in caught.value.hint
    assert "none" not in names(rig.backend.list_files(stopped, "/"))
    with pytest.raises(InvalidInputError):
        rig.backend.upload(stopped, [local / "a.txt"], "/d/a.txt", SilentWork())


def test_a_read_only_file_system_takes_nothing(docker: Rig, local: Path) -> None:
    name = docker.make(read_only=True)
    with pytest.raises(ConflictError) as caught:
        docker.backend.upload(name, [local / "a.txt"], "/tmp", SilentWork())
    assert "read-only" in caught.value.hint


def test_a_file_that_vanishes_during_an_upload(
    rig: Rig, stopped: str, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = Packer.__iter__

    def vanishing(self: Packer) -> Iterator[bytes]:
        (local / "sub" / "big").unlink()
        yield from packed(self)

    monkeypatch.setattr(Packer, "__iter__", vanishing)
    with pytest.raises(LocalError) as caught:
        rig.backend.upload(stopped, [local], "/d", SilentWork())
    assert "big" in caught.value.detail
    assert caught.value.hint
    rig.backend.ping()


def test_a_cancelled_upload(rig: Rig, stopped: str, local: Path) -> None:
    with pytest.raises(CancelledError):
        rig.backend.upload(stopped, [local], "/d", RecordingWork(cancel_after=9))
    rig.backend.remove(stopped)


def test_downloads_side_by_side(rig: Rig, stopped: str, tmp_path: Path) -> None:
    """Two at once do not stand in each other's way."""
    made: list[Path] = []

    def download(folder: Path) -> None:
        folder.mkdir()
        made.append(rig.backend.download(stopped, "/bin", folder, SilentWork()))

    threads = [threading.Thread(target=download, args=(tmp_path / name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(path.parent.name for path in made) == ["a", "b"]
    assert names_of(made[0]) == names_of(made[1])


def names_of(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def test_what_differs_from_the_image(rig: Rig) -> None:
    name = rig.do("rm /etc/group; echo x >> /etc/passwd; mkdir /new; touch /new/file")
    found = {change.path: change.kind for change in rig.backend.changes(name)}
    assert found["/new/file"] == "added"
    assert found["/etc/passwd"] == "changed"
    assert found["/etc/group"] == "deleted"
    assert rig.backend.changes(rig.make()) is not None
