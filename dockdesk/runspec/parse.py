"""A pasted `docker run …` line becomes a ContainerSpec, and what could not be taken over is said."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from dataclasses import field, replace
from typing import Any

from dockdesk.core.errors import InvalidInputError
from dockdesk.core.masking import split_pairs
from dockdesk.core.ports import ContainerSpec
from dockdesk.core.records import dataclass
from dockdesk.core.units import parse_bytes
from dockdesk.runspec.durations import parse_duration
from dockdesk.runspec.flags import FLAGS, GLOBAL_FLAGS, SHORT, Flag

_CONTINUED = re.compile(r"[ \t]*[\\`^][ \t]*\r?\n[ \t]*")
_PROGRAMS = {"docker", "podman", "nerdctl", "docker.exe", "podman.exe"}
# Quotes as a shell sees them; what stands in single ones is nobody's but the command's.
_PIECES = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^'"\\]+|.""", re.DOTALL)
_FILLED_IN = re.compile(r"(?<!\\)(?:\$\([^)]*\)?|`[^`]*`?|\$\{[^}]*\}?|\$[A-Za-z_]\w*)")
_FOLDER = re.compile(r"\$\(pwd\)|\$\{PWD\}|\$PWD\b|%cd%")
_HOME = re.compile(r"\$\{HOME\}|\$HOME\b|(?<=[\s=:])~(?=/)")
LONGEST_LINE = 65_536


@dataclass(frozen=True, slots=True)
class ParsedRun:
    """The spec, the env files it names (paths as written), and notes on what was left out or needs a look."""

    spec: ContainerSpec
    env_files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reading:
    values: dict[str, Any] = field(default_factory=dict)
    env_files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def append(self, name: str, value: Any) -> None:
        self.values.setdefault(name, []).append(value)


def parse_run(line: str, home: str = "", folder: str = "") -> ParsedRun:
    """Read a `docker run` or `docker create` command as a shell would, without running anything.

    ``home`` and ``folder`` stand for ~ and the current folder (`$PWD`, `$(pwd)`); other shell expansions are kept as
    written and noted. Raises InvalidInputError saying what cannot be understood.
    """
    reading = _Reading()
    joined = _filled_in(line, home or os.path.expanduser("~"), folder, reading)
    words = _after_run(_split(joined))
    rest = _read_flags(words, reading)
    if not rest:
        raise InvalidInputError(
            "No image in the command", hint="Write the image after the options."
        )
    image, *command = rest
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in reading.values.items()
    }
    return ParsedRun(
        replace(ContainerSpec(image=image, command=tuple(command)), **values),
        tuple(reading.env_files),
        tuple(dict.fromkeys(reading.notes)),
    )


def _filled_in(line: str, home: str, folder: str, reading: _Reading) -> str:
    """The command in one line, with home and folder in it; what else a shell would fill in is noted."""
    if len(line) > LONGEST_LINE:
        raise InvalidInputError(
            "The command is too long", f"It has {len(line)} characters; {LONGEST_LINE} can be read."
        )
    joined = _CONTINUED.sub(" ", line.strip()).removeprefix("$ ").removeprefix("# ")
    pieces = []
    for piece in _PIECES.findall(joined):
        if not piece.startswith(("'", "\\")):
            piece = _FOLDER.sub(lambda _: folder, piece) if folder else piece
            piece = _HOME.sub(lambda _: home, piece)
            if (left := _FILLED_IN.search(piece)) is not None:
                reading.notes.append(
                    f"“{left.group()}” is filled in by a shell; replace it by its value."
                )
        pieces.append(piece)
    return "".join(pieces)


def _split(joined: str) -> list[str]:
    try:
        return shlex.split(joined)
    except ValueError as error:
        raise InvalidInputError(
            "The command can't be read",
            f"{error}.",
            "Check its quotation marks: each needs its partner.",
        ) from None


def _after_run(words: list[str]) -> list[str]:
    position = 0
    while position < len(words) and (
        words[position] in {"sudo", "time", "exec"} or _is_assignment(words[position])
    ):
        position += 1
    if position >= len(words) or os.path.basename(words[position]) not in _PROGRAMS:
        raise InvalidInputError(
            "This is not a docker command", hint="Paste a line that begins with “docker run”."
        )
    position += 1
    while position < len(words) and words[position].startswith("-"):
        name, has_value, _ = words[position].partition("=")
        position += 2 if GLOBAL_FLAGS.get(name, False) and not has_value else 1
    if words[position : position + 1] == ["container"]:
        position += 1
    if words[position : position + 1] not in (["run"], ["create"]):
        raise InvalidInputError("Only “docker run” and “docker create” can be read here")
    return words[position + 1 :]


