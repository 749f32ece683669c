"""Words and variables as BuildKit's shell lexer reads them: POSIX quoting, ``${x:-y}`` and its kin, ``<<`` words.

It is no shell: no command substitution, no arithmetic; positional and special parameters are names that are never set.
Source: moby/buildkit, frontend/dockerfile/shell/lex.go, whose tables of cases are this module's tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from dockdesk.core.records import dataclass

# Go's unicode.IsSpace, which knows fewer characters than str.isspace().
SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + "\u2028\u2029\u202f\u205f\u3000"
)
SPACE_CLASS = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

_SPECIAL = frozenset("@*#?-$!0")
_PLAIN = re.compile(rf"[^$<'\"\\`{SPACE_CLASS}]+")

Lookup = Callable[[str], str | None]


class ExpansionError(ValueError):
    """A word that cannot be expanded; the build would stop with this message."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """``text`` with variables replaced, ``words`` the same split at unquoted white space; names (not) set."""

    text: str
    words: tuple[str, ...]
    used: frozenset[str]
    missing: frozenset[str]


def nothing(_name: str) -> str | None:
    """A lookup in which no name is set."""
    return None


def expand(
    word: str,
    lookup: Lookup,
    escape: str = "\\",
    *,
    raw_quotes: bool = False,
    raw_escapes: bool = False,
    quotes: bool = True,
    keep_unset: bool = False,
) -> Expansion:
    """Expand ``word``; ``lookup`` gives a name's value or None where it is unset.

    ``raw_quotes`` and ``raw_escapes`` keep those characters, ``quotes=False`` gives them no meaning (heredoc bodies),
    ``keep_unset`` leaves references to unset names as they are. Raises ExpansionError.
    """
    lexer = _Lexer(
        word.removeprefix("\ufeff"), lookup, escape, quotes, raw_quotes, raw_escapes, keep_unset
    )
    text, words = lexer.run("")
    return Expansion(text, tuple(words), frozenset(lexer.used), frozenset(lexer.missing))


class _Words:
    """Collects words: what is added plainly is split at spaces, what is added raw is not."""

    __slots__ = ("done", "part", "within")

    def __init__(self) -> None:
        self.done: list[str] = []
        self.part: list[str] = []
        self.within = False

    def add(self, text: str) -> None:
        for char in text:
            if char not in SPACES:
                self.raw(char)
            elif self.within:
                self.close()

    def raw(self, text: str) -> None:
        self.part.append(text)
        self.within = True

    def close(self) -> None:
        word = "".join(self.part)
        if word:
            self.done.append(word)
            self.part = []
            self.within = False


class _Lexer:
    """One pass over one word. The end of the text reads as an empty string."""

    def __init__(
        self,
        text: str,
        lookup: Lookup,
        escape: str,
        quotes: bool,
        raw_quotes: bool,
        raw_escapes: bool,
        keep_unset: bool,
    ) -> None:
        self.text = text
        self.at = 0
        self.lookup = lookup
        self.escape = escape
        self.quotes = quotes
        self.raw_quotes = raw_quotes
        self.raw_escapes = raw_escapes
        self.keep_unset = keep_unset
        self.depth = 0
        self.used: set[str] = set()
        self.missing: set[str] = set()

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def next(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += len(char)
        return char

    def run(self, stop: str, raw_escapes: bool | None = None) -> tuple[str, list[str]]:
        """Read up to ``stop`` (consumed), or to the end where it is empty."""
        before = self.raw_escapes
        if raw_escapes is not None:
            self.raw_escapes = raw_escapes
        self.depth += 1
        if self.depth > 50:
            raise ExpansionError("variables are nested too deeply")
        try:
            return self._run(stop)
        finally:
            self.raw_escapes = before
            self.depth -= 1

    def _run(self, stop: str) -> tuple[str, list[str]]:
        result: list[str] = []
        words = _Words()
        while char := self.peek():
            if char == stop:
                self.at += 1
                words.close()
                return "".join(result), words.done
            if char == "$":
                value = self.dollar()
                result.append(value)
                words.add(value)
            elif char == "<":
                value = self.angle()
                result.append(value)
                words.raw(value)
            elif self.quotes and char in "'\"":
                value = self.single() if char == "'" else self.double()
                result.append(value)
                words.raw(value)
            elif char == self.escape:
                self.at += 1
                value = char if self.raw_escapes else ""
                value += self.next()
                result.append(value)
                if value:
                    words.raw(value)
            else:
                self.plain(stop, result, words)
        if stop:
            raise ExpansionError(f"the word ends where a {stop} should close it")
        words.close()
        return "".join(result), words.done

    def plain(self, stop: str, result: list[str], words: _Words) -> None:
        found = _PLAIN.match(self.text, self.at)
        if found and not stop:
            words.raw(found[0])
            result.append(found[0])
            self.at = found.end()
        else:
            char = self.next()
            words.add(char)
            result.append(char)

    def single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise ExpansionError("a single quote ' is never closed")
        start = self.at
        self.at = end + 1
        return self.text[start : end + 1] if self.raw_quotes else self.text[start + 1 : end]

    def double(self) -> str:
        self.at += 1
        mark = '"' if self.raw_quotes else ""
        result = [mark]
        while char := self.peek():
            if char == '"':
                self.at += 1
                result.append(mark)
                return "".join(result)
            if char == "$":
                result.append(self.dollar())
                continue
            self.at += 1
            if char == self.escape:
                if self.raw_escapes:
                    result.append(char)
                follower = self.peek()
                if not follower:
                    continue
                if follower in ('"', "$", self.escape):
                    char = self.next()
            result.append(char)
        raise ExpansionError('a double quote " is never closed')

    def angle(self) -> str:
        self.at += 1
        if self.peek() != "<":
            return "<"
        start = self.at - 1
        self.at += 1
        while self.peek() and self.peek() in "\t\r ":
            self.at += 1
        return self.text[start : self.at]

    def name(self) -> str:
        char = self.peek()
        if char and char.isdecimal():
            start = self.at
            while self.peek() and self.peek().isdecimal():
                self.at += 1
            return self.text[start : self.at]
        if char and char in _SPECIAL:
            return self.next()
        start = self.at
        while (char := self.peek()) and (char.isalpha() or char.isdecimal() or char == "_"):
            self.at += 1
        return self.text[start : self.at]

    def value(self, name: str) -> str | None:
        found = self.lookup(name)
        (self.missing if found is None else self.used).add(name)
        return found

    def dollar(self) -> str:
        self.at += 1
        if self.peek() != "{":
            name = self.name()
            if not name:
                return "$"
            value = self.value(name)
            if value is None:
                return f"${name}" if self.keep_unset else ""
            return value
        self.at += 1
        if not self.peek():
            raise ExpansionError("${ is never closed by }")
        if self.peek() in "{}:":
            raise ExpansionError(f"${{{self.peek()} is no substitution: a name must follow ${{")
        return self.braced(self.name())

    def braced(self, name: str) -> str:
        char = self.next()
        if char == "}":
            value = self.value(name)
            if value is None:
                return f"${{{name}}}" if self.keep_unset else ""
            return value
        if char == "/":
            return self.replaced(name)
        modifier = char
        if char == ":":
            char = self.next()
            modifier += char
        if not char or (char not in "+-?#%" and modifier[0] != ":"):
            raise ExpansionError(f"${{{name}{modifier}…}} is not supported")
        if modifier in (":#", ":%"):
            raise ExpansionError(f"${{{name}{modifier}…}} is not supported")
        word = self.until("}", char in "#%")
        value = self.value(name)
        if self.keep_unset and value is None:
            return f"${{{name}{modifier}{word}}}"
        return self.modified(name, modifier, char, word, value)

    def modified(self, name: str, modifier: str, char: str, word: str, value: str | None) -> str:
        unset = value is None or (modifier[0] == ":" and value == "")
        if char == "-":
            return word if unset else value or ""
        if char == "+":
            return "" if unset else word
        if char == "?":
            if unset:
                how = "unset" if value is None else "empty"
                raise ExpansionError(f"{name}: {word or f'is not allowed to be {how}'}")
            return value or ""
        if char in "#%":
            greedy = word[:1] == char
            pattern = word[1:] if greedy else word
            trim = _without_suffix if char == "%" else _without_prefix
            return trim(pattern, value or "", greedy)
        raise ExpansionError(f"${{{name}{modifier}…}} is not supported")

    def replaced(self, name: str) -> str:
        every = self.peek() == "/"
        if every:
            self.at += 1
        pattern = self.until("/", True)
        replacement = self.until("}", True)
        value = self.value(name)
        if value is None:
            return f"${{{name}/{pattern}/{replacement}}}" if self.keep_unset else ""
        compiled = _pattern(pattern, True, False)
        if every:
            # Go's template: $1 or ${name} of a pattern without groups is empty, $$ is a dollar.
            new = re.sub(
                r"\$\$|\$\{\w+\}|\$\w+", lambda found: "$" if found[0] == "$$" else "", replacement
            )
            return compiled.sub(lambda _found: new, value)
        return compiled.sub(lambda _found: replacement, value, count=1)

    def until(self, stop: str, raw_escapes: bool) -> str:
        try:
            return self.run(stop, raw_escapes)[0]
        except ExpansionError:
            if not self.peek():
                raise ExpansionError(f"${{ is never closed by {stop}") from None
            raise


@lru_cache(maxsize=256)
def _pattern(pattern: str, greedy: bool, anchored: bool) -> re.Pattern[str]:
    """A shell pattern with ``*`` and ``?`` as a regular expression; brackets stand for themselves."""
    out = ["^"] if anchored else []
    chars = iter(range(len(pattern)))
    for at in chars:
        char = pattern[at]
        if char == "*":
            out.append(".*" if greedy else ".*?")
        elif char == "?":
            out.append(".")
        elif char == "\\":
            follower = pattern[at + 1 : at + 2]
            if follower in ("}", "/"):
                continue
            if follower not in ("*", "?", "\\"):
                raise ExpansionError(f"\\{follower} is no escape in the pattern {pattern}")
            next(chars)
            out.append("\\" + follower)
        else:
            out.append(re.escape(char))
    return re.compile("".join(out))


def _without_prefix(pattern: str, value: str, greedy: bool) -> str:
    found = _pattern(pattern, greedy, True).match(value)
    return value[found.end() :] if found else value


def _without_suffix(pattern: str, value: str, greedy: bool) -> str:
    """Both are turned round, for a regular expression finds the leftmost match only."""
    turned: list[str] = []
    at = 0
    while at < len(pattern):
        width = 2 if pattern[at] == "\\" and at + 1 < len(pattern) else 1
        turned.insert(0, pattern[at : at + width])
        at += width
    return _without_prefix("".join(turned), value[::-1], greedy)[::-1]
