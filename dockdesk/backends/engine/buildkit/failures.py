"""What BuildKit's failures mean: which step, which line of the Dockerfile, and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from dockdesk.backends.engine.messages import registry_error
from dockdesk.core.errors import BuildError
from dockdesk.core.resources.builds import BuildItem, BuildStep
from dockdesk.dockerfile.syntax import parse
from dockdesk.wire.buildkit import RpcStatus
from dockdesk.wire.grpc import GrpcError
from dockdesk.wire.protobuf import ProtobufError, decode

TITLE = "The build failed"
_PREFIXES = re.compile(
    r"^(?:failed to solve(?: with frontend [\w.]+)?: |failed to build LLB: |"
    r"failed to create LLB definition: |rpc error: code = \w+ desc = |ERROR: )+"
)
_LINE = re.compile(r"(?i)\bparse error (?:on )?line (\d+)|\bDockerfile:(\d+)\b")
_EXIT = re.compile(r"exit code:? (\d+)|returned a non-zero code: (\d+)")
_EXITS = {
    "126": "The command is not executable.",
    "127": "The command was not found in the image. Install it, or check PATH and the spelling.",
    "137": "It was killed, most likely for want of memory.",
    "139": "It crashed.",
}
_CANCELED = ("context canceled", "code = Canceled")


class Failures:
    """Follows what a build tells, to know the step at fault when it fails."""

    def __init__(self) -> None:
        self._failed: dict[str, BuildStep] = {}
        self._names: dict[str, str] = {}

    def take(self, items: Iterable[BuildItem]) -> None:
        for item in items:
            if isinstance(item, BuildStep):
                if item.name:
                    self._names[item.digest] = item.name
                if item.error and not any(word in item.error for word in _CANCELED):
                    self._failed.setdefault(item.digest, item)

    def error(self, failure: GrpcError, dockerfile: str, problem: str = "") -> BuildError:
        """The failure of a build. ``problem`` is why a login was missing, where something was wrong with it."""
        digest, line = located(failure.details)
        return self.explained(failure.message, dockerfile, problem, digest, line)

    def explained(
        self, message: str, dockerfile: str, problem: str = "", digest: str = "", line: int = 0
    ) -> BuildError:
        message = _PREFIXES.sub("", message.strip())
        if not digest and self._failed:
            digest = next(iter(self._failed))
        if not line and (found := _LINE.search(message)):
            line = int(found.group(1) or found.group(2))
        if not line and digest:
            line = line_of(self._names.get(digest, ""), dockerfile)
        hint = hint_of(message, problem)
        if "unknown instruction" in message.casefold() and _in_heredoc(dockerfile, line):
            hint = "This engine's builder is too old for here-documents."
        return BuildError(title_of(message), message, hint, digest, line)


def title_of(message: str) -> str:
    found = _EXIT.search(message)
    if found:
        return f"A step failed with exit code {found.group(1) or found.group(2)}"
    if "parse error" in message.casefold() or "unknown instruction" in message.casefold():
        return "The Dockerfile has an error"
    return TITLE


def hint_of(message: str, problem: str = "") -> str:
    """What to do about it, where that is known."""
    lowered = message.casefold()
    if found := _EXIT.search(message):
        return _EXITS.get(found.group(1) or found.group(2), "See the end of the step's log.")
    if "failed to compute cache key" in lowered or "failed to calculate checksum" in lowered:
        return "It is not in the build context. Check the path, which is relative to the context, and .dockerignore."
    if "no space left on device" in lowered:
        return "The engine's disk is full: see Disk for what can go."
    if (
        "multiple platforms feature" in lowered
        or "does not support exporting manifest lists" in lowered
    ):
        return "This engine's image store holds one platform. Choose one, or a builder made with buildx."
    if "secret" in lowered and "not found" in lowered:
        return "Give the build a secret of that id."
    if "unset ssh forward key" in lowered or "no ssh" in lowered:
        return "Give the build an ssh agent of that id."
    return registry_error(TITLE, message, problem).hint


def _in_heredoc(dockerfile: str, line: int) -> bool:
    found = parse(dockerfile).instruction_at(line - 1)
    return found is not None and bool(found.heredocs)


def located(details: bytes) -> tuple[str, int]:
    """The digest of the step at fault, and its first line, from an error's details; "" and 0 where unknown."""
    digest, line = "", 0
    try:
        status = decode(RpcStatus, details)
    except ProtobufError:
        return digest, line
    for detail in status.details:
        kind = detail.type_url.rpartition("/")[2]
        if kind.startswith("errdefs.Vertex"):
            digest = digest or str(_json(detail.value).get("digest") or "")
        elif kind.startswith("errdefs.Source"):
            for item in _json(detail.value).get("ranges") or ():
                start = item.get("start") if isinstance(item, dict) else None
                if not line and isinstance(start, dict):
                    line = int(start.get("line") or 0)
    return digest, line


def _json(value: bytes) -> dict[str, Any]:
    try:
        found = json.loads(value)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_STEP = re.compile(r"^\[(?:([^\]\s]+) +)?(\d+)/(\d+)\] (.*)$", re.DOTALL)


def line_of(step: str, dockerfile: str) -> int:
    """The line of a step named as in “[app 2/5] RUN make”, from 1; 0 where it can't be told."""
    found = _STEP.match(step)
    if found is None:
        return 0
    wanted = " ".join(found.group(4).split())
    lines = [
        instruction.first + 1
        for instruction in parse(dockerfile).instructions
        if " ".join(instruction.text.split()).casefold() == wanted.casefold()
    ]
    return lines[0] if len(lines) == 1 else 0
