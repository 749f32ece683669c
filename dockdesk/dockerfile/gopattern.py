"""One pattern of a .dockerignore file, matched as the engine's Go code matches it.

The pattern language is Go's `filepath.Match` with `**` added; moby/patternmatcher turns each pattern into a Go regular
expression, whose own escapes and classes thereby become part of the language: `\\d` is a digit, `[[:alpha:]]` a
letter. They are kept here, since a file that arrives in an image because of them arrives.
"""

from __future__ import annotations

import posixpath
import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

# What unicode.IsSpace holds for white; str.strip() would take four control characters more.
WHITE = "\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


class BadPatternError(ValueError):
    """The pattern is malformed; an engine refuses to build with it."""


def clean(path: str) -> str:
    """The shortest equal path, as Go's `filepath.Clean` gives on a Unix system."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def check(pattern: str) -> None:
    """Raise BadPatternError where Go's `filepath.Match` says ErrBadPatternError."""
    at, end = 0, len(pattern)
    while at < end:
        if pattern[at] == "[":
            at = _check_class(pattern, at)
        elif pattern[at] == "\\":
            if at + 1 == end:
                raise BadPatternError("a backslash at the end escapes nothing")
            at += 2
        else:
            at += 1


def _check_class(pattern: str, at: int) -> int:
    """Where the class that begins at ``at`` ends."""
    at += 1
    if pattern[at : at + 1] == "^":
        at += 1
    first = True
    while first or pattern[at : at + 1] != "]":
        at = _check_member(pattern, at)
        if pattern[at] == "-":
            at = _check_member(pattern, at + 1)
        first = False
    return at + 1


def _check_member(pattern: str, at: int) -> int:
    if pattern[at : at + 1] in ("", "-", "]"):
        raise BadPatternError("a [class] is not closed, is empty or has a range without an end")
    if pattern[at] == "\\":
        at += 1
    if at + 1 >= len(pattern):
        raise BadPatternError("a [class] is not closed")
    return at + 1


class Compiled(NamedTuple):
    """How a pattern is matched: ``kind`` is exact, prefix, suffix or regexp; ``text`` what to compare with."""

    kind: str
    text: str

    def matcher(self) -> Callable[[str], bool]:
        text = self.text
        if self.kind == "exact":
            return text.__eq__
        if self.kind == "prefix":
            return lambda path: path.startswith(text)
        if self.kind == "suffix":
            name = text[1:] if text.startswith("/") else None
            return lambda path: path.endswith(text) or path == name
        search = re.compile(text, re.ASCII).search
        return lambda path: search(path) is not None


def compile_pattern(pattern: str) -> Compiled:
    """How to match a cleaned pattern without its `!`; raises BadPatternError."""
    check(pattern)
    kind, expression = _go_expression(pattern)
    if kind == "prefix":
        return Compiled(kind, pattern[:-2])
    if kind == "suffix":
        return Compiled(kind, pattern[2:])
    if kind == "exact":
        return Compiled(kind, pattern)
    translated = _Translation(expression).run()
    try:
        re.compile(translated, re.ASCII)
    except re.error as error:
        raise BadPatternError(str(error)) from error
    return Compiled(kind, translated)


def _go_expression(pattern: str) -> tuple[str, str]:
    """The kind of match, and the Go regular expression that patternmatcher makes of ``pattern``."""
    out = ["^"]
    kind = "exact"
    at, end = 0, len(pattern)
    while at < end:
        first = at == 0
        character = pattern[at]
        at += 1
        if pattern.startswith("**", at - 1):
            at += 1
            if pattern[at : at + 1] == "/":
                at += 1
            if at < end:
                out.append("(.*/)?")
                kind = "regexp"
            elif kind == "exact":
                kind = "prefix"
            else:
                out.append(".*")
                kind = "regexp"
            if first:
                kind = "suffix"
        elif character in "*?":
            out.append("[^/]*" if character == "*" else "[^/]")
            kind = "regexp"
        elif character in ".+()$":
            # patternmatcher means to escape | { } too, but its bit map has no room for them: they keep their power.
            out.append("\\" + character)
        elif character == "\\":
            out.append("\\" + pattern[at : at + 1])
            at += 1
            kind = "regexp"
        else:
            if character in "[]":
                kind = "regexp"
            out.append(character)
    return kind, "".join(out) + "$"


_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_PERL = {"d": "0-9", "s": "\\t\\n\\f\\r ", "w": "0-9A-Za-z_"}
_CONTROL = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OCTAL = "01234567"
_CATEGORIES = frozenset(
    "Cc Cf Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split()
)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{2}|\{[0-9a-fA-F]+\}")
_REPETITION = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")


