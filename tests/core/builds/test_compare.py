"""What differs between two builds, and why a step ran again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dockdesk.core.builds.compare import FileChanges, StepChange, changed_files, compare, takes
from dockdesk.core.builds.records import (
    BuildRecord,
    FileMark,
    StepRecord,
    project_of,
    spec_from_json,
    spec_to_json,
)
from dockdesk.core.resources.builds import BuildOutput, BuildSecret, BuildSpec

SPEC = BuildSpec(Path("/p"))

STEPS = (
    StepRecord("[internal] load build context", "ctx"),
    StepRecord(
        "[build 1/4] FROM python:3.12",
        "f",
        line=0,
        keyword="FROM",
        stage="build",
        taken_from="python:3.12",
    ),
    StepRecord(
        "[build 2/4] COPY req.txt .",
        "c1",
        line=1,
        keyword="COPY",
        stage="build",
        sources=("req.txt",),
    ),
    StepRecord("[build 3/4] RUN pip", "r", line=2, keyword="RUN", stage="build", args=("V",)),
    StepRecord(
        "[build 4/4] COPY src .", "c2", line=3, keyword="COPY", stage="build", sources=("src",)
    ),
    StepRecord(
        "[stage-1 2/2] COPY --from=build /x /x",
        "c3",
        line=5,
        keyword="COPY",
        stage="stage-1",
        taken_from="build",
    ),
)


def _record(*reran: str, **changes: object) -> BuildRecord:
    """A build whose steps came from the cache but for those of ``reran`` (digests)."""
    steps = tuple(replace(step, cached=step.digest not in reran, seconds=1.0) for step in STEPS)
    values = {"spec": SPEC, "steps": steps, "bases": (("python:3.12", "sha256:1"),), **changes}
    return BuildRecord(0.0, "default", text="", outcome="ok", seconds=1.0, **values)  # type: ignore[arg-type]


def _by(changes: tuple[StepChange, ...]) -> dict[str, StepChange]:
    return {change.after.digest: change for change in changes if change.after}


def test_a_changed_file_is_named_and_what_follows_is_traced_to_it() -> None:
    files = FileChanges(changed=("src/app.py", "README"))
    steps = _by(compare(_record(), _record("c2", "c3"), files).steps)
    assert steps["c2"].cache == "lost"
    assert steps["c2"].root
    assert steps["c2"].reason == "Changed in the build context: src/app.py."
    assert not steps["c3"].root
    assert steps["c3"].reason == "Stage build changed: [build 4/4] COPY src ."
    assert steps["r"].cache == "kept"


def test_a_changed_argument_is_named() -> None:
    after = _record("r", "c2", spec=replace(SPEC, args=(("V", "2"), ("W", "1"))))
    steps = _by(compare(_record(spec=replace(SPEC, args=(("V", "1"),))), after).steps)
    assert steps["r"].reason == "Build argument V changed from “1” to “2”."
    assert steps["c2"].reason == "An earlier step ran again: [build 3/4] RUN pip"


def test_a_new_base_is_named() -> None:
    after = _record("f", "c1", bases=(("python:3.12", "sha256:2"),))
    steps = _by(compare(_record(), after).steps)
    assert steps["f"].root
    assert "sha256:2" in steps["f"].reason
    assert "sha256:2" in steps["c1"].reason


def test_an_instruction_with_another_text_is_matched_by_its_place() -> None:
    changed = tuple(
        replace(step, name="[build 3/4] RUN pip -q", digest="r2", cached=False)
        if step.digest == "r"
        else step
        for step in _record().steps
    )
    steps = _by(compare(_record(), _record(steps=changed)).steps)
    assert steps["r2"].before is not None
    assert steps["r2"].reason == "The instruction is new or has another text."


def test_without_a_reason_it_says_so() -> None:
    steps = _by(compare(_record(), _record("r"), FileChanges()).steps)
    assert "pruned" in steps["r"].reason


def test_no_cache_is_the_reason_where_it_was_asked_for() -> None:
    after = _record("c1", "r", spec=replace(SPEC, no_cache=True))
    assert _by(compare(_record(), after).steps)["r"].reason.endswith("as asked.")


def test_steps_that_are_gone_or_faster_are_told() -> None:
    fewer = _record(steps=_record().steps[:-1])
    gone = compare(_record(), fewer).steps[-1]
    assert (gone.cache, gone.after) == ("gone", None)
    assert gone.slower == -1.0


def test_what_was_not_kept_is_said() -> None:
    notes = compare(_record(), _record(method="buildx")).notes
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("sources", "path", "taken"),
    [
        ((".",), "a/b", True),
        (("src",), "src/a", True),
        (("src/",), "src2/a", False),
        (("*.txt",), "a.txt", True),
        (("*.txt",), "sub/a.txt", False),
        (("a", "b/*"), "b/c/d", True),
        (("./x",), "x", True),
        (("x/y",), "x", False),
        ((), "x", False),
    ],
)
def test_what_copy_takes(sources: tuple[str, ...], path: str, taken: bool) -> None:
    assert takes(sources, path) is taken


def test_listings_are_compared_by_size_and_time() -> None:
    one, two = FileMark(1, 1), FileMark(1, 2)
    assert changed_files(
        {"a": one, "b": one, "c": one}, {"a": one, "b": two, "d": one}
    ) == FileChanges(("d",), ("c",), ("b",))


def test_a_spec_is_kept_without_its_text() -> None:
    spec = BuildSpec(
        Path("/p"),
        text="FROM secret",
        tags=("a", "b"),
        args=(("K", "v"),),
        secrets=(BuildSecret("s", "/f"),),
        outputs=(BuildOutput("tar", "/t"),),
        shm_size=5,
        no_cache=True,
    )
    kept = spec_to_json(spec)
    assert "secret" not in str(kept.get("text", ""))
    assert spec_from_json(kept) == replace(spec, text=None)
    assert spec_from_json({**kept, "unknown": 1, "tags": 5, "pull": "yes"}) == replace(
        spec, text=None, tags=()
    )
    with pytest.raises(ValueError, match="context"):
        spec_from_json({})


def test_a_project_is_its_dockerfile() -> None:
    assert project_of(SPEC) == "/p/Dockerfile"
    assert project_of(replace(SPEC, dockerfile="/elsewhere/D")) == "/elsewhere/D"
