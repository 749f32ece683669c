"""YAML as an editor needs it, for Compose files and settings of linters: colours line by line, and what is no YAML.

Source: https://yaml.org/spec/1.2.2/ and, for ``${NAME}`` in Compose files,
https://docs.docker.com/reference/compose-file/interpolation/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dockdesk.core.work import Work
from dockdesk.dockerfile.highlight import Span
from dockdesk.dockerfile.problems import Problem

if TYPE_CHECKING:
    import yaml

_MOST = 50  # problems


class YamlState(NamedTuple):
    """What a line begins with: an open ``quote``, or a block of text whose lines are further in than ``block``."""

    quote: str = ""
    block: int = -1


START = YamlState()

# Each piece of these can be taken in one way only, so that no line takes longer than its length.
_KEY = re.compile(
    r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'"
    r"|(?:[^\s\"'#\[\]{},&*!|>%@`:?-]|[?:-](?=\S))(?:[^#\[\]{},:]|:(?=\S))*)(?=:(?:\s|$))"
)
_TOKEN = re.compile(
    r"(?P<comment>(?<!\S)\#.*)|(?P<quote>['\"])|(?P<skip>\$\$)|(?P<variable>\$(?:\{[^}]*\}?|[A-Za-z_]\w*))"
    r"|(?P<stage>(?<![\w])[&*][^\s,\[\]{}]+)|(?P<directive>(?<!\S)![^\s,\[\]{}]*)"
    r"|(?P<number>(?<![^\s,\[\]{}:])(?:[-+]?\d[\d_.]*(?:[eE][-+]?\d+)?|true|false|null|yes|no|on|off|~)(?=\s*(?:[,\]}#]|$)))"
    r"|(?P<operator>[\[\]{},])"
)  # fmt: skip
_SURROGATES = re.compile("[\ud800-\udfff]")
_BLOCK = re.compile(r"(?:^|[:\s-])[|>][-+0-9]*\s*(?:#.*)?$")
_ENDS = {'"': re.compile(r'(?:[^"\\]|\\.)*"'), "'": re.compile(r"(?:[^']|'')*'")}


def scan_line(line: str, state: YamlState) -> tuple[list[Span], YamlState]:
    """The line's spans and the state after it."""
    line = line.rstrip("\r")
    indent = len(line) - len(line.lstrip(" "))
    spans: list[Span] = []
    if state.block >= 0:
        if indent == len(line):
            return spans, state
        if indent > state.block:
            return [Span(indent, len(line), "heredoc")], state
        state = START
    at = indent
    if state.quote:
        at, quote = _string(line, 0, 0, state.quote, spans)
        if quote:
            return spans, state
    elif line.startswith(("---", "...", "%")):
        return [Span(0, len(line), "directive")], START
    else:
        at = _dashes(line, at, spans)
        at = _key(line, at, spans)
    return _rest(line, at, indent, spans)


def _dashes(line: str, at: int, spans: list[Span]) -> int:
    while line.startswith("-", at) and line[at + 1 : at + 2] in ("", " "):
        spans.append(Span(at, at + 1, "operator"))
        at += 1
        while line.startswith(" ", at):
            at += 1
    return at


def _key(line: str, at: int, spans: list[Span]) -> int:
    found = _KEY.match(line, at)
    if found is None:
        return at
    spans.append(Span(at, at + len(found[0].rstrip()), "flag"))
    return found.end()


def _rest(line: str, at: int, indent: int, spans: list[Span]) -> tuple[list[Span], YamlState]:
    while found := _TOKEN.search(line, at):
        kind = found.lastgroup
        at = found.end()
        if kind == "skip":
            continue
        if kind == "quote":
            if found.start() and line[found.start() - 1] not in " \t[{,:":
                continue  # within a plain word
            at, quote = _string(line, found.start(), at, found[0], spans)
            if quote:
                return spans, YamlState(quote)
            continue
        spans.append(Span(found.start(), at, kind))  # type: ignore[arg-type]
        if kind == "comment":
            break
        if kind == "operator" and found[0] in "{,":
            while line.startswith(" ", at):
                at += 1
            at = _key(line, at, spans)
    if _BLOCK.search(line) and not (spans and spans[-1].kind == "string"):
        return spans, YamlState(block=indent)
    return spans, START


def _string(line: str, start: int, at: int, quote: str, spans: list[Span]) -> tuple[int, str]:
    """Colour a string; gives its end, and the quote if it stays open."""
    found = _ENDS[quote].match(line, at)
    end = found.end() if found else len(line)
    if end > start:
        spans.append(Span(start, end, "string"))
    return end, "" if found else quote


def check_yaml(work: Work, text: str) -> tuple[Problem, ...]:
    """What is no YAML in ``text``, and keys that are there twice; of all else nothing is known. Blocks for long texts.

    Raises CancelledError.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    work.check()
    lines = text.split("\n")
    text = _SURROGATES.sub("\ufffd", text)  # bytes that are no UTF-8
    try:
        documents = list(yaml.compose_all(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        return (_fault(lines, error),)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = before.count("\n"), error.position - before.rfind("\n") - 1
        return (
            _at(lines, *place, "yaml", "This is not YAML: no such character may be in it.", ""),
        )
    except yaml.YAMLError as error:
        return (_at(lines, 0, 0, "yaml", f"This can't be read as YAML: {error}", ""),)
    except RecursionError:
        return (_at(lines, 0, 0, "yaml", "This is nested too deeply to be read.", ""),)
    found = []
    for key, first in _doubles(documents):
        work.check()
        mark = key.start_mark
        found.append(
            _at(
                lines,
                mark.line,
                mark.column,
                "yaml-twice",
                f"“{key.value}” is given twice.",
                f"It is on line {first.start_mark.line + 1} already: a key may be there once.",
                len(str(key.value)),
            )
        )
        if len(found) >= _MOST:
            break
    return tuple(found)


def _fault(lines: list[str], error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    said = (error.problem or "something is wrong here").strip()
    why = ""
    if error.context:
        began = error.context_mark
        where = f" that begins on line {began.line + 1}" if began is not None else ""
        why = f"It came up {error.context.strip()}{where}."
    if line < len(lines) and lines[line][column : column + 1] == "\t":
        said, why = "a tab can't stand here", "YAML is indented with spaces."
    return _at(lines, line, column, "yaml", f"This is not YAML: {said}.", why)


def _at(
    lines: list[str], line: int, column: int, code: str, message: str, why: str, width: int = 1
) -> Problem:
    """A problem at a place that there is: PyYAML's end of the text may lie behind the last line."""
    while line >= len(lines) or (line and not lines[line].strip()):
        line -= 1
        column = len(lines[line]) if line < len(lines) else 0
    end = min(len(lines[line]), column + width)
    column = min(column, max(0, end - 1))
    return Problem(line, column, line, end, code, "bad", message, why, "parser")


def _doubles(documents: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Keys that their mapping has already, with the first of them."""
    import yaml

    todo = [node for node in documents if node is not None]
    known = {id(node) for node in todo}
    while todo:
        node = todo.pop()
        children: list[Any] = []
        if isinstance(node, yaml.MappingNode):
            seen: dict[tuple[str, str], Any] = {}
            for key, value in node.value:
                children += (key, value)
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    first = seen.setdefault((key.tag, key.value), key)
                    if first is not key:
                        yield key, first
        elif isinstance(node, yaml.SequenceNode):
            children += node.value
        for child in children:
            if id(child) not in known:
                known.add(id(child))
                todo.append(child)
