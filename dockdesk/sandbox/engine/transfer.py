"""Pulls from and pushes to a registry on this computer, told as the engine tells them.

Source: Engine API, ImageCreate and ImagePush; the messages are those of dockerd 20.10.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from dockdesk.sandbox.engine import images
from dockdesk.sandbox.engine.hub import place_of
from dockdesk.sandbox.engine.layers import LayerError, sha256
from dockdesk.sandbox.engine.recipes import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    docker_manifest,
)
from dockdesk.sandbox.engine.registry_client import (
    Credentials,
    RegistryClient,
    TransferError,
    split,
)
from dockdesk.sandbox.engine.state import EngineState, Layer, SimImage
from dockdesk.sandbox.http import HttpError

# Stand-ins are small and this computer is near: without it nobody would see them move.
_TELL_SECONDS = 0.2
_STEP_SECONDS = 0.03
_LARGEST_LAYER = 256 << 20
_UNITS = ("B", "kB", "MB", "GB")


def line(**values: Any) -> bytes:
    """One message of a progress stream."""
    return json.dumps(values, separators=(",", ":")).encode() + b"\r\n"


def failure(message: str) -> bytes:
    """The message that ends a stream that failed."""
    return line(errorDetail={"message": message}, error=message)


def progress(verb: str, id: str, current: int, total: int) -> bytes:
    """How far a layer is, with docker's bar."""
    detail = {"current": current, "total": total}
    return line(status=verb, progressDetail=detail, progress=bar(current, total), id=id)


def bar(current: int, total: int) -> str:
    """As docker draws it, 50 characters wide."""
    share = 50 if current >= total else current * 50 // total
    drawn = "=" * share + ">" + " " * (50 - share)
    return f"[{drawn}]  {_size(current)}/{_size(total)}"


def _size(count: float) -> str:
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.4g}{_UNITS[unit]}"


def short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


