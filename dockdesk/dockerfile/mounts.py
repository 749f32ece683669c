"""What ``RUN --mount=`` may say, option by option.

Source: moby/buildkit, frontend/dockerfile/instructions/commands_runmount.go.
"""

from __future__ import annotations

import re

from dockdesk.dockerfile.tree import Flag, Option
from dockdesk.dockerfile.vocabulary import (
    BARE_MOUNT_KEYS,
    MOUNT_KEY_NAMES,
    MOUNT_TYPES,
    SHARING,
    SOURCE_KEYS,
    TARGET_KEYS,
)

_BOOLEANS = frozenset("1 t T TRUE true True 0 f F FALSE false False".split())
_SIZE = re.compile(r"[0-9]+(\.[0-9]+)? ?([kmgtpKMGTP]?[iI]?[bB]?)\Z")


def mount_type(flag: Flag) -> str:
    """The type a mount has: ``bind`` where it names none, empty where that is a variable or unknown."""
    option = flag.option("type")
    if option is None:
        return "bind"
    value = (option.value or "").lower()
    return value if value in MOUNT_TYPES else ""


def check_mount(flag: Flag) -> list[tuple[Option | None, str]]:
    """What is wrong, with the option it is about. What holds a variable is decided at the build and passes."""
    found: list[tuple[Option | None, str]] = []
    kind = mount_type(flag)
    for option in flag.options:
        message = _option_fault(option, kind)
        if message:
            found.append((option, message))
    if kind == "secret":
        given = {option.key for option in flag.options}
        if not given & {*TARGET_KEYS, *SOURCE_KEYS, "id"}:
            found.append((None, "A secret needs an id, a source or a target."))
        if "id" in given and given & set(SOURCE_KEYS):
            found.append((None, "A secret has an id or a source, not both."))
    return found


def _option_fault(option: Option, kind: str) -> str:
    key, value = option.key, option.value
    if key not in MOUNT_KEY_NAMES:
        return "" if "$" in key else f"A mount has no option {key[:40]}."
    if value is None:
        return "" if key in BARE_MOUNT_KEYS else f"{key} needs a value: {key}=…"
    if "$" in value:
        return ""
    if key == "type" and value.lower() not in MOUNT_TYPES:
        return f"There is no mount type {value[:40]}: it can be {', '.join(MOUNT_TYPES)}."
    if key == "sharing":
        if value.lower() not in SHARING:
            return f"sharing can be {', '.join(SHARING)} only."
        if kind and kind != "cache":
            return f"sharing is for cache mounts, this one is {kind}."
    return _value_fault(key, value, kind)


def _value_fault(key: str, value: str, kind: str) -> str:
    if key in BARE_MOUNT_KEYS and value not in _BOOLEANS:
        return f"{key} can be true or false only."
    if key == "required" and kind in ("bind", "cache", "tmpfs"):
        return f"required is for secret and ssh mounts, this one is {kind}."
    if key == "size":
        if kind and kind != "tmpfs":
            return f"size is for tmpfs mounts, this one is {kind}."
        if not _SIZE.match(value):
            return f"{value[:40]} is no size: write 64m or 1g."
    if key == "from" and kind == "secret":
        return "A secret mount comes from the build's caller, it has no from."
    if key == "mode" and not re.fullmatch(r"[0-7]{1,11}", value):
        return f"{value[:40]} is no octal file mode, as 0755 is."
    if key in ("uid", "gid") and not re.fullmatch(r"[0-9]{1,10}", value):
        return f"{key} must be a number."
    if key in ("mode", "uid", "gid") and kind in ("bind", "tmpfs"):
        return f"{key} is for cache, secret and ssh mounts, this one is {kind}."
    return ""
