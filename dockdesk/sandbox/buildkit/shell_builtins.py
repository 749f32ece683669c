"""What a shell does itself: cd, set, export, read and the like. Source: POSIX.1-2024, Shell Command Language, 2.15."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from dockdesk.sandbox.buildkit.flow import Flow, Lines, Streams
from dockdesk.sandbox.buildkit.script import parse
from dockdesk.sandbox.engine.programs import PROGRAMS
from dockdesk.sandbox.engine.programs_files import FILE_PROGRAMS
from dockdesk.sandbox.http import HttpError

if TYPE_CHECKING:
    from dockdesk.sandbox.buildkit.shell import BuildShell


async def _cd(shell: BuildShell, rest: list[str], streams: Streams) -> int:
    target = rest[0] if rest else "~"
    try:
        resolved, node = shell.files.find(shell.path(target))
    except HttpError:
        await streams.err(f"/bin/sh: cd: can't cd to {target}: No such file or directory\n")
        return 2
    if not node.is_folder:
        await streams.err(f"/bin/sh: cd: can't cd to {target}: Not a directory\n")
        return 2
    shell.around.folder = resolved
    shell.around.env["PWD"] = resolved
    return 0


async def _set(shell: BuildShell, rest: list[str], _streams: Streams) -> int:
    words = list(rest)
    while words:
        word = words.pop(0)
        on = word.startswith("-")
        if word == "--" or word[:1] not in {"-", "+"}:
            shell.positional = words if word == "--" else [word, *words]
            return 0
        for letter in word[1:]:
            name = {"e": "errexit", "x": "xtrace", "u": "nounset"}.get(letter, "")
            if letter == "o" and words:
                name = words.pop(0)
            if name in {"errexit", "xtrace", "nounset", "pipefail"}:
                setattr(shell.options, name, on)
    return 0


async def _export(shell: BuildShell, rest: list[str], _streams: Streams) -> int:
    for item in rest:
        name, equals, value = item.partition("=")
        if equals:
            shell.around.env[name] = value
    return 0


async def _unset(shell: BuildShell, rest: list[str], _streams: Streams) -> int:
    for name in rest:
        shell.around.env.pop(name, None)
    return 0


async def _leave(shell: BuildShell, kind: str, rest: list[str]) -> int:
    code = int(rest[0]) & 255 if rest and rest[0].isdigit() else shell.code
    raise Flow(kind, code)


async def _exit(shell: BuildShell, rest: list[str], _streams: Streams) -> int:
    return await _leave(shell, "exit", rest)


async def _return(shell: BuildShell, rest: list[str], _streams: Streams) -> int:
    return await _leave(shell, "return", rest)


async def _break(_shell: BuildShell, _rest: list[str], _streams: Streams) -> int:
    raise Flow("break")


async def _continue(_shell: BuildShell, _rest: list[str], _streams: Streams) -> int:
    raise Flow("continue")


async def _sleep(shell: BuildShell, rest: list[str], streams: Streams) -> int:
    text = rest[0] if rest else ""
    if not text.replace(".", "", 1).isdigit():
        await streams.err(f"sleep: invalid number '{text}'\n")
        return 1
    await shell.sleep(float(text))
    return 0


async def _echo(_shell: BuildShell, rest: list[str], streams: Streams) -> int:
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


async def _have(shell: BuildShell, rest: list[str], streams: Streams) -> int:
    """type and which: where a program is."""
    names = [word for word in rest if not word.startswith("-")]
    missing = 0
    for name in names:
        if name in BUILTINS or name in shell.functions:
            await streams.out(f"{name}\n")
        elif name in PROGRAMS or name in FILE_PROGRAMS or shell.tools.has(shell, name):
            await streams.out(f"/usr/bin/{name}\n")
        else:
            missing = 1
    return missing


async def _command(shell: BuildShell, rest: list[str], streams: Streams) -> int:
    """command: runs it, or with -v says where it is."""
    if rest and not rest[0].startswith("-"):
        return await shell.call(list(rest), streams)
    return await _have(shell, rest, streams)


async def _run_here(shell: BuildShell, rest: list[str], streams: Streams) -> int:
    """. and source: a file's lines as if they were written here."""
    try:
        _, node = shell.files.find(shell.path(rest[0] if rest else ""))
    except HttpError:
        await streams.err(f"/bin/sh: .: can't open '{rest[0] if rest else ''}'\n")
        return 2
    await shell.script(parse(node.data.decode("utf-8", "replace")), streams)
    return shell.code


async def _eval(shell: BuildShell, rest: list[str], streams: Streams) -> int:
    await shell.script(parse(" ".join(rest)), streams)
    return shell.code


async def _exec(shell: BuildShell, rest: list[str], streams: Streams) -> int:
    if not rest:
        return 0
    raise Flow("exit", await shell.call(rest, streams))


async def _read(shell: BuildShell, rest: list[str], streams: Streams) -> int:
    names = [word for word in rest if not word.startswith("-")] or ["REPLY"]
    lines = shell.reading if shell.reading is not None else Lines(streams.given)
    line = lines.next()
    if line is None:
        return 1
    values = line.split(None, len(names) - 1) if line.strip() else []
    for number, name in enumerate(names):
        shell.around.env[name] = values[number].rstrip() if number < len(values) else ""
    return 0


async def _shift(shell: BuildShell, rest: list[str], _streams: Streams) -> int:
    count = int(rest[0]) if rest and rest[0].isdigit() else 1
    del shell.positional[:count]
    return 0


async def _nothing(_shell: BuildShell, _rest: list[str], _streams: Streams) -> int:
    return 0


BUILTINS: dict[str, Callable[[BuildShell, list[str], Streams], Awaitable[int]]] = {
    "cd": _cd,
    "set": _set,
    "export": _export,
    "local": _export,
    "readonly": _export,
    "unset": _unset,
    "exit": _exit,
    "return": _return,
    "break": _break,
    "continue": _continue,
    "sleep": _sleep,
    "echo": _echo,
    "command": _command,
    "type": _have,
    "which": _have,
    ".": _run_here,
    "source": _run_here,
    "eval": _eval,
    "exec": _exec,
    "read": _read,
    "shift": _shift,
    ":": _nothing,
    "trap": _nothing,
    "wait": _nothing,
    "umask": _nothing,
    "hash": _nothing,
}
