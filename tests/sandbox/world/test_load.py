from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from dockdesk.sandbox.world.load import Workload, calibrated
from dockdesk.sandbox.world.traffic import Traffic

TRAFFIC = Traffic(1, "web", 100.0)


def test_calibration_meets_its_percentage() -> None:
    load = calibrated(TRAFFIC, 4, 0.5, 60.0)
    assert abs(load.used(25.0, 0.5) - 60.0) < 1e-6


@given(st.floats(0, 1e4), st.floats(0.1, 8))
def test_more_share_never_costs_less(share: float, vcpu: float) -> None:
    load = calibrated(TRAFFIC, 4, 0.5, 60.0)
    assert load.used(share, vcpu) <= load.used(share + 1, vcpu) <= 100
    assert load.answer_time(share, vcpu) <= load.answer_time(share + 1, vcpu)
    assert load.memory_used(share) <= load.memory_used(share + 1)
    assert 0 <= load.failing(share, vcpu) <= share


def test_what_exceeds_the_processor_fails() -> None:
    load = Workload(TRAFFIC, cost=0.1, idle=0.0)
    assert load.failing(10, 1.0) == 0
    assert abs(load.failing(15, 1.0) - 5) < 1e-9
    assert load.used(15, 1.0) == 100
    bursting = dataclasses.replace(load, bursts=True)
    assert bursting.used(15, 1.0) == 150
    assert bursting.failing(15, 1.0) == 0
