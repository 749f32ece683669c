"""Rules on the other instructions: commands in shell form, folders, variables, ports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dockdesk.dockerfile.expand import Scope, global_scope, references
from dockdesk.dockerfile.lint.commands import commands
from dockdesk.dockerfile.lint.findings import Findings, append_line, keyword_place, replace
from dockdesk.dockerfile.notes import suggestion
from dockdesk.dockerfile.problems import Edit, Fix
from dockdesk.dockerfile.tree import Document, Instruction, Pair, Place, Stage, Word
from dockdesk.dockerfile.vocabulary import EXPANDING, PROXY_ARGS

_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE)
# What every engine sets, and what nearly every base image does.
_ALWAYS = frozenset(("PATH", "HOME", "HOSTNAME", "TERM", "LANG", *PROXY_ARGS))
_SHELL_ONLY = re.compile(r"[$`*?~#(){}\[\]<>|;&!\n]")


def check(findings: Findings) -> None:
    document = findings.document
    for instruction in document.instructions:
        _continuation(findings, instruction)
        if instruction.keyword == "MAINTAINER":
            _maintainer(findings, instruction)
        elif instruction.keyword == "EXPOSE":
            _expose(findings, instruction)
        elif instruction.keyword in ("ENV", "LABEL", "ARG"):
            _pairs(findings, instruction)
    _undefined(findings)
    for stage in document.stages:
        _shell_form(findings, stage)
        _workdir(findings, stage)


def _continuation(findings: Findings, instruction: Instruction) -> None:
    lines = findings.document.lines
    blank = [number for number in instruction.skipped if not lines[number].strip()]
    # Blank lines behind the last continuation end the instruction rather than stand in it.
    last = instruction.source.pieces[-1][1]
    blank = [number for number in blank if number < last]
    if blank:
        edits = tuple(Edit(number, 0, number + 1, 0, "") for number in blank)
        place = Place(blank[0], 0, blank[0], len(lines[blank[0]]))
        fix = Fix("Remove the blank lines" if len(blank) > 1 else "Remove the blank line", edits)
        findings.add(
            place, "NoEmptyContinuation", "A blank line stands within an instruction.", [fix]
        )


def _maintainer(findings: Findings, instruction: Instruction) -> None:
    fixes = []
    if instruction.arguments and len(instruction.source.pieces) == 1:
        name = instruction.arguments[0].text.strip("\"'")
        keyword = "label" if instruction.written.islower() else "LABEL"
        label = f"{keyword} org.opencontainers.image.authors={json.dumps(name, ensure_ascii=False)}"
        whole = instruction.source.place(0, len(instruction.text.rstrip()))
        fixes = [Fix("Write it as a label", (replace(whole, label),))]
    findings.add(
        keyword_place(instruction), "MaintainerDeprecated", "MAINTAINER is deprecated.", fixes
    )


def _expose(findings: Findings, instruction: Instruction) -> None:
    for word in instruction.arguments:
        text = word.text
        if "$" in text or '"' in text or "'" in text:
            continue
        ports, slash, protocol = text.partition("/")
        if slash and protocol != protocol.lower():
            fixed = f"{ports}/{protocol.lower()}"
            fix = Fix(f"Write {fixed}", (replace(word.place, fixed),))
            findings.add(
                word.place, "ExposeProtoCasing", f"{protocol} should be lower case.", [fix]
            )
        if ":" in ports:
            inner = ports.rpartition(":")[2] + slash + protocol
            fix = Fix(f"Write {inner}", (replace(word.place, inner),))
            message = f"{text} names an address or a port of the host."
            findings.add(
                word.place, "ExposeInvalidFormat", message, [fix] if inner[:1].isdigit() else []
            )
            continue
        numbers = ports.split("-")
        if not all(re.fullmatch(r"[0-9]{1,9}", each) and 0 < int(each) < 65536 for each in numbers):
            findings.add(word.place, "DD017", f"{text} is no port.")
        elif len(numbers) == 2 and int(numbers[0]) > int(numbers[1]):
            findings.add(word.place, "DD017", f"The range {ports} runs backwards.")


def _pairs(findings: Findings, instruction: Instruction) -> None:
    for pair in instruction.pairs:
        if pair.separator == "" and pair.value is not None and instruction.keyword != "ARG":
            _legacy(findings, instruction, pair)
        secret = _SECRET.search(pair.name) and not _NO_SECRET.search(pair.name)
        if instruction.keyword != "LABEL" and secret:
            message = f"{pair.name} sounds like a secret, and would stay in the image."
            findings.add(pair.name_place, "SecretsUsedInArgOrEnv", message)


def _legacy(findings: Findings, instruction: Instruction, pair: Pair) -> None:
    fixes = []
    value = pair.value or ""
    place = pair.value_place
    single = place is not None and place.line == place.end_line == pair.name_place.line
    if single and place is not None:
        quoted = (
            value
            if re.fullmatch(r"[^\s\"'\\]+", value)
            else _quoted(value, findings.document.escape)
        )
        span = Place(pair.name_place.line, pair.name_place.column, place.end_line, place.end_column)
        fixes = [
            Fix(
                f"Write {instruction.keyword} name=value", (replace(span, f"{pair.name}={quoted}"),)
            )
        ]
    message = f"{instruction.keyword} {pair.name} needs a “=” before its value."
    findings.add(pair.name_place, "LegacyKeyValueFormat", message, fixes)


def _quoted(value: str, escape: str) -> str:
    if re.fullmatch(r'"[^"\\`]*"|\'[^\']*\'', value):
        return value
    return (
        '"'
        + re.sub(r'["\\`]' if escape == "`" else r'["\\]', lambda each: escape + each[0], value)
        + '"'
    )


def _shell_form(findings: Findings, stage: Stage) -> None:
    shell = next((each for each in stage.instructions if each.keyword == "SHELL"), None)
    for each in stage.instructions:
        if each.keyword not in ("CMD", "ENTRYPOINT") or each.form != "shell" or shell is not None:
            continue
        if each.rest.startswith("["):
            continue  # meant as JSON: the parser says so
        word = each.arguments[0]
        message = f"{each.keyword} in the shell form: signals do not reach the program."
        findings.add(keyword_place(each), "JSONArgsRecommended", message, _json_fix(each, word))


def _json_fix(instruction: Instruction, word: Word) -> list[Fix]:
    found = commands(instruction.text, instruction.rest_start)
    if not found:
        return []
    place = instruction.source.place(word.start, word.end)
    simple = len(found) == 1 and not any(
        _SHELL_ONLY.search(piece.text) or (index == 0 and "=" in piece.text.split("/")[0])
        for index, piece in enumerate(found[0].words)
    )
    if simple and found[0].after == "":
        words = [piece.plain for piece in found[0].words]
        words = words[1:] if words[0] == "exec" and len(words) > 1 else words
        title = "Write it as a JSON array"
    else:
        words = ["sh", "-c", instruction.rest.strip()]
        title = "Write it as a JSON array, with a shell"
    return [Fix(title, (replace(place, json.dumps(words, ensure_ascii=False)),))]


def _workdir(findings: Findings, stage: Stage) -> None:
    stages = findings.document.stages
    absolute = False
    base: Stage | None = stage
    while base is not None and base.base_stage is not None:
        base = stages[base.base_stage]
        absolute |= any(_folder(each).startswith("/") for each in base.instructions)
    for each in stage.instructions:
        folder = _folder(each)
        if not folder:
            continue
        if re.match(r"[/$\\]|[A-Za-z]:|[\"'][/$]", folder):
            absolute = True
        elif not absolute:
            word = each.arguments[0]
            whole = "/" + re.sub(r"^(\./)+", "", folder.strip("\"'"))
            fix = Fix(f"Write {whole}", (replace(word.place, whole),))
            findings.add(word.place, "WorkdirRelativePath", f"{folder} is a relative path.", [fix])


def _folder(instruction: Instruction) -> str:
    if instruction.keyword != "WORKDIR" or not instruction.arguments:
        return ""
    return instruction.arguments[0].text.strip()


def _undefined(findings: Findings) -> None:
    """Names that nothing sets. What a base image sets is not known: only what looks like a slip is told then."""
    document = findings.document
    outer = global_scope(document)
    known_at_end: list[set[str]] = []
    bases: list[str] = []
    for stage in document.stages:
        below = stage.base_stage
        known = set() if below is None else set(known_at_end[below])
        bases.append(stage.base if below is None else bases[below])
        told: set[str] = set()
        for each in stage.instructions[1:]:
            own = {pair.name for pair in each.pairs}
            if each.keyword == "ARG":
                known |= own
            if each.keyword in EXPANDING and "$" in each.text:
                for name, place in _names(each, document.escape):
                    if name in told or name in _ALWAYS or name in known:
                        continue
                    if _tell(findings, stage, name, place, known, bases[-1], outer):
                        told.add(name)
            if each.keyword == "ENV":
                known |= own
        known_at_end.append(known)


def _names(instruction: Instruction, escape: str) -> Iterator[tuple[str, Place]]:
    text = instruction.text
    for each in references(text, escape):
        inside = each.start >= instruction.rest_start or any(
            flag.start <= each.start < flag.end for flag in instruction.flags
        )
        if inside and not re.match(r":?[-+?]", each.modifier):
            yield each.name, instruction.source.place(each.start, each.end)


def _tell(
    findings: Findings,
    stage: Stage,
    name: str,
    place: Place,
    known: set[str],
    base: str,
    outer: Scope,
) -> bool:
    document = findings.document
    declared = outer.known.get(name)
    if declared is not None:
        what = "BuildKit sets it" if declared.kind == "automatic" else "It is declared above FROM"
        message = f"{name} is empty here. {what}, but each stage must declare it: ARG {name}."
        findings.add(place, "UndefinedVar", message, _declare(document, stage, name))
        return True
    near = suggestion(name, tuple(sorted(known)))
    if not near and base != "scratch":
        return False
    hint = f" Did you mean {near}?" if near else ""
    fixes = []
    written = document.lines[place.line][place.column : place.end_column]
    if near and place.line == place.end_line and written.startswith(("$" + name, "${" + name)):
        fixes = [Fix(f"Change to {near}", (replace(place, written.replace(name, near, 1)),))]
    findings.add(place, "UndefinedVar", f"Nothing sets {name} above this line.{hint}", fixes)
    return True


def _declare(document: Document, stage: Stage, name: str) -> list[Fix]:
    edits = append_line(document, stage.instruction, f"ARG {name}")
    return [Fix(f"Declare it in this stage: ARG {name}", edits)] if edits else []
