"""The fields of the resources as OpenAPI: what `kubectl explain` prints, and how `kubectl apply` merges lists.

Types and names only, from the same table that bodies are checked against; nothing is described.
Source: Kubernetes API concepts, "OpenAPI V3"; the x-kubernetes extensions of the API's own documents.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.patching import MERGE_KEYS, SETS
from dockdesk.sandbox.kube.protobuf import inlined, message_of

_SIMPLE: dict[str, dict[str, Any]] = {
    "s": {"type": "string"},
    "i": {"type": "integer", "format": "int32"},
    "b": {"type": "boolean"},
    "d": {"type": "number", "format": "double"},
    "y": {"type": "string", "format": "byte"},
    "T": {"type": "string", "format": "date-time"},
    "D": {"type": "string"},
    "q": {"type": "string"},
    "o": {"type": "string", "format": "int-or-string"},
    "r": {"type": "object"},
}


def schemas_of(kinds: list[Kind]) -> dict[str, Any]:
    """The components of a document: the kinds, and all that they are made of."""
    found: dict[str, Any] = {}
    for kind in kinds:
        message = message_of(kind.api_version, kind.name) if kind.custom is None else None
        if message is None:
            continue
        _collect(found, message)
        root = found[message]
        top = {"apiVersion": _SIMPLE["s"], "kind": _SIMPLE["s"], **root["properties"]}
        if kind.status:
            top["status"] = {"type": "object"}
        named = {"group": kind.group, "version": kind.version, "kind": kind.name}
        found[message] = {
            **root,
            "properties": top,
            "x-kubernetes-group-version-kind": [named],
        }
    return found


def _collect(found: dict[str, Any], message: str) -> None:
    if message in found:
        return
    schema, needs = _message(message)
    found[message] = schema
    for other in needs:
        _collect(found, other)


@cache
def _message(message: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A message's schema, and the messages that it refers to."""
    properties: dict[str, Any] = {}
    needs: list[str] = []
    for name, shape, inline in inlined(message):
        if inline:
            inner, more = _message(shape)
            properties.update(inner["properties"])
            needs += more
            continue
        properties[name] = _field(name, shape)
        if "." in shape:
            needs.append(shape.lstrip("*%"))
    return {"type": "object", "description": "", "properties": properties}, tuple(needs)


def _field(name: str, shape: str) -> dict[str, Any]:
    if shape.startswith("*"):
        made: dict[str, Any] = {"type": "array", "items": _field("", shape[1:])}
        keys = ("containerPort",) if shape == "*core.ContainerPort" else MERGE_KEYS.get(name, ())
        if shape == "*core.ServicePort":
            keys = ("port",)
        if keys and "." in shape:
            made["x-kubernetes-patch-merge-key"] = keys[0]
        if (keys and "." in shape) or name in SETS:
            made["x-kubernetes-patch-strategy"] = "merge"
        return made
    if shape.startswith("%"):
        return {"type": "object", "additionalProperties": _field("", shape[1:])}
    if "." in shape:
        return {"allOf": [{"$ref": f"#/components/schemas/{shape}"}], "default": {}}
    return dict(_SIMPLE[shape])
