"""BuildKit's messages: its Control API, and what it asks of the session that a client keeps open for it.

Only the fields that are used are declared. Source: moby/buildkit, api/services/control/control.proto,
frontend/gateway/pb/gateway.proto, session/*/*.proto, solver/errdefs/errdefs.proto; tonistiigi/fsutil, types/*.proto;
googleapis, google/rpc/status.proto; protocolbuffers, google/protobuf/{any,timestamp}.proto.
"""

# ruff: noqa: RUF009 - message() declares a field, as dataclasses.field does

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockdesk.wire.protobuf import (
    boolean,
    data,
    int32,
    int64,
    mapping,
    message,
    repeated,
    string,
    uint,
)

CONTROL = "/moby.buildkit.v1.Control/"
GATEWAY = "/moby.buildkit.v1.frontend.LLBBridge/"
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
CREDENTIALS = "/moby.filesync.v1.Auth/Credentials"
GET_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
CHECK_AGENT = "/moby.sshforward.v1.SSH/CheckAgent"
FORWARD_AGENT = "/moby.sshforward.v1.SSH/ForwardAgent"
FILE_SYNC = "/moby.filesync.v1.FileSync/DiffCopy"
FILE_SEND = "/moby.filesync.v1.FileSend/DiffCopy"

# Headers of the request that opens a session.
SESSION_ID = "X-Docker-Expose-Session-Uuid"
SESSION_NAME = "X-Docker-Expose-Session-Name"
SESSION_KEY = "X-Docker-Expose-Session-Sharedkey"
SESSION_METHOD = "X-Docker-Expose-Session-Grpc-Method"

# Metadata of calls.
BUILD_ID = "buildkit-controlapi-buildid"
EXPORTER_ID = "buildkit-attachable-exporter-id"
SSH_ID = "buildkit.ssh.id"


# --- What several share ---


