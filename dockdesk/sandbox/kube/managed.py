"""Who owns which fields: server-side apply, its conflicts, and the managedFields that record it.

Fields are paths of FieldsV1 segments: ``f:name`` for a member, ``k:{…}`` for an item of a list with identities, ``v:…``
for a member of a set; a path is its segments. Source: Kubernetes documentation, "Server-Side Apply".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dockdesk.sandbox.kube.objects import Object, clone, rfc3339
from dockdesk.sandbox.kube.patching import SETS, identity, keys_of
from dockdesk.sandbox.kube.status import KubeError

Path = tuple[str, ...]
Paths = dict[Path, Any]  # leaf → its value

_IGNORED = {"apiVersion", "kind"}
_IGNORED_META = {
    "name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields",
    "deletionTimestamp", "deletionGracePeriodSeconds", "generateName",
}  # fmt: skip
# Server-side apply takes these for whole values.
_ATOMIC = frozenset({"selector", "nodeSelector", "matchLabels", "podSelector"})


def leaves(item: Mapping[str, Any]) -> Paths:
    """Every field that a configuration sets, with its value."""
    found: Paths = {}
    for name, value in item.items():
        if name in _IGNORED:
            continue
        if name == "metadata" and isinstance(value, dict):
            value = {key: part for key, part in value.items() if key not in _IGNORED_META}
            if not value:
                continue
        _collect(found, (f"f:{name}",), value, name)
    return found


def _collect(found: Paths, path: Path, value: Any, field: str) -> None:
    if isinstance(value, dict) and value and field not in _ATOMIC:
        for name, part in value.items():
            _collect(found, (*path, f"f:{name}"), part, name)
        return
    if isinstance(value, list):
        if field in SETS:
            found.update({(*path, f"v:{json.dumps(part)}"): part for part in value})
            return
        if keys := keys_of(field, value):
            for part in value:
                at = (*path, _key_segment(part, keys))
                found[(*at, ".")] = identity(part, keys)
                for name, inner in part.items():
                    _collect(found, (*at, f"f:{name}"), inner, name)
            return
    found[path] = value


def _key_segment(item: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    named = dict(zip(keys, identity(item, keys), strict=True))
    return "k:" + json.dumps(named, separators=(",", ":"), sort_keys=True)


def written(paths: set[Path]) -> dict[str, Any]:
    """Paths as FieldsV1."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        at = tree
        for segment in path:
            at = at.setdefault(segment, {})
    return tree


def read(tree: Any, before: Path = ()) -> Iterator[Path]:
    """The paths in a FieldsV1."""
    if not isinstance(tree, dict) or not tree:
        if before:
            yield before
        return
    for segment, below in tree.items():
        yield from read(below, (*before, segment))


def _owners(item: Mapping[str, Any]) -> dict[tuple[str, str, str], set[Path]]:
    """(manager, operation, subresource) → its fields."""
    return {
        (
            str(entry.get("manager", "")),
            str(entry.get("operation", "")),
            str(entry.get("subresource", "")),
        ): set(read(entry.get("fieldsV1")))
        for entry in item["metadata"].get("managedFields") or ()
    }


def _record(
    item: Object,
    owners: Mapping[tuple[str, str, str], set[Path]],
    old: Mapping[str, Any] | None,
    now: float,
) -> Object:
    before = {
        (entry.get("manager"), entry.get("operation"), entry.get("subresource", "")): entry
        for entry in ((old or {}).get("metadata") or {}).get("managedFields") or ()
    }
    entries = []
    for key, paths in owners.items():
        if not paths:
            continue
        tree, known = written(paths), before.get(key)
        if known is not None and known.get("fieldsV1") == tree:
            entries.append(known)
            continue
        manager, operation, subresource = key
        entries.append(
            {
                "manager": manager,
                "operation": operation,
                "apiVersion": item.get("apiVersion", "v1"),
                "time": rfc3339(now),
                "fieldsType": "FieldsV1",
                "fieldsV1": tree,
                **({"subresource": subresource} if subresource else {}),
            }
        )
    meta = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    if entries:
        meta["managedFields"] = entries
    return {**item, "metadata": meta}


def updated(
    old: Mapping[str, Any] | None, new: Object, manager: str, now: float, subresource: str = ""
) -> Object:
    """A written object with its managedFields: whoever changes a field by an update owns it from then on."""
    before, after = leaves(old) if old else {}, leaves(new)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    gone = set(before) - set(after)
    owners = _owners(old) if old else {}
    mine = (manager, "Update", subresource)
    for key, paths in owners.items():
        if key != mine:
            owners[key] = paths - changed - gone
    owners[mine] = (owners.get(mine, set()) | changed) - gone
    return _record(new, owners, old, now)


