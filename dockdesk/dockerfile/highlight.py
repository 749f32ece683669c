"""Colours for one line at a time, from what the lines above left behind.

An editor paints a line within a frame of its being typed, so nothing here looks at another line: what matters of them
(the escape character, an instruction or heredoc that goes on, an open quote) is in the hashable state.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from dockdesk.dockerfile.shell import SPACE_CLASS, SPACES, ExpansionError
from dockdesk.dockerfile.vocabulary import DIRECTIVES, EXPANDING, HEREDOCS, JSON_FORMS, KNOWN
from dockdesk.dockerfile.words import SHELL_WORDS, heredoc_word

SpanKind = Literal[
    "keyword",
    "flag",
    "string",
    "variable",
    "comment",
    "heredoc",
    "stage",
    "directive",
    "number",
    "operator",
    "error",
]


class Span(NamedTuple):
    """Columns ``start`` to ``end`` of the line; spans do not overlap and are in order."""

    start: int
    end: int
    kind: SpanKind


class Waiting(NamedTuple):
    """A heredoc that is open or will be once the instruction ends."""

    name: str
    chomp: bool
    expand: bool


class State(NamedTuple):
    """What a line begins with.

    ``keyword`` is the instruction that goes on, empty between instructions; ``flags`` whether flags may still come;
    ``word`` counts words after them; ``quote`` is an open quote. ``within`` says that the line is a heredoc's.
    """

    escape: str = "\\"
    top: bool = True
    keyword: str = ""
    onbuild: bool = False
    flags: bool = False
    word: int = 0
    quote: str = ""
    json: bool = False
    heredocs: tuple[Waiting, ...] = ()
    within: bool = False
    seen: tuple[str, ...] = ()


START = State()

_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(\S(?:.*\S)?)")
_WORD = re.compile(rf"[^{SPACE_CLASS}]+")
_FLAG = re.compile(rf"--[\w-]*(=?)[^{SPACE_CLASS}]*")
_VARIABLE = re.compile(r"\$(?:\w+|\{[^}\n]*\}?|[@*#?$!-])")
_TOKENS = {
    escape: re.compile(
        rf"(?P<skip>{re.escape(escape)}.)|(?P<variable>\$(?:\w+|\{{[^}}]*\}}?))"
        r"|(?P<quote>['\"])|(?P<operator>&&|\|\||[|;&<>]+|[\[\],](?=[\s\"\[\],]|$)|(?<=\w)=)"
        r"|(?P<number>(?<![\w.:/@-])\d+(?:/(?:tcp|udp|sctp))?(?![\w.:/@-]))"
    )
    for escape in "\\`"
}
_NAMES: dict[str, SpanKind] = {"ENV": "variable", "LABEL": "flag"}
_NAMED = {
    escape: re.compile(
        rf"(?P<name>(?<![^{SPACE_CLASS}])(?<!{re.escape(escape)}[{SPACE_CLASS}])[\w./-]+(?==))|"
        + tokens.pattern
    )
    for escape, tokens in _TOKENS.items()
}
_QUOTED = {
    (quote, escape): re.compile(
        rf"(?:[^{quote}]*)"
        if quote == "'"
        else rf"(?:[^\"{re.escape(escape)}]|{re.escape(escape)}.|{re.escape(escape)}$)*"
    )
    for quote in "'\""
    for escape in "\\`"
}


def scan_line(line: str, state: State) -> tuple[list[Span], State]:
    """The line's spans and the state after it. ``line`` comes without its line feed."""
    line = line.rstrip("\r")
    if state.within:
        return _heredoc_line(line, state)
    body = line.lstrip(SPACES)
    if state.top and body.startswith("\ufeff"):
        body = body[1:].lstrip(SPACES)
    if not body:
        # A blank line ends the directives, but not a continued instruction.
        return [], state._replace(top=False) if state.top else state
    if body[0] == "#":
        return _comment(line, state)
    return _code(line, 0 if state.quote else len(line) - len(body), state)


