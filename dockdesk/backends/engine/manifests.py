"""What an image's archive says of itself: its configuration, and which of its files are its layers in order.

Sources: Docker image specification v1.2 (manifest.json); OCI image specification, "Image Index" and "Image Manifest".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockdesk.backends.engine.layerstream import ImageReader, clean, jsonish
from dockdesk.backends.engine.values import mapping, moment, records, strings, text
from dockdesk.core.dissection.build import RawLayer
from dockdesk.core.dissection.instructions import instruction_text
from dockdesk.core.errors import NotSupportedError, RemoteError
from dockdesk.core.records import dataclass

_DEPTH = 4  # of indexes in indexes


@dataclass(frozen=True, slots=True)
class Contents:
    """An image of an archive: its configuration file, its tags, and its layers, the lowest first."""

    config: Mapping[str, Any]
    tags: tuple[str, ...]
    layers: tuple[RawLayer, ...]


def contents_of(reader: ImageReader, title: str) -> Contents:
    """The first image of an archive that was read. Raise RemoteError where it is not complete."""
    listed = records(jsonish(reader.texts.get("manifest.json", b"")))
    if listed:
        entry = listed[0]
        config_name = text(entry.get("Config"))
        names, tags = strings(entry.get("Layers")), strings(entry.get("RepoTags"))
    else:
        manifest = _manifest(reader, jsonish(reader.texts.get("index.json", b"")), _DEPTH)
        if manifest is None:
            raise RemoteError(
                title,
                "The engine's archive has no manifest: it broke off, or is of an unknown form.",
                "Try again.",
            )
        config_name = blob(text(mapping(manifest.get("config")).get("digest")))
        names = tuple(blob(text(item.get("digest"))) for item in records(manifest.get("layers")))
        tags = ()
    config = mapping(jsonish(reader.texts.get(_place(reader, config_name), b"")))
    if not config:
        raise RemoteError(
            title, f"The archive lacks the configuration {config_name}.", "Try again."
        )
    return Contents(config, tags, tuple(_layers(reader, config, names, title)))


def blob(digest: str) -> str:
    """Where an OCI layout keeps what has this digest."""
    algorithm, _, value = digest.partition(":")
    return f"blobs/{algorithm}/{value}"


def _manifest(reader: ImageReader, value: Any, depth: int) -> Mapping[str, Any] | None:
    """The manifest of the first image whose configuration is in the archive: others are of other platforms."""
    index = mapping(value)
    if index.get("layers") is not None:
        name = blob(text(mapping(index.get("config")).get("digest")))
        config = mapping(jsonish(reader.texts.get(name, b"")))
        return index if "rootfs" in config else None
    for entry in records(index.get("manifests")) if depth else ():
        name = blob(text(entry.get("digest")))
        found = _manifest(reader, jsonish(reader.texts.get(name, b"")), depth - 1)
        if found is not None:
            return found
    return None


def _place(reader: ImageReader, name: str) -> str:
    """The file behind a name: engines write a layer that comes twice as a link to its first copy."""
    place = clean(name)
    for _ in range(_DEPTH):
        if place not in reader.links:
            break
        place = reader.links[place]
    return place


def _layers(
    reader: ImageReader, config: Mapping[str, Any], names: Sequence[str], title: str
) -> list[RawLayer]:
    digests = strings(mapping(config.get("rootfs")).get("diff_ids"))
    lines = [line for line in records(config.get("history")) if not line.get("empty_layer")]
    if len(lines) != len(names):
        lines = []  # written by a tool that keeps no history, or half of one
    made = []
    for number, name in enumerate(names):
        place = _place(reader, name)
        if (why := reader.broken.get(place)) is not None:
            kind = NotSupportedError if "not supported" in why else RemoteError
            raise kind(title, f"Layer {number + 1} ({name}) can't be read: {why}.")
        entries = reader.layers.get(place)
        if entries is None:
            raise RemoteError(
                title,
                f"The engine's archive lacks layer {number + 1} ({name}).",
                "The engine may not have all of the image: pull it again.",
            )
        line: Mapping[str, Any] = lines[number] if lines else {}
        made.append(
            RawLayer(
                entries,
                place,
                digests[number] if number < len(digests) else "",
                instruction_text(text(line.get("created_by"))) or text(line.get("comment")),
                moment(line.get("created")),
            )
        )
    return made
