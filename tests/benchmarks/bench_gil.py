"""What holds the interpreter: large answers read on a worker while the window has nothing to do but come round.

A thread that works in C without letting go of the interpreter stalls the window as surely as work of its own. Told is
the longest stall of an idle event loop meanwhile, the least of several rounds, since other programs only add to it; and
for what the GUI thread does with the answer, the longest stretch of its own work.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import harness
from harness import FRAME_MS, Report, spin, spin_until, stalls

from dockdesk.backends.archive.audit import AuditArchive
from dockdesk.backends.archive.builds import _pack_logs, _unpack_logs
from dockdesk.backends.archive.database import Database
from dockdesk.backends.engine.answers import content
from dockdesk.backends.engine.convert import (
    RawList,
    containers_from,
    detail_from,
    listed_from,
    one_by_one,
)
from dockdesk.bridge.collector import Collector
from dockdesk.bridge.jobs import Jobs
from dockdesk.core.actions import AuditEntry, Equivalent
from dockdesk.ui.theme import LIGHT, Theme
from dockdesk.ui.widgets.inspect import InspectTree
from dockdesk.ui.widgets.inspect.masked import json_text, masked
from dockdesk.ui.widgets.text_view import find_all

ENTRIES = 10_000
_ROUNDS = 5
_JSON = "application/json"


def listed(number: int) -> dict[str, Any]:
    """One entry of GET /containers/json, with the labels that Compose gives."""
    labels = {f"com.docker.compose.label-{n}": f"value {n} of {number}" for n in range(12)}
    return {
        "Id": f"{number:064x}",
        "Names": [f"/shop-web-{number}"],
        "Image": "registry.example/shop/web:1.2",
        "ImageID": "sha256:" + f"{number % 20:064x}",
        "Command": "/docker-entrypoint.sh nginx -g 'daemon off;'",
        "Created": 1_700_000_000 + number,
        "Ports": [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}],
        "Labels": labels,
        "State": "running",
        "Status": "Up 3 hours (healthy)",
        "HostConfig": {"NetworkMode": "default"},
        "NetworkSettings": {
            "Networks": {"bridge": {"NetworkID": "a" * 64, "IPAddress": "1.2.3.4"}}
        },
        "Mounts": [{"Type": "volume", "Name": "data", "Source": "/x", "Destination": "/data"}],
    }


def inspected(size: int) -> bytes:
    """A GET /containers/{id}/json of about ``size`` bytes: most of it environment and labels."""
    count = size // 130
    return json.dumps(
        {
            "Id": "f" * 64,
            "Name": "/web",
            "Created": "2024-05-01T10:00:00.123456789Z",
            "State": {"Status": "running", "Running": True, "StartedAt": "2024-05-01T10:00:00Z"},
            "Image": "sha256:" + "a" * 64,
            "Config": {
                "Image": "web",
                "Env": [f"SETTING_{n}=value number {n} of many" for n in range(count)],
                "Labels": {f"org.example.label.{n}": f"some text {n} " * 3 for n in range(count)},
            },
            "HostConfig": {},
            "NetworkSettings": {"Networks": {}},
            "Mounts": [],
        }
    ).encode()


def on_a_worker(work: Callable[[], object]) -> float:
    """The longest stall of an idle loop while ``work`` runs on a thread, in ms; the least of some rounds."""
    found = []
    for _ in range(_ROUNDS):
        thread = threading.Thread(target=work)
        with stalls(1) as meter:
            thread.start()
            spin_until(lambda thread=thread: not thread.is_alive(), 120)  # type: ignore[misc]
        found.append(meter.longest)
    return min(found)


def workers(report: Report, archive: AuditArchive) -> None:
    body = json.dumps([listed(number) for number in range(ENTRIES)]).encode()
    answer = inspected(1_000_000)
    raw = content(answer, _JSON, None)
    text = json_text(raw)
    logs = _pack_logs(
        {
            f"sha256:{n:064x}": b"\x1b[32m#7 1.234 building\x1b[0m it \xe2\x9c\x93\r\n" * 6000
            for n in range(20)
        }
    )
    kept: list[object] = []
    cases: tuple[tuple[str, Callable[[], object]], ...] = (
        (
            f"list of {ENTRIES:,} containers, {len(body) / 1e6:.1f} MB",
            lambda: kept.extend(
                containers_from(one_by_one(listed_from(content(body, _JSON, RawList))))
            ),
        ),
        (
            f"inspect of {len(answer) / 1e6:.1f} MB",
            lambda: detail_from(content(answer, _JSON, None)),
        ),
        ("masking it and making its JSON", lambda: json_text(masked(raw))),
        (
            f"finding what isn't there in {len(text) / 1e6:.1f} MB",
            lambda: find_all(text, "no such"),
        ),
        (f"command log: newest {ENTRIES:,}", lambda: archive.newest(ENTRIES)),
        (f"command log: search of {ENTRIES:,}", lambda: archive.search("web restart", ENTRIES)),
        (f"logs of a build, {len(logs) / 1e3:.0f} kB packed", lambda: _unpack_logs(logs)),
    )
    for name, work in cases:
        report.add(f"on a worker: {name}", on_a_worker(work), "ms", limit=FRAME_MS)


def views(report: Report, theme: Theme, jobs: Jobs) -> None:
    """What showing it costs the GUI thread."""
    tree = InspectTree(theme, jobs)
    tree.resize(900, 600)
    tree.show()
    spin(0.3)
    raw = content(inspected(1_000_000), _JSON, None)
    again = content(inspected(1_000_000), _JSON, None)
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("as a tree", lambda: tree.set_value(raw, "web")),
        ("the same once more", lambda: tree.set_value(again, "web")),
        ("as JSON", lambda: tree.mode.button("json").click()),
        ("search in it", lambda: tree.search.setText("no such")),
    )
    for name, step in steps:
        with stalls(1) as meter:
            step()
            spin(0.5)
            spin_until(lambda: not jobs.busy() and not tree.text._timer.isActive(), 60)
            spin(0.2)
        note = f"stall {meter.longest:.1f} ms by the clock"
        report.add(f"inspect of 1 MB, {name}", meter.busy, "ms", limit=FRAME_MS, note=note)
    tree.close()


def run(report: Report) -> None:
    sys.setswitchinterval(0.0005)  # as the program sets it
    theme = Theme(LIGHT)
    theme.apply(harness.application())
    jobs = Jobs()
    collector = Collector()
    with stalls(1) as idle:
        spin(1.0)
    report.add("an idle loop", idle.longest, "ms", note="the floor")
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "archive.sqlite")
        archive = AuditArchive(database)
        for number in range(ENTRIES):
            archive.add(
                AuditEntry(
                    at=1_700_000_000.0 + number,
                    environment="default",
                    action="container.restart",
                    title="Restart web",
                    target=f"web-{number}",
                    equivalent=Equivalent(f"docker restart web-{number}", "x", "POST /x"),
                    outcome="ok",
                )
            )
        workers(report, archive)
        database.close()
    views(report, theme, jobs)
    collector.close()
    jobs.close()


if __name__ == "__main__":
    harness.main("gil", run)
