"""Runs the scripts of RUN instructions on a simulated file system.

What the sandbox's programs know is really done; what a real image would bring along (package managers, compilers) is
told by `tools`; anything else is not found.
"""

from __future__ import annotations

import fnmatch
import posixpath
import stat
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from dockdesk.sandbox.buildkit import script as ast
from dockdesk.sandbox.buildkit.script import ScriptError, parse
from dockdesk.sandbox.buildkit.words import Output, Words
from dockdesk.sandbox.engine.filesystem import FileSystem, file_node
from dockdesk.sandbox.engine.programs import PROGRAMS, Surroundings
from dockdesk.sandbox.engine.programs_files import FILE_PROGRAMS
from dockdesk.sandbox.http import HttpError

_DEEPEST = 24
_MOST_ROUNDS = 10_000
_LONGEST_LINE = 1 << 24
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHELLS = {"sh", "bash", "ash", "dash"}


@dataclass(slots=True)
class Streams:
    """What a command reads, and where it writes."""

    given: str
    out: Output
    err: Output


class Tools(Protocol):
    """What is told of programs that the sandbox does not have."""

    def has(self, shell: BuildShell, name: str) -> bool:
        """Whether the image would have it."""
        ...

    async def run(self, shell: BuildShell, words: Sequence[str], streams: Streams) -> int: ...


class _Flow(Exception):  # noqa: N818 - no error: how exit, return, break and continue get out
    def __init__(self, kind: str, code: int = 0) -> None:
        super().__init__(kind)
        self.kind = kind
        self.code = code


@dataclass(slots=True)
class _Options:
    errexit: bool = False
    xtrace: bool = False
    nounset: bool = False
    pipefail: bool = False


