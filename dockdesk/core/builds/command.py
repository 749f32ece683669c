"""A build as the user's other tools write it. Secrets are named in it, never spelled out.

The value of a build argument whose name says secret is taken from the command's environment, which other users of the
computer can't read, unlike its arguments: `--build-arg NAME`.
Source: docker/buildx, docs/reference/buildx_build.md; Engine API, ImageBuild; docker SDK, images.build.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from dockdesk.core.actions import Equivalent
from dockdesk.core.masking import looks_secret, masked_value
from dockdesk.core.resources.builds import BuildSpec

_KINDS = {"image": "--load", "push": "--push"}


def build_command(spec: BuildSpec, metadata: str = "") -> list[str]:
    """The command that builds, telling its progress as JSON; to be run with `secret_arguments` in its environment.

    ``metadata`` is a file to be told the result.
    """
    command = ["docker", "buildx", "build", "--progress=rawjson"]
    command += [word for group in _options(spec) for word in group]
    if metadata:
        command += ["--metadata-file", metadata]
    return [*command, "--", str(spec.context)]


def secret_arguments(spec: BuildSpec) -> dict[str, str]:
    """The build arguments whose values are not to be seen, as variables for the command's environment."""
    return {name: value for name, value in spec.args if looks_secret(name)}


def build_equivalent(
    spec: BuildSpec, wrapped: bool = False, classic: bool = False, opened: bool = False
) -> Equivalent:
    """The same build in the user's other tools.

    ``wrapped``: the command is broken into lines. ``classic``: the engine has no BuildKit. ``opened``: the Dockerfile
    is what stands in the editor, other than on the disk.
    """
    return Equivalent(
        _shown_command(spec, wrapped, classic, opened), _sdk(spec), _api(spec, classic)
    )


def _options(spec: BuildSpec) -> Iterator[list[str]]:
    if spec.builder:
        yield ["--builder", spec.builder]
    if spec.text is not None:
        yield ["--file", "-"]
    elif spec.dockerfile:
        yield ["--file", str(spec.context / Path(spec.dockerfile).expanduser())]
    repeated: list[tuple[str, Sequence[str]]] = [
        ("--tag", spec.tags),
        ("--build-arg", [_argument(name, value) for name, value in spec.args]),
        ("--label", [f"{name}={value}" for name, value in spec.labels]),
        ("--secret", [_secret(item.id, item.file, item.variable) for item in spec.secrets]),
        ("--ssh", spec.ssh),
        ("--cache-from", spec.cache_from),
        ("--cache-to", spec.cache_to),
        ("--no-cache-filter", spec.no_cache_stages),
        ("--add-host", spec.add_hosts),
        (
            "--output",
            [_output(item.kind, item.path) for item in spec.outputs if item.kind not in _KINDS],
        ),
    ]
    for option, values in repeated:
        yield from ([option, value] for value in values)
    single = {
        "--target": spec.target,
        "--platform": ",".join(spec.platforms),
        "--network": spec.network,
        "--shm-size": str(spec.shm_size) if spec.shm_size else "",
    }
    yield from ([option, value] for option, value in single.items() if value)
    switches = {"--no-cache": spec.no_cache, "--pull": spec.pull}
    yield from ([option] for option, on in switches.items() if on)
    yield from ([_KINDS[item.kind]] for item in spec.outputs if item.kind in _KINDS)


def _argument(name: str, value: str) -> str:
    return name if looks_secret(name) else f"{name}={value}"


def _secret(id: str, file: str, variable: str) -> str:
    if file:
        return f"id={id},src={os.path.expanduser(file)}"
    return f"id={id},env={variable or id}"


def _output(kind: str, path: str) -> str:
    if kind == "none":
        return "type=cacheonly"
    return f"type={kind},dest={os.path.expanduser(path)}"


