"""The streams of core's ports, on every engine there is: a real dockerd, and Podman for what its API has."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    NotFoundError,
    RemoteError,
    UnreachableError,
)
from dockdesk.core.ports import LogQuery
from dockdesk.core.reactor import Reactor
from tests.engines import BUSYBOX, wait_for
from tests.sinks import Recorder

FOREVER = "trap 'exit 0' TERM INT; while true; do sleep 1 & wait $!; done"

_shared: dict[str, str] = {}  # by the engine's address; they go with the engine


class World:
    """An engine, and the containers a test makes in it."""

    def __init__(self, backend: EngineBackend, reactor: Reactor) -> None:
        self.backend = backend
        self.reactor = reactor
        self.made: list[str] = []

    @property
    def podman(self) -> bool:
        return self.backend.client.podman

    @property
    def sandbox(self) -> bool:
        return self.backend.info().os == "DockDesk sandbox"

    def must_be_real(self, why: str) -> None:
        """Skip the test in the sandbox, which can't do what it is about."""
        if self.sandbox:
            pytest.skip(f"a simulation: {why}")

    def run(self, script: str, **config: Any) -> str:
        """Start a container that runs a shell script; its id."""
        id = self.create(script, **config)
        self.backend.client.post(f"/containers/{id}/start")
        return id

    def create(self, script: str, **config: Any) -> str:
        wanted = {"Image": BUSYBOX, "Cmd": ["/bin/sh", "-c", script], **config}
        name = f"t{uuid.uuid4().hex[:10]}"
        id = str(self.backend.client.post("/containers/create", {"name": name}, json=wanted)["Id"])
        self.made.append(id)
        return id

    def shared(self) -> str:
        """A container that runs all the time, for tests that leave it as it is."""
        host = self.backend.client.endpoint.host
        if host not in _shared:
            _shared[host] = self.run(FOREVER)
            self.made.remove(_shared[host])
        return _shared[host]

    def wait(self, id: str) -> None:
        self.backend.client.post(f"/containers/{id}/wait", timeout=60)

    def remove(self, id: str) -> None:
        self.backend.client.delete(f"/containers/{id}", {"force": True, "v": True})

    def gone(self, id: str) -> bool:
        """Remove it; False where Podman refuses because it is just ending by itself."""
        try:
            self.remove(id)
        except ConflictError:
            return False
        except NotFoundError:
            pass
        return True

    def logs(self, id: str, **query: Any) -> Recorder:
        """All of a log, once it has ended."""
        sink = Recorder()
        self.backend.logs(id, LogQuery(**{"tail": None, "follow": False, **query}), sink)
        assert sink.wait_for_end() is None
        return sink

    def at_rest(self, *sinks: Recorder) -> None:
        wait_for(lambda: len(self.reactor) == 0 and len(self.backend.hub) == 0)
        assert [sink.broken for sink in sinks if sink.broken] == []


@pytest.fixture(
    params=[
        pytest.param("docker_engine", marks=pytest.mark.engine, id="docker"),
        pytest.param("podman_engine", marks=pytest.mark.podman, id="podman"),
        pytest.param("sandbox_engine", id="sandbox"),
    ]
)
def world(request: pytest.FixtureRequest, reactor: Reactor) -> Iterator[World]:
    made = World(request.getfixturevalue(request.param), reactor)
    yield made
    for id in made.made:
        wait_for(lambda id=id: made.gone(id), what="the container can be removed")


# --- Who it is ---


def test_the_engine_says_who_it_is(world: World) -> None:
    info = world.backend.info()
    assert info.product == ("Podman" if world.podman else "Docker Engine")
    assert info.version
    assert info.api_version
    assert info.cpus >= 1
    assert info.cpus <= (os.cpu_count() or 1) or world.sandbox
    assert info.memory > 0
    assert info.storage_driver
    assert info.capabilities == world.backend.capabilities
    assert ("update" in info.capabilities) is not world.podman
    world.backend.ping()


# --- Events ---


