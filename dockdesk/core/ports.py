"""What DockDesk asks of a container engine, in small capabilities.

Every method that returns a value blocks and is called on a worker thread; every method that returns a Subscription
connects on the worker thread that calls it and then yields on the reactor's thread. All raise DockDeskError kinds only.
Ids may be full ids, short ids or names wherever the Engine API takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from dockdesk.core.actions import AuditEntry
from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import (
    Container,
    ContainerDetail,
    FileChange,
    FileEntry,
    ProcessTable,
    StatsSample,
)
from dockdesk.core.resources.engine import (
    DiskUsage,
    EngineEvent,
    EngineInfo,
    Network,
    PruneReport,
    Volume,
)
from dockdesk.core.resources.images import Image, ImageDetail
from dockdesk.core.streams import Sink, Subscription
from dockdesk.core.work import Work

if TYPE_CHECKING:
    from dockdesk.core.builds.records import BuildRecord, FileMark
    from dockdesk.core.dissection.model import Dissection
    from dockdesk.core.resources.builds import (
        Builder,
        BuildItem,
        BuildResult,
        BuildSpec,
        BuildWarning,
        PastBuild,
    )


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which log lines: the newest ``tail`` (None: all), a time range in seconds since 1970, and which outputs."""

    tail: int | None = 1000
    follow: bool = True
    since: float | None = None
    until: float | None = None
    timestamps: bool = False
    stdout: bool = True
    stderr: bool = True


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Bytes as the container wrote them, cut anywhere. ``stream`` is 1 for stdout (and TTYs), 2 for stderr."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What `docker run` takes, as values: sizes in bytes, durations in seconds.

    Empty means the image's or the engine's default.
    """

    image: str
    name: str = ""
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] | None = None
    env: tuple[tuple[str, str], ...] = ()
    ports: tuple[str, ...] = ()  # [[host:]public:]private[/protocol], ranges too, as -p
    expose: tuple[str, ...] = ()
    publish_all: bool = False
    volumes: tuple[str, ...] = ()  # source:target[:options], as -v
    tmpfs: tuple[str, ...] = ()  # target[:options]
    network: str = ""
    network_aliases: tuple[str, ...] = ()
    ip: str = ""
    hostname: str = ""
    dns: tuple[str, ...] = ()
    add_hosts: tuple[str, ...] = ()  # name:address
    restart: str = ""  # no, always, unless-stopped, on-failure[:max]
    memory: int = 0
    memory_swap: int = 0
    cpus: float = 0.0
    cpu_shares: int = 0
    pids_limit: int = 0
    shm_size: int = 0
    ulimits: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    health_cmd: str = ""
    health_interval: float = 0.0
    health_timeout: float = 0.0
    health_retries: int = 0
    health_start_period: float = 0.0
    no_healthcheck: bool = False
    platform: str = ""
    pull: str = "missing"  # missing, always, never
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    sysctls: tuple[tuple[str, str], ...] = ()
    privileged: bool = False
    read_only: bool = False
    init: bool = False
    tty: bool = False
    interactive: bool = False
    auto_remove: bool = False
    gpus: str = ""  # all, a count, or device=ID[,ID]
    stop_signal: str = ""
    stop_timeout: int | None = None
    pid_mode: str = ""
    ipc_mode: str = ""
    log_driver: str = ""
    log_options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateSpec:
    """Limits of `docker update`; None leaves as it is, 0 lifts the limit. Bytes and cores."""

    memory: int | None = None
    memory_swap: int | None = None
    cpus: float | None = None
    cpu_shares: int | None = None
    pids_limit: int | None = None
    restart: str | None = None


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    name: str = ""
    driver: str = "local"
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    name: str
    driver: str = "bridge"
    subnet: str = ""
    gateway: str = ""
    internal: bool = False
    attachable: bool = False
    ipv6: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


class ConnectsEngine(Protocol):
    """The connection itself. ``capabilities`` names what this engine can do beyond the common ground:

    update, buildkit, checkpoint, disk_usage, distribution, events_since (see EngineInfo.capabilities).
    """

    @property
    def capabilities(self) -> frozenset[str]: ...

    def info(self) -> EngineInfo: ...

    def ping(self) -> None:
        """Return if the engine answers; raise UnreachableError or PermissionDeniedError with what to do."""

    def events(self, sink: Sink[EngineEvent], since: float | None = None) -> Subscription: ...

    def disk_usage(self) -> DiskUsage: ...

    def prune_build_cache(self, all_of_it: bool = False) -> PruneReport: ...

    def close(self) -> None:
        """Release sockets and tunnels; ends every stream."""


class ManagesContainers(Protocol):
    def containers(self, ids: Sequence[str] = ()) -> list[Container]:
        """All containers, or only those of ``ids`` (those gone are left out): one API call either way."""

    def container(self, id: str) -> ContainerDetail: ...

    def create_container(self, spec: ContainerSpec, work: Work) -> str:
        """Create without starting; return its id. Pulls the image as ``spec.pull`` says."""

    def run_container(self, spec: ContainerSpec, work: Work) -> str:
        """Create and start; on a failed start the container is left for inspection and the error says so."""

    def start(self, id: str) -> None: ...
    def stop(self, id: str, timeout: int | None = None, work: Work | None = None) -> None: ...
    def restart(self, id: str, timeout: int | None = None) -> None: ...
    def kill(self, id: str, signal: str = "SIGKILL") -> None: ...
    def pause(self, id: str) -> None: ...
    def unpause(self, id: str) -> None: ...
    def rename(self, id: str, name: str) -> None: ...
    def remove(self, id: str, force: bool = False, volumes: bool = False) -> None: ...
    def update(self, id: str, spec: UpdateSpec) -> list[str]:
        """Change limits of a running container; returns the engine's warnings."""

    def commit(
        self,
        id: str,
        repository: str,
        tag: str,
        message: str = "",
        author: str = "",
        pause: bool = True,
    ) -> str:
        """Make an image of it; returns the image's id."""

    def export(self, id: str, target: Path, work: Work) -> int:
        """Write its file system as a tar to ``target`` (through a temporary file beside it); returns bytes written."""

    def prune_containers(self) -> PruneReport: ...
    def processes(self, id: str) -> ProcessTable: ...
    def spec_of(self, id: str) -> ContainerSpec:
        """The spec that would run this container again: for “run again with changes”."""


