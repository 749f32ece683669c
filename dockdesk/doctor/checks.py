"""Checks side by side, each with a limit: one that hangs costs its own line and nobody else's."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dockdesk.doctor.report import Finding, Status

COMMAND_TIMEOUT = 8.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the checks look at: the environment and the home of the user who asks."""

    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    home: Path = field(default_factory=Path.home)

    def path(self, variable: str, *default: str) -> Path:
        """The file that ``variable`` names, or the one at ``default`` below the home."""
        named = self.env.get(variable, "")
        return self._expanded(named) if named else self.home.joinpath(*default)

    def paths(self, variable: str, *default: str) -> list[Path]:
        """The same where the variable may name several."""
        named = [part for part in self.env.get(variable, "").split(os.pathsep) if part]
        return [self._expanded(part) for part in named] or [self.home.joinpath(*default)]

    def _expanded(self, path: str) -> Path:
        return self.home / path[2:] if path.startswith("~/") else Path(path)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at; ``look`` runs on a thread of its own and may take ``limit`` seconds."""

    section: str
    name: str
    look: Callable[[], Sequence[Finding]]
    limit: float = 15.0


@dataclass(slots=True)
class _Running:
    check: Check
    found: Sequence[Finding] | None = None

    def run(self) -> None:
        try:
            self.found = self.check.look()
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding too
            self.found = [
                Finding(
                    self.check.section,
                    self.check.name,
                    Status.PROBLEM,
                    f"the check itself failed: {type(error).__name__}: {error}",
                    "Please report this.",
                )
            ]


def run_checks(checks: Sequence[Check]) -> list[Finding]:
    """Run all at once; return their findings in the order of ``checks``."""
    started = time.monotonic()
    running = [_Running(check) for check in checks]
    threads = [
        threading.Thread(target=item.run, name=f"doctor-{item.check.name}", daemon=True)
        for item in running
    ]
    for thread in threads:
        thread.start()
    findings: list[Finding] = []
    for item, thread in zip(running, threads, strict=True):
        thread.join(max(0.0, started + item.check.limit - time.monotonic()))
        findings += item.found if item.found is not None else [_no_answer(item.check)]
    return findings


def _no_answer(check: Check) -> Finding:
    return Finding(
        check.section,
        check.name,
        Status.PROBLEM,
        f"no answer within {check.limit:.0f} s",
        "Something it asks hangs: a network, a locked keyring or a password prompt.",
    )


def output_of(command: Sequence[str], env: Mapping[str, str], stdin: str = "") -> tuple[int, str]:
    """Run a command; return its exit code and its output, then its errors, as text.

    Raises OSError where it can't be started and subprocess.TimeoutExpired where it does not end.
    """
    done = subprocess.run(
        command,
        env=dict(env),
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=COMMAND_TIMEOUT,
        check=False,
    )
    return done.returncode, (done.stdout.strip() + "\n" + done.stderr.strip()).strip()
