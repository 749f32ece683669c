"""Between what stands in the build form and a BuildSpec, and what does not go together. No Qt in it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dockdesk.core.masking import looks_secret, split_pairs
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildOutput, BuildSecret, BuildSpec
from dockdesk.core.units import parse_bytes
from dockdesk.runspec.checks import lines_of
from dockdesk.runspec.render import size_flag
from dockdesk.ui.panes.dockerfiles.build_facts import FileFacts
from dockdesk.ui.panes.dockerfiles.build_fields import (
    ARG,
    FILE_OUTPUTS,
    SECRET,
    BuildSection,
    words_of,
)


@dataclass(frozen=True, slots=True)
class BuilderFacts:
    """What builds: ``name`` and ``driver`` of a builder of buildx's, "" for the engine's own."""

    buildkit: bool = True
    name: str = ""
    driver: str = ""


def default_tag(folder: Path) -> str:
    """The name that a project's folder suggests: lower case, without what no image may have in its name."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")
    return f"{name or 'app'}:latest"


def spec_of(
    values: Mapping[str, Any], facts: FileFacts, dockerfile: str = "", text: str | None = None
) -> BuildSpec:
    """The build that the form describes. Raises ValueError for values that `problems_of` complains about."""
    shm = str(values.get("shm_size") or "").strip()
    return BuildSpec(
        context=Path(os.path.abspath(os.path.expanduser(_text(values, "context")))),
        dockerfile=dockerfile,
        text=text,
        tags=tuple(words_of(values.get("tags"))),
        target=_text(values, "target"),
        args=_args_of(values, facts),
        secrets=_secrets_of(values, facts),
        ssh=tuple(words_of(values.get("ssh"))),
        platforms=tuple(words_of(values.get("platforms"))),
        labels=tuple(split_pairs(lines_of(values.get("labels")))),
        cache_from=tuple(lines_of(values.get("cache_from"))),
        cache_to=tuple(lines_of(values.get("cache_to"))),
        no_cache=bool(values.get("no_cache")),
        no_cache_stages=tuple(words_of(values.get("no_cache_stages"))),
        pull=bool(values.get("pull")),
        network="" if _text(values, "network") == "default" else _text(values, "network"),
        add_hosts=tuple(lines_of(values.get("add_hosts"))),
        shm_size=parse_bytes(shm) if shm else 0,
        outputs=(_output_of(values),),
        builder=_text(values, "builder"),
        classic=bool(values.get("classic")),
    )


def values_of(spec: BuildSpec, facts: FileFacts) -> dict[str, Any]:
    """What the form's fields hold for a build; the rest, such as an argument that the file lost, is kept as text."""
    own_args = {arg.name for arg in facts.args}
    own_secrets = {secret.id for secret in facts.secrets}
    output = spec.outputs[0] if spec.outputs else BuildOutput("none")
    values: dict[str, Any] = {
        "context": str(spec.context),
        "tags": " ".join(spec.tags),
        "target": spec.target,
        "ssh": " ".join(spec.ssh),
        "platforms": ", ".join(spec.platforms),
        "labels": "\n".join(f"{name}={value}" for name, value in spec.labels),
        "cache_from": "\n".join(spec.cache_from),
        "cache_to": "\n".join(spec.cache_to),
        "no_cache": spec.no_cache,
        "no_cache_stages": " ".join(spec.no_cache_stages),
        "pull": spec.pull,
        "network": spec.network,
        "add_hosts": "\n".join(spec.add_hosts),
        "shm_size": size_flag(spec.shm_size) if spec.shm_size else "",
        "output": output.kind,
        "output_file": output.path if output.kind in FILE_OUTPUTS else "",
        "output_folder": output.path if output.kind == "local" else "",
        "builder": spec.builder,
        "classic": spec.classic,
    }
    values |= {f"{ARG}{name}": "" for name in own_args}
    values |= {f"{SECRET}{id}": "" for id in own_secrets}
    others = []
    for name, value in spec.args:
        if name in own_args and value:
            values[f"{ARG}{name}"] = value
        else:
            others.append(f"{name}={value}")
    values["args"] = "\n".join(others)
    written = []
    for secret in spec.secrets:
        if secret.id in own_secrets:
            values[f"{SECRET}{secret.id}"] = secret.file or f"${secret.variable or secret.id}"
        else:
            written.append(_written(secret))
    values["secrets"] = "\n".join(written)
    return values


def problems_of(
    values: Mapping[str, Any],
    sections: Sequence[BuildSection],
    facts: FileFacts,
    builder: BuilderFacts,
) -> dict[str, str]:
    """Field id → what is wrong with it, single fields first, then what does not go together."""
    found = {
        field.id: problem
        for section in sections
        for field in section.fields
        if (problem := field.problem(values.get(field.id, field.default))) is not None
    }
    for id, problem in _combined(values, facts, builder).items():
        found.setdefault(id, problem)
    return found


