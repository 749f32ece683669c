"""Real engines for tests: a dockerd, a registry and Podman's service, each in a temporary folder of its own.

Nothing of the machine's own engines is touched. Where an engine can't be started the tests that need it are skipped
with the reason, except under CI=true, where that is a failure.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from dockdesk.core.reactor import Reactor

if TYPE_CHECKING:
    from dockdesk.backends.engine.backend import EngineBackend

BUSYBOX = "dockdesk/busybox:test"
START_TIMEOUT = 120.0

_numbers = itertools.count()


class CannotStart(Exception):
    """Why an engine can't run here."""


def unavailable(reason: str) -> NoReturn:
    """Skip the test; fail under CI, where a missing engine would hide that nothing was tested."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def wait_for(condition: Callable[[], Any], timeout: float = 30.0, what: str = "") -> Any:
    """What ``condition`` returns once it is true; fail the test after ``timeout`` seconds."""
    until = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > until:
            pytest.fail(f"not within {timeout:.0f} s: {what or condition}")
        time.sleep(0.01)
    return value


class UnixHTTP(http.client.HTTPConnection):
    """The few requests the fixtures make themselves, independent of what they test."""

    def __init__(self, path: str, timeout: float = 60.0) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class EngineProcess:
    """An engine's service on a unix socket below a short temporary folder (socket paths end at 107 bytes)."""

    program = ""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ddt-", dir="/tmp"))
        self.socket = self.folder / "e.sock"
        self.log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """As in DOCKER_HOST."""
        return f"unix://{self.socket}"

    def request(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        """One plain request and its answer's body; raise RuntimeError for a status of 400 or more."""
        connection = UnixHTTP(str(self.socket))
        try:
            connection.request(method, path, body, {"Content-Type": kind} if kind else {})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {answer[:500]!r}")
        return answer

    def answers(self) -> bool:
        try:
            self.request("GET", "/_ping")
        except (OSError, RuntimeError, http.client.HTTPException):
            return False
        return True

    def launch(self, command: list[str], env: dict[str, str] | None = None) -> None:
        """Start the service and wait until it answers; raise CannotStart with its log's end."""
        if shutil.which(self.program) is None:
            raise CannotStart(f"{self.program} is not installed")
        if os.geteuid() != 0:
            raise CannotStart(f"{self.program} is started by root only")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **(env or {})},
            )
        until = time.monotonic() + START_TIMEOUT
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > until:
                self.kill()
                end = self.log.read_text(errors="replace")[-1500:]
                raise CannotStart(f"{self.program} did not start:\n{end}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End the service without a chance to clean up."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, timeout: float = 30.0) -> None:
        """End the service in good order."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def remove(self) -> None:
        """End everything that belongs to the engine and delete its folder."""
        self.kill()
        for _ in range(100):
            if not self._kill_children():
                break
            time.sleep(0.05)
        self._unmount()
        for _ in range(20):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                break
            time.sleep(0.1)
            self._unmount()

    def _kill_children(self) -> bool:
        """Kill what carries the engine's folder in its command line: containerd, shims, conmon."""
        mark = str(self.folder).encode()
        found = False
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if mark in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
                    found = True
        return found

    def _unmount(self) -> None:
        with contextlib.suppress(OSError):
            mounts = [
                line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()
            ]
            for point in reversed(mounts):
                if point.startswith(f"{self.folder}/"):
                    subprocess.run(["umount", "-l", point], capture_output=True, check=False)