def _is_assignment(word: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w*=.*", word, re.DOTALL) is not None


def _read_flags(words: list[str], reading: _Reading) -> list[str]:
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word == "--":
            return words[position:]
        if not word.startswith("-") or word == "-":
            return words[position - 1 :]
        if word.startswith("--"):
            name, has_value, value = word[2:].partition("=")
            position = _take(name, value if has_value else None, words, position, reading)
        else:
            position = _take_short(word[1:], words, position, reading)
    return []


def _take_short(letters: str, words: list[str], position: int, reading: _Reading) -> int:
    """Bundled short flags, as in -itp8080:80 or -e=NAME=value."""
    for index, letter in enumerate(letters):
        name = SHORT.get(letter)
        if name is None:
            raise InvalidInputError(
                f"Unknown option -{letter}", hint="Check it against `docker run --help`."
            )
        if FLAGS[name].takes_value:
            attached = letters[index + 1 :]
            value = attached.removeprefix("=") if attached else None
            return _take(name, value, words, position, reading)
        following = letters[index + 1 :]
        if following.startswith("="):
            return _take(name, following[1:], words, position, reading)
        _take(name, None, words, position, reading)
    return position


def _take(name: str, value: str | None, words: list[str], position: int, reading: _Reading) -> int:
    flag = FLAGS.get(name)
    if flag is None:
        raise InvalidInputError(
            f"Unknown option --{name}", hint="Check it against `docker run --help`."
        )
    if flag.takes_value and value is None:
        if position >= len(words):
            raise InvalidInputError(f"Option --{name} needs a value")
        value = words[position]
        position += 1
    if flag.note:
        reading.notes.append(f"--{name} {flag.note}")
    _store(name, flag, value, reading)
    return position


def _store(name: str, flag: Flag, value: str | None, reading: _Reading) -> None:
    if flag.kind == "bool":
        if flag.field:
            reading.values[flag.field] = (value or "true").lower() in {"true", "1", "t"}
        return
    text = value or ""
    try:
        if flag.kind == "special":
            _SPECIAL[name](text, reading)
        elif flag.kind == "list":
            reading.append(flag.field, text)
        elif flag.kind == "pairs":
            reading.values.setdefault(flag.field, []).extend(split_pairs([text]))
        elif flag.kind != "ignored":
            reading.values[flag.field] = _CONVERT[flag.kind](text)
    except (ValueError, OverflowError):
        expected = _EXPECTED.get(flag.kind, "what it takes")
        raise InvalidInputError(
            f"--{name} has a value that can't be read", f"“{text}” is not {expected}."
        ) from None


def _bytes(text: str) -> int:
    return -1 if text.strip() == "-1" else parse_bytes(text)


_EXPECTED = {
    "bytes": "a size, such as 512m",
    "number": "a number",
    "count": "a whole number",
    "duration": "a duration, such as 30s",
}
_CONVERT: dict[str, Callable[[str], Any]] = {
    "text": str,
    "bytes": _bytes,
    "number": float,
    "count": int,
    "duration": parse_duration,
}


def _entrypoint(text: str, reading: _Reading) -> None:
    reading.values["entrypoint"] = (text,) if text else ()


def _env(text: str, reading: _Reading) -> None:
    name, has_value, value = text.partition("=")
    if not has_value:
        reading.notes.append(f"-e {name} takes its value from your shell; fill it in.")
    reading.append("env", (name, value))


def _env_file(text: str, reading: _Reading) -> None:
    reading.env_files.append(text)


def _network(text: str, reading: _Reading) -> None:
    if "=" not in text:
        reading.values["network"] = text
        return
    for key, value in split_pairs(text.split(",")):
        if key == "name":
            reading.values["network"] = value
        elif key == "alias":
            reading.append("network_aliases", value)
        elif key == "ip":
            reading.values["ip"] = value
        else:
            reading.notes.append(
                f"--network {key}= is not taken over: DockDesk's run form has no field for it."
            )


def _mount(text: str, reading: _Reading) -> None:
    options = {key.strip().lower(): value for key, value in split_pairs(text.split(","))}
    kind = options.pop("type", "volume")
    source = options.pop("source", options.pop("src", ""))
    target = options.pop("target", options.pop("destination", options.pop("dst", "")))
    read_only = any(options.pop(key, "false") in {"", "true", "1"} for key in ("readonly", "ro"))
    if not target:
        raise InvalidInputError("--mount has no target", f"“{text}”", "Add target=/path.")
    suffix = ":ro" if read_only else ""
    if kind == "tmpfs":
        size = options.pop("tmpfs-size", "")
        reading.append("tmpfs", f"{target}:size={size}" if size else target)
    elif kind in {"bind", "volume"}:
        reading.append("volumes", f"{source}:{target}{suffix}" if source else f"{target}{suffix}")
    else:
        reading.notes.append(
            f"--mount type={kind} is not taken over: DockDesk's run form has no field for it."
        )
    for left in options:
        reading.notes.append(f"--mount {left}= is not taken over.")


_SPECIAL: dict[str, Callable[[str, _Reading], None]] = {
    "entrypoint": _entrypoint,
    "env": _env,
    "env-file": _env_file,
    "mount": _mount,
    "net": _network,
    "network": _network,
}
