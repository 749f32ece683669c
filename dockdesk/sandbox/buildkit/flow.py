"""What passes through a running script: streams, options, and how exit, return, break and continue get out."""

from __future__ import annotations

from dataclasses import dataclass

from dockdesk.sandbox.buildkit.words import Output


@dataclass(slots=True)
class Streams:
    """What a command reads, and where it writes."""

    given: str
    out: Output
    err: Output


class Flow(Exception):  # noqa: N818 - no error: how exit, return, break and continue get out
    def __init__(self, kind: str, code: int = 0) -> None:
        super().__init__(kind)
        self.kind = kind
        self.code = code


@dataclass(slots=True)
class Options:
    errexit: bool = False
    xtrace: bool = False
    nounset: bool = False
    pipefail: bool = False


class Lines:
    """Text that is read a line at a time."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def next(self) -> str | None:
        if not self.rest:
            return None
        line, _, self.rest = self.rest.partition("\n")
        return line
