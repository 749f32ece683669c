"""Small tools for Kubernetes objects as plain dictionaries: time, quantities, owners, hashes, selectors."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

Object = dict[str, Any]

_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # Kubernetes' own alphabet for generated names: no vowels, no bad words
_SUFFIXES: Mapping[str, float] = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")


def rfc3339(time: float) -> str:
    """A time as metav1.Time writes it, in whole seconds."""
    return _second(int(time))


@lru_cache(4096)
def _second(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_of(text: Any) -> float:
    """Seconds since 1970 of an RFC 3339 time, 0 where there is none."""
    if not text:
        return 0.0
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).timestamp()


def quantity(value: Any) -> float:
    """A resource.Quantity as a number: ``250m`` is 0.25. Raises ValueError."""
    return _number(str(value))


@lru_cache(4096)
def _number(value: str) -> float:
    match = _QUANTITY.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"quantities must match the regular expression, got {value!r}")
    return float(match[1] + (match[2] or "")) * _SUFFIXES[match[3] or ""]


def millis(cores: float) -> str:
    """Cores as a quantity: 0.25 → ``250m``, 2.0 → ``2``."""
    amount = round(cores * 1000)
    return str(amount // 1000) if amount % 1000 == 0 else f"{amount}m"


def binary(size: float) -> str:
    """Bytes as a quantity, in the largest unit that divides them."""
    whole = round(size)
    for suffix, unit in (("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)):
        if whole and whole % unit == 0:
            return f"{whole // unit}{suffix}"
    return str(whole)


def clone(value: Any) -> Any:
    """A deep copy of JSON data; several times faster than copy.deepcopy."""
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value


def encoded(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def dig(value: Any, *path: str | int) -> Any:
    """What lies at a path, None where it leads nowhere."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def name_of(item: Mapping[str, Any]) -> str:
    return str(item["metadata"].get("name", ""))


def namespace_of(item: Mapping[str, Any]) -> str:
    return str(item["metadata"].get("namespace", ""))


def uid_of(item: Mapping[str, Any]) -> str:
    return str(item["metadata"].get("uid", ""))


def labels_of(item: Mapping[str, Any]) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}


def controller_of(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The owner that controls it."""
    for owner in item["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            found: Mapping[str, Any] = owner
            return found
    return None


def owned_by(owner: Mapping[str, Any]) -> list[Object]:
    """ownerReferences of what ``owner`` controls."""
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": name_of(owner),
            "uid": uid_of(owner),
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def spelled(number: int, length: int) -> str:
    """A number in the letters of generated names."""
    letters = ""
    for _ in range(length):
        number, index = divmod(number, len(_SAFE))
        letters += _SAFE[index]
    return letters


def number_of(*key: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(key).encode(), digest_size=8).digest(), "big")


def template_hash(template: Any, collisions: int = 0) -> str:
    """A pod template's hash, as pod-template-hash has it: ten letters that depend on the template alone."""
    text = json.dumps([template, collisions], sort_keys=True)
    return spelled(number_of(text), 10)


def uuid_of(*key: object) -> str:
    digest = hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}"


def condition(item: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition in the status, empty where there is none."""
    for found in dig(item, "status", "conditions") or ():
        if found.get("type") == kind:
            value: Mapping[str, Any] = found
            return value
    return {}


def with_condition(
    conditions: Iterable[Mapping[str, Any]],
    kind: str,
    status: bool | str,
    reason: str,
    message: str,
    now: float,
    updates: bool = False,
) -> list[Object]:
    """Conditions with one set; its transition time changes only with its status."""
    word = status if isinstance(status, str) else str(status)
    entry: Object = {"type": kind, "status": word, "lastTransitionTime": rfc3339(now)}
    if updates:
        entry["lastUpdateTime"] = rfc3339(now)
    if reason:
        entry["reason"] = reason
    if message:
        entry["message"] = message
    result: list[Object] = []
    done = False
    for old in conditions:
        if old.get("type") != kind:
            result.append(dict(old))
            continue
        done = True
        if old.get("status") == word:
            entry["lastTransitionTime"] = old.get("lastTransitionTime", entry["lastTransitionTime"])
            same = (old.get("reason", ""), old.get("message", "")) == (reason, message)
            if updates and same:
                entry["lastUpdateTime"] = old.get("lastUpdateTime", entry["lastUpdateTime"])
        result.append(entry)
    if not done:
        result.append(entry)
    return result


def share(value: Any, whole: int, up: bool) -> int:
    """An int-or-percent of ``whole``: maxSurge rounds up, maxUnavailable down."""
    if isinstance(value, str) and value.endswith("%"):
        exact = int(value[:-1]) * whole
        return -(-exact // 100) if up else exact // 100
    return int(value)
