"""A build that is over, as the archive keeps it: what went in, what came out, and what each step took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildOutput, BuildSecret, BuildSpec, FileMark

__all__ = [
    "BuildRecord",
    "FileMark",
    "StepRecord",
    "project_of",
    "spec_from_json",
    "spec_to_json",
    "was_stopped",
]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step. ``line`` and ``last`` are 0-based, -1 for BuildKit's own; ``start`` is in seconds after the build's.

    ``digest`` names the step within its build; what depends on the context has another one in each. ``reached`` is
    False where the build ended before it; ``layer`` is what it added to the image in bytes, -1 where that isn't known.
    What the instruction takes is as in dockerfile.steps.StepPlace.
    """

    name: str
    digest: str
    start: float = 0.0
    seconds: float = 0.0
    cached: bool = False
    error: str = ""
    bytes: int = 0
    inputs: tuple[str, ...] = ()
    line: int = -1
    keyword: str = ""
    stage: str = ""
    sources: tuple[str, ...] = ()
    taken_from: str = ""
    below: str = ""
    args: tuple[str, ...] = ()
    last: int = -1
    reached: bool = True
    layer: int = -1

    @property
    def stopped(self) -> bool:
        """Whether it was stopped, by the user or with a step beside it that failed: no fault of its own."""
        return was_stopped(self.error)


def was_stopped(error: str) -> bool:
    """Whether a step's error says that it was stopped (Go's context.Canceled, as BuildKit passes it on)."""
    return "context canceled" in error


@dataclass(frozen=True, slots=True)
class BuildRecord:
    """A build. ``at`` in seconds since 1970, ``outcome`` ok, failed or cancelled, ``size`` of the image in bytes.

    ``spec`` has no text: ``text`` is the Dockerfile as it was. ``bases`` are (reference, digest) of the images it was
    built on, with "" where that isn't known. ``id`` is the archive's; 0 before it is kept.
    """

    at: float
    environment: str
    spec: BuildSpec
    text: str
    outcome: str
    seconds: float
    method: str = "buildkit"
    error: str = ""
    image: str = ""
    digest: str = ""
    size: int = 0
    cached_share: float | None = None
    steps: tuple[StepRecord, ...] = ()
    bases: tuple[tuple[str, str], ...] = ()
    id: int = 0

    @property
    def project(self) -> str:
        """What a history is of: the context's folder and the Dockerfile in it."""
        return project_of(self.spec)


def project_of(spec: BuildSpec) -> str:
    """The Dockerfile's path, under which the builds of a project are kept."""
    return str(spec.context / (spec.dockerfile or "Dockerfile"))


def spec_to_json(spec: BuildSpec) -> dict[str, Any]:
    """A spec as JSON values, without the Dockerfile's text and whatever is as by default."""
    default = BuildSpec(spec.context)
    kept: dict[str, Any] = {"context": str(spec.context)}
    for item in fields(spec):
        value = getattr(spec, item.name)
        if item.name in {"context", "text"} or value == getattr(default, item.name):
            continue
        if item.name == "secrets":
            value = [[secret.id, secret.file, secret.variable] for secret in spec.secrets]
        elif item.name == "outputs":
            value = [[output.kind, output.path] for output in spec.outputs]
        elif isinstance(value, tuple):
            value = [list(each) if isinstance(each, tuple) else each for each in value]
        kept[item.name] = value
    return kept


def spec_from_json(kept: Mapping[str, Any]) -> BuildSpec:
    """What `spec_to_json` gave, perhaps an older version of it: what no longer fits is left out.

    Raises ValueError where it isn't a spec at all.
    """
    if not isinstance(kept.get("context"), str):
        raise ValueError("a kept build has no context")
    context = Path(kept["context"])
    default = BuildSpec(context)
    values: dict[str, Any] = {}
    for item in fields(default):
        value = kept.get(item.name)
        if item.name in {"context", "text"} or value is None:
            continue
        wanted = getattr(default, item.name)
        if not isinstance(wanted, tuple):
            if isinstance(value, type(wanted)):
                values[item.name] = value
        elif isinstance(value, list):
            values[item.name] = _items(item.name, value)
    return BuildSpec(context, **values)


def _items(name: str, value: list[Any]) -> tuple[Any, ...]:
    if name == "secrets":
        return tuple(BuildSecret(*map(str, each[:3])) for each in value if each)
    if name == "outputs":
        return tuple(BuildOutput(*map(str, each[:2])) for each in value if each)
    return tuple(tuple(map(str, each)) if isinstance(each, list) else str(each) for each in value)
