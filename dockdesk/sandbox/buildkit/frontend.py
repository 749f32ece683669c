"""The Dockerfile frontend: reads the Dockerfile and its ignore file, finds the bases, and makes the graph of a target.

Source: moby/buildkit, frontend/dockerui and frontend/dockerfile/builder.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockdesk.sandbox.buildkit import lint, sync
from dockdesk.sandbox.buildkit.bases import Bases, full_reference
from dockdesk.sandbox.buildkit.bench import Bench, StepError
from dockdesk.sandbox.buildkit.copying import joined
from dockdesk.sandbox.buildkit.dispatch import Dispatch
from dockdesk.sandbox.buildkit.dockerfile import Dockerfile, DockerfileError, Instruction, parse
from dockdesk.sandbox.buildkit.ignoring import patterns_of
from dockdesk.sandbox.buildkit.journal import Telling
from dockdesk.sandbox.buildkit.ops import ImageOp, LocalOp, Op, Solver
from dockdesk.sandbox.buildkit.running import mount_of
from dockdesk.sandbox.buildkit.stages import (
    Stage,
    chosen,
    find,
    global_arguments,
    lines_of,
    stages_of,
)
from dockdesk.sandbox.buildkit.states import History, Options, State
from dockdesk.sandbox.engine.filesystem import Node
from dockdesk.sandbox.engine.state import SimImage
from dockdesk.wire.buildkit import SourceInfo

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_IGNORE = ".dockerignore"


@dataclass(slots=True)
class Target:
    """What a frontend made: the state of the chosen stage, for one platform."""

    state: State
    platform: str


@dataclass(slots=True)
class Frontend:
    """One build's. ``attrs`` are those of dockerfile.v0."""

    bench: Bench
    solver: Solver
    bases: Bases
    attrs: Mapping[str, str]
    parsed: Dockerfile = field(default_factory=lambda: Dockerfile(()))
    excluded: tuple[str, ...] = ()
    _paths: set[str] = field(default_factory=set)
    _images: dict[str, SimImage] = field(default_factory=dict)

    @property
    def filename(self) -> str:
        return self.attrs.get("filename") or "Dockerfile"

    async def read(self) -> str:
        """The Dockerfile's text. Raises StepError."""
        name = self.filename
        followed = (name, f"{name}.dockerignore", *(["dockerfile"] if name == "Dockerfile" else []))
        tree = await self._local(
            f"[internal] load build definition from {name.rpartition('/')[2]}",
            sync.Wanted("dockerfile", followed),
            "dockerfile",
        )
        node = _at(tree, name) or (_at(tree, "dockerfile") if name == "Dockerfile" else None)
        if node is None:
            raise StepError(f"failed to read dockerfile: open {name}: no such file or directory")
        self.bench.source = SourceInfo(name.rpartition("/")[2], node.data, "Dockerfile")
        ignore = _at(tree, f"{name}.dockerignore")
        if ignore is None:
            context = await self._local(
                f"[internal] load {_IGNORE}",
                sync.Wanted("context", (_IGNORE,)),
                f"context-{_IGNORE}",
            )
            ignore = _at(context, _IGNORE)
        if ignore is not None:
            self.excluded = patterns_of(ignore.data.decode("utf-8", "replace"))
        return node.data.decode("utf-8", "replace")

    async def _local(self, name: str, wanted: sync.Wanted, hint: str) -> Mapping[str, Node]:
        op = LocalOp(name, self.bench.ref, wanted, hint)
        return (await self.solver.result(op)).tree

    async def targets(self) -> list[Target]:
        """The graph for each platform that is asked for. Raises StepError."""
        text = await self.read()
        try:
            self.parsed = parse(text)
        except DockerfileError as error:
            lines = [(error.first, error.last)] if error.first else []
            raise StepError(error.message, lines) from None
        self._warn(text)
        asked = [one for one in self.attrs.get("platform", "").split(",") if one]
        return [await self._target(platform) for platform in asked or ["linux/amd64"]]

    def _warn(self, text: str) -> None:
        found = lint.check(text, self.parsed, self.arguments)
        if not found:
            return
        name = f"[internal] load build definition from {self.filename.rpartition('/')[2]}"
        vertex = next(
            (one for one in self.bench.journal.vertexes.values() if one.name == name), None
        )
        if vertex is None:
            return
        telling = Telling(self.bench.journal, vertex)
        for one in found:
            short = f"{one.rule}: {one.detail} (line {one.lines[0][0]})"
            telling.warn(short, one.description, one.url, self.bench.source, one.lines)

    @property
    def arguments(self) -> dict[str, str]:
        return {
            key[10:]: value for key, value in self.attrs.items() if key.startswith("build-arg:")
        }

    async def _target(self, platform: str) -> Target:
        system, _, architecture = platform.partition("/")
        architecture, _, variant = architecture.partition("/")
        architecture = _ARCHITECTURES.get(architecture, architecture)
        if system != "linux":
            raise StepError(f"no match for platform in manifest: {platform}")
        given = {
            "BUILDPLATFORM": "linux/amd64", "BUILDOS": "linux", "BUILDARCH": "amd64", "BUILDVARIANT": "",
            "TARGETPLATFORM": platform, "TARGETOS": system, "TARGETARCH": architecture, "TARGETVARIANT": variant,
            "TARGETSTAGE": self.attrs.get("target") or "default",
        }  # fmt: skip
        arguments = self.arguments
        try:
            known = global_arguments(
                self.parsed,
                arguments,
                {**given, **{k: v for k, v in arguments.items() if k in given}},
            )
        except DockerfileError as error:
            raise StepError(error.message) from None
        stages = stages_of(self.parsed, known)
        last = chosen(stages, self.attrs.get("target", ""))
        needed = self._needed(stages, last)
        await self._find_images(stages, needed, architecture)
        context = self._context(needed)
        nocache = self.attrs.get("no-cache")
        options = Options(
            arguments, given, known, frozenset(nocache.split(",")) if nocache is not None else None,
            _hosts(self.attrs.get("add-hosts", "")), int(self.attrs.get("shm-size") or 0), self.parsed.escape,
        )  # fmt: skip
        states: dict[int, State] = {}
        for stage in needed:
            states[stage.index] = self._dispatch(
                stage, stages, states, options, context, architecture
            )
        state = states[last.index]
        labels = {key[6:]: value for key, value in self.attrs.items() if key.startswith("label:")}
        if labels:
            state.config["Labels"] = {**(state.config.get("Labels") or {}), **labels}
        return Target(state, platform)

    # --- which stages ---

    def _sources(self, stage: Stage) -> list[tuple[str, Instruction, list[str]]]:
        """What a stage copies from and binds: names, each with the paths it takes."""
        found = []
        for step in stage.steps:
            if step.keyword in {"COPY", "ADD"}:
                words = step.words or step.rest.split()
                found.append(
                    (step.flag("from") if step.keyword == "COPY" else "", step, words[:-1])
                )
            elif step.keyword == "RUN":
                for name, value in step.flags:
                    if name == "mount":
                        try:
                            spec, source = mount_of(value, "/")
                        except StepError as error:
                            error.lines = lines_of(step)
                            raise
                        if spec.kind == "bind" or (spec.kind == "cache" and source):
                            found.append((source, step, [spec.source]))
        return found

    def _needed(self, stages: list[Stage], last: Stage) -> list[Stage]:
        """The stages that one needs, in their order. Raises StepError."""
        needed: set[int] = set()
        waiting = [last]
        while waiting:
            stage = waiting.pop()
            if stage.index in needed:
                continue
            needed.add(stage.index)
            if stage.above is not None:
                waiting.append(stage.above)
            for name, step, _ in self._sources(stage):
                other = find(stages, name) if name else None
                if other is not None and other.index >= stage.index:
                    raise StepError(
                        f"invalid from flag value {name}: refers to current build stage or one after it",
                        lines_of(step),
                    )
                if other is not None:
                    waiting.append(other)
        return [stage for stage in stages if stage.index in needed]

    async def _find_images(
        self, stages: list[Stage], needed: Sequence[Stage], architecture: str
    ) -> None:
        wanted: dict[str, tuple[Instruction, str]] = {}
        for stage in needed:
            if stage.base != "scratch" and stage.above is None:
                named = stage.platform.partition("/")[2].partition("/")[0]
                wanted.setdefault(stage.base, (stage.origin, named or architecture))
            for name, step, _ in self._sources(stage):
                if name and find(stages, name) is None and name != "scratch":
                    wanted.setdefault(name, (step, architecture))
        fresh = self.attrs.get("image-resolve-mode") == "pull"

        async def one(name: str, instruction: Instruction, kind: str) -> None:
            try:
                self._images[name] = await self.bases.find(self.bench, name, kind, fresh)
            except StepError as error:
                error.lines = error.lines or lines_of(instruction)
                raise

        await asyncio.gather(*(one(name, *what) for name, what in wanted.items()))

    def _context(self, needed: Sequence[Stage]) -> LocalOp:
        """The build context, as far as it is used: one node of the graph."""
        paths = list[str]()
        for stage in needed:
            for name, _, words in self._sources(stage):
                if not name:
                    paths += words
        for stage in needed:
            if any("$" in path for path in paths) or (
                stage.above is None and self._triggers(stage)
            ):
                paths = ["/"]  # what variables stand for is not known yet
        wanted = sync.Wanted("context", joined(paths), self.excluded)
        return LocalOp("[internal] load build context", self.bench.ref, wanted, "context")

    def _triggers(self, stage: Stage) -> bool:
        image = self._images.get(stage.base)
        return image is not None and bool(image.config.get("OnBuild"))

    # --- what becomes of a stage ---

    def _dispatch(
        self,
        stage: Stage,
        stages: list[Stage],
        states: Mapping[int, State],
        options: Options,
        context: LocalOp,
        architecture: str,
    ) -> State:
        def source(name: str, _paths: Sequence[str], instruction: Instruction) -> Op | None:
            if not name:
                return context
            other = find(stages, name)
            if other is not None:
                return states[other.index].op
            image = self._images.get(name)
            if image is None:
                raise StepError(f'failed to parse stage name "{name}"', lines_of(instruction))
            return ImageOp(f"FROM {full_reference(name)}", image, lines_of(instruction))

        if stage.above is not None:
            state = states[stage.above.index].copy()
        elif stage.base == "scratch":
            state = State(None, {}, [], None, {}, architecture)
        else:
            state = self._base(stage)
        return Dispatch(stage, state, options, source).run()

    def _base(self, stage: Stage) -> State:
        image = self._images[stage.base]
        digests = [item.partition("@")[2] for item in image.digests]
        shown = full_reference(stage.base)
        # What came from a registry is told with the digest it had there.
        if digests and image.id not in self.bench.state.images and "@" not in shown:
            shown += f"@{digests[0]}"
        op = ImageOp(stage.prefix(f"FROM {shown}"), image, lines_of(stage.origin))
        history = [History(layer.created_by, None, layer, image.created) for layer in image.layers]
        config = json.loads(json.dumps({k: v for k, v in image.config.items() if v is not None}))
        return State(op, config, history, image, {}, image.architecture)


def _at(tree: Mapping[str, Node], name: str) -> Node | None:
    node = tree.get("/" + name.lstrip("/"))
    hops = 0
    while node is not None and node.is_link and hops < 16:
        node, hops = tree.get("/" + node.link.lstrip("/")), hops + 1
    return node if node is None or not node.is_folder else None


def _hosts(text: str) -> tuple[tuple[str, str], ...]:
    found = []
    for item in next(csv.reader([text]), []):
        name, _, address = item.partition("=")
        if name and address:
            found.append((name, address.strip("[]")))
    return tuple(found)