class StreamsLogs(Protocol):
    def logs(self, id: str, query: LogQuery, sink: Sink[LogChunk]) -> Subscription: ...


class StreamsStats(Protocol):
    def stats(self, id: str, sink: Sink[StatsSample]) -> Subscription: ...


class ExecSession(Protocol):
    """A process with a TTY in a container; output arrives at the sink as bytes."""

    def write(self, data: bytes) -> None:
        """Send input. Does not block: what the socket does not take is queued."""

    def resize(self, columns: int, rows: int) -> None:
        """Tell the TTY its size. Blocks for one API call: call it on a worker thread."""

    def exit_code(self) -> int | None:
        """The exit code once it ended, None while it runs. Blocks for one API call."""

    def close(self) -> None:
        """End the session and the process in it (Ctrl+C, then Ctrl+D: closing the socket alone leaves it running)."""


class Executes(Protocol):
    def shells(self, id: str) -> list[str]:
        """The shells there are in the container, best first, as paths."""

    def execute(
        self,
        id: str,
        command: Sequence[str],
        sink: Sink[bytes],
        columns: int = 80,
        rows: int = 24,
        user: str = "",
        workdir: str = "",
        env: Sequence[str] = (),
    ) -> ExecSession: ...

    def attach(
        self, id: str, sink: Sink[bytes], columns: int = 80, rows: int = 24
    ) -> ExecSession: ...


class BrowsesFiles(Protocol):
    """Files in a container, running or not. Paths are absolute POSIX paths inside it."""

    def list_files(self, id: str, path: str) -> list[FileEntry]: ...

    def read_file(self, id: str, path: str, limit: int = 1 << 20) -> tuple[bytes, bool]:
        """The first ``limit`` bytes of a file, and whether there were more."""

    def download(self, id: str, path: str, target: Path, work: Work) -> Path:
        """Copy a file or a folder out; refuses members that would leave ``target``. Returns what was made."""

    def upload(self, id: str, sources: Sequence[Path], folder: str, work: Work) -> None: ...

    def changes(self, id: str) -> list[FileChange]:
        """What differs from the image."""


class ManagesImages(Protocol):
    def images(self) -> list[Image]: ...
    def image(self, id: str) -> ImageDetail: ...
    def pull(self, reference: str, work: Work, platform: str = "") -> str:
        """Pull; a part of ``work`` a layer. Returns the image's id. Logins come from the user's credential stores."""

    def push(self, reference: str, work: Work) -> str:
        """Push; returns the digest the registry gave."""

    def tag(self, id: str, reference: str) -> None: ...
    def remove_image(self, id: str, force: bool = False) -> list[str]:
        """Untag or delete; returns what was untagged and deleted."""

    def prune_images(self, all_unused: bool = False) -> PruneReport: ...
    def save_images(self, references: Sequence[str], target: Path, work: Work) -> int: ...
    def load_images(self, source: Path, work: Work) -> list[str]: ...
    def import_image(self, source: Path, repository: str, tag: str, work: Work) -> str: ...


