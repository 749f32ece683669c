"""What becomes of a target: an image in the engine, or a folder or an archive at the client's.

Source: moby, builder/builder-next/exporter; moby/buildkit, exporter/local and exporter/tar.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dockdesk.sandbox.buildkit.bases import full_reference
from dockdesk.sandbox.buildkit.bench import Bench, StepError
from dockdesk.sandbox.buildkit.cache import Result
from dockdesk.sandbox.buildkit.journal import Progress
from dockdesk.sandbox.buildkit.states import State
from dockdesk.sandbox.engine import images
from dockdesk.sandbox.engine.catalogue import MIB, Program
from dockdesk.sandbox.engine.layers import sha256, tar_of
from dockdesk.sandbox.engine.lifecycle import stamp
from dockdesk.sandbox.engine.state import Layer, SimImage, with_tag
from dockdesk.wire.buildkit import Exporter
from dockdesk.wire.grpc import GrpcError

_KINDS = {"moby", "image", "local", "tar"}
_SHELLS = ("/bin/bash", "/bin/sh")
_SERVES = Program("api", 1.4, 0.25, 70 * MIB)


def check(exporters: tuple[Exporter, ...]) -> None:
    """Raises StepError for what this engine can't make."""
    for exporter in exporters:
        if exporter.type not in _KINDS:
            raise StepError(f'exporter "{exporter.type}" could not be found')


def image_of(state: State, result: Result) -> SimImage:
    """The image of a target that was built."""
    made = list(result.layers)
    layers: list[Layer] = []
    history: list[dict[str, Any]] = []
    created = 0.0
    for line in state.history:
        entry: dict[str, Any] = {"created_by": line.text, "comment": "buildkit.dockerfile.v0"}
        layer = line.layer or Layer(line.text, 0)
        if layer.id or line.op is not None:
            one = made.pop(0)
            layer = line.layer or replace(one.layer, created_by=line.text)
            created = max(created, one.created)
        else:
            entry["empty_layer"] = True
        created = max(created, line.created)
        history.append({"created": stamp(created), **entry})
        layers.append(layer)
    config = {key: value for key, value in state.config.items() if value is not None}
    config.setdefault("Env", ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
    config.setdefault("WorkingDir", "/")
    value = {
        "architecture": state.architecture,
        "config": config,
        "created": stamp(created),
        "history": history,
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.id for layer in layers if layer.id]},
    }
    raw = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    tree = dict(result.tree)
    shells = tuple(path for path in _SHELLS if path in tree)
    program = state.image.program if state.image is not None else Program()
    if program.logs == "quiet" and config.get("ExposedPorts"):
        program = _SERVES
    return SimImage(
        sha256(raw),
        [],
        [],
        created,
        config,
        layers,
        tree,
        program,
        shells,
        state.architecture,
        raw=raw,
    )


def names_of(exporter: Exporter) -> list[str]:
    return [
        name.strip()
        for name in next(csv.reader([exporter.attrs.get("name", "")]), [])
        if name.strip()
    ]


class Results:
    """Hands a target's result to each exporter; returns what they answer."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def export(
        self, exporters: tuple[Exporter, ...], state: State, result: Result
    ) -> dict[str, str]:
        answer: dict[str, str] = {}
        for number, exporter in enumerate(exporters):
            if exporter.type in {"moby", "image"}:
                answer |= await self._image(exporter, state, result)
            elif exporter.type == "local":
                await self._folder(number, result)
            else:
                await self._archive(number, result)
        return answer

    async def _image(self, exporter: Exporter, state: State, result: Result) -> dict[str, str]:
        bench = self._bench
        telling = bench.telling("exporting to image", bench.ref)
        layers = telling.status("exporting layers")
        await bench.state.clock.sleep(0.05)
        layers.done()
        image = images.add(bench.state, image_of(state, result))
        writing = telling.status(f"writing image {image.id}")
        writing.done()
        for name in names_of(exporter):
            naming = telling.status(f"naming to {full_reference(name)}")
            images.tag(bench.state, image, with_tag(name))
            naming.done()
        telling.finish()
        return {"containerimage.digest": image.id, "containerimage.config.digest": image.id}

    async def _folder(self, number: int, result: Result) -> None:
        telling = self._bench.telling("exporting to client directory", self._bench.ref)
        status = telling.status("copying files", "copying")
        try:
            session = await self._bench.session()
            await session.give_folder(number, result.tree, _counting(status))
        except GrpcError as error:
            telling.finish(error.message)
            raise StepError(error.message, code=error.code) from None
        status.done()
        telling.finish()

    async def _archive(self, number: int, result: Result) -> None:
        telling = self._bench.telling("exporting to client tarball", self._bench.ref)
        status = telling.status("sending tarball")
        data = await asyncio.to_thread(tar_of, result.tree)
        try:
            session = await self._bench.session()
            await session.give_file(number, data, _counting(status))
        except GrpcError as error:
            telling.finish(error.message)
            raise StepError(error.message, code=error.code) from None
        status.done()
        telling.finish()


def _counting(status: Progress) -> Callable[[int], None]:
    """Counts what other threads have moved."""
    loop, count = asyncio.get_running_loop(), [0]

    def moved(size: int) -> None:
        count[0] += size
        loop.call_soon_threadsafe(status.at, count[0])

    return moved


def exporters_of(
    kind: str, attrs: Mapping[str, str], listed: tuple[Exporter, ...]
) -> tuple[Exporter, ...]:
    """What a request asks for: newer clients list exporters, older ones name one."""
    if listed:
        return listed
    return (Exporter(kind, dict(attrs)),) if kind else ()
