"""The engine's whole answer about a container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockdesk.core.work import Work
from dockdesk.ui.panes.containers.columns import ContainerRow
from dockdesk.ui.raw_view import RawView


class InspectView(RawView[ContainerRow]):
    def key(self, row: ContainerRow) -> str:
        return row.container.id

    def stamp(self, row: ContainerRow) -> Any:
        item = row.container
        return item.id, item.state, item.health, item.name, item.networks, item.ports

    def fetch(self, engine: Any, row: ContainerRow, work: Work) -> Mapping[str, Any]:  # noqa: ARG002
        raw: Mapping[str, Any] = engine.container(row.container.id).raw
        return raw
