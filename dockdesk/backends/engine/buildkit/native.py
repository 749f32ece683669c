"""A build by the engine's own BuildKit: a session that serves it, and the Control API that runs it.

Source: moby/buildkit, client/solve.go; docker/buildx, build/build.go.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

from dockdesk.backends.engine.buildkit.control import Control
from dockdesk.backends.engine.buildkit.convert import items_from
from dockdesk.backends.engine.buildkit.failures import Failures
from dockdesk.backends.engine.buildkit.filesync import DiskFolder, Files, FileSync
from dockdesk.backends.engine.buildkit.outputs import FileOutput, FileSend, FolderOutput
from dockdesk.backends.engine.buildkit.progress import StepProgress
from dockdesk.backends.engine.buildkit.request import (
    FILE_KINDS,
    IMAGE_KINDS,
    TITLE,
    Dockerfile,
    cache_entries,
    entitlements,
    frontend_attrs,
    full_name,
    moby_attrs,
)
from dockdesk.backends.engine.buildkit.services import Agents, Credentials, Secrets
from dockdesk.backends.engine.buildkit.session import Session, shared_key
from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.logins import Logins
from dockdesk.core.errors import CancelledError, DockDeskError, NotSupportedError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildItem, BuildSpec, BuildWarning, FileMark
from dockdesk.core.work import Work
from dockdesk.wire.buildkit import (
    FILE_SEND,
    FILE_SYNC,
    CacheOptions,
    Exporter,
    SolveRequest,
    StatusResponse,
)
from dockdesk.wire.grpc import ClientCall, Code, GrpcError, Handler

Sink: TypeAlias = Callable[[Sequence[BuildItem]], None]

_SIZES_SHM = "1.42"  # Docker 23
_STATUS_PATIENCE = 5.0  # seconds without a word, after the build itself is over
_UNTOLD_PATIENCE = 0.3  # where nothing was ever told


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build is to make: ``exporters`` in their order, and what receives the results of some of them."""

    exporters: tuple[Exporter, ...]
    outputs: Mapping[int, FileOutput | FolderOutput]


def plan_of(spec: BuildSpec, containerd: bool) -> Plan:
    """The exporters for ``spec``. With a classic image store (not ``containerd``), archives are saved afterwards."""
    exporters: list[Exporter] = []
    outputs: dict[int, FileOutput | FolderOutput] = {}
    kinds = [output.kind for output in spec.outputs]
    saved = not containerd and any(kind in {"docker", "oci"} for kind in kinds)
    if saved or any(kind in IMAGE_KINDS for kind in kinds):
        exporters.append(Exporter("moby", moby_attrs(spec)))
    for output in spec.outputs:
        if output.kind == "local":
            outputs[len(exporters)] = FolderOutput(Path(output.path).expanduser().absolute())
            exporters.append(Exporter("local"))
        elif output.kind == "tar" or (output.kind in FILE_KINDS and containerd):
            outputs[len(exporters)] = FileOutput(Path(output.path).expanduser().absolute())
            attrs = {"name": ",".join(map(full_name, spec.tags))} if spec.tags else {}
            exporters.append(Exporter(output.kind, attrs if output.kind != "tar" else {}))
    return Plan(tuple(exporters), outputs)


