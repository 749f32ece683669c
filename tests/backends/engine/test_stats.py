"""What a container uses, from the counters of each kind of engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dockdesk.backends.engine.stats import StatsDecoder
from dockdesk.backends.engine.wire import ProtocolError
from dockdesk.core.resources.containers import StatsSample

GIGA = 10**9


def reading(
    second: int,
    cpu: int = 0,
    system: int = 0,
    before: tuple[int, int] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One reading as the engine sends it; CPU times in nanoseconds."""
    value: dict[str, Any] = {
        "read": f"2026-03-01T12:00:{second:02d}.123456789Z",
        "cpu_stats": {
            "cpu_usage": {"total_usage": cpu, "percpu_usage": None},
            "system_cpu_usage": system,
            "online_cpus": 4,
        },
        "precpu_stats": {"cpu_usage": {"total_usage": 0}},
        "memory_stats": {"usage": 1000, "limit": 5000, "stats": {}},
        "pids_stats": {"current": 3},
    }
    if before:
        value["precpu_stats"] = {
            "cpu_usage": {"total_usage": before[0]},
            "system_cpu_usage": before[1],
        }
    return value | more


def decode(*readings: dict[str, Any]) -> list[StatsSample]:
    decoder = StatsDecoder()
    return [
        sample for item in readings for sample in decoder.feed([json.dumps(item).encode() + b"\n"])
    ]


def test_the_share_of_the_cpu_is_that_of_docker_stats() -> None:
    # One core of four for a second: 1 s of 4 s of CPU time that passed, times four cores.
    first = reading(1, 10 * GIGA, 100 * GIGA, (9 * GIGA, 96 * GIGA))
    second = reading(2, 12 * GIGA, 104 * GIGA, (10 * GIGA, 100 * GIGA))
    samples = decode(first, second)
    assert [sample.cpu for sample in samples] == [100.0, 200.0]
    assert samples[0].pids == 3
    assert samples[1].at - samples[0].at == pytest.approx(1.0)


def test_a_first_reading_that_cannot_be_compared_is_left_out() -> None:
    assert decode(reading(1, 10 * GIGA, 100 * GIGA)) == []
    samples = decode(reading(1, 10 * GIGA, 100 * GIGA), reading(2, 11 * GIGA, 104 * GIGA))
    assert [sample.cpu for sample in samples] == [100.0]


def test_on_podman_the_clock_counts() -> None:
    """What it calls the system's usage leaves idle time out: a container alone on the machine would fill all cores."""
    first = reading(1, 34_000_000, 10_548 * GIGA, (30_000_000, 10_547 * GIGA))
    second = reading(6, 4_984_000_000, 10_553 * GIGA, (34_000_000, 10_548 * GIGA))
    first["cpu_stats"]["cpu"] = 298.3
    second["cpu_stats"]["cpu"] = 99.2
    samples = decode(first, second)
    assert [sample.cpu for sample in samples] == [pytest.approx(99.0)]


def test_cores_are_counted_where_the_engine_does_not_say_how_many() -> None:
    first = reading(1, 0, 100 * GIGA, (0, 96 * GIGA))
    second = reading(2, GIGA, 102 * GIGA)
    second["cpu_stats"]["online_cpus"] = 0
    second["cpu_stats"]["cpu_usage"]["percpu_usage"] = [1, 1]
    assert decode(first, second)[1].cpu == 100.0


@pytest.mark.parametrize(
    ("details", "used"),
    [
        ({"total_inactive_file": 300, "inactive_file": 1}, 700),  # cgroup v1
        ({"inactive_file": 400}, 600),  # cgroup v2
        ({"inactive_file": 4000}, 1000),  # cannot be: more cache than use
        (None, 1000),  # Podman
    ],
)
def test_memory_is_without_the_page_cache(details: dict[str, int] | None, used: int) -> None:
    item = reading(1, GIGA, 8 * GIGA, (0, 4 * GIGA))
    item["memory_stats"]["stats"] = details
    sample = decode(item)[0]
    assert sample.memory == used
    assert sample.memory_limit == 5000


def test_no_limit_is_not_a_limit_of_16_exabytes() -> None:
    item = reading(1, GIGA, 8 * GIGA, (0, 4 * GIGA))
    item["memory_stats"]["limit"] = 2**64 - 1
    assert decode(item)[0].memory_limit == 0


def test_network_and_disk_are_rates() -> None:
    def at(second: int, received: int, read: int) -> dict[str, Any]:
        return reading(
            second,
            GIGA,
            8 * GIGA,
            (0, 4 * GIGA),
            networks={
                "eth0": {"rx_bytes": received, "tx_bytes": 10},
                "eth1": {"rx_bytes": received, "tx_bytes": 10},
            },
            blkio_stats={
                "io_service_bytes_recursive": [
                    {"major": 1, "op": "Read", "value": read},
                    {"major": 1, "op": "write", "value": 50},
                    {"major": 1, "op": "Total", "value": 9999},
                ]
            },
        )

    first, second, restarted = decode(at(1, 100, 0), at(3, 500, 4000), at(4, 7, 0))
    assert (first.net_in, first.block_read) == (0, 0)
    assert second.net_in == pytest.approx(400)
    assert second.net_out == 0
    assert second.block_read == pytest.approx(2000)
    # Counters start again with the container: nothing, rather than a negative rate.
    assert (restarted.net_in, restarted.block_read) == (0, 0)


def test_empty_readings_of_a_stopped_container_are_left_out() -> None:
    empty = {
        "read": "0001-01-01T00:00:00Z",
        "cpu_stats": {"cpu_usage": {"total_usage": 0}},
        "memory_stats": {},
        "blkio_stats": {"io_service_bytes_recursive": None},
    }
    first = reading(1, GIGA, 8 * GIGA, (0, 4 * GIGA))
    again = reading(9, GIGA, 80 * GIGA)
    assert len(decode(first, empty, again)) == 1


def test_broken_readings_are_a_fault_of_the_engine() -> None:
    with pytest.raises(ProtocolError):
        StatsDecoder().feed([b'{"read": 5, "cpu_stats": []}\n'])
    with pytest.raises(ProtocolError):
        StatsDecoder().feed([b"not json\n"])


def test_values_may_be_null() -> None:
    item = reading(1, GIGA, 8 * GIGA, (0, 4 * GIGA), networks=None)
    item["memory_stats"] = {"usage": None, "limit": None, "stats": None}
    item["pids_stats"] = {"current": None}
    sample = decode(item)[0]
    assert (sample.memory, sample.memory_limit, sample.pids) == (0, 0, 0)
