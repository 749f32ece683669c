"""What comes out of a container is written below its target, or not at all."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockdesk.backends.engine.unpack import PieceReader, Unpacker, free_name, inner_path
from dockdesk.core.errors import CancelledError, DockDeskError, LocalError, RemoteError
from dockdesk.core.work import SilentWork, Work
from tests.backends.engine.works import RecordingWork


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, link, mode, 1_700_000_000
    return info


def folder(name: str, mode: int = 0o755) -> tarfile.TarInfo:
    return member(name, tarfile.DIRTYPE, mode=mode)


def link(name: str, target: str) -> tarfile.TarInfo:
    return member(name, tarfile.SYMTYPE, target)


def archive(*items: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for item in items:
            if isinstance(item, tuple):
                info = member(item[0])
                info.size = len(item[1])
                tar.addfile(info, io.BytesIO(item[1]))
            else:
                tar.addfile(item)
    return buffer.getvalue()


def pieces(data: bytes, size: int = 700) -> Iterable[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def unpack(data: bytes, target: Path, work: Work | None = None) -> Path:
    with Unpacker(
        target.parent, target.name, "It could not be copied", work or SilentWork()
    ) as unpacker:
        unpacker.unpack(pieces(data))
        return unpacker.place(target)


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    made = tmp_path / "inside"
    made.mkdir()
    return made


def everything_below(root: Path) -> set[str]:
    return {
        os.path.join(place, name)
        for place, folders, files in os.walk(root)
        for name in folders + files
    }


def test_a_folder_with_all_kinds(inside: Path) -> None:
    made = unpack(
        archive(
            folder("data/", 0o500),
            ("data/a.txt", b"hello"),
            folder("data/sub/"),
            ("data/sub/b", b"x" * 5000),
            link("data/sub/up", "../a.txt"),
            link("data/here", "sub/b"),
            member("data/hard", tarfile.LNKTYPE, "data/a.txt"),
        ),
        inside / "data",
    )
    assert (made / "a.txt").read_bytes() == b"hello"
    assert (made / "sub" / "b").read_bytes() == b"x" * 5000
    assert (made / "sub" / "up").read_bytes() == b"hello"
    assert (made / "here").readlink() == Path("sub/b")
    assert (made / "hard").samefile(made / "a.txt")
    assert (made / "a.txt").stat().st_mtime == 1_700_000_000
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert [entry.name for entry in inside.iterdir()] == ["data"]


@pytest.mark.parametrize("prefix", ["/", "./", ""])
def test_the_root_is_named_differently_by_engines(inside: Path, prefix: str) -> None:
    data = archive(folder(prefix or "."), (f"{prefix}a", b"1"), (f"{prefix}sub/b", b"2"))
    made = unpack(data, inside / "root")
    assert (made / "a").read_bytes() == b"1"
    assert (made / "sub" / "b").read_bytes() == b"2"


def test_a_single_file(inside: Path) -> None:
    assert unpack(archive(("file.txt", b"text")), inside / "other.txt").read_bytes() == b"text"


def test_a_file_replaces_a_file_whole(inside: Path) -> None:
    target = inside / "file"
    target.write_bytes(b"old")
    assert unpack(archive(("x", b"new")), target) == target
    assert target.read_bytes() == b"new"


def test_a_folder_replaces_nothing(inside: Path) -> None:
    target = inside / "taken"
    target.mkdir()
    (target / "mine").write_bytes(b"1")
    with pytest.raises(LocalError, match="exists already"):
        unpack(archive(folder("d/"), ("d/a", b"2")), target)
    assert everything_below(inside) == {str(target), str(target / "mine")}


@pytest.mark.parametrize(
    "items",
    [
        (folder("d/"), ("d/../../evil", b"x")),
        (folder("d/"), ("../evil", b"x")),
        (folder("d/"), ("d/./evil", b"x")),
        (folder("d/"), ("d//evil", b"x")),
        (folder("d/"), ("/../evil", b"x")),
        (folder("d/"), folder("d/..")),
        (folder("d/"), link("d/l", "sub"), ("d/l/evil", b"x")),
        (folder("d/"), link("d/l", "."), ("d/l/../../evil", b"x")),
        (folder("d/"), ("d/f", b"1"), ("d/f/evil", b"x")),
    ],
)
def test_nothing_is_written_elsewhere(
    inside: Path, items: tuple[tarfile.TarInfo | tuple[str, bytes], ...]
) -> None:
    before = everything_below(inside.parent)
    with pytest.raises(RemoteError) as caught:
        unpack(archive(*items), inside / "d")
    assert caught.value.hint
    assert everything_below(inside.parent) == before


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "..", "../x", "sub/../../x", "sub/..", "./../../x", "../../../../etc"],
)
def test_links_that_lead_out_are_left_out(inside: Path, target: str) -> None:
    work = RecordingWork()
    data = archive(folder("d/"), folder("d/sub/"), link("d/l", target), ("d/a", b"1"))
    made = unpack(data, inside / "d", work)
    assert not (made / "l").is_symlink()
    assert (made / "a").read_bytes() == b"1"
    assert any(target in line for line in work.lines)


def test_links_may_climb_as_far_as_the_top(inside: Path) -> None:
    data = archive(
        folder("d/"), folder("d/a/"), folder("d/a/b/"), link("d/a/b/l", "../../f"), ("d/f", b"1")
    )
    assert (unpack(data, inside / "d") / "a/b/l").read_bytes() == b"1"


def test_a_hard_link_cannot_name_a_file_outside(inside: Path) -> None:
    secret = inside.parent / "secret"
    secret.write_bytes(b"mine")
    work = RecordingWork()
    data = archive(
        folder("d/"),
        member("d/1", tarfile.LNKTYPE, "../secret"),
        member("d/2", tarfile.LNKTYPE, str(secret)),
        link("d/l", "x"),
        member("d/3", tarfile.LNKTYPE, "d/l"),
    )
    made = unpack(data, inside / "d", work)
    assert {entry.name for entry in made.iterdir()} == {"l"}
    assert len(work.lines) == 3


def test_devices_and_pipes_are_left_out_and_named(inside: Path) -> None:
    work = RecordingWork()
    data = archive(
        folder("d/"), member("d/null", tarfile.CHRTYPE), member("d/pipe", tarfile.FIFOTYPE)
    )
    assert list(unpack(data, inside / "d", work).iterdir()) == []
    assert [line.split(":")[0] for line in work.lines] == ["Left out d/null", "Left out d/pipe"]


def test_set_user_id_is_taken_away(inside: Path) -> None:
    info = member("x", mode=0o4755)
    assert stat.S_IMODE(unpack(archive(info), inside / "x").stat().st_mode) == 0o755


def test_a_later_member_replaces_an_earlier_one(inside: Path) -> None:
    data = archive(folder("d/"), link("d/a", "b"), ("d/a", b"1"), ("d/a", b"2"))
    made = unpack(data, inside / "d")
    assert (made / "a").read_bytes() == b"2"
    assert not (made / "b").exists()


@pytest.mark.parametrize("data", [b"", b"no tar at all" * 100, archive(("a", b"x" * 4000))[:2000]])
def test_damaged_archives_leave_nothing(inside: Path, data: bytes) -> None:
    with pytest.raises(RemoteError):
        unpack(data, inside / "d")
    assert everything_below(inside) == set()


def test_cancelling_leaves_nothing(inside: Path) -> None:
    with pytest.raises(CancelledError):
        unpack(
            archive(folder("d/"), ("d/a", b"x" * 5000), ("d/b", b"y")),
            inside / "d",
            RecordingWork(3),
        )
    assert everything_below(inside) == set()


def test_a_full_disk_is_told_and_leaves_nothing(
    inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = os.fdopen

    def full(*arguments: object, **options: object) -> object:
        file = real_open(*arguments, **options)  # type: ignore[call-overload]

        class Full:
            def __enter__(self) -> Full:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def write(self, data: bytes) -> None:
                raise OSError(28, "No space left on device")

        return Full()

    monkeypatch.setattr("dockdesk.backends.engine.unpack.os.fdopen", full)
    with pytest.raises(LocalError) as caught:
        unpack(archive(folder("d/"), ("d/a", b"1")), inside / "d")
    assert "No space left" in caught.value.detail
    assert "full" in caught.value.hint
    monkeypatch.undo()
    assert everything_below(inside) == set()


def test_a_target_that_cannot_be_written(inside: Path) -> None:
    with pytest.raises(LocalError):
        unpack(archive(("a", b"1")), inside / "nowhere" / "d")


def test_free_names(tmp_path: Path) -> None:
    assert free_name(tmp_path, "a.tar.gz").name == "a.tar.gz"
    (tmp_path / "a.txt").touch()
    (tmp_path / ".hidden").touch()
    os.symlink("nowhere", tmp_path / "dangling")
    assert free_name(tmp_path, "a.txt").name == "a (2).txt"
    (tmp_path / "a (2).txt").touch()
    assert free_name(tmp_path, "a.txt").name == "a (3).txt"
    assert free_name(tmp_path, ".hidden").name == ".hidden (2)"
    assert free_name(tmp_path, "dangling").name == "dangling (2)"


def test_inner_paths() -> None:
    assert inner_path("data/", "data") == ""
    assert inner_path("data/a/b", "data") == "a/b"
    assert inner_path("/", "") == ""
    assert inner_path("./a", "") == "a"
    assert inner_path("database/a", "data") == "database/a"


@given(st.lists(st.binary(max_size=9)), st.lists(st.integers(0, 12)))
def test_pieces_read_as_one(parts: list[bytes], sizes: list[int]) -> None:
    reader = PieceReader(parts)
    whole = io.BytesIO(b"".join(parts))
    for size in sizes:
        assert reader.read(size) == whole.read(size)
        assert reader.taken == whole.tell()
    assert reader.read() == whole.read()


steps = st.sampled_from(["..", ".", "", "a", "b", "l", "/"])
entries = st.tuples(
    st.lists(steps, min_size=1, max_size=4).map("/".join),
    st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]),
    st.lists(steps, max_size=4).map("/".join),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(entries, max_size=6))
def test_no_archive_gets_out(tmp_path: Path, found: list[tuple[str, bytes, str]]) -> None:
    """Whatever the names and links, nothing appears beside the target, and no link in it leads out."""
    inside = tmp_path / "in"
    inside.mkdir(exist_ok=True)
    target = free_name(inside, "d")
    data = archive(folder("d/"), *(member(f"d/{name}", kind, to) for name, kind, to in found))
    try:
        unpack(data, target)
    except DockDeskError:
        assert not target.exists()
    assert {entry.name for entry in tmp_path.iterdir()} == {"in"}
    for place, folders, files in os.walk(target):
        for name in folders + files:
            path = os.path.join(place, name)
            assert os.path.realpath(path).startswith(os.path.realpath(target))
