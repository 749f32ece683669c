"""Building once more with the same parameters. No Qt in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockdesk.core.actions import Action, Call, Danger, Values
from dockdesk.core.builds.command import build_equivalent
from dockdesk.core.builds.records import project_of
from dockdesk.core.errors import LocalError
from dockdesk.core.forms import Field, FieldKind, Form
from dockdesk.core.masking import MASK
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.builds import BuildResult, BuildSpec
from dockdesk.core.work import Work

Build = Callable[[BuildSpec, str, Any, Work], BuildResult]
"""Builds with a spec and the Dockerfile's text on a backend, and has that seen."""


def forgotten(spec: BuildSpec) -> list[str]:
    """The arguments whose values the history does not keep, since they look like secrets."""
    return [name for name, value in spec.args if value == MASK]


def again_action(spec: BuildSpec, build: Build) -> Action[Any]:
    """The action that builds with ``spec`` from what is on the disk now; asks for values that are not kept."""
    asked = forgotten(spec)
    project = project_of(spec)

    def form(_rows: Sequence[Any]) -> Form:
        return Form(
            "Build again",
            [
                Field(
                    f"arg.{number}",
                    name,
                    FieldKind.SECRET,
                    help="Its value looks like a secret, so the history does not keep it.",
                )
                for number, name in enumerate(asked)
            ],
            "Build",
        )

    def plan(_rows: Sequence[Any], values: Values) -> Sequence[Call]:
        given = {name: str(values.get(f"arg.{n}") or "") for n, name in enumerate(asked)}
        filled = replace(
            spec,
            text=None,
            args=tuple((name, given.get(name, value)) for name, value in spec.args),
        )

        def run(backend: Any, work: Work) -> BuildResult:
            return build(filled, _read(Path(project)), backend, work)

        name = spec.tags[0] if spec.tags else spec.context.name or "image"
        return [Call(ResourceRef("build", project, name), run, build_equivalent(filled))]

    return Action(
        "builds.again",
        "Build again",
        "hammer",
        plan,
        Danger.CHANGES,
        on_rows=False,
        form=form if asked else None,
    )


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError as error:
        raise LocalError(
            "The build can't begin",
            f"{path}: {error.strerror or error}",
            "The Dockerfile was moved or removed since. The tab Dockerfile has its text.",
        ) from error
