"""Alarms: evaluated every minute as CloudWatch does, with their history.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ alarm-evaluation.html (M out of N, missing data)
"""

from __future__ import annotations

import json
import operator
from collections import deque
from collections.abc import Callable
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from dockdesk.core.records import dataclass
from dockdesk.sandbox.aws.cloudwatch.composite import Composite
from dockdesk.sandbox.aws.cloudwatch.query import Query, compute
from dockdesk.sandbox.aws.cloudwatch.series import Metrics
from dockdesk.sandbox.aws.values import arn, when

_HISTORY = 200
_COMPARE: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to the threshold"),
    "GreaterThanThreshold": (operator.gt, "greater than the threshold"),
    "LessThanThreshold": (operator.lt, "less than the threshold"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to the threshold"),
}
COMPARISONS = tuple(_COMPARE)


@dataclass(slots=True)
class Alarm:
    """``body`` is what PutMetricAlarm took; ``queries`` what it asks, the last shown one being compared."""

    name: str
    arn: str
    body: dict[str, Any]
    queries: list[Query]
    updated: float
    period: int
    periods: int
    needed: int
    comparison: str
    threshold: float
    missing: str = "missing"
    state: str = "INSUFFICIENT_DATA"
    reason: str = "Unchecked: Initial alarm creation"
    data: str = ""
    changed: float = 0.0
    value: float | None = None
    history: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_HISTORY))
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        return next((query.id for query in self.queries if query.shown), self.queries[0].id)

    def breaches(self, value: float) -> bool:
        return _COMPARE[self.comparison][0](value, self.threshold)

    def actions(self, state: str = "") -> list[str]:
        if not self.body.get("ActionsEnabled", True):
            return []
        name = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(
            state or self.state, "InsufficientDataActions"
        )
        return [str(action) for action in self.body.get(name) or ()]


OnAlarm = Callable[[Alarm, str, float], None]