class BuildShell:
    """One shell. ``sleep`` waits in the world's time."""

    def __init__(
        self,
        around: Surroundings,
        tools: Tools,
        sleep: Callable[[float], Awaitable[None]],
        arguments: Sequence[str] = (),
        depth: int = 0,
    ) -> None:
        self.around = around
        self.sleep = sleep
        self.code = 0
        self._tools = tools
        self._arguments = list(arguments)
        self._functions: dict[str, ast.Command] = {}
        self._options = _Options()
        self._words = Words(self)
        self._depth = depth
        self._tested = 0  # inside of what is only asked whether it succeeds

    # --- for words ---

    @property
    def files(self) -> FileSystem:
        return self.around.files

    def value(self, name: str) -> str | None:
        match name:
            case "?":
                return str(self.code)
            case "#":
                return str(len(self._arguments))
            case "$":
                return "7"
            case "0":
                return "/bin/sh"
            case "-" | "!":
                return ""
        if name.isdigit():
            return self._arguments[int(name) - 1] if int(name) <= len(self._arguments) else None
        found = self.around.env.get(name)
        if found is None and self._options.nounset:
            raise ScriptError(f"{name}: parameter not set")
        return found

    def arguments(self) -> Sequence[str]:
        return self._arguments

    def assign(self, name: str, value: str) -> None:
        self.around.env[name] = value

    def path(self, text: str) -> str:
        return self.around.path(text)

    async def output_of(self, script: str) -> str:
        parts: list[str] = []

        async def keep(text: str) -> None:
            parts.append(text)

        inner = self._inner()
        self.code = await inner.run(script, Streams("", keep, self._err))
        return "".join(parts)

    async def _err(self, text: str) -> None:
        await self._streams.err(text)

    def _inner(self, arguments: Sequence[str] | None = None) -> BuildShell:
        if self._depth >= _DEEPEST:
            raise ScriptError("nested too deeply")
        around = replace(self.around, env=dict(self.around.env))
        given = self._arguments if arguments is None else arguments
        made = BuildShell(around, self._tools, self.sleep, given, self._depth + 1)
        made._functions = dict(self._functions)
        made._options = replace(self._options)
        return made

    # --- running ---

    async def run(self, text: str, streams: Streams) -> int:
        """Run a script; returns its exit code."""
        self._streams = streams
        try:
            await self._script(parse(text), streams)
        except ScriptError as error:
            await streams.err(f"/bin/sh: {error}\n")
            self.code = 2
        except _Flow as flow:
            if flow.kind in {"exit", "return"}:
                self.code = flow.code
        return self.code

    async def _script(self, script: ast.Script, streams: Streams) -> None:
        for chain in script:
            await self._chain(chain, streams)

    async def _chain(self, chain: ast.Chain, streams: Streams) -> None:
        last = len(chain.items) - 1
        for number, (sign, pipeline) in enumerate(chain.items):
            if (sign == "&&" and self.code) or (sign == "||" and not self.code):
                continue
            tested = number < last or pipeline.negated
            self._tested += tested
            try:
                await self._pipeline(pipeline, streams)
            finally:
                self._tested -= tested
            if self.code and not tested and not self._tested and self._options.errexit:
                raise _Flow("exit", self.code)

    async def _pipeline(self, pipeline: ast.Pipeline, streams: Streams) -> None:
        given, worst = streams.given, 0
        for number, command in enumerate(pipeline.commands):
            if number == len(pipeline.commands) - 1:
                await self._command(command, Streams(given, streams.out, streams.err))
                break
            parts: list[str] = []

            async def keep(text: str, parts: list[str] = parts) -> None:
                parts.append(text)

            inner = self._inner()
            inner._streams = streams
            try:
                await inner._command(command, Streams(given, keep, streams.err))
            except _Flow as flow:
                inner.code = flow.code
            worst = inner.code or worst
            given = "".join(parts)
        if self._options.pipefail:
            self.code = self.code or worst
        if pipeline.negated:
            self.code = int(not self.code)

    async def _test(self, script: ast.Script, streams: Streams) -> bool:
        self._tested += 1
        try:
            await self._script(script, streams)
        finally:
            self._tested -= 1
        return not self.code

    async def _command(self, command: ast.Command, streams: Streams) -> None:
        match command:
            case ast.Simple():
                await self._simple(command, streams)
            case ast.If(branches, otherwise):
                for test, body in branches:
                    if await self._test(test, streams):
                        await self._script(body, streams)
                        return
                self.code = 0
                if otherwise is not None:
                    await self._script(otherwise, streams)
            case ast.For(name, words, body):
                values = [value for word in words for value in await self._words.fields(word)]
                self.code = 0
                for value in values:
                    self.around.env[name] = value
                    if not await self._round(body, streams):
                        break
            case ast.While():
                await self._while(command, streams)
            case ast.Case(word, branches):
                await self._case(await self._words.text(word), branches, streams)
            case ast.Group(body, subshell, redirects):
                await self._group(body, subshell, redirects, streams)
            case ast.Function(name, body):
                self._functions[name] = body
                self.code = 0

    async def _round(self, body: ast.Script, streams: Streams) -> bool:
        """Once through a loop; whether it goes on."""
        try:
            await self._script(body, streams)
        except _Flow as flow:
            if flow.kind not in {"break", "continue"}:
                raise
            return flow.kind == "continue"
        return True

    async def _while(self, loop: ast.While, streams: Streams) -> None:
        given = _Lines(streams.given)
        for _ in range(_MOST_ROUNDS):
            streams = Streams(given.rest, streams.out, streams.err)
            reading = self._reading = given
            passed = await self._test(loop.test, streams)
            self._reading = reading
            if passed == loop.until:
                break
            if not await self._round(loop.body, streams):
                break
            await self.sleep(0)
        self.code = 0

    _reading: _Lines | None = None

    async def _case(
        self,
        value: str,
        branches: Sequence[tuple[tuple[str, ...], ast.Script]],
        streams: Streams,
    ) -> None:
        self.code = 0
        for patterns, body in branches:
            for pattern in patterns:
                if fnmatch.fnmatchcase(value, await self._words.pattern(pattern)):
                    await self._script(body, streams)
                    return

    async def _group(
        self,
        body: ast.Script,
        subshell: bool,
        redirects: Sequence[ast.Redirect],
        streams: Streams,
    ) -> None:
        async with _Redirected(self, redirects, streams) as inner:
            if not subshell:
                await self._script(body, inner)
                return
            shell = self._inner()
            shell._streams = inner
            try:
                await shell._script(body, inner)
            except _Flow as flow:
                shell.code = flow.code
            self.code = shell.code

    async def _simple(self, command: ast.Simple, streams: Streams) -> None:
        words = [value for word in command.words for value in await self._words.fields(word)]
        env: dict[str, str] = {}
        if not words:
            self.code = 0
        for item in command.assignments:
            name, _, value = item.partition("=")
            text = await self._words.text(value)
            env[name.rstrip("+")] = (
                (self.value(name[:-1]) or "") + text if name.endswith("+") else text
            )
        if self._options.xtrace and words:
            await streams.err("+ " + " ".join(words) + "\n")
        async with _Redirected(self, command.redirects, streams) as inner:
            if not words:
                self.around.env.update(env)
                return
            before = {name: self.around.env.get(name) for name in env}
            self.around.env.update(env)
            try:
                self.code = await self.call(words, inner)
            finally:
                for name, old in before.items():
                    if old is None:
                        self.around.env.pop(name, None)
                    else:
                        self.around.env[name] = old

    async def call(self, words: list[str], streams: Streams) -> int:
        name, rest = words[0], words[1:]
        if (body := self._functions.get(name)) is not None:
            return await self._function(body, rest, streams)
        if (builtin := _BUILTINS.get(name)) is not None:
            return await builtin(self, rest, streams)
        base = name.rpartition("/")[2]
        if base in _SHELLS and base == name.removeprefix("/bin/").removeprefix("/usr/bin/"):
            return await self._nested(rest, streams)
        if "/" not in name or name.startswith(("/bin/", "/usr/bin/")):
            program = PROGRAMS.get(base) or FILE_PROGRAMS.get(base)
            if program is not None:
                return await self._program(base, program, rest, streams)
        if self._tools.has(self, name):
            return await self._tools.run(self, words, streams)
        return await self._executable(words, streams)

    async def _program(
        self, name: str, program: Callable[..., tuple[str, int]], rest: list[str], streams: Streams
    ) -> int:
        try:
            text, code = program(self.around, rest, streams.given)
        except HttpError as error:
            text, code = f"{name}: {error.message}\n", 1
        if text:
            await (streams.err if code and text.startswith(f"{name}:") else streams.out)(text)
        return code

    async def _executable(self, words: list[str], streams: Streams) -> int:
        """A program of the image's own: a script is run, anything else is believed to work."""
        name = words[0]
        places = (
            [name]
            if "/" in name
            else [
                f"{folder}/{name}" for folder in (self.around.env.get("PATH") or _PATH).split(":")
            ]
        )
        for place in places:
            try:
                _, node = self.files.find(self.path(place))
            except HttpError:
                continue
            if node.is_folder or not node.mode & 0o111:
                await streams.err(f"/bin/sh: {name}: Permission denied\n")
                return 126
            head, _, body = node.data[:_LONGEST_LINE].decode("utf-8", "replace").partition("\n")
            if head.startswith("#!") and head.rpartition("/")[2].split()[-1] in _SHELLS:
                inner = self._inner(words[1:])
                if " -e" in head:
                    inner._options.errexit = True
                return await inner.run(body, streams)
            await self.sleep(0.4)
            return 0
        debian = self.files.get("/etc/debian_version") is not None
        await streams.err(f"/bin/sh: {'1: ' if debian else ''}{name}: not found\n")
        return 127

    async def _nested(self, words: list[str], streams: Streams) -> int:
        """Another shell: with -c, with a file, or with what it is given."""
        letters = [word for word in words if word.startswith("-")]
        rest = [word for word in words if not word.startswith("-")]
        if any("c" in word[1:] for word in letters if not word.startswith("--")) and rest:
            text, arguments = rest[0], rest[2:]
        elif rest and "-s" not in letters:
            try:
                _, node = self.files.find(self.path(rest[0]))
            except HttpError:
                await streams.err(f"/bin/sh: can't open '{rest[0]}': No such file or directory\n")
                return 2
            text, arguments = node.data.decode("utf-8", "surrogateescape"), rest[1:]
        else:
            text, arguments = streams.given, rest
        inner = self._inner(arguments)
        inner._options = _Options(
            errexit=any("e" in word for word in letters if not word.startswith("--"))
        )
        return await inner.run(text, Streams("", streams.out, streams.err))

    async def _function(self, body: ast.Command, rest: list[str], streams: Streams) -> int:
        before, self._arguments = self._arguments, rest
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise ScriptError("nested too deeply")
            await self._command(body, streams)
        except _Flow as flow:
            if flow.kind != "return":
                raise
            self.code = flow.code
        finally:
            self._depth -= 1
            self._arguments = before
        return self.code

    # --- what the shell does itself ---

    async def _cd(self, rest: list[str], streams: Streams) -> int:
        target = rest[0] if rest else "~"
        try:
            resolved, node = self.files.find(self.path(target))
        except HttpError:
            await streams.err(f"/bin/sh: cd: can't cd to {target}: No such file or directory\n")
            return 2
        if not node.is_folder:
            await streams.err(f"/bin/sh: cd: can't cd to {target}: Not a directory\n")
            return 2
        self.around.folder = resolved
        self.around.env["PWD"] = resolved
        return 0

    async def _set(self, rest: list[str], _streams: Streams) -> int:
        words = list(rest)
        while words:
            word = words.pop(0)
            on = word.startswith("-")
            if word == "--" or word[:1] not in {"-", "+"}:
                self._arguments = words if word == "--" else [word, *words]
                return 0
            for letter in word[1:]:
                name = {"e": "errexit", "x": "xtrace", "u": "nounset"}.get(letter, "")
                if letter == "o" and words:
                    name = words.pop(0)
                if name in {"errexit", "xtrace", "nounset", "pipefail"}:
                    setattr(self._options, name, on)
        return 0

    async def _export(self, rest: list[str], _streams: Streams) -> int:
        for item in rest:
            name, equals, value = item.partition("=")
            if equals:
                self.around.env[name] = value
        return 0

    async def _unset(self, rest: list[str], _streams: Streams) -> int:
        for name in rest:
            self.around.env.pop(name, None)
        return 0

    async def _leave(self, kind: str, rest: list[str]) -> int:
        code = int(rest[0]) & 255 if rest and rest[0].isdigit() else self.code
        raise _Flow(kind, code)

    async def _exit(self, rest: list[str], _streams: Streams) -> int:
        return await self._leave("exit", rest)

    async def _return(self, rest: list[str], _streams: Streams) -> int:
        return await self._leave("return", rest)

    async def _break(self, _rest: list[str], _streams: Streams) -> int:
        raise _Flow("break")

    async def _continue(self, _rest: list[str], _streams: Streams) -> int:
        raise _Flow("continue")

    async def _sleep(self, rest: list[str], streams: Streams) -> int:
        text = rest[0] if rest else ""
        if not text.replace(".", "", 1).isdigit():
            await streams.err(f"sleep: invalid number '{text}'\n")
            return 1
        await self.sleep(float(text))
        return 0

    async def _echo(self, rest: list[str], streams: Streams) -> int:
        newline, escapes = "\n", False
        while rest and rest[0] in {"-n", "-e", "-ne", "-en"}:
            newline = "" if "n" in rest[0] else newline
            escapes = escapes or "e" in rest[0]
            rest = rest[1:]
        text = " ".join(rest)
        if escapes:
            text = text.replace("\\n", "\n").replace("\\t", "\t")
        await streams.out(text + newline)
        return 0

    async def _have(self, rest: list[str], streams: Streams) -> int:
        """command -v, type, which: where a program is."""
        if rest and not rest[0].startswith("-"):
            return await self.call(list(rest), streams)
        names = [word for word in rest if not word.startswith("-")]
        missing = 0
        for name in names:
            if name in _BUILTINS or name in self._functions:
                await streams.out(f"{name}\n")
            elif name in PROGRAMS or name in FILE_PROGRAMS or self._tools.has(self, name):
                await streams.out(f"/usr/bin/{name}\n")
            else:
                missing = 1
        return missing

    async def _run_here(self, rest: list[str], streams: Streams) -> int:
        """. and source: a file's lines as if they were written here."""
        try:
            _, node = self.files.find(self.path(rest[0] if rest else ""))
        except HttpError:
            await streams.err(f"/bin/sh: .: can't open '{rest[0] if rest else ''}'\n")
            return 2
        await self._script(parse(node.data.decode("utf-8", "replace")), streams)
        return self.code

    async def _eval(self, rest: list[str], streams: Streams) -> int:
        await self._script(parse(" ".join(rest)), streams)
        return self.code

    async def _exec(self, rest: list[str], streams: Streams) -> int:
        if not rest:
            return 0
        raise _Flow("exit", await self.call(rest, streams))

    async def _read(self, rest: list[str], streams: Streams) -> int:
        names = [word for word in rest if not word.startswith("-")] or ["REPLY"]
        lines = self._reading if self._reading is not None else _Lines(streams.given)
        line = lines.next()
        if line is None:
            return 1
        values = line.split(None, len(names) - 1) if line.strip() else []
        for number, name in enumerate(names):
            self.around.env[name] = values[number].rstrip() if number < len(values) else ""
        return 0

    async def _shift(self, rest: list[str], _streams: Streams) -> int:
        count = int(rest[0]) if rest and rest[0].isdigit() else 1
        del self._arguments[:count]
        return 0

    async def _nothing(self, _rest: list[str], _streams: Streams) -> int:
        return 0


