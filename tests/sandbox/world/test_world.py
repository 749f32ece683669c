from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from dockdesk.sandbox.world.clock import Clock
from dockdesk.sandbox.world.traffic import DAY, Spike, Traffic

MONDAY_NOON = 1_767_614_400.0  # 2026-01-05 12:00 UTC


def test_the_clock_changes_speed_without_a_jump() -> None:
    real = [0.0]
    clock = Clock(1.0, lambda: real[0], start=1000.0)
    real[0] = 10
    assert clock.now() == 1010
    clock.set_speed(60)
    assert clock.now() == 1010
    real[0] = 11
    assert clock.now() == 1070
    clock.set_speed(1e9)
    assert clock.speed == 60


def test_sleeping_follows_the_worlds_time() -> None:
    async def main() -> None:
        clock = Clock(60)
        before = clock.now()
        await clock.sleep(3)
        assert clock.now() - before >= 3

    asyncio.run(asyncio.wait_for(main(), 30))


@given(st.integers(0, 2**31), st.floats(0, 4e9), st.floats(0, 1e5))
def test_traffic_is_never_negative_and_always_the_same(seed: int, time: float, mean: float) -> None:
    traffic = Traffic(seed, "web", mean)
    assert traffic.rate(time) >= 0
    assert traffic.rate(time) == Traffic(seed, "web", mean).rate(time)


def test_days_are_busier_than_nights_and_weekends() -> None:
    traffic = Traffic(1, "web", 100, noise=0)
    noon, night = traffic.rate(MONDAY_NOON), traffic.rate(MONDAY_NOON - DAY / 2 + 4 * 3600)
    saturday = traffic.rate(MONDAY_NOON + 5 * DAY)
    assert noon > 1.5 * night
    assert noon > 1.3 * saturday


def test_traffic_moves_smoothly() -> None:
    traffic = Traffic(3, "web", 100)
    for second in range(0, 3600, 5):
        a, b = traffic.rate(MONDAY_NOON + second), traffic.rate(MONDAY_NOON + second + 1)
        assert abs(a - b) < 5


def test_a_spike_rises_and_falls() -> None:
    spike = Spike(1000, 600, 4.0, 100)
    assert spike.at(999) == 1
    assert spike.at(1050) == 2.5
    assert spike.at(1300) == 4
    assert spike.at(1601) == 1
