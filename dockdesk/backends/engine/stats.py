"""What a container uses, from the engine's counters.

The sums are those of `docker stats`, so that both show the same figures. Sources: Engine API, ContainerStats;
docker/cli, cli/command/container/stats_helpers.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from dockdesk.backends.engine.frames import LineSplitter
from dockdesk.backends.engine.wire import ProtocolError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import StatsSample

# Limits from here on are "none" in the kernel's way of writing it.
_NO_LIMIT = 1 << 60


class _CpuUsage(msgspec.Struct):
    total_usage: int | None = None
    percpu_usage: list[int] | None = None


class _Cpu(msgspec.Struct):
    cpu_usage: _CpuUsage = msgspec.field(default_factory=_CpuUsage)
    system_cpu_usage: int | None = None
    online_cpus: int | None = None
    cpu: float | None = None  # Podman alone sends it


class _Memory(msgspec.Struct):
    usage: int | None = None
    limit: int | None = None
    stats: dict[str, int] | None = None


class _Operation(msgspec.Struct):
    op: str = ""
    value: int = 0


class _Block(msgspec.Struct):
    io_service_bytes_recursive: list[_Operation] | None = None


class _Network(msgspec.Struct):
    rx_bytes: int = 0
    tx_bytes: int = 0


class _Pids(msgspec.Struct):
    current: int | None = None


class _Stats(msgspec.Struct):
    read: str = ""
    cpu_stats: _Cpu = msgspec.field(default_factory=_Cpu)
    precpu_stats: _Cpu = msgspec.field(default_factory=_Cpu)
    memory_stats: _Memory = msgspec.field(default_factory=_Memory)
    blkio_stats: _Block = msgspec.field(default_factory=_Block)
    networks: dict[str, _Network] | None = None
    pids_stats: _Pids = msgspec.field(default_factory=_Pids)


_decoder = msgspec.json.Decoder(_Stats, strict=False)


@dataclass(frozen=True, slots=True)
class _Counters:
    """What is compared with the reading before: seconds, nanoseconds of CPU, bytes."""

    at: float
    cpu: int
    system: int
    net_in: int
    net_out: int
    block_read: int
    block_write: int


class StatsDecoder:
    """StatsSamples of a stream's lines.

    The first reading is left out where the engine sends none to compare it with: a share of the CPU since the
    container's start is not what it uses now. So are the empty readings of a container that does not run.
    """

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._before: _Counters | None = None

    def feed(self, pieces: Sequence[bytes]) -> list[StatsSample]:
        samples: list[StatsSample] = []
        for line in self._lines.feed(pieces):
            try:
                stats = _decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise ProtocolError(f"a reading is no reading ({error})") from error
            if (sample := self._sample(stats)) is not None:
                samples.append(sample)
        return samples

    def _sample(self, stats: _Stats) -> StatsSample | None:
        at = _time(stats.read)
        total = stats.cpu_stats.cpu_usage.total_usage
        if at <= 0 or total is None or not stats.cpu_stats.system_cpu_usage:
            self._before = None
            return None
        networks = (stats.networks or {}).values()
        counters = _Counters(
            at,
            total,
            stats.cpu_stats.system_cpu_usage,
            sum(network.rx_bytes for network in networks),
            sum(network.tx_bytes for network in networks),
            _operations(stats.blkio_stats, "read"),
            _operations(stats.blkio_stats, "write"),
        )
        before, self._before = self._before, counters
        if before is None:
            cpu = _first_share(stats)
            if cpu is None:
                return None
            before = counters
        else:
            cpu = _share(stats.cpu_stats, before.cpu, before.system, counters.at - before.at)
        span = counters.at - before.at
        return StatsSample(
            at=at,
            cpu=cpu,
            memory=float(memory_used(stats.memory_stats)),
            memory_limit=float(_limit(stats.memory_stats)),
            net_in=_rate(counters.net_in, before.net_in, span),
            net_out=_rate(counters.net_out, before.net_out, span),
            block_read=_rate(counters.block_read, before.block_read, span),
            block_write=_rate(counters.block_write, before.block_write, span),
            pids=stats.pids_stats.current or 0,
        )


def _first_share(stats: _Stats) -> float | None:
    earlier = stats.precpu_stats
    if stats.cpu_stats.cpu is not None:
        return None  # Podman does not say when that was
    if not earlier.system_cpu_usage or earlier.cpu_usage.total_usage is None:
        return None
    return _share(stats.cpu_stats, earlier.cpu_usage.total_usage, earlier.system_cpu_usage, 0)


def _share(cpu: _Cpu, before: int, system_before: int, span: float) -> float:
    """Percent of one core between two readings, ``span`` seconds apart.

    What Podman calls the system's usage is what all control groups used, without idle time: there the clock counts.
    """
    used = (cpu.cpu_usage.total_usage or 0) - before
    if cpu.cpu is not None:
        return used / span / 1e7 if used > 0 and span > 0 else 0.0
    passed = (cpu.system_cpu_usage or 0) - system_before
    if used <= 0 or passed <= 0:
        return 0.0
    cores = cpu.online_cpus or len(cpu.cpu_usage.percpu_usage or ()) or 1
    return used / passed * cores * 100.0


def memory_used(memory: _Memory) -> int:
    """Bytes without the page cache: cgroup v1 counts it as total_inactive_file, v2 as inactive_file."""
    usage = memory.usage or 0
    details: Mapping[str, int] = memory.stats or {}
    for key in ("total_inactive_file", "inactive_file"):
        if (cached := details.get(key)) is not None and cached < usage:
            return usage - cached
    return usage


def _limit(memory: _Memory) -> int:
    limit = memory.limit or 0
    return 0 if limit >= _NO_LIMIT else limit


def _operations(block: _Block, name: str) -> int:
    operations = block.io_service_bytes_recursive or ()
    return sum(item.value for item in operations if item.op.lower() == name)


def _rate(now: int, before: int, span: float) -> float:
    """Bytes a second. Counters start again when a container does."""
    return (now - before) / span if span > 0 and now >= before else 0.0


def _time(text: str) -> float:
    """Seconds since 1970 of the engine's time; 0 for its zero time and for anything else."""
    try:
        return max(0.0, datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return 0.0
