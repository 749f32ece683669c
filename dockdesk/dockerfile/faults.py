"""What the parser finds wrong: what ends the build, and what surely is not meant.

Style and good practice are the lint's. The messages say what the builder would do; the conditions are BuildKit's own.
Source: moby/buildkit, frontend/dockerfile/instructions/parse.go and dockerfile2llb/convert.go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockdesk.dockerfile.mounts import check_mount
from dockdesk.dockerfile.notes import Notes, suggestion
from dockdesk.dockerfile.problems import Edit, Fix
from dockdesk.dockerfile.tree import Flag, Instruction, Place
from dockdesk.dockerfile.vocabulary import FLAGS, FLAGS_DROPPED, INSTRUCTIONS, KNOWN, flag_rule

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*\Z")
_DURATION = re.compile(r"[-+]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)\Z")
# What was surely meant as a JSON array: after the bracket a quoted word, and no operator after that.
_MEANT_JSON = re.compile(r"\[\s*(['\"])[^'\"]*(\1\s*(,|\]\s*\Z|['\"])|\Z)")
_AT_LEAST_ONE = frozenset(
    ("ENV", "LABEL", "ARG", "EXPOSE", "VOLUME", "HEALTHCHECK", "ONBUILD", "SHELL")
)
_NO_TRIGGERS = frozenset(("ONBUILD", "FROM", "MAINTAINER"))
_EXACTLY_ONE = frozenset(("MAINTAINER", "USER", "WORKDIR", "STOPSIGNAL"))


def check(instruction: Instruction, escape: str, notes: Notes) -> None:
    """Note what is wrong within one instruction."""
    keyword = instruction.keyword
    if keyword not in KNOWN:
        _unknown(instruction, notes)
        return
    if instruction.flags:
        _flags(instruction, notes)
    if instruction.form in ("shell", "words") and instruction.rest.startswith("["):
        _json_meant(instruction, notes)
    checker = _CHECKS.get(keyword)
    if checker:
        checker(instruction, notes)
    elif keyword in _AT_LEAST_ONE and not instruction.arguments:
        _missing(instruction, notes, "at least one argument")
    elif keyword in _EXACTLY_ONE and not instruction.arguments:
        _missing(instruction, notes, "one argument")
    if instruction.inner and instruction.inner.keyword not in _NO_TRIGGERS:
        check(instruction.inner, escape, notes)


def _unknown(instruction: Instruction, notes: Notes) -> None:
    word = instruction.written
    near = suggestion(instruction.keyword, INSTRUCTIONS)
    place = instruction.place
    fixes = (Fix(f"Change to {near}", (Edit(*place, near),)),) if near else ()
    shown = word if len(word) <= 40 else word[:40] + "…"
    if not word:
        notes.add(
            place,
            "empty-instruction",
            "Here is a continuation without an instruction.",
            "The build stops here.",
        )
        return
    notes.add(
        place,
        "unknown-instruction",
        f"{shown} is no instruction." + (f" Did you mean {near}?" if near else ""),
        "The build stops here. If this continues the line above, that one must end with the escape character.",
        section="overview",
        fixes=fixes,
    )


def _missing(instruction: Instruction, notes: Notes, what: str) -> None:
    keyword = instruction.keyword
    section = "maintainer-deprecated" if keyword == "MAINTAINER" else keyword.lower()
    notes.add(
        instruction.place,
        "arguments-missing",
        f"{keyword} needs {what}.",
        "The build stops here.",
        section=section,
    )


def _flags(instruction: Instruction, notes: Notes) -> None:
    keyword = instruction.keyword
    if keyword == "HEALTHCHECK" and _first(instruction) == "NONE":
        return
    if keyword in FLAGS_DROPPED:
        for flag in instruction.flags:
            notes.add(
                flag.place,
                "flag-ignored",
                f"{keyword} has no flags: this one has no effect.",
                tone="warn",
            )
        return
    seen: set[str] = set()
    for flag in instruction.flags:
        rule = flag_rule(keyword, flag.name)
        if rule is None:
            _unknown_flag(keyword, flag, notes)
            continue
        if flag.name in seen and rule.kind != "list":
            notes.add(
                flag.place,
                "flag-twice",
                f"--{flag.name} may be given only once.",
                "The build stops here.",
            )
        seen.add(flag.name)
        section = (
            f"{keyword.lower()}---{flag.name}"
            if keyword in ("RUN", "COPY", "ADD")
            else keyword.lower()
        )
        problem = _value_fault(flag, rule.kind, rule.values)
        if problem:
            notes.add(flag.place, "flag-value", problem, "The build stops here.", section=section)
        elif flag.name == "mount":
            for option, message in check_mount(flag):
                place = option.place if option else flag.place
                notes.add(
                    place, "mount-option", message, "The build stops here.", section="run---mount"
                )


def _unknown_flag(keyword: str, flag: Flag, notes: Notes) -> None:
    names = [rule.name for rule in FLAGS.get(keyword, ())]
    near = suggestion(flag.name, tuple(names))
    fixes: tuple[Fix, ...] = ()
    if near and flag.end - flag.start == len(flag.name) + 2 + (
        0 if flag.value is None else len(flag.value) + 1
    ):
        line, column = flag.place.line, flag.place.column
        if flag.place.line == flag.place.end_line:
            edit = Edit(line, column + 2, line, column + 2 + len(flag.name), near)
            fixes = (Fix(f"Change to --{near}", (edit,)),)
    hint = (
        f" Did you mean --{near}?"
        if near
        else f" It has {_listed(names)}."
        if names
        else " It has no flags."
    )
    notes.add(
        flag.place,
        "unknown-flag",
        f"{keyword} has no flag --{flag.name[:40]}.{hint}",
        "The build stops here. What begins with -- right after the instruction is taken for a flag.",
        section=keyword.lower(),
        fixes=fixes,
    )


def _listed(names: Sequence[str]) -> str:
    shown = [f"--{name}" for name in names]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def _value_fault(flag: Flag, kind: str, values: tuple[str, ...]) -> str:
    if kind == "bool":
        if flag.value is None or flag.value.lower() in ("true", "false"):
            return ""
        return f"--{flag.name} can be true or false only."
    if flag.value is None:
        return f"--{flag.name} needs a value: --{flag.name}=…"
    if values and flag.value not in values:
        return f"--{flag.name} can be {', '.join(values[:-1])} or {values[-1]} only."
    return ""


def _json_meant(instruction: Instruction, notes: Notes) -> None:
    found = _MEANT_JSON.match(instruction.rest)
    words = instruction.arguments
    if instruction.keyword == "SHELL" or not found or not words:
        return
    single = "'" in found[0] and '"' not in instruction.rest
    how = (
        "JSON wants double quotes, not single ones"
        if single
        else "a quote, a comma, a bracket or a backslash is off"
    )
    fixes: tuple[Fix, ...] = ()
    place = Place(*words[0].place[:2], *words[-1].place[2:])
    if single and place.line == place.end_line:
        fixes = (Fix("Use double quotes", (Edit(*place, instruction.rest.replace("'", '"')),)),)
    notes.add(
        place,
        "json-form-broken",
        f"This is no valid JSON array, so it is not the exec form: {how}.",
        "The builder takes the brackets and quotes as they stand, for the shell or as file names.",
        tone="warn",
        section="exec-form",
        fixes=fixes,
    )


def _first(instruction: Instruction) -> str:
    return instruction.arguments[0].text.upper() if instruction.arguments else ""


def _check_from(instruction: Instruction, notes: Notes) -> None:
    words = instruction.arguments
    if not words:
        _missing(instruction, notes, "an image or the name of an earlier stage")
    elif len(words) == 1:
        return
    elif len(words) != 3 or words[1].text.lower() != "as":
        place = Place(*words[1].place[:2], *words[-1].place[2:])
        notes.add(
            place,
            "from-arguments",
            "FROM takes an image, or an image, AS and a name.",
            "The build stops here. There are no comments at the end of a line.",
            section="from",
        )
    elif not _STAGE_NAME.match(words[2].text.lower()):
        notes.add(
            words[2].place,
            "stage-name",
            f"{words[2].text[:60]} cannot name a stage: a letter first, then letters, digits, - _ and . only.",
            "The build stops here.",
            section="from",
        )


def _check_copy(instruction: Instruction, notes: Notes) -> None:
    words = instruction.arguments
    if len(words) < 2:
        _missing(instruction, notes, "at least a source and a destination")
        return
    if instruction.form == "words" and re.match(r"[0-9]*<<-?[^<]", words[-1].text):
        notes.add(
            words[-1].place,
            "heredoc-destination",
            "A heredoc can be a source only: the destination is missing.",
            "The build stops here.",
            section="here-documents",
        )


def _check_pairs(instruction: Instruction, notes: Notes) -> None:
    keyword, words = instruction.keyword, instruction.arguments
    if not words:
        _missing(instruction, notes, "a name and a value: NAME=value")
        return
    if "=" not in words[0].text:
        if not instruction.pairs:
            notes.add(
                words[0].place,
                "value-missing",
                f"{keyword} needs a value: {words[0].text[:40]}=…",
                section=keyword.lower(),
            )
        return
    for word in words:
        name, equals, _ = word.text.partition("=")
        if not equals:
            notes.add(
                word.place,
                "pair-without-equals",
                f"There is no = in {word.text[:40]}: it must be NAME=value.",
                "The build stops here. A value with spaces needs quotes.",
                section=keyword.lower(),
            )
        elif not name:
            notes.add(
                word.place,
                "name-missing",
                "There is no name before the =.",
                section=keyword.lower(),
            )


def _check_arg(instruction: Instruction, notes: Notes) -> None:
    if not instruction.arguments:
        _missing(instruction, notes, "a name")
    for pair in instruction.pairs:
        if not pair.name:
            notes.add(
                pair.name_place, "name-missing", "There is no name before the =.", section="arg"
            )


def _check_healthcheck(instruction: Instruction, notes: Notes) -> None:
    words = instruction.arguments
    kind = _first(instruction)
    if not words:
        _missing(instruction, notes, "CMD and a command, or NONE")
    elif kind == "NONE" and len(words) > 1:
        notes.add(
            words[1].place,
            "healthcheck-none",
            "HEALTHCHECK NONE takes nothing else.",
            section="healthcheck",
        )
    elif kind == "CMD" and len(words) == 1:
        notes.add(
            words[0].place,
            "arguments-missing",
            "HEALTHCHECK CMD needs a command.",
            section="healthcheck",
        )
    elif kind not in ("CMD", "NONE"):
        notes.add(
            words[0].place,
            "healthcheck-type",
            f"HEALTHCHECK goes on with CMD or NONE, not {words[0].text[:40]}.",
            "The build stops here. Its flags stand before CMD.",
            section="healthcheck",
        )
    if kind == "CMD":
        for flag in instruction.flags:
            _healthcheck_value(flag, notes)


def _healthcheck_value(flag: Flag, notes: Notes) -> None:
    value = flag.value or ""
    if flag.name == "retries":
        if value and not re.fullmatch(r"\+?[0-9]{1,9}", value):
            notes.add(
                flag.place,
                "flag-value",
                "--retries must be a number, 0 or more.",
                section="healthcheck",
            )
    elif flag_rule("HEALTHCHECK", flag.name) and value and not _DURATION.match(value):
        notes.add(
            flag.place,
            "flag-value",
            f"{value[:40]} is no duration: write 30s, 1m30s or 500ms.",
            "The build stops here.",
            section="healthcheck",
        )


def _check_onbuild(instruction: Instruction, notes: Notes) -> None:
    inner = instruction.inner
    if inner is None:
        _missing(instruction, notes, "an instruction")
    elif inner.keyword in _NO_TRIGGERS:
        notes.add(
            inner.place,
            "onbuild-trigger",
            f"{inner.keyword} cannot follow ONBUILD.",
            "The build stops here.",
            section="onbuild-limitations",
        )


def _check_shell(instruction: Instruction, notes: Notes) -> None:
    if not instruction.arguments:
        _missing(instruction, notes, "a JSON array of at least one string")
    elif instruction.form != "json":
        words = instruction.arguments
        place = Place(*words[0].place[:2], *words[-1].place[2:])
        notes.add(
            place,
            "shell-form",
            'SHELL must be a JSON array: SHELL ["executable", "parameter"].',
            section="shell",
        )


def _check_volume(instruction: Instruction, notes: Notes) -> None:
    if not instruction.arguments:
        _missing(instruction, notes, "at least one path")
    for word in instruction.arguments:
        if not word.text.strip():
            notes.add(
                word.place, "volume-empty", "A volume's path cannot be empty.", section="volume"
            )


_CHECKS = {
    "FROM": _check_from,
    "COPY": _check_copy,
    "ADD": _check_copy,
    "ENV": _check_pairs,
    "LABEL": _check_pairs,
    "ARG": _check_arg,
    "HEALTHCHECK": _check_healthcheck,
    "ONBUILD": _check_onbuild,
    "SHELL": _check_shell,
    "VOLUME": _check_volume,
}
