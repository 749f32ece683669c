"""Which row is at the top: scrolling in lines over rows that may be wrapped to several. No Qt in it."""

from __future__ import annotations

from collections.abc import Callable


class RowScroller:
    """``top`` and ``part``: the row index, and its wrapped line, at the top of the view.

    While ``following`` the last row stays at the bottom. ``height`` gives the lines of a row; it is asked only for rows
    near the view, since measuring a million rows would take seconds.
    """

    def __init__(self, height: Callable[[int], int]) -> None:
        self._height = height
        self.uniform = True  # every row takes one line
        self.rows = 0
        self.page = 1
        self.top = 0
        self.part = 0
        self.following = True

    @property
    def end(self) -> tuple[int, int]:
        """The top row and part when scrolled to the very end."""
        if self.uniform:
            return max(0, self.rows - self.page), 0
        left = self.page
        for index in range(self.rows - 1, -1, -1):
            height = self._height(index)
            if height >= left:
                return index, height - left
            left -= height
        return 0, 0

    def resize(self, rows: int, page: int) -> None:
        """Take another number of rows, or of lines in the view."""
        self.rows = rows
        self.page = max(1, page)
        if self.following:
            self.to_end()
        else:
            self._settle(self.top, self.part)

    def to_end(self) -> None:
        self.top, self.part = self.end
        self.following = True

    def to(self, index: int, part: int = 0) -> None:
        """Put a row at the top, or as near as it gets; follows if that is the end."""
        self._settle(index, part)
        self.following = (self.top, self.part) >= self.end

    def by(self, lines: int) -> None:
        """Scroll down by so many lines, or up."""
        if self.uniform:
            self.to(max(0, self.top + lines))
            return
        index, part = self._above(self.top, self.part, -lines)
        while 0 <= index < self.rows - 1 and part >= (height := self._height(index)):
            part -= height
            index += 1
        self.to(index, part)

    def reveal(self, index: int, part: int = 0) -> None:
        """Scroll as far as it takes to see a line; to a third of the view if it is far away."""
        self.following = False
        if (index, part) < (self.top, self.part):
            near = self.top - index <= self.page
            self.to(*self._above(index, part, 0 if near else self.page // 3))
        elif not self._sees(index, part):
            near = index - self.top <= 2 * self.page
            self.to(*self._above(index, part, self.page - 1 if near else self.page // 3))

    def _above(self, index: int, part: int, lines: int) -> tuple[int, int]:
        """The position so many lines above."""
        part -= lines
        while part < 0 and index > 0:
            index -= 1
            part += 1 if self.uniform else self._height(index)
        return index, max(0, part)

    def _sees(self, index: int, part: int) -> bool:
        if index - self.top > self.page:
            return False
        lines = part - self.part
        for between in range(self.top, index):
            lines += 1 if self.uniform else self._height(between)
        return lines < self.page

    def _settle(self, index: int, part: int) -> None:
        index = max(0, min(index, self.rows - 1))
        if self.uniform:
            part = 0
        elif index < self.rows:
            part = max(0, min(part, self._height(index) - 1))
        self.top, self.part = min((index, part), self.end)
