"""Detail views made of cards with facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.core.masking import holds_secret
from dockdesk.core.refs import ResourceRef
from dockdesk.core.units import age_text
from dockdesk.ui.fetched import FetchedView
from dockdesk.ui.widgets.cards import Card
from dockdesk.ui.widgets.key_values import Fact, KeyValueGrid
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.scroll import ContentScroll

T = TypeVar("T")
D = TypeVar("D")


def time_text(seconds: float) -> str:
    """A moment in local time, and how long ago it was."""
    if seconds <= 0:
        return ""
    return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S} ({age_text(seconds)})"


def pair_facts(pairs: Sequence[tuple[str, str]]) -> list[Fact]:
    """Names and values, secret ones masked until asked for."""
    return [Fact(name, value, secret=holds_secret(name, value), mono=True) for name, value in pairs]


class FactsView(FetchedView[T, D]):
    """Cards side by side; subclasses name them in `layout_of_cards` and fill them in `present`.

    A fact whose link is a `ResourceRef` leads to where that resource lives.
    """

    def layout_of_cards(self) -> Sequence[Sequence[tuple[str, str]]]:
        """Columns of (title, what an empty card says)."""
        raise NotImplementedError

    def set_card(self, title: str, facts: Sequence[Fact]) -> None:
        grid, note = self._cards[title]
        grid.set_facts(facts)
        grid.setVisible(bool(facts))
        note.setVisible(not facts)

    def facts(self, title: str) -> tuple[Fact, ...]:
        """What a card shows."""
        return self._cards[title][0].facts()

    def grid(self, title: str) -> KeyValueGrid:
        """The rows of a card."""
        return self._cards[title][0]

    def make_content(self) -> QWidget:
        page = QWidget()
        columns = QHBoxLayout(page)
        columns.setContentsMargins(12, 12, 12, 12)
        columns.setSpacing(12)
        self._cards: dict[str, tuple[KeyValueGrid, PlainLabel]] = {}
        for titles in self.layout_of_cards():
            column = QVBoxLayout()
            column.setSpacing(12)
            for title, empty in titles:
                card = Card(self.context.theme, title)
                grid = KeyValueGrid(self.context.theme)
                grid.setAccessibleName(title)
                grid.followed.connect(self._on_followed)
                note = PlainLabel(self.context.theme, empty, tone="muted", wrap=True)
                card.body.addWidget(grid)
                card.body.addWidget(note)
                column.addWidget(card)
                self._cards[title] = (grid, note)
            column.addStretch(1)
            columns.addLayout(column, 1)
        return ContentScroll(page)

    def _on_followed(self, link: object) -> None:
        if isinstance(link, ResourceRef):
            self.context.navigator.open(link)
