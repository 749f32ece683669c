"""What a time chart shows, without Qt."""

from __future__ import annotations

from dataclasses import field

from dockdesk.core.columns import Tone
from dockdesk.core.records import dataclass
from dockdesk.ui.widgets.chart.samples import Samples

DASHES: tuple[tuple[float, ...], ...] = ((), (9, 3), (2, 2), (9, 3, 2, 3))
"""On and off lengths of the lines in pixels: with four of them no two of the first eight lines are told apart by
colour alone."""


_REACH = 4.0
"""A threshold further above the data than this many times is left out: it would press the data flat."""


@dataclass(slots=True)
class Line:
    """One series. ``colour`` counts into the theme's series colours; ``filled`` None lets the chart decide.

    A ``stepped`` line holds each value until the next sample: for counts.
    """

    key: str
    name: str
    samples: Samples
    colour: int
    filled: bool | None = None
    stepped: bool = False
    visible: bool = True

    @property
    def dashes(self) -> tuple[float, ...]:
        return DASHES[self.colour % len(DASHES)]


@dataclass(frozen=True, slots=True)
class Band:
    """A range of values that is meant to be kept, such as the bounds of a scaling policy."""

    low: float
    high: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value that matters, such as a memory limit or an alarm's threshold."""

    value: float
    label: str = ""
    tone: Tone = "warn"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a moment (seconds since 1970), such as a deployment."""

    time: float
    label: str
    tone: Tone = "info"


@dataclass(slots=True)
class ChartModel:
    """Everything a chart shows."""

    lines: dict[str, Line] = field(default_factory=dict)
    band: Band | None = None
    thresholds: list[Threshold] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def shown(self) -> list[Line]:
        return [line for line in self.lines.values() if line.visible]

    def is_filled(self, line: Line) -> bool:
        """Areas of more than two lines would cover each other."""
        return line.filled if line.filled is not None else len(self.lines) <= 2

    def last_time(self) -> float | None:
        times = [
            time for line in self.lines.values() if (time := line.samples.last_time) is not None
        ]
        return max(times, default=None)

    def first_time(self) -> float | None:
        times = [
            time for line in self.lines.values() if (time := line.samples.first_time) is not None
        ]
        return min(times, default=None)

    def highest(self, start: float, end: float) -> float:
        """The largest value that must fit on the axis between two moments."""
        outlines = [line.samples.bounds(start, end) for line in self.shown()]
        data = max((bounds[1] for bounds in outlines if bounds is not None), default=0.0)
        marks = [threshold.value for threshold in self.thresholds]
        if data > 0:
            marks = [value for value in marks if value <= _REACH * data]
        if self.band is not None:
            marks.append(self.band.high)
        return max(0.0, data, *marks)
