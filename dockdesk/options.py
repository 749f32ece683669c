"""What the command line can say, and what holds where it says nothing."""

from __future__ import annotations

from collections.abc import Sequence


class Options:
    """`argparse` fills it in; most starts have no arguments and do without."""

    command: str | None = None
    paths: Sequence[str] = ()  # files and folders to open, absolute
    demo: bool = False
    vnc: int | None = None
    size: str = "1440x900"
    # For the command `pictures`.
    out: str = ""
    pane: list[str] | None = None
    theme: str = "both"
    wait: float = 4.0
    open: str = ""
    build: bool = False
