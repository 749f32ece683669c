"""What tests of builds share: a spec's builds with all that they told, and folders as contexts."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dockdesk.core.resources.builds import (
    BuildItem,
    BuildLog,
    BuildOutput,
    BuildResult,
    BuildSpec,
    BuildStep,
)
from dockdesk.core.work import Work
from tests.backends.engine.works import RecordingWork
from tests.contract.conftest import Rig

Tree = dict[str, bytes | str | None]


class Told:
    """A sink that keeps what a build tells. Steps by digest, each as it was last told."""

    def __init__(self) -> None:
        self.items: list[BuildItem] = []

    def __call__(self, items: Sequence[BuildItem]) -> None:
        assert items
        self.items += items

    @property
    def steps(self) -> dict[str, BuildStep]:
        return {item.digest: item for item in list(self.items) if isinstance(item, BuildStep)}

    def step(self, words: str) -> BuildStep:
        """The one step whose name has these words."""
        found = [step for step in self.steps.values() if words in step.name]
        assert len(found) == 1, [step.name for step in self.steps.values()]
        return found[0]

    @property
    def log(self) -> str:
        return b"".join(
            item.data for item in list(self.items) if isinstance(item, BuildLog)
        ).decode()

    def of(self, kind: type[Any]) -> list[Any]:
        return [item for item in list(self.items) if isinstance(item, kind)]


def write(folder: Path, tree: Tree) -> Path:
    """Files (bytes or text) and folders (None) below ``folder``."""
    for name, content in tree.items():
        place = folder / name
        if content is None:
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def build(
    rig: Rig, context: Path, work: Work | None = None, told: Told | None = None, **options: Any
) -> tuple[BuildResult, Told]:
    told = told or Told()
    spec = BuildSpec(context, **options)
    return rig.backend.build(spec, told, work or RecordingWork()), told


def received(rig: Rig, context: Path, target: Path, **options: Any) -> dict[str, Any]:
    """What the engine got of a context, by path: it is copied into a stage, and that sent back as a folder."""
    spec = {"text": "FROM scratch\nCOPY . /\n", "outputs": (BuildOutput("local", str(target)),)}
    build(rig, context, **{**spec, **options})
    return listing(target)


def listing(root: Path) -> dict[str, Any]:
    """Each thing below ``root`` by its path: kind, permissions, whole seconds, and content or target."""
    found: dict[str, Any] = {}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(folder, name)
            info = path.lstat()
            kind = stat.S_IFMT(info.st_mode)
            content: Any = None
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(info.st_mode):
                content = path.read_bytes()
            permissions = stat.S_IMODE(info.st_mode)
            when = None if stat.S_ISDIR(info.st_mode) else info.st_mtime_ns // 10**9
            found[path.relative_to(root).as_posix()] = (kind, permissions, when, content)
    return found


class Building:
    """A build on a thread of its own."""

    def __init__(self, rig: Rig, spec: BuildSpec) -> None:
        self.work = RecordingWork()
        self.told = Told()
        self.failure: BaseException | None = None
        self.result: BuildResult | None = None
        self._thread = threading.Thread(target=self._build, args=(rig, spec))
        self._thread.start()

    def _build(self, rig: Rig, spec: BuildSpec) -> None:
        try:
            self.result = rig.backend.build(spec, self.told, self.work)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.failure = error

    def join(self) -> None:
        self._thread.join(90)
        assert not self._thread.is_alive()
