"""Containers in the engine's JSON, turned into core's values.

Sources: Engine API v1.41 to v1.55, ContainerList and ContainerInspect; Podman 4.3 where it differs.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Raw, Struct, ValidationError, field
from msgspec.json import Decoder

from dockdesk.backends.engine.phrases import began
from dockdesk.backends.engine.values import (
    HELPER_LABEL,
    NANO,
    labels,
    leaf_name,
    mapping,
    moment,
    pairs,
    records,
    strings,
    text,
    unique,
    whole,
)
from dockdesk.core.errors import NotSupportedError
from dockdesk.core.resources.containers import (
    Container,
    ContainerDetail,
    FileChange,
    HealthProbe,
    Mount,
    NetworkEndpoint,
    Port,
    ProcessTable,
)
from dockdesk.core.units import age_text

_EXIT = re.compile(r"\((-?\d+)\)")
_HEALTH = {
    "(healthy)": "healthy",
    "(unhealthy)": "unhealthy",
    "(health: starting)": "starting",
    # Podman
    "(starting)": "starting",
}
# Podman's own words for the states that the Engine API has.
_STATES = {
    "stopped": "exited",
    "configured": "created",
    "initialized": "created",
    "stopping": "running",
    "up": "running",
}
_CHANGES = {0: "changed", 1: "added", 2: "deleted"}


class ListedPort(Struct, rename="pascal", gc=False):
    private_port: int = 0
    public_port: int | None = None
    type: str = "tcp"
    ip: str | None = field(name="IP", default=None)


class ListedMount(Struct, rename="pascal", gc=False):
    type: str | None = None
    name: str | None = None
    source: str | None = None
    destination: str | None = None
    rw: bool | None = field(name="RW", default=None)


class ListedEndpoint(Struct, rename="pascal", gc=False):
    network_id: str | None = field(name="NetworkID", default=None)
    ip_address: str | None = field(name="IPAddress", default=None)
    ipv6_address: str | None = field(name="GlobalIPv6Address", default=None)
    mac_address: str | None = None


class ListedNetworks(Struct, rename="pascal", gc=False):
    networks: dict[str, ListedEndpoint | None] | None = None


class ListedHealth(Struct, rename="pascal", gc=False):
    status: str | None = None


class ListedContainer(Struct, rename="pascal", gc=False):
    """One entry of GET /containers/json: what DockDesk uses of it, so that the rest is skipped while parsing."""

    id: str
    names: list[str] | None = None
    image: str | None = None
    image_id: str | None = field(name="ImageID", default=None)
    command: str | list[str] | None = None
    created: int | float | str | None = None
    ports: list[ListedPort] | None = None
    labels: dict[str, str] | None = None
    state: str | None = None
    status: str | None = None
    health: ListedHealth | None = None
    network_settings: ListedNetworks | None = None
    mounts: list[ListedMount] | None = None

    @property
    def hidden(self) -> bool:
        """Whether DockDesk made it for itself."""
        return HELPER_LABEL in (self.labels or {})

    @property
    def endpoints(self) -> Mapping[str, ListedEndpoint | None]:
        settings = self.network_settings
        return (settings.networks or {}) if settings is not None else {}


# The list's entries not yet looked into. Splitting takes a tenth of parsing, so that the interpreter is never held for
# longer than that, however many containers there are.
RawList = list[Raw]
_decoder = Decoder(ListedContainer)


def listed_from(entries: RawList | None) -> list[ListedContainer]:
    """Parse the entries of GET /containers/json one by one. Raise NotSupportedError for what are no containers."""
    try:
        return [_decoder.decode(entry) for entry in entries or ()]
    except ValidationError as error:
        raise NotSupportedError(
            "The engine's answer is not understood", str(error), "Is this a container engine?"
        ) from error


def one_by_one(listed: list[ListedContainer]) -> Iterator[ListedContainer]:
    """Its entries in order, each let go of on the way: ten thousand at once would hold the interpreter for 7 ms."""
    listed.reverse()
    while listed:
        yield listed.pop()


def containers_from(listed: Iterable[ListedContainer]) -> list[Container]:
    """The container list, without DockDesk's own helpers."""
    now = time.time()
    return [container_from(item, now) for item in listed if not item.hidden]


