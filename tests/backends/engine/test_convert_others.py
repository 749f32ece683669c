"""Images, volumes, networks and disk use in the engine's JSON become core's values."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from dockdesk.backends.engine.convert import ListedContainer, RawList, listed_from
from dockdesk.backends.engine.convert_engine import (
    disk_usage_from,
    networks_from,
    prune_report_from,
    volumes_from,
)
from dockdesk.backends.engine.convert_images import (
    ImageList,
    ImageUsers,
    ListedImage,
    image_detail_from,
    images_from,
    removed_from,
)
from dockdesk.backends.engine.events import EventDecoder
from dockdesk.backends.engine.values import HELPER_LABEL
from dockdesk.core.resources.engine import DiskSlice
from tests.backends.engine.shapes import (
    CONTAINER_ID,
    DISK_NEW,
    DISK_OLD,
    IMAGE_ID,
    IMAGE_INSPECTED,
    LISTED,
    PODMAN_LISTED,
    changed,
)


def containers(*shapes: dict[str, Any]) -> list[ListedContainer]:
    return listed_from(msgspec.json.decode(json.dumps(shapes).encode(), type=RawList))


def listed_images(*shapes: dict[str, Any]) -> list[ListedImage]:
    made: list[ListedImage] = msgspec.json.decode(json.dumps(shapes).encode(), type=ImageList)
    return made


HELPER = changed(LISTED, Id="9" * 64, Names=["/helper"], Labels={HELPER_LABEL: "vv"})


def test_images_know_who_uses_them() -> None:
    shapes: list[dict[str, Any]] = [
        {
            "Id": IMAGE_ID,
            "RepoTags": ["bb:1", "bb:latest"],
            "RepoDigests": ["bb@sha256:" + "1" * 64],
            "Created": 1796068748,
            "Size": 10,
            "SharedSize": 4,
            "Labels": {"a": "b"},
            "Containers": -1,
        },
        {
            "Id": "sha256:" + "2" * 64,
            "RepoTags": ["<none>:<none>"],
            "RepoDigests": ["<none>@<none>"],
        },
        {"Id": "sha256:" + "3" * 64, "RepoTags": None, "Labels": {HELPER_LABEL: "image"}},
    ]
    users = ImageUsers(containers(LISTED, PODMAN_LISTED, HELPER))
    used, dangling = images_from(listed_images(*shapes), users)
    assert used.tags == ("bb:1", "bb:latest")
    assert used.used_by == ("c1",)
    assert (used.size, used.shared) == (10, 4)
    assert dangling.dangling
    assert dangling.digests == ()
    assert dangling.used_by == ()
    assert dangling.shared == -1


def test_image_ids_match_with_and_without_their_algorithm() -> None:
    bare = changed(LISTED, ImageID=IMAGE_ID.removeprefix("sha256:"))
    assert ImageUsers(containers(bare)).of(IMAGE_ID, ()) == ("c1",)


def test_containers_without_an_image_id_match_by_tag() -> None:
    nameless = changed(LISTED, ImageID=None, Image="bb:1")
    users = ImageUsers(containers(nameless))
    assert users.of("sha256:" + "4" * 64, ("bb:1",)) == ("c1",)
    assert users.of("sha256:" + "4" * 64, ("bb:2",)) == ()


def test_image_detail() -> None:
    history = [
        {
            "Id": IMAGE_ID,
            "Created": 1796068748,
            "CreatedBy": 'CMD ["sh"]',
            "Size": 0,
            "Tags": ["bb:1"],
            "Comment": "buildkit",
        },
        {
            "Id": "<missing>",
            "Created": 1796068747,
            "CreatedBy": "COPY . /",
            "Size": 9,
            "Tags": None,
        },
    ]
    detail = image_detail_from(IMAGE_INSPECTED, history, ImageUsers(containers(LISTED)))
    assert detail.architecture == "arm64/v8"
    assert detail.image.used_by == ("c1",)
    assert detail.image.created == pytest.approx(1796068748.724302)
    assert [layer.size for layer in detail.layers] == [0, 9]
    assert detail.layers[0].tags == ("bb:1",)
    assert detail.exposed == ("80/tcp",)
    assert detail.volumes == ("/data",)
    assert detail.environment == (("PATH", "/bin"), ("A", "1"))
    assert detail.command == ("sh",)
    assert detail.entrypoint == ()


def test_removed() -> None:
    assert removed_from([{"Untagged": "a:1"}, {"Deleted": "sha256:1"}, {}]) == ["a:1", "sha256:1"]
    assert removed_from(None) == []


def test_volumes_know_who_mounts_them() -> None:
    raw = {
        "Volumes": [
            {
                "Name": "vv",
                "Driver": "local",
                "CreatedAt": "2026-11-30T19:59:08Z",
                "Options": {"type": "nfs"},
                "Labels": None,
                "UsageData": {"Size": 7, "RefCount": 1},
            },
            {"Name": "free", "Driver": "local"},
        ],
        "Warnings": None,
    }
    used, free = volumes_from(raw, containers(LISTED, HELPER))
    assert used.used_by == ("c1",)
    assert (used.size, used.options, used.created) == (7, {"type": "nfs"}, 1796068748.0)
    assert free.used_by == ()
    assert free.size == -1
    assert volumes_from({"Volumes": None}, ()) == []


def test_networks_get_their_members_from_the_containers() -> None:
    raw = [
        {
            "Name": "nn",
            "Id": "1" * 64,
            "Driver": "bridge",
            "EnableIPv6": True,
            "Internal": True,
            "Created": "2026-11-30T19:59:08Z",
            "IPAM": {"Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}, {}]},
            "Containers": {},
        },
        {"Name": "none", "Id": "2" * 64, "Driver": "null", "IPAM": {"Config": None}},
    ]
    nn, none = networks_from(raw, containers(LISTED, HELPER))
    assert nn.subnets == ("172.18.0.0/16",)
    assert nn.gateways == ("172.18.0.1",)
    assert (nn.ipv6, nn.internal, nn.builtin) == (True, True, False)
    (member,) = nn.members
    assert (member.container_id, member.name) == (CONTAINER_ID, "c1")
    assert member.address == "172.18.0.2, fd00::2"
    assert none.members == ()
    assert none.builtin


def test_podmans_default_network_has_two_names() -> None:
    raw = [{"Name": "bridge", "Id": "1" * 64, "Driver": "bridge"}]
    (network,) = networks_from(raw, containers(PODMAN_LISTED))
    assert [member.name for member in network.members] == ["c1"]


def test_disk_use_of_old_engines() -> None:
    usage = disk_usage_from(DISK_OLD)
    assert usage.slices == (
        DiskSlice("images", 2, 1, 1_500_000, 500_000),
        DiskSlice("containers", 2, 1, 5_000, 3_000),
        DiskSlice("volumes", 3, 1, 120, 50),
        DiskSlice("build cache", 3, 1, 610, 600),
    )
    sizes = [item.size for item in usage.items]
    assert sizes == sorted(sizes, reverse=True)
    by_name = {(item.kind, item.name): item for item in usage.items}
    assert by_name["images", "bb:1"].used_by == "c1, old"
    assert not by_name["images", "bb:1"].reclaimable
    assert by_name["images", "7" * 12].reclaimable
    assert by_name["images", "7" * 12].size == 500_000
    assert not by_name["containers", "c1"].reclaimable
    assert by_name["containers", "old"].reclaimable
    assert by_name["volumes", "vv"].used_by == "c1"
    assert by_name["volumes", "free"].reclaimable
    assert by_name["build cache", "base"].size == 0
    assert not by_name["build cache", "bb"].reclaimable


def test_new_engines_tell_the_same_in_another_shape() -> None:
    old, new = disk_usage_from(DISK_OLD), disk_usage_from(DISK_NEW)
    # Volumes and cache count here as the engine counts them.
    assert new.items == old.items
    assert [s.size for s in new.slices] == [1_500_000, 5_000, 120, 610]
    assert [s.reclaimable for s in new.slices] == [500_000, 3_000, 50, 600]
    assert [s.active for s in new.slices] == [1, 1, 1, 1]


def test_disk_use_of_an_empty_engine() -> None:
    empty = {"LayersSize": 0, "Images": [], "Containers": None, "Volumes": None, "BuildCache": None}
    usage = disk_usage_from(empty)
    assert (usage.size, usage.reclaimable, usage.items) == (0, 0, ())
    assert [s.kind for s in usage.slices] == ["images", "containers", "volumes", "build cache"]


def test_podmans_images_get_their_names_from_the_list() -> None:
    raw = {"Images": [{"Id": IMAGE_ID.removeprefix("sha256:"), "RepoTags": ["1"], "Size": 5}]}
    usage = disk_usage_from(raw, {IMAGE_ID.removeprefix("sha256:"): "localhost/bb:1"})
    assert [item.name for item in usage.items] == ["localhost/bb:1"]


def test_helpers_take_no_room_in_the_list() -> None:
    helper = changed(DISK_OLD["Containers"][1], Labels={HELPER_LABEL: "x"})
    usage = disk_usage_from(changed(DISK_OLD, Containers=[helper]))
    assert [item for item in usage.items if item.kind == "containers"] == []


def test_prune_reports() -> None:
    raw = {"VolumesDeleted": ["a", "b"], "SpaceReclaimed": 12}
    report = prune_report_from(raw, "VolumesDeleted")
    assert (report.removed, report.freed) == (("a", "b"), 12)
    report = prune_report_from({"ContainersDeleted": None}, "ContainersDeleted")
    assert (report.removed, report.freed) == ((), 0)


def test_events_of_helpers_are_left_out() -> None:
    def line(**attributes: str) -> bytes:
        actor = {"ID": CONTAINER_ID, "Attributes": attributes}
        event = {"Type": "container", "Action": "create", "Actor": actor, "timeNano": 10**18}
        return json.dumps(event).encode() + b"\n"

    decoder = EventDecoder()
    events = decoder.feed([line(name="a"), line(**{HELPER_LABEL: "vv"}), line(name="b")])
    assert [event.name for event in events] == ["a", "b"]
