"""Log groups, streams and events, as the sandbox and its judges have them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.aws.conftest import Cloud, lacks, refused


@pytest.fixture
def group(logs: Any, cloud: Cloud) -> str:
    name = cloud.name("/ddc/app")
    logs.create_log_group(logGroupName=name)
    return name


@pytest.fixture
def stream(logs: Any, group: str) -> str:
    logs.create_log_stream(logGroupName=group, logStreamName="a")
    return "a"


def _put(logs: Any, cloud: Cloud, group: str, stream: str, *lines: str, back: float = 600) -> int:
    """Write lines a second apart; returns the time of the first, in ms."""
    first = int((cloud.now - back) * 1000)
    events = [{"timestamp": first + n * 1000, "message": line} for n, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    return first


# --- groups and streams ---


def test_a_new_group(logs: Any, cloud: Cloud) -> None:
    name = cloud.name("/ddc/new")
    logs.create_log_group(logGroupName=name)
    (found,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert found["logGroupName"] == name
    assert f":log-group:{name}" in found["arn"]
    assert found["creationTime"] > 0
    assert "retentionInDays" not in found
    with refused("ResourceAlreadyExistsException"):
        logs.create_log_group(logGroupName=name)


def test_retention_is_set_and_taken_away(logs: Any, group: str) -> None:
    def days() -> Any:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        return found.get("retentionInDays")

    logs.put_retention_policy(logGroupName=group, retentionInDays=14)
    assert days() == 14
    logs.delete_retention_policy(logGroupName=group)
    assert days() is None


@lacks(moto="takes any")
def test_only_some_retentions_exist(logs: Any, group: str) -> None:
    with refused("InvalidParameterException"):
        logs.put_retention_policy(logGroupName=group, retentionInDays=15)


def test_a_deleted_group_is_gone(logs: Any, group: str) -> None:
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
    with refused("ResourceNotFoundException"):
        logs.delete_log_group(logGroupName=group)


def test_what_is_not_there(logs: Any, group: str) -> None:
    for call in (
        lambda: logs.describe_log_streams(logGroupName="none-such"),
        lambda: logs.filter_log_events(logGroupName="none-such"),
        lambda: logs.get_log_events(logGroupName="none-such", logStreamName="a"),
        lambda: logs.get_log_events(logGroupName=group, logStreamName="none"),
        lambda: logs.create_log_stream(logGroupName="none-such", logStreamName="a"),
    ):
        with refused("ResourceNotFoundException"):
            call()


def test_groups_come_in_pages(logs: Any, cloud: Cloud) -> None:
    prefix = cloud.name("/ddc/paged")
    for number in range(5):
        logs.create_log_group(logGroupName=f"{prefix}/{number}")
    pages = list(
        logs.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=prefix, PaginationConfig={"PageSize": 2}
        )
    )
    assert all(len(page["logGroups"]) <= 2 for page in pages)
    names = [item["logGroupName"] for page in pages for item in page["logGroups"]]
    assert names == [f"{prefix}/{number}" for number in range(5)]


@lacks(moto="ignores the pattern's case", ministack="ignores the pattern")
def test_groups_are_found_by_a_part_of_their_name(logs: Any, cloud: Cloud) -> None:
    name = cloud.name("/ddc/Needle")
    logs.create_log_group(logGroupName=name)
    found = logs.describe_log_groups(logGroupNamePattern="Needle")["logGroups"]
    assert name in {item["logGroupName"] for item in found}
    assert logs.describe_log_groups(logGroupNamePattern="needle")["logGroups"] == []


def test_streams_are_listed_and_ordered(logs: Any, cloud: Cloud, group: str) -> None:
    for name in ("b", "a", "c"):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    with refused("ResourceAlreadyExistsException"):
        logs.create_log_stream(logGroupName=group, logStreamName="a")
    _put(logs, cloud, group, "a", "old", back=500)
    _put(logs, cloud, group, "b", "new", back=100)

    def names(**more: Any) -> list[str]:
        answer = logs.describe_log_streams(logGroupName=group, **more)
        return [item["logStreamName"] for item in answer["logStreams"]]

    assert names() == ["a", "b", "c"]
    assert names(logStreamNamePrefix="b") == ["b"]
    newest = names(orderBy="LastEventTime", descending=True)
    assert newest[:2] == ["b", "a"]


def test_a_stream_knows_its_first_and_last_event(
    logs: Any, cloud: Cloud, group: str, stream: str
) -> None:
    first = _put(logs, cloud, group, stream, "one", "two", "three")
    (found,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert found["firstEventTimestamp"] == first
    assert found["lastEventTimestamp"] == first + 2000


def test_a_deleted_stream_is_gone(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    _put(logs, cloud, group, stream, "one")
    logs.delete_log_stream(logGroupName=group, logStreamName=stream)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    with refused("ResourceNotFoundException"):
        logs.delete_log_stream(logGroupName=group, logStreamName=stream)


def test_tags_of_a_group(logs: Any, cloud: Cloud) -> None:
    name = cloud.name("/ddc/tagged")
    logs.create_log_group(logGroupName=name, tags={"team": "web"})
    (found,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    arn = found["arn"].removesuffix(":*")
    logs.tag_resource(resourceArn=arn, tags={"stage": "test"})
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "test"}


# --- events ---


def _get(logs: Any, group: str, stream: str, **more: Any) -> list[str]:
    answer = logs.get_log_events(logGroupName=group, logStreamName=stream, **more)
    return [event["message"] for event in answer["events"]]


def test_what_is_put_is_read(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    first = _put(logs, cloud, group, stream, "one", "two", "three")
    answer = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    assert [event["message"] for event in answer["events"]] == ["one", "two", "three"]
    assert [event["timestamp"] for event in answer["events"]] == [first, first + 1000, first + 2000]
    assert all(event["ingestionTime"] >= first for event in answer["events"])


def test_the_newest_are_read_unless_asked_otherwise(
    logs: Any, cloud: Cloud, group: str, stream: str
) -> None:
    _put(logs, cloud, group, stream, "one", "two", "three")
    assert _get(logs, group, stream, limit=2) == ["two", "three"]
    assert _get(logs, group, stream, limit=2, startFromHead=True) == ["one", "two"]


@lacks(moto="includes the end")
def test_a_span_can_be_read(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    first = _put(logs, cloud, group, stream, "one", "two", "three")
    span = {"startTime": first + 1000, "endTime": first + 2000, "startFromHead": True}
    assert _get(logs, group, stream, **span) == ["two"]  # the end is not in it


def test_tokens_lead_forward_and_end(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    _put(logs, cloud, group, stream, *(str(number) for number in range(5)))
    asked: dict[str, Any] = {"logGroupName": group, "logStreamName": stream, "limit": 2}
    answer = logs.get_log_events(**asked, startFromHead=True)
    seen: list[str] = []
    for _ in range(10):
        seen += [event["message"] for event in answer["events"]]
        token = answer["nextForwardToken"]
        answer = logs.get_log_events(**asked, nextToken=token, startFromHead=True)
        if answer["nextForwardToken"] == token:
            break
    else:
        pytest.fail("the token never stays the same")
    assert seen == ["0", "1", "2", "3", "4"]


def test_what_is_written_later_is_read_on(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    asked = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    _put(logs, cloud, group, stream, "one", back=600)
    token = logs.get_log_events(**asked)["nextForwardToken"]
    _put(logs, cloud, group, stream, "two", back=300)
    answer = logs.get_log_events(**asked, nextToken=token)
    assert [event["message"] for event in answer["events"]] == ["two"]


def _filtered(logs: Any, group: str, pattern: str = "", **more: Any) -> list[str]:
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern=pattern, **more
    )
    return [event["message"] for page in pages for event in page["events"]]


LINES = ("GET /a 200", "POST /b 500 ERROR", "GET /b 404 WARN", "done")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", LINES),
        ("ERROR", LINES[1:2]),
        ("GET WARN", LINES[2:3]),
        ('"/b 404"', LINES[2:3]),
        ("none", ()),
    ],
    ids=["all", "word", "two", "phrase", "none"],
)
def test_patterns(
    logs: Any, cloud: Cloud, group: str, stream: str, pattern: str, found: tuple[str, ...]
) -> None:
    _put(logs, cloud, group, stream, *LINES)
    assert _filtered(logs, group, pattern) == list(found)


@lacks(moto="answers none")
def test_patterns_of_what_must_not_be(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    _put(logs, cloud, group, stream, *LINES)
    assert _filtered(logs, group, "GET -WARN") == list(LINES[:1])


@lacks(moto="answers all events", ministack="answers none")
def test_patterns_of_alternatives(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    _put(logs, cloud, group, stream, *LINES)
    assert _filtered(logs, group, "?ERROR ?WARN") == list(LINES[1:3])


@lacks(moto="answers all events", ministack="answers all events")
def test_patterns_of_json(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    lines = ('{"level": "error", "ms": 12}', '{"level": "info", "ms": 900}', "not JSON")
    _put(logs, cloud, group, stream, *lines)
    assert _filtered(logs, group, '{ $.level = "error" }') == [lines[0]]
    assert _filtered(logs, group, "{ $.ms > 100 }") == [lines[1]]


@lacks(moto="ignores the prefix", ministack="ignores the prefix")
def test_streams_are_searched_together(logs: Any, cloud: Cloud, group: str) -> None:
    for number, name in enumerate(("x/1", "x/2", "y/1")):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        _put(logs, cloud, group, name, f"line {number}", back=600 - number)
    assert _filtered(logs, group) == ["line 0", "line 1", "line 2"]
    assert _filtered(logs, group, logStreamNames=["x/2", "y/1"]) == ["line 1", "line 2"]
    assert _filtered(logs, group, logStreamNamePrefix="x/") == ["line 0", "line 1"]


def test_a_span_is_searched(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    first = _put(logs, cloud, group, stream, "one", "two", "three")
    span = {"startTime": first + 1000, "endTime": first + 2000}
    assert _filtered(logs, group, **span) == ["two", "three"]  # here the end is in it


def test_events_that_are_found_say_where(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    _put(logs, cloud, group, stream, "one")
    (event,) = logs.filter_log_events(logGroupName=group)["events"]
    assert event["logStreamName"] == stream
    assert event["eventId"]
    assert event["ingestionTime"] >= event["timestamp"]


@lacks(moto="keeps what it refuses", ministack="refuses none")
def test_events_too_old_or_too_new_are_refused(
    logs: Any, cloud: Cloud, group: str, stream: str
) -> None:
    now = int(cloud.now * 1000)
    hour, day = 3_600_000, 86_400_000
    events = [
        {"timestamp": now - 15 * day, "message": "old"},
        {"timestamp": now, "message": "good"},
        {"timestamp": now + 3 * hour, "message": "new"},
    ]
    told = logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    refused_events = told["rejectedLogEventsInfo"]
    assert refused_events["tooNewLogEventStartIndex"] == 2
    assert refused_events["tooOldLogEventEndIndex"] == 1
    assert _get(logs, group, stream, startFromHead=True) == ["good"]


def test_a_search_counts(logs: Any, cloud: Cloud, group: str, stream: str) -> None:
    first = _put(logs, cloud, group, stream, *LINES)
    query = logs.start_query(
        logGroupName=group,
        startTime=first // 1000 - 60,
        endTime=first // 1000 + 60,
        queryString="fields @timestamp, @message | sort @timestamp asc | limit 2",
    )["queryId"]

    def done() -> Any:
        answer = logs.get_query_results(queryId=query)
        return answer if answer["status"] == "Complete" else None

    answer = cloud.until(done, "the query is complete")
    messages = [
        item["value"] for row in answer["results"] for item in row if item["field"] == "@message"
    ]
    assert messages == list(LINES[:2])