def applied(
    old: Mapping[str, Any] | None,
    config: Mapping[str, Any],
    manager: str,
    force: bool,
    now: float,
    subresource: str = "",
) -> Object:
    """Server-side apply: the new state of an object. Raises KubeError 409 for fields that others own."""
    wanted = leaves(config)
    if old is None:
        return _record(clone(config), {(manager, "Apply", subresource): set(wanted)}, None, now)
    current, owners, mine = leaves(old), _owners(old), (manager, "Apply", subresource)
    conflicts: dict[str, list[Path]] = {}
    for key, paths in list(owners.items()):
        if key == mine:
            continue
        taken = {
            path
            for path in paths & set(wanted)
            if path[-1] != "." and current.get(path) != wanted[path]
        }
        if taken and not force:
            conflicts.setdefault(f'"{key[0]}"{_using(key)}', []).extend(sorted(taken))
        owners[key] = paths - taken
    if conflicts:
        raise _conflict(conflicts)
    given_up = owners.get(mine, set()) - set(wanted)
    others = set().union(*(paths for key, paths in owners.items() if key != mine))
    result = clone(old)
    _give_up(result, given_up - others, others)
    result = _merged(result, config)
    owners[mine] = set(wanted)
    return _record(result, owners, old, now)


def _using(key: tuple[str, str, str]) -> str:
    text = f" with subresource {json.dumps(key[2])}" if key[2] else ""
    return text + (" using v1" if key[1] == "Update" else "")


def _conflict(conflicts: Mapping[str, list[Path]]) -> KubeError:
    causes = [
        ("FieldManagerConflict", f"conflict with {who}", spoken(path))
        for who, paths in conflicts.items()
        for path in paths
    ]
    count = len(causes)
    lines = [
        f"conflict with {who}: " + ", ".join(map(spoken, paths)) for who, paths in conflicts.items()
    ]
    return KubeError(
        409,
        f"Apply failed with {count} conflict{'s' if count > 1 else ''}: " + "; ".join(lines),
        "Conflict",
        causes=causes,
    )


def spoken(path: Path) -> str:
    """A path as conflicts name it: ``.spec.template.spec.containers[name="web"].image``."""
    text = ""
    for segment in path:
        if segment.startswith("f:"):
            text += f".{segment[2:]}"
        elif segment.startswith("k:"):
            named = json.loads(segment[2:])
            text += (
                "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in named.items()) + "]"
            )
        elif segment.startswith("v:"):
            text += f"[={segment[2:]}]"
    return text


def _find(items: Any, segment: str) -> int | None:
    if not isinstance(items, list):
        return None
    if segment.startswith("v:"):
        value = json.loads(segment[2:])
        return items.index(value) if value in items else None
    named = json.loads(segment[2:])
    for number, item in enumerate(items):
        if isinstance(item, dict) and identity(item, tuple(named)) == tuple(named.values()):
            return number
    return None


def _give_up(item: Any, paths: set[Path], others: set[Path]) -> None:
    """Remove what an applier no longer sets and nobody else owns: whole items of lists, then single fields."""
    left = set(paths)
    for path in sorted((path for path in paths if path[-1] == "."), key=len):
        prefix = path[:-1]
        if path in left and not any(other[: len(prefix)] == prefix for other in others):
            _take_away(item, prefix)
            left = {other for other in left if other[: len(prefix)] != prefix}
    for path in sorted(left, key=len, reverse=True):
        names_item = (
            len(path) > 1 and path[-2].startswith("k:") and path[-1][2:] in json.loads(path[-2][2:])
        )
        if path[-1] != "." and not names_item:
            _take_away(item, path)


def _take_away(item: Any, path: Path) -> None:
    """Remove what a path leads to, and the objects that become empty by it."""
    trail: list[tuple[Any, str | int]] = []
    at: Any = item
    for segment in path:
        key: str | int | None
        if segment.startswith("f:"):
            key = segment[2:] if isinstance(at, dict) and segment[2:] in at else None
        else:
            key = _find(at, segment)
        if key is None:
            return
        trail.append((at, key))
        at = at[key]
    holder, last = trail[-1]
    del holder[last]
    for holder, key in reversed(trail[:-1]):
        if holder[key] or key == "metadata":
            return
        del holder[key]


def _merged(target: Any, config: Any, field: str = "") -> Any:
    if isinstance(config, dict):
        if field in _ATOMIC or not isinstance(target, dict):
            return clone(config)
        return {
            **target,
            **{name: _merged(target.get(name), value, name) for name, value in config.items()},
        }
    if isinstance(config, list) and isinstance(target, list):
        if field in SETS:
            return [*target, *(item for item in config if item not in target)]
        if keys := keys_of(field, config):
            result = list(target)
            for item in config:
                wanted = identity(item, keys)
                at = next(
                    (n for n, old in enumerate(result) if identity(old, keys) == wanted), None
                )
                if at is None:
                    result.append(clone(item))
                else:
                    result[at] = _merged(result[at], item)
            return result
    return clone(config)
