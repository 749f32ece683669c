"""A Dockerfile's instructions, as BuildKit's parser reads them: directives, continuations, here-documents, flags.

Source: Dockerfile reference; moby/buildkit, frontend/dockerfile/parser.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

KEYWORDS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=((?:\"[^\"]*\"|'[^']*'|\\.|[^\s\"'\\])*))?(?:\s+|$)")
_HEREDOC = re.compile(
    r"(?<![<\\])(\d*)<<(-?)(?:([A-Za-z_]\w*)|\"([^\"\s]+)\"|'([^'\s]+)')(?=\s|$|[;&|>)])"
)
_HAS_HEREDOCS = {"RUN", "COPY", "ADD"}


class DockerfileError(Exception):
    """What is wrong with a Dockerfile, and where: lines from 1, 0 where that can't be told."""

    def __init__(self, message: str, first: int = 0, last: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.first = first
        self.last = last or first


@dataclass(frozen=True, slots=True)
class Heredoc:
    """``expands``: variables in it are the build's to fill in."""

    name: str
    content: str
    expands: bool = True


@dataclass(frozen=True, slots=True)
class Instruction:
    """``word`` is the keyword as written; ``text`` all of it on one line; ``rest`` what follows the flags."""

    keyword: str
    word: str
    text: str
    rest: str
    flags: tuple[tuple[str, str], ...] = ()
    first: int = 0
    last: int = 0
    heredocs: tuple[Heredoc, ...] = ()

    def flag(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.flags if key == name), default)

    def has(self, name: str) -> bool:
        """Whether a flag without a value, or with “true”, is there."""
        return any(key == name and value in {"", "true"} for key, value in self.flags)

    @property
    def words(self) -> list[str] | None:
        """The words of a JSON form, None for any other."""
        if not self.rest.startswith("["):
            return None
        try:
            found = json.loads(self.rest)
        except ValueError:
            return None
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return found
        return None


@dataclass(frozen=True, slots=True)
class Dockerfile:
    instructions: tuple[Instruction, ...]
    directives: dict[str, str] = field(default_factory=dict)
    escape: str = "\\"


def parse(text: str) -> Dockerfile:
    """Raises DockerfileError."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    directives = _directives(lines)
    escape = directives.get("escape", "\\")
    if escape not in {"\\", "`"}:
        raise DockerfileError(f"invalid escape token '{escape}' does not match ` or \\", 1)
    continued = re.compile(rf"([\s\S]*){re.escape(escape)}[ \t]*")
    found: list[Instruction] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if not line.strip() or line.lstrip().startswith("#"):
            position += 1
            continue
        first, joined = position + 1, ""
        while True:
            line = lines[position]
            position += 1
            if joined and (not line.strip() or line.lstrip().startswith("#")):
                more: re.Match[str] | None = re.match("()", "")
            else:
                more = continued.fullmatch(line)
                joined += more[1] if more is not None else line
            if more is None or position >= len(lines):
                break
        instruction, position = _instruction(joined.strip(), first, position, lines)
        found.append(instruction)
    if not found:
        raise DockerfileError("the Dockerfile cannot be empty")
    return Dockerfile(tuple(found), directives, escape)


def _directives(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None or match[1].lower() not in {"syntax", "escape", "check"}:
            break
        found.setdefault(match[1].lower(), match[2])
    return found


def _instruction(text: str, first: int, position: int, lines: list[str]) -> tuple[Instruction, int]:
    word, _, rest = text.partition(" ") if " " in text.split("\t")[0] else text.partition("\t")
    keyword, rest = word.upper(), rest.strip()
    if keyword not in KEYWORDS:
        meant = _meant(keyword)
        hint = f" (did you mean {meant}?)" if meant else ""
        message = f"dockerfile parse error on line {first}: unknown instruction: {word}{hint}"
        raise DockerfileError(message, first, position)
    flags: list[tuple[str, str]] = []
    while keyword != "ARG" and (match := _FLAG.match(rest)):
        flags.append((match[1], _unquoted(match[2] or "")))
        rest = rest[match.end() :]
    heredocs: list[Heredoc] = []
    if keyword in _HAS_HEREDOCS:
        for match in _HEREDOC.finditer(rest):
            heredoc, position = _heredoc(match, first, position, lines)
            heredocs.append(heredoc)
    if not rest and not heredocs and keyword != "MAINTAINER":
        message = (
            f"dockerfile parse error on line {first}: {keyword} requires at least one argument"
        )
        raise DockerfileError(message, first, position)
    return (
        Instruction(keyword, word, text, rest, tuple(flags), first, position, tuple(heredocs)),
        position,
    )


def _heredoc(
    match: re.Match[str], first: int, position: int, lines: list[str]
) -> tuple[Heredoc, int]:
    name = match[3] or match[4] or match[5]
    content = ""
    while position < len(lines):
        line = lines[position].lstrip("\t") if match[2] else lines[position]
        position += 1
        if line == name:
            return Heredoc(name, content, match[3] is not None), position
        content += line + "\n"
    raise DockerfileError(f"dockerfile parse error on line {first}: unterminated heredoc", first)


def without_heredocs(rest: str) -> str:
    """A command without the redirections that its here-documents are."""
    return _HEREDOC.sub("", rest).strip()


def heredoc_names(rest: str) -> list[str]:
    return [match[3] or match[4] or match[5] for match in _HEREDOC.finditer(rest)]


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _meant(word: str) -> str:
    """The keyword that was most likely meant: one that is a letter or two away."""
    best = min(KEYWORDS, key=lambda keyword: _distance(word, keyword))
    return best if _distance(word, best) <= 2 and len(word) < 20 else ""


def _distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for number, letter in enumerate(left[:24], 1):
        before, row[0] = row[0], number
        for column, other in enumerate(right, 1):
            before, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, before + (letter != other)),
            )
    return row[-1]
