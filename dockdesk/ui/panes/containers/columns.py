"""The container list's rows and columns."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import datetime

from dockdesk.core.columns import CellKind, Column, Link
from dockdesk.core.masking import masked_words
from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import Container, Port
from dockdesk.core.units import age_text, bytes_text, percent_text, span_text

SPARK_SAMPLES = 60
_UP = re.compile(r"^Up\s+")
_HEALTH = re.compile(r"\s*\((healthy|unhealthy|health: starting|starting|Paused)\)$")


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """A container and its newest figures: CPU in percent of a core, memory in bytes; None where not measured."""

    container: Container
    cpu: float | None = None
    memory: float | None = None
    cpu_history: Sequence[float] = ()
    memory_history: Sequence[float] = ()
    host: str = "localhost"  # where its published ports are reached

    @property
    def links(self) -> tuple[Link, ...]:
        """Its published TCP ports as addresses for a browser, each once."""
        found: dict[str, Link] = {}
        for port in self.container.ports:
            if port.public is None or port.protocol != "tcp":
                continue
            host = self.host if port.host in {"", "0.0.0.0", "::"} else port.host
            shown = f"[{host}]" if ":" in host else host
            scheme = "https" if port.private in {443, 8443} else "http"
            text = f"{port.public}→{port.private}"
            found.setdefault(text, Link(text, f"{scheme}://{shown}:{port.public}"))
        return tuple(found.values())


def ports_text(ports: Sequence[Port]) -> str:
    """Published ports first, each once (IPv4 and IPv6 say the same), then exposed ones."""
    texts: dict[str, None] = {}
    for port in sorted(ports, key=lambda item: (item.public is None, item.private)):
        suffix = "" if port.protocol == "tcp" else f"/{port.protocol}"
        texts.setdefault(
            f"{port.public}→{port.private}{suffix}" if port.public else f"{port.private}{suffix}"
        )
    return ", ".join(texts)


def uptime_text(container: Container, now: float) -> str:
    """How long it has run, or how long ago it ended; the engine's phrase where the time is not known."""
    if not container.since:
        return _UP.sub("", _HEALTH.sub("", container.status))
    if container.running:
        return span_text(now - container.since)
    return f"ended {age_text(container.since, now)}"


def _since_text(container: Container) -> str:
    if not container.since:
        return container.status
    word = "Running since" if container.running else "Ended at"
    return f"{word} {datetime.fromtimestamp(container.since):%Y-%m-%d %H:%M:%S}"


def _port_cell(row: ContainerRow) -> Sequence[Link]:
    return row.links


COLUMNS: tuple[Column[ContainerRow], ...] = (
    Column(
        "name",
        "Name",
        lambda row: row.container.name.lower(),
        lambda row: row.container.name,
        CellKind.STRONG,
        width=190,
        stretch=True,
        tip=lambda row: f"{row.container.name}\n{row.container.id}",
    ),
    Column(
        "image",
        "Image",
        lambda row: row.container.image,
        lambda row: row.container.image,
        width=190,
        stretch=True,
        tip=lambda row: row.container.image,
    ),
    Column(
        "state",
        "State",
        lambda row: row.container.state_text,
        lambda row: row.container.state_text,
        CellKind.PILL,
        width=126,
        tone=lambda row: row.container.tone,
        tip=lambda row: row.container.status,
    ),
    Column(
        "cpu",
        "CPU",
        lambda row: row.cpu,
        lambda row: "" if row.cpu is None else percent_text(row.cpu),
        CellKind.SPARK,
        width=160,
        series=lambda row: row.cpu_history,
    ),
    Column(
        "memory",
        "Memory",
        lambda row: row.memory,
        lambda row: "" if row.memory is None else bytes_text(row.memory, binary=True),
        CellKind.SPARK,
        width=160,
        series=lambda row: row.memory_history,
    ),
    Column(
        "ports",
        "Ports",
        lambda row: min((port.public or 65_536 for port in row.container.ports), default=None),
        lambda row: ports_text(row.container.ports),
        CellKind.LINKS,
        width=150,
        links=_port_cell,
    ),
    Column(
        "uptime",
        "Uptime",
        lambda row: -(row.container.since or row.container.created),
        lambda row: uptime_text(row.container, time.time()),
        width=140,
        tone=lambda _row: "muted",
        tip=lambda row: _since_text(row.container),
    ),
    Column(
        "service",
        "Service",
        lambda row: row.container.service,
        lambda row: row.container.service,
        width=110,
        hidden=True,
    ),
    Column(
        "project",
        "Compose project",
        lambda row: row.container.project,
        lambda row: row.container.project,
        width=120,
        hidden=True,
    ),
    Column(
        "id",
        "Id",
        lambda row: row.container.id,
        lambda row: row.container.short_id,
        CellKind.MONO,
        width=110,
        hidden=True,
    ),
    Column(
        "created",
        "Created",
        lambda row: row.container.created,
        lambda row: age_text(row.container.created, time.time()),
        width=110,
        hidden=True,
    ),
    Column(
        "command",
        "Command",
        lambda row: row.container.command,
        lambda row: " ".join(masked_words(row.container.command.split(" "))),
        CellKind.MONO,
        width=180,
        hidden=True,
    ),
)
