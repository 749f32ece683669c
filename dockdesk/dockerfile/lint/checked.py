"""The own rules on a text alone: what can be called in another process, where a long file takes nobody's frames."""

from __future__ import annotations

from pathlib import Path

from dockdesk.core.work import Work
from dockdesk.dockerfile.lint import rules
from dockdesk.dockerfile.lint.ignores import Ignores, load
from dockdesk.dockerfile.problems import Problem
from dockdesk.dockerfile.syntax import parse


def check_text(_work: Work, text: str, folder: Path | None) -> tuple[list[Problem], Ignores]:
    """What the own rules find in ``text``, and what the .hadolint.yaml of ``folder`` silences. Reads the disk."""
    silenced = load(folder) if folder is not None else Ignores()
    return rules.check(parse(text), ignores=silenced), silenced
