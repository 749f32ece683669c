"""The steps of a build's graph, each with what it is made from, how its result is found again, and how it is made.

Source: moby/buildkit, solver/llbsolver/ops.
"""

from __future__ import annotations

import asyncio
import posixpath
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from dockdesk.sandbox.buildkit import sync
from dockdesk.sandbox.buildkit.bases import tell_download
from dockdesk.sandbox.buildkit.bench import Bench, StepError, digest
from dockdesk.sandbox.buildkit.cache import IMAGE, LOCAL, REGULAR, SCRATCH, Made, Result
from dockdesk.sandbox.buildkit.copying import Copy, CopyError, changed, checksum, perform
from dockdesk.sandbox.buildkit.journal import Telling
from dockdesk.sandbox.engine.filesystem import FileSystem, folder_node
from dockdesk.sandbox.engine.layers import layer_of
from dockdesk.sandbox.engine.state import SimImage
from dockdesk.wire.buildkit import Vertex
from dockdesk.wire.grpc import GrpcError

_COPY_SECONDS = 0.06
_BYTES_A_SECOND = 400e6


class Op(ABC):
    """``lines`` are those of the Dockerfile that it comes from; ``nocache``: make it again in any case."""

    kind = REGULAR

    def __init__(
        self,
        name: str,
        inputs: Sequence[Op | None],
        definition: object,
        lines: Sequence[tuple[int, int]] = (),
        nocache: bool = False,
    ) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self.lines = tuple(lines)
        self.nocache = nocache
        parts = [item.digest if item is not None else "" for item in self.inputs]
        self.definition = repr(definition)
        self.digest: str = digest(type(self).__name__, name, definition, parts)

    async def key(self, inputs: Sequence[Result]) -> str:
        """What its result depends on."""
        return digest(type(self).__name__, self.definition, [item.key for item in inputs])

    @abstractmethod
    async def make(
        self, bench: Bench, telling: Telling, inputs: Sequence[Result], key: str
    ) -> Result:
        """Raises StepError."""

    def size(self, result: Result) -> int:
        return result.layers[-1].layer.size if result.layers else 0


class ImageOp(Op):
    """A base image."""

    kind = IMAGE

    def __init__(self, name: str, image: SimImage, lines: Sequence[tuple[int, int]]) -> None:
        super().__init__(name, (), image.id, lines)
        self.image = image

    async def key(self, inputs: Sequence[Result]) -> str:
        del inputs
        return f"image {self.image.id}"

    async def make(
        self, bench: Bench, telling: Telling, inputs: Sequence[Result], key: str
    ) -> Result:
        del inputs
        image = self.image
        if image.id in bench.state.images:
            await bench.state.clock.sleep(0.02)
        else:
            await tell_download(bench, telling, image)
        layers = tuple(Made(layer, image.created) for layer in image.layers if layer.id)
        return Result(key, image.tree, layers)

    def size(self, result: Result) -> int:
        del result
        return self.image.size


class LocalOp(Op):
    """Files of the client's, or of the request's body. It is never found again: what changed is asked each time."""

    kind = LOCAL

    def __init__(self, name: str, ref: str, wanted: sync.Wanted, hint: str) -> None:
        super().__init__(name, (), (ref, wanted.name, hint))
        self.wanted = wanted
        self.hint = hint

    async def make(
        self, bench: Bench, telling: Telling, inputs: Sequence[Result], key: str
    ) -> Result:
        del inputs
        if bench.uploaded is not None:
            return Result(key, bench.uploaded)
        loop, seen = asyncio.get_running_loop(), [0, 0.0]
        name = self.wanted.name
        status = telling.status(f"transferring {name}:", "transferring")

        def show() -> None:
            now = loop.time()
            if now - seen[1] > 0.1:
                seen[1] = now
                status.at(int(seen[0]))

        def moved(size: int) -> None:
            seen[0] += size
            loop.call_soon_threadsafe(show)

        try:
            session = await bench.session()
            known = bench.sessions.known(session, self.hint)
            folder = await session.folder(self.wanted, known, moved)
        except GrpcError as error:
            raise StepError(error.message, code=error.code) from None
        bench.sessions.keep(session, self.hint, folder)
        status.done(int(seen[0]))
        return Result(key, sync.tree_of(folder))


