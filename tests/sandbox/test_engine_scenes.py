"""What each scenario does to the engine's containers, and that it ends with the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from dockdesk.sandbox.engine.scenes import HUGE, EngineScenes
from dockdesk.sandbox.engine.server import SimulatedEngine
from dockdesk.sandbox.engine.state import SimContainer
from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.scenarios import CALM, scenario

_NOON = 1_767_787_200.0


class Stage:
    """An engine whose time the test moves, with its scenarios."""

    def __init__(self) -> None:
        self.time = 0.0
        self.engine = SimulatedEngine(Clock(1.0, lambda: self.time, _NOON), 1)
        self.scenes = EngineScenes(self.engine, self._listen)

    async def _listen(self) -> None:
        raise AssertionError("no scenario here restarts it")

    def play(self, name: str) -> None:
        self.scenes.play(scenario(name).conditions)

    def live(self, seconds: float) -> None:
        end = self.time + seconds
        while self.time < end:
            self.time += 1.0
            self.engine.lifecycle.tick()

    def __getitem__(self, name: str) -> SimContainer:
        return self.engine.state.container(name)

    def cpu(self) -> dict[str, float]:
        now = self.engine.state.clock.now()
        return {item.name: item.cpu_percent(now) for item in self.engine.state.containers.values()}


def _on_stage(act: Callable[[Stage], Any]) -> None:
    async def main() -> None:
        stage = Stage()
        try:
            act(stage)
        finally:
            await stage.scenes.close()

    asyncio.run(main())


def test_a_spike_is_more_work_for_everybody() -> None:
    def act(stage: Stage) -> None:
        before = stage.cpu()["api-gateway"]
        stage.play("spike")
        stage.live(600)
        assert stage.cpu()["api-gateway"] > 2 * before
        stage.play("calm")
        assert stage.cpu()["api-gateway"] < 2 * before

    _on_stage(act)


def test_a_bad_deploy_is_unhealthy_until_it_is_over() -> None:
    def act(stage: Stage) -> None:
        stage.play("bad-deploy")
        stage.live(200)
        assert stage["api-gateway"].health == "unhealthy"
        assert stage["api-gateway"].health_log[-1]["ExitCode"] == 1
        stage.play("calm")
        stage.live(60)
        assert stage["api-gateway"].health == "healthy"

    _on_stage(act)


def test_a_neighbour_takes_a_host_s_processors() -> None:
    def act(stage: Stage) -> None:
        stage.play("noisy-neighbour")
        assert max(stage.cpu().values()) > 400
        stage.play("calm")
        assert max(stage.cpu().values()) < 400

    _on_stage(act)


def test_a_leak_ends_in_a_kill_and_a_restart() -> None:
    def act(stage: Stage) -> None:
        stage.play("memory-leak")
        stage.live(3600)
        kinds = [event["Action"] for event in stage.engine.state.events.past]
        assert "oom" in kinds
        assert stage["api-gateway"].restarts >= 1
        assert stage["api-gateway"].running

    _on_stage(act)


def test_huge_grows_while_others_are_answered() -> None:
    async def main() -> None:
        stage = Stage()
        stage.play("huge")
        turns = 0
        async with asyncio.timeout(60):
            while len(stage.engine.state.containers) < HUGE:
                turns += 1
                await asyncio.sleep(0)
        assert turns > 100
        assert len(stage.engine.state.names) == len(stage.engine.state.containers)
        stage.scenes.play(CALM.conditions)
        await stage.scenes.close()

    asyncio.run(main())
