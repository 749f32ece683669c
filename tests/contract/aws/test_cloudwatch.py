"""Metrics, metric math and alarms, as the sandbox and its judges have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.aws.conftest import Cloud, lacks, moment, refused


@pytest.fixture
def space(cloud: Cloud) -> str:
    """A namespace that nothing is in."""
    return cloud.name("Shop")


@pytest.fixture
def minute(cloud: Cloud) -> float:
    """The beginning of a minute, a quarter of an hour ago."""
    return (cloud.now - 900) // 60 * 60


class Metric:
    """What tests do with one metric. Times are minutes after ``begin``."""

    def __init__(self, cloud: Cloud, space: str, begin: float, name: str = "Load") -> None:
        self.cloud, self.space, self.begin, self.name = cloud, space, begin, name
        self.client = cloud.client("cloudwatch")

    def put(self, *values: float, minute: int = 0, **more: Any) -> None:
        when = moment(self.begin + minute * 60)
        data = [{"MetricName": self.name, "Timestamp": when, "Value": v, **more} for v in values]
        self.client.put_metric_data(Namespace=self.space, MetricData=data)

    def query(self, id_: str = "m", stat: str = "Average", period: int = 60) -> dict[str, Any]:
        metric = {"Namespace": self.space, "MetricName": self.name, "Dimensions": []}
        return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}

    def get(self, *queries: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = self.client.get_metric_data(
            MetricDataQueries=list(queries),
            StartTime=moment(self.begin),
            EndTime=moment(self.begin + 600),
            **more,
        )
        return {item["Id"]: item for item in answer["MetricDataResults"]}


@pytest.fixture
def metric(cloud: Cloud, space: str, minute: float) -> Metric:
    return Metric(cloud, space, minute)


# --- data ---


def test_what_is_put_is_listed(cloudwatch: Any, space: str, metric: Metric) -> None:
    dimensions = [{"Name": "Host", "Value": "a"}]
    metric.put(1.0, Dimensions=dimensions)
    metric.put(2.0)

    def listed(**more: Any) -> list[Any]:
        return list(cloudwatch.list_metrics(Namespace=space, **more)["Metrics"])

    assert {len(item["Dimensions"]) for item in listed()} == {0, 1}
    assert {item["MetricName"] for item in listed()} == {"Load"}
    (found,) = listed(Dimensions=dimensions)
    assert found["Dimensions"] == dimensions
    assert listed(MetricName="Other") == []


@pytest.mark.parametrize(
    ("stat", "value"),
    [("Average", 3.0), ("Sum", 12.0), ("Minimum", 1.0), ("Maximum", 6.0), ("SampleCount", 4.0)],
)
def test_statistics_of_a_minute(metric: Metric, stat: str, value: float) -> None:
    metric.put(1.0, 2.0, 3.0, 6.0)
    assert metric.get(metric.query(stat=stat))["m"]["Values"] == [value]


def test_periods_join_minutes(metric: Metric) -> None:
    begin = metric.begin // 300 * 300
    metric.begin = begin
    for number in range(5):
        metric.put(float(number), minute=number)
    found = metric.get(metric.query(stat="Sum", period=300))["m"]
    assert found["Values"] == [10.0]
    assert [time.timestamp() for time in found["Timestamps"]] == [begin]


@lacks(ministack="begins with the oldest")
def test_the_newest_comes_first(metric: Metric) -> None:
    for number in range(3):
        metric.put(float(number), minute=number)
    assert metric.get(metric.query())["m"]["Values"] == [2.0, 1.0, 0.0]


def test_the_oldest_come_first_where_that_is_asked(metric: Metric) -> None:
    for number in range(3):
        metric.put(float(number), minute=number)
    found = metric.get(metric.query(), ScanBy="TimestampAscending")["m"]
    assert found["Values"] == [0.0, 1.0, 2.0]


@lacks(moto="adds all dimensions up", ministack="adds all dimensions up")
def test_dimensions_tell_metrics_apart(metric: Metric) -> None:
    metric.put(1.0, Dimensions=[{"Name": "Host", "Value": "a"}])
    metric.put(2.0, Dimensions=[{"Name": "Host", "Value": "b"}])
    query = metric.query()
    query["MetricStat"]["Metric"]["Dimensions"] = [{"Name": "Host", "Value": "b"}]
    assert metric.get(query)["m"]["Values"] == [2.0]
    assert metric.get(metric.query())["m"]["Values"] == []  # without dimensions is another metric


def test_a_label_is_told(metric: Metric) -> None:
    metric.put(1.0)
    found = metric.get({**metric.query("a"), "Label": "the load"}, metric.query("b"))
    assert found["a"]["Label"] == "the load"
    assert found["b"]["Label"]


def test_sets_of_values_count(metric: Metric) -> None:
    metric.client.put_metric_data(
        Namespace=metric.space,
        MetricData=[
            {
                "MetricName": "Load",
                "Timestamp": moment(metric.begin),
                "Values": [1.0, 4.0],
                "Counts": [3.0, 1.0],
            }
        ],
    )
    found = metric.get(metric.query("n", "SampleCount"), metric.query("s", "Sum"))
    assert (found["n"]["Values"], found["s"]["Values"]) == ([4.0], [7.0])


def test_statistic_sets_are_taken(metric: Metric) -> None:
    metric.client.put_metric_data(
        Namespace=metric.space,
        MetricData=[
            {
                "MetricName": "Load",
                "Timestamp": moment(metric.begin),
                "StatisticValues": {"SampleCount": 4, "Sum": 20, "Minimum": 2, "Maximum": 9},
            }
        ],
    )
    found = metric.get(metric.query("a"), metric.query("b", "Maximum"))
    assert (found["a"]["Values"], found["b"]["Values"]) == ([5.0], [9.0])


def test_older_clients_ask_for_statistics(cloudwatch: Any, space: str, metric: Metric) -> None:
    metric.put(1.0, 3.0, Unit="Percent")
    (point,) = cloudwatch.get_metric_statistics(
        Namespace=space,
        MetricName="Load",
        StartTime=moment(metric.begin),
        EndTime=moment(metric.begin + 60),
        Period=60,
        Statistics=["Average", "Maximum"],
    )["Datapoints"]
    assert (point["Average"], point["Maximum"], point["Unit"]) == (2.0, 3.0, "Percent")
    assert point["Timestamp"].timestamp() == metric.begin


def test_what_nobody_put_is_empty(metric: Metric) -> None:
    assert metric.get(metric.query())["m"]["Values"] == []


# --- metric math ---


def _math(metric: Metric, expression: str) -> list[float]:
    metric.put(1.0, 5.0, minute=0)
    metric.put(2.0, minute=1)
    other = Metric(metric.cloud, metric.space, metric.begin, "Other")
    other.put(10.0, minute=0)
    other.put(20.0, minute=1)
    asked = {"Id": "e", "Expression": expression}
    found = metric.get(
        {**metric.query("a"), "ReturnData": False},
        {**other.query("b"), "ReturnData": False},
        asked,
        ScanBy="TimestampAscending",
    )
    assert set(found) == {"e"}
    return list(found["e"]["Values"])


@pytest.mark.parametrize(
    ("expression", "values"),
    [("a + b", [13.0, 22.0]), ("b / a", [10 / 3, 10.0]), ("(a * 2) - b", [-4.0, -16.0])],
    ids=["sum", "quotient", "brackets"],
)
@lacks(moto="does not work out all expressions", ministack="has no metric math")
def test_series_are_reckoned_with(metric: Metric, expression: str, values: list[float]) -> None:
    assert _math(metric, expression) == pytest.approx(values)


# --- alarms ---


def _alarm(name: str, space: str, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "Namespace": space,
        "MetricName": "Load",
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 2,
        "DatapointsToAlarm": 1,
        "Threshold": 80.0,
        "ComparisonOperator": "GreaterThanThreshold",
        **more,
    }


@pytest.fixture
def alarm(cloud: Cloud, cloudwatch: Any, space: str) -> str:
    name = cloud.name("alarm")
    cloudwatch.put_metric_alarm(**_alarm(name, space))
    return name


def _shown(cloudwatch: Any, name: str) -> Any:
    (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return found


@lacks(moto="begins with OK")
def test_a_new_alarm(cloudwatch: Any, cloud: Cloud, space: str) -> None:
    name = cloud.name("alarm")
    more = {
        "AlarmDescription": "too much",
        "AlarmActions": ["arn:aws:sns:eu-central-1:123456789012:ops"],
        "TreatMissingData": "notBreaching",
        "Dimensions": [{"Name": "Host", "Value": "a"}],
    }
    told = _alarm(name, space, **more)
    cloudwatch.put_metric_alarm(**told)
    found = _shown(cloudwatch, name)
    for key, value in told.items():
        assert found[key] == value, key
    assert found["AlarmArn"].endswith(f":alarm:{name}")
    assert found["StateValue"] == "INSUFFICIENT_DATA"
    assert found["ActionsEnabled"] is True


def test_putting_an_alarm_again_changes_it(cloudwatch: Any, space: str, alarm: str) -> None:
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="by hand")
    cloudwatch.put_metric_alarm(**_alarm(alarm, space, Threshold=90.0))
    found = _shown(cloudwatch, alarm)
    assert (found["Threshold"], found["StateValue"]) == (90.0, "OK")


@lacks(moto="ignores the state beside a prefix")
def test_alarms_are_found_by_prefix_and_state(cloudwatch: Any, cloud: Cloud, space: str) -> None:
    prefix = cloud.name("some")
    for number in range(3):
        cloudwatch.put_metric_alarm(**_alarm(f"{prefix}-{number}", space))
    cloudwatch.set_alarm_state(AlarmName=f"{prefix}-1", StateValue="ALARM", StateReason="x")

    def names(**more: Any) -> list[str]:
        answer = cloudwatch.describe_alarms(AlarmNamePrefix=prefix, **more)
        return sorted(item["AlarmName"] for item in answer["MetricAlarms"])

    assert names() == [f"{prefix}-{number}" for number in range(3)]
    assert names(StateValue="ALARM") == [f"{prefix}-1"]
    found = cloudwatch.describe_alarms_for_metric(Namespace=space, MetricName="Load")
    assert sorted(item["AlarmName"] for item in found["MetricAlarms"]) == names()


@lacks(moto="has no history", ministack="tells of its beginning as of a change")
def test_a_state_is_set_and_remembered(cloudwatch: Any, alarm: str) -> None:
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason=f"now {state}")
        found = _shown(cloudwatch, alarm)
        assert (found["StateValue"], found["StateReason"]) == (state, f"now {state}")
    history = cloudwatch.describe_alarm_history(AlarmName=alarm)["AlarmHistoryItems"]
    changes = [item for item in history if item["HistoryItemType"] == "StateUpdate"]
    assert len(changes) == 2
    assert {item["AlarmName"] for item in changes} == {alarm}
    states = [json.loads(item["HistoryData"])["newState"]["stateValue"] for item in changes]
    assert states == ["OK", "ALARM"]  # the newest first


def test_actions_are_switched(cloudwatch: Any, alarm: str) -> None:
    cloudwatch.disable_alarm_actions(AlarmNames=[alarm])
    assert _shown(cloudwatch, alarm)["ActionsEnabled"] is False
    cloudwatch.enable_alarm_actions(AlarmNames=[alarm])
    assert _shown(cloudwatch, alarm)["ActionsEnabled"] is True


def test_a_deleted_alarm_is_gone(cloudwatch: Any, alarm: str) -> None:
    cloudwatch.delete_alarms(AlarmNames=[alarm])
    assert cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"] == []


def test_an_alarm_that_is_not_there(cloudwatch: Any) -> None:
    with refused("ResourceNotFound", "ResourceNotFoundException"):
        cloudwatch.set_alarm_state(AlarmName="none-such", StateValue="OK", StateReason="x")


@lacks(moto="ignores the size of a page")
def test_alarms_come_in_pages(cloudwatch: Any, cloud: Cloud, space: str) -> None:
    prefix = cloud.name("paged")
    for number in range(5):
        cloudwatch.put_metric_alarm(**_alarm(f"{prefix}-{number}", space))
    pages = list(
        cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=prefix, PaginationConfig={"PageSize": 2}
        )
    )
    assert all(len(page["MetricAlarms"]) <= 2 for page in pages)
    names = [item["AlarmName"] for page in pages for item in page["MetricAlarms"]]
    assert sorted(names) == [f"{prefix}-{number}" for number in range(5)]


@lacks(moto="evaluates no alarms")
def test_an_alarm_goes_off(cloudwatch: Any, cloud: Cloud, space: str) -> None:
    name = cloud.name("alarm")
    cloudwatch.put_metric_alarm(**_alarm(name, space, EvaluationPeriods=3))

    def alarmed() -> bool:
        data = [
            {"MetricName": "Load", "Timestamp": cloud.time(back), "Value": 99.0}
            for back in (0, 60, 120)
        ]
        cloudwatch.put_metric_data(Namespace=space, MetricData=data)
        return bool(_shown(cloudwatch, name)["StateValue"] == "ALARM")

    cloud.until(alarmed, "the alarm goes off")
    assert "80" in _shown(cloudwatch, name)["StateReason"]


def test_tags_of_an_alarm(cloudwatch: Any, cloud: Cloud, space: str) -> None:
    name = cloud.name("tagged")
    cloudwatch.put_metric_alarm(**_alarm(name, space, Tags=[{"Key": "team", "Value": "web"}]))
    arn = _shown(cloudwatch, name)["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "test"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [
        {"Key": "stage", "Value": "test"}
    ]


# --- composite alarms ---


@lacks(moto="fails with a 500")
def test_a_composite_alarm(cloudwatch: Any, cloud: Cloud, alarm: str) -> None:
    name = cloud.name("composite")
    rule = f'ALARM("{alarm}") AND NOT OK("{alarm}")'
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=rule, AlarmDescription="both")
    asked = {"AlarmNames": [name], "AlarmTypes": ["CompositeAlarm"]}
    answer = cloudwatch.describe_alarms(**asked)
    assert answer["MetricAlarms"] == []
    (found,) = answer["CompositeAlarms"]
    assert (found["AlarmName"], found["AlarmRule"]) == (name, rule)
    assert found["AlarmArn"].endswith(f":alarm:{name}")
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(**asked)["CompositeAlarms"] == []


@lacks(moto="fails with a 500")
def test_a_composite_alarm_follows_its_rule(cloudwatch: Any, cloud: Cloud, alarm: str) -> None:
    name = cloud.name("composite")
    cloudwatch.put_composite_alarm(AlarmName=name, AlarmRule=f"ALARM({alarm})")

    def state() -> str:
        answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        return str(answer["CompositeAlarms"][0]["StateValue"])

    for value in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=value, StateReason="x")
        cloud.until(lambda value=value: state() == value, f"it is {value}")
