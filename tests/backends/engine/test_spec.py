"""What the run form holds becomes the engine's create request, or a mistake told at its field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dockdesk.backends.engine.spec import create_body, create_params
from dockdesk.core.errors import InvalidInputError, LocalError
from dockdesk.core.ports import ContainerSpec

FULL = ContainerSpec(
    image="nginx:1.27",
    name="web",
    command=("nginx", "-g", "daemon off;"),
    entrypoint=("/entry", "-x"),
    env=(("A", "1"), ("B", "x=y"), ("EMPTY", "")),
    ports=("8080:80", "127.0.0.1:9000-9001:9000-9001/udp", "[::1]:53:53"),
    expose=("81",),
    publish_all=True,
    volumes=("data:/data", "/srv:/srv:ro,z", "/anonymous"),
    tmpfs=("/run:size=64m,mode=1777", "/tmp"),
    network="shop",
    network_aliases=("www", "web"),
    ip="10.1.2.3",
    hostname="web.local",
    dns=("1.1.1.1", "2606:4700::1111"),
    add_hosts=("db:10.0.0.5", "six:[::1]", "out=host-gateway"),
    restart="on-failure:3",
    memory=256 << 20,
    memory_swap=-1,
    cpus=1.5,
    cpu_shares=512,
    pids_limit=100,
    shm_size=128 << 20,
    ulimits=("nofile=1024:2048", "core=0", "memlock=-1"),
    user="1000:1000",
    workdir="/srv",
    labels=(("a", "b"), ("empty", "")),
    health_cmd="curl -f localhost",
    health_interval=0.5,
    health_timeout=3.0,
    health_retries=4,
    health_start_period=10.0,
    platform="linux/arm64",
    cap_add=("NET_ADMIN",),
    cap_drop=("ALL",),
    security_opt=("no-new-privileges", "seccomp=unconfined"),
    devices=("/dev/fuse", "/dev/a:/dev/b:r", "/dev/c:rw", "vendor.com/gpu=0"),
    sysctls=(("net.core.somaxconn", "1024"),),
    privileged=True,
    read_only=True,
    init=True,
    tty=True,
    interactive=True,
    gpus="all",
    stop_signal="SIGQUIT",
    stop_timeout=0,
    pid_mode="host",
    ipc_mode="host",
    log_driver="local",
    log_options=(("max-size", "1m"),),
)


def host(spec: ContainerSpec) -> dict[str, Any]:
    made: dict[str, Any] = create_body(spec)["HostConfig"]
    return made


def test_everything_reaches_the_request() -> None:
    body = create_body(FULL)
    config = body.pop("HostConfig")
    assert body == {
        "Image": "nginx:1.27",
        "Cmd": ["nginx", "-g", "daemon off;"],
        "Entrypoint": ["/entry", "-x"],
        "Env": ["A=1", "B=x=y", "EMPTY="],
        "Labels": {"a": "b", "empty": ""},
        "Tty": True,
        "OpenStdin": True,
        "Hostname": "web.local",
        "User": "1000:1000",
        "WorkingDir": "/srv",
        "StopSignal": "SIGQUIT",
        "StopTimeout": 0,
        "ExposedPorts": {"80/tcp": {}, "9000/udp": {}, "9001/udp": {}, "53/tcp": {}, "81/tcp": {}},
        "Volumes": {"/anonymous": {}},
        "Healthcheck": {
            "Test": ["CMD-SHELL", "curl -f localhost"],
            "Interval": 500_000_000,
            "Timeout": 3_000_000_000,
            "Retries": 4,
            "StartPeriod": 10_000_000_000,
        },
        "NetworkingConfig": {
            "EndpointsConfig": {
                "shop": {"Aliases": ["www", "web"], "IPAMConfig": {"IPv4Address": "10.1.2.3"}}
            }
        },
    }
    assert config == {
        "Binds": ["data:/data", "/srv:/srv:ro,z"],
        "PortBindings": {
            "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
            "9000/udp": [{"HostIp": "127.0.0.1", "HostPort": "9000"}],
            "9001/udp": [{"HostIp": "127.0.0.1", "HostPort": "9001"}],
            "53/tcp": [{"HostIp": "::1", "HostPort": "53"}],
        },
        "PublishAllPorts": True,
        "Tmpfs": {"/run": "size=64m,mode=1777", "/tmp": ""},
        "NetworkMode": "shop",
        "Dns": ["1.1.1.1", "2606:4700::1111"],
        "ExtraHosts": ["db:10.0.0.5", "six:::1", "out:host-gateway"],
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "Memory": 268_435_456,
        "MemorySwap": -1,
        "NanoCpus": 1_500_000_000,
        "CpuShares": 512,
        "PidsLimit": 100,
        "ShmSize": 134_217_728,
        "Ulimits": [
            {"Name": "nofile", "Soft": 1024, "Hard": 2048},
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "memlock", "Soft": -1, "Hard": -1},
        ],
        "CapAdd": ["NET_ADMIN"],
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges", "seccomp=unconfined"],
        "Devices": [
            {
                "PathOnHost": "/dev/fuse",
                "PathInContainer": "/dev/fuse",
                "CgroupPermissions": "rwm",
            },
            {"PathOnHost": "/dev/a", "PathInContainer": "/dev/b", "CgroupPermissions": "r"},
            {"PathOnHost": "/dev/c", "PathInContainer": "/dev/c", "CgroupPermissions": "rw"},
        ],
        "DeviceRequests": [
            {"Driver": "cdi", "DeviceIDs": ["vendor.com/gpu=0"]},
            {"Capabilities": [["gpu"]], "Count": -1},
        ],
        "Sysctls": {"net.core.somaxconn": "1024"},
        "Privileged": True,
        "ReadonlyRootfs": True,
        "Init": True,
        "PidMode": "host",
        "IpcMode": "host",
        "LogConfig": {"Type": "local", "Config": {"max-size": "1m"}},
    }
    assert create_params(FULL) == {"name": "web", "platform": "linux/arm64"}


def test_what_is_not_given_is_left_to_image_and_engine() -> None:
    body = create_body(ContainerSpec("alpine"))
    assert body == {
        "Image": "alpine",
        "Env": [],
        "Labels": {},
        "Tty": False,
        "OpenStdin": False,
        "HostConfig": {},
    }
    assert create_params(ContainerSpec("alpine")) == {"name": None, "platform": None}


def test_an_emptied_entrypoint_is_not_one_that_is_kept() -> None:
    assert create_body(ContainerSpec("a", entrypoint=()))["Entrypoint"] == [""]
    assert "Entrypoint" not in create_body(ContainerSpec("a"))


def test_health_checks() -> None:
    assert create_body(ContainerSpec("a", no_healthcheck=True))["Healthcheck"] == {"Test": ["NONE"]}
    # The image's command, at another pace.
    assert create_body(ContainerSpec("a", health_interval=2.0))["Healthcheck"] == {
        "Interval": 2_000_000_000
    }


@pytest.mark.parametrize(
    ("gpus", "request_"),
    [
        ("2", {"Capabilities": [["gpu"]], "Count": 2}),
        ("device=0,GPU-3a", {"Capabilities": [["gpu"]], "DeviceIDs": ["0", "GPU-3a"]}),
        ('"device=0,1"', {"Capabilities": [["gpu"]], "DeviceIDs": ["0", "1"]}),
    ],
)
def test_gpus(gpus: str, request_: dict[str, Any]) -> None:
    assert host(ContainerSpec("a", gpus=gpus))["DeviceRequests"] == [request_]


def test_an_ipv6_address_is_one() -> None:
    body = create_body(ContainerSpec("a", network="n", ip="fd00::7"))
    assert body["NetworkingConfig"]["EndpointsConfig"]["n"] == {
        "IPAMConfig": {"IPv6Address": "fd00::7"}
    }


def test_home_is_ones_own(isolated_user: Path) -> None:
    binds = host(ContainerSpec("a", volumes=("~/data:/d", "~:/home:ro")))["Binds"]
    assert binds == [f"{isolated_user}/data:/d", f"{isolated_user}:/home:ro"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"image": " "}, "image"),
        ({"ports": ("eighty",)}, "ports"),
        ({"expose": ("80:80",)}, "expose"),
        ({"volumes": ("./here:/there",)}, "volumes"),
        ({"volumes": ("../here:/there",)}, "volumes"),
        ({"volumes": ("data:relative",)}, "volumes"),
        ({"volumes": ("data:/",)}, "volumes"),
        ({"volumes": (":/there",)}, "volumes"),
        ({"volumes": ("relative",)}, "volumes"),
        ({"tmpfs": ("run",)}, "tmpfs"),
        ({"dns": ("dns.example",)}, "dns"),
        ({"add_hosts": ("db",)}, "add_hosts"),
        ({"add_hosts": ("db:nowhere",)}, "add_hosts"),
        ({"restart": "sometimes"}, "restart"),
        ({"restart": "always:3"}, "restart"),
        ({"restart": "on-failure:x"}, "restart"),
        ({"restart": "always", "auto_remove": True}, "restart"),
        ({"ulimits": ("nofile",)}, "ulimits"),
        ({"ulimits": ("nofile=9:1",)}, "ulimits"),
        ({"ulimits": ("nofile=-1:5",)}, "ulimits"),
        ({"devices": ("fuse",)}, "devices"),
        ({"devices": ("/dev/fuse:/dev/x:q",)}, "devices"),
        ({"devices": ("/dev/a:/b:r:w",)}, "devices"),
        ({"gpus": "some"}, "gpus"),
        ({"gpus": "device="}, "gpus"),
        ({"ip": "10.0.0.1"}, "ip"),
        ({"ip": "10.0.0.1", "network": "bridge"}, "ip"),
        ({"ip": "ten", "network": "n"}, "ip"),
        ({"network_aliases": ("db",), "network": "host"}, "network_aliases"),
        ({"network_aliases": ("db",), "network": "container:x"}, "network_aliases"),
    ],
)
def test_mistakes_are_told_at_their_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        create_body(ContainerSpec(**{"image": "a", **changes}))
    assert caught.value.field == field


def test_a_seccomp_profile_is_sent_by_content(tmp_path: Path) -> None:
    profile = tmp_path / "profile.json"
    profile.write_text('{\n "defaultAction": "SCMP_ACT_ALLOW"\n}')
    (option,) = host(ContainerSpec("a", security_opt=(f"seccomp={profile}",)))["SecurityOpt"]
    name, _, sent = option.partition("=")
    assert name == "seccomp"
    assert json.loads(sent) == {"defaultAction": "SCMP_ACT_ALLOW"}
    # As it comes back from inspect.
    assert host(ContainerSpec("a", security_opt=(option,)))["SecurityOpt"] == [option]


@pytest.mark.parametrize("content", [None, "{", "x" * (1 << 20) + "{}"])
def test_an_unreadable_seccomp_profile_is_told(tmp_path: Path, content: str | None) -> None:
    profile = tmp_path / "profile.json"
    if content is not None:
        profile.write_text(content)
    with pytest.raises(LocalError) as caught:
        create_body(ContainerSpec("a", security_opt=(f"seccomp={profile}",)))
    assert str(profile) in caught.value.detail
