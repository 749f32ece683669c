"""Whether white space at a place of a logical line only separates, or is a part of a string."""

from __future__ import annotations

import re
from bisect import bisect_right

_OPENERS = {"(": ")", "{": "}", "'": "$'"}
_STRINGS = frozenset(("'", '"', "}", "$'"))
_CASE = re.compile(r"\bcase\b")


class Quoting:
    """Follows quotes, ``$(…)``, ``${…}`` and backticks of a logical line.

    ``style`` is ``shell``, ``words`` (quotes and the escape character alone), ``json`` (double quotes) or ``list``
    (white space always separates). Where a quote never closes, all after it counts as within: rather too careful.
    """

    def __init__(self, text: str, style: str, escape: str) -> None:
        self._text = text
        # Offsets from which the innermost context is the one beside it.
        self._at: list[int] = [0]
        self._within: list[bool] = [False]
        if style != "list":
            self._read(text, style, escape)

    def free(self, offset: int) -> bool:
        """Whether white space on either side of ``offset`` is outside of strings."""
        if self._inside(offset):
            return False
        return not (self._text[offset - 1 : offset] in (" ", "\t") and self._inside(offset - 1))

    def _inside(self, offset: int) -> bool:
        return self._within[bisect_right(self._at, offset) - 1]

    def _read(self, text: str, style: str, escape: str) -> None:
        stack: list[str] = []
        shell = style == "shell" and escape == "\\"
        escapes = "\\" if style == "json" else escape
        at, end = 0, len(text)
        while at < end:
            char = text[at]
            inner = stack[-1] if stack else ""
            if inner == "'":
                if char == "'":
                    stack.pop()
            elif inner == "$'":
                if char == "\\":
                    at += 1
                elif char == "'":
                    stack.pop()
            elif char == escapes and (style != "json" or inner == '"'):
                self._mark(at, True)
                at += 1
            elif char == inner:
                stack.pop()
            elif (
                char == '"'
                or (char == "'" and style != "json" and inner != '"')
                or (shell and char == "`")
            ):
                stack.append(char)
            elif shell and char == "$" and (opener := text[at + 1 : at + 2]) in _OPENERS:
                if opener == "(" and _CASE.search(text, at):
                    # Its lone brackets would be taken for the end.
                    self._mark(at, True)
                    return
                if opener != "'" or inner != '"':
                    stack.append(_OPENERS[opener])
                    at += 1
            elif shell and char == "(" and inner == ")":
                stack.append(")")
            at += 1
            self._mark(at, bool(stack) and stack[-1] in _STRINGS)

    def _mark(self, at: int, within: bool) -> None:
        if within != self._within[-1]:
            self._at.append(at)
            self._within.append(within)
