"""Where registry passwords come from: docker's config.json, its credential helpers, and the system's keyring.

Source: https://docs.docker.com/reference/cli/docker/login/#credential-stores and
https://github.com/docker/docker-credential-helpers (the helpers' protocol).
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockdesk.doctor.checks import Check, Surroundings, output_of
from dockdesk.doctor.report import Finding, Status

SECTION = "Credentials"


def checks(around: Surroundings) -> list[Check]:
    return [
        Check(SECTION, "docker config", lambda: look_at_config(around)),
        Check(SECTION, "keyring", lambda: [look_at_keyring()]),
    ]


def config_path(around: Surroundings) -> Path:
    folder = around.env.get("DOCKER_CONFIG", "")
    return (Path(folder) if folder else around.home / ".docker") / "config.json"


def look_at_config(around: Surroundings) -> list[Finding]:
    """The config file itself, each credential helper that it names, and passwords that stand in it."""
    path = config_path(around)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [Finding(SECTION, "docker config", Status.ABSENT, f"{path} does not exist")]
    except (OSError, ValueError) as error:
        return [
            Finding(
                SECTION,
                "docker config",
                Status.PROBLEM,
                f"{path} can't be read: {error}",
                "Mend or move the file; docker can't read it either.",
            )
        ]
    if not isinstance(config, dict):
        return [
            Finding(
                SECTION,
                "docker config",
                Status.PROBLEM,
                f"{path} holds no JSON object",
                "Mend or move the file; docker can't read it either.",
            )
        ]
    findings = [Finding(SECTION, "docker config", Status.OK, str(path), data={"path": str(path)})]
    findings += _plain_passwords(config)
    findings += [look_at_helper(name, servers, around) for name, servers in helpers(config).items()]
    return findings


def helpers(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Helper → the registries it is for; an empty list is the default store."""
    named: dict[str, list[str]] = {}
    if isinstance(store := config.get("credsStore"), str) and store:
        named[store] = []
    special = config.get("credHelpers")
    if isinstance(special, dict):
        for server, name in special.items():
            if isinstance(name, str) and name:
                named.setdefault(name, []).append(str(server))
    return named


def look_at_helper(name: str, servers: list[str], around: Surroundings) -> Finding:
    """Whether a helper is there and answers. It is asked for names only, never for a password."""
    title = f"docker-credential-{name}"
    purpose = f"for {', '.join(servers)}" if servers else "the default store"
    path = shutil.which(title, path=around.env.get("PATH"))
    # A name with a slash would be a path, which docker does not take either.
    if path is None or "/" in name:
        return Finding(
            SECTION,
            title,
            Status.PROBLEM,
            f"not found, but config.json names it ({purpose})",
            f"Install {title}, or take it out of config.json.",
        )
    try:
        code, output = output_of([path, "list"], around.env)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(SECTION, title, Status.PROBLEM, f"does not run: {_reason(error)}", _UNLOCK)
    if code != 0:
        first = output.partition("\n")[0]
        return Finding(SECTION, title, Status.PROBLEM, f"it fails: {first}", _UNLOCK)
    try:
        known = json.loads(output or "{}")
        count = len(known) if isinstance(known, dict) else 0
    except ValueError:
        return Finding(
            SECTION, title, Status.PROBLEM, "it answers with something else than JSON", _UNLOCK
        )
    logins = f"{count} login{'s' if count != 1 else ''}"
    return Finding(
        SECTION, title, Status.OK, f"{logins}, {purpose}", data={"path": path, "logins": count}
    )


_UNLOCK = "Run it in a terminal with “list” to see why; its keyring may be locked."


def _plain_passwords(config: Mapping[str, Any]) -> list[Finding]:
    auths = config.get("auths")
    if not isinstance(auths, dict):
        return []
    servers = [
        str(server)
        for server, auth in auths.items()
        if isinstance(auth, dict) and (auth.get("auth") or auth.get("identitytoken"))
    ]
    if not servers:
        return []
    return [
        Finding(
            SECTION,
            "passwords in config.json",
            Status.NOTE,
            f"for {', '.join(servers)}, merely encoded: whoever reads the file has them",
            "Set up a credential helper (credsStore), then log out and in again.",
            data={"registries": servers},
        )
    ]


def look_at_keyring() -> Finding:
    """Which keyring of the system there is for DockDesk's own logins."""
    import keyring
    import keyring.backends.fail
    import keyring.backends.null

    backend = keyring.get_keyring()
    name = f"{type(backend).__module__}.{type(backend).__qualname__}"
    data = {"backend": name}
    if type(backend) in {keyring.backends.fail.Keyring, keyring.backends.null.Keyring}:
        return Finding(
            SECTION,
            "keyring",
            Status.NOTE,
            "this system has none: passwords can't be kept safely",
            "Install GNOME Keyring or KWallet (Secret Service), or use a docker credential helper.",
            data,
        )
    # The usual one is a chain of those that work here.
    names = ", ".join(str(item.name) for item in getattr(backend, "backends", (backend,)))
    return Finding(SECTION, "keyring", Status.OK, names, data=data)


def _reason(error: OSError | subprocess.TimeoutExpired) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {error.timeout:.0f} s"
    return error.strerror or str(error)
