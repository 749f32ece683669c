"""CloudWatch Logs: what tasks write can be listed, paged, filtered, followed and queried."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import World

GROUP = "/ecs/shop-prod/api"


@pytest.fixture
def logs(world: World) -> Any:
    return world.client("logs")


def test_every_task_has_its_stream(ecs: Any, logs: Any) -> None:
    names = {
        item["logGroupName"]
        for item in logs.describe_log_groups(logGroupNamePrefix="/ecs/shop-prod")["logGroups"]
    }
    assert GROUP in names
    streams = logs.describe_log_streams(
        logGroupName=GROUP, orderBy="LastEventTime", descending=True
    )["logStreams"]
    tasks = ecs.list_tasks(cluster="shop-prod", serviceName="api")["taskArns"]
    assert {item["logStreamName"] for item in streams} == {
        f"ecs/api/{arn.rpartition('/')[2]}" for arn in tasks
    }


def test_a_stream_reads_the_same_forwards_and_backwards(world: World, logs: Any) -> None:
    stream = logs.describe_log_streams(logGroupName=GROUP)["logStreams"][0]["logStreamName"]
    call = {
        "logGroupName": GROUP,
        "logStreamName": stream,
        "startTime": int(world.now - 900) * 1000,
        "limit": 100,
    }
    forward: list[tuple[int, str]] = []
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(**call, startFromHead=True, **token)
        forward += [(item["timestamp"], item["message"]) for item in page["events"]]
        if page["nextForwardToken"] == token.get("nextToken"):
            break
        token = {"nextToken": page["nextForwardToken"]}
    backward: list[tuple[int, str]] = []
    token = {}
    while True:
        page = logs.get_log_events(**call, **token)
        backward = [(item["timestamp"], item["message"]) for item in page["events"]] + backward
        if page["nextBackwardToken"] == token.get("nextToken"):
            break
        token = {"nextToken": page["nextBackwardToken"]}
    assert len(forward) > 300
    assert forward == sorted(forward, key=lambda item: item[0])
    assert forward == backward


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("ERROR", lambda line: "ERROR" in line),
        ("?ERROR ?WARN", lambda line: "ERROR" in line or "WARN" in line),
        ("orders -INFO", lambda line: "orders" in line and "INFO" not in line),
        ('"upstream timed out"', lambda line: "upstream timed out" in line),
    ],
)
def test_filters_find_all_and_nothing_else(world: World, logs: Any, text: str, fits: Any) -> None:
    call = {"logGroupName": GROUP, "startTime": int(world.now - 400) * 1000}
    pages = logs.get_paginator("filter_log_events")
    every = [item["message"] for page in pages.paginate(**call) for item in page["events"]]
    found = [
        item["message"]
        for page in pages.paginate(**call, filterPattern=text)
        for item in page["events"]
    ]
    assert found
    assert found == [line for line in every if fits(line)]
    limited = [
        item["message"]
        for page in pages.paginate(**call, filterPattern=text, limit=3)
        for item in page["events"]
    ]
    assert limited == found


def test_json_filters(world: World, logs: Any) -> None:
    found = logs.filter_log_events(
        logGroupName="/ecs/shop-prod/mailer",
        startTime=int(world.now - 7200) * 1000,
        filterPattern='{ $.level = "error" && $.took_ms > 100 }',
    )["events"]
    assert found
    assert all('"level": "error"' in item["message"] for item in found)


def test_what_is_put_can_be_read(world: World, logs: Any) -> None:
    logs.create_log_group(logGroupName="mine", tags={"a": "b"})
    logs.create_log_stream(logGroupName="mine", logStreamName="one")
    now = int(world.now * 1000)
    logs.put_log_events(
        logGroupName="mine",
        logStreamName="one",
        logEvents=[{"timestamp": now + number, "message": f"line {number}"} for number in range(5)],
    )
    page = logs.get_log_events(logGroupName="mine", logStreamName="one", startFromHead=True)
    assert [item["message"] for item in page["events"]] == [f"line {number}" for number in range(5)]
    logs.put_retention_policy(logGroupName="mine", retentionInDays=7)
    assert (
        logs.describe_log_groups(logGroupNamePrefix="mine")["logGroups"][0]["retentionInDays"] == 7
    )
    logs.delete_log_group(logGroupName="mine")
    with pytest.raises(ClientError) as caught:
        logs.describe_log_streams(logGroupName="mine")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_live_tail_follows(world: World, logs: Any) -> None:
    (group,) = [
        item["logGroupArn"]
        for item in logs.describe_log_groups()["logGroups"]
        if item["logGroupName"] == GROUP
    ]
    stream = logs.start_live_tail(logGroupIdentifiers=[group], logEventFilterPattern="GET")[
        "responseStream"
    ]
    lines: list[str] = []
    try:
        for event in stream:
            if "sessionStart" in event:
                assert event["sessionStart"]["logGroupIdentifiers"] == [group]
                world.live(20)
                continue
            lines += [item["message"] for item in event["sessionUpdate"]["sessionResults"]]
            if lines:
                break
    finally:
        stream.close()
    assert all("GET" in line for line in lines)


def test_a_client_that_goes_away_leaves_nothing(world: World, logs: Any) -> None:
    group = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"][0]["logGroupArn"]
    stream = logs.start_live_tail(logGroupIdentifiers=[group])["responseStream"]
    next(iter(stream))
    stream.close()

    async def connections() -> int:
        return len(world.aws.server._connections)

    end = time.monotonic() + 30
    while world.run(connections()) > 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert world.run(connections()) <= 2


def test_insights(world: World, logs: Any) -> None:
    def ask(text: str) -> list[dict[str, str]]:
        started = logs.start_query(
            logGroupName=GROUP,
            queryString=text,
            startTime=int(world.now - 1800),
            endTime=int(world.now),
        )
        answer = logs.get_query_results(queryId=started["queryId"])
        assert answer["status"] == "Complete"
        return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]

    rows = ask(
        "fields @timestamp, @message | filter @message like /ERROR|WARN/ | sort @timestamp desc | limit 20"
    )
    assert 0 < len(rows) <= 20
    assert all("ERROR" in row["@message"] or "WARN" in row["@message"] for row in rows)
    assert [row["@timestamp"] for row in rows] == sorted(
        (row["@timestamp"] for row in rows), reverse=True
    )
    bins = ask("stats count(*) as n by bin(10m)")
    assert 3 <= len(bins) <= 4
    assert all(int(row["n"]) > 100 for row in bins)
    with pytest.raises(ClientError) as caught:
        ask("explode everything")
    assert caught.value.response["Error"]["Code"] == "MalformedQueryException"
