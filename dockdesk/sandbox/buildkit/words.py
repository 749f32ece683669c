"""A shell's words: variables, commands and arithmetic in them filled in, parted at blanks, and file names matched.

Source: POSIX.1-2024, Shell Command Language, 2.6.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from dockdesk.sandbox.buildkit.script import ScriptError, skip_quoted
from dockdesk.sandbox.engine.filesystem import FileSystem
from dockdesk.sandbox.engine.programs_files import reckoned

_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]")
_PARAMETER = re.compile(r"(#?)([A-Za-z_]\w*|[0-9@*#?$!-])(?:(:?[-+?=]|##?|%%?|//?)([\s\S]*))?")
_GLOB = re.compile(r"[*?\[]")
_BLANKS = re.compile(r"[ \t\n]+")
_MOST_MATCHES = 5000


class Values(Protocol):
    """What words can ask of the shell."""

    @property
    def files(self) -> FileSystem: ...

    def value(self, name: str) -> str | None: ...

    def arguments(self) -> Sequence[str]: ...

    def assign(self, name: str, value: str) -> None: ...

    def path(self, text: str) -> str: ...

    async def output_of(self, script: str) -> str: ...


# A piece of a word: its text, and whether quotes keep it from being parted and matched. None parts two fields.
_Piece = tuple[str, bool] | None


class Words:
    def __init__(self, values: Values) -> None:
        self._values = values

    async def fields(self, word: str) -> list[str]:
        """What a word becomes: none, one or many. Raises ScriptError."""
        pieces = await self._pieces(word)
        fields: list[list[tuple[str, bool]]] = [[]]
        for piece in pieces:
            if piece is None:
                fields.append([])
                continue
            text, quoted = piece
            if quoted:
                fields[-1].append(piece)
                continue
            for number, part in enumerate(_BLANKS.split(text)):
                if number:
                    fields.append([])
                if part:
                    fields[-1].append((part, False))
        found: list[str] = []
        for field in fields:
            if field:
                found += self._matched(field)
        return found

    async def text(self, word: str) -> str:
        """A word as one text, not parted or matched. Raises ScriptError."""
        return "".join(piece[0] if piece else " " for piece in await self._pieces(word))

    async def pattern(self, word: str) -> str:
        """A word as a pattern: what is quoted stands for itself."""
        pieces = await self._pieces(word)
        return "".join(_escaped(piece[0]) if piece[1] else piece[0] for piece in pieces if piece)

    async def document(self, text: str) -> str:
        """A here-document: only $, ` and backslashes mean something."""
        parts, position = list[str](), 0
        while position < len(text):
            if text[position] == "\\" and text[position + 1 : position + 2] in {
                "$",
                "`",
                "\\",
                "\n",
            }:
                parts.append("" if text[position + 1] == "\n" else text[position + 1])
                position += 2
            elif text[position] in "$`":
                pieces, position = await self._dollar(text, position, True)
                parts += [piece[0] if piece else " " for piece in pieces]
            else:
                parts.append(text[position])
                position += 1
        return "".join(parts)

    def _matched(self, field: list[tuple[str, bool]]) -> list[str]:
        plain = "".join(text for text, _ in field)
        if not any(_GLOB.search(text) for text, quoted in field if not quoted):
            return [plain]
        pattern = "".join(_escaped(text) if quoted else text for text, quoted in field)
        return globbed(self._values.files, self._values.path, pattern) or [plain]

    async def _pieces(self, word: str) -> list[_Piece]:
        pieces: list[_Piece] = []
        position = 0
        if word == "~" or word.startswith("~/"):
            pieces.append((self._values.value("HOME") or "/root", True))
            position = 1
        while position < len(word):
            letter = word[position]
            if letter == "\\":
                if word[position + 1 : position + 2] != "\n":
                    pieces.append((word[position + 1 : position + 2], True))
                position += 2
            elif letter == "'":
                end = skip_quoted(word, position)
                pieces.append((word[position + 1 : end - 1], True))
                position = end
            elif letter == '"':
                end = skip_quoted(word, position)
                pieces += await self._in_quotes(word[position + 1 : end - 1])
                position = end
            elif letter in "$`":
                more, position = await self._dollar(word, position, False)
                pieces += more
            else:
                pieces.append((letter, False))
                position += 1
        return pieces

    async def _in_quotes(self, text: str) -> list[_Piece]:
        pieces: list[_Piece] = [("", True)]
        position = 0
        while position < len(text):
            letter = text[position]
            if letter == "\\" and text[position + 1 : position + 2] in {"$", "`", '"', "\\", "\n"}:
                pieces.append(("" if text[position + 1] == "\n" else text[position + 1], True))
                position += 2
            elif letter in "$`":
                more, position = await self._dollar(text, position, True)
                pieces += more
            else:
                pieces.append((letter, True))
                position += 1
        # "$@" without arguments is nothing at all, not an empty field.
        return [] if pieces == [("", True)] and text == "$@" else pieces

    async def _dollar(self, text: str, position: int, quoted: bool) -> tuple[list[_Piece], int]:
        end = skip_quoted(text, position)
        if text[position] == "`":
            inner = text[position + 1 : end - 1].replace("\\`", "`")
            return [((await self._values.output_of(inner)).rstrip("\n"), quoted)], end
        if text.startswith("$((", position) and text[:end].endswith("))"):
            sum_ = await self.text(text[position + 3 : end - 2].replace(" ", ""))
            names = re.sub(r"[A-Za-z_]\w*", lambda m: self._values.value(m[0]) or "0", sum_)
            return [(str(reckoned(names)), quoted)], end
        if text.startswith("$(", position):
            told = await self._values.output_of(text[position + 2 : end - 1])
            return [(told.rstrip("\n"), quoted)], end
        if text.startswith("${", position):
            return await self._parameter(text[position + 2 : end - 1], quoted), end
        match = _NAME.match(text, position + 1)
        if match is None:
            return [("$", quoted)], position + 1
        return self._named(match[0], quoted), match.end()

    def _named(self, name: str, quoted: bool) -> list[_Piece]:
        if name not in {"@", "*"}:
            return [(self._checked(name), quoted)]
        arguments = self._values.arguments()
        if name == "*" and quoted:
            return [(" ".join(arguments), True)]
        pieces: list[_Piece] = []
        for argument in arguments:
            pieces += [None, (argument, quoted)] if pieces else [(argument, quoted)]
        return pieces

    def _checked(self, name: str) -> str:
        return self._values.value(name) or ""

    async def _parameter(self, inner: str, quoted: bool) -> list[_Piece]:
        match = _PARAMETER.fullmatch(inner)
        if match is None:
            raise ScriptError("bad substitution")
        length, name, kind, text = match[1], match[2], match[3], match[4] or ""
        if length:
            return [(str(len(self._values.value(name) or "")), quoted)]
        if kind is None:
            return self._named(name, quoted)
        value = self._values.value(name)
        there = value is not None and (bool(value) or not kind.startswith(":"))
        match kind[-1]:
            case "-" | "=":
                if there:
                    return [(value or "", quoted)]
                if kind[-1] == "=":
                    self._values.assign(name, await self.text(text))
                return [(await self.text(text), quoted)]
            case "+":
                return [(await self.text(text), quoted)] if there else [("", quoted)]
            case "?":
                if not there:
                    raise ScriptError(f"{name}: {await self.text(text) or 'parameter not set'}")
                return [(value or "", quoted)]
            case "#" | "%":
                return [(_trimmed(value or "", await self.pattern(text), kind), quoted)]
        pattern, _, new = text.partition("/")
        regular = fnmatch.translate(await self.pattern(pattern))[4:-3]
        replacement = await self.text(new)
        count = 0 if kind == "//" else 1
        return [(re.sub(regular, lambda _: replacement, value or "", count=count), quoted)]


