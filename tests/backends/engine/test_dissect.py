"""Archives of images as engines send them, cut anywhere, and broken in every way."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.backends.engine.apart import contents_from, dissect_file
from dockdesk.backends.engine.layerstream import FileDone, LayerReader, OneFile
from dockdesk.backends.engine.manifests import Contents
from dockdesk.backends.engine.tarstream import TarFormatError, attributes, number
from dockdesk.core.dissection.model import DEVICE, FILE, FOLDER, HARD_LINK, LINK, Dissection
from dockdesk.core.dissection.replay import OPAQUE, WHITEOUT, Entry
from dockdesk.core.errors import CancelledError, DockDeskError, NotSupportedError, RemoteError
from dockdesk.core.work import SilentWork
from tests.image_archives import (
    LayerTar,
    docker_archive,
    files_tar,
    oci_layout,
    shop_layers,
    tar_of,
)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def contents(data: bytes, size: int = 1 << 18) -> Contents:
    return contents_from(pieces(data, size), len(data), SilentWork())


def listed(data: bytes, size: int = 1 << 18) -> list[Entry]:
    reader = LayerReader()
    for piece in pieces(data, size):
        reader.feed(piece)
    reader.finish()
    return reader.entries


def dissected(tmp_path: Path, data: bytes) -> Dissection:
    path = tmp_path / "image.tar"
    path.write_bytes(data)
    return dissect_file(SilentWork(), path, "sha256:1")


FORMS = {
    "docker": docker_archive(shop_layers(), ["shop:1"]),
    "oci": oci_layout(shop_layers()),
    "oci-gzip": oci_layout(shop_layers(), "gzip"),
    "oci-zstd": oci_layout(shop_layers(), "zstd"),
    "oci-nested": oci_layout(shop_layers(), "gzip", nested=True),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 700, 1 << 18])
def test_all_forms_tell_the_same_however_they_are_cut(form: str, size: int) -> None:
    found = contents(FORMS[form], size)
    plain = contents(FORMS["docker"])
    assert found.config == plain.config
    assert [layer.entries for layer in found.layers] == [layer.entries for layer in plain.layers]
    assert [layer.instruction for layer in found.layers] == [
        "ADD file:3fa2 in /",
        "RUN apt-get update && apt-get install -y curl",
        "COPY . /srv/shop",
        "RUN chown -R shop /srv/shop && rm /tmp/install.log",
    ]


def test_a_dissection_of_a_file(tmp_path: Path) -> None:
    image = dissected(tmp_path, FORMS["docker"])
    assert (image.tags, image.platform) == (("shop:1",), "linux/amd64")
    assert [(x.added, x.changed, x.removed) for x in image.layers] == [
        (9, 0, 0), (7, 0, 0), (7, 0, 0), (1, 2, 1),
    ]  # fmt: skip
    waste = [(item.path, item.size, item.removed, item.same) for item in image.report.waste]
    assert waste == [
        ("/srv/shop/static/logo.bin", 20_480, False, True),
        ("/tmp/install.log", 8_000, True, False),
    ]
    assert [f.path for f in image.report.privileged] == ["/usr/bin/passwd"]
    assert image.base is not None
    assert (image.base.how, image.base.layers, image.base.size) == ("times", 1, 96_010)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_layers_are_listed_as_tarfile_lists_them(data: Any) -> None:
    names = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=60)
    paths = st.lists(names.filter(lambda n: n not in (".", "..") and ".wh." not in n),
                     min_size=1, max_size=5).map("/".join)  # fmt: skip
    form = data.draw(
        st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    )
    members = []
    for path in data.draw(st.lists(paths, max_size=6)):
        info = tarfile.TarInfo(path)
        info.type = data.draw(st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE,
                                               tarfile.LNKTYPE, tarfile.CHRTYPE]))  # fmt: skip
        info.mode = data.draw(st.integers(0, 0o7777))
        info.uid = data.draw(st.integers(0, 1 << (20 if form == tarfile.USTAR_FORMAT else 40)))
        info.mtime = data.draw(st.integers(0, 1 << 32))
        content = data.draw(st.binary(max_size=1500)) if info.isreg() else b""
        info.size = len(content)
        if info.issym() or info.islnk():
            info.linkname = data.draw(paths)
        members.append((info, content))
    try:
        archive = tar_of(members, form)
    except ValueError:
        return  # ustar has no place for it
    found = listed(archive, data.draw(st.integers(1, 4000)))
    kinds = {b"0": FILE, b"5": FOLDER, b"2": LINK, b"1": HARD_LINK, b"3": DEVICE}
    with tarfile.open(fileobj=io.BytesIO(archive)) as judge:
        assert [(e.path, e.kind, e.mode, e.uid, e.size, e.modified) for e in found] == [
            (m.name.strip("/"), kinds[m.type], m.mode, m.uid, m.size, m.mtime) for m in judge
        ]


def test_whiteouts_and_what_is_aufs_own() -> None:
    layer = LayerTar().gone("a/b").gone("top").opaque("c").file(".wh..wh.aufs").file("x.wh.y")
    assert listed(layer.tar()) == [
        Entry("a/b", WHITEOUT),
        Entry("top", WHITEOUT),
        Entry("c", OPAQUE),
        Entry("x.wh.y", FILE, 0o644, modified=1_700_000_000),
    ]


def test_sparse_files_have_their_real_size() -> None:
    old = bytearray(tar_of([(tarfile.TarInfo("disk"), b"")])[:512])
    old[156:157], old[124:136] = b"S", b"00000001000\0"
    old[257:265] = b"ustar  \0"
    old[482], old[483:495] = 1, b"00040000000\0"
    old[148:156] = b" " * 8
    old[148:156] = b"%06o\0 " % sum(old)
    extension = bytes(504) + b"\0" * 8
    pax = tarfile.TarInfo("GNUSparseFile.0/image")
    pax.size = 512
    pax.pax_headers = {"GNU.sparse.name": "image", "GNU.sparse.realsize": "4294967296"}
    data = bytes(old) + extension + b"d" * 512 + tar_of([(pax, b"m" * 512)])
    assert [(e.path, e.size) for e in listed(data, 100)] == [("disk", 8 << 20), ("image", 4 << 30)]


@pytest.mark.parametrize(("field", "value"), [
    (b"0000644\0", 0o644), (b" 644 \0  ", 0o644), (b"\0" * 8, 0),
    (b"\x80" + bytes(6) + b"\x05", 5), (b"\xff" * 7 + b"\xfe", -2),
])  # fmt: skip
def test_numbers_of_headers(field: bytes, value: int) -> None:
    assert number(field) == value


@pytest.mark.parametrize("field", [b"12x4567\0", b"-000001\0"])
def test_what_is_no_number(field: bytes) -> None:
    with pytest.raises(TarFormatError):
        number(field)


@pytest.mark.parametrize("body", [b"12 path=ab\n", b"x path=a\n", b"9 pathxa\n", b"7", b"-3 a=b\n"])
def test_broken_attributes(body: bytes) -> None:
    with pytest.raises(TarFormatError):
        attributes(body)


@pytest.mark.parametrize("form", FORMS)
def test_an_archive_that_breaks_off_is_told(form: str) -> None:
    data = FORMS[form].rstrip(b"\0")
    for end in (100, len(data) // 3, len(data) // 2, len(data) // 2 + 300, len(data) - 10):
        with pytest.raises((TarFormatError, DockDeskError)):
            contents(data[:end])


def test_a_file_that_breaks_off_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(RemoteError) as caught:
        dissected(tmp_path, FORMS["docker"][:60_000])
    assert caught.value.detail
    assert caught.value.hint


def test_damage_inside_a_layer_names_the_layer() -> None:
    data = FORMS["docker"]
    place = data.index(b"usr/bin/curl")
    with pytest.raises(RemoteError, match=r"Layer 2 .* checksum is wrong"):
        contents(data[:place] + b"?" + data[place + 1 :])


def test_a_missing_layer_and_a_missing_configuration() -> None:
    entry = {"Config": "c.json", "Layers": ["a/layer.tar"]}
    manifest = json.dumps([entry]).encode()
    with pytest.raises(RemoteError, match=r"lacks the configuration c\.json"):
        contents(files_tar({"manifest.json": manifest}))
    config = b'{"os":"linux","rootfs":{"diff_ids":["sha256:1"]}}'
    with pytest.raises(RemoteError, match="lacks layer 1"):
        contents(files_tar({"manifest.json": manifest, "c.json": config}))
    with pytest.raises(RemoteError, match="no manifest"):
        contents(files_tar({"readme": b"hello"}))
    with pytest.raises(TarFormatError):
        contents(b"<html>" * 200)


def test_an_unknown_compression_is_said_honestly() -> None:
    files = {
        "a/layer.tar": b"\xfd7zXZ\0" + bytes(600),
        "c.json": b'{"os":"linux"}',
        "manifest.json": b'[{"Config":"c.json","Layers":["a/layer.tar"]}]',
    }
    with pytest.raises(NotSupportedError, match="bzip2, xz or lz4"):
        contents(files_tar(files))


def test_a_layer_that_comes_twice_is_a_link_to_its_first_copy() -> None:
    layer = LayerTar().file("a", b"x")
    found = contents(docker_archive([layer, layer]))
    assert found.layers[0].entries == found.layers[1].entries
    assert found.layers[0].place == found.layers[1].place


def test_a_layer_without_files_and_one_that_begins_like_json() -> None:
    found = contents(docker_archive([LayerTar(), LayerTar().file("[", b"x" * 2000)]))
    assert [[e.path for e in layer.entries] for layer in found.layers] == [[], ["["]]


@pytest.mark.parametrize("form", FORMS)
def test_one_file_is_found_and_the_rest_not_read(form: str) -> None:
    place = contents(FORMS[form]).layers[2].place
    taken = bytearray()
    reader = OneFile(place, "srv/shop/app.py", taken.extend)

    def read() -> None:
        for piece in pieces(FORMS[form], 500):
            reader.feed(piece)

    with pytest.raises(FileDone):
        read()
    assert bytes(taken) == b"print('shop')\n" * 200


def test_a_bomb_is_taken_a_bite_at_a_time() -> None:
    layer = LayerTar().file("zeros", bytes(60 << 20))
    for packing in ("gzip", "zstd"):
        found = contents(oci_layout([layer], packing))  # type: ignore[arg-type]
        assert found.layers[0].entries[0].size == 60 << 20


def test_cancelling_stops_in_the_middle() -> None:
    class Cancelled(SilentWork):
        def check(self) -> None:
            raise CancelledError

    with pytest.raises(CancelledError):
        contents_from(pieces(FORMS["docker"], 1000), 0, Cancelled())
