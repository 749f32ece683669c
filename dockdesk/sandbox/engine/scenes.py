"""Scenarios as the simulated engine plays them: spikes, leaks, neighbours, failing health, a restart, thousands of containers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from dockdesk.sandbox.engine.catalogue import MIB, Program
from dockdesk.sandbox.engine.seed import enlarge
from dockdesk.sandbox.engine.server import SimulatedEngine
from dockdesk.sandbox.engine.state import SimContainer
from dockdesk.sandbox.world.scenarios import Conditions
from dockdesk.sandbox.world.traffic import Spike, Traffic

HUGE = 5000
_SPIKE_SECONDS = 3 * 3600.0
_NOISY_CPU = 650.0
_DOWN_SECONDS = 2.0
_NOTICE_SECONDS = 1.0


class EngineScenes:
    """Takes part in scenarios for one engine. ``listen`` opens the engine's socket again after a restart."""

    def __init__(self, engine: SimulatedEngine, listen: Callable[[], Awaitable[None]]) -> None:
        self._engine = engine
        self._listen = listen
        self._before: dict[str, tuple[Program, Traffic]] = {}
        self._restart: asyncio.Task[None] | None = None
        self._growth: asyncio.Task[None] | None = None

    def play(self, conditions: Conditions) -> None:
        state = self._engine.state
        for key, (program, traffic) in self._before.items():
            if key in state.containers:
                state.containers[key].program, state.containers[key].traffic = program, traffic
        self._before.clear()
        running = [item for item in state.containers.values() if item.running]
        now = state.clock.now()
        if conditions.traffic != 1.0:
            spike = Spike(now, _SPIKE_SECONDS, conditions.traffic)
            for item in running:
                self._change(
                    item, traffic=replace(item.traffic, spikes=(*item.traffic.spikes, spike))
                )
        if conditions.leak:
            for item in running:
                if item.host.get("Memory"):
                    # It leaks from now on: what it has used until today is not counted again.
                    age = now - item.started
                    leak = conditions.leak * MIB / 60
                    self._change(
                        item,
                        leak=leak,
                        memory=max(int(item.program.memory - leak * age), -(1 << 62)),
                    )
        if conditions.noisy and running:
            self._change(min(running, key=lambda item: item.id), cpu=_NOISY_CPU)
        if conditions.bad_deploy:
            for item in running:
                if item.health:
                    self._change(item, fails_health=True)
        if conditions.huge and (self._growth is None or self._growth.done()):
            self._growth = asyncio.get_running_loop().create_task(self._enlarge())
        if conditions.engine_restart and (self._restart is None or self._restart.done()):
            self._restart = asyncio.get_running_loop().create_task(self._restarts())

    def _change(
        self, item: SimContainer, traffic: Traffic | None = None, **program: float | bool
    ) -> None:
        self._before.setdefault(item.id, (item.program, item.traffic))
        item.traffic = traffic or item.traffic
        item.program = replace(item.program, **program)  # type: ignore[arg-type]

    async def _enlarge(self) -> None:
        """Some at a time: others want to be answered meanwhile."""
        for _ in enlarge(self._engine.lifecycle, HUGE - len(self._engine.state.containers)):
            await asyncio.sleep(0)

    async def _restarts(self) -> None:
        """As a daemon's restart looks from outside: every connection ends, nobody answers, then it is back."""
        await asyncio.sleep(_NOTICE_SECONDS)
        await self._engine.server.close()
        await asyncio.sleep(_DOWN_SECONDS)
        await self._listen()

    async def close(self) -> None:
        for task in (self._restart, self._growth):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
