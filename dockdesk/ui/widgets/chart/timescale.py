"""Round moments of local time for a time axis."""

from __future__ import annotations

from datetime import datetime, timedelta

from dockdesk.ui.widgets.chart.units import Tick

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14, 28, 91, 364)),
)


def time_ticks(start: float, end: float, most: int) -> list[Tick]:
    """At most ``most`` moments between two (seconds since 1970), round in local time, with labels.

    Labels say the time, to the second where steps are shorter than a minute, and the day where a day begins. Around a
    change to or from summer time the steps stay round on the clock.
    """
    span = end - start
    if span <= 0 or most < 1:
        return []
    step = next((step for step in _STEPS if span / step <= most), _STEPS[-1])
    ticks = []
    for moment in _moments(start, end, step):
        at = datetime.fromtimestamp(moment)
        ticks.append(Tick(moment, _label(at, step)))
        if len(ticks) > most + 1:
            break
    return ticks


def moment_text(moment: float, span: float) -> str:
    """A moment as a readout shows it; with its day where the chart spans more than half a day."""
    at = datetime.fromtimestamp(moment)
    return at.strftime("%a %d %b %H:%M:%S" if span > _DAY / 2 else "%H:%M:%S")


def _moments(start: float, end: float, step: int) -> list[float]:
    midnight = datetime.fromtimestamp(start).replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[float] = []
    if step >= _DAY:
        day = midnight
        days = step // _DAY
        while (moment := day.timestamp()) <= end:
            if moment >= start and day.toordinal() % days == 0:
                found.append(moment)
            day += timedelta(days=1)
        return found
    # Counted on the clock's face, hour by hour, so that 06:00 stays 06:00 when an hour is left out or repeated.
    face = midnight + timedelta(
        seconds=(datetime.fromtimestamp(start) - midnight).total_seconds() // step * step
    )
    while (moment := face.timestamp()) <= end:
        if moment >= start and (not found or moment > found[-1]):
            found.append(moment)
        face += timedelta(seconds=step)
    return found


def _label(at: datetime, step: int) -> str:
    if step >= _DAY or (at.hour == at.minute == at.second == 0 and step >= _MINUTE):
        return at.strftime("%d %b").lstrip("0")
    return at.strftime("%H:%M" if step >= _MINUTE else "%H:%M:%S")
