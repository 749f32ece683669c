"""Lists: selected, paged over a snapshot, and put together from JSON that is already there.

Source: Kubernetes API concepts, "Retrieving large results sets in chunks" and "Receiving resources as Tables".
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.http import Request, Response
from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import Object, encoded
from dockdesk.sandbox.kube.selectors import parse_fields, parse_labels
from dockdesk.sandbox.kube.status import KubeError, expired
from dockdesk.sandbox.kube.store import Store, Stored
from dockdesk.sandbox.kube.tables import columns_of, rows_of

_SNAPSHOTS = 32


@dataclass(frozen=True, slots=True)
class Selection:
    """What a request selects. ``test`` is None where everything fits."""

    namespace: str
    test: Callable[[Object], bool] | None

    def fits(self, item: Object) -> bool:
        if self.namespace and item["metadata"].get("namespace") != self.namespace:
            return False
        return self.test is None or self.test(item)


def selection_of(kind: Kind, namespace: str, request: Request, name: str = "") -> Selection:
    """Raises KubeError 400 for selectors that can't be read."""
    tests: list[Callable[[Object], bool]] = []
    if text := request.first("labelSelector"):
        labels = parse_labels(text)
        tests.append(lambda item: labels(item["metadata"].get("labels") or {}))
    if text := request.first("fieldSelector"):
        tests.append(parse_fields(kind, text))
    if name:
        tests.append(lambda item: item["metadata"].get("name") == name)
    return Selection(namespace, (lambda item: all(test(item) for test in tests)) if tests else None)


def wanted_shape(request: Request) -> str:
    """Table, PartialObjectMetadata(List) or nothing special: what the first acceptable media type asks for.

    Raises KubeError 406 where only what is not spoken here would do.
    """
    accept = request.headers.get("accept", "") or "*/*"
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        if media not in {"application/json", "*/*", "application/*"}:
            continue
        options = dict(piece.partition("=")[::2] for piece in parameters)
        shape = options.get("as", "")
        if not shape or (
            shape in {"Table", "PartialObjectMetadata", "PartialObjectMetadataList"}
            and options.get("v") == "v1"
        ):
            return shape
    raise KubeError(
        406,
        "only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io",
    )


class Lister:
    """Answers list requests."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._snapshots: OrderedDict[str, tuple[list[Stored], int]] = OrderedDict()
        self._numbers = itertools.count(1)

    def answer(self, kind: Kind, namespace: str, request: Request) -> Response:
        selection = selection_of(kind, namespace, request)
        items, version, meta = self._page(kind, selection, request)
        meta = {"resourceVersion": str(version), **meta}
        shape = wanted_shape(request)
        if shape == "Table":
            return Response(body=table(kind, items, meta, request, self._now()))
        if shape.startswith("Partial"):
            head = {
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
            }
            return Response(body=_joined(head, "items", [item.partial for item in items]))
        head = {"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": meta}
        return Response(body=_joined(head, "items", [item.json for item in items]))

    def select(self, kind: Kind, selection: Selection) -> list[Stored]:
        shelf = self._store.shelf(kind)
        keys, items = shelf.order(), shelf.items
        if selection.namespace:
            keys = [key for key in keys if key[0] == selection.namespace]
        if selection.test is None:
            return [items[key] for key in keys]
        return [items[key] for key in keys if selection.test(items[key].object)]

    def _page(
        self, kind: Kind, selection: Selection, request: Request
    ) -> tuple[list[Stored], int, dict[str, Any]]:
        limit_text, token = request.first("limit"), request.first("continue")
        if limit_text and not limit_text.lstrip("-").isdigit():
            raise KubeError(400, f'strconv.ParseInt: parsing "{limit_text[:40]}": invalid syntax')
        limit = int(limit_text or 0)
        if token:
            name, start = self._resumed(token)
            items, version = self._snapshots[name]
        else:
            name, start, version = "", 0, self._store.version
            items = self.select(kind, selection)
            asked = request.first("resourceVersion")
            exact = request.first("resourceVersionMatch") == "Exact"
            if exact and asked.isdigit() and int(asked) < version:
                raise expired("The provided resource version is no longer available.")
        if not limit or start + limit >= len(items):
            return items[start:], version, {}
        if not name:
            name = f"{next(self._numbers):x}"
            self._snapshots[name] = (items, version)
            while len(self._snapshots) > _SNAPSHOTS:
                self._snapshots.popitem(last=False)
        text = json.dumps(
            {"v": "meta.k8s.io/v1", "rv": version, "start": f"{name}:{start + limit}"}
        )
        meta: dict[str, Any] = {
            "continue": base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        }
        if selection.test is None:
            meta["remainingItemCount"] = len(items) - start - limit
        return items[start : start + limit], version, meta

    def _resumed(self, token: str) -> tuple[str, int]:
        try:
            content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            name, _, start = str(content["start"]).partition(":")
            position = int(start)
        except (binascii.Error, ValueError, KeyError, TypeError):
            raise KubeError(400, "continue key is not valid") from None
        if name not in self._snapshots:
            raise expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter."
            )
        return name, position


def _joined(head: Mapping[str, Any], field: str, parts: list[bytes]) -> bytes:
    return b'%b,"%b":[%b]}' % (encoded(head)[:-1], field.encode(), b",".join(parts))


def table(
    kind: Kind,
    items: list[Stored],
    meta: Mapping[str, Any],
    request: Request,
    now: float,
    with_columns: bool = True,
) -> bytes:
    """Objects as a Table; each row carries what includeObject asks for."""
    include = request.first("includeObject", "Metadata")
    cells = rows_of(kind, [item.object for item in items], now)
    rows = []
    for item, row in zip(items, cells, strict=True):
        text = encoded(row)
        if include == "None":
            rows.append(b'{"cells":%b,"object":null}' % text)
        else:
            rows.append(
                b'{"cells":%b,"object":%b}'
                % (text, item.json if include == "Object" else item.partial)
            )
    head = {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": columns_of(kind) if with_columns else [],
    }
    return _joined(head, "rows", rows)
