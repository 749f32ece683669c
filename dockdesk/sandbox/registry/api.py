"""The distribution API: manifests, tags, the catalogue and referrers. Source: OCI distribution specification 1.1."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from urllib.parse import quote

from dockdesk.sandbox.engine.layers import sha256
from dockdesk.sandbox.engine.recipes import DOCKER_LIST, OCI_INDEX
from dockdesk.sandbox.http import HttpError, Request, Response, Router, Server, json_response
from dockdesk.sandbox.registry.access import Access
from dockdesk.sandbox.registry.accounts import DELETE, PULL, PUSH, Login
from dockdesk.sandbox.registry.api_blobs import BlobsApi
from dockdesk.sandbox.registry.blobs import is_digest, looks_like_digest
from dockdesk.sandbox.registry.errors import API_VERSION, RegistryError, error_response
from dockdesk.sandbox.registry.limits import PullLimits
from dockdesk.sandbox.registry.manifests import Manifest, accepted, default_child, refuse
from dockdesk.sandbox.registry.repositories import Repositories, Repository, is_tag
from dockdesk.sandbox.registry.scopes import needed

MANIFEST_LIMIT = 4 << 20
PAGE = 100
_DRAIN_BYTES = 8 << 20
_DRAIN_SECONDS = 5.0


class DistributionApi:
    """One registry's front: routes, and who may pass. Several may stand before the same repositories.

    ``limits`` counts pulls; without them there is no limit. ``tagging`` is asked before a tag of a repository names a
    digest, and raises RegistryError where it must not.
    """

    def __init__(
        self,
        repositories: Repositories,
        access: Access,
        limits: PullLimits | None = None,
        tagging: Callable[[Repository, str, str], None] | None = None,
    ) -> None:
        self._tagging = tagging
        self._repositories = repositories
        self._access = access
        self._limits = limits
        self.router = Router(error_response)
        self.router.add("GET", "/v2/", self._base)
        self.router.add("GET", "/v2/_catalog", self._catalog)
        self.router.add("GET", "/v2/{name+}/tags/list", self._tags)
        BlobsApi(repositories, self.allow).add_to(self.router)
        self.router.add("GET", "/v2/{name+}/referrers/{digest}", self._referrers)
        self.router.add("GET", "/v2/{name+}/manifests/{reference}", self._get)
        self.router.add("PUT", "/v2/{name+}/manifests/{reference}", self._put)
        self.router.add("DELETE", "/v2/{name+}/manifests/{reference}", self._delete)
        self.server = Server(self._handle, "registry")

    def allow(self, request: Request, *actions: str, source: str = "") -> Login:
        """Who asks, if the actions on the request's repository are theirs to take. Raises RegistryError."""
        return self._access.check(request, needed(request.params["name"], actions, source))

    async def _handle(self, request: Request) -> Response:
        try:
            response = await self.router(request)
        except OSError as error:
            response = error_response(RegistryError("UNKNOWN", message=error.strerror or ""))
        response.headers = {**API_VERSION, **response.headers}
        if response.status >= 400:
            await _drain(request)
        return response

    async def _base(self, request: Request) -> Response:
        self._access.check(request, [])
        return json_response({})

    async def _catalog(self, request: Request) -> Response:
        login = self._access.check(request, needed("", ()))
        names = [
            item.name
            for item in self._repositories
            if PULL in self._access.allowed(login, item.name)
        ]
        return self._page(request, "/v2/_catalog", names, "repositories", {})

    async def _tags(self, request: Request) -> Response:
        self.allow(request, PULL)
        name = request.params["name"]
        names = self._repositories.get(name).tag_names()
        return self._page(request, f"/v2/{name}/tags/list", names, "tags", {"name": name})

    @staticmethod
    def _page(
        request: Request, path: str, names: Sequence[str], key: str, more: dict[str, str]
    ) -> Response:
        """A page of sorted names after ``last``, and where the next one is."""
        try:
            count = int(request.first("n")) if "n" in request.query else None
        except ValueError:
            raise RegistryError("PAGINATION_NUMBER_INVALID", {"n": request.first("n")}) from None
        if count is not None and count < 0:
            raise RegistryError("PAGINATION_NUMBER_INVALID", {"n": count})
        last = request.first("last")
        left = [name for name in names if name > last] if last else list(names)
        chosen = left if count is None else left[:count]
        headers = {}
        if chosen and len(chosen) < len(left):
            target = f"{path}?last={quote(chosen[-1], safe='')}&n={count}"
            headers["Link"] = f'<{target}>; rel="next"'
        return json_response({**more, key: chosen}, headers=headers)

    async def _get(self, request: Request) -> Response:
        login = self.allow(request, PULL)
        reference = request.params["reference"]
        self._checked(reference)
        repository = self._repositories.get(request.params["name"])
        head = request.method == "HEAD"
        headers: dict[str, str] = {}
        if self._limits is not None:
            peer = request.writer.get_extra_info("peername")
            headers = self._limits.take(login.name, str(peer[0]), pull=not head)
        manifest = self._repositories.manifest(repository, reference)
        accept = accepted(request.headers.get("accept", ""))
        if (
            manifest.kind == DOCKER_LIST
            and manifest.kind not in accept
            and not is_digest(reference)
        ):
            manifest = self._repositories.manifest(repository, default_child(manifest))
        refuse(manifest, accept)
        headers |= {"Docker-Content-Digest": manifest.digest, "Etag": f'"{manifest.digest}"'}
        if manifest.digest in request.headers.get("if-none-match", ""):
            return Response(304, headers=headers)
        if not head:
            self._pulled(repository.name, reference, manifest)
        data = self._repositories.blobs.read(manifest.digest)
        return Response(200, data, manifest.kind, headers)

    def _pulled(self, name: str, reference: str, manifest: Manifest) -> None:
        repository = self._repositories.get(name)
        now = self._repositories.now()
        repository.pulled[manifest.digest] = now
        if reference in repository.tags:
            repository.tags[reference].pulled = now
            repository.about.pulls += 1

    async def _put(self, request: Request) -> Response:
        login = self.allow(request, PULL, PUSH)
        reference = request.params["reference"]
        if not is_digest(reference) and not is_tag(reference):
            raise RegistryError("TAG_INVALID", {"tag": reference})
        repository = self._repositories.open(request.params["name"])
        try:
            data = await request.body(MANIFEST_LIMIT)
        except HttpError as error:
            raise RegistryError("MANIFEST_INVALID", {}, error.message, 413) from None
        if self._tagging is not None and not is_digest(reference):
            self._tagging(repository, reference, sha256(data))
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        manifest = self._repositories.put(repository, reference, kind, data, login.name)
        headers = {
            "Location": f"/v2/{request.params['name']}/manifests/{manifest.digest}",
            "Docker-Content-Digest": manifest.digest,
        }
        if manifest.subject:
            headers["OCI-Subject"] = manifest.subject
        return Response(201, headers=headers)

    async def _delete(self, request: Request) -> Response:
        self.allow(request, DELETE)
        reference = request.params["reference"]
        self._checked(reference)
        repository = self._repositories.get(request.params["name"])
        if is_digest(reference):
            self._repositories.remove_manifest(repository, reference)
        else:
            self._repositories.untag(repository, reference)
        return Response(202)

    @staticmethod
    def _checked(reference: str) -> None:
        if is_digest(reference) or is_tag(reference):
            return
        if looks_like_digest(reference):
            raise RegistryError("DIGEST_INVALID", {"digest": reference})
        raise RegistryError("MANIFEST_UNKNOWN", {"Tag": reference})

    async def _referrers(self, request: Request) -> Response:
        self.allow(request, PULL)
        digest = request.params["digest"]
        if not is_digest(digest):
            raise RegistryError("DIGEST_INVALID", {"digest": digest})
        repository = self._repositories.find(request.params["name"])
        found = self._repositories.referrers(repository, digest) if repository is not None else []
        wanted = request.first("artifactType")
        headers = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
        entries = []
        for manifest in found:
            if wanted and manifest.artifact_type != wanted:
                continue
            entry = {
                "mediaType": manifest.kind,
                "digest": manifest.digest,
                "size": manifest.size,
                "artifactType": manifest.artifact_type,
            }
            if manifest.value.get("annotations"):
                entry["annotations"] = manifest.value["annotations"]
            entries.append(entry)
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        return Response(200, json.dumps(index).encode(), OCI_INDEX, headers)


async def _drain(request: Request) -> None:
    """Read a body that nobody wanted, within bounds: a client that still writes would never see the answer."""
    if "100-continue" in request.headers.get("expect", "").lower():
        return
    size = 0
    with contextlib.suppress(TimeoutError, HttpError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in request.chunks():
                size += len(chunk)
                if size > _DRAIN_BYTES:
                    return
