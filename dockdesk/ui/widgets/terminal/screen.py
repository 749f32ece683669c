"""What the terminal's view asks of a terminal emulator's core, so that the core can be exchanged.

The core used today is libghostty-vt through PyPI's ``pyghostty`` (Apache-2.0; libghostty-vt itself is MIT). Compared
in one run on coloured output it parsed 46 MB/s, ``pyavt`` (Apache-2.0) 41 and ``pyte`` (LGPL) 1. ``pyavt`` has wheels
for Windows too but tells of no modes: no bracketed paste, mouse reports, alternate screen, cursor shape, title or
answers to queries, all of which a second parser beside it would have to find. ``pyghostty`` has them, and damage by
row, reflow, word and line selection and an incremental search over the scrollback. It has wheels for Linux (x86_64 and
arm64; glibc 2.27 or newer) and macOS (both), for every Python, and none for Windows yet; there the view says so.

Rows and columns count from 0 at the top left of what is shown (the viewport), unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Literal, Protocol

from dockdesk.core.records import dataclass

HISTORY = 10_000
"""Lines that are kept above the screen, unless another number is asked for."""

DEFAULT_COLOUR = -1
TRUE_COLOUR = 0x1000000
"""A colour is DEFAULT_COLOUR, a palette index (0 to 255), or TRUE_COLOUR | 0xRRGGBB."""

Unit = Literal["character", "word", "line"]
Shape = Literal["block", "bar", "underline"]


@dataclass(frozen=True, slots=True)
class Style:
    """How a cell is drawn. ``underline``: 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed (SGR 4:n)."""

    foreground: int = DEFAULT_COLOUR
    background: int = DEFAULT_COLOUR
    underline_colour: int = DEFAULT_COLOUR
    bold: bool = False
    italic: bool = False
    faint: bool = False
    inverse: bool = False
    invisible: bool = False
    strike: bool = False
    overline: bool = False
    underline: int = 0


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class Run:
    """Cells of one style side by side.

    A run of text has one character a cell. A ``cluster`` is one grapheme that spans all ``cells`` of its run: a wide
    character, or one with combining marks.
    """

    column: int
    cells: int
    text: str
    style: Style
    cluster: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is shown. ``selected`` holds the first and last selected column."""

    runs: tuple[Run, ...] = ()
    selected: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next character goes; ``shown`` is False when the program hid it or it is scrolled out of sight."""

    column: int = 0
    row: int = 0
    shape: Shape = "block"
    blinking: bool = False
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Scroll:
    """Rows of scrollback and screen together, the first one shown, and how many are shown."""

    total: int
    offset: int
    shown: int

    @property
    def at_end(self) -> bool:
        return self.offset + self.shown >= self.total


@dataclass(frozen=True, slots=True)
class Match:
    """A search hit within one row: first and last column. ``current`` marks the one that was gone to."""

    row: int
    first: int
    last: int
    current: bool = False


@dataclass(frozen=True, slots=True)
class Events:
    """What writing output brought about: answers to queries that may be sent, a bell, a new title (else None)."""

    answers: bytes = b""
    bell: bool = False
    title: str | None = None


class Mode(Enum):
    """Modes that change what the view sends (xterm's ctlseqs, "DEC Private Mode Set")."""

    APPLICATION_CURSOR = 1
    MOUSE_PRESS = 9
    BACKSPACE_SENDS_BS = 67
    MOUSE_CLICKS = 1000
    MOUSE_DRAGS = 1002
    MOUSE_MOVES = 1003
    FOCUS = 1004
    MOUSE_SGR = 1006
    ALTERNATE_SCROLL = 1007
    BRACKETED_PASTE = 2004
    SYNCHRONIZED = 2026


@dataclass(frozen=True, slots=True)
class Colours:
    """What a program is told when it asks for colours, each 0xRRGGBB; ``palette`` has 256."""

    foreground: int
    background: int
    palette: Sequence[int]


class Search(Protocol):
    """A search for plain text, ignoring ASCII case, through scrollback and screen, newest hit first."""

    def step(self) -> bool:
        """Do a bounded piece of work; False once everything has been looked at."""

    def refresh(self) -> None:
        """Have new output looked at too."""

    @property
    def count(self) -> int: ...

    @property
    def current(self) -> int | None:
        """The number, from 0, of the hit that was gone to."""

    def go(self, older: bool) -> None:
        """Go to the next older or newer hit, round the ends, and scroll to it."""

    def visible(self) -> list[Match]:
        """The hits in what is shown."""

    def close(self) -> None: ...


class Screen(Protocol):
    """A terminal's state. Used on one thread at a time; nothing here blocks."""

    @property
    def columns(self) -> int: ...

    @property
    def rows(self) -> int: ...

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program shows the alternate screen, which has no scrollback."""

    def write(self, output: bytes | memoryview) -> Events:
        """Take a program's output, cut anywhere."""

    def resize(self, columns: int, rows: int, cell_width: int, cell_height: int) -> None:
        """Take a new size in cells, and a cell's in pixels; long lines of the primary screen are wrapped anew."""

    def refresh(self) -> Sequence[int]:
        """Bring `row` and `cursor` up to date; returns the rows that look different."""

    def row(self, row: int) -> Row: ...

    def cursor(self) -> Cursor: ...

    def mode(self, mode: Mode) -> bool: ...

    def scroll(self) -> Scroll: ...

    def scroll_to(self, offset: int) -> None: ...

    def scroll_to_end(self) -> None:
        """Show the newest rows, and keep showing them."""

    def begin_selection(self, column: int, row: int, unit: Unit) -> None:
        """Start to select at the left edge of ``column`` (up to the number of columns, the right edge of the last)."""

    def extend_selection(self, column: int, row: int) -> None:
        """Select from where it began to here, in whole units. It stays on its text when that scrolls."""

    def select_all(self) -> None: ...

    def clear_selection(self) -> None: ...

    def selected_text(self) -> str:
        """The selection as it would be typed: wrapped lines joined, trailing blanks left out; empty if none."""

    def search(self, needle: str) -> Search: ...

    def set_colours(self, colours: Colours) -> None: ...

    def clear(self) -> None:
        """Drop the scrollback and everything above the cursor's line."""

    def close(self) -> None:
        """Free it. Nothing else may be called afterwards."""
