"""Rules on what RUN does: package managers, pipes, sudo, cd."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockdesk.dockerfile.lint.commands import Command, Piece, commands
from dockdesk.dockerfile.lint.findings import (
    Findings,
    indent_of,
    insert_after,
    insert_line,
    replace,
)
from dockdesk.dockerfile.problems import Edit, Fix
from dockdesk.dockerfile.tree import Instruction, Place, Stage

_SHELLS = frozenset("sh bash ash dash zsh ksh python python3 perl ruby node".split())
_FETCHERS = frozenset(("curl", "wget"))
_PIPS = frozenset(("pip", "pip3"))


class _Run(NamedTuple):
    """A RUN's commands; ``at_home`` where their offsets are the logical line's, so that edits can be made."""

    instruction: Instruction
    commands: list[Command]
    at_home: bool
    text: str

    def place(self, start: int, end: int) -> Place:
        if self.at_home:
            return self.instruction.source.place(start, end)
        return self.instruction.place

    def insertion(self, offset: int, text: str) -> tuple[Edit, ...]:
        return (insert_after(self.instruction, offset, text),) if self.at_home else ()


def check(findings: Findings) -> None:
    for stage in findings.document.stages:
        safe_pipes = False
        quiet_pip = False
        for each in stage.instructions:
            if each.keyword == "SHELL":
                words = " ".join(word.text for word in each.arguments)
                safe_pipes = "pipefail" in words or "pwsh" in words or "powershell" in words
            elif each.keyword == "ENV":
                quiet_pip |= any(pair.name == "PIP_NO_CACHE_DIR" for pair in each.pairs)
            elif each.keyword == "RUN":
                for run in _runs(each):
                    _apt(findings, run)
                    _other_managers(findings, run, quiet_pip)
                    _shell_use(findings, run)
                    if not safe_pipes:
                        _pipes(findings, run, stage)


def _runs(instruction: Instruction) -> Iterator[_Run]:
    if instruction.form == "json":
        return
    if instruction.heredocs:
        for heredoc in instruction.heredocs:
            if re.fullmatch(r"[0-9]*<<-?(['\"]?)\w+\1", instruction.rest.strip()):
                yield _Run(instruction, commands(heredoc.content), False, heredoc.content)
        return
    yield _Run(
        instruction, commands(instruction.text, instruction.rest_start), True, instruction.text
    )


def _caches(instruction: Instruction, *folders: str) -> bool:
    """Whether a cache mount or tmpfs keeps what lies in one of the folders out of the layer."""
    for flag in instruction.flags:
        kind, target = flag.option("type"), flag.option("target", "dst", "destination")
        if kind and target and kind.value in ("cache", "tmpfs"):
            path = (target.value or "").rstrip("/")
            if any(folder == path or folder.startswith(f"{path}/") for folder in folders):
                return True
    return False


def _apt(findings: Findings, run: _Run) -> None:
    installs = [each for each in run.commands if _is(each, ("apt-get", "apt"), "install")]
    updates = [each for each in run.commands if _is(each, ("apt-get", "apt"), "update")]
    for each in run.commands:
        if each.name == "apt" and each.subcommand():
            old = next(word for word in each.words if word.plain.endswith("apt"))
            edit = replace(run.place(old.start, old.end), "apt-get")
            edits: tuple[Edit, ...] = (edit,) if run.at_home else ()
            message = "Use apt-get in a Dockerfile, not apt."
            _add(findings, run, old, "DD009", message, "Use apt-get", edits)
    for each in installs:
        word = each.subcommand()
        assert word is not None
        if not each.has("--no-install-recommends") and "APT::Install-Recommends" not in run.text:
            message = "apt-get install takes recommended packages along."
            edits = run.insertion(word.end, " --no-install-recommends")
            _add(findings, run, word, "DD006", message, "Add --no-install-recommends", edits)
        if not _assumes_yes(each):
            edits = run.insertion(word.end, " -y")
            _add(
                findings,
                run,
                word,
                "DD007",
                "apt-get install asks before it goes on.",
                "Add -y",
                edits,
            )
    if updates and not installs and "upgrade" not in run.text:
        update = updates[0].words[0]
        _add(
            findings,
            run,
            update,
            "DD008",
            "apt-get update stands alone, apart from the install.",
            "",
            (),
        )
    clean = re.search(r"rm\s[^;&|]*?/var/lib/apt(/lists)?", run.text)
    if updates and installs and not clean and not _caches(run.instruction, "/var/lib/apt/lists"):
        message = "The lists of apt are left in the layer."
        edits = _appended(findings, run, "rm -rf /var/lib/apt/lists/*")
        _add(
            findings,
            run,
            updates[0].words[0],
            "DD005",
            message,
            "Remove the lists in the same step",
            edits,
        )


def _assumes_yes(command: Command) -> bool:
    return any(
        re.fullmatch(r"-[a-zA-Z]*y[a-zA-Z]*|--yes|--assume-yes|-qq+|-q=2|--quiet=2", word.plain)
        for word in command.words
    )


def _other_managers(findings: Findings, run: _Run, quiet_pip: bool) -> None:
    for each in run.commands:
        word = each.subcommand()
        if word is None:
            continue
        if each.name == "apk" and word.plain == "add" and not each.has("--no-cache"):
            if _caches(run.instruction, "/var/cache/apk", "/etc/apk/cache"):
                continue
            edits = run.insertion(word.end, " --no-cache")
            _add(
                findings,
                run,
                word,
                "DD011",
                "apk add leaves its index in the layer.",
                "Add --no-cache",
                edits,
            )
        elif _pip_install(each) and not quiet_pip and not each.has("--no-cache-dir"):
            install = next(word for word in each.words if word.plain == "install")
            if _caches(run.instruction, "/root/.cache/pip") or "PIP_NO_CACHE_DIR" in run.text:
                continue
            edits = run.insertion(install.end, " --no-cache-dir")
            _add(
                findings,
                run,
                install,
                "DD012",
                "pip keeps its downloads.",
                "Add --no-cache-dir",
                edits,
            )
        elif each.name in ("yum", "dnf", "microdnf") and word.plain == "install":
            if re.search(rf"{each.name}\s+(-\w+\s+)*clean\s+all|rm\s[^;&|]*/var/cache", run.text):
                continue
            if _caches(run.instruction, f"/var/cache/{each.name}"):
                continue
            command = f"{each.name} clean all"
            edits = _appended(findings, run, command)
            _add(
                findings,
                run,
                word,
                "DD021",
                f"{each.name} leaves its downloads.",
                f"Add {command}",
                edits,
            )


def _pip_install(command: Command) -> bool:
    words = [word.plain for word in command.words]
    if command.name in _PIPS:
        found = command.subcommand()
        return found is not None and found.plain == "install"
    return command.name.startswith("python") and words[1:4] == ["-m", "pip", "install"]


def _shell_use(findings: Findings, run: _Run) -> None:
    for index, each in enumerate(run.commands):
        if each.sudo is not None:
            edits: tuple[Edit, ...] = ()
            after = each.words[each.words.index(each.sudo) + 1 :][:1]
            if run.at_home and after and not after[0].text.startswith("-"):
                place = run.place(each.sudo.start, after[0].start)
                edits = (
                    replace(place, "")
                    if place.line == place.end_line
                    else replace(run.place(each.sudo.start, each.sudo.end), ""),
                )
            _add(findings, run, each.sudo, "DD010", "sudo has no use here.", "Remove sudo", edits)
        if index == 0 and each.name == "cd" and len(each.arguments) == 1:
            message = f"cd {each.arguments[0].plain} holds for this RUN alone."
            edits = _workdir(run, each)
            _add(
                findings,
                run,
                each.words[0],
                "DD013",
                message,
                "Use WORKDIR, for what follows too",
                edits,
            )
        following = run.commands[index + 1] if index + 1 < len(run.commands) else None
        if (
            each.name in _FETCHERS
            and each.after in ("|", "|&")
            and following is not None
            and following.name in _SHELLS
        ):
            message = f"What {each.name} fetches is run at once by {following.name}."
            _add(findings, run, each.words[0], "DD014", message, "", ())


def _workdir(run: _Run, command: Command) -> tuple[Edit, ...]:
    """Take `cd folder && ` out, and set the folder above. It holds for what follows too, which the title says."""
    folder = command.arguments[0].text
    if (
        not run.at_home
        or command.after != "&&"
        or not folder.startswith("/")
        or len(run.commands) < 2
    ):
        return ()
    place = run.place(command.start, run.commands[1].start)
    return (
        insert_line(run.instruction.first, f"WORKDIR {folder}"),
        replace(place, ""),
    )


def _pipes(findings: Findings, run: _Run, stage: Stage) -> None:
    if run.instruction.heredocs or re.search(r"set\s+-\w*o\s+pipefail|-o\s+pipefail", run.text):
        return
    for each in run.commands:
        if each.after in ("|", "|&"):
            document = findings.document
            alpine = "alpine" in stage.base or "busybox" in stage.base
            options = '"/bin/ash", "-eo"' if alpine else '"/bin/bash", "-o"'
            line = (
                f'{indent_of(document, run.instruction.first)}SHELL [{options}, "pipefail", "-c"]'
            )
            edits = (insert_line(run.instruction.first, line),)
            message = "Where a command before the | fails, nobody notices."
            _add(findings, run, each.words[0], "DD015", message, "Set a SHELL with pipefail", edits)
            return


def _is(command: Command, names: Sequence[str], subcommand: str) -> bool:
    found = command.subcommand()
    return command.name in names and found is not None and found.plain == subcommand


def _appended(findings: Findings, run: _Run, command: str) -> tuple[Edit, ...]:
    """The edit that runs a further command at the end of the step."""
    instruction = run.instruction
    if not run.at_home or not run.commands or run.commands[-1].after not in ("", ";"):
        return ()
    end = run.commands[-1].end
    if instruction.text[end:].strip():
        return ()
    if len(instruction.source.pieces) == 1:
        return (insert_after(instruction, end, f" && {command}"),)
    escape = findings.document.escape
    line = instruction.source.at(end - 1)[0]
    indent = indent_of(findings.document, line) or "    "
    return (insert_after(instruction, end, f" {escape}\n{indent}&& {command}"),)


def _add(
    findings: Findings,
    run: _Run,
    word: Piece,
    code: str,
    message: str,
    title: str,
    edits: tuple[Edit, ...],
) -> None:
    fixes = [Fix(title, edits)] if edits else []
    findings.add(run.place(word.start, word.end), code, message, fixes)
