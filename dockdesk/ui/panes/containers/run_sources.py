"""What the run form is filled from: the services of a Compose file, and names that are free. No Qt in it."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from dockdesk.core.errors import LocalError
from dockdesk.runspec.compose import LARGEST_FILE, ComposeService, parse_compose
from dockdesk.runspec.form import parse_env_file
from dockdesk.ui.context import UiContext


def names_of(context: UiContext) -> set[str]:
    """The names that containers have now."""
    return {container.name for container in context.session.containers.values()}


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or the next one like it that no container has: web-2, web-3."""
    if not name or name not in taken:
        return name
    stem, _, number = name.rpartition("-")
    if not stem or not number.isdecimal():
        stem, number = name, "1"
    count = int(number) + 1
    while f"{stem}-{count}" in taken:
        count += 1
    return f"{stem}-{count}"


def services_of(path: Path) -> list[ComposeService]:
    """The services of a file, with the variables of the .env beside it. On a worker."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise LocalError("The Compose file is too large", str(path))
        text = path.read_text("utf-8")
        beside = path.with_name(".env")
        variables = dict(parse_env_file(beside.read_text("utf-8"))) if beside.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError("The Compose file can't be read", f"{path}: {error}") from error
    return parse_compose(text, str(path.parent), {**variables, **os.environ})
