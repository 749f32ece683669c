"""What the registry holds when it starts: the catalogue's repositories with their history, made when asked for."""

from __future__ import annotations

from functools import partial

from dockdesk.sandbox.engine import base_images, releases
from dockdesk.sandbox.engine.catalogue import RECIPES, Recipe
from dockdesk.sandbox.engine.recipes import DAY, day_of, package
from dockdesk.sandbox.registry.accounts import ORGANISATION, Accounts
from dockdesk.sandbox.registry.repositories import About, Release, Repositories
from dockdesk.sandbox.world.traffic import unit

_TEXTS = {
    "nginx": "Web server, reverse proxy and load balancer.",
    "postgres": "An object-relational database that has been kept reliable for decades.",
    "redis": "An in-memory store for caches, queues and counters.",
    "acme/api": "The shop's API gateway. Built by the pipeline on every merge.",
    "acme/worker": "Takes orders from the queue and works them off.",
    "acme/batch": "Nightly settlement. Not for the public.",
    "prom/prometheus": "Collects metrics and evaluates alerts.",
    "mailhog/mailhog": "Catches mail in development instead of sending it.",
    "traefik": "An edge router that finds its services by itself.",
    "alpine": "A complete small Linux in a few megabytes.",
    "busybox": "The common Unix tools in one program.",
    "hello-world": "Says hello, and that everything works.",
    "grafana/grafana": "Dashboards for metrics, logs and traces.",
}
_CATEGORIES = {
    "nginx": ("Web servers", "web-servers"),
    "postgres": ("Databases & storage", "databases-and-storage"),
    "redis": ("Databases & storage", "databases-and-storage"),
    "traefik": ("Networking", "networking"),
    "prom/prometheus": ("Monitoring & observability", "monitoring-and-observability"),
    "grafana/grafana": ("Monitoring & observability", "monitoring-and-observability"),
    "alpine": ("Operating systems", "operating-systems"),
}
_PRIVATE = {"acme/batch"}
NIGHTLY = "acme/nightly"
_BILLION = 1_000_000_000


def furnish(repositories: Repositories, accounts: Accounts, now: float, tags: int = 0) -> None:
    """Fill an empty registry; ``tags`` more of them in one repository, for trying large numbers."""
    for position, recipe in enumerate((*RECIPES, *base_images.newest())):
        official = "/" not in recipe.repository
        name = f"library/{recipe.repository}" if official else recipe.repository
        namespace = name.partition("/")[0]
        if namespace != ORGANISATION:
            accounts.reserve(namespace)
        about = _about(recipe, official, position, now)
        repositories.add_seeded(name, about, _releases(recipe, now))
    if tags:
        add_many(repositories, now, tags)


def _text(name: str) -> str:
    base = base_images.BY_REPOSITORY.get(name)
    return base.about if base is not None else _TEXTS[name]


def _about(recipe: Recipe, official: bool, position: int, now: float) -> About:
    name = recipe.repository
    weight = unit(name, "fame")
    own = name.startswith(f"{ORGANISATION}/")
    rank = max(11 - position * 0.6, 0.4)
    pulls = int(2_000 * weight) if own else int(_BILLION * (rank + weight))
    category = _CATEGORIES.get(name)
    return About(
        _text(name),
        readme(recipe),
        name in _PRIVATE,
        official,
        0 if own else int(300 + 20_000 * weight / (position + 1)),
        pulls,
        now - DAY * (2_000 + 1_500 * weight),
        (category,) if category is not None else (),
    )


def readme(recipe: Recipe) -> str:
    """A repository's description in Markdown, as its page shows it."""
    ports = " ".join(
        f"-p {port.partition('/')[0]}:{port.partition('/')[0]}" for port in recipe.ports
    )
    run = " ".join(part for part in ("docker run --rm", ports, recipe.reference) if part)
    lines = [
        f"# {recipe.repository}",
        "",
        _text(recipe.repository),
        "",
        "> A small stand-in from DockDesk's sandbox: its layers are real, its programs are simulated.",
        "",
        "## How to use it",
        "",
        "```sh",
        run,
        "```",
        "",
    ]
    if recipe.volumes:
        lines += ["## Where it keeps its data", "", *(f"- `{path}`" for path in recipe.volumes), ""]
    if recipe.env:
        names = [item.partition("=")[0] for item in recipe.env if not item.startswith("PATH=")]
        lines += ["## Environment", "", "| Variable |", "| --- |"]
        lines += [f"| `{name}` |" for name in names]
        lines.append("")
    return "\n".join(lines)


def _releases(recipe: Recipe, now: float) -> dict[str, Release]:
    found: dict[str, Release] = {}
    for line in releases.lines(recipe.repository):
        make = partial(package, releases.of(recipe, line), now)
        # Nothing is pushed in the future, nor before it was built.
        pushed = min(day_of(now) - DAY * line.age + 1_800, now)
        release = Release(line.tags, pushed, make)
        found.update(dict.fromkeys(line.tags, release))
    return found


def add_many(repositories: Repositories, now: float, tags: int) -> None:
    """A repository with a tag for each of very many builds."""
    recipe = next(recipe for recipe in RECIPES if recipe.repository == "acme/batch")
    found: dict[str, Release] = {}
    for number in range(tags):
        tag = f"build-{tags - number:05d}"
        line = releases.Line(tag, (tag,), "", number * 0.04)
        make = partial(package, releases.of(recipe, line), now)
        found[tag] = Release(line.tags, day_of(now) - DAY * line.age, make)
    about = About("One tag for every build there ever was.", created=now - DAY * 900)
    repositories.add_seeded(NIGHTLY, about, found)
