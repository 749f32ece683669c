"""Volumes, and the files in them, for which the engine has no request.

Files are reached through a container that mounts the volume, whether it runs or not; where there is none, through a
helper container that is never started, carries a label by which lists leave it out, and is removed at once.
Source: Engine API v1.41 to v1.55, section Volume.
"""

from __future__ import annotations

import logging
import posixpath
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockdesk.backends.engine.convert import ListedContainer
from dockdesk.backends.engine.convert_engine import prune_report_from, volume_from, volumes_from
from dockdesk.backends.engine.convert_images import ImageList
from dockdesk.backends.engine.files import FileCalls, clean_path
from dockdesk.backends.engine.listed import ListedContainers
from dockdesk.backends.engine.paths import quoted
from dockdesk.backends.engine.values import HELPER_LABEL, mapping, moment, text
from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    RemoteError,
    UnreachableError,
)
from dockdesk.core.ports import VolumeSpec
from dockdesk.core.resources.containers import FileEntry
from dockdesk.core.resources.engine import PruneReport, Volume
from dockdesk.core.work import Work

_log = logging.getLogger(__name__)

_EMPTY_TAR = 10_240  # bytes, all 0: one record
_SLOW = 600.0
# In the helper. No image has this folder: from one that does, the engine would copy files into an empty volume.
_MOUNTED_AT = "/.dockdesk-volume"
_FORGOTTEN = 600.0  # seconds after which a helper is a leftover of a program that died
_TRIES = 3  # images to try: one of another platform can't be used


