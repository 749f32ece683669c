"""RUN: a script in a container that exists for as long as it runs, with the mounts that it asked for.

Source: Dockerfile reference, RUN --mount; moby/buildkit, solver/llbsolver/ops/exec.go.
"""

from __future__ import annotations

import asyncio
import posixpath
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dockdesk.sandbox.buildkit.bench import Bench, StepError, digest
from dockdesk.sandbox.buildkit.cache import Made, Record, Result
from dockdesk.sandbox.buildkit.copying import Copy, CopyError, changed, checksum
from dockdesk.sandbox.buildkit.flow import Streams
from dockdesk.sandbox.buildkit.journal import Telling
from dockdesk.sandbox.buildkit.ops import Op
from dockdesk.sandbox.buildkit.shell import BuildShell
from dockdesk.sandbox.buildkit.tools import ImageTools
from dockdesk.sandbox.engine.catalogue import Program
from dockdesk.sandbox.engine.filesystem import FileSystem, Node, clean, file_node, folder_node
from dockdesk.sandbox.engine.layers import layer_of
from dockdesk.sandbox.engine.mounts import Mount
from dockdesk.sandbox.engine.programs import Surroundings
from dockdesk.sandbox.engine.state import SimContainer, SimImage
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.world.traffic import Traffic
from dockdesk.wire.grpc import GrpcError

_LEAST_SECONDS = 0.08
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_AGENT = "/run/buildkit/ssh_agent.0"


@dataclass(frozen=True, slots=True)
class MountSpec:
    """``kind``: bind, cache, tmpfs, secret or ssh. ``input`` is which of the step's inputs a bind comes from."""

    kind: str
    target: str = ""
    source: str = "/"
    id: str = ""
    required: bool = False
    writable: bool = False
    mode: int = 0
    owner: tuple[int, int] = (0, 0)
    variable: str = ""
    input: int = -1


