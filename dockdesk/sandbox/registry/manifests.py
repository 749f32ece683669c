"""Manifests: their kinds, what makes one valid, what it refers to, and which a client accepts.

Source: OCI image specification 1.1; distribution, "Image Manifest V2, Schema 2".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.engine.recipes import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from dockdesk.sandbox.registry.blobs import is_digest
from dockdesk.sandbox.registry.errors import RegistryError

INDEXES = {DOCKER_LIST, OCI_INDEX}
IMAGES = {DOCKER_MANIFEST, OCI_MANIFEST}
KINDS = INDEXES | IMAGES


@dataclass(frozen=True, slots=True)
class Manifest:
    """A stored manifest. ``blobs`` and ``children`` are the digests that must be in the repository for it."""

    digest: str
    kind: str
    size: int
    value: Mapping[str, Any] = field(repr=False)
    blobs: tuple[str, ...] = ()
    children: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """Digest of the manifest that this one is about, empty for none."""
        subject = self.value.get("subject")
        return str(subject.get("digest") or "") if isinstance(subject, dict) else ""

    @property
    def artifact_type(self) -> str:
        config = self.value.get("config") or {}
        return str(self.value.get("artifactType") or config.get("mediaType") or "")

    def layers_size(self) -> int:
        """Compressed bytes of the layers of an image."""
        return sum(int(layer["size"]) for layer in self.value.get("layers") or ())


def parse(digest: str, kind: str, data: bytes) -> Manifest:
    """Check a manifest that is pushed. Raises RegistryError MANIFEST_INVALID."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RegistryError("MANIFEST_INVALID", {"Offset": getattr(error, "pos", 0)}) from None
    if not isinstance(value, dict) or kind not in KINDS or value.get("schemaVersion") != 2:
        raise RegistryError("MANIFEST_INVALID", {})
    told = value.get("mediaType")
    if told != kind and (told is not None or kind not in {OCI_MANIFEST, OCI_INDEX}):
        raise RegistryError("MANIFEST_INVALID", {})
    if kind in INDEXES:
        children = tuple(_descriptor(item) for item in _list(value.get("manifests")))
        return Manifest(digest, kind, len(data), value, (), children)
    blobs = [_descriptor(value.get("config"))]
    # Layers with addresses elsewhere need not be here ("foreign" layers).
    blobs += [_descriptor(item) for item in _list(value.get("layers")) if not item.get("urls")]
    return Manifest(digest, kind, len(data), value, tuple(blobs))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise RegistryError("MANIFEST_INVALID", {})
    return value


def _descriptor(value: Any) -> str:
    if (
        not isinstance(value, dict)
        or not is_digest(str(value.get("digest")))
        or not isinstance(value.get("size"), int)
        or value["size"] < 0
        or not isinstance(value.get("mediaType"), str)
    ):
        raise RegistryError("MANIFEST_INVALID", {})
    return str(value["digest"])


def accepted(header: str) -> set[str]:
    """Media types of an Accept header."""
    return {part.partition(";")[0].strip() for part in header.split(",") if part.strip()}


def default_child(manifest: Manifest) -> str:
    """The image for a client that knows no lists: that for linux/amd64. Raises RegistryError MANIFEST_UNKNOWN."""
    children: Sequence[Mapping[str, Any]] = manifest.value["manifests"]
    for child in children:
        platform = child.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
            return str(child["digest"])
    raise RegistryError("MANIFEST_UNKNOWN")


def refuse(manifest: Manifest, accept: set[str]) -> None:
    """Raise RegistryError MANIFEST_UNKNOWN where a client can't read an OCI manifest: docker's are given to anybody."""
    if manifest.kind in accept:
        return
    if manifest.kind == OCI_MANIFEST:
        text = "OCI manifest found, but accept header does not support OCI manifests"
        raise RegistryError("MANIFEST_UNKNOWN", message=text)
    if manifest.kind == OCI_INDEX:
        text = "OCI index found, but accept header does not support OCI indexes"
        raise RegistryError("MANIFEST_UNKNOWN", message=text)
