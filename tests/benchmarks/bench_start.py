"""How soon DockDesk is there: beside a bare window, and beside a peer with the same engine and containers."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if str(Path(__file__).parents[2]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.harness import Report
from tests.benchmarks.harness import main as harness_main
from tests.engines import Dockerd, load_busybox

CONTAINERS = 20
RUNS = 7
PEER = "anchorage-docker==0.2.0"
_PROBE = Path(__file__).with_name("start_probe.py")


def peer_folder() -> Path | None:
    """Where the peer is installed, without its dependencies: it runs on the same Qt as DockDesk."""
    folder = Path(__file__).parents[2] / "build" / "bench" / PEER.replace("==", "-")
    if not folder.exists():
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-q",
                "--no-deps",
                "--target",
                str(folder),
                PEER,
            ],
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode:
            return None
    return folder


def once(target: str, rows: int, env: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, str(_PROBE), target, str(rows), str(time.time())],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if not done.stdout.strip():
        raise RuntimeError(f"{target} ended with code {done.returncode}: {done.stderr[-2000:]}")
    said: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def run(report: Report) -> None:
    engine = Dockerd()
    with tempfile.TemporaryDirectory() as home:
        try:
            engine.start()
            image = load_busybox(engine)
            for number in range(CONTAINERS):
                body = json.dumps({"Image": image, "Cmd": ["sleep", "100000"]}).encode()
                made = json.loads(
                    engine.request(
                        "POST", f"/containers/create?name=bench{number}", body, "application/json"
                    )
                )
                engine.request("POST", f"/containers/{made['Id']}/start")
            _measure(report, engine, home)
        finally:
            engine.stop()
            engine.remove()


def _measure(report: Report, engine: Dockerd, home: str) -> None:
    peer = peer_folder()
    env = {
        **os.environ,
        "HOME": home,
        "XDG_CONFIG_HOME": f"{home}/config",
        "XDG_DATA_HOME": f"{home}/data",
        "XDG_STATE_HOME": f"{home}/state",
        "DOCKER_HOST": engine.host,
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPATH": os.pathsep.join(
            [str(Path(__file__).parents[2]), *([str(peer)] if peer else [])]
        ),
    }
    targets = [
        ("bare", 0),
        ("dockdesk", CONTAINERS),
        *([("anchorage", CONTAINERS)] if peer else []),
    ]
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in targets}
    for round_number in range(RUNS + 1):
        for name, rows in targets:  # in turn, so that a slow moment hits all alike
            found = once(name, rows, env)
            if round_number:  # the first warms the caches
                taken[name].append(found)

    def median(name: str, key: str) -> float:
        return statistics.median(item[key] for item in taken[name] if key in item)

    bare, own = median("bare", "first_paint_ms"), median("dockdesk", "first_paint_ms")
    cpu = median("dockdesk", "first_paint_cpu_ms") / median("bare", "first_paint_cpu_ms")
    usable, rss = median("dockdesk", "usable_ms"), median("dockdesk", "rss_mib")
    report.add("first paint", own / bare, "x a bare window's", limit=1.3, floor=1.0)
    report.add("processor time to first paint", cpu, "x a bare window's", limit=1.3, floor=1.0)
    report.add("usable list", usable, "ms", limit=500, floor=bare, note=f"{CONTAINERS} containers")
    report.add("memory", rss, "MiB", limit=200, floor=median("bare", "rss_mib"))
    loaded = once("loaded", CONTAINERS, env)["rss_mib"]
    report.add("memory with everything opened", loaded, "MiB", limit=200)
    if peer:
        report.add(
            "usable list",
            usable / median("anchorage", "usable_ms"),
            "x the peer's",
            limit=1.0,
            peer=PEER,
            note=f"{median('anchorage', 'usable_ms'):.0f} ms",
        )
        report.add(
            "processor time to the usable list",
            median("dockdesk", "usable_cpu_ms") / median("anchorage", "usable_cpu_ms"),
            "x the peer's",
            peer=PEER,
        )
        report.add(
            "memory", rss / median("anchorage", "rss_mib"), "x the peer's", limit=1.0, peer=PEER
        )


if __name__ == "__main__":
    harness_main("start", run)
