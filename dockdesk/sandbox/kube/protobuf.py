"""Bodies in protobuf, which kubectl sends for what it makes itself (`kubectl create …`, `kubectl auth can-i`).

Source: Kubernetes API concepts, "Kubernetes Protobuf encoding"; Protocol Buffers, "Encoding".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from dockdesk.sandbox.kube.objects import rfc3339
from dockdesk.sandbox.kube.proto_fields import FIELDS
from dockdesk.sandbox.kube.status import KubeError

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"
# Messages that are part of their parent in JSON.
_INLINE = {
    ("core.Volume", "volumeSource"),
    ("core.Probe", "handler"),
    ("networking.IngressRule", "ingressRuleValue"),
    ("core.EphemeralContainer", "ephemeralContainerCommon"),
    *((f"core.{name}", "localObjectReference") for name in (
        "ConfigMapEnvSource", "ConfigMapKeySelector", "ConfigMapProjection", "ConfigMapVolumeSource", "SecretEnvSource",
        "SecretKeySelector", "SecretProjection",
    )),
}  # fmt: skip
# Fields where 0 or false is said on purpose; Go writes it for all the others that are not set, too.
_MEANT = frozenset(
    """activeDeadlineSeconds allocateLoadBalancerNodePorts allowPrivilegeEscalation automountServiceAccountToken
    averageUtilization backoffLimit blockOwnerDeletion completions controller defaultMode deletionGracePeriodSeconds
    enableServiceLinks failedJobsHistoryLimit fsGroup gracePeriodSeconds immutable minReplicas mode optional
    orphanDependents parallelism partition priority privileged progressDeadlineSeconds readOnlyRootFilesystem replicas
    revisionHistoryLimit runAsGroup runAsNonRoot runAsUser shareProcessNamespace stabilizationWindowSeconds
    startingDeadlineSeconds successfulJobsHistoryLimit suspend terminationGracePeriodSeconds tolerationSeconds
    targetCPUUtilizationPercentage ttlSecondsAfterFinished""".split()
)
_DEEPEST = 60

Fields = dict[int, tuple[str, str]]


class _MalformedError(ValueError):
    pass


@cache
def _messages() -> dict[str, Fields]:
    found: dict[str, Fields] = {}
    for line in FIELDS.splitlines():
        name, *fields = line.split(" ")
        parts = (field.split(":") for field in fields if field)
        found[name] = {int(number): (key, shape) for key, number, shape in parts}
    return found


@cache
def _groups() -> dict[tuple[str, str], str]:
    """API version and kind → message."""
    packages = {
        "core": "v1", "apps": "apps/v1", "batch": "batch/v1", "autoscaling": "autoscaling/v1", "autoscaling2": "autoscaling/v2",
        "policy": "policy/v1", "networking": "networking.k8s.io/v1", "rbac": "rbac.authorization.k8s.io/v1",
        "authorization": "authorization.k8s.io/v1", "authentication": "authentication.k8s.io/v1",
        "scheduling": "scheduling.k8s.io/v1", "storage": "storage.k8s.io/v1",
    }  # fmt: skip
    named = (
        (message.partition(".")[0], message.partition(".")[2], message) for message in _messages()
    )
    return {
        (packages[package], kind): message
        for package, kind, message in named
        if package in packages
    }


def message_of(version: str, kind: str) -> str | None:
    """The message of a kind; None where it is not known here."""
    return _groups().get((version, kind))


def inlined(message: str) -> list[tuple[str, str, bool]]:
    """A message's fields: name, type, and whether the field is part of its parent in JSON."""
    return [
        (name, shape, (message, name) in _INLINE) for name, shape in _messages()[message].values()
    ]


def decoded(body: bytes) -> dict[str, Any]:
    """A body as the object it stands for. Raises KubeError 400 where it is malformed, 415 for unknown kinds."""
    try:
        return _decoded(body)
    except (_MalformedError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise KubeError(400, f"unable to decode protobuf: {error}") from None


def _decoded(body: bytes) -> dict[str, Any]:
    if not body.startswith(_MAGIC):
        raise _MalformedError("it does not begin as Kubernetes objects do")
    version = kind = ""
    raw = b""
    for number, value in _fields(body[len(_MAGIC) :]):
        if number == 1 and isinstance(value, bytes):
            named = {
                inner: text.decode() for inner, text in _fields(value) if isinstance(text, bytes)
            }
            version, kind = named.get(1, ""), named.get(2, "")
        elif number == 2 and isinstance(value, bytes):
            raw = value
    message = "meta.DeleteOptions" if kind == "DeleteOptions" else message_of(version, kind)
    if message is None:
        raise KubeError(
            415,
            f"the sandbox does not read {kind or 'objects'} of {version or 'no version'} in protobuf",
        )
    return {"apiVersion": version, "kind": kind, **_message(message, raw, 0)}


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and raw values of a message. Raises ValueError."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in {1, 5}:
            size = 8 if wire == 1 else 4
        else:
            raise _MalformedError(f"wire type {wire}")
        if at + size > len(data):
            raise _MalformedError("it ends early")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise _MalformedError("it ends early")
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _message(name: str, data: bytes, depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise _MalformedError("it is nested too deeply")
    known, result = _messages()[name], dict[str, Any]()
    for number, raw in _fields(data):
        if number not in known:
            continue
        key, shape = known[number]
        if shape.startswith("%"):
            entry = dict(_fields(_bytes(raw)))
            value = _value(shape[1:], entry.get(2, b""), depth)
            result.setdefault(key, {})[_bytes(entry.get(1, b"")).decode()] = value
            continue
        value = _value(shape.lstrip("*"), raw, depth)
        if shape.startswith("*"):
            result.setdefault(key, []).append(value)
        elif (name, key) in _INLINE:
            result.update(value)
        elif value not in ("", None) and (shape not in {"i", "b"} or value or key in _MEANT):
            result[key] = value
    return result


def _bytes(raw: int | bytes) -> bytes:
    if not isinstance(raw, bytes):
        raise _MalformedError("a number where there should be a text")
    return raw


def _value(shape: str, raw: int | bytes, depth: int) -> Any:
    if shape == "i" or shape == "b":
        if not isinstance(raw, int):
            raise _MalformedError("a text where there should be a number")
        signed = raw - (1 << 64) if raw >> 63 else raw
        return bool(raw) if shape == "b" else signed
    data = _bytes(raw)
    if shape == "s":
        return data.decode()
    if shape == "y":
        return base64.b64encode(data).decode()
    if "." in shape:
        return _message(shape, data, depth + 1)
    inner = dict(_fields(data))
    if shape == "T":
        seconds = inner.get(1, 0)
        return (
            rfc3339(seconds) if isinstance(seconds, int) and seconds and not seconds >> 63 else None
        )
    if shape == "q":
        return _bytes(inner.get(1, b"")).decode()
    if shape == "o":
        return (
            _bytes(inner.get(3, b"")).decode()
            if inner.get(1)
            else _value("i", inner.get(2, 0), depth)
        )
    if shape == "r":
        return json.loads(_bytes(inner.get(1, b"null")))
    raise _MalformedError(f"a field of type {shape}")
