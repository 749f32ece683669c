"""Networks. Source: Engine API v1.41 to v1.55, section Network."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from dockdesk.backends.engine.convert_engine import networks_from, prune_report_from
from dockdesk.backends.engine.listed import ListedContainers
from dockdesk.backends.engine.paths import quoted
from dockdesk.backends.engine.values import mapping, text
from dockdesk.core.errors import (
    ConflictError,
    InvalidInputError,
    PermissionDeniedError,
    RemoteError,
)
from dockdesk.core.ports import NetworkSpec
from dockdesk.core.resources.engine import Network, PruneReport

_SLOW = 300.0


class NetworkCalls(ListedContainers):
    """See ManagesNetworks in core/ports.py."""

    def networks(self) -> list[Network]:
        raw = self.client.get("/networks", title="Networks could not be listed")
        return networks_from(raw, self.listed_containers())

    def create_network(self, spec: NetworkSpec) -> str:
        title = f"The network {spec.name} could not be made"
        try:
            answer = self.client.post(
                "/networks/create", json=network_body(spec), timeout=_SLOW, title=title
            )
        except (ConflictError, RemoteError) as error:
            # Podman answers 500.
            if "already" in error.detail:
                raise ConflictError(title, error.detail, "Choose another name.") from error
            raise
        return text(mapping(answer).get("Id"))

    def remove_network(self, id: str) -> None:
        title = "The network was not removed"
        try:
            self.client.delete(f"/networks/{quoted(id)}", timeout=_SLOW, title=title)
        except (ConflictError, PermissionDeniedError, RemoteError) as error:
            # Docker answers 403 for networks in use, and for its own; Podman 500.
            if "pre-defined" in error.detail or "default network" in error.detail:
                raise ConflictError(title, error.detail, "The engine needs it.") from error
            used = "being used" in error.detail or "associated containers" in error.detail
            if isinstance(error, RemoteError) and not used:
                raise
            hint = "Disconnect its containers, or remove them, first."
            raise ConflictError(title, error.detail, hint) from error

    def connect(
        self, network: str, container: str, ip: str = "", aliases: Sequence[str] = ()
    ) -> None:
        endpoint: dict[str, Any] = {}
        if aliases:
            endpoint["Aliases"] = list(aliases)
        if ip:
            version = _address(ip).version
            endpoint["IPAMConfig"] = {f"IPv{version}Address": ip.strip()}
        self.client.post(
            f"/networks/{quoted(network)}/connect",
            json={"Container": container, "EndpointConfig": endpoint},
            timeout=_SLOW,
            title="The container could not be connected",
        )

    def disconnect(self, network: str, container: str, force: bool = False) -> None:
        self.client.post(
            f"/networks/{quoted(network)}/disconnect",
            json={"Container": container, "Force": force},
            timeout=_SLOW,
            title="The container could not be disconnected",
        )

    def prune_networks(self) -> PruneReport:
        answer = self.client.post(
            "/networks/prune", timeout=_SLOW, title="Networks could not be pruned"
        )
        return prune_report_from(answer, "NetworksDeleted")


def network_body(spec: NetworkSpec) -> dict[str, Any]:
    """The body of POST /networks/create. Raise InvalidInputError with the field at fault."""
    if not spec.name.strip():
        raise InvalidInputError("The network needs a name", "", "Give it one.", "name")
    body: dict[str, Any] = {
        "Name": spec.name.strip(),
        "CheckDuplicate": True,  # older engines make a second of the same name otherwise
        "Driver": spec.driver or "bridge",
        "Internal": spec.internal,
        "Attachable": spec.attachable,
        "EnableIPv6": spec.ipv6,
        "Options": dict(spec.options),
        "Labels": dict(spec.labels),
    }
    if not spec.subnet:
        if spec.gateway:
            raise InvalidInputError(
                "A gateway needs a subnet", "", "Give the subnet too.", "subnet"
            )
        return body
    try:
        subnet = ipaddress.ip_network(spec.subnet.strip(), strict=False)
    except ValueError as error:
        raise InvalidInputError(
            f"“{spec.subnet}” is no subnet", str(error), "Write it as 10.5.0.0/16.", "subnet"
        ) from None
    pool = {"Subnet": str(subnet)}
    if spec.gateway:
        gateway = _address(spec.gateway, "gateway")
        if gateway not in subnet:
            raise InvalidInputError(
                f"{gateway} is not in {subnet}",
                "",
                "The gateway is an address of the subnet.",
                "gateway",
            )
        pool["Gateway"] = str(gateway)
    body["IPAM"] = {"Driver": "default", "Config": [pool]}
    return body


def _address(written: str, field: str = "ip") -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(written.strip())
    except ValueError:
        raise InvalidInputError(f"“{written}” is no IP address", "", "", field) from None
