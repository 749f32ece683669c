"""What the build form asks for a file, what its values mean, and what is kept of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dockdesk.core.errors import LocalError
from dockdesk.core.forms import FieldKind
from dockdesk.core.resources.builds import BuildOutput, BuildSecret, BuildSpec
from dockdesk.dockerfile.syntax import parse
from dockdesk.ui.panes.dockerfiles.build_facts import FileFacts, facts_of
from dockdesk.ui.panes.dockerfiles.build_fields import sections_of
from dockdesk.ui.panes.dockerfiles.build_form import (
    BuilderFacts,
    default_tag,
    notes_of,
    problems_of,
    spec_of,
    values_of,
)
from dockdesk.ui.panes.dockerfiles.build_presets import SHARED, BuildPresets

TEXT = """ARG TAG=1.2
FROM alpine:${TAG} AS base
ARG API_TOKEN
ARG TARGETPLATFORM
RUN --mount=type=secret,id=npmrc,required=true --mount=type=ssh make
FROM base AS app
ARG TAG
RUN --mount=type=secret,target=/run/keys/pip make
"""
FACTS = facts_of(parse(TEXT))
NATIVE, CLASSIC = BuilderFacts(), BuilderFacts(buildkit=False)


def problems(
    builder: BuilderFacts = NATIVE, facts: FileFacts = FACTS, **values: Any
) -> dict[str, str]:
    full = {"context": "/shop", "secret:npmrc": "/s", **values}
    return problems_of(full, sections_of(facts), facts, builder)


def test_a_file_says_what_it_wants_to_be_given() -> None:
    assert FACTS.stages == ("base", "app")
    assert [(arg.name, arg.default, arg.stage) for arg in FACTS.args] == [
        ("TAG", "1.2", ""),
        ("API_TOKEN", None, "base"),
    ]
    assert [(secret.id, secret.required) for secret in FACTS.secrets] == [
        ("npmrc", True),
        ("pip", False),
    ]
    assert FACTS.ssh == ("default",)
    fields = {field.id: field for section in sections_of(FACTS) for field in section.fields}
    assert fields["arg:TAG"].placeholder == "1.2"
    assert fields["arg:API_TOKEN"].kind is FieldKind.SECRET
    assert [choice.value for choice in fields["target"].choices] == ["base", "app"]
    assert facts_of(None) == FileFacts()


def test_many_arguments_get_a_section_of_their_own() -> None:
    facts = facts_of(parse("FROM a\n" + "".join(f"ARG A{n}\n" for n in range(9))))
    general, args, *_rest = sections_of(facts)
    assert not any(field.id.startswith("arg:") for field in general.fields)
    assert [field.id for field in args.fields][:2] == ["arg:A0", "arg:A1"]


def test_values_become_a_spec_and_come_back() -> None:
    spec = BuildSpec(
        Path("/shop"),
        "/shop/Dockerfile",
        tags=("app:1", "hub.example/app:1"),
        target="app",
        args=(("TAG", "3"), ("OTHER", "x=y"), ("EMPTY", "")),
        secrets=(
            BuildSecret("npmrc", "/s"),
            BuildSecret("pip", variable="PIP"),
            BuildSecret("z", "/z"),
        ),
        ssh=("default",),
        platforms=("linux/amd64", "linux/arm64"),
        labels=(("a", "b"),),
        cache_from=("type=registry,ref=a/b",),
        cache_to=("type=inline",),
        no_cache=True,
        no_cache_stages=("app",),
        pull=True,
        network="host",
        add_hosts=("db:10.0.0.5",),
        shm_size=64 << 20,
        outputs=(BuildOutput("oci", "/tmp/a.tar"),),
        builder="farm",
    )
    values = values_of(spec, FACTS)
    assert values["args"] == "OTHER=x=y\nEMPTY="
    assert values["secret:pip"] == "$PIP"
    again = spec_of(values, FACTS, "/shop/Dockerfile")
    assert again == spec
    assert (
        problems_of(values, sections_of(FACTS), FACTS, BuilderFacts(True, "farm", "remote")) == {}
    )


def test_the_name_of_a_folder_becomes_a_tag() -> None:
    assert default_tag(Path("/home/me/My Shop_2!")) == "my-shop-2:latest"
    assert default_tag(Path("/")) == "app:latest"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tags", "ok:1 Not:ok"),
        ("tags", f"app@sha256:{'0' * 64}"),
        ("target", "nowhere"),
        ("args", "no equals sign"),
        ("secrets", "npmrc"),
        ("platforms", "linux arm64!"),
        ("labels", "=x"),
        ("cache_from", "no-type=1"),
        ("no_cache_stages", "base other"),
        ("add_hosts", "db"),
        ("shm_size", "much"),
        ("secret:npmrc", ""),
        ("context", " "),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_at_its_field(field: str, value: str) -> None:
    given: dict[str, Any] = {field: value}
    assert list(problems(**given)) == [field]


def test_what_does_not_go_together_is_explained() -> None:
    assert problems() == {}
    assert "registry" in problems(output="push")["tags"]
    assert list(problems(output="tar")) == ["output_file"]
    assert list(problems(output="local")) == ["output_folder"]
    several = "linux/amd64, linux/arm64"
    assert "OCI" in problems(platforms=several, output="docker", output_file="/x")["output"]
    farm = BuilderFacts(True, "farm", "docker-container")
    assert "Push" in problems(farm, platforms=several)["output"]
    assert "containerd" in notes_of({"platforms": several}, NATIVE)[0]
    assert "inline" in notes_of({"cache_to": "type=registry,ref=a"}, NATIVE)[0]


def test_an_engine_without_buildkit_takes_less() -> None:
    found = problems(
        CLASSIC,
        ssh="default",
        cache_to="type=inline",
        platforms="linux/amd64,linux/arm64",
        output="none",
    )
    assert set(found) == {"ssh", "cache_to", "platforms", "output", "secret:npmrc"}
    # A builder of buildx's has it, whatever the engine is.
    assert problems(BuilderFacts(False, "farm", "remote"), ssh="default") == {}
    assert "classically" in notes_of({}, CLASSIC)[0]


# What is kept.

SPEC = BuildSpec(
    Path("/work/shop/sub"),
    "/work/shop/Dockerfile",
    text="FROM a\n",
    tags=("shop:1",),
    args=(("V", "1"), ("API_TOKEN", "hunter2")),
    labels=(("password", "hunter2"),),
    cache_to=("type=s3,secret_access_key=hunter2",),
)


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder / "Dockerfile"


def _spec(dockerfile: Path) -> BuildSpec:
    from dataclasses import replace

    return replace(SPEC, context=dockerfile.parent / "sub", dockerfile=str(dockerfile))


def test_settings_are_kept_without_secrets(tmp_path: Path, dockerfile: Path) -> None:
    presets = BuildPresets(tmp_path / "data")
    assert presets.load(dockerfile).last is None
    presets.remember(dockerfile, _spec(dockerfile))
    assert presets.save(dockerfile, "release", _spec(dockerfile), False) == [
        "API_TOKEN",
        "password",
    ]
    written = "".join(path.read_text() for path in (tmp_path / "data").rglob("*.json"))
    assert "shop:1" in written
    assert "hunter2" not in written
    kept = BuildPresets(tmp_path / "data").load(dockerfile)
    assert kept.last is not None
    assert (kept.last.tags, kept.last.args) == (("shop:1",), (("V", "1"),))
    assert kept.last.context == dockerfile.parent / "sub"
    assert list(kept.presets) == ["release"]
    assert not (dockerfile.parent / SHARED).exists()


def test_a_preset_can_lie_in_the_project_and_move_with_it(tmp_path: Path, dockerfile: Path) -> None:
    presets = BuildPresets(tmp_path / "data")
    presets.save(dockerfile, "release", _spec(dockerfile), False)
    presets.save(dockerfile, "release", _spec(dockerfile), True)
    written = (dockerfile.parent / SHARED).read_text()
    assert str(tmp_path) not in written
    assert "hunter2" not in written
    moved = dockerfile.parent.rename(tmp_path / "elsewhere")
    kept = BuildPresets(None).load(moved / "Dockerfile")
    assert kept.presets["release"].shared
    assert kept.presets["release"].spec.context == moved / "sub"
    # One name stands in one place.
    dockerfile.parent.mkdir()
    assert presets.load(dockerfile).presets == {}
    presets.remove(moved / "Dockerfile", "release")
    assert presets.load(moved / "Dockerfile").presets == {}


def test_a_broken_file_is_told_and_kept(tmp_path: Path, dockerfile: Path) -> None:
    presets = BuildPresets(tmp_path / "data")
    file = dockerfile.parent / SHARED
    file.parent.mkdir()
    file.write_text("{")
    with pytest.raises(LocalError, match="can't be read"):
        presets.load(dockerfile)
    with pytest.raises(LocalError):
        presets.save(dockerfile, "a", _spec(dockerfile), True)
    assert file.read_text() == "{"
    file.write_text(json.dumps({"presets": {"a": 3, "b": {"context": "."}, "c": {"context": 1}}}))
    assert list(presets.load(dockerfile).presets) == ["b"]
