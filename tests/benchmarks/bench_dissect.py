"""An image of a gigabyte with fifty thousand files: dissected, beside `docker save` to nowhere on the same engine.

Both in turn, so that the engine's own work counts for both; the limit is their ratio. Stalls are those of an event
loop while a helper process reads and its answer arrives, beside those of an idle one.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

from harness import Report, main, spin, spin_until, stalls

from dockdesk.backends.engine.backend import EngineBackend, connect
from dockdesk.backends.engine.contexts import endpoint
from dockdesk.bridge.call import Call
from dockdesk.bridge.jobs import Jobs
from dockdesk.core.dissection.model import Dissection
from dockdesk.core.dissection.tree import FileTree, Query, tree_of
from dockdesk.core.reactor import Reactor
from tests.engines import Dockerd

FILES = int(os.environ.get("BENCH_FILES", "50000"))
SIZE = int(os.environ.get("BENCH_BYTES", str(1 << 30)))
LAYERS = 5
ROUNDS = 3
NAME = "bench/dissect:1"


def layer_tar(number: int) -> io.BytesIO:
    """A layer with its share of the files: mostly small ones, some large, as in images with a runtime."""
    buffer = io.BytesIO()
    count, size = FILES // LAYERS, SIZE // LAYERS
    small = os.urandom(4096)
    large = os.urandom(max(1, (size - count * 4096) // 20))
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for at in range(count):
            data = large if at % (count // 20) == 0 else small
            info = tarfile.TarInfo(f"usr/lib{number}/package{at % 300:03}/module{at:05}.py")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    buffer.seek(0)
    return buffer


def make_image(host: str, folder: Path) -> None:
    steps = ["FROM scratch"]
    for number in range(LAYERS):
        (folder / f"{number}.tar").write_bytes(layer_tar(number).getbuffer())
        steps.append(f"ADD {number}.tar /")
    (folder / "Dockerfile").write_text("\n".join(steps))
    environment = {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
    subprocess.run(
        ["docker", "build", "-q", "-t", NAME, str(folder)],
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def saved(host: str) -> float:
    start = time.perf_counter()
    subprocess.run(
        ["docker", "save", NAME],
        check=True,
        env={**os.environ, "DOCKER_HOST": host},
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def dissected(engine: EngineBackend, jobs: Jobs) -> tuple[float, Dissection]:
    got: list[Dissection] = []
    start = time.perf_counter()
    call = Call(*engine.dissecting(NAME))
    jobs.submit(jobs, call, got.append, process=True, long=True)
    spin_until(lambda: bool(got), 300)
    return time.perf_counter() - start, got[0]


def looked_at(jobs: Jobs, image: Dissection) -> float:
    got: list[FileTree] = []
    start = time.perf_counter()
    jobs.submit(
        jobs, Call(tree_of, (image, Query(LAYERS - 1, whole=True))), got.append, process=True
    )
    spin_until(lambda: bool(got), 60)
    return time.perf_counter() - start


def measure(report: Report) -> None:
    jobs = Jobs()
    reactor = Reactor()
    server = Dockerd()
    try:
        server.start()
        with tempfile.TemporaryDirectory() as folder:
            make_image(server.host, Path(folder))
        engine = connect(endpoint("bench", server.host, "a benchmark"), reactor)
        saves, ours = [], []
        with stalls() as idle:
            spin(1.0)
        saved_apart(jobs, server.host)
        dissected(engine, jobs)  # both warm
        image = None
        with stalls() as meter:
            for _ in range(ROUNDS):
                saves.append(saved_apart(jobs, server.host))
                took, image = dissected(engine, jobs)
                ours.append(took)
            assert image is not None
            tree = looked_at(jobs, image)
        assert sum(layer.added for layer in image.layers) >= FILES
        save, mine = min(saves), min(ours)
        report.add("docker save to nowhere", save, "s", note=f"{SIZE >> 20} MiB, {FILES} files")
        report.add("dissected in a helper", mine, "s", limit=save * 1.5, peer="docker save")
        report.add("tree of all files, in a helper", tree, "s", limit=2.0)
        report.add("longest stall", meter.longest, "ms", floor=idle.longest)
        report.add("longest stall of its own work", meter.busy, "ms", limit=16.7)
        engine.close()
    finally:
        jobs.close()
        reactor.close()
        server.remove()


def saved_apart(jobs: Jobs, host: str) -> float:
    """`saved` while the event loop runs."""
    got: list[float] = []
    jobs.submit(jobs, lambda _work: saved(host), got.append, long=True)
    spin_until(lambda: bool(got), 300)
    return got[0]


if __name__ == "__main__":
    main("dissect", measure)
