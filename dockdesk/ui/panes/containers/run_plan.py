"""Running and creating containers from the run form, as actions. No Qt in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockdesk.core.actions import Action, Call, Danger, Equivalent, Values
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.refs import ResourceRef
from dockdesk.core.work import Work
from dockdesk.runspec.form import read_env_file, spec_of
from dockdesk.runspec.render import run_equivalent


def env_files_of(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The env file that a filled-in form names, or none."""
    path = str(values.get("env_file") or "").strip()
    return (path,) if path else ()


def equivalent_of(
    values: Mapping[str, Any], start: bool = True, wrapped: bool = False
) -> Equivalent:
    """The commands that a filled-in form stands for."""
    return run_equivalent(spec_of(values), start, wrapped, env_files_of(values))


def _plan(values: Values, start: bool) -> list[Call]:
    spec, files = spec_of(values), env_files_of(values)

    def run(engine: Any, work: Work) -> str:
        full = _with_files(values, files) if files else spec
        made: str = (
            engine.run_container(full, work) if start else engine.create_container(full, work)
        )
        return made

    name = spec.name or spec.image
    return [
        Call(ResourceRef("container", spec.name or "*new", name), run, equivalent_of(values, start))
    ]


def _with_files(values: Values, files: Sequence[str]) -> ContainerSpec:
    pairs = [pair for path in files for pair in read_env_file(path)]
    return spec_of(values, pairs)


RUN: Action[Any] = Action(
    "container.run_form",
    "Run",
    "player-play",
    lambda _rows, values: _plan(values, True),
    Danger.CHANGES,
    on_rows=False,
)
CREATE: Action[Any] = Action(
    "container.create_form",
    "Create",
    "plus",
    lambda _rows, values: _plan(values, False),
    Danger.CHANGES,
    on_rows=False,
)
