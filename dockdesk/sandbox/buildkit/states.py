"""What a stage has come to while its instructions are worked off, and what was asked of the whole build."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.buildkit.bench import StepError
from dockdesk.sandbox.buildkit.ops import Op
from dockdesk.sandbox.engine.state import Layer, SimImage

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")


@dataclass(slots=True)
class History:
    """A line of an image's history: ``layer`` of the base's, or ``op`` that makes one, or neither."""

    text: str
    op: Op | None = None
    layer: Layer | None = None
    created: float = 0.0


@dataclass(slots=True)
class State:
    """What a stage has come to."""

    op: Op | None
    config: dict[str, Any]
    history: list[History]
    image: SimImage | None = None
    arguments: dict[str, str] = field(default_factory=dict)
    architecture: str = "amd64"

    def copy(self) -> State:
        config = json.loads(json.dumps(self.config))
        return State(self.op, config, list(self.history), self.image, {}, self.architecture)

    @property
    def env(self) -> dict[str, str]:
        return dict(str(item).partition("=")[::2] for item in self.config.get("Env") or ())

    @property
    def variables(self) -> dict[str, str]:
        return {**self.arguments, **self.env}

    @property
    def folder(self) -> str:
        return str(self.config.get("WorkingDir") or "/")


@dataclass(frozen=True, slots=True)
class Options:
    """What the client asks of the whole build. ``nocache``: stages, all where it holds ""; None for none."""

    arguments: Mapping[str, str]
    platform: Mapping[str, str]
    globals: Mapping[str, str]
    nocache: frozenset[str] | None
    hosts: tuple[tuple[str, str], ...] = ()
    shm: int = 0
    escape: str = "\\"


def nanoseconds(text: str) -> int:
    """A duration as Go writes it. Raises StepError."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise StepError(f'time: invalid duration "{text}"')
    return int(sum(float(number) * _SECONDS[unit] for number, unit in parts) * 1e9)
