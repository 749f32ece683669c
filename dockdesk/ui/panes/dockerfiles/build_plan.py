"""Building as an action: what it calls, and how it is told to other tools. No Qt in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dockdesk.core.actions import Action, Call, Danger, Equivalent, Values
from dockdesk.core.builds.command import build_equivalent
from dockdesk.core.records import dataclass
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.builds import BuildResult, BuildSpec
from dockdesk.core.work import Work

Build = Callable[[BuildSpec, str, Any, Work], BuildResult]
"""Builds with a spec and the Dockerfile's text on a backend, and has that seen."""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What is to be built. ``text`` is the Dockerfile; ``unsaved`` where the disk has another one."""

    spec: BuildSpec
    text: str
    unsaved: bool = False
    classic: bool = False  # the engine has no BuildKit

    @property
    def name(self) -> str:
        """What people call it: its first tag, else its folder."""
        return self.spec.tags[0] if self.spec.tags else self.spec.context.name or "image"

    @property
    def project(self) -> Path:
        return self.spec.context / (self.spec.dockerfile or "Dockerfile")


def equivalent_of(request: BuildRequest, wrapped: bool = False) -> Equivalent:
    """The commands that a build stands for. What is saved is named as the file that it is in."""
    spec = request.spec
    if not request.unsaved:
        spec = replace(spec, text=None)
    if spec.dockerfile:
        # As people write it: a Dockerfile in the context needs no name.
        path = spec.context / spec.dockerfile
        if path == spec.context / "Dockerfile":
            spec = replace(spec, dockerfile="")
    classic = not spec.builder and (request.classic or spec.classic)
    return build_equivalent(spec, wrapped, classic, request.unsaved)


def build_action(build: Build) -> Action[Any]:
    """The action that builds the BuildRequest which stands as “request” in its values."""

    def plan(_rows: Sequence[Any], values: Values) -> Sequence[Call]:
        request: BuildRequest = values["request"]

        def run(backend: Any, work: Work) -> BuildResult:
            return build(request.spec, request.text, backend, work)

        # Builds of one Dockerfile run one after the other; others side by side.
        target = ResourceRef("build", str(request.project), request.name)
        return [Call(target, run, equivalent_of(request))]

    return Action("build.run", "Build", "hammer", plan, Danger.CHANGES, on_rows=False)