def test_events_tell_of_a_containers_life(world: World) -> None:
    sink = Recorder()
    subscription = world.backend.events(sink)
    id = world.run("exit 3")
    world.wait(id)
    world.remove(id)
    wanted = ["create", "start", "die", "destroy"]

    def actions() -> list[str]:
        mine = [item for item in sink.items if item.kind == "container" and item.id == id]
        return [item.action for item in mine if item.action in wanted]

    sink.wait(lambda: len(set(actions())) == 4)
    assert sorted(actions(), key=wanted.index) == wanted
    events = [item for item in sink.items if item.id == id]
    assert all(item.name.startswith("t") for item in events)
    assert abs(events[0].at - time.time()) < 3600
    subscription.close()
    sink.closed()
    world.at_rest(sink)
    assert sink.ends == []


def test_events_since(world: World) -> None:
    if "events_since" not in world.backend.capabilities:
        pytest.skip("this engine does not keep its events")
    before = time.time() - 1
    id = world.create("true")
    sink = Recorder()
    subscription = world.backend.events(sink, since=before)
    sink.wait(lambda: any(item.id == id and item.action == "create" for item in sink.items))
    subscription.close()


# --- Stats ---


def test_stats_of_a_busy_container(world: World) -> None:
    id = world.run("while true; do :; done")
    sink = Recorder()
    subscription = world.backend.stats(id, sink)
    sink.wait(lambda: len(sink.items) >= 2, timeout=60)
    subscription.close()
    sink.closed()
    first, second = sink.items[:2]
    assert second.at > first.at
    assert second.cpu > 1
    assert 0 < second.memory < 1 << 30
    assert second.memory_limit > 0
    assert second.pids >= 1
    world.at_rest(sink)


def test_stats_count_what_goes_over_the_network(world: World) -> None:
    id = world.shared()
    sink = Recorder()
    subscription = world.backend.stats(id, sink)
    sink.wait(lambda: sink.items, timeout=60)
    assert all(item.net_in >= 0 and item.net_out >= 0 for item in sink.items)
    assert all(item.block_read >= 0 and item.block_write >= 0 for item in sink.items)
    subscription.close()
    world.at_rest(sink)


def test_stats_end_with_the_container(world: World) -> None:
    id = world.run(FOREVER)
    sink = Recorder()
    world.backend.stats(id, sink)
    sink.wait(lambda: sink.items, timeout=60)
    world.remove(id)
    error = sink.wait_for_end(timeout=60)
    assert error is None or isinstance(error, (NotFoundError, RemoteError, UnreachableError))
    world.at_rest(sink)


def test_stats_of_many_containers_are_read_by_one_thread(world: World) -> None:
    ids = [world.run(FOREVER) for _ in range(5)]
    sinks = [Recorder() for _ in ids]
    streams = [world.backend.stats(id, sink) for id, sink in zip(ids, sinks, strict=True)]
    for sink in sinks:
        sink.wait(lambda sink=sink: sink.items, timeout=60)  # type: ignore[misc]
    assert {thread for sink in sinks for thread in sink.threads} == {"test-streams"}
    for stream in streams:
        stream.close()
    world.at_rest(*sinks)


# --- Logs ---


def test_logs_tell_stdout_from_stderr(world: World) -> None:
    id = world.run("echo out; echo err >&2; echo more")
    world.wait(id)
    sink = world.logs(id)
    by_stream = {1: b"", 2: b""}
    for chunk in sink.items:
        by_stream[chunk.stream] += chunk.data
    assert by_stream == {1: b"out\nmore\n", 2: b"err\n"}
    assert world.logs(id, stderr=False).data == b"out\nmore\n"
    assert world.logs(id, stdout=False).data == b"err\n"
    world.at_rest(sink)


def test_logs_are_followed_until_the_container_ends(world: World) -> None:
    id = world.run("echo first; while ! [ -e /go ]; do sleep 0.1; done; echo last")
    sink = Recorder()
    world.backend.logs(id, LogQuery(), sink)
    sink.wait_for_text("first\n")
    assert sink.ends == []
    session = world.backend.execute(id, ["touch", "/go"], Recorder())
    assert sink.wait_for_end(timeout=60) is None
    assert sink.data == b"first\nlast\n"
    session.close()
    world.at_rest(sink)


