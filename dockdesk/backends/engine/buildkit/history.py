"""The engine's own memory of builds. Source: moby/buildkit, control.proto, ListenBuildHistory and Status."""

from __future__ import annotations

from dockdesk.backends.engine.buildkit.control import Control
from dockdesk.backends.engine.buildkit.convert import items_from, past_builds_from
from dockdesk.backends.engine.buildkit.native import Sink
from dockdesk.backends.engine.client import EngineClient
from dockdesk.core.errors import NotFoundError, NotSupportedError, RemoteError
from dockdesk.core.resources.builds import PastBuild
from dockdesk.core.work import SilentWork, Work
from dockdesk.wire.grpc import Code, GrpcError


def past_builds(client: EngineClient, limit: int) -> list[PastBuild]:
    """Newest first; empty where the engine keeps none."""
    title = "The engine's builds could not be listed"
    try:
        with Control(client, title, SilentWork()) as control:
            try:
                return past_builds_from(list(control.history(limit)))[:limit]
            except GrpcError as error:
                if error.code is Code.UNIMPLEMENTED:
                    return []
                raise (
                    control.lost() if control.broken else RemoteError(title, error.message)
                ) from error
    except NotSupportedError:
        return []


def past_build(client: EngineClient, ref: str, sink: Sink, work: Work) -> None:
    title = "The build could not be read"
    with Control(client, title, work) as control:
        call = control.status(ref)
        try:
            with work.on_cancel(call.cancel):
                for response in control.responses(call):
                    sink(items_from(response))
        except GrpcError as error:
            work.check()
            if control.broken:
                raise control.lost() from error
            raise NotFoundError(
                title, error.message, "The engine may have forgotten it."
            ) from error