class _Translation:
    """Turns a Go (RE2) expression of the few forms that patternmatcher makes into one for Python's `re`."""

    def __init__(self, expression: str) -> None:
        self._text = expression
        self._at = 0

    def run(self) -> str:
        out: list[str] = []
        text = self._text
        while self._at < len(text):
            character = text[self._at]
            if character == "[":
                out.append(self._class())
            elif character == "{":
                out.append(self._repetition())
            elif character == "\\":
                out.append(self._escape())
            else:
                self._at += 1
                # Go's $ is the very end; Python's also stands before a last line feed.
                out.append("\\Z" if character == "$" else _outside(character))
        return "".join(out)

    def _repetition(self) -> str:
        """`{2}`, `{2,}` or `{2,5}`; any other brace is a character."""
        found = _REPETITION.match(self._text, self._at)
        if found is None:
            self._at += 1
            return "\\{"
        self._at = found.end()
        if any(int(number) > 1000 for number in found.groups() if number):
            raise BadPatternError("nothing may be repeated more than 1000 times")
        return found.group()

    def _escape(self) -> str:
        letter = self._text[self._at + 1 : self._at + 2]
        after = self._at + 2
        if letter in ("A", "b", "B", "z"):
            self._at = after
            return "\\Z" if letter == "z" else "\\" + letter
        if letter == "Q":
            literal, _, _ = self._text[after:].partition("\\E")
            self._at = min(len(self._text), after + len(literal) + 2)
            return re.escape(literal)
        named = self._named()
        if named is not None:
            positive, members = named
            return f"[{'' if positive else '^'}{members}]"
        return re.escape(self._character())

    def _class(self) -> str:
        """The class at the place reached. A negated member (`[\\D]`) is an alternative of its own."""
        text = self._text
        self._at += 1
        negated = text.startswith("^", self._at)
        self._at += negated
        members: list[str] = []
        others: list[str] = []
        first = True
        while first or not text.startswith("]", self._at):
            if self._at >= len(text):
                raise BadPatternError("a [class] is not closed")
            first = False
            named = self._posix() or self._named()
            if named is None:
                members.append(self._range())
            elif named[0]:
                members.append(named[1])
            else:
                others.append(f"[^{named[1]}]")
        self._at += 1
        if not others:
            return f"[{'^' * negated}{''.join(members)}]"
        union = "|".join(([f"[{''.join(members)}]"] if members else []) + others)
        return f"(?:(?!{union})(?s:.))" if negated else f"(?:{union})"

    def _range(self) -> str:
        low = self._class_character()
        rest = self._text[self._at : self._at + 2]
        if len(rest) == 2 and rest[0] == "-" and rest[1] != "]":
            self._at += 1
            high = self._class_character()
            if high < low:
                raise BadPatternError(f"the range {low}-{high} runs backwards")
            return f"{_member(low)}-{_member(high)}"
        return _member(low)

    def _class_character(self) -> str:
        if self._at >= len(self._text):
            raise BadPatternError("a [class] is not closed")
        if self._text[self._at] == "\\":
            return self._character()
        self._at += 1
        return self._text[self._at - 1]

    def _posix(self) -> tuple[bool, str] | None:
        if not self._text.startswith("[:", self._at):
            return None
        end = self._text.find(":]", self._at + 2)
        if end < 0:
            return None
        name = self._text[self._at + 2 : end]
        positive = not name.startswith("^")
        if name.removeprefix("^") not in _POSIX:
            raise BadPatternError(f"[:{name}:] is no class of characters")
        self._at = end + 2
        return positive, _POSIX[name.removeprefix("^")]

    def _named(self) -> tuple[bool, str] | None:
        """A class by an escape: `\\d`, `\\S`, `\\pL`."""
        text = self._text
        if not text.startswith("\\", self._at):
            return None
        letter = text[self._at + 1 : self._at + 2]
        if letter.lower() in _PERL:
            self._at += 2
            return letter.islower(), _PERL[letter.lower()]
        if letter in ("p", "P"):
            group = text[self._at + 2 : self._at + 3]
            if group == "{":
                group = text[self._at + 2 :].partition("}")[0] + "}"
            self._at += 2 + len(group)
            positive = (letter == "p") != group.startswith("{^")
            return positive, _unicode_group(group.strip("{^}"))
        return None

    def _character(self) -> str:
        """The one character that the escape at the place reached stands for."""
        text = self._text
        letter = text[self._at + 1 : self._at + 2]
        self._at += 2
        following = text[self._at : self._at + 1]
        if letter == "0" or (letter in tuple("1234567") and following in tuple(_OCTAL)):
            digits = letter
            while len(digits) < 3 and text[self._at : self._at + 1] in tuple(_OCTAL):
                digits += text[self._at]
                self._at += 1
            return chr(int(digits, 8))
        if letter == "x":
            return self._hexadecimal()
        if letter in _CONTROL:
            return _CONTROL[letter]
        if letter and letter.isascii() and not letter.isalnum():
            return letter
        raise BadPatternError(f"\\{letter} means nothing")

    def _hexadecimal(self) -> str:
        found = _HEXADECIMAL.match(self._text, self._at)
        number = int(found.group().strip("{}"), 16) if found else sys.maxunicode + 1
        if found is None or number > sys.maxunicode:
            raise BadPatternError(
                "\\x wants two hexadecimal digits, or a character's number in braces"
            )
        self._at = found.end()
        return chr(number)


def _outside(character: str) -> str:
    return character if character in "^.*?()|" else re.escape(character)


def _member(character: str) -> str:
    return "\\" + character if character in "\\]^-[&~|#" else character


@lru_cache(maxsize=8)
def _unicode_group(name: str) -> str:
    """The members of a general category (`L`, `Lu`), as ranges of a class. Takes a moment, and is hardly ever asked."""
    if not name or (name not in _CATEGORIES and name not in {each[0] for each in _CATEGORIES}):
        raise BadPatternError(f"\\p{{{name}}} is no group of characters known here")
    ranges: list[str] = []
    start = -1
    for number in range(sys.maxunicode + 2):
        category = unicodedata.category(chr(number)) if number <= sys.maxunicode else "  "
        if category.startswith(name) and category != "Cn":
            start = number if start < 0 else start
        elif start >= 0:
            ranges.append(f"{_member(chr(start))}-{_member(chr(number - 1))}")
            start = -1
    return "".join(ranges)
