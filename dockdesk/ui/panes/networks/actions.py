"""What can be done to networks. Source: Engine API, docker CLI and docker SDK references."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from dockdesk.core.actions import Action, Call, Danger, Equivalent, Values, bound_to
from dockdesk.core.forms import Choice, Field, FieldKind, Form
from dockdesk.core.masking import masked_value, split_pairs
from dockdesk.core.ports import NetworkSpec
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.engine import Network
from dockdesk.runspec import checks
from dockdesk.runspec.checks import each_line, lines_of, optional

Rows = Sequence[Network]


def _subnet_problem(text: str) -> str | None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        return f"Write it as 10.1.0.0/24: {error}."
    return None


def _gateway_in_subnet(values: Mapping[str, Any]) -> dict[str, str]:
    gateway, subnet = (
        str(values.get("gateway") or "").strip(),
        str(values.get("subnet") or "").strip(),
    )
    if not gateway:
        return {}
    if not subnet:
        return {"subnet": "A gateway needs a subnet."}
    inside = ipaddress.ip_address(gateway) in ipaddress.ip_network(subnet)
    return {} if inside else {"gateway": "The gateway is not in the subnet."}


def _create_form(_rows: Rows) -> Form:
    pairs = each_line(checks.pair_problem)
    return Form(
        "Create a network",
        [
            Field(
                "name",
                "Name",
                required=True,
                placeholder="backend",
                check=optional(checks.name_problem),
            ),
            Field(
                "driver",
                "Driver",
                FieldKind.EDITABLE_CHOICE,
                default="bridge",
                required=True,
                choices=tuple(
                    Choice(word, word) for word in ("bridge", "overlay", "macvlan", "ipvlan")
                ),
            ),
            Field(
                "subnet",
                "Subnet",
                placeholder="chosen by the engine; 10.1.0.0/24",
                check=optional(_subnet_problem),
            ),
            Field(
                "gateway", "Gateway", placeholder="10.1.0.1", check=optional(checks.address_problem)
            ),
            Field(
                "internal",
                "Internal",
                FieldKind.CHECK,
                default=False,
                help="No way out of the network.",
            ),
            Field(
                "attachable",
                "Attachable",
                FieldKind.CHECK,
                default=False,
                help="Containers may join a swarm network.",
            ),
            Field("ipv6", "IPv6", FieldKind.CHECK, default=False),
            Field(
                "options",
                "Driver options",
                FieldKind.MULTILINE,
                placeholder="parent=eth0",
                check=pairs,
                help="name=value, one a line.",
            ),
            Field(
                "labels",
                "Labels",
                FieldKind.MULTILINE,
                placeholder="team=web",
                check=pairs,
                help="name=value, one a line.",
            ),
        ],
        submit="Create",
        check=_gateway_in_subnet,
    )


def _create(_rows: Rows, values: Values) -> list[Call]:
    def text(key: str) -> str:
        return str(values.get(key) or "").strip()

    spec = NetworkSpec(
        name=text("name"),
        driver=text("driver") or "bridge",
        subnet=text("subnet"),
        gateway=text("gateway"),
        internal=bool(values.get("internal")),
        attachable=bool(values.get("attachable")),
        ipv6=bool(values.get("ipv6")),
        options=dict(split_pairs(lines_of(values.get("options")))),
        labels=dict(split_pairs(lines_of(values.get("labels")))),
    )
    words = ["docker", "network", "create", "--driver", spec.driver]
    for flag, value in (("--subnet", spec.subnet), ("--gateway", spec.gateway)):
        words += [flag, value] if value else []
    words += [
        flag
        for flag, chosen in (
            ("--internal", spec.internal),
            ("--attachable", spec.attachable),
            ("--ipv6", spec.ipv6),
        )
        if chosen
    ]
    for flag, pairs in (("--opt", spec.options), ("--label", spec.labels)):
        for key, value in pairs.items():
            words += [flag, f"{key}={masked_value(key, value)}"]
    return [
        Call(
            ResourceRef("network", spec.name, spec.name),
            lambda engine, _work: engine.create_network(spec),
            Equivalent(
                shlex.join([*words, spec.name]),
                f"client.networks.create({spec.name!r}, driver={spec.driver!r}, internal={spec.internal}, "
                f"attachable={spec.attachable}, enable_ipv6={spec.ipv6})",
                "POST /networks/create",
            ),
        )
    ]


def _connect_form(rows: Rows) -> Form:
    return Form(
        f"Connect a container to {rows[0].name}" if rows else "Connect a container",
        [
            Field(
                "container",
                "Container",
                FieldKind.EDITABLE_CHOICE,
                required=True,
                choices_from=_connectable(rows),
            ),
            Field(
                "ip",
                "IP address",
                placeholder="chosen by the engine",
                check=optional(checks.address_problem),
            ),
            Field("aliases", "Names on the network", placeholder="db, database"),
        ],
        submit="Connect",
    )


def _connectable(rows: Rows) -> Any:
    members = {member.container_id for network in rows for member in network.members}

    def look_up(engine: Any) -> list[Choice]:
        return [
            Choice(item.name, item.name) for item in engine.containers() if item.id not in members
        ]

    return look_up


def _connect(rows: Rows, values: Values) -> list[Call]:
    container, ip = str(values.get("container") or "").strip(), str(values.get("ip") or "").strip()
    aliases = [name.strip() for name in str(values.get("aliases") or "").split(",") if name.strip()]
    flags = "".join(
        [f" --ip {ip}" if ip else "", *(f" --alias {shlex.quote(name)}" for name in aliases)]
    )
    return [
        Call(
            ResourceRef("network", network.id, network.name),
            bound_to(network.id, lambda engine, id: engine.connect(id, container, ip, aliases)),
            Equivalent(
                f"docker network connect{flags} {shlex.quote(network.name)} {shlex.quote(container)}",
                f"client.networks.get({network.name!r}).connect({container!r})",
                f"POST /networks/{network.name}/connect",
            ),
        )
        for network in rows
    ]


def _disconnect_form(rows: Rows) -> Form:
    names = [member.name for network in rows for member in network.members]
    return Form(
        f"Disconnect a container from {rows[0].name}" if rows else "Disconnect a container",
        [
            Field(
                "container",
                "Container",
                FieldKind.CHOICE,
                required=True,
                default=names[0] if names else "",
                choices=tuple(Choice(name, name) for name in names),
            ),
            Field("force", "Even if it does not answer", FieldKind.CHECK, default=False),
        ],
        submit="Disconnect",
    )


def _disconnect(rows: Rows, values: Values) -> list[Call]:
    container, force = str(values.get("container") or ""), bool(values.get("force"))
    flag = " --force" if force else ""
    return [
        Call(
            ResourceRef("network", network.id, network.name),
            bound_to(network.id, lambda engine, id: engine.disconnect(id, container, force)),
            Equivalent(
                f"docker network disconnect{flag} {shlex.quote(network.name)} {shlex.quote(container)}",
                f"client.networks.get({network.name!r}).disconnect({container!r}, force={force})",
                f"POST /networks/{network.name}/disconnect",
            ),
        )
        for network in rows
    ]


def _remove(rows: Rows, _values: Values) -> list[Call]:
    return [
        Call(
            ResourceRef("network", network.id, network.name),
            bound_to(network.id, lambda engine, id: engine.remove_network(id)),
            Equivalent(
                f"docker network rm {shlex.quote(network.name)}",
                f"client.networks.get({network.name!r}).remove()",
                f"DELETE /networks/{network.name}",
            ),
        )
        for network in rows
    ]


def _prune(_rows: Rows, _values: Values) -> list[Call]:
    return [
        Call(
            ResourceRef("network", "*", "unused networks"),
            lambda engine, _work: engine.prune_networks(),
            Equivalent(
                "docker network prune --force", "client.networks.prune()", "POST /networks/prune"
            ),
        )
    ]


def _not_removable(network: Network) -> str | None:
    if network.builtin:
        return f"{network.name} belongs to the engine and can't be removed."
    if network.members:
        return f"{network.members[0].name} is connected to {network.name}; disconnect it first."
    return None


def _no_members(network: Network) -> str | None:
    return None if network.members else f"Nothing is connected to {network.name}."


def _no_joining(network: Network) -> str | None:
    if network.name in {"host", "none"}:
        return f"Containers join {network.name} only when they are created."
    return None


ACTIONS: tuple[Action[Network], ...] = (
    Action(
        "network.create",
        "Create…",
        "plus",
        _create,
        Danger.CHANGES,
        on_rows=False,
        primary=True,
        form=_create_form,
    ),
    Action(
        "network.connect",
        "Connect a container…",
        "plug-connected",
        _connect,
        Danger.CHANGES,
        many=False,
        form=_connect_form,
        refuse=_no_joining,
        group="members",
        primary=True,
    ),
    Action(
        "network.disconnect",
        "Disconnect a container…",
        "plug-connected-x",
        _disconnect,
        Danger.DISRUPTS,
        many=False,
        form=_disconnect_form,
        refuse=_no_members,
        consequence=lambda _rows: "Open connections of the container on this network break.",
        group="members",
        primary=True,
    ),
    Action("network.copy_id", "Copy id", "copy", group="open"),
    Action(
        "network.remove",
        "Remove…",
        "trash",
        _remove,
        Danger.DESTROYS,
        shortcut="Delete",
        refuse=_not_removable,
        consequence=lambda _rows: (
            "Containers that are started on it later will fail until it exists again."
        ),
        group="remove",
        primary=True,
    ),
    Action(
        "network.prune",
        "Prune",
        "trash",
        _prune,
        Danger.DESTROYS,
        on_rows=False,
        primary=True,
        consequence=lambda _rows: "All networks that no container uses are removed.",
        group="remove",
    ),
)
