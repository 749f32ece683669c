"""hadolint as a process, BuildKit's warnings, and the one list made of all."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from dockdesk.core.errors import CancelledError
from dockdesk.core.resources.builds import BuildWarning
from dockdesk.core.work import SilentWork
from dockdesk.dockerfile.lint import hadolint
from dockdesk.dockerfile.lint.catalog import canonical
from dockdesk.dockerfile.lint.engine_checks import from_warnings
from dockdesk.dockerfile.lint.ignores import Ignores, from_config, load
from dockdesk.dockerfile.lint.merge import merge
from dockdesk.dockerfile.lint.rules import check
from dockdesk.dockerfile.problems import Problem, apply
from dockdesk.dockerfile.syntax import parse

PAGE = "https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/"
TEXT = """\
FROM python
MAINTAINER me
RUN apt-get update && apt-get install curl
RUN cd /x && pip install foo
COPY a /b/
CMD foo bar
"""


def run(text: str, folder: Path | None = None) -> list[Problem]:
    if hadolint.program() is None:
        pytest.skip("hadolint is not installed")
    return hadolint.run(text, folder, SilentWork())


def test_hadolint_tells_where_why_and_how_bad() -> None:
    found = {each.code: each for each in run(TEXT)}
    assert {"DL3006", "DL3008", "DL3025", "DL4000"} <= set(found)
    pinned = found["DL3008"]
    assert (pinned.line, pinned.column, pinned.end_column) == (
        2,
        0,
        len("RUN apt-get update && apt-get install curl"),
    )
    assert pinned.tone == "warn"
    assert pinned.source == "hadolint"
    assert pinned.why
    assert pinned.url == "https://github.com/hadolint/hadolint/wiki/DL3008"


def test_hadolint_honours_the_folder_s_configuration_and_inline_ignores(tmp_path: Path) -> None:
    (tmp_path / ".hadolint.yaml").write_text("ignored:\n  - DL3006\n")
    assert "DL3006" not in {each.code for each in run(TEXT, tmp_path)}
    ignored = TEXT.replace("RUN apt", "# hadolint ignore=DL3008\nRUN apt")
    assert "DL3008" not in {each.code for each in run(ignored, tmp_path)}


def test_a_text_that_hadolint_cannot_read_is_a_note() -> None:
    (problem,) = run("FROM a:1\nNONSENSE x\n")
    assert problem.code == "DL1000"
    assert problem.message.startswith("hadolint can't read this")
    assert problem.fixes == ()


def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "hadolint"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(hadolint, "program", lambda: str(program))


def test_heredocs_do_not_hide_the_rest_of_the_file() -> None:
    text = (
        "FROM debian:12\nCOPY <<'A' /x\nFOO a\nA\nRUN <<EOT bash\n  cd /x\nEOT\n\n"
        "RUN cd /y\nRUN <<B\nB\n"
    )
    found = [(each.code, each.line) for each in run(text)]
    assert ("DL3003", 8) in found
    assert ("DL3003", 4) in found
    assert not [code for code, _line in found if code == "DL1000"]
    asked, lines = hadolint.readable(parse(text))
    assert asked.split("\n")[3:6] == ["A", "", "RUN <<EOT bash"]
    assert [text.split("\n")[n] for n, line in zip(lines, asked.split("\n"), strict=True) if line]
    assert hadolint.readable(parse("FROM a\n")) == ("FROM a\n", [0, 1])


def test_what_only_hadolint_cannot_read_is_no_warning() -> None:
    (problem,) = run("FROM debian:12\nRUN <<A <<B sh\na\nA\nb\nB\n\nUSER 5\n")
    assert (problem.code, problem.tone) == ("DL1000", "muted")
    assert "\n" not in problem.message


def test_without_hadolint_there_is_a_quiet_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hadolint, "program", lambda: None)
    (problem,) = hadolint.run(TEXT, None, SilentWork())
    assert (problem.code, problem.tone) == ("hadolint-absent", "muted")


@pytest.mark.parametrize(
    "script",
    ["import sys; sys.exit('hadolint: index too large')", "print('{}')", "print('no json')"],
)
def test_a_hadolint_that_fails_is_a_quiet_note(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, script)
    (problem,) = hadolint.run(TEXT, None, SilentWork())
    assert (problem.code, problem.tone) == ("hadolint-failed", "muted")


def test_a_hadolint_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr(hadolint, "TIMEOUT", 0.2)
    (problem,) = hadolint.run(TEXT, None, SilentWork())
    assert problem.code == "hadolint-failed"


def test_a_stale_hadolint_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    fake(
        tmp_path,
        monkeypatch,
        f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )

    class Cancellable(SilentWork):
        def __init__(self) -> None:
            self.stopped = False
            self.callbacks: list[Callable[[], None]] = []

        @property
        def cancelled(self) -> bool:
            return self.stopped

        def on_cancel(self, callback: Callable[[], None]) -> AbstractContextManager[None]:
            @contextmanager
            def registered() -> Iterator[None]:
                self.callbacks.append(callback)
                yield

            return registered()

        def cancel(self) -> None:
            self.stopped = True
            for callback in self.callbacks:
                callback()

    work = Cancellable()
    outcome: list[BaseException] = []

    def lint() -> None:
        try:
            hadolint.run(TEXT, None, work)
        except CancelledError as error:
            outcome.append(error)

    thread = threading.Thread(target=lint)
    thread.start()
    waited = threading.Event()
    for _ in range(600):
        if started.exists() and started.read_text():
            break
        waited.wait(0.05)
    work.cancel()
    thread.join(30)
    assert not thread.is_alive()
    assert outcome
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_the_same_finding_stands_once_with_the_better_words() -> None:
    document = parse(TEXT)
    warnings = [
        BuildWarning("d", "JSONArgsRecommended: JSON arguments recommended for CMD (line 6)", lines=((6, 6),)),
        BuildWarning("d", "Maintainer instruction is deprecated", url=PAGE, lines=((2, 2),)),
        BuildWarning("d", "InvalidBaseImagePlatform: pulled for arm64", lines=((1, 1),), detail=("why",)),
    ]  # fmt: skip
    engine = from_warnings(document, warnings)
    assert [each.code for each in engine] == [
        "JSONArgsRecommended",
        "MaintainerDeprecated",
        "InvalidBaseImagePlatform",
    ]
    assert engine[0].message == "JSON arguments recommended for CMD"
    merged = merge(document, check(document), engine, run(TEXT))
    seen = [(canonical(each.code), each.line) for each in merged]
    assert len(seen) == len(set(seen))
    by_code = {each.code: each for each in merged}
    assert by_code["JSONArgsRecommended"].source == "dockdesk"
    assert by_code["InvalidBaseImagePlatform"].source == "buildkit"
    assert by_code["InvalidBaseImagePlatform"].why == "why"
    assert by_code["DL3008"].source == "hadolint"
    assert not {"DL3006", "DL3025", "DL4000", "DL3003"} & set(by_code)
    assert [each.line for each in merged] == sorted(each.line for each in merged)


def test_what_one_source_finds_twice_stands_twice() -> None:
    document = parse("FROM a:1\nEXPOSE 0 70000\nUSER 5\n")
    assert [each.code for each in merge(document, check(document))].count("DD017") == 2


@pytest.mark.parametrize(
    ("head", "above", "config", "gone"),
    [
        ("# check=skip=JSONArgsRecommended\n", "", "", {"JSONArgsRecommended"}),
        (
            "# check=skip=MaintainerDeprecated,DL3006;error=true\n",
            "",
            "",
            {"MaintainerDeprecated", "DD001"},
        ),
        ("# check=skip=all\n", "", "", {"JSONArgsRecommended", "MaintainerDeprecated"}),
        ("", "# hadolint ignore=DL3009,DL3015\n", "", {"DD005", "DD006"}),
        ("", "# dockdesk ignore=DD007\n", "", {"DD007"}),
        ("# hadolint global ignore=DL3025\n", "", "", {"JSONArgsRecommended"}),
        ("", "", "ignored: [DL3006, DL3008]", {"DD001", "DL3008"}),
    ],
)
def test_ignores_of_each_source_hold_for_all(
    head: str, above: str, config: str, gone: set[str]
) -> None:
    plain = parse(TEXT)
    hadolints = run(TEXT)
    before = {each.code for each in merge(plain, check(plain), hadolints)}
    text = head + TEXT.replace("RUN apt", f"{above}RUN apt")
    document = parse(text)
    ignores = from_config(config)
    after = {
        each.code
        for each in merge(document, check(document, ignores=ignores), run(text), ignores=ignores)
    }
    assert before - after == gone


@pytest.mark.parametrize(
    "first", ["", "# syntax=docker/dockerfile:1\n", "# check=error=true\n", "\ufeff", "# comment\n"]
)
def test_every_finding_can_be_ignored_by_its_fix(first: str) -> None:
    text = first + TEXT
    document = parse(text)
    for problem in merge(document, check(document), run(text)):
        fix = problem.fixes[-1]
        assert fix.title.startswith("Ignore "), problem
        after = apply(text, fix.edits)
        again = parse(after)
        outside = run(after) if problem.source == "hadolint" else []
        told = merge(again, check(again), outside)
        assert problem.code not in {each.code for each in told}, after


def test_ignores_add_up() -> None:
    text = (
        "FROM a:1\n# hadolint ignore=DL3009\nRUN apt-get update && apt-get install -y x\nUSER 5\n"
    )
    document = parse(text)
    (problem,) = [each for each in check(document) if each.code == "DD006"]
    after = apply(text, problem.fixes[-1].edits)
    assert "# hadolint ignore=DL3009,DL3015\n" in after
    assert not [each for each in check(parse(after)) if each.code.startswith("DD")]


def test_configurations_are_read_leniently(tmp_path: Path) -> None:
    assert load(tmp_path) == Ignores()
    for text in ("[", "- a", "ignored: 5", "ignored: [5, {}]", ""):
        assert from_config(text) == Ignores()
    (tmp_path / ".hadolint.yml").write_text("ignored: [DL3008]\n")
    assert load(tmp_path).everywhere == {"DL3008"}


def test_what_the_engine_can_t_read_is_told_once() -> None:
    text = "FROM scratch\nCOPPY a b\nUSER 5\n"
    said = "dockerfile parse error on line 2: unknown instruction: COPPY (did you mean COPY?)"
    document = parse(text)
    engine = from_warnings(document, [BuildWarning("", said, lines=((2, 2),))])
    assert (engine[0].tone, engine[0].line) == ("bad", 1)
    assert engine[0].message == "unknown instruction: COPPY (did you mean COPY?)"
    found = [each for each in merge(document, check(document), engine) if each.line == 1]
    assert [each.source for each in found] == ["parser"]
    other = parse("FROM scratch\nUSER 5\n")
    blank = from_warnings(other, [BuildWarning("", "base name ($X) should not be blank")])
    assert [each.code for each in merge(other, blank)] == ["buildkit"]
