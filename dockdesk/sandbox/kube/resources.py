"""Paths to resources: who may do what is asked, and which part answers it."""

from __future__ import annotations

from dataclasses import dataclass

from dockdesk.sandbox.http import Request, Response, Router
from dockdesk.sandbox.kube import conversion
from dockdesk.sandbox.kube.access import Access, forbidden
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.listing import Lister
from dockdesk.sandbox.kube.pods_api import PodsApi
from dockdesk.sandbox.kube.status import KubeError, no_such_path
from dockdesk.sandbox.kube.watching import Watcher
from dockdesk.sandbox.kube.writing import Writer, one

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. ``part`` is a subresource."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    part: str = ""


def target_of(path: str) -> Target:
    """Raises KubeError 404 for paths that are none of a resource."""
    steps = path.strip("/").split("/")
    if steps[0] == "api":
        group, version, rest = "", steps[1], steps[2:]
    else:
        group, version, rest = steps[1], steps[2], steps[3:]
    namespace = ""
    if (
        len(rest) >= 3
        and rest[0] == "namespaces"
        and not (not group and len(rest) == 3 and rest[2] in {"status", "finalize"})
    ):
        namespace, rest = rest[1], rest[2:]
    if not 1 <= len(rest) <= 3 or not all(rest):
        raise no_such_path()
    plural, name, part = [*rest, "", ""][:3]
    return Target(group, version, plural, namespace, name, part)


class ResourcesApi:
    """Everything below /api/v1 and /apis/GROUP/VERSION."""

    def __init__(
        self,
        cluster: Cluster,
        access: Access,
        lister: Lister,
        watcher: Watcher,
        writer: Writer,
        pods: PodsApi,
    ) -> None:
        self._cluster = cluster
        self._store = cluster.store
        self._access = access
        self._lister = lister
        self._watcher = watcher
        self._writer = writer
        self._pods = pods

    def add_to(self, router: Router) -> None:
        for method in _METHODS:
            router.add(method, "/api/v1/{path+}", self._answer)
            router.add(method, "/apis/{group}/{version}/{path+}", self._answer)

    async def _answer(self, request: Request) -> Response:
        target = target_of(request.path)
        kind = self._cluster.kinds.find(target.group, target.version, target.plural)
        verb = self._verb(target, request)
        self._allow(target, verb, request)
        if kind is None or (target.namespace and not kind.namespaced):
            raise no_such_path()
        if kind.namespaced and not target.namespace and (target.name or verb == "create"):
            raise no_such_path()
        if kind.api_version != conversion.OLD:
            return await self._answered(kind, target, verb, request)
        kept = self._cluster.kinds.of(kind.group, kind.name)
        return conversion.in_older(await self._answered(kept, target, verb, request))

    async def _answered(self, kind: Kind, target: Target, verb: str, request: Request) -> Response:
        if target.part:
            return await self._part(kind, target, request)
        return await self._whole(kind, target, verb, request)

    @staticmethod
    def _verb(target: Target, request: Request) -> str:
        method = "GET" if request.method == "HEAD" else request.method
        if target.part in {"exec", "attach", "portforward"}:
            return "create"
        if method == "GET" and request.flag("watch") and not target.part:
            return "watch"
        if target.name:
            return _VERBS[method]
        return {"GET": "list", "DELETE": "deletecollection"}.get(method, _VERBS[method])

    def _allow(self, target: Target, verb: str, request: Request) -> None:
        user = self._access.user_of(request)
        if not user.may(verb, target.group, target.plural, target.namespace, target.part):
            resource = f"{target.plural}/{target.part}" if target.part else target.plural
            raise forbidden(user, verb, target.group, resource, target.namespace, target.name)

    async def _whole(self, kind: Kind, target: Target, verb: str, request: Request) -> Response:
        namespace, name = target.namespace, target.name
        if verb not in kind.verbs:
            raise _not_allowed()
        if verb == "list":
            return self._lister.answer(kind, namespace, request)
        if verb == "watch":
            return self._watcher.answer(kind, namespace, request, name)
        if verb == "get":
            return one(kind, self._store.get(kind, namespace, name), request, self._cluster.now())
        if verb == "create" and not name:
            return await self._writer.create(kind, namespace, request)
        if verb == "update" and name:
            return await self._writer.update(kind, namespace, name, "", request)
        if verb == "patch" and name:
            return await self._writer.patch(kind, namespace, name, "", request)
        if verb == "delete":
            return await self._writer.delete(kind, namespace, name, request)
        if verb == "deletecollection":
            return await self._writer.delete_collection(kind, namespace, request)
        raise _not_allowed()

    async def _part(self, kind: Kind, target: Target, request: Request) -> Response:
        namespace, name, part, method = target.namespace, target.name, target.part, request.method
        if part == "status" and kind.status:
            if method == "GET":
                return one(
                    kind, self._store.get(kind, namespace, name), request, self._cluster.now()
                )
            if method == "PUT":
                return await self._writer.update(kind, namespace, name, part, request)
            if method == "PATCH":
                return await self._writer.patch(kind, namespace, name, part, request)
        elif part == "scale" and kind.scale:
            if method not in {"GET", "PUT", "PATCH"}:
                raise _not_allowed()
            return await self._writer.scale(kind, namespace, name, request)
        elif kind.key == ("", "pods"):
            return await self._pods.answer(namespace, name, part, request)
        else:
            raise no_such_path()
        raise _not_allowed()


def _not_allowed() -> KubeError:
    return KubeError(405, "the server does not allow this method on the requested resource")
