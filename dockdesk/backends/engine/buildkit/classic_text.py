"""Turns the text that a classic build writes into steps and logs, as BuildKit would tell them.

Docker's builder writes “Step 2/5 : RUN make”, “ ---> Using cache”, what the step prints, “ ---> 1a2b3c”; Podman's
“[1/2] STEP 2/5: RUN make” and “--> 1a2b3c”.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from dockdesk.backends.engine.values import mapping, text, whole
from dockdesk.core.resources.builds import BuildItem, BuildLog, BuildStatus, BuildStep
from dockdesk.dockerfile.tree import Document

_STEP = re.compile(r"^(?:\[(\d+)/\d+\] )?(?:Step|STEP) (\d+)/(\d+) ?: (.*)$", re.DOTALL)
_CACHED = re.compile(r"^ ?-+> Using cache\b")
_IMAGE = re.compile(r"^ ?-+> (?:Pushing cache |)([0-9a-f]{11,64})$")
_NOISE = re.compile(
    r"^(?: ?-+> |Removing intermediate container |COMMIT |Successfully (?:built|tagged) )"
)
_HEX = re.compile(r"^[0-9a-f]{64}$")

CONTEXT = "classic:context"


class TextSteps:
    """Takes messages as they come, and gives items. ``image`` is what was built, as far as the text says."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._step: BuildStep | None = None
        self._lines: dict[str, int] = {}
        self._before = ""
        self._cached = False
        self._rest = ""
        self._within = False  # a line whose beginning was told as a log
        self.image = ""

    @property
    def current(self) -> str:
        return self._step.digest if self._step else ""

    def line(self, digest: str) -> int:
        """The line of a step, from 1; 0 where it can't be told."""
        return self._lines.get(digest, 0)

    def take(self, message: Mapping[str, Any]) -> list[BuildItem]:
        """One message of the stream. Failures in it are the caller's."""
        items: list[BuildItem] = []
        if stream := text(message.get("stream")):
            *whole_lines, self._rest = (self._rest + stream).split("\n")
            for line in whole_lines:
                items += self._log(f"{line}\n") if self._within else self._line(line)
                self._within = False
            # What a step prints is told at once, such as a bar that grows within its line.
            if self._rest and (self._within or not _may_be_note(self._rest)):
                items += self._log(self._rest)
                self._rest, self._within = "", True
        if id := text(mapping(message.get("aux")).get("ID")):
            self.image = id
        if message.get("status") is not None and self._step is not None:
            items.append(self._status(message))
        return items

    def end(self, error: str = "") -> list[BuildItem]:
        """The build is over: so is the last step."""
        items = self._line(self._rest) if self._rest else []
        self._rest = ""
        return [*items, *self._finish(error)]

    def _line(self, line: str) -> list[BuildItem]:
        found = _STEP.match(line.rstrip("\r"))
        if found is not None:
            return [*self._finish(), self._begin(found)]
        if _CACHED.match(line):
            self._cached = True
            return []
        if image := _IMAGE.match(line):
            self.image = image.group(1)
        elif _HEX.match(line):
            self.image = line
            return []
        if _NOISE.match(line):
            return []
        return self._log(f"{line}\n")

    def _log(self, line: str) -> list[BuildItem]:
        if self._step is None:
            return []
        data = line.encode("utf-8", "replace")
        return [BuildLog(self._step.digest, data, 1, time.time())]

    def _begin(self, found: re.Match[str]) -> BuildStep:
        stage, number, total, words = found.groups()
        digest = f"classic:{stage or 0}:{number}"
        before = (self._before,) if self._before and not words.upper().startswith("FROM ") else ()
        self._before = digest
        name = f"[{'stage-' + str(int(stage) - 1) + ' ' if stage else ''}{number}/{total}] {words}"
        self._lines[digest] = self._line_of(stage, int(number))
        self._step = BuildStep(digest, name, before, started=time.time())
        self._cached = False
        return self._step

    def _line_of(self, stage: str | None, number: int) -> int:
        """Docker counts all instructions, Podman those of a stage."""
        instructions = self._document.instructions
        if stage is not None:
            stages = self._document.stages
            index = int(stage) - 1
            if index >= len(stages):
                return 0
            first = stages[index].line
            instructions = tuple(item for item in instructions if item.first >= first)
        if number > len(instructions):
            return 0
        return instructions[number - 1].first + 1

    def _finish(self, error: str = "") -> list[BuildItem]:
        step, self._step = self._step, None
        if step is None:
            return []
        done = BuildStep(
            step.digest, step.name, step.inputs, self._cached, step.started, time.time(), error
        )
        return [done]

    def _status(self, message: Mapping[str, Any]) -> BuildItem:
        """A layer of a base image on its way."""
        assert self._step is not None
        detail = mapping(message.get("progressDetail"))
        id, words = text(message.get("id")), text(message.get("status"))
        return BuildStatus(
            id or words,
            self._step.digest,
            words,
            whole(detail.get("current")),
            whole(detail.get("total")),
        )


_NOTES = (" ---> ", " --> ", "--> ", "---> ", "Step ", "STEP ", "[", "Removing intermediate container ",
          "COMMIT ", "Successfully built ", "Successfully tagged ")  # fmt: skip


def _may_be_note(line: str) -> bool:
    """Whether a line that is not complete yet may become one that is not a step's output."""
    if any(line.startswith(note) or note.startswith(line) for note in _NOTES):
        return True
    return len(line) <= 64 and re.fullmatch(r"[0-9a-f]+", line) is not None
