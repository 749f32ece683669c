"""The command log outlives the archive's faults, and gets back what was done before."""

from __future__ import annotations

from typing import Any

from dockdesk.core.actions import AuditEntry, Equivalent
from dockdesk.core.errors import LocalError
from dockdesk.ui.actions.audit import AuditLog
from tests.ui.actions.conftest import Bench
from tests.ui.doubles import MemoryArchive


def entry(at: float, target: str = "web") -> AuditEntry:
    return AuditEntry(at, "workshop", "container.stop", f"Stop {target}", target,
                      Equivalent(f"docker stop {target}"), "ok")  # fmt: skip


def test_reads_the_past_when_the_archive_arrives(bench: Bench) -> None:
    archive = MemoryArchive()
    archive.add(entry(10, "old"))
    log = AuditLog(bench.jobs)
    log.record(entry(20, "early"))
    log.set_archive(archive)
    bench.wait()
    assert [item.target for item in log.entries] == ["old", "early"]
    log.record(entry(30, "new"))
    bench.wait()
    assert [item.target for item in archive.entries] == ["old", "early", "new"]


def test_a_full_disk_is_told_once_and_loses_nothing(bench: Bench, expect_log: Any) -> None:
    expect_log("does not take the command log")
    told: list[Any] = []
    bench.audit.failed.connect(told.append)
    bench.archive.fault = LocalError("The disk is full")
    bench.audit.record(entry(1))
    bench.audit.record(entry(2))
    bench.wait()
    assert len(told) == 1
    assert len(bench.audit.entries) == 2
