"""Variables in a Dockerfile's words. Source: Dockerfile reference, “Environment replacement”; moby/buildkit, shell/lex.go."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping

from dockdesk.sandbox.buildkit.dockerfile import DockerfileError

_NAME = re.compile(r"[A-Za-z_]\w*|\d")
_MODIFIED = re.compile(r"(:?[-+?]|##?|%%?|//?)([\s\S]*)")


class Expander:
    """Fills variables in. With ``raw``, quotes and escapes stay; ``keep`` leaves unknown variables as they are."""

    def __init__(
        self, values: Mapping[str, str], escape: str = "\\", raw: bool = False, keep: bool = False
    ) -> None:
        self._values = values
        self._escape = escape
        self._raw = raw
        self._keep = keep
        self.unknown: set[str] = set()

    def word(self, text: str) -> str:
        """All of a text as one word. Raises DockerfileError."""
        return self._run(text, False)[0]

    def words(self, text: str) -> list[str]:
        """A text in words, as blanks part it. Raises DockerfileError."""
        return [word for word in self._run(text, True) if word is not None]

    def _run(self, text: str, splitting: bool) -> list[str]:
        words: list[str] = []
        word, begun, position, quote = "", False, 0, ""
        while position < len(text):
            letter = text[position]
            if quote == "'":
                position += 1
                if letter == "'":
                    quote = ""
                    word += "'" if self._raw else ""
                else:
                    word += letter
                continue
            if letter in "'\"" and (not quote or letter == quote):
                quote = "" if quote else letter
                begun = True
                word += letter if self._raw else ""
                position += 1
            elif letter == self._escape and position + 1 < len(text):
                following = text[position + 1]
                kept = self._raw or (quote == '"' and following not in f'"$\\{self._escape}')
                word += (letter if kept else "") + following
                begun = True
                position += 2
            elif letter == "$":
                value, position = self._variable(text, position)
                word += value
                begun = begun or bool(value)
            elif splitting and not quote and letter in " \t\n":
                if word or begun:
                    words.append(word)
                word, begun = "", False
                position += 1
            else:
                word += letter
                position += 1
        if quote:
            kind = "single" if quote == "'" else "double"
            raise DockerfileError(
                f"unexpected end of statement while looking for matching {kind}-quote"
            )
        return [*words, word] if word or begun or not splitting else words

    def _variable(self, text: str, position: int) -> tuple[str, int]:
        if text[position + 1 : position + 2] != "{":
            match = _NAME.match(text, position + 1)
            if match is None:
                return "$", position + 1
            return self._value(match[0], text[position : match.end()]), match.end()
        end, depth = position + 2, 1
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        if depth:
            raise DockerfileError('failed to process "' + text + "\": syntax error: missing '}'")
        inner = text[position + 2 : end - 1]
        match = _NAME.match(inner)
        if match is None:
            raise DockerfileError(
                f'failed to process "{text}": unsupported modifier in substitution'
            )
        return self._modified(match[0], inner[match.end() :], text[position:end]), end

    def _value(self, name: str, written: str) -> str:
        if name in self._values:
            return self._values[name]
        self.unknown.add(name)
        return written if self._keep else ""

    def _modified(self, name: str, modifier: str, written: str) -> str:
        if not modifier:
            return self._value(name, written)
        match = _MODIFIED.fullmatch(modifier)
        if match is None:
            raise DockerfileError(f"unsupported modifier ({modifier[:1]}) in substitution")
        kind, text = match[1], match[2]
        known = name in self._values
        value = self._values.get(name, "")
        there = known and (bool(value) or not kind.startswith(":"))
        if self._keep and not known and kind[-1] not in "-+?":
            return written
        match kind[-1]:
            case "-":
                return value if there else self.word(text)
            case "+":
                return self.word(text) if there else ""
            case "?":
                if not there:
                    raise DockerfileError(f"{name}: {self.word(text) or 'not allowed to be unset'}")
                return value
            case "#" | "%":
                return _trimmed(value, self.word(text), kind)
        pattern, _, new = text.partition("/")
        regular = fnmatch.translate(self.word(pattern))[4:-3]
        return re.sub(regular, lambda _: self.word(new), value, count=0 if kind == "//" else 1)


def _trimmed(value: str, pattern: str, kind: str) -> str:
    """Without the shortest (# %) or longest (## %%) beginning or end that matches."""
    lengths = range(len(value) + 1)
    for length in reversed(lengths) if len(kind) == 2 else lengths:
        if kind[0] == "#" and fnmatch.fnmatchcase(value[:length], pattern):
            return value[length:]
        if kind[0] == "%" and fnmatch.fnmatchcase(value[len(value) - length :], pattern):
            return value[: len(value) - length]
    return value
