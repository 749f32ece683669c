"""Runs benchmarks one by one and prints their reports as one JSON list: ``python -m tests.benchmarks [names]``.

A name is that of a script without ``bench_`` and ``.py``. The exit code is 1 when one missed a limit or broke.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
TIMEOUT_S = 1800.0


def scripts() -> dict[str, Path]:
    return {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("**/bench_*.py"))}


def run(name: str, script: Path) -> dict[str, Any]:
    """One benchmark in a process of its own, so that none warms the caches of the next."""
    try:
        done = subprocess.run(
            [sys.executable, script],
            cwd=FOLDER.parents[1],
            stdout=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        report = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"benchmark": name, "ok": False, "error": f"not over after {TIMEOUT_S:.0f} s"}
    except ValueError:
        error = f"no report; it ended with code {done.returncode}"
        return {"benchmark": name, "ok": False, "error": error, "output": done.stdout[-2000:]}
    return report if isinstance(report, dict) else {"benchmark": name, "results": report}


def main(names: Sequence[str]) -> int:
    known = scripts()
    if unknown := [name for name in names if name not in known]:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    reports = []
    for name in names or known:
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        report = run(name, known[name])
        reports.append(report)
        print("ok" if report.get("ok", True) else "MISSED", file=sys.stderr)
    json.dump(reports, sys.stdout, indent=2)
    print()
    return 0 if all(report.get("ok", True) for report in reports) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
