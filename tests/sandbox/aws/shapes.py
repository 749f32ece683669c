"""Judges raw answers by botocore's own models: every key must be known, every value of the right type.

botocore itself ignores what it does not know and turns much into text, so parsing alone proves little.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from dockdesk.sandbox.aws import cbor
from dockdesk.sandbox.aws.values import When

_ENUMS_THAT_GROW = {"rolloutState"}


class ShapeError(AssertionError):
    """An answer does not fit its shape."""


def check(operation: Any, response: dict[str, Any]) -> None:
    """Raises ShapeError. ``response`` is what botocore gives to its parsers: body, headers, status_code."""
    if response["status_code"] >= 300:
        return
    shape = operation.output_shape
    protocol = operation.service_model.resolved_protocol
    if shape is None:
        return
    if protocol in {"query", "ec2"}:
        root = _without_namespaces(ElementTree.fromstring(response["body"]))
        if protocol == "query":
            root = root.find(f"{operation.name}Result")
            assert root is not None
        _xml(shape, root, operation.name, {"requestId", "ResponseMetadata"})
        return
    body = response["body"]
    value = cbor.decode(body) if protocol == "smithy-rpc-v2-cbor" else json.loads(body)
    _value(shape, value, operation.name, protocol == "smithy-rpc-v2-cbor")


def _without_namespaces(root: ElementTree.Element) -> ElementTree.Element:
    for element in root.iter():
        element.tag = re.sub(r"\{.*\}", "", element.tag)
    return root


def _value(shape: Any, value: Any, path: str, binary: bool) -> None:
    kind = shape.type_name
    if kind == "structure":
        _is(isinstance(value, dict), path, "a structure", value)
        for name in shape.required_members:
            _is(name in value, path, f"the required {name}", value)
        members = {m.serialization.get("name", name): m for name, m in shape.members.items()}
        for name, inner in value.items():
            _is(name in members, path, "a known member", name)
            _value(members[name], inner, f"{path}.{name}", binary)
    elif kind == "list":
        _is(isinstance(value, list), path, "a list", value)
        for number, inner in enumerate(value):
            _value(shape.member, inner, f"{path}[{number}]", binary)
    elif kind == "map":
        _is(isinstance(value, dict), path, "a map", value)
        for name, inner in value.items():
            _value(shape.key, name, f"{path}.{name}", binary)
            _value(shape.value, inner, f"{path}.{name}", binary)
    elif kind == "string":
        _is(isinstance(value, str), path, "a string", value)
        if shape.enum and path.rpartition(".")[2] not in _ENUMS_THAT_GROW:
            _is(value in shape.enum, path, f"one of {shape.enum}", value)
    elif kind in {"integer", "long"}:
        _is(isinstance(value, int) and not isinstance(value, bool), path, "an integer", value)
    elif kind in {"float", "double"}:
        _is(isinstance(value, int | float) and not isinstance(value, bool), path, "a number", value)
    elif kind == "boolean":
        _is(isinstance(value, bool), path, "a boolean", value)
    elif kind == "timestamp":
        fits = isinstance(value, When) if binary else isinstance(value, int | float)
        _is(fits and 1e9 < value < 4e9, path, "a timestamp", value)


def _xml(shape: Any, element: ElementTree.Element, path: str, more: set[str]) -> None:
    kind = shape.type_name
    text = element.text or ""
    if kind == "structure":
        members = {m.serialization.get("name", name): m for name, m in shape.members.items()}
        for inner in element:
            if inner.tag not in more:
                _is(inner.tag in members, path, "a known member", inner.tag)
                _xml(members[inner.tag], inner, f"{path}.{inner.tag}", set())
    elif kind == "list":
        name = shape.member.serialization.get("name", "member")
        for inner in element:
            _is(inner.tag == name, path, name, inner.tag)
            _xml(shape.member, inner, f"{path}[]", set())
    elif kind == "string":
        _is(not shape.enum or text in shape.enum, path, f"one of {shape.enum}", text)
    elif kind in {"integer", "long", "float", "double"}:
        _is(re.fullmatch(r"-?\d+(\.\d+)?", text), path, "a number", text)
    elif kind == "boolean":
        _is(text in {"true", "false"}, path, "a boolean", text)
    elif kind == "timestamp":
        _is(datetime.fromisoformat(text).tzinfo is not None, path, "a timestamp", text)


def _is(fits: Any, path: str, wanted: str, found: Any) -> None:
    if not fits:
        raise ShapeError(f"{path}: expected {wanted}, found {str(found)[:200]!r}")