class Transfers:
    """Carries images between an engine's store and registries."""

    def __init__(self, state: EngineState) -> None:
        self._state = state
        # (address, blob) → a repository there that has it: what can be mounted elsewhere.
        self._seen: dict[tuple[str, str], str] = {}

    async def pull(
        self, name: str, reference: str, platform: str, login: Credentials
    ) -> AsyncIterator[bytes]:
        """The stream of a pull of ``name`` at a tag or digest; raises HttpError where it fails before it begins."""
        place = place_of(self._state, name)
        assert place is not None
        joined = "@" if reference.startswith("sha256:") else ":"
        whole = f"{name}{joined}{reference}"
        client = RegistryClient(place[0], login, place[1], "pull")
        try:
            await client.login()
            kind, data, digest = await client.manifest(reference)
        except TransferError as error:
            raise pull_error(error, name, whole) from None
        return self._pulled(client, place, name, whole, platform, (kind, data, digest))

    async def _pulled(
        self,
        client: RegistryClient,
        place: tuple[str, str],
        name: str,
        whole: str,
        platform: str,
        top: tuple[str, bytes, str],
    ) -> AsyncIterator[bytes]:
        kind, data, digest = top
        reference = whole.removeprefix(name)[1:]
        yield line(status=f"Pulling from {place[1]}", id=reference)
        try:
            value = _manifest(data)
            if kind in {DOCKER_LIST, OCI_INDEX}:
                child = _choose(value, platform or "linux/amd64")
                kind, data, _ = await client.manifest(child)
                value = _manifest(data)
            if kind not in {DOCKER_MANIFEST, OCI_MANIFEST}:
                raise TransferError(f"unsupported media type {kind}")
            raw = b"".join([piece async for piece in client.blob(value["config"]["digest"])])
            held = self._state.images.get(sha256(raw))
            image = held
            if image is None:
                blobs: list[bytes] = []
                async for message in self._layers(client, place, value["layers"], raw, blobs):
                    yield message
                image = await asyncio.to_thread(images.image_from, raw, blobs, whole)
                image.layers = self._shared(image.layers)
            fresh = held is None or ("@" not in whole and whole not in held.tags)
            image = self._keep(image, name, whole, digest)
        except (TransferError, LayerError) as error:
            yield failure(str(error))
            return
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            yield failure(f"invalid manifest or configuration: {error}")
            return
        yield line(status=f"Digest: {digest}")
        what = "Downloaded newer image" if fresh else "Image is up to date"
        yield line(status=f"Status: {what} for {whole}")

    def _keep(self, image: SimImage, name: str, whole: str, digest: str) -> SimImage:
        image = images.add(self._state, image)
        if "@" not in whole:
            images.tag(self._state, image, whole)
        if f"{name}@{digest}" not in image.digests:
            image.digests.append(f"{name}@{digest}")
        self._state.events.emit("image", "pull", whole, {"name": name})
        return image

    def _shared(self, layers: list[Layer]) -> list[Layer]:
        """Layers that other images have already, as those have them."""
        known = {layer.id: layer for item in self._state.images.values() for layer in item.layers}
        return [known.get(layer.id, layer) if layer.id else layer for layer in layers]

    async def _layers(
        self,
        client: RegistryClient,
        place: tuple[str, str],
        entries: list[Mapping[str, Any]],
        raw: bytes,
        blobs: list[bytes],
    ) -> AsyncIterator[bytes]:
        """Fetch the layers that are not here yet; ``blobs`` is filled with all of them."""
        known = {layer.id: layer for item in self._state.images.values() for layer in item.layers}
        diff_ids = json.loads(raw)["rootfs"]["diff_ids"]
        held = [known.get(str(diff_id)) for diff_id in diff_ids]
        held += [None] * (len(entries) - len(held))
        for entry, layer in zip(entries, held, strict=False):
            status = "Already exists" if layer is not None else "Pulling fs layer"
            yield line(status=status, progressDetail={}, id=short(entry["digest"]))
        for entry, layer in zip(entries, held, strict=False):
            self._seen[place[0], entry["digest"]] = place[1]
            if layer is not None:
                blobs.append(layer.blob)
                continue
            async for message in self._layer(client, entry, blobs):
                yield message

    async def _layer(
        self, client: RegistryClient, entry: Mapping[str, Any], blobs: list[bytes]
    ) -> AsyncIterator[bytes]:
        name, total = short(entry["digest"]), int(entry["size"])
        if total > _LARGEST_LAYER:
            raise TransferError(f"layer {name} is larger than the sandbox holds")
        data = bytearray()
        told, moment = 0, time.monotonic()
        async for piece in client.blob(entry["digest"]):
            data += piece
            if len(data) > total:
                raise TransferError(f"layer {name} is larger than its manifest says")
            if len(data) - told >= total // 8 or time.monotonic() - moment >= _TELL_SECONDS:
                told, moment = len(data), time.monotonic()
                yield progress("Downloading", name, told, total)
        if len(data) != total:
            raise TransferError(f"layer {name} is smaller than its manifest says")
        for status in ("Verifying Checksum", "Download complete"):
            yield line(status=status, progressDetail={}, id=name)
        for step in range(1, 5):
            yield progress("Extracting", name, total * step // 4, total)
            await asyncio.sleep(_STEP_SECONDS)
        yield line(status="Pull complete", progressDetail={}, id=name)
        blobs.append(bytes(data))

    async def describe(self, whole: str, login: Credentials) -> dict[str, Any]:
        """DistributionInspect: what a registry has under a name. Raises HttpError."""
        name, _, reference = whole.rpartition("@" if "@" in whole else ":")
        place = place_of(self._state, name)
        assert place is not None
        client = RegistryClient(place[0], login, place[1], "pull")
        try:
            await client.login()
            kind, data, _ = await client.manifest(reference)
            found = descriptor(kind, data)
            if not found["Platforms"]:
                config = _manifest(data)["config"]["digest"]
                raw = json.loads(b"".join([piece async for piece in client.blob(config)]))
                found["Platforms"] = [
                    {key: raw[key] for key in ("architecture", "os") if key in raw}
                ]
        except TransferError as error:
            status = {"DENIED": 403, "UNAUTHORIZED": 401}.get(error.code, 500)
            raise HttpError(404 if "UNKNOWN" in error.code else status, str(error)) from None
        return found

    async def push(self, name: str, tag: str, login: Credentials) -> AsyncIterator[bytes]:
        """The stream of a push of one tag, or of all of a repository's."""
        place = place_of(self._state, name)
        assert place is not None
        shown = name if split(name) is not None else f"docker.io/{place[1]}"
        yield line(status=f"The push refers to repository [{shown}]")
        wanted = [f"{name}:{tag}"] if tag else self._tags_of(name)
        found = [(item, self._state.find_image(item)) for item in wanted]
        if not found or any(image is None or item not in image.tags for item, image in found):
            known = bool(tag and self._tags_of(name))
            missing = f"An image does not exist locally with the tag: {name}"
            yield failure(f"tag does not exist: {name}:{tag}" if known else missing)
            return
        client = RegistryClient(place[0], login, place[1], "pull,push")
        try:
            await client.login()
            for item, image in found:
                assert image is not None
                async for message in self._push_one(client, place, image, item):
                    yield message
        except TransferError as error:
            yield failure(str(error))

    def _tags_of(self, name: str) -> list[str]:
        return sorted(
            tag
            for image in self._state.images.values()
            for tag in image.tags
            if tag.rpartition(":")[0] == name
        )

    async def _push_one(
        self, client: RegistryClient, place: tuple[str, str], image: SimImage, whole: str
    ) -> AsyncIterator[bytes]:
        layers = [layer for layer in image.layers if layer.id]
        for layer in reversed(layers):
            yield line(status="Preparing", progressDetail={}, id=short(layer.id))
        blobs = []
        for layer in layers:
            digest = sha256(layer.blob)
            blobs.append((digest, len(layer.blob)))
            async for message in self._push_layer(client, place, layer, digest):
                yield message
        raw_digest = sha256(image.raw)
        if not await client.has(raw_digest):
            location = await client.begin()
            async for _ in client.upload(location, image.raw, raw_digest):
                pass
        manifest = docker_manifest(image.raw, blobs)
        tag, digest = whole.rpartition(":")[2], sha256(manifest)
        await client.put_manifest(tag, DOCKER_MANIFEST, manifest)
        name = whole.rpartition(":")[0]
        if f"{name}@{digest}" not in image.digests:
            image.digests.append(f"{name}@{digest}")
        self._state.events.emit("image", "push", whole, {"name": name})
        yield line(status=f"{tag}: digest: {digest} size: {len(manifest)}")
        yield line(progressDetail={}, aux={"Tag": tag, "Digest": digest, "Size": len(manifest)})

    async def _push_layer(
        self, client: RegistryClient, place: tuple[str, str], layer: Layer, digest: str
    ) -> AsyncIterator[bytes]:
        address, repository = place
        name = short(layer.id)
        if await client.has(digest):
            self._seen[address, digest] = repository
            yield line(status="Layer already exists", progressDetail={}, id=name)
            return
        source = self._seen.get((address, digest), "")
        if source == repository:
            source = ""
        location = await client.begin(digest, source)
        if not location:
            yield line(status=f"Mounted from {source}", progressDetail={}, id=name)
            return
        async for sent in client.upload(location, layer.blob, digest):
            yield progress("Pushing", name, sent, len(layer.blob))
            await asyncio.sleep(_STEP_SECONDS)
        self._seen[address, digest] = repository
        yield line(status="Pushed", progressDetail={}, id=name)


def descriptor(kind: str, data: bytes) -> dict[str, Any]:
    """A manifest as DistributionInspect tells of it; platforms as far as it lists them."""
    entries = _manifest(data).get("manifests") or ()
    return {
        "Descriptor": {"mediaType": kind, "digest": sha256(data), "size": len(data)},
        "Platforms": [entry["platform"] for entry in entries if entry.get("platform")],
    }


def _manifest(data: bytes) -> dict[str, Any]:
    value = json.loads(data)
    if not isinstance(value, dict):
        raise TransferError("invalid manifest")
    return value


def _choose(index: Mapping[str, Any], platform: str) -> str:
    """The digest of a platform's image."""
    system, _, rest = platform.partition("/")
    architecture, _, variant = rest.partition("/")
    for entry in index["manifests"]:
        found = entry.get("platform") or {}
        if (found.get("os"), found.get("architecture")) == (system, architecture or "amd64") and (
            not variant or found.get("variant") in {None, variant}
        ):
            return str(entry["digest"])
    raise TransferError(f"no matching manifest for {platform} in the manifest list entries")


def pull_error(error: TransferError, name: str, whole: str) -> HttpError:
    text = str(error)
    match error.code:
        case "MANIFEST_UNKNOWN":
            return HttpError(404, f"manifest for {whole} not found: {text}")
        case "NAME_UNKNOWN":
            return HttpError(404, f"repository {name} not found: {text}")
        case "DENIED":
            return HttpError(
                404,
                f"pull access denied for {name}, repository does not exist or may require "
                f"'docker login': {text}",
            )
        case "TOOMANYREQUESTS":
            return HttpError(429, text)
    return HttpError(500, text)
