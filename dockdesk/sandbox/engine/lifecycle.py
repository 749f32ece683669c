"""What happens to containers, and what they do by themselves: exit, restart, turn unhealthy, run out of memory."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from dockdesk.sandbox.engine.creation import NAME, Creation, stamp
from dockdesk.sandbox.engine.state import (
    SimContainer,
    volume_names,
)
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.world.traffic import unit

_log = logging.getLogger(__name__)

__all__ = ["NAME", "Lifecycle", "stamp"]

_SIGNALS = {
    "KILL": 9,
    "TERM": 15,
    "INT": 2,
    "QUIT": 3,
    "HUP": 1,
    "USR1": 10,
    "USR2": 12,
    "STOP": 19,
    "CONT": 18,
}
_STOP_SECONDS = 0.2
_LONGEST_STOP = 3600.0
_PROBES_KEPT = 5


def _last_code(container: SimContainer) -> int:
    """What a program ends with that was asked to."""
    word, _, code = (container.on_term or "").partition(" ")
    if word == "exit":
        return int(code) if code.isdigit() else 0
    return 0 if container.program.logs in {"access", "postgres", "redis"} else 143


def _probed(now: float, failed: bool) -> dict[str, Any]:
    """A line of the health log."""
    text = "curl: (7) Failed to connect to localhost: Connection refused\n" if failed else "ok\n"
    return {
        "Start": stamp(now),
        "End": stamp(now + 0.05),
        "ExitCode": int(failed),
        "Output": text,
    }


class Lifecycle(Creation):
    """Changes an EngineState as the engine would, and tells of it by events."""

    def start(self, container: SimContainer) -> None:
        """Raises HttpError 304 if it runs, 500 where a port is taken."""
        if container.running:
            raise HttpError(304, "container already started")
        self._find_program(container)
        self._publish(container)
        now = self.state.clock.now()
        container.status, container.started, container.exit_code = "running", now, 0
        container.oom_killed = container.asked_to_stop = False
        container.on_term = None
        container.pid = 1000 + int(unit(container.id, now) * 60_000)
        container.ended = asyncio.Event()
        container.identify = self._identify
        container.cpu_read = now
        health = container.config.get("Healthcheck") or {}
        test = health.get("Test") or ()
        container.health = "starting" if test and test[0] != "NONE" else ""
        container.failing, container.probed = 0, now
        self.tell(container, "start")

    @staticmethod
    def _find_program(container: SimContainer) -> None:
        """Raises HttpError 400 where its command is a path that leads to nothing, and not the image's own."""
        words = [*(container.config.get("Entrypoint") or ()), *(container.config.get("Cmd") or ())]
        image = container.image.config
        own = [*(image.get("Entrypoint") or ()), *(image.get("Cmd") or ())]
        if not words or not str(words[0]).startswith("/") or words[0] in own:
            return
        name = str(words[0])
        shells = {path.rpartition("/")[2] for path in container.image.shells}
        if name.rpartition("/")[2] in shells or container.view.get(container.view.resolve(name)):
            return
        raise HttpError(
            400,
            "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create "
            f'failed: unable to start container process: exec: "{name}": stat {name}: no such file or directory: unknown',
        )

    def _taken_ports(self) -> set[tuple[str, str]]:
        return {
            (binding["HostPort"], port.partition("/")[2])
            for other in self.state.containers.values()
            if other.running
            for port, bindings in other.ports.items()
            for binding in bindings
        }

    def _publish(self, container: SimContainer) -> None:
        bindings: dict[str, list[dict[str, str]]] = {}
        wanted = dict(container.host.get("PortBindings") or {})
        if container.host.get("PublishAllPorts"):
            for port in container.config.get("ExposedPorts") or {}:
                wanted.setdefault(port, [{"HostPort": ""}])
        taken = self._taken_ports() if wanted else set()
        for port, asked in wanted.items():
            for binding in asked or [{}]:
                public = str(binding.get("HostPort") or "")
                public = public.partition("-")[0] or str(
                    32_768 + int(unit(container.id, port) * 28_000)
                )
                if (public, port.partition("/")[2]) in taken:
                    raise HttpError(
                        500,
                        f"driver failed programming external connectivity on endpoint {container.name}: "
                        f"Bind for 0.0.0.0:{public} failed: port is already allocated",
                    )
                bindings.setdefault(port, []).append(
                    {"HostIp": str(binding.get("HostIp") or "0.0.0.0"), "HostPort": public}
                )
        container.ports = bindings

    def finish(self, container: SimContainer, code: int, oom: bool = False) -> None:
        """The main process ended."""
        now = self.state.clock.now()
        container.cpu_total(now)
        container.runs.append((container.started, now))
        del container.runs[:-20]
        container.status, container.finished, container.exit_code = "exited", now, code
        container.oom_killed, container.pid, container.ports = oom, 0, {}
        if container.health:
            container.health = "unhealthy"
        if oom:
            self.tell(container, "oom")
        self.tell(
            container, "die", exitCode=str(code), execDuration=str(int(now - container.started))
        )
        container.ended.set()

    async def stop(self, container: SimContainer, patience: float = 10.0) -> None:
        """Raises HttpError 304 if it does not run. Whoever does not end within ``patience`` seconds is killed."""
        if not container.running:
            raise HttpError(304, "container already stopped")
        container.asked_to_stop = True
        self.tell(container, "kill", signal="15")
        deaf = container.on_term == ""
        began, ended = container.started, container.ended
        with contextlib.suppress(TimeoutError):
            limit = min(patience if deaf else _STOP_SECONDS, patience, _LONGEST_STOP)
            await asyncio.wait_for(ended.wait(), limit)
        if container.running and container.started == began:
            self.finish(
                container, 137 if deaf or patience < _STOP_SECONDS else _last_code(container)
            )
        self.tell(container, "stop")

    async def restart(self, container: SimContainer, patience: float = 10.0) -> None:
        if container.running:
            await self.stop(container, patience)
        self.start(container)
        self.tell(container, "restart")

    def kill(self, container: SimContainer, signal: str) -> None:
        """Raises HttpError 409 if it does not run, 400 for an unknown signal."""
        if not container.running:
            raise HttpError(
                409,
                f"Cannot kill container: {container.name}: Container {container.id} is not running",
            )
        name = signal.upper().removeprefix("SIG") or "KILL"
        number = int(name) if name.isdigit() else _SIGNALS.get(name)
        if number is None:
            raise HttpError(400, f"Invalid signal: {signal}")
        self.tell(container, "kill", signal=str(number))
        if number in {9, 15, 2, 3}:
            container.asked_to_stop = True
            self.finish(container, 128 + number)

    def pause(self, container: SimContainer) -> None:
        if container.status != "running":
            what = "is already paused" if container.status == "paused" else "is not running"
            raise HttpError(409, f"Container {container.id} {what}")
        container.cpu_total(self.state.clock.now())
        container.status = "paused"
        self.tell(container, "pause")

    def unpause(self, container: SimContainer) -> None:
        if container.status != "paused":
            raise HttpError(500, f"Container {container.id} is not paused")
        container.status, container.cpu_read = "running", self.state.clock.now()
        self.tell(container, "unpause")

    def rename(self, container: SimContainer, name: str) -> None:
        old, container.name = container.name, self._free_name(name, container.id)
        self.state.names[container.name] = self.state.names.pop(old)
        self.tell(container, "rename", oldName=f"/{old}")

    def remove(self, container: SimContainer, force: bool, volumes: bool) -> None:
        """Raises HttpError 409 if it runs and is not forced."""
        if container.running:
            if not force:
                raise HttpError(
                    409,
                    f'cannot remove container "/{container.name}": container is running: '
                    "stop the container before removing or force remove",
                )
            self.kill(container, "KILL")
        del self.state.containers[container.id]
        del self.state.names[container.name]
        container.removed.set()
        if volumes or container.host.get("AutoRemove"):
            for name in volume_names(container):
                volume = self.state.volumes.get(name)
                if volume is not None and volume.anonymous and not self.state.users_of(name):
                    del self.state.volumes[name]
                    self.state.events.emit("volume", "destroy", name, {"driver": volume.driver})
        self.tell(container, "destroy")

    def tick(self) -> None:
        """Let time pass: programs end, leak, fail their health checks, and are restarted by policy."""
        now = self.state.clock.now()
        for container in list(self.state.containers.values()):
            try:
                self._let_pass(container, now)
            except (HttpError, ValueError, TypeError, AttributeError, KeyError):
                _log.exception(
                    "container %s", container.name
                )  # one odd one must not stop the others

    def _let_pass(self, container: SimContainer, now: float) -> None:
        if container.status == "running":
            self._live(container, now)
        if container.status != "exited":
            return
        if container.host.get("AutoRemove"):
            self.remove(container, False, True)
        elif not container.asked_to_stop:
            self._restart_by_policy(container, now)

    def _live(self, container: SimContainer, now: float) -> None:
        limit = int(container.host.get("Memory") or 0)
        if limit and container.memory(now) > limit:
            self.finish(container, 137, oom=True)
        elif container.program.runs_for and now - container.started >= container.program.runs_for:
            self.finish(container, container.program.exit_code)
        elif container.health:
            self._probe(container, now)

    def _restart_by_policy(self, container: SimContainer, now: float) -> None:
        policy = container.host.get("RestartPolicy") or {}
        name, most = str(policy.get("Name") or "no"), int(policy.get("MaximumRetryCount") or 0)
        wanted = name in {"always", "unless-stopped"} or (
            name == "on-failure" and container.exit_code and (not most or container.restarts < most)
        )
        if wanted and now - container.finished >= min(0.1 * 2 ** min(container.restarts, 10), 60):
            container.restarts += 1
            self.start(container)

    def remember_probes(self, container: SimContainer, now: float) -> None:
        """The last probes of a container that has been healthy for long."""
        health = container.config.get("Healthcheck") or {}
        interval = (health.get("Interval") or 30_000_000_000) / 1e9
        for back in range(_PROBES_KEPT, 0, -1):
            if (at := now - back * interval) > container.started:
                container.health_log.append(_probed(at, False))

    def _probe(self, container: SimContainer, now: float) -> None:
        health = container.config.get("Healthcheck") or {}
        interval = (health.get("Interval") or 30_000_000_000) / 1e9
        if container.health == "starting":
            interval = min(interval, 3.0)
        if now - container.probed < interval:
            return
        container.probed = now
        failed = container.program.fails_health
        container.health_log.append(_probed(now, failed))
        del container.health_log[:-_PROBES_KEPT]
        container.failing = container.failing + 1 if failed else 0
        before = container.health
        if not failed:
            container.health = "healthy"
        elif container.failing >= int(health.get("Retries") or 3):
            container.health = "unhealthy"
        if container.health != before:
            self.tell(container, f"health_status: {container.health}")
