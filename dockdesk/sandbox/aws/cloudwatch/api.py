"""CloudWatch's API. Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.cloudwatch.alarms import COMPARISONS, Alarm, Alarms
from dockdesk.sandbox.aws.cloudwatch.composite import Composite, circular, rule_of
from dockdesk.sandbox.aws.cloudwatch.functions import Points
from dockdesk.sandbox.aws.cloudwatch.query import (
    Asked,
    Query,
    dimensions_of,
    period_of,
    query_of,
    stats,
)
from dockdesk.sandbox.aws.cloudwatch.series import Dimensions, Metrics, Stat
from dockdesk.sandbox.aws.values import (
    Api,
    AwsError,
    BadInputError,
    Params,
    listing,
    page,
    tag_list,
    tags_of,
    when,
)

_QUERIES = 500
_MANY_POINTS = 1440
_ALARM_FIELDS = (
    "AlarmDescription",
    "AlarmRule",
    "MetricName",
    "Namespace",
    "Statistic",
    "ExtendedStatistic",
    "Unit",
    "EvaluateLowSampleCountPercentile",
)
_DIRECTIONS = ("TimestampDescending", "TimestampAscending")
# A minute's values can be asked for this long after it is over.
DELAY_SECONDS = 20.0


class CloudWatchApi(Api):
    """``before_history(names)`` lets the past of alarms be told before somebody reads it."""

    invalid = "InvalidParameterValue"

    def __init__(
        self,
        metrics: Metrics,
        alarms: Alarms,
        now: Callable[[], float],
        before_history: Callable[[], None],
    ) -> None:
        self._metrics = metrics
        self._alarms = alarms
        self._now = now
        self._before_history = before_history
        self.operations = {
            "GetMetricData": self._get_metric_data,
            "GetMetricStatistics": self._get_metric_statistics,
            "ListMetrics": self._list_metrics,
            "PutMetricData": self._put_metric_data,
            "PutMetricAlarm": self._put_metric_alarm,
            "PutCompositeAlarm": self._put_composite_alarm,
            "DescribeAlarms": self._describe_alarms,
            "DescribeAlarmsForMetric": self._describe_alarms_for_metric,
            "DescribeAlarmHistory": self._describe_alarm_history,
            "DeleteAlarms": self._delete_alarms,
            "SetAlarmState": self._set_alarm_state,
            "EnableAlarmActions": lambda params: self._switch_actions(params, True),
            "DisableAlarmActions": lambda params: self._switch_actions(params, False),
            "ListTagsForResource": lambda params: {
                "Tags": tag_list(self._by_arn(params).tags, "Key", "Value")
            },
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def _last_minute(self) -> int:
        return int((self._now() - DELAY_SECONDS) // 60) - 1

    async def _get_metric_data(self, params: Params) -> Mapping[str, Any]:
        asked = params.inners("MetricDataQueries")
        if not asked:
            raise BadInputError("The parameter MetricDataQueries is required.")
        if len(asked) > _QUERIES:
            raise BadInputError(
                f"The collection MetricDataQueries must not have a size greater than {_QUERIES}."
            )
        queries = [query_of(item) for item in asked]
        if len({query.id for query in queries}) < len(queries):
            raise BadInputError("The values for parameter Id in MetricDataQueries are not unique.")
        start, end = params.time("StartTime"), params.time("EndTime")
        if start >= end:
            raise BadInputError("The parameter StartTime must be less than the parameter EndTime.")
        order = params.text("ScanBy", _DIRECTIONS[0])
        if order not in _DIRECTIONS:
            raise BadInputError(f"The parameter ScanBy must be one of {', '.join(_DIRECTIONS)}.")
        asked_for = Asked(self._metrics, start, end, self._last_minute())
        descending = order == _DIRECTIONS[0]
        if any(query.expression for query in queries):
            shown = await _with_expressions(asked_for, queries)
            return _pages_of_points([_result(*one, descending) for one in shown], params)
        return await _page_of_metrics(asked_for, queries, params, descending)

    def _get_metric_statistics(self, params: Params) -> Mapping[str, Any]:
        period = period_of(params)
        start, end = params.time("StartTime"), params.time("EndTime")
        if start >= end:
            raise BadInputError("The parameter StartTime must be less than the parameter EndTime.")
        names, extended = params.texts("Statistics"), params.texts("ExtendedStatistics")
        if not names and not extended:
            raise AwsError(
                "InvalidParameterCombination",
                "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
            )
        if (end - start) / period > _MANY_POINTS:
            raise AwsError(
                "InvalidParameterCombination",
                f"You have requested up to {int((end - start) / period)} datapoints, which exceeds the limit of 1,440. "
                "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
            )
        series = self._metrics.find(
            params.need("Namespace"), params.need("MetricName"), dimensions_of(params)
        )
        shown = []
        begin = start // max(period, 60) * max(period, 60)
        for stat, time in (
            stats(series, max(period, 60), begin, end, self._last_minute()) if series else ()
        ):
            point: dict[str, Any] = {
                "Timestamp": when(time),
                "Unit": series.unit if series else "None",
            }
            point |= {name: stat.value(name) for name in names}
            if extended:
                point["ExtendedStatistics"] = {name: stat.value(name) for name in extended}
            shown.append(point)
        return {"Label": params.need("MetricName"), "Datapoints": shown}

    def _list_metrics(self, params: Params) -> Mapping[str, Any]:
        wanted = [(item.need("Name"), item.text("Value")) for item in params.inners("Dimensions")]

        def fits(dimensions: Dimensions) -> bool:
            have = dict(dimensions)
            return all(name in have and value in {"", have[name]} for name, value in wanted)

        found = [
            {
                "Namespace": space,
                "MetricName": name,
                "Dimensions": tag_list(dict(dims), "Name", "Value"),
            }
            for space, name, dims in self._metrics.list(
                params.text("Namespace"), params.text("MetricName")
            )
            if fits(dims)
        ]
        shown, token = page(found, params, 500, "_", "NextToken")
        return listing("Metrics", shown, token, "NextToken")

    def _put_metric_data(self, params: Params) -> Mapping[str, Any]:
        namespace = params.need("Namespace")
        if namespace.startswith("AWS/"):
            raise BadInputError(
                "The value AWS/ for parameter Namespace is invalid: it is reserved."
            )
        for item in params.inners("MetricData"):
            key = (namespace, item.need("MetricName"), tuple(sorted(dimensions_of(item).items())))
            series = self._metrics.series_to_put(key, item.text("Unit", "None"))
            minute = int(item.time("Timestamp", self._now()) // 60)
            if "StatisticValues" in item:
                told = item.inner("StatisticValues")
                series.add(
                    minute,
                    Stat(
                        *(
                            told.number(name)
                            for name in ("SampleCount", "Sum", "Minimum", "Maximum")
                        )
                    ),
                )
                continue
            values = [Params({"v": value}).number("v") for value in item.items("Values")]
            counts = [Params({"v": value}).number("v") for value in item.items("Counts")] or [
                1.0
            ] * len(values)
            if not values:
                values, counts = [item.number("Value")], [1.0]
            if len(values) != len(counts):
                raise BadInputError("The parameters Values and Counts must have the same length.")
            for value, count in zip(values, counts, strict=True):
                series.add(minute, Stat(count, value * count, value, value))
        return {}

    def _put_metric_alarm(self, params: Params) -> Mapping[str, Any]:
        now = self._now()
        alarm = alarm_of(params, self._alarms, now)
        self._alarms.put(alarm, now)
        return {}

    def _put_composite_alarm(self, params: Params) -> Mapping[str, Any]:
        name, now = params.need("AlarmName"), self._now()
        rule, children = rule_of(params.need("AlarmRule"))
        if name in self._alarms.all:
            raise BadInputError(f"There is a metric alarm with the name {name}.")
        for child in children:
            if not self._alarms.state_of(child) and child != name:
                raise BadInputError(f"Could not find the alarm {child} of the AlarmRule.")
        if circular(name, children, self._alarms.composite):
            raise BadInputError("AlarmRule must not depend on the alarm itself.")
        arn, body = self._alarms.arn(name), dict(params.values)
        made = Composite(name, arn, body, rule, children, now)
        made.tags = tags_of(params, "Tags", "Key", "Value")
        self._alarms.put_composite(made, now)
        return {}

    def _describe_alarms(self, params: Params) -> Mapping[str, Any]:
        kinds = params.texts("AlarmTypes") or ["MetricAlarm"]
        everything: list[Alarm | Composite] = []
        if "MetricAlarm" in kinds:
            everything += self._alarms.all.values()
        if "CompositeAlarm" in kinds:
            everything += self._alarms.composite.values()
        found = [alarm for alarm in everything if self._fits(alarm, params)]
        found.sort(key=lambda alarm: alarm.name)
        shown, token = page(found, params, 100, "MaxRecords", "NextToken")
        metric = [described(alarm) for alarm in shown if isinstance(alarm, Alarm)]
        composite = [described_composite(one) for one in shown if isinstance(one, Composite)]
        return {**listing("MetricAlarms", metric, token, "NextToken"), "CompositeAlarms": composite}

    def _fits(self, alarm: Alarm | Composite, params: Params) -> bool:
        names, prefix = params.texts("AlarmNames"), params.text("AlarmNamePrefix")
        action, state = params.text("ActionPrefix"), params.text("StateValue")
        of, above = params.text("ChildrenOfAlarmName"), params.text("ParentsOfAlarmName")
        parent = self._alarms.composite.get(of)
        children = alarm.children if isinstance(alarm, Composite) else ()
        return (
            (not names or alarm.name in names)
            and alarm.name.startswith(prefix)
            and state in {"", alarm.state}
            and (not action or any(item.startswith(action) for item in alarm.actions("ALARM")))
            and (not of or (parent is not None and alarm.name in parent.children))
            and (not above or above in children)
        )

    def _describe_alarms_for_metric(self, params: Params) -> Mapping[str, Any]:
        wanted = (
            params.need("Namespace"),
            params.need("MetricName"),
            tuple(sorted(dimensions_of(params).items())),
        )
        return {
            "MetricAlarms": [
                described(alarm)
                for alarm in self._alarms.all.values()
                if any(
                    (query.namespace, query.name, query.dimensions) == wanted
                    and params.text("Statistic", query.statistic) == query.statistic
                    and params.whole("Period", query.period) == query.period
                    for query in alarm.queries
                )
            ]
        }

    def _describe_alarm_history(self, params: Params) -> Mapping[str, Any]:
        self._before_history()
        name, kind = params.text("AlarmName"), params.text("HistoryItemType")
        since, until = params.time("StartDate", 0.0), params.time("EndDate", 1e12)
        types = params.texts("AlarmTypes") or ["MetricAlarm"]
        items = [
            item
            for alarm in self._alarms.everything()
            if name in {"", alarm.name}
            for item in alarm.history
        ]
        items += [item for item in self._alarms.gone if name in {"", item["AlarmName"]}]
        found = [
            item
            for item in items
            if item["AlarmType"] in types
            and kind in {"", item["HistoryItemType"]}
            and since <= item["Timestamp"] <= until
        ]
        newest = params.text("ScanBy", _DIRECTIONS[0]) == _DIRECTIONS[0]
        found.sort(key=lambda item: item["Timestamp"], reverse=newest)
        shown, token = page(found, params, 100, "MaxRecords", "NextToken")
        return listing("AlarmHistoryItems", shown, token, "NextToken")

    def _delete_alarms(self, params: Params) -> Mapping[str, Any]:
        names = params.texts("AlarmNames")
        for name in names:
            if not self._alarms.state_of(name):
                raise AwsError("ResourceNotFound", f"Alarm {name} does not exist", 404)
        for name in dict.fromkeys(names):
            self._alarms.delete(name, self._now())
        return {}

    def _set_alarm_state(self, params: Params) -> Mapping[str, Any]:
        name = params.need("AlarmName")
        alarm = self._alarms.all.get(name) or self._alarms.composite.get(name)
        if alarm is None:
            raise AwsError("ResourceNotFound", "Unknown alarm", 404)
        state = params.need("StateValue")
        if state not in {"OK", "ALARM", "INSUFFICIENT_DATA"}:
            raise BadInputError(f"The value {state} for parameter StateValue is invalid.")
        self._alarms.set_state(
            alarm, state, params.need("StateReason"), params.text("StateReasonData"), self._now()
        )
        return {}

    def _switch_actions(self, params: Params, enabled: bool) -> Mapping[str, Any]:
        for name in params.texts("AlarmNames"):
            alarm = self._alarms.all.get(name) or self._alarms.composite.get(name)
            if alarm is not None:
                alarm.body["ActionsEnabled"] = enabled
        return {}

    def _by_arn(self, params: Params) -> Alarm | Composite:
        wanted = params.need("ResourceARN")
        for alarm in self._alarms.everything():
            if alarm.arn == wanted:
                return alarm
        raise AwsError("ResourceNotFoundException", f"{wanted} does not exist", 404)

    def _tag(self, params: Params) -> Mapping[str, Any]:
        self._by_arn(params).tags |= tags_of(params, "Tags", "Key", "Value")
        return {}

    def _untag(self, params: Params) -> Mapping[str, Any]:
        tags = self._by_arn(params).tags
        for key in params.texts("TagKeys"):
            tags.pop(key, None)
        return {}


def _result(query: Query, points: Points, descending: bool) -> dict[str, Any]:
    pairs = sorted(points.items(), reverse=descending)
    label = " ".join(text for text in (query.label, points.label) if text)
    return {
        "Id": query.id,
        "Label": label or query.name or query.id,
        "Timestamps": [when(time) for time, _ in pairs],
        "Values": [value for _, value in pairs],
        "StatusCode": "Complete",
    }


async def _with_expressions(asked: Asked, queries: list[Query]) -> list[tuple[Query, Points]]:
    """All that is shown. Raises BadInputError."""
    results: dict[str, Points] = {}
    found: dict[str, list[Points]] = {}
    for query in queries:
        if not query.expression:
            results[query.id] = asked.points(query)
            found[query.id] = [results[query.id]]
            await asyncio.sleep(0)  # long spans are told once; others may speak between two of them
    plain = set(results)
    for query in queries:
        if query.expression:
            found[query.id] = asked.expression(query, results, plain)
            if len(found[query.id]) == 1:
                results[query.id] = found[query.id][0]
            await asyncio.sleep(0)
    return [(query, points) for query in queries if query.shown for points in found[query.id]]


async def _page_of_metrics(
    asked: Asked, queries: list[Query], params: Params, descending: bool
) -> Mapping[str, Any]:
    """As many whole results as the limit of points allows; only what is on the page is worked out."""
    most = params.whole("MaxDatapoints", 100_800, 1, 100_800)
    wanted = [query for query in queries if query.shown]
    rest, _ = page(wanted, params, 10_000, "_", "NextToken")
    done, count = len(wanted) - len(rest), 0
    shown: list[dict[str, Any]] = []
    for query in rest:
        points = asked.points(query)
        count += len(points)
        if shown and count > most:
            break
        shown.append(_result(query, points, descending))
        await asyncio.sleep(0)
    answer: dict[str, Any] = {"MetricDataResults": shown, "Messages": []}
    if len(shown) < len(rest):
        left = Params({"n": done + len(shown)})
        _, answer["NextToken"] = page(wanted, left, 10_000, "n", "NextToken")
    return answer


def _pages_of_points(results: list[dict[str, Any]], params: Params) -> Mapping[str, Any]:
    """Whole results until the limit of points is reached; the token says how many are done."""
    most = params.whole("MaxDatapoints", 100_800, 1, 100_800)
    rest, _ = page(results, params, 10_000, "_", "NextToken")
    done = len(results) - len(rest)
    shown: list[dict[str, Any]] = []
    count = 0
    for result in rest:
        count += len(result["Values"])
        if shown and count > most:
            break
        shown.append(result)
    answer: dict[str, Any] = {"MetricDataResults": shown, "Messages": []}
    if len(shown) < len(rest):
        _, answer["NextToken"] = page(
            results, Params({"n": done + len(shown)}), 10_000, "n", "NextToken"
        )
    return answer


def alarm_of(params: Params, alarms: Alarms, now: float) -> Alarm:
    """The alarm that PutMetricAlarm describes. Raises BadInputError."""
    name = params.need("AlarmName")
    comparison = params.need("ComparisonOperator")
    if comparison not in COMPARISONS:
        raise BadInputError(f"The value {comparison} for parameter ComparisonOperator is invalid.")
    periods = params.whole("EvaluationPeriods", low=1, high=1440)
    if "Metrics" in params:
        queries = [query_of(item) for item in params.inners("Metrics")]
        if sum(query.shown for query in queries) != 1:
            raise BadInputError("Exactly one element of the metrics list should return data.")
        period = max(query.period for query in queries)
    else:
        statistic = params.text("Statistic") or params.need("ExtendedStatistic")
        period = period_of(params)
        dimensions = tuple(sorted(dimensions_of(params).items()))
        queries = [
            Query(
                "m1",
                "",
                True,
                period,
                statistic,
                params.need("Namespace"),
                params.need("MetricName"),
                dimensions,
            )
        ]
        Stat(1, 1, 1, 1).value(statistic)
    body = dict(params.values)
    return Alarm(
        name,
        alarms.arn(name),
        body,
        queries,
        now,
        period,
        periods,
        params.whole("DatapointsToAlarm", periods, 1, periods),
        comparison,
        params.number("Threshold"),
        params.text("TreatMissingData", "missing"),
        tags=tags_of(params, "Tags", "Key", "Value"),
    )


def described(alarm: Alarm) -> dict[str, Any]:
    body = Params(alarm.body)
    answer: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        **body.given(*_ALARM_FIELDS),
        "AlarmConfigurationUpdatedTimestamp": when(alarm.updated),
        "ActionsEnabled": body.flag("ActionsEnabled", True),
        "OKActions": body.texts("OKActions"),
        "AlarmActions": body.texts("AlarmActions"),
        "InsufficientDataActions": body.texts("InsufficientDataActions"),
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": when(alarm.changed),
        "StateTransitionedTimestamp": when(alarm.changed),
        "EvaluationPeriods": alarm.periods,
        "DatapointsToAlarm": alarm.needed,
        "Threshold": alarm.threshold,
        "ComparisonOperator": alarm.comparison,
        "TreatMissingData": alarm.missing,
    }
    if alarm.data:
        answer["StateReasonData"] = alarm.data
    if "Metrics" in body:
        answer["Metrics"] = body.items("Metrics")
    else:
        answer["Period"] = alarm.period
        answer["Dimensions"] = tag_list(dict(alarm.queries[0].dimensions), "Name", "Value")
    return answer


def described_composite(alarm: Composite) -> dict[str, Any]:
    body = Params(alarm.body)
    answer = {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        **body.given(
            "AlarmDescription",
            "AlarmRule",
            "ActionsSuppressor",
            "ActionsSuppressorWaitPeriod",
            "ActionsSuppressorExtensionPeriod",
        ),
        "AlarmConfigurationUpdatedTimestamp": when(alarm.updated),
        "ActionsEnabled": body.flag("ActionsEnabled", True),
        "OKActions": body.texts("OKActions"),
        "AlarmActions": body.texts("AlarmActions"),
        "InsufficientDataActions": body.texts("InsufficientDataActions"),
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": when(alarm.changed),
        "StateTransitionedTimestamp": when(alarm.changed),
    }
    if alarm.data:
        answer["StateReasonData"] = alarm.data
    return answer
