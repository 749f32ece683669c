"""The command `dockdesk doctor [--json]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

import dockdesk
from dockdesk.doctor import cloud, credentials, desktop, engines, kube, tools
from dockdesk.doctor.checks import Check, Surroundings, run_checks
from dockdesk.doctor.report import Report, to_json, to_text

UNREACHABLE = 1


def main(argv: Sequence[str]) -> int:
    """Print the report; return 0 where a container engine answers and 1 where none does."""
    parser = argparse.ArgumentParser(
        prog="dockdesk doctor",
        description="Say what DockDesk can reach from here, in which versions, and what to do about what it can't.",
        epilog="Exit code: 0 if a container engine answers, 1 if none does. No password or key is shown.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    options = parser.parse_args(list(argv))
    report = examine(Surroundings())
    print(to_json(report) if options.json else to_text(report, colour=_colourful()))
    return 0 if report.reachable else UNREACHABLE


def examine(around: Surroundings) -> Report:
    """Look at everything, side by side. Takes as long as the slowest check, half a minute at most."""
    checks: list[Check] = [
        *engines.checks(around),
        *tools.checks(around),
        *credentials.checks(around),
        *cloud.checks(around),
        *kube.checks(around),
        *desktop.checks(around),
    ]
    return Report(dockdesk.__version__, run_checks(checks))


def _colourful() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