def _heredoc_line(line: str, state: State) -> tuple[list[Span], State]:
    here = state.heredocs[0]
    if (line.lstrip("\t") if here.chomp else line) == here.name:
        rest = state.heredocs[1:]
        after = State(state.escape, False, heredocs=rest, within=True, keyword=state.keyword)
        start = len(line) - len(here.name)
        spans = [Span(start, len(line), "operator")] if here.name else []
        return spans, after if rest else State(state.escape, False)
    if not line:
        return [], state
    if not here.expand or "$" not in line:
        return [Span(0, len(line), "heredoc")], state
    spans = []
    at = 0
    for found in _VARIABLE.finditer(line):
        if found.start() and line[found.start() - 1] == "\\":
            continue
        if found.start() > at:
            spans.append(Span(at, found.start(), "heredoc"))
        spans.append(Span(*found.span(), "variable"))
        at = found.end()
    if at < len(line):
        spans.append(Span(at, len(line), "heredoc"))
    return spans, state


def _comment(line: str, state: State) -> tuple[list[Span], State]:
    start = line.index("#")
    if state.top:
        found = _DIRECTIVE.match(line.lstrip("\ufeff"))
        name = found[1].lower() if found else ""
        if found and name in DIRECTIVES and name not in state.seen:
            shift = len(line) - len(line.lstrip("\ufeff"))
            state = state._replace(seen=(*state.seen, name))
            value: SpanKind = "string"
            if name == "escape":
                if found[2] in ("\\", "`"):
                    state = state._replace(escape=found[2])
                else:
                    value = "error"
            spans = [
                Span(start, shift + found.end(1), "directive"),
                Span(shift + found.start(2), shift + found.end(2), value),
            ]
            return spans, state
        state = state._replace(top=False)
    return [Span(start, len(line), "comment")], state


def _code(line: str, at: int, state: State) -> tuple[list[Span], State]:
    escape = state.escape
    kept = line.rstrip(" \t")
    more = kept.endswith(escape) and kept[-2:-1] != escape
    end = len(kept) - 1 if more else len(kept)
    spans: list[Span] = []
    keyword, flags, word, quote = state.keyword, state.flags, state.word, state.quote
    onbuild, json = state.onbuild, state.json
    if state.top:
        state = state._replace(top=False, seen=())
    while at < end and (not keyword or (keyword == "ONBUILD" and not onbuild)):
        found = _WORD.search(line, at, end)
        if not found:
            break
        onbuild = keyword == "ONBUILD"
        keyword = found[0].upper()
        spans.append(Span(*found.span(), "keyword" if keyword in KNOWN else "error"))
        at = found.end()
        flags, word, quote, json = True, 0, "", False
    if flags:
        at, flags = _flags(line, at, end, spans)
    start = at
    if keyword and at < end:
        if not quote and not word and keyword in JSON_FORMS:
            json = line[at:end].lstrip(SPACES).startswith("[")
        if keyword in ("FROM", "HEALTHCHECK", "ARG") and not quote:
            at, word = _words(line, at, end, spans, keyword, word)
        elif keyword in _NAMES and not quote and not word:
            at = _lone_name(line, at, end, spans, keyword)
        if at < end:
            quote = _values(line, at, end, spans, keyword, quote, escape)
            word += bool(line[at:end].strip())
    heredocs = state.heredocs
    if keyword in HEREDOCS and "<<" in line and not json:
        heredocs += _waiting(line[start:end], state.quote)
    if more:
        spans.append(Span(end, end + 1, "operator"))
        after = State(
            escape, False, keyword, onbuild, flags, word, quote, json, heredocs, False, ()
        )
        return spans, after
    if heredocs and not quote:
        return spans, State(escape, False, keyword, heredocs=heredocs, within=True)
    return spans, State(escape, False)


def _flags(line: str, at: int, end: int, spans: list[Span]) -> tuple[int, bool]:
    """Colour leading flags; gives where they end and whether more may follow on the next line."""
    while at < end and line[at] in SPACES:
        at += 1
    while line.startswith("--", at, end):
        found = _FLAG.match(line, at, end)
        if not found:
            break
        word = found[0]
        name_end = at + (word.index("=") if found[1] else len(word))
        spans.append(Span(at, name_end, "flag"))
        if name_end < found.end():
            _values(line, name_end + 1, found.end(), spans, "FLAG", "", "\\")
        at = found.end()
        if word == "--":
            return at, False
        while at < end and line[at] in SPACES:
            at += 1
    return at, at >= end


