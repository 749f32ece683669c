"""The report's two forms, and checks that hang or break."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import pytest

from dockdesk.doctor.checks import Check, Surroundings, output_of, run_checks
from dockdesk.doctor.report import Finding, Report, Status, to_json, to_text

OK = Finding("Engines", "default", Status.OK, "Docker Engine 28", data={"api": "1.51"})
BAD = Finding("AWS", "work", Status.PROBLEM, "not signed in", "Run aws sso login.")


def test_text_for_people() -> None:
    assert to_text(Report("1.2.3", [OK, BAD])).splitlines() == [
        "DockDesk 1.2.3",
        "",
        "Engines",
        "  ok       default: Docker Engine 28",
        "",
        "AWS",
        "  problem  work: not signed in",
        "           → Run aws sso login.",
        "",
        "One problem was found.",
    ]


def test_it_says_when_there_is_no_engine() -> None:
    assert to_text(Report("1", [])).endswith(
        "No problem was found. No container engine can be reached."
    )
    assert not Report("1", [BAD]).reachable
    assert Report("1", [OK]).reachable


def test_json_for_programs() -> None:
    told = json.loads(to_json(Report("1.2.3", [OK, BAD])))
    assert told["dockdesk"] == "1.2.3"
    assert told["reachable"] is True
    assert told["findings"][0] == {
        "section": "Engines",
        "name": "default",
        "status": "ok",
        "detail": "Docker Engine 28",
        "hint": "",
        "data": {"api": "1.51"},
    }


def test_names_cannot_move_the_cursor() -> None:
    evil = Finding("Engines", "a\x1b[2Jb\nc", Status.OK, "x\u202ey\r", "h\x07")
    text = to_text(Report("1", [evil]))
    assert "  ok       a [2Jb c: x y\n           → h\n" in text
    assert set(text) & set("\x1b\r\x07\u202e") == set()


def test_colours_only_where_asked() -> None:
    assert "\x1b" not in to_text(Report("1", [BAD]))
    assert "\x1b[31mproblem\x1b[0m" in to_text(Report("1", [BAD]), colour=True)


def test_findings_keep_the_order_of_their_checks() -> None:
    second_done = threading.Event()

    def first() -> list[Finding]:
        assert second_done.wait(60)
        return [OK, BAD]

    def second() -> list[Finding]:
        second_done.set()
        return [OK]

    checks = [Check("A", "first", first, 100), Check("B", "second", second, 100)]
    assert run_checks(checks) == [OK, BAD, OK]


def test_a_check_that_hangs_costs_its_own_line() -> None:
    release = threading.Event()

    def hang() -> list[Finding]:
        release.wait(60)
        return []

    found = run_checks(
        [Check("A", "slow", hang, limit=0.05), Check("B", "quick", lambda: [OK], limit=60)]
    )
    release.set()
    assert [item.name for item in found] == ["slow", "default"]
    assert found[0].status is Status.PROBLEM
    assert "no answer within" in found[0].detail


def test_a_check_that_breaks_is_a_finding() -> None:
    def breaks() -> list[Finding]:
        raise ZeroDivisionError("by zero")

    (found,) = run_checks([Check("A", "odd", breaks)])
    assert found.status is Status.PROBLEM
    assert "ZeroDivisionError: by zero" in found.detail


def test_files_are_found_as_the_environment_says() -> None:
    home = Path("/somebody")
    assert Surroundings({}, home).path("X", ".a", "b") == home / ".a" / "b"
    assert Surroundings({"X": "~/c"}, home).path("X", ".a") == home / "c"
    assert Surroundings({"X": "/c"}, home).path("X", ".a") == Path("/c")
    assert Surroundings({"X": "/c::~/d"}, home).paths("X", ".a") == [Path("/c"), home / "d"]
    assert Surroundings({"X": ""}, home).paths("X", ".a") == [home / ".a"]


def test_output_of_a_command() -> None:
    code = "import os, sys; print(os.environ['A']); print('e', file=sys.stderr); sys.exit(3)"
    assert output_of([sys.executable, "-c", code], {"A": "1"}) == (3, "1\ne")
    with pytest.raises(FileNotFoundError):
        output_of(["/no/such/program"], {})
