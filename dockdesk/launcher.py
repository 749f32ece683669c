"""Starts the sandbox as a process of its own, and tells where its engine listens. Nothing else knows the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence

from dockdesk.core.environments import Environment
from dockdesk.core.errors import CancelledError, LocalError
from dockdesk.core.work import Work

ENVIRONMENT = Environment(
    "sandbox",
    "docker",
    "Sandbox",
    "simulated on this computer",
    source="built in",
    colour="violet",
    simulated=True,
)

_MODULE = "dockdesk.sandbox.main"
_END_SECONDS = 3.0


class Sandbox:
    """One sandbox process, started when it is first needed and ended with the program."""

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self._arguments = tuple(arguments)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._host = ""

    def start(self, work: Work) -> str:
        """The DOCKER_HOST of the running sandbox; starts it where it does not run. Blocks until it serves.

        Raises LocalError if it can't be started.
        """
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return self._host
            command = [
                sys.executable,
                "-m",
                _MODULE,
                "--json",
                "--parent",
                str(os.getpid()),
                *self._arguments,
            ]
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
            assert process.stdout is not None
            assert process.stderr is not None
            with work.on_cancel(process.kill):
                line = process.stdout.readline()
            if not line:
                process.kill()
                said = process.communicate()[1].strip()
                work.check()
                raise LocalError(
                    "The sandbox could not be started", said[-2000:], "Please report it."
                )
            # What it logs later must not fill the pipe and stop it.
            threading.Thread(
                target=_drain, args=(process,), name="sandbox log", daemon=True
            ).start()
            self._process, self._host = process, str(json.loads(line)["DOCKER_HOST"])
            if work.cancelled:
                self._end()
                raise CancelledError
            return self._host

    def stop(self) -> None:
        """End it, if it runs. Blocks for a moment."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        for line in process.stderr:
            sys.stderr.write(f"sandbox: {line}")
