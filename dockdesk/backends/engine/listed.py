"""The container list, which says more than containers: who uses which image, volume and network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockdesk.backends.engine.base import EnginePart
from dockdesk.backends.engine.convert import ListedContainer, RawList, listed_from

# More ids than this make the query longer than the list.
_FILTERED = 100


class ListedContainers(EnginePart):
    """What the parts share that need the container list."""

    def listed_containers(self, ids: Sequence[str] = ()) -> list[ListedContainer]:
        """The list as the engine gives it, DockDesk's own helpers included, by one call; of ``ids`` where given."""
        few = 0 < len(ids) <= _FILTERED
        filters: Mapping[str, Any] | None = {"id": list(ids)} if few else None
        made = listed_from(
            self.client.get(
                "/containers/json",
                {"all": True, "filters": filters},
                type=RawList,
                title="Containers could not be listed",
            )
        )
        if ids and not few:
            wanted = set(ids)
            made = [item for item in made if item.id in wanted or item.id[:12] in wanted]
        return made
