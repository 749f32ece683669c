"""Create, update, patch, apply and delete, as requests ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockdesk.sandbox.http import Request, Response, json_response
from dockdesk.sandbox.kube import conversion, deleting, managed, patching, validate
from dockdesk.sandbox.kube.admission import Admission, changed
from dockdesk.sandbox.kube.bodies import (
    as_object,
    delete_options,
    is_dry,
    json_of,
    manager_of,
    media_type,
    read_object,
)
from dockdesk.sandbox.kube.cluster import Cluster
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.listing import Lister, selection_of, table, wanted_shape
from dockdesk.sandbox.kube.objects import (
    Object,
    clone,
    dig,
    name_of,
    namespace_of,
    uid_of,
    uuid_of,
)
from dockdesk.sandbox.kube.schema import checked
from dockdesk.sandbox.kube.selectors import written
from dockdesk.sandbox.kube.status import KubeError, invalid, stale, success
from dockdesk.sandbox.kube.store import Stored

_MOST_WARNINGS = 20
_APPLY = {"application/apply-patch+yaml", "application/apply-patch"}
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
_KEPT_META = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "namespace", "managedFields")  # fmt: skip


class Writer:
    """Answers writing requests."""

    def __init__(self, cluster: Cluster, admission: Admission, lister: Lister) -> None:
        self._cluster = cluster
        self._store = cluster.store
        self._admission = admission
        self._lister = lister

    # --- Create ---

    async def create(self, kind: Kind, namespace: str, request: Request) -> Response:
        item = await read_object(request)
        _check_kind(kind, item)
        item, warnings = checked(kind, item, request.first("fieldValidation"))
        _check_place(kind, item, namespace)
        if item["metadata"].get("resourceVersion"):
            raise KubeError(400, "resourceVersion should not be set on objects to be created")
        item = self._admission.prepare(kind, item)
        item = managed.updated(None, item, manager_of(request), self._cluster.now())
        return self._answer(kind, self._add(kind, item, is_dry(request)), request, 201, warnings)

    def _add(self, kind: Kind, item: Object, dry: bool) -> Object:
        if not dry:
            return self._store.add(kind, item)
        if self._store.find(kind, namespace_of(item), name_of(item)) is not None:
            return self._store.add(kind, item)  # which says that the name is taken
        item["metadata"]["uid"] = uuid_of("dry", name_of(item))
        return item

    # --- Change ---

    async def update(
        self, kind: Kind, namespace: str, name: str, part: str, request: Request
    ) -> Response:
        item = await read_object(request)
        _check_kind(kind, item)
        item, warnings = checked(kind, item, request.first("fieldValidation"))
        _check_place(kind, item, namespace)
        if name_of(item) != name:
            raise KubeError(
                400,
                f"the name of the object ({name_of(item)}) does not match the name on the URL ({name})",
            )
        old = self._store.get(kind, namespace, name).object
        item = self._changed(kind, old, item, part, manager_of(request))
        item = self._replace(kind, old, item, is_dry(request))
        return self._answer(kind, item, request, 200, warnings)

    async def patch(
        self, kind: Kind, namespace: str, name: str, part: str, request: Request
    ) -> Response:
        media = media_type(request)
        if media in _APPLY:
            return await self._apply(kind, namespace, name, part, request)
        old = self._store.get(kind, namespace, name).object
        shown = conversion.older(old) if is_older(request) else old
        item = conversion.newer(as_object(await patched(kind, shown, request)))
        item, warnings = checked(kind, item, request.first("fieldValidation"))
        if item["metadata"].get("name") != name:
            raise KubeError(400, "the name of the object does not match the name on the URL")
        item = self._changed(kind, old, item, part, manager_of(request))
        item = self._replace(kind, old, item, is_dry(request))
        return self._answer(kind, item, request, 200, warnings)

    async def _apply(
        self, kind: Kind, namespace: str, name: str, part: str, request: Request
    ) -> Response:
        if not request.first("fieldManager"):
            raise invalid(
                "PatchOptions",
                "meta.k8s.io",
                "",
                [
                    (
                        "FieldValueRequired",
                        "fieldManager",
                        "Required value: is required for apply patch",
                    )
                ],
            )
        config = conversion.newer(as_object(json_of(await request.body())))
        _check_kind(kind, config)
        config, _ = checked(kind, config, "Strict")
        _check_place(kind, config, namespace)
        if config["metadata"].setdefault("name", name) != name:
            raise KubeError(400, "the name of the object does not match the name on the URL")
        if config["metadata"].get("managedFields"):
            raise KubeError(400, "metadata.managedFields must be nil")
        now, manager = self._cluster.now(), request.first("fieldManager")
        stored = self._store.shelf(kind).items.get((namespace, name))
        if stored is None:
            if part:
                self._store.get(kind, namespace, name)  # which says that it is not there
            owned = managed.applied(None, config, manager, True, now)["metadata"]["managedFields"]
            item = self._admission.prepare(kind, config)
            item["metadata"]["managedFields"] = owned
            return self._answer(kind, self._add(kind, item, is_dry(request)), request, 201)
        old = stored.object
        item = managed.applied(old, config, manager, request.flag("force"), now, part)
        fields = item["metadata"].get("managedFields")
        item = self._changed(kind, old, item, part, "")
        if fields:
            item["metadata"]["managedFields"] = fields
        return self._answer(kind, self._replace(kind, old, item, is_dry(request)), request)

    def _changed(self, kind: Kind, old: Object, item: Object, part: str, manager: str) -> Object:
        """The new state with everything in it that a writer of this part may not change."""
        meta, before = dict(item["metadata"]), old["metadata"]
        if meta.get("resourceVersion") not in (None, "", before["resourceVersion"]):
            raise stale(kind.plural, kind.group, name_of(old))
        if meta.get("uid") not in (None, "", before["uid"]):
            raise stale(kind.plural, kind.group, name_of(old))
        for field in _KEPT_META:
            meta.pop(field, None)
            if field in before:
                meta[field] = before[field]
        item = {**item, "apiVersion": kind.api_version, "kind": kind.name, "metadata": meta}
        if part == "status":
            item = {**old, "metadata": {**before}, "status": item.get("status") or {}}
        else:
            if kind.status:
                item.pop("status", None)
                if "status" in old:
                    item["status"] = old["status"]
            item = clone(item)
            changed(kind, item)
            validate.check(kind, item, old)
            if "generation" in before and item.get("spec") != old.get("spec"):
                item["metadata"]["generation"] = before["generation"] + 1
        if manager:
            item = managed.updated(old, item, manager, self._cluster.now(), part)
        return item

    def _replace(self, kind: Kind, old: Object, item: Object, dry: bool) -> Object:
        if dry:
            item["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
            return item
        item["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if _same(old, item):
            return old
        after = self._store.replace(kind, item)
        deleting.finalized(self._cluster, kind, after)
        return after

    # --- Scale ---

    async def scale(self, kind: Kind, namespace: str, name: str, request: Request) -> Response:
        """The scale subresource."""
        old = self._store.get(kind, namespace, name).object
        if request.method == "GET":
            return json_response(scale_of(old))
        if request.method == "PUT":
            wanted = await read_object(request)
        else:
            wanted = as_object(await patched(kind, scale_of(old), request))
        replicas = dig(wanted, "spec", "replicas") or 0
        if not isinstance(replicas, int) or isinstance(replicas, bool):
            raise KubeError(
                400,
                "json: cannot unmarshal into Go struct field ScaleSpec.spec.replicas of type int32",
            )
        if replicas < 0:
            text = f"Invalid value: {replicas}: must be greater than or equal to 0"
            raise invalid(
                "Scale", "autoscaling", name, [("FieldValueInvalid", "spec.replicas", text)]
            )
        version = wanted["metadata"].get("resourceVersion")
        item = {
            **old,
            "metadata": {**old["metadata"], "resourceVersion": version},
            "spec": {**old["spec"], "replicas": replicas},
        }
        item = self._changed(kind, old, item, "", "")
        item = managed.updated(old, item, manager_of(request), self._cluster.now(), "scale")
        return json_response(scale_of(self._replace(kind, old, item, is_dry(request))))

    # --- Delete ---

    async def delete(self, kind: Kind, namespace: str, name: str, request: Request) -> Response:
        options = await delete_options(request)
        item = self._store.get(kind, namespace, name).object
        left = deleting.delete(self._cluster, kind, item, options)
        if left is not None or kind.key == ("", "pods"):
            return json_response(left or item)
        return json_response(success(name, kind.group, kind.plural, uid_of(item)))

    async def delete_collection(self, kind: Kind, namespace: str, request: Request) -> Response:
        options = await delete_options(request)
        items = self._lister.select(kind, selection_of(kind, namespace, request))
        for stored in items:
            deleting.delete(self._cluster, kind, stored.object, options)
        head = {"kind": f"{kind.name}List", "apiVersion": kind.api_version}
        meta = {"resourceVersion": str(self._store.version)}
        return json_response(
            {**head, "metadata": meta, "items": [stored.object for stored in items]}
        )

    def _answer(
        self,
        kind: Kind,
        item: Object,
        request: Request,
        status: int = 200,
        warnings: Sequence[str] = (),
    ) -> Response:
        stored = Stored(item, int(item["metadata"].get("resourceVersion") or 0))
        response = one(kind, stored, request, self._cluster.now(), status)
        if warnings:
            texts = (
                text.replace("\\", "\\\\").replace('"', '\\"') for text in warnings[:_MOST_WARNINGS]
            )
            response.headers = {"Warning": ", ".join(f'299 - "{text}"' for text in texts)}
        return response


def one(kind: Kind, stored: Stored, request: Request, now: float, status: int = 200) -> Response:
    """One object in the shape that was asked for."""
    shape = wanted_shape(request)
    if shape == "Table":
        meta = {"resourceVersion": str(stored.version)}
        return Response(status, table(kind, [stored], meta, request, now))
    return Response(status, stored.partial if shape.startswith("Partial") else stored.json)


def _same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether two states differ in nothing but when who wrote what."""

    def plain(item: Mapping[str, Any]) -> dict[str, Any]:
        fields = [{**entry, "time": ""} for entry in item["metadata"].get("managedFields") or ()]
        return {**item, "metadata": {**item["metadata"], "managedFields": fields}}

    return plain(old) == plain(new)


