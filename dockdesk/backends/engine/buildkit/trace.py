"""BuildKit through POST /build?version=2, for engines that have sessions but no /grpc.

Its limits: one output, one platform, no cache to write. Source: Engine API, ImageBuild; docker CLI,
cli/command/image/build_buildkit.go.
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dockdesk.backends.engine.buildkit.request import TITLE, cache_entries
from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.values import mapping, text
from dockdesk.core.errors import DockDeskError, NotSupportedError, RemoteError
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.core.work import Work
from dockdesk.wire.buildkit import Exporter, StatusResponse
from dockdesk.wire.grpc import Code, GrpcError
from dockdesk.wire.protobuf import ProtobufError, decode


def trace_build(
    client: EngineClient,
    spec: BuildSpec,
    exporters: Sequence[Exporter],
    filename: str,
    session: str,
    take: Callable[[StatusResponse], None],
    failed: Callable[[GrpcError], DockDeskError],
    work: Work,
) -> Mapping[str, str]:
    """Build with the context from ``session``; the exporters' answer, as Solve gives it."""
    if len(exporters) > 1 or len(spec.platforms) > 1 or spec.cache_to:
        raise NotSupportedError(
            TITLE,
            "This engine's BuildKit makes one thing for one platform, and writes no cache.",
            "Choose one output, or a builder made with buildx.",
        )
    params = _params(spec, exporters, filename, session)
    image = ""
    with client.stream("POST", "/build", params, title=TITLE, work=work) as answer:
        for line in answer.json_lines():
            message = mapping(line)
            failure = mapping(message.get("errorDetail")).get("message") or message.get("error")
            if failure:
                raise failed(GrpcError(Code.UNKNOWN, text(failure)))
            kind, aux = text(message.get("id")), message.get("aux")
            if kind == "moby.buildkit.trace" and isinstance(aux, str):
                take(_response(aux))
            elif kind == "moby.image.id":
                image = text(mapping(aux).get("ID"))
    return {"containerimage.digest": image} if image else {}


def _response(aux: str) -> StatusResponse:
    try:
        return decode(StatusResponse, base64.b64decode(aux))
    except (binascii.Error, ProtobufError) as error:
        raise RemoteError("The engine's answer is not understood", str(error)) from error


def _params(
    spec: BuildSpec, exporters: Sequence[Exporter], filename: str, session: str
) -> dict[str, Any]:
    params = common_params(spec)
    params |= {
        "version": "2",
        "remote": "client-session",
        "session": session,
        "buildid": uuid.uuid4().hex,
        "dockerfile": filename,
    }
    imports = [e.attrs["ref"] for e in cache_entries(spec.cache_from) if e.type == "registry"]
    params["cachefrom"] = json.dumps(imports) if imports else None
    if not exporters:
        params["outputs"] = json.dumps([{"Type": "cacheonly", "Attrs": {}}])
    elif exporters[0].type != "moby":
        output = {"Type": exporters[0].type, "Attrs": dict(exporters[0].attrs)}
        params["outputs"] = json.dumps([output])
    return params


def common_params(spec: BuildSpec) -> dict[str, Any]:
    """What both kinds of build take as parameters of the request."""
    return {
        "t": list(spec.tags) or None,
        "target": spec.target or None,
        "buildargs": json.dumps(dict(spec.args)) if spec.args else None,
        "labels": json.dumps(dict(spec.labels)) if spec.labels else None,
        "platform": ",".join(spec.platforms) or None,
        "nocache": True if spec.no_cache else None,
        "pull": True if spec.pull else None,
        "networkmode": spec.network or None,
        "extrahosts": list(spec.add_hosts) or None,
        "shmsize": spec.shm_size or None,
    }