class Dockerd(EngineProcess):
    """A dockerd with its own data, containerd, socket and bridge; can be killed and started again."""

    program = "dockerd"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.options = options
        self.driver = ""
        self.bridge = ""
        self.number = next(_numbers)
        self._own_bridge = ""

    @property
    def _slot(self) -> int:
        """Which part of 198.18.0.0/15, the networks for benchmarks that no real network uses (RFC 2544), is its own."""
        return (os.getpid() + self.number) * 16 % 256

    def start(self) -> None:
        """Start it, also again after `kill`. Tries storage drivers and networks until one works here."""
        for file in ("pid", "exec/containerd/containerd.pid"):
            (self.folder / file).unlink(missing_ok=True)
        if self.driver:
            self._start_again()
            return
        bridge = self._make_bridge()
        attempts = [("overlay2", bridge), ("vfs", bridge), ("vfs", "none")]
        for number, (driver, network) in enumerate(attempts):
            try:
                self.launch(self._command(driver, network))
            except CannotStart:
                self._kill_children()
                self._unmount()
                if shutil.which(self.program) is None or number == len(attempts) - 1:
                    raise
                continue
            self.driver, self.bridge = driver, network
            return

    def _start_again(self) -> None:
        """As it ran before. Daemons of other tests that start at the same time may take its rules from under it."""
        for left in reversed(range(3)):
            try:
                self.launch(self._command(self.driver, self.bridge))
                return
            except CannotStart:
                self._kill_children()
                if not left:
                    raise

    def _make_bridge(self) -> str:
        """A bridge of this daemon's own: daemons that share docker0 give one address to two containers."""
        name = f"ddt{os.getpid() % 1_000_000}x{self.number}"
        commands = [
            ["ip", "link", "add", name, "type", "bridge"],
            ["ip", "addr", "add", f"198.18.{self._slot}.1/24", "dev", name],
            ["ip", "link", "set", name, "up"],
        ]
        try:
            for command in commands:
                subprocess.run(command, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return "none"
        self._own_bridge = name
        return name

    def _command(self, driver: str, bridge: str) -> list[str]:
        return [
            "dockerd",
            f"--data-root={self.folder}/data",
            f"--exec-root={self.folder}/exec",
            f"--pidfile={self.folder}/pid",
            f"--host={self.host}",
            f"--storage-driver={driver}",
            f"--bridge={bridge}",
            f"--default-address-pool=base=198.19.{self._slot // 16 * 16}.0/20,size=26",
            "--userland-proxy=false" if bridge == "none" else "--userland-proxy=true",
            *([] if bridge != "none" and shutil.which("iptables") else ["--iptables=false"]),
            f"--config-file={self._config()}",
            *self.options,
        ]

    def _config(self) -> Path:
        """An empty configuration, so that the machine's own does not count."""
        file = self.folder / "daemon.json"
        file.write_text("{}")
        return file

    def remove(self) -> None:
        if self.process is not None and self.answers():
            self._clear()
            self.stop()
        super().remove()
        if self._own_bridge:
            command = ["ip", "link", "del", self._own_bridge]
            subprocess.run(command, capture_output=True, check=False)

    def _clear(self) -> None:
        """Remove what outlives dockerd or holds it up: it waits ten seconds for what does not hear SIGTERM."""
        with contextlib.suppress(OSError, RuntimeError, ValueError, http.client.HTTPException):
            for item in json.loads(self.request("GET", "/containers/json?all=1")):
                with contextlib.suppress(RuntimeError):
                    self.request("DELETE", f"/containers/{item['Id']}?force=1&v=1")
            self.request("POST", "/networks/prune")


class PodmanService(EngineProcess):
    """Podman's API service, as root, with its own storage."""

    program = "podman"

    def start(self) -> None:
        config = self.folder / "containers.conf"
        # Podman asks for the highest limits there are, which a root without CAP_SYS_RESOURCE may not set.
        config.write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
        )
        env = {"CONTAINERS_CONF": str(config)}
        for driver in ("overlay", "vfs"):
            try:
                self.launch(self.command(driver, "system", "service", "--time=0", self.host), env)
            except CannotStart:
                if shutil.which(self.program) is None or driver == "vfs":
                    raise
                continue
            self.driver = driver
            return

    def command(self, driver: str, *arguments: str) -> list[str]:
        return [
            "podman",
            f"--root={self.folder}/root",
            f"--runroot={self.folder}/run",
            f"--tmpdir={self.folder}/tmp",
            f"--storage-driver={driver}",
            "--cgroup-manager=cgroupfs",
            "--events-backend=file",
            *arguments,
        ]


class SandboxEngine(EngineProcess):
    """The sandbox's engine, in the sandbox's own process, which needs no root and nothing installed."""

    program = sys.executable

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-m", "dockdesk.sandbox.main", "--json", f"--parent={os.getpid()}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.process.stdout.close()
        if not line:
            self.kill()
            raise RuntimeError(self.log.read_text(errors="replace")[-1500:])
        self.socket = Path(json.loads(line)["DOCKER_HOST"].removeprefix("unix://"))

    def remove(self) -> None:
        self.stop()
        super().remove()


