"""Runs the scripts of RUN instructions on a simulated file system.

What the sandbox's programs know is really done; what a real image would bring along (package managers, compilers) is
told by `tools`; anything else is not found.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from dockdesk.sandbox.buildkit import script as ast
from dockdesk.sandbox.buildkit.flow import Flow, Lines, Options, Streams
from dockdesk.sandbox.buildkit.redirecting import Redirected
from dockdesk.sandbox.buildkit.script import ScriptError, parse
from dockdesk.sandbox.buildkit.shell_builtins import BUILTINS
from dockdesk.sandbox.buildkit.words import Words
from dockdesk.sandbox.engine.filesystem import FileSystem
from dockdesk.sandbox.engine.programs import PROGRAMS, Surroundings
from dockdesk.sandbox.engine.programs_files import FILE_PROGRAMS
from dockdesk.sandbox.http import HttpError

_DEEPEST = 24
_MOST_ROUNDS = 10_000
_LONGEST_LINE = 1 << 24
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SHELLS = {"sh", "bash", "ash", "dash"}


class Tools(Protocol):
    """What is told of programs that the sandbox does not have."""

    def has(self, shell: BuildShell, name: str) -> bool:
        """Whether the image would have it."""
        ...

    async def run(self, shell: BuildShell, words: Sequence[str], streams: Streams) -> int: ...


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
        self.tools = tools
        self.positional = list(arguments)
        self.functions: dict[str, ast.Command] = {}
        self.options = Options()
        self.words = Words(self)
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
                return str(len(self.positional))
            case "$":
                return "7"
            case "0":
                return "/bin/sh"
            case "-" | "!":
                return ""
        if name.isdigit():
            return self.positional[int(name) - 1] if int(name) <= len(self.positional) else None
        found = self.around.env.get(name)
        if found is None and self.options.nounset:
            raise ScriptError(f"{name}: parameter not set")
        return found

    def arguments(self) -> Sequence[str]:
        return self.positional

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
        await self.streams.err(text)

    def _inner(self, arguments: Sequence[str] | None = None) -> BuildShell:
        if self._depth >= _DEEPEST:
            raise ScriptError("nested too deeply")
        around = replace(self.around, env=dict(self.around.env))
        given = self.positional if arguments is None else arguments
        made = BuildShell(around, self.tools, self.sleep, given, self._depth + 1)
        made.functions = dict(self.functions)
        made.options = replace(self.options)
        return made

    # --- running ---

    async def run(self, text: str, streams: Streams) -> int:
        """Run a script; returns its exit code."""
        self.streams = streams
        try:
            await self.script(parse(text), streams)
        except ScriptError as error:
            await streams.err(f"/bin/sh: {error}\n")
            self.code = 2
        except Flow as flow:
            if flow.kind in {"exit", "return"}:
                self.code = flow.code
        return self.code

    async def script(self, script: ast.Script, streams: Streams) -> None:
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
            if self.code and not tested and not self._tested and self.options.errexit:
                raise Flow("exit", self.code)

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
            inner.streams = streams
            try:
                await inner._command(command, Streams(given, keep, streams.err))
            except Flow as flow:
                inner.code = flow.code
            worst = inner.code or worst
            given = "".join(parts)
        if self.options.pipefail:
            self.code = self.code or worst
        if pipeline.negated:
            self.code = int(not self.code)

    async def _test(self, script: ast.Script, streams: Streams) -> bool:
        self._tested += 1
        try:
            await self.script(script, streams)
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
                        await self.script(body, streams)
                        return
                self.code = 0
                if otherwise is not None:
                    await self.script(otherwise, streams)
            case ast.For(name, words, body):
                values = [value for word in words for value in await self.words.fields(word)]
                self.code = 0
                for value in values:
                    self.around.env[name] = value
                    if not await self._round(body, streams):
                        break
            case ast.While():
                await self._while(command, streams)
            case ast.Case(word, branches):
                await self._case(await self.words.text(word), branches, streams)
            case ast.Group(body, subshell, redirects):
                await self._group(body, subshell, redirects, streams)
            case ast.Function(name, body):
                self.functions[name] = body
                self.code = 0

    async def _round(self, body: ast.Script, streams: Streams) -> bool:
        """Once through a loop; whether it goes on."""
        try:
            await self.script(body, streams)
        except Flow as flow:
            if flow.kind not in {"break", "continue"}:
                raise
            return flow.kind == "continue"
        return True

    async def _while(self, loop: ast.While, streams: Streams) -> None:
        given = Lines(streams.given)
        for _ in range(_MOST_ROUNDS):
            streams = Streams(given.rest, streams.out, streams.err)
            reading = self.reading = given
            passed = await self._test(loop.test, streams)
            self.reading = reading
            if passed == loop.until:
                break
            if not await self._round(loop.body, streams):
                break
            await self.sleep(0)
        self.code = 0

    reading: Lines | None = None

    async def _case(
        self,
        value: str,
        branches: Sequence[tuple[tuple[str, ...], ast.Script]],
        streams: Streams,
    ) -> None:
        self.code = 0
        for patterns, body in branches:
            for pattern in patterns:
                if fnmatch.fnmatchcase(value, await self.words.pattern(pattern)):
                    await self.script(body, streams)
                    return

    async def _group(
        self,
        body: ast.Script,
        subshell: bool,
        redirects: Sequence[ast.Redirect],
        streams: Streams,
    ) -> None:
        async with Redirected(self, redirects, streams) as inner:
            if not subshell:
                await self.script(body, inner)
                return
            shell = self._inner()
            shell.streams = inner
            try:
                await shell.script(body, inner)
            except Flow as flow:
                shell.code = flow.code
            self.code = shell.code

    async def _simple(self, command: ast.Simple, streams: Streams) -> None:
        words = [value for word in command.words for value in await self.words.fields(word)]
        env: dict[str, str] = {}
        if not words:
            self.code = 0
        for item in command.assignments:
            name, _, value = item.partition("=")
            text = await self.words.text(value)
            env[name.rstrip("+")] = (
                (self.value(name[:-1]) or "") + text if name.endswith("+") else text
            )
        if self.options.xtrace and words:
            await streams.err("+ " + " ".join(words) + "\n")
        async with Redirected(self, command.redirects, streams) as inner:
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
        if (body := self.functions.get(name)) is not None:
            return await self._function(body, rest, streams)
        if (builtin := BUILTINS.get(name)) is not None:
            return await builtin(self, rest, streams)
        base = name.rpartition("/")[2]
        if base in _SHELLS and base == name.removeprefix("/bin/").removeprefix("/usr/bin/"):
            return await self._nested(rest, streams)
        if "/" not in name or name.startswith(("/bin/", "/usr/bin/")):
            program = PROGRAMS.get(base) or FILE_PROGRAMS.get(base)
            if program is not None:
                return await self._program(base, program, rest, streams)
        if self.tools.has(self, name):
            return await self.tools.run(self, words, streams)
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
                    inner.options.errexit = True
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
        inner.options = Options(
            errexit=any("e" in word for word in letters if not word.startswith("--"))
        )
        return await inner.run(text, Streams("", streams.out, streams.err))

    async def _function(self, body: ast.Command, rest: list[str], streams: Streams) -> int:
        before, self.positional = self.positional, rest
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise ScriptError("nested too deeply")
            await self._command(body, streams)
        except Flow as flow:
            if flow.kind != "return":
                raise
            self.code = flow.code
        finally:
            self._depth -= 1
            self.positional = before
        return self.code
