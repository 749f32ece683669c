"""Columns of a table as data, so that what a table shows can be tested without Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Generic, Literal, TypeVar

from dockdesk.core.records import dataclass

T = TypeVar("T")

Tone = Literal["neutral", "muted", "accent", "good", "warn", "bad", "info"]


class CellKind(Enum):
    """How a cell is drawn."""

    TEXT = "text"
    STRONG = "strong"  # the row's name
    MONO = "mono"  # ids and digests
    NUMBER = "number"  # right-aligned, tabular figures
    PILL = "pill"  # a state: a dot and a word in the cell's tone
    SPARK = "spark"  # a sparkline and its newest value
    BAR = "bar"  # a share of a whole, 0.0 to 1.0, and its text
    LINKS = "links"  # ``links`` of the row, each can be clicked


@dataclass(frozen=True, slots=True)
class Link:
    """A piece of a cell that can be clicked: shown text and the address it opens."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column over rows of type ``T``.

    ``value`` is the native value that sorting compares (None sorts last); ``text`` what is shown. ``series`` gives a
    sparkline's samples, oldest first; ``fraction`` a bar's share. ``width`` is in pixels at 100 %; a column with
    ``stretch`` shares what is left over.
    """

    id: str
    title: str
    value: Callable[[T], Any]
    text: Callable[[T], str]
    kind: CellKind = CellKind.TEXT
    width: int = 120
    stretch: bool = False
    tone: Callable[[T], Tone] | None = None
    tip: Callable[[T], str] | None = None
    series: Callable[[T], Sequence[float]] | None = None
    fraction: Callable[[T], float] | None = None
    links: Callable[[T], Sequence[Link]] | None = None
    hidden: bool = False
