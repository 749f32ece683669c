"""What may stand in the fields of the run form; each check returns what is wrong in one sentence, or None."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterable
from typing import Any

from dockdesk.core.units import parse_bytes
from dockdesk.runspec.durations import parse_duration

# Source: distribution/reference, the grammar of image references.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::\d+)?"
_REFERENCE = re.compile(
    rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::[\w][\w.-]{{0,127}})?(?:@sha256:[0-9a-fA-F]{{64}})?"
)
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_PORT = re.compile(
    r"(?:(?:\[[0-9a-fA-F:.]+\]|\d+(?:\.\d+){3}):)?(?:(?P<public>\d{1,5}(?:-\d{1,5})?)?:)?"
    r"(?P<private>\d{1,5}(?:-\d{1,5})?)(?:/(?:tcp|udp|sctp))?"
)
_ULIMIT = re.compile(r"[a-z]+=-?\d+(?::-?\d+)?")
_GPUS = re.compile(r"all|\d+|device=[\w,:-]+|\"device=[\w,:-]+\"")
_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
SMALLEST_MEMORY = 6 << 20  # the engine refuses less: "Minimum memory limit allowed is 6MB"

Check = Callable[[Any], str | None]


def lines_of(value: Any) -> list[str]:
    """The lines of a one-a-line field, without blank ones."""
    return [line.strip() for line in str(value or "").splitlines() if line.strip()]


def each_line(check: Callable[[str], str | None]) -> Check:
    """A check of every line; the first problem is told with its line."""

    def checked(value: Any) -> str | None:
        for line in lines_of(value):
            if (problem := check(line)) is not None:
                return f"“{line[:80]}”: {problem}"
        return None

    return checked


def optional(check: Callable[[str], str | None]) -> Check:
    """A check that an empty field passes."""

    def checked(value: Any) -> str | None:
        text = str(value or "").strip()
        return check(text) if text else None

    return checked


def image_problem(text: str) -> str | None:
    if len(text) > 512 or not (_REFERENCE.fullmatch(text) or _ID.fullmatch(text)):
        if text != text.lower() and (_REFERENCE.fullmatch(text.lower())):
            return "Repository names are in lower case."
        return "Write it as repository:tag, such as nginx:1.27 or ghcr.io/acme/api:2.0."
    return None


def name_problem(text: str) -> str | None:
    if not _NAME.fullmatch(text):
        return (
            "Use letters, digits, “_”, “.” and “-”, at least two, beginning with a letter or digit."
        )
    return None


def port_problem(line: str) -> str | None:
    match = _PORT.fullmatch(line)
    if match is None:
        return "write it as 8080:80, 127.0.0.1:8080:80 or 8000-8010:8000-8010/udp."
    sizes = []
    for text in (match["public"], match["private"]):
        if text is None:
            continue
        first, _, last = text.partition("-")
        low, high = int(first), int(last or first)
        if low > 65_535 or high > 65_535 or high < low or (low == 0 and text is match["private"]):
            return "ports are 1 to 65535, and a range goes upwards."
        sizes.append(high - low)
    if len(sizes) == 2 and sizes[0] != sizes[1]:
        return "both ranges must be equally long."
    return None


def expose_problem(line: str) -> str | None:
    return (
        None
        if re.fullmatch(r"\d{1,5}(-\d{1,5})?(/(tcp|udp|sctp))?", line)
        else "write it as 80 or 53/udp."
    )


def volume_problem(line: str) -> str | None:
    rest = line[2:] if _WINDOWS_DRIVE.match(line) else line
    parts = rest.split(":")
    if len(parts) > 3:
        return "write it as source:/target or source:/target:ro."
    target = parts[1] if len(parts) > 1 else parts[0]
    if not target.startswith("/"):
        return "the path in the container must be absolute, such as ./data:/data."
    if target == "/":
        return "nothing can be mounted over “/”."
    if len(parts) > 1 and not parts[0]:
        return "the source is missing before the colon."
    return None


def tmpfs_problem(line: str) -> str | None:
    return (
        None
        if line.startswith("/") and len(line.split(":")) <= 2
        else "write it as /run or /run:size=64m."
    )


def env_problem(line: str) -> str | None:
    name, has_value, _ = line.partition("=")
    if not name or any(character.isspace() for character in name):
        return "write it as NAME=value."
    return None if has_value else "write it as NAME=value; an empty value is “NAME=”."


def pair_problem(line: str) -> str | None:
    return None if line.partition("=")[0].strip() else "write it as name=value."


def host_problem(line: str) -> str | None:
    name, separator, address = line.partition(":")
    if not name or not separator:
        return "write it as name:address, such as db:10.0.0.5 or host.docker.internal:host-gateway."
    return None if address == "host-gateway" else address_problem(address.strip("[]"))


def address_problem(text: str) -> str | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return "this is not an IP address."
    return None


def memory_problem(text: str) -> str | None:
    problem = size_problem(text)
    if problem is None and 0 < parse_bytes(text) < SMALLEST_MEMORY:
        return "The engine takes no less than 6m."
    return problem


def swap_problem(text: str) -> str | None:
    return None if text == "-1" else size_problem(text)


def size_problem(text: str) -> str | None:
    try:
        parse_bytes(text)
    except (ValueError, OverflowError):
        return "Write a size such as 512m or 2g."
    return None


def duration_problem(text: str) -> str | None:
    try:
        parse_duration(text)
    except ValueError as error:
        return str(error)
    return None


def words_problem(text: str) -> str | None:
    try:
        shlex.split(text)
    except ValueError as error:
        return f"{error}: each quotation mark needs its partner."
    return None


def ulimit_problem(line: str) -> str | None:
    return None if _ULIMIT.fullmatch(line) else "write it as nofile=1024:2048."


def gpus_problem(text: str) -> str | None:
    return None if _GPUS.fullmatch(text) else "Write all, a count, or device=0,1."


def restart_problem(text: str) -> str | None:
    if re.fullmatch(r"no|always|unless-stopped|on-failure(:\d+)?", text):
        return None
    return "Choose no, always, unless-stopped or on-failure[:most tries]."


def platform_problem(text: str) -> str | None:
    return (
        None if re.fullmatch(r"[a-z0-9]+(/[a-z0-9_]+){0,2}", text) else "Write it as linux/arm64."
    )


def repeated_ports(lines: Iterable[str]) -> str | None:
    """Two lines that publish the same host port can't both work."""
    seen: set[str] = set()
    for line in lines:
        published, _, protocol = line.partition("/")
        outside, separator, _ = published.rpartition(":")
        key = f"{outside}/{protocol or 'tcp'}"
        if separator and outside.rpartition(":")[2] and key in seen:
            return f"“{line}”: this host port is published twice."
        seen.add(key)
    return None