class Registry:
    """A registry (API v2) on the loopback, without a login."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ddt-", dir="/tmp"))
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """As in an image's name."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        if shutil.which("docker-registry") is None:
            raise CannotStart("docker-registry is not installed")
        for _ in range(5):
            self.port = free_port()
            config = self.folder / "config.yml"
            config.write_text(
                "version: 0.1\n"
                "log: {level: error}\n"
                f"storage: {{filesystem: {{rootdirectory: {self.folder}/data}}, delete: {{enabled: true}}}}\n"
                f"http: {{addr: '{self.address}'{self.http_configuration()}}}\n"
                f"{self.more_configuration()}"
            )
            with open(self.folder / "log", "ab") as log:
                self.process = subprocess.Popen(
                    ["docker-registry", "serve", str(config)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            until = time.monotonic() + START_TIMEOUT
            while self.process.poll() is None and time.monotonic() < until:
                if self.answers():
                    return
                time.sleep(0.05)
            self.stop()
        raise CannotStart((self.folder / "log").read_text(errors="replace")[-1500:])

    def more_configuration(self) -> str:
        """More lines for its configuration."""
        return ""

    def http_configuration(self) -> str:
        """More about how it is reached."""
        return ""

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status in {200, 401}
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A TCP port on the loopback that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def busybox_tar() -> bytes:
    """A root file system with a static busybox and its commands: all the image a test needs."""
    program = next(
        (path for path in ("/bin/busybox", "/usr/bin/busybox") if Path(path).exists()), None
    )
    if program is None:
        raise CannotStart("busybox-static is not installed")
    names = subprocess.run([program, "--list"], capture_output=True, check=True, text=True)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder, mode in (
            ("bin", 0o755),
            ("etc", 0o755),
            ("root", 0o700),
            ("tmp", 0o1777),
            ("var", 0o755),
            ("home", 0o755),
        ):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        _add(tar, "bin/busybox", Path(program).read_bytes(), 0o755)
        for name in sorted(set(names.stdout.split()) - {"busybox"}):
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n")
        _add(tar, "etc/group", b"root:x:0:\nuser:x:1000:\n")
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


def load_busybox(engine: EngineProcess, reference: str = BUSYBOX) -> str:
    """Import the busybox image into ``engine``; return its reference."""
    repository, _, tag = reference.rpartition(":")
    # Podman 4.3 ignores the tag here, but takes it in the name.
    named = (
        f"repo={reference}" if isinstance(engine, PodmanService) else f"repo={repository}&tag={tag}"
    )
    path = f"/images/create?fromSrc=-&{named}&changes=CMD%20sh"
    answer = engine.request("POST", path, busybox_tar(), "application/x-tar")
    if b'"error"' in answer:
        raise RuntimeError(answer.decode())
    return reference


def _started(engine: Any) -> Iterator[Any]:
    try:
        engine.start()
    except CannotStart as error:
        engine.remove()
        unavailable(str(error))
    except BaseException:
        engine.remove()
        raise
    yield engine
    engine.remove()


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Dockerd]:
    """A running dockerd for the whole session. Leave nothing in it that another test could stumble over."""
    yield from _started(Dockerd())


@pytest.fixture
def own_dockerd() -> Iterator[Dockerd]:
    """A dockerd for one test, with the busybox image, that may be killed, stopped and started again."""
    for engine in _started(Dockerd()):
        load_busybox(engine)
        yield engine


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    """A registry at ``registry.address``; dockerd takes 127.0.0.0/8 without TLS."""
    yield from _started(Registry())


@pytest.fixture(scope="session")
def podman_service() -> Iterator[PodmanService]:
    yield from _started(PodmanService())


@pytest.fixture(scope="session")
def sandbox_engine_server() -> Iterator[SandboxEngine]:
    yield from _started(SandboxEngine())


@pytest.fixture(scope="session")
def sandbox_busybox_image(sandbox_engine_server: SandboxEngine) -> str:
    """A reference of the busybox image in the sandbox's engine."""
    return load_busybox(sandbox_engine_server)


@pytest.fixture(scope="session")
def busybox_image(dockerd: Dockerd) -> str:
    """A reference of the busybox image in ``dockerd``."""
    return load_busybox(dockerd)


@pytest.fixture(scope="session")
def podman_busybox_image(podman_service: PodmanService) -> str:
    """A reference of the busybox image in ``podman_service``."""
    return load_busybox(podman_service)


@pytest.fixture
def reactor() -> Iterator[Reactor]:
    made = Reactor("test-streams")
    yield made
    made.close()
    assert len(made) == 0, "the reactor kept a socket"


def connected(engine: EngineProcess, reactor: Reactor) -> EngineBackend:
    """DockDesk's backend on one of the engines above."""
    from dockdesk.backends.engine.backend import connect
    from dockdesk.backends.engine.contexts import endpoint

    return connect(endpoint("test", engine.host, "a test"), reactor)


@pytest.fixture
def docker_engine(
    dockerd: Dockerd, busybox_image: str, reactor: Reactor
) -> Iterator[EngineBackend]:
    """The backend on the session's dockerd, with the busybox image in it."""
    backend = connected(dockerd, reactor)
    yield backend
    backend.close()


@pytest.fixture
def podman_engine(
    podman_service: PodmanService, podman_busybox_image: str, reactor: Reactor
) -> Iterator[EngineBackend]:
    """The backend on the session's Podman, with the busybox image in it."""
    backend = connected(podman_service, reactor)
    yield backend
    backend.close()


@pytest.fixture
def sandbox_engine(
    sandbox_engine_server: SandboxEngine, sandbox_busybox_image: str, reactor: Reactor
) -> Iterator[EngineBackend]:
    """The backend on the sandbox's engine, with the busybox image in it."""
    backend = connected(sandbox_engine_server, reactor)
    yield backend
    backend.close()


if __name__ == "__main__":  # a dockerd to try things with: python -m tests.engines
    engine = Dockerd()
    try:
        engine.start()
        load_busybox(engine)
        print(f"DOCKER_HOST={engine.host}", flush=True)
        sys.stdin.read()
    finally:
        engine.remove()
