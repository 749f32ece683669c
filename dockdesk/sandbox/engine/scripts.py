"""What a container's own command says and does, where that is a line for the sandbox's shell."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dockdesk.sandbox.engine.lifecycle import Lifecycle
from dockdesk.sandbox.engine.loglines import STDERR, STDOUT
from dockdesk.sandbox.engine.programs import Surroundings
from dockdesk.sandbox.engine.shell import Shell
from dockdesk.sandbox.engine.state import EngineState, SimContainer

# What ends sooner is over when the engine answers that it has started.
_SHORT_SECONDS = 0.05


class Scripts:
    """Runs them beside the server; each ends with its container."""

    def __init__(self, state: EngineState, lifecycle: Lifecycle) -> None:
        self._state = state
        self._life = lifecycle
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, container: SimContainer) -> None:
        """Run the command of a container that has just started; return when it ends, or soon."""
        task = asyncio.create_task(self._run(container))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=_SHORT_SECONDS)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _say(self, container: SimContainer, stream: int, text: str) -> None:
        now = self._state.clock.now()
        for line in text.splitlines(True):
            container.say(now, stream, line.encode("utf-8", "surrogateescape"))

    async def _run(self, container: SimContainer) -> None:
        shell = Shell(surroundings(self._state, container, container.config))
        words = [*(container.config.get("Entrypoint") or ()), *(container.config.get("Cmd") or ())]
        began, ended = container.started, container.ended
        short = container.program

        async def keep(text: str) -> None:
            self._say(container, STDOUT, text)

        async def complain(text: str) -> None:
            stream = STDOUT if container.config.get("Tty") else STDERR
            self._say(container, stream, text)

        shell.error = complain
        container.program = replace(short, runs_for=0.0)  # until the shell says so
        running = asyncio.create_task(shell.run(shlex.join(str(word) for word in words), keep))
        gone = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
            if running.done() and container.running and container.started == began:
                container.program = replace(short, exit_code=running.result())
            else:
                container.program = short
        finally:
            running.cancel()
            gone.cancel()
            await asyncio.gather(running, gone, return_exceptions=True)


def surroundings(
    state: EngineState, container: SimContainer, body: Mapping[str, Any]
) -> Surroundings:
    """What a process started in a container sees; ``body`` has its Env, User, WorkingDir and Tty."""
    lines = [*(container.config.get("Env") or ()), *(body.get("Env") or ())]
    env = dict(str(item).partition("=")[::2] for item in lines)
    user = str(body.get("User") or container.config.get("User") or "root").partition(":")[0]
    env.setdefault("HOME", "/root" if user == "root" else "/app")
    env.setdefault("HOSTNAME", str(container.config.get("Hostname")))
    if body.get("Tty"):
        env.setdefault("TERM", "xterm")
    folder = str(body.get("WorkingDir") or container.config.get("WorkingDir") or "/")
    return Surroundings(container, state.clock.now, user, env, folder)