def _words(
    line: str, at: int, end: int, spans: list[Span], keyword: str, word: int
) -> tuple[int, int]:
    """Colour what stands at a fixed place: FROM's ``AS name``, HEALTHCHECK's CMD, ARG's names."""
    for found in _WORD.finditer(line, at, end):
        if keyword == "ARG":
            name = found[0].partition("=")[0]
            spans.append(Span(found.start(), found.start() + len(name), "variable"))
            if "=" in found[0]:
                return found.start() + len(name), word + 1
        elif keyword == "HEALTHCHECK":
            known = found[0].upper() in ("CMD", "NONE")
            if word == 0:
                spans.append(Span(*found.span(), "keyword" if known else "error"))
                return found.end(), 1
            return found.start(), word
        elif word == 1:
            known = found[0].upper() == "AS"
            spans.append(Span(*found.span(), "keyword" if known else "error"))
        elif word == 2:
            spans.append(Span(*found.span(), "stage"))
        elif word > 2:
            spans.append(Span(*found.span(), "error"))
        else:
            spans += [
                Span(*part.span(), "variable")
                for part in _VARIABLE.finditer(line, found.start(), found.end())
            ]
        word += 1
    return end, word


def _lone_name(line: str, at: int, end: int, spans: list[Span], keyword: str) -> int:
    """Colour the name of the old form, ``ENV name value``; gives where it ends."""
    found = _WORD.search(line, at, end)
    if not found or "=" in found[0] or found[0][0] in "\"'":
        return at
    spans.append(Span(*found.span(), _NAMES[keyword]))
    return found.end()


def _values(
    line: str, at: int, end: int, spans: list[Span], keyword: str, quote: str, escape: str
) -> str:
    """Colour strings, variables, operators and numbers; gives the quote left open."""
    tokens = (_NAMED if keyword in _NAMES else _TOKENS)[escape]
    if quote:
        at, quote = _string(line, at, at, end, spans, quote, escape)
    while not quote and (found := tokens.search(line, at, end)):
        kind = found.lastgroup
        at = found.end()
        if kind == "quote":
            at, quote = _string(line, found.start(), at, end, spans, found[0], escape)
        elif kind == "variable":
            spans.append(Span(*found.span(), "variable"))
        elif kind == "name":
            spans.append(Span(*found.span(), _NAMES[keyword]))
        elif kind == "operator":
            spans.append(Span(*found.span(), "operator"))
        elif kind == "number" and (keyword in EXPANDING or keyword == "FLAG"):
            spans.append(Span(*found.span(), "number"))
    return quote


def _string(
    line: str, start: int, at: int, end: int, spans: list[Span], quote: str, escape: str
) -> tuple[int, str]:
    """Colour a string from ``start`` whose text begins at ``at``; gives its end and the quote if it stays open."""
    found = _QUOTED[quote, escape].match(line, at, end)
    close = found.end() if found else at
    closed = close < end and line[close] == quote
    stop = close + 1 if closed else end
    if quote == '"' and "$" in line[start:stop]:
        begin = start
        for variable in _VARIABLE.finditer(line, start, stop):
            if line[variable.start() - 1] == escape and variable.start() > start:
                continue
            if variable.start() > begin:
                spans.append(Span(begin, variable.start(), "string"))
            spans.append(Span(variable.start(), min(variable.end(), stop), "variable"))
            begin = variable.end()
        if begin < stop:
            spans.append(Span(begin, stop, "string"))
    elif stop > start:
        spans.append(Span(start, stop, "string"))
    return stop, "" if closed else quote


def _waiting(text: str, quote: str) -> tuple[Waiting, ...]:
    """The heredocs a piece of an instruction announces, with a quote open from the line above."""
    if quote:
        close = text.find(quote)
        if close < 0:
            return ()
        text = text[close + 1 :]
    found = []
    for match in SHELL_WORDS.finditer(text):
        try:
            heading = heredoc_word(match[0])
        except ExpansionError:
            continue
        if heading:
            found.append(Waiting(heading.name, heading.chomp, heading.expand))
    return tuple(found)
