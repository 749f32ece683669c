"""What ships beside the code: locks that match, entries that desktops accept, scripts that say no politely."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import tomllib
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dockdesk

ROOT = Path(__file__).parents[2]
LINUX = ROOT / "packaging" / "linux"
APP_ID = "org.dockdesk.DockDesk"
LOCKS = ("requirements.lock", "requirements-dev.lock")

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?:\s*;\s*(.+?))?\s*\\?$")


def pins(lock: str) -> dict[str, set[str]]:
    """Package → its pinned versions; several where they differ between Python versions."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in (ROOT / "packaging" / lock).read_text().splitlines():
        if match := _PIN.match(line):
            found[canonicalize_name(match[1])].add(match[2])
    return found


def project() -> dict[str, list[str]]:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())
    run = data["project"]["dependencies"] + data["build-system"]["requires"]
    return {
        "requirements.lock": run,
        "requirements-dev.lock": run + data["dependency-groups"]["dev"],
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_has_what_the_project_asks_for(lock: str) -> None:
    """Fails when a dependency was added without `make lock`."""
    pinned = pins(lock)
    for text in project()[lock]:
        wanted = Requirement(text)
        versions = pinned.get(canonicalize_name(wanted.name), set())
        assert any(wanted.specifier.contains(version) for version in versions), (text, versions)


def test_the_tools_come_on_top_of_the_same_packages() -> None:
    run, dev = (pins(lock) for lock in LOCKS)
    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_names_no_host_and_every_hash(lock: str) -> None:
    text = (ROOT / "packaging" / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    blocks = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if block.strip())


def test_the_desktop_entry_starts_the_program() -> None:
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(LINUX / f"{APP_ID}.desktop", encoding="utf-8")
    entry = dict(parser["Desktop Entry"])
    assert entry["Type"] == "Application"
    command, files = entry["Exec"].split()
    assert command in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert files == "%F"
    assert "text/x-dockerfile" in entry["MimeType"].split(";")
    assert entry["Icon"] == APP_ID


def test_the_metadata_knows_this_version() -> None:
    root = ET.parse(LINUX / f"{APP_ID}.metainfo.xml").getroot()
    assert root.findtext("id") == APP_ID
    assert root.findtext("launchable") == f"{APP_ID}.desktop"
    release = root.find("releases/release")
    assert release is not None
    assert release.get("version") == dockdesk.__version__


def test_system_packages_are_well_formed() -> None:
    for path in (ROOT / "packaging" / "system").glob("*.txt"):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert all(re.fullmatch(r"(lib|cmd|static):\S+ +[a-z0-9.+-]+", line) for line in lines)


def start(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    return subprocess.run(
        ["bash", ROOT / "packaging" / "run.sh", *arguments],
        env=kept | env,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only Linux may have no display")
def test_without_a_display_it_says_so_in_one_line() -> None:
    """Before anything is installed: nobody downloads 300 MB to learn that there is no screen."""
    done = start()
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "ARGS=--vnc" in done.stderr
    assert "dockdesk pictures" in done.stderr


@pytest.mark.parametrize(
    "script", ["packaging/setup.sh", "packaging/run.sh", "packaging/lock.sh", ".ci/run"]
)
def test_scripts_are_bash_that_parses(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
