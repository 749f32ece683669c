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
from dockdesk.core.masking import MASK
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
    values = {
        "spec": SPEC,
        "text": "",
        "steps": steps,
        "bases": (("python:3.12", "sha256:1"),),
        **changes,
    }
    return BuildRecord(0.0, "default", outcome="ok", seconds=1.0, **values)  # type: ignore[arg-type]


def _by(changes: tuple[StepChange, ...]) -> dict[str, StepChange]:
    return {change.after.digest: change for change in changes if change.after}


def test_a_changed_file_is_named_and_what_follows_is_traced_to_it() -> None:
    files = FileChanges(changed=("src/app.py", "README"))
    steps = _by(compare(_record(), _record("c2", "c3"), files).steps)
    assert steps["c2"].cache == "lost"
    assert steps["c2"].root
    assert steps["c2"].reason == "Changed in the build context: src/app.py."
    assert not steps["c3"].root
    assert steps["c3"].reason == "Stage build changed: COPY src ."
    assert steps["r"].cache == "kept"


def test_a_changed_argument_is_named() -> None:
    after = _record("r", "c2", spec=replace(SPEC, args=(("V", "2"), ("W", "1"))))
    steps = _by(compare(_record(spec=replace(SPEC, args=(("V", "1"),))), after).steps)
    assert steps["r"].reason == "Build argument V changed from “1” to “2”."
    assert steps["c2"].reason == "An earlier step ran again: RUN pip"


def test_a_new_base_is_named() -> None:
    after = _record("f", "c1", bases=(("python:3.12", "sha256:2"),))
    steps = _by(compare(_record(), after).steps)
    assert steps["f"].root
    assert "sha256:2" in steps["f"].reason
    assert "sha256:2" in steps["c1"].reason
    assert not steps["c1"].root
    assert steps["c1"].cause == "f"


def test_an_instruction_with_another_text_is_matched_by_its_place() -> None:
    changed = tuple(
        replace(step, name="[build 3/4] RUN pip -q", digest="r2", cached=False)
        if step.digest == "r"
        else step
        for step in _record().steps
    )
    steps = _by(compare(_record(), _record(steps=changed)).steps)
    assert steps["r2"].before is not None
    assert steps["r2"].reason == "The instruction has another text."


def test_without_a_reason_it_says_so() -> None:
    steps = _by(compare(_record(), _record("r"), FileChanges()).steps)
    assert "pruned" in steps["r"].reason


def test_an_instruction_that_was_put_in_shifts_nothing() -> None:
    before, after = (
        _record(
            text=f"FROM x AS build\n{added}RUN b\nRUN c\n",
            steps=tuple(
                StepRecord(
                    f"[build {number}/{len(texts) + 1}] {text}",
                    text,
                    keyword="RUN",
                    stage="build",
                    line=number,
                    last=number,
                    cached=text not in reran,
                )
                for number, text in enumerate(texts, 2)
            ),
        )
        for added, texts, reran in (
            ("", ("RUN b", "RUN c"), ()),
            ("RUN a\n", ("RUN a", "RUN b", "RUN c"), ("RUN a", "RUN b", "RUN c")),
        )
    )
    found = compare(before, after)
    steps = _by(found.steps)
    assert steps["RUN a"].cache == "new"
    assert [steps[name].before.digest for name in ("RUN b", "RUN c") if steps[name].before] == [
        "RUN b",
        "RUN c",
    ]
    (root,) = found.roots()
    assert root.name == "[build 2/4] RUN a"
    assert [change.name for change in found.led_to(root)] == [
        "[build 3/4] RUN b",
        "[build 4/4] RUN c",
    ]


def test_the_body_of_a_here_document_counts() -> None:
    step = StepRecord(
        "[2/2] RUN <<EOF (make…)", "h", keyword="RUN", stage="stage-0", line=1, last=3
    )
    one = _record(text="FROM x\nRUN <<EOF\nmake a\nEOF\n", steps=(replace(step, cached=True),))
    other = _record(text="FROM x\nRUN <<EOF\nmake b\nEOF\n", steps=(step,))
    assert compare(one, other).steps[0].reason == "The instruction has another text."
    assert "pruned" in compare(one, replace(other, text=one.text)).steps[0].reason