def _check_kind(kind: Kind, item: Object) -> None:
    named, version = item.get("kind") or kind.name, item.get("apiVersion") or kind.api_version
    if named != kind.name:
        raise KubeError(
            400,
            f'{named} in version "{str(version).rpartition("/")[2]}" cannot be handled as a {kind.name}: converting ({named}) to ({kind.name}): unknown conversion',
        )
    if version != kind.api_version:
        raise KubeError(
            400,
            f"the API version in the data ({version}) does not match the expected API version ({kind.api_version})",
        )


def _check_place(kind: Kind, item: Object, namespace: str) -> None:
    if kind.namespaced and item["metadata"].setdefault("namespace", namespace) != namespace:
        raise KubeError(
            400,
            f"the namespace of the provided object does not match the namespace sent on the request: {item['metadata']['namespace']}, {namespace}",
        )


async def patched(kind: Kind, old: Object, request: Request) -> Any:
    """An object after the patch in a request. Raises KubeError 400, 415, 422."""
    media = media_type(request)
    if media not in _PATCHES or (media == _PATCHES[2] and kind.custom is not None):
        raise KubeError(
            415,
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(_PATCHES),
        )
    patch = json_of(await request.body())
    if media == _PATCHES[0]:
        return patching.json_patch(old, patch)
    if not isinstance(patch, dict):
        raise KubeError(
            400,
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
        )
    if media == _PATCHES[1]:
        return patching.merge_patch(old, patch)
    return patching.strategic_patch(old, patch)


def is_older(request: Request) -> bool:
    """Whether autoscalers are asked for in their older version."""
    return request.path.startswith(f"/apis/{conversion.OLD}/")


def scale_of(item: Object) -> Object:
    """The Scale of something scalable."""
    meta = item["metadata"]
    kept = {
        field: meta[field]
        for field in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
        if field in meta
    }
    status: dict[str, Any] = {"replicas": dig(item, "status", "replicas") or 0}
    if selector := written(dig(item, "spec", "selector")):
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": kept,
        "spec": {"replicas": dig(item, "spec", "replicas") or 0},
        "status": status,
    }
