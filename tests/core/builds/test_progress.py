"""A build folded from what the builder told."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.core.builds.progress import (
    LOG_BYTES,
    BuildProgress,
    last_lines,
    parse_step_name,
)
from dockdesk.core.resources.builds import BuildLog, BuildStatus, BuildStep, BuildWarning


def _chain() -> list[BuildStep]:
    return [
        BuildStep("base", "[1/4] FROM docker.io/library/python:3.12", (), False, 0.0, 2.0),
        BuildStep("deps", "[2/4] RUN pip install", ("base",), True, 2.0, 2.0),
        BuildStep("ctx", "[internal] load build context", (), False, 0.0, 5.0),
        BuildStep("copy", "[3/4] COPY . .", ("deps", "ctx"), False, 5.0, 6.0),
        BuildStep("run", "[4/4] RUN make", ("copy",), False, 6.0, 9.0),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("[2/5] RUN make", ("", 2, 5, "RUN make", "")),
        ("[app 2/5] RUN make", ("app", 2, 5, "RUN make", "")),
        ("[stage-1 10/12] COPY a b", ("stage-1", 10, 12, "COPY a b", "")),
        ("[linux/arm64 app 1/2] FROM x", ("app", 1, 2, "FROM x", "linux/arm64")),
        ("[linux/arm64 1/2] FROM x", ("", 1, 2, "FROM x", "linux/arm64")),
        ("[2/5] RUN <<EOF (cat\nx…)", ("", 2, 5, "RUN <<EOF (cat\nx…)", "")),
    ],
)
def test_a_steps_name_is_taken_apart(name: str, expected: tuple[str, int, int, str, str]) -> None:
    parsed = parse_step_name(name)
    assert parsed is not None
    assert (parsed.stage, parsed.number, parsed.total, parsed.text, parsed.platform) == expected


@pytest.mark.parametrize("name", ["[internal] load build context", "exporting to image", "", "[]"])
def test_buildkits_own_steps_have_no_number(name: str) -> None:
    assert parse_step_name(name) is None


def test_states_follow_what_was_told() -> None:
    progress = BuildProgress()
    progress.apply([BuildStep("a", "[1/2] FROM x"), BuildStep("b", "[2/2] RUN y", ("a",))])
    assert [step.state for step in progress.in_order()] == ["waiting", "waiting"]
    progress.apply([BuildStep("a", started=1.0)])
    assert progress.steps["a"].state == "running"
    assert progress.steps["a"].seconds(4.0) == 3.0
    progress.apply([BuildStep("a", started=1.0, completed=2.5)])
    progress.apply([BuildStep("b", cached=True, started=2.5, completed=2.5)])
    assert [step.state for step in progress.in_order()] == ["done", "cached"]
    assert progress.steps["a"].step.name == "[1/2] FROM x"
    assert progress.counted() == (2, 2)
    assert progress.fraction() == 1.0


def test_the_share_of_the_cache_leaves_out_from_and_buildkits_own() -> None:
    progress = BuildProgress()
    progress.apply(_chain())
    assert progress.cached_share() == pytest.approx(1 / 3)
    assert BuildProgress().cached_share() is None


def test_the_critical_path_goes_through_what_was_waited_for() -> None:
    progress = BuildProgress()
    progress.apply(_chain())
    assert progress.critical_path() == ["ctx", "copy", "run"]


def test_the_critical_path_goes_on_through_what_names_no_inputs() -> None:
    progress = BuildProgress()
    progress.apply([*_chain(), BuildStep("export", "exporting to image", (), False, 50.0, 51.0)])
    assert progress.critical_path() == ["ctx", "copy", "run", "export"]


def test_the_first_failure_is_the_one_that_counts() -> None:
    progress = BuildProgress()
    progress.apply(
        [
            BuildStep("a", "[a 1/1] RUN x", (), False, 0.0, 5.0, "context canceled"),
            BuildStep("b", "[b 1/1] RUN y", (), False, 0.0, 4.0, "exit code: 1"),
        ]
    )
    failed = progress.failed()
    assert failed is not None
    assert failed.step.digest == "b"
    assert progress.steps["a"].state == "cancelled"


def test_a_step_that_goes_on_after_it_ended_adds_up() -> None:
    progress = BuildProgress()
    progress.apply([BuildStep("a", started=0.0, completed=2.0)])
    progress.apply([BuildStep("a", started=5.0)])
    assert progress.steps["a"].state == "running"
    assert progress.steps["a"].seconds(6.0) == 3.0


def test_bytes_are_those_of_known_size() -> None:
    progress = BuildProgress()
    progress.apply([BuildStep("a", started=0.0)])
    progress.apply([BuildStatus("l1", "a", "layer", 50, 100), BuildStatus("l2", "a", "", 7, 0)])
    assert progress.steps["a"].moved() == (50, 100)
    assert progress.fraction() == pytest.approx(0.45)


def test_a_flood_of_log_keeps_its_end() -> None:
    progress = BuildProgress()
    line = b"x" * 99 + b"\n"
    for _ in range(LOG_BYTES // 100 // 100 + 50):
        progress.apply([BuildLog("a", line * 100)])
    progress.apply([BuildLog("a", b"the end\n")])
    step = progress.steps["a"]
    assert len(step.log) <= LOG_BYTES
    assert step.log_dropped % 100 == 0
    assert step.log_dropped > 0
    assert last_lines(step.log, 1) == ["the end"]


def test_a_warning_told_twice_stands_once() -> None:
    progress = BuildProgress()
    warning = BuildWarning("a", "short")
    progress.apply([warning, warning])
    assert progress.warnings == [warning]


@given(st.integers(0, 2**32))
def test_the_order_of_telling_does_not_matter(seed: int) -> None:
    items: list[BuildStep | BuildStatus] = [*_chain(), BuildStatus("l", "run", "l", 1, 2)]
    random.Random(seed).shuffle(items)
    progress = BuildProgress()
    progress.apply(items)
    straight = BuildProgress()
    straight.apply(_chain())
    assert progress.critical_path() == straight.critical_path()
    assert {d: s.step for d, s in progress.steps.items()} == {
        d: s.step for d, s in straight.steps.items()
    }
