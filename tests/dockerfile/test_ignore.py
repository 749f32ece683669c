"""The rules of .dockerignore, judged by what moby/patternmatcher itself answered (data/ignore_patterns.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.dockerfile.ignore import IgnoreRules, PatternList, State, decode, rules_for

GOLDEN = json.loads((Path(__file__).parent / "data" / "ignore_patterns.json").read_text())
PATHS: list[str] = GOLDEN["paths"]


def walked(rules: IgnoreRules) -> list[str]:
    """What a walk over the golden paths, which stand in order, finds excluded."""
    states: dict[str, State] = {"": ()}
    found = []
    for path in PATHS:
        excluded, states[path] = rules.step(path, states[path.rpartition("/")[0]])
        if excluded:
            found.append(path)
    return found


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: repr(case["text"])[:40])
def test_a_walk_excludes_what_patternmatcher_excludes(case: dict[str, Any]) -> None:
    rules = IgnoreRules.parse(case["text"])
    assert not rules.problems
    assert walked(rules) == [PATHS[index] for index in case["walk"]]
    at_once = [path for path in PATHS if rules.list.matches_at_once(path)]
    assert at_once == [PATHS[index] for index in case["once"]]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: repr(case["text"])[:40])
def test_every_way_of_asking_agrees(case: dict[str, Any]) -> None:
    rules = IgnoreRules.parse(case["text"])
    excluded = set(walked(rules))
    again = IgnoreRules.of(rules.patterns)
    for path in PATHS:
        assert rules.list.matches(path) == (path in excluded)
        assert rules.excludes(path) == (path in excluded)
        assert again.excludes(path) == (path in excluded)
        deciding = rules.deciding(path)
        assert (deciding is not None and not deciding.exception) == (path in excluded)
        if rules.excludes(path, is_folder=True):
            assert all(other in excluded for other in PATHS if f"{other}/".startswith(f"{path}/"))


@pytest.mark.parametrize("text", GOLDEN["refused"])
def test_what_an_engine_refuses_is_a_located_problem(text: str) -> None:
    rules = IgnoreRules.parse(text)
    assert rules.problems
    lines = text.split("\n")
    for problem in rules.problems:
        assert 0 <= problem.line < len(lines)
        assert problem.message


@given(st.text(st.sampled_from("ab/*?![]^-\\#{}2,. \n\r\td|$(é\ufeff"), max_size=40))
@settings(deadline=None)
def test_any_text_is_read(text: str) -> None:
    rules = IgnoreRules.parse(text)
    for path in ("a", "a/b", "b/a/d", "é"):
        rules.excludes(path)
        rules.excludes(path, is_folder=True)


@pytest.mark.parametrize(
    ("text", "folder", "skipped"),
    [
        ("node_modules\n", "node_modules", True),
        ("*\n!src/lib/x.c\n", "src", False),
        ("*\n!src/lib/x.c\n", "src/lib", False),
        ("*\n!src/lib/x.c\n", "src/doc", True),
        ("*\n!src/**\n", "src/doc", True),
        ("*\n!**/x.c\n", "src", False),
        ("*\n!src/*\n", "doc", True),
    ],
)
def test_a_walk_skips_a_folder_only_where_nothing_below_it_comes_back(
    text: str, folder: str, skipped: bool
) -> None:
    assert IgnoreRules.parse(text).skips(folder) == skipped


def test_a_classic_build_loses_what_an_exception_with_a_wildcard_would_bring_back() -> None:
    text = "*\n!**/keep.me\n"
    assert not IgnoreRules.parse(text).excludes("src/keep.me")
    assert IgnoreRules.parse(text, classic=True).excludes("src/keep.me")


def test_a_classic_build_always_sends_the_dockerfile_and_the_rules() -> None:
    rules = IgnoreRules.parse("*\n", classic=True)
    sending = rules.for_classic_build("docker/Dockerfile.dev")
    assert rules.excludes(".dockerignore")
    assert not sending.excludes(".dockerignore")
    assert not sending.excludes("docker/Dockerfile.dev")
    assert sending.excludes("docker/other")
    assert sending.excludes("Dockerfile")


def test_rules_beside_the_dockerfile_come_first(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / ".dockerignore").write_text("a\n")
    assert rules_for(tmp_path).patterns == ("a",)
    (tmp_path / "docker" / "App.dockerignore").write_text("b\n")
    assert rules_for(tmp_path, "docker/App").patterns == ("b",)
    assert rules_for(tmp_path, tmp_path / "docker" / "App").patterns == ("b",)
    assert rules_for(tmp_path, "docker/App", classic=True).patterns == ("a",)
    assert rules_for(tmp_path, "docker/Other").source == tmp_path / ".dockerignore"
    assert rules_for(tmp_path / "docker").source is None


def test_rules_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").mkdir()
    with pytest.raises(LocalError):
        rules_for(tmp_path)


def test_bytes_that_are_not_text_match_themselves() -> None:
    rules = IgnoreRules.parse(decode(b"\xef\xbb\xbfcaf\xe9\n"))
    assert rules.excludes(b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert not rules.excludes("café")


def test_an_endless_line_is_refused() -> None:
    (problem,) = IgnoreRules.parse("a\n" + "x" * 70_000 + "\nb\n").problems
    assert problem.line == 1


def test_malformed_patterns_of_a_request_are_an_error() -> None:
    with pytest.raises(InvalidInputError):
        PatternList.of(["a", "[b"])
