"""Figures above a table, in a row of cards that leaves where there is no height for it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.ui.descriptions import StatCard
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.cards import Card
from dockdesk.ui.widgets.labels import ElidedLabel


class _Card(Card):
    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, padding=14)
        self.body.setSpacing(2)
        self._title = ElidedLabel(theme, role="small", tone="muted")
        self._value = ElidedLabel(theme, role="figure")
        self._detail = ElidedLabel(theme, role="small", tone="muted")
        column = QVBoxLayout()
        column.setSpacing(2)
        for label in (self._title, self._value, self._detail):
            column.addWidget(label)
        self.body.addLayout(column)

    def show_card(self, card: StatCard) -> None:
        self._title.setText(card.title)
        self._value.setText(card.value)
        self._value.set_tone(card.tone)
        self._detail.setText(card.detail)
        self.setAccessibleName(f"{card.title}: {card.value} {card.detail}")


class StatCards(QWidget):
    """Cards side by side; those with the same id are updated in place."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cards: dict[str, _Card] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(12)

    def set_cards(self, cards: Sequence[StatCard]) -> None:
        wanted = [card.id for card in cards]
        if wanted != list(self._cards):
            while (item := self._row.takeAt(0)) is not None:
                if (widget := item.widget()) is not None:
                    widget.hide()
                    widget.deleteLater()
            self._cards = {id: _Card(self._theme) for id in wanted}
            for made in self._cards.values():
                self._row.addWidget(made, 1)
        for card in cards:
            self._cards[card.id].show_card(card)

    def empty(self) -> bool:
        return not self._cards
