"""What a variable is worth at a place in a Dockerfile, and what a word becomes.

BuildKit keeps one environment a stage: ARG and ENV add to it in the order they stand, a stage built on another begins
with that one's. An ARG without default takes the global one's value, FROM sees global ones alone. A whole instruction
sees the values from before it. Source: moby/buildkit, frontend/dockerfile/dockerfile2llb/convert.go; reference,
"Environment replacement" and "ARG".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from dockdesk.core.records import dataclass
from dockdesk.dockerfile.shell import Expansion, ExpansionError, expand
from dockdesk.dockerfile.tree import Document, Instruction, Stage
from dockdesk.dockerfile.vocabulary import EXPANDING, PLATFORM_ARGS, PROXY_ARGS

__all__ = [
    "EXPANDING",
    "Expansion",
    "ExpansionError",
    "Reference",
    "Scope",
    "Variable",
    "expand",
    "expand_at",
    "global_scope",
    "globals_of",
    "references",
    "scope_at",
    "variable_at",
]

Kind = Literal["arg", "env", "global", "automatic", "predefined", "base", "unknown"]
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Variable:
    """What a name means at a place.

    ``value`` is None where it is unset (``unset``) or only the build decides it; ``why`` says what that depends on, or
    where the value is from. ``line`` is where it is set, if in this file; ``certain`` is False where ``--build-arg``
    may change it.
    """

    name: str
    kind: Kind
    value: str | None
    line: int | None
    why: str
    certain: bool = True
    unset: bool = False


class Reference(NamedTuple):
    """``$name`` or ``${name…}`` in a text: offsets ``start`` to ``end``, the name's own, and what follows it."""

    name: str
    start: int
    end: int
    name_start: int
    modifier: str


class Scope:
    """The names set at a place. ``base`` is the image whose own environment is not known here, if there is one."""

    def __init__(self, base: str = "", known: Mapping[str, Variable] | None = None) -> None:
        self.base = base
        self.known: dict[str, Variable] = dict(known or {})

    def lookup(self, name: str) -> str | None:
        """For `expand`: what only the build decides counts as unset."""
        found = self.known.get(name)
        return found.value if found else None

    def variable(self, name: str) -> Variable:
        """What ``name`` is, whatever it is."""
        found = self.known.get(name)
        if found:
            return found
        if name in PLATFORM_ARGS:
            why = (
                f"BuildKit knows it for FROM; within a stage it must be declared first: ARG {name}."
            )
            return Variable(name, "automatic", None, None, why, unset=True)
        if name in PROXY_ARGS:
            why = "RUN sees it where the build is given a proxy; other instructions need an ARG first."
            return Variable(name, "predefined", None, None, why, unset=True)
        if self.base and self.base != "scratch":
            why = f"Neither ARG nor ENV sets it before this line: it is empty unless {self.base} sets it."
            return Variable(name, "base", None, None, why)
        why = "Neither ARG nor ENV sets it before this line: it is empty."
        return Variable(name, "unknown", None, None, why, unset=True)

    def set(self, variable: Variable) -> None:
        self.known[variable.name] = variable


def global_scope(document: Document, build_args: Mapping[str, str] | None = None) -> Scope:
    """What FROM sees: the platforms' names and the ARGs before the first FROM."""
    return globals_of(document.instructions, document.escape, build_args)


def globals_of(
    instructions: Sequence[Instruction], escape: str, build_args: Mapping[str, str] | None = None
) -> Scope:
    """As `global_scope`, for instructions that are no document yet."""
    given = build_args or {}
    scope = _automatics(given)
    for instruction in instructions:
        if instruction.keyword == "FROM":
            break
        if instruction.keyword == "ARG":
            _declare(instruction, scope, None, given, escape)
    return scope


def _automatics(given: Mapping[str, str]) -> Scope:
    scope = Scope()
    for name in PLATFORM_ARGS:
        scope.set(_automatic(name, given))
    return scope


def scope_at(document: Document, line: int, build_args: Mapping[str, str] | None = None) -> Scope:
    """The names an instruction on ``line`` can use; for FROM and what stands above the first one, the global ones."""
    given = build_args or {}
    outer = global_scope(document, given)
    stage = document.stage_at(line)
    here = document.instruction_at(line)
    if stage is None:
        scope = _automatics(given)
        for instruction in document.instructions:
            if instruction.first >= line or (here and instruction is here):
                break
            if instruction.keyword == "ARG":
                _declare(instruction, scope, None, given, document.escape)
        return scope
    if here and here.keyword == "FROM":
        return outer
    return _stage_scope(document, stage, here.first if here else line, outer, given)


def _stage_scope(
    document: Document, stage: Stage, before: int | None, outer: Scope, given: Mapping[str, str]
) -> Scope:
    chain = [stage]
    while (below := chain[-1].base_stage) is not None:
        chain.append(document.stages[below])
    scope = Scope(_base_name(chain[-1], outer, document.escape))
    for each in reversed(chain):
        for instruction in each.instructions:
            if each is stage and before is not None and instruction.first >= before:
                break
            if instruction.keyword == "ARG":
                _declare(instruction, scope, outer, given, document.escape)
            elif instruction.keyword == "ENV":
                _set_environment(instruction, scope, document.escape)
    return scope


def _base_name(stage: Stage, outer: Scope, escape: str) -> str:
    try:
        return expand(stage.base, outer.lookup, escape).text or stage.base
    except ExpansionError:
        return stage.base


