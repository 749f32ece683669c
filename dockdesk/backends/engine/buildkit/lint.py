"""BuildKit's own checks of a Dockerfile, asked of its frontend without building.

Source: moby/buildkit, frontend/subrequests/lint; client/build.go for how a client stands in for a frontend.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from dockdesk.backends.engine.buildkit.control import Control
from dockdesk.backends.engine.buildkit.filesync import FileSync
from dockdesk.backends.engine.buildkit.native import context_of, folders_of
from dockdesk.backends.engine.buildkit.request import Dockerfile, frontend_attrs
from dockdesk.backends.engine.buildkit.services import Credentials
from dockdesk.backends.engine.buildkit.session import Session
from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.logins import Logins
from dockdesk.backends.engine.values import mapping, records, text, whole
from dockdesk.core.errors import NotSupportedError, RemoteError
from dockdesk.core.resources.builds import BuildSpec, BuildWarning
from dockdesk.core.work import Work
from dockdesk.wire.buildkit import (
    FILE_SYNC,
    GatewayResult,
    GatewayReturnRequest,
    GatewaySolveRequest,
    SolveRequest,
)
from dockdesk.wire.grpc import Code, GrpcError

TITLE = "The Dockerfile could not be checked"
_REQUEST = "frontend.lint"
_ABSENT = (
    "unsupported request",
    "unsupported frontend capability",
    "unknown service",
    "unknown request",
)


def lint(
    client: EngineClient, spec: BuildSpec, dockerfile: Dockerfile, logins: Logins, work: Work
) -> list[BuildWarning] | None:
    """What the checks say, in the order of lines; None where the engine's frontend has none."""
    sync = FileSync(folders_of(context_of(spec), dockerfile))
    handlers = {FILE_SYNC: sync.handle, **Credentials(logins).handlers()}
    try:
        with Session(handlers) as session:
            session.open(client, TITLE, work)
            with Control(client, TITLE, work) as control, work.on_cancel(control.close):
                return _ask(control, session, spec, dockerfile)
    except GrpcError as error:
        work.check()
        if sync.failure is not None:
            raise sync.failure from error
        lowered = error.message.casefold()
        if error.code is Code.UNIMPLEMENTED or any(word in lowered for word in _ABSENT):
            return None
        raise RemoteError(TITLE, error.message) from error
    except NotSupportedError:
        return None


def _ask(
    control: Control, session: Session, spec: BuildSpec, dockerfile: Dockerfile
) -> list[BuildWarning] | None:
    ref = uuid.uuid4().hex
    solving = control.solve(SolveRequest(ref=ref, session=session.id, internal=True))
    attrs = frontend_attrs(spec, dockerfile.name)
    attrs |= {"requestid": _REQUEST, "frontend.caps": "moby.buildkit.frontend.subrequests"}
    request = GatewaySolveRequest("dockerfile.v0", attrs, True, True)
    try:
        control.ping_frontend(ref)
        answer = control.ask_frontend(ref, request)
        control.end_frontend(ref, GatewayReturnRequest(result=GatewayResult()))
    finally:
        solving.cancel()
    found = answer.result.metadata.get("result.json") if answer.result is not None else None
    return None if found is None else warnings_from(found)


def warnings_from(result: bytes) -> list[BuildWarning]:
    """What lint's result.json holds; a Dockerfile that can't be read is a finding too."""
    raw = mapping(json.loads(result))
    sources = records(raw.get("sources"))
    found = [
        _warning(f"{text(item.get('ruleName'))}: {text(item.get('detail'))}", item, sources)
        for item in records(raw.get("warnings"))
    ]
    if error := mapping(raw.get("buildError")):
        found.append(_warning(text(error.get("message")), error, sources))
    return sorted(found, key=lambda warning: warning.lines[:1])


def _warning(short: str, item: Any, sources: list[Any]) -> BuildWarning:
    location = mapping(item.get("location"))
    index = whole(location.get("sourceIndex"))
    file = text(sources[index].get("filename")) if 0 <= index < len(sources) else ""
    lines = []
    for part in records(location.get("ranges")):
        first = whole(mapping(part.get("start")).get("line"))
        last = whole(mapping(part.get("end")).get("line"))
        if first > 0:
            lines.append((first, max(first, last)))
    detail = text(item.get("description"))
    return BuildWarning(
        "", short, 1, (detail,) if detail else (), text(item.get("url")), file, tuple(lines)
    )