class NativeBuild:
    """One build; `run` it once. ``response`` is what the exporters answered."""

    def __init__(
        self,
        client: EngineClient,
        spec: BuildSpec,
        dockerfile: Dockerfile,
        plan: Plan,
        logins: Logins,
        sink: Sink,
        work: Work,
    ) -> None:
        self._client = client
        self._spec = spec
        self._dockerfile = dockerfile
        self._plan = plan
        self._sink = sink
        self._work = work
        self._failures = Failures()
        self._progress = StepProgress(work)
        self._last_word = time.monotonic()
        self._told = False
        self.credentials = Credentials(logins)
        self._secrets = Secrets(spec.secrets)
        self._agents = Agents(spec.ssh)
        self._context = context_of(spec)
        self._sync = FileSync(folders_of(self._context, dockerfile))
        self._send = FileSend(plan.outputs)
        self.response: Mapping[str, str] = {}

    @property
    def sent(self) -> int:
        return self._sync.sent

    @property
    def files(self) -> int:
        return self._sync.files

    @property
    def listing(self) -> Mapping[str, FileMark]:
        """What of the context the engine was told of."""
        return self._context.listing

    def run(self) -> None:
        """Build. Raise BuildError, CancelledError, UnreachableError, LocalError; NotSupportedError without BuildKit."""
        self._secrets.check()
        self._agents.check()
        if self._spec.shm_size and not self._client.speaks(_SIZES_SHM):
            self._sink([BuildWarning("", "This engine's BuildKit ignores the size of /dev/shm.")])
        with ExitStack() as stack:
            for output in self._plan.outputs.values():
                stack.enter_context(output)
            session = stack.enter_context(Session(self._handlers(), shared_key(self._spec.context)))
            session.open(self._client, TITLE, self._work)
            self._build(session, stack)
            for output in self._plan.outputs.values():
                output.finish()

    def _build(self, session: Session, stack: ExitStack) -> None:
        try:
            control = Control(self._client, TITLE, self._work)
        except NotSupportedError:
            from dockdesk.backends.engine.buildkit.trace import trace_build

            self.response = trace_build(
                self._client, self._spec, self._plan.exporters, self._dockerfile.name,
                session.id, self._take, self._failed, self._work,
            )  # fmt: skip
            return
        stack.enter_context(control)
        self._solve(control, session)

    def _handlers(self) -> dict[str, Handler]:
        handlers: dict[str, Handler] = {FILE_SYNC: self._sync.handle, **self.credentials.handlers()}
        handlers |= self._secrets.handlers()
        if self._spec.ssh:
            handlers |= self._agents.handlers()
        if self._plan.outputs:
            handlers[FILE_SEND] = self._send.handle
        return handlers

    def _request(self, session: Session) -> SolveRequest:
        first = self._plan.exporters[0] if self._plan.exporters else Exporter()
        return SolveRequest(
            ref=uuid.uuid4().hex,
            exporter=first.type,
            exporter_attrs=first.attrs,
            session=session.id,
            frontend="dockerfile.v0",
            frontend_attrs=frontend_attrs(self._spec, self._dockerfile.name),
            cache=CacheOptions(
                cache_entries(self._spec.cache_to), cache_entries(self._spec.cache_from)
            ),
            entitlements=entitlements(self._spec),
            exporters=self._plan.exporters,
        )

    def _solve(self, control: Control, session: Session) -> None:
        request = self._request(session)
        try:
            solving = control.solve(request)
            status = control.status(request.ref)
        except GrpcError as error:
            raise self._failed(error, control) from error
        follower = threading.Thread(
            target=self._follow, args=(status,), name="buildkit-status", daemon=True
        )
        follower.start()
        failure: GrpcError | None = None
        try:
            with self._work.on_cancel(solving.cancel):
                self.response = control.result(solving).exporter_response
        except GrpcError as error:
            failure = error
        finally:
            self._settle(status, follower)
        if failure is not None:
            raise self._failed(failure, control) from failure
        self._work.check()

    def _settle(self, status: ClientCall, follower: threading.Thread) -> None:
        """Hear the last words of a build that is over."""
        over = time.monotonic()
        while follower.is_alive():
            follower.join(0.05)
            silent = time.monotonic() - max(over, self._last_word)
            patience = _STATUS_PATIENCE if self._told else _UNTOLD_PATIENCE
            if self._work.cancelled or silent > patience:
                status.cancel()
                follower.join()

    def _follow(self, status: ClientCall) -> None:
        try:
            for response in Control.responses(status):
                self._take(response)
        except GrpcError:
            return  # the build itself tells why, and better

    def _take(self, response: StatusResponse) -> None:
        self._last_word = time.monotonic()
        self._told = True
        items = items_from(response)
        if items:
            self._failures.take(items)
            self._progress.take(items)
            self._sink(items)

    def _failed(self, failure: GrpcError, control: Control | None = None) -> DockDeskError:
        if self._work.cancelled:
            return CancelledError()
        local = self._sync.failure or self._send.failure
        if local is not None:
            return local
        if control is not None and (
            control.broken or (failure.code is Code.UNAVAILABLE and "connection" in failure.message)
        ):
            return control.lost()
        problem = " ".join(dict.fromkeys(self.credentials.problems.values()))
        return self._failures.error(failure, self._dockerfile.text, problem)


def context_of(spec: BuildSpec) -> DiskFolder:
    return DiskFolder(str(spec.context.resolve()))


def folders_of(context: DiskFolder, dockerfile: Dockerfile) -> dict[str, DiskFolder | Files]:
    """What the engine may ask for, by the names that the frontend uses."""
    return {"context": context, "dockerfile": Files(dockerfile.files(), dockerfile.times())}
