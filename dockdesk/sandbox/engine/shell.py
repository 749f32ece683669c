"""A shell good enough to look around in: pipes, redirection, variables, line editing, history, Ctrl+C and top."""

from __future__ import annotations

import asyncio
import posixpath
import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import replace

from dockdesk.sandbox.engine.filesystem import file_node
from dockdesk.sandbox.engine.programs import PROGRAMS, Surroundings, top_screen
from dockdesk.sandbox.engine.programs_files import FILE_PROGRAMS, reckoned
from dockdesk.sandbox.http import HttpError

Write = Callable[[str], Awaitable[None]]

_LINE_LIMIT = 4096
_OPERATORS = {"|", ";", "&&", "||", ">", ">>"}
_QUOTED = re.compile(r"""('[^']*'|"[^"]*")""")
_ARITHMETIC = re.compile(r"\$\(\(([^$]*?)\)\)")
_STDERR = "/dev/stderr"
_LOOP = re.compile(r"while\s+(.+?)\s*[;\n]\s*do\b(.*)\bdone\b[;\s]*", re.DOTALL)
_LOOP_SECONDS = 0.05
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\}|(\?))")


class InterruptedByUserError(Exception):
    """Ctrl+C."""


class Shell:
    """Runs lines. ``keys`` is what the user types while a program runs (for top and Ctrl+C)."""

    def __init__(self, around: Surroundings, keys: asyncio.Queue[str] | None = None) -> None:
        self.around = around
        self.code = 0
        self.exited = False
        self._keys = keys
        self.error: Write | None = None  # where errors go that do not go with the rest

    @property
    def prompt(self) -> str:
        sign = "#" if self.around.user == "root" else "$"
        return f"{self.around.folder} {sign} "

    async def run(self, line: str, write: Write) -> int:
        """Run a line or a script; its output goes to ``write``. Returns the exit code of its last command."""
        loop = _LOOP.search(_QUOTED.sub(lambda match: "\0" * len(match[0]), line))
        if loop is None:
            return await self._line(line, write)
        test, body = line[slice(*loop.span(1))], line[slice(*loop.span(2))]
        await self._line(line[: loop.start()], write)
        while not self.exited and (test in {"true", ":"} or not await self._line(test, write)):
            await self._line(body, write)
            await asyncio.sleep(_LOOP_SECONDS)
        return self.code if self.exited else await self._line(line[loop.end() :], write)

    async def _line(self, line: str, write: Write) -> int:
        try:
            words = _words(self._expanded(await self._substituted(_joined(line[:_LINE_LIMIT]))))
        except ValueError as error:
            await write(f"sh: syntax error: {error}\n")
            self.code = 2
            return 2
        self.code = 0 if not words else self.code
        command: list[str] = []
        joiner = ";"
        for word in [*words, ";"]:
            if word not in {";", "&&", "||"}:
                command.append(word)
                continue
            wanted = joiner == ";" or (self.code == 0) == (joiner == "&&")
            if command and wanted and not self.exited:
                await self._pipeline(command, write)
            command, joiner = [], word
        return self.code

    async def _pipeline(self, words: list[str], write: Write) -> None:
        if words[0] == "!":
            await self._pipeline(words[1:] or ["true"], write)
            self.code = int(not self.code)
            return
        stages: list[list[str]] = [[]]
        for word in words:
            if word == "|":
                stages.append([])
            else:
                stages[-1].append(word)
        given = ""
        for position, stage in enumerate(stages):
            command, target, append = _redirected(stage)
            last = position == len(stages) - 1
            if not command:
                continue
            direct = last and not target
            given, self.code = await self._one(command, given, write if direct else None)
            if target == _STDERR:
                await (self.error or write)(given)
                given = ""
            elif target:
                trouble = self._save(target, given, append)
                given = trouble
                self.code = self.code or int(bool(trouble))
            if last and given:
                await write(given)

    async def _one(self, words: list[str], given: str, write: Write | None) -> tuple[str, int]:
        """One command: its output (what was not written already) and exit code."""
        name, rest = words[0].rpartition("/")[2] or words[0], words[1:]
        around = self.around
        while "=" in words[0] and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0]):
            key, _, value = words.pop(0).partition("=")
            around.env[key] = value
            if not words:
                return "", 0
            name, rest = words[0].rpartition("/")[2], words[1:]
        if name in {"exit", "logout"}:
            self.exited = True
            return "", int(rest[0]) if rest and rest[0].isdigit() else self.code
        if name == "cd":
            return self._cd(rest[0] if rest else "~")
        if name == "export":
            around.env.update(item.partition("=")[::2] for item in rest if "=" in item)
            return "", 0
        if name == "trap":
            self._trap(rest)
            return "", 0
        if name == "wait":
            return "", 0
        if name == "sleep":
            await self._pause(
                float(rest[0]) if rest and rest[0].replace(".", "", 1).isdigit() else 0.0
            )
            return "", 0
        if name == "top":
            return await self._top(rest, write)
        if name in {"sh", "bash", "ash"}:
            if "-c" in rest[:-1]:
                return await self._nested(rest[rest.index("-c") + 1], write)
            return "", 0
        program = PROGRAMS.get(name) or FILE_PROGRAMS.get(name)
        if program is None:
            return f"sh: {words[0]}: not found\n", 127
        try:
            return program(around, rest, given)
        except HttpError as error:  # a mount that is only to be read, a folder that is none
            return f"{name}: {error.message}\n", 1

    def _trap(self, words: list[str]) -> None:
        if len(words) > 1 and set(words[1:]) & {"TERM", "SIGTERM", "15"}:
            self.around.container.on_term = words[0]

    async def _nested(self, line: str, write: Write | None = None) -> tuple[str, int]:
        """Another shell's line: what it says goes to ``write`` as it comes, or is returned."""
        output: list[str] = []

        async def keep(text: str) -> None:
            output.append(text)

        inner = Shell(self.around, self._keys)
        inner.error = self.error
        code = await inner.run(line, write or keep)
        return "".join(output), code

    def _cd(self, path: str) -> tuple[str, int]:
        target = self.around.path(path)
        try:
            resolved, node = self.around.files.find(target)
        except HttpError:
            return f"sh: cd: can't cd to {path}: No such file or directory\n", 2
        if not node.is_folder:
            return f"sh: cd: can't cd to {path}: Not a directory\n", 2
        self.around.folder = resolved
        return "", 0

    def _save(self, path: str, text: str, append: bool) -> str:
        """Write a redirection's target; returns what the shell complains of."""
        target = self.around.path(path)
        if target == "/dev/null":
            return ""
        files = self.around.files
        try:
            target = files.resolve(target)
            node, above = files.get(target), files.get(posixpath.dirname(target))
            if node is not None and node.is_folder:
                return f"sh: can't create {path}: Is a directory\n"
            if above is None or not above.is_folder:
                return f"sh: can't create {path}: nonexistent directory\n"
            before = node.data if append and node is not None else b""
            data = before + text.encode("utf-8", "surrogateescape")
            made = file_node(data, modified=self.around.now())
            files.put(target, made if node is None else replace(made, mode=node.mode))
        except HttpError as error:
            return f"sh: can't create {path}: {error.message.partition(': ')[2] or error.message}\n"
        return ""

    async def _substituted(self, line: str) -> str:
        """``$(command)`` as what it says, except between single quotes."""
        parts = re.split(r"('[^']*')", line)
        for position, part in enumerate(parts):
            while not part.startswith("'") and (match := _SUBSTITUTION.search(part)):
                told, _ = await self._nested(match[1])
                part = part[: match.start()] + told.rstrip("\n") + part[match.end() :]
            parts[position] = part
        return "".join(parts)

    def _expanded(self, line: str) -> str:
        def value(match: re.Match[str]) -> str:
            return str(self.code) if match[3] else self.around.env.get(match[1] or match[2], "")

        line = _ARITHMETIC.sub(lambda match: str(reckoned(match[1])), line)
        # Single quotes keep their text as it is.
        parts = re.split(r"('[^']*')", line)
        return "".join(
            part if part.startswith("'") else _VARIABLE.sub(value, part) for part in parts
        )

    async def _pause(self, seconds: float) -> None:
        """Wait; Ctrl+C ends it."""
        if self._keys is None:
            await asyncio.sleep(seconds)
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            try:
                key = await asyncio.wait_for(self._keys.get(), left)
            except TimeoutError:
                return
            if key == "\x03":
                raise InterruptedByUserError

    async def _top(self, words: list[str], write: Write | None) -> tuple[str, int]:
        if "-b" in words or write is None or self._keys is None:
            return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", top_screen(self.around)).replace(
                "\r", ""
            ) + "\n", 0
        while True:
            await write(top_screen(self.around))
            try:
                key = await asyncio.wait_for(self._keys.get(), 2.0)
            except TimeoutError:
                continue
            if key in {"q", "Q", "\x03"}:
                await write("\r\n")
                return "", 0


