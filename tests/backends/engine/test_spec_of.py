"""A container's inspect becomes the spec that would run it again."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dockdesk.backends.engine.spec import create_body
from dockdesk.backends.engine.spec_of import SpecReader
from dockdesk.core.ports import ContainerSpec
from tests.backends.engine.shapes import (
    CONTAINER_ID,
    IMAGE_INSPECTED,
    INSPECTED,
    PODMAN_INSPECTED,
    changed,
)
from tests.backends.engine.test_spec import FULL


def spec_from(
    raw: dict[str, Any], image: dict[str, Any] | None = None, **options: Any
) -> ContainerSpec:
    return SpecReader(raw, image, **options).spec()


def test_docker() -> None:
    assert spec_from(INSPECTED, IMAGE_INSPECTED) == ContainerSpec(
        image="bb:1",
        name="c1",
        command=("sleep", "1000"),
        env=(("B", "2"), ("EMPTY", "")),
        ports=("8080:80", "127.0.0.1:9000-9001:9000-9001/udp"),
        expose=("7",),
        volumes=("vv:/vol:ro", "/srv:/host", "vv2:/vol2:nocopy"),
        tmpfs=("/t:size=1m",),
        network="nn",
        network_aliases=("al",),
        ip="172.18.0.2",
        hostname="hh",
        dns=("1.1.1.1",),
        add_hosts=("a:1.2.3.4",),
        restart="on-failure:3",
        memory=64 << 20,
        cpus=0.5,
        ulimits=("nofile=100:200",),
        labels=(("x", "y"),),
        health_interval=2.0,
        cap_add=("NET_ADMIN",),
        devices=("/dev/null:/dev/xx:rw",),
        sysctls=(("net.ipv4.ip_forward", "0"),),
        log_options=(("max-size", "1m"),),
    )


def test_podmans_defaults_are_not_the_users() -> None:
    image = copy.deepcopy(IMAGE_INSPECTED)
    del image["Config"]["Healthcheck"]  # Podman's answer has none
    spec = spec_from(PODMAN_INSPECTED, image, podman=True)
    assert spec == ContainerSpec(
        image="localhost/bb:1",
        name="c1",
        command=("sleep", "1000"),
        env=(("B", "2"),),
        ports=("8080:80",),
        volumes=("/srv:/host", "/mine", "vv:/vol:ro"),
        tmpfs=("/t:size=1m",),
        network="nn",
        restart="on-failure:3",
        ulimits=("nofile=1048576",),
        labels=(("x", "y"),),
        health_cmd="curl -f localhost",
        cap_drop=("SYS_CHROOT",),
    )


def test_without_its_image_everything_is_kept() -> None:
    spec = spec_from(INSPECTED)
    assert ("PATH", "/bin") in spec.env
    assert ("from", "image") in spec.labels
    assert "/data" in spec.volumes
    assert spec.health_cmd == "true"


def test_an_entrypoint_of_ones_own_drops_the_images_command() -> None:
    image = changed(IMAGE_INSPECTED)
    image["Config"].update(Entrypoint=["/entry"], Cmd=["serve"])
    raw = changed(INSPECTED)

    raw["Config"].update(Entrypoint=["/entry"], Cmd=["serve"])
    assert (spec_from(raw, image).entrypoint, spec_from(raw, image).command) == (None, ())

    raw["Config"].update(Entrypoint=["/entry"], Cmd=["other"])
    assert (spec_from(raw, image).entrypoint, spec_from(raw, image).command) == (None, ("other",))

    raw["Config"].update(Entrypoint=["/mine"], Cmd=["serve"])
    spec = spec_from(raw, image)
    assert (spec.entrypoint, spec.command) == (("/mine",), ("serve",))

    raw["Config"].update(Entrypoint=None, Cmd=["sh"])
    assert (spec_from(raw, image).entrypoint, spec_from(raw, image).command) == ((), ("sh",))


def test_a_container_of_compose_becomes_ones_own() -> None:
    raw = changed(INSPECTED)
    raw["Config"]["Labels"] = {"com.docker.compose.project": "shop", "own": "1"}
    assert spec_from(raw, IMAGE_INSPECTED).labels == (("own", "1"),)


def test_what_comes_from_other_containers_is_mounted_by_name() -> None:
    raw = changed(INSPECTED)
    raw["Mounts"] += [
        {"Type": "volume", "Name": "shared", "Source": "/d", "Destination": "/s", "RW": False},
        {"Type": "bind", "Source": "/etc/x", "Destination": "/x", "RW": True},
    ]
    assert spec_from(raw, IMAGE_INSPECTED).volumes[-2:] == ("shared:/s:ro", "/etc/x:/x")


def test_mounts_of_the_newer_kind() -> None:
    raw = changed(INSPECTED)
    raw["HostConfig"]["Mounts"] = [
        {"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": True,
         "BindOptions": {"Propagation": "rslave"}},
        {"Type": "tmpfs", "Target": "/c", "TmpfsOptions": {"SizeBytes": 1024, "Mode": 0o1777}},
        {"Type": "tmpfs", "Target": "/e"},
        {"Type": "volume", "Target": "/d"},
    ]  # fmt: skip
    raw["Mounts"] = []
    spec = spec_from(raw, IMAGE_INSPECTED)
    assert "/a:/b:ro,rslave" in spec.volumes
    assert "/d" in spec.volumes
    assert spec.tmpfs == ("/c:size=1024,mode=1777", "/e", "/t:size=1m")


def test_namespaces_that_are_shared() -> None:
    raw = changed(INSPECTED)
    raw["HostConfig"].update(NetworkMode="host", PidMode="host", IpcMode="container:x")
    spec = spec_from(raw, IMAGE_INSPECTED)
    assert (spec.network, spec.hostname) == ("host", "")
    assert (spec.pid_mode, spec.ipc_mode) == ("host", "container:x")


def test_the_engines_own_log_driver_is_not_the_users_choice() -> None:
    raw = changed(INSPECTED)
    raw["HostConfig"]["LogConfig"] = {"Type": "local", "Config": {}}
    assert spec_from(raw, IMAGE_INSPECTED, log_driver="local").log_driver == ""
    assert spec_from(raw, IMAGE_INSPECTED, log_driver="json-file").log_driver == "local"


def test_a_health_check_that_is_off() -> None:
    raw = changed(INSPECTED)
    raw["Config"]["Healthcheck"] = {"Test": ["NONE"]}
    assert spec_from(raw, IMAGE_INSPECTED).no_healthcheck
    raw["Config"]["Healthcheck"] = {"Test": ["CMD", "check", "two words"]}
    assert spec_from(raw, IMAGE_INSPECTED).health_cmd == "check 'two words'"


# --- There and back ---

IMAGE = {"Config": {"Entrypoint": ["/image-entry"], "Cmd": ["image-command"]}}


def inspected(spec: ContainerSpec) -> dict[str, Any]:
    """What an engine would answer of a container made from the spec's request, with `IMAGE`."""
    body = copy.deepcopy(create_body(spec))
    if "Entrypoint" not in body:
        body["Entrypoint"] = IMAGE["Config"]["Entrypoint"]
        body["Cmd"] = body.get("Cmd") or IMAGE["Config"]["Cmd"]
    host = body.pop("HostConfig")
    endpoints = body.pop("NetworkingConfig", {}).get("EndpointsConfig", {})
    body.setdefault("Hostname", CONTAINER_ID[:12])
    if body.get("Entrypoint") == [""]:
        body["Entrypoint"] = None
    host.setdefault("NetworkMode", "default")
    host["CapAdd"] = [f"CAP_{name}" for name in host.get("CapAdd", ())]
    return {
        "Id": CONTAINER_ID,
        "Name": f"/{spec.name or 'quiet_wave'}",
        "Config": body,
        "HostConfig": host,
        "Mounts": [],
        "NetworkSettings": {"Networks": endpoints},
    }


