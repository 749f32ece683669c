"""What a builder tells of a build, without the values of build arguments that are secrets.

BuildKit names a step with its variables replaced, so that `RUN fetch --key=$API_KEY` is told, shown and kept with the
key in it; and a step may print it. `--mount=type=secret` is the way that needs none of this.
Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go (uppercaseCmd, processCmdEnv).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dockdesk.core.errors import DockDeskError
from dockdesk.core.masking import MASK, looks_secret
from dockdesk.core.resources.builds import (
    BuildItem,
    BuildLog,
    BuildSpec,
    BuildStatus,
    BuildStep,
    BuildWarning,
)

_SHORTEST = 4  # characters: a shorter value stands in too many words to be blotted out of them


class Redaction:
    """Masks the secrets of one build in what is told of it, in the order in which it is told."""

    def __init__(self, spec: BuildSpec) -> None:
        found = {value for name, value in spec.args if looks_secret(name)}
        values = sorted((v for v in found if len(v) >= _SHORTEST), key=len, reverse=True)
        self._values = tuple(values)
        self._bytes = tuple(value.encode("utf-8", "surrogateescape") for value in values)
        self._held: dict[tuple[str, int], BuildLog] = {}

    def items(self, items: Sequence[BuildItem]) -> Sequence[BuildItem]:
        """The items as they may be kept. Logs are cut anywhere: what may be a value's beginning waits for its end."""
        if not self._values:
            return items
        told: list[BuildItem] = []
        for item in items:
            if isinstance(item, BuildLog):
                told += self._log(item)
                continue
            if isinstance(item, BuildStep) and item.completed is not None:
                told += self._let_go(item.digest)
            told.append(self._plain(item))
        return told

    def rest(self) -> Sequence[BuildItem]:
        """What still waits, once nothing more comes."""
        rest, self._held = list(self._held.values()), {}
        return rest

    def text(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        return text

    def error(self, error: DockDeskError) -> None:
        """Mask what an error says, in place: it goes on to whoever waits for it."""
        if self._values:
            error.title, error.detail = self.text(error.title), self.text(error.detail)
            error.hint = self.text(error.hint)
            error.args = tuple(self.text(str(each)) for each in error.args)

    def _plain(self, item: BuildStep | BuildStatus | BuildWarning) -> BuildItem:
        if isinstance(item, BuildStep):
            return replace(item, name=self.text(item.name), error=self.text(item.error))
        if isinstance(item, BuildStatus):
            return replace(item, name=self.text(item.name))
        detail = tuple(self.text(line) for line in item.detail)
        return replace(item, short=self.text(item.short), detail=detail)

    def _log(self, item: BuildLog) -> list[BuildItem]:
        key = (item.step, item.stream)
        held = self._held.pop(key, None)
        data = held.data + item.data if held is not None else item.data
        for value in self._bytes:
            data = data.replace(value, MASK.encode())
        if begun := self._begun(data):
            self._held[key] = replace(item, data=data[-begun:])
            data = data[:-begun]
        return [replace(item, data=data)] if data else []

    def _begun(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a value."""
        longest = max(len(value) for value in self._bytes) - 1
        for length in range(min(longest, len(data)), 0, -1):
            if any(value.startswith(data[-length:]) for value in self._bytes):
                return length
        return 0

    def _let_go(self, step: str) -> list[BuildItem]:
        return [self._held.pop(key) for key in list(self._held) if key[0] == step]