def test_the_newest_lines(world: World) -> None:
    id = world.run("seq 1 500")
    world.wait(id)
    assert world.logs(id, tail=3).data == b"498\n499\n500\n"
    assert world.logs(id, tail=0).data == b""
    assert world.logs(id).data == b"".join(b"%d\n" % number for number in range(1, 501))


def test_lines_with_their_times(world: World) -> None:
    before = time.time()
    id = world.run("echo a")
    world.wait(id)
    stamp, _, line = world.logs(id, timestamps=True).text.partition(" ")
    assert line == "a\n"
    assert abs(datetime.fromisoformat(stamp.strip()).timestamp() - before) < 600


def test_lines_of_a_span_of_time(world: World) -> None:
    id = world.run("echo early; sleep 3; echo late")
    world.wait(id)
    stamps = world.logs(id, timestamps=True).text.split()[::2]
    early, late = (datetime.fromisoformat(stamp).timestamp() for stamp in stamps)
    between = (early + late) / 2
    assert world.logs(id, since=between).data == b"late\n"
    assert world.logs(id, until=between).data == b"early\n"
    assert world.logs(id, since=late + 5).data == b""


def test_logs_of_a_terminal(world: World) -> None:
    id = world.run("printf 'a\\033[31mb\\033[0m\\n'; echo err >&2", Tty=True)
    world.wait(id)
    wait_for(lambda: b"err" in world.logs(id).data, what="the terminal's output")
    sink = world.logs(id)
    assert {chunk.stream for chunk in sink.items} == {1}
    assert sink.data.replace(b"\r", b"") == b"a\x1b[31mb\x1b[0m\nerr\n"


def test_logs_of_bytes_that_are_no_text(world: World) -> None:
    world.must_be_real("its shell counts in no loops")
    script = 'i=0; while [ $i -lt 256 ]; do printf "\\\\x$(printf %02x $i)"; i=$((i+1)); done; echo; echo end'
    id = world.run(script)
    world.wait(id)
    data = world.logs(id).data
    assert data.endswith(b"end\n")
    if world.podman:
        return  # its log files hold text: what is none is lost before any client can see it
    # The engine's log driver keeps text too and replaces broken UTF-8; everything else arrives.
    assert bytes(range(128)) in data


def test_a_line_of_10_mib(world: World) -> None:
    world.must_be_real("its shell has no tr")
    if world.podman:
        size = 1 << 20  # its log reader gives up on longer ones
    else:
        size = 10 << 20
    id = world.run(f"head -c {size} /dev/zero | tr '\\0' 'x'; echo; echo end")
    world.wait(id)
    data = world.logs(id).data
    assert data.count(b"x") == size
    assert data.endswith(b"end\n")


def test_logs_of_what_does_not_exist(world: World) -> None:
    for open_stream in (
        lambda sink: world.backend.logs("nosuch", LogQuery(), sink),
        lambda sink: world.backend.stats("nosuch", sink),
        lambda sink: world.backend.execute("nosuch", ["sh"], sink),
        lambda sink: world.backend.attach("nosuch", sink),
    ):
        sink = Recorder()
        with pytest.raises(NotFoundError):
            open_stream(sink)
        assert sink.ends == []
    with pytest.raises(NotFoundError):
        world.backend.shells("nosuch")
    world.at_rest()


def test_no_logs_where_none_are_kept(world: World) -> None:
    config = {"HostConfig": {"LogConfig": {"Type": "none"}}}
    id = world.run("echo gone", **config)
    world.wait(id)
    sink = Recorder()
    error: DockDeskError | None
    try:
        world.backend.logs(id, LogQuery(follow=False), sink)
        error = sink.wait_for_end()
    except DockDeskError as refusal:
        error = refusal
    assert error is not None
    assert error.title == "No logs of this container"
    assert error.detail


