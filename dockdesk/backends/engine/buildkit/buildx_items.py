"""A line of buildx's rawjson as core's items. Source: moby/buildkit, client/graph.go (SolveStatus)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from dockdesk.backends.engine.values import mapping, moment, records, strings, text, whole
from dockdesk.core.resources.builds import (
    BuildItem,
    BuildLog,
    BuildStatus,
    BuildStep,
    BuildWarning,
)


def items_of(raw: Mapping[str, Any]) -> list[BuildItem]:
    items: list[BuildItem] = [
        BuildStep(
            text(item.get("digest")),
            text(item.get("name")),
            strings(item.get("inputs")),
            item.get("cached") is True,
            _moment(item.get("started")),
            _moment(item.get("completed")),
            text(item.get("error")),
            text(mapping(item.get("progressGroup")).get("name")),
        )
        for item in records(raw.get("vertexes"))
    ]
    items += [
        BuildStatus(
            text(item.get("id")),
            text(item.get("vertex")),
            text(item.get("name")) or text(item.get("id")),
            whole(item.get("current")),
            whole(item.get("total")),
            _moment(item.get("started")),
            _moment(item.get("completed")),
        )
        for item in records(raw.get("statuses"))
    ]
    items += [
        BuildLog(
            text(item.get("vertex")),
            _decoded(item.get("data")),
            whole(item.get("stream")) or 1,
            _moment(item.get("timestamp")),
        )
        for item in records(raw.get("logs"))
    ]
    items += [_warning(item) for item in records(raw.get("warnings"))]
    return items


def _warning(item: Mapping[str, Any]) -> BuildWarning:
    lines = []
    for part in records(item.get("range")):
        first = whole(mapping(part.get("start")).get("line"))
        last = whole(mapping(part.get("end")).get("line"))
        if first > 0:
            lines.append((first, max(first, last)))
    return BuildWarning(
        text(item.get("vertex")),
        _decoded(item.get("short")).decode("utf-8", "replace"),
        whole(item.get("level")),
        tuple(_decoded(part).decode("utf-8", "replace") for part in item.get("detail") or ()),
        text(item.get("url")),
        text(mapping(item.get("sourceInfo")).get("filename")),
        tuple(lines),
    )


def _moment(value: Any) -> float | None:
    return moment(value) or None


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(text(value))
    except (binascii.Error, ValueError):
        return b""
