"""Volumes, networks, disk use and prune reports in the engine's JSON, turned into core's values.

Sources: Engine API v1.41 to v1.55, VolumeList, NetworkList, SystemDataUsage (both its shapes); docker CLI's
`system df` for what counts as reclaimable; Podman 4.3 where it differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dockdesk.backends.engine.convert import ListedContainer
from dockdesk.backends.engine.convert_images import bare
from dockdesk.backends.engine.values import (
    HELPER_LABEL,
    labels,
    leaf_name,
    mapping,
    moment,
    real_tags,
    records,
    strings,
    text,
    whole,
)
from dockdesk.core.resources.engine import (
    DiskItem,
    DiskSlice,
    DiskUsage,
    Network,
    NetworkMember,
    PruneReport,
    Volume,
)

_ACTIVE = {"running", "paused", "restarting"}


def volumes_from(raw: Any, containers: Iterable[ListedContainer]) -> list[Volume]:
    """GET /volumes, with who mounts each from the container list. The engine computes sizes only for its disk usage."""
    users: dict[str, set[str]] = {}
    for container in containers:
        if container.hidden:
            continue
        for mount in container.mounts or ():
            if mount.type == "volume" and mount.name:
                users.setdefault(mount.name, set()).add(
                    leaf_name(container.names) or container.id[:12]
                )
    return [
        volume_from(entry, tuple(sorted(users.get(text(entry.get("Name")), ()))))
        for entry in records(mapping(raw).get("Volumes"))
    ]


def volume_from(raw: Mapping[str, Any], used_by: tuple[str, ...] = ()) -> Volume:
    usage = raw.get("UsageData")
    return Volume(
        name=text(raw.get("Name")),
        driver=text(raw.get("Driver")) or "local",
        mountpoint=text(raw.get("Mountpoint")),
        created=moment(raw.get("CreatedAt")),
        scope=text(raw.get("Scope")) or "local",
        size=whole(mapping(usage).get("Size"), -1) if usage else -1,
        used_by=used_by,
        labels=labels(raw.get("Labels")),
        options=labels(raw.get("Options")),
        raw=raw,
    )


def networks_from(raw: Any, containers: Sequence[ListedContainer]) -> list[Network]:
    """GET /networks, with the members from the container list: the network list leaves them out.

    Podman lists its default network as “bridge”, but calls it “podman” in containers.
    """
    members: dict[str, dict[str, NetworkMember]] = {}
    for container in containers:
        if container.hidden:
            continue
        for name, endpoint in container.endpoints.items():
            addresses: tuple[str, ...] = ()
            if endpoint is not None:
                addresses = (endpoint.ip_address or "", endpoint.ipv6_address or "")
            members.setdefault(name, {})[container.id] = NetworkMember(
                container_id=container.id,
                name=leaf_name(container.names) or container.id[:12],
                address=", ".join(filter(None, addresses)),
                mac=(endpoint.mac_address or "") if endpoint is not None else "",
            )
    entries = records(raw)
    names = {text(entry.get("Name")) for entry in entries}
    if "podman" in members and "podman" not in names and "bridge" in names:
        members.setdefault("bridge", {}).update(members.pop("podman"))
    return [network_from(entry, members.get(text(entry.get("Name")), {})) for entry in entries]


def network_from(raw: Mapping[str, Any], members: Mapping[str, NetworkMember]) -> Network:
    pools = records(mapping(raw.get("IPAM")).get("Config"))
    return Network(
        id=text(raw.get("Id")),
        name=text(raw.get("Name")),
        driver=text(raw.get("Driver")),
        scope=text(raw.get("Scope")) or "local",
        created=moment(raw.get("Created")),
        internal=bool(raw.get("Internal")),
        attachable=bool(raw.get("Attachable")),
        ipv6=bool(raw.get("EnableIPv6")),
        subnets=tuple(filter(None, (text(pool.get("Subnet")) for pool in pools))),
        gateways=tuple(filter(None, (text(pool.get("Gateway")) for pool in pools))),
        members=tuple(sorted(members.values(), key=lambda member: member.name)),
        labels=labels(raw.get("Labels")),
        raw=raw,
    )


# --- Disk use ---


def disk_usage_from(raw: Any, image_names: Mapping[str, str] | None = None) -> DiskUsage:
    """GET /system/df: a line and the items for each kind, in either of the API's two shapes.

    ``image_names`` maps bare image ids to names, for Podman, whose answer has none.
    """
    report = mapping(raw)
    images, image_line = _part(report, "Images", "ImageUsage")
    containers, container_line = _part(report, "Containers", "ContainerUsage")
    volumes, volume_line = _part(report, "Volumes", "VolumeUsage")
    cache, cache_line = _part(report, "BuildCache", "BuildCacheUsage")
    containers = [c for c in containers if HELPER_LABEL not in mapping(c.get("Labels"))]

    used_images: dict[str, list[str]] = {}
    used_volumes: dict[str, list[str]] = {}
    for container in containers:
        name = _container_name(container)
        used_images.setdefault(bare(text(container.get("ImageID"))), []).append(name)
        for mount in records(container.get("Mounts")):
            used_volumes.setdefault(text(mount.get("Name")), []).append(name)

    items = {
        "images": _image_items(images, used_images, image_names or {}),
        "containers": _container_items(containers),
        "volumes": _volume_items(volumes, used_volumes),
        "build cache": _cache_items(cache),
    }
    stated = {
        "images": image_line,
        "containers": container_line,
        "volumes": volume_line,
        "build cache": cache_line,
    }
    # Layers that images share count once: only the engine knows their sum.
    layers = whole(report.get("LayersSize")) or None
    slices = tuple(
        _slice(kind, items[kind], stated[kind], layers if kind == "images" else None)
        for kind in items
    )
    found = (item for kind in items for item in items[kind])
    return DiskUsage(slices, tuple(sorted(found, key=lambda item: -item.size)))


def _part(
    report: Mapping[str, Any], old: str, new: str
) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """The items of one kind, and the engine's own sums where it gives them (API 1.52 and later)."""
    usage = mapping(report.get(new))
    return records(usage.get("Items")) or records(report.get(old)), usage


