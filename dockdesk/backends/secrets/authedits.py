"""Changes docker's and Podman's files of logins, as `docker login` and `logout` do: everything else in them stays.

Source: docker CLI, cli/config/configfile and cli/config/credentials.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

from dockdesk.backends.secrets.authfiles import normalised
from dockdesk.core.errors import LocalError
from dockdesk.core.wholefile import write_whole

_LIMIT = 4 << 20


def write_login(path: Path, server: str, username: str, secret: str, token: bool) -> None:
    """Write a login into ``auths`` of a file, merely encoded, as docker does without a helper. Raise LocalError."""
    entry: dict[str, str] = {}
    pair = f"{username}:{'' if token else secret}".encode()
    entry["auth"] = base64.b64encode(pair).decode("ascii")
    if token:
        entry["identitytoken"] = secret
    _edit(path, server, entry)


def note_login(path: Path, server: str) -> None:
    """Say in ``auths`` that a helper has a login, as docker does. Raise LocalError."""
    _edit(path, server, {})


def remove_login(path: Path, host: str) -> bool:
    """Take a host's entries out of ``auths``; whether there were any. Raise LocalError."""
    config = _read(path)
    auths = config.get("auths")
    if not isinstance(auths, dict):
        return False
    gone = [key for key in auths if normalised(str(key)) == host]
    for key in gone:
        del auths[key]
    if gone:
        _write(path, config)
    return bool(gone)


def _edit(path: Path, server: str, entry: dict[str, str]) -> None:
    config = _read(path)
    auths = config.get("auths")
    if not isinstance(auths, dict):
        auths = config["auths"] = {}
    for key in [key for key in auths if normalised(str(key)) == normalised(server)]:
        del auths[key]
    auths[server] = entry
    _write(path, config)


def _read(path: Path) -> dict[str, Any]:
    """The file's object, empty where there is no file. What is damaged is left alone. Raise LocalError."""
    title = f"{path.name} could not be changed"
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LocalError(title, f"{path} can't be read: {error.strerror}.") from error
    try:
        value = json.loads(content) if len(content) <= _LIMIT else None
    except ValueError:
        # Without the cause: its text quotes the file.
        value = None
    if not isinstance(value, dict):
        raise LocalError(title, f"{path} holds no JSON object.", "Mend or move the file.")
    return value


def _write(path: Path, config: dict[str, Any]) -> None:
    try:
        # For the user alone, under its name only when it is complete.
        write_whole(path, json.dumps(config, indent="\t", ensure_ascii=False) + "\n")
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise LocalError(
            f"{path.name} could not be written", f"{path}: {reason}.", "Check its folder's rights."
        ) from error
