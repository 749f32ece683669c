"""Metrics: two weeks of them at the start, in every statistic, period and order; and metric math."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import World

WEB = [{"Name": "ClusterName", "Value": "shop-prod"}, {"Name": "ServiceName", "Value": "web"}]


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _stat(
    id_: str,
    name: str = "CPUUtilization",
    stat: str = "Average",
    period: int = 60,
    namespace: str = "AWS/ECS",
) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": WEB}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def _ask(
    world: World, cloudwatch: Any, queries: list[dict[str, Any]], hours: float, **more: Any
) -> dict[str, Any]:
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries,
        StartTime=_time(world.now - hours * 3600),
        EndTime=_time(world.now),
        **more,
    )
    return {item["Id"]: item for item in answer["MetricDataResults"]}


def test_the_past_is_there_at_once(world: World, cloudwatch: Any) -> None:
    three_hours = _ask(world, cloudwatch, [_stat("a")], 3)["a"]
    assert 175 <= len(three_hours["Values"]) <= 180
    fortnight = _ask(
        world,
        cloudwatch,
        [_stat("a", period=3600), _stat("b", period=3600, stat="Maximum")],
        14 * 24,
    )
    assert 330 <= len(fortnight["a"]["Values"]) <= 337
    assert all(
        high >= mean > 1
        for mean, high in zip(fortnight["a"]["Values"], fortnight["b"]["Values"], strict=True)
    )


def test_the_newest_comes_first_unless_asked_otherwise(world: World, cloudwatch: Any) -> None:
    down = _ask(world, cloudwatch, [_stat("a")], 1)["a"]["Timestamps"]
    up = _ask(world, cloudwatch, [_stat("a")], 1, ScanBy="TimestampAscending")["a"]["Timestamps"]
    assert down == sorted(down, reverse=True)
    assert up == sorted(down)
    assert (_time(world.now) - down[0]).total_seconds() >= 60


def test_statistics_are_ordered(world: World, cloudwatch: Any) -> None:
    world.live(600)
    names = ["Minimum", "p10", "p50", "Average", "p90", "p99", "Maximum"]
    found = _ask(
        world, cloudwatch, [_stat(f"s{number}", stat=name) for number, name in enumerate(names)], 1
    )
    for values in zip(
        *(found[f"s{number}"]["Values"] for number in range(len(names))), strict=True
    ):
        assert list(values) == sorted(values)


def test_the_past_and_the_present_join(world: World, cloudwatch: Any) -> None:
    world.live(1800)
    values = _ask(world, cloudwatch, [_stat("a")], 1)["a"]["Values"]
    assert len(values) >= 58
    assert all(abs(a - b) < 20 for a, b in itertools.pairwise(values))


def test_counts_are_in_container_insights_where_it_is_on(world: World, cloudwatch: Any) -> None:
    world.live(180)
    found = _ask(
        world, cloudwatch, [_stat("n", "RunningTaskCount", namespace="ECS/ContainerInsights")], 0.2
    )["n"]
    assert found["Values"][0] >= 4
    staging = cloudwatch.list_metrics(
        Namespace="ECS/ContainerInsights",
        Dimensions=[{"Name": "ClusterName", "Value": "shop-staging"}],
    )
    assert staging["Metrics"] == []


def test_a_stopped_service_has_no_processor_metric(world: World, ecs: Any, cloudwatch: Any) -> None:
    ecs.update_service(cluster="shop-prod", service="mailer", desiredCount=0)
    world.live(900)
    mailer = [
        {"Name": "ClusterName", "Value": "shop-prod"},
        {"Name": "ServiceName", "Value": "mailer"},
    ]
    query = _stat("a")
    query["MetricStat"]["Metric"]["Dimensions"] = mailer
    found = _ask(world, cloudwatch, [query], 0.5)["a"]["Timestamps"]
    assert found
    assert (_time(world.now) - found[0]).total_seconds() > 600


def test_metric_math(world: World, cloudwatch: Any) -> None:
    queries = [
        {**_stat("cpu"), "ReturnData": False},
        {**_stat("mem", "MemoryUtilization"), "ReturnData": False},
        {"Id": "twice", "Expression": "cpu * 2 + 1"},
        {"Id": "both", "Expression": "(cpu + mem) / 2"},
        {"Id": "mean", "Expression": "AVG(METRICS())"},
        {"Id": "over", "Expression": "IF(cpu > 1000, cpu, 0)"},
        {"Id": "top", "Expression": "MAX(cpu)", "Label": "highest"},
    ]
    found = _ask(world, cloudwatch, queries, 1)
    assert set(found) == {"twice", "both", "mean", "over", "top"}
    cpu = _ask(world, cloudwatch, [_stat("cpu")], 1)["cpu"]["Values"]
    assert found["twice"]["Values"] == pytest.approx([value * 2 + 1 for value in cpu])
    assert found["both"]["Values"] == pytest.approx(found["mean"]["Values"])
    assert set(found["over"]["Values"]) == {0.0}
    assert found["top"]["Values"] == pytest.approx([max(cpu)] * len(cpu))
    assert found["top"]["Label"] == "highest"


@pytest.mark.parametrize(
    "change",
    [
        {"MetricDataQueries": [{"Id": "a", "Expression": "b + 1"}]},
        {"MetricDataQueries": [{"Id": "a", "Expression": "((((1"}]},
        {"MetricDataQueries": [_stat("a", stat="Best")]},
        {"MetricDataQueries": [_stat("a", period=61)]},
        {"MetricDataQueries": [_stat("a"), _stat("a")]},
        {"MetricDataQueries": [_stat("Upper")]},
        {"MetricDataQueries": [_stat(f"m{number}") for number in range(501)]},
        {"StartTime": _time(2e9)},
    ],
)
def test_bad_questions_are_refused(world: World, cloudwatch: Any, change: dict[str, Any]) -> None:
    call = {
        "MetricDataQueries": [_stat("a")],
        "StartTime": _time(world.now - 60),
        "EndTime": _time(world.now),
        **change,
    }
    with pytest.raises(ClientError) as caught:
        cloudwatch.get_metric_data(**call)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_points_come_in_pages(world: World, cloudwatch: Any) -> None:
    queries = [_stat(f"m{number}") for number in range(6)]
    call = {
        "MetricDataQueries": queries,
        "StartTime": _time(world.now - 3600),
        "EndTime": _time(world.now),
        "MaxDatapoints": 130,
    }
    seen: list[str] = []
    pages = 0
    token: dict[str, str] = {}
    while True:
        answer = cloudwatch.get_metric_data(**call, **token)
        seen += [item["Id"] for item in answer["MetricDataResults"]]
        pages += 1
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert seen == [f"m{number}" for number in range(6)]
    assert pages == 3


def test_asking_for_ever_is_answered_soon(world: World, cloudwatch: Any) -> None:
    everything = cloudwatch.get_metric_data(
        MetricDataQueries=[_stat("a", period=86_400)], StartTime=_time(0), EndTime=_time(world.now)
    )["MetricDataResults"][0]
    assert 14 <= len(everything["Values"]) <= 17


# --- searches and functions ---


def _expressed(world: World, cloudwatch: Any, *expressions: str) -> list[dict[str, Any]]:
    """What the last expression ends in, with CPU and memory of the web service as cpu and mem."""
    queries = [
        {**_stat("cpu"), "ReturnData": False},
        {**_stat("mem", "MemoryUtilization"), "ReturnData": False},
    ]
    queries += [
        {"Id": f"e{number}", "Expression": text, "ReturnData": number == len(expressions) - 1}
        for number, text in enumerate(expressions)
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries,
        StartTime=_time(world.now - 3600),
        EndTime=_time(world.now),
        ScanBy="TimestampAscending",
    )
    return list(answer["MetricDataResults"])


SERVICES_OF_PROD = (
    '{AWS/ECS,ClusterName,ServiceName} MetricName="CPUUtilization" ClusterName="shop-prod"'
)


def test_a_search_finds_series_by_schema_and_terms(world: World, cloudwatch: Any) -> None:
    found = _expressed(world, cloudwatch, f"SEARCH('{SERVICES_OF_PROD}', 'Average', 300)")
    labels = {item["Label"] for item in found}
    assert {"web", "api", "checkout"} <= labels
    assert len(found) == len(labels) == 12
    assert {item["Id"] for item in found} == {"e0"}
    assert all(11 <= len(item["Values"]) <= 13 for item in found)


@pytest.mark.parametrize(
    ("terms", "count"),
    [
        ('MetricName="CPUUtilization" NOT web', 11),
        ('MetricName="CPUUtilization" (web OR api)', 2),
        ("CPU web", 1),
        ("utilization web", 2),
        ('"CPUUtilization" ServiceName=web', 1),
        ("nothing-like-it", 0),
    ],
)
def test_terms_of_a_search(world: World, cloudwatch: Any, terms: str, count: int) -> None:
    text = '{AWS/ECS,ClusterName,ServiceName} ClusterName="shop-prod" ' + terms
    assert len(_expressed(world, cloudwatch, f"SEARCH('{text}', 'Average', 300)")) == count


def test_what_a_search_finds_is_reckoned_with(world: World, cloudwatch: Any) -> None:
    search = f"SEARCH('{SERVICES_OF_PROD}', 'Maximum', 60)"
    (total,) = _expressed(world, cloudwatch, f"SUM({search})")
    series = _expressed(world, cloudwatch, search)
    assert total["Values"][0] == pytest.approx(sum(item["Values"][0] for item in series))
    top = _expressed(world, cloudwatch, f"SORT({search}, MAX, DESC, 3)")
    tops = [max(item["Values"]) for item in top]
    assert len(tops) == 3
    assert tops == sorted(tops, reverse=True)
    assert tops[0] == max(max(item["Values"]) for item in series)


def test_what_a_label_begins_with_is_kept(world: World, cloudwatch: Any) -> None:
    query = {"Id": "e", "Expression": f"SEARCH('{SERVICES_OF_PROD}', 'Average')", "Label": "CPU"}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[query], StartTime=_time(world.now - 600), EndTime=_time(world.now)
    )
    assert "CPU web" in {item["Label"] for item in answer["MetricDataResults"]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("RUNNING_SUM(IF(cpu > 0, 1))", lambda cpu: [float(n + 1) for n in range(len(cpu))]),
        ("STDDEV(METRICS('cpu'))", lambda cpu: [0.0] * len(cpu)),
        ("METRIC_COUNT(METRICS()) * cpu", lambda cpu: [value * 2 for value in cpu]),
        ("DATAPOINT_COUNT(cpu) + cpu - cpu", lambda cpu: [float(len(cpu))] * len(cpu)),
        ("FIRST(METRICS())", lambda cpu: cpu),
        ("LOG10(cpu * 0 + 100)", lambda cpu: [2.0] * len(cpu)),
        ("DIFF_TIME(cpu)", lambda cpu: [60.0] * (len(cpu) - 1)),
        ("FILL(IF(cpu < 0, cpu, cpu), 0)", lambda cpu: cpu),
        ("TIME_SERIES(7)", lambda cpu: [7.0] * len(cpu)),
        ("MIN([cpu, cpu])", lambda cpu: cpu),
        ("cpu * PERIOD(cpu)", lambda cpu: [value * 60 for value in cpu]),
    ],
)
def test_functions(world: World, cloudwatch: Any, expression: str, expected: Any) -> None:
    (found,) = _expressed(world, cloudwatch, expression)
    cpu = _ask(world, cloudwatch, [_stat("cpu")], 1, ScanBy="TimestampAscending")["cpu"]["Values"]
    values = found["Values"][: len(cpu)]
    assert values == pytest.approx(expected(cpu))


def test_gaps_are_filled(world: World, cloudwatch: Any) -> None:
    begin = (world.now - 1800) // 60 * 60
    for minute, value in ((0, 1.0), (4, 9.0)):
        cloudwatch.put_metric_data(
            Namespace="Mine",
            MetricData=[
                {"MetricName": "x", "Timestamp": _time(begin + minute * 60), "Value": value}
            ],
        )
    metric = {"Namespace": "Mine", "MetricName": "x", "Dimensions": []}

    def filled(how: str) -> list[float]:
        queries = [
            {
                "Id": "m",
                "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"},
                "ReturnData": False,
            },
            {"Id": "e", "Expression": f"FILL(m, {how})"},
        ]
        answer = cloudwatch.get_metric_data(
            MetricDataQueries=queries,
            StartTime=_time(begin),
            EndTime=_time(begin + 360),
            ScanBy="TimestampAscending",
        )
        return list(answer["MetricDataResults"][0]["Values"])

    assert filled("0") == [1, 0, 0, 0, 9, 0]
    assert filled("REPEAT") == [1, 1, 1, 1, 9, 9]
    assert filled("LINEAR") == [1, 3, 5, 7, 9]


@pytest.mark.parametrize(
    "expression",
    [
        "SEARCH('(web', 'Average')",
        "SEARCH('web', 'Best')",
        "SEARCH('NOT', 'Average')",
        "SEARCH('" + "(" * 60 + "', 'Average')",
        "SORT(cpu)",
        "ANOMALY_DETECTION_BAND(cpu)",
        "'text'",
    ],
)
def test_bad_searches_and_functions_are_refused(
    world: World, cloudwatch: Any, expression: str
) -> None:
    with pytest.raises(ClientError) as caught:
        _expressed(world, cloudwatch, expression)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


# --- composite alarms ---


def test_a_composite_alarm_is_made_of_others(world: World, cloudwatch: Any) -> None:
    names = [item["AlarmName"] for item in cloudwatch.describe_alarms()["MetricAlarms"]][:2]

    def state(name: str) -> str:
        answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        return str(answer["CompositeAlarms"][0]["StateValue"])

    one, two = (f'ALARM("{name}")' for name in names)
    cloudwatch.put_composite_alarm(AlarmName="both", AlarmRule=f"{one} AND ({two} OR FALSE)")
    cloudwatch.put_composite_alarm(AlarmName="above", AlarmRule="NOT ALARM(both)")
    assert (state("both"), state("above")) == ("OK", "ALARM")
    for name in names:
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="x")
    assert (state("both"), state("above")) == ("ALARM", "OK")
    history = cloudwatch.describe_alarm_history(AlarmName="both", AlarmTypes=["CompositeAlarm"])
    assert {item["AlarmType"] for item in history["AlarmHistoryItems"]} == {"CompositeAlarm"}
    assert cloudwatch.describe_alarm_history(AlarmName="both")["AlarmHistoryItems"] == []
    children = cloudwatch.describe_alarms(
        ChildrenOfAlarmName="both", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    assert [item["AlarmName"] for item in children["MetricAlarms"]] == sorted(names)
    parents = cloudwatch.describe_alarms(ParentsOfAlarmName="both", AlarmTypes=["CompositeAlarm"])
    assert [item["AlarmName"] for item in parents["CompositeAlarms"]] == ["above"]


@pytest.mark.parametrize(
    "rule",
    [
        "ALARM(none)",
        "ALARM(both",
        "AND",
        "TRUE TRUE",
        "(TRUE",
        "",
        "ALARM(again)",
        "(" * 90 + "TRUE",
    ],
)
def test_rules_that_can_not_be_are_refused(world: World, cloudwatch: Any, rule: str) -> None:
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_composite_alarm(AlarmName="again", AlarmRule=rule or " ")
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"
