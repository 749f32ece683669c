"""Rules on stages and their base images: names, pins, platforms, casing, users."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from dockdesk.dockerfile.expand import global_scope
from dockdesk.dockerfile.lint.findings import (
    Findings,
    append_line,
    insert_line,
    keyword_place,
    replace,
    whole_lines,
)
from dockdesk.dockerfile.notes import suggestion
from dockdesk.dockerfile.problems import Edit, Fix
from dockdesk.dockerfile.shell import ExpansionError, expand
from dockdesk.dockerfile.tree import Document, Instruction, Place, Stage, Word

Tags = Callable[[str], Sequence[str]]
"""Known tags of an image's repository, the best to pin to first."""

_OUR_NAMES = re.compile(r"[a-z0-9]+(?:[._/:@-]+[a-zA-Z0-9_.-]+)*\Z")
_PLATFORM = re.compile(r"(linux|windows|darwin|freebsd|wasi|js)(/(\w+))?(/\w+)?\Z")
_ROOT = re.compile(r"(root|0)(:.*)?\Z", re.IGNORECASE)
USER_ID = "10001"


def check(findings: Findings, tags: Tags) -> None:
    document = findings.document
    _casing(findings)
    for stage in document.stages:
        _stage_name(findings, stage)
        _platform(findings, stage)
        _base(findings, stage, tags)
        _once(findings, stage)
    _undefined_in_from(findings)
    _unused(findings)
    if document.stages:
        _user(findings, document.stages[-1])


def _casing(findings: Findings) -> None:
    written = [each.written for each in findings.document.instructions if each.written]
    count = Counter("lower" if each.islower() else "upper" for each in written if not _mixed(each))
    lower = count["lower"] > count["upper"]
    for each in findings.document.instructions:
        wanted = each.written.lower() if lower else each.written.upper()
        if each.written and each.written != wanted:
            place = keyword_place(each)
            how = "lower" if lower else "upper"
            fix = Fix(f"Write {wanted}", (replace(place, wanted),))
            message = f"{each.written} should be {how} case, as most of this file."
            findings.add(place, "ConsistentInstructionCasing", message, [fix])


def _mixed(word: str) -> bool:
    return not (word.islower() or word.isupper())


def _stage_name(findings: Findings, stage: Stage) -> None:
    words = stage.instruction.arguments
    if len(words) < 3 or words[1].text.lower() != "as":
        return
    written, keyword = stage.instruction.written, words[1]
    wanted = "as" if written.islower() else "AS"
    if not _mixed(written) and keyword.text != wanted:
        fix = Fix(f"Write {wanted}", (replace(keyword.place, wanted),))
        findings.add(
            keyword.place,
            "FromAsCasing",
            f"{keyword.text} should be written like {written}.",
            [fix],
        )
    name = words[2]
    if name.text != name.text.lower():
        fix = Fix(f"Rename to {name.text.lower()}", (replace(name.place, name.text.lower()),))
        findings.add(name.place, "StageNameCasing", f"{name.text} should be lower case.", [fix])
    if stage.name in ("scratch", "context"):
        findings.add(name.place, "ReservedStageName", f"A stage should not be named {stage.name}.")


def _platform(findings: Findings, stage: Stage) -> None:
    flag = stage.instruction.flag("platform")
    if flag is None or not flag.value:
        return
    source = stage.instruction.source
    line, column = source.at(flag.start)
    end_line, end_column = source.at(min(flag.end, len(stage.instruction.text) - 1))
    remove = Fix("Remove the flag", (Edit(line, column, end_line, end_column + 1, ""),))
    fixes = [remove] if line == end_line else []
    if flag.value in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
        findings.add(
            flag.place,
            "RedundantTargetPlatform",
            f"--platform={flag.value} changes nothing.",
            fixes,
        )
    elif "$" not in flag.value:
        known = _PLATFORM.match(flag.value)
        named = known and any(part and part in stage.name for part in (known[1], known[3]))
        if known and not named:
            message = f"--platform={flag.value} fixes the platform."
            findings.add(flag.place, "FromPlatformFlagConstDisallowed", message, fixes)


def split_reference(name: str) -> tuple[str, str, str]:
    """Repository, tag and digest of an image's name as written."""
    rest, _, digest = name.partition("@")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        return rest, "", digest
    return head, tag, digest


def _base(findings: Findings, stage: Stage, tags: Tags) -> None:
    words = stage.instruction.arguments
    if not words or stage.base_stage is not None or stage.base.lower() == "scratch":
        return
    word = words[0]
    if "$" in stage.base:
        return
    repository, tag, digest = split_reference(stage.base)
    if digest or (tag and tag != "latest"):
        return
    fixes = [
        Fix(f"Pin to {repository}:{known}", (replace(word.place, f"{repository}:{known}"),))
        for known in tags(repository)[:5]
        if known != "latest"
    ]
    if tag:
        findings.add(word.place, "DD002", f"{stage.base} is whatever is newest that day.", fixes)
    else:
        findings.add(word.place, "DD001", f"{stage.base} has no tag.", fixes)


