"""The sandbox as the window sees it: what is played, how fast, and a way to change both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dockdesk.core.records import dataclass
from dockdesk.core.work import Work


@dataclass(frozen=True, slots=True)
class Scenario:
    """What can be played: ``id`` for `DirectsSimulation.play`, the rest for people."""

    id: str
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class SimulationStatus:
    """``now`` is the world's time in seconds since 1970; ``speed`` its seconds a real second, 1 to 60."""

    scenario: str
    speed: float
    now: float
    scenarios: tuple[Scenario, ...]


class DirectsSimulation(Protocol):
    """All methods block for a moment: call them on a worker. They raise LocalError where it does not run."""

    def status(self) -> SimulationStatus: ...

    def play(self, scenario: str) -> SimulationStatus: ...

    def set_speed(self, speed: float) -> SimulationStatus: ...

    def variables(self, work: Work) -> Mapping[str, str]:
        """The environment that leads other programs to it: DOCKER_HOST, AWS_ENDPOINT_URL and so on."""
