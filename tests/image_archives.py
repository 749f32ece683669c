"""Archives of images as engines send them, made in memory."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import zstandard

Packing = Literal["", "gzip", "zstd"]
NOW = "2026-01-05T10:00:00.5Z"


@dataclass
class LayerTar:
    """A layer being written; chain the calls."""

    instruction: str = "COPY . / # buildkit"
    created: str = NOW
    members: list[tuple[tarfile.TarInfo, bytes]] = field(default_factory=list)

    def file(self, path: str, data: bytes = b"", mode: int = 0o644, **more: Any) -> LayerTar:
        return self._add(path, tarfile.REGTYPE, data, mode, **more)

    def folder(self, path: str, mode: int = 0o755, **more: Any) -> LayerTar:
        return self._add(path, tarfile.DIRTYPE, b"", mode, **more)

    def link(self, path: str, target: str) -> LayerTar:
        return self._add(path, tarfile.SYMTYPE, b"", 0o777, linkname=target)

    def hard_link(self, path: str, target: str) -> LayerTar:
        return self._add(path, tarfile.LNKTYPE, b"", 0o644, linkname=target)

    def gone(self, path: str) -> LayerTar:
        folder, slash, name = path.rpartition("/")
        return self.file(f"{folder}{slash}.wh.{name}")

    def opaque(self, folder: str) -> LayerTar:
        return self.file(f"{folder}/.wh..wh..opq")

    def _add(self, path: str, kind: bytes, data: bytes, mode: int, **more: Any) -> LayerTar:
        info = tarfile.TarInfo(path)
        info.type, info.size, info.mode, info.mtime = kind, len(data), mode, 1_700_000_000
        for name, value in more.items():
            setattr(info, name, value)
        self.members.append((info, data))
        return self

    def tar(self, form: int = tarfile.PAX_FORMAT) -> bytes:
        return tar_of(self.members, form)


def tar_of(
    members: Sequence[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def files_tar(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    members = []
    for name, data in files.items():
        info = tarfile.TarInfo(name)
        info.size = len(data)
        members.append((info, data))
    for name, target in (links or {}).items():
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        members.append((info, b""))
    return tar_of(members, tarfile.GNU_FORMAT)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config_of(layers: Sequence[LayerTar], tars: Sequence[bytes], **config: Any) -> bytes:
    history: list[dict[str, Any]] = [
        {"created": layer.created, "created_by": layer.instruction} for layer in layers
    ]
    history.append({"created": NOW, "created_by": 'CMD ["/app"]', "empty_layer": True})
    return json.dumps(
        {
            "os": "linux",
            "architecture": "amd64",
            "config": {"Env": ["PATH=/bin"], "Cmd": ["/app"], **config},
            "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in tars]},
            "history": history,
        }
    ).encode()


def docker_archive(layers: Sequence[LayerTar], tags: Sequence[str] = (), **config: Any) -> bytes:
    """As dockerd 20.10 saves it: a folder a layer, and a layer that comes twice as a link."""
    tars = [layer.tar() for layer in layers]
    raw = config_of(layers, tars, **config)
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    names: list[str] = []
    known: dict[bytes, str] = {}
    for number, data in enumerate(tars):
        folder = hashlib.sha256(f"v1 {number}".encode() + data).hexdigest()
        names.append(f"{folder}/layer.tar")
        files[f"{folder}/VERSION"] = b"1.0"
        if data in known:
            links[names[-1]] = f"../{known[data]}"
        else:
            files[names[-1]] = data
            known[data] = names[-1]
    config_name = f"{hashlib.sha256(raw).hexdigest()}.json"
    files[config_name] = raw
    entry = {"Config": config_name, "RepoTags": list(tags) or None, "Layers": names}
    files["manifest.json"] = json.dumps([entry]).encode()
    return files_tar(files, links)


def oci_layout(
    layers: Sequence[LayerTar], packing: Packing = "", nested: bool = False, **config: Any
) -> bytes:
    """As containerd's store exports it. ``nested``: in an index of several platforms, of which one is there."""
    tars = [layer.tar() for layer in layers]
    blobs = [_packed(data, packing) for data in tars]
    raw = config_of(layers, tars, **config)
    parts = {digest(data): data for data in (*blobs, raw)}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "config": {"digest": digest(raw), "size": len(raw)},
            "layers": [{"digest": digest(data), "size": len(data)} for data in blobs],
        }
    ).encode()
    parts[digest(manifest)] = manifest
    top = digest(manifest)
    if nested:
        other = {"digest": "sha256:" + "0" * 64, "platform": {"architecture": "arm64"}}
        index = json.dumps({"manifests": [other, {"digest": digest(manifest)}]}).encode()
        parts[digest(index)] = index
        top = digest(index)
    files = {"blobs/sha256/" + name[7:]: data for name, data in sorted(parts.items())}
    files["index.json"] = json.dumps({"manifests": [{"digest": top}]}).encode()
    files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    return files_tar(files)


def _packed(data: bytes, packing: Packing) -> bytes:
    if packing == "gzip":
        # Two streams one after the other, as parallel packers write them.
        return gzip.compress(data[:1000]) + gzip.compress(data[1000:])
    if packing == "zstd":
        return zstandard.ZstdCompressor().compress(data)
    return data


def shop_layers(version: int = 1) -> list[LayerTar]:
    """A small web shop with the usual sins: layers of a base, an apt cache, a file written twice, one removed.

    Later versions have a longer program and one more file.
    """
    base = LayerTar("/bin/sh -c #(nop) ADD file:3fa2 in / ", "2025-11-02T08:00:00Z")
    base.folder("bin").folder("etc").folder("tmp", 0o1777).folder("usr/bin")
    base.file("bin/busybox", b"B" * 90_000, 0o755).hard_link("bin/sh", "bin/busybox")
    base.file("usr/bin/passwd", b"p" * 6_000, 0o4755).file("etc/os-release", b"ID=debian\n")
    apt = LayerTar("RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit")
    apt.folder("usr/bin").file("usr/bin/curl", b"c" * 30_000, 0o755)
    apt.file("var/lib/apt/lists/debian_main_Packages", b"P" * 45_000)
    apt.file("tmp/install.log", b"l" * 8_000)
    copy = LayerTar("COPY . /srv/shop # buildkit")
    copy.folder("srv/shop").file("srv/shop/app.py", b"print('shop')\n" * 200 * version)
    if version > 1:
        copy.file("srv/shop/templates/cart.html", b"<h1>Cart</h1>\n" * 50)
    copy.file("srv/shop/static/logo.bin", bytes(range(256)) * 80)
    copy.file("srv/shop/uploads/readme.txt", b"put files here\n", 0o666)
    owner = LayerTar("RUN /bin/sh -c chown -R shop /srv/shop && rm /tmp/install.log # buildkit")
    owner.folder("srv/shop", uid=1000).file(
        "srv/shop/static/logo.bin", bytes(range(256)) * 80, uid=1000
    )
    owner.gone("tmp/install.log").link("srv/shop/current", "app.py")
    return [base, apt, copy, owner]