def _escaped(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def _trimmed(value: str, pattern: str, kind: str) -> str:
    lengths: Sequence[int] = range(len(value) + 1)
    for length in reversed(lengths) if len(kind) == 2 else lengths:
        if kind[0] == "#" and fnmatch.fnmatchcase(value[:length], pattern):
            return value[length:]
        if kind[0] == "%" and fnmatch.fnmatchcase(value[len(value) - length :], pattern):
            return value[: len(value) - length]
    return value


def globbed(files: FileSystem, path: Callable[[str], str], pattern: str) -> list[str]:
    """Names that a pattern matches, as they were written: relative ones stay relative."""
    parts = [part for part in pattern.split("/") if part]
    found = [
        ("/" if pattern.startswith("/") else "", path("/" if pattern.startswith("/") else "."))
    ]
    for part in parts:
        following: list[tuple[str, str]] = []
        for shown, place in found[:_MOST_MATCHES]:
            joined = shown if shown.endswith("/") or not shown else shown + "/"
            if not _GLOB.search(part):
                child = f"{place.rstrip('/')}/{part}"
                if files.get(files.resolve(child)) is not None:
                    following.append((joined + part, files.resolve(child)))
                continue
            for name, _ in files.children(place):
                if fnmatch.fnmatchcase(name, part) and (
                    not name.startswith(".") or part.startswith(".")
                ):
                    child = f"{place.rstrip('/')}/{name}"
                    following.append((joined + name, files.resolve(child)))
        found = following
    return [shown for shown, _ in found]


Output = Callable[[str], Awaitable[None]]
