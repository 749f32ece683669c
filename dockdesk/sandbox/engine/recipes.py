"""Recipes of the catalogue as real images: layers, configuration, manifests and indexes, the same on every run of a day.

The layers are small stand-ins: their files are those that a simulated container shows, and some filling in proportion
to what the real image holds. Source: OCI image specification; distribution, "Image Manifest V2, Schema 2".
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dockdesk.sandbox.engine.catalogue import Recipe, base_tree
from dockdesk.sandbox.engine.filesystem import Node, file_node
from dockdesk.sandbox.engine.layers import layer_of, sha256
from dockdesk.sandbox.engine.lifecycle import stamp
from dockdesk.sandbox.engine.releases import age
from dockdesk.sandbox.engine.state import Layer

DAY = 86_400.0
BASE_DAYS = 60.0
ARCHITECTURES = ("amd64", "arm64")

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
IN_TOTO = "application/vnd.in-toto+json"

_FILLING = 2000  # bytes of a real layer for one of its stand-in
_SMALLEST, _LARGEST = 512, 200_000


@dataclass(frozen=True, slots=True)
class Built:
    """An image of a recipe for one architecture. ``created`` in seconds since 1970."""

    config: dict[str, Any]
    layers: tuple[Layer, ...]
    tree: dict[str, Node]
    created: float
    raw: bytes

    @property
    def id(self) -> str:
        return sha256(self.raw)


@dataclass(frozen=True, slots=True)
class Package:
    """What a registry holds of an image: (media type, bytes) of its manifests, the index last, and its blobs."""

    manifests: tuple[tuple[str, bytes], ...]
    blobs: tuple[bytes, ...]

    @property
    def digest(self) -> str:
        """Of the index: what a tag names."""
        return sha256(self.manifests[-1][1])


def day_of(now: float) -> float:
    """The beginning of a day (UTC): ages count from there, so that the digests of a day's runs are the same."""
    return now // DAY * DAY


def config_file(
    config: dict[str, Any], layers: Sequence[Layer], created: float, architecture: str
) -> bytes:
    """An image's configuration file; its digest is the image's id."""
    history: list[dict[str, Any]] = []
    for layer in layers:
        line: dict[str, Any] = {"created": stamp(created), "created_by": layer.created_by}
        history.append(line if layer.id else {**line, "empty_layer": True})
    value = {
        "architecture": architecture,
        "config": config,
        "created": stamp(created),
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.id for layer in layers if layer.id]},
    }
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def docker_manifest(raw: bytes, blobs: Sequence[tuple[str, int]]) -> bytes:
    """A schema 2 manifest for a configuration file and its layers' (digest, size), as docker writes it."""
    value = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {"mediaType": DOCKER_CONFIG, "size": len(raw), "digest": sha256(raw)},
        "layers": [
            {"mediaType": DOCKER_LAYER, "size": size, "digest": digest} for digest, size in blobs
        ],
    }
    return json.dumps(value, indent=3).encode()


def build(recipe: Recipe, now: float, architecture: str = "amd64") -> Built:
    """The image of a recipe as it would be found at ``now``."""
    created = day_of(now) - DAY * age(recipe.reference)
    config = _config(recipe)
    bottom, *upper = recipe.layers
    base, lowest = _base(bottom, bool(recipe.shells), day_of(now), architecture)
    tree, layers = dict(base), [lowest]
    own: dict[str, Node] = {
        path: node
        for path, node in base_tree(recipe, created).items()
        if path not in base or base[path].data != node.data
    }
    name = recipe.repository.rpartition("/")[2]
    for position, (text, size) in enumerate(upper, 1):
        diff = own if position == len(upper) else {}
        key = f"{recipe.reference} {position}"
        diff = {
            **diff,
            **_filling(f"/usr/lib/{name}-{position}.so", key, size, architecture, created),
        }
        tree.update(diff)
        layers.append(layer_of(text, diff, size))
    layers.append(Layer(f"CMD {json.dumps(list(recipe.command))}", 0))
    raw = config_file(config, layers, created, architecture)
    return Built(config, tuple(layers), tree, created, raw)


def package(recipe: Recipe, now: float) -> Package:
    """The recipe's image for every architecture. Official images are OCI indexes with attestations, others docker's lists."""
    oci = "/" not in recipe.repository
    kinds = (
        (OCI_MANIFEST, OCI_INDEX, OCI_CONFIG, OCI_LAYER)
        if oci
        else (DOCKER_MANIFEST, DOCKER_LIST, DOCKER_CONFIG, DOCKER_LAYER)
    )
    manifests: list[tuple[str, bytes]] = []
    entries: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    extra: list[dict[str, Any]] = []
    for architecture in ARCHITECTURES:
        built = build(recipe, now, architecture)
        layers = [layer.blob for layer in built.layers if layer.id]
        data = _manifest(kinds, built.raw, layers)
        manifests.append((kinds[0], data))
        blobs += [built.raw, *layers]
        platform = {"architecture": architecture, "os": "linux"}
        if architecture == "arm64":
            platform["variant"] = "v8"
        entries.append({**_descriptor(kinds[0], data), "platform": platform})
        if oci:
            proof, parts = _attestation(recipe, built, sha256(data))
            manifests.append((OCI_MANIFEST, proof))
            blobs += parts
            extra.append(
                {
                    **_descriptor(OCI_MANIFEST, proof),
                    "annotations": {
                        "vnd.docker.reference.digest": sha256(data),
                        "vnd.docker.reference.type": "attestation-manifest",
                    },
                    "platform": {"architecture": "unknown", "os": "unknown"},
                }
            )
    index = {"schemaVersion": 2, "mediaType": kinds[1], "manifests": [*entries, *extra]}
    manifests.append((kinds[1], json.dumps(index, indent=2).encode()))
    return Package(tuple(manifests), tuple(blobs))


