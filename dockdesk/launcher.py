"""Starts the sandbox as a process of its own, tells where its systems listen, and directs it. Nothing else knows it."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dockdesk.core.environments import Environment
from dockdesk.core.errors import CancelledError, LocalError
from dockdesk.core.simulation import Scenario, SimulationStatus
from dockdesk.core.work import Work

if TYPE_CHECKING:
    import subprocess

ENVIRONMENT = Environment(
    "sandbox",
    "docker",
    "Sandbox",
    "simulated on this computer",
    source="built in",
    colour="violet",
    simulated=True,
)

_END_SECONDS = 3.0
_ASK_SECONDS = 30.0


class Sandbox:
    """One sandbox process, started when it is first needed and ended with the program."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self._arguments = tuple(arguments)
        self._starting = (
            threading.Lock()
        )  # held while one starts, which takes a while; nobody else waits for it
        self._lock = threading.Lock()  # guards what follows
        self._coming: subprocess.Popen[str] | None = None
        self._process: subprocess.Popen[str] | None = None
        self._variables: dict[str, str] = {}

    def start(self, work: Work) -> str:
        """The DOCKER_HOST of the running sandbox; starts it where it does not run. Blocks until it serves.

        Raises LocalError if it can't be started.
        """
        return self.variables(work)["DOCKER_HOST"]

    def variables(self, work: Work) -> Mapping[str, str]:
        """The environment that leads to the sandbox: DOCKER_HOST, AWS_ENDPOINT_URL and keys, and so on.

        Starts it where it does not run. Blocks until it serves; raises LocalError if it can't be started.
        """
        with self._starting:
            with self._lock:
                if self._runs():
                    return dict(self._variables)
            process = self._launch()
            line = self._first_line(process, work)
            # What it logs later must not fill the pipe and stop it.
            threading.Thread(
                target=_drain, args=(process,), name="sandbox log", daemon=True
            ).start()
            with self._lock:
                stopped, self._coming = self._coming is not process, None
                self._process = process
                self._variables = {str(key): str(value) for key, value in json.loads(line).items()}
                if work.cancelled or stopped:
                    self._end()
                    raise CancelledError
                return dict(self._variables)

    def _launch(self) -> subprocess.Popen[str]:
        import subprocess  # not needed where there is a real engine

        parent = ("--parent", str(os.getpid()))
        command = [sys.executable, *_program(), "--json", *parent, *self._arguments]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise LocalError("The sandbox could not be started", str(error)) from error
        with self._lock:
            self._coming = process
        return process

    def _first_line(self, process: subprocess.Popen[str], work: Work) -> str:
        """What it says once it serves. Raises LocalError where it ends instead, CancelledError where it was ended."""
        assert process.stdout is not None
        with work.on_cancel(process.kill):
            line = process.stdout.readline()
        if line:
            return line
        process.kill()
        said = process.communicate()[1].strip()
        work.check()
        with self._lock:
            stopped, self._coming = self._coming is not process, None
        if stopped:
            raise CancelledError
        raise LocalError("The sandbox could not be started", said[-2000:], "Please report it.")

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def status(self) -> SimulationStatus:
        """What is played, and how fast. Blocks for a moment; raises LocalError if it does not run."""
        return self._ask("GET", "/status")

    def play(self, scenario: str) -> SimulationStatus:
        """Switch to a scenario by its id. Blocks for a moment; raises LocalError."""
        return self._ask("POST", "/scenario", {"name": scenario})

    def set_speed(self, speed: float) -> SimulationStatus:
        """Let its time pass so many times faster, 1 to 60. Blocks for a moment; raises LocalError."""
        return self._ask("POST", "/speed", {"value": speed})

    def _ask(self, method: str, path: str, body: object = None) -> SimulationStatus:
        with self._lock:
            running = self._runs()
            address = self._variables.get("DOCKDESK_SANDBOX_CONTROL", "")
        if not running or not address:
            raise LocalError("The sandbox does not run", hint="Connect to it first.")
        status, answer = _exchange(address, method, path, body)
        if status != 200:
            raise LocalError("The sandbox refused", str(answer.get("message", status)))
        return SimulationStatus(
            answer["scenario"],
            answer["speed"],
            answer["now"],
            tuple(Scenario(**scenario) for scenario in answer["scenarios"]),
        )

    def stop(self) -> None:
        """End it, if it runs or is about to. Blocks for a moment."""
        with self._lock:
            coming, self._coming = self._coming, None
            if coming is not None:
                coming.kill()
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        import subprocess

        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program() -> Sequence[str]:
    """What makes the interpreter, or in a package the program itself, the sandbox."""
    return ["sandbox"] if getattr(sys, "frozen", False) else ["-m", "dockdesk.sandbox.main"]


def _exchange(address: str, method: str, path: str, body: object) -> tuple[int, Any]:
    """The status and the JSON that a request over a unix socket is answered with; raises LocalError."""
    import http.client  # brings in all of email

    connection = http.client.HTTPConnection("sandbox")
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.sock.settimeout(_ASK_SECONDS)
        connection.sock.connect(address)
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LocalError("The sandbox did not answer", str(error)) from error
    finally:
        connection.close()


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        for line in process.stderr:
            sys.stderr.write(f"sandbox: {line}")