class Alarms:
    """All alarms of a region. ``on_alarm(alarm, action, now)`` is called in every evaluation of one that is in ALARM."""

    def __init__(self, region: str, metrics: Metrics, on_alarm: OnAlarm) -> None:
        self._region = region
        self._metrics = metrics
        self._on_alarm = on_alarm
        self.all: dict[str, Alarm] = {}
        self.composite: dict[str, Composite] = {}
        self.gone: deque[dict[str, Any]] = deque(maxlen=_HISTORY)

    def arn(self, name: str) -> str:
        return arn("cloudwatch", self._region, f"alarm:{name}")

    def put(self, alarm: Alarm, now: float) -> None:
        old = self.all.get(alarm.name)
        if old is not None:
            alarm.state, alarm.reason, alarm.data, alarm.changed = (
                old.state,
                old.reason,
                old.data,
                old.changed,
            )
            alarm.history, alarm.value = old.history, old.value
            alarm.tags = alarm.tags or old.tags
        self.all[alarm.name] = alarm
        verb = "updated" if old else "created"
        _tell(
            alarm,
            now,
            "ConfigurationUpdate",
            f'Alarm "{alarm.name}" {verb}',
            {"type": verb.removesuffix("d").capitalize()},
        )
        alarm.changed = alarm.changed or now

    def put_composite(self, alarm: Composite, now: float) -> None:
        old = self.composite.get(alarm.name)
        if old is not None:
            alarm.state, alarm.reason, alarm.changed = old.state, old.reason, old.changed
            alarm.history, alarm.tags = old.history, alarm.tags or old.tags
        self.composite[alarm.name] = alarm
        verb = "updated" if old else "created"
        kind = {"type": verb.removesuffix("d").capitalize()}
        _tell(alarm, now, "ConfigurationUpdate", f'Alarm "{alarm.name}" {verb}', kind)
        alarm.changed = alarm.changed or now
        self._settle(now)

    def everything(self) -> list[Alarm | Composite]:
        """Metric alarms, then composite ones."""
        return [*self.all.values(), *self.composite.values()]

    def state_of(self, name: str) -> str:
        alarm = self.all.get(name) or self.composite.get(name)
        return alarm.state if alarm is not None else ""

    def _settle(self, now: float) -> None:
        """Let composite alarms follow what they are made of, however deep."""
        for _ in range(len(self.composite)):
            moved = False
            for alarm in list(self.composite.values()):
                state = "ALARM" if alarm.rule(self.state_of) else "OK"
                if state != alarm.state:
                    moved = True
                    about = ", ".join(f"{name} is {self.state_of(name)}" for name in alarm.children)
                    self._change(alarm, state, f"The rule is {state}: {about}", "", now)
            if not moved:
                return

    def delete(self, name: str, now: float) -> None:
        alarm = self.all.pop(name, None) or self.composite.pop(name)
        _tell(alarm, now, "ConfigurationUpdate", f'Alarm "{name}" deleted', {"type": "Delete"})
        self.gone.extendleft(reversed(alarm.history))

    def evaluate(self, now: float) -> None:
        """To be called at every full minute."""
        minute = int(now // 60)
        for alarm in list(self.all.values()):
            if minute % max(alarm.period // 60, 1) == 0:
                self._evaluate(alarm, minute, now)
        self._settle(now)

    def _evaluate(self, alarm: Alarm, minute: int, now: float) -> None:
        step = max(alarm.period, 60)
        end = minute * 60.0
        found = compute(self._metrics, alarm.queries, end - step * alarm.periods, end, minute - 1)[
            alarm.shown
        ]
        times = [end - step * (back + 1) for back in range(alarm.periods)]
        values = [found.get(time) for time in times]
        real = [
            (time, value) for time, value in zip(times, values, strict=True) if value is not None
        ]
        alarm.value = real[0][1] if real else None
        breaching = sum(alarm.breaches(value) for _, value in real)
        absent = alarm.periods - len(real)
        if alarm.missing == "breaching":
            breaching += absent
        if not real and alarm.missing == "missing":
            state = "INSUFFICIENT_DATA"
        elif not real and alarm.missing == "ignore":
            state = alarm.state
        else:
            state = "ALARM" if breaching >= alarm.needed else "OK"
        if state != alarm.state:
            reason = self._reason(alarm, state, real)
            self._change(alarm, state, reason, _data(alarm, real, now), now)
        if alarm.state == "ALARM":
            for action in alarm.actions():
                self._on_alarm(alarm, action, now)

    def set_state(
        self, alarm: Alarm | Composite, state: str, reason: str, data: str, now: float
    ) -> None:
        """As somebody says; the next evaluation of a composite alarm may change it again."""
        self._change(alarm, state, reason, data, now)
        if isinstance(alarm, Alarm):
            self._settle(now)

    @staticmethod
    def _change(alarm: Alarm | Composite, state: str, reason: str, data: str, now: float) -> None:
        old, before = alarm.state, (alarm.reason, alarm.data)
        alarm.state, alarm.reason, alarm.data, alarm.changed = state, reason, data, now
        told = {
            "version": "1.0",
            "oldState": {"stateValue": old, "stateReason": before[0]},
            "newState": {"stateValue": state, "stateReason": reason},
        }
        _tell(alarm, now, "StateUpdate", f"Alarm updated from {old} to {state}", told)
        for action in alarm.actions():
            text = f"Successfully executed action {action}"
            _tell(
                alarm,
                now,
                "Action",
                text,
                {"actionState": "Succeeded", "notificationResource": action},
            )

    @staticmethod
    def _reason(alarm: Alarm, state: str, real: list[tuple[float, float]]) -> str:
        count = len(real)
        if state == "INSUFFICIENT_DATA":
            return "Insufficient Data: no datapoints were received for {} period{}.".format(
                alarm.periods, "s" if alarm.periods > 1 else ""
            )
        shown = ", ".join(
            f"{value} ({datetime.fromtimestamp(t, UTC):%d/%m/%y %H:%M:%S})" for t, value in real[:5]
        )
        words = _COMPARE[alarm.comparison][1]
        many = "datapoints" if count != 1 else "datapoint"
        if state == "ALARM":
            return (
                f"Threshold Crossed: {alarm.needed} out of the last {alarm.periods} datapoints [{shown}] "
                f"{'were' if count != 1 else 'was'} {words} ({alarm.threshold}) (minimum {alarm.needed} "
                f"{many} for OK -> ALARM transition)."
            )
        return f"Threshold Crossed: {count} {many} [{shown}] {'were' if count != 1 else 'was'} not {words} ({alarm.threshold})."


def _data(alarm: Alarm, real: list[tuple[float, float]], now: float) -> str:
    stamp = "%Y-%m-%dT%H:%M:%S.000+0000"
    return json.dumps(
        {
            "version": "1.0",
            "queryDate": datetime.fromtimestamp(now, UTC).strftime(stamp),
            "period": alarm.period,
            "recentDatapoints": [value for _, value in reversed(real)],
            "threshold": alarm.threshold,
            "evaluatedDatapoints": [
                {"timestamp": datetime.fromtimestamp(time, UTC).strftime(stamp), "value": value}
                for time, value in real[:10]
            ],
        }
    )


def _tell(
    alarm: Alarm | Composite, now: float, kind: str, summary: str, data: dict[str, Any]
) -> None:
    alarm.history.appendleft(
        {
            "AlarmName": alarm.name,
            "AlarmType": "MetricAlarm" if isinstance(alarm, Alarm) else "CompositeAlarm",
            "Timestamp": when(now),
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(data),
        }
    )
