"""Images of the sandbox: made from recipes, built, committed, loaded and saved."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dockdesk.sandbox.engine.catalogue import BY_REFERENCE, Program, Recipe, base_tree
from dockdesk.sandbox.engine.filesystem import FileSystem, Node, folder_node
from dockdesk.sandbox.engine.lifecycle import stamp
from dockdesk.sandbox.engine.state import (
    EngineState,
    Layer,
    SimContainer,
    SimImage,
    digest_of,
    with_tag,
)
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.world.traffic import unit

DAY = 86_400.0


def image_of(recipe: Recipe, now: float) -> SimImage:
    """An image as if it had been pulled."""
    created = now - DAY * (3 + 40 * unit(recipe.reference, "age"))
    config: dict[str, Any] = {
        "Env": list(recipe.env) or None,
        "Cmd": list(recipe.command) or None,
        "Entrypoint": list(recipe.entrypoint) or None,
        "ExposedPorts": {port: {} for port in recipe.ports} or None,
        "Volumes": {path: {} for path in recipe.volumes} or None,
        "User": recipe.user,
        "WorkingDir": recipe.workdir,
        "Labels": dict(recipe.labels) or None,
    }
    if recipe.health:
        config["Healthcheck"] = {
            "Test": list(recipe.health),
            "Interval": 30_000_000_000,
            "Retries": 3,
        }
    layers = [Layer(text, size, digest_of("layer", text, size)) for text, size in recipe.layers]
    words = json.dumps(list(recipe.command))
    layers.append(Layer(f"CMD {words}", 0))
    return SimImage(
        digest_of("image", recipe.reference),
        [recipe.reference],
        [f"{recipe.repository}@{digest_of('manifest', recipe.reference)}"],
        created,
        config,
        layers,
        base_tree(recipe, created),
        recipe.program,
        recipe.shells,
    )


def find_recipe(reference: str) -> Recipe | None:
    """What a pull of a reference finds: known repositories have every plausible tag."""
    name = with_tag(reference)
    if name in BY_REFERENCE:
        return BY_REFERENCE[name]
    repository, _, tag = name.rpartition(":")
    if tag.startswith("missing") or "does-not-exist" in tag:
        return None
    for recipe in BY_REFERENCE.values():
        if recipe.repository == repository:
            return replace(recipe, tag=tag)
    return None


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
    layers = [
        *container.image.layers,
        Layer(words, container.files.size(), state.new_id("diff", container.id)),
    ]
    layers[-1].id = "sha256:" + layers[-1].id
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
        "sha256:" + state.new_id("image", message),
        [with_tag(reference)] if reference else [],
        [],
        state.clock.now(),
        config,
        layers,
        container.files.merged(),
        container.program,
        container.image.shells,
        parent=container.image.id,
    )
    state.events.emit(
        "container", "commit", container.id, {"comment": message, "imageID": image.id}
    )
    return add(state, image)


def from_tree(
    state: EngineState, tree: dict[str, Node], reference: str, config: Mapping[str, Any], text: str
) -> SimImage:
    """An image of one layer, as `docker import` makes it."""
    size = sum(len(node.data) for node in tree.values())
    key = hashlib.sha256(
        repr(sorted((path, node.data) for path, node in tree.items())).encode()
    ).hexdigest()
    image = SimImage(
        digest_of("import", key, reference),
        [with_tag(reference)] if reference else [],
        [],
        state.clock.now(),
        dict(config),
        [Layer(text, size, f"sha256:{key}")],
        tree,
        Program(),
    )
    return add(state, image)


def save(images: Sequence[tuple[SimImage, list[str]]]) -> bytes:
    """`docker save`: one archive with a manifest, a config and one layer an image. Source: moby/image spec v1.2."""
    buffer = io.BytesIO()
    manifest, parts = [], {}
    for image, references in images:
        short = image.id.removeprefix("sha256:")
        layer = FileSystem(image.tree).tar("/")
        config = {
            "architecture": image.architecture,
            "os": "linux",
            "created": stamp(image.created),
            "config": image.config,
            "rootfs": {
                "type": "layers",
                "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()],
            },
            "history": [
                {
                    "created": stamp(image.created),
                    "created_by": image.layers[0].created_by if image.layers else "",
                }
            ],
        }
        parts[f"{short}.json"] = json.dumps(config).encode()
        parts[f"{short}/layer.tar"] = layer
        manifest.append(
            {
                "Config": f"{short}.json",
                "RepoTags": references or None,
                "Layers": [f"{short}/layer.tar"],
            }
        )
    parts["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


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
    config_data = parts[entry["Config"]]
    config = json.loads(config_data)
    files = FileSystem({"/": folder_node()})
    layers = []
    for name in entry["Layers"]:
        layer = parts[name]
        files.untar(layer, "/", state.clock.now())
        layers.append(Layer("loaded", len(layer), "sha256:" + hashlib.sha256(layer).hexdigest()))
    tree = files.merged()
    shells = tuple(path for path in ("/bin/bash", "/bin/sh") if path in tree)
    known = next(
        (state.find_image(tag) for tag in entry.get("RepoTags") or () if state.find_image(tag)),
        None,
    )
    image = SimImage(
        "sha256:" + hashlib.sha256(config_data).hexdigest(),
        list(entry.get("RepoTags") or ()),
        [],
        state.clock.now(),
        config.get("config") or {},
        layers,
        tree,
        known.program if known else Program(),
        shells,
        str(config.get("architecture") or "amd64"),
    )
    return add(state, image)


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
