"""Types of fields, and fields that are not there: what decoding into Go's structures refuses or drops.

Source: Kubernetes API concepts, "Field validation".
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import Object, quantity, seconds_of
from dockdesk.sandbox.kube.protobuf import inlined, message_of
from dockdesk.sandbox.kube.status import KubeError

_GO = {"s": "string", "i": "int32", "b": "bool", "y": "[]uint8", "d": "float64"}
_PYTHON = {"s": str, "i": int, "b": bool, "y": str, "d": (int, float)}
_MOST_INTEGER = (1 << 31) - 1
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@cache
def _shapes(message: str) -> dict[str, str]:
    """Names of a message's fields, with those of the messages that are part of it in JSON."""
    found: dict[str, str] = {}
    for name, shape, inline in inlined(message):
        if inline:
            found.update(_shapes(shape))
        else:
            found[name] = shape
    return found


class _Walk:
    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self.unknown: list[str] = []

    def message(self, message: str, value: dict[str, Any], path: str) -> dict[str, Any]:
        shapes, kept = _shapes(message), {}
        root = not path
        for name, part in value.items():
            at = f"{path}.{name}" if path else name
            if root and name in {"apiVersion", "kind", "status"}:
                kept[name] = part
            elif name not in shapes:
                self.unknown.append(at)
            else:
                kept[name] = self._field(shapes[name], part, at)
        return kept

    def _field(self, shape: str, value: Any, path: str) -> Any:
        if value is None:
            return None
        if shape.startswith("*"):
            if not isinstance(value, list):
                raise self._wrong(value, path, "[]" + _GO.get(shape[1:], shape[1:]))
            return [
                self._one(shape[1:], part, f"{path}[{number}]") for number, part in enumerate(value)
            ]
        if shape.startswith("%"):
            if not isinstance(value, dict):
                raise self._wrong(value, path, "map[string]" + _GO.get(shape[1:], shape[1:]))
            return {
                name: self._one(shape[1:], part, f"{path}.{name}") for name, part in value.items()
            }
        return self._one(shape, value, path)

    def _one(self, shape: str, value: Any, path: str) -> Any:
        if shape == "r":
            return value
        if value is None:  # in a list or a map; Go makes the zero value of it
            return {} if "." in shape else {"s": "", "y": "", "i": 0, "d": 0, "b": False}.get(shape)
        if "." in shape:
            if not isinstance(value, dict):
                raise self._wrong(value, path, shape)
            return self.message(shape, value, path)
        if shape in _PYTHON:
            if not isinstance(value, _PYTHON[shape]) or isinstance(value, bool) != (shape == "b"):  # type: ignore[arg-type]
                raise self._wrong(value, path, _GO[shape])
            if shape == "i" and not -_MOST_INTEGER <= value <= _MOST_INTEGER:
                raise self._wrong(value, path, "int32")
        elif shape == "q":
            self._quantity(value, path)
        elif shape == "o":
            if not isinstance(value, int | str) or isinstance(value, bool):
                raise self._wrong(value, path, "intstr.IntOrString")
        elif shape == "T":
            self._time(value, path)
        return value

    def _quantity(self, value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self._wrong(value, path, "resource.Quantity")
        try:
            quantity(value)
        except ValueError as error:
            raise self._refused(f"{path}: {error}") from None

    def _time(self, value: Any, path: str) -> None:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise self._wrong(value, path, "time.Time")
        try:
            seconds_of(value)
        except ValueError as error:
            raise self._refused(f"{path}: {error}") from None

    def _wrong(self, value: Any, path: str, wanted: str) -> KubeError:
        found = {str: "string", bool: "bool", dict: "object", list: "array"}.get(
            type(value), "number"
        )
        return self._refused(
            f"json: cannot unmarshal {found} into Go struct field {self._kind.name}.{path} of type {wanted}"
        )

    def _refused(self, text: str) -> KubeError:
        name, version = self._kind.name, self._kind.version
        return KubeError(
            400, f'{name} in version "{version}" cannot be handled as a {name}: {text}'
        )


def cleaned(kind: Kind, item: Object) -> tuple[Object, list[str]]:
    """An object without the fields that its kind does not have, and their names. Raises KubeError 400 for wrong types."""
    message = message_of(kind.api_version, kind.name)
    if message is None or kind.custom is not None:
        return item, []
    walk = _Walk(kind)
    return walk.message(message, item, ""), walk.unknown


def checked(kind: Kind, item: Object, mode: str) -> tuple[Object, list[str]]:
    """`cleaned`, as fieldValidation asks for it: Strict refuses unknown fields, Warn (the default) names them.

    Returns the object and the warnings. Raises KubeError 400, and 422 for another mode.
    """
    if mode not in {"", "Strict", "Warn", "Ignore"}:
        raise KubeError(
            422,
            f'fieldValidation: Unsupported value: "{mode[:40]}": supported values: "Ignore", "Strict", "Warn"',
            "Invalid",
        )
    item, unknown = cleaned(kind, item)
    texts = [f'unknown field "{path}"' for path in unknown]
    if texts and mode == "Strict":
        raise KubeError(
            400,
            f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: strict decoding error: {", ".join(texts)}',
        )
    return item, [] if mode == "Ignore" else texts