class CopyOp(Op):
    """COPY and ADD; ``inputs`` are what is copied to, and from."""

    def __init__(
        self,
        name: str,
        target: Op | None,
        source: Op | None,
        copy: Copy,
        text: str,
        lines: Sequence[tuple[int, int]],
        nocache: bool,
    ) -> None:
        super().__init__(name, (target, source), copy, lines, nocache)
        self._copy = copy
        self._text = text

    async def key(self, inputs: Sequence[Result]) -> str:
        source = FileSystem(dict(inputs[1].tree))
        try:
            content = await asyncio.to_thread(checksum, source, self._copy)
        except CopyError as error:
            ref = digest("ref", self.digest)[7:32]
            text = f"failed to calculate checksum of ref {ref[:25]}::{ref[5:]}: {error}"
            raise StepError(f"failed to compute cache key: {text}", self.lines) from None
        return digest("copy", inputs[0].key, content)

    async def make(
        self, bench: Bench, telling: Telling, inputs: Sequence[Result], key: str
    ) -> Result:
        del telling
        now = bench.state.clock.now()
        target = FileSystem({"/": folder_node(modified=now), **inputs[0].tree})
        source = FileSystem(dict(inputs[1].tree)) if self.inputs[1] is not None else None
        try:
            await asyncio.to_thread(perform, source, target, self._copy, now)
        except CopyError as error:
            raise StepError(str(error), self.lines) from None
        layer = await asyncio.to_thread(layer_of, self._text, changed(target))
        await bench.state.clock.sleep(_COPY_SECONDS + layer.size / _BYTES_A_SECOND)
        return Result(key, target.merged(), (*inputs[0].layers, Made(layer, now)))


class FolderOp(Op):
    """WORKDIR: a folder, made where it is missing."""

    def __init__(
        self,
        name: str,
        target: Op | None,
        folder: str,
        text: str,
        lines: Sequence[tuple[int, int]],
        nocache: bool,
    ) -> None:
        super().__init__(name, (target,), folder, lines, nocache)
        self._folder = folder
        self._text = text

    async def make(
        self, bench: Bench, telling: Telling, inputs: Sequence[Result], key: str
    ) -> Result:
        del telling
        now = bench.state.clock.now()
        target = FileSystem({"/": folder_node(modified=now), **inputs[0].tree})
        if target.get(target.resolve(self._folder)) is None:
            target.put(posixpath.normpath(self._folder), folder_node(modified=now))
        layer = layer_of(self._text, changed(target))
        await bench.state.clock.sleep(_COPY_SECONDS)
        return Result(key, target.merged(), (*inputs[0].layers, Made(layer, now)))


@dataclass(slots=True)
class Solver:
    """Works a graph off: every step once, as soon as what it needs is there."""

    bench: Bench
    tasks: dict[str, asyncio.Task[Result]]
    total: int = 0
    cached: int = 0
    completed: int = 0

    @classmethod
    def on(cls, bench: Bench) -> Solver:
        return cls(bench, {})

    async def result(self, op: Op | None) -> Result:
        """What a step makes. Raises StepError."""
        if op is None:
            return SCRATCH
        if op.digest not in self.tasks:
            self.total += 1
            self.tasks[op.digest] = asyncio.create_task(self._solve(op))
        return await asyncio.shield(self.tasks[op.digest])

    def announce(self, op: Op | None) -> None:
        """Tell of all steps that lead to one, before any is begun."""
        if op is None or op.digest in self.bench.journal.vertexes:
            return
        for item in op.inputs:
            self.announce(item)
        self._telling(op).announce()

    def _telling(self, op: Op) -> Telling:
        inputs = tuple(item.digest for item in op.inputs if item is not None)
        return Telling(self.bench.journal, Vertex(op.digest, inputs, op.name))

    async def _solve(self, op: Op) -> Result:
        waiting = [asyncio.ensure_future(self.result(item)) for item in op.inputs]
        try:
            inputs = await asyncio.gather(*waiting)
        finally:
            for item in waiting:
                item.cancel()
        telling = self._telling(op)
        try:
            key = await op.key(inputs)
            held = None if op.nocache or op.kind == LOCAL else self.bench.cache.find(key)
            if held is not None:
                telling.finish(cached=True)
                self.cached += 1
                self.completed += 1
                return held
            telling.start()
            result = await op.make(self.bench, telling, inputs, key)
        except StepError as failure:
            if not failure.digest:
                failure.digest = op.digest
                failure.lines = failure.lines or op.lines
                telling.finish(failure.message)
            raise
        except asyncio.CancelledError:
            telling.finish("context canceled")
            raise
        telling.finish()
        self.completed += 1
        if op.kind != LOCAL:
            image = op.image.id if isinstance(op, ImageOp) else ""
            self.bench.cache.put(result, op.kind, op.name, op.size(result), image)
        return result

    async def end(self) -> None:
        """Stop what still runs."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
