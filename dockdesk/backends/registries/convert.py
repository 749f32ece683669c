"""JSON of registries → core's dataclasses. Everything comes from outside: what has the wrong type counts as missing.

Sources: OCI image specification 1.1 (manifest.md, image-index.md, config.md); distribution, "Image Manifest V2, Schema
2" and "Schema 1"; BuildKit, docs/attestations; Docker Hub API.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dockdesk.core.resources.registries import (
    ARTIFACT,
    ATTESTATION,
    IMAGE,
    INDEX,
    OTHER,
    PROVENANCE,
    SBOM,
    SCHEMA1,
    SIGNATURE,
    UNKNOWN,
    Attachment,
    Descriptor,
    HistoryStep,
    ImageConfig,
    Manifest,
    Platform,
)

DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
SIGNED_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
PLAIN_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"

INDEXES = frozenset({DOCKER_LIST, OCI_INDEX})
SCHEMA1S = frozenset({SIGNED_SCHEMA1, PLAIN_SCHEMA1})
IMAGE_CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})
ACCEPT = ", ".join(
    [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST, OCI_ARTIFACT]
    + [f"{kind};q=0.5" for kind in (SIGNED_SCHEMA1, PLAIN_SCHEMA1)]
    + ["*/*;q=0.1"]
)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_REFERENCE_TYPE = "vnd.docker.reference.type"
_REFERENCE_DIGEST = "vnd.docker.reference.digest"
_PREDICATE = "in-toto.io/predicate-type"
_FRACTION = re.compile(r"(\.\d{6})\d+")
_MANY = 10_000


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def digest_of(data: bytes, like: str = "") -> str:
    """The digest of ``data``, by the algorithm of another one."""
    name = "sha512" if like.startswith("sha512:") else "sha256"
    return f"{name}:{hashlib.new(name, data).hexdigest()}"


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def whole(value: Any, missing: int = -1) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else missing


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def texts(value: Any) -> dict[str, str]:
    """The pairs of an object whose values are text."""
    return {key: item for key, item in mapping(value).items() if isinstance(item, str)}


def objects(value: Any) -> list[Mapping[str, Any]]:
    return (
        [item for item in value[:_MANY] if isinstance(item, dict)]
        if isinstance(value, list)
        else []
    )


def words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def seconds(value: Any) -> float:
    """Seconds since 1970 of an RFC 3339 time, 0.0 for none; nobody built an image in the year 1."""
    if not isinstance(value, str) or not value:
        return 0.0
    try:
        when = datetime.fromisoformat(_FRACTION.sub(r"\1", value[:64]))
        return max(when.timestamp(), 0.0)
    except (ValueError, OverflowError, OSError):
        return 0.0


def parsed(data: bytes) -> Mapping[str, Any]:
    """An object, empty where it is none."""
    try:
        return mapping(json.loads(data))
    except (ValueError, RecursionError):
        return {}


# --- manifests ---


def platform_from(value: Any) -> Platform | None:
    given = mapping(value)
    if not given:
        return None
    return Platform(
        text(given.get("os")),
        text(given.get("architecture")),
        text(given.get("variant")),
        text(given.get("os.version")),
    )


def descriptor_from(value: Any) -> Descriptor | None:
    """What an entry of a manifest describes; None where it has no proper digest."""
    given = mapping(value)
    digest = text(given.get("digest"))
    if not is_digest(digest):
        return None
    return Descriptor(
        text(given.get("mediaType")),
        digest,
        max(whole(given.get("size")), -1),
        platform_from(given.get("platform")),
        texts(given.get("annotations")),
        text(given.get("artifactType")),
        words(given.get("urls")),
    )


def descriptors(values: Any) -> tuple[Descriptor, ...]:
    found = (descriptor_from(item) for item in objects(values))
    return tuple(item for item in found if item is not None)


def manifest_from(digest: str, media_type: str, data: bytes) -> Manifest:
    """A manifest of any kind. ``media_type`` is the answer's; where it says nothing, the content does."""
    value = parsed(data)
    media_type = media_type.partition(";")[0].strip().lower()
    told = text(value.get("mediaType")).lower()
    if told and (not media_type or media_type in {"application/json", "text/plain"}):
        media_type = told
    kind = _kind(media_type, value)
    config = descriptor_from(value.get("config"))
    return Manifest(
        digest,
        media_type,
        kind,
        len(data),
        data,
        config,
        _schema1_layers(value)
        if kind == SCHEMA1
        else descriptors(value.get("layers") or value.get("blobs")),
        descriptors(value.get("manifests")),
        texts(value.get("annotations")),
        descriptor_from(value.get("subject")),
        text(value.get("artifactType")) or _type_of_config(config),
    )


def _type_of_config(config: Descriptor | None) -> str:
    return (
        config.media_type if config is not None and config.media_type not in IMAGE_CONFIGS else ""
    )


