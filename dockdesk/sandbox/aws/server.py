"""The simulated AWS as a server: finds out who is asked for what, in which protocol, and answers in the same.

Sources: the protocol pages of https://smithy.io/2.0/aws/protocols/ and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html (the scope names region and service).
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, unquote

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws import cbor, scenes, seed, signing
from dockdesk.sandbox.aws.ecr.registry import EcrRegistry
from dockdesk.sandbox.aws.ecs.exec import PATH
from dockdesk.sandbox.aws.eks import seed as eks_seed
from dockdesk.sandbox.aws.gate import Gate
from dockdesk.sandbox.aws.logs.api import EventStream
from dockdesk.sandbox.aws.region import Region
from dockdesk.sandbox.aws.values import (
    REGION,
    Api,
    AwsError,
    BadInputError,
    Operation,
    Params,
    uuid_of,
)
from dockdesk.sandbox.aws.wire import nested, to_xml
from dockdesk.sandbox.http import HttpError, Request, Response, Server
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.scenarios import Conditions

_log = logging.getLogger(__name__)

_TICK_SECONDS = 0.25
_BODY_LIMIT = 8 << 20
_TARGETS = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "AnyScaleFrontendService": "application-autoscaling",
    "GraniteServiceVersion20100801": "monitoring",
    "Logs_20140328": "logs",
}
_VERSIONS = {
    "2011-06-15": "sts",
    "2010-05-08": "iam",
    "2016-11-15": "ec2",
    "2015-12-01": "elasticloadbalancing",
    "2010-08-01": "monitoring",
}
_NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "ec2": "http://ec2.amazonaws.com/doc/2016-11-15/",
    "elasticloadbalancing": "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    "monitoring": "http://monitoring.amazonaws.com/doc/2010-08-01/",
}
_RPC = re.compile(r"/service/(\w+)/operation/(\w+)")
_REGION_NAME = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_MOST_REGIONS = 40
_MALFORMED = (
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    IndexError,
    OverflowError,
    RecursionError,
)
_MOST_FIELDS = 20_000


@dataclass(slots=True)
class _Call:
    """What a request asks for. ``protocol``: json, cbor, query, ec2 or rest."""

    protocol: str
    service: str
    operation: str
    params: Any
    version: str = "1.1"


class SimulatedAws:
    """Serves every service on one port, and lets the regions' time pass.

    ``registry`` serves the home region's ECR images and listens already, since their names begin with its address.
    """

    def __init__(
        self,
        clock: Clock,
        seed_number: int,
        huge: bool = False,
        registry: EcrRegistry | None = None,
    ) -> None:
        self._clock = clock
        self._seed = seed_number
        self.gate = Gate()
        self.regions: dict[str, Region] = {}
        self.home = self.region(REGION)
        if registry is not None:
            self.home.cloud.ecr.host = registry.address
            self.home.registry = f"http://{registry.address}"
        seed.furnish(self.home, huge)
        if registry is not None:
            registry.attach(self.home.cloud.ecr)
        eks_seed.furnish(self.home.eks, self.home.cloud.started)
        self.server = Server(self._handle, "aws")
        self._task: asyncio.Task[None] | None = None
        self._requests = 0

    def region(self, name: str) -> Region:
        """A region; those but the home one are empty until somebody makes something there."""
        if name not in self.regions:
            self.regions[name] = Region(self._clock, self._seed, name)
        return self.regions[name]

    def start(self) -> None:
        """Let time pass."""
        self._task = asyncio.create_task(self._live())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.server.close()

    async def _live(self) -> None:
        while True:
            for region in list(self.regions.values()):
                region.cloud.advance()
            await asyncio.sleep(_TICK_SECONDS)

    def play(self, conditions: Conditions) -> None:
        """Live under other conditions from now on."""
        self.gate.play(conditions)
        for region in self.regions.values():
            region.cloud.play(conditions)
        scenes.play(self.home, conditions)

    # --- requests ---

    async def _handle(self, request: Request) -> Response:
        self._requests += 1
        request_id = uuid_of(self._seed, "request", self._requests)
        if request.path.startswith(PATH):
            call = _Call("rest", "ecs", request.path, {})
            try:
                return await self.home.sessions.serve(request)
            except AwsError as error:
                return _error(call, error, request_id)
        response = await self._answered(request, request_id)
        # Where time runs faster, this is how a client can tell what time it is here.
        date = formatdate(self._clock.now(), usegmt=True)
        response.headers = {**response.headers, "Date": date}
        return response

    async def _answered(self, request: Request, request_id: str) -> Response:
        call = self._identify(request)
        try:
            answer = await self._answer(request, call)
        except AwsError as error:
            return _error(call, error, request_id)
        except BadInputError as error:
            return _error(call, AwsError(self._invalid(call), str(error)), request_id)
        except _MALFORMED as error:
            # What no check foresaw: a malformed request all the same, unless the log says otherwise.
            _log.info("aws: %s.%s: %r", call.service, call.operation, error)
            text = f"{type(error).__name__}: {error}"
            return _error(call, AwsError(self._invalid(call), text), request_id)
        if isinstance(answer, EventStream):
            headers = {"x-amzn-RequestId": request_id}
            return Response(200, answer.frames, "application/vnd.amazon.eventstream", headers)
        return _success(call, answer, request_id)

    def _invalid(self, call: _Call) -> str:
        api = self.home.apis.get(call.service)
        return api.invalid if api is not None else "ValidationException"

    def _identify(self, request: Request) -> _Call:
        """Who is asked, in which protocol; what for is not read yet where it stands in the body."""
        target = request.headers.get("x-amz-target", "")
        rpc = _RPC.fullmatch(request.path)
        if target:
            prefix, _, operation = target.rpartition(".")
            version = "1.0" if "json-1.0" in request.headers.get("content-type", "") else "1.1"
            return _Call("json", _TARGETS.get(prefix, ""), operation, {}, version)
        if rpc is not None:
            return _Call("cbor", _TARGETS.get(rpc[1], ""), rpc[2], {})
        if request.path == "/":
            signed = signing.read(request.raw_target, request.headers)
            service = signed.service if signed is not None else "sts"
            return _Call("ec2" if service == "ec2" else "query", service, "", {})
        return _Call("rest", "eks", request.path, {})

    async def _body(self, request: Request) -> bytes:
        try:
            return await request.body(_BODY_LIMIT)
        except HttpError as error:
            code = "RequestEntityTooLarge" if error.status == 413 else "BadRequest"
            raise AwsError(code, error.message, error.status) from None

    def _read(self, request: Request, call: _Call, body: bytes) -> None:
        """Read the input. Raises AwsError where it can't be understood."""
        if call.protocol == "json":
            call.params = _json(body)
        elif call.protocol == "cbor":
            try:
                call.params = cbor.decode(body) if body else {}
            except ValueError as error:
                raise AwsError("SerializationException", str(error)) from None
        elif call.protocol == "rest":
            found = self.home.eks.route(request.method, _path(request))
            if found is None:
                raise AwsError(
                    "UnknownOperationException",
                    "The requested operation is not recognized by the service.",
                    404,
                )
            query = {
                name: values[0] if len(values) == 1 else values
                for name, values in request.query.items()
            }
            names = {name: unquote(text) for name, text in found[1].items()}
            call.params = {**_json(body), **query, **names}
        else:
            _read_form(request, call, body)

    async def _answer(self, request: Request, call: _Call) -> Any:
        body = await self._body(request)
        region = self._authorized(request, call, body)
        self._read(request, call, body)
        region.cloud.advance()
        operation = self._operation(region, request, call)
        answer = operation(Params(call.params, request.headers))
        return await answer if inspect.isawaitable(answer) else answer

    def _operation(self, region: Region, request: Request, call: _Call) -> Operation:
        if call.protocol == "rest":
            found = region.eks.route(request.method, _path(request))
            assert found is not None
            return found[0]
        api: Api | None = region.apis.get(call.service)
        operation = api.operations.get(call.operation) if api is not None else None
        if operation is None:
            raise AwsError(
                "UnknownOperationException",
                f"The action {call.operation} is not valid for this endpoint.",
                query_code="InvalidAction",
            )
        return operation

    def _authorized(self, request: Request, call: _Call, body: bytes) -> Region:
        """The region that the request is signed for. Raises what AWS answers to those it does not let in."""
        name = self.gate.admit(
            call.protocol, request.method, request.raw_target, request.headers, body
        )
        full = name not in self.regions and len(self.regions) >= _MOST_REGIONS
        if full or not _REGION_NAME.fullmatch(name):
            text = f"There is no region {name}."
            raise AwsError("UnrecognizedClientException", text, 400, "InvalidClientTokenId")
        return self.region(name)


