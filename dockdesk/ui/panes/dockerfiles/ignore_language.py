"""The language of .dockerignore for the editor: comments, exceptions, and what stands for other characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence

from dockdesk.ui.widgets.editor import Candidate, Candidates, Card, PlainLanguage
from dockdesk.ui.widgets.editor.language import SpanLike, Stretch

_WILD = re.compile(r"\*\*|\*|\?|\[[^\]]*\]")
_MOST = 60
_CARDS = (
    ("**", "Any number of folders, also none: **/*.pyc is every such file, wherever it lies."),
    ("*", "Any characters within one name; it does not cross a slash."),
    ("?", "One character, but no slash."),
    ("[", "One of the characters in the brackets; [^…] is one that is none of them."),
)


class IgnoreLanguage(PlainLanguage):
    """``paths`` gives the context's paths that begin with what is typed; it is asked on a worker."""

    triggers = "/!"

    def __init__(self, paths: Callable[[str], Sequence[str]] | None = None) -> None:
        super().__init__("#")
        self._paths = paths

    def scan_line(self, line: str, state: Hashable) -> tuple[Sequence[SpanLike], Hashable]:
        # A comment has its sign in the first column: elsewhere it is a character like others.
        if line.startswith("#"):
            return (Stretch(0, len(line), "comment"),), state
        spans = []
        start = len(line) - len(line.lstrip())
        if line.startswith("!", start):
            spans.append(Stretch(start, start + 1, "keyword"))
        spans += [Stretch(found.start(), found.end(), "variable") for found in _WILD.finditer(line)]
        return spans, state

    def complete(self, text: str, line: int, column: int) -> Candidates:
        typed = text.split("\n")[line][:column]
        if self._paths is None or typed.startswith("#"):
            return Candidates((), column, column)
        start = len(typed) - len(typed.lstrip().removeprefix("!").lstrip())
        word = typed[start:]
        items = tuple(
            Candidate(path, path, "folder" if path.endswith("/") else "file")
            for path in self._paths(word)[:_MOST]
        )
        return Candidates(items, start, column)

    def explain(self, text: str, line: int, column: int) -> Card | None:
        written = text.split("\n")[line]
        url = "https://docs.docker.com/build/concepts/context/#dockerignore-files"
        if written.startswith("#"):
            return None
        if written.lstrip().startswith("!") and column <= len(written) - len(written.lstrip()) + 1:
            words = "An exception: what it matches is sent after all. The last rule that matches decides."
            return Card("!", "!pattern", words, (), url)
        for found in _WILD.finditer(written):
            if found.start() <= column <= found.end():
                words = next(text for sign, text in _CARDS if found[0].startswith(sign))
                return Card(found[0], "", words, (), url)
        return None
