"""The computer itself: versions of what DockDesk is made of, and whether Qt can open a window."""

from __future__ import annotations

import platform
import re
import sqlite3
import ssl
import subprocess
import sys
from importlib import metadata

from dockdesk.doctor.checks import Check, Surroundings, output_of
from dockdesk.doctor.report import Finding, Status

# Asked in a process of its own: where a library is missing, Qt does not return but aborts.
_OPEN_QT = (
    "from PySide6.QtGui import QGuiApplication as A; a = A([]); s = a.primaryScreen(); g = s.geometry(); "
    "print('platform', a.platformName(), f'{g.width()}x{g.height()}', s.devicePixelRatio())"
)
_MISSING = re.compile(r"(lib[\w.+-]+\.so[\d.]*): cannot open|(\blibxcb-cursor0\b|\bxcb-cursor0\b)")

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def checks(around: Surroundings) -> list[Check]:
    return [
        Check("System", "versions", versions),
        Check("Display", "window", lambda: [look_at_display(around)]),
    ]


def versions() -> list[Finding]:
    system = {
        "Python": f"{platform.python_version()} ({sys.executable})",
        "system": _system(),
        "SQLite": sqlite3.sqlite_version,
        "TLS": ssl.OPENSSL_VERSION,
    }
    findings = [
        Finding("System", name, Status.OK, text, data={"version": text})
        for name, text in system.items()
    ]
    for package, everywhere in sorted(required().items(), key=lambda item: item[0].lower()):
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            if everywhere:
                hint = "Install DockDesk anew; a part of it is missing."
                findings.append(Finding("System", package, Status.PROBLEM, "not installed", hint))
            continue
        data = {"version": version}
        findings.append(Finding("System", package, Status.OK, version, data=data))
    return findings


def required() -> dict[str, bool]:
    """The packages that DockDesk asks for, and whether on every system and Python."""
    try:
        lines = metadata.requires("dockdesk") or []
    except metadata.PackageNotFoundError:
        return {}
    found: dict[str, bool] = {}
    for line in lines:
        requirement, _, marker = line.partition(";")
        if "extra" not in marker and (name := _NAME.match(requirement)):
            found[name.group()] = not marker
    return found


def _system() -> str:
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}"
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']} ({machine})"
    except (OSError, KeyError):
        return machine


def look_at_display(around: Surroundings) -> Finding:
    """Have Qt connect to the display, as starting the program would."""
    env = around.env
    screen = env.get("WAYLAND_DISPLAY") or env.get("DISPLAY") or ""
    if sys.platform.startswith("linux") and not screen and not env.get("QT_QPA_PLATFORM"):
        return Finding(
            "Display",
            "window",
            Status.NOTE,
            "there is no display here",
            "Use “dockdesk --vnc” for a window over VNC, or “dockdesk pictures --out FOLDER” for pictures of it.",
        )
    if getattr(sys, "frozen", False):
        # The packaged program is no interpreter that could be asked.
        return Finding(
            "Display", "window", Status.NOTE, f"{screen}: not tried", data={"screen": screen}
        )
    try:
        code, output = output_of([sys.executable, "-c", _OPEN_QT], env)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("Display", "window", Status.PROBLEM, f"Qt does not start: {error}", _HINT)
    told = [line.split() for line in output.splitlines() if line.startswith("platform ")]
    if code == 0 and told:
        _, name, size, scale = told[0]
        data = {"platform": name, "screen": size, "scale": float(scale)}
        detail = f"Qt's platform is {name}, the screen {size} at {float(scale) * 100:.0f} %"
        return Finding("Display", "window", Status.OK, detail, data=data)
    missing = sorted({a or b for a, b in _MISSING.findall(output)})
    detail = f"Qt can't use {screen or env.get('QT_QPA_PLATFORM')}"
    if missing:
        return Finding(
            "Display",
            "window",
            Status.PROBLEM,
            f"{detail}: {', '.join(missing)} missing",
            "On Debian and Ubuntu: apt install libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1"
            " libxkbcommon-x11-0 libegl1 libgl1.",
        )
    first = next((line for line in output.splitlines() if line.strip()), f"code {code}")
    return Finding("Display", "window", Status.PROBLEM, f"{detail}: {first}", _HINT)


_HINT = "Check DISPLAY or WAYLAND_DISPLAY; “dockdesk --vnc” works without either."
