"""Folders are listed from archives, from what containers print, and from guesses."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from dockdesk.backends.engine.listing import (
    PART_NAME,
    FolderScan,
    Question,
    likely_names,
    partial_note,
    path_stat,
)
from dockdesk.core.resources.containers import FileEntry
from tests.backends.engine.shapes import INSPECTED
from tests.backends.engine.test_unpack import archive, folder, link, member, pieces


def scanned(data: bytes, limit: int = 1 << 30) -> tuple[bool, dict[str, FileEntry]]:
    scan = FolderScan("/etc", pieces(data), "T")
    return scan.run(limit, patience=60.0), scan.entries


def test_only_the_folders_own_entries() -> None:
    owned = member("etc/owned")
    owned.uid, owned.uname = 1000, ""
    complete, entries = scanned(
        archive(
            folder("etc/"),
            ("etc/hosts", b"x" * 3000),
            folder("etc/ssl/"),
            ("etc/ssl/cert", b"y"),
            ("etc/made/without/folder", b"z"),
            link("etc/mtab", "/proc/mounts"),
            member("etc/pipe", tarfile.FIFOTYPE),
            owned,
        )
    )
    assert complete
    assert {name: entry.kind for name, entry in entries.items()} == {
        "hosts": "file",
        "ssl": "folder",
        "made": "folder",
        "mtab": "link",
        "pipe": "other",
        "owned": "file",
    }
    assert entries["hosts"].size == 3000
    assert entries["hosts"].path == "/etc/hosts"
    assert entries["mtab"].link_target == "/proc/mounts"
    assert entries["owned"].owner == "1000"
    assert entries["hosts"].modified == 1_700_000_000.0


def test_a_folder_is_read_only_as_far_as_is_cheap() -> None:
    """A file is not passed over if its size alone goes beyond the limit."""
    taken = []

    def counted() -> object:
        for piece in pieces(
            archive(folder("etc/"), ("etc/a", b"1"), ("etc/big", b"x" * 9_000_000))
        ):
            taken.append(len(piece))
            yield piece

    scan = FolderScan("/etc", counted(), "T")  # type: ignore[arg-type]
    assert not scan.run(1_000_000, patience=60.0)
    assert set(scan.entries) == {"a", "big"}
    assert sum(taken) < 1_000_000


def test_an_empty_folder() -> None:
    assert scanned(archive(folder("etc/"))) == (True, {})


def header(**values: object) -> dict[str, str]:
    encoded = base64.b64encode(json.dumps(values).encode()).decode()
    return {"x-docker-container-path-stat": encoded}


def test_path_stats() -> None:
    found = path_stat(
        header(
            name="sh",
            size=12,
            mode=134218239,
            mtime="2026-11-30T19:59:08Z",
            linkTarget="/bin/busybox",
        )
    )
    assert found.is_link
    assert not found.is_folder
    assert found.target == "/bin/busybox"
    assert found.entry("/bin/sh").kind == "link"
    assert found.entry("/bin/sh").link_target == "/bin/busybox"
    assert path_stat(header(name="d", mode=2147484141)).entry("/d").kind == "folder"
    assert path_stat(header(name="d", mode=0o20000000 << 9 | 0o666)).mode & 0o777 == 0o666
    assert path_stat(header(name="null", mode=69206454)).entry("/dev/null").kind == "other"
    # Podman gives a target for everything.
    assert path_stat(header(name="f", mode=420, linkTarget="/f")).entry("/f").link_target == ""


@pytest.mark.parametrize("value", ["", "%%%", base64.b64encode(b"[1]").decode(), "bm8="])
def test_unreadable_path_stats(value: str) -> None:
    found = path_stat({"x-docker-container-path-stat": value})
    assert (found.is_folder, found.is_link, found.size) == (False, False, 0)


@pytest.fixture
def odd_folder(tmp_path: Path) -> Path:
    made = tmp_path / "odd folder"
    (made / "sub").mkdir(parents=True)
    for name in [
        "plain",
        "-dash",
        "two words",
        "line\nend",
        "qu'ote",
        'dou"ble',
        "🐳",
        ".hidden",
        "..odd",
    ]:
        (made / name).write_bytes(b"12345")
    (made / "link").symlink_to("two words")
    (made / "link to 'x'").symlink_to("nowhere -> else")
    os.mkfifo(made / "pipe")
    (made / "plain").chmod(0o4711)
    return made


SHELLS = [
    pytest.param(["sh", "-c"], id="coreutils"),
    pytest.param(
        ["busybox", "sh", "-c"],
        id="busybox",
        marks=pytest.mark.skipif(
            shutil.which("busybox") is None, reason="busybox is not installed"
        ),
    ),
]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_container_prints(odd_folder: Path, tmp_path: Path, shell: list[str]) -> None:
    question = Question(str(odd_folder))
    env = {"PATH": os.environ["PATH"], **dict(item.split("=") for item in question.env)}
    if shell[0] == "busybox":
        # Its own stat, as in an image that has nothing else.
        os.symlink(shutil.which("busybox") or "", tmp_path / "stat")
        env["PATH"] = str(tmp_path)
        shell = [shutil.which("busybox") or "", *shell[1:]]
    done = subprocess.run(
        [*shell, *question.command[2:]], env=env, capture_output=True, check=False
    )
    assert done.returncode == 0
    entries = {entry.name: entry for entry in question.read(done.stdout)}
    assert set(entries) == {entry.name for entry in odd_folder.iterdir()}
    assert entries["plain"].size == 5
    assert entries["plain"].mode == 0o4711
    assert entries["plain"].path == f"{odd_folder}/plain"
    assert entries["sub"].kind == "folder"
    assert entries["pipe"].kind == "other"
    assert entries["line\nend"].kind == "file"
    assert entries["link"].link_target == "two words"
    assert entries["link to 'x'"].link_target == "nowhere -> else"
    assert entries["plain"].owner == (odd_folder / "plain").owner()


def test_a_folder_that_is_none_is_told_by_the_exit_code(tmp_path: Path) -> None:
    question = Question(str(tmp_path / "gone"))
    done = subprocess.run(question.command, capture_output=True, check=False)
    assert done.returncode == 77


def test_what_a_container_prints_is_not_trusted() -> None:
    question = Question("/d")
    mark = question.command[-1]
    assert question.read(b"nonsense\xff\n") == []
    assert question.read(f"{mark}zz 1 2 3 root\nx\nx\n".encode()) == []
    assert question.read(f"{mark}81a4 5 17 0 root\n../up\n../up\n".encode()) == []
    assert question.read(f"{mark}".encode()) == []


def test_likely_names() -> None:
    changed = [{"Path": "/model"}, {"Path": "/model/weights"}, {"Path": "/etc/x"}, {"Path": "/"}]
    names = set(likely_names("/", INSPECTED, changed))
    assert {"etc", "usr", "model", "vol", "host", "data", "bin"} <= names
    assert set(likely_names("/opt", {}, [{"Path": "/opt/app/x"}, {"Path": "/optional"}])) == {"app"}


def test_a_partial_listing_says_so() -> None:
    note = partial_note("/")
    assert (note.name, note.kind) == (PART_NAME, "other")
    assert note.link_target
