"""What the wizard writes, and what is there already. Blocks: for workers."""

from __future__ import annotations

import importlib.resources
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.records import dataclass
from dockdesk.core.wholefile import local_error
from dockdesk.dockerfile.explained import explained, without_syntax
from dockdesk.dockerfile.project import Project, detect, draft, kinds_by_hand
from dockdesk.ui.panes.dockerfiles import files

SAMPLE = "hello-web"


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder may be. ``detected`` is False where the kinds are those to choose from by hand."""

    folder: Path
    projects: tuple[Project, ...]
    detected: bool
    present: tuple[str, ...]  # of the files that would be written


@dataclass(frozen=True, slots=True)
class Drafted:
    """Texts as they would be written, by file name."""

    texts: Mapping[str, str]


def look(folder: Path) -> Found:
    """What a folder may be; raises InvalidInputError where it is none."""
    if not folder.is_dir():
        raise InvalidInputError(
            "There is no such folder", str(folder), "Choose the project's folder.", field="folder"
        )
    found = detect(folder)
    present = tuple(name for name in ("Dockerfile", ".dockerignore") if (folder / name).exists())
    return Found(folder, tuple(found or kinds_by_hand()), bool(found), present)


def drafted(
    project: Project, choices: Mapping[str, str], *, comments: bool, newest: bool
) -> Drafted:
    """The two files. Raises what `draft` raises."""
    made = draft(project, choices)
    text, notes = made.dockerfile, made.notes
    if not newest:
        text, notes = without_syntax(text, notes)
    ignore = made.dockerignore
    if comments:
        text, ignore = explained(text, notes), explained(ignore, made.ignore_notes)
    return Drafted({"Dockerfile": text, ".dockerignore": ignore})


def standing(folder: Path, texts: Mapping[str, str]) -> dict[str, str]:
    """Texts of those files that are there already and say something else."""
    found = {}
    for name, text in texts.items():
        path = folder / name
        if path.exists():
            there = files.read(path).text
            if there != text:
                found[name] = there
    return found


def write(folder: Path, texts: Mapping[str, str], names: Sequence[str]) -> Path:
    """Write those of the files; returns the Dockerfile's path. Raises LocalError."""
    for name in names:
        files.write(folder / name, texts[name].encode())
    return folder / "Dockerfile"


def copy_sample(target: Path) -> Path:
    """Copy the sample project to a folder that isn't there yet, or holds nothing; returns it.

    Raises LocalError, and InvalidInputError where there is something already.
    """
    title = "The sample can't be copied"
    try:
        if target.exists() and any(target.iterdir()):
            raise InvalidInputError(
                title, f"{target} is not empty.", "Choose another folder.", field="folder"
            )
        _copy(importlib.resources.files("dockdesk.data") / "samples" / SAMPLE, target)
    except OSError as error:
        raise local_error(title, target, error) from error
    return target


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for each in source.iterdir():
        if each.name == "__pycache__":
            continue
        if each.is_dir():
            _copy(each, target / each.name)
        else:
            with each.open("rb") as there, open(target / each.name, "wb") as here:
                shutil.copyfileobj(there, here)


def free_sample_folder() -> Path:
    """Where the sample goes unless the user says otherwise: a folder that isn't there."""
    base = Path.home() / "dockdesk-samples"
    number, target = 1, base / SAMPLE
    while os.path.lexists(target):
        number += 1
        target = base / f"{SAMPLE}-{number}"
    return target
