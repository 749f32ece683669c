"""The images that pods can run beyond the catalogue: what was pushed to a registry of the sandbox, or built in its engine."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockdesk.sandbox.engine.catalogue import Recipe, fated
from dockdesk.sandbox.engine.filesystem import FileSystem, Node, folder_node
from dockdesk.sandbox.engine.images import image_from, program_of
from dockdesk.sandbox.engine.layers import LayerError
from dockdesk.sandbox.engine.state import EngineState, SimImage, with_tag
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.manifests import INDEXES, Manifest, default_child
from dockdesk.sandbox.registry.repositories import SEEDED_BY, Repositories, Repository

_log = logging.getLogger(__name__)

_ECR_DOMAIN = ".amazonaws.com"
_KEPT = 32
_LARGEST_LOOK = 32 << 20  # bytes of layers that are unpacked to see whether a program is there


@dataclass(frozen=True, slots=True)
class Held:
    """An image that somebody made. ``recipe`` is what its configuration says; ``digest`` that of its manifest.

    ``load`` unpacks its files. ``announced``: part of the beginning, so its files are only a sample of what it would have.
    """

    recipe: Recipe
    digest: str
    load: Callable[[], Mapping[str, Node]] = field(compare=False)
    announced: bool = False
    packed: int = 0  # bytes of its layers as they are pulled

    def lacks(self) -> str:
        """The program that it would start and does not have; nothing where it has it, or where nobody can tell.

        Only an image made of nothing but its own files can be judged: what RUN would have installed is not known.
        """
        words = [*self.recipe.entrypoint, *self.recipe.command]
        pretended = any(text.startswith("RUN ") for text, _ in self.recipe.layers)
        if self.announced or pretended or not words or self.packed > _LARGEST_LOOK:
            return ""
        files = self.load()
        if "/etc/os-release" in files:
            return ""
        name = words[0]
        places = [name] if "/" in name else [f"{place}/{name}" for place in _path_of(self.recipe)]
        return "" if any(_resolves(files, place) for place in places) else name


def _path_of(recipe: Recipe) -> list[str]:
    found = next((item for item in recipe.env if item.startswith("PATH=")), "")
    usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return [place for place in (found[5:] or usual).split(":") if place]


def _resolves(files: Mapping[str, Node], path: str) -> bool:
    system = FileSystem(dict(files))
    node = system.get(system.resolve(path))
    return node is not None and not node.is_folder


class Stores:
    """Looks images up by reference: in registries by their address, in Docker Hub's by a name without one.

    ``engine`` is the engine whose images the nodes share, as Docker Desktop's Kubernetes does.
    """

    def __init__(self, engine: EngineState | None = None, hub: Repositories | None = None) -> None:
        self._engine = engine
        self._hub = hub
        self._registries: dict[str, Repositories] = {}
        self._ecr: Repositories | None = None
        self._made: OrderedDict[str, Held] = OrderedDict()

    def add(self, address: str, repositories: Repositories) -> None:
        """A registry at an address on this computer, under both names of the loopback."""
        port = address.partition(":")[2]
        for host in (address, f"localhost:{port}"):
            self._registries[host] = repositories

    def add_ecr(self, address: str, repositories: Repositories) -> None:
        self.add(address, repositories)
        self._ecr = repositories

    def knows(self, reference: str) -> bool:
        """Whether a registry is here that decides what a reference names."""
        return self._registry_of(with_tag(reference))[0] is not None

    def _registry_of(self, name: str) -> tuple[Repositories | None, str]:
        host, slash, rest = name.partition("/")
        if slash and host in self._registries:
            return self._registries[host], rest
        if slash and ".dkr.ecr." in host and host.endswith(_ECR_DOMAIN):
            return self._ecr, rest
        return None, name

    def pushed(self, reference: str) -> Held | None:
        """What a registry has under a reference. What Docker Hub has had from the beginning is left to the catalogue."""
        name = with_tag(reference)
        registry, rest = self._registry_of(name)
        host, slash, _ = name.partition("/")
        if registry is None and self._hub is not None and not (slash and _is_host(host)):
            return self._of_registry(self._hub, rest, name, True)
        return self._of_registry(registry, rest, name, False) if registry is not None else None

    def _of_registry(
        self, registry: Repositories, rest: str, name: str, news_only: bool
    ) -> Held | None:
        repository_name, _, wanted = rest.rpartition("@" if "@" in rest else ":")
        repository_name = repository_name.partition(":")[0] if "@" in rest else repository_name
        found = registry.find(repository_name)
        if found is None:
            return None
        tag = found.tags.get(wanted)
        announced = tag is None or tag.by == SEEDED_BY
        if news_only and announced:
            return None
        try:
            top = registry.manifest(found, wanted)
            return self._held(registry, found, top, name, announced and "@" not in rest)
        except (RegistryError, OSError):
            return None

    def _held(
        self,
        registry: Repositories,
        repository: Repository,
        top: Manifest,
        name: str,
        announced: bool,
    ) -> Held:
        manifest = top
        if top.kind in INDEXES:
            children = registry.children(repository, top)
            try:
                manifest = registry.manifest(repository, default_child(top))
            except RegistryError:
                manifest = children[0] if children else top
        key = f"{manifest.digest} {name}"
        if (held := self._made.get(key)) is None:
            raw = registry.blobs.read(manifest.blobs[0]) if manifest.blobs else b"{}"
            recipe = _recipe_of(raw, manifest, name)
            held = Held(
                recipe,
                top.digest,
                _loader(registry, manifest, raw, name),
                announced,
                manifest.layers_size(),
            )
            self._remember(key, held)
        return replace(held, digest=top.digest)

    def _remember(self, key: str, held: Held) -> None:
        self._made[key] = held
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)

    def built(self, reference: str) -> Held | None:
        """What the engine has under a reference, if somebody made it there."""
        image = self._engine.find_image(reference) if self._engine is not None else None
        if image is None or image.stock:
            return None
        recipe = _recipe_of(image.raw, None, with_tag(reference))
        recipe = replace(
            recipe,
            layers=tuple((layer.created_by, layer.size) for layer in image.layers),
            program=fated(image.config, image.program),
            shells=image.shells,
        )
        digest = image.digests[0].partition("@")[2] if image.digests else image.id
        return Held(recipe, digest, lambda: image.tree)


def _is_host(text: str) -> bool:
    return "." in text or ":" in text or text == "localhost"


def _loader(
    registry: Repositories, manifest: Manifest, raw: bytes, name: str
) -> Callable[[], Mapping[str, Node]]:
    """Unpacks an image's layers once, when somebody looks into a container."""
    made: list[SimImage] = []

    def load() -> Mapping[str, Node]:
        if not made:
            digests = [str(layer["digest"]) for layer in manifest.value.get("layers") or ()]
            try:
                blobs = [registry.blobs.read(digest) for digest in digests]
                made.append(image_from(raw, blobs, name))
            except (LayerError, OSError, ValueError, KeyError, TypeError) as error:
                _log.info("the files of %s can't be shown: %s", name, error)
                return {"/": folder_node()}
        return made[0].tree

    return load


