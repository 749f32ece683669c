"""Images of the Engine API. Source: moby/api/swagger.yaml v1.43, tag Image."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dockdesk.sandbox.buildkit.api import BuildKitApi
from dockdesk.sandbox.engine import base_images, hub, images, present, recipes
from dockdesk.sandbox.engine.api_containers import TAR
from dockdesk.sandbox.engine.catalogue import RECIPES
from dockdesk.sandbox.engine.filters import Filters
from dockdesk.sandbox.engine.registry_client import (
    RegistryClient,
    TransferError,
    credentials,
    from_json,
    split,
)
from dockdesk.sandbox.engine.state import EngineState, SimImage, with_tag
from dockdesk.sandbox.engine.transfer import Transfers, descriptor, line, pull_error
from dockdesk.sandbox.http import HttpError, Request, Response, Router, json_response

_STEP_SECONDS = 0.03
_HUB_NAMES = {"", "docker.io", "index.docker.io", "registry-1.docker.io"}


class ImagesApi:
    def __init__(self, state: EngineState, buildkit: BuildKitApi) -> None:
        self._state = state
        self._buildkit = buildkit
        self._transfers = Transfers(state)

    def add_to(self, router: Router) -> None:
        router.add("GET", "/images/json", self._list)
        router.add("POST", "/images/create", self._create)
        router.add("POST", "/images/load", self._load)
        router.add("GET", "/images/get", self._save)
        router.add("GET", "/images/search", self._search)
        router.add("POST", "/images/prune", self._prune)
        router.add("GET", "/images/{name+}/json", self._inspect)
        router.add("GET", "/images/{name+}/history", self._history)
        router.add("GET", "/images/{name+}/get", self._save)
        router.add("POST", "/images/{name+}/push", self._push)
        router.add("POST", "/auth", self._login)
        router.add("POST", "/images/{name+}/tag", self._tag)
        router.add("DELETE", "/images/{name+}", self._remove)
        router.add("POST", "/commit", self._commit)
        router.add("POST", "/build", self._buildkit.build)
        router.add("GET", "/distribution/{name+}/json", self._distribution)

    async def _list(self, request: Request) -> Response:
        filters = Filters.of(request)
        shared = request.flag("shared-size")
        found = []
        for image in self._state.images.values():
            dangling = filters.boolean("dangling")
            if dangling is not None and dangling != (not image.tags):
                continue
            wanted = [
                with_tag(name) if "*" not in name else name for name in filters.values("reference")
            ]
            if wanted and not any(
                name in image.tags
                or name.split(":")[0] in {tag.rpartition(":")[0] for tag in image.tags}
                for name in wanted
            ):
                continue
            if filters.labels(image.config.get("Labels") or {}):
                found.append(image)
        found.sort(key=lambda image: image.created, reverse=True)
        return json_response([present.image_line(self._state, image, shared) for image in found])

    async def _inspect(self, request: Request) -> Response:
        return json_response(present.image_json(self._state.image(request.params["name"])))

    async def _history(self, request: Request) -> Response:
        return json_response(present.history_json(self._state.image(request.params["name"])))

    async def _create(self, request: Request) -> Response:
        if request.first("fromSrc"):
            return await self._import(request)
        name, tag = request.first("fromImage"), request.first("tag")
        if not name:
            raise HttpError(400, "missing parameter: fromImage")
        if tag.startswith("sha256:"):
            reference = f"{name}@{tag}"
        else:
            reference = with_tag(f"{name}:{tag}" if tag else name)
        login = credentials(request.headers.get("x-registry-auth", ""))
        plain, _, last = reference.rpartition("@" if "@" in reference else ":")
        platform = request.first("platform")
        if split(name) is not None:
            return Response(body=await self._transfers.pull(plain, last, platform, login))
        held = self._state.find_image(reference)
        fresh = hub.stock(self._state, plain, last)
        if hub.place_of(self._state, plain) is not None:
            try:
                _, (_, _, digest) = await hub.ask(self._state, plain, last, login)
            except TransferError as error:
                # The catalogue has every plausible tag; the registry only those of a history.
                if error.code != "MANIFEST_UNKNOWN" or fresh is None:
                    raise pull_error(error, plain, reference) from None
            else:
                fresh = hub.stock(self._state, plain, last, digest)
                if fresh is None:
                    return Response(body=await self._transfers.pull(plain, last, platform, login))
        elif held is None and fresh is None:
            denied = TransferError("denied: requested access to the resource is denied", "DENIED")
            raise pull_error(denied, plain, reference)
        if fresh is not None:
            fresh.tags = [reference]
        if held is not None and (fresh is None or fresh.id == held.id):
            return Response(body=self._pull(reference, held, True))
        assert fresh is not None
        return Response(body=self._pull(reference, fresh, False))

    async def _pull(self, reference: str, image: SimImage, held: bool) -> AsyncIterator[bytes]:
        repository, _, tag = reference.rpartition(":")
        yield line(
            status=f"Pulling from {'library/' if '/' not in repository else ''}{repository}", id=tag
        )
        layers = [layer for layer in image.layers if layer.id]
        present_ids = {layer.id for item in self._state.images.values() for layer in item.layers}
        for layer in layers:
            short = layer.id.removeprefix("sha256:")[:12]
            yield line(
                status="Already exists" if layer.id in present_ids else "Pulling fs layer",
                progressDetail={},
                id=short,
            )
        for layer in layers:
            short = layer.id.removeprefix("sha256:")[:12]
            if layer.id in present_ids:
                continue
            for verb in ("Downloading", "Extracting"):
                for step in range(1, 9):
                    yield line(
                        status=verb,
                        progressDetail={"current": layer.size * step // 8, "total": layer.size},
                        progress="",
                        id=short,
                    )
                    await asyncio.sleep(_STEP_SECONDS)
                if verb == "Downloading":
                    yield line(status="Download complete", progressDetail={}, id=short)
            yield line(status="Pull complete", progressDetail={}, id=short)
        if not held:
            image = images.add(self._state, image)
        self._state.events.emit("image", "pull", reference, {"name": repository})
        digest = image.digests[0].partition("@")[2] if image.digests else image.id
        yield line(status=f"Digest: {digest}")
        what = "Image is up to date for" if held else "Downloaded newer image for"
        yield line(status=f"Status: {what} {reference}")

    async def _import(self, request: Request) -> Response:
        data = await request.body()
        tree = await asyncio.to_thread(images.tree_of_tar, data, self._state.clock.now())
        repository, tag = request.first("repo"), request.first("tag")
        reference = f"{repository}:{tag}" if repository and tag else repository
        image = images.from_tree(
            self._state,
            tree,
            reference,
            images.changed(request.query.get("changes", [])),
            request.first("message") or "Imported from -",
        )
        return Response(body=line(status=image.id))

    async def _load(self, request: Request) -> Response:
        loaded = images.load(self._state, await request.body())
        self_tags = [(image, image.tags[:1]) for image in loaded]
        parts = [
            line(stream=f"Loaded image: {tags[0]}\n" if tags else f"Loaded image ID: {image.id}\n")
            for image, tags in self_tags
        ]
        return Response(body=b"".join(parts))

    async def _save(self, request: Request) -> Response:
        names = (
            [request.params["name"]]
            if "name" in request.params
            else [name for value in request.query.get("names", ()) for name in value.split(",")]
        )
        chosen: dict[str, tuple[SimImage, list[str]]] = {}
        for name in names:
            image = self._state.image(name)
            _, references = chosen.setdefault(image.id, (image, []))
            if with_tag(name) in image.tags:
                references.append(with_tag(name))
        return Response(
            body=await asyncio.to_thread(images.save, list(chosen.values())), content_type=TAR
        )

    async def _search(self, request: Request) -> Response:
        term = request.first("term").lower()
        found = [
            {
                "name": recipe.repository,
                "description": "From the sandbox's catalogue",
                "star_count": 10_000 - 100 * position,
                "is_official": "/" not in recipe.repository,
                "is_automated": False,
            }
            for position, recipe in enumerate((*RECIPES, *base_images.newest()))
            if term in recipe.repository
        ]
        return json_response(found[: int(request.first("limit") or 25)])

    async def _push(self, request: Request) -> Response:
        name, tag = request.params["name"], request.first("tag")
        if hub.place_of(self._state, name) is not None:
            login = credentials(request.headers.get("x-registry-auth", ""))
            return Response(body=self._transfers.push(name, tag, login))
        reference = with_tag(f"{name}:{tag}" if tag else name)
        image = self._state.find_image(reference)
        if image is None or reference not in image.tags:
            raise HttpError(404, f"An image does not exist locally with the tag: {name}")

        async def body() -> AsyncIterator[bytes]:
            yield line(status=f"The push refers to repository [docker.io/{name}]")
            layers = [layer for layer in image.layers if layer.id]
            for layer in layers:
                yield line(status="Preparing", progressDetail={}, id=layer.id[7:19])
            for layer in layers:
                for step in range(1, 6):
                    yield line(
                        status="Pushing",
                        progressDetail={"current": layer.size * step // 5, "total": layer.size},
                        progress="",
                        id=layer.id[7:19],
                    )
                    await asyncio.sleep(_STEP_SECONDS)
                yield line(status="Pushed", progressDetail={}, id=layer.id[7:19])
            digest, size = images.pushed_digest(image)
            if f"{name}@{digest}" not in image.digests:
                image.digests.append(f"{name}@{digest}")
            self._state.events.emit("image", "push", reference, {"name": name})
            yield line(status=f"{reference.rpartition(':')[2]}: digest: {digest} size: {size}")
            yield line(
                progressDetail={},
                aux={"Tag": reference.rpartition(":")[2], "Digest": digest, "Size": size},
            )

        return Response(body=body())

    async def _tag(self, request: Request) -> Response:
        image = self._state.image(request.params["name"])
        repository, tag = request.first("repo"), request.first("tag")
        if not repository or repository != repository.lower():
            raise HttpError(400, "invalid reference format")
        images.tag(self._state, image, f"{repository}:{tag}" if tag else repository)
        return Response(201)

    async def _remove(self, request: Request) -> Response:
        return json_response(
            images.delete(self._state, request.params["name"], request.flag("force"))
        )

    async def _prune(self, request: Request) -> Response:
        dangling_only = Filters.of(request).boolean("dangling") is not False
        gone: list[dict[str, str]] = []
        freed = 0
        for image in list(self._state.images.values()):
            if (image.tags and dangling_only) or any(True for _ in self._state.made_from(image)):
                continue
            freed += image.size
            gone += images.delete(self._state, image.id, True)
        self._state.events.emit("image", "prune", "", {"reclaimed": str(freed)})
        return json_response({"ImagesDeleted": gone or None, "SpaceReclaimed": freed})

    async def _commit(self, request: Request) -> Response:
        container = self._state.container(request.first("container"))
        repository, tag = request.first("repo"), request.first("tag")
        reference = f"{repository}:{tag}" if repository and tag else repository
        image = images.commit(
            self._state,
            container,
            reference,
            request.first("comment"),
            images.changed(request.query.get("changes", [])),
        )
        return json_response({"Id": image.id}, 201)

    async def _login(self, request: Request) -> Response:
        """Whether a registry on this computer, or what stands for Docker Hub, takes a login; others are believed."""
        value = await request.json()
        if not isinstance(value, dict):
            raise HttpError(400, "invalid authentication configuration")
        server = str(value.get("serveraddress") or "")
        address = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
        known, shown = split(f"{address}/x") is not None, f"http://{address}/v2/"
        if address in _HUB_NAMES and self._state.hub:
            known, shown, address = True, "https://registry-1.docker.io/v2/", self._state.hub
        if known:
            try:
                await RegistryClient(address, from_json(value), "", "").login()
            except TransferError as error:
                denied = error.code == "UNAUTHORIZED"
                text = f'Get "{shown}": {error}' if denied else str(error)
                raise HttpError(401 if denied else 500, text) from None
        elif not value.get("username") or not value.get("password"):
            raise HttpError(401, f'Get "{shown}": unauthorized: incorrect username or password')
        return json_response({"Status": "Login Succeeded", "IdentityToken": ""})

    async def _distribution(self, request: Request) -> Response:
        name = request.params["name"]
        if split(name) is not None:
            login = credentials(request.headers.get("x-registry-auth", ""))
            return json_response(await self._transfers.describe(with_tag(name), login))
        recipe = images.find_recipe(name)
        if recipe is None:
            if hub.place_of(self._state, with_tag(name).rpartition(":")[0]) is not None:
                login = credentials(request.headers.get("x-registry-auth", ""))
                return json_response(await self._transfers.describe(with_tag(name), login))
            raise HttpError(404, "manifest unknown")
        kind, data = recipes.package(recipe, self._state.born).manifests[-1]
        return json_response(descriptor(kind, data))