def test_a_default_that_changed_is_no_other_text() -> None:
    step = StepRecord(
        "[2/2] RUN echo 1", "h", keyword="RUN", stage="stage-0", line=2, last=2, args=("V",)
    )
    one = _record(text="FROM x\nARG V=1\nRUN echo $V\n", steps=(replace(step, cached=True),))
    now = replace(step, name="[2/2] RUN echo 2")
    other = _record(text="FROM x\nARG V=2\nRUN echo $V\n", steps=(now,))
    assert compare(one, other).steps[0].reason == "A variable in it has another value now."


def test_what_the_build_did_not_reach_did_not_run() -> None:
    after = _record("r", steps=tuple(replace(s, reached=s.digest != "c3") for s in STEPS))
    change = _by(compare(_record(), after).steps)["c3"]
    assert (change.cache, change.root) == ("unreached", False)


def test_a_step_that_failed_runs_again_without_a_change() -> None:
    failed = tuple(
        replace(step, error="exit code: 1") if step.digest == "r" else step
        for step in _record("r").steps
    )
    change = _by(compare(_record(steps=failed), _record("r"), FileChanges()).steps)["r"]
    assert change.reason == "It failed the time before, and what fails is not kept."


def test_the_graph_counts_where_it_is_told() -> None:
    """A stage whose result is the same again leaves the cache of what copies it whole."""
    inputs = {"c1": ("f", "ctx"), "r": ("c1",), "c2": ("r", "ctx"), "c3": ("c2",)}
    steps = {
        digest: tuple(
            replace(s, inputs=inputs.get(s.digest, ()), cached=s.digest not in digest)
            for s in STEPS
        )
        for digest in (("c2",), ("r", "c3"))
    }
    assert _by(compare(_record(), _record(steps=steps["c2",])).steps)["c3"].cache == "kept"
    found = _by(compare(_record(), _record(steps=steps["r", "c3"])).steps)["c3"]
    assert found.root, "what it takes from came from the cache"


def test_only_files_that_both_builds_asked_for_are_compared() -> None:
    fewer = tuple(step for step in STEPS if step.digest != "c2")
    files = FileChanges(added=("src/new", "req.txt"), removed=("src/old",))
    found = compare(_record(steps=fewer), _record(), files).files
    assert found == FileChanges(added=("req.txt",), removed=("src/old",))


def test_a_base_without_a_digest_says_nothing() -> None:
    unknown = _record("c1", bases=(("python:3.12", ""),))
    found = compare(_record(), unknown, FileChanges())
    assert found.bases == ()
    assert "pruned" in _by(found.steps)["c1"].reason


def test_options_and_secrets_are_told() -> None:
    before = _record(spec=replace(SPEC, args=(("TOKEN", MASK),)))
    found = compare(before, _record(spec=replace(SPEC, target="build")), FileChanges())
    assert found.options == (("target", "", "build"),)
    assert any("secrets" in note for note in found.notes)


def test_what_got_slower_comes_worst_first() -> None:
    def slow(**seconds: float) -> BuildRecord:
        return _record(steps=tuple(replace(s, seconds=seconds.get(s.digest, 1.0)) for s in STEPS))

    found = compare(slow(), slow(r=3.0, c2=9.0, c1=1.2)).slower()
    assert [change.after.digest for change in found if change.after] == ["c2", "r"]


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


def test_listings_are_compared_by_size_mode_and_time() -> None:
    one, later, larger, other = FileMark(1, 1), FileMark(1, 2), FileMark(2, 2), FileMark(1, 1, 0o7)
    was = {"a": one, "b": one, "c": one, "e": one, "f": one}
    now = {"a": one, "b": later, "d": one, "e": larger, "f": other}
    assert changed_files(was, now) == FileChanges(("d",), ("c",), ("e", "f"), ("b",))


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
