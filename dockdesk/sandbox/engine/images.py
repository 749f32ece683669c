"""Images of the sandbox: made from recipes, built, committed, loaded and saved."""

from __future__ import annotations

import io
import json
import re
import shlex
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dockdesk.sandbox.engine import base_images, recipes, releases
from dockdesk.sandbox.engine.catalogue import RECIPES, Program, Recipe
from dockdesk.sandbox.engine.filesystem import FileSystem, Node, folder_node
from dockdesk.sandbox.engine.layers import LayerError, apply, layer_of, packed, sha256, unpacked
from dockdesk.sandbox.engine.state import (
    EngineState,
    Layer,
    SimContainer,
    SimImage,
    with_tag,
)
from dockdesk.sandbox.http import HttpError

_PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar"


def image_of(recipe: Recipe, now: float) -> SimImage:
    """An image as if it had been pulled."""
    built = recipes.build(recipe, now)
    return SimImage(
        built.id,
        [recipe.reference],
        [f"{recipe.repository}@{recipes.package(recipe, now).digest}"],
        built.created,
        built.config,
        list(built.layers),
        built.tree,
        recipe.program,
        recipe.shells,
        raw=built.raw,
        stock=True,
    )


def seal(image: SimImage) -> SimImage:
    """Name an image by what it holds, as engines do: the id is the digest of the configuration file."""
    image.raw = recipes.config_file(image.config, image.layers, image.created, image.architecture)
    image.id = sha256(image.raw)
    return image


def derived(image: SimImage, kept: int, layer: Layer, tag: str, created: float) -> SimImage:
    """Another build on the lowest ``kept`` layers of an image."""
    return seal(
        replace(
            image,
            tags=[tag] if tag else [],
            digests=[],
            stock=False,
            created=created,
            layers=[*image.layers[:kept], layer],
        )
    )


def pushed_digest(image: SimImage) -> tuple[str, int]:
    """Digest and size in bytes of the manifest that a push makes of an image."""
    blobs = [(sha256(layer.blob), len(layer.blob)) for layer in image.layers if layer.id]
    manifest = recipes.docker_manifest(image.raw, blobs)
    return sha256(manifest), len(manifest)


def program_of(config: Mapping[str, Any], repository: str) -> Program:
    """How a pulled image behaves: as what the catalogue knows with its command, or under its name."""
    words = (config.get("Entrypoint") or [], config.get("Cmd") or [])
    for recipe in RECIPES:
        if words == (list(recipe.entrypoint), list(recipe.command)):
            return recipe.program
    name = repository.partition("/")[2] or repository
    return next((recipe.program for recipe in RECIPES if recipe.repository == name), Program())


def find_recipe(reference: str) -> Recipe | None:
    """What a pull of a reference finds: known repositories have every plausible tag."""
    repository, _, tag = with_tag(reference).rpartition(":")
    if tag.startswith("missing") or "does-not-exist" in tag:
        return None
    found = releases.at(repository, tag)
    if found is not None:
        return found
    if (base := base_images.recipe(repository, tag)) is not None:
        return base
    return next(
        (replace(recipe, tag=tag) for recipe in RECIPES if recipe.repository == repository), None
    )


def untag(state: EngineState, image: SimImage, reference: str) -> None:
    image.tags.remove(reference)
    state.events.emit("image", "untag", image.id, {"name": reference})


def tag(state: EngineState, image: SimImage, reference: str) -> None:
    """Give an image a tag, taking it from the image that has it now."""
    reference = with_tag(reference)
    for other in state.images.values():
        if reference in other.tags and other is not image:
            other.tags.remove(reference)
    if reference not in image.tags:
        image.tags.append(reference)
    state.events.emit("image", "tag", image.id, {"name": reference})


def delete(state: EngineState, name: str, force: bool) -> list[dict[str, str]]:
    """ImageDelete. Raises HttpError 404, or 409 where it is in use or has several tags."""
    image = state.image(name)
    by_tag = with_tag(name) in image.tags
    users = list(state.made_from(image))
    if by_tag and len(image.tags) > 1:
        untag(state, image, with_tag(name))
        return [{"Untagged": with_tag(name)}]
    if not by_tag and len(image.tags) > 1 and not force:
        raise HttpError(
            409,
            f"conflict: unable to delete {name[:19]} (must be forced) - image is referenced in multiple repositories",
        )
    running = next((item for item in users if item.running), None)
    short = image.id.removeprefix("sha256:")[:12]
    if running is not None:
        kind = "cannot be forced" if not by_tag or force else "must be forced"
        raise HttpError(
            409,
            f'conflict: unable to remove repository reference "{name}" ({kind}) - container {running.id[:12]} is using its referenced image {short}',
        )
    if users and not force:
        raise HttpError(
            409,
            f'conflict: unable to remove repository reference "{name}" (must be forced) - container {users[0].id[:12]} is using its referenced image {short}',
        )
    answer = [{"Untagged": reference} for reference in [*image.tags, *image.digests]]
    for reference in list(image.tags):
        untag(state, image, reference)
    del state.images[image.id]
    state.events.emit("image", "delete", image.id, {"name": image.id})
    kept = {layer.id for other in state.images.values() for layer in other.layers}
    answer.append({"Deleted": image.id})
    answer += [
        {"Deleted": layer.id}
        for layer in reversed(image.layers)
        if layer.id and layer.id not in kept
    ]
    return answer


