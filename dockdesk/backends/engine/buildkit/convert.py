"""BuildKit's messages as core's items."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.core.resources.builds import (
    BuildItem,
    BuildLog,
    BuildStatus,
    BuildStep,
    BuildWarning,
    PastBuild,
)
from dockdesk.wire.buildkit import (
    COMPLETE,
    BuildHistoryEvent,
    Range,
    StatusResponse,
    Timestamp,
    VertexWarning,
)


def items_from(response: StatusResponse) -> list[BuildItem]:
    """Steps first, so that what else is told of them finds them."""
    items: list[BuildItem] = [
        BuildStep(
            vertex.digest,
            vertex.name,
            vertex.inputs,
            vertex.cached,
            moment(vertex.started),
            moment(vertex.completed),
            vertex.error,
            vertex.group.name if vertex.group else "",
        )
        for vertex in response.vertexes
    ]
    items += [
        BuildStatus(
            status.id,
            status.vertex,
            status.name or status.id,
            status.current,
            status.total,
            moment(status.started),
            moment(status.completed),
        )
        for status in response.statuses
    ]
    items += [
        BuildLog(log.vertex, log.content, log.stream or 1, moment(log.timestamp))
        for log in response.logs
    ]
    items += [warning_from(warning) for warning in response.warnings]
    return items


def warning_from(warning: VertexWarning) -> BuildWarning:
    return BuildWarning(
        warning.vertex,
        warning.short.decode("utf-8", "replace"),
        warning.level,
        tuple(line.decode("utf-8", "replace") for line in warning.detail),
        warning.url,
        warning.info.filename if warning.info else "",
        lines_of(warning.ranges),
    )


def lines_of(ranges: Sequence[Range]) -> tuple[tuple[int, int], ...]:
    """Pairs of first and last line, from 1."""
    found = []
    for item in ranges:
        first = item.start.line if item.start else 0
        last = item.end.line if item.end else first
        if first > 0:
            found.append((first, max(first, last)))
    return tuple(found)


def moment(stamp: Timestamp | None) -> float | None:
    """Seconds since 1970; None for none, and for Go's zero time."""
    return stamp.moment if stamp is not None and stamp.seconds > 0 else None


def past_builds_from(events: Sequence[BuildHistoryEvent]) -> list[PastBuild]:
    """The records that events tell of, newest first; a later event of a build replaces an earlier one."""
    found: dict[str, PastBuild] = {}
    for event in events:
        record = event.record
        if record is None:
            continue
        if event.type > COMPLETE:
            found.pop(record.ref, None)
            continue
        attrs = record.frontend_attrs
        answer = record.exporter_response
        found[record.ref] = PastBuild(
            record.ref,
            _name(
                record.exporters[0].attrs.get("name", "") if record.exporters else "",
                attrs.get("filename", ""),
            ),
            attrs.get("target", ""),
            moment(record.created),
            moment(record.completed),
            record.error.text if record.error else "",
            record.total_steps,
            record.cached_steps,
            answer.get("containerimage.digest", ""),
            record.pinned,
        )
    return sorted(found.values(), key=lambda build: build.started or 0.0, reverse=True)


def _name(names: str, filename: str) -> str:
    """The first tag, else the Dockerfile."""
    return (
        names.partition(",")[0].removeprefix("docker.io/library/").removeprefix("docker.io/")
        or filename
    )