def _words(value: Any) -> tuple[str, ...]:
    return tuple(str(word) for word in value) if isinstance(value, list) else ()


def _recipe_of(raw: bytes, manifest: Manifest | None, name: str) -> Recipe:
    """What an image's configuration file says, as the catalogue's images are described."""
    value: Any = json.loads(raw or b"{}")
    value = value if isinstance(value, dict) else {}
    config = value.get("config") if isinstance(value.get("config"), dict) else {}
    history = value.get("history") if isinstance(value.get("history"), list) else []
    texts = [
        str(line.get("created_by") or "")
        for line in history
        if isinstance(line, dict) and not line.get("empty_layer")
    ]
    sizes = [
        int(layer["size"]) for layer in (manifest.value.get("layers") or () if manifest else ())
    ]
    texts += [""] * (len(sizes) - len(texts))
    repository, _, tag = name.rpartition("@" if "@" in name else ":")
    health = config.get("Healthcheck")
    return Recipe(
        repository,
        tag,
        tuple(zip(texts, sizes, strict=False)),
        _words(config.get("Cmd")),
        _words(config.get("Entrypoint")),
        _words(config.get("Env")),
        tuple(str(port) for port in config.get("ExposedPorts") or ()),
        tuple(str(path) for path in config.get("Volumes") or ()),
        str(config.get("User") or ""),
        str(config.get("WorkingDir") or ""),
        _words(health.get("Test")) if isinstance(health, dict) else (),
        {str(key): str(text) for key, text in (config.get("Labels") or {}).items()},
        fated(config, program_of(config, repository)),
        (),
    )
