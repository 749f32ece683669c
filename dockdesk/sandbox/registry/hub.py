"""Docker Hub's own HTTP API, as far as a client for registries needs it: login, search, repositories and tags.

Source: docs.docker.com/reference/api/hub/latest, and the answers of hub.docker.com where that is silent.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from dockdesk.sandbox.http import HttpError, Request, Response, Router, Server, json_response
from dockdesk.sandbox.registry import hub_shapes as shapes
from dockdesk.sandbox.registry.access import base_url
from dockdesk.sandbox.registry.accounts import DELETE, PULL, PUSH, Accounts, Login
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.repositories import Repositories, Repository
from dockdesk.sandbox.registry.tokens import TokenError, Tokens

TOKEN_SECONDS = 600
LARGEST_PAGE = 100
_BODY_LIMIT = 1 << 16
_LIMIT_A_MINUTE = 600


class HubApi:
    def __init__(self, repositories: Repositories, accounts: Accounts, tokens: Tokens) -> None:
        self._repositories = repositories
        self._accounts = accounts
        self._tokens = tokens
        self.port = 0
        self._window, self._asked = 0, 0
        self._router = Router(_error)
        for root in ("/v2/repositories/{ns}/{name}", "/v2/namespaces/{ns}/repositories/{name}"):
            self._add("GET", root, self._repository)
            self._add("DELETE", root, self._delete_repository)
            self._add("PATCH", root, self._edit)
            self._add("GET", f"{root}/tags", self._tags)
            self._add("GET", f"{root}/tags/{{tag}}", self._tag)
            self._add("DELETE", f"{root}/tags/{{tag}}", self._delete_tag)
            self._add("GET", f"{root}/tags/{{tag}}/images", self._images)
        self._add("GET", "/v2/repositories/{ns}", self._list)
        self._add("GET", "/v2/namespaces/{ns}/repositories", self._list)
        self._add("POST", "/v2/users/login", self._login)
        self._add("POST", "/v2/auth/token", self._token)
        self._add("GET", "/v2/user", self._user)
        self._add("GET", "/v2/user/orgs", self._organisations)
        self._add("GET", "/v2/search/repositories", self._search)
        self.server = Server(self._handle, "hub")

    def _add(self, method: str, path: str, handler: Any) -> None:
        """With and without the slash at the end: the site knows both."""
        self._router.add(method, path, handler)
        self._router.add(method, f"{path}/", handler)

    async def _handle(self, request: Request) -> Response:
        minute = int(time.time() // 60)
        if minute != self._window:
            self._window, self._asked = minute, 0
        self._asked += 1
        headers = {
            "X-RateLimit-Limit": str(_LIMIT_A_MINUTE),
            "X-RateLimit-Remaining": str(max(_LIMIT_A_MINUTE - self._asked, 0)),
            "X-RateLimit-Reset": str((minute + 1) * 60),
        }
        if self._asked > _LIMIT_A_MINUTE:
            headers["X-Retry-After"] = headers["X-RateLimit-Reset"]
            body = {"detail": "Rate limit exceeded", "error": False}
            return json_response(body, 429, headers)
        response = await self._router(request)
        response.headers = {**headers, **response.headers}
        return response

    # --- who asks ---

    def _who(self, request: Request) -> Login:
        """Anybody without an Authorization header. Raises HttpError 401 for a bad one."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if not kind:
            return Login()
        try:
            if kind.lower() not in {"bearer", "jwt"}:
                raise TokenError(kind)
            claims = self._tokens.read(token.strip(), "hub")
        except TokenError:
            raise HttpError(401, "Invalid or expired token.") from None
        return Login(str(claims["sub"]), bool(claims.get("writes")))

    def _known(self, request: Request) -> Login:
        login = self._who(request)
        if not login.name:
            raise HttpError(401, "Authentication credentials were not provided.")
        return login

    def _found(self, request: Request, action: str = PULL) -> Repository:
        """The repository of a request. Raises HttpError 404 where it is not to be seen, 403 where not to be changed."""
        login = self._who(request) if action == PULL else self._known(request)
        found = self._repositories.find(f"{request.params['ns']}/{request.params['name']}")
        if found is None:
            # Top-level names belong to the library here as well.
            plain = request.params["name"] if request.params["ns"] == "library" else ""
            found = self._repositories.find(plain) if plain else None
        allowed = self._accounts.allowed(login, found.name) if found is not None else set()
        if found is None or PULL not in allowed:
            raise HttpError(404, "object not found")
        if action not in allowed:
            raise HttpError(403, "You do not have permission to perform this action.")
        return found

    async def _login(self, request: Request) -> Response:
        return self._issue(*await self._credentials(request, "username", "password"), "token")

    async def _token(self, request: Request) -> Response:
        given = await self._credentials(request, "identifier", "secret")
        return self._issue(*given, "access_token")

    @staticmethod
    async def _credentials(request: Request, *names: str) -> tuple[str, str]:
        value = await _object(request)
        first, second = (value.get(name) for name in names)
        if not isinstance(first, str) or not isinstance(second, str):
            raise HttpError(400, f"{names[0]} and {names[1]} are required")
        return first, second

    def _issue(self, name: str, secret: str, key: str) -> Response:
        login = self._accounts.login(name, secret)
        if login is None:
            return json_response({"detail": "Incorrect authentication credentials"}, 401)
        claims = {"kind": "hub", "writes": login.writes, "username": login.name}
        return json_response({key: self._tokens.issue(login.name, TOKEN_SECONDS, claims)})

    async def _user(self, request: Request) -> Response:
        return json_response(shapes.user(self._known(request).name))

    async def _organisations(self, request: Request) -> Response:
        names = self._accounts.namespaces(self._known(request).name)[1:]
        return self._page(request, [shapes.organisation(name) for name in names])

    # --- repositories ---

    async def _search(self, request: Request) -> Response:
        login = self._who(request)
        term = request.first("query").lower().removeprefix("library/")
        found = [
            item
            for item in self._repositories
            if (term in item.name or term in item.about.description.lower())
            and not item.about.private
            and PULL in self._accounts.allowed(login, item.name)
        ]
        # As the site does: the very name first, official ones next, then by stars.
        found.sort(
            key=lambda item: (
                item.name.removeprefix("library/") != term,
                not item.about.official,
                -item.about.stars,
            )
        )
        return self._page(request, [shapes.found(item) for item in found])

    async def _list(self, request: Request) -> Response:
        login = self._who(request)
        namespace = request.params["ns"]
        found = [
            item
            for item in self._repositories
            if (item.name.partition("/")[0] if "/" in item.name else "library") == namespace
            and PULL in self._accounts.allowed(login, item.name)
        ]
        ordering = request.first("ordering") or "-last_updated"
        key = shapes.ORDERS.get(ordering.lstrip("-"), shapes.ORDERS["last_updated"])
        found.sort(key=key, reverse=ordering.startswith("-"))
        return self._page(request, [shapes.line(item) for item in found])

    async def _repository(self, request: Request) -> Response:
        found = self._found(request)
        login = self._who(request)
        return json_response(shapes.repository(found, self._accounts.allowed(login, found.name)))

    async def _edit(self, request: Request) -> Response:
        """Change the descriptions of a repository."""
        found = self._found(request, PUSH)
        value = await _object(request)
        for name in ("description", "full_description"):
            if name in value:
                if not isinstance(value[name], str):
                    raise HttpError(400, f"{name} must be a string")
                setattr(found.about, name, value[name])
        return json_response(shapes.repository(found, {PULL, PUSH, DELETE}))

    async def _delete_repository(self, request: Request) -> Response:
        self._repositories.remove(self._found(request, DELETE).name)
        return Response(202)

    # --- tags ---

    async def _tags(self, request: Request) -> Response:
        found = self._found(request)
        wanted = request.first("name").lower()
        names = [name for name in found.tag_names() if wanted in name.lower()]
        times = {name: shapes.pushed(found, name) for name in names}
        match request.first("ordering"):
            case "name":
                names.sort()
            case "-name":
                names.sort(reverse=True)
            case "-last_updated":  # on the site this one turns it round
                names.sort(key=lambda name: (times[name], name))
            case _:
                names.sort(key=lambda name: (-times[name], name))
        page, start, end = self._bounds(request, len(names))
        results = []
        for name in names[start:end]:
            results.append(self._tag_of(found, name))
            await asyncio.sleep(0)  # its image may just have been made: let others have their turn
        return self._paged(request, page, len(names), results)

    def _tag_of(self, found: Repository, name: str) -> dict[str, Any]:
        try:
            manifest = self._repositories.manifest(found, name)
        except RegistryError:
            raise HttpError(404, f"tag '{name}' not found") from None
        children = self._repositories.children(found, manifest)
        configs = {item.digest: self._platform(item.value) for item in children}
        now = self._repositories.now()
        return shapes.tag(found, name, manifest, children, configs, now)

    def _platform(self, value: Any) -> dict[str, Any]:
        """What a single image's configuration says of its platform."""
        digest = str((value.get("config") or {}).get("digest"))
        if self._repositories.blobs.size(digest) is None:
            return {}
        try:
            config = json.loads(self._repositories.blobs.read(digest))
        except ValueError:
            return {}
        return config if isinstance(config, dict) else {}

    async def _tag(self, request: Request) -> Response:
        return json_response(self._tag_of(self._found(request), request.params["tag"]))

    async def _images(self, request: Request) -> Response:
        found = self._found(request)
        return json_response(self._tag_of(found, request.params["tag"])["images"])

    async def _delete_tag(self, request: Request) -> Response:
        found = self._found(request, DELETE)
        try:
            self._repositories.untag(found, request.params["tag"])
        except RegistryError:
            raise HttpError(404, f"tag '{request.params['tag']}' not found") from None
        return Response(204)

    # --- pages ---

    def _page(self, request: Request, items: Sequence[Any]) -> Response:
        page, start, end = self._bounds(request, len(items))
        return self._paged(request, page, len(items), items[start:end])

    @staticmethod
    def _bounds(request: Request, count: int) -> tuple[int, int, int]:
        """Number, start and end of the page. Raises HttpError 404 behind the last one."""
        try:
            page, size = int(request.first("page", "1")), int(request.first("page_size", "10"))
        except ValueError:
            raise HttpError(400, "page and page_size must be numbers") from None
        size = min(max(size, 1), LARGEST_PAGE)
        if page < 1 or (page > 1 and (page - 1) * size >= count):
            raise HttpError(404, "page not found")
        return page, (page - 1) * size, page * size

    def _paged(self, request: Request, page: int, count: int, results: Sequence[Any]) -> Response:
        size = min(max(int(request.first("page_size", "10")), 1), LARGEST_PAGE)

        def link(number: int) -> str | None:
            if number < 1 or (number - 1) * size >= count:
                return None
            kept = {name: values[0] for name, values in request.query.items()}
            query = urlencode({**kept, "page": number, "page_size": size})
            return f"{base_url(request, self.port)}{request.path}?{query}"

        return json_response(
            {"count": count, "next": link(page + 1), "previous": link(page - 1), "results": results}
        )


async def _object(request: Request) -> dict[str, Any]:
    try:
        value = json.loads(await request.body(_BODY_LIMIT))
    except (ValueError, RecursionError):
        raise HttpError(400, "the body is no JSON") from None
    if not isinstance(value, dict):
        raise HttpError(400, "the body is no JSON object")
    return value


def _error(error: HttpError) -> Response:
    if error.status == 404:
        body = {"message": error.message, "errinfo": {}}
    else:
        body = {"message": error.message, "detail": error.message}
    return json_response(body, error.status)
