"""What a chart's numbers mean: how they are written, and which values get a line and a label."""

from __future__ import annotations

import math
from enum import Enum

from dockdesk.core.records import dataclass


class Unit(Enum):
    """The unit of a chart's values."""

    COUNT = "count"
    PERCENT = "percent"
    BYTES = "bytes"  # SI: kB, MB
    BYTES_BINARY = "binary bytes"  # KiB, MiB
    BYTES_PER_SECOND = "bytes per second"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and its label."""

    value: float
    label: str


_SI = ("", "k", "M", "G", "T", "P")
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi")
_TINY = 1e-9
_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


def value_text(value: float, unit: Unit) -> str:
    """A value as a readout shows it: three significant figures and its unit."""
    if math.isnan(value):
        return "no data"
    if unit is Unit.PERCENT:
        return f"{value:.1f} %"
    if unit is Unit.SECONDS:
        return f"{_figures(value * 1000)} ms" if abs(value) < 1 else f"{_figures(value)} s"
    if unit is Unit.COUNT and abs(value) < 10_000:
        return _figures(value)
    factor, prefix = _scale(abs(value), unit)
    number = f"{value:.0f}" if factor == 1 and unit is not Unit.COUNT else _figures(value / factor)
    return f"{number} {prefix}{_suffix(unit)}".rstrip()


def axis_ticks(high: float, unit: Unit, most: int) -> list[Tick]:
    """At most ``most`` round values from 0 to at least ``high``; the last one is the axis' upper end.

    All labels have one prefix, and as many decimals as the steps need.
    """
    high = high if high > _TINY and math.isfinite(high) else _least(unit)
    factor, prefix = _scale(high, unit)
    if unit is Unit.SECONDS:
        factor, prefix = (1e-3, "m") if high < 1 else (1.0, "")
    step = _step(high / factor, unit, max(1, most - 1))
    if unit is Unit.COUNT and factor == 1:
        step = max(1.0, step)
    count = max(1, math.ceil(high / factor / step - 1e-9))
    decimals = 0 if step >= 1 and step == int(step) else max(1, -math.floor(math.log10(step)))
    if step * 10**decimals % 1 > 1e-9:
        decimals += 1  # 2.5, 0.25
    ticks = []
    for index in range(count + 1):
        label = f"{index * step:.{decimals}f} {prefix}{_suffix(unit)}".rstrip() if index else "0"
        ticks.append(Tick(index * step * factor, label))
    return ticks


def _least(unit: Unit) -> float:
    """The upper end of an axis over nothing but zeros."""
    return {
        Unit.PERCENT: 1.0,
        Unit.BYTES: 1000.0,
        Unit.BYTES_BINARY: 1024.0,
        Unit.BYTES_PER_SECOND: 1000.0,
    }.get(unit, 1.0)


def _suffix(unit: Unit) -> str:
    return {
        Unit.PERCENT: "%",
        Unit.BYTES: "B",
        Unit.BYTES_BINARY: "B",
        Unit.BYTES_PER_SECOND: "B/s",
        Unit.SECONDS: "s",
    }.get(unit, "")


def _scale(value: float, unit: Unit) -> tuple[float, str]:
    if unit in (Unit.PERCENT, Unit.SECONDS):
        return 1.0, ""
    base = 1024.0 if unit is Unit.BYTES_BINARY else 1000.0
    prefixes = _BINARY if unit is Unit.BYTES_BINARY else _SI
    factor, index = 1.0, 0
    while value >= base * factor and index < len(prefixes) - 1:
        factor, index = factor * base, index + 1
    return factor, prefixes[index]


def _step(high: float, unit: Unit, parts: int) -> float:
    rough = high / parts
    if unit is Unit.BYTES_BINARY and rough > 1:
        return float(2.0 ** math.ceil(math.log2(rough) - 1e-9))
    power = 10.0 ** math.floor(math.log10(rough))
    return next(nice * power for nice in _NICE if nice * power >= rough * (1 - 1e-9))


def _figures(value: float) -> str:
    if value == int(value) and abs(value) < 10_000:
        return str(int(value))
    size = abs(value)
    return f"{value:.{0 if size >= 100 else 1 if size >= 10 else 2}f}"
