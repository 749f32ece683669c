"""Charts: quantities over time, a sparkline, a number on a card, and a bar of what takes up how much."""

from dockdesk.ui.widgets.chart.model import Event, Threshold
from dockdesk.ui.widgets.chart.sparkline import Sparkline, paint_sparkline
from dockdesk.ui.widgets.chart.stat_card import StatCard
from dockdesk.ui.widgets.chart.time_chart import TimeChart
from dockdesk.ui.widgets.chart.units import Unit
from dockdesk.ui.widgets.chart.usage_bar import Part, UsageBar

__all__ = [
    "Event",
    "Part",
    "Sparkline",
    "StatCard",
    "Threshold",
    "TimeChart",
    "Unit",
    "UsageBar",
    "paint_sparkline",
]
