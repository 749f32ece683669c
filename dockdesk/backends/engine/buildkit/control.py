"""BuildKit's Control API, over the connection that POST /grpc opens. Source: moby/buildkit, control.proto."""

from __future__ import annotations

from collections.abc import Iterator

from dockdesk.backends.engine.buildkit.session import upgraded
from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.errors import lost_error
from dockdesk.core.errors import DockDeskError
from dockdesk.core.work import Work
from dockdesk.wire.buildkit import (
    BUILD_ID,
    CONTROL,
    GATEWAY,
    BuildHistoryEvent,
    BuildHistoryRequest,
    GatewayReturnRequest,
    GatewaySolveRequest,
    GatewaySolveResponse,
    SolveRequest,
    SolveResponse,
    StatusRequest,
    StatusResponse,
)
from dockdesk.wire.grpc import Client, ClientCall
from dockdesk.wire.protobuf import decode, encode


class Control:
    """One connection to the engine's BuildKit; a context manager. Calls raise GrpcError."""

    def __init__(self, client: EngineClient, title: str, work: Work) -> None:
        self._engine = client
        sock, received = upgraded(client, "/grpc", {}, title, work)
        self._client = Client(sock, received, name="buildkit-control")

    @property
    def broken(self) -> bool:
        """Whether the engine is gone."""
        return self._client.connection.closed

    def lost(self) -> DockDeskError:
        return self._engine.explained(lost_error(self._engine.endpoint))

    def solve(self, request: SolveRequest) -> ClientCall:
        """Begin a build; `result` waits for its end. Cancelling the call cancels the build."""
        return self._client.begin(f"{CONTROL}Solve", encode(request))

    @staticmethod
    def result(call: ClientCall) -> SolveResponse:
        return decode(SolveResponse, _only(call))

    def status(self, ref: str) -> ClientCall:
        """What a build tells, from its beginning; see `responses`. Also of one that is over, where it is kept."""
        return self._client.begin(f"{CONTROL}Status", encode(StatusRequest(ref)))

    @staticmethod
    def responses(call: ClientCall) -> Iterator[StatusResponse]:
        for message in call:
            yield decode(StatusResponse, message)

    def history(self, limit: int) -> Iterator[BuildHistoryEvent]:
        request = BuildHistoryRequest(early_exit=True, limit=limit)
        for message in self._client.begin(f"{CONTROL}ListenBuildHistory", encode(request)):
            yield decode(BuildHistoryEvent, message)

    def ask_frontend(self, ref: str, request: GatewaySolveRequest) -> GatewaySolveResponse:
        """Have a frontend answer within the build ``ref``, which was begun without a frontend of its own."""
        answer = self._client.ask(f"{GATEWAY}Solve", encode(request), [(BUILD_ID, ref)], 120.0)
        return decode(GatewaySolveResponse, answer)

    def end_frontend(self, ref: str, request: GatewayReturnRequest) -> None:
        self._client.ask(f"{GATEWAY}Return", encode(request), [(BUILD_ID, ref)], 30.0)

    def ping_frontend(self, ref: str) -> None:
        self._client.ask(f"{GATEWAY}Ping", b"", [(BUILD_ID, ref)], 30.0)

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _only(call: ClientCall) -> bytes:
    """The one message of a unary call. Raise GrpcError."""
    answer = b""
    while (message := call.receive()) is not None:
        answer = message
    return answer
