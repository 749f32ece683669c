"""Command line tools and credential helpers, played by small scripts on a PATH of their own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import keyring
import keyring.backends.fail
import keyring.backends.null
import pytest

from dockdesk.doctor import credentials, desktop, tools
from dockdesk.doctor.checks import Surroundings, run_checks
from dockdesk.doctor.report import Finding, Status


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    (tmp_path / "bin").mkdir()
    (tmp_path / ".docker").mkdir()
    return Surroundings({"PATH": str(tmp_path / "bin")}, tmp_path)


def script(around: Surroundings, name: str, body: str) -> None:
    path = around.home / "bin" / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def config(around: Surroundings, content: object) -> None:
    (around.home / ".docker" / "config.json").write_text(json.dumps(content))


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_tools_tell_their_versions(around: Surroundings) -> None:
    script(around, "docker", "echo 'Docker version 28.2.2, build e6534b4'")
    script(around, "ssh", "[ \"$1\" = -V ] && echo 'OpenSSH_9.2p1 Debian-2+deb12u5' >&2")
    script(around, "podman", "echo broken library; exit 127")
    script(around, "kubectl", "echo some text without a number")
    found = by_name(run_checks(tools.checks(around)))
    assert found["docker"].data["version"] == "28.2.2"
    assert found["ssh"].data["version"] == "9.2p1"
    assert found["podman"].status is Status.PROBLEM
    assert "ends with code 127: broken library" in found["podman"].detail
    assert found["kubectl"].data["version"] == "some text without a number"
    assert found["hadolint"].status is Status.ABSENT
    assert "Only needed for more advice on Dockerfiles" in found["hadolint"].hint


def test_a_program_of_another_machine_is_a_problem(around: Surroundings) -> None:
    path = around.home / "bin" / "aws"
    path.write_bytes(b"\x7fELF not for here")
    path.chmod(0o755)
    assert by_name(run_checks(tools.checks(around)))["aws"].status is Status.PROBLEM


def test_helpers_are_run_and_counted(around: Surroundings) -> None:
    logins = json.dumps({"https://index.docker.io/v1/": "somebody", "ghcr.io": "other"})
    script(around, "docker-credential-good", f"[ $1 = list ] && echo '{logins}'")
    script(around, "docker-credential-locked", "echo 'keyring is locked' >&2; exit 1")
    script(around, "docker-credential-odd", "echo hello")
    config(
        around,
        {
            "credsStore": "good",
            "credHelpers": {
                "a.example": "locked",
                "b.example": "odd",
                "c.example": "gone",
                "d.example": "gone",
            },
        },
    )
    found = by_name(credentials.look_at_config(around))
    assert found["docker-credential-good"].detail == "2 logins, the default store"
    assert found["docker-credential-locked"].detail == "it fails: keyring is locked"
    assert found["docker-credential-odd"].status is Status.PROBLEM
    assert "for c.example, d.example" in found["docker-credential-gone"].detail
    text = repr(found)
    assert "somebody" not in text


def test_passwords_in_the_file_are_noted_but_not_shown(around: Surroundings) -> None:
    config(around, {"auths": {"r.example": {"auth": "dXNlcjpodW50ZXIy"}, "empty.example": {}}})
    found = credentials.look_at_config(around)
    note = by_name(found)["passwords in config.json"]
    assert note.status is Status.NOTE
    assert note.data == {"registries": ["r.example"]}
    assert "dXNlcjpodW50ZXIy" not in repr(found)


def test_the_folder_may_be_named(around: Surroundings, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    named = Surroundings({"DOCKER_CONFIG": str(tmp_path / "other")}, tmp_path)
    assert credentials.look_at_config(named)[0].status is Status.OK
    assert credentials.look_at_config(around)[0].status is Status.ABSENT


@pytest.mark.parametrize("content", ["{", "[]", "\x00", '"x"'])
def test_a_broken_file_is_a_problem(around: Surroundings, content: str) -> None:
    (around.home / ".docker" / "config.json").write_text(content)
    (found,) = credentials.look_at_config(around)
    assert found.status is Status.PROBLEM


@pytest.mark.parametrize(
    "content",
    [
        {"credsStore": 3, "credHelpers": [], "auths": "x"},
        {"credHelpers": {"a": None}, "auths": {"a": "b"}},
    ],
)
def test_odd_contents_are_passed_over(around: Surroundings, content: object) -> None:
    config(around, content)
    assert [found.name for found in credentials.look_at_config(around)] == ["docker config"]


def test_a_keyring_that_keeps_nothing_is_noted() -> None:
    found = credentials.look_at_keyring()
    assert found.status is Status.NOTE
    assert found.data == {"backend": "keyring.backends.fail.Keyring"}


def test_keyrings_are_named() -> None:
    class Chain(keyring.backends.null.Keyring):
        backends = (keyring.backends.null.Keyring(), keyring.backends.fail.Keyring())

    before = keyring.get_keyring()
    try:
        keyring.set_keyring(Chain())
        chained = credentials.look_at_keyring()
        keyring.set_keyring(keyring.backends.null.Keyring())
        nothing = credentials.look_at_keyring()
    finally:
        keyring.set_keyring(before)
    assert nothing.status is Status.NOTE
    assert (chained.status, chained.detail) == (Status.OK, "null Keyring, fail Keyring")


def test_versions_of_everything() -> None:
    found = by_name(desktop.versions())
    assert {"Python", "SQLite", "PySide6-Essentials", "docker"} <= set(found)
    assert all(finding.status is Status.OK for finding in found.values())


def test_qt_is_asked_to_open_the_display() -> None:
    found = desktop.look_at_display(Surroundings({**os.environ, "QT_QPA_PLATFORM": "offscreen"}))
    assert found.status is Status.OK
    assert found.data["platform"] == "offscreen"


def test_a_display_that_does_not_answer_is_a_problem() -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "xcb", "DISPLAY": ":987"}
    found = desktop.look_at_display(Surroundings(env))
    assert found.status is Status.PROBLEM
    assert found.hint


def test_no_display_is_a_note_with_a_way_out() -> None:
    found = desktop.look_at_display(Surroundings({}))
    assert found.status is Status.NOTE
    assert "--vnc" in found.hint
