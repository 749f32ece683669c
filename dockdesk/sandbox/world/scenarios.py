"""Scenarios: what goes wrong in the world, as data, and who makes it happen.

A scenario sets `Conditions`. Each simulated system is an `Actor`: it reads the conditions it understands and ignores the
rest, so a system or a condition can be added without touching the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that can be unusual. The defaults are a calm day.

    ``traffic``: factor on the requests of the busiest services at the height of a spike. ``leak``: MiB a minute that the
    leaking service's tasks gain. ``noisy``: share of its processors, 0 to 1, that a neighbour takes from one host.
    ``throttled``: requests a second that still get through, 0 for no throttling.
    """

    traffic: float = 1.0
    bad_deploy: bool = False
    noisy: float = 0.0
    leak: float = 0.0
    zone_down: bool = False
    throttled: float = 0.0
    expired: bool = False
    engine_restart: bool = False
    huge: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """``id`` is what the command line takes; ``title`` and ``summary`` are for people."""

    id: str
    title: str
    summary: str
    conditions: Conditions


SCENARIOS = (
    Scenario("calm", "Calm day", "Everything works; traffic follows the hour.", Conditions()),
    Scenario(
        "spike",
        "Traffic spike",
        "The shop is on television: five times the requests within minutes.",
        Conditions(traffic=5.0),
    ),
    Scenario(
        "bad-deploy",
        "Bad deploy",
        "A release that fails its health checks is rolled out.",
        Conditions(bad_deploy=True),
    ),
    Scenario(
        "noisy-neighbour",
        "Noisy neighbour",
        "One host loses half of its processors to somebody else.",
        Conditions(noisy=0.55),
    ),
    Scenario(
        "memory-leak",
        "Memory leak",
        "A service gains memory until it is killed, again and again.",
        Conditions(leak=40.0),
    ),
    Scenario(
        "az-outage",
        "Availability zone outage",
        "Everything in one zone is gone; the others take its load.",
        Conditions(zone_down=True),
    ),
    Scenario(
        "throttled",
        "Throttled API",
        "The cloud refuses most requests: rate exceeded.",
        Conditions(throttled=2.0),
    ),
    Scenario(
        "expired-credentials",
        "Expired credentials",
        "The cloud's security token has expired.",
        Conditions(expired=True),
    ),
    Scenario(
        "engine-restart",
        "Engine restart",
        "The Docker engine restarts and drops every connection.",
        Conditions(engine_restart=True),
    ),
    Scenario(
        "huge",
        "Huge",
        "5,000 containers; 200 clusters with 5,000 services.",
        Conditions(huge=True),
    ),
)
CALM = SCENARIOS[0]


class Actor(Protocol):
    """A simulated system that takes part in scenarios."""

    def play(self, conditions: Conditions) -> None:
        """Live under these conditions from now on; what the last ones broke is mended as real systems mend."""
        ...


class UnknownScenarioError(Exception):
    """There is no scenario of this name."""


def scenario(name: str) -> Scenario:
    """Raises UnknownScenarioError."""
    for known in SCENARIOS:
        if known.id == name:
            return known
    names = ", ".join(known.id for known in SCENARIOS)
    raise UnknownScenarioError(f"unknown scenario {name!r}; there are: {names}")


class Director:
    """Says which scenario is played, and tells every actor when it changes."""

    def __init__(self, actors: Sequence[Actor]) -> None:
        self._actors = tuple(actors)
        self.current = CALM

    def play(self, name: str) -> Scenario:
        """Switch; playing the current one again starts it anew. Raises UnknownScenarioError."""
        self.current = scenario(name)
        for actor in self._actors:
            actor.play(self.current.conditions)
        return self.current
