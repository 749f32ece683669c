"""Every version of the catalogue's images that there ever was: which tags name it, and how old it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dockdesk.sandbox.engine import base_images
from dockdesk.sandbox.engine.catalogue import RECIPES, Recipe
from dockdesk.sandbox.world.traffic import unit

_NEWEST_DAYS, _DAYS_BETWEEN = 3.0, 26.0
_BUILDS = 180  # of a main branch, one a tag


@dataclass(frozen=True, slots=True)
class Line:
    """One image of a repository. ``tag`` is the one it was built under; ``age`` in days."""

    tag: str
    tags: tuple[str, ...]
    version: str
    age: float


@dataclass(frozen=True, slots=True)
class _History:
    """``versions`` from the newest on; each comes in all ``variants``."""

    versions: tuple[str, ...]
    variants: tuple[str, ...] = ("",)
    prefix: str = ""
    builds: int = 0


def _patches(*series: str) -> tuple[str, ...]:
    """("1.27.3") → 1.27.3, 1.27.2, 1.27.1, 1.27.0."""
    return tuple(
        f"{head}.{number}"
        for head, _, last in (text.rpartition(".") for text in series)
        for number in range(int(last), -1, -1)
    )


_HISTORIES: Mapping[str, _History] = {
    **{
        base.repository: _History((base.version, *base.older), base.variants)
        for base in base_images.ON_HUB
        if base.version[0].isdigit()
    },
    "nginx": _History(
        _patches("1.27.3", "1.26.2", "1.25.5", "1.24.0", "1.23.4", "1.22.1"),
        ("", "-alpine", "-alpine-slim", "-perl", "-bookworm"),
    ),
    "postgres": _History(
        _patches("17.2", "16.6", "15.10", "14.15"), ("", "-alpine", "-bookworm", "-bullseye")
    ),
    "redis": _History(_patches("7.4.1", "7.2.6", "7.0.15", "6.2.16"), ("", "-alpine", "-bookworm")),
    "traefik": _History(_patches("3.2.3", "3.1.7", "3.0.4", "2.11.16"), prefix="v"),
    "alpine": _History(_patches("3.21.0", "3.20.3", "3.19.4", "3.18.9", "3.17.10")),
    "busybox": _History(_patches("1.37.0", "1.36.1", "1.35.0"), ("", "-glibc", "-musl", "-uclibc")),
    "hello-world": _History((), ("",)),
    "acme/api": _History(_patches("2.14.1", "2.13.2", "2.12.4", "2.11.3"), builds=_BUILDS),
    "acme/worker": _History(_patches("2.14.1", "2.13.2", "2.12.4"), builds=40),
    "acme/batch": _History(("0.9", "0.8", "0.7")),
    "prom/prometheus": _History(_patches("2.55.1", "2.54.1", "2.53.3", "2.52.0"), prefix="v"),
    "mailhog/mailhog": _History(("1.0.1", "1.0.0"), prefix="v"),
    "grafana/grafana": _History(_patches("11.4.0", "11.3.2", "11.2.5", "10.4.14"), ("", "-ubuntu")),
}

_RECIPES: Mapping[str, Recipe] = {
    recipe.repository: recipe for recipe in (*RECIPES, *base_images.newest())
}


@lru_cache(maxsize=64)
def lines(repository: str) -> tuple[Line, ...]:
    """The images of a repository of the catalogue, the newest version first; none for others."""
    recipe, history = _RECIPES.get(repository), _HISTORIES.get(repository)
    if recipe is None:
        return ()
    if history is None or not history.versions:
        return (Line(recipe.tag, (recipe.tag,), "", age(recipe.reference)),)
    found = []
    for variant in history.variants:
        names = _aliases(history.versions, history.prefix, variant)
        for position, version in enumerate(history.versions):
            days = _NEWEST_DAYS + _DAYS_BETWEEN * (position + unit(repository, version))
            found.append(_line(recipe, names[version], version, days))
    found.sort(key=lambda line: line.age)
    found += [_build(repository, number) for number in range(history.builds)]
    return tuple(found)


def at(repository: str, tag: str) -> Recipe | None:
    """The recipe behind a tag, None where the repository has no such tag.

    Tags of one image give the same recipe, so that they have one digest.
    """
    line = next((line for line in lines(repository) if tag in line.tags), None)
    return of(_RECIPES[repository], line) if line is not None else None


def of(recipe: Recipe, line: Line) -> Recipe:
    """A repository's recipe as it was at a release."""
    if line.tag == recipe.tag:
        return recipe
    if recipe.repository in base_images.BY_REPOSITORY:
        return base_images.recipe(recipe.repository, line.tag) or recipe
    name = recipe.repository.rpartition("/")[2].upper()
    env = tuple(
        f"{name}_VERSION={line.version}" if item.startswith(f"{name}_VERSION=") else item
        for item in recipe.env
    )
    labels = dict(recipe.labels)
    if "org.opencontainers.image.version" in labels:
        labels["org.opencontainers.image.version"] = line.version or line.tag
    return replace(recipe, tag=line.tag, env=env, labels=labels)


def age(reference: str) -> float:
    """Days since an image of the catalogue was made, by the tag it was built under."""
    repository, _, tag = reference.rpartition(":")
    history = _HISTORIES.get(repository)
    if history is not None and history.versions:
        for line in lines(repository):
            if line.tag == tag:
                return line.age
    return 3 + 40 * unit(reference, "age")


def _aliases(versions: Sequence[str], prefix: str, variant: str) -> dict[str, list[str]]:
    """Version → its tags: the newest of a series has the series' name too, the newest of all is the latest."""
    taken = set[str]()
    names: dict[str, list[str]] = {}
    for position, version in enumerate(versions):
        parts = version.split(".")
        tags = []
        for length in range(len(parts), 0, -1):
            name = prefix + ".".join(parts[:length]) + variant
            if name not in taken:
                taken.add(name)
                tags.append(name)
        if position == 0:
            tags.append(variant.lstrip("-") or "latest")
        names[version] = tags
    return names


def _line(recipe: Recipe, tags: Sequence[str], version: str, days: float) -> Line:
    own = recipe.tag if recipe.tag in tags else tags[0]
    return Line(own, tuple(tags), version, days)


def _build(repository: str, number: int) -> Line:
    """What a main branch's pipeline pushed, several a day."""
    name = hashlib.sha256(f"{repository} {number}".encode()).hexdigest()[:7]
    tags = (f"main-{name}", "main") if number == 0 else (f"main-{name}",)
    return Line(tags[0], tags, "", 0.1 + number * 0.35 + 0.2 * unit(repository, number))
