"""What builds have made, by what it was made from. Source: moby/buildkit, solver/cache.go; Engine API, BuildPrune."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.engine.filesystem import FileSystem, Node
from dockdesk.sandbox.engine.lifecycle import stamp
from dockdesk.sandbox.engine.state import EngineState, Layer, digest_of

_MOST = 400
REGULAR, LOCAL, MOUNT, IMAGE = "regular", "source.local", "exec.cachemount", "source.image"


@dataclass(frozen=True, slots=True)
class Made:
    """A layer, and when it was made, in seconds since 1970."""

    layer: Layer
    created: float


@dataclass(frozen=True, slots=True)
class Result:
    """A file system. ``key`` says what it was made from; ``layers`` are all of them, the lowest first."""

    key: str
    tree: Mapping[str, Node]
    layers: tuple[Made, ...] = ()


SCRATCH = Result("scratch", {})


@dataclass(slots=True)
class Record:
    """``image`` is the id of the image that a record of kind IMAGE stands for."""

    id: str
    kind: str
    description: str
    size: int
    created: float
    used: float
    result: Result | None = None
    files: FileSystem | None = None
    image: str = ""
    uses: int = 1
    in_use: int = 0


class Cache:
    """Also tells the engine of its records, for its disk usage, where they are ``listed``."""

    def __init__(self, state: EngineState, listed: bool = True) -> None:
        self._state = state
        self._told = listed
        self._records: dict[str, Record] = {}

    def find(self, key: str) -> Result | None:
        record = self._records.get(key)
        if record is None:
            return None
        record.used, record.uses = self._state.clock.now(), record.uses + 1
        self._listed(record)
        return record.result

    def put(self, result: Result, kind: str, description: str, size: int, image: str = "") -> None:
        now = self._state.clock.now()
        self._add(
            result.key,
            Record(
                digest_of("cache", result.key)[7:32],
                kind,
                description,
                size,
                now,
                now,
                result,
                image=image,
            ),
        )

    def mount(self, id: str) -> Record:
        """The files of a cache mount, which all builds share."""
        key, now = f"mount {id}", self._state.clock.now()
        if key not in self._records:
            description = f"cached mount {id} from exec"
            made = Record(
                digest_of("cache", key)[7:32], MOUNT, description, 0, now, now, files=FileSystem({})
            )
            self._add(key, made)
        record = self._records[key]
        record.used, record.uses = now, record.uses + 1
        return record

    def settle(self, record: Record) -> None:
        """Tell what a mount holds now."""
        record.size = record.files.size() if record.files is not None else record.size
        self._listed(record)

    def _add(self, key: str, record: Record) -> None:
        if key in self._records:
            self._drop(key)
        self._records[key] = record
        self._listed(record)
        while len(self._records) > _MOST:
            self._drop(min(self._records, key=lambda one: self._records[one].used))

    def _drop(self, key: str) -> Record:
        record = self._records.pop(key)
        listed = self._state.build_cache
        listed[:] = [item for item in listed if item["ID"] != record.id]
        return record

    def _listed(self, record: Record) -> None:
        if not self._told:
            return
        line: dict[str, Any] = {
            "ID": record.id,
            "Parent": "",
            "Type": record.kind,
            "Description": record.description,
            "InUse": record.in_use > 0,
            "Shared": self._shared(record),
            "Size": record.size,
            "CreatedAt": stamp(record.created),
            "LastUsedAt": stamp(record.used),
            "UsageCount": record.uses,
        }
        listed = self._state.build_cache
        for number, item in enumerate(listed):
            if item["ID"] == record.id:
                listed[number] = line
                return
        listed.append(line)

    def _shared(self, record: Record) -> bool:
        """Whether its layer belongs to an image too, and so takes no room of its own."""
        if record.image:
            return record.image in self._state.images
        if record.result is None or not record.result.layers:
            return False
        made = record.result.layers[-1].layer.id
        return any(
            layer.id == made for image in self._state.images.values() for layer in image.layers
        )

    def lines(self) -> list[dict[str, Any]]:
        """As the Engine API lists them, with what was there from the beginning."""
        for record in self._records.values():
            self._listed(record)
        return list(self._state.build_cache)

    def prune(
        self, everything: bool, wanted: Callable[[Mapping[str, Any]], bool], keep: int = 0
    ) -> list[dict[str, Any]]:
        """Forget what nobody needs; returns what is gone. ``keep``: bytes that may stay.

        Layers of images that are here stay theirs; without ``everything`` so do the steps that made them.
        """
        keys = {record.id: key for key, record in self._records.items()}
        left = sum(int(line["Size"]) for line in self.lines())
        gone = []
        for line in sorted(self.lines(), key=lambda item: str(item["LastUsedAt"])):
            key = keys.get(line["ID"])
            base = key is not None and self._records[key].kind == IMAGE and line["Shared"]
            if line["InUse"] or base or (line["Shared"] and not everything) or not wanted(line):
                continue
            if keep and left <= keep:
                break
            left -= int(line["Size"])
            gone.append(line)
            if key is not None:
                self._drop(key)
            else:
                self._state.build_cache.remove(line)
        return gone
