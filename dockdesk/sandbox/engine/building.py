"""The classic builder: a Dockerfile is really parsed and its COPYs really copy; only RUN pretends.

Source: Dockerfile reference; Engine API, ImageBuild.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import posixpath
import re
import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dockdesk.sandbox.engine import images
from dockdesk.sandbox.engine.catalogue import Program
from dockdesk.sandbox.engine.filesystem import FileSystem, Node, clean, file_node, folder_node
from dockdesk.sandbox.engine.layers import layer_of
from dockdesk.sandbox.engine.state import EngineState, Layer, SimImage, digest_of, with_tag
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.world.traffic import unit

_RUN_SECONDS = 0.25
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")


class BuildError(Exception):
    """A build that failed, with the message of the stream."""


@dataclass(slots=True)
class _Stage:
    name: str
    files: FileSystem
    config: dict[str, Any]
    layers: list[Layer]
    program: Program = field(default_factory=Program)
    shells: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    architecture: str = "amd64"


def instructions(text: str) -> list[tuple[int, str, str]]:
    """(line, instruction, rest) of a Dockerfile. Raises BuildError."""
    found: list[tuple[int, str, str]] = []
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("#") or (not stripped and not pending):
            continue
        start = start or number
        pending += stripped
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        word, _, rest = pending.partition(" ")
        found.append((start, word.upper(), rest.strip()))
        pending, start = "", 0
    if not found:
        raise BuildError("the Dockerfile (Dockerfile) cannot be empty")
    return found


async def build_classic(
    state: EngineState,
    context: dict[str, Node],
    dockerfile: str,
    tags: Sequence[str],
    arguments: Mapping[str, str],
    target: str,
    labels: Mapping[str, str],
) -> AsyncIterator[bytes]:
    """The stream of a build; what it makes is in the image store when the stream ends."""
    try:
        steps = instructions(images.text_of(context, clean(dockerfile)))
        builder = _Builder(state, context, dict(arguments))
        for position, (number, word, rest) in enumerate(steps, 1):
            yield _line(stream=f"Step {position}/{len(steps)} : {word} {rest}\n")
            if (
                target
                and word == "FROM"
                and builder.stage is not None
                and builder.stage.name == target
            ):
                break
            if word == "RUN":
                await asyncio.sleep(_RUN_SECONDS)
            for output in builder.step(number, word, rest):
                yield _line(stream=output)
            yield _line(stream=f" ---> {builder.fingerprint()}\n")
        image = builder.image(labels)
        yield _line(aux={"ID": image.id})
        yield _line(stream=f"Successfully built {image.id[7:19]}\n")
        for tag in tags:
            images.tag(state, image, tag)
            yield _line(stream=f"Successfully tagged {with_tag(tag)}\n")
    except (BuildError, HttpError, ValueError, IndexError, KeyError, TypeError) as error:
        # Besides what is said on purpose: quotes that don't close, JSON of the wrong shape, and the like.
        text = error.message if isinstance(error, HttpError) else str(error)
        if not isinstance(error, BuildError | HttpError):
            text = f"dockerfile parse error: {text}"
        yield _line(errorDetail={"code": 1, "message": text}, error=text)


def _line(**values: Any) -> bytes:
    return json.dumps(values).encode() + b"\r\n"


class _Builder:
    def __init__(
        self, state: EngineState, context: dict[str, Node], arguments: dict[str, str]
    ) -> None:
        self._state = state
        self._context = FileSystem(context)
        self._arguments = arguments
        self._global: dict[str, str] = {}
        self._stages: list[_Stage] = []
        self.stage: _Stage | None = None

    def fingerprint(self) -> str:
        count = len(self.stage.layers) if self.stage else 0
        return digest_of("step", len(self._stages), count)[7:19]

    def step(self, number: int, word: str, rest: str) -> list[str]:
        """Carry out one instruction; returns lines of output. Raises BuildError."""
        if word == "ARG":
            return self._arg(rest)
        if word == "FROM":
            return self._from(rest)
        if self.stage is None:
            raise BuildError("no build stage in current context")
        handler = getattr(self, f"_{word.lower()}", None)
        if handler is None:
            raise BuildError(f"dockerfile parse error line {number}: unknown instruction: {word}")
        output: list[str] = handler(
            self.stage,
            self._expand(rest) if word not in {"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"} else rest,
        )
        if word not in {"RUN", "COPY", "ADD", "WORKDIR"}:
            self.stage.layers.append(Layer(f"{word} {rest}", 0))
        return output

    def _expand(self, text: str) -> str:
        variables = {**self._global, **(self.stage.variables if self.stage else {})}

        def value(match: re.Match[str]) -> str:
            found = variables.get(match[1] or match[2], "")
            if match[3] == "-":
                return found or match[4]
            if match[3] == "+":
                return match[4] if found else ""
            return found

        return _VARIABLE.sub(value, text)

    def _arg(self, rest: str) -> list[str]:
        name, _, default = rest.partition("=")
        value = self._arguments.get(name, default.strip("\"'"))
        (self.stage.variables if self.stage else self._global)[name] = value
        return []

    def _from(self, rest: str) -> list[str]:
        words = [word for word in self._expand(rest).split() if not word.startswith("--")]
        name = words[2] if len(words) == 3 and words[1].lower() == "as" else str(len(self._stages))
        if not words:
            raise BuildError("FROM requires either one or three arguments")
        source = words[0]
        earlier = next((stage for stage in self._stages if stage.name == source), None)
        if source == "scratch":
            stage = _Stage(name, FileSystem({"/": folder_node()}), {}, [])
        elif earlier is not None:
            stage = _Stage(
                name,
                FileSystem(earlier.files.merged()),
                dict(earlier.config),
                list(earlier.layers),
                earlier.program,
                earlier.shells,
                architecture=earlier.architecture,
            )
        else:
            image = self._base(source)
            stage = _Stage(
                name,
                FileSystem(image.tree),
                dict(image.config),
                list(image.layers),
                image.program,
                image.shells,
                architecture=image.architecture,
            )
        stage.variables = dict(
            str(item).partition("=")[::2] for item in stage.config.get("Env") or ()
        )
        self._stages.append(stage)
        self.stage = stage
        return []

    def _base(self, reference: str) -> SimImage:
        image = self._state.find_image(reference)
        if image is None:
            recipe = images.find_recipe(reference)
            if recipe is None:
                raise BuildError(
                    f"pull access denied for {reference}, repository does not exist or may require 'docker login'"
                )
            image = images.add(self._state, images.image_of(recipe, self._state.born))
        return image

    def _run(self, stage: _Stage, rest: str) -> list[str]:
        if re.search(r"(^|[;&|]\s*|\s)(false|exit [1-9])\b", rest):
            raise BuildError(f"The command '/bin/sh -c {rest}' returned a non-zero code: 1")
        size = (
            int(unit("run", rest) ** 3 * 60_000_000)
            if re.search(r"apt|apk|pip|npm|go build|install", rest)
            else int(unit("run", rest) * 40_000)
        )
        number = len(stage.layers)
        # What it would have changed is not known; the note makes it a layer of its own.
        note = {f"/var/log/sandbox-build-{number}.log": file_node(f"pretended: RUN {rest}\n")}
        stage.layers.append(layer_of(f"RUN /bin/sh -c {rest} # buildkit", note, size))
        for path, node in note.items():
            stage.files.put(path, node)
        return [
            f" ---> Running in {digest_of('c', rest)[7:19]}\n",
            "(the sandbox runs nothing: this step is pretended)\n",
        ]

    def _copy(self, stage: _Stage, rest: str) -> list[str]:
        flags = [word for word in shlex.split(rest) if word.startswith("--")]
        words = [word for word in shlex.split(rest) if not word.startswith("--")]
        if rest.lstrip().startswith("["):
            words = json.loads(rest)
        if len(words) < 2:
            raise BuildError("COPY requires at least two arguments, but only one was provided")
        source_files = self._context
        for flag in flags:
            if flag.startswith("--from="):
                source_files = self._files_of(flag[7:])
        *sources, target = words
        folder = posixpath.join(str(stage.config.get("WorkingDir") or "/"), target)
        before = dict(stage.files.upper)
        for source in sources:
            self._copy_one(
                source_files,
                source,
                stage,
                clean(folder),
                target.endswith("/") or len(sources) > 1 or target in {".", "./"},
            )
        stage.layers.append(layer_of(f"COPY {rest} # buildkit", _changed(stage.files, before)))
        return []

    _add = _copy

    def _files_of(self, name: str) -> FileSystem:
        for position, stage in enumerate(self._stages):
            if name in (stage.name, str(position)):
                return stage.files
        return FileSystem(self._base(name).tree)

    def _copy_one(
        self, source_files: FileSystem, source: str, stage: _Stage, target: str, into: bool
    ) -> None:
        if source.startswith(("http://", "https://")):
            raise BuildError(f"ADD failed: the sandbox reaches no network: {source}")
        path = clean(source)
        matches = [path] if source_files.get(path) is not None else _globbed(source_files, path)
        if not matches:
            raise BuildError(
                f"COPY failed: file not found in build context or excluded by .dockerignore: stat {source.lstrip('/')}: file does not exist"
            )
        for match in matches:
            for below, node in source_files.walk(match):
                inside = below[len(match) :].lstrip("/") if match != "/" else below.lstrip("/")
                top = source_files.get(match)
                if top is not None and top.is_folder:
                    where = posixpath.join(target, inside)
                else:
                    existing = stage.files.get(target)
                    as_folder = into or (existing is not None and existing.is_folder)
                    where = (
                        posixpath.join(target, posixpath.basename(match)) if as_folder else target
                    )
                if not (node.is_folder and stage.files.get(clean(where)) is not None):
                    stage.files.put(where, node)

    def _env(self, stage: _Stage, rest: str) -> list[str]:
        pairs = (
            [word.partition("=")[::2] for word in shlex.split(rest)]
            if "=" in rest.split(" ")[0]
            else [tuple(rest.split(" ", 1))]
        )
        env = dict(str(item).partition("=")[::2] for item in stage.config.get("Env") or ())
        env.update((str(pair[0]), str(pair[1])) for pair in pairs if len(pair) == 2)
        stage.config["Env"] = [f"{key}={value}" for key, value in env.items()]
        stage.variables.update(env)
        return []

    def _label(self, stage: _Stage, rest: str) -> list[str]:
        stage.config["Labels"] = {
            **(stage.config.get("Labels") or {}),
            **dict(word.partition("=")[::2] for word in shlex.split(rest)),
        }
        return []

    def _workdir(self, stage: _Stage, rest: str) -> list[str]:
        folder = clean(posixpath.join(str(stage.config.get("WorkingDir") or "/"), rest))
        stage.config["WorkingDir"] = folder
        if stage.files.get(folder) is None:
            before = dict(stage.files.upper)
            stage.files.put(folder, folder_node(modified=self._state.clock.now()))
            stage.layers.append(layer_of(f"WORKDIR {rest}", _changed(stage.files, before)))
        else:
            stage.layers.append(Layer(f"WORKDIR {rest}", 0))
        return []

    def _user(self, stage: _Stage, rest: str) -> list[str]:
        stage.config["User"] = rest
        return []

    def _expose(self, stage: _Stage, rest: str) -> list[str]:
        ports: dict[str, Any] = {
            port if "/" in port else f"{port}/tcp": {} for port in rest.split()
        }
        stage.config["ExposedPorts"] = {**(stage.config.get("ExposedPorts") or {}), **ports}
        return []

    def _volume(self, stage: _Stage, rest: str) -> list[str]:
        paths = json.loads(rest) if rest.startswith("[") else rest.split()
        stage.config["Volumes"] = {
            **(stage.config.get("Volumes") or {}),
            **{path: {} for path in paths},
        }
        return []

    def _cmd(self, stage: _Stage, rest: str) -> list[str]:
        stage.config["Cmd"] = _form(rest)
        return []

    def _entrypoint(self, stage: _Stage, rest: str) -> list[str]:
        stage.config["Entrypoint"], stage.config["Cmd"] = _form(rest), None
        return []

    def _stopsignal(self, stage: _Stage, rest: str) -> list[str]:
        stage.config["StopSignal"] = rest
        return []

    def _healthcheck(self, stage: _Stage, rest: str) -> list[str]:
        if rest.strip().upper() == "NONE":
            stage.config["Healthcheck"] = {"Test": ["NONE"]}
            return []
        _, separator, command = rest.partition("CMD ")
        if not separator:
            raise BuildError("HEALTHCHECK needs CMD or NONE")
        words = _form(command)
        stage.config["Healthcheck"] = {
            "Test": ["CMD", *words] if command.strip().startswith("[") else ["CMD-SHELL", command]
        }
        return []

    def _shell(self, stage: _Stage, rest: str) -> list[str]:
        stage.config["Shell"] = _form(rest)
        return []

    def _maintainer(self, stage: _Stage, rest: str) -> list[str]:
        return self._label(stage, f"maintainer={shlex.quote(rest)}")

    def _onbuild(self, stage: _Stage, rest: str) -> list[str]:
        stage.config.setdefault("OnBuild", []).append(rest)
        return []

    def image(self, labels: Mapping[str, str]) -> SimImage:
        stage = self.stage
        if stage is None:
            raise BuildError("no build stage in current context")
        if labels:
            stage.config["Labels"] = {**(stage.config.get("Labels") or {}), **labels}
        shells = stage.shells or tuple(
            path for path in ("/bin/bash", "/bin/sh") if stage.files.get(path)
        )
        image = SimImage(
            "",
            [],
            [],
            self._state.clock.now(),
            stage.config,
            stage.layers,
            stage.files.merged(),
            stage.program,
            shells,
            stage.architecture,
        )
        return images.add(self._state, self._cached(image) or images.seal(image))

    def _cached(self, image: SimImage) -> SimImage | None:
        """What an earlier build made of the same steps: building again changes nothing."""
        names = [(layer.created_by, layer.id) for layer in image.layers]
        for other in self._state.images.values():
            if other.config == image.config and names == [
                (layer.created_by, layer.id) for layer in other.layers
            ]:
                return replace(other, tags=[])
        return None


def _changed(files: FileSystem, before: Mapping[str, Node | None]) -> dict[str, Node | None]:
    """What was written since ``before`` was the upper part."""
    return {
        path: node
        for path, node in files.upper.items()
        if path not in before or before[path] is not node
    }


def _form(text: str) -> list[str]:
    """Exec form as its words, shell form as the shell that runs it."""
    stripped = text.strip()
    if stripped.startswith("["):
        with contextlib.suppress(ValueError):  # what is no JSON is shell form, as docker has it
            return [str(word) for word in json.loads(stripped)]
    return ["/bin/sh", "-c", stripped]


def _globbed(files: FileSystem, pattern: str) -> list[str]:
    folder = posixpath.dirname(pattern)
    return [
        posixpath.join(folder, name)
        for name, _ in files.children(folder)
        if fnmatch.fnmatchcase(name, posixpath.basename(pattern))
    ]
