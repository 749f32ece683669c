"""How large the layer of each instruction is: an image's history, matched with the steps that made it.

The history tells what was done and how many bytes came of it, but no line; steps tell lines, but no bytes. Both are in
the order of the Dockerfile, and the image below stands at the old end of the history: so they are matched from the new
end, as far as their instructions agree. Source: OCI image-spec, config.md, ``history``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dockdesk.core.builds.records import StepRecord
from dockdesk.core.resources.images import ImageLayer

_MAKES_LAYERS = frozenset(("RUN", "COPY", "ADD", "WORKDIR"))
_NOP = re.compile(r"^/bin/sh -c #\(nop\)\s*")
_BUILDKIT = re.compile(r"^([A-Z]+)\s.*# buildkit\s*$", re.S)
_WORD = re.compile(r"^[A-Z]+(?=\s|$)")


def layer_sizes(
    steps: Sequence[StepRecord], stages: Sequence[str], layers: Sequence[ImageLayer]
) -> Mapping[str, int]:
    """Bytes by step digest. ``stages`` are those that the image is made of, the lowest first; ``layers`` newest first.

    A step whose layer isn't found for certain is left out, and so are all before it.
    """
    made = [
        step
        for stage in stages
        for step in steps
        if step.stage == stage and step.keyword in _MAKES_LAYERS and step.line >= 0
    ]
    entries = [
        (keyword, layer.size)
        for layer in layers
        if (keyword := keyword_of(layer.created_by)) in _MAKES_LAYERS
    ]
    found: dict[str, int] = {}
    for step, (keyword, size) in zip(reversed(made), entries, strict=False):
        if step.keyword != keyword:
            break
        found[step.digest] = size
    return found


def keyword_of(created_by: str) -> str:
    """The instruction that a line of the history stands for; RUN for a bare command, "" where nothing is said."""
    if (built := _BUILDKIT.match(created_by)) is not None:
        return built[1]
    if (nop := _NOP.match(created_by)) is not None:
        word = _WORD.match(created_by[nop.end() :])
        return word[0] if word else ""
    word = _WORD.match(created_by)
    if word is not None:
        return word[0]
    return "RUN" if created_by.strip() else ""
