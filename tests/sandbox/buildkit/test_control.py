"""The Control API as a client of BuildKit's would use it, by messages alone."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest

from dockdesk.sandbox.buildkit.messages import (
    DiskUsageRequest,
    DiskUsageResponse,
    InfoResponse,
    ListWorkersResponse,
    PruneRequest,
    UpdateBuildHistoryRequest,
    UsageRecord,
)
from dockdesk.wire.buildkit import (
    COMPLETE,
    CONTROL,
    DELETED,
    FILE_SYNC,
    HEALTH_CHECK,
    BuildHistoryEvent,
    BuildHistoryRequest,
    HealthResponse,
    Packet,
    RpcStatus,
    SolveRequest,
    SolveResponse,
    Stat,
    StatusRequest,
    StatusResponse,
)
from dockdesk.wire.grpc import Client, Code, GrpcError, Server, ServerCall, unary
from dockdesk.wire.protobuf import decode, encode
from tests.sandbox.buildkit.conftest import Place

_FINISH, _DATA, _REQUEST = 3, 2, 1


class Builder:
    """A session that serves one Dockerfile, and builds of it."""

    def __init__(self, place: Place, text: str, methods: str = FILE_SYNC) -> None:
        self.id = uuid.uuid4().hex
        self._content = text.encode()
        handlers = {HEALTH_CHECK: unary(lambda _: encode(HealthResponse(1))), FILE_SYNC: self._sync}
        self._server = Server(handlers, name="test-session")
        sock, rest = place.upgrade(
            "/session",
            X_Docker_Expose_Session_Uuid=self.id,
            X_Docker_Expose_Session_Name="test",
            X_Docker_Expose_Session_Sharedkey=self.id,
            X_Docker_Expose_Session_Grpc_Method=methods,
        )
        self._connection = self._server.serve(sock, rest)
        self.control = place.control()

    def _sync(self, call: ServerCall) -> None:
        """Only the Dockerfile is there, whatever is asked for."""
        if call.metadata.get("dir-name") == ["dockerfile"]:
            call.send(
                encode(Packet(0, Stat("Dockerfile", 0o644, size=len(self._content), modified=1)))
            )
        call.send(encode(Packet(0)))
        for message in call:
            packet = decode(Packet, message)
            if packet.type == _REQUEST:
                call.send(encode(Packet(_DATA, id=packet.id, content=self._content)))
                call.send(encode(Packet(_DATA, id=packet.id)))
            elif packet.type == _FINISH:
                call.send(encode(Packet(_FINISH)))
                return

    def request(self, **attrs: str) -> SolveRequest:
        return SolveRequest(
            ref=uuid.uuid4().hex,
            exporter="moby",
            session=self.id,
            frontend="dockerfile.v0",
            frontend_attrs=attrs,
        )

    def solve(self, request: SolveRequest) -> SolveResponse:
        answer = self.control.ask(f"{CONTROL}Solve", encode(request), timeout=60.0)
        return decode(SolveResponse, answer)

    def status(self, ref: str) -> list[StatusResponse]:
        call = self.control.begin(f"{CONTROL}Status", encode(StatusRequest(ref)), timeout=60.0)
        return [decode(StatusResponse, message) for message in call]

    def close(self) -> None:
        self.control.close()
        self._connection.close()
        self._server.join()


@pytest.fixture
def builder(place: Place) -> Iterator[Callable[[str], Builder]]:
    made: list[Builder] = []

    def make(text: str) -> Builder:
        made.append(Builder(place, text))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def control(place: Place) -> Iterator[Client]:
    client = place.control()
    yield client
    client.close()


def test_who_it_is(control: Client) -> None:
    assert decode(HealthResponse, control.ask(HEALTH_CHECK, b"")).status == 1
    info = decode(InfoResponse, control.ask(f"{CONTROL}Info", b""))
    assert info.version is not None
    assert info.version.package == "github.com/moby/buildkit"
    (worker,) = decode(ListWorkersResponse, control.ask(f"{CONTROL}ListWorkers", b"")).records
    assert {platform.architecture for platform in worker.platforms} == {"amd64", "arm64"}
    with pytest.raises(GrpcError) as caught:
        control.ask(f"{CONTROL}Session", b"")
    assert caught.value.code is Code.UNIMPLEMENTED


def test_status_is_told_live_and_again_when_all_is_over(builder: Callable[[str], Builder]) -> None:
    made = builder("FROM alpine:3.21\nRUN echo one\nRUN sleep 30; echo two\n")
    request = made.request()
    told: list[StatusResponse] = []
    follower = threading.Thread(target=lambda: told.extend(made.status(request.ref)))
    follower.start()
    answer = made.solve(request).exporter_response
    follower.join(60)
    assert answer["containerimage.digest"].startswith("sha256:")
    assert len(told) > 1, "it came in pieces"
    replayed = made.status(request.ref)
    for responses in (told, replayed):
        log = b"".join(log.content for one in responses for log in one.logs)
        assert log == b"one\ntwo\n"
        ends = {v.digest: v for one in responses for v in one.vertexes}
        assert all(v.started and v.completed for v in ends.values())
        assert [v.name for v in ends.values() if "RUN" in v.name] == [
            "[2/3] RUN echo one",
            "[3/3] RUN sleep 30; echo two",
        ]


def test_stages_run_side_by_side(builder: Callable[[str], Builder]) -> None:
    made = builder(
        "FROM alpine:3.21 AS a\nRUN sleep 60; echo > /a\nFROM alpine:3.21 AS b\nRUN sleep 60; echo > /b\n"
        "FROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /\n"
    )
    request = made.request()
    made.solve(request)
    runs = {v.name: v for one in made.status(request.ref) for v in one.vertexes if "RUN" in v.name}
    first, second = runs.values()
    for one, other in ((first, second), (second, first)):
        assert one.started is not None
        assert other.completed is not None
        assert one.started.moment < other.completed.moment


def test_a_failure_names_its_step_and_lines(builder: Callable[[str], Builder]) -> None:
    made = builder("FROM alpine:3.21\n\nRUN echo a && \\\n  false\n")
    request = made.request()
    with pytest.raises(GrpcError) as caught:
        made.solve(request)
    assert "exit code: 1" in caught.value.message
    details = {
        item.type_url.rpartition("/")[2]: json.loads(item.value)
        for item in decode(RpcStatus, caught.value.details).details
    }
    assert details["errdefs.Source+json"]["ranges"] == [{"start": {"line": 3}, "end": {"line": 4}}]
    failed = {v.digest: v for one in made.status(request.ref) for v in one.vertexes if v.error}
    assert set(failed) == {details["errdefs.Vertex+json"]["digest"]}


def test_a_call_that_is_cancelled_stops_the_build(builder: Callable[[str], Builder]) -> None:
    made = builder("FROM alpine:3.21\nRUN echo begun; sleep 100000\n")
    request = made.request()
    call = made.control.begin(f"{CONTROL}Solve", encode(request))
    status = made.control.begin(
        f"{CONTROL}Status", encode(StatusRequest(request.ref)), timeout=60.0
    )
    for message in status:
        if any(b"begun" in log.content for log in decode(StatusResponse, message).logs):
            break
    call.cancel()
    last = [decode(StatusResponse, message) for message in status]
    errors = [v.error for one in last for v in one.vertexes if v.error]
    assert errors == ["context canceled"]


def test_history_is_kept_pinned_and_deleted(
    builder: Callable[[str], Builder], control: Client
) -> None:
    made = builder("FROM alpine:3.21\nRUN echo remembered\n")
    request = made.request(target="")
    made.solve(request)

    def events(**options: object) -> list[BuildHistoryEvent]:
        asked = BuildHistoryRequest(early_exit=True, **options)  # type: ignore[arg-type]
        call = control.begin(f"{CONTROL}ListenBuildHistory", encode(asked), timeout=60.0)
        return [decode(BuildHistoryEvent, message) for message in call]

    (event,) = events(ref=request.ref)
    assert event.type == COMPLETE
    assert event.record is not None
    assert event.record.total_steps == event.record.completed_steps > 2
    listening = control.begin(
        f"{CONTROL}ListenBuildHistory", encode(BuildHistoryRequest(ref=request.ref)), timeout=60.0
    )
    assert decode(BuildHistoryEvent, listening.receive() or b"").type == COMPLETE
    update = UpdateBuildHistoryRequest(request.ref, pinned=True)
    call = control.begin(f"{CONTROL}UpdateBuildHistory", encode(update), timeout=30.0)
    assert list(call) == [b""]
    pinned = decode(BuildHistoryEvent, listening.receive() or b"").record
    assert pinned is not None
    assert pinned.pinned
    gone = UpdateBuildHistoryRequest(request.ref, delete=True)
    assert list(control.begin(f"{CONTROL}UpdateBuildHistory", encode(gone))) == [b""]
    assert decode(BuildHistoryEvent, listening.receive() or b"").type == DELETED
    listening.cancel()
    assert events(ref=request.ref) == []
    with pytest.raises(GrpcError) as caught:
        list(control.begin(f"{CONTROL}UpdateBuildHistory", encode(gone)))
    assert caught.value.code is Code.NOT_FOUND


def test_disk_usage_and_prune(
    builder: Callable[[str], Builder], control: Client, place: Place
) -> None:
    made = builder(
        "FROM alpine:3.21\nRUN --mount=type=cache,target=/c,id=kept dd if=/dev/zero of=/c/z bs=1000 count=7\n"
    )
    made.solve(made.request())

    def usage() -> dict[str, UsageRecord]:
        answer = control.ask(f"{CONTROL}DiskUsage", encode(DiskUsageRequest()), timeout=30.0)
        return {one.id: one for one in decode(DiskUsageResponse, answer).records}

    before = usage()
    (mount,) = [one for one in before.values() if one.record_type == "exec.cachemount"]
    assert mount.size == 7000
    _, df = place.ask("GET", "/system/df")
    assert {item["ID"] for item in df["BuildCache"]} == set(before)
    prune = PruneRequest(filter=("type==exec.cachemount",), all=True)
    gone = [
        decode(UsageRecord, item).id
        for item in control.begin(f"{CONTROL}Prune", encode(prune), timeout=30.0)
    ]
    assert gone == [mount.id]
    status, answer = place.ask("POST", "/build/prune?all=1")
    assert status == 200
    assert answer["SpaceReclaimed"] > 0
    left = usage()
    assert {one.record_type for one in left.values() if not one.in_use} <= {"source.image"}, (
        "images that are here stay"
    )


def test_what_has_no_session(control: Client) -> None:
    request = SolveRequest(ref="lonely", session="nobody", frontend="dockerfile.v0")
    with pytest.raises(GrpcError, match="no active session"):
        control.ask(f"{CONTROL}Solve", encode(request), timeout=60.0)
    with pytest.raises(GrpcError, match="no such job"):
        list(control.begin(f"{CONTROL}Status", encode(StatusRequest("nothing")), timeout=60.0))


def test_a_session_that_ends_takes_its_build_along(builder: Callable[[str], Builder]) -> None:
    made = builder("FROM alpine:3.21\nRUN sleep 100000\n")
    request = made.request()
    call = made.control.begin(f"{CONTROL}Solve", encode(request), timeout=60.0)
    status = made.control.begin(
        f"{CONTROL}Status", encode(StatusRequest(request.ref)), timeout=60.0
    )
    for message in status:
        if any("RUN" in v.name and v.started for v in decode(StatusResponse, message).vertexes):
            break
    made._connection.close()
    with pytest.raises(GrpcError):
        list(call)
    assert list(status), "it is told that the step was stopped"


def test_upgrades_that_make_no_sense(place: Place) -> None:
    status, answer = place.ask("POST", "/session")
    assert (status, "upgrade" in answer["message"]) == (400, True)
    status, answer = place.ask("POST", "/build?version=3")
    assert status == 400
    status, _ = place.ask("POST", "/build/cancel")
    assert status == 400
    status, _ = place.ask("POST", "/build/cancel?id=nobody")
    assert status == 200