def _once(findings: Findings, stage: Stage) -> None:
    for keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
        found = [each for each in stage.instructions if each.keyword == keyword]
        for each in found[:-1]:
            fix = Fix(f"Remove this {keyword}", (Edit(*whole_lines(findings.document, each), ""),))
            message = f"This {keyword} has no effect: another one follows in the same stage."
            findings.add(each.place, "MultipleInstructionsDisallowed", message, [fix])


def _undefined_in_from(findings: Findings) -> None:
    document = findings.document
    scope = global_scope(document)
    names = tuple(name for name, each in scope.known.items() if each.kind == "global")
    for stage in document.stages:
        flag = stage.instruction.flag("platform")
        texts = [(stage.base, stage.instruction.arguments[:1]), (flag.value if flag else "", ())]
        for text, words in texts:
            if not text or "$" not in text:
                continue
            try:
                expansion = expand(text, scope.lookup, document.escape)
            except ExpansionError:
                continue
            place = words[0].place if words else (flag.place if flag else stage.instruction.place)
            missing = [name for name in sorted(expansion.missing) if name not in scope.known]
            for name in missing:
                near = suggestion(name, names)
                hint = f" Did you mean {near}?" if near else ""
                fixes = _declare(document, name, place, text, near)
                message = f"{name} is not declared above the first FROM.{hint}"
                findings.add(place, "UndefinedArgInFrom", message, fixes)
            if words and not missing and not _OUR_NAMES.match(expansion.text):
                _no_default(findings, words[0])


def _declare(document: Document, name: str, place: Place, text: str, near: str) -> list[Fix]:
    fixes = [Fix(f"Declare it: ARG {name}", (insert_line(document.stages[0].line, f"ARG {name}"),))]
    changed = re.sub(rf"(\$\{{?){name}\b", rf"\g<1>{near}", text)
    if near and changed != text and place.line == place.end_line:
        written = document.lines[place.line][place.column : place.end_column]
        if written.endswith(text):
            start = place.end_column - len(text)
            edit = Edit(place.line, start, place.line, place.end_column, changed)
            fixes.insert(0, Fix(f"Change to {near}", (edit,)))
    return fixes


def _no_default(findings: Findings, word: Word) -> None:
    message = f"{word.text} is no image's name unless a build argument is given."
    findings.add(word.place, "InvalidDefaultArgInFrom", message)


def _unused(findings: Findings) -> None:
    stages = findings.document.stages
    used = {len(stages) - 1}
    for stage in reversed(stages):
        if stage.index in used:
            used |= {each.stage for each in stage.inputs if each.stage is not None}
    for stage in stages:
        if stage.index not in used:
            message = f"Nothing uses the stage {stage.name or stage.index}."
            findings.add(keyword_place(stage.instruction), "DD020", message)


def _user(findings: Findings, stage: Stage) -> None:
    """The user of the final stage, or of the stages it is made from."""
    document = findings.document
    chain = [stage]
    while (below := chain[-1].base_stage) is not None:
        chain.append(document.stages[below])
    users = [each for one in chain for each in reversed(one.instructions) if each.keyword == "USER"]
    if users:
        last = users[0]
        if last.arguments and _ROOT.match(last.arguments[0].text):
            word = last.arguments[0]
            fix = Fix(f"Run as user {USER_ID}", (replace(word.place, USER_ID),))
            findings.add(word.place, "DD022", "The program runs as root.", [fix])
        return
    base = chain[-1].base
    if re.search(r"nonroot|rootless|unprivileged", base) or "$" in base:
        return
    runs = [each for each in stage.instructions if each.keyword in ("CMD", "ENTRYPOINT")]
    where: Instruction = (runs or list(stage.instructions))[0]
    if runs:
        edits: tuple[Edit, ...] = (insert_line(_first_line(document, where), f"USER {USER_ID}"),)
    else:
        edits = append_line(document, stage.instructions[-1], f"USER {USER_ID}")
    fixes = [Fix(f"Run as an unprivileged user: USER {USER_ID}", edits)] if edits else []
    findings.add(keyword_place(where), "DD003", "No USER is set: the program runs as root.", fixes)


def _first_line(document: Document, instruction: Instruction) -> int:
    """The instruction's line, or that of the comments that stand right above it."""
    line = instruction.first
    while line > 0 and document.lines[line - 1].lstrip().startswith("#"):
        line -= 1
    return line if document.instruction_at(line - 1) is not instruction else instruction.first