def test_logs_end_when_the_container_is_removed(world: World) -> None:
    id = world.run(f"echo first; {FOREVER}")
    sink = Recorder()
    world.backend.logs(id, LogQuery(), sink)
    sink.wait_for_text("first")
    world.remove(id)
    error = sink.wait_for_end(timeout=60)
    assert error is None or isinstance(error, (NotFoundError, RemoteError, UnreachableError))
    world.at_rest(sink)


def test_a_log_that_is_closed_while_it_pours(world: World) -> None:
    world.must_be_real("nothing pours out of it")
    id = world.run("yes 'a line of some length to fill the pipes with'")
    sink = Recorder()
    subscription = None
    while subscription is None:
        # Podman refuses where the line that it looks back from is still being written. The test's limit ends this.
        with contextlib.suppress(RemoteError):
            subscription = world.backend.logs(id, LogQuery(tail=10), sink)
    sink.wait(lambda: len(sink.data) > 100_000)
    subscription.close()
    sink.closed()
    world.at_rest(sink)
    assert sink.ends == []


# --- Terminals ---


def test_the_shells_there_are(world: World) -> None:
    id = world.shared()
    shells = world.backend.shells(id)
    assert shells[-1] == "/bin/sh"
    assert "/bin/ash" in shells
    assert not any(path.endswith("bash") for path in shells)


def test_no_shell_is_no_failure(world: World) -> None:
    id = world.create("true")
    # A stopped container has its files too.
    assert "/bin/sh" in world.backend.shells(id)


def shell(world: World, sink: Recorder, **options: Any) -> Any:
    id = world.shared()
    return world.backend.execute(id, ["/bin/sh"], sink, **options)


def test_a_shell_answers(world: World) -> None:
    sink = Recorder()
    session = shell(world, sink)
    session.write(b"echo $((20+3))x\n")
    sink.wait_for_text("23x")
    assert session.exit_code() is None
    session.write(b"exit 7\n")
    assert sink.wait_for_end() is None
    assert session.exit_code() == 7
    assert sink.threads <= {"test-streams", "engine-check"}
    world.at_rest(sink)


def test_a_shell_has_the_size_it_is_given(world: World) -> None:
    sink = Recorder()
    session = shell(world, sink, columns=123, rows=45)
    session.write(b"stty size; echo done1\n")
    sink.wait_for_text("45 123")
    session.resize(77, 22)
    # The process hears of it by a signal, so it is asked until it knows.

    def resized() -> bool:
        session.write(b"stty size\n")
        time.sleep(0.2)
        return "22 77" in sink.text

    wait_for(resized)
    session.close()
    world.at_rest(sink)


def test_user_folder_and_environment(world: World) -> None:
    sink = Recorder()
    session = shell(world, sink, user="user", workdir="/tmp", env=["COLOUR=blue"])
    session.write(b'echo "$(id -un)|$(pwd)|$COLOUR|$TERM|"\n')
    sink.wait_for_text("user|/tmp|blue|xterm-256color|")
    session.close()
    world.at_rest(sink)


def processes(world: World, id: str) -> str:
    top = world.backend.client.get(f"/containers/{id}/top")
    return "\n".join(" ".join(row) for row in top["Processes"])


def test_closing_ends_the_shell_and_what_runs_in_it(world: World) -> None:
    world.must_be_real("its processes are not told apart")
    id = world.shared()
    sink = Recorder()
    session = world.backend.execute(id, ["/bin/sh"], sink)
    session.write(b"sh\n")
    session.write(b"echo ready$((1+1)); sleep 4242\n")
    sink.wait_for_text("ready2")
    wait_for(lambda: "4242" in processes(world, id))
    session.close()
    sink.closed()
    wait_for(lambda: session.exit_code() is not None, what="the shell's end")
    assert "4242" not in processes(world, id)
    world.at_rest(sink)
    assert sink.ends == []


