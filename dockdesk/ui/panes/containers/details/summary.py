"""What one inspect tells on cards: summary, environment, mounts, networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockdesk.core.masking import masked_words
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import ContainerDetail
from dockdesk.core.units import bytes_text
from dockdesk.core.work import Work
from dockdesk.ui.facts_view import FactsView, pair_facts, time_text
from dockdesk.ui.panes.containers.columns import ContainerRow, ports_text
from dockdesk.ui.widgets.key_values import Fact


def general_facts(detail: ContainerDetail) -> list[Fact]:
    """Who and what it is, and how it is doing."""
    container = detail.container
    facts = [
        Fact("State", container.state_text, tone=container.tone),
        Fact(
            "Image",
            container.image,
            mono=True,
            link=ResourceRef("image", container.image_id, container.image),
        ),
        Fact("Id", container.id, mono=True),
        command_fact((*detail.entrypoint, *detail.command)),
        Fact("Created", time_text(container.created)),
        Fact("Started", time_text(detail.started)),
    ]
    if not container.running:
        facts.append(Fact("Ended", time_text(detail.finished)))
    if detail.oom_killed:
        facts.append(Fact("Killed", "It ran out of memory: its limit was reached.", tone="bad"))
    facts += [
        Fact("User", detail.user or "root"),
        Fact("Working folder", detail.working_dir or "/", mono=True),
        Fact("Ports", ports_text(container.ports)),
        Fact("Restart", detail.restart_policy or "no"),
    ]
    if detail.restart_count:
        facts.append(Fact("Restarted", f"{detail.restart_count} times", tone="warn"))
    memory = (
        "no limit" if detail.memory_limit is None else bytes_text(detail.memory_limit, binary=True)
    )
    cpu = "no limit" if detail.cpu_limit is None else f"{detail.cpu_limit:g} CPUs"
    return [
        *facts,
        Fact("Memory limit", memory),
        Fact("CPU limit", cpu),
        Fact("Logs", detail.log_driver),
    ]


def command_fact(words: Sequence[str]) -> Fact:
    """What runs; hidden until asked for where a password stands in it."""
    secret = list(masked_words(words)) != list(words)
    return Fact("Command", " ".join(words), secret=secret, mono=True)


def mount_facts(detail: ContainerDetail) -> list[Fact]:
    return [
        Fact(
            mount.target,
            f"{mount.kind} {mount.name or mount.source}{' (read-only)' if mount.read_only else ''}",
            mono=True,
            link=ResourceRef("volume", mount.name, mount.name) if mount.name else None,
        )
        for mount in detail.mounts
    ]


def network_facts(detail: ContainerDetail) -> list[Fact]:
    facts = []
    for endpoint in detail.endpoints:
        aliases = ", ".join(endpoint.aliases)
        parts = (
            endpoint.address,
            f"gateway {endpoint.gateway}" if endpoint.gateway else "",
            endpoint.mac,
            f"also known as {aliases}" if aliases else "",
        )
        facts.append(
            Fact(
                endpoint.network,
                " · ".join(part for part in parts if part) or "not connected",
                mono=True,
                link=ResourceRef("network", endpoint.network_id, endpoint.network),
            )
        )
    return facts


class InspectedView(FactsView[ContainerRow, ContainerDetail]):
    """Cards of facts out of one inspect."""

    def key(self, row: ContainerRow) -> str:
        return row.container.id

    def stamp(self, row: ContainerRow) -> Any:
        item = row.container
        return item.id, item.state, item.health, item.name, item.networks, item.ports

    def fetch(self, engine: Any, row: ContainerRow, work: Work) -> ContainerDetail:  # noqa: ARG002
        detail: ContainerDetail = engine.container(row.container.id)
        return detail


class SummaryView(InspectedView):
    """General facts, mounts and networks, with ways to where they live."""

    def layout_of_cards(self) -> Sequence[Sequence[tuple[str, str]]]:
        return (
            (("General", ""),),
            (
                ("Networks", "It is on no network."),
                ("Mounts", "Nothing is mounted: what it writes is lost with it."),
            ),
        )

    def present(self, row: ContainerRow, data: ContainerDetail) -> None:  # noqa: ARG002
        self.set_card("General", general_facts(data))
        self.set_card("Networks", network_facts(data))
        self.set_card("Mounts", mount_facts(data))


class EnvironmentView(InspectedView):
    """Environment variables and labels."""

    def layout_of_cards(self) -> Sequence[Sequence[tuple[str, str]]]:
        return ((("Environment variables", "None are set."),), (("Labels", "It has none."),))

    def present(self, row: ContainerRow, data: ContainerDetail) -> None:
        self.set_card("Environment variables", pair_facts(data.environment))
        self.set_card("Labels", pair_facts(sorted(row.container.labels.items())))
