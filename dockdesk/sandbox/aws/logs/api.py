"""CloudWatch Logs' API. Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from dockdesk.sandbox.aws.logs import insights
from dockdesk.sandbox.aws.logs.patterns import pattern
from dockdesk.sandbox.aws.logs.store import Group, LogEvent, LogStore, Stream, retained
from dockdesk.sandbox.aws.values import Api, AwsError, BadInputError, Params, listing, page, uuid_of
from dockdesk.sandbox.aws.wire import event as frame

_MOST = 10_000
_SLICE_MS = 120_000
_SCANNED = 4_000
_TAIL_SECONDS = 1.0
_TAIL_MOST = 500
_TAIL_LENGTH = 3 * 3600.0
_PUT_KEPT = 50_000
_OLDEST_MS, _NEWEST_MS = 14 * 86_400_000, 2 * 3_600_000
# fmt: off
_RETENTIONS = {
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}
# fmt: on


class EventStream:
    """The answer of an operation that goes on."""

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        self.frames = frames


class LogsApi(Api):
    invalid = "InvalidParameterException"

    def __init__(self, store: LogStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._queries: dict[str, dict[str, Any]] = {}
        self.operations = {
            "DescribeLogGroups": self._describe_groups,
            "DescribeLogStreams": self._describe_streams,
            "CreateLogGroup": self._create_group,
            "DeleteLogGroup": self._delete_group,
            "CreateLogStream": self._create_stream,
            "DeleteLogStream": self._delete_stream,
            "PutRetentionPolicy": self._put_retention,
            "DeleteRetentionPolicy": self._delete_retention,
            "PutLogEvents": self._put_events,
            "GetLogEvents": self._get_events,
            "FilterLogEvents": self._filter_events,
            "StartLiveTail": self._live_tail,
            "StartQuery": self._start_query,
            "GetQueryResults": self._get_results,
            "StopQuery": self._stop_query,
            "DescribeQueries": self._describe_queries,
            "ListTagsForResource": lambda params: {
                "tags": self._store.group(params.need("resourceArn")).tags
            },
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    # --- groups and streams ---

    def _group(self, params: Params) -> Group:
        return self._store.group(params.text("logGroupIdentifier") or params.need("logGroupName"))

    def _describe_groups(self, params: Params) -> Mapping[str, Any]:
        prefix, part = params.text("logGroupNamePrefix"), params.text("logGroupNamePattern")
        if prefix and part:
            raise BadInputError(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."
            )
        found = [
            _group(group)
            for name, group in self._store.groups().items()
            if name.startswith(prefix) and part in name
        ]
        shown, token = page(found, Params({"limit": 50, **params.values}), 50, "limit", "nextToken")
        return listing("logGroups", shown, token)

    def _describe_streams(self, params: Params) -> Mapping[str, Any]:
        group, now = self._group(params), self._now()
        prefix, order = params.text("logStreamNamePrefix"), params.text("orderBy", "LogStreamName")
        if prefix and order == "LastEventTime":
            raise BadInputError("Cannot order by LastEventTime with a logStreamNamePrefix.")
        streams = [
            item for name, item in self._store.streams(group).items() if name.startswith(prefix)
        ]
        if order == "LastEventTime":
            streams.sort(key=lambda item: (item.bounds(now) or (0, 0))[1])
        else:
            streams.sort(key=lambda item: item.name)
        if params.flag("descending"):
            streams.reverse()
        shown, token = page(
            streams, Params({"limit": 50, **params.values}), 50, "limit", "nextToken"
        )
        return listing("logStreams", [_stream(group, item, now) for item in shown], token)

    def _create_group(self, params: Params) -> Mapping[str, Any]:
        name = params.need("logGroupName")
        if name in self._store.groups():
            raise AwsError(
                "ResourceAlreadyExistsException", "The specified log group already exists"
            )
        self._store.create(name, self._now()).tags = {
            str(k): str(v) for k, v in params.inner("tags").values.items()
        }
        return {}

    def _delete_group(self, params: Params) -> Mapping[str, Any]:
        self._store.delete(self._group(params))
        return {}

    def _create_stream(self, params: Params) -> Mapping[str, Any]:
        group, name = self._group(params), params.need("logStreamName")
        if name in self._store.streams(group):
            raise AwsError(
                "ResourceAlreadyExistsException", "The specified log stream already exists"
            )
        group.streams[name] = Stream(name, self._now())
        group.deleted.discard(name)
        return {}

    def _delete_stream(self, params: Params) -> Mapping[str, Any]:
        group, name = self._group(params), params.need("logStreamName")
        self._store.stream(group, name)
        group.streams.pop(name, None)
        group.deleted.add(name)
        return {}

    def _tag(self, params: Params) -> Mapping[str, Any]:
        tags = self._store.group(params.need("resourceArn")).tags
        tags |= {str(key): str(value) for key, value in params.inner("tags").values.items()}
        return {}

    def _untag(self, params: Params) -> Mapping[str, Any]:
        tags = self._store.group(params.need("resourceArn")).tags
        for key in params.texts("tagKeys"):
            tags.pop(key, None)
        return {}

    def _put_retention(self, params: Params) -> Mapping[str, Any]:
        group, days = self._group(params), params.whole("retentionInDays")
        if days not in _RETENTIONS:
            raise BadInputError(f"{days} is not one of {sorted(_RETENTIONS)}.")
        group.retention = days
        return {}

    def _delete_retention(self, params: Params) -> Mapping[str, Any]:
        self._group(params).retention = 0
        return {}

    def _put_events(self, params: Params) -> Mapping[str, Any]:
        group, name = self._group(params), params.need("logStreamName")
        stream = group.streams.get(name)
        if stream is None:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        now = int(self._now() * 1000)
        events = [
            LogEvent(item.whole("timestamp", low=0), now, name, item.need("message"))
            for item in params.inners("logEvents")
        ]
        times = [event.time for event in events]
        if times != sorted(times):
            raise BadInputError("Log events in a single PutLogEvents request must be in order.")
        good = [event for event in events if -_OLDEST_MS <= event.time - now <= _NEWEST_MS]
        stream.put += good
        stream.put.sort(key=lambda event: event.time)
        del stream.put[:-_PUT_KEPT]
        answer: dict[str, Any] = {"nextSequenceToken": uuid_of(name, len(stream.put))}
        old = sum(time < now - _OLDEST_MS for time in times)
        new = sum(time > now + _NEWEST_MS for time in times)
        if old or new:
            answer["rejectedLogEventsInfo"] = {
                **({"tooOldLogEventEndIndex": old} if old else {}),
                **({"tooNewLogEventStartIndex": len(times) - new} if new else {}),
            }
        return answer

    # --- reading ---

    def _get_events(self, params: Params) -> Mapping[str, Any]:
        group, now = self._group(params), self._now()
        stream = self._store.stream(group, params.need("logStreamName"))
        first, last = stream.bounds(now) or (0, 0)
        since = max(params.whole("startTime", first, 0), first, retained(group, now))
        until = min(params.whole("endTime", last + 1, 0), last + 1)
        most = params.whole("limit", _MOST, 1, _MOST)
        token, forward = params.text("nextToken"), params.flag("startFromHead")
        if token:
            direction, _, position = token.partition("/")
            number, _, skip = position.partition(".")
            if direction not in {"f", "b"} or not number.isdigit() or not skip.isdigit():
                raise BadInputError("The specified nextToken is invalid.")
            forward = direction == "f"
            if forward:
                since = max(since, int(number))
                events = stream.between(since, until, now)
                chosen = list(itertools.islice(_skip(events, int(number), int(skip)), most))
            else:
                until = min(until, int(number))
        if forward and not token:
            chosen = list(itertools.islice(stream.between(since, until, now), most))
        elif not forward:
            chosen = _newest(stream, since, until, most, now)
        begin = chosen[0].time if chosen else (int(token[2:].partition(".")[0]) if token else since)
        if chosen:
            end = chosen[-1].time
            seen = sum(event.time == end for event in chosen)
            ahead = f"f/{end}.{seen}"
        else:
            ahead = token if token.startswith("f/") else f"f/{until}.0"
        return {
            "events": [
                {"timestamp": e.time, "message": e.message, "ingestionTime": e.ingested}
                for e in chosen
            ],
            "nextForwardToken": ahead,
            "nextBackwardToken": f"b/{begin}.0",
        }

    def _chosen_streams(self, group: Group, params: Params) -> list[Stream]:
        names, prefix = set(params.texts("logStreamNames")), params.text("logStreamNamePrefix")
        streams = self._store.streams(group)
        for name in names - set(streams):
            raise AwsError(
                "ResourceNotFoundException", f"The specified log stream does not exist: {name}"
            )
        return [
            item
            for name, item in streams.items()
            if (not names or name in names) and name.startswith(prefix)
        ]

    async def _filter_events(self, params: Params) -> Mapping[str, Any]:
        group, now = self._group(params), self._now()
        matches = pattern(params.text("filterPattern"))
        streams = self._chosen_streams(group, params)
        most = params.whole("limit", _MOST, 1, _MOST)
        bounds = [found for found in (item.bounds(now) for item in streams) if found]
        since = max(
            params.whole("startTime", 0, 0),
            min((low for low, _ in bounds), default=0),
            retained(group, now),
        )
        until = min(params.whole("endTime", 2**52, 0), max((high for _, high in bounds), default=0))
        until += 1  # the end belongs to what is searched
        token, skip = params.text("nextToken"), 0
        if token:
            number, _, rest = token.partition(".")
            if not number.isdigit() or not rest.isdigit():
                raise BadInputError("The specified nextToken is invalid.")
            since, skip = int(number), int(rest)
        found, position = await self._scan(streams, since, skip, until, most, matches, now)
        answer: dict[str, Any] = {
            "events": [
                {
                    "logStreamName": event.stream,
                    "timestamp": event.time,
                    "message": event.message,
                    "ingestionTime": event.ingested,
                    "eventId": event.id,
                }
                for event in found
            ],
            "searchedLogStreams": [],
        }
        if position:
            answer["nextToken"] = position
        return answer

    @staticmethod
    async def _scan(
        streams: list[Stream],
        since: int,
        skip: int,
        until: int,
        most: int,
        matches: Callable[[str], bool],
        now: float,
    ) -> tuple[list[LogEvent], str]:
        """Events that match, oldest first, and where to go on: a page ends after so many read, as AWS's do."""
        found: list[LogEvent] = []
        read = 0
        while since < until:
            end = min(since + _SLICE_MS, until)
            merged = heapq.merge(
                *(item.between(since, end, now) for item in streams), key=lambda event: event.time
            )
            at, same = since, 0
            for event in _skip(merged, since, skip):
                same = same + 1 if event.time == at else 1
                at = event.time
                if matches(event.message):
                    found.append(event)
                    if len(found) == most:
                        return found, f"{at}.{same + (skip if at == since else 0)}"
                read += 1
            skip, since = 0, end
            if read > _SCANNED and since < until:
                return found, f"{since}.0"
            await asyncio.sleep(0)
        return found, ""

    # --- live tail ---

    def _live_tail(self, params: Params) -> EventStream:
        groups = [self._store.group(name) for name in params.texts("logGroupIdentifiers")]
        if not groups:
            raise BadInputError("logGroupIdentifiers must not be empty.")
        names, prefixes = params.texts("logStreamNames"), params.texts("logStreamNamePrefixes")
        return EventStream(
            self._tail(groups, names, prefixes, params.text("logEventFilterPattern"))
        )

    async def _tail(
        self, groups: list[Group], names: list[str], prefixes: list[str], text: str
    ) -> AsyncIterator[bytes]:
        matches = pattern(text)
        begin = position = self._now()
        yield frame("initial-response", b"{}")
        session = uuid_of("tail", begin, text, *(group.name for group in groups))
        start = {
            "requestId": session,
            "sessionId": session,
            "logGroupIdentifiers": [group.arn for group in groups],
            "logStreamNames": names,
            "logStreamNamePrefixes": prefixes,
            "logEventFilterPattern": text,
        }
        yield frame("sessionStart", json.dumps(start).encode())
        while self._now() - begin < _TAIL_LENGTH:
            await asyncio.sleep(_TAIL_SECONDS)
            now = self._now()
            lines = [
                (group, event)
                for group in groups
                for stream in self._store.streams(group).values()
                if (not names or stream.name in names)
                and (not prefixes or stream.name.startswith(tuple(prefixes)))
                for event in stream.between(int(position * 1000), int(now * 1000), now)
                if matches(event.message)
            ]
            position = now
            lines.sort(key=lambda line: line[1].time)
            update = {
                "sessionMetadata": {"sampled": len(lines) > _TAIL_MOST},
                "sessionResults": [
                    {
                        "logStreamName": event.stream,
                        "logGroupIdentifier": group.arn.partition(":logs:")[2].split(":")[1]
                        + ":"
                        + group.name,
                        "message": event.message,
                        "timestamp": event.time,
                        "ingestionTime": event.ingested,
                    }
                    for group, event in lines[-_TAIL_MOST:]
                ],
            }
            yield frame("sessionUpdate", json.dumps(update).encode())

    # --- Insights ---

    async def _start_query(self, params: Params) -> Mapping[str, Any]:
        names = [
            *params.texts("logGroupNames"),
            *params.texts("logGroupIdentifiers"),
            *([params.text("logGroupName")] if "logGroupName" in params else []),
        ]
        if not names:
            raise BadInputError("At least one log group is needed.")
        groups = [self._store.group(name) for name in names]
        text = params.need("queryString")
        made = insights.plan(text, params.whole("limit", 1000, 1, 10_000))
        since, until = params.whole("startTime", low=0), params.whole("endTime", low=0)
        since, until = (value * (1 if value > 1e11 else 1000) for value in (since, until))
        if since > until:
            raise BadInputError("Query's end date and time must be after its start.")
        now = self._now()
        events: list[LogEvent] = []
        for group in groups:
            streams = list(self._store.streams(group).values())
            bounds = [found for found in (item.bounds(now) for item in streams) if found]
            first = max(since, min((low for low, _ in bounds), default=0), retained(group, now))
            while first < until and len(events) < 50_000:
                found, position = await self._scan(
                    streams, first, 0, min(until, int(now * 1000)), _MOST, lambda _: True, now
                )
                events += found
                if not position:
                    break
                first = int(position.partition(".")[0]) + (1 if len(found) == _MOST else 0)
        rows, matched = insights.run(made, events)
        key = uuid_of("query", now, text, len(self._queries))
        self._queries[key] = {
            "text": text,
            "time": now,
            "group": groups[0].name,
            "status": "Complete",
            "results": [[{"field": name, "value": value} for name, value in row] for row in rows],
            "statistics": {
                "recordsMatched": float(matched),
                "recordsScanned": float(len(events)),
                "bytesScanned": float(sum(len(event.message) for event in events)),
            },
        }
        while len(self._queries) > 50:
            del self._queries[next(iter(self._queries))]
        return {"queryId": key}

    def _query(self, params: Params) -> dict[str, Any]:
        found = self._queries.get(params.need("queryId"))
        if found is None:
            raise AwsError("ResourceNotFoundException", "Query does not exist.")
        return found

    def _get_results(self, params: Params) -> Mapping[str, Any]:
        found = self._query(params)
        return {name: found[name] for name in ("results", "statistics", "status")}

    def _stop_query(self, params: Params) -> Mapping[str, Any]:
        found = self._query(params)
        stopped = found["status"] == "Running"
        if stopped:
            found["status"] = "Cancelled"
        return {"success": stopped}

    def _describe_queries(self, params: Params) -> Mapping[str, Any]:
        name, status = params.text("logGroupName"), params.text("status")
        found = [
            {
                "queryId": key,
                "queryString": item["text"],
                "status": item["status"],
                "createTime": int(item["time"] * 1000),
                "logGroupName": item["group"],
            }
            for key, item in self._queries.items()
            if name in {"", item["group"]} and status in {"", item["status"]}
        ]
        return {"queries": found}


