"""What the API offers, and where: groups, resources, version, health, and as much OpenAPI as kubectl uses.

Source: Kubernetes API concepts, "API discovery".
"""

from __future__ import annotations

from typing import Any

from dockdesk.sandbox.http import Request, Response, Router, json_response
from dockdesk.sandbox.kube.kinds import Kind, Kinds
from dockdesk.sandbox.kube.openapi import schemas_of
from dockdesk.sandbox.kube.status import no_such_path

VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.4-dockdesk.sandbox",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2025-04-22T16:02:27Z",
    "goVersion": "go1.23.6",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_REVIEWS = {
    ("authorization.k8s.io", "v1"): (
        ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    ),
    ("authentication.k8s.io", "v1"): (("selfsubjectreviews", "SelfSubjectReview"),),
}
_METRICS = ("metrics.k8s.io", "v1beta1")
_ROOT = ("/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v3", "/readyz", "/version")


class Discovery:
    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds

    def add_to(self, router: Router) -> None:
        for path in ("/healthz", "/livez", "/readyz"):
            router.add("GET", path, self._healthy)
        router.add("GET", "/", self._root)
        router.add("GET", "/version", self._version)
        router.add("GET", "/api", self._core)
        router.add("GET", "/apis", self._groups)
        router.add("GET", "/api/{version}", self._resources)
        router.add("GET", "/apis/{group}", self._group)
        router.add("GET", "/apis/{group}/{version}", self._resources)
        router.add("GET", "/openapi/v3", self._openapi)
        router.add("GET", "/openapi/v3/{path+}", self._openapi_of)

    async def _healthy(self, _request: Request) -> Response:
        return Response(200, b"ok", "text/plain; charset=utf-8")

    async def _root(self, _request: Request) -> Response:
        return json_response({"paths": list(_ROOT)})

    async def _version(self, _request: Request) -> Response:
        return json_response(VERSION)

    async def _core(self, request: Request) -> Response:
        address = request.headers.get("host", "127.0.0.1")
        return json_response(
            {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [
                    {"clientCIDR": "0.0.0.0/0", "serverAddress": address}
                ],
            }
        )

    def _versions(self) -> dict[str, list[str]]:
        groups = self._kinds.versions()
        for group, version in (*_REVIEWS, _METRICS):
            groups.setdefault(group, []).append(version)
        return groups

    @staticmethod
    def _group_object(group: str, versions: list[str]) -> dict[str, Any]:
        named = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
        return {"name": group, "versions": named, "preferredVersion": named[0]}

    async def _groups(self, _request: Request) -> Response:
        groups = [
            self._group_object(group, versions) for group, versions in self._versions().items()
        ]
        return json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})

    async def _group(self, request: Request) -> Response:
        group = request.params["group"]
        versions = self._versions().get(group)
        if versions is None:
            raise no_such_path()
        return json_response(
            {"kind": "APIGroup", "apiVersion": "v1", **self._group_object(group, versions)}
        )

    async def _resources(self, request: Request) -> Response:
        group, version = request.params.get("group", ""), request.params["version"]
        resources: list[dict[str, Any]] = []
        for kind in self._kinds:
            if (kind.group, kind.version) == (group, version):
                resources += _described(kind)
        for plural, name in _REVIEWS.get((group, version), ()):
            resources.append(
                {
                    "name": plural,
                    "singularName": name.lower(),
                    "namespaced": False,
                    "kind": name,
                    "verbs": ["create"],
                }
            )
        if (group, version) == _METRICS:
            for plural, name, namespaced in (
                ("nodes", "NodeMetrics", False),
                ("pods", "PodMetrics", True),
            ):
                resources.append(
                    {
                        "name": plural,
                        "singularName": "",
                        "namespaced": namespaced,
                        "kind": name,
                        "verbs": ["get", "list"],
                    }
                )
        if not resources:
            raise no_such_path()
        where = f"{group}/{version}" if group else version
        return json_response(
            {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": where,
                "resources": resources,
            }
        )

    async def _openapi(self, _request: Request) -> Response:
        paths = {
            f"apis/{group}/{version}"
            for group, versions in self._kinds.versions().items()
            for version in versions
        }
        return json_response(
            {
                "paths": {
                    path: {"serverRelativeURL": f"/openapi/v3/{path}?hash=sandbox"}
                    for path in sorted(paths | {"api/v1"})
                }
            }
        )

    async def _openapi_of(self, request: Request) -> Response:
        path = request.params["path"]
        paths: dict[str, Any] = {}
        for kind in self._kinds:
            base = f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"
            if base != path:
                continue
            where = (
                f"/{base}/"
                + ("namespaces/{namespace}/" if kind.namespaced else "")
                + f"{kind.plural}/{{name}}"
            )
            named = {"group": kind.group, "version": kind.version, "kind": kind.name}
            known = [
                {"name": name, "in": "query", "schema": {"type": "string"}}
                for name in ("dryRun", "fieldManager", "fieldValidation")
            ]
            operation = {
                "parameters": known,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-group-version-kind": named,
            }
            paths[where] = {"patch": {**operation, "x-kubernetes-action": "patch"}}
        if not paths:
            raise no_such_path()
        info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
        served = [kind for kind in self._kinds if _place(kind) == path]
        schemas = {"schemas": schemas_of(served)}
        return json_response(
            {"openapi": "3.0.0", "info": info, "paths": paths, "components": schemas}
        )


def _place(kind: Kind) -> str:
    return f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"


def _described(kind: Kind) -> list[dict[str, Any]]:
    main: dict[str, Any] = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": list(kind.verbs),
    }
    if kind.short:
        main["shortNames"] = list(kind.short)
    if kind.categories:
        main["categories"] = list(kind.categories)
    found = [main]

    def sub(name: str, verbs: list[str], shape: str = kind.name, **more: str) -> None:
        found.append(
            {
                "name": f"{kind.plural}/{name}",
                "singularName": "",
                "namespaced": kind.namespaced,
                **more,
                "kind": shape,
                "verbs": verbs,
            }
        )

    if kind.status:
        sub("status", ["get", "patch", "update"])
    if kind.scale:
        sub("scale", ["get", "patch", "update"], "Scale", group="autoscaling", version="v1")
    if kind.key == ("", "pods"):
        sub("log", ["get"])
        sub("eviction", ["create"], "Eviction", group="policy", version="v1")
        for name in ("exec", "attach", "portforward"):
            sub(
                name,
                ["create", "get"],
                f"Pod{'PortForward' if name == 'portforward' else name.capitalize()}Options",
            )
    return found
