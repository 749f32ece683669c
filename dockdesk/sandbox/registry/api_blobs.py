"""Blobs of the distribution API: reading, also in part, and uploads whole, in pieces, resumed or mounted.

Source: OCI distribution specification 1.1, "Pulling blobs", "Push", "Resuming an upload", "Mounting a blob".
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from dockdesk.sandbox.http import Request, Response, Router
from dockdesk.sandbox.registry.accounts import DELETE, PULL, PUSH, Login
from dockdesk.sandbox.registry.blobs import Upload, is_digest
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.repositories import Repositories, Repository

_PIECE = 1 << 16
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_CONTENT_RANGE = re.compile(r"(?:bytes )?(\d{1,18})-(\d{1,18})(?:/.*)?")
_YEAR = "max-age=31536000"


class Allow(Protocol):
    def __call__(self, request: Request, *actions: str, source: str = "") -> Login: ...


class BlobsApi:
    def __init__(self, repositories: Repositories, allow: Allow) -> None:
        self._repositories = repositories
        self._blobs = repositories.blobs
        self._allow = allow

    def add_to(self, router: Router) -> None:
        router.add("POST", "/v2/{name+}/blobs/uploads/", self._begin)
        router.add("POST", "/v2/{name+}/blobs/uploads", self._begin)
        router.add("GET", "/v2/{name+}/blobs/uploads/{id}", self._progress)
        router.add("PATCH", "/v2/{name+}/blobs/uploads/{id}", self._patch)
        router.add("PUT", "/v2/{name+}/blobs/uploads/{id}", self._finish)
        router.add("DELETE", "/v2/{name+}/blobs/uploads/{id}", self._cancel)
        router.add("GET", "/v2/{name+}/blobs/{digest}", self._get)
        router.add("DELETE", "/v2/{name+}/blobs/{digest}", self._delete)

    async def _get(self, request: Request) -> Response:
        self._allow(request, PULL)
        digest = request.params["digest"]
        if not is_digest(digest):
            raise RegistryError("DIGEST_INVALID", digest)
        repository = self._repositories.get(request.params["name"])
        size = self._repositories.blob(repository, digest)
        headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": _YEAR,
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": digest,
            "Etag": f'"{digest}"',
        }
        if digest in request.headers.get("if-none-match", ""):
            return Response(304, headers=headers)
        start, end = 0, size
        wanted = request.headers.get("range")
        if wanted is not None:
            start, end = _range(wanted, size)
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        headers["Content-Length"] = str(end - start)
        body = _pieces(self._blobs.path(digest), start, end)
        return Response(206 if wanted is not None else 200, body, headers=headers)

    async def _delete(self, request: Request) -> Response:
        self._allow(request, DELETE)
        repository = self._repositories.get(request.params["name"])
        self._repositories.remove_blob(repository, request.params["digest"])
        return Response(202)

    async def _begin(self, request: Request) -> Response:
        mount, source = request.first("mount"), request.first("from")
        self._allow(request, PULL, PUSH, source=source if mount else "")
        repository = self._repositories.open(request.params["name"])
        if mount and source and self._mounted(repository, source, mount):
            return self._created(request, mount)
        upload = self._blobs.begin(repository.name)
        digest = request.first("digest")
        if digest:
            return await self._complete(request, upload, repository, digest)
        return self._accepted(request, upload)

    def _mounted(self, repository: Repository, source: str, digest: str) -> bool:
        other = self._repositories.find(source)
        if other is None or digest not in other.blobs:
            return False
        self._repositories.add_blob(repository, digest)
        return True

    async def _progress(self, request: Request) -> Response:
        self._allow(request, PULL, PUSH)
        response = self._accepted(request, self._upload(request))
        response.status = 204
        return response

    async def _patch(self, request: Request) -> Response:
        self._allow(request, PULL, PUSH)
        upload = self._upload(request)
        told = request.headers.get("content-range")
        if told is not None:
            match = _CONTENT_RANGE.fullmatch(told)
            if match is None or int(match[1]) != upload.size:
                response = self._accepted(request, upload)
                raise RegistryError("RANGE_INVALID", headers=response.headers)
        await self._receive(request, upload)
        if told is not None and match is not None and upload.size != int(match[2]) + 1:
            raise RegistryError("SIZE_INVALID")
        return self._accepted(request, upload)

    async def _finish(self, request: Request) -> Response:
        self._allow(request, PULL, PUSH)
        upload = self._upload(request)
        repository = self._repositories.open(request.params["name"])
        return await self._complete(request, upload, repository, request.first("digest"))

    async def _complete(
        self, request: Request, upload: Upload, repository: Repository, digest: str
    ) -> Response:
        if not digest:
            raise RegistryError("DIGEST_INVALID", "digest missing")
        if not is_digest(digest):
            raise RegistryError("DIGEST_INVALID", "digest parsing failed")
        await self._receive(request, upload)
        self._blobs.finish(upload, digest)
        self._repositories.add_blob(repository, digest)
        return self._created(request, digest)

    async def _cancel(self, request: Request) -> Response:
        self._allow(request, PULL, PUSH)
        upload = self._upload(request)
        self._blobs.drop(upload)
        return Response(204, headers={"Docker-Upload-UUID": upload.id})

    def _upload(self, request: Request) -> Upload:
        name = self._repositories.canonical(request.params["name"])
        upload = self._blobs.upload(request.params["id"], name)
        if upload.busy:
            raise RegistryError("BLOB_UPLOAD_INVALID", message="another request writes to it")
        return upload

    @staticmethod
    async def _receive(request: Request, upload: Upload) -> None:
        """Keep what arrives, also where the client goes away before the end: it may continue from there."""
        upload.busy = True
        try:
            async for chunk in request.chunks():
                upload.write(chunk)
        finally:
            upload.busy = False

    @staticmethod
    def _accepted(request: Request, upload: Upload) -> Response:
        headers = {
            "Location": f"/v2/{request.params['name']}/blobs/uploads/{upload.id}",
            "Range": f"0-{max(upload.size - 1, 0)}",
            "Docker-Upload-UUID": upload.id,
        }
        return Response(202, headers=headers)

    @staticmethod
    def _created(request: Request, digest: str) -> Response:
        headers = {
            "Location": f"/v2/{request.params['name']}/blobs/{digest}",
            "Docker-Content-Digest": digest,
        }
        return Response(201, headers=headers)


def _range(text: str, size: int) -> tuple[int, int]:
    """The part of a blob a Range header asks for, its end exclusive. Raises RegistryError RANGE_INVALID."""
    match = _RANGE.fullmatch(text.strip())
    wrong = RegistryError("RANGE_INVALID", text, headers={"Content-Range": f"bytes */{size}"})
    if match is None or not (match[1] or match[2]):
        raise wrong
    if not match[1]:
        start, end = max(size - int(match[2]), 0), size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    if start >= end:
        raise wrong
    return start, end


async def _pieces(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    with open(path, "rb") as file:
        file.seek(start)
        while start < end:
            data = file.read(min(_PIECE, end - start))
            if not data:
                raise ConnectionResetError(f"{path.name} is shorter than it was")
            start += len(data)
            yield data
