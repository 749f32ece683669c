"""BuildKit's messages that only its own side needs; the others are in dockdesk.wire.buildkit.

Source: moby/buildkit, api/services/control/control.proto, api/types/worker.proto, solver/pb/ops.proto.
"""

# ruff: noqa: RUF009 - message() declares a field, as dataclasses.field does

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockdesk.wire.buildkit import Timestamp
from dockdesk.wire.protobuf import boolean, int32, int64, mapping, message, repeated, string

UPLOAD_PULL = "/moby.upload.v1.Upload/Pull"


@dataclass(frozen=True, slots=True)
class UsageRecord:
    id: str = string(1)
    mutable: bool = boolean(2)
    in_use: bool = boolean(3)
    size: int = int64(4)
    created: Timestamp | None = message(6, Timestamp)
    last_used: Timestamp | None = message(7, Timestamp)
    usage_count: int = int64(8)
    description: str = string(9)
    record_type: str = string(10)
    shared: bool = boolean(11)
    parents: tuple[str, ...] = repeated(string(12))


@dataclass(frozen=True, slots=True)
class DiskUsageRequest:
    filter: tuple[str, ...] = repeated(string(1))


@dataclass(frozen=True, slots=True)
class DiskUsageResponse:
    records: tuple[UsageRecord, ...] = repeated(message(1, UsageRecord))


@dataclass(frozen=True, slots=True)
class PruneRequest:
    filter: tuple[str, ...] = repeated(string(1))
    all: bool = boolean(2)
    keep_duration: int = int64(3)  # nanoseconds
    keep_bytes: int = int64(4)


@dataclass(frozen=True, slots=True)
class UpdateBuildHistoryRequest:
    ref: str = string(1)
    pinned: bool = boolean(2)
    delete: bool = boolean(3)
    finalize: bool = boolean(4)


@dataclass(frozen=True, slots=True)
class BuildkitVersion:
    package: str = string(1)
    version: str = string(2)
    revision: str = string(3)


@dataclass(frozen=True, slots=True)
class InfoResponse:
    version: BuildkitVersion | None = message(1, BuildkitVersion)


@dataclass(frozen=True, slots=True)
class Platform:
    architecture: str = string(1)
    os: str = string(2)
    variant: str = string(3)


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    id: str = string(1)
    labels: Mapping[str, str] = mapping(2)
    platforms: tuple[Platform, ...] = repeated(message(3, Platform))
    version: BuildkitVersion | None = message(5, BuildkitVersion)


@dataclass(frozen=True, slots=True)
class ListWorkersResponse:
    records: tuple[WorkerRecord, ...] = repeated(message(1, WorkerRecord))


@dataclass(frozen=True, slots=True)
class PongResponse:
    """What the gateway answers to a ping; its capabilities are left out."""

    unused: int = int32(15)
