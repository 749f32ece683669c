"""The languages of the pane's files, as the editor wants them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import cast

from dockdesk.dockerfile import yaml_text
from dockdesk.dockerfile.formatting import format_document, toggle_comment
from dockdesk.dockerfile.highlight import START, State, scan_line
from dockdesk.ui.panes.dockerfiles import kinds
from dockdesk.ui.panes.dockerfiles.files import from_screen, to_screen
from dockdesk.ui.panes.dockerfiles.ignore_language import IgnoreLanguage
from dockdesk.ui.panes.dockerfiles.reading import Reader
from dockdesk.ui.panes.dockerfiles.sources import CachedSources
from dockdesk.ui.widgets.editor import Candidate, Candidates, Card, Language, Place, PlainLanguage
from dockdesk.ui.widgets.editor.language import SpanLike


class DockerfileLanguage:
    """`dockdesk.dockerfile`, with ``sources`` asked at each completion for what is known of images and files."""

    triggers = " =-/:$,"

    def __init__(self, reader: Reader, sources: Callable[[], CachedSources]) -> None:
        self._reader = reader
        self._sources = sources

    def scan_line(self, line: str, state: Hashable) -> tuple[Sequence[SpanLike], Hashable]:
        return scan_line(line, START if state is None else cast(State, state))

    def complete(self, text: str, line: int, column: int) -> Candidates:
        from dockdesk.dockerfile.complete import complete

        found = complete(self._reader.read(from_screen(text)), line, column, self._sources())
        items = tuple(
            Candidate(item.label, item.insert, item.kind, item.detail, item.docs, item.stops)
            for item in found.items
        )
        return Candidates(items, found.place.column, found.place.end_column)

    def explain(self, text: str, line: int, column: int) -> Card | None:
        from dockdesk.dockerfile.hover import explain

        found = explain(self._reader.read(from_screen(text)), line, column)
        if found is None:
            return None
        facts = (("Cache", found.cache), ("Size", found.size), ("Section", found.section))
        return Card(
            found.title,
            found.syntax,
            found.text,
            tuple((word, words) for word, words in facts if words),
            found.url,
        )

    def places(self, text: str) -> Sequence[Place]:
        return [
            Place(stage.name or f"Stage {stage.index}", f"from {stage.base}", stage.line)
            for stage in self._reader.read(from_screen(text)).stages
        ]

    def toggle_comment(self, text: str, first: int, last: int) -> str:
        return to_screen(toggle_comment(from_screen(text), first, last))

    def format(self, text: str) -> str:
        return to_screen(format_document(from_screen(text)))


class YamlLanguage(PlainLanguage):
    """Coloured; of what its keys mean nothing is known."""

    def __init__(self) -> None:
        super().__init__("#")

    def scan_line(self, line: str, state: Hashable) -> tuple[Sequence[SpanLike], Hashable]:
        return yaml_text.scan_line(
            line, yaml_text.START if state is None else cast(yaml_text.YamlState, state)
        )


def language_of(kind: str, reader: Reader, sources: Callable[[], CachedSources]) -> Language:
    """The language of a kind of file."""
    if kind == kinds.DOCKERFILE:
        return DockerfileLanguage(reader, sources)
    if kind == kinds.IGNORE:
        return IgnoreLanguage(lambda prefix: sources().files(prefix))
    if kind in {kinds.COMPOSE, kinds.YAML}:
        return YamlLanguage()
    return PlainLanguage("" if kind == kinds.TEXT else "#")
