"""The functions of metric math, over series (time → value), lists of series, and numbers.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from dockdesk.sandbox.aws.values import BadInputError


class Points(dict[float, float]):
    """A series; ``label`` is what it is called where an expression ends in several."""

    label = ""


Value = Any  # float | Points | list[Points] | str


def labelled(points: dict[float, float], label: str) -> Points:
    made = Points(points)
    made.label = label
    return made


def kept(pairs: dict[float, float], label: str = "") -> Points:
    """Without what is no number."""
    return labelled({time: value for time, value in pairs.items() if not math.isnan(value)}, label)


def number(value: Value) -> float:
    if not isinstance(value, float | int):
        raise BadInputError("Error in expression: a number is expected")
    return float(value)


def apply(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """An operator. Points that one side lacks are left out."""
    if isinstance(left, list):
        return [apply(function, item, right) for item in left]
    if isinstance(right, list):
        return [apply(function, left, item) for item in right]
    if isinstance(left, dict) and isinstance(right, dict):
        both = {time: function(value, right[time]) for time, value in left.items() if time in right}
    elif isinstance(left, dict):
        both = {time: function(value, number(right)) for time, value in left.items()}
    elif isinstance(right, dict):
        both = {time: function(number(left), value) for time, value in right.items()}
    else:
        return function(number(left), number(right))
    named = left if isinstance(left, Points) else right
    return kept(both, getattr(named, "label", ""))


def _reduce(function: Callable[[list[float]], float], value: Value) -> Value:
    """Of one series a number; of several a series of what they have at each time."""
    if isinstance(value, dict):
        return function(list(value.values())) if value else math.nan
    if isinstance(value, list):
        times = sorted({time for points in value for time in points})
        return Points(
            {time: function([points[time] for points in value if time in points]) for time in times}
        )
    return value


def _each(function: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, list):
        return [_each(function, item) for item in value]
    if isinstance(value, dict):
        done = {time: float(function(inner)) for time, inner in value.items()}
        return kept(done, getattr(value, "label", ""))
    return float(function(number(value)))


def _along(function: Callable[[Points], dict[float, float]], value: Value) -> Value:
    """A function of a whole series, or of each of several."""
    if isinstance(value, list):
        return [_along(function, item) for item in value]
    if not isinstance(value, dict):
        raise BadInputError("Error in expression: a time series is expected")
    return kept(function(Points(value)), getattr(value, "label", ""))


def _differences(
    points: Points, over: Callable[[float, float, float], float]
) -> dict[float, float]:
    return {
        later: over(points[later] - points[earlier], later, earlier)
        for earlier, later in itertools.pairwise(sorted(points))
    }


def _running(points: Points) -> dict[float, float]:
    times = sorted(points)
    return dict(zip(times, itertools.accumulate(points[time] for time in times), strict=True))


def _log(base: float) -> Callable[[float], float]:
    return lambda value: math.log(value, base) if value > 0 else math.nan


def _spread(values: list[float]) -> float:
    return statistics.pstdev(values) if values else 0.0


_REDUCERS: dict[str, Callable[[list[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "SUM": math.fsum,
    "MIN": min,
    "MAX": max,
    "STDDEV": _spread,
}
_EACH: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": _log(math.e),
    "LOG10": _log(10),
}
_MOMENTS: dict[str, Callable[[datetime], float]] = {
    "EPOCH": lambda at: at.timestamp(),
    "MINUTE": lambda at: at.minute,
    "HOUR": lambda at: at.hour,
    "DAY": lambda at: at.isoweekday(),
    "DATE": lambda at: at.day,
    "MONTH": lambda at: at.month,
    "YEAR": lambda at: at.year,
}
_ALONG: dict[str, Callable[[Points], dict[float, float]]] = {
    "RATE": lambda points: _differences(points, lambda by, later, earlier: by / (later - earlier)),
    "DIFF": lambda points: _differences(points, lambda by, _later, _earlier: by),
    "DIFF_TIME": lambda points: _differences(points, lambda _by, later, earlier: later - earlier),
    "RUNNING_SUM": _running,
}


def call(name: str, values: list[Value], grid: Sequence[float]) -> Value:
    """What a function makes of its arguments; ``grid`` are the times asked for. Raises BadInputError."""
    count = len(values)
    if name in _REDUCERS and count == 1:
        return _reduce(_REDUCERS[name], values[0])
    if name in _EACH and count == 1:
        return _each(_EACH[name], values[0])
    if name in _ALONG and count == 1:
        return _along(_ALONG[name], values[0])
    if name in _MOMENTS and count == 1:
        told = _MOMENTS[name]
        return _along(
            lambda points: {
                time: float(told(datetime.fromtimestamp(time, UTC))) for time in points
            },
            values[0],
        )
    if name == "FILL" and count == 2:
        return _filled(values[0], values[1], grid)
    if name == "TIME_SERIES" and count == 1:
        return Points(dict.fromkeys(grid, number(values[0])))
    if name == "IF" and count in {2, 3}:
        return _chosen(values[0], values[1], values[2] if count == 3 else math.nan)
    if name in _OF_LISTS:
        return _OF_LISTS[name](values)
    raise BadInputError(f"Error in expression: the function {name} is not supported here")


def _filled(value: Value, filler: Value, grid: Sequence[float]) -> Value:
    if isinstance(value, list):
        return [_filled(item, filler, grid) for item in value]
    if not isinstance(value, dict):
        return value
    value = Points(value) if not isinstance(value, Points) else value
    times = sorted({*grid, *value})
    if isinstance(filler, dict):
        spare: dict[float, float] = filler
        return kept({time: value.get(time, spare.get(time, math.nan)) for time in times})
    if filler == "LINEAR":
        return kept({time: _between(value, time) for time in times}, getattr(value, "label", ""))
    filled: dict[float, float] = {}
    last = math.nan
    for time in times:
        last = value.get(time, last)
        filled[time] = last if filler == "REPEAT" or time in value else number(filler)
    return kept(filled, getattr(value, "label", ""))


def _between(points: dict[float, float], time: float) -> float:
    """On the line between the neighbours; nothing before the first and after the last."""
    if time in points:
        return points[time]
    before = max((known for known in points if known < time), default=None)
    after = min((known for known in points if known > time), default=None)
    if before is None or after is None:
        return math.nan
    share = (time - before) / (after - before)
    return points[before] * (1 - share) + points[after] * share


def _chosen(condition: Value, yes: Value, no: Value) -> Value:
    if not isinstance(condition, dict):
        return yes if number(condition) else no
    chosen: dict[float, float] = {}
    for time, value in condition.items():
        source = yes if value else no
        chosen[time] = source.get(time, math.nan) if isinstance(source, dict) else number(source)
    return kept(chosen)


# --- of several series ---


def _series(value: Value) -> list[Points]:
    if isinstance(value, dict):
        return [labelled(value, getattr(value, "label", ""))]
    if not isinstance(value, list):
        raise BadInputError("Error in expression: time series are expected")
    return list(value)


def _sorted(values: list[Value]) -> Value:
    """SORT(series, AVG|SUM|MIN|MAX, ASC|DESC, count)."""
    if not 2 <= len(values) <= 4 or values[1] not in _REDUCERS:
        raise BadInputError("Error in expression: SORT needs series and one of AVG, MIN, MAX, SUM")
    of = _REDUCERS[values[1]]
    found = [item for item in _series(values[0]) if item]
    found.sort(
        key=lambda item: of(list(item.values())), reverse=len(values) > 2 and values[2] == "DESC"
    )
    return found[: int(number(values[3]))] if len(values) == 4 else found


def _sliced(values: list[Value]) -> Value:
    """SLICE(series, begin[, end]); without an end the one series at that place."""
    found = _series(values[0])
    begin = int(number(values[1])) if len(values) > 1 else 0
    if len(values) > 2:
        return found[begin : int(number(values[2]))]
    return found[begin] if 0 <= begin < len(found) else Points()


def _first(values: list[Value]) -> Value:
    found = _series(values[0])
    return found[0] if found else Points()


def _last(values: list[Value]) -> Value:
    found = _series(values[0])
    return found[-1] if found else Points()


def _metric_count(values: list[Value]) -> Value:
    return float(len(_series(values[0])))


def _point_count(values: list[Value]) -> Value:
    if isinstance(values[0], dict):
        return float(len(values[0]))
    return _reduce(lambda found: float(len(found)), values[0])


def _without_empty(values: list[Value]) -> Value:
    return [item for item in _series(values[0]) if item]


_OF_LISTS: dict[str, Callable[[list[Value]], Value]] = {
    "SORT": _sorted,
    "SLICE": _sliced,
    "FIRST": _first,
    "LAST": _last,
    "METRIC_COUNT": _metric_count,
    "DATAPOINT_COUNT": _point_count,
    "REMOVE_EMPTY": _without_empty,
}
