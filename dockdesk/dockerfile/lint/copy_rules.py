"""Rules on COPY and ADD: what is there to copy, and in which order, for the cache."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from typing import NamedTuple

from dockdesk.dockerfile.context import ContextFile, ContextFolder, ContextTree
from dockdesk.dockerfile.gopattern import clean
from dockdesk.dockerfile.lint.commands import commands
from dockdesk.dockerfile.lint.findings import (
    Findings,
    append_line,
    indent_of,
    keyword_place,
    lines_text,
    replace,
)
from dockdesk.dockerfile.problems import Edit, Fix
from dockdesk.dockerfile.tree import Instruction, Stage, Word

_ARCHIVE = re.compile(r"\.(tar|tgz|tbz2?|txz|tar\.\w+|gz|bz2|xz|zst)$", re.IGNORECASE)
_REMOTE = re.compile(r"https?://|git@|ftp://|.*\.git(#|$)", re.IGNORECASE)


class _Manager(NamedTuple):
    """How a package manager's install is known, and the files that it reads."""

    command: re.Pattern[str]
    files: str
    lists: tuple[str, ...]


_MANAGERS = [
    _Manager(re.compile(r"npm\s+(ci|install|i)(\s+-\S+)*\s*$"), "package*.json", ("package.json",)),
    _Manager(re.compile(r"yarn(\s+install)?(\s+-\S+)*\s*$"), "package.json yarn.lock", ("package.json",)),
    _Manager(re.compile(r"pnpm\s+(install|i)(\s+-\S+)*\s*$"), "package.json pnpm-lock.yaml", ("package.json",)),
    _Manager(
        re.compile(r"(python3?\s+-m\s+)?pip3?\s+install\s.*-r\s*requirements\.txt"),
        "requirements.txt",
        ("requirements.txt",),
    ),
    _Manager(re.compile(r"go\s+mod\s+download"), "go.mod go.sum", ("go.mod",)),
    _Manager(re.compile(r"bundle\s+install"), "Gemfile Gemfile.lock", ("Gemfile",)),
    _Manager(re.compile(r"cargo\s+fetch"), "Cargo.toml Cargo.lock", ("Cargo.toml",)),
    _Manager(re.compile(r"pipenv\s+(install|sync)"), "Pipfile Pipfile.lock", ("Pipfile",)),
]  # fmt: skip


def check(findings: Findings, context: ContextTree | None) -> None:
    for stage in findings.document.stages:
        _order(findings, stage)
        for each in stage.instructions:
            if each.keyword in ("COPY", "ADD") and len(each.arguments) > 1:
                _add_or_copy(findings, each)
                _destination(findings, each)
                if context is not None and each.flag("from") is None:
                    _sources(findings, each, context)


def _plain_sources(instruction: Instruction) -> list[Word]:
    return [word for word in instruction.arguments[:-1] if not word.text.startswith("<<")]


def _add_or_copy(findings: Findings, instruction: Instruction) -> None:
    sources = [word.text.strip("\"'") for word in _plain_sources(instruction)]
    if instruction.keyword != "ADD" or not sources:
        return
    if any("$" in each or _ARCHIVE.search(each) or _REMOTE.match(each) for each in sources):
        return
    if any(flag.name in ("checksum", "keep-git-dir", "unpack") for flag in instruction.flags):
        return
    wanted = "copy" if instruction.written.islower() else "COPY"
    place = keyword_place(instruction)
    fix = Fix("Use COPY", (replace(place, wanted),))
    findings.add(place, "DD004", "ADD where COPY does.", [fix])


def _destination(findings: Findings, instruction: Instruction) -> None:
    sources = instruction.arguments[:-1]
    target = instruction.arguments[-1]
    text = target.text.strip("\"'")
    if (
        len(sources) > 1
        and not text.endswith(("/", "\\"))
        and text not in (".", "..")
        and "$" not in text
    ):
        if re.search(r"/\.{1,2}$", text):
            return
        line, column = target.place.end_line, target.place.end_column
        column -= target.text[-1:] in ("'", '"') or instruction.form == "json"
        fix = Fix(f"Write {text}/", (Edit(line, column, line, column, "/"),))
        findings.add(
            target.place, "DD019", f"{text} must end with “/”: there are several sources.", [fix]
        )


