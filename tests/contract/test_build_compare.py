"""Why a step ran again, by builds on a real engine: what is recorded of them must be enough to say it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from dockdesk.bridge.build_run import BuildRun
from dockdesk.bridge.streams import Pulse
from dockdesk.core.builds.compare import Comparison, changed_files, compare
from dockdesk.core.builds.records import BuildRecord
from dockdesk.core.errors import BuildError
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.core.work import SilentWork
from tests.contract.building import Tree, write
from tests.contract.conftest import Rig
from tests.engines import BUSYBOX, Registry

LONG = " && ".join(f"echo a command that goes on and on {number}" for number in range(12))
TEXT = f"""\
FROM {BUSYBOX} AS build
ARG V=1
WORKDIR /w
COPY a.txt b.txt ./
RUN echo $V > v
COPY src ./src
RUN --mount=type=bind,source=conf,target=/conf cat /conf/x > y && {LONG}
FROM scratch
COPY --from=build /w /w
"""
TREE: Tree = {"a.txt": "a", "b.txt": "b", "src/x.py": "x", "src/deep/y.py": "y", "conf/x": "c"}


class History:
    """Builds one after the other, each compared with the one before."""

    def __init__(self, rig: Rig, folder: Path, qtbot: QtBot, pulse: Pulse) -> None:
        self.rig = rig
        self.folder = write(folder, TREE)
        self._qtbot = qtbot
        self._pulse = pulse
        self._owner = QObject()
        self._last: BuildRun | None = None

    def build(self, text: str = TEXT, **options: object) -> BuildRecord:
        spec = BuildSpec(self.folder, text=text, **options)  # type: ignore[arg-type]
        run = BuildRun(1, spec, text, "default", self._pulse, self._owner)
        with contextlib.suppress(BuildError):
            run.execute(self.rig.backend, SilentWork())
        self._qtbot.waitUntil(lambda: run.over, timeout=30_000)
        self._last = run
        assert run.record is not None
        return run.record

    def again(self, text: str = TEXT, **options: object) -> Comparison:
        """Build once more, and what differs from the build before."""
        before = self._last
        assert before is not None
        assert before.record is not None
        record = self.build(text, **options)
        assert self._last is not None
        return compare(before.record, record, changed_files(before.listing, self._last.listing))


@pytest.fixture
def history(docker: Rig, tmp_path: Path, qtbot: QtBot) -> Iterator[History]:
    pulse = Pulse()
    # Whatever ran before, here nothing is cached.
    docker.server.request("POST", "/build/prune?all=1")
    made = History(docker, tmp_path, qtbot, pulse)
    made.build()
    made.build()
    yield made
    pulse.close()


def only_root(found: Comparison, words: str, reason: str) -> None:
    """Exactly one step is where it began."""
    roots = [(change.name, change.reason) for change in found.roots()]
    assert len(roots) == 1, roots
    assert words in roots[0][0]
    assert roots[0][1] == reason


def test_the_same_again_loses_nothing(history: History) -> None:
    found = history.again()
    assert found.roots() == ()
    assert {change.cache for change in found.steps if change.after and change.after.line > 0} == {
        "kept"
    }
    assert (found.args, found.bases, found.options, found.notes) == ((), (), (), ())
    assert found.after.cached_share == 1.0


def test_a_changed_file_is_named_at_the_step_that_copies_it(history: History) -> None:
    write(history.folder, {"src/deep/y.py": "another"})
    found = history.again()
    only_root(found, "COPY src ./src", "Changed in the build context: src/deep/y.py.")
    (root,) = found.roots()
    assert root.cache == "lost"
    led = found.led_to(root)
    assert [change.name.partition("] ")[2][:11] for change in led] == ["RUN --mount", "COPY --from"]
    assert led[0].reason == "An earlier step ran again: COPY src ./src"
    assert led[1].reason.startswith("Stage build changed: RUN --mount")


def test_new_and_vanished_files_and_one_that_was_only_touched(history: History) -> None:
    write(history.folder, {"src/new.py": "", "a.txt": "a"})
    (history.folder / "src/x.py").unlink()
    found = history.again()
    assert found.files is not None
    assert (found.files.added, found.files.removed) == (("src/new.py",), ("src/x.py",))
    assert found.files.touched == ("a.txt",)
    only_root(found, "COPY src", "Changed in the build context: src/new.py, src/x.py.")


def test_a_file_that_is_bound_into_a_step(history: History) -> None:
    write(history.folder, {"conf/x": "other"})
    only_root(history.again(), "RUN --mount", "Changed in the build context: conf/x.")


def test_a_build_argument(history: History) -> None:
    found = history.again(args=(("V", "2"),))
    only_root(found, "RUN echo", "Build argument V changed from its default to “2”.")
    assert found.args == (("V", "", "2"),)


def test_a_build_argument_that_nothing_names_but_every_run_sees(history: History) -> None:
    text = TEXT.replace("echo $V > v", "env > v")
    history.build(text)
    found = history.again(text, args=(("V", "3"),))
    only_root(found, "RUN env", "Build argument V changed from its default to “3”.")


def test_the_default_of_an_argument(history: History) -> None:
    found = history.again(TEXT.replace("ARG V=1", "ARG V=7"))
    only_root(found, "RUN echo 7", "A variable in it has another value now.")


def test_an_edited_and_an_inserted_instruction(history: History) -> None:
    edited = TEXT.replace("echo $V", "echo  $V $V")
    only_root(history.again(edited), "RUN echo", "The instruction has another text.")
    inserted = edited.replace("COPY src", "RUN true\nCOPY src")
    found = history.again(inserted)
    only_root(found, "RUN true", "The instruction is new.")
    paired = [change for change in found.steps if change.before and change.after]
    assert {(c.before.keyword, c.after.keyword) for c in paired if c.before and c.after} >= {
        ("COPY", "COPY"),
        ("RUN", "RUN"),
    }
    assert not [change for change in found.steps if change.cache == "gone"]


def test_a_pruned_cache(history: History) -> None:
    history.rig.server.request("POST", "/build/prune?all=1")
    found = history.again()
    only_root(
        found,
        "WORKDIR /w",
        "Nothing recorded changed: the cache was pruned, or another builder was used.",
    )


def test_without_the_cache_as_asked(history: History) -> None:
    found = history.again(no_cache=True)
    assert {change.reason for change in found.roots()} == {
        "It was built without the cache, as asked."
    }
    assert found.options == (("without cache", "", "yes"),)


def test_a_failure_and_the_build_after_it(history: History) -> None:
    failing = TEXT.replace("cat /conf/x > y", "exit 9")
    found = history.again(failing)
    only_root(found, "RUN --mount", "The instruction has another text.")
    unreached = [change.name for change in found.steps if change.cache == "unreached"]
    assert len(unreached) == 1
    assert "COPY --from=build" in unreached[0]
    repeated = history.again(failing)
    only_root(repeated, "RUN --mount", "It failed the time before, and what fails is not kept.")


def test_a_new_image_below_from_the_engine(history: History) -> None:
    base = f"{history.rig.name()}:1"
    text = TEXT.replace(BUSYBOX, base)
    for word in ("one", "two"):
        history.build(f"FROM {BUSYBOX}\nRUN echo {word} > /which\n", tags=(base,))
        if word == "one":
            history.build(text)
            kept = history.build(text)
    found = compare(kept, history.build(text))
    assert len(found.bases) == 1
    assert found.bases[0][1].startswith("sha256:")
    (root,) = found.roots()
    assert root.reason.startswith("The base image is another one now: sha256:")


def test_a_new_image_below_from_a_registry(history: History, registry: Registry) -> None:
    backend = history.rig.backend
    base = f"{registry.address}/{history.rig.name()}:1"
    text = TEXT.replace(BUSYBOX, base)

    def publish(word: str) -> None:
        history.build(f"FROM {BUSYBOX}\nRUN echo {word} > /which\n", tags=(base,))
        backend.push(base, SilentWork())
        backend.remove_image(base, force=True)

    publish("one")
    history.build(text, pull=True)
    kept = history.build(text, pull=True)
    publish("two")
    found = compare(kept, history.build(text, pull=True))
    assert [item[0] for item in found.bases] == [base]
    (root,) = found.roots()
    assert "is another one now: sha256:" in root.reason
    assert all(
        item[1].startswith("sha256:") and item[2].startswith("sha256:") for item in found.bases
    )


def test_each_instruction_has_the_size_of_its_layer(history: History) -> None:
    text = f"FROM {BUSYBOX}\nENV A=b\nCOPY a.txt /a\nRUN dd if=/dev/zero of=/z bs=1000 count=9\nCMD x\n"
    for classic in (False, True):
        record = history.build(text, tags=(f"{history.rig.name()}:1",), classic=classic)
        sizes = {step.line: step.layer for step in record.steps if step.layer >= 0}
        assert sizes == {2: 1, 3: 9000}, record.steps
