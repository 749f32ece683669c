"""The commands of a RUN, far enough for the rules: words with their places, and what stands between commands.

This is no shell: quotes, escapes, comments and operators are known; loops and conditions are words like others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+|\\\n)
  | (?P<comment>(?<![^\s;&|])\#[^\n]*)
  | (?P<operator>&&|\|\||;;|\|&|&(?!>)|[;\n|()])
  | (?P<word>(?:\\.|'[^']*'?|"(?:\\.|[^"\\])*"?|\$\((?:[^()]|\([^()]*\))*\)|[<>]&[0-9-]?|&>|[^\s;&|()'"\\]|\\)+)
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTING = re.compile(r"\\(.)|['\"]", re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_BEFORE = frozenset("if then else elif while until do { ! time exec env command sudo nice".split())
_WRAPPERS = frozenset("exec env command nice time sudo".split())


class Piece(NamedTuple):
    """A word as written; ``start`` and ``end`` are offsets in the text that was read."""

    text: str
    start: int
    end: int

    @property
    def plain(self) -> str:
        """Without quotes and escapes."""
        return _plain(self.text)


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """Rules ask for the same words over and over."""
    return _QUOTING.sub(r"\1", text)


class Command(NamedTuple):
    """One command. ``after`` is the operator that follows (“”: the end); ``name`` is its program, past assignments."""

    words: tuple[Piece, ...]
    after: str
    name: str
    sudo: Piece | None

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end

    @property
    def arguments(self) -> tuple[Piece, ...]:
        """What follows the program's name."""
        at = next((i for i, each in enumerate(self.words) if _basename(each.plain) == self.name), 0)
        return self.words[at + 1 :]

    def has(self, *options: str) -> bool:
        return any(
            each.plain in options or each.plain.partition("=")[0] in options for each in self.words
        )

    def subcommand(self) -> Piece | None:
        """The first argument that is no option."""
        return next((each for each in self.arguments if not each.plain.startswith("-")), None)


def commands(text: str, start: int = 0) -> list[Command]:
    """The commands in ``text`` from ``start`` on; offsets are those of ``text``."""
    found: list[Command] = []
    words: list[Piece] = []
    for kind, token, at in _tokens(text, start):
        if kind == "word":
            words.append(Piece(token, at, at + len(token)))
        elif kind == "operator":
            if words:
                found.append(_command(words, token))
                words = []
            elif found and token == "\n":
                continue
    if words:
        found.append(_command(words, ""))
    return found


def _tokens(text: str, start: int) -> Iterator[tuple[str, str, int]]:
    at = start
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            at += 1
            continue
        yield str(match.lastgroup), match[0], at
        at = match.end()


def _command(words: list[Piece], after: str) -> Command:
    name = ""
    sudo = None
    wrapped = False
    for word in words:
        plain = _basename(word.plain)
        if plain == "sudo":
            sudo = word
        if _ASSIGNMENT.match(word.plain) or plain in _BEFORE or (plain.startswith("-") and wrapped):
            wrapped |= plain in _WRAPPERS
            continue
        name = plain
        break
    return Command(tuple(words), after, name, sudo)


def _basename(path: str) -> str:
    return path.rpartition("/")[2]
