"""From a project's folder to a Dockerfile: what kind of project it is, by which signs, and a draft for it.

Versions, managers and entry points are read from the project's own files; what they leave open has a sensible default
and can be chosen. Nothing of the project is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.records import dataclass
from dockdesk.dockerfile.detect import compiled, node, python, web
from dockdesk.dockerfile.detect.by_hand import typical
from dockdesk.dockerfile.detect.folder import Choice, Folder, Project
from dockdesk.dockerfile.templating import Note, load, render

__all__ = ["Choice", "Draft", "Note", "Project", "detect", "draft", "kinds_by_hand"]

_DETECTORS = (python.detect, node.detect, *compiled.DETECTORS, *web.DETECTORS)


@dataclass(frozen=True, slots=True)
class Draft:
    """A Dockerfile and a .dockerignore; notes explain their lines (from 0)."""

    dockerfile: str
    dockerignore: str
    notes: tuple[Note, ...]
    ignore_notes: tuple[Note, ...]


def detect(folder: Path) -> list[Project]:
    """What the folder may be, the likeliest first, each with its evidence; empty where nothing is known.

    Blocking, and quick: it reads a few small files and lists few folders. What can't be read counts as not there.
    """
    looked = Folder(folder)
    found = [project for detector in _DETECTORS for project in detector(looked)]
    return sorted(found, key=lambda each: -each.score)


def kinds_by_hand() -> list[Project]:
    """Kinds to choose from where nothing was detected. Reads nothing."""
    return typical(_DETECTORS)


def draft(project: Project, choices: Mapping[str, str] | None = None) -> Draft:
    """The files for a project; ``choices`` give values for its `choices` by their ids.

    Raises InvalidInputError for a value that can't stand in a Dockerfile or is none of those offered.
    """
    values = dict(project.values)
    for choice in project.choices:
        value = (choices or {}).get(choice.id, choice.value).strip()
        if choice.options and value not in choice.options:
            raise InvalidInputError(
                f"{value} can't be chosen",
                f"{choice.title} is one of {', '.join(choice.options)}.",
                field=choice.id,
            )
        if not choice.pattern_holds(value):
            raise InvalidInputError(
                f"{choice.title} can't be {value!r}", choice.help, field=choice.id
            )
        values[choice.id] = value
    finish = project.finish
    if finish is not None:
        values |= finish(values)
    main = render(load(f"{project.template}.Dockerfile"), values)
    own = render(load(f"{project.kind}.dockerignore"), values)
    common = render(load("common.dockerignore"), values)
    first = common.text.count("\n") + 1
    notes = (*common.notes, *(Note(note.line + first, note.text) for note in own.notes))
    return Draft(main.text, f"{common.text}\n{own.text}", main.notes, notes)
