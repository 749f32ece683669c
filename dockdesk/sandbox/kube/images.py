"""What containers of simulated pods run: the sandbox's images and a cluster's own, and what a command makes of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dockdesk.sandbox.engine.catalogue import MIB, RECIPES, Program, Recipe, base_tree
from dockdesk.sandbox.engine.filesystem import Node
from dockdesk.sandbox.engine.images import find_recipe
from dockdesk.sandbox.engine.state import with_tag
from dockdesk.sandbox.kube.stores import Held, Stores

_PATH = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",)


def _system(repository: str, tag: str, command: str, megabytes: int, program: Program) -> Recipe:
    return Recipe(
        repository,
        tag,
        ((f"COPY {command} /{command} # buildkit", megabytes * 1_000_000),),
        (),
        (f"/{command}",),
        _PATH,
        program=program,
        shells=(),
    )


SYSTEM: tuple[Recipe, ...] = (
    _system("registry.k8s.io/coredns/coredns", "v1.11.3", "coredns", 62, Program("quiet", 0.4, 0.01, 22 * MIB)),
    _system("registry.k8s.io/kube-proxy", "v1.32.4", "kube-proxy", 94, Program("quiet", 0.2, 0.0, 28 * MIB)),
    _system("registry.k8s.io/metrics-server/metrics-server", "v0.7.2", "metrics-server", 67, Program("quiet", 0.5, 0.0, 34 * MIB)),
    _system("registry.k8s.io/ingress-nginx/controller", "v1.12.1", "nginx-ingress-controller", 291, Program("access", 1.2, 0.02, 130 * MIB)),
    _system("registry.k8s.io/kube-state-metrics/kube-state-metrics", "v2.15.0", "kube-state-metrics", 48, Program("quiet", 0.3, 0.0, 30 * MIB)),
    _system("quay.io/prometheus/node-exporter", "v1.9.0", "bin/node_exporter", 25, Program("quiet", 0.2, 0.0, 14 * MIB)),
    _system("quay.io/prometheus/alertmanager", "v0.28.1", "bin/alertmanager", 73, Program("quiet", 0.2, 0.0, 26 * MIB)),
    _system("amazon/aws-ebs-csi-driver", "v1.41.0", "bin/aws-ebs-csi-driver", 71, Program("quiet", 0.1, 0.0, 24 * MIB)),
)  # fmt: skip
# More services of the shop: the same program under other names.
_SHOP: tuple[Recipe, ...] = tuple(
    replace(recipe, repository=f"acme/{name}", program=replace(recipe.program, memory=memory * MIB))
    for recipe in RECIPES
    if recipe.repository == "acme/api" and recipe.tag == "2.14.1"
    for name, memory in (
        ("cart", 110),
        ("catalog", 140),
        ("checkout", 170),
        ("recommender", 320),
        ("media", 210),
    )
)
_BY_REPOSITORY = {recipe.repository: recipe for recipe in (*SYSTEM, *_SHOP)}
_SETTLE = 2.0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a container with an image and a command of its own lives. ``says`` is printed at its start.

    ``interactive``: a shell that waits for somebody to attach. ``held`` is the image where somebody made it, ``lacks``
    the program that it would start and does not have.
    """

    recipe: Recipe
    program: Program
    says: tuple[str, ...] = ()
    interactive: bool = False
    held: Held | None = None
    lacks: str = ""

    @property
    def shells(self) -> tuple[str, ...]:
        """Paths of the shells in the image."""
        if self.held is None or self.recipe.shells:
            return self.recipe.shells
        files = self.held.load()
        return tuple(path for path in ("/bin/bash", "/bin/sh", "/bin/ash") if path in files)

    def files(self, now: float) -> Mapping[str, Node]:
        """The image's files, as a container starts with them."""
        return base_tree(self.recipe, now) if self.held is None else self.held.load()

    @property
    def size(self) -> int:
        return sum(count for _, count in self.recipe.layers)


def recipe_of(reference: str) -> Recipe | None:
    """The image of the catalogue that a reference names, None where no registry has it."""
    name = with_tag(reference)
    repository, _, tag = name.rpartition(":")
    if repository in _BY_REPOSITORY:
        absent = tag.startswith("missing") or "does-not-exist" in tag
        return None if absent else replace(_BY_REPOSITORY[repository], tag=tag)
    recipe = find_recipe(reference)
    if recipe is None:
        # A mirror or a private registry in front of a repository that is known.
        host, slash, rest = name.partition("/")
        if slash and ("." in host or ":" in host):
            recipe = find_recipe(rest)
    return recipe