def _sources(findings: Findings, instruction: Instruction, context: ContextTree) -> None:
    for word in _plain_sources(instruction):
        text = word.text if instruction.form == "json" else word.text.strip("\"'")
        if "$" in text or _REMOTE.match(text) or "\\" in text:
            continue
        path = clean("/" + text).lstrip("/")
        if not path:
            continue
        found = list(_matching(context, path.split("/")))
        if any(_sent(each) for each in found):
            continue
        if found or _hidden(context, path):
            source = context.rules.source.name if context.rules.source else ".dockerignore"
            message = f"{text} is left out by {source}."
            findings.add(word.place, "CopyIgnoredFile", message)
        else:
            why = (
                ""
                if not re.search(r"[*?\[]", path)
                else "A pattern that matches nothing stops the build."
            )
            findings.add(word.place, "DD018", f"{text} is not in the build context.", why=why)


def _sent(entry: ContextFile | ContextFolder) -> bool:
    if isinstance(entry, ContextFile):
        return not entry.excluded
    return not entry.excluded and (entry.files > 0 or entry.left_files == 0)


def _matching(context: ContextTree, parts: list[str]) -> Iterator[ContextFile | ContextFolder]:
    """The entries a source means; folders that are left out as a whole are not entered."""
    folders = [context.root]
    for index, part in enumerate(parts):
        wild = re.search(r"[*?\[]", part) is not None
        inner = [each for one in folders for each in one.folders if _named(each.name, part, wild)]
        if index == len(parts) - 1:
            yield from (
                entry for one in folders for entry in one.entries if _named(entry.name, part, wild)
            )
            yield from inner
        folders = inner


def _named(name: str, part: str, wild: bool) -> bool:
    return name == part or (wild and fnmatch.fnmatchcase(name, part))


def _hidden(context: ContextTree, path: str) -> bool:
    """Whether it may lie in a folder that was not entered since it is left out."""
    parts = path.split("/")
    for count in range(1, len(parts)):
        folder = context.find("/".join(parts[:count]))
        if isinstance(folder, ContextFolder) and folder.excluded:
            return True
    return False


def _order(findings: Findings, stage: Stage) -> None:
    """A COPY of everything before the packages are installed."""
    everything: Instruction | None = None
    listed: set[str] = set()
    for each in stage.instructions:
        if each.keyword in ("COPY", "ADD") and each.flag("from") is None and each.form == "words":
            names = {word.text.removeprefix("./") for word in each.arguments[:-1]}
            listed |= names
            if names & {".", ""} and everything is None and len(each.arguments) == 2:
                everything = each
                before = listed - {".", ""}
        elif (
            each.keyword == "RUN"
            and everything is not None
            and each.form == "shell"
            and not each.heredocs
        ):
            manager = _manager(each)
            mounted = any(
                option.key in ("source", "src") for flag in each.flags for option in flag.options
            )
            if manager is None or mounted:
                continue
            if any(
                re.search(rf"{re.escape(name.split('.')[0])}", one)
                for name in manager.lists
                for one in before
            ):
                return
            _tell_order(findings, everything, each, manager)
            return


def _manager(instruction: Instruction) -> _Manager | None:
    for command in commands(instruction.text, instruction.rest_start):
        text = instruction.text[command.start : command.end]
        for manager in _MANAGERS:
            if manager.command.search(text):
                return manager
    return None


def _tell_order(
    findings: Findings, everything: Instruction, install: Instruction, manager: _Manager
) -> None:
    document = findings.document
    target = everything.arguments[-1].text
    folder = target if target.endswith("/") else f"{target}/"
    flags = "".join(
        f" --{flag.name}={flag.value}" for flag in everything.flags if flag.value is not None
    )
    indent = indent_of(document, everything.first)
    first = f"{indent}{everything.written}{flags} {manager.files} {folder}"
    fixes = []
    if len(everything.source.pieces) == 1 and not install.source.pieces[0][0]:
        last = len(document.lines[everything.last])
        again = append_line(document, install, lines_text(document, everything).rstrip("\r"))
        edits = (Edit(everything.first, 0, everything.last, last, first), *again)
        fixes = (
            [Fix("Copy the list of packages first, the rest after the install", edits)]
            if again
            else []
        )
    message = "Everything is copied before the packages are installed."
    findings.add(keyword_place(everything), "DD016", message, fixes)
