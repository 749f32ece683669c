"""The patches of the Kubernetes API: JSON patch, merge patch and strategic merge patch.

Sources: RFC 6902, RFC 7386; Kubernetes documentation, "Update API Objects in Place Using kubectl patch", and
sig-api-machinery/strategic-merge-patch.md for the ``$patch``, ``$deleteFromPrimitiveList`` and ``$retainKeys`` directives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.sandbox.kube.objects import clone
from dockdesk.sandbox.kube.status import KubeError

# Lists whose items have an identity: field → what tells them apart.
MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "conditions": ("type",),
    "addresses": ("type",),
    "ownerReferences": ("uid",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "taints": ("key", "effect"),
    "resourceClaims": ("name",),
}
SETS = frozenset({"finalizers"})


def keys_of(field: str, items: Any, strategic: bool = False) -> tuple[str, ...]:
    """What tells a list's items apart, () for lists that are replaced as a whole."""
    if (
        not isinstance(items, list)
        or not all(isinstance(item, dict) for item in items)
        or not items
    ):
        return ()
    if field == "ports":
        port = "containerPort" if any("containerPort" in item for item in items) else "port"
        return (port,) if strategic else (port, "protocol")
    keys = MERGE_KEYS.get(field, ())
    if strategic:
        keys = keys[:1]
    return keys if keys and all(keys[0] in item for item in items) else ()


def identity(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    """The values that name an item; an unnamed protocol is TCP."""
    return tuple(item.get(key, "TCP" if key == "protocol" else None) for key in keys)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return clone(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def strategic_patch(target: Any, patch: Any, field: str = "") -> Any:
    """A strategic merge: like a merge patch, but lists with identities are merged item by item."""
    if isinstance(patch, dict):
        return _strategic_object(target, patch)
    if isinstance(patch, list) and isinstance(target, list):
        return _strategic_list(target, patch, field)
    if isinstance(patch, list):
        return [
            strategic_patch({}, item)
            for item in patch
            if not (isinstance(item, dict) and item.get("$patch"))
        ]
    return patch


def _strategic_object(target: Any, patch: dict[str, Any]) -> Any:
    directive = patch.get("$patch")
    if directive == "replace":
        return {name: clone(value) for name, value in patch.items() if name != "$patch"}
    if directive == "delete":
        return {}
    result = dict(target) if isinstance(target, dict) else {}
    if isinstance(kept := patch.get("$retainKeys"), list):
        result = {name: value for name, value in result.items() if name in kept}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            result[field] = [item for item in result.get(field) or () if item not in value]
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            result.pop(name, None)
        else:
            result[name] = strategic_patch(result.get(name), value, name)
    return result


def _strategic_list(target: list[Any], patch: list[Any], field: str) -> list[Any]:
    items = [item for item in patch if not (isinstance(item, dict) and _is_bare(item))]
    if len(items) != len(patch):  # [{"$patch": "replace"}, …]
        return clone(items)  # type: ignore[no-any-return]
    if field in SETS:
        return [*target, *(item for item in patch if item not in target)]
    keys = keys_of(field, items, strategic=True)
    if not keys:
        return clone(patch)  # type: ignore[no-any-return]
    result = list(target)
    for item in items:
        wanted = identity(item, keys)
        at = next((n for n, old in enumerate(result) if identity(old, keys) == wanted), None)
        if item.get("$patch") == "delete":
            if at is not None:
                del result[at]
        elif at is None:
            result.append(strategic_patch({}, item))
        else:
            result[at] = strategic_patch(result[at], item)
    return result


def _is_bare(item: dict[str, Any]) -> bool:
    return item.get("$patch") == "replace" and len(item) == 1


def json_patch(target: Any, operations: Any) -> Any:
    """RFC 6902. Raises KubeError 400 for a malformed patch, 422 where it does not fit."""
    if not isinstance(operations, list):
        raise KubeError(400, "error decoding patch: a JSON patch is a list of operations")
    document = clone(target)
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise KubeError(400, "error decoding patch: an operation needs op and path")
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError):
            text = f"{operation.get('op')} operation does not apply: doc is missing path: {operation['path']}: missing value"
            raise KubeError(
                422, f"the server rejected our request due to an error in our request: {text}"
            ) from None
    return document


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise ValueError(pointer)
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _index(steps: list[str], at: Any) -> Any:
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    return at


def _operate(document: Any, operation: dict[str, Any]) -> Any:
    word, steps = operation.get("op"), _steps(operation["path"])
    if word == "test":
        if _index(steps, document) != operation.get("value"):
            raise KubeError(
                422,
                f"the server rejected our request due to an error in our request: testing path {operation['path']} failed",
            )
        return document
    if word in {"move", "copy"}:
        source = _steps(str(operation.get("from", "")))
        value = clone(_index(source, document))
        if word == "move":
            document = _remove(document, source)
        return _insert(document, steps, value)
    if word == "remove":
        return _remove(document, steps)
    if word == "replace":
        _index(steps, document)
        return _insert(
            _remove(document, steps) if steps else document, steps, clone(operation["value"])
        )
    if word == "add":
        return _insert(document, steps, clone(operation["value"]))
    raise KubeError(400, f"error decoding patch: unexpected kind: {word}")


def _remove(document: Any, steps: list[str]) -> Any:
    holder = _index(steps[:-1], document)
    if isinstance(holder, list):
        del holder[int(steps[-1])]
    else:
        del holder[steps[-1]]
    return document


def _insert(document: Any, steps: list[str], value: Any) -> Any:
    if not steps:
        return value
    holder, last = _index(steps[:-1], document), steps[-1]
    if isinstance(holder, list):
        at = len(holder) if last == "-" else int(last)
        if not 0 <= at <= len(holder):
            raise IndexError(last)
        holder.insert(at, value)
    else:
        holder[last] = value
    return document