def container_from(item: ListedContainer, now: float) -> Container:
    """One entry of a list that the engine gave at ``now`` (seconds since 1970)."""
    status = item.status or ""
    created = moment(item.created)
    state = _state(item.state or "")
    command = item.command or ""
    return Container(
        id=item.id,
        name=leaf_name(item.names),
        image=item.image or "",
        image_id=item.image_id or "",
        state=state,
        status=status,
        created=created,
        health=_health((item.health and item.health.status) or "", status),
        exit_code=_exit_code(state, status),
        command=command if isinstance(command, str) else shlex.join(command),
        ports=_listed_ports(item.ports),
        mounts=tuple(
            Mount(
                kind=mount.type or "bind",
                source=mount.source or "",
                target=mount.destination or "",
                read_only=mount.rw is False,
                name=mount.name or "",
            )
            for mount in item.mounts or ()
        ),
        networks=tuple(item.endpoints),
        labels=item.labels or {},
        since=began(status, created, now),
    )


def _state(state: str) -> str:
    lowered = state.lower()
    return _STATES.get(lowered, lowered)


def _health(stated: str, status: str) -> str:
    """Health from its own field (API 1.52 and later), else from the end of the status phrase."""
    if stated:
        return "" if stated == "none" else stated
    if status.endswith(")"):
        for phrase, health in _HEALTH.items():
            if status.endswith(phrase):
                return health
    return ""


def _exit_code(state: str, status: str) -> int | None:
    """The code in “Exited (137) 3 minutes ago”; the list has no field for it."""
    if state in {"exited", "dead", "restarting"} and (match := _EXIT.search(status)) is not None:
        return int(match[1])
    return None


def _listed_ports(ports: Sequence[ListedPort] | None) -> tuple[Port, ...]:
    if not ports:
        return ()
    made = {
        Port(port.private_port, port.type, port.public_port or None, port.ip or "")
        for port in ports
    }
    return tuple(sorted(made, key=_port_order))


def _port_order(port: Port) -> tuple[int, str, int, str]:
    return (port.private, port.protocol, port.public or 0, port.host)


# --- Inspect ---


def detail_from(raw: Mapping[str, Any]) -> ContainerDetail:
    """What GET /containers/{id}/json tells."""
    config = mapping(raw.get("Config"))
    host = mapping(raw.get("HostConfig"))
    state = mapping(raw.get("State"))
    health = mapping(state.get("Health"))
    endpoints = _endpoints(raw)
    return ContainerDetail(
        container=_inspected(raw, endpoints),
        raw=raw,
        environment=pairs(config.get("Env")),
        command=strings(config.get("Cmd")),
        entrypoint=strings(config.get("Entrypoint")),
        working_dir=text(config.get("WorkingDir")),
        user=text(config.get("User")),
        tty=bool(config.get("Tty")),
        restart_policy=restart_text(host.get("RestartPolicy")),
        restart_count=whole(raw.get("RestartCount")),
        started=moment(state.get("StartedAt")),
        finished=moment(state.get("FinishedAt")),
        pid=whole(state.get("Pid")),
        memory_limit=whole(host.get("Memory")) if whole(host.get("Memory")) > 0 else None,
        cpu_limit=cpu_limit(host),
        oom_killed=bool(state.get("OOMKilled")),
        log_driver=text(mapping(host.get("LogConfig")).get("Type")),
        mounts=_mounts(raw),
        endpoints=endpoints,
        health_log=tuple(_probe(entry) for entry in records(health.get("Log"))),
        failing_streak=whole(health.get("FailingStreak")),
    )


def _inspected(raw: Mapping[str, Any], endpoints: Sequence[NetworkEndpoint]) -> Container:
    config = mapping(raw.get("Config"))
    state = mapping(raw.get("State"))
    phase = _state(text(state.get("Status")))
    health = text(mapping(state.get("Health")).get("Status"))
    health = "" if health == "none" else health
    stopped = phase in {"exited", "dead"}
    command = (text(raw.get("Path")), *strings(raw.get("Args")))
    return Container(
        id=text(raw.get("Id")),
        name=leaf_name([text(raw.get("Name"))]),
        image=text(config.get("Image")),
        image_id=text(raw.get("Image")),
        state=phase,
        status=_status(phase, state, health),
        created=moment(raw.get("Created")),
        health=health,
        exit_code=whole(state.get("ExitCode")) if stopped else None,
        command=shlex.join(part for part in command if part),
        ports=_inspected_ports(raw),
        mounts=_mounts(raw),
        networks=tuple(endpoint.network for endpoint in endpoints),
        labels=labels(config.get("Labels")),
        since=moment(state.get("FinishedAt" if stopped else "StartedAt")),
    )


def _status(phase: str, state: Mapping[str, Any], health: str) -> str:
    """The phrase the list has and inspect lacks, in the list's manner."""
    if phase in {"running", "paused"}:
        started = moment(state.get("StartedAt"))
        since = age_text(started).removesuffix(" ago") if started else ""
        since = "less than a minute" if since == "just now" else since
        addition = "paused" if phase == "paused" else health
        return " ".join(part for part in ("Up", since, f"({addition})" if addition else "") if part)
    if phase in {"exited", "dead"}:
        when = age_text(moment(state.get("FinishedAt")))
        return " ".join(part for part in (f"Exited ({whole(state.get('ExitCode'))})", when) if part)
    return phase.capitalize()


