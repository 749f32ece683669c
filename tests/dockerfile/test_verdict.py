"""An inventory, judged by rules: every entry's fate, and the line that decided it."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.errors import CancelledError, NotFoundError
from dockdesk.core.work import SilentWork
from dockdesk.dockerfile import inventory as entries
from dockdesk.dockerfile.context import scan
from dockdesk.dockerfile.context_warnings import context_warnings, warnings_before_build
from dockdesk.dockerfile.ignore import IgnoreRules
from dockdesk.dockerfile.inventory import Inventory, take
from dockdesk.dockerfile.verdict import (
    BELOW,
    LEFT,
    SENT,
    Verdict,
    judge,
    judge_text,
    take_and_judge,
)

WORK = SilentWork()


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def fate(inventory: Inventory, verdict: Verdict, path: str) -> tuple[int, int]:
    number = inventory.find(path)
    assert number is not None, path
    return verdict.fates[number], verdict.lines[number]


def test_each_entry_has_its_fate_and_the_line_that_decided(tmp_path: Path) -> None:
    put(
        tmp_path,
        {"a.md": "1", "doc/a.md": "12", "doc/keep.md": "123", "out/x/y": "1234", "src/b": "1"},
    )
    inventory = take(tmp_path, WORK)
    verdict = judge_text(WORK, inventory, "# rules\nout\n**/*.md\n!doc/keep.md\n")
    assert fate(inventory, verdict, "a.md") == (LEFT, 2)
    assert fate(inventory, verdict, "doc/keep.md") == (SENT, 3)
    assert fate(inventory, verdict, "doc/a.md") == (LEFT, 2)
    assert fate(inventory, verdict, "src/b") == (SENT, -1)
    assert fate(inventory, verdict, "out") == (LEFT, 1)
    assert fate(inventory, verdict, "out/x") == (BELOW, 1)
    assert fate(inventory, verdict, "out/x/y") == (BELOW, 1)
    assert (verdict.files[0], verdict.bytes[0]) == (2, 4)
    assert (verdict.left_files[0], verdict.left_bytes[0]) == (3, 7)
    out = inventory.find("out")
    assert out is not None
    assert (verdict.left_files[out], verdict.left_bytes[out]) == (1, 4)
    # Other rules need no look at the disk.
    (tmp_path / "a.md").unlink()
    again = judge_text(WORK, inventory, "")
    assert again.files[0] == 5
    assert set(again.fates) == {SENT}


def test_a_folder_with_an_exception_is_looked_into(tmp_path: Path) -> None:
    put(tmp_path, {"lib/a": "1", "lib/in/b": "1", "lib/in/c": "1"})
    inventory = take(tmp_path, WORK)
    verdict = judge_text(WORK, inventory, "lib\n!lib/in/b\n")
    assert fate(inventory, verdict, "lib")[0] == SENT
    assert fate(inventory, verdict, "lib/in/b") == (SENT, 1)
    assert fate(inventory, verdict, "lib/in/c") == (LEFT, 0)


NAMES = st.sampled_from(["a", "b", "ab", "a.c", "node_modules", ".git"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERN = st.lists(
    st.sampled_from(["a", "b", "*", "**", "a*", "?b", "a.c", ".git"]), min_size=1, max_size=3
)
RULES = st.lists(
    st.tuples(st.booleans(), PATTERN.map("/".join)).map(lambda p: "!" * p[0] + p[1]), max_size=7
)


@given(RULES, PATHS)
def test_the_walk_and_a_lone_path_name_the_same_pattern(lines: list[str], path: str) -> None:
    rules = IgnoreRules.parse("\n".join(lines))
    picks: tuple[int, ...] = ()
    state: tuple[bool, ...] = ()
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        part = "/".join(parts[:count])
        excluded, state = rules.step(part, state)
        picked, picks, decided = rules.list.pick(part, picks)
        assert picked == excluded
        expected = rules.deciding(part)
        assert (rules.list.patterns[decided] if decided >= 0 else None) == expected


def test_it_travels_to_another_process_and_back(tmp_path: Path) -> None:
    put(tmp_path, {"a": "1", "größe/✓": "12", ".env": "A=1"})
    judged = take_and_judge(WORK, tmp_path, "a\n")
    there = pickle.loads(pickle.dumps(judged))
    assert there == judged
    assert there.inventory.path(there.inventory.find("größe/✓")) == "größe/✓"
    assert [secret.path for secret in there.secrets] == [".env"]


def test_links_and_special_files_are_no_bytes(tmp_path: Path) -> None:
    put(tmp_path, {"a": "12"})
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    inventory = take(tmp_path, WORK)
    kinds = {inventory.name(n): inventory.kinds[n] for n in range(1, len(inventory))}
    assert kinds == {"a": entries.FILE, "link": entries.LINK, "pipe": entries.SPECIAL}
    verdict = judge(inventory, IgnoreRules(), WORK)
    assert (verdict.files[0], verdict.bytes[0]) == (3, 2)
    assert {note.kind for note in verdict.notes} == {"outside", "special"}
    assert not judge_text(WORK, inventory, "link\npipe").notes


def test_a_context_that_is_too_large_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {f"f{n}/x": "1" for n in range(9)})
    assert take(tmp_path, WORK).complete
    monkeypatch.setattr(entries, "LIMIT", 12)
    inventory = take(tmp_path, WORK)
    assert not inventory.complete
    assert judge(inventory, IgnoreRules(), WORK).files[0] < 9


def test_a_stop_is_heard(tmp_path: Path) -> None:
    put(tmp_path, {f"f{n}": "" for n in range(1_100)})

    class Stopped(SilentWork):
        @property
        def cancelled(self) -> bool:
            return True

    with pytest.raises(CancelledError):
        take(tmp_path, Stopped())
    with pytest.raises(NotFoundError):
        take(tmp_path / "none", WORK)


def test_warnings_name_the_file_why_and_the_line_that_helps(tmp_path: Path) -> None:
    put(tmp_path, {".env": "PASSWORD=1", "id_rsa": "x", "src/app.py": "", "Dockerfile": "FROM a"})
    found = context_warnings(scan(tmp_path, IgnoreRules(), WORK))
    assert [(w.path, w.line, w.tone) for w in found] == [
        (".env", "**/.env", "warn"),
        ("id_rsa", "**/id_rsa", "warn"),
    ]
    assert "passwords" in found[0].text
    put(tmp_path, {"Dockerfile.dockerignore": ".env\n", ".dockerignore": "*\n"})
    before = warnings_before_build(WORK, tmp_path, "Dockerfile")
    assert [w.path for w in before] == ["id_rsa"]
    assert not warnings_before_build(WORK, tmp_path, "Other")


def test_a_context_of_half_a_gigabyte_is_said(tmp_path: Path) -> None:
    with open(tmp_path / "movie", "wb") as file:
        file.truncate(600_000_000)
    (found,) = warnings_before_build(WORK, tmp_path)
    assert "600 MB" in found.text
    assert "movie" in found.text
