"""BuildKit's own checks of a Dockerfile, the commoner ones.

Source: docs.docker.com, “Build checks”; moby/buildkit, frontend/dockerfile/linter/ruleset.go.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockdesk.sandbox.buildkit.dockerfile import Dockerfile, DockerfileError, Instruction, parse
from dockdesk.sandbox.buildkit.expand import Expander

_PAGE = "https://docs.docker.com/go/dockerfile/rule/"
_SECRET = re.compile(
    r"(?i)(^|_)(api_?key|auth|credential|credentials|key|passw(or)?d|pword|secret|token)(_|$)"
)
_PLATFORM = {
    "BUILDPLATFORM", "BUILDOS", "BUILDARCH", "BUILDVARIANT", "TARGETPLATFORM", "TARGETOS", "TARGETARCH", "TARGETVARIANT",
    "TARGETSTAGE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "PATH",
}  # fmt: skip
_DESCRIPTIONS = {
    "ConsistentInstructionCasing": "Keywords of a Dockerfile should be written one way",
    "DuplicateStageName": "Stage names should be unique",
    "ExposeProtoCasing": "The protocol of EXPOSE should be in lower case",
    "FromAsCasing": "FROM and AS should be written in the same case",
    "JSONArgsRecommended": "JSON form keeps CMD and ENTRYPOINT from losing signals in a shell",
    "LegacyKeyValueFormat": "ENV and LABEL should be written with an equals sign",
    "MaintainerDeprecated": "MAINTAINER is deprecated: use a label",
    "MultipleInstructionsDisallowed": "Only the last of several such instructions in a stage counts",
    "NoEmptyContinuation": "Empty lines within an instruction will be an error",
    "RedundantTargetPlatform": "$TARGETPLATFORM is what FROM takes anyway",
    "ReservedStageName": "Stages should not be named as what is reserved",
    "SecretsUsedInArgOrEnv": "Sensitive data should not be in ARG or ENV",
    "StageNameCasing": "Stage names should be in lower case",
    "UndefinedVar": "Variables should be defined before they are used",
    "WorkdirRelativePath": "A relative WORKDIR may end up elsewhere when the base image changes",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """``lines`` are pairs of first and last line, from 1."""

    rule: str
    detail: str
    lines: tuple[tuple[int, int], ...]

    @property
    def description(self) -> str:
        return _DESCRIPTIONS[self.rule]

    @property
    def url(self) -> str:
        return (
            _PAGE + re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=JSON)(?=[A-Z])", "-", self.rule).lower() + "/"
        )


def check(text: str, parsed: Dockerfile, arguments: Mapping[str, str]) -> list[Finding]:
    """What is to be said of a Dockerfile, in the order of its lines; what `# check=skip=…` names is left out."""
    skipped = _skipped(parsed.directives.get("check", ""))
    if "all" in skipped:
        return []
    found = [
        *_casing(parsed),
        *_stages(parsed),
        *_each(parsed),
        *_variables(parsed, arguments),
        *_gaps(text, parsed),
    ]
    found = [one for one in found if one.rule not in skipped]
    return sorted(dict.fromkeys(found), key=lambda one: (one.lines, one.rule))


def _skipped(text: str) -> set[str]:
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip() == "skip":
            return {word.strip() for word in value.split(",")}
    return set()


def _at(instruction: Instruction) -> tuple[tuple[int, int], ...]:
    return (
        (instruction.first, instruction.last if not instruction.heredocs else instruction.first),
    )


def _casing(parsed: Dockerfile) -> Iterator[Finding]:
    words = [one.word for one in parsed.instructions]
    upper = sum(word.isupper() for word in words) >= sum(word.islower() for word in words)
    for one in parsed.instructions:
        if (one.word.isupper() if upper else one.word.islower()) is False:
            case = "uppercase" if upper else "lowercase"
            text = f"Command '{one.word}' should match the case of the command majority ({case})"
            yield Finding("ConsistentInstructionCasing", text, _at(one))


def _stages(parsed: Dockerfile) -> Iterator[Finding]:
    names: set[str] = set()
    seen: dict[str, Instruction] = {}
    for one in parsed.instructions:
        if one.keyword != "FROM":
            if one.keyword in {"CMD", "ENTRYPOINT", "HEALTHCHECK"}:
                if (before := seen.get(one.keyword)) is not None:
                    text = f"Multiple {one.keyword} instructions should not be used in the same stage because only the last one will be used"
                    yield Finding("MultipleInstructionsDisallowed", text, _at(before))
                seen[one.keyword] = one
            continue
        seen = {}
        if one.flag("platform") in {"$TARGETPLATFORM", "${TARGETPLATFORM}"}:
            text = f"Setting platform to predefined {one.flag('platform')} in FROM is redundant as this is the default behavior"
            yield Finding("RedundantTargetPlatform", text, _at(one))
        words = one.rest.split()
        if len(words) != 3:
            continue
        if words[1].isupper() != one.word.isupper():
            yield Finding(
                "FromAsCasing",
                f"'{words[1]}' and '{one.word}' keywords' casing do not match",
                _at(one),
            )
        if words[2] != words[2].lower():
            yield Finding(
                "StageNameCasing", f"Stage name '{words[2]}' should be lowercase", _at(one)
            )
        if words[2].lower() in {"scratch", "context"}:
            yield Finding(
                "ReservedStageName",
                f'Stage name should not use the same name as reserved stage "{words[2].lower()}"',
                _at(one),
            )
        if words[2].lower() in names:
            yield Finding(
                "DuplicateStageName",
                f'Duplicate stage name "{words[2]}", stage names should be unique',
                _at(one),
            )
        names.add(words[2].lower())


def _each(parsed: Dockerfile) -> Iterator[Finding]:
    rooted = shelled = False
    for one in parsed.instructions:
        match one.keyword:
            case "FROM":
                rooted = shelled = False
            case "SHELL":
                shelled = True
            case "CMD" | "ENTRYPOINT":
                if one.words is None and not shelled:
                    text = f"JSON arguments recommended for {one.keyword} to prevent unintended behavior related to OS signals"
                    yield Finding("JSONArgsRecommended", text, _at(one))
            case "MAINTAINER":
                yield Finding(
                    "MaintainerDeprecated",
                    "Maintainer instruction is deprecated in favor of using label",
                    _at(one),
                )
            case "WORKDIR":
                if not rooted and not one.rest.startswith(("/", "$", '"', "'")):
                    yield Finding(
                        "WorkdirRelativePath",
                        f'Relative workdir "{one.rest}" can have unexpected results if the base image changes',
                        _at(one),
                    )
                rooted = True
            case "EXPOSE":
                for word in one.rest.split():
                    if word != word.lower() and "$" not in word:
                        yield Finding(
                            "ExposeProtoCasing",
                            f"Defined protocol '{word}' in EXPOSE instruction should be lowercase",
                            _at(one),
                        )
            case "ENV" | "LABEL":
                if "=" not in one.rest.split()[0]:
                    text = f'"{one.keyword} key=value" should be used instead of legacy "{one.keyword} key value" format'
                    yield Finding("LegacyKeyValueFormat", text, _at(one))
        if one.keyword in {"ARG", "ENV"}:
            for name in re.findall(r"(?:^|\s)([A-Za-z_]\w*)(?==|\s|$)", one.rest):
                if _SECRET.search(name) and not name.upper().startswith("PUBLIC"):
                    text = f'Do not use ARG or ENV instructions for sensitive data ({one.keyword} "{name}")'
                    yield Finding("SecretsUsedInArgOrEnv", text, _at(one))
                if one.keyword == "ENV" and "=" not in one.rest.split()[0]:
                    break


def _variables(parsed: Dockerfile, arguments: Mapping[str, str]) -> Iterator[Finding]:
    """Only where nothing comes from a base image that is not known here."""
    known: set[str] = set()
    certain = False
    for one in parsed.instructions:
        if one.keyword == "FROM":
            known, certain = set(_PLATFORM), one.rest.split()[:1] == ["scratch"]
            continue
        if one.keyword in {"ENV", "ARG"}:
            known |= set(re.findall(r"(?:^|\s)([A-Za-z_]\w*)(?==|\s|$)", one.rest))
            continue
        if one.keyword not in {"COPY", "ADD", "WORKDIR", "USER", "EXPOSE", "LABEL", "VOLUME"}:
            continue
        expander = Expander(dict.fromkeys([*known, *arguments], "x"), parsed.escape)
        try:
            expander.word(one.rest)
        except DockerfileError:
            continue  # the build itself says what is wrong
        if certain:
            for name in sorted(expander.unknown):
                yield Finding("UndefinedVar", f"Usage of undefined variable '${name}'", _at(one))


def _gaps(text: str, parsed: Dockerfile) -> Iterator[Finding]:
    lines = text.splitlines()
    for one in parsed.instructions:
        if one.heredocs:
            continue
        inner = lines[one.first : one.last - 1]
        if any(not line.strip() for line in inner):
            yield Finding(
                "NoEmptyContinuation", f"Empty continuation line found in: {one.text}", _at(one)
            )


def report(text: str, filename: str, arguments: Mapping[str, str]) -> dict[str, bytes]:
    """What the subrequest frontend.lint answers: its metadata."""
    warnings: list[dict[str, Any]] = []
    failure: dict[str, Any] | None = None
    try:
        parsed = parse(text)
    except DockerfileError as error:
        lines = [(error.first, error.last)] if error.first else []
        failure = {"message": error.message, "location": _location(lines)}
    else:
        warnings += [
            {
                "ruleName": one.rule,
                "description": one.description,
                "url": one.url,
                "detail": one.detail,
                "location": _location(one.lines),
            }
            for one in check(text, parsed, arguments)
        ]
    value: dict[str, Any] = {"warnings": warnings}
    source = {
        "filename": filename,
        "language": "Dockerfile",
        "data": b64encode(text.encode("utf-8", "surrogateescape")).decode(),
    }
    value["sources"] = [source]
    if failure is not None:
        value["buildError"] = failure
    plain = (
        "".join(
            f"\nWARNING: {one['ruleName']} - {one['url']}\n{one['detail']}\n" for one in warnings
        )
        or "Check complete, no warnings found.\n"
    )
    return {
        "result.json": json.dumps(value).encode(),
        "result.txt": plain.encode(),
        "result.statuscode": b"1" if warnings or failure else b"0",
        "version": b"1.0.0",
    }


def _location(lines: tuple[tuple[int, int], ...] | list[tuple[int, int]]) -> dict[str, Any]:
    ranges = [{"start": {"line": first}, "end": {"line": last}} for first, last in lines]
    return {"sourceIndex": 0, "ranges": ranges}