def _kind(media_type: str, value: Mapping[str, Any]) -> str:
    if media_type in INDEXES:
        return INDEX
    if media_type in SCHEMA1S or value.get("schemaVersion") == 1:
        return SCHEMA1
    if media_type in {OCI_MANIFEST, DOCKER_MANIFEST}:
        config = mapping(value.get("config"))
        if value.get("artifactType") or text(config.get("mediaType")) not in IMAGE_CONFIGS:
            return ARTIFACT
        return IMAGE
    if media_type == OCI_ARTIFACT:
        return ARTIFACT
    return UNKNOWN


def _schema1_layers(value: Mapping[str, Any]) -> tuple[Descriptor, ...]:
    """Layers of an old manifest, lowest first; their sizes are not told."""
    found = [text(item.get("blobSum")) for item in objects(value.get("fsLayers"))]
    return tuple(Descriptor("", digest, -1) for digest in reversed(found) if is_digest(digest))


def schema1_config(manifest: Manifest) -> ImageConfig | None:
    """The configuration that an old manifest carries in itself."""
    value = parsed(manifest.data)
    history = objects(value.get("history"))
    newest = parsed(text(history[0].get("v1Compatibility")).encode()) if history else {}
    return config_from("", newest, ()) if newest else None


# --- configurations ---


def config_from(digest: str, raw: Mapping[str, Any], layers: Sequence[Descriptor]) -> ImageConfig:
    """An image's configuration, its history joined to the layers."""
    inner = mapping(raw.get("config"))
    pairs = (item.partition("=") for item in words(inner.get("Env")))
    return ImageConfig(
        digest,
        platform_from(raw) or Platform(),
        seconds(raw.get("created")),
        text(raw.get("author")),
        tuple((name, value) for name, _, value in pairs),
        words(inner.get("Entrypoint")),
        words(inner.get("Cmd")),
        text(inner.get("WorkingDir")),
        text(inner.get("User")),
        text(inner.get("StopSignal")),
        tuple(mapping(inner.get("ExposedPorts"))),
        tuple(mapping(inner.get("Volumes"))),
        texts(inner.get("Labels")),
        history_from(raw.get("history"), layers),
        words(mapping(raw.get("rootfs")).get("diff_ids")),
        raw,
    )


def history_from(value: Any, layers: Sequence[Descriptor]) -> tuple[HistoryStep, ...]:
    """Steps, lowest first; each that is not empty has made the next layer. Layers without a step come last."""
    left = list(reversed(layers))
    steps = []
    for item in objects(value):
        layer = left.pop() if left and item.get("empty_layer") is not True else None
        created_by = text(item.get("created_by"))
        steps.append(
            HistoryStep(seconds(item.get("created")), created_by, text(item.get("comment")), layer)
        )
    steps += [HistoryStep(0.0, "", "", layer) for layer in reversed(left)]
    return tuple(steps)


# --- attachments ---


def attested(descriptor: Descriptor) -> str:
    """The digest of the image that an entry of an index attests (BuildKit), empty for an image itself."""
    if descriptor.annotations.get(_REFERENCE_TYPE) != "attestation-manifest":
        return ""
    return descriptor.annotations.get(_REFERENCE_DIGEST, "")


def attachments_of(manifest: Manifest, subject: str) -> list[Attachment]:
    """What a manifest holds about another: one attachment for each of its layers."""
    found = []
    for layer in manifest.layers:
        predicate = layer.annotations.get(_PREDICATE, "") or layer.annotations.get(
            "predicateType", ""
        )
        kind = attachment_kind(manifest.artifact_type, layer.media_type, predicate)
        notes = {**manifest.annotations, **layer.annotations}
        found.append(
            Attachment(
                kind, subject, manifest.digest, layer, predicate, manifest.artifact_type, notes
            )
        )
    return found


def attachment_kind(artifact_type: str, media_type: str, predicate: str) -> str:
    """What something attached is, by the types that BuildKit, cosign, notation, syft and trivy give it."""
    types = f"{artifact_type} {media_type} {predicate}".lower()
    if "slsa.dev/provenance" in types or "provenance" in types:
        return PROVENANCE
    if any(word in types for word in ("spdx", "cyclonedx", "sbom", "syft")):
        return SBOM
    if any(
        word in types for word in ("simplesigning", "cncf.notary", "sigstore.bundle", "signature")
    ):
        return SIGNATURE
    if "in-toto" in types or "dsse" in types:
        return ATTESTATION
    return OTHER


def fallback_tag(digest: str) -> str:
    """The tag under which referrers stand where the registry knows none. Source: "Referrers Tag Schema"."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"


def usual(platforms: Iterable[Platform]) -> int:
    """Which of several platforms stands for all where one size is shown: linux/amd64, else the first that is known."""
    listed = list(platforms)
    for position, item in enumerate(listed):
        if (item.os, item.architecture) == ("linux", "amd64"):
            return position
    return next((position for position, item in enumerate(listed) if item.known), 0)