def add(state: EngineState, image: SimImage) -> SimImage:
    """Put an image into the store; its tags are taken from others."""
    tags, image.tags = list(image.tags), []
    image = state.images.setdefault(image.id, image)
    for reference in tags:
        tag(state, image, reference)
    return image


def changed(lines: Sequence[str]) -> dict[str, Any]:
    """What Dockerfile instructions given with commit or import change of a configuration. Raises HttpError 400."""
    config: dict[str, Any] = {}
    for line in (one.strip() for text in lines for one in text.splitlines() if one.strip()):
        word, _, rest = line.partition(" ")
        name, rest = word.upper(), rest.strip()
        if name in {"CMD", "ENTRYPOINT"}:
            given = json.loads(rest) if rest.startswith("[") else ["/bin/sh", "-c", rest]
            config["Cmd" if name == "CMD" else "Entrypoint"] = given
        elif name in {"ENV", "LABEL"}:
            pairs = dict(item.partition("=")[::2] for item in shlex.split(rest))
            if name == "LABEL":
                config.setdefault("Labels", {}).update(pairs)
            else:
                config.setdefault("Env", []).extend(f"{k}={v}" for k, v in pairs.items())
        elif name in {"WORKDIR", "USER"}:
            config["WorkingDir" if name == "WORKDIR" else "User"] = rest
        elif name == "EXPOSE":
            ports = (port if "/" in port else f"{port}/tcp" for port in rest.split())
            config.setdefault("ExposedPorts", {}).update({port: {} for port in ports})
        elif name == "VOLUME":
            config.setdefault("Volumes", {}).update({path: {} for path in rest.split()})
        else:
            raise HttpError(400, f"{word} is not a valid change command")
    return config


def commit(
    state: EngineState,
    container: SimContainer,
    reference: str,
    message: str,
    changes: Mapping[str, Any],
) -> SimImage:
    """`docker commit`: the container's files and settings as an image."""
    words = " ".join(
        [*(container.config.get("Entrypoint") or ()), *(container.config.get("Cmd") or ())]
    )
    layers = [*container.image.layers, layer_of(words, container.files.upper)]
    config = {
        **container.image.config,
        **{
            key: value
            for key, value in container.config.items()
            if key in {"Env", "Cmd", "Entrypoint", "Labels", "User", "WorkingDir"}
        },
        **changes,
    }
    image = SimImage(
        "",
        [with_tag(reference)] if reference else [],
        [],
        state.clock.now(),
        config,
        layers,
        container.files.merged(),
        container.program,
        container.image.shells,
        container.image.architecture,
        parent=container.image.id,
    )
    seal(image)
    state.events.emit(
        "container", "commit", container.id, {"comment": message, "imageID": image.id}
    )
    return add(state, image)


def from_tree(
    state: EngineState, tree: dict[str, Node], reference: str, config: Mapping[str, Any], text: str
) -> SimImage:
    """An image of one layer, as `docker import` makes it."""
    image = SimImage(
        "",
        [with_tag(reference)] if reference else [],
        [],
        state.clock.now(),
        dict(config),
        [layer_of(text, tree)],
        tree,
        Program(),
    )
    return add(state, seal(image))


