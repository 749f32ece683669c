"""Answers GetMetricData's questions: series by period and statistic, and expressions over them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.cloudwatch.expressions import Points, evaluate
from dockdesk.sandbox.aws.cloudwatch.series import Metrics, Series, Stat, combined
from dockdesk.sandbox.aws.values import BadInputError, Params

MOST_POINTS = 100_800
_KEPT_MINUTES = 16 * 24 * 60  # nothing older is known


@dataclass(frozen=True, slots=True)
class Query:
    """One MetricDataQuery. ``period`` in seconds."""

    id: str
    label: str
    shown: bool
    period: int
    statistic: str = ""
    namespace: str = ""
    name: str = ""
    dimensions: tuple[tuple[str, str], ...] = ()
    expression: str = ""


def dimensions_of(params: Params) -> dict[str, str]:
    return {item.need("Name"): item.text("Value") for item in params.inners("Dimensions")}


def period_of(params: Params, default: int = 60) -> int:
    period = params.whole("Period", default, 1, 86_400 * 365)
    if period not in {1, 5, 10, 20, 30} and period % 60:
        raise BadInputError("The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60.")
    return period


def query_of(params: Params) -> Query:
    """Raises BadInputError for what GetMetricData would refuse."""
    name = params.need("Id")
    if not (name[0].islower() and name.replace("_", "a").isalnum()):
        raise BadInputError(
            f"The value {name} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )
    shown = params.flag("ReturnData", True)
    stat = params.inner("MetricStat")
    if "Expression" in params:
        if "MetricStat" in params:
            raise BadInputError(
                f"The parameters MetricDataQueries.{name}.MetricStat and Expression are mutually exclusive."
            )
        return Query(
            name,
            params.text("Label"),
            shown,
            period_of(params),
            expression=params.need("Expression"),
        )
    metric = stat.inner("Metric")
    statistic = stat.need("Stat")
    Stat(1, 1, 1, 1).value(statistic)
    return Query(
        name,
        params.text("Label"),
        shown,
        period_of(stat),
        statistic,
        metric.need("Namespace"),
        metric.need("MetricName"),
        tuple(sorted(dimensions_of(metric).items())),
    )


def points(
    series: Series, statistic: str, period: int, start: float, end: float, last: int
) -> Points:
    """Values by the time their period begins, oldest first. ``last``: the newest minute that is over."""
    step = max(period, 60)
    found: Points = {}
    begin = math.floor(start / step) * step
    if (end - begin) / step > MOST_POINTS:
        raise BadInputError(
            "You have requested too many datapoints: reduce the range or raise Period."
        )
    for stat, time in stats(series, step, begin, end, last):
        found[time] = stat.value(statistic)
    return found


def stats(
    series: Series, step: int, begin: float, end: float, last: int
) -> Iterator[tuple[Stat, float]]:
    """Statistics of each period in [begin, end), where there are any."""
    oldest = (last - _KEPT_MINUTES) * 60
    time = max(begin, oldest // step * step)
    while time < end:
        first = int(time // 60)
        if first > last:
            return
        of_minutes = (
            series.at(minute) for minute in range(first, min(first + step // 60, last + 1))
        )
        stat = combined(item for item in of_minutes if item is not None)
        if stat is not None:
            yield stat, time
        time += step


def compute(
    metrics: Metrics, queries: list[Query], start: float, end: float, last: int
) -> dict[str, Points]:
    """The points of every query, by its id. Raises BadInputError for an expression that can't be understood."""
    results: dict[str, Points] = {}
    for query in queries:
        if not query.expression:
            series = metrics.find(query.namespace, query.name, dict(query.dimensions))
            results[query.id] = (
                points(series, query.statistic, query.period, start, end, last) if series else {}
            )
    plain = set(results)
    for query in queries:
        if query.expression:
            value = evaluate(query.expression, results, query.period, plain)
            results[query.id] = _as_points(value, results)
    return results


def _as_points(value: object, others: dict[str, Points]) -> Points:
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and len(value) == 1:
        return _as_points(value[0], others)
    if isinstance(value, float | int):
        times = sorted({time for known in others.values() for time in known})
        return dict.fromkeys(times, float(value)) if not math.isnan(value) else {}
    raise BadInputError("The expression must end in one time series.")
