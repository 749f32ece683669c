"""Files keep their bytes, whatever they hold; what was typed outlives a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.core.work import SilentWork
from dockdesk.ui.panes.dockerfiles import files, kinds
from dockdesk.ui.panes.dockerfiles.recovery import Recovery

AWKWARD = st.lists(
    st.sampled_from(
        [
            b"FROM a",
            b"\n",
            b"\r\n",
            b"\r",
            b"\xff",
            b"\xe2\x80\xa9",
            b"\xef\xbb\xbf",
            b"\xf0\x9f\x90\x8b",
        ]
    )
).map(b"".join)


@given(AWKWARD)
def test_bytes_come_back_as_they_were(data: bytes) -> None:
    text, form = files.decode(data)
    assert "\r" not in text
    assert files.encode(text, form) == data


def test_lines_that_stay_keep_their_ends() -> None:
    text, form = files.decode(b"a\r\nb\nc\nd")
    assert form.mixed
    assert files.encode(text.replace("b", "B\nB"), form) == b"a\r\nB\nB\nc\nd"
    assert files.encode("x\n" + text, form) == b"x\na\r\nb\nc\nd"
    windows, form = files.decode(b"a\r\nb\r\n")
    assert files.encode(windows + "c\n", form) == b"a\r\nb\r\nc\r\n"


def test_a_read_file_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_bytes(b"\xef\xbb\xbfFROM a\r\n\xff")
    found = files.read(path)
    assert found.form.bom
    assert not found.form.clean
    assert found.faithful
    assert found.writable
    assert found.stamp == files.stamp_of(path)
    assert files.encode(found.text, found.form) == path.read_bytes()


def test_what_is_no_text_or_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with pytest.raises(LocalError):
        files.read(path)
    with pytest.raises((LocalError, InvalidInputError)):
        files.read(tmp_path)
    path.write_bytes(b"a\0b")
    with pytest.raises(InvalidInputError):
        files.read(path)
    path.write_bytes(b"a" * (files.LARGEST + 1))
    with pytest.raises(InvalidInputError):
        files.read(path)


def test_writing_keeps_rights_and_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    real.chmod(0o751)
    link.symlink_to(real)
    stamp = files.write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o751
    assert stamp == files.stamp_of(link)
    other = tmp_path / "other"
    os.link(real, other)
    files.write(real, b"n")
    assert other.read_bytes() == b"n"
    assert files.stamp_of(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Dockerfile", kinds.DOCKERFILE),
        ("Dockerfile.dev", kinds.DOCKERFILE),
        ("api.Dockerfile", kinds.DOCKERFILE),
        ("Containerfile", kinds.DOCKERFILE),
        ("Dockerfile.dockerignore", kinds.IGNORE),
        (".dockerignore", kinds.IGNORE),
        ("docker-compose.yaml", kinds.COMPOSE),
        ("compose.prod.yml", kinds.COMPOSE),
        (".hadolint.yaml", kinds.YAML),
        ("notes.txt", kinds.TEXT),
    ],
)
def test_kinds_by_name(name: str, kind: str) -> None:
    assert kinds.kind_of(name) == kind


def test_a_folder_lists_what_belongs_to_containers(tmp_path: Path) -> None:
    for name in (
        "Dockerfile",
        "api/Dockerfile",
        "node_modules/x/Dockerfile",
        "a.py",
        "compose.yml",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    found = [str(path.relative_to(tmp_path)) for path in kinds.files_of(tmp_path, SilentWork())]
    assert found == ["compose.yml", "Dockerfile", "api/Dockerfile"]


def test_a_folder_opens_with_what_a_builder_would_take() -> None:
    listed = [Path("a.dockerfile"), Path("compose.yml"), Path("Dockerfile"), Path("x/Dockerfile")]
    assert kinds.main_of(listed) == Path("Dockerfile")
    assert kinds.main_of(listed[:2]) == Path("a.dockerfile")
    assert kinds.main_of(listed[1:2]) is None


def test_recovery_offers_what_ended_programs_left(tmp_path: Path) -> None:
    store = Recovery(tmp_path / "unsaved")
    assert store.left_behind() == []
    store.keep("1", "Dockerfile", "/x/Dockerfile", "FROM \udcff a")
    assert store.left_behind() == [], "it is open here"
    other = Recovery(tmp_path / "unsaved")
    assert other.left_behind() == [], "that program still runs"
    store.close()
    (tmp_path / "unsaved" / "broken.json").write_text("{")
    (left,) = other.left_behind()
    assert (left.id, left.name, left.path, left.text) == (
        "1",
        "Dockerfile",
        "/x/Dockerfile",
        "FROM \udcff a",
    )
    other.drop("1")
    other.drop("1")
    assert other.left_behind() == []
    assert list((tmp_path / "unsaved").glob("*.lock")) == []


def test_what_a_killed_program_typed_is_found_though_its_number_runs_again(tmp_path: Path) -> None:
    folder = tmp_path / "unsaved"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from dockdesk.ui.panes.dockerfiles.recovery import Recovery\n"
        "store = Recovery(Path(sys.argv[1])); store.keep('1', 'Dockerfile', '', 'FROM typed')\n"
        "print('kept', flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "kept\n"
        store = Recovery(folder)
        assert store.left_behind() == [], "it runs"
    finally:
        process.kill()
        process.communicate()
    assert [item.text for item in store.left_behind()] == ["FROM typed"]