@dataclass(frozen=True, slots=True)
class Timestamp:
    seconds: int = int64(1)
    nanos: int = int32(2)

    @property
    def moment(self) -> float:
        """Seconds since 1970."""
        return self.seconds + self.nanos / 1e9

    @classmethod
    def at(cls, moment: float) -> Timestamp:
        whole = int(moment // 1)
        return cls(whole, min(999_999_999, round((moment - whole) * 1e9)))


@dataclass(frozen=True, slots=True)
class Detail:
    """google.protobuf.Any. BuildKit's own hold JSON where ``type_url`` ends in “+json”."""

    type_url: str = string(1)
    value: bytes = data(2)


@dataclass(frozen=True, slots=True)
class RpcStatus:
    code: int = int32(1)
    text: str = string(2)
    details: tuple[Detail, ...] = repeated(message(3, Detail))


@dataclass(frozen=True, slots=True)
class Position:
    line: int = int32(1)
    character: int = int32(2)


@dataclass(frozen=True, slots=True)
class Range:
    start: Position | None = message(1, Position)
    end: Position | None = message(2, Position)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    filename: str = string(1)
    content: bytes = data(2)
    language: str = string(4)


@dataclass(frozen=True, slots=True)
class BytesMessage:
    """A piece of a stream, of several services."""

    content: bytes = data(1)


# --- Control: Solve ---


@dataclass(frozen=True, slots=True)
class CacheEntry:
    type: str = string(1)
    attrs: Mapping[str, str] = mapping(2)


@dataclass(frozen=True, slots=True)
class CacheOptions:
    exports: tuple[CacheEntry, ...] = repeated(message(4, CacheEntry))
    imports: tuple[CacheEntry, ...] = repeated(message(5, CacheEntry))


@dataclass(frozen=True, slots=True)
class Exporter:
    type: str = string(1)
    attrs: Mapping[str, str] = mapping(2)


@dataclass(frozen=True, slots=True)
class SolveRequest:
    """``exporter`` and ``exporter_attrs`` are for engines older than ``exporters``; both are sent."""

    ref: str = string(1)
    exporter: str = string(3)
    exporter_attrs: Mapping[str, str] = mapping(4)
    session: str = string(5)
    frontend: str = string(6)
    frontend_attrs: Mapping[str, str] = mapping(7)
    cache: CacheOptions | None = message(8, CacheOptions)
    entitlements: tuple[str, ...] = repeated(string(9))
    internal: bool = boolean(11)
    exporters: tuple[Exporter, ...] = repeated(message(13, Exporter))


@dataclass(frozen=True, slots=True)
class SolveResponse:
    exporter_response: Mapping[str, str] = mapping(1)


# --- Control: Status ---


@dataclass(frozen=True, slots=True)
class StatusRequest:
    ref: str = string(1)


@dataclass(frozen=True, slots=True)
class ProgressGroup:
    id: str = string(1)
    name: str = string(2)


@dataclass(frozen=True, slots=True)
class Vertex:
    digest: str = string(1)
    inputs: tuple[str, ...] = repeated(string(2))
    name: str = string(3)
    cached: bool = boolean(4)
    started: Timestamp | None = message(5, Timestamp)
    completed: Timestamp | None = message(6, Timestamp)
    error: str = string(7)
    group: ProgressGroup | None = message(8, ProgressGroup)


@dataclass(frozen=True, slots=True)
class VertexStatus:
    id: str = string(1)
    vertex: str = string(2)
    name: str = string(3)
    current: int = int64(4)
    total: int = int64(5)
    timestamp: Timestamp | None = message(6, Timestamp)
    started: Timestamp | None = message(7, Timestamp)
    completed: Timestamp | None = message(8, Timestamp)


@dataclass(frozen=True, slots=True)
class VertexLog:
    vertex: str = string(1)
    timestamp: Timestamp | None = message(2, Timestamp)
    stream: int = int64(3)
    content: bytes = data(4)


@dataclass(frozen=True, slots=True)
class VertexWarning:
    vertex: str = string(1)
    level: int = int64(2)
    short: bytes = data(3)
    detail: tuple[bytes, ...] = repeated(data(4))
    url: str = string(5)
    info: SourceInfo | None = message(6, SourceInfo)
    ranges: tuple[Range, ...] = repeated(message(7, Range))


@dataclass(frozen=True, slots=True)
class StatusResponse:
    vertexes: tuple[Vertex, ...] = repeated(message(1, Vertex))
    statuses: tuple[VertexStatus, ...] = repeated(message(2, VertexStatus))
    logs: tuple[VertexLog, ...] = repeated(message(3, VertexLog))
    warnings: tuple[VertexWarning, ...] = repeated(message(4, VertexWarning))


# --- Control: history ---


@dataclass(frozen=True, slots=True)
class BuildHistoryRequest:
    active_only: bool = boolean(1)
    ref: str = string(2)
    early_exit: bool = boolean(3)
    limit: int = int32(5)


@dataclass(frozen=True, slots=True)
class Descriptor:
    media_type: str = string(1)
    digest: str = string(2)
    size: int = int64(3)
    annotations: Mapping[str, str] = mapping(5)


@dataclass(frozen=True, slots=True)
class BuildHistoryRecord:
    ref: str = string(1)
    frontend: str = string(2)
    frontend_attrs: Mapping[str, str] = mapping(3)
    exporters: tuple[Exporter, ...] = repeated(message(4, Exporter))
    error: RpcStatus | None = message(5, RpcStatus)
    created: Timestamp | None = message(6, Timestamp)
    completed: Timestamp | None = message(7, Timestamp)
    logs: Descriptor | None = message(8, Descriptor)
    exporter_response: Mapping[str, str] = mapping(9)
    pinned: bool = boolean(14)
    cached_steps: int = int32(15)
    total_steps: int = int32(16)
    completed_steps: int = int32(17)
    warnings: int = int32(19)


STARTED, COMPLETE, DELETED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class BuildHistoryEvent:
    type: int = int32(1)
    record: BuildHistoryRecord | None = message(2, BuildHistoryRecord)


# --- Gateway: what a frontend answers without building ---


@dataclass(frozen=True, slots=True)
class GatewayResult:
    metadata: Mapping[str, bytes] = mapping(10, data(2))


@dataclass(frozen=True, slots=True)
class GatewaySolveRequest:
    frontend: str = string(2)
    frontend_opt: Mapping[str, str] = mapping(3)
    allow_result_return: bool = boolean(5)
    allow_result_array_ref: bool = boolean(6)


@dataclass(frozen=True, slots=True)
class GatewaySolveResponse:
    result: GatewayResult | None = message(3, GatewayResult)


@dataclass(frozen=True, slots=True)
class GatewayReturnRequest:
    result: GatewayResult | None = message(1, GatewayResult)
    error: RpcStatus | None = message(2, RpcStatus)


# --- What the engine asks of a session ---


@dataclass(frozen=True, slots=True)
class HealthResponse:
    status: int = int32(1)  # 1: serving


@dataclass(frozen=True, slots=True)
class CredentialsRequest:
    host: str = string(1)


@dataclass(frozen=True, slots=True)
class CredentialsResponse:
    username: str = string(1)
    secret: str = string(2)


@dataclass(frozen=True, slots=True)
class GetSecretRequest:
    id: str = string(1)


@dataclass(frozen=True, slots=True)
class GetSecretResponse:
    content: bytes = data(1)


@dataclass(frozen=True, slots=True)
class CheckAgentRequest:
    id: str = string(1)


# --- Files: fsutil ---

STAT, REQUEST, DATA, FINISH, ERROR = 0, 1, 2, 3, 4

# Bits of Go's os.FileMode beyond the permissions.
GO_FOLDER, GO_LINK, GO_DEVICE, GO_PIPE = 1 << 31, 1 << 27, 1 << 26, 1 << 25
GO_SETUID, GO_SETGID, GO_CHARACTERS, GO_STICKY = 1 << 23, 1 << 22, 1 << 21, 1 << 20
GO_KINDS = GO_FOLDER | GO_LINK | GO_DEVICE | GO_PIPE | 1 << 24 | GO_CHARACTERS | 1 << 19


@dataclass(frozen=True, slots=True)
class Stat:
    """One file. ``linkname`` is a symbolic link's target, or the first name of a hard-linked file."""

    path: str = string(1)
    mode: int = uint(2)
    uid: int = uint(3)
    gid: int = uint(4)
    size: int = int64(5)
    modified: int = int64(6)  # nanoseconds since 1970
    linkname: str = string(7)
    major: int = int64(8)
    minor: int = int64(9)
    xattrs: Mapping[str, bytes] = mapping(10, data(2))


@dataclass(frozen=True, slots=True)
class Packet:
    """``type`` is STAT, REQUEST, DATA, FINISH or ERROR. A STAT without one ends the list, DATA without any a file."""

    type: int = int32(1)
    stat: Stat | None = message(2, Stat)
    id: int = uint(3)
    content: bytes = data(4)