def _inspected_ports(raw: Mapping[str, Any]) -> tuple[Port, ...]:
    made: set[Port] = set()
    published = mapping(mapping(raw.get("NetworkSettings")).get("Ports"))
    wanted = mapping(mapping(raw.get("HostConfig")).get("PortBindings"))
    exposed = mapping(mapping(raw.get("Config")).get("ExposedPorts"))
    for key in unique((*published, *wanted, *exposed)):
        number, _, protocol = key.partition("/")
        bindings = records(published.get(key)) or records(wanted.get(key))
        private = whole(number)
        if not private:
            continue
        if not bindings:
            made.add(Port(private, protocol or "tcp"))
        for binding in bindings:
            public = whole(binding.get("HostPort")) or None
            made.add(Port(private, protocol or "tcp", public, text(binding.get("HostIp"))))
    return tuple(sorted(made, key=_port_order))


def _mounts(raw: Mapping[str, Any]) -> tuple[Mount, ...]:
    """What is mounted; tmpfs mounts made by --tmpfs stand only in HostConfig."""
    made = [
        Mount(
            kind=text(entry.get("Type")) or "bind",
            source=text(entry.get("Source")),
            target=text(entry.get("Destination")),
            read_only=entry.get("RW") is False,
            name=text(entry.get("Name")),
        )
        for entry in records(raw.get("Mounts"))
    ]
    targets = {mount.target for mount in made}
    for target, options in mapping(mapping(raw.get("HostConfig")).get("Tmpfs")).items():
        if target not in targets:
            made.append(Mount("tmpfs", "", target, "ro" in text(options).split(",")))
    return tuple(sorted(made, key=lambda mount: mount.target))


def _endpoints(raw: Mapping[str, Any]) -> tuple[NetworkEndpoint, ...]:
    networks = mapping(mapping(raw.get("NetworkSettings")).get("Networks"))
    made = []
    for name, entry in networks.items():
        endpoint = mapping(entry)
        addresses = (text(endpoint.get("IPAddress")), text(endpoint.get("GlobalIPv6Address")))
        gateways = (text(endpoint.get("Gateway")), text(endpoint.get("IPv6Gateway")))
        made.append(
            NetworkEndpoint(
                network=name,
                network_id=text(endpoint.get("NetworkID")),
                address=", ".join(filter(None, addresses)),
                gateway=", ".join(filter(None, gateways)),
                mac=text(endpoint.get("MacAddress")),
                aliases=unique(
                    (*strings(endpoint.get("Aliases")), *strings(endpoint.get("DNSNames")))
                ),
            )
        )
    return tuple(made)


def _probe(entry: Mapping[str, Any]) -> HealthProbe:
    return HealthProbe(
        start=moment(entry.get("Start")),
        end=moment(entry.get("End")),
        exit_code=whole(entry.get("ExitCode")),
        output=text(entry.get("Output")),
    )


def restart_text(policy: Any) -> str:
    """A restart policy as the CLI writes it: on-failure:3."""
    name = text(mapping(policy).get("Name"))
    most = whole(mapping(policy).get("MaximumRetryCount"))
    return f"{name}:{most}" if name == "on-failure" and most else name


def cpu_limit(host: Mapping[str, Any]) -> float | None:
    """Cores, from NanoCpus or from quota and period; None where unlimited."""
    if (nano := whole(host.get("NanoCpus"))) > 0:
        return nano / NANO
    quota = whole(host.get("CpuQuota"))
    return quota / (whole(host.get("CpuPeriod")) or 100_000) if quota > 0 else None


def process_table_from(raw: Any) -> ProcessTable:
    """GET /containers/{id}/top. Podman gives lines where Docker gives cells; the last column may hold blanks."""
    table = mapping(raw)
    titles = strings(table.get("Titles"))
    rows = [strings(row) for row in table.get("Processes") or () if row]
    if len(titles) == 1:
        titles = tuple(titles[0].split())
        rows = [tuple(row[0].split(None, len(titles) - 1)) for row in rows]
    return ProcessTable(
        titles=tuple(title.strip() for title in titles),
        rows=tuple(tuple(cell.strip() for cell in row) for row in rows),
    )


def changes_from(raw: Any) -> list[FileChange]:
    """GET /containers/{id}/changes, null for none."""
    return [
        FileChange(text(entry.get("Path")), _CHANGES.get(whole(entry.get("Kind")), "changed"))
        for entry in records(raw)
    ]