class VolumeCalls(FileCalls, ListedContainers):
    """See ManagesVolumes in core/ports.py."""

    def volumes(self) -> list[Volume]:
        raw = self.client.get("/volumes", title="Volumes could not be listed", timeout=_SLOW)
        return volumes_from(raw, self.listed_containers())

    def create_volume(self, spec: VolumeSpec) -> Volume:
        body: dict[str, Any] = {
            "Driver": spec.driver or "local",
            "DriverOpts": dict(spec.options),
            "Labels": dict(spec.labels),
        }
        if spec.name.strip():
            body["Name"] = spec.name.strip()
        title = f"The volume {spec.name} could not be made"
        if "Name" in body and self._exists(body["Name"]):
            # The engine would answer with the one there is, whatever was asked for.
            raise ConflictError(title, "There is a volume of this name.", "Choose another name.")
        answer = self.client.post("/volumes/create", json=body, title=title, timeout=_SLOW)
        return volume_from(mapping(answer))

    def remove_volume(self, name: str, force: bool = False) -> None:
        try:
            self.client.delete(
                f"/volumes/{quoted(name)}",
                {"force": force},
                timeout=_SLOW,
                title=f"The volume {name} was not removed",
            )
        except ConflictError as error:
            hint = "Remove the containers that use it first."
            raise ConflictError(error.title, error.detail, hint) from error

    def prune_volumes(self, all_unused: bool = False) -> PruneReport:
        """Anonymous ones only, unless ``all_unused``: what that means changed with API 1.42."""
        title = "Volumes could not be pruned"
        if self.client.speaks("1.42"):
            params = {"filters": {"all": ["true"]}} if all_unused else None
            answer = self.client.post("/volumes/prune", params, timeout=_SLOW, title=title)
            return prune_report_from(answer, "VolumesDeleted")
        if all_unused:
            answer = self.client.post("/volumes/prune", timeout=_SLOW, title=title)
            return prune_report_from(answer, "VolumesDeleted")
        return self._prune_anonymous()

    def list_volume_files(self, name: str, path: str) -> list[FileEntry]:
        with self.reached(name) as (id, base):
            entries = self.list_files(id, _below(base, path))
        return [
            replace(entry, path=clean_path(posixpath.relpath(entry.path, base)))
            for entry in entries
        ]

    def read_volume_file(self, name: str, path: str, limit: int = 1 << 20) -> tuple[bytes, bool]:
        with self.reached(name) as (id, base):
            return self.read_file(id, _below(base, path), limit)

    def download_from_volume(self, name: str, path: str, target: Path, work: Work) -> Path:
        with self.reached(name) as (id, base):
            whole_volume = clean_path(path) == "/" and target.is_dir()
            inner = _below(base, path)
            return self.download_as(id, inner, target, work, name if whole_volume else "")

    def upload_to_volume(self, name: str, sources: Sequence[Path], folder: str, work: Work) -> None:
        with self.reached(name, writable=True) as (id, base):
            self.upload(id, sources, _below(base, folder), work)

    # --- Reaching into a volume ---

    @contextmanager
    def reached(self, name: str, writable: bool = False) -> Iterator[tuple[str, str]]:
        """A container through which the volume can be reached, and where it is mounted there."""
        containers = self.listed_containers()
        self._remove_leftovers(containers)
        if (found := mounting(containers, name, writable)) is not None:
            yield found
            return
        title = f"The volume {name} could not be opened"
        # Else creating the helper would make the volume.
        self.client.get(f"/volumes/{quoted(name)}", title=title)
        helper, image = self._make_helper(name, title)
        try:
            yield helper, _MOUNTED_AT
        finally:
            self._discard(f"/containers/{helper}", {"force": True, "v": True})
            if image:
                self._discard(f"/images/{quoted(image)}", {"force": True})

    def _make_helper(self, name: str, title: str) -> tuple[str, str]:
        """The helper's id, and the id of the image that was made for it where no other could be used."""
        listed = self.client.get("/images/json", type=ImageList) or []
        images = [image.id for image in sorted(listed, key=lambda image: image.size)]
        for image in images[:_TRIES]:
            try:
                return self._create_helper(name, image, title), ""
            except UnreachableError:
                raise
            except DockDeskError as error:
                _log.info("image %s can't carry a helper: %s", image[:19], error)
        made = self._empty_image(title)
        try:
            return self._create_helper(name, made, title), made
        except BaseException:
            self._discard(f"/images/{quoted(made)}", {"force": True})
            raise

    def _create_helper(self, name: str, image: str, title: str) -> str:
        body = {
            "Image": image,
            "Entrypoint": ["-"],
            "Cmd": [],
            "Labels": {HELPER_LABEL: name},
            "NetworkDisabled": True,
            "HostConfig": {"Binds": [f"{name}:{_MOUNTED_AT}"], "NetworkMode": "none"},
        }
        answer = self.client.post("/containers/create", json=body, title=title, timeout=_SLOW)
        return text(mapping(answer).get("Id"))

    def _empty_image(self, title: str) -> str:
        with self.client.stream(
            "POST",
            "/images/create",
            {"fromSrc": "-", "changes": f"LABEL {HELPER_LABEL}=image"},
            data=bytes(_EMPTY_TAR),
            title=title,
            timeout=_SLOW,
        ) as answer:
            for message in answer.json_lines():
                id = text(mapping(message).get("status"))
                if id.startswith("sha256:"):
                    return id
        raise RemoteError(title, "No image could be made to reach it.", "Pull any image first.")

    def _remove_leftovers(self, containers: Sequence[ListedContainer]) -> None:
        for container in containers:
            if container.hidden and time.time() - moment(container.created) > _FORGOTTEN:
                self._discard(f"/containers/{container.id}", {"force": True, "v": True})

    def _discard(self, path: str, params: dict[str, Any]) -> None:
        """Remove what DockDesk made for itself; a failure is noted, and made up for the next time."""
        try:
            self.client.delete(path, params, timeout=_SLOW)
        except NotFoundError:
            return
        except DockDeskError as error:
            _log.warning("a helper was not removed: %s", error)

    # --- Within ---

    def _exists(self, name: str) -> bool:
        try:
            self.client.get(f"/volumes/{quoted(name)}")
        except (NotFoundError, InvalidInputError):
            return False
        return True

    def _prune_anonymous(self) -> PruneReport:
        """What API 1.42 prunes by itself: unused volumes that the engine named, by 64 hexadecimal digits."""
        unused = self.client.get("/volumes", {"filters": {"dangling": ["true"]}}, timeout=_SLOW)
        names = [volume.name for volume in volumes_from(unused, ()) if _is_anonymous(volume.name)]
        removed = []
        for name in names:
            try:
                self.client.delete(f"/volumes/{quoted(name)}", timeout=_SLOW)
            except (ConflictError, NotFoundError):
                continue  # used, or gone, meanwhile
            removed.append(name)
        return PruneReport(tuple(removed), 0)


def _is_anonymous(name: str) -> bool:
    return len(name) == 64 and not set(name) - set("0123456789abcdef")


def _below(base: str, path: str) -> str:
    return posixpath.normpath(base + clean_path(path))


def mounting(
    containers: Sequence[ListedContainer], name: str, writable: bool
) -> tuple[str, str] | None:
    """The best container that mounts the volume: nothing else mounted within, running before stopped."""
    best: tuple[tuple[bool, bool], str, str] | None = None
    for container in containers:
        if container.hidden or (container.state or "") in {"removing", "dead"}:
            continue
        targets = [mount.destination or "" for mount in container.mounts or ()]
        for mount in container.mounts or ():
            target = mount.destination or ""
            if mount.type != "volume" or mount.name != name or not target:
                continue
            if writable and mount.rw is False:
                continue
            covered = any(other.startswith(f"{target.rstrip('/')}/") for other in targets)
            rank = (covered, container.state != "running")
            if best is None or rank < best[0]:
                best = (rank, container.id, target)
    return None if best is None else best[1:]