def test_a_control_key_arrives(world: World) -> None:
    """Ctrl+P is the engine's own detach key unless it is told otherwise; shells use it for their history."""
    world.must_be_real("its programs read no keys")
    sink = Recorder()
    session = shell(world, sink)
    session.write(b"cat -v\n")
    sink.wait_for_text("cat -v")
    time.sleep(0.3)  # until cat reads
    session.write(b"\x10\n")
    sink.wait_for_text("^P\r\n")
    session.close()
    world.at_rest(sink)


def test_much_output(world: World) -> None:
    id = world.shared()
    sink = Recorder()
    world.backend.execute(id, ["seq", "1", "100000"], sink)
    assert sink.wait_for_end(timeout=60) is None
    expected = b"".join(b"%d\r\n" % number for number in range(1, 100_001))
    assert sink.data == expected
    world.at_rest(sink)


def test_a_command_that_does_not_exist(world: World) -> None:
    id = world.shared()
    sink = Recorder()
    said = ""
    try:
        world.backend.execute(id, ["/no/such/thing"], sink)
        sink.wait_for_end()
    except DockDeskError as error:  # where the engine notices before it begins
        said = error.detail
    assert "no such file" in (said + sink.text).lower()
    world.at_rest(sink)


def test_no_shell_in_a_container_that_does_not_run(world: World) -> None:
    id = world.create("true")
    with pytest.raises((ConflictError, RemoteError)):
        world.backend.execute(id, ["/bin/sh"], Recorder())
    world.at_rest()


def test_a_shell_ends_when_its_container_is_removed(world: World) -> None:
    id = world.run(FOREVER)
    sink = Recorder()
    session = world.backend.execute(id, ["/bin/sh"], sink)
    session.write(b"echo o''k\n")
    sink.wait_for_text("ok")
    world.remove(id)
    sink.wait_for_end(timeout=60)
    session.close()
    world.at_rest(sink)


# --- Attach ---


def test_attach_to_a_terminal(world: World) -> None:
    world.must_be_real("its programs read no input")
    id = world.run("cat", Tty=True, OpenStdin=True)
    sink = Recorder()
    session = world.backend.attach(id, sink, columns=90, rows=20)
    session.write(b"hello\n")
    sink.wait_for_text("hello\r\nhello\r\n")
    session.resize(60, 20)
    session.close()
    sink.closed()
    world.at_rest(sink)
    state = world.backend.client.get(f"/containers/{id}/json")["State"]
    assert state["Running"], "closing must detach, not end the container"


def test_attach_without_a_terminal(world: World) -> None:
    world.must_be_real("its programs read no input")
    id = world.run("while read line; do echo got $line; echo bad $line >&2; done", OpenStdin=True)
    sink = Recorder()
    session = world.backend.attach(id, sink)
    session.write(b"one\n")
    sink.wait(lambda: b"got one\n" in sink.data and b"bad one\n" in sink.data)
    assert session.exit_code() is None
    session.close()
    world.at_rest(sink)


def test_attach_ends_with_the_container(world: World) -> None:
    world.must_be_real("its programs read no input")
    id = world.run("read line; exit 4", Tty=True, OpenStdin=True)
    sink = Recorder()
    session = world.backend.attach(id, sink)
    session.write(b"go\n")
    assert sink.wait_for_end(timeout=60) is None
    wait_for(lambda: session.exit_code() == 4)
    world.at_rest(sink)


# --- All at once ---


def test_streams_of_every_kind_side_by_side(world: World) -> None:
    id = world.run(f"echo hello; {FOREVER}")
    sinks: dict[str, Recorder] = {name: Recorder() for name in ("events", "stats", "logs", "exec")}
    opened: list[Callable[[], None]] = [
        world.backend.events(sinks["events"]).close,
        world.backend.stats(id, sinks["stats"]).close,
        world.backend.logs(id, LogQuery(), sinks["logs"]).close,
        world.backend.execute(id, ["/bin/sh"], sinks["exec"]).close,
    ]
    for sink in sinks.values():
        sink.wait(lambda sink=sink: sink.items, timeout=60)  # type: ignore[misc]
    for close in opened:
        close()
    world.at_rest(*sinks.values())
