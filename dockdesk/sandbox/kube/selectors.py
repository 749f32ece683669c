"""Label and field selectors. Source: Kubernetes documentation, "Labels and Selectors" and "Field Selectors"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.kube.kinds import Kind
from dockdesk.sandbox.kube.objects import dig
from dockdesk.sandbox.kube.status import KubeError

Labels = Mapping[str, str]
Matches = Callable[[Labels], bool]

_KEY = r"[A-Za-z0-9][A-Za-z0-9_./-]*"
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*([A-Za-z0-9_.-]*)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_PARTS = re.compile(r",(?![^()]*\))")


def parse_labels(text: str) -> Matches:
    """What a labelSelector parameter means. Raises KubeError 400."""
    tests = [_label_test(part.strip(), text) for part in _PARTS.split(text) if part.strip()]
    return lambda labels: all(test(labels) for test in tests)


def _label_test(part: str, whole: str) -> Matches:
    if match := _SET.fullmatch(part):
        key, values = match[1], {value.strip() for value in match[3].split(",")}
        if match[2] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUAL.fullmatch(part):
        key, value = match[1], match[3]
        if match[2] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.fullmatch(part):
        wanted, key = not match[1], match[2]
        return lambda labels: (key in labels) == wanted
    raise KubeError(400, f'unable to parse requirement: found "{part[:100]}" in "{whole[:200]}"')


def of_object(selector: Mapping[str, Any] | None) -> Matches:
    """What a LabelSelector in an object means: matchLabels and matchExpressions; an empty one matches all."""
    exact = dict((selector or {}).get("matchLabels") or {})
    tests = [_expression(item) for item in (selector or {}).get("matchExpressions") or ()]

    def matches(labels: Labels) -> bool:
        return all(labels.get(key) == value for key, value in exact.items()) and all(
            test(labels) for test in tests
        )

    return matches


def _expression(item: Mapping[str, Any]) -> Matches:
    key, operator = str(item.get("key", "")), item.get("operator")
    values = set(item.get("values") or ())
    if operator == "In":
        return lambda labels: labels.get(key) in values
    if operator == "NotIn":
        return lambda labels: labels.get(key) not in values
    if operator == "DoesNotExist":
        return lambda labels: key not in labels
    return lambda labels: key in labels


def written(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector as the text of a labelSelector parameter."""
    parts = [f"{key}={value}" for key, value in ((selector or {}).get("matchLabels") or {}).items()]
    for item in (selector or {}).get("matchExpressions") or ():
        key, operator, values = (
            item.get("key"),
            item.get("operator"),
            ",".join(item.get("values") or ()),
        )
        parts.append(
            {
                "In": f"{key} in ({values})",
                "NotIn": f"{key} notin ({values})",
                "DoesNotExist": f"!{key}",
            }.get(str(operator), str(key))
        )
    return ",".join(parts)


def parse_fields(kind: Kind, text: str) -> Callable[[Mapping[str, Any]], bool]:
    """What a fieldSelector parameter means. Raises KubeError 400 for fields that the resource does not index."""
    tests: list[tuple[tuple[str, ...], bool, str]] = []
    known = {"metadata.name", "metadata.namespace", *kind.fields}
    for part in text.split(","):
        match = re.fullmatch(r"\s*([A-Za-z.]+)\s*(==|=|!=)\s*(.*?)\s*", part)
        if match is None:
            raise KubeError(
                400,
                f'invalid selector: "{part[:100]}"; can\'t understand "{part[:100]}"',
            )
        if match[1] not in known:
            raise KubeError(400, f'field label not supported: "{match[1]}"')
        tests.append((tuple(match[1].split(".")), match[2] != "!=", match[3]))

    def matches(item: Mapping[str, Any]) -> bool:
        return all((_text(item, path) == value) == wanted for path, wanted, value in tests)

    return matches


def _text(item: Mapping[str, Any], path: tuple[str, ...]) -> str:
    value = dig(item, *path)
    if path == ("source",):
        value = dig(item, "source", "component")
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "false" if path == ("spec", "unschedulable") else ""
    return str(value)