def _automatic(name: str, given: Mapping[str, str]) -> Variable:
    if name in given:
        return Variable(name, "automatic", given[name], None, "Given by --build-arg.")
    what = "the stage that is built" if name == "TARGETSTAGE" else "the platform built for"
    if name.startswith("BUILD"):
        what = "the platform that builds"
    return Variable(name, "automatic", None, None, f"BuildKit sets it at the build, to {what}.")


def _declare(
    instruction: Instruction,
    scope: Scope,
    outer: Scope | None,
    given: Mapping[str, str],
    escape: str,
) -> None:
    """What ARG does: each name is set before the next one's default is read."""
    kind: Kind = "global" if outer is None else "arg"
    line = instruction.first
    for pair in instruction.pairs:
        name, value = pair.name, pair.value
        line = pair.name_place.line
        if name in given:
            why = f"Given by --build-arg, declared on line {line + 1}."
            scope.set(Variable(name, kind, given[name], line, why))
        elif value is not None:
            text, why, _ = _expanded(value, scope, escape)
            where = f"The default on line {line + 1}; --build-arg {name}=… changes it."
            scope.set(Variable(name, kind, text, line, why or where, False))
        else:
            _declare_bare(name, scope, outer, kind, line)


def _declare_bare(name: str, scope: Scope, outer: Scope | None, kind: Kind, line: int) -> None:
    found = outer.known.get(name) if outer else None
    if found and not found.unset:
        if found.kind == "automatic":
            scope.set(Variable(name, "automatic", found.value, line, found.why))
        else:
            where = (
                f"The global ARG on line {(found.line or 0) + 1}, declared here on line {line + 1}."
            )
            scope.set(Variable(name, "arg", found.value, line, where, found.certain))
        return
    if name in scope.known:
        return
    why = (
        f"ARG on line {line + 1} has no default: it is unset unless --build-arg {name}=… is given."
    )
    scope.set(Variable(name, kind, None, line, why, False, unset=True))


def _set_environment(instruction: Instruction, scope: Scope, escape: str) -> None:
    """What ENV does: all values are read before any is set."""
    made = []
    for pair in instruction.pairs:
        name, value, line = pair.name, pair.value, pair.name_place.line
        try:
            key = expand(name, scope.lookup, escape).text
        except ExpansionError:
            key = name
        text, why, certain = _expanded(value or "", scope, escape)
        where = f"ENV on line {line + 1}."
        made.append(Variable(key, "env", text, line, why or where, certain))
    for variable in made:
        scope.set(variable)


def _expanded(value: str, scope: Scope, escape: str) -> tuple[str | None, str, bool]:
    """The value, or None and what it depends on; and whether no ``--build-arg`` changes it."""
    try:
        found = expand(value, scope.lookup, escape)
    except ExpansionError as error:
        return None, f"It cannot be expanded: {error}.", True
    certain = all(scope.variable(name).certain for name in found.used | found.missing)
    for name in sorted(found.missing):
        variable = scope.variable(name)
        if not variable.unset and not (variable.kind == "base" and _has_default(value, name)):
            return None, f"It depends on ${name}. {variable.why}", certain
    return found.text, "", certain


def _has_default(value: str, name: str) -> bool:
    return any(each.name == name and each.modifier[:2] in (":-", "-") for each in references(value))


def variable_at(
    document: Document, line: int, name: str, build_args: Mapping[str, str] | None = None
) -> Variable:
    """What ``name`` is worth to the instruction on ``line``, or why that is not known."""
    return scope_at(document, line, build_args).variable(name)


def expand_at(
    document: Document, line: int, word: str, build_args: Mapping[str, str] | None = None
) -> Expansion:
    """``word`` as the builder expands it on ``line``. Raises ExpansionError."""
    return expand(word, scope_at(document, line, build_args).lookup, document.escape)


def references(text: str, escape: str = "\\", *, quotes: bool = True) -> list[Reference]:
    """The variables a text names, also within one another's defaults; not those in single quotes or escaped.

    ``quotes=False`` is for heredoc bodies, where quotes mean nothing.
    """
    found: list[Reference] = []
    at, end = 0, len(text)
    double = False
    while at < end:
        char = text[at]
        if char == escape:
            at += 2
            continue
        if quotes and char == '"':
            double = not double
        elif quotes and char == "'" and not double:
            close = text.find("'", at + 1)
            at = close if close >= 0 else end
        elif char == "$":
            reference = _reference(text, at)
            if reference:
                found.append(reference)
                at = reference.name_start + len(reference.name)
                continue
        at += 1
    return found


def _reference(text: str, at: int) -> Reference | None:
    braced = text.startswith("{", at + 1)
    name = _NAME.match(text, at + 1 + braced)
    if not name:
        return None
    end = name.end()
    modifier = ""
    if braced:
        close = _closing(text, end)
        modifier = text[end:close]
        end = min(close + 1, len(text))
    return Reference(name[0], at, end, name.start(), modifier)


def _closing(text: str, at: int) -> int:
    """Where the ``}`` is that closes a ``${`` whose name ends at ``at``; the text's end if nowhere."""
    depth = 1
    while at < len(text):
        if text.startswith("${", at):
            depth += 1
            at += 1
        elif text[at] == "\\":
            at += 1
        elif text[at] == "}":
            depth -= 1
            if not depth:
                return at
        at += 1
    return len(text)
