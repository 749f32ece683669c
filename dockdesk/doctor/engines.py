"""Every container engine this user knows, asked for its version over the connection DockDesk would use."""

from __future__ import annotations

from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.contexts import discover
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.core.errors import DockDeskError
from dockdesk.doctor.checks import Check, Surroundings
from dockdesk.doctor.report import Finding, Status

SECTION = "Engines"
# A connection over SSH takes a handshake on each side, and may wait for a name server first.
LIMIT = 30.0


def checks(around: Surroundings) -> list[Check]:
    """One check an endpoint, the one in use first, and what could not be read on the way."""
    notes: list[str] = []
    endpoints = discover(around.env, around.home, notes.append)
    endpoints.sort(key=lambda endpoint: not endpoint.current)
    found = [
        Check(SECTION, endpoint.name, lambda endpoint=endpoint: [look(endpoint)], LIMIT)  # type: ignore[misc]
        for endpoint in endpoints
    ]
    unread = [
        Finding(SECTION, "contexts", Status.PROBLEM, note, "Mend or remove the file.")
        for note in notes
    ]
    return [*found, Check(SECTION, "contexts", lambda: unread)] if unread else found


def look(endpoint: Endpoint) -> Finding:
    """Connect to one engine and say who answers, or why nobody does."""
    place = endpoint.environment
    data: dict[str, object] = {
        "address": place.address,
        "source": place.source,
        "current": endpoint.current,
    }
    current = "in use; " if endpoint.current else ""
    try:
        client = EngineClient.connect(endpoint)
    except DockDeskError as error:
        reason = ": ".join(part for part in (error.title, error.detail) if part)
        if place.source == "default" and not endpoint.current:
            # The place where an engine would be had one been installed that way; another one is used.
            return Finding(SECTION, endpoint.name, Status.ABSENT, reason, data=data)
        return Finding(
            SECTION,
            endpoint.name,
            Status.PROBLEM,
            f"{current}{reason}",
            error.hint,
            data,
        )
    try:
        server = client.server
        data |= {
            "product": server.product,
            "version": server.version,
            "api": server.api,
            "api_used": client.api_version,
        }
        spoken = f"API {server.api}"
        if client.api_version != server.api:
            spoken += f" (DockDesk speaks {client.api_version})"
        detail = f"{current}{server.product} {server.version}, {spoken}, at {place.address}"
        return Finding(SECTION, endpoint.name, Status.OK, detail, data=data)
    finally:
        client.close()