def _config(recipe: Recipe) -> dict[str, Any]:
    config: dict[str, Any] = {
        "Env": list(recipe.env) or None,
        "Cmd": list(recipe.command) or None,
        "Entrypoint": list(recipe.entrypoint) or None,
        "ExposedPorts": {port: {} for port in recipe.ports} or None,
        "Volumes": {path: {} for path in recipe.volumes} or None,
        "User": recipe.user,
        "WorkingDir": recipe.workdir,
        "Labels": dict(recipe.labels) or None,
    }
    if recipe.health:
        config["Healthcheck"] = {
            "Test": list(recipe.health),
            "Interval": 30_000_000_000,
            "Retries": 3,
        }
    return config


@lru_cache(maxsize=8)
def _base(
    bottom: tuple[str, int], shells: bool, day: float, architecture: str
) -> tuple[dict[str, Node], Layer]:
    """The lowest layer, packed once for all images that stand on it."""
    recipe = Recipe("base", "", (bottom,), (), shells=("/bin/sh",) if shells else ())
    made = day - DAY * BASE_DAYS
    tree = base_tree(recipe, made)
    text, size = bottom
    tree.update(_filling("/lib/libc.so", text, size, architecture, made))
    return tree, layer_of(text, tree, size)


def _filling(path: str, key: str, size: int, architecture: str, created: float) -> dict[str, Node]:
    count = min(max(size // _FILLING, _SMALLEST), _LARGEST)
    data = random.Random(f"{key} {architecture}").randbytes(count)
    return {path: file_node(data, 0o755, created)}


def _attestation(recipe: Recipe, built: Built, subject: str) -> tuple[bytes, list[bytes]]:
    """The manifest that BuildKit adds for where an image comes from and what is in it, and its blobs."""
    about = [
        {
            "name": f"pkg:docker/{recipe.repository}@{recipe.tag}",
            "digest": {"sha256": subject.partition(":")[2]},
        }
    ]
    packages = [
        {"SPDXID": f"SPDXRef-Package-{number}", "name": name, "versionInfo": version}
        for number, (name, version) in enumerate(_packages(recipe))
    ]
    predicates: dict[str, dict[str, Any]] = {
        "https://spdx.dev/Document": {
            "SPDXID": "SPDXRef-DOCUMENT",
            "spdxVersion": "SPDX-2.3",
            "name": recipe.reference,
            "creationInfo": {"created": stamp(built.created), "creators": ["Tool: sandbox"]},
            "packages": packages,
        },
        "https://slsa.dev/provenance/v0.2": {
            "buildType": "https://mobyproject.org/buildkit@v1",
            "builder": {"id": ""},
            "metadata": {"buildStartedOn": stamp(built.created)},
        },
    }
    blobs: list[bytes] = []
    layers: list[dict[str, Any]] = []
    for kind, predicate in predicates.items():
        statement = {
            "_type": "https://in-toto.io/Statement/v0.1",
            "predicateType": kind,
            "subject": about,
            "predicate": predicate,
        }
        data = json.dumps(statement).encode()
        blobs.append(data)
        annotation = {"in-toto.io/predicate-type": kind}
        layers.append({**_descriptor(IN_TOTO, data), "annotations": annotation})
    rootfs = {"type": "layers", "diff_ids": [sha256(data) for data in blobs]}
    raw = json.dumps(
        {"architecture": "unknown", "os": "unknown", "config": {}, "rootfs": rootfs}
    ).encode()
    value = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _descriptor(OCI_CONFIG, raw),
        "layers": layers,
    }
    return json.dumps(value, indent=2).encode(), [raw, *blobs]


def _packages(recipe: Recipe) -> list[tuple[str, str]]:
    """What an inventory would find: from the versions in the environment, and the base."""
    found = [("busybox", "1.37.0-r12"), ("ca-certificates", "20241121-r1"), ("musl", "1.2.5-r9")]
    for item in recipe.env:
        name, _, value = item.partition("=")
        if name.endswith("_VERSION"):
            found.append((name.removesuffix("_VERSION").lower(), value))
    return found


def _manifest(kinds: Sequence[str], raw: bytes, layers: Sequence[bytes]) -> bytes:
    value = {
        "schemaVersion": 2,
        "mediaType": kinds[0],
        "config": _descriptor(kinds[2], raw),
        "layers": [_descriptor(kinds[3], blob) for blob in layers],
    }
    return json.dumps(value, indent=2).encode()


def _descriptor(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": sha256(data), "size": len(data)}
