"""The streams of a command with its redirections. Source: POSIX.1-2024, Shell Command Language, 2.7."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockdesk.sandbox.buildkit import script as ast
from dockdesk.sandbox.buildkit.flow import Streams
from dockdesk.sandbox.buildkit.script import ScriptError
from dockdesk.sandbox.buildkit.words import Output
from dockdesk.sandbox.engine.filesystem import file_node
from dockdesk.sandbox.http import HttpError

if TYPE_CHECKING:
    from dockdesk.sandbox.buildkit.shell import BuildShell


@dataclass(slots=True)
class Redirected:
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
        words, sign = self.shell.words, redirect.sign
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