def _found(reference: str, policy: str, stores: Stores) -> tuple[Recipe | None, Held | None]:
    """What a node finds: a registry's image, else what the engine has built, else the catalogue's."""
    held = stores.pushed(reference)
    if held is None and policy != "Always":
        held = stores.built(reference)
    if held is not None:
        return held.recipe, held
    return (None if stores.knows(reference) else recipe_of(reference)), None


def behaviour_of(container: Mapping[str, Any], stores: Stores) -> Behaviour | None:
    """What a container of a pod does when it runs; None where its image is not to be had.

    A tag that speaks of a crash, a leak or bad health means it: so failures can be made by setting an image.
    """
    recipe, held = _found(
        str(container.get("image", "")), str(container.get("imagePullPolicy", "")), stores
    )
    if recipe is None:
        return None
    found = _behaviour(container, recipe, held is not None)
    if held is None:
        return found
    lacks = "" if container.get("command") else held.lacks()
    return replace(found, held=held, lacks=lacks)


def _behaviour(container: Mapping[str, Any], recipe: Recipe, made: bool) -> Behaviour:
    """By command and tag. ``made`` by somebody: what its own command says counts too."""
    program = recipe.program
    tag = recipe.tag
    if "crash" in tag:
        program = replace(program, runs_for=_SETTLE, exit_code=1)
    elif "leak" in tag:
        program = replace(program, leak=float(MIB))
    elif any(word in tag for word in ("unhealthy", "broken", "bad")):
        program = replace(program, fails_health=True)
    words = [str(word) for word in container.get("command") or ()]
    given = [str(word) for word in container.get("args") or ()]
    if not words and program.logs == "quiet" and (made or not recipe.entrypoint):
        words, given = [*recipe.entrypoint, *(given or recipe.command)], []
    if not words:
        return Behaviour(recipe, program)
    found = _commanded(recipe, program, [*words, *given])
    if made and found.program is program and program.logs == "quiet" and recipe.ports:
        # Nobody knows what it does; that it listens says that it is asked something.
        serving = replace(program, logs="api", cpu=1.0, cpu_per_request=0.3, memory=60 * MIB)
        found = replace(found, program=serving)
    if is_shell([*words, *given]) and container.get("stdin"):
        # It waits for what is typed.
        return Behaviour(recipe, replace(found.program, runs_for=0.0), interactive=True)
    return found


def is_shell(words: Sequence[str]) -> bool:
    """Whether a command is a shell that reads its input."""
    return (
        bool(words) and words[0].rpartition("/")[2] in {"sh", "bash", "ash"} and "-c" not in words
    )


def _commanded(recipe: Recipe, program: Program, words: Sequence[str]) -> Behaviour:
    """A command does what it says: sleep sleeps, echo speaks, exit ends; what is not understood runs as the image does."""
    quiet = replace(program, logs="quiet", cpu=0.1, cpu_per_request=0.0, memory=2 << 20, leak=0.0, fails_health=False, runs_for=0.0, exit_code=0)  # fmt: skip
    shell = words[0].rpartition("/")[2] in {"sh", "bash", "ash"}
    if shell and "-c" not in words:
        return Behaviour(
            recipe, replace(quiet, runs_for=0.1)
        )  # no terminal: its input ends at once
    script = words[-1] if shell else shlex.join(words)
    if re.search(r"\bwhile\s+(true|:|\[)|\bsleep\s+(infinity|inf)\b|\btail\s+-f\b", script):
        return Behaviour(recipe, quiet, tuple(_spoken(script)))
    seconds, code, known = 0.1, 0, False
    for part in re.split(r"[;\n]|&&|\|\|", script):
        try:
            step = shlex.split(part)
        except ValueError:
            continue
        if not step:
            continue
        name = step[0].rpartition("/")[2]
        if name == "sleep" and len(step) > 1 and re.fullmatch(r"\d+(\.\d+)?", step[1]):
            seconds, known, code = seconds + float(step[1]), True, 0
        elif name == "exit":
            code, known = int(step[1]) if step[1:] and step[1].isdigit() else code, True
            break
        elif name in {"true", "echo", "ls", "env", "date", "cat", "printf", ":"}:
            code, known = 0, True
        elif name == "false":
            code, known = 1, True
    if not known:
        return Behaviour(recipe, program)
    return Behaviour(
        recipe, replace(quiet, runs_for=seconds, exit_code=code), tuple(_spoken(script))
    )


def _spoken(script: str) -> list[str]:
    found = re.findall(r"\becho\s+(\"[^\"]*\"|'[^']*'|[^;&|\n]*)", script)
    return [text.strip().strip("\"'") for text in found]


def pull_seconds(recipe: Recipe) -> float:
    """How long a node takes to fetch an image."""
    return 1.0 + sum(size for _, size in recipe.layers) / 120e6
