"""The networks pane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from dockdesk.core.columns import CellKind, Column
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.engine import Network, NetworkMember
from dockdesk.core.work import Work
from dockdesk.models.table_model import KeyedTableModel
from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import DetailTab, EmptyText, ListDescription
from dockdesk.ui.facts_view import FactsView, pair_facts, time_text
from dockdesk.ui.following_pane import FollowingPane
from dockdesk.ui.pane import DetailView, Handler
from dockdesk.ui.panes.networks.actions import ACTIONS
from dockdesk.ui.panes.networks.columns import COLUMNS, flags_text
from dockdesk.ui.raw_view import RawView
from dockdesk.ui.widgets.key_values import Fact
from dockdesk.ui.widgets.table import TableView

_MEMBER_COLUMNS: tuple[Column[NetworkMember], ...] = (
    Column(
        "name",
        "Container",
        lambda member: member.name.lower(),
        lambda member: member.name,
        CellKind.STRONG,
        width=240,
        stretch=True,
    ),
    Column(
        "address",
        "Address",
        lambda member: member.address,
        lambda member: member.address,
        CellKind.MONO,
        width=180,
    ),
    Column(
        "mac", "MAC", lambda member: member.mac, lambda member: member.mac, CellKind.MONO, width=170
    ),
    Column(
        "id",
        "Id",
        lambda member: member.container_id,
        lambda member: member.container_id[:12],
        CellKind.MONO,
        width=120,
    ),
)


class MembersView(DetailView[Network]):
    """The containers on a network; Enter or a double click goes to one."""

    def __init__(self, context: UiContext, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        model: KeyedTableModel[NetworkMember] = KeyedTableModel(
            _MEMBER_COLUMNS, lambda member: member.container_id, self
        )
        model.sort_by("name", False)
        self.table = TableView(context.theme, model, "Containers on the network")
        self.table.set_empty("No containers", "Nothing that runs is connected to this network.")
        self.table.activated_row.connect(self._on_activated)
        self.setFocusProxy(self.table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.table)

    def set_rows(self, rows: Sequence[Network]) -> None:
        self.table.rows.reset_to(rows[0].members if rows else ())

    def _on_activated(self, member: NetworkMember) -> None:
        self.context.navigator.open(ResourceRef("container", member.container_id, member.name))


class SummaryView(FactsView[Network, Network]):
    """The list tells all there is: nothing is asked of the engine."""

    def layout_of_cards(self) -> Sequence[Sequence[tuple[str, str]]]:
        return ((("General", ""),), (("Labels", "It has none."),))

    def key(self, row: Network) -> str:
        return row.id

    def stamp(self, row: Network) -> Any:
        return row.id, row.subnets, row.labels

    def fetch(self, engine: Any, row: Network, work: Work) -> Network:  # noqa: ARG002
        return row

    def present(self, row: Network, data: Network) -> None:  # noqa: ARG002
        self.set_card(
            "General",
            [
                Fact("Id", row.id, mono=True),
                Fact("Driver", row.driver),
                Fact("Scope", row.scope),
                Fact("Subnets", ", ".join(row.subnets), mono=True),
                Fact("Gateways", ", ".join(row.gateways), mono=True),
                Fact("Options", flags_text(row)),
                Fact("Created", time_text(row.created)),
            ],
        )
        self.set_card("Labels", pair_facts(sorted(row.labels.items())))


class InspectView(RawView[Network]):
    """The list holds the engine's whole answer: nothing is asked again."""

    def key(self, row: Network) -> str:
        return row.id

    def stamp(self, row: Network) -> Any:
        return row

    def fetch(self, engine: Any, row: Network, work: Work) -> Mapping[str, Any]:  # noqa: ARG002
        return row.raw


DESCRIPTION: ListDescription[Network] = ListDescription(
    id="networks",
    title="Networks",
    icon="network",
    kind="network",
    noun=("network", "networks"),
    columns=COLUMNS,
    key=lambda network: network.id,
    name=lambda network: network.name,
    actions=ACTIONS,
    tabs=(
        DetailTab("members", "Containers", MembersView, "box"),
        DetailTab("summary", "Summary", SummaryView, "info-circle"),
        DetailTab("inspect", "Inspect", InspectView, "list-tree"),
    ),
    empty=EmptyText(
        "No networks",
        "Containers on one network reach each other by name. Create a network to connect some.",
        "network.create",
    ),
    sort=("name", False),
)


class NetworksPane(FollowingPane[Network]):
    def __init__(self, context: UiContext) -> None:
        session = context.session
        super().__init__(
            context,
            DESCRIPTION,
            "networks",
            session.networks_changed,
            lambda: session.networks.values(),
        )

    def handlers(self) -> Mapping[str, Handler]:
        return {"network.copy_id": _copy_ids}


def _copy_ids(rows: Sequence[Network]) -> None:
    QGuiApplication.clipboard().setText("\n".join(network.id for network in rows))
