"""Runs builds, whoever asks for them. It belongs to the event loop.

Source: moby/buildkit, solver/llbsolver/solver.go; moby, builder/builder-next/builder.go.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockdesk.sandbox.buildkit import lint, results
from dockdesk.sandbox.buildkit.bases import Bases
from dockdesk.sandbox.buildkit.bench import Bench, StepError
from dockdesk.sandbox.buildkit.cache import Cache
from dockdesk.sandbox.buildkit.frontend import Frontend
from dockdesk.sandbox.buildkit.history import Memory
from dockdesk.sandbox.buildkit.journal import Journal
from dockdesk.sandbox.buildkit.ops import Solver
from dockdesk.sandbox.buildkit.results import Results, exporters_of
from dockdesk.sandbox.buildkit.sessions import Sessions
from dockdesk.sandbox.engine.filesystem import Node
from dockdesk.sandbox.engine.state import EngineState
from dockdesk.wire.buildkit import (
    BuildHistoryRecord,
    Detail,
    RpcStatus,
    SolveRequest,
    SourceInfo,
    Timestamp,
)
from dockdesk.wire.grpc import Code, GrpcError
from dockdesk.wire.protobuf import encode

_FRONTEND = "dockerfile.v0"
_SEVERAL = "exporting multiple references to image store is currently unsupported"


@dataclass(slots=True)
class _Job:
    """One build at work."""

    request: SolveRequest
    bench: Bench
    solver: Solver
    frontend: Frontend
    record: BuildHistoryRecord


@dataclass(slots=True)
class Builder:
    """What the engine's builds share. ``older`` is what classic builds keep, ``seen`` the ids they made on their way."""

    state: EngineState
    cache: Cache
    older: Cache
    sessions: Sessions = field(default_factory=Sessions)
    memory: Memory = field(default_factory=Memory)
    bases: Bases = field(default_factory=Bases)
    running: set[asyncio.Task[Any]] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    async def solve(
        self, request: SolveRequest, uploaded: Mapping[str, Node] | None = None
    ) -> dict[str, str]:
        """Build; returns what the exporters answer. Raises GrpcError; ends early where the task is cancelled."""
        job = self._job(request, uploaded)
        self.memory.begin(job.record, job.bench.journal)
        task = asyncio.current_task()
        assert task is not None
        self.running.add(task)
        failure: GrpcError | None = None
        answer: dict[str, str] = {}
        try:
            answer = await self._attended(job)
        except StepError as error:
            failure = _failure(error, job.bench.source)
        except GrpcError as error:
            failure = error
        except asyncio.CancelledError:
            failure = GrpcError(Code.CANCELLED, "context canceled")
            raise
        finally:
            await job.solver.end()
            self.running.discard(task)
            self.memory.finish(self._finished(job, answer, failure))
            job.bench.journal.end()
        if failure is not None:
            raise failure
        return answer

    def _job(self, request: SolveRequest, uploaded: Mapping[str, Node] | None) -> _Job:
        journal = Journal(self.state.clock.now)
        bench = Bench(
            self.state, self.cache, self.sessions, request.session, request.ref, journal, uploaded
        )
        solver = Solver.on(bench)
        exporters = exporters_of(request.exporter, request.exporter_attrs, request.exporters)
        record = BuildHistoryRecord(
            request.ref,
            request.frontend,
            dict(request.frontend_attrs),
            exporters,
            created=Timestamp.at(self.state.clock.now()),
        )
        frontend = Frontend(bench, solver, self.bases, request.frontend_attrs)
        return _Job(request, bench, solver, frontend, record)

    async def _attended(self, job: _Job) -> dict[str, str]:
        """Build for as long as the client's session is there."""
        work = asyncio.ensure_future(self._build(job))
        waiting: set[asyncio.Future[Any]] = {work}
        left: asyncio.Future[Any] | None = None
        if job.request.session:
            session = await self.sessions.get(job.request.session)
            left = asyncio.ensure_future(session.ended.wait())
            waiting.add(left)
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise GrpcError(Code.CANCELLED, "context canceled")
            return work.result()
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _build(self, job: _Job) -> dict[str, str]:
        exporters = job.record.exporters
        if job.request.frontend != _FRONTEND:
            raise StepError(
                f"unknown frontend {job.request.frontend!r}: the sandbox has {_FRONTEND}"
            )
        results.check(exporters)
        cache = job.request.cache
        for export in cache.exports if cache is not None else ():
            if export.type != "inline":
                raise StepError(f'unknown cache exporter: "{export.type}"')
        targets = await job.frontend.targets()
        await self._tell_syntax(job)
        await self._import_caches(job)
        if len(targets) > 1 and exporters:
            raise StepError(_SEVERAL)
        answer: dict[str, str] = {}
        for target in targets:
            job.solver.announce(target.state.op)
        for target in targets:
            result = await job.solver.result(target.state.op)
            answer |= await Results(job.bench).export(exporters, target.state, result)
        return answer

    async def _tell_syntax(self, job: _Job) -> None:
        """The frontend that a Dockerfile asks for is this one; a real engine fetches it."""
        syntax = job.frontend.parsed.directives.get("syntax")
        if syntax:
            name = f"docker-image://docker.io/{syntax.removeprefix('docker.io/')}"
            telling = job.bench.telling(f"resolve image config for {name}", job.request.ref)
            await self.state.clock.sleep(0.1)
            telling.finish()
            job.bench.telling(name).finish(cached=True)

    async def _import_caches(self, job: _Job) -> None:
        cache = job.request.cache
        names = [one.attrs.get("ref", "") for one in (cache.imports if cache is not None else ())]
        names += job.request.frontend_attrs.get("cache-from", "").split(",")
        for name in dict.fromkeys(name for name in names if name):
            telling = job.bench.telling(f"importing cache manifest from {name}", job.request.ref)
            await self.state.clock.sleep(0.1)
            telling.finish()

    def _finished(
        self, job: _Job, answer: Mapping[str, str], failure: GrpcError | None
    ) -> BuildHistoryRecord:
        error = RpcStatus(int(failure.code), failure.message) if failure is not None else None
        return replace(
            job.record,
            error=error,
            completed=Timestamp.at(self.state.clock.now()),
            exporter_response=dict(answer),
            cached_steps=job.solver.cached,
            total_steps=job.solver.total,
            completed_steps=job.solver.completed,
            warnings=job.bench.journal.warnings,
        )

    async def lint(self, session: str, attrs: Mapping[str, str]) -> dict[str, bytes]:
        """The subrequest frontend.lint. Raises GrpcError."""
        journal = Journal(self.state.clock.now)
        bench = Bench(self.state, self.cache, self.sessions, session, session, journal)
        frontend = Frontend(bench, Solver.on(bench), self.bases, attrs)
        try:
            text = await frontend.read()
        except StepError as error:
            raise _failure(error, bench.source) from None
        finally:
            journal.end()
        return lint.report(text, frontend.filename, frontend.arguments)

    async def close(self) -> None:
        for task in list(self.running):
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        await self.sessions.close()


def _failure(error: StepError, source: SourceInfo) -> GrpcError:
    """With the details from which clients know the step and its lines."""
    details = []
    if error.lines and source.content:
        value: dict[str, Any] = {
            "info": {
                "filename": source.filename,
                "data": b64encode(source.content).decode(),
                "language": source.language,
            },
            "ranges": [
                {"start": {"line": first}, "end": {"line": last}} for first, last in error.lines
            ],
        }
        details.append(_detail("errdefs.Source", value))
    if error.digest:
        details.append(_detail("errdefs.Vertex", {"digest": error.digest}))
    status = RpcStatus(int(error.code), error.message, tuple(details))
    return GrpcError(error.code, error.message, encode(status))


def _detail(kind: str, value: Mapping[str, Any]) -> Detail:
    return Detail(f"github.com/moby/buildkit/{kind}+json", json.dumps(value).encode())
