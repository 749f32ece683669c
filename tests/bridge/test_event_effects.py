"""What the engine's events change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockdesk.bridge.event_effects import NONE, Effects, effects_of
from dockdesk.bridge.users import Change, images_after, volumes_after
from dockdesk.core.resources.containers import Container, Mount
from dockdesk.core.resources.engine import EngineEvent, Volume
from dockdesk.core.resources.images import Image


def event(kind: str, action: str, id: str = "c1", **attributes: str) -> EngineEvent:
    return EngineEvent(kind, action, id, 1.0, attributes=attributes)


@pytest.mark.parametrize(
    "action",
    ["start", "die", "stop", "pause", "unpause", "rename", "update", "create", "restart", "oom",
     "health_status: healthy", "cleanup", "init", "something new"],
)  # fmt: skip
def test_what_happens_to_a_container_is_read_back(action: str) -> None:
    assert effects_of(event("container", action)) == Effects(changed="c1")


@pytest.mark.parametrize("action", ["destroy", "remove"])
def test_a_container_that_is_gone_needs_no_call(action: str) -> None:
    assert effects_of(event("container", action)) == Effects(removed="c1")


@pytest.mark.parametrize(
    "action",
    ["exec_create: /bin/sh -c curl -f http://localhost/", "exec_start: /bin/sh -c true", "exec_die",
     "exec_died", "top", "attach", "detach", "resize", "export", "archive-path", "kill", "sync"],
)  # fmt: skip
def test_health_checks_and_looks_cost_nothing(action: str) -> None:
    assert effects_of(event("container", action)) is NONE


def test_other_kinds() -> None:
    assert effects_of(event("image", "pull")).lists == {"images"}
    assert effects_of(event("image", "untag")).lists == {"images"}
    assert effects_of(event("image", "push")) is NONE
    assert effects_of(event("container", "commit")).lists == {"images"}
    assert effects_of(event("container", "prune", "")).all_containers
    assert effects_of(event("volume", "create", "data")).lists == {"volumes"}
    assert effects_of(event("volume", "mount", "data")) is NONE
    joined = effects_of(event("network", "connect", "n1", container="c9"))
    assert joined == Effects(changed="c9", lists=frozenset({"networks"}))
    assert effects_of(event("daemon", "reload")) is NONE
    assert effects_of(event("builder", "prune")) is NONE


IMAGES = {
    "sha256:aa": Image("sha256:aa", ("web:1", "web:latest"), (), 0.0, 1),
    "bb": Image("bb", ("db:1",), (), 0.0, 1),
}
VOLUMES = {name: Volume(name, "local") for name in ("data", "logs")}


def container(id: str, name: str, image_id: str, image: str, *volumes: str) -> Container:
    mounts = tuple(Mount("volume", f"/v/{item}", f"/{item}", name=item) for item in volumes)
    return Container(id, name, image, image_id, "running", "Up", 0.0, mounts=mounts)


containers = st.builds(
    container,
    st.sampled_from(["c1", "c2", "c3"]),
    st.sampled_from(["web", "db", "job"]),
    st.sampled_from(["aa", "sha256:aa", "bb", "", "zz"]),
    st.sampled_from(["web:1", "db:1", "gone:1"]),
    st.sampled_from(["data", "logs", "anonymous"]),
)


def users_of(image: Image, all_containers: Mapping[str, Container]) -> set[str]:
    def uses(item: Container) -> bool:
        if item.image_id:
            return item.image_id.removeprefix("sha256:") == image.id.removeprefix("sha256:")
        return item.image in image.tags

    return {item.name for item in all_containers.values() if uses(item)}


@given(st.lists(st.tuples(st.sampled_from(["put", "remove"]), containers), max_size=30))
def test_users_follow_the_containers(steps: list[tuple[str, Container]]) -> None:
    """However containers come, change and go: the result is that of a new listing."""
    images, volumes = dict(IMAGES), dict(VOLUMES)
    now: dict[str, Container] = {}
    for step, item in steps:
        if step == "put" and any(
            other.name == item.name for other in now.values() if other.id != item.id
        ):
            continue  # an engine gives a name only once
        change: Change
        if step == "put":
            change = (now.get(item.id), item)
            now[item.id] = item
        else:
            change = (now.pop(item.id, None), None)
        images.update(images_after(images, [change]))
        volumes.update(volumes_after(volumes, [change]))
    for image in images.values():
        assert set(image.used_by) == users_of(image, now)
        assert list(image.used_by) == sorted(image.used_by)
    for volume in volumes.values():
        assert set(volume.used_by) == {
            item.name
            for item in now.values()
            if any(mount.name == volume.name for mount in item.mounts)
        }


def test_a_container_replaced_by_one_of_its_name_stays_a_user() -> None:
    before = container("c1", "web", "aa", "web:1", "data")
    after = replace(before, id="c2")
    images = {**IMAGES, "sha256:aa": replace(IMAGES["sha256:aa"], used_by=("web",))}
    assert images_after(images, [(None, after), (before, None)]) == {}
    assert images_after(images, [(before, None), (None, after)]) == {}
