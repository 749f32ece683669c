"""Programs of the sandbox's shells that change text, or look through folders. Source: POSIX.1-2024, Utilities."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import posixpath
import re
import stat
from collections.abc import Callable, Sequence

from dockdesk.sandbox.engine.filesystem import file_node
from dockdesk.sandbox.engine.programs import (
    PROGRAMS,
    Program,
    Result,
    Surroundings,
    each_file,
    letters_of,
)
from dockdesk.sandbox.engine.state import CPUS
from dockdesk.sandbox.http import HttpError

_MOST_BYTES = 4_400_000
_SUBSTITUTE = re.compile(r"s(.)((?:\\.|(?!\1).)*)\1((?:\\.|(?!\1).)*)\1([gI]*)")


def _data(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _read(around: Surroundings, paths: Sequence[str], given: str) -> tuple[str, int]:
    return PROGRAMS["cat"](around, [path for path in paths if path != "-"], given)


def _parted(words: Sequence[str], valued: str = "") -> tuple[dict[str, str], list[str]]:
    """Short options, those of ``valued`` with their values, and the other words."""
    options: dict[str, str] = {}
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            others.append(word)
        elif word[1] in valued:
            options[word[1]] = word[2:] or (rest.pop(0) if rest else "")
        else:
            options.update(dict.fromkeys(word[1:], ""))
    return options, others


def _grep(around: Surroundings, words: Sequence[str], given: str) -> Result:
    letters, rest = letters_of(words)
    if not rest:
        return "grep: a pattern is needed\n", 2
    wanted, *paths = rest
    found, complaints = each_file(around, "grep", paths)
    text = (
        "".join(node.data.decode("utf-8", "surrogateescape") for _, node in found)
        if paths
        else given
    )
    matches = _matcher(wanted, letters)
    lines = [
        line
        for line in text.splitlines(keepends=True)
        if matches(line.rstrip("\n")) != ("v" in letters)
    ]
    if "q" in letters:
        return "", 0 if lines else 1
    if "c" in letters:
        return f"{len(lines)}\n" + complaints, 0 if lines else 1
    return "".join(lines) + complaints, 0 if lines else 1


def _matcher(wanted: str, letters: set[str]) -> Callable[[str], bool]:
    """Patterns are taken as such where they are simple; what could take for ever is taken as plain words."""
    ignore = "i" in letters
    special = re.sub(r"\\.", "", wanted)
    extended = "E" in letters
    hard = special.count("*") + special.count("+") > 4 or (
        extended and re.search(r"\)[*+?{]", special)
    )
    if "F" not in letters and not hard and re.search(r"[.*\[^$\\|]", wanted):
        pattern = wanted
        if not extended:  # basic: these mean something only after a backslash
            pattern = re.sub(
                r"\\?[+?|(){}]", lambda m: m[0][1:] if len(m[0]) > 1 else f"\\{m[0]}", wanted
            )
        try:
            compiled = re.compile(pattern, re.IGNORECASE if ignore else 0)
        except re.error:
            return lambda line: wanted in line
        return lambda line: compiled.search(line[:4096]) is not None
    plain = wanted.lower() if ignore else wanted
    return lambda line: plain in (line.lower() if ignore else line)


def _tee(around: Surroundings, words: Sequence[str], given: str) -> Result:
    options, names = _parted(words)
    for name in names:
        path = around.path(name)
        if path in {"/dev/null", "/dev/stdout", "/dev/stderr"}:
            continue
        held = around.files.get(path) if "a" in options else None
        data = (held.data if held is not None else b"") + _data(given)
        around.files.put(path, file_node(data, modified=around.now()))
    return given, 0


def _sort(around: Surroundings, words: Sequence[str], given: str) -> Result:
    options, paths = _parted(words, "kt")
    text, code = _read(around, paths, given)
    lines = text.splitlines()
    if "n" in options:
        lines.sort(
            key=lambda line: (float(m[0]) if (m := re.match(r"\s*-?\d+", line)) else 0.0, line)
        )
    else:
        lines.sort()
    if "r" in options:
        lines.reverse()
    if "u" in options:
        lines = list(dict.fromkeys(lines))
    return "".join(f"{line}\n" for line in lines), code


def _uniq(around: Surroundings, words: Sequence[str], given: str) -> Result:
    options, paths = _parted(words)
    text, code = _read(around, paths, given)
    counted: list[tuple[str, int]] = []
    for line in text.splitlines():
        if counted and counted[-1][0] == line:
            counted[-1] = (line, counted[-1][1] + 1)
        else:
            counted.append((line, 1))
    if "c" in options:
        return "".join(f"{count:7d} {line}\n" for line, count in counted), code
    return "".join(f"{line}\n" for line, _ in counted), code


def _cut(around: Surroundings, words: Sequence[str], given: str) -> Result:
    options, paths = _parted(words, "dfc")
    text, code = _read(around, paths, given)
    separator = options.get("d", "\t") or "\t"
    wanted: set[int] = set()
    for part in (options.get("f") or options.get("c") or "1").split(","):
        low, dash, high = part.partition("-")
        first = int(low) if low.isdigit() else 1
        last = int(high) if high.isdigit() else (first + 999 if dash else first)
        wanted |= set(range(first, min(last, first + 999) + 1))
    lines = []
    for line in text.splitlines():
        parts = list(line) if "c" in options else line.split(separator)
        kept = [part for number, part in enumerate(parts, 1) if number in wanted]
        lines.append(
            line
            if len(parts) == 1 and "f" in options
            else ("" if "c" in options else separator).join(kept)
        )
    return "".join(f"{line}\n" for line in lines), code


_CLASSES = {
    "[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "[:lower:]": "abcdefghijklmnopqrstuvwxyz",
    "[:digit:]": "0123456789",
    "[:space:]": " \t\n\r",
}


def _set_of(text: str) -> str:
    for name, letters in _CLASSES.items():
        text = text.replace(name, letters)
    text = text.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")

    def spread(match: re.Match[str]) -> str:
        return "".join(chr(code) for code in range(ord(match[1]), ord(match[2]) + 1))

    return re.sub(r"([A-Za-z0-9])-([A-Za-z0-9])", spread, text)


def _tr(_around: Surroundings, words: Sequence[str], given: str) -> Result:
    options, sets = _parted(words)
    if not sets:
        return "tr: a set of characters is needed\n", 1
    first = _set_of(sets[0])
    if "d" in options:
        return "".join(letter for letter in given if (letter in first) == ("c" in options)), 0
    if "s" in options and len(sets) == 1:
        return re.sub(rf"([{re.escape(first)}])\1+", r"\1", given), 0
    second = _set_of(sets[1]) if len(sets) > 1 else ""
    if not second:
        return "tr: two sets are needed\n", 1
    table = {ord(a): second[min(number, len(second) - 1)] for number, a in enumerate(first)}
    return given.translate(table), 0


def _sed(around: Surroundings, words: Sequence[str], given: str) -> Result:
    """Substitutions alone, of plain words or simple patterns."""
    options, others = _parted(words, "e")
    scripts = [options["e"]] if "e" in options else others[:1]
    paths = others if "e" in options else others[1:]
    parts = [
        _SUBSTITUTE.fullmatch(part.strip()) for script in scripts for part in script.split(";")
    ]
    if not parts or any(part is None for part in parts):
        return _read(around, [] if "i" in options else paths, given)
    targets = paths if "i" in options else [""]
    told = ""
    for target in targets:
        text, code = _read(around, [target] if target else paths, given)
        if code:
            return text.replace("cat:", "sed:"), code
        for part in parts:
            assert part is not None
            text = _substituted(text, part)
        if target:
            path = around.files.resolve(around.path(target))
            held = around.files.get(path)
            mode = stat.S_IMODE(held.mode) if held is not None else 0o644
            around.files.put(path, file_node(_data(text), mode, around.now()))
        else:
            told += text
    return told, 0


def _substituted(text: str, part: re.Match[str]) -> str:
    # Only what can't take for ever: words with at most a few dots and stars.
    pattern, new = part[2], part[3].replace("\\/", "/")
    if len(pattern) > 200 or pattern.count("*") + pattern.count("+") > 3 or "(" in pattern:
        return text
    try:
        compiled = re.compile(pattern, re.IGNORECASE if "I" in part[4] else 0)
    except re.error:
        return text
    count = 0 if "g" in part[4] else 1
    lines = text.splitlines(keepends=True)
    return "".join(
        compiled.sub(lambda m: new.replace("&", m[0]), line, count=count) for line in lines
    )


def _find(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    paths = []
    rest = list(words)
    while rest and not rest[0].startswith("-"):
        paths.append(rest.pop(0))
    tests = dict(zip(rest, [*rest[1:], ""], strict=True))
    told, code = [], 0
    for path in paths or ["."]:
        try:
            top, _ = around.files.find(around.path(path))
        except HttpError:
            return f"find: {path}: No such file or directory\n", 1
        for place, node in list(around.files.walk(top)):
            shown = path.rstrip("/") + place[len(top.rstrip("/")) :] or "/"
            kind = "d" if node.is_folder else "l" if node.is_link else "f"
            if tests.get("-type", kind) != kind:
                continue
            if "-name" in tests and not fnmatch.fnmatchcase(
                posixpath.basename(place), tests["-name"]
            ):
                continue
            if "-delete" in tests:
                around.files.remove(place)
            else:
                told.append(f"{shown}\n")
    return "".join(told), code


def _sum(name: str) -> Program:
    def run(around: Surroundings, words: Sequence[str], given: str) -> Result:
        paths = [word for word in words if not word.startswith("-")]
        lines = []
        for path in paths or ["-"]:
            text, code = _read(around, [path], given)
            if code:
                return text.replace("cat:", f"{name}sum:"), code
            lines.append(f"{hashlib.new(name, _data(text)).hexdigest()}  {path}\n")
        return "".join(lines), 0

    return run


def _base64(around: Surroundings, words: Sequence[str], given: str) -> Result:
    options, paths = _parted(words, "w")
    text, code = _read(around, paths, given)
    if "d" in options:
        try:
            return base64.b64decode(text).decode("utf-8", "surrogateescape"), code
        except ValueError:
            return "base64: invalid input\n", 1
    return base64.b64encode(_data(text)).decode() + "\n", code


def _basename(_around: Surroundings, words: Sequence[str], _given: str) -> Result:
    if not words:
        return "basename: a path is needed\n", 1
    name = posixpath.basename(words[0].rstrip("/")) or "/"
    return (name.removesuffix(words[1]) if len(words) > 1 else name) + "\n", 0


def _dirname(_around: Surroundings, words: Sequence[str], _given: str) -> Result:
    return (posixpath.dirname(words[0].rstrip("/")) or ".") + "\n" if words else "\n", 0


def _yes(_around: Surroundings, words: Sequence[str], _given: str) -> Result:
    """As much as anybody who stops reading would want."""
    line = (" ".join(words) or "y") + "\n"
    return line * (_MOST_BYTES // len(line) + 1), 0


def _nproc(_around: Surroundings, _words: Sequence[str], _given: str) -> Result:
    return f"{CPUS}\n", 0


def _readlink(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    options, paths = _parted(words)
    path = around.path(paths[0] if paths else "")
    if "f" in options:
        return around.files.resolve(path) + "\n", 0
    node = around.files.get(path)
    return (node.link + "\n", 0) if node is not None and node.is_link else ("", 1)


def _rmdir(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    for name in _parted(words)[1]:
        path = around.path(name)
        if around.files.get(path) is None:
            return f"rmdir: '{name}': No such file or directory\n", 1
        if around.files.children(path):
            return f"rmdir: '{name}': Directory not empty\n", 1
        around.files.remove(path)
    return "", 0


def _du(around: Surroundings, words: Sequence[str], _given: str) -> Result:
    _, paths = _parted(words)
    lines = []
    for path in paths or ["."]:
        size = sum(len(node.data) for _, node in around.files.walk(around.path(path)))
        lines.append(f"{-(-size // 1024)}\t{path}\n")
    return "".join(lines), 0


TEXT_PROGRAMS: dict[str, Program] = {
    "base64": _base64,
    "basename": _basename,
    "cut": _cut,
    "dirname": _dirname,
    "du": _du,
    "find": _find,
    "grep": _grep,
    "md5sum": _sum("md5"),
    "nproc": _nproc,
    "readlink": _readlink,
    "rmdir": _rmdir,
    "sed": _sed,
    "sha256sum": _sum("sha256"),
    "sort": _sort,
    "tee": _tee,
    "tr": _tr,
    "uniq": _uniq,
    "yes": _yes,
}
