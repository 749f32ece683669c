"""The network list's columns."""

from __future__ import annotations

from dockdesk.core.columns import CellKind, Column
from dockdesk.core.resources.engine import Network
from dockdesk.core.units import age_text


def members_text(network: Network) -> str:
    if not network.members:
        return "unused"
    return (
        network.members[0].name
        if len(network.members) == 1
        else f"{len(network.members)} containers"
    )


def flags_text(network: Network) -> str:
    flags = (
        ("internal", network.internal),
        ("attachable", network.attachable),
        ("IPv6", network.ipv6),
    )
    return ", ".join(name for name, present in flags if present)


COLUMNS: tuple[Column[Network], ...] = (
    Column(
        "name",
        "Name",
        lambda network: network.name.lower(),
        lambda network: network.name,
        CellKind.STRONG,
        width=220,
        stretch=True,
        tip=lambda network: f"{network.name}\n{network.id}",
    ),
    Column(
        "driver",
        "Driver",
        lambda network: network.driver,
        lambda network: network.driver,
        width=84,
    ),
    Column(
        "members",
        "In use by",
        lambda network: len(network.members),
        members_text,
        CellKind.PILL,
        width=140,
        tone=lambda network: "good" if network.members else "muted",
        tip=lambda network: "\n".join(member.name for member in network.members[:40]),
    ),
    Column(
        "subnet",
        "Subnet",
        lambda network: network.subnets,
        lambda network: ", ".join(network.subnets),
        CellKind.MONO,
        width=150,
    ),
    Column(
        "gateway",
        "Gateway",
        lambda network: network.gateways,
        lambda network: ", ".join(network.gateways),
        CellKind.MONO,
        width=124,
    ),
    Column(
        "scope", "Scope", lambda network: network.scope, lambda network: network.scope, width=72
    ),
    Column("flags", "Options", flags_text, flags_text, width=120, tone=lambda _network: "muted"),
    Column(
        "created",
        "Created",
        lambda network: network.created,
        lambda network: age_text(network.created),
        width=96,
        tone=lambda _network: "muted",
    ),
    Column(
        "id",
        "Id",
        lambda network: network.id,
        lambda network: network.id[:12],
        CellKind.MONO,
        width=110,
        hidden=True,
    ),
)
