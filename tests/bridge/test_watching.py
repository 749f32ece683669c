"""A build context that is watched on a real file system."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dockdesk.bridge.watching import ContextWatcher, _words
from dockdesk.core.errors import DockDeskError, LocalError
from dockdesk.core.work import SilentWork
from dockdesk.dockerfile import watched as folders
from dockdesk.dockerfile.watched import Relevant, watched

WORK = SilentWork()


class Seen:
    """A watcher with what it told."""

    def __init__(self, jobs: Any, qtbot: Any, folder: Path) -> None:
        self.folder = folder
        self.watcher = ContextWatcher(jobs)
        self.qtbot = qtbot
        self.bursts: list[set[str]] = []
        self.failures: list[DockDeskError] = []
        self.started = 0
        self.watcher.started.connect(self._on_started)
        self.watcher.changed.connect(self._on_changed)
        self.watcher.failed.connect(self.failures.append)

    def _on_started(self) -> None:
        self.started += 1

    def _on_changed(self, paths: frozenset[str]) -> None:
        self.bursts.append({os.path.relpath(path, self.folder) for path in paths})

    def start(self, outputs: tuple[str, ...] = (), dockerfile: str = "Dockerfile") -> None:
        before = self.started
        self.watcher.start(self.folder, self.folder / dockerfile, outputs)
        self.until(lambda: self.started > before)

    def until(self, condition: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=20_000)

    def all(self) -> set[str]:
        return set().union(*self.bursts)


@pytest.fixture
def seen(jobs: Any, qtbot: Any, tmp_path: Path) -> Iterator[Seen]:
    for name in ("src", "node_modules/a", "out"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / ".dockerignore").write_text("node_modules\n*.log\n")
    (tmp_path / "src" / "app.py").write_text("1")
    made = Seen(jobs, qtbot, tmp_path)
    yield made
    made.watcher.close()


def test_a_burst_is_told_once_and_what_is_ignored_not_at_all(seen: Seen) -> None:
    seen.start()
    (seen.folder / "noise.log").write_text("x")
    (seen.folder / "node_modules" / "a" / "b").write_text("x")
    for n in range(20):
        (seen.folder / "src" / f"f{n}").write_text("x")
    (seen.folder / "Dockerfile").write_text("FROM a\n")
    seen.until(lambda: {"Dockerfile", "src/f0", "src/f19"} <= seen.all())
    assert not {"noise.log", "node_modules/a/b"} & seen.all()
    assert len(seen.bursts) <= 2
    assert not seen.failures


def test_new_folders_are_watched_too(seen: Seen) -> None:
    seen.start()
    before = seen.started
    (seen.folder / "new" / "deep").mkdir(parents=True)
    seen.until(lambda: seen.started > before and "new" in seen.all())
    (seen.folder / "new" / "deep" / "file").write_text("1")
    seen.until(lambda: os.path.join("new", "deep", "file") in seen.all())


def test_other_rules_count_at_once(seen: Seen) -> None:
    seen.start()
    before = seen.started
    (seen.folder / ".dockerignore").write_text("src\n")
    seen.until(lambda: seen.started > before and ".dockerignore" in seen.all())
    (seen.folder / "src" / "app.py").write_text("2")
    (seen.folder / "node_modules" / "a" / "b").write_text("2")
    seen.until(lambda: os.path.join("node_modules", "a", "b") in seen.all())
    assert os.path.join("src", "app.py") not in seen.all()


def test_an_editor_that_replaces_the_file_is_one_change(seen: Seen) -> None:
    seen.start()
    part = seen.folder / "src" / ".app.py.part"
    part.write_text("new")
    part.replace(seen.folder / "src" / "app.py")
    seen.until(lambda: os.path.join("src", "app.py") in seen.all())
    assert os.path.join("src", ".app.py.part") not in seen.all()


def test_what_the_build_writes_itself_is_no_change(seen: Seen) -> None:
    seen.start((str(seen.folder / "out"),))
    (seen.folder / "out" / "image.tar").write_text("x")
    (seen.folder / "src" / "app.py").write_text("3")
    seen.until(lambda: os.path.join("src", "app.py") in seen.all())
    assert os.path.join("out", "image.tar") not in seen.all()


def test_a_dockerfile_elsewhere_counts_and_its_neighbours_do_not(
    seen: Seen, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "Dockerfile").write_text("FROM a\n")
    seen.watcher.start(seen.folder, other / "Dockerfile")
    seen.until(lambda: seen.started)
    (other / "note").write_text("x")
    (other / "Dockerfile").write_text("FROM b\n")
    seen.until(lambda: any("Dockerfile" in path for path in seen.all()))
    assert not any("note" in path for path in seen.all())


def test_it_ends_with_its_thread(seen: Seen) -> None:
    seen.start()
    assert any(thread.name == "dockdesk-watch" for thread in threading.enumerate())
    seen.watcher.stop()
    (seen.folder / "src" / "app.py").write_text("4")
    seen.until(lambda: all(t.name != "dockdesk-watch" for t in threading.enumerate()))
    assert seen.bursts == []
    assert not seen.watcher.active


def test_a_folder_that_is_gone_is_said(seen: Seen) -> None:
    shutil.rmtree(seen.folder)
    seen.watcher.start(seen.folder, seen.folder / "Dockerfile")
    seen.until(lambda: seen.failures)
    assert "can't be watched" in seen.failures[0].title
    assert not seen.watcher.active


def test_too_many_folders_are_said(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOST", 2)
    with pytest.raises(LocalError, match="more than 2 folders"):
        watched(WORK, seen.folder, seen.folder / "Dockerfile")


def test_only_what_is_sent_is_walked(seen: Seen) -> None:
    what = watched(WORK, seen.folder, seen.folder / "Dockerfile")
    names = {os.path.relpath(path, seen.folder) for path in what.folders}
    assert names == {".", "src", "out"}
    relevant = Relevant(what)
    assert relevant(str(seen.folder / ".dockerignore"))
    assert relevant(str(seen.folder / "src" / "x"))
    assert not relevant(str(seen.folder / "a.log"))
    assert not relevant(str(seen.folder.parent / "x"))
    assert not relevant(str(seen.folder))


def test_a_full_table_of_watches_is_explained() -> None:
    error = _words(OSError(28, "No space left on device"))
    assert "max_user_watches" in error.hint
    assert "Turn watching on again" in _words(RuntimeError("odd")).hint