class DissectsImages(Protocol):
    """Looks into images without a container of them. The engine packs all of an image for each of these."""

    def dissect(self, id: str, work: Work) -> Dissection:
        """What each layer of an image adds, changes and removes. Keeps an interpreter busy: see `dissecting`."""

    def dissecting(self, id: str) -> tuple[Callable[..., Dissection], tuple[Any, ...]]:
        """`dissect` as a function that takes a Work and these arguments, all of which can travel to another process.

        Does not block.
        """

    def read_image_file(
        self, id: str, place: str, path: str, work: Work, limit: int = 1 << 20
    ) -> tuple[bytes, bool]:
        """The first ``limit`` bytes of a file as a layer holds it, and whether there were more.

        ``place`` is that of the layer (`core.dissection.model.Layer`).
        """

    def save_image_file(self, id: str, place: str, path: str, target: Path, work: Work) -> int:
        """Write such a file to ``target``, whole or not at all; returns bytes written."""


class Builds(Protocol):
    """Builds images: natively where ``capabilities`` holds "buildkit", classically elsewhere."""

    def build(
        self, spec: BuildSpec, sink: Callable[[Sequence[BuildItem]], None], work: Work
    ) -> BuildResult:
        """Build; blocks until it is over. ``sink`` gets bursts of items on any thread, in order, and returns quickly.

        Cancelling ``work`` stops the build in the engine and raises CancelledError. A step that fails raises
        BuildError, whose ``step`` is its digest.
        """

    def check(self, spec: BuildSpec, work: Work) -> list[BuildWarning] | None:
        """BuildKit's own checks of the Dockerfile, without building; None where this engine has none."""

    def builders(self) -> list[Builder]:
        """What buildx knows besides the engine's own builder; empty without buildx. Starts a process."""

    def past_builds(self, limit: int = 200) -> list[PastBuild]:
        """The engine's own history, newest first; empty where it keeps none."""

    def past_build(self, ref: str, sink: Callable[[Sequence[BuildItem]], None], work: Work) -> None:
        """Replay what a build of the engine's history told while it ran."""


class ManagesVolumes(Protocol):
    def volumes(self) -> list[Volume]: ...
    def create_volume(self, spec: VolumeSpec) -> Volume: ...
    def remove_volume(self, name: str, force: bool = False) -> None: ...
    def prune_volumes(self, all_unused: bool = False) -> PruneReport: ...
    def list_volume_files(self, name: str, path: str) -> list[FileEntry]:
        """Browse a volume. Uses a container that mounts it, or a stopped helper container of any local image."""

    def download_from_volume(self, name: str, path: str, target: Path, work: Work) -> Path: ...
    def upload_to_volume(
        self, name: str, sources: Sequence[Path], folder: str, work: Work
    ) -> None: ...
    def read_volume_file(
        self, name: str, path: str, limit: int = 1 << 20
    ) -> tuple[bytes, bool]: ...


class ManagesNetworks(Protocol):
    def networks(self) -> list[Network]: ...
    def create_network(self, spec: NetworkSpec) -> str: ...
    def remove_network(self, id: str) -> None: ...
    def connect(
        self, network: str, container: str, ip: str = "", aliases: Sequence[str] = ()
    ) -> None: ...
    def disconnect(self, network: str, container: str, force: bool = False) -> None: ...
    def prune_networks(self) -> PruneReport: ...


class Engine(
    ConnectsEngine,
    ManagesContainers,
    StreamsLogs,
    StreamsStats,
    Executes,
    BrowsesFiles,
    ManagesImages,
    DissectsImages,
    Builds,
    ManagesVolumes,
    ManagesNetworks,
    Protocol,
):
    """All of a local engine."""


class KeepsAudit(Protocol):
    """The audit log. Blocking: called on a worker thread."""

    def add(self, entry: AuditEntry) -> int: ...
    def newest(self, limit: int = 1000) -> list[AuditEntry]: ...
    def search(self, text: str, limit: int = 1000) -> list[AuditEntry]:
        """Entries that hold every word of ``text``, newest first."""

    def clear_before(self, at: float) -> int:
        """Forget what happened before ``at`` (seconds since 1970); returns how many entries that were."""


class KeepsBuilds(Protocol):
    """The history of builds. Blocking: called on a worker thread."""

    def add(
        self,
        record: BuildRecord,
        files: Mapping[str, FileMark] | None = None,
        logs: Mapping[str, bytes] | None = None,
    ) -> int:
        """Keep a build with the listing of its context and the logs of its steps (by digest); returns its id.

        Only the newest of a project keep their listings and logs, see `KEPT_WHOLE`.
        """

    def newest(self, project: str = "", limit: int = 200, skip: int = 0) -> list[BuildRecord]:
        """Builds of a project (see `project_of`), or of all, newest first, without the ``skip`` newest.

        Those that can't be read any more are left out, so there may be fewer than ``limit`` and yet more to come.
        """

    def files(self, id: int) -> Mapping[str, FileMark] | None:
        """The context's files as they were; None where that is not kept (any more)."""

    def logs(self, id: int) -> Mapping[str, bytes]:
        """What the steps wrote, by digest; empty where that is not kept (any more)."""

    def forget(self, ids: Sequence[int]) -> None: ...
