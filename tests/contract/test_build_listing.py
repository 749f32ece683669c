"""A build tells which files of the context the builder saw: what the next build is compared with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dockdesk.core.errors import BuildError
from dockdesk.core.resources.builds import FileMark
from tests.contract.building import build, write
from tests.contract.conftest import Rig
from tests.engines import BUSYBOX

TREE: dict[str, bytes | str | None] = {
    "Dockerfile": "FROM scratch\nCOPY . /\n",
    ".dockerignore": "skipped\n",
    "a.txt": "one",
    "sub/äb.sh": "#!/bin/sh\n",
    "skipped/x": "x",
}


@pytest.fixture
def context(tmp_path: Path) -> Path:
    write(tmp_path, TREE)
    (tmp_path / "sub/äb.sh").chmod(0o755)
    os.link(tmp_path / "a.txt", tmp_path / "twin")
    (tmp_path / "link").symlink_to("a.txt")
    return tmp_path


def mark(path: Path) -> FileMark:
    info = path.lstat()
    mode = 0 if path.is_symlink() else info.st_mode & 0o7777
    return FileMark(info.st_size, info.st_mtime_ns, mode)


@pytest.mark.parametrize("classic", [False, True])
def test_each_file_that_the_builder_saw(docker: Rig, context: Path, classic: bool) -> None:
    result, _ = build(docker, context, classic=classic)
    expected = ["Dockerfile", "a.txt", "link", "sub/äb.sh", "twin"]
    assert sorted(set(result.listing) - {".dockerignore"}) == expected
    for name in expected:
        assert result.listing[name] == mark(context / name), name
    (context / "a.txt").write_text("another")
    again, _ = build(docker, context, classic=classic)
    assert {name for name in expected if again.listing[name] != result.listing[name]} == {
        "a.txt",
        "twin",
    }


def test_only_what_is_copied_is_listed(docker: Rig, context: Path) -> None:
    result, _ = build(docker, context, text="FROM scratch\nCOPY sub /sub\n")
    assert "sub/äb.sh" in result.listing
    assert "a.txt" not in result.listing


@pytest.mark.parametrize("classic", [False, True])
def test_a_build_that_fails_tells_them_too(docker: Rig, context: Path, classic: bool) -> None:
    text = f"FROM {BUSYBOX}\nCOPY a.txt /\nRUN exit 3\n"
    with pytest.raises(BuildError) as caught:
        build(docker, context, text=text, classic=classic)
    assert caught.value.listing["a.txt"] == mark(context / "a.txt")
    assert caught.value.method == ("classic" if classic else "buildkit")
