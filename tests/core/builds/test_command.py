"""A build as a command, an SDK call and an API request, without its secrets."""

from __future__ import annotations

import shlex
from pathlib import Path

from dockdesk.core.builds.command import build_command, build_equivalent, secret_arguments
from dockdesk.core.masking import MASK
from dockdesk.core.resources.builds import BuildOutput, BuildSecret, BuildSpec

SPEC = BuildSpec(
    Path("/work shop"),
    dockerfile="web.docker",
    tags=("app:1", "hub.example/app:1"),
    target="app",
    args=(("V", "1"), ("API_TOKEN", "hunter2")),
    labels=(("db_password", "x,hunter2"),),
    cache_to=("type=s3,secret_access_key=hunter2",),
    secrets=(BuildSecret("npmrc", "/home/me/.npmrc"),),
    outputs=(BuildOutput("push"),),
)


def test_the_value_of_a_secret_argument_is_never_among_the_words() -> None:
    command = build_command(SPEC)
    at = command.index("API_TOKEN")
    assert command[at - 1] == "--build-arg"
    assert "V=1" in command
    assert not any(word.startswith("API_TOKEN=") for word in command)
    assert secret_arguments(SPEC) == {"API_TOKEN": "hunter2"}


def test_equivalents_show_no_secret() -> None:
    for wrapped in (False, True):
        shown = build_equivalent(SPEC, wrapped)
        assert "hunter2" not in shown.cli + shown.sdk + shown.api
    assert MASK in shown.sdk
    assert "no secrets and no cache export." in shown.sdk


def test_the_command_can_be_typed_as_it_stands() -> None:
    words = shlex.split(build_equivalent(SPEC, wrapped=True).cli)
    assert words[:3] == ["docker", "buildx", "build"]
    assert words[-1] == "/work shop"
    assert "--progress=rawjson" not in words
    assert words[words.index("--file") + 1] == "/work shop/web.docker"
    assert "--push" in words


def test_an_engine_without_buildkit_is_told_so() -> None:
    plain = BuildSpec(Path("/shop"), tags=("app",))
    classic = build_equivalent(plain, classic=True)
    assert classic.cli == "DOCKER_BUILDKIT=0 docker build --tag app /shop"
    assert classic.api == "POST /build?t=app"
    native = build_equivalent(plain)
    assert native.cli == "docker buildx build --tag app /shop"
    assert native.api.splitlines()[0].startswith("POST /session")
    assert native.sdk == "image, log = client.images.build(path='/shop', tag='app', rm=True)"


def test_unsaved_text_is_said() -> None:
    plain = BuildSpec(Path("/shop"), text="FROM a\n", tags=("app",))
    shown = build_equivalent(plain, opened=True).cli
    assert "editor" in shown.splitlines()[0]
    assert shown.endswith("--file - --tag app /shop < /shop/Dockerfile")


def test_another_builder_loads_into_the_engine() -> None:
    spec = BuildSpec(Path("/shop"), tags=("app",), builder="farm")
    words = shlex.split(build_equivalent(spec).cli)
    assert {"--builder", "farm", "--load"} <= set(words)
    assert build_equivalent(spec).api == ""
