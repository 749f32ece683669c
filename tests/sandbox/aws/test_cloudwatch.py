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
