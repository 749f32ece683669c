"""The engine's own way to a registry on this computer; it reaches no other.

Source: OCI distribution specification 1.1; distribution, "Token Authentication Specification".
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from dockdesk.sandbox.engine.recipes import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from dockdesk.sandbox.http import HttpError, read_chunked

_LOCAL = re.compile(r"(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3})(:\d{1,5})?")
_HEAD_LIMIT = 1 << 16
_SMALL = 4 << 20
_PIECES = 8
_PIECE = 1 << 16
_SECONDS = 60.0
_HOPS = 3
ACCEPT = ", ".join((DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX))


class TransferError(Exception):
    """What stopped a pull or push, as the engine says it; ``code`` is the registry's, where it said one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client sent in X-Registry-Auth."""

    username: str = ""
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""


def credentials(header: str) -> Credentials:
    """Those of a header; none where it is missing or makes no sense, as the engine takes it."""
    try:
        value = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (ValueError, binascii.Error):
        return Credentials()
    return from_json(value)


def from_json(value: Any) -> Credentials:
    if not isinstance(value, dict):
        return Credentials()
    names = ("username", "password", "identitytoken", "registrytoken")
    return Credentials(*(str(value.get(name) or "") for name in names))


def split(name: str) -> tuple[str, str] | None:
    """Address and repository of an image's name, None where it is not on this computer."""
    address, separator, repository = name.partition("/")
    if separator and repository and _LOCAL.fullmatch(address):
        return address, repository
    return None


