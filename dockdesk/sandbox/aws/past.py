"""Scaling activities and alarm changes from before the start: what an autoscaled service's past counts imply.

Told when somebody asks, since a day of them takes a moment to work out.
"""

from __future__ import annotations

import json

from dockdesk.sandbox.aws.cloudwatch.alarms import Alarm, Alarms
from dockdesk.sandbox.aws.scaling.engine import ScalingEngine, Target
from dockdesk.sandbox.aws.values import when

_HOURS = 24
_STEP = 5


def tell_past(target: Target, engine: ScalingEngine, alarms: Alarms) -> None:
    """Fill in the day before the start, once."""
    if target.told:
        return
    target.told = True
    service = engine.service_of(target)
    policy = next((p for p in target.policies.values() if p.kind == "TargetTrackingScaling"), None)
    if service is None or service.history is None or policy is None or len(policy.alarms) < 2:
        return
    history = service.history
    lived = list(target.activities)
    target.activities.clear()
    before = history.past_count(history.start - _HOURS * 60)
    for minute in range(history.start - _HOURS * 60 + _STEP, history.start - _STEP, _STEP):
        count = history.past_count(minute)
        if count == before or minute < history.born:
            continue
        alarm = alarms.all[policy.alarms[0 if count > before else 1]]
        now = minute * 60.0 + 17
        engine.record(
            target,
            f"Setting desired count to {count}.",
            f"monitor alarm {alarm.name} in state ALARM triggered policy {policy.name}",
            now,
            f"Successfully set desired count to {count}. Change successfully fulfilled by ecs.",
        )
        _changed(alarm, now - 20, "OK", "ALARM")
        _changed(alarm, now + 200, "ALARM", "OK")
        before = count
    for activity in reversed(lived):
        target.activities.appendleft(activity)


def _changed(alarm: Alarm, time: float, old: str, new: str) -> None:
    """A change of state among the older items of an alarm's history."""
    words = "greater" if alarm.comparison.startswith("Greater") else "less"
    crossed = "" if new == "ALARM" else "not "
    reason = f"Threshold Crossed: {alarm.periods} datapoints were {crossed}{words} than the threshold ({alarm.threshold})."
    data = {
        "version": "1.0",
        "oldState": {"stateValue": old},
        "newState": {"stateValue": new, "stateReason": reason},
    }
    alarm.history.append(
        {
            "AlarmName": alarm.name,
            "AlarmType": "MetricAlarm",
            "Timestamp": when(time),
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {old} to {new}",
            "HistoryData": json.dumps(data),
        }
    )