def _combined(values: Mapping[str, Any], facts: FileFacts, builder: BuilderFacts) -> dict[str, str]:
    found: dict[str, str] = {}
    stages = set(facts.stages)
    target = _text(values, "target")
    if stages and target and target.lower() not in stages and not target.isdecimal():
        found["target"] = f"The file has no stage “{target}”. It has {', '.join(facts.stages)}."
    for name in words_of(values.get("no_cache_stages")):
        if name.lower() not in stages:
            found["no_cache_stages"] = f"The file has no stage “{name}”."
    kind = _text(values, "output") or "image"
    if kind in FILE_OUTPUTS and not _text(values, "output_file"):
        found["output_file"] = "Choose where the archive goes."
    if kind == "local" and not _text(values, "output_folder"):
        found["output_folder"] = "Choose where the files go."
    if kind == "push" and not words_of(values.get("tags")):
        found["tags"] = "What is pushed needs a tag that names the registry."
    for secret in facts.secrets:
        id = f"{SECRET}{secret.id}"
        other = any(
            f"id={secret.id}" in line.split(",") for line in lines_of(values.get("secrets"))
        )
        if secret.required and not _text(values, id) and not other:
            found[id] = f"Line {secret.line + 1} fails without it."
    if not builder.name and (not builder.buildkit or values.get("classic")):
        found |= _without_buildkit(values, kind, facts)
    else:
        found |= _with_buildkit(values, kind, builder)
    return found


def _without_buildkit(values: Mapping[str, Any], kind: str, facts: FileFacts) -> dict[str, str]:
    found: dict[str, str] = {}
    why = "Without BuildKit"
    if len(words_of(values.get("platforms"))) > 1:
        found["platforms"] = f"{why} an image has one platform."
    if kind not in {"image", "push", "docker"}:
        found["output"] = f"{why} the result is an image, pushed or saved."
    for id, words in (
        ("secrets", "there are no secrets"),
        ("ssh", "no ssh agent is passed on"),
        ("cache_to", "no cache is written"),
        ("no_cache_stages", "a single stage can't be built without cache"),
    ):
        if _text(values, id):
            found[id] = f"{why} {words}."
    for secret in facts.secrets:
        if _text(values, f"{SECRET}{secret.id}"):
            found[f"{SECRET}{secret.id}"] = f"{why} there are no secrets."
    return found


def _with_buildkit(values: Mapping[str, Any], kind: str, builder: BuilderFacts) -> dict[str, str]:
    found: dict[str, str] = {}
    several = len(words_of(values.get("platforms"))) > 1
    if several and kind == "docker":
        found["output"] = "A docker archive holds one platform; an OCI archive holds several."
    if several and kind == "image" and builder.name and builder.driver != "docker":
        found["output"] = (
            "This builder can load one platform into the engine. Push several, or make an OCI archive."
        )
    return found


def notes_of(values: Mapping[str, Any], builder: BuilderFacts) -> list[str]:
    """What is worth knowing of a combination that may work."""
    notes = []
    kind = _text(values, "output") or "image"
    several = len(words_of(values.get("platforms"))) > 1
    own = not builder.name
    if not builder.buildkit and own:
        notes.append("This engine has no BuildKit: it builds classically.")
    elif several and own and kind in {"image", "push"}:
        notes.append(
            "Several platforms need the engine's containerd image store; a builder made with buildx can push them too."
        )
    kinds = {line.partition(",")[0] for line in lines_of(values.get("cache_to"))}
    if own and kinds - {"type=inline"}:
        notes.append(
            "The engine's own builder may write cache only inline, unless its image store is containerd's."
        )
    if kind in {"tar", "local", "none"} and words_of(values.get("tags")):
        notes.append("Nothing is tagged: there is no image.")
    return notes


def secret_names(spec: BuildSpec) -> list[str]:
    """The arguments and labels whose values are not kept."""
    return [name for name, value in (*spec.args, *spec.labels) if value and looks_secret(name)]


def _text(values: Mapping[str, Any], id: str) -> str:
    return str(values.get(id) or "").strip()


def _args_of(values: Mapping[str, Any], facts: FileFacts) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for arg in facts.args:
        if value := str(values.get(f"{ARG}{arg.name}") or ""):
            found[arg.name] = value
    for name, value in split_pairs(lines_of(values.get("args"))):
        found.setdefault(name, value)
    return tuple(found.items())


def _secrets_of(values: Mapping[str, Any], facts: FileFacts) -> tuple[BuildSecret, ...]:
    found: dict[str, BuildSecret] = {}
    for secret in facts.secrets:
        value = _text(values, f"{SECRET}{secret.id}")
        if value.startswith("$"):
            found[secret.id] = BuildSecret(secret.id, variable=value.strip("${}"))
        elif value:
            found[secret.id] = BuildSecret(secret.id, value)
    for line in lines_of(values.get("secrets")):
        parts = (part.partition("=") for part in line.split(","))
        pairs = {key.strip(): value.strip() for key, _, value in parts}
        id = pairs.get("id", "")
        file = pairs.get("src") or pairs.get("source") or ""
        found.setdefault(id, BuildSecret(id, file, "" if file else pairs.get("env") or id))
    return tuple(found.values())


def _written(secret: BuildSecret) -> str:
    if secret.file:
        return f"id={secret.id},src={secret.file}"
    return f"id={secret.id},env={secret.variable or secret.id}"


def _output_of(values: Mapping[str, Any]) -> BuildOutput:
    kind = _text(values, "output") or "image"
    path = ""
    if kind in FILE_OUTPUTS:
        path = _text(values, "output_file")
    elif kind == "local":
        path = _text(values, "output_folder")
    return BuildOutput(kind, path)
