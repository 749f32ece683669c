"""Log groups, streams and events. What tasks write is a pure function of task and time, made when it is read."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import field
from typing import NamedTuple

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.ecs.model import EcsState, Task
from dockdesk.sandbox.aws.values import AwsError, arn, uuid_of
from dockdesk.sandbox.engine.loglines import first_lines, lines_between

_DAY_MS = 86_400_000


class LogEvent(NamedTuple):
    """Times in milliseconds since 1970."""

    time: int
    ingested: int
    stream: str
    message: str

    @property
    def id(self) -> str:
        return f"{self.time:020d}{int(uuid_of(self.stream, self.time, self.message)[:8], 16):012d}{0:024d}"


@dataclass(slots=True)
class Stream:
    """A stream: of a task where it has one, else of what was put."""

    name: str
    created: float
    task: Task | None = None
    style: str = ""
    put: list[LogEvent] = field(default_factory=list)

    def bounds(self, now: float) -> tuple[int, int] | None:
        """First and last time anything was written, in ms; None where nothing was."""
        if self.task is None:
            return (self.put[0].time, self.put[-1].time) if self.put else None
        if not self.task.started:
            return None
        end = self.task.stopping or self.task.stopped or now
        return int(self.task.started * 1000), int(min(end, now) * 1000)

    def between(self, since: int, until: int, now: float) -> Iterator[LogEvent]:
        """Events in [since, until), oldest first; times in ms."""
        bounds = self.bounds(now)
        if bounds is None:
            return
        if self.task is None:
            start = bisect.bisect_left(self.put, since, key=lambda event: event.time)
            for event in self.put[start:]:
                if event.time >= until:
                    return
                yield event
            return
        begin, end = max(since, bounds[0]) / 1000, min(until, bounds[1] + 1) / 1000
        for time, _, text in (*first_lines(self.style, self.task.started), *self._last_words()):
            if begin <= time < end:
                yield self._event(time, text)
        for time, _, text in lines_between(self.style, self.task.id, begin, end):
            yield self._event(time, text)

    def _last_words(self) -> list[tuple[float, int, str]]:
        task = self.task
        if task is None or task.fate not in {"crashes", "unhealthy"} or not task.started:
            return []
        text = "FATAL: could not load configuration: KeyError: 'PAYMENT_PROVIDER_URL'"
        return [(task.started + 2, 2, text)]

    def _event(self, time: float, text: str) -> LogEvent:
        return LogEvent(int(time * 1000), int(time * 1000) + 900, self.name, text)


@dataclass(slots=True)
class Group:
    name: str
    arn: str
    created: float
    retention: int = 0
    streams: dict[str, Stream] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)  # streams of tasks that were


class LogStore:
    """Finds groups and streams; those of services appear as their tasks do."""

    def __init__(self, region: str, ecs: EcsState) -> None:
        self.region = region
        self._ecs = ecs
        self.made: dict[str, Group] = {}
        self._deleted: set[str] = set()

    def arn(self, name: str) -> str:
        return arn("logs", self.region, f"log-group:{name}")

    def groups(self) -> dict[str, Group]:
        """All groups by name, sorted."""
        for cluster in self._ecs.clusters.values():
            if not cluster.attended:
                continue
            for service in cluster.services.values():
                for name in log_groups(service.definition.containers):
                    if name not in self.made and name not in self._deleted:
                        self.made[name] = Group(name, self.arn(name), service.created - 60, 30)
            for task in cluster.tasks.values():
                for name in log_groups(task.definition.containers) if task.service is None else ():
                    self.made.setdefault(name, Group(name, self.arn(name), task.created - 60, 30))
        return dict(sorted(self.made.items()))

    def group(self, name: str) -> Group:
        """By name or ARN. Raises ResourceNotFoundException."""
        if name.startswith("arn:"):
            name = name.partition(":log-group:")[2].removesuffix(":*")
        group = self.groups().get(name)
        if group is None:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def delete(self, group: Group) -> None:
        del self.made[group.name]
        self._deleted.add(group.name)

    def create(self, name: str, now: float) -> Group:
        self._deleted.discard(name)
        group = self.made[name] = Group(name, self.arn(name), now)
        return group

    def streams(self, group: Group) -> dict[str, Stream]:
        """All streams of a group: those that were made, and one for each container of each task."""
        found = dict(group.streams)
        for cluster in self._ecs.clusters.values():
            if not cluster.attended:
                continue
            for task in (*cluster.tasks.values(), *cluster.stopped.values()):
                for body in task.definition.containers:
                    options = (body.get("logConfiguration") or {}).get("options") or {}
                    if options.get("awslogs-group") != group.name or not task.started:
                        continue
                    name = f"{options.get('awslogs-stream-prefix', 'ecs')}/{body.get('name', 'main')}/{task.id}"
                    style = task.service.log_style if task.service else "batch"
                    if name not in group.deleted:
                        found[name] = Stream(name, task.started, task, style)
        return found

    def stream(self, group: Group, name: str) -> Stream:
        """Raises ResourceNotFoundException."""
        stream = self.streams(group).get(name)
        if stream is None:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        return stream


def log_groups(containers: list[dict[str, object]]) -> Iterator[str]:
    for body in containers:
        settings = body.get("logConfiguration")
        if isinstance(settings, dict) and settings.get("logDriver") == "awslogs":
            name = (settings.get("options") or {}).get("awslogs-group")
            if isinstance(name, str) and name:
                yield name


def retained(group: Group, now: float) -> int:
    """The oldest time in ms of which a group still knows something."""
    return int(now * 1000) - group.retention * _DAY_MS if group.retention else 0
