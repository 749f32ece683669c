"""Base images: from the engine where they are there, else from a registry, told as BuildKit tells of it.

Source: moby/buildkit, source/containerimage; moby, builder/builder-next/adapters/containerimage.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from dataclasses import replace

from dockdesk.sandbox.buildkit.bench import Bench, StepError
from dockdesk.sandbox.buildkit.journal import Telling
from dockdesk.sandbox.buildkit.sessions import host_of_login
from dockdesk.sandbox.engine import hub, images, recipes
from dockdesk.sandbox.engine.layers import LayerError, sha256
from dockdesk.sandbox.engine.registry_client import (
    Credentials,
    RegistryClient,
    TransferError,
    split,
)
from dockdesk.sandbox.engine.state import SimImage, with_tag
from dockdesk.wire.grpc import GrpcError

_INDEXES = {recipes.DOCKER_LIST, recipes.OCI_INDEX}
_KEPT = 32
_STEPS = 8
_BYTES_A_SECOND = 120e6
_DENIED = (
    "pull access denied, repository does not exist or may require authorization: "
    "server message: insufficient_scope: authorization failed"
)


def full_reference(name: str) -> str:
    """As BuildKit writes names: docker.io/library/alpine:latest for alpine."""
    name = name if "@" in name else with_tag(name)
    host, slash, _ = name.partition("/")
    if slash and ("." in host or ":" in host or host == "localhost"):
        return name
    return f"docker.io/{name if slash else 'library/' + name}"


def _parted(name: str) -> tuple[str, str]:
    """Name, and tag or digest."""
    name = with_tag(name)
    if "@" in name:
        plain, _, last = name.partition("@")
        return (plain.rpartition(":")[0] if ":" in plain.rpartition("/")[2] else plain), last
    plain, _, last = name.rpartition(":")
    return plain, last


class Bases:
    """What was fetched for builds, which is kept apart from the engine's own images."""

    def __init__(self) -> None:
        self._fetched: OrderedDict[str, SimImage] = OrderedDict()

    async def find(self, bench: Bench, name: str, architecture: str, fresh: bool) -> SimImage:
        """An image by its name. ``fresh``: ask the registry even if it is here. Raises StepError."""
        shown = full_reference(name)
        held = bench.state.find_image(name)
        telling = bench.telling(f"[internal] load metadata for {shown}", bench.ref)
        if held is not None and not fresh and held.architecture == architecture:
            telling.finish()
            return held
        login = await self._login(bench, name)
        try:
            image = await self._ask(bench, name, architecture, login)
        except TransferError as error:
            if held is not None and not fresh and held.stock:
                image = held
            else:
                raise self._failed(telling, shown, error) from None
        except (LayerError, KeyError, TypeError, ValueError) as error:
            raise self._failed(telling, shown, TransferError(str(error))) from None
        telling.finish()
        return image

    @staticmethod
    def _failed(telling: Telling, shown: str, error: TransferError) -> StepError:
        text = str(error)
        if error.code in {"DENIED", "UNAUTHORIZED", "NAME_UNKNOWN"}:
            text = _DENIED
        elif error.code == "MANIFEST_UNKNOWN":
            text = f"{shown}: not found"
        elif error.code == "TOOMANYREQUESTS":
            text = f"unexpected status from GET request: 429 Too Many Requests: {text}"
        telling.finish(text)
        failure = StepError(f"failed to resolve source metadata for {shown}: {text}")
        failure.digest = telling.digest
        return failure

    async def _login(self, bench: Bench, name: str) -> Credentials:
        place = split(_parted(name)[0])
        address = place[0] if place is not None else ""
        if bench.logins is not None:
            return bench.logins.get(address, Credentials())
        if not bench.session_id:
            return Credentials()
        host = host_of_login(address)
        try:
            return await (await bench.session()).credentials(host)
        except GrpcError as error:
            raise StepError(error.message, code=error.code) from None

    async def _ask(
        self, bench: Bench, name: str, architecture: str, login: Credentials
    ) -> SimImage:
        plain, reference = _parted(name)
        state = bench.state
        try:
            client, (kind, data, digest) = await hub.ask(state, plain, reference, login)
        except TransferError as error:
            # Tags that only the engine's catalogue has, and engines without a registry beside them.
            found = hub.stock(state, plain, reference)
            known = error.code in {"", "MANIFEST_UNKNOWN"} or not state.hub
            if found is None or not known:
                raise
            return self._stocked(bench, found, plain, reference, architecture)
        found = hub.stock(state, plain, reference, digest)
        if found is not None:
            return self._stocked(bench, found, plain, reference, architecture)
        if kind in _INDEXES:
            child = _child(json.loads(data), architecture)
            kind, data, _ = await client.manifest(child)
        value = json.loads(data)
        raw = b"".join([piece async for piece in client.blob(value["config"]["digest"])])
        key = f"{name} {sha256(raw)}"
        if key not in self._fetched:
            image = await self._fetch(client, name, raw, value["layers"])
            image.digests = [f"{plain}@{digest}"]
            self._keep(key, image)
        return self._fetched[key]

    def _stocked(
        self, bench: Bench, image: SimImage, plain: str, reference: str, architecture: str
    ) -> SimImage:
        key = f"{image.id} {architecture}"
        if key not in self._fetched:
            if architecture != image.architecture:
                recipe = images.find_recipe(with_tag(f"{plain}:{reference}"))
                assert recipe is not None
                built = recipes.build(recipe, bench.state.born, architecture)
                image = replace(
                    image, id=built.id, config=built.config, layers=list(built.layers), tree=built.tree,
                    architecture=architecture, raw=built.raw,
                )  # fmt: skip
            self._keep(key, image)
        return self._fetched[key]

    def _keep(self, key: str, image: SimImage) -> None:
        self._fetched[key] = image
        while len(self._fetched) > _KEPT:
            self._fetched.popitem(last=False)

    @staticmethod
    async def _fetch(
        client: RegistryClient,
        name: str,
        raw: bytes,
        entries: list[dict[str, object]],
    ) -> SimImage:
        blobs = [
            b"".join([piece async for piece in client.blob(str(entry["digest"]))])
            for entry in entries
        ]
        return await asyncio.to_thread(images.image_from, raw, blobs, with_tag(name))


def _child(index: dict[str, list[dict[str, object]]], architecture: str) -> str:
    for entry in index["manifests"]:
        platform = entry.get("platform")
        if isinstance(platform, dict) and platform.get("architecture") == architecture:
            return str(entry["digest"])
    raise TransferError(f"no match for platform in manifest: linux/{architecture}")


async def tell_download(bench: Bench, telling: Telling, image: SimImage) -> None:
    """The layers of a base image as they come: in the time that their true sizes would take."""
    layers = [layer for layer in image.layers if layer.id]
    progress = [telling.status(layer.id, "downloading", layer.size) for layer in layers]
    for layer, one in zip(layers, progress, strict=True):
        for step in range(1, _STEPS + 1):
            await bench.state.clock.sleep(layer.size / _BYTES_A_SECOND / _STEPS)
            one.at(layer.size * step // _STEPS)
        one.done(layer.size)
    for layer in layers:
        extracting = telling.status(f"extracting {layer.id}", "extract", layer.size)
        await bench.state.clock.sleep(layer.size / _BYTES_A_SECOND / 4)
        extracting.done(layer.size)