def _shown_command(spec: BuildSpec, wrapped: bool, classic: bool, opened: bool) -> str:
    # `docker build` is buildx's where it is installed; without BuildKit it is the old builder's.
    classically = ["DOCKER_BUILDKIT=0", "docker", "build"]
    groups = [classically if classic else ["docker", "buildx", "build"]]
    for group in _options(spec):
        # As a user would type it: `docker build` loads into the engine by itself, unless another builder is chosen.
        if group == ["--load"] and not spec.builder:
            continue
        groups.append([group[0], *(_shown_word(group[0], word) for word in group[1:])])
    groups.append([str(spec.context)])
    lines = [shlex.join(group) for group in groups]
    if spec.text is not None:
        lines[-1] += f" < {shlex.quote(str(spec.context / (spec.dockerfile or 'Dockerfile')))}"
    text = (" \\\n  " if wrapped else " ").join(lines)
    return f"# With the Dockerfile as it stands in the editor:\n{text}" if opened else text


def _shown_word(option: str, word: str) -> str:
    if option in {"--build-arg", "--label"} and "=" in word:
        name, _, value = word.partition("=")
        return f"{name}={masked_value(name, value)}"
    return masked_value("", word)


def _sdk(spec: BuildSpec) -> str:
    values: dict[str, object] = {
        "path": str(spec.context),
        "dockerfile": spec.dockerfile,
        "tag": spec.tags[0] if spec.tags else "",
        "target": spec.target,
        "buildargs": {name: masked_value(name, value) for name, value in spec.args},
        "labels": {name: masked_value(name, value) for name, value in spec.labels},
        "cache_from": [masked_value("", item) for item in spec.cache_from],
        "platform": spec.platforms[0] if spec.platforms else "",
        "network_mode": spec.network,
        "extra_hosts": dict(item.split(":", 1) for item in spec.add_hosts if ":" in item),
        "shmsize": spec.shm_size,
        "nocache": spec.no_cache,
        "pull": spec.pull,
    }
    given = ", ".join(f"{name}={value!r}" for name, value in values.items() if value)
    lines = []
    if missing := _beyond_the_sdk(spec):
        lines.append(f"# The docker SDK builds without BuildKit: it has no {missing}.")
    lines.append(f"image, log = client.images.build({given}, rm=True)")
    lines += [f"image.tag({tag!r})" for tag in spec.tags[1:]]
    if any(item.kind == "push" for item in spec.outputs):
        lines += [f"client.images.push({tag!r})" for tag in spec.tags]
    return "\n".join(lines)


def _beyond_the_sdk(spec: BuildSpec) -> str:
    wanted = {
        "secrets": spec.secrets,
        "ssh": spec.ssh,
        "cache export": spec.cache_to,
        "several platforms": spec.platforms[1:],
        "cache by stage": spec.no_cache_stages,
        "outputs": [item for item in spec.outputs if item.kind not in {"image", "push"}],
        "builders": spec.builder,
    }
    names = [name for name, value in wanted.items() if value]
    return " and no ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _api(spec: BuildSpec, classic: bool) -> str:
    if spec.builder:
        return ""  # buildx talks to the builder's own API
    parameters: list[tuple[str, str]] = [("t", tag) for tag in spec.tags]
    if not classic:
        parameters = [("version", "2"), ("session", "{id}"), *parameters]
    if spec.text is None and spec.dockerfile:
        parameters.append(("dockerfile", spec.dockerfile))
    parameters += [
        (name, value)
        for name, value in (
            ("target", spec.target),
            ("platform", ",".join(spec.platforms)),
            ("networkmode", spec.network),
            ("extrahosts", ",".join(spec.add_hosts)),
            ("shmsize", str(spec.shm_size or "")),
            ("nocache", "1" if spec.no_cache else ""),
            ("pull", "1" if spec.pull else ""),
            ("buildargs", _as_json(spec.args)),
            ("labels", _as_json(spec.labels)),
        )
        if value
    ]
    query = "&".join(f"{name}={quote(value, safe='/:,{}••')}" for name, value in parameters)
    lines = [] if classic else ["POST /session  (Upgrade: h2c)"]
    lines.append(f"POST /build?{query}" if query else "POST /build")
    if any(item.kind == "push" for item in spec.outputs):
        lines += [f"POST /images/{tag}/push" for tag in spec.tags]
    return "\n".join(lines)


def _as_json(pairs: Sequence[tuple[str, str]]) -> str:
    shown = {name: masked_value(name, value) for name, value in pairs}
    return json.dumps(shown, ensure_ascii=False) if shown else ""
