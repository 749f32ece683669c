"""The flags of `docker run` as data: how each is written, and which part of a ContainerSpec it fills.

Source: docker CLI reference, `docker container run` (20.10 to 29).
"""

from __future__ import annotations

from typing import Literal

from dockdesk.core.records import dataclass

Kind = Literal[
    "bool", "text", "list", "pairs", "bytes", "number", "count", "duration", "ignored", "special"
]


@dataclass(frozen=True, slots=True)
class Flag:
    """``field`` is the name in ContainerSpec; ``takes_value`` is False for switches."""

    kind: Kind
    field: str = ""
    note: str = ""

    @property
    def takes_value(self) -> bool:
        return self.kind != "bool"


SHORT = {
    "a": "attach",
    "c": "cpu-shares",
    "d": "detach",
    "e": "env",
    "h": "hostname",
    "i": "interactive",
    "l": "label",
    "m": "memory",
    "p": "publish",
    "P": "publish-all",
    "q": "quiet",
    "t": "tty",
    "u": "user",
    "v": "volume",
    "w": "workdir",
}

_UNSUPPORTED = "is not taken over: DockDesk's run form has no field for it."

FLAGS: dict[str, Flag] = {
    "add-host": Flag("list", "add_hosts"),
    "cap-add": Flag("list", "cap_add"),
    "cap-drop": Flag("list", "cap_drop"),
    "cpu-shares": Flag("count", "cpu_shares"),
    "cpus": Flag("number", "cpus"),
    "device": Flag("list", "devices"),
    "dns": Flag("list", "dns"),
    "entrypoint": Flag("special"),
    "env": Flag("special"),
    "env-file": Flag("special"),
    "expose": Flag("list", "expose"),
    "gpus": Flag("text", "gpus"),
    "health-cmd": Flag("text", "health_cmd"),
    "health-interval": Flag("duration", "health_interval"),
    "health-retries": Flag("count", "health_retries"),
    "health-start-period": Flag("duration", "health_start_period"),
    "health-timeout": Flag("duration", "health_timeout"),
    "hostname": Flag("text", "hostname"),
    "init": Flag("bool", "init"),
    "interactive": Flag("bool", "interactive"),
    "ip": Flag("text", "ip"),
    "ipc": Flag("text", "ipc_mode"),
    "label": Flag("pairs", "labels"),
    "log-driver": Flag("text", "log_driver"),
    "log-opt": Flag("pairs", "log_options"),
    "memory": Flag("bytes", "memory"),
    "memory-swap": Flag("bytes", "memory_swap"),
    "mount": Flag("special"),
    "name": Flag("text", "name"),
    "net": Flag("special"),
    "net-alias": Flag("list", "network_aliases"),
    "network": Flag("special"),
    "network-alias": Flag("list", "network_aliases"),
    "no-healthcheck": Flag("bool", "no_healthcheck"),
    "pid": Flag("text", "pid_mode"),
    "pids-limit": Flag("count", "pids_limit"),
    "platform": Flag("text", "platform"),
    "privileged": Flag("bool", "privileged"),
    "publish": Flag("list", "ports"),
    "publish-all": Flag("bool", "publish_all"),
    "pull": Flag("text", "pull"),
    "read-only": Flag("bool", "read_only"),
    "restart": Flag("text", "restart"),
    "rm": Flag("bool", "auto_remove"),
    "security-opt": Flag("list", "security_opt"),
    "shm-size": Flag("bytes", "shm_size"),
    "stop-signal": Flag("text", "stop_signal"),
    "stop-timeout": Flag("count", "stop_timeout"),
    "sysctl": Flag("pairs", "sysctls"),
    "tmpfs": Flag("list", "tmpfs"),
    "tty": Flag("bool", "tty"),
    "ulimit": Flag("list", "ulimits"),
    "user": Flag("text", "user"),
    "volume": Flag("list", "volumes"),
    "workdir": Flag("text", "workdir"),
    # Switches that mean nothing here: DockDesk always detaches and offers logs and a terminal.
    "detach": Flag("bool"),
    "disable-content-trust": Flag("bool"),
    "quiet": Flag("bool"),
    "sig-proxy": Flag("bool"),
    "attach": Flag("ignored"),
    "detach-keys": Flag("ignored"),
    "oom-kill-disable": Flag("bool", note=_UNSUPPORTED),
    "use-api-socket": Flag("bool", note=_UNSUPPORTED),
}

FLAGS.update(
    {
        name: Flag("ignored", note=_UNSUPPORTED)
        for name in (
            "annotation blkio-weight blkio-weight-device cgroup-parent cgroupns cidfile cpu-count "
            "cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpuset-cpus cpuset-mems "
            "device-cgroup-rule device-read-bps device-read-iops device-write-bps "
            "device-write-iops dns-option dns-search domainname group-add health-start-interval "
            "io-maxbandwidth io-maxiops ip6 isolation kernel-memory label-file link link-local-ip "
            "mac-address memory-reservation memory-swappiness oom-score-adj runtime storage-opt "
            "userns uts volume-driver volumes-from"
        ).split()
    }
)

# Flags of `docker` itself that may stand before `run`, and whether they take a value.
GLOBAL_FLAGS = {
    "--config": True,
    "-c": True,
    "--context": True,
    "-D": False,
    "--debug": False,
    "-H": True,
    "--host": True,
    "-l": True,
    "--log-level": True,
    "--tls": False,
    "--tlscacert": True,
    "--tlscert": True,
    "--tlskey": True,
    "--tlsverify": False,
}