@dataclass(slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    reader: asyncio.StreamReader

    async def pieces(self) -> AsyncIterator[bytes]:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            async for chunk in read_chunked(self.reader):
                yield chunk
            return
        left = int(self.headers.get("content-length") or 0)
        while left > 0:
            data = await self.reader.read(min(left, _PIECE))
            if not data:
                raise TransferError("unexpected EOF")
            left -= len(data)
            yield data

    async def body(self) -> bytes:
        data = bytearray()
        async for piece in self.pieces():
            data += piece
            if len(data) > _SMALL:
                raise TransferError("the registry's answer is too large")
        return bytes(data)

    async def json(self) -> Any:
        try:
            return json.loads(await self.body())
        except (ValueError, RecursionError):
            return None


class RegistryClient:
    """One pull or push. All methods raise TransferError; a connection lasts for one request."""

    def __init__(self, address: str, login: Credentials, repository: str, actions: str) -> None:
        self._address = address
        self._login = login
        self._scopes = [f"repository:{repository}:{actions}"] if repository else []
        self._challenge = ""
        self._root = f"/v2/{repository}"
        self._header = f"Bearer {login.registry_token}" if login.registry_token else ""

    async def login(self) -> None:
        """Find out how to authenticate, and do it."""
        async with self._open("GET", "/v2/") as reply:
            if reply.status == 401:
                self._challenge = reply.headers.get("www-authenticate", "")
                await self._authenticate()
            elif reply.status != 200:
                raise await _refusal(reply)
        if not self._scopes and self._header:
            async with self._open("GET", "/v2/") as reply:
                if reply.status != 200:
                    raise await _refusal(reply)

    async def manifest(self, reference: str) -> tuple[str, bytes, str]:
        """Media type, bytes and digest of a manifest."""
        target = f"{self._root}/manifests/{reference}"
        async with self._open("GET", target, {"Accept": ACCEPT}) as reply:
            if reply.status != 200:
                raise await _refusal(reply)
            data = await reply.body()
            found = "sha256:" + hashlib.sha256(data).hexdigest()
            if reference.startswith("sha256:") and reference != found:
                raise TransferError(f"manifest verification failed for digest {reference}")
            kind = reply.headers.get("content-type", "").partition(";")[0]
            return kind, data, found

    async def blob(self, digest: str) -> AsyncIterator[bytes]:
        """A blob in pieces, its digest checked at the end."""
        target, sums = f"{self._root}/blobs/{digest}", hashlib.sha256()
        for _ in range(_HOPS):
            async with self._open("GET", target) as reply:
                if reply.status in {301, 302, 303, 307, 308}:
                    target = reply.headers.get("location", "")
                    continue
                if reply.status != 200:
                    raise await _refusal(reply)
                async for piece in reply.pieces():
                    sums.update(piece)
                    yield piece
            if digest != "sha256:" + sums.hexdigest():
                raise TransferError(f"filesystem layer verification failed for digest {digest}")
            return
        raise TransferError("stopped after too many redirects")

    async def has(self, digest: str) -> bool:
        async with self._open("HEAD", f"{self._root}/blobs/{digest}") as reply:
            if reply.status in {200, 404}:
                return reply.status == 200
            raise await _refusal(reply)

    async def begin(self, mount: str = "", source: str = "") -> str:
        """Where to upload a blob; empty where it was mounted from another repository instead."""
        query = f"?{urlencode({'mount': mount, 'from': source})}" if source else ""
        extra = f"repository:{source}:pull"
        if source and extra not in self._scopes:
            self._scopes.append(extra)
            await self._authenticate()
        async with self._open("POST", f"{self._root}/blobs/uploads/{query}") as reply:
            if reply.status == 201:
                return ""
            if reply.status != 202:
                raise await _refusal(reply)
            return reply.headers.get("location", "")

    async def upload(self, location: str, data: bytes, digest: str) -> AsyncIterator[int]:
        """Send a blob; yields the bytes sent so far."""
        size = max(-(-len(data) // _PIECES), _PIECE // _PIECES)
        sent = 0
        headers = {"Content-Type": "application/octet-stream"}
        while sent < len(data):
            piece = data[sent : sent + size]
            headers["Content-Range"] = f"{sent}-{sent + len(piece) - 1}"
            async with self._open("PATCH", location, headers, piece) as reply:
                if reply.status != 202:
                    raise await _refusal(reply)
                location = reply.headers.get("location", location)
            sent += len(piece)
            yield sent
        joined = "&" if "?" in location else "?"
        target = f"{location}{joined}{urlencode({'digest': digest})}"
        async with self._open("PUT", target) as reply:
            if reply.status != 201:
                raise await _refusal(reply)

    async def put_manifest(self, reference: str, kind: str, data: bytes) -> None:
        target = f"{self._root}/manifests/{reference}"
        async with self._open("PUT", target, {"Content-Type": kind}, data) as reply:
            if reply.status != 201:
                raise await _refusal(reply)

    # --- authentication ---

    async def _authenticate(self) -> None:
        """Get what the challenge asks for, for all scopes wanted so far."""
        login, challenge = self._login, self._challenge
        if login.registry_token:
            return
        plain = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        kind = challenge.partition(" ")[0].lower()
        if not kind:
            return
        if kind == "basic":
            if not login.username:
                raise TransferError("no basic auth credentials", "UNAUTHORIZED")
            self._header = f"Basic {plain}"
            return
        parts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if kind != "bearer" or "realm" not in parts:
            raise TransferError("unauthorized: authentication required", "UNAUTHORIZED")
        values = [("service", parts.get("service", "")), *(("scope", it) for it in self._scopes)]
        if login.identity_token:
            values += [("grant_type", "refresh_token"), ("refresh_token", login.identity_token)]
            body = urlencode([*values, ("client_id", "docker")]).encode()
            kind = "application/x-www-form-urlencoded"
            self._header = ""
            request = self._open("POST", parts["realm"], {"Content-Type": kind}, body)
        else:
            self._header = f"Basic {plain}" if login.username else ""
            headers = {"Authorization": self._header} if self._header else {}
            request = self._open("GET", f"{parts['realm']}?{urlencode(values)}", headers)
        async with request as reply:
            if reply.status != 200:
                raise await _refusal(reply)
            answer = await reply.json()
        token = (answer.get("token") or answer.get("access_token")) if answer else None
        if not isinstance(token, str):
            raise TransferError("authorization server did not include a token in the response")
        self._header = f"Bearer {token}"

    # --- HTTP ---

    @asynccontextmanager
    async def _open(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> AsyncIterator[Reply]:
        parts = urlsplit(target)
        place = parts.netloc or self._address
        if not _LOCAL.fullmatch(place) or parts.scheme not in {"", "http"}:
            raise TransferError(f"{place}: the sandbox reaches registries on this computer only")
        host, _, port = place.partition(":")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        url = f"http://{place}{path}"
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1" if host == "localhost" else host, int(port or 80), limit=_HEAD_LIMIT
            )
        except OSError as error:
            why = "connection refused" if isinstance(error, ConnectionRefusedError) else error
            text = f'{method.title()} "{url}": dial tcp {place}: connect: {why}'
            raise TransferError(text) from None
        try:
            sent = {"Host": place, "Connection": "close", "User-Agent": "dockdesk-sandbox"}
            if self._header and place == self._address:
                sent["Authorization"] = self._header
            if body or method in {"POST", "PUT", "PATCH"}:
                sent["Content-Length"] = str(len(body))
            sent.update(headers or {})
            lines = [f"{method} {path} HTTP/1.1", *(f"{key}: {sent[key]}" for key in sent)]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body)
            async with asyncio.timeout(_SECONDS):
                await writer.drain()
                reply = await _reply(reader)
                if method == "HEAD":
                    reply.headers = {**reply.headers, "content-length": "0"}
            yield reply
        except (ConnectionError, EOFError, asyncio.LimitOverrunError, HttpError) as error:
            raise TransferError(f'{method.title()} "{url}": {error or "EOF"}') from None
        except TimeoutError:
            raise TransferError(f'{method.title()} "{url}": net/http: timeout') from None
        finally:
            writer.close()


async def _reply(reader: asyncio.StreamReader) -> Reply:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest.partition(" ")[0]
    if not version.startswith("HTTP/1.") or not status.isdecimal():
        raise TransferError("malformed HTTP response")
    headers = {}
    for line in lines:
        name, separator, value = line.partition(":")
        if separator:
            headers[name.strip().lower()] = value.strip()
    return Reply(int(status), headers, reader)


async def _refusal(reply: Reply) -> TransferError:
    """What a registry's error becomes: the code in words, and its message."""
    if 'error="insufficient_scope"' in reply.headers.get("www-authenticate", ""):
        return TransferError("denied: requested access to the resource is denied", "DENIED")
    value = await reply.json()
    value = value if isinstance(value, dict) else {}
    errors = value.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        code = str(errors[0].get("code") or "UNKNOWN")
        words = code.lower().replace("_", " ")
        return TransferError(f"{words}: {errors[0].get('message') or words}", code)
    if value.get("details"):
        return TransferError(f"unauthorized: {value['details']}", "UNAUTHORIZED")
    if reply.status == 401:
        return TransferError("unauthorized: authentication required", "UNAUTHORIZED")
    return TransferError(f"received unexpected HTTP status: {reply.status}")
