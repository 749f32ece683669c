"""Text with places to fill in, put in where a line is indented."""

from __future__ import annotations

from collections.abc import Sequence


def indented(
    text: str, stops: Sequence[tuple[int, int]], indent: str
) -> tuple[str, list[tuple[int, int]]]:
    """Lines after the first begin with ``indent``; the stops move along. The last stop is the text's end."""
    made = text.replace("\n", "\n" + indent)
    moved = [
        (
            start + text.count("\n", 0, start) * len(indent),
            end + text.count("\n", 0, end) * len(indent),
        )
        for start, end in stops
    ]
    return made, [*moved, (len(made), len(made))]