def _slice(
    kind: str, items: Sequence[DiskItem], stated: Mapping[str, Any], size: int | None
) -> DiskSlice:
    if stated:
        return DiskSlice(
            kind,
            whole(stated.get("TotalCount")),
            whole(stated.get("ActiveCount")),
            whole(stated.get("TotalSize")),
            whole(stated.get("Reclaimable")),
        )
    free = [item for item in items if item.reclaimable]
    total = size if size is not None else sum(item.size for item in items)
    freed = sum(item.size for item in free)
    return DiskSlice(kind, len(items), len(items) - len(free), total, min(freed, total))


def _container_name(raw: Mapping[str, Any]) -> str:
    return leaf_name(raw.get("Names")) or text(raw.get("Id"))[:12]


def _image_items(
    images: Iterable[Mapping[str, Any]],
    users: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
) -> list[DiskItem]:
    """Each image with the bytes that removing it alone would free: those it shares with others stay."""
    made = []
    for raw in images:
        id = text(raw.get("Id"))
        tags = real_tags(raw.get("RepoTags"))
        used = sorted(users.get(bare(id), ()))
        size, shared = whole(raw.get("Size")), whole(raw.get("SharedSize"), -1)
        made.append(
            DiskItem(
                kind="images",
                id=id,
                name=names.get(bare(id)) or (tags[0] if tags else bare(id)[:12]),
                size=max(0, size - max(0, shared)),
                reclaimable=not used and whole(raw.get("Containers")) <= 0,
                used_by=", ".join(used),
                created=moment(raw.get("Created")),
            )
        )
    return made


def _container_items(containers: Iterable[Mapping[str, Any]]) -> list[DiskItem]:
    return [
        DiskItem(
            kind="containers",
            id=text(raw.get("Id")),
            name=_container_name(raw),
            size=whole(raw.get("SizeRw")),
            reclaimable=text(raw.get("State")).lower() not in _ACTIVE,
            created=moment(raw.get("Created")),
        )
        for raw in containers
    ]


def _volume_items(
    volumes: Iterable[Mapping[str, Any]], users: Mapping[str, Sequence[str]]
) -> list[DiskItem]:
    made = []
    for raw in volumes:
        name = text(raw.get("Name"))
        usage = mapping(raw.get("UsageData"))
        used = sorted(users.get(name, ()))
        made.append(
            DiskItem(
                kind="volumes",
                id=name,
                name=name,
                size=max(0, whole(usage.get("Size"))),
                reclaimable=not used and whole(usage.get("RefCount")) <= 0,
                used_by=", ".join(used),
                created=moment(raw.get("CreatedAt")),
            )
        )
    return made


def _cache_items(records_: Iterable[Mapping[str, Any]]) -> list[DiskItem]:
    """Build cache that is not shared with an image: what is shared takes no space of its own."""
    return [
        DiskItem(
            kind="build cache",
            id=text(raw.get("ID")),
            name=text(raw.get("Description")) or text(raw.get("ID")),
            size=0 if raw.get("Shared") else whole(raw.get("Size")),
            reclaimable=not raw.get("InUse"),
            used_by="a build" if raw.get("InUse") else "",
            created=moment(raw.get("CreatedAt")),
        )
        for raw in records_
    ]


# --- Prune ---


def prune_report_from(raw: Any, key: str) -> PruneReport:
    """What a prune request of Docker's shape says: ``key`` names the list of what went."""
    report = mapping(raw)
    return PruneReport(strings(report.get(key)), whole(report.get("SpaceReclaimed")))