def _joined(line: str) -> str:
    """Lines of a script as one: an end of line outside of quotes ends a command, and errors go where they are seen."""
    parts = _QUOTED.split(line)
    for position in range(0, len(parts), 2):
        text = re.sub(r"(?<!&)&\s*(?=wait\b)", "; ", parts[position])
        text = re.sub(r"(?<!\S)1?>&2", f"> {_STDERR}", text)
        text = re.sub(r"(?<!\S)2>\s*(?:&1|[^\s;|&]+)", "", text)
        parts[position] = re.sub(r"[;\s]*\n[;\s]*", " ; ", text)
    return re.sub(r"^[;\s]+|[;\s]+$", "", "".join(parts)) if "\n" in line else "".join(parts)


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words = list(lexer)
    for word in words:
        if word and not set(word) - set("|;&>") and word not in _OPERATORS:
            raise ValueError(f'unexpected "{word}"')
    return words


def _redirected(words: list[str]) -> tuple[list[str], str, bool]:
    for sign in (">>", ">"):
        if sign in words:
            position = words.index(sign)
            target = words[position + 1] if position + 1 < len(words) else "/dev/null"
            return words[:position] + words[position + 2 :], target, sign == ">>"
    return words, "", False


class LineEditor:
    """Line editing of an interactive shell: echo, backspace, cursor, history. Feed it keys, it returns whole lines."""

    def __init__(self) -> None:
        self.text = ""
        self.cursor = 0
        self._history: list[str] = []
        self._at = 0

    def feed(self, key: str) -> tuple[str, str | None]:
        """What to echo for a key, and the line if the key ended one."""
        if key in {"\r", "\n"}:
            line, self.text, self.cursor = self.text, "", 0
            if line.strip():
                self._history.append(line)
            self._at = len(self._history)
            return "\r\n", line
        if key in {"\x7f", "\b"}:
            if self.cursor:
                self.text = self.text[: self.cursor - 1] + self.text[self.cursor :]
                self.cursor -= 1
                return f"\b\x1b[K{self._rest()}", None
        elif key == "\x1b[D" and self.cursor:
            self.cursor -= 1
            return "\b", None
        elif key == "\x1b[C" and self.cursor < len(self.text):
            self.cursor += 1
            return "\x1b[C", None
        elif key in {"\x1b[A", "\x1b[B"}:
            return self._recall(-1 if key == "\x1b[A" else 1), None
        elif key == "\x01":
            return self._move(0), None
        elif key == "\x05":
            return self._move(len(self.text)), None
        elif key == "\x15":
            return self._replace(""), None
        elif key.isprintable():
            self.text = self.text[: self.cursor] + key + self.text[self.cursor :]
            self.cursor += len(key)
            return f"{key}\x1b[K{self._rest()}", None
        return "", None

    def _rest(self) -> str:
        rest = self.text[self.cursor :]
        return rest + (f"\x1b[{len(rest)}D" if rest else "")

    def _move(self, to: int) -> str:
        distance, self.cursor = to - self.cursor, to
        return f"\x1b[{abs(distance)}{'C' if distance > 0 else 'D'}" if distance else ""

    def _replace(self, text: str) -> str:
        back = self._move(0)
        self.text, self.cursor = text, len(text)
        return f"{back}\x1b[K{text}"

    def _recall(self, step: int) -> str:
        at = self._at + step
        if not 0 <= at <= len(self._history):
            return ""
        self._at = at
        return self._replace(self._history[at] if at < len(self._history) else "")


_KEY = re.compile(r"\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Z]|[\s\S]")


def keys_of(text: str) -> list[str]:
    """Typed text in keys: escape sequences whole, printable runs together (a paste is one key)."""
    keys: list[str] = []
    for match in _KEY.finditer(text):
        key = match[0]
        if len(key) == 1 and key.isprintable() and keys and keys[-1].isprintable():
            keys[-1] += key
        else:
            keys.append(key)
    return keys
