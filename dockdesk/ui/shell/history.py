"""Where the user has been: back and forward, as in a browser."""

from __future__ import annotations

from dockdesk.core.records import dataclass
from dockdesk.core.refs import ResourceRef

BOUND = 100


@dataclass(frozen=True, slots=True)
class Place:
    """A pane, and what was open in it."""

    pane: str
    ref: ResourceRef | None = None


class History:
    """A line of places with a position in it. Going somewhere new drops what was ahead."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._at = -1

    @property
    def current(self) -> Place | None:
        return self._places[self._at] if self._at >= 0 else None

    @property
    def can_go_back(self) -> bool:
        return self._at > 0

    @property
    def can_go_forward(self) -> bool:
        return self._at < len(self._places) - 1

    def went(self, place: Place) -> None:
        """Note a new place. The same place again is not noted; another resource of the same pane is."""
        if place == self.current:
            return
        del self._places[self._at + 1 :]
        self._places.append(place)
        del self._places[:-BOUND]
        self._at = len(self._places) - 1

    def amend(self, place: Place) -> None:
        """The current place turned out to be ``place``: a first row was chosen in a pane just entered."""
        if self._at >= 0:
            self._places[self._at] = place

    def back(self) -> Place | None:
        if not self.can_go_back:
            return None
        self._at -= 1
        return self.current

    def forward(self) -> Place | None:
        if not self.can_go_forward:
            return None
        self._at += 1
        return self.current
