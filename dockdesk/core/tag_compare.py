"""Two images of a registry side by side: configuration, environment, layers. Pure: nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dockdesk.core.masking import masked_value
from dockdesk.core.records import dataclass
from dockdesk.core.resources.registries import (
    Descriptor,
    HistoryStep,
    ImageConfig,
    PlatformImage,
    RegistryImage,
)

ADDED = "added"
REMOVED = "removed"
CHANGED = "changed"
SAME = "same"


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting as both have it; None where one has it not. ``what`` is such as "Environment" or "Label".

    Values whose names say secret are masked, but told apart before.
    """

    what: str
    name: str
    before: str | None
    after: str | None
    change: str


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """A layer: ``number`` from 1, counted in the image that has it; ``instruction`` is what made it, where known."""

    number: int
    digest: str
    size: int
    instruction: str
    change: str


@dataclass(frozen=True, slots=True)
class TagComparison:
    """What differs from the first to the second image, for one platform. ``platform`` is empty where neither names it.

    ``size_before`` and ``size_after`` are compressed bytes of all layers; ``to_pull`` those of the layers that one who
    has the first image still needs for the second.
    """

    platform: str
    same: bool
    settings: tuple[Difference, ...]
    layers: tuple[LayerDifference, ...]
    size_before: int
    size_after: int
    to_pull: int


@dataclass(frozen=True, slots=True)
class PlatformDifference:
    """A platform that only one of two tags has, or has anew."""

    platform: str
    change: str
    before: str = ""
    after: str = ""


_SINGLE: Sequence[tuple[str, str]] = (
    ("User", "User"),
    ("WorkingDir", "Working folder"),
    ("Entrypoint", "Entrypoint"),
    ("Cmd", "Command"),
    ("Shell", "Shell"),
    ("StopSignal", "Stop signal"),
    ("Healthcheck", "Health check"),
    ("OnBuild", "On build"),
)
_SETS: Sequence[tuple[str, str]] = (("ExposedPorts", "Port"), ("Volumes", "Volume"))


def platform_differences(first: RegistryImage, second: RegistryImage) -> list[PlatformDifference]:
    """Platforms of both images, in the first one's order."""
    before = {str(item.platform): item.manifest.digest for item in first.images}
    after = {str(item.platform): item.manifest.digest for item in second.images}
    return [
        PlatformDifference(
            name,
            _change(before.get(name), after.get(name)),
            before.get(name, ""),
            after.get(name, ""),
        )
        for name in dict.fromkeys([*before, *after])
    ]


def compared(first: PlatformImage, second: PlatformImage) -> TagComparison:
    """What differs between two images; those of different platforms may be compared too."""
    platforms = [str(image.platform) for image in (first, second)]
    layers = layer_differences(first, second)
    return TagComparison(
        platforms[1] or platforms[0],
        first.manifest.digest == second.manifest.digest,
        tuple(setting_differences(first.config, second.config)),
        tuple(layers),
        first.manifest.layers_size,
        second.manifest.layers_size,
        sum(max(layer.size, 0) for layer in layers if layer.change == ADDED),
    )


def setting_differences(first: ImageConfig | None, second: ImageConfig | None) -> list[Difference]:
    """All settings of both, those that are alike among them."""
    one, other = _inner(first), _inner(second)
    found = [
        _difference(title, "", _text(one.get(key)), _text(other.get(key)))
        for key, title in _SINGLE
        if one.get(key) or other.get(key)
    ]
    pairs: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = [
        ("Environment", dict(first.env if first else ()), dict(second.env if second else ())),
        ("Label", first.labels if first else {}, second.labels if second else {}),
        *((title, _names(one.get(key)), _names(other.get(key))) for key, title in _SETS),
    ]
    for title, before, after in pairs:
        found += [
            _difference(title, name, before.get(name), after.get(name))
            for name in sorted({*before, *after})
        ]
    return found


def layer_differences(first: PlatformImage, second: PlatformImage) -> list[LayerDifference]:
    """Layers of the second image, lowest first, then those that only the first has.

    A layer is the same where its digest is; one that both have in other places counts as shared, since nobody pulls it
    twice.
    """
    before = [layer.digest for layer in first.manifest.layers]
    after = [layer.digest for layer in second.manifest.layers]
    made_before, made_after = _instructions(first), _instructions(second)
    had, has = set(before), set(after)
    found = []
    for number, layer in enumerate(second.manifest.layers, 1):
        change = SAME if layer.digest in had else ADDED
        found.append(_layer(number, layer, made_after, change))
    for number, layer in enumerate(first.manifest.layers, 1):
        if layer.digest not in has:
            found.append(_layer(number, layer, made_before, REMOVED))
    return found


def _layer(number: int, layer: Descriptor, made: Mapping[int, str], change: str) -> LayerDifference:
    return LayerDifference(number, layer.digest, layer.size, made.get(number, ""), change)


def _instructions(image: PlatformImage) -> dict[int, str]:
    steps: Sequence[HistoryStep] = image.config.history if image.config is not None else ()
    made = [step.created_by for step in steps if step.layer is not None]
    return dict(enumerate(made, 1))


def _difference(what: str, name: str, before: str | None, after: str | None) -> Difference:
    change = _change(before, after)
    if name and what in {"Environment", "Label"}:
        before = masked_value(name, before) if before is not None else None
        after = masked_value(name, after) if after is not None else None
    return Difference(what, name, before, after, change)


def _change(before: str | None, after: str | None) -> str:
    if before is None:
        return ADDED
    if after is None:
        return REMOVED
    return SAME if before == after else CHANGED


def _inner(config: ImageConfig | None) -> Mapping[str, Any]:
    inner = config.raw.get("config") if config is not None else None
    return inner if isinstance(inner, dict) else {}


def _names(value: Any) -> dict[str, str]:
    return {str(name): "yes" for name in value} if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    if not value:
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
