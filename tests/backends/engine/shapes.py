"""Answers of real engines, cut down to what matters: Docker 20.10 and 29, and Podman 4.3."""

from __future__ import annotations

import copy
from typing import Any

CONTAINER_ID = "b141dd2fb87e517875abc87b3a46d5808b9caa6d5a7304923148396fae9aeb1e"
IMAGE_ID = "sha256:49416698052dca129a58e49c643aec2d7070ef1468dbc32bb3013239d1ea51e1"
ANONYMOUS = "5303a922cc0309dfd2a9607901c81dbf90d7b1871bebabaa8035bfe4bbd40023"

LISTED: dict[str, Any] = {
    "Id": CONTAINER_ID,
    "Names": ["/other/alias", "/c1"],
    "Image": "bb:1",
    "ImageID": IMAGE_ID,
    "Command": "sleep 1000",
    "Created": 1796068748,
    "Ports": [
        {"IP": "127.0.0.1", "PrivatePort": 9002, "PublicPort": 9002, "Type": "udp"},
        {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 81, "Type": "tcp"},
    ],
    "Labels": {"from": "image", "com.docker.compose.project": "shop"},
    "State": "running",
    "Status": "Up 5 minutes (healthy)",
    "HostConfig": {"NetworkMode": "nn"},
    "NetworkSettings": {
        "Networks": {
            "nn": {
                "IPAMConfig": None,
                "NetworkID": "85849f68420b373e7b25d82506449f8e1b4e8022ea6e33a72cf44ad2d70a823b",
                "Gateway": "172.18.0.1",
                "IPAddress": "172.18.0.2",
                "GlobalIPv6Address": "fd00::2",
                "MacAddress": "02:42:ac:12:00:02",
            }
        }
    },
    "Mounts": [
        {"Type": "bind", "Source": "/srv", "Destination": "/host", "Mode": "", "RW": True},
        {
            "Type": "volume",
            "Name": "vv",
            "Source": "/var/lib/docker/volumes/vv/_data",
            "Destination": "/vol",
            "RW": False,
        },
    ],
}

