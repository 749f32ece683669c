"""Splitting a logical line: keyword, flags, words, JSON arrays, heredoc words. Offsets are into the logical line.

Source: moby/buildkit, frontend/dockerfile/parser (split_command.go, line_parsers.go, parser.go).
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from dockdesk.dockerfile.shell import SPACE_CLASS, SPACES, ExpansionError, expand, nothing

GAP = re.compile(r"[\t\v\f\r ]+")  # what separates; wider than this is a part of the word
_RUN = re.compile(r"[^\t\v\f\r ]+")
_FLAG = re.compile(rf"--[^{SPACE_CLASS}'\"\\`]*")
_LEXED = re.compile(r"['\"\\$]")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_HEREDOC = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)\Z")
_WORDS = {
    escape: re.compile(
        rf"(?:[^{SPACE_CLASS}'\"{re.escape(escape)}]++|{re.escape(escape)}(?:.|\Z)|'[^']*+'?"
        rf'|"(?:[^"{re.escape(escape)}]|{re.escape(escape)}(?:.|\Z))*+"?)++',
        re.DOTALL,
    )
    for escape in "\\`"
}
# As the shell lexer splits: `<<` takes the white space after it along, and only a backslash escapes.
SHELL_WORDS = re.compile(
    rf"(?:<<[\t\r ]*+|[^{SPACE_CLASS}'\"\\<]++|<|\\.|'[^']*+'?|\"(?:[^\"\\]|\\.)*+\"?|\\)++",
    re.DOTALL,
)


class Piece(NamedTuple):
    text: str
    start: int
    end: int


class Heading(NamedTuple):
    """A heredoc word, before its body is read."""

    name: str
    descriptor: int
    expand: bool
    chomp: bool
    start: int
    end: int


def runs(text: str, start: int) -> list[Piece]:
    """Words split at white space alone."""
    return [Piece(found[0], *found.span()) for found in _RUN.finditer(text, start)]


def quoted_words(text: str, start: int, escape: str) -> list[Piece]:
    """Words split at white space outside of quotes, quotes and escapes kept. An escape at the very end is dropped."""
    words = []
    for found in _WORDS[escape].finditer(text, start):
        word = found[0]
        if found.end() == len(text) and (len(word) - len(word.rstrip(escape))) % 2:
            word = word[:-1]
            if not word:
                continue
        words.append(Piece(word, *found.span()))
    return words


def flag_words(text: str, start: int, escape: str) -> tuple[list[Piece], int]:
    """The leading ``--…`` words with quotes and escapes taken off, and where the rest begins.

    ``--`` alone ends them. Within any quotes an escape works, as nowhere else.
    """
    flags: list[Piece] = []
    at, end = start, len(text)
    while True:
        while at < end and text[at] in SPACES:
            at += 1
        if not text.startswith("--", at):
            return flags, at
        simple = _FLAG.match(text, at)
        if simple and (simple.end() == end or text[simple.end()] in SPACES):
            at = simple.end()
            if simple[0] == "--":
                return flags, at
            flags.append(Piece(simple[0], *simple.span()))
            continue
        begin = at
        chars: list[str] = []
        quote = ""
        blank = False
        while at < end:
            char = text[at]
            if not quote and char in SPACES:
                break
            if char == quote:
                quote = ""
            elif not quote and char in "'\"":
                quote = char
                blank = True
            elif char == escape:
                at += 1
                chars.append(text[at : at + 1])
            else:
                chars.append(char)
            at += 1
        at = min(at, end)
        word = "".join(chars)
        if word == "--":
            return flags, at
        if word or blank:
            flags.append(Piece(word, begin, at))


class NotStringsError(ValueError):
    """A JSON array with something other than strings in it, which ends the build."""


def json_words(text: str, start: int) -> list[Piece] | None:
    """The strings of a JSON array, decoded; None where the text is no JSON array. Raises NotStringsError."""
    at = start
    while at < len(text) and text[at] in SPACES:
        at += 1
    if text[at : at + 1] != "[":
        return None
    try:
        values = _ARRAYS.decode(text[at:])
    except RecursionError:
        raise NotStringsError from None
    except ValueError:
        return None
    if not all(isinstance(value, str) for value in values):
        raise NotStringsError
    places = [found.span() for found in _STRING.finditer(text, at)]
    return [Piece(value, *place) for value, place in zip(values, places, strict=True)]


def _no_constant(name: str) -> None:
    raise ValueError(name)


# Made once: with options, `json.loads` makes another for each text, which takes longer than reading it.
_ARRAYS = json.JSONDecoder(parse_constant=_no_constant, parse_int=float)


def heredoc_words(text: str) -> list[Heading]:
    """The heredocs a logical line announces. A line whose quotes do not close announces none, as BuildKit has it.

    Raises ExpansionError for a name that cannot be read.
    """
    if "<<" not in text:
        return []
    if _LEXED.search(text):
        try:
            expand(text, nothing, raw_quotes=True, raw_escapes=True, keep_unset=True)
        except ExpansionError:
            return []
    found = []
    for match in SHELL_WORDS.finditer(text):
        heading = heredoc_word(match[0], *match.span())
        if heading:
            found.append(heading)
    return found


def heredoc_word(word: str, start: int = 0, end: int = 0) -> Heading | None:
    """Read a whole word as ``<<NAME``; None where it is something else. Raises ExpansionError."""
    if "<<" not in word:
        return None
    match = _HEREDOC.match(word)
    if not match or not match[3]:
        return None
    if match[3].isalnum():
        return Heading(match[3], int(match[1][-9:] or 0), True, match[2] == "-", start, end)
    plain = expand(match[3], nothing, keep_unset=True).words
    if len(plain) != 1:
        return None
    raw = expand(match[3], nothing, raw_quotes=True, keep_unset=True).words
    unquoted = len(raw) == 1 and _quotes(raw[0]) == _quotes(plain[0])
    return Heading(plain[0], int(match[1][-9:] or 0), unquoted, match[2] == "-", start, end)


def _quotes(word: str) -> int:
    return word.count("'") + word.count('"')
