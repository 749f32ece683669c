"""Which kind of file a name stands for, and which files of a folder belong to its containers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dockdesk.core.wholefile import local_error
from dockdesk.core.work import Work

DOCKERFILE, COMPOSE, IGNORE, YAML, TEXT = "dockerfile", "compose", "ignore", "yaml", "text"

TITLES = {
    DOCKERFILE: "Dockerfile",
    COMPOSE: "Compose",
    IGNORE: "Ignore rules",
    YAML: "YAML",
    TEXT: "Text",
}

ICONS = {
    DOCKERFILE: "file-code",
    COMPOSE: "stack-2",
    IGNORE: "eye-off",
    YAML: "file-text",
    TEXT: "file-text",
}

_SKIPPED = frozenset(
    (".git .hg .svn .venv venv node_modules __pycache__ .tox .mypy_cache .ruff_cache .idea .vscode "
     "vendor target dist build .gradle .terraform .next .cache").split()
)  # fmt: skip
_DEEPEST = 5
_MOST = 300
_MOST_FOLDERS = 5000


def kind_of(name: str) -> str:
    """The kind of a file by its name."""
    low = name.lower()
    if low.endswith(".dockerignore") or low == ".containerignore":
        return IGNORE
    stem, _dot, suffix = low.partition(".")
    if stem in {"dockerfile", "containerfile"} or suffix in {"dockerfile", "containerfile"}:
        return DOCKERFILE
    if low.endswith((".dockerfile", ".containerfile")):
        return DOCKERFILE
    if low.endswith((".yaml", ".yml")):
        composed = low.startswith(("compose.", "docker-compose.", "compose-", "docker-compose-"))
        return COMPOSE if composed else YAML
    return TEXT


def belongs(name: str) -> bool:
    """Whether a project's list shows a file of this name."""
    return kind_of(name) in {DOCKERFILE, COMPOSE, IGNORE} or name in {
        ".hadolint.yaml",
        ".hadolint.yml",
    }


def files_of(folder: Path, work: Work) -> list[Path]:
    """The files below ``folder`` that belong to containers, in reading order; blocks. Folders of tools are left out.

    Raises LocalError where there is no such folder.
    """
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise local_error(f"“{folder.name}” can't be opened", folder, error) from error
    found = []
    for path in _walk(folder, work):
        found.append(path)
        if len(found) >= _MOST:
            break
    return sorted(found, key=lambda path: (len(path.parts), str(path).lower()))


def main_of(files: Sequence[Path]) -> Path | None:
    """The Dockerfile that a builder would take, else the first there is."""
    found = [path for path in files if kind_of(path.name) == DOCKERFILE]
    plain = (path for path in found if path.name.lower() in {"dockerfile", "containerfile"})
    return next(plain, next(iter(found), None))


def _walk(folder: Path, work: Work) -> Iterator[Path]:
    for folders, (root, names, files) in enumerate(os.walk(folder)):
        work.check()
        depth = len(Path(root).relative_to(folder).parts)
        names[:] = sorted(n for n in names if n not in _SKIPPED) if depth < _DEEPEST else []
        yield from (Path(root, name) for name in sorted(files) if belongs(name))
        if folders >= _MOST_FOLDERS:
            return