@dataclass(frozen=True, slots=True)
class Command:
    """``words`` are what is started; ``env`` what it sees; ``script`` is a here-document to run."""

    words: tuple[str, ...]
    script: str
    shown: str
    env: tuple[str, ...]
    folder: str
    user: str
    mounts: tuple[MountSpec, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    shm: int = 0


class RunOp(Op):
    """``inputs`` are what it runs on, then what is bound into it."""

    def __init__(
        self,
        name: str,
        inputs: Sequence[Op | None],
        command: Command,
        text: str,
        image: SimImage | None,
        lines: Sequence[tuple[int, int]],
        nocache: bool,
    ) -> None:
        super().__init__(name, inputs, command, lines, nocache)
        self._command = command
        self._text = text
        self._image = image

    async def key(self, inputs: Sequence[Result]) -> str:
        parts = [inputs[0].key]
        for mount in self._command.mounts:
            if mount.kind == "bind":
                source = FileSystem(dict(inputs[mount.input].tree))
                copy = Copy((mount.source,), mount.target)
                try:
                    parts.append(await asyncio.to_thread(checksum, source, copy))
                except CopyError as error:
                    text = (
                        f"failed to compute cache key: failed to calculate checksum of ref: {error}"
                    )
                    raise StepError(text, self.lines) from None
        return digest("run", self.definition, parts)

    async def make(
        self, bench: Bench, telling: Telling, inputs: Sequence[Result], key: str
    ) -> Result:
        files = FileSystem({"/": folder_node(), **inputs[0].tree})
        mounts, caches = await self._mounts(bench, inputs)
        container = self._container(bench, files, mounts)
        tools = ImageTools()
        try:
            code = await self._run(bench, telling, container, tools)
        finally:
            for record in caches:
                record.in_use -= 1
                bench.cache.settle(record)
        if code:
            text = (
                f'process "{self._command.shown}" did not complete successfully: exit code: {code}'
            )
            raise StepError(text, self.lines)
        diff = {path: node for path, node in changed(files).items() if not _mounted(path, mounts)}
        size = (
            sum(len(node.data) for node in diff.values() if node is not None) + tools.growth.bytes
        )
        layer = await asyncio.to_thread(layer_of, self._text, diff, size)
        tree = files.merged()
        return Result(key, tree, (*inputs[0].layers, Made(layer, bench.state.clock.now())))

    async def _run(
        self, bench: Bench, telling: Telling, container: SimContainer, tools: ImageTools
    ) -> int:
        command = self._command
        env = dict(item.partition("=")[::2] for item in [_PATH, *command.env])
        user = command.user.partition(":")[0] or "root"
        env.setdefault("HOME", "/root" if user in {"root", "0"} else f"/home/{user}")
        env["PWD"] = command.folder
        for mount in command.mounts:
            if mount.kind == "secret" and mount.variable:
                value = await self._secret(bench, mount)
                if value is not None:
                    env[mount.variable] = value.decode("utf-8", "surrogateescape")
            if mount.kind == "ssh":
                env["SSH_AUTH_SOCK"] = mount.target or _AGENT
        around = Surroundings(container, bench.state.clock.now, user, env, command.folder or "/")
        shell = BuildShell(around, tools, bench.state.clock.sleep)

        async def out(text: str) -> None:
            telling.log(text, 1)

        async def err(text: str) -> None:
            telling.log(text, 2)

        streams = Streams("", out, err)
        missing = self._missing(container.view)
        if missing:
            why = f'exec: "{missing}": stat {missing}: no such file or directory'
            telling.log(f"runc run failed: unable to start container process: {why}\n", 2)
            return 1
        await bench.state.clock.sleep(_LEAST_SECONDS)
        if command.script:
            return await shell.run(command.script, streams)
        if len(command.words) == 3 and command.words[1].startswith("-") and "c" in command.words[1]:
            bash = f"set {command.words[1].replace('c', '')}\n" if len(command.words[1]) > 2 else ""
            return await shell.run(bash + command.words[2], streams)
        if list(command.words[1:-1])[:1] == ["-o"] and "-c" in command.words:
            return await shell.run(f"set -o {command.words[2]}\n{command.words[-1]}", streams)
        shell.streams = streams
        return await shell.call(list(command.words), streams)

    def _missing(self, files: FileSystem) -> str:
        """The program that it would start, where that is a path that leads nowhere."""
        first = self._command.words[0] if self._command.words else "/bin/sh"
        if not first.startswith("/"):
            return ""
        try:
            files.find(first)
        except HttpError:
            return first
        return ""

    def _container(
        self, bench: Bench, files: FileSystem, mounts: Mapping[str, Mount]
    ) -> SimContainer:
        image = self._image or SimImage("", [], [], 0.0, {}, [], {}, Program())
        config = {"Hostname": "buildkitsandbox", "Env": list(self._command.env)}
        return SimContainer(
            digest("run", bench.ref, self.digest)[7:], "buildkitsandbox", image, "", config, {"ShmSize": self._command.shm}, files, Program(),
            bench.state.clock.now(), Traffic(bench.state.seed, "build", 0.0), mounts=dict(mounts),
        )  # fmt: skip

    async def _mounts(
        self, bench: Bench, inputs: Sequence[Result]
    ) -> tuple[dict[str, Mount], list[Record]]:
        mounts: dict[str, Mount] = {"/etc/hosts": _file(self._hosts())}
        mounts["/etc/resolv.conf"] = _file("nameserver 127.0.0.11\n")
        mounts["/dev/shm"] = Mount(FileSystem({"/": folder_node(0o1777)}))
        caches: list[Record] = []
        for spec in self._command.mounts:
            match spec.kind:
                case "bind":
                    mounts[spec.target] = _bound(inputs[spec.input], spec)
                case "cache":
                    record = bench.cache.mount(spec.id or spec.target)
                    record.in_use += 1
                    caches.append(record)
                    assert record.files is not None
                    if record.files.get("/") is None:
                        root = folder_node(spec.mode or 0o755, bench.state.clock.now())
                        record.files.put("/", replace(root, uid=spec.owner[0], gid=spec.owner[1]))
                    mounts[spec.target] = Mount(record.files)
                case "tmpfs":
                    mounts[spec.target] = Mount(FileSystem({"/": folder_node(0o1777)}))
                case "secret":
                    value = await self._secret(bench, spec)
                    if value is not None and (spec.target or not spec.variable):
                        target = spec.target or f"/run/secrets/{spec.id}"
                        node = file_node(value, spec.mode or 0o400, bench.state.clock.now())
                        node = replace(node, uid=spec.owner[0], gid=spec.owner[1])
                        mounts[target] = Mount(FileSystem({"/": node}), True)
                case "ssh":
                    await self._agent(bench, spec, mounts)
        return mounts, caches

    def _hosts(self) -> str:
        lines = [
            "127.0.0.1\tlocalhost buildkitsandbox",
            "::1\tlocalhost ip6-localhost ip6-loopback",
        ]
        lines += [f"{address}\t{name}" for name, address in self._command.hosts]
        return "\n".join(lines) + "\n"

    async def _secret(self, bench: Bench, spec: MountSpec) -> bytes | None:
        value: bytes | None = None
        if bench.session_id:
            try:
                value = await (await bench.session()).secret(spec.id)
            except GrpcError as error:
                raise StepError(error.message, self.lines, error.code) from None
        if value is None and spec.required:
            raise StepError(f"failed to load secret: secret {spec.id}: not found", self.lines)
        return value

    async def _agent(self, bench: Bench, spec: MountSpec, mounts: dict[str, Mount]) -> None:
        there = False
        if bench.session_id:
            try:
                there = await (await bench.session()).has_agent(spec.id or "default")
            except GrpcError as error:
                raise StepError(error.message, self.lines, error.code) from None
        if there:
            mounts[spec.target or _AGENT] = Mount(FileSystem({"/": Node(stat.S_IFSOCK | 0o600)}))
        elif spec.required:
            text = f"unset ssh forward key {spec.id or 'default'}"
            raise StepError(f"no ssh handler for id {spec.id or 'default'}: {text}", self.lines)


def _file(text: str) -> Mount:
    return Mount(FileSystem({"/": file_node(text)}))


def _bound(result: Result, spec: MountSpec) -> Mount:
    """What is bound is changed by nobody: what is written to it is lost."""
    source = FileSystem(dict(result.tree))
    top = source.resolve(clean(spec.source))
    tree = {clean(path[len(top.rstrip("/")) :]): node for path, node in source.walk(top)}
    return Mount(FileSystem(tree or {"/": folder_node()}), not spec.writable)


def _mounted(path: str, mounts: Mapping[str, Mount]) -> bool:
    return any(path.startswith(target.rstrip("/") + "/") for target in mounts)


_TRUE = {"", "true", "1"}


def mount_of(text: str, folder: str) -> tuple[MountSpec, str]:
    """A --mount's value, and the stage or image that it is from. Raises StepError."""
    values: dict[str, str] = {}
    for part in re.split(r",(?=\w)", text):
        name, _, value = part.partition("=")
        values[name.lower()] = value.strip("\"'")
    kind = values.get("type", "bind")
    if kind not in {"bind", "cache", "tmpfs", "secret", "ssh"}:
        raise StepError(f'unsupported mount type "{kind}"')
    target = next((values[key] for key in ("target", "dst", "destination") if key in values), "")
    source = next((values[key] for key in ("source", "src") if key in values), "/")
    id = values.get("id", "")
    if kind == "secret":
        id = id or (source if source != "/" else posixpath.basename(target))
    if target and not target.startswith("/"):
        target = posixpath.join(folder or "/", target)
    if not target and kind in {"cache", "tmpfs"}:
        raise StepError("target is required")
    written = "rw" in values or values.get("readwrite", "x") in _TRUE
    numbers = [int(values[key]) if values.get(key, "").isdigit() else 0 for key in ("uid", "gid")]
    mode = values.get("mode", "")
    spec = MountSpec(
        kind,
        clean(target) if target else ("/" if kind == "bind" else ""),
        source,
        id,
        "required" in values and values["required"] in _TRUE,
        written or kind in {"cache", "tmpfs"},
        int(mode, 8) if mode and not set(mode) - set("01234567") else 0,
        (numbers[0], numbers[1]),
        values.get("env", ""),
    )
    return spec, values.get("from", "")