def save(images: Sequence[tuple[SimImage, list[str]]]) -> bytes:
    """`docker save`: an archive with a manifest, configurations and layers, which is an OCI layout too.

    Source: moby/image spec v1.2; OCI image specification, "Image Layout".
    """
    manifest: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    parts: dict[str, bytes] = {}
    for image, references in images:
        layers = [unpacked(layer.blob) for layer in image.layers if layer.id]
        names = [_kept(parts, data) for data in layers]
        config = _kept(parts, image.raw)
        manifest.append({"Config": config, "RepoTags": references or None, "Layers": names})
        value = {
            "schemaVersion": 2,
            "mediaType": recipes.OCI_MANIFEST,
            "config": _described(recipes.OCI_CONFIG, image.raw),
            "layers": [_described(_PLAIN_LAYER, data) for data in layers],
        }
        data = json.dumps(value).encode()
        _kept(parts, data)
        for reference in references or [""]:
            entry: dict[str, Any] = _described(recipes.OCI_MANIFEST, data)
            if reference:
                tag = reference.rpartition(":")[2]
                full = reference if "/" in reference else f"library/{reference}"
                entry["annotations"] = {
                    "io.containerd.image.name": f"docker.io/{full}",
                    "org.opencontainers.image.ref.name": tag,
                }
            entries.append(entry)
    parts["manifest.json"] = json.dumps(manifest).encode()
    index = {"schemaVersion": 2, "mediaType": recipes.OCI_INDEX, "manifests": entries}
    parts["index.json"] = json.dumps(index).encode()
    parts["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _kept(parts: dict[str, bytes], data: bytes) -> str:
    """Put a blob where an OCI layout has it; returns its name."""
    name = f"blobs/sha256/{sha256(data).removeprefix('sha256:')}"
    parts[name] = data
    return name


def _described(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": sha256(data), "size": len(data)}


def load(state: EngineState, data: bytes) -> list[SimImage]:
    """`docker load`. Raises HttpError 500 for what is no image archive."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            parts = {
                member.name: _content(archive, member) for member in archive if member.isfile()
            }
        manifest = json.loads(parts["manifest.json"])
        return [_loaded(state, entry, parts) for entry in manifest]
    except (tarfile.TarError, KeyError, ValueError, TypeError, EOFError) as error:
        raise HttpError(500, f"Error processing tar file(exit status 1): {error}") from None


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = archive.extractfile(member)
    return source.read() if source is not None else b""


def _loaded(state: EngineState, entry: Mapping[str, Any], parts: Mapping[str, bytes]) -> SimImage:
    tags = [str(tag) for tag in entry.get("RepoTags") or ()]
    archives = [parts[name] for name in entry["Layers"]]
    blobs = [data if data[:2] == b"\x1f\x8b" else packed(data) for data in archives]
    image = image_from(parts[entry["Config"]], blobs, tags[0] if tags else "")
    image.tags = tags
    return add(state, image)


def image_from(raw: bytes, blobs: Sequence[bytes], reference: str) -> SimImage:
    """An image of its configuration file and its layers, the lowest first.

    Raises LayerError where they don't belong together.
    """
    value = json.loads(raw)
    if not isinstance(value, dict):
        raise LayerError("invalid image configuration")
    diff_ids = list((value.get("rootfs") or {}).get("diff_ids") or ())
    if len(diff_ids) != len(blobs):
        raise LayerError("invalid number of layers in the image's configuration")
    tree: dict[str, Node] = {"/": folder_node()}
    contents: list[tuple[str, int, bytes]] = []
    for expected, blob in zip(diff_ids, blobs, strict=True):
        data = unpacked(blob)
        if sha256(data) != expected:
            raise LayerError("layer does not match its digest in the image's configuration")
        contents.append((expected, apply(tree, data), blob))
    config = value.get("config") or {}
    created = _seconds(value.get("created"))
    return SimImage(
        sha256(raw),
        [],
        [],
        created,
        config,
        _layers(value.get("history") or (), contents),
        tree,
        program_of(config, reference.rpartition(":")[0]),
        tuple(path for path in ("/bin/bash", "/bin/sh") if path in tree),
        str(value.get("architecture") or "amd64"),
        raw=raw,
    )


def _layers(history: Sequence[Any], contents: Sequence[tuple[str, int, bytes]]) -> list[Layer]:
    """History and layers together; a history may be missing or too short."""
    left, layers = list(contents), list[Layer]()
    for line in history:
        text = str(line.get("created_by") or "")
        if line.get("empty_layer"):
            layers.append(Layer(text, 0))
        elif left:
            diff_id, size, blob = left.pop(0)
            layers.append(Layer(text, size, diff_id, blob))
    return layers + [Layer("", size, diff_id, blob) for diff_id, size, blob in left]


def _seconds(text: object) -> float:
    """A time as configurations write it, in seconds since 1970; 0 for none."""
    try:
        whole = re.sub(r"(\.\d{1,6})\d*", r"\1", str(text))
        return max(datetime.fromisoformat(whole).timestamp(), 0.0)
    except ValueError:
        return 0.0


def tree_of_tar(data: bytes, now: float) -> dict[str, Node]:
    """The files of an uploaded archive. Raises HttpError 400."""
    files = FileSystem({"/": folder_node()})
    files.untar(data, "/", now)
    return files.merged()


def text_of(tree: Mapping[str, Node], path: str) -> str:
    """A text file of a tree; raises HttpError 400 where it is missing."""
    node = tree.get(path)
    if node is None:
        raise HttpError(400, f"Cannot locate specified Dockerfile: {path.lstrip('/')}")
    return node.data.decode("utf-8", "replace")
