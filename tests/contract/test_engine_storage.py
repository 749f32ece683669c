"""Volumes, networks and disk use of real engines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dockdesk.backends.engine.backend import EngineBackend
from dockdesk.backends.engine.values import HELPER_LABEL
from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
)
from dockdesk.core.ports import NetworkSpec, VolumeSpec
from dockdesk.core.reactor import Reactor
from dockdesk.core.resources.engine import Network, Volume
from dockdesk.core.work import SilentWork
from tests.contract.conftest import Rig
from tests.engines import Dockerd, connected


def volume_named(rig: Rig, name: str) -> Volume | None:
    return next((volume for volume in rig.backend.volumes() if volume.name == name), None)


def containers_there(backend: EngineBackend) -> list[str]:
    """All containers, hidden ones too."""
    return [item.id for item in backend.listed_containers()]


def test_volumes_come_and_go(rig: Rig) -> None:
    backend = rig.backend
    name = rig.name()
    made = backend.create_volume(VolumeSpec(name, labels={"a": "<b>"}))
    assert (made.name, made.driver) == (name, "local")
    found = volume_named(rig, name)
    assert found is not None
    assert found.labels == {"a": "<b>"}
    assert found.used_by == ()
    assert found.created > 0
    with pytest.raises(ConflictError) as caught:
        backend.create_volume(VolumeSpec(name))
    assert "name" in caught.value.hint
    container = rig.make(volumes=(f"{name}:/data",))
    found = volume_named(rig, name)
    assert found is not None
    assert found.used_by == (container,)
    with pytest.raises(ConflictError) as caught:
        backend.remove_volume(name)
    assert caught.value.hint
    backend.remove(container)
    backend.remove_volume(name)
    assert volume_named(rig, name) is None
    with pytest.raises(NotFoundError):
        backend.remove_volume(name)


def test_an_anonymous_volume_gets_a_name(rig: Rig) -> None:
    made = rig.backend.create_volume(VolumeSpec())
    assert made.name
    rig.backend.remove_volume(made.name)


def test_pruning_spares_named_volumes_unless_asked(rig: Rig) -> None:
    backend = rig.backend
    named, anonymous, used = rig.name(), backend.create_volume(VolumeSpec()).name, rig.name()
    backend.create_volume(VolumeSpec(named))
    rig.make(volumes=(f"{used}:/data",))
    report = backend.prune_volumes()
    assert anonymous in report.removed
    assert volume_named(rig, anonymous) is None
    assert volume_named(rig, named) is not None
    assert named in backend.prune_volumes(all_unused=True).removed
    assert volume_named(rig, named) is None
    assert volume_named(rig, used) is not None


@pytest.fixture(params=["running", "stopped", "unused"])
def filled(rig: Rig, request: pytest.FixtureRequest) -> str:
    """A volume with files: mounted in a running container, in a stopped one, or in none."""
    name = rig.name()
    script = "mkdir /data/sub; echo one > /data/one; echo two > /data/sub/two; ln -s one /data/link"
    container = rig.do(script, volumes=(f"{name}:/data",))
    if request.param == "running":
        rig.run(volumes=(f"{name}:/elsewhere:ro",))
    if request.param != "stopped":
        rig.backend.remove(container)
    return name


def test_files_in_a_volume(rig: Rig, filled: str, tmp_path: Path) -> None:
    backend = rig.backend
    before = containers_there(backend)
    entries = {entry.name: entry for entry in backend.list_volume_files(filled, "/")}
    assert set(entries) == {"one", "sub", "link"}
    assert entries["one"].path == "/one"
    assert entries["sub"].kind == "folder"
    assert [e.path for e in backend.list_volume_files(filled, "/sub")] == ["/sub/two"]
    assert backend.read_volume_file(filled, "/sub/two") == (b"two\n", False)
    # Above the volume there is nothing.
    assert {e.name for e in backend.list_volume_files(filled, "/../../..")} == set(entries)
    with pytest.raises(NotFoundError):
        backend.read_volume_file(filled, "/../etc/passwd")

    made = backend.download_from_volume(filled, "/sub", tmp_path, SilentWork())
    assert (made / "two").read_text() == "two\n"
    whole = backend.download_from_volume(filled, "/", tmp_path, SilentWork())
    assert whole == tmp_path / filled
    assert (whole / "sub" / "two").read_text() == "two\n"

    backend.upload_to_volume(filled, [made], "/sub", SilentWork())
    assert backend.read_volume_file(filled, "/sub/sub/two") == (b"two\n", False)
    assert containers_there(backend) == before


def test_an_empty_volume_stays_empty(rig: Rig) -> None:
    """Looking at it must not fill it with files of an image."""
    name = rig.name()
    rig.backend.create_volume(VolumeSpec(name))
    assert rig.backend.list_volume_files(name, "/") == []
    assert rig.do('test -z "$(ls -A /data)"', volumes=(f"{name}:/data",))


def test_looking_at_a_volume_does_not_make_it(rig: Rig) -> None:
    name = rig.name()
    with pytest.raises(NotFoundError):
        rig.backend.list_volume_files(name, "/")
    assert volume_named(rig, name) is None


def test_what_is_used_to_look_is_hidden_and_removed(rig: Rig) -> None:
    name = rig.name()
    backend = rig.backend
    backend.create_volume(VolumeSpec(name))
    with backend.reached(name) as (helper, _):
        assert helper in containers_there(backend)
        assert helper not in {container.id for container in backend.containers()}
        found = volume_named(rig, name)
        assert found is not None
        assert found.used_by == ()
        for image in backend.images():
            assert not any(helper[:12] in user for user in image.used_by)
        assert backend.container(helper).container.labels[HELPER_LABEL] == name
    assert helper not in containers_there(backend)
    with pytest.raises(KeyError), backend.reached(name) as (helper, _):
        raise KeyError
    assert helper not in containers_there(backend)


@pytest.mark.engine
def test_a_volume_can_be_reached_without_any_image(own_dockerd: Dockerd, reactor: Reactor) -> None:
    backend = connected(own_dockerd, reactor)
    try:
        for image in backend.images():
            backend.remove_image(image.id, force=True)
        backend.create_volume(VolumeSpec("lonely"))
        here = Path(__file__)
        backend.upload_to_volume("lonely", [here], "/", SilentWork())
        assert [entry.name for entry in backend.list_volume_files("lonely", "/")] == [here.name]
        assert containers_there(backend) == []
        assert backend.client.get("/images/json") == []
    finally:
        backend.close()


# --- Networks ---


def network_named(rig: Rig, name: str) -> Network | None:
    return next((network for network in rig.backend.networks() if network.name == name), None)


@pytest.fixture
def bridged(rig: Rig) -> Rig:
    if getattr(rig.server, "bridge", "") == "none":
        pytest.skip("this engine has no bridge")
    return rig


def subnet(rig: Rig) -> str:
    """One that no other engine of this machine is likely to have."""
    return f"10.{220 if rig.podman else 221}.{os.getpid() % 250}.0/24"


def make_network(rig: Rig, spec: NetworkSpec) -> str:
    return rig.patiently(lambda: rig.backend.create_network(spec))


def test_networks_come_and_go(bridged: Rig) -> None:
    backend = bridged.backend
    name = bridged.name()
    pool = subnet(bridged)
    gateway = pool.replace(".0/24", ".1")
    id = make_network(bridged, NetworkSpec(name, subnet=pool, gateway=gateway, labels={"a": "b"}))
    found = network_named(bridged, name)
    assert found is not None
    assert found.id == id
    assert (found.subnets, found.gateways) == ((pool,), (gateway,))
    assert found.labels == {"a": "b"}
    assert found.members == ()
    assert not found.builtin
    with pytest.raises(ConflictError):
        backend.create_network(NetworkSpec(name))
    backend.remove_network(id)
    assert network_named(bridged, name) is None
    with pytest.raises(NotFoundError):
        backend.remove_network(id)
    with pytest.raises(InvalidInputError):
        backend.create_network(NetworkSpec(bridged.name(), subnet="ten"))


def test_containers_join_and_leave(bridged: Rig) -> None:
    backend = bridged.backend
    first, second = bridged.name(), bridged.name()
    pool = subnet(bridged)
    make_network(bridged, NetworkSpec(first, subnet=pool))
    make_network(bridged, NetworkSpec(second))
    container = bridged.run(network=second, network_aliases=("early",))
    fixed = pool.replace(".0/24", ".77")
    bridged.patiently(lambda: backend.connect(first, container, ip=fixed, aliases=["www"]))
    endpoints = {item.network: item for item in backend.container(container).endpoints}
    assert set(endpoints) == {first, second}
    assert fixed in endpoints[first].address
    assert "www" in endpoints[first].aliases
    assert "early" in endpoints[second].aliases
    found = network_named(bridged, first)
    assert found is not None
    assert [member.name for member in found.members] == [container]
    assert fixed in found.members[0].address
    with pytest.raises(ConflictError) as caught:
        backend.remove_network(first)
    assert caught.value.hint
    backend.disconnect(first, container)
    found = network_named(bridged, first)
    assert found is not None
    assert found.members == ()
    with pytest.raises(DockDeskError):
        backend.disconnect(first, container)
    with pytest.raises(NotFoundError):
        backend.connect(bridged.name(), container)
    with pytest.raises(NotFoundError):
        backend.connect(first, bridged.name())
    with pytest.raises(InvalidInputError):
        backend.connect(first, container, ip="nowhere")


def test_a_fixed_address_from_the_start(bridged: Rig) -> None:
    name, pool = bridged.name(), subnet(bridged)
    make_network(bridged, NetworkSpec(name, subnet=pool))
    fixed = pool.replace(".0/24", ".55")
    container = bridged.run(network=name, ip=fixed, network_aliases=("www",))
    assert bridged.backend.container(container).endpoints[0].address == fixed
    spec = bridged.backend.spec_of(container)
    assert spec.network == name
    assert "www" in spec.network_aliases
    if not bridged.podman:  # which does not tell what was asked for
        assert spec.ip == fixed


def test_pruning_networks(bridged: Rig) -> None:
    backend = bridged.backend
    unused, used = bridged.name(), bridged.name()
    make_network(bridged, NetworkSpec(unused))
    make_network(bridged, NetworkSpec(used))
    bridged.run(network=used)
    assert unused in backend.prune_networks().removed
    assert network_named(bridged, unused) is None
    assert network_named(bridged, used) is not None


def test_the_engines_own_networks_stay(docker: Rig) -> None:
    found = network_named(docker, "host")
    assert found is not None
    assert found.builtin
    with pytest.raises(ConflictError):
        docker.backend.remove_network("host")


# --- Disk ---


def test_disk_use(rig: Rig) -> None:
    volume = rig.name()
    writer = rig.do(
        "dd if=/dev/zero of=/data/x bs=1k count=200 2>/dev/null; dd if=/dev/zero of=/y bs=1k count=300 2>/dev/null",
        volumes=(f"{volume}:/data",),
    )  # fmt: skip
    running = rig.run()
    usage = rig.backend.disk_usage()
    assert [item.kind for item in usage.slices] == [
        "images",
        "containers",
        "volumes",
        "build cache",
    ]
    items = {(item.kind, item.name): item for item in usage.items}
    assert items["volumes", volume].size >= 200_000
    assert items["volumes", volume].used_by == (writer if not rig.podman else "")
    assert not items["volumes", volume].reclaimable
    assert items["containers", writer].size >= 300_000
    assert items["containers", writer].reclaimable
    assert not items["containers", running].reclaimable
    (image,) = (item for key, item in items.items() if key[0] == "images" and rig.image in key[1])
    assert image.size > 1_000_000
    assert not image.reclaimable
    slices = {item.kind: item for item in usage.slices}
    assert slices["containers"].count >= 2
    assert 1 <= slices["containers"].active < slices["containers"].count
    assert slices["images"].size > 1_000_000
    rig.backend.remove(writer)
    items = {(item.kind, item.name): item for item in rig.backend.disk_usage().items}
    assert items["volumes", volume].reclaimable


def test_the_build_cache(docker: Rig) -> None:
    report = docker.backend.prune_build_cache(all_of_it=True)
    assert report.freed >= 0
    assert docker.backend.prune_build_cache().removed == ()


def test_podman_has_no_build_cache(podman: Rig) -> None:
    with pytest.raises(NotSupportedError) as caught:
        podman.backend.prune_build_cache()
    assert "Podman" in caught.value.detail
    assert caught.value.hint