def test_a_full_spec_survives() -> None:
    again = spec_from(inspected(FULL), IMAGE)
    assert create_body(again) == create_body(FULL)


words = st.text(
    st.characters(codec="utf-8", exclude_characters="\0=,:", exclude_categories=["C", "Z"]),
    min_size=1,
    max_size=8,
)
names = st.from_regex(r"[a-z][a-z0-9_.-]{1,12}", fullmatch=True)
values = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
durations = st.integers(0, 10_000).map(lambda thousandths: thousandths / 1000)
addresses = st.ip_addresses().map(str)


def some(items: st.SearchStrategy[Any], **options: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3, **options).map(tuple)


def pairs(keys: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    return st.dictionaries(keys, values, max_size=3).map(lambda found: tuple(sorted(found.items())))


@st.composite
def specs(draw: st.DrawFn) -> ContainerSpec:
    entrypoint = draw(st.none() | some(words))
    command = draw(some(words))
    if entrypoint is None and command == ("image-command",):
        command = ()
    health = draw(st.sampled_from(["", "curl -f localhost || exit 1"]))
    own_network = draw(st.booleans())
    restart = draw(st.sampled_from(["", "always", "unless-stopped", "on-failure", "on-failure:5"]))
    targets = draw(st.lists(paths, max_size=4, unique=True))
    volumes = [
        draw(st.sampled_from([target, f"vol:{target}", f"/srv/x:{target}:ro,z"]))
        for target in targets
    ]
    return ContainerSpec(
        image=draw(names),
        name=draw(names),
        command=command,
        entrypoint=entrypoint,
        env=draw(pairs(words)),
        ports=draw(some(st.sampled_from(["80", "8080:80", "1.2.3.4:90-95:90-95/udp", "[::1]::7"]))),
        expose=draw(some(st.integers(1000, 2000).map(str))),
        publish_all=draw(st.booleans()),
        volumes=tuple(volumes),
        tmpfs=tuple(
            sorted(draw(st.sets(paths.map(lambda path: f"/tmpfs{path}:size=1m"), max_size=2)))
        ),
        network="shop" if own_network else draw(st.sampled_from(["", "none"])),
        network_aliases=draw(some(names)) if own_network else (),
        ip=draw(st.just("") | addresses) if own_network else "",
        hostname=draw(st.just("") | names),
        dns=draw(some(addresses)),
        add_hosts=draw(some(st.tuples(names, addresses).map(":".join))),
        restart=restart,
        memory=draw(st.integers(0, 1 << 40)),
        memory_swap=draw(st.sampled_from([0, -1, (1 << 41) + 1])),
        cpus=draw(st.integers(0, 6400)) / 100,
        cpu_shares=draw(st.integers(0, 4096)),
        pids_limit=draw(st.integers(0, 4096)),
        shm_size=draw(
            st.integers(0, 1 << 30).filter(lambda size: size not in {64 << 20, 65_536_000})
        ),
        ulimits=draw(some(st.sampled_from(["nofile=5:9", "core=0", "nproc=-1"]), unique=True)),
        user=draw(st.just("") | names),
        workdir=draw(st.just("") | paths),
        labels=draw(pairs(words)),
        health_cmd=health,
        health_interval=draw(durations),
        health_timeout=draw(durations),
        health_retries=draw(st.integers(0, 9)),
        health_start_period=draw(durations),
        cap_add=draw(some(st.sampled_from(["NET_ADMIN", "SYS_PTRACE"]), unique=True)),
        cap_drop=draw(some(st.sampled_from(["ALL", "MKNOD"]), unique=True)),
        security_opt=draw(some(st.sampled_from(["no-new-privileges", "apparmor=x"]), unique=True)),
        devices=draw(
            some(st.sampled_from(["/dev/a", "/dev/b:/dev/c", "/dev/d:/dev/e:r"]), unique=True)
        ),
        sysctls=draw(pairs(names)),
        privileged=draw(st.booleans()),
        read_only=draw(st.booleans()),
        init=draw(st.booleans()),
        tty=draw(st.booleans()),
        interactive=draw(st.booleans()),
        auto_remove=draw(st.booleans()) and not restart,
        gpus=draw(st.sampled_from(["", "all", "2", "device=0,1"])),
        stop_signal=draw(st.sampled_from(["", "SIGQUIT"])),
        stop_timeout=draw(st.none() | st.integers(0, 99)),
        pid_mode=draw(st.sampled_from(["", "host"])),
        ipc_mode=draw(st.sampled_from(["", "host"])),
        log_driver=draw(st.sampled_from(["", "local"])),
        log_options=draw(pairs(names)),
    )


def without_order(body: dict[str, Any]) -> dict[str, Any]:
    bindings = body["HostConfig"].get("PortBindings", {})
    for key in bindings:
        bindings[key] = sorted(bindings[key], key=str)
    return body


@given(specs())
def test_there_and_back_asks_for_the_same(spec: ContainerSpec) -> None:
    again = spec_from(inspected(spec), IMAGE)
    assert without_order(create_body(again)) == without_order(create_body(spec))
    assert (again.name, again.image) == (spec.name, spec.image)
