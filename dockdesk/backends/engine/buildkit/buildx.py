"""Builds by a builder of buildx's: `docker buildx build --progress=rawjson`, read into the same items.

Source: docker/buildx, docs/reference/buildx_build.md and buildx_ls.md; client.SolveStatus as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from dockdesk.backends.engine.buildkit.buildx_items import items_of
from dockdesk.backends.engine.buildkit.failures import Failures
from dockdesk.backends.engine.buildkit.native import Sink
from dockdesk.backends.engine.buildkit.progress import StepProgress
from dockdesk.backends.engine.buildkit.request import TITLE, Dockerfile, read_dockerfile
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.backends.engine.values import mapping, records, strings, text
from dockdesk.core.builds.command import build_command, secret_arguments
from dockdesk.core.errors import DockDeskError, LocalError, NotSupportedError, UnreachableError
from dockdesk.core.resources.builds import Builder, BuildResult, BuildSpec
from dockdesk.core.work import Work

_LIST_TIMEOUT = 30.0
_KEPT = 8192  # characters of what it says besides progress
_END_PATIENCE = 10.0
_OWN = "default"  # what buildx calls the engine's own builder


class BuildxBuild:
    """One build; `run` it once."""

    def __init__(self, endpoint: Endpoint, spec: BuildSpec, sink: Sink, work: Work) -> None:
        self._endpoint = endpoint
        self._spec = spec
        self._sink = sink
        self._work = work
        self._failures = Failures()
        self._progress = StepProgress(work)
        self._said: list[str] = []

    def run(self) -> BuildResult:
        """Build. Raise BuildError, CancelledError, or LocalError where buildx is not there."""
        dockerfile = read_dockerfile(self._spec)
        with tempfile.TemporaryDirectory(prefix="dockdesk-") as folder:
            metadata = Path(folder) / "metadata.json"
            process = self._start(build_command(self._spec, str(metadata)))
            with self._work.on_cancel(lambda: _interrupt(process)):
                self._talk(process, dockerfile)
            self._work.check()
            if process.returncode:
                raise self._failure(dockerfile)
            found = _read_json(metadata)
        self._work.progress(1.0, "Built")
        digest = text(found.get("containerimage.digest"))
        image = text(found.get("containerimage.config.digest")) or digest
        loaded = any(output.kind == "image" for output in self._spec.outputs)
        return BuildResult("buildx", image if loaded else "", digest)

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return _popen(
            command,
            self._endpoint,
            secret_arguments(self._spec),
            stdin=subprocess.PIPE if self._spec.text is not None else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def _talk(self, process: subprocess.Popen[bytes], dockerfile: Dockerfile) -> None:
        writer = None
        if process.stdin is not None:
            # In a thread: who builds may read late what is longer than a pipe holds.
            writer = threading.Thread(
                target=_feed, args=(process.stdin, dockerfile.content), name="buildx-stdin"
            )
            writer.start()
        assert process.stderr is not None
        try:
            with process.stderr:
                for line in process.stderr:
                    self._line(line)
        finally:
            _finish(process)
            if writer is not None:
                writer.join()

    def _line(self, line: bytes) -> None:
        raw: Any = None
        if line.startswith(b"{"):
            with contextlib.suppress(ValueError):
                raw = json.loads(line)
        if not isinstance(raw, dict):
            self._said.append(line.decode("utf-8", "replace").rstrip())
            return
        items = items_of(raw)
        if items:
            self._failures.take(items)
            self._progress.take(items)
            self._sink(items)

    def _failure(self, dockerfile: Dockerfile) -> DockDeskError:
        said = "\n".join(self._said)[-_KEPT:]
        lowered = said.casefold()
        if "unknown flag" in lowered or "invalid progress mode" in lowered:
            return NotSupportedError(
                TITLE, said, "This buildx is too old: it needs version 0.13 or newer."
            )
        if "no builder" in lowered and "found" in lowered:
            return LocalError(TITLE, said, "Choose another builder, or see `docker buildx ls`.")
        reason = next((line for line in reversed(self._said) if line.startswith("ERROR: ")), said)
        if "cannot connect to the docker daemon" in lowered:
            return UnreachableError(TITLE, reason, "Start the builder's engine.")
        return self._failures.explained(reason, dockerfile.text)


def list_builders(endpoint: Endpoint) -> list[Builder]:
    """`docker buildx ls`; empty without docker's command or without buildx. Raise LocalError where it fails."""
    if shutil.which("docker") is None:
        return []
    for command in (
        ["docker", "buildx", "ls", "--format", "{{json .}}"],
        ["docker", "buildx", "ls"],
    ):
        process = _popen(
            command,
            endpoint,
            {},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            out, error = process.communicate(timeout=_LIST_TIMEOUT)
        except subprocess.TimeoutExpired as late:
            _finish(process, 0.0)
            raise LocalError(
                "buildx does not answer",
                "`docker buildx ls` takes too long.",
                "A builder may hang.",
            ) from late
        said = error.decode("utf-8", "replace").strip()
        if process.returncode == 0:
            listed = out.decode("utf-8", "replace")
            return (
                builders_from_json(listed) if "--format" in command else builders_from_table(listed)
            )
        if "is not a docker command" in said or "unknown command" in said:
            return []
        if "unknown flag" not in said:
            raise LocalError("buildx can't list its builders", said)
    return []


def builders_from_json(listed: str) -> list[Builder]:
    """JSON objects, one a line, as since buildx 0.13; each builder once for each of its nodes."""
    found: dict[str, Builder] = {}
    for line in listed.splitlines():
        raw = mapping(json.loads(line)) if line.startswith("{") else {}
        name = text(raw.get("Name"))
        if not name or name in found:
            continue
        nodes = records(raw.get("Nodes"))
        statuses = [text(node.get("Status")) for node in nodes if node.get("Status")]
        problems = [_problem(part.get("Err")) for part in (raw, *nodes)]
        platforms = [item for node in nodes for item in strings(node.get("Platforms"))]
        found[name] = Builder(
            name,
            text(raw.get("Driver")),
            statuses[0] if statuses else text(raw.get("Status")),
            tuple(dict.fromkeys(platforms)),
            raw.get("Current") is True,
            next((problem for problem in problems if problem), ""),
        )
    return [builder for builder in found.values() if builder.name != _OWN]


def _problem(value: Any) -> str:
    return text(mapping(value).get("Message")) if isinstance(value, Mapping) else text(value)


def builders_from_table(listed: str) -> list[Builder]:
    """The table of older versions: builders at the line's begin, their nodes below them, indented."""
    lines = listed.splitlines()
    if not lines or not lines[0].startswith("NAME/NODE"):
        return []
    places = {name: lines[0].find(name) for name in ("DRIVER/ENDPOINT", "STATUS", "PLATFORMS")}
    found: list[Builder] = []
    for line in lines[1:]:
        if not line.strip():
            continue
        driver, status, platforms = (_cell(line, places, name) for name in places)
        if not line.startswith((" ", "\\")):
            name = line.split()[0].rstrip("*")
            current = line.split()[0].endswith("*") or line[len(name) :].lstrip().startswith("*")
            found.append(Builder(name, driver.split()[0] if driver else "", "", (), current, ""))
        elif found:
            last = found[-1]
            known = tuple(item.strip().rstrip("*") for item in platforms.split(",") if item.strip())
            found[-1] = Builder(
                last.name,
                last.driver,
                last.status or status.split(" ")[0],
                last.platforms or known,
                last.current,
                last.error,
            )
    return [builder for builder in found if builder.name != _OWN]


def _cell(line: str, places: Mapping[str, int], name: str) -> str:
    start = places[name]
    if start < 0:
        return ""
    ends = [place for place in places.values() if place > start]
    return line[start : min(ends)].strip() if ends else line[start:].strip()


def _popen(
    command: Sequence[str], endpoint: Endpoint, variables: Mapping[str, str], **streams: Any
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            env={**environment(endpoint), **variables},
            start_new_session=True,
            **streams,
        )
    except OSError as error:
        raise LocalError(
            "buildx can't be run",
            f"docker: {error.strerror or error}",
            "Install Docker's command line with buildx, or choose the engine's own builder.",
        ) from error


def environment(endpoint: Endpoint) -> dict[str, str]:
    """The environment in which docker's command means the same engine."""
    env = {**os.environ, "DOCKER_HOST": endpoint.host}
    env.pop("DOCKER_CONTEXT", None)
    files = endpoint.tls
    if files is not None and files.ca is not None:
        env["DOCKER_CERT_PATH"] = str(files.ca.parent)
        env["DOCKER_TLS_VERIFY"] = "1"
    return env


def _feed(pipe: IO[bytes], content: bytes) -> None:
    with contextlib.suppress(OSError), pipe:  # it ended before it had read everything
        pipe.write(content)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl+C: buildx tells its builder before it goes."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGINT)


def _finish(process: subprocess.Popen[bytes], patience: float = _END_PATIENCE) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
    process.wait()


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        return mapping(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return {}  # a build without a result writes none
