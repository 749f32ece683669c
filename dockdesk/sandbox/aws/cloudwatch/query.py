"""Answers GetMetricData's questions: series by period and statistic, and expressions over them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.cloudwatch.expressions import Scope, evaluate
from dockdesk.sandbox.aws.cloudwatch.functions import Points, labelled
from dockdesk.sandbox.aws.cloudwatch.search import MOST_FOUND, wanted
from dockdesk.sandbox.aws.cloudwatch.series import Dimensions, Metrics, Series, Stat, combined
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
    found = Points()
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the metrics: [start, end) in s since 1970; ``last`` is the newest minute that is over."""

    metrics: Metrics
    start: float
    end: float
    last: int

    def points(self, query: Query) -> Points:
        """Of one metric."""
        series = self.metrics.find(query.namespace, query.name, dict(query.dimensions))
        if series is None:
            return Points()
        return points(series, query.statistic, query.period, self.start, self.end, self.last)

    def grid(self, period: int) -> list[float]:
        """Where periods begin, as far as they are over."""
        step = max(period, 60)
        begin = max(self.start, (self.last - _KEPT_MINUTES) * 60.0) // step * step
        count = math.ceil((min(self.end, (self.last + 1) * 60.0) - begin) / step)
        if count > MOST_POINTS:
            raise BadInputError(
                "You have requested too many datapoints: reduce the range or raise Period."
            )
        return [begin + step * number for number in range(max(count, 0))]

    def search(self, text: str, statistic: str, period: int) -> list[Points]:
        """The series that a search expression finds, each with a label."""
        Stat(1, 1, 1, 1).value(statistic)
        fits = wanted(text)
        found: list[tuple[str, str, Dimensions]] = []
        for metric in self.metrics.list():
            if fits(*metric):
                found.append(metric)
                if len(found) == MOST_FOUND:
                    break
        series = []
        for (space, name, dims), label in zip(found, _labels(found), strict=True):
            query = Query("", "", True, period, statistic, space, name, dims)
            series.append(labelled(self.points(query), label))
        return series

    def expression(self, query: Query, results: dict[str, Points], plain: set[str]) -> list[Points]:
        """What an expression ends in: one series, or those that a search found."""
        scope = Scope(
            results,
            plain,
            query.period,
            self.grid(query.period),
            lambda text, stat, period: self.search(text, stat, period or query.period),
        )
        value = evaluate(query.expression, scope)
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            return [labelled(value, getattr(value, "label", ""))]
        if isinstance(value, float | int):
            times = sorted({time for known in results.values() for time in known})
            return [Points(dict.fromkeys(times, float(value)) if not math.isnan(value) else {})]
        raise BadInputError("The expression must end in a time series.")


def _labels(found: list[tuple[str, str, Dimensions]]) -> list[str]:
    """What tells the metrics apart: of their names and the values of their dimensions, those that differ."""
    parts = [[name, *(value for _, value in dims)] for _, name, dims in found]
    width = max((len(part) for part in parts), default=0)
    same = [
        len(found) > 1 and len({part[position] for part in parts if position < len(part)}) == 1
        for position in range(width)
    ]
    return [
        " ".join(text for text, alike in zip(part, same, strict=False) if not alike) or part[0]
        for part in parts
    ]


def compute(
    metrics: Metrics, queries: list[Query], start: float, end: float, last: int
) -> dict[str, Points]:
    """The points of every query, by its id, as alarms ask for them: an expression ends in one series.

    Raises BadInputError for an expression that can't be understood.
    """
    asked = Asked(metrics, start, end, last)
    results = {query.id: asked.points(query) for query in queries if not query.expression}
    plain = set(results)
    for query in queries:
        if query.expression:
            found = asked.expression(query, results, plain)
            results[query.id] = found[0] if len(found) == 1 else Points()
    return results
