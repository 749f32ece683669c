"""An engine in memory: the whole of core.ports.Engine, quick and obedient, with faults on demand.

It holds the stack of a small shop (twelve containers, three of them stopped), so that pictures and tests of different
panes tell the same story. Every change emits the event a real engine would.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from dockdesk.core.errors import (
    CancelledError,
    ConflictError,
    DockDeskError,
    LocalError,
    NotFoundError,
)
from dockdesk.core.ports import (
    ContainerSpec,
    LogChunk,
    LogQuery,
    NetworkSpec,
    UpdateSpec,
    VolumeSpec,
)
from dockdesk.core.resources.builds import (
    Builder,
    BuildItem,
    BuildResult,
    BuildSpec,
    BuildStep,
    BuildWarning,
    PastBuild,
)
from dockdesk.core.resources.containers import (
    Container,
    ContainerDetail,
    FileChange,
    FileEntry,
    HealthProbe,
    NetworkEndpoint,
    ProcessTable,
    StatsSample,
)
from dockdesk.core.resources.engine import (
    DiskItem,
    DiskSlice,
    DiskUsage,
    EngineEvent,
    EngineInfo,
    Network,
    NetworkMember,
    PruneReport,
    Volume,
)
from dockdesk.core.resources.images import Image, ImageDetail, ImageLayer
from dockdesk.core.streams import Sink
from dockdesk.core.work import Work
from tests.fake_world import (
    GIB,
    NOW,
    containers,
    files,
    images,
    log_lines,
    log_stamp,
    networks,
    volumes,
)

T = TypeVar("T")

CAPABILITIES = frozenset(
    {"update", "buildkit", "disk_usage", "distribution", "events_since"},
)


class FakeSubscription(Generic[T]):
    """A stream of the fake; `push` gives it items until someone closes it."""

    def __init__(self, sink: Sink[T], gone: Callable[[FakeSubscription[T]], None]) -> None:
        self.sink = sink
        self.closed = False
        self._gone = gone

    def push(self, *items: T) -> None:
        if not self.closed:
            self.sink.put(items)

    def end(self, error: DockDeskError | None = None) -> None:
        """End it as a remote would."""
        if not self.closed:
            self.closed = True
            self._gone(self)
            self.sink.ended(error)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._gone(self)


class FakeExec:
    """A process that echoes what is typed."""

    def __init__(self, sink: Sink[bytes]) -> None:
        self.sink = sink
        self.written = b""
        self.size = (80, 24)
        self.closed = False
        sink.put([b"/ # "])

    def write(self, data: bytes) -> None:
        self.written += data
        self.sink.put([data.replace(b"\r", b"\r\n/ # ")])

    def resize(self, columns: int, rows: int) -> None:
        self.size = (columns, rows)

    def exit_code(self) -> int | None:
        return 0 if self.closed else None

    def close(self) -> None:
        self.closed = True


class FakeEngine:
    """`calls` records what was asked (method name, then arguments that matter); `faults` maps a method's name to the
    error it raises; `pause_on(name)` holds a method until released, to look at what is shown meanwhile."""

    def __init__(self) -> None:
        self.capabilities = CAPABILITIES
        self.calls: list[tuple[Any, ...]] = []
        self.faults: dict[str, DockDeskError] = {}
        self.closed = False
        self._lock = threading.RLock()
        self._containers = {item.id: item for item in containers()}
        self._images = {item.id: item for item in images()}
        self._volumes = {item.name: item for item in volumes()}
        self._networks = {item.id: item for item in networks(self._containers.values())}
        self._gates: dict[str, threading.Event] = {}
        self._event_streams: list[FakeSubscription[EngineEvent]] = []
        self._log_streams: dict[str, list[FakeSubscription[LogChunk]]] = {}
        self._stats_streams: dict[str, list[FakeSubscription[StatsSample]]] = {}
        self.execs: list[FakeExec] = []
        self._made = 0
        self._build_cache = 412_000_000
        self._ticks = 0
        self._time = NOW
        self.build_items: list[BuildItem] = [
            BuildStep("sha256:1", "[1/2] FROM scratch", (), True, NOW, NOW),
            BuildStep("sha256:2", "[2/2] COPY . /", ("sha256:1",), False, NOW, NOW + 1),
        ]
        self.build_warnings: list[BuildWarning] | None = []
        self.build_builders: list[Builder] = []
        self.build_history: list[PastBuild] = []

    # What tests turn.

    @contextmanager
    def pause_on(self, name: str) -> Iterator[None]:
        """Hold calls of the method ``name`` while inside."""
        gate = self._gates[name] = threading.Event()
        try:
            yield
        finally:
            del self._gates[name]
            gate.set()

    def emit(self, kind: str, action: str, id: str, name: str = "", **attributes: str) -> None:
        """Send an event to all listeners."""
        self._time += 1
        event = EngineEvent(kind, action, id, self._time, name, attributes)
        for stream in list(self._event_streams):
            stream.push(event)

    def log_streams(self, id: str) -> int:
        """How many listen to a container's log."""
        return len(self._log_streams.get(self._one(id).id, ()))

    def emit_log(self, id: str, data: bytes, stream: int = 1) -> None:
        for subscription in list(self._log_streams.get(self._one(id).id, ())):
            subscription.push(LogChunk(stream, data))

    def tick(self, count: int = 1) -> None:
        """Let ``count`` seconds of use go by on every stats stream."""
        for _ in range(count):
            self._ticks += 1
            for id, streams in list(self._stats_streams.items()):
                for stream in list(streams):
                    stream.push(self._sample(id))

    def drop(self, error: DockDeskError) -> None:
        """Cut all streams, as when the daemon dies."""
        groups: list[Sequence[FakeSubscription[Any]]] = [list(self._event_streams)]
        groups += [list(item) for item in self._log_streams.values()]
        groups += [list(item) for item in self._stats_streams.values()]
        for group in groups:
            for stream in group:
                stream.end(error)

    def put_container(self, container: Container, action: str = "update") -> None:
        """Change or add a container behind the program's back."""
        with self._lock:
            self._containers[container.id] = container
        self.emit("container", action, container.id, container.name)

    @property
    def stats_streams(self) -> int:
        return sum(len(streams) for streams in self._stats_streams.values())

    def _enter(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        if (gate := self._gates.get(name)) is not None and not gate.wait(30):
            raise LocalError("The test held a call for too long", name)
        if (error := self.faults.get(name)) is not None:
            raise error

    def _one(self, id: str) -> Container:
        for item in self._containers.values():
            if id in (item.id, item.short_id, item.name):
                return item
        raise NotFoundError("No such container", id)

    def _set(self, id: str, event: str, **changes: Any) -> None:
        with self._lock:
            item = self._one(id)
            self._containers[item.id] = changed = replace(item, **changes)
        if event in {"die", "restart"}:
            self._end_logs(item.id)
        self.emit("container", event, changed.id, changed.name)

    def _end_logs(self, id: str) -> None:
        """A log that is followed ends when its container does."""
        for stream in list(self._log_streams.get(id, ())):
            stream.end()

    # ConnectsEngine

    def info(self) -> EngineInfo:
        self._enter("info")
        return EngineInfo(
            "Docker Engine", "27.3.1", "1.47", "Debian GNU/Linux 12", "x86_64", "6.1.0", 8, 16 * GIB,
            "overlay2", "/var/lib/docker", "workshop", self.capabilities,
        )  # fmt: skip

    def ping(self) -> None:
        self._enter("ping")

    def events(
        self, sink: Sink[EngineEvent], since: float | None = None
    ) -> FakeSubscription[EngineEvent]:
        self._enter("events", since)
        stream = FakeSubscription(sink, self._event_streams.remove)
        self._event_streams.append(stream)
        return stream

    def disk_usage(self) -> DiskUsage:
        self._enter("disk_usage")
        with self._lock:
            pictures, disks = list(self._images.values()), list(self._volumes.values())
            boxes = list(self._containers.values())
        items = [
            DiskItem("images", i.id, i.name, i.size, not i.used_by, ", ".join(i.used_by), i.created)
            for i in pictures
        ]
        items += [
            DiskItem(
                "volumes", v.name, v.name, v.size, not v.used_by, ", ".join(v.used_by), v.created
            )
            for v in disks
        ]
        items += [
            DiskItem("containers", c.id, c.name, 1_200_000, not c.running, "", c.created)
            for c in boxes
        ]
        items.append(
            DiskItem("build cache", "cache1", "COPY . /app", self._build_cache, True, "", NOW)
        )
        kinds = ("images", "containers", "volumes", "build cache")
        slices = []
        for kind in kinds:
            mine = [item for item in items if item.kind == kind]
            free = [item for item in mine if item.reclaimable]
            slices.append(
                DiskSlice(kind, len(mine), len(mine) - len(free),
                          sum(i.size for i in mine), sum(i.size for i in free))
            )  # fmt: skip
        return DiskUsage(tuple(slices), tuple(items))

    def prune_build_cache(self, all_of_it: bool = False) -> PruneReport:
        self._enter("prune_build_cache", all_of_it)
        freed, self._build_cache = self._build_cache, 0
        return PruneReport(("cache1",) if freed else (), freed)

    def close(self) -> None:
        self.closed = True
        self.drop(CancelledError())

    # ManagesContainers

    def containers(self, ids: Sequence[str] = ()) -> list[Container]:
        self._enter("containers", tuple(ids))
        with self._lock:
            return [c for c in self._containers.values() if not ids or c.id in ids]

    def container(self, id: str) -> ContainerDetail:
        self._enter("container", id)
        item = self._one(id)
        return ContainerDetail(
            container=item,
            raw=_inspect(item),
            environment=(("PATH", "/usr/bin:/bin"), ("POSTGRES_PASSWORD", "correct-horse")),
            command=tuple(item.command.split()),
            working_dir="/app",
            restart_policy="unless-stopped",
            started=item.created + 5 if item.state != "created" else 0.0,
            finished=NOW - 600 if not item.running else 0.0,
            pid=4711 if item.running else 0,
            memory_limit=GIB,
            cpu_limit=2.0,
            log_driver="json-file",
            mounts=item.mounts,
            endpoints=tuple(
                NetworkEndpoint(
                    name, f"net-{name}", "172.18.0.5", "172.18.0.1", "02:42:ac:12:00:05"
                )
                for name in item.networks
            ),
            health_log=(HealthProbe(NOW - 30, NOW - 29.9, 0, "HTTP/1.1 200 OK"),)
            if item.health
            else (),
        )

    def create_container(self, spec: ContainerSpec, work: Work) -> str:
        self._enter("create_container", spec)
        return self._make(spec, "created")

    def run_container(self, spec: ContainerSpec, work: Work) -> str:
        self._enter("run_container", spec)
        work.progress(0.5, "Starting")
        return self._make(spec, "running")

    def _make(self, spec: ContainerSpec, state: str) -> str:
        with self._lock:
            if spec.name and any(c.name == spec.name for c in self._containers.values()):
                raise ConflictError("The name is taken", f"A container is called {spec.name}.")
            self._made += 1
            id = f"{0xFEED0000 + self._made:x}".ljust(64, "0")
            item = Container(
                id, spec.name or f"quiet_wave_{self._made}", spec.image, "sha256:" + "9" * 64,
                state, "Up 1 second" if state == "running" else "Created", NOW,
                command=" ".join(spec.command), labels=dict(spec.labels),
            )  # fmt: skip
            self._containers[id] = item
        self.emit("container", "create", id, item.name)
        if state == "running":
            self.emit("container", "start", id, item.name)
        return id

    def start(self, id: str) -> None:
        self._enter("start", id)
        self._set(id, "start", state="running", status="Up 1 second", exit_code=None)

    def stop(self, id: str, timeout: int | None = None, work: Work | None = None) -> None:
        self._enter("stop", id, timeout)
        self._set(id, "die", state="exited", status="Exited (0) 1 second ago", exit_code=0)

    def restart(self, id: str, timeout: int | None = None) -> None:
        self._enter("restart", id, timeout)
        self._set(id, "restart", state="running", status="Up 1 second", exit_code=None)

    def kill(self, id: str, signal: str = "SIGKILL") -> None:
        self._enter("kill", id, signal)
        if not self._one(id).running:
            raise ConflictError("The container is not running", self._one(id).name)
        self._set(id, "die", state="exited", status="Exited (137)", exit_code=137)

    def pause(self, id: str) -> None:
        self._enter("pause", id)
        self._set(id, "pause", state="paused", status="Up 2 hours (Paused)")

    def unpause(self, id: str) -> None:
        self._enter("unpause", id)
        self._set(id, "unpause", state="running", status="Up 2 hours")

    def rename(self, id: str, name: str) -> None:
        self._enter("rename", id, name)
        if any(c.name == name for c in self._containers.values()):
            raise ConflictError("The name is taken", f"A container is called {name}.")
        self._set(id, "rename", name=name)

    def remove(self, id: str, force: bool = False, volumes: bool = False) -> None:
        self._enter("remove", id, force, volumes)
        item = self._one(id)
        if item.running and not force:
            raise ConflictError("The container is running", item.name, "Stop it, or force.")
        with self._lock:
            del self._containers[item.id]
        self._end_logs(item.id)
        self.emit("container", "destroy", item.id, item.name)

    def update(self, id: str, spec: UpdateSpec) -> list[str]:
        self._enter("update", id, spec)
        self._set(id, "update")
        return []

    def commit(
        self,
        id: str,
        repository: str,
        tag: str,
        message: str = "",
        author: str = "",
        pause: bool = True,
    ) -> str:
        self._enter("commit", id, repository, tag)
        return self._add_image(f"{repository}:{tag}")

    def export(self, id: str, target: Path, work: Work) -> int:
        self._enter("export", id, target)
        target.write_bytes(b"tar" * 1000)
        return 3000

    def prune_containers(self) -> PruneReport:
        self._enter("prune_containers")
        gone = [c for c in self._containers.values() if c.state in {"exited", "created", "dead"}]
        for item in gone:
            del self._containers[item.id]
            self.emit("container", "destroy", item.id, item.name)
        return PruneReport(tuple(item.id for item in gone), 1_200_000 * len(gone))

    def processes(self, id: str) -> ProcessTable:
        self._enter("processes", id)
        return ProcessTable(
            ("UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"),
            (
                ("root", "4711", "4690", "1", "13:50", "?", "00:00:12", self._one(id).command),
                ("app", "4733", "4711", "0", "13:50", "?", "00:00:01", "worker: idle"),
            ),
        )

    def spec_of(self, id: str) -> ContainerSpec:
        self._enter("spec_of", id)
        item = self._one(id)
        return ContainerSpec(item.image, name=item.name, command=tuple(item.command.split()))

    # Streams

    def logs(self, id: str, query: LogQuery, sink: Sink[LogChunk]) -> FakeSubscription[LogChunk]:
        """All lines so far are of the past: with ``since`` only what is printed from now on comes."""
        self._enter("logs", id, query)
        item = self._one(id)
        streams = self._log_streams.setdefault(item.id, [])
        stream: FakeSubscription[LogChunk] = FakeSubscription(sink, streams.remove)
        streams.append(stream)
        lines = log_lines(item.name) if query.since is None else []
        if query.timestamps:
            lines = [log_stamp(at) + line for at, line in enumerate(lines)]
        if lines := (lines if query.tail is None else lines[-query.tail :]):
            stream.push(LogChunk(1, b"".join(lines)))
        if not query.follow or not item.running:
            stream.end()
        return stream

    def stats(self, id: str, sink: Sink[StatsSample]) -> FakeSubscription[StatsSample]:
        self._enter("stats", id)
        key = self._one(id).id
        streams = self._stats_streams.setdefault(key, [])
        stream: FakeSubscription[StatsSample] = FakeSubscription(sink, streams.remove)
        streams.append(stream)
        return stream

    def _sample(self, id: str) -> StatsSample:
        seed = int(id[:4], 16)
        wave = math.sin(self._ticks / 5 + seed) + math.sin(self._ticks / 2.3 + seed * 2) / 2
        size = (seed % 60) + 4
        return StatsSample(
            NOW + self._ticks, max(0.1, size + wave * size / 6), (200 + seed % 700) * 1e6, 16 * GIB,
            2e4 + 1e4 * wave, 1e4, 5e3, 3e3, 6 + seed % 9,
        )  # fmt: skip

    # Executes

    def shells(self, id: str) -> list[str]:
        self._enter("shells", id)
        return ["/bin/bash", "/bin/sh"]

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
    ) -> FakeExec:
        self._enter("execute", id, tuple(command))
        session = FakeExec(sink)
        session.size = (columns, rows)
        self.execs.append(session)
        return session

    def attach(self, id: str, sink: Sink[bytes], columns: int = 80, rows: int = 24) -> FakeExec:
        self._enter("attach", id)
        session = FakeExec(sink)
        self.execs.append(session)
        return session

    # BrowsesFiles

    def list_files(self, id: str, path: str) -> list[FileEntry]:
        self._enter("list_files", id, path)
        return files(path)

    def read_file(self, id: str, path: str, limit: int = 1 << 20) -> tuple[bytes, bool]:
        self._enter("read_file", id, path)
        data = f"# {path}\nworkers = 4\ntimeout = 30\n".encode()
        return data[:limit], len(data) > limit

    def download(self, id: str, path: str, target: Path, work: Work) -> Path:
        self._enter("download", id, path, target)
        made = target / path.rstrip("/").rsplit("/", 1)[-1]
        made.write_bytes(self.read_file(id, path)[0])
        return made

    def upload(self, id: str, sources: Sequence[Path], folder: str, work: Work) -> None:
        self._enter("upload", id, tuple(sources), folder)

    def changes(self, id: str) -> list[FileChange]:
        self._enter("changes", id)
        return [FileChange("/app/cache", "added"), FileChange("/etc/hosts", "changed")]

    # ManagesImages

    def images(self) -> list[Image]:
        self._enter("images")
        with self._lock:
            return list(self._images.values())

    def image(self, id: str) -> ImageDetail:
        self._enter("image", id)
        item = self._image(id)
        layers = (
            ImageLayer(item.id, item.created, 'CMD ["/app/start"]', 0, tags=item.tags),
            ImageLayer("<missing>", item.created - 5, "COPY . /app # buildkit", item.size // 3),
            ImageLayer(
                "<missing>", item.created - 9e5, "/bin/sh -c #(nop) ADD file:…", item.size // 2
            ),
        )
        return ImageDetail(
            item, {"Id": item.id, "RepoTags": list(item.tags)}, layers, "amd64", "linux"
        )

    def _image(self, id: str) -> Image:
        for item in self._images.values():
            if id in (item.id, item.short_id) or id in item.tags:
                return item
        raise NotFoundError("No such image", id)

    def _add_image(self, reference: str) -> str:
        self._made += 1
        id = "sha256:" + f"{0xABCD0000 + self._made:x}".ljust(64, "0")
        with self._lock:
            self._images[id] = Image(id, (reference,), (), NOW, 42_000_000)
        self.emit("image", "pull", reference, reference)
        return id

    def pull(self, reference: str, work: Work, platform: str = "") -> str:
        self._enter("pull", reference, platform)
        for layer in ("a1b2c3d4e5f6", "0f1e2d3c4b5a"):
            work.part(layer, 0.5, "Downloading")
            work.part(layer, 1.0, "Pull complete")
        work.progress(1.0, "Done")
        return self._add_image(reference)

    def push(self, reference: str, work: Work) -> str:
        self._enter("push", reference)
        return "sha256:" + "b" * 64

    def tag(self, id: str, reference: str) -> None:
        self._enter("tag", id, reference)
        item = self._image(id)
        self._images[item.id] = replace(item, tags=(*item.tags, reference))
        self.emit("image", "tag", item.id, reference)

    def remove_image(self, id: str, force: bool = False) -> list[str]:
        self._enter("remove_image", id, force)
        item = self._image(id)
        if item.used_by and not force:
            raise ConflictError("The image is in use", ", ".join(item.used_by))
        del self._images[item.id]
        self.emit("image", "delete", item.id, item.name)
        return [item.id]

    def prune_images(self, all_unused: bool = False) -> PruneReport:
        self._enter("prune_images", all_unused)
        gone = [i for i in self._images.values() if not i.used_by and (all_unused or i.dangling)]
        for item in gone:
            del self._images[item.id]
            self.emit("image", "delete", item.id, item.name)
        return PruneReport(tuple(i.id for i in gone), sum(i.size for i in gone))

    def save_images(self, references: Sequence[str], target: Path, work: Work) -> int:
        self._enter("save_images", tuple(references), target)
        target.write_bytes(b"tar")
        return 3

    def load_images(self, source: Path, work: Work) -> list[str]:
        self._enter("load_images", source)
        return [self._add_image(f"{source.stem}:latest")]

    def import_image(self, source: Path, repository: str, tag: str, work: Work) -> str:
        self._enter("import_image", source, repository, tag)
        return self._add_image(f"{repository}:{tag}")

    # ManagesVolumes

    def volumes(self) -> list[Volume]:
        self._enter("volumes")
        return list(self._volumes.values())

    def create_volume(self, spec: VolumeSpec) -> Volume:
        self._enter("create_volume", spec)
        self._made += 1
        item = Volume(spec.name or f"vol{self._made}", spec.driver, created=NOW, labels=spec.labels)
        self._volumes[item.name] = item
        self.emit("volume", "create", item.name, item.name)
        return item

    def remove_volume(self, name: str, force: bool = False) -> None:
        self._enter("remove_volume", name, force)
        if name not in self._volumes:
            raise NotFoundError("No such volume", name)
        if self._volumes[name].used_by:
            raise ConflictError("The volume is in use", ", ".join(self._volumes[name].used_by))
        del self._volumes[name]
        self.emit("volume", "destroy", name, name)

    def prune_volumes(self, all_unused: bool = False) -> PruneReport:
        self._enter("prune_volumes", all_unused)
        gone = [item for item in self._volumes.values() if not item.used_by]
        for item in gone:
            del self._volumes[item.name]
            self.emit("volume", "destroy", item.name, item.name)
        return PruneReport(tuple(i.name for i in gone), sum(max(0, i.size) for i in gone))

    def list_volume_files(self, name: str, path: str) -> list[FileEntry]:
        self._enter("list_volume_files", name, path)
        return files(path)

    def download_from_volume(self, name: str, path: str, target: Path, work: Work) -> Path:
        self._enter("download_from_volume", name, path, target)
        made = target / path.rstrip("/").rsplit("/", 1)[-1]
        made.write_bytes(b"data")
        return made

    def upload_to_volume(self, name: str, sources: Sequence[Path], folder: str, work: Work) -> None:
        self._enter("upload_to_volume", name, tuple(sources), folder)

    def read_volume_file(self, name: str, path: str, limit: int = 1 << 20) -> tuple[bytes, bool]:
        self._enter("read_volume_file", name, path)
        return b"data\n"[:limit], False

    # Builds

    def build(
        self, spec: BuildSpec, sink: Callable[[Sequence[BuildItem]], None], work: Work
    ) -> BuildResult:
        """`build_items` are told in bursts of one; the image is there afterwards under the first tag."""
        self._enter("build", spec)
        for item in self.build_items:
            work.check()
            sink([item])
        id = self._add_image(spec.tags[0]) if spec.tags else "sha256:" + "d" * 64
        return BuildResult("buildkit", id, "", 1_000, 10)

    def check(self, spec: BuildSpec, work: Work) -> list[BuildWarning] | None:
        self._enter("check", spec)
        return self.build_warnings

    def builders(self) -> list[Builder]:
        self._enter("builders")
        return list(self.build_builders)

    def past_builds(self, limit: int = 200) -> list[PastBuild]:
        self._enter("past_builds", limit)
        return self.build_history[:limit]

    def past_build(self, ref: str, sink: Callable[[Sequence[BuildItem]], None], work: Work) -> None:
        self._enter("past_build", ref)
        if all(item.ref != ref for item in self.build_history):
            raise NotFoundError("No such build", ref)
        sink(self.build_items)

    # ManagesNetworks

    def networks(self) -> list[Network]:
        self._enter("networks")
        return list(self._networks.values())

    def create_network(self, spec: NetworkSpec) -> str:
        self._enter("create_network", spec)
        self._made += 1
        id = f"{0xBEEF0000 + self._made:x}".ljust(64, "0")
        self._networks[id] = Network(
            id, spec.name, spec.driver, created=NOW, internal=spec.internal
        )
        self.emit("network", "create", id, spec.name)
        return id

    def remove_network(self, id: str) -> None:
        self._enter("remove_network", id)
        item = self._network(id)
        if item.members:
            raise ConflictError("The network is in use", ", ".join(m.name for m in item.members))
        del self._networks[item.id]
        self.emit("network", "destroy", item.id, item.name)

    def _network(self, id: str) -> Network:
        for item in self._networks.values():
            if id in (item.id, item.name):
                return item
        raise NotFoundError("No such network", id)

    def connect(
        self, network: str, container: str, ip: str = "", aliases: Sequence[str] = ()
    ) -> None:
        self._enter("connect", network, container)
        item, box = self._network(network), self._one(container)
        member = NetworkMember(box.id, box.name, ip or "172.18.0.99")
        self._networks[item.id] = replace(item, members=(*item.members, member))
        self.emit("network", "connect", item.id, item.name, container=box.id)

    def disconnect(self, network: str, container: str, force: bool = False) -> None:
        self._enter("disconnect", network, container)
        item, box = self._network(network), self._one(container)
        left = tuple(m for m in item.members if m.container_id != box.id)
        self._networks[item.id] = replace(item, members=left)
        self.emit("network", "disconnect", item.id, item.name, container=box.id)

    def prune_networks(self) -> PruneReport:
        self._enter("prune_networks")
        gone = [n for n in self._networks.values() if not n.members and not n.builtin]
        for item in gone:
            del self._networks[item.id]
            self.emit("network", "destroy", item.id, item.name)
        return PruneReport(tuple(n.id for n in gone), 0)


def _inspect(item: Container) -> Mapping[str, Any]:
    raw = {
        "Id": item.id,
        "Name": f"/{item.name}",
        "Image": item.image_id,
        "State": {"Status": item.state, "Running": item.running, "ExitCode": item.exit_code or 0},
        "Config": {"Image": item.image, "Labels": dict(item.labels), "Cmd": item.command.split()},
        "NetworkSettings": {"Networks": {name: {} for name in item.networks}},
    }
    copied: Mapping[str, Any] = json.loads(json.dumps(raw))
    return copied