def _json(body: bytes) -> Any:
    try:
        value = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise AwsError("SerializationException", "the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise AwsError("SerializationException", "the input must be a structure")
    return value


def _path(request: Request) -> str:
    """The path as it came: its names may hold encoded slashes."""
    return request.raw_target.partition("?")[0]


def _read_form(request: Request, call: _Call, body: bytes) -> None:
    """The query protocols: a form in the body or, where it is presigned, in the address."""
    form: Mapping[str, list[str]] = request.query
    if request.method == "POST":
        text = body.decode("utf-8", "replace")
        try:
            form = {**form, **parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)}
        except ValueError as error:
            raise AwsError("MalformedQueryString", str(error)) from None
    elif request.method not in {"GET", "HEAD"}:
        raise AwsError("UnknownOperationException", "method not allowed", 405)
    call.operation = (form.get("Action") or [""])[0]
    call.version = (form.get("Version") or [""])[0]
    call.service = _VERSIONS.get(call.version, "")
    call.protocol = "ec2" if call.service == "ec2" else "query"
    if not call.operation:
        raise AwsError(
            "UnknownOperationException", "The request names no action.", 404, "MissingAction"
        )
    try:
        call.params = nested(form)
    except ValueError as error:
        raise AwsError("MalformedQueryString", str(error)) from None