PODMAN_LISTED: dict[str, Any] = {
    "Id": "65a034cf5a6ba2dcf5bc4a96ed06d47e3a19f76652fb1ac5f22dbf36687294b6",
    "Names": ["/c1"],
    "Image": "localhost/bb:1",
    "ImageID": IMAGE_ID,
    "Command": "sleep 1000",
    "Created": 1796068782,
    "Ports": [{"PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}],
    "Labels": None,
    "State": "stopped",
    "Status": "Exited (137) 2 minutes ago",
    "NetworkSettings": {
        "Networks": {
            "podman": {"Aliases": ["65a034cf5a6b"], "NetworkID": "podman", "IPAddress": ""}
        }
    },
    "Mounts": [],
    "Name": "",
    "Config": None,
    "NetworkingConfig": None,
    "Platform": None,
}

INSPECTED: dict[str, Any] = {
    "Id": CONTAINER_ID,
    "Created": "2026-11-30T19:59:08.820249342Z",
    "Path": "sleep",
    "Args": ["1000", "two words"],
    "State": {
        "Status": "running",
        "Running": True,
        "OOMKilled": False,
        "Pid": 10402,
        "ExitCode": 0,
        "StartedAt": "2026-11-30T19:59:09.11598386Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {
            "Status": "unhealthy",
            "FailingStreak": 2,
            "Log": [
                {
                    "Start": "2026-11-30T20:59:09.1+01:00",
                    "End": "2026-11-30T20:59:10+01:00",
                    "ExitCode": 1,
                    "Output": "curl: (7) <b>refused</b>",
                }
            ],
        },
    },
    "Image": IMAGE_ID,
    "Name": "/c1",
    "RestartCount": 4,
    "HostConfig": {
        "Binds": ["vv:/vol:ro", "/srv:/host"],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        "NetworkMode": "nn",
        "PortBindings": {
            "80/tcp": [{"HostIp": "", "HostPort": "8080"}],
            "9000/udp": [{"HostIp": "127.0.0.1", "HostPort": "9000"}],
            "9001/udp": [{"HostIp": "127.0.0.1", "HostPort": "9001"}],
        },
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "AutoRemove": False,
        "CapAdd": ["CAP_NET_ADMIN"],
        "CapDrop": None,
        "Dns": ["1.1.1.1"],
        "ExtraHosts": ["a:1.2.3.4"],
        "IpcMode": "private",
        "PidMode": "",
        "Privileged": False,
        "ReadonlyRootfs": False,
        "SecurityOpt": None,
        "Tmpfs": {"/t": "size=1m"},
        "ShmSize": 67108864,
        "Sysctls": {"net.ipv4.ip_forward": "0"},
        "CpuShares": 0,
        "Memory": 67108864,
        "NanoCpus": 500000000,
        "CpuPeriod": 0,
        "CpuQuota": 0,
        "Devices": [
            {"PathOnHost": "/dev/null", "PathInContainer": "/dev/xx", "CgroupPermissions": "rw"}
        ],
        "DeviceRequests": None,
        "MemorySwap": 134217728,
        "PidsLimit": None,
        "Ulimits": [{"Name": "nofile", "Hard": 200, "Soft": 100}],
        "Mounts": [
            {
                "Type": "volume",
                "Source": "vv2",
                "Target": "/vol2",
                "VolumeOptions": {"NoCopy": True},
            }
        ],
    },
    "Mounts": [
        {"Type": "volume", "Name": "vv", "Source": "/d/vv", "Destination": "/vol", "RW": False},
        {"Type": "bind", "Source": "/srv", "Destination": "/host", "RW": True},
        {"Type": "volume", "Name": "vv2", "Source": "/d/vv2", "Destination": "/vol2", "RW": True},
        {"Type": "volume", "Name": ANONYMOUS, "Source": "/d/x", "Destination": "/data", "RW": True},
    ],
    "Config": {
        "Hostname": "hh",
        "User": "",
        "ExposedPorts": {"80/tcp": {}, "9000/udp": {}, "9001/udp": {}, "7/tcp": {}},
        "Tty": False,
        "OpenStdin": False,
        "Env": ["B=2", "PATH=/bin", "A=1", "EMPTY="],
        "Cmd": ["sleep", "1000"],
        "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 2000000000},
        "Image": "bb:1",
        "Volumes": {"/data": {}},
        "WorkingDir": "/",
        "Entrypoint": None,
        "Labels": {"from": "image", "x": "y"},
    },
    "NetworkSettings": {
        "Ports": {
            "80/tcp": [
                {"HostIp": "0.0.0.0", "HostPort": "8080"},
                {"HostIp": "::", "HostPort": "8080"},
            ],
            "9000/udp": [{"HostIp": "127.0.0.1", "HostPort": "9000"}],
            "9001/udp": [{"HostIp": "127.0.0.1", "HostPort": "9001"}],
            "7/tcp": None,
        },
        "Networks": {
            "nn": {
                "IPAMConfig": {"IPv4Address": "172.18.0.2"},
                "Aliases": ["al", CONTAINER_ID[:12]],
                "NetworkID": "85849f68",
                "Gateway": "172.18.0.1",
                "IPAddress": "172.18.0.2",
                "MacAddress": "02:42:ac:12:00:02",
            }
        },
    },
}

IMAGE_INSPECTED: dict[str, Any] = {
    "Id": IMAGE_ID,
    "RepoTags": ["bb:1"],
    "RepoDigests": [],
    "Created": "2026-11-30T19:59:08.72430279Z",
    "Architecture": "arm64",
    "Variant": "v8",
    "Os": "linux",
    "Size": 1985472,
    "Config": {
        "Env": ["PATH=/bin", "A=1"],
        "Cmd": ["sh"],
        "Entrypoint": None,
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/data": {}},
        "WorkingDir": "/",
        "Labels": {"from": "image"},
        "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 5000000000},
    },
}

PODMAN_INSPECTED: dict[str, Any] = {
    "Id": "65a034cf5a6ba2dcf5bc4a96ed06d47e3a19f76652fb1ac5f22dbf36687294b6",
    "Name": "/c1",
    "Image": IMAGE_ID,
    "State": {"Status": "created", "Health": {"Status": "", "Log": None}},
    "HostConfig": {
        "Binds": [
            "/srv:/host:rw,rprivate,rbind",
            f"{ANONYMOUS}:/data:rprivate,rw,nodev,exec,nosuid,rbind",
            f"{'f' * 64}:/mine:rprivate,rw,nodev,exec,nosuid,rbind",
            "vv:/vol:ro,rprivate,nosuid,nodev,rbind",
        ],
        "LogConfig": {"Type": "json-file", "Config": None},
        "NetworkMode": "bridge",
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]},
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
        "CapAdd": [],
        "CapDrop": ["AUDIT_WRITE", "MKNOD", "NET_RAW", "SYS_CHROOT"],
        "IpcMode": "shareable",
        "PidMode": "private",
        "Tmpfs": {"/t": "size=1m,rw,rprivate,nosuid,nodev,tmpcopyup"},
        "ShmSize": 65536000,
        "PidsLimit": 2048,
        "Ulimits": [{"Name": "RLIMIT_NOFILE", "Hard": 1048576, "Soft": 1048576}],
    },
    "Mounts": [
        {"Type": "volume", "Name": ANONYMOUS, "Source": "/d/x", "Destination": "/data", "RW": True},
        {"Type": "volume", "Name": "vv", "Source": "/d/vv", "Destination": "/vol", "RW": False},
        {"Type": "bind", "Source": "/srv", "Destination": "/host", "RW": True},
    ],
    "Config": {
        "Hostname": "65a034cf5a6b",
        "ExposedPorts": {"80/tcp": {}},
        "Env": [
            "B=2",
            "PATH=/bin",
            "TERM=xterm",
            "container=podman",
            "A=1",
            "HOSTNAME=65a034cf5a6b",
        ],
        "Cmd": ["sleep", "1000"],
        "Healthcheck": {
            "Test": ["CMD-SHELL", "curl -f localhost"],
            "Interval": 30000000000,
            "Timeout": 30000000000,
            "Retries": 3,
        },
        "Image": "localhost/bb:1",
        "Volumes": None,
        "WorkingDir": "/",
        "Entrypoint": [],
        "Labels": {"from": "image", "x": "y"},
        "StopSignal": "15",
        "StopTimeout": 0,
    },
    "NetworkSettings": {
        "Networks": {"nn": {"IPAMConfig": None, "Aliases": ["65a034cf5a6b"], "NetworkID": "nn"}}
    },
}