class _Lines:
    """Text that is read a line at a time."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def next(self) -> str | None:
        if not self.rest:
            return None
        line, _, self.rest = self.rest.partition("\n")
        return line


@dataclass(slots=True)
class _Redirected:
    """The streams of a command with its redirections; files are written when it is over."""

    shell: BuildShell
    redirects: Sequence[ast.Redirect]
    streams: Streams
    files: list[tuple[str, bool, list[str]]] = field(default_factory=list)

    async def __aenter__(self) -> Streams:
        made = Streams(self.streams.given, self.streams.out, self.streams.err)
        for redirect in self.redirects:
            await self._apply(redirect, made)
        return made

    async def __aexit__(self, *_: object) -> None:
        for path, append, parts in self.files:
            if trouble := self._save(path, "".join(parts), append):
                await self.streams.err(trouble)
                self.shell.code = self.shell.code or 1

    async def _apply(self, redirect: ast.Redirect, made: Streams) -> None:
        words, sign = self.shell._words, redirect.sign
        if redirect.text is not None:
            quoted = any(mark in redirect.target for mark in "'\"\\")
            made.given = redirect.text if quoted else await words.document(redirect.text)
            return
        target = await words.text(redirect.target)
        if sign == "<<<":
            made.given = target + "\n"
        elif sign == "<":
            try:
                _, node = self.shell.files.find(self.shell.path(target))
            except HttpError:
                raise ScriptError(f"can't open {target}: no such file") from None
            made.given = node.data.decode("utf-8", "surrogateescape")
        elif sign in {">&", "<&"}:
            chosen = made.out if target == "1" else made.err
            if redirect.number == 2:
                made.err = chosen
            else:
                made.out = chosen
        else:
            self._to_file(redirect, target, made)

    def _to_file(self, redirect: ast.Redirect, target: str, made: Streams) -> None:
        path = self.shell.path(target)
        parts: list[str] = []

        async def keep(text: str) -> None:
            parts.append(text)

        output: Output = keep
        if path == "/dev/stderr":
            output = made.err
        elif path == "/dev/stdout":
            output = made.out
        elif path != "/dev/null":
            self.files.append((path, redirect.sign == ">>", parts))
        if redirect.number == 2:
            made.err = output
        else:
            made.out = output
        if redirect.sign == "&>":
            made.err = output

    def _save(self, path: str, text: str, append: bool) -> str:
        files = self.shell.files
        try:
            path = files.resolve(path)
            node, above = files.get(path), files.get(posixpath.dirname(path))
            if node is not None and node.is_folder:
                return f"/bin/sh: can't create {path}: Is a directory\n"
            if above is None or not above.is_folder:
                return f"/bin/sh: can't create {path}: nonexistent directory\n"
            before = node.data if append and node is not None else b""
            data = before + text.encode("utf-8", "surrogateescape")
            mode = stat.S_IMODE(node.mode) if node is not None else 0o644
            files.put(path, file_node(data, mode, self.shell.around.now()))
        except HttpError as error:
            return f"/bin/sh: can't create {path}: {error.message}\n"
        return ""


_BUILTINS: dict[str, Callable[[BuildShell, list[str], Streams], Awaitable[int]]] = {
    "cd": BuildShell._cd,
    "set": BuildShell._set,
    "export": BuildShell._export,
    "local": BuildShell._export,
    "readonly": BuildShell._export,
    "unset": BuildShell._unset,
    "exit": BuildShell._exit,
    "return": BuildShell._return,
    "break": BuildShell._break,
    "continue": BuildShell._continue,
    "sleep": BuildShell._sleep,
    "echo": BuildShell._echo,
    "command": BuildShell._have,
    "type": BuildShell._have,
    "which": BuildShell._have,
    ".": BuildShell._run_here,
    "source": BuildShell._run_here,
    "eval": BuildShell._eval,
    "exec": BuildShell._exec,
    "read": BuildShell._read,
    "shift": BuildShell._shift,
    ":": BuildShell._nothing,
    "trap": BuildShell._nothing,
    "wait": BuildShell._nothing,
    "umask": BuildShell._nothing,
    "hash": BuildShell._nothing,
}
