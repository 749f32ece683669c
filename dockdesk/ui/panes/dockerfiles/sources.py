"""What completion knows beyond the text: images of the engine, files of the build context. Answers come from memory."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from dockdesk.core.records import dataclass
from dockdesk.core.references import reference_parts
from dockdesk.core.work import Work
from dockdesk.dockerfile.ignore import IgnoreRules, rules_for
from dockdesk.ui.context import UiContext

_MOST = 5000
_FRESH_S = 5.0


@dataclass(frozen=True, slots=True)
class CachedSources:
    """A snapshot, safe on any thread. ``paths`` are relative to the context, folders with a slash at their end."""

    tags_of: Mapping[str, Sequence[str]]
    paths: Sequence[str] = ()

    def files(self, prefix: str = "") -> Sequence[str]:
        """Entries of the folder that ``prefix`` is in, whose paths begin with it."""
        start = prefix.removeprefix("./").removeprefix("/")
        depth = start.count("/")
        return [
            path
            for path in self.paths
            if path.startswith(start) and path.rstrip("/").count("/") == depth
        ]

    def images(self, prefix: str = "") -> Sequence[str]:
        """Names of images, without tags."""
        return [name for name in self.tags_of if name.startswith(prefix)]

    def tags(self, image: str) -> Sequence[str]:
        return self.tags_of.get(image, ())


class Sources(QObject):
    """Keeps the snapshots of one pane fresh: images by the session's signals, files when they were asked for."""

    def __init__(self, context: UiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._tags: Mapping[str, Sequence[str]] = {}
        self._paths: dict[tuple[Path, str], tuple[float, Sequence[str]]] = {}
        context.session.images_changed.connect(self._on_images_changed)
        self._on_images_changed()

    def snapshot(self, folder: Path | None, dockerfile: str) -> CachedSources:
        """What is known now, to be read on any thread. GUI thread."""
        if folder is None:
            return CachedSources(self._tags)
        return CachedSources(self._tags, self._paths.get((folder, dockerfile), (0.0, ()))[1])

    def refresh(self, folder: Path | None, dockerfile: str) -> None:
        """Look at the context's files, unless that was done a moment ago. GUI thread."""
        if folder is None:
            return
        key = (folder, dockerfile)
        at, paths = self._paths.get(key, (0.0, ()))
        if time.monotonic() - at < _FRESH_S and at:
            return
        self._paths[key] = (time.monotonic(), paths)
        self._context.jobs.submit(
            self,
            lambda work: list_context(folder, rules_for(folder, dockerfile), work),
            lambda found: self._paths.__setitem__(key, (time.monotonic(), found)),
            lambda _error: None,
            lane="files",
            question=f"context {folder}",
        )

    def _on_images_changed(self) -> None:
        tags: dict[str, list[str]] = {}
        for image in self._context.session.images.values():
            for reference in image.tags:
                name, tag = reference_parts(reference)
                tags.setdefault(name, []).append(tag)
        self._tags = {name: tuple(sorted(found)) for name, found in sorted(tags.items())}


def list_context(folder: Path, rules: IgnoreRules, work: Work) -> list[str]:
    """The paths that a build would send, nearest first; blocks. At most some thousand: more can't be chosen from."""
    found: list[str] = []
    todo = [""]
    while todo and len(found) < _MOST:
        work.check()
        here = todo.pop(0)
        try:
            entries = sorted(os.scandir(folder / here), key=lambda entry: entry.name)
        except OSError:  # a build would stumble over it; here it only can't be offered
            continue
        for entry in entries:
            path = f"{here}{entry.name}"
            inside = entry.is_dir(follow_symlinks=False)
            if entry.name == ".git" or rules.excludes(path, inside):
                continue
            found.append(f"{path}/" if inside else path)
            if inside:
                todo.append(f"{path}/")
    return found
