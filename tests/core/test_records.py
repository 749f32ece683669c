"""DockDesk's dataclasses are those of the standard library, only cheaper to make."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """A point."""

    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list, compare=False)
    secret: str = field(default="s", repr=False)
    unit: str = field(default="m", kw_only=True)


@dataclasses.dataclass(frozen=True, slots=True)
class TheirPoint:
    """A point."""

    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list, compare=False)
    secret: str = field(default="s", repr=False)
    unit: str = field(default="m", kw_only=True)


@dataclass(slots=True)
class Counter:
    number: int = 0

    def add(self) -> None:
        self.number += 1


@dataclass(slots=True, eq=False)
class Thing:
    number: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    """No fields at all."""


class Named(Point):
    """A class that calls the made `__init__` from its own."""

    def __init__(self, name: str) -> None:
        super().__init__(1, 2)
        object.__setattr__(self, "name", name)


POINTS: list[type[Any]] = [Point, TheirPoint]


@pytest.mark.parametrize("kind", POINTS)
def test_values_defaults_and_words(kind: type[Any]) -> None:
    point = kind(1, unit="km")
    assert (point.x, point.y, point.tags, point.secret, point.unit) == (1, 0, [], "s", "km")
    assert point.tags is not kind(1).tags
    assert repr(point) == f"{kind.__name__}(x=1, y=0, tags=[], unit='km')"
    assert kind.__match_args__ == ("x", "y", "tags", "secret")
    assert not hasattr(point, "__dict__")


@pytest.mark.parametrize("kind", POINTS)
@pytest.mark.parametrize(
    "wrong",
    [
        lambda kind: kind(),
        lambda kind: kind(1, 2, [], "s", "km"),
        lambda kind: kind(1, z=2),
        lambda kind: kind(1, x=2),
    ],
)
def test_wrong_arguments(kind: type[Any], wrong: Callable[[type[Any]], object]) -> None:
    with pytest.raises(TypeError):
        wrong(kind)


@pytest.mark.parametrize("kind", POINTS)
def test_equal_are_those_of_equal_values_and_one_class(kind: type[Any]) -> None:
    assert kind(1, 2, ["a"]) == kind(1, 2, ["b"])
    assert hash(kind(1, 2, ["a"])) == hash(kind(1, 2, ["b"]))
    assert kind(1) != kind(2)
    assert kind(1) != (1, 0, "s", "m")
    assert Point(1) != TheirPoint(1)
    assert len({kind(1), kind(1), kind(2)}) == 2


@pytest.mark.parametrize("kind", POINTS)
def test_frozen_stays_as_it_is(kind: type[Any]) -> None:
    point = kind(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        point.other = 2  # the library stumbles here and says TypeError
    assert point.x == 1


@pytest.mark.parametrize("kind", POINTS)
def test_the_library_takes_it_for_its_own(kind: type[Any]) -> None:
    point = kind(1, 2, ["a"])
    assert dataclasses.is_dataclass(point)
    assert dataclasses.replace(point, y=3) == kind(1, 3)
    assert dataclasses.asdict(point)["tags"] == ["a"]
    assert dataclasses.asdict(point)["tags"] is not point.tags
    assert [item.name for item in dataclasses.fields(kind)] == ["x", "y", "tags", "secret", "unit"]


@pytest.mark.parametrize("kind", POINTS)
def test_copies(kind: type[Any]) -> None:
    point = kind(1, 2, ["a"])
    for made in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert made == point
        assert made.tags == ["a"]


def test_what_is_not_frozen_changes_and_has_no_hash() -> None:
    counter = Counter()
    counter.add()
    assert counter == Counter(1)
    with pytest.raises(TypeError):
        hash(counter)


def test_without_eq_each_is_itself() -> None:
    assert Thing(1) != Thing(1)
    assert len({Thing(1), Thing(1)}) == 2


def test_no_fields() -> None:
    assert Nothing() == Nothing()
    assert repr(Nothing()) == "Nothing()"
    with pytest.raises(TypeError):
        Nothing(1)  # type: ignore[call-arg]


def test_a_class_that_extends_one() -> None:
    named = Named("n")
    assert (named.x, named.y, named.name) == (1, 2, "n")  # type: ignore[attr-defined]


def test_classes_without_slots_are_refused() -> None:
    with pytest.raises(TypeError, match="slots"):
        dataclass(slots=False)
