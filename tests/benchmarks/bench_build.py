"""A context of fifty thousand small files: sent, sent again, and after one change, beside the SDK and docker's command.

All run on one dockerd in turn. “Sent” is the time until the engine has the context: the step that loads it for
BuildKit, and the first line of the answer for those that send a tar. The overhead of a build is what the whole took
beyond its steps.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import docker as sdk
from harness import Report, main

from dockdesk.backends.engine.backend import EngineBackend, connect
from dockdesk.backends.engine.buildkit.tarball import Tarball
from dockdesk.backends.engine.buildkit.tree import Filters, walk
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.core.reactor import Reactor
from dockdesk.core.resources.builds import BuildItem, BuildResult, BuildSpec, BuildStep
from dockdesk.core.work import SilentWork
from tests.engines import BUSYBOX, Dockerd, load_busybox

FILES = int(os.environ.get("BENCH_FILES", "50000"))
FOLDERS = 500
SIZE = 1000
DOCKERFILE = "FROM scratch\nCOPY . /\n"
STEPS = 12
ROUNDS = 2
_ROOM = 8 << 30  # bytes
_LOADING = "[internal] load build context"


class Taken(NamedTuple):
    """Seconds."""

    sent: float
    whole: float


def make_context(folder: Path) -> None:
    for number in range(FILES):
        place = folder / f"d{number % FOLDERS:03}"
        if number < FOLDERS:
            place.mkdir()
        (place / f"file{number:05}.txt").write_bytes(b"%05d" % number * (SIZE // 5))
    (folder / "Dockerfile").write_text(DOCKERFILE)


class Steps:
    """A sink that keeps each step as it was last told."""

    def __init__(self) -> None:
        self.steps: dict[str, BuildStep] = {}

    def __call__(self, items: Sequence[BuildItem]) -> None:
        self.steps |= {item.digest: item for item in items if isinstance(item, BuildStep)}

    def seconds(self, name: str) -> float:
        found = [step for step in self.steps.values() if step.name == name]
        return sum((step.completed or 0.0) - (step.started or 0.0) for step in found)

    def busy(self) -> float:
        """Seconds in which at least one step ran."""
        spans = sorted(
            (step.started, step.completed)
            for step in self.steps.values()
            if step.started is not None and step.completed is not None
        )
        total, reached = 0.0, 0.0
        for begin, end in spans:
            total += max(0.0, end - max(begin, reached))
            reached = max(reached, end)
        return total


def own_build(backend: EngineBackend, spec: BuildSpec) -> tuple[Taken, BuildResult, Steps]:
    steps = Steps()
    begun = time.perf_counter()
    result = backend.build(spec, steps, SilentWork())
    return Taken(steps.seconds(_LOADING), time.perf_counter() - begun), result, steps


def sdk_build(dockerd: Dockerd, context: Path) -> Taken:
    client = sdk.APIClient(base_url=dockerd.host, timeout=600)
    begun = time.perf_counter()
    sent = 0.0
    answer: Any = client.build(path=str(context), decode=True, rm=True, nocache=True)
    for _ in answer:
        sent = sent or time.perf_counter() - begun
    client.close()
    return Taken(sent, time.perf_counter() - begun)


def command_build(dockerd: Dockerd, context: Path, buildkit: bool) -> Taken | None:
    """`docker build`, its old builder or buildx; None where that is not installed."""
    if shutil.which("docker") is None:
        return None
    if buildkit:
        probe = subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False)
        if probe.returncode:
            return None
    command = ["docker", "--host", dockerd.host, "build", "--no-cache", str(context)]
    command += ["--progress=plain"] if buildkit else []
    env = {**os.environ, "DOCKER_BUILDKIT": "1" if buildkit else "0"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, text=True
    )
    sent = 0.0
    assert process.stdout is not None
    for line in process.stdout:
        if not sent and line.startswith("Step 1"):
            sent = time.perf_counter() - begun
        elif found := re.search(r"transferring context: .*? (\d+\.\d+)s done", line):
            sent = float(found.group(1))
    if process.wait():
        raise RuntimeError(f"{command} failed")
    return Taken(sent, time.perf_counter() - begun)


def forget(dockerd: Dockerd) -> None:
    """Have the engine forget contexts, layers and images, so that the next build is a first one."""
    for image in json.loads(dockerd.request("GET", "/images/json?all=1")):
        if not any(tag == BUSYBOX for tag in image.get("RepoTags") or ()):
            with contextlib.suppress(RuntimeError):  # it went with one made of it
                dockerd.request("DELETE", f"/images/{image['Id']}?force=1")
    dockerd.request("POST", "/build/prune?all=1")
    os.sync()


def rounds(backend: EngineBackend, dockerd: Dockerd, folder: Path) -> dict[str, Taken]:
    """The best first build of each, all in turn: what else the machine does falls on all of them."""
    spec = BuildSpec(folder, no_cache=True)
    classic = BuildSpec(folder, no_cache=True, classic=True)
    ways: dict[str, Callable[[], Taken | None]] = {
        "own": lambda: own_build(backend, spec)[0],
        "docker SDK": lambda: sdk_build(dockerd, folder),
        "docker build, old builder": lambda: command_build(dockerd, folder, False),
        "docker buildx": lambda: command_build(dockerd, folder, True),
        "own, classic": lambda: own_build(backend, classic)[0],
    }
    best: dict[str, Taken] = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            forget(dockerd)
            taken = way()
            if taken is not None:
                before = best.get(name, taken)
                best[name] = Taken(*map(min, taken, before))
    return best


def contexts(report: Report, backend: EngineBackend, dockerd: Dockerd, folder: Path) -> None:
    best = rounds(backend, dockerd, folder)
    own, classic = best.pop("own"), best.pop("own, classic")
    for name, peer in best.items():
        if peer.sent:
            report.add("first context", own.sent, "s", limit=peer.sent, peer=name)
        report.add("first build", own.whole, "s", limit=peer.whole, peer=name)
    slow = best["docker SDK"]
    report.add("first context, classic", classic.sent, "s", limit=slow.sent, peer="docker SDK")
    report.add("first build, classic", classic.whole, "s", limit=slow.whole, peer="docker SDK")
    again(report, backend, dockerd, folder, slow)


def again(
    report: Report, backend: EngineBackend, dockerd: Dockerd, folder: Path, slow: Taken
) -> None:
    """The second build, which for a tar is as the first."""
    spec = BuildSpec(folder, no_cache=True)
    forget(dockerd)
    _, result, _ = own_build(backend, spec)
    assert result.files == FILES + 1, result
    same, result, _ = own_build(backend, spec)
    assert result.files == 0, result
    (folder / "d000" / "file00000.txt").write_text("changed")
    changed, result, _ = own_build(backend, spec)
    report.add("second context, nothing changed", same.sent, "s", limit=slow.sent / 2)
    report.add("second context, one file changed", changed.sent, "s", limit=slow.sent / 2)
    report.add("files sent after one change", result.files, "files", limit=1)
    report.add("bytes sent after one change", result.sent, "bytes", limit=len("changed"))


def tars(report: Report, folder: Path) -> None:
    """Packing alone, without an engine."""
    begun = time.perf_counter()
    own = sum(map(len, Tarball(walk(str(folder), Filters()))))
    taken = time.perf_counter() - begun
    begun = time.perf_counter()
    with sdk.utils.build.tar(str(folder), dockerfile=None) as file:
        size = file.seek(0, 2)
    peer = time.perf_counter() - begun
    note = f"{own >> 20} MiB; peer: {size >> 20} MiB"
    report.add("context packed", taken, "s", limit=peer, peer="docker SDK", note=note)


def overhead(report: Report, backend: EngineBackend, folder: Path) -> None:
    """Steps that do some work, one after the other."""
    text = f"FROM {BUSYBOX}\n" + "".join(
        f"RUN n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done; echo {number}\n"
        for number in range(STEPS)
    )
    spec = BuildSpec(folder, text=text, no_cache=True)
    shares = []
    for _ in range(3):
        taken, _, steps = own_build(backend, spec)
        shares.append(100 * (taken.whole - steps.busy()) / steps.busy())
    report.add(
        "overhead over the engine's steps",
        min(shares),
        "%",
        limit=5,
        note=f"{STEPS} steps; the engine's own pauses between them are in it",
    )


@contextlib.contextmanager
def engine_in_memory() -> Iterator[Dockerd]:
    """A dockerd whose data is in memory, where there is enough: a disk's own moods outweigh what is measured."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM
    with tempfile.TemporaryDirectory(
        prefix="ddt-", dir=memory if roomy else None, ignore_cleanup_errors=True
    ) as data:
        made = Dockerd(f"--data-root={data}")
        try:
            made.start()
            load_busybox(made)
            yield made
        finally:
            made.remove()
            mounts = Path("/proc/self/mounts").read_text().splitlines()
            for point in reversed([line.split()[1] for line in mounts]):
                if point.startswith(f"{data}/"):
                    subprocess.run(["umount", "-l", point], capture_output=True, check=False)


def run(report: Report) -> None:
    with engine_in_memory() as dockerd, tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "context"
        folder.mkdir()
        make_context(folder)
        reactor = Reactor()
        backend = connect(endpoint("bench", dockerd.host, "a benchmark"), reactor)
        try:
            tars(report, folder)
            contexts(report, backend, dockerd, folder)
            small = Path(name) / "small"
            small.mkdir()
            overhead(report, backend, small)
        finally:
            backend.close()
            reactor.close()


if __name__ == "__main__":
    main("build", run)
