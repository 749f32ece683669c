"""The builder without BuildKit: one instruction after the other, told in lines. What it makes is made in the same way.

Source: Engine API, ImageBuild; moby, builder/dockerfile.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dockdesk.sandbox.buildkit import sync
from dockdesk.sandbox.buildkit.bases import full_reference
from dockdesk.sandbox.buildkit.bench import Bench, StepError, digest
from dockdesk.sandbox.buildkit.builder import Builder
from dockdesk.sandbox.buildkit.dispatch import Dispatch
from dockdesk.sandbox.buildkit.dockerfile import Dockerfile, DockerfileError, Instruction, parse
from dockdesk.sandbox.buildkit.ignoring import excludes, patterns_of
from dockdesk.sandbox.buildkit.journal import Journal
from dockdesk.sandbox.buildkit.ops import ImageOp, LocalOp, Op, Solver
from dockdesk.sandbox.buildkit.results import image_of
from dockdesk.sandbox.buildkit.stages import (
    Stage,
    chosen,
    find,
    global_arguments,
    lines_of,
    stages_of,
)
from dockdesk.sandbox.buildkit.states import History, Options, State
from dockdesk.sandbox.engine import images
from dockdesk.sandbox.engine.filesystem import Node, clean
from dockdesk.sandbox.engine.registry_client import Credentials, from_json
from dockdesk.sandbox.engine.state import SimImage, with_tag
from dockdesk.sandbox.http import HttpError
from dockdesk.wire.grpc import GrpcError

_FAILED = re.compile(r'process "([\s\S]*)" did not complete successfully: exit code: (\d+)')
_MISSING = re.compile(r'failed to compute cache key: [\s\S]*: "(/[\s\S]*)": not found')
_NEEDS = "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled"
_SECONDS = 0.02
_IGNORE = "/.dockerignore"


@dataclass(frozen=True, slots=True)
class ClassicRequest:
    dockerfile: str
    tags: Sequence[str]
    arguments: Mapping[str, str]
    target: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    nocache: bool = False
    pull: bool = False
    logins: Mapping[str, Credentials] = field(default_factory=dict)


def logins_of(header: str) -> dict[str, Credentials]:
    """Those of X-Registry-Config, by the registry; none where it makes no sense."""
    try:
        value = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (ValueError, binascii.Error):
        return {}
    if not isinstance(value, dict):
        return {}
    found = {}
    for server, login in value.items():
        host = str(server).removeprefix("https://").removeprefix("http://").partition("/")[0]
        found["" if host == "index.docker.io" else host] = from_json(login)
    return found


def _line(**values: Any) -> bytes:
    return json.dumps(values).encode() + b"\r\n"


def _worded(message: str) -> str:
    """A failure as this builder has always said it."""
    if match := _FAILED.fullmatch(message):
        return f"The command '{match[1]}' returned a non-zero code: {match[2]}"
    if match := _MISSING.fullmatch(message):
        what = "file not found in build context or excluded by .dockerignore"
        return f"COPY failed: {what}: stat {match[1].lstrip('/')}: file does not exist"
    return message.replace("parse error on line", "parse error line")


class _Heard(Journal):
    """Hands output on as it comes."""

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder.state.clock.now)
        self.output: asyncio.Queue[bytes] = asyncio.Queue()

    def log(self, digest: str, data: bytes, stream: int) -> None:
        del digest, stream
        self.output.put_nowait(data)


class ClassicBuild:
    """One build of an uploaded context."""

    def __init__(
        self, builder: Builder, context: Mapping[str, Node], request: ClassicRequest
    ) -> None:
        self._builder = builder
        self._request = request
        self._context_files = context
        self._heard = _Heard(builder)
        ref = secrets.token_hex(8)
        self._bench = Bench(
            builder.state, builder.older, builder.sessions, "", ref, self._heard, context, logins=request.logins
        )  # fmt: skip
        self._solver = Solver.on(self._bench)
        self._context = LocalOp("context", ref, sync.Wanted("context"), "context")
        self._images: dict[str, SimImage] = {}
        self._states: dict[int, State] = {}
        self._step = 0

    async def run(self) -> AsyncIterator[bytes]:
        """The stream; what it makes is in the image store when it ends."""
        try:
            async for line in self._run():
                yield line
        except (StepError, DockerfileError, HttpError, GrpcError) as error:
            text = _worded(error.message)
            match = _FAILED.fullmatch(error.message)
            code = {"code": int(match[2])} if match else {}
            yield _line(errorDetail={**code, "message": text}, error=text)
        finally:
            await self._solver.end()
            self._heard.end()

    async def _run(self) -> AsyncIterator[bytes]:
        request = self._request
        parsed = parse(images.text_of(dict(self._context_files), clean(request.dockerfile)))
        self._leave_out(clean(request.dockerfile))
        platform = {"TARGETPLATFORM": "linux/amd64", "TARGETOS": "linux", "TARGETARCH": "amd64"}
        known = global_arguments(parsed, request.arguments, platform)
        stages = stages_of(parsed, known)
        last = chosen(stages, request.target)
        options = Options(
            request.arguments, platform, known, frozenset({""}) if request.nocache else None, escape=parsed.escape
        )  # fmt: skip
        total = len(parsed.instructions) if last is stages[-1] else _count(parsed, last.index)
        for instruction in parsed.instructions:
            if instruction.keyword == "FROM":
                break
            yield self._told(instruction, total)
        for stage in stages[: last.index + 1]:
            async for line in self._stage(stage, stages, options, total):
                yield line
        async for line in self._finish(self._states[last.index]):
            yield line

    def _leave_out(self, dockerfile: str) -> None:
        """The client applied the ignore file, but these two it has to send in any case."""
        ignore = self._context_files.get(_IGNORE)
        if ignore is not None:
            patterns = patterns_of(ignore.data.decode("utf-8", "replace"))
            gone = {path for path in (_IGNORE, dockerfile) if excludes(patterns, path)}
            kept = {k: v for k, v in self._context_files.items() if k not in gone}
            self._bench.uploaded = kept

    def _told(self, instruction: Instruction, total: int) -> bytes:
        self._step += 1
        text = instruction.keyword + instruction.text[len(instruction.word) :]
        return _line(stream=f"Step {self._step}/{total} : {text}\n")

    async def _stage(
        self, stage: Stage, stages: list[Stage], options: Options, total: int
    ) -> AsyncIterator[bytes]:
        yield self._told(stage.origin, total)
        state = await self._begin(stage)

        def source(name: str, _paths: Sequence[str], instruction: Instruction) -> Op | None:
            if not name:
                return self._context
            other = find(stages[: stage.index], name)
            if other is not None:
                return self._states[other.index].op
            if name not in self._images:
                raise StepError(f"invalid from flag value {name}", lines_of(instruction))
            return ImageOp(
                f"FROM {full_reference(name)}", self._images[name], lines_of(instruction)
            )

        await self._solver.result(state.op)
        yield _line(stream=f" ---> {_id(state)}\n")
        dispatch = Dispatch(stage, state, options, source)
        for instruction in dispatch.instructions():
            yield self._told(instruction, total)
            if instruction.keyword == "RUN" and any(
                name == "mount" for name, _ in instruction.flags
            ):
                raise StepError(_NEEDS)
            name = instruction.flag("from") if instruction.keyword == "COPY" else ""
            if name and find(stages[: stage.index], name) is None:
                self._images[name] = await self._image(name)
            async for line in self._instruct(dispatch, instruction):
                yield line
        self._states[stage.index] = state

    async def _begin(self, stage: Stage) -> State:
        if stage.above is not None:
            return self._states[stage.above.index].copy()
        if stage.base == "scratch":
            return State(None, {}, [])
        image = await self._image(stage.base)
        op = ImageOp(
            stage.prefix(f"FROM {full_reference(stage.base)}"), image, lines_of(stage.origin)
        )
        history = [History(layer.created_by, None, layer, image.created) for layer in image.layers]
        config = json.loads(json.dumps({k: v for k, v in image.config.items() if v is not None}))
        return State(op, config, history, image, {}, image.architecture)

    async def _image(self, name: str) -> SimImage:
        found = await self._builder.bases.find(self._bench, name, "amd64", self._request.pull)
        if found.id not in self._builder.state.images:
            # What this builder fetches is the engine's, as if it had been pulled.
            found = images.add(self._builder.state, found)
            if "@" not in name:
                images.tag(self._builder.state, found, with_tag(name))
        return found

    async def _instruct(self, dispatch: Dispatch, instruction: Instruction) -> AsyncIterator[bytes]:
        before, cached = dispatch.state.op, self._solver.cached
        dispatch.do(instruction)
        op = dispatch.state.op
        used = False
        if op is not before and op is not None:
            working = asyncio.ensure_future(self._solver.result(op))
            try:
                if instruction.keyword == "RUN":
                    await asyncio.wait({working}, timeout=_SECONDS)
                    if self._solver.cached == cached:
                        yield _line(stream=f" ---> Running in {op.digest[7:19]}\n")
                async for data in self._output_of(working):
                    yield _line(stream=data.decode("utf-8", "replace"))
                await working
            finally:
                working.cancel()
            used = self._solver.cached > cached
        else:
            await self._builder.state.clock.sleep(_SECONDS)
            used = not self._request.nocache and _id(dispatch.state) in self._builder.seen
            self._builder.seen.add(_id(dispatch.state))
        if used:
            yield _line(stream=" ---> Using cache\n")
        yield _line(stream=f" ---> {_id(dispatch.state)}\n")

    async def _output_of(self, working: asyncio.Future[Any]) -> AsyncIterator[bytes]:
        """What is said until the work is done."""
        while True:
            getting = asyncio.ensure_future(self._heard.output.get())
            await asyncio.wait({getting, working}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                yield getting.result()
                continue
            getting.cancel()
            while not self._heard.output.empty():
                yield self._heard.output.get_nowait()
            return

    async def _finish(self, state: State) -> AsyncIterator[bytes]:
        labels = dict(self._request.labels)
        if labels:
            state.config["Labels"] = {**(state.config.get("Labels") or {}), **labels}
        result = await self._solver.result(state.op)
        image = images.add(self._builder.state, image_of(state, result))
        yield _line(aux={"ID": image.id})
        yield _line(stream=f"Successfully built {image.id[7:19]}\n")
        for tag in self._request.tags:
            images.tag(self._builder.state, image, tag)
            yield _line(stream=f"Successfully tagged {with_tag(tag)}\n")


def _id(state: State) -> str:
    """What the image so far would be called."""
    texts = [line.text for line in state.history]
    return digest(state.op.digest if state.op is not None else "", texts)[7:19]


def _count(parsed: Dockerfile, last: int) -> int:
    """Instructions up to the end of a stage."""
    stage, count = -1, 0
    for instruction in parsed.instructions:
        stage += instruction.keyword == "FROM"
        if stage > last:
            break
        count += 1
    return count
