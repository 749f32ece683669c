"""Containers of the engine in memory: what they do, tell and hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dockdesk.core.errors import ConflictError
from dockdesk.core.ports import ContainerSpec, LogChunk, LogQuery, UpdateSpec
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
from dockdesk.core.resources.engine import PruneReport
from dockdesk.core.streams import Sink
from dockdesk.core.work import Work
from tests.fake_storage import FakeStorage
from tests.fake_streams import FakeExec, FakeSubscription
from tests.fake_world import GIB, NOW, files, log_lines, log_stamp


class FakeContainers(FakeStorage):
    """ManagesContainers, StreamsContainers, Executes and BrowsesFiles of `dockdesk.core.ports`."""

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