def _success(call: _Call, answer: Mapping[str, Any], request_id: str) -> Response:
    headers = {"x-amzn-RequestId": request_id}
    if call.protocol == "cbor":
        return Response(
            200,
            cbor.encode(answer),
            "application/cbor",
            {**headers, "smithy-protocol": "rpc-v2-cbor"},
        )
    if call.protocol in {"json", "rest"}:
        kind = (
            f"application/x-amz-json-{call.version}"
            if call.protocol == "json"
            else "application/json"
        )
        return Response(200, json.dumps(answer, separators=(",", ":")).encode(), kind, headers)
    space, name = _NAMESPACES.get(call.service, ""), call.operation
    if call.protocol == "ec2":
        text = f'<{name}Response xmlns="{space}"><requestId>{request_id}</requestId>{to_xml(answer, "item")}</{name}Response>'
    else:
        text = (
            f'<{name}Response xmlns="{space}"><{name}Result>{to_xml(answer, "member")}</{name}Result>'
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
        )
    return Response(
        200, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), "text/xml", headers
    )


def _error(call: _Call, error: AwsError, request_id: str) -> Response:
    headers = {"x-amzn-RequestId": request_id}
    told = {"__type": error.code, "message": error.message, **error.fields}
    if call.protocol == "cbor" or (call.protocol == "json" and call.service == "monitoring"):
        headers["x-amzn-query-error"] = (
            f"{error.query_code};{'Sender' if error.status < 500 else 'Receiver'}"
        )
    if call.protocol == "cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
        return Response(error.status, cbor.encode(told), "application/cbor", headers)
    if call.protocol == "json":
        return Response(
            error.status,
            json.dumps(told).encode(),
            f"application/x-amz-json-{call.version}",
            headers,
        )
    if call.protocol == "rest":
        headers["x-amzn-ErrorType"] = error.code
        body = {"message": error.message, **error.fields}
        return Response(error.status, json.dumps(body).encode(), "application/json", headers)
    one = to_xml({"Code": error.query_code, "Message": error.message}, "member")
    if call.protocol == "ec2":
        text = f"<Response><Errors><Error>{one}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    else:
        space = _NAMESPACES.get(call.service, "")
        text = f'<ErrorResponse xmlns="{space}"><Error><Type>Sender</Type>{one}</Error><RequestId>{request_id}</RequestId></ErrorResponse>'
    return Response(
        error.status,
        f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(),
        "text/xml",
        headers,
    )
