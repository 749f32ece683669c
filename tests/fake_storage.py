"""Images, volumes, networks and builds of the engine in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockdesk.backends.engine.apart import contents_from, dissect_file
from dockdesk.core.dissection.base import base_of
from dockdesk.core.dissection.build import dissected
from dockdesk.core.dissection.model import Dissection
from dockdesk.core.errors import ConflictError, NotFoundError
from dockdesk.core.ports import NetworkSpec, VolumeSpec
from dockdesk.core.resources.builds import (
    Builder,
    BuildItem,
    BuildResult,
    BuildSpec,
    BuildWarning,
    PastBuild,
)
from dockdesk.core.resources.containers import FileEntry
from dockdesk.core.resources.engine import Network, NetworkMember, PruneReport, Volume
from dockdesk.core.resources.images import Image, ImageDetail, ImageLayer
from dockdesk.core.work import Work
from tests.fake_state import FakeState
from tests.fake_world import NOW, files
from tests.image_archives import docker_archive, shop_layers


class FakeStorage(FakeState):
    """ManagesImages, ManagesVolumes, ManagesNetworks and Builds of `dockdesk.core.ports`."""

    # ManagesImages

    def images(self) -> list[Image]:
        self._enter("images")
        with self._lock:
            return list(self._images.values())

    def image(self, id: str) -> ImageDetail:
        self._enter("image", id)
        item = self._image(id)
        layers = (
            ImageLayer(item.id, item.created, 'CMD ["/app/start"]', 0, tags=item.tags),
            ImageLayer("<missing>", item.created - 5, "COPY . /app # buildkit", item.size // 3),
            ImageLayer(
                "<missing>", item.created - 9e5, "/bin/sh -c #(nop) ADD file:…", item.size // 2
            ),
        )
        return ImageDetail(
            item, {"Id": item.id, "RepoTags": list(item.tags)}, layers, "amd64", "linux"
        )

    def _image(self, id: str) -> Image:
        for item in self._images.values():
            if id in (item.id, item.short_id) or id in item.tags:
                return item
        raise NotFoundError("No such image", id)

    def _add_image(self, reference: str) -> str:
        self._made += 1
        id = "sha256:" + f"{0xABCD0000 + self._made:x}".ljust(64, "0")
        with self._lock:
            self._images[id] = Image(id, (reference,), (), NOW, 42_000_000)
        self.emit("image", "pull", reference, reference)
        return id

    def pull(self, reference: str, work: Work, platform: str = "") -> str:
        self._enter("pull", reference, platform)
        for layer in ("a1b2c3d4e5f6", "0f1e2d3c4b5a"):
            work.part(layer, 0.5, "Downloading")
            work.part(layer, 1.0, "Pull complete")
        work.progress(1.0, "Done")
        return self._add_image(reference)

    def push(self, reference: str, work: Work) -> str:
        self._enter("push", reference)
        return "sha256:" + "b" * 64

    def tag(self, id: str, reference: str) -> None:
        self._enter("tag", id, reference)
        item = self._image(id)
        self._images[item.id] = replace(item, tags=(*item.tags, reference))
        self.emit("image", "tag", item.id, reference)

    def remove_image(self, id: str, force: bool = False) -> list[str]:
        self._enter("remove_image", id, force)
        item = self._image(id)
        if item.used_by and not force:
            raise ConflictError("The image is in use", ", ".join(item.used_by))
        del self._images[item.id]
        self.emit("image", "delete", item.id, item.name)
        return [item.id]

    def prune_images(self, all_unused: bool = False) -> PruneReport:
        self._enter("prune_images", all_unused)
        gone = [i for i in self._images.values() if not i.used_by and (all_unused or i.dangling)]
        for item in gone:
            del self._images[item.id]
            self.emit("image", "delete", item.id, item.name)
        return PruneReport(tuple(i.id for i in gone), sum(i.size for i in gone))

    def save_images(self, references: Sequence[str], target: Path, work: Work) -> int:
        self._enter("save_images", tuple(references), target)
        target.write_bytes(b"tar")
        return 3

    def load_images(self, source: Path, work: Work) -> list[str]:
        self._enter("load_images", source)
        return [self._add_image(f"{source.stem}:latest")]

    def import_image(self, source: Path, repository: str, tag: str, work: Work) -> str:
        self._enter("import_image", source, repository, tag)
        return self._add_image(f"{repository}:{tag}")

    # DissectsImages

    def dissect(self, id: str, work: Work) -> Dissection:
        self._enter("dissect", id)
        item = self._image(id)
        work.progress(0.4, "160 kB of 400 kB")
        data = docker_archive(shop_layers(self.image_versions.get(item.name, 1)), item.tags)
        found = contents_from([data], len(data), work)
        made = dissected(found.layers, item.id, item.tags, "linux/amd64", found.config["config"])
        return replace(made, base=base_of(item.id, made.layers, {}, ()))

    def dissecting(self, id: str) -> tuple[Callable[..., Dissection], tuple[Any, ...]]:
        self._enter("dissecting", id)
        return dissect_file, (self.image_file, id)

    def read_image_file(
        self, id: str, place: str, path: str, work: Work, limit: int = 1 << 20
    ) -> tuple[bytes, bool]:
        self._enter("read_image_file", id, place, path)
        return b"print('shop')\n" * 20, False

    def save_image_file(self, id: str, place: str, path: str, target: Path, work: Work) -> int:
        self._enter("save_image_file", id, place, path, target)
        return target.write_bytes(b"print('shop')\n")

    # ManagesVolumes

    def volumes(self) -> list[Volume]:
        self._enter("volumes")
        return list(self._volumes.values())

    def create_volume(self, spec: VolumeSpec) -> Volume:
        self._enter("create_volume", spec)
        self._made += 1
        item = Volume(spec.name or f"vol{self._made}", spec.driver, created=NOW, labels=spec.labels)
        self._volumes[item.name] = item
        self.emit("volume", "create", item.name, item.name)
        return item

    def remove_volume(self, name: str, force: bool = False) -> None:
        self._enter("remove_volume", name, force)
        if name not in self._volumes:
            raise NotFoundError("No such volume", name)
        if self._volumes[name].used_by:
            raise ConflictError("The volume is in use", ", ".join(self._volumes[name].used_by))
        del self._volumes[name]
        self.emit("volume", "destroy", name, name)

    def prune_volumes(self, all_unused: bool = False) -> PruneReport:
        self._enter("prune_volumes", all_unused)
        gone = [item for item in self._volumes.values() if not item.used_by]
        for item in gone:
            del self._volumes[item.name]
            self.emit("volume", "destroy", item.name, item.name)
        return PruneReport(tuple(i.name for i in gone), sum(max(0, i.size) for i in gone))

    def list_volume_files(self, name: str, path: str) -> list[FileEntry]:
        self._enter("list_volume_files", name, path)
        return files(path)

    def download_from_volume(self, name: str, path: str, target: Path, work: Work) -> Path:
        self._enter("download_from_volume", name, path, target)
        made = target / path.rstrip("/").rsplit("/", 1)[-1]
        made.write_bytes(b"data")
        return made

    def upload_to_volume(self, name: str, sources: Sequence[Path], folder: str, work: Work) -> None:
        self._enter("upload_to_volume", name, tuple(sources), folder)

    def read_volume_file(self, name: str, path: str, limit: int = 1 << 20) -> tuple[bytes, bool]:
        self._enter("read_volume_file", name, path)
        return b"data\n"[:limit], False

    # Builds

    def build(
        self, spec: BuildSpec, sink: Callable[[Sequence[BuildItem]], None], work: Work
    ) -> BuildResult:
        """`build_items` are told in bursts of one; the image is there afterwards under the first tag."""
        self._enter("build", spec)
        for item in self.build_items:
            work.check()
            sink([item])
        id = self._add_image(spec.tags[0]) if spec.tags else "sha256:" + "d" * 64
        return BuildResult("buildkit", id, "", 1_000, 10)

    def check(self, spec: BuildSpec, work: Work) -> list[BuildWarning] | None:
        self._enter("check", spec)
        return self.build_warnings

    def builders(self) -> list[Builder]:
        self._enter("builders")
        return list(self.build_builders)

    def past_builds(self, limit: int = 200) -> list[PastBuild]:
        self._enter("past_builds", limit)
        return self.build_history[:limit]

    def past_build(self, ref: str, sink: Callable[[Sequence[BuildItem]], None], work: Work) -> None:
        self._enter("past_build", ref)
        if all(item.ref != ref for item in self.build_history):
            raise NotFoundError("No such build", ref)
        sink(self.build_items)

    # ManagesNetworks

    def networks(self) -> list[Network]:
        self._enter("networks")
        return list(self._networks.values())

    def create_network(self, spec: NetworkSpec) -> str:
        self._enter("create_network", spec)
        self._made += 1
        id = f"{0xBEEF0000 + self._made:x}".ljust(64, "0")
        self._networks[id] = Network(
            id, spec.name, spec.driver, created=NOW, internal=spec.internal
        )
        self.emit("network", "create", id, spec.name)
        return id

    def remove_network(self, id: str) -> None:
        self._enter("remove_network", id)
        item = self._network(id)
        if item.members:
            raise ConflictError("The network is in use", ", ".join(m.name for m in item.members))
        del self._networks[item.id]
        self.emit("network", "destroy", item.id, item.name)

    def _network(self, id: str) -> Network:
        for item in self._networks.values():
            if id in (item.id, item.name):
                return item
        raise NotFoundError("No such network", id)

    def connect(
        self, network: str, container: str, ip: str = "", aliases: Sequence[str] = ()
    ) -> None:
        self._enter("connect", network, container)
        item, box = self._network(network), self._one(container)
        member = NetworkMember(box.id, box.name, ip or "172.18.0.99")
        self._networks[item.id] = replace(item, members=(*item.members, member))
        self.emit("network", "connect", item.id, item.name, container=box.id)

    def disconnect(self, network: str, container: str, force: bool = False) -> None:
        self._enter("disconnect", network, container)
        item, box = self._network(network), self._one(container)
        left = tuple(m for m in item.members if m.container_id != box.id)
        self._networks[item.id] = replace(item, members=left)
        self.emit("network", "disconnect", item.id, item.name, container=box.id)

    def prune_networks(self) -> PruneReport:
        self._enter("prune_networks")
        gone = [n for n in self._networks.values() if not n.members and not n.builtin]
        for item in gone:
            del self._networks[item.id]
            self.emit("network", "destroy", item.id, item.name)
        return PruneReport(tuple(n.id for n in gone), 0)
