"""The grammar of the shell, as far as RUN instructions use it: lists, pipes, redirections, if, for, while, case, functions.

Words stay as they are written; what runs them expands them. Source: POSIX.1-2024, Shell Command Language, 2.3 and 2.9.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

_OPERATORS = (
    "&&",
    "||",
    ";;",
    "|&",
    "<<<",
    "<<-",
    "<<",
    ">>",
    "&>",
    ">|",
    "|",
    "&",
    ";",
    "(",
    ")",
    "<",
    ">",
    "\n",
)
_REDIRECT = re.compile(r"(\d*)(<<<|<<-|<<|>>|>\||[<>]&?|&>)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=[\s\S]*")
_DEEPEST = 60


class ScriptError(ValueError):
    """What no shell could run, or this one can't."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """``sign`` is as written, without the number before it; ``text`` the content of a here-document."""

    number: int
    sign: str
    target: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    assignments: tuple[str, ...]
    words: tuple[str, ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines, each but the first with the && or || before it."""

    items: tuple[tuple[str, Pipeline], ...]


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None


@dataclass(frozen=True, slots=True)
class For:
    name: str
    words: tuple[str, ...]
    body: Script


@dataclass(frozen=True, slots=True)
class While:
    test: Script
    body: Script
    until: bool


@dataclass(frozen=True, slots=True)
class Case:
    word: str
    branches: tuple[tuple[tuple[str, ...], Script], ...]


@dataclass(frozen=True, slots=True)
class Group:
    body: Script
    subshell: bool
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: Command


Command: TypeAlias = Simple | If | For | While | Case | Group | Function
Script: TypeAlias = tuple[Chain, ...]


@dataclass(slots=True)
class _Token:
    """``kind`` is word, operator or end; a redirection is an operator with its number."""

    kind: str
    text: str
    number: int = -1
    here: list[str] = field(default_factory=list)


def parse(text: str) -> Script:
    """Raises ScriptError."""
    return _Parser(_tokens(text)).whole()


def skip_quoted(text: str, position: int) -> int:
    """Where what begins with a quote, $( ${ or a backtick at ``position`` ends; the next position for anything else."""
    letter = text[position]
    if letter == "\\":
        return min(position + 2, len(text))
    if letter == "'":
        end = text.find("'", position + 1)
        if end < 0:
            raise ScriptError("unterminated quoted string")
        return end + 1
    if letter in '"`':
        position += 1
        while position < len(text) and text[position] != letter:
            inner = text[position] == "\\" or (text[position] in "$`" and letter == '"')
            position = skip_quoted(text, position) if inner else position + 1
        if position >= len(text):
            raise ScriptError("unterminated quoted string")
        return position + 1
    if letter == "$" and text[position + 1 : position + 2] in {"(", "{"}:
        return _skip_nested(text, position + 1)
    return position + 1


def _skip_nested(text: str, position: int) -> int:
    opening, closing = text[position], {"(": ")", "{": "}"}[text[position]]
    depth, position = 1, position + 1
    while position < len(text):
        letter = text[position]
        if letter == closing:
            depth -= 1
            if not depth:
                return position + 1
            position += 1
        elif letter == opening:
            depth, position = depth + 1, position + 1
        else:
            position = skip_quoted(text, position)
    raise ScriptError(f"missing '{closing}'")


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    waiting: list[_Token] = []
    position = 0
    while position < len(text):
        letter = text[position]
        if text.startswith("\\\n", position):
            position += 2
        elif letter in " \t\r":
            position += 1
        elif letter == "#":
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif match := _REDIRECT.match(text, position):
            tokens.append(_Token("operator", match[2], int(match[1]) if match[1] else -1))
            position = match.end()
            if match[2] in {"<<", "<<-"}:
                waiting.append(tokens[-1])
        elif operator := next((one for one in _OPERATORS if text.startswith(one, position)), ""):
            tokens.append(_Token("operator", operator))
            position += len(operator)
            if operator == "\n":
                for token in waiting:
                    position = _here(text, position, tokens, token)
                waiting = []
        else:
            end = _word_end(text, position)
            tokens.append(_Token("word", text[position:end]))
            position = end
    return [*tokens, _Token("end", "")]


def _word_end(text: str, position: int) -> int:
    while position < len(text) and text[position] not in " \t\r\n;&|<>()":
        position = skip_quoted(text, position)
    return position


def _here(text: str, position: int, tokens: list[_Token], token: _Token) -> int:
    name = tokens[tokens.index(token) + 1].text.strip("\"'").lstrip("\\")
    content = ""
    while position < len(text):
        end = text.find("\n", position)
        line = text[position : len(text) if end < 0 else end]
        position = len(text) if end < 0 else end + 1
        line = line.lstrip("\t") if token.text == "<<-" else line
        if line == name:
            break
        content += line + "\n"
    token.here.append(content)
    return position


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        if token.kind == "end":
            raise ScriptError("syntax error: unexpected end of file")
        self._at += 1
        return token

    def _is(self, *texts: str, kind: str = "operator") -> bool:
        return self._next.kind == kind and self._next.text in texts

    def _word(self, *texts: str) -> bool:
        return self._is(*texts, kind="word")

    def _expect(self, text: str, kind: str = "word") -> None:
        if not self._is(text, kind=kind):
            found = self._next.text if self._next.kind != "end" else "end of file"
            raise ScriptError(f"syntax error: unexpected {found!r} (expecting {text!r})")
        self._at += 1

    def whole(self) -> Script:
        script = self._script()
        if self._next.kind != "end":
            raise ScriptError(f"syntax error: unexpected {self._next.text!r}")
        return script

    def _script(self, *ends: str) -> Script:
        """Chains up to one of the words ``ends``, a ) or ;;, or the end."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ScriptError("nested too deeply")
        chains: list[Chain] = []
        while True:
            while self._is(";", "\n", "&"):
                self._at += 1
            if self._next.kind == "end" or self._is(")", ";;") or self._word(*ends):
                self._depth -= 1
                return tuple(chains)
            chains.append(self._chain())

    def _chain(self) -> Chain:
        items = [("", self._pipeline())]
        while self._is("&&", "||"):
            sign = self._take().text
            self._newlines()
            items.append((sign, self._pipeline()))
        return Chain(tuple(items))

    def _newlines(self) -> None:
        while self._is("\n"):
            self._at += 1

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._word("!"):
            self._at += 1
            negated = not negated
        commands = [self._command()]
        while self._is("|", "|&"):
            self._at += 1
            self._newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        if self._next.kind == "word":
            compounds: dict[str, Callable[[], Command]] = {
                "if": self._if,
                "for": self._for,
                "while": self._while,
                "until": self._while,
                "case": self._case,
            }
            compound = compounds.get(self._next.text)
            if compound is not None:
                return self._redirected(compound())
            if self._next.text == "{":
                return self._group("}")
            following = self._tokens[self._at + 1 : self._at + 3]
            if [token.text for token in following if token.kind == "operator"] == ["(", ")"]:
                name = self._take().text
                self._at += 2
                self._newlines()
                return Function(name, self._command())
        if self._is("("):
            return self._group(")")
        return self._simple()

    def _if(self) -> If:
        branches = []
        self._at += 1
        while True:
            test = self._script("then")
            self._expect("then")
            branches.append((test, self._script("elif", "else", "fi")))
            if not self._word("elif"):
                break
            self._at += 1
        otherwise = None
        if self._word("else"):
            self._at += 1
            otherwise = self._script("fi")
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _for(self) -> For:
        self._at += 1
        name, words = self._take().text, ['"$@"']
        self._newlines()
        if self._word("in"):
            self._at += 1
            words = []
            while self._next.kind == "word":
                words.append(self._take().text)
        while self._is(";", "\n"):
            self._at += 1
        self._expect("do")
        body = self._script("done")
        self._expect("done")
        return For(name, tuple(words), body)

    def _while(self) -> While:
        until = self._take().text == "until"
        test = self._script("do")
        self._expect("do")
        body = self._script("done")
        self._expect("done")
        return While(test, body, until)

    def _case(self) -> Case:
        self._at += 1
        word = self._take().text
        self._newlines()
        self._expect("in")
        branches = []
        self._newlines()
        while not self._word("esac"):
            if self._is("("):
                self._at += 1
            patterns = [self._take().text]
            while self._is("|"):
                self._at += 1
                patterns.append(self._take().text)
            self._expect(")", "operator")
            branches.append((tuple(patterns), self._script("esac")))
            if self._is(";;"):
                self._at += 1
            self._newlines()
        self._expect("esac")
        return Case(word, tuple(branches))

    def _group(self, end: str) -> Group:
        self._at += 1
        body = self._script(end)
        self._expect(end, "operator" if end == ")" else "word")
        return Group(body, end == ")", self._all_redirects())

    def _redirected(self, command: Command) -> Command:
        redirects = self._all_redirects()
        if not redirects:
            return command
        return Group((Chain((("", Pipeline((command,))),)),), False, redirects)

    def _all_redirects(self) -> tuple[Redirect, ...]:
        redirects = []
        while self._redirects():
            redirects.append(self._redirect())
        return tuple(redirects)

    def _redirects(self) -> bool:
        return (self._next.kind == "operator" and self._next.text[:1] in {"<", ">"}) or self._is(
            "&>"
        )

    def _redirect(self) -> Redirect:
        token = self._take()
        if self._next.kind != "word":
            raise ScriptError("syntax error: unexpected end of a redirection")
        number = token.number if token.number >= 0 else 0 if token.text[0] == "<" else 1
        return Redirect(
            number, token.text, self._take().text, token.here[0] if token.here else None
        )

    def _simple(self) -> Simple:
        assignments, words, redirects = list[str](), list[str](), list[Redirect]()
        while True:
            if self._redirects():
                redirects.append(self._redirect())
            elif self._next.kind != "word":
                break
            elif not words and _ASSIGNMENT.fullmatch(self._next.text):
                assignments.append(self._take().text)
            else:
                words.append(self._take().text)
        if not (assignments or words or redirects):
            found = self._next.text if self._next.kind != "end" else "end of file"
            raise ScriptError(f"syntax error: unexpected {found!r}")
        return Simple(tuple(assignments), tuple(words), tuple(redirects))