DISK_OLD: dict[str, Any] = {
    "LayersSize": 1_500_000,
    "Images": [
        {
            "Id": IMAGE_ID,
            "Containers": 1,
            "Created": 1796068748,
            "RepoTags": ["bb:1"],
            "SharedSize": 400_000,
            "Size": 1_000_000,
        },
        {
            "Id": "sha256:" + "7" * 64,
            "Containers": 0,
            "Created": 1796068000,
            "RepoTags": ["<none>:<none>"],
            "SharedSize": 400_000,
            "Size": 900_000,
        },
    ],
    "Containers": [
        {
            "Id": CONTAINER_ID,
            "Names": ["/c1"],
            "ImageID": IMAGE_ID,
            "Created": 1796068748,
            "SizeRw": 2_000,
            "State": "running",
            "Labels": {},
            "Mounts": [{"Type": "volume", "Name": "vv"}],
        },
        {
            "Id": "8" * 64,
            "Names": ["/old"],
            "ImageID": IMAGE_ID,
            "Created": 1796068000,
            "SizeRw": 3_000,
            "State": "exited",
            "Labels": None,
            "Mounts": [],
        },
    ],
    "Volumes": [
        {
            "Name": "vv",
            "UsageData": {"RefCount": 1, "Size": 70},
            "CreatedAt": "2026-11-30T19:59:08Z",
        },
        {"Name": "free", "UsageData": {"RefCount": 0, "Size": 50}},
        {"Name": "remote", "UsageData": None},
    ],
    "BuildCache": [
        {"ID": "aa", "Description": "COPY . /app", "InUse": False, "Shared": False, "Size": 600},
        {"ID": "bb", "Description": "", "InUse": True, "Shared": False, "Size": 10},
        {"ID": "cc", "Description": "base", "InUse": False, "Shared": True, "Size": 9_999},
    ],
    "BuilderSize": 0,
}

DISK_NEW: dict[str, Any] = {
    "ImageUsage": {
        "ActiveCount": 1,
        "TotalCount": 2,
        "Reclaimable": 500_000,
        "TotalSize": 1_500_000,
        "Items": DISK_OLD["Images"],
    },
    "ContainerUsage": {
        "ActiveCount": 1,
        "TotalCount": 2,
        "Reclaimable": 3_000,
        "TotalSize": 5_000,
        "Items": DISK_OLD["Containers"],
    },
    "VolumeUsage": {
        "ActiveCount": 1,
        "TotalCount": 3,
        "Reclaimable": 50,
        "TotalSize": 120,
        "Items": DISK_OLD["Volumes"],
    },
    "BuildCacheUsage": {
        "ActiveCount": 1,
        "TotalCount": 3,
        "Reclaimable": 600,
        "TotalSize": 610,
        "Items": DISK_OLD["BuildCache"],
    },
}


def changed(shape: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A deep copy with some top-level values replaced."""
    return {**copy.deepcopy(shape), **changes}