def _skip(events: Any, time: int, count: int) -> Any:
    """Without the first ``count`` events of exactly that time."""
    for event in events:
        if count and event.time == time:
            count -= 1
            continue
        yield event


def _newest(stream: Stream, since: int, until: int, most: int, now: float) -> list[LogEvent]:
    """The last events before ``until``, oldest first, read backwards in growing slices."""
    chosen: list[LogEvent] = []
    width = _SLICE_MS
    while until > since and len(chosen) < most:
        begin = max(since, until - width)
        chosen = [*stream.between(begin, until, now), *chosen]
        until, width = begin, width * 2
    return chosen[-most:]


def _group(group: Group) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "logGroupName": group.name,
        "creationTime": int(group.created * 1000),
        "metricFilterCount": 0,
        "arn": f"{group.arn}:*",
        "logGroupArn": group.arn,
        "storedBytes": 1_000_000 + len(group.name) * 91_003,
        "logGroupClass": "STANDARD",
    }
    if group.retention:
        shown["retentionInDays"] = group.retention
    return shown


def _stream(group: Group, stream: Stream, now: float) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": int(stream.created * 1000),
        "arn": f"{group.arn}:log-stream:{stream.name}",
        "storedBytes": 0,
        "uploadSequenceToken": uuid_of(stream.name),
    }
    bounds = stream.bounds(now)
    if bounds is not None:
        shown |= {
            "firstEventTimestamp": bounds[0],
            "lastEventTimestamp": bounds[1],
            "lastIngestionTime": bounds[1] + 900,
        }
    return shown
