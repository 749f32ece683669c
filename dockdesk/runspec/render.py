"""A ContainerSpec as the user's other tools write it, without its secrets.

A variable whose value is a secret is rendered as `-e NAME`: docker then takes it from the shell's environment, so the
line stays correct and can be shared. Secrets in commands have no such form: they are masked.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from dockdesk.core.actions import Equivalent
from dockdesk.core.masking import MASK, holds_secret, masked_text, masked_urls, masked_words
from dockdesk.core.ports import ContainerSpec
from dockdesk.runspec.durations import duration_flag
from dockdesk.runspec.flags import FLAGS

_ORDER = (
    "name",
    "rm",
    "interactive",
    "tty",
    "init",
    "publish",
    "publish-all",
    "expose",
    "env",
    "volume",
    "tmpfs",
    "network",
    "network-alias",
)


def _groups(spec: ContainerSpec, verb: str, env_files: Sequence[str] = ()) -> Iterator[list[str]]:
    """The command in the pieces that belong on a line of their own: program, each option, image with its command."""
    yield ["docker", "run", "-d"] if verb == "run" else ["docker", verb]
    for name in [
        *_ORDER,
        *(name for name in FLAGS if name not in _ORDER and name not in {"net", "net-alias"}),
    ]:
        yield from _flag_words(name, spec)
    yield from (["--env-file", path] for path in env_files)
    entrypoint = list(masked_words(spec.entrypoint or ()))
    if spec.entrypoint is not None:
        # The CLI takes one word for the entrypoint; further ones go before the command.
        yield ["--entrypoint", entrypoint[0] if entrypoint else ""]
    yield [spec.image or "IMAGE", *entrypoint[1:], *masked_words(spec.command)]


def run_command(
    spec: ContainerSpec, verb: str = "run", wrapped: bool = False, env_files: Sequence[str] = ()
) -> str:
    """`docker run -d …` (or create) for a spec: on one line, or wrapped with backslashes for reading."""
    lines = [shlex.join(group) for group in _groups(spec, verb, env_files)]
    return (" \\\n  " if wrapped else " ").join(lines)


def _flag_words(name: str, spec: ContainerSpec) -> Iterator[list[str]]:
    flag, option = FLAGS[name], f"--{name}"
    if name == "env":
        for key, value in spec.env:
            yield ["-e", key if holds_secret(key, value) else f"{key}={value}"]
        return
    if name == "network":
        if spec.network:
            yield [option, spec.network]
        return
    if not flag.field:
        return
    value = getattr(spec, flag.field)
    if name == "pull" and value == "missing":
        return
    short = {
        "publish": "-p",
        "volume": "-v",
        "interactive": "-i",
        "tty": "-t",
        "publish-all": "-P",
    }.get(name, option)
    if flag.kind == "bool":
        if value:
            yield [short]
    elif flag.kind == "list":
        for item in value:
            yield [short, masked_urls(item)]
    elif flag.kind == "pairs":
        for key, item in value:
            shown = MASK if holds_secret(key, item) else item
            yield [option, f"{key}={shown}" if item else key]
    elif value or (name == "stop-timeout" and value is not None):
        yield [option, _scalar(flag.kind, value)]


def _scalar(kind: str, value: Any) -> str:
    if kind == "duration":
        return duration_flag(value)
    if kind == "bytes":
        return size_flag(value)
    if kind == "number":
        return f"{value:g}"
    return masked_text(str(value))


def size_flag(count: int) -> str:
    """Bytes in the largest unit that is exact, such as 512m."""
    for shift, unit in ((30, "g"), (20, "m"), (10, "k")):
        if count > 0 and count % (1 << shift) == 0:
            return f"{count >> shift}{unit}"
    return str(count)


def run_sdk(spec: ContainerSpec) -> str:
    """The same as a call of the docker SDK for Python (its create API takes ports, mounts and limits apart)."""
    arguments = [repr(spec.image)]
    if spec.command:
        arguments.append(f"command={list(masked_words(spec.command))!r}")
    for keyword, value in _sdk_values(spec):
        arguments.append(f"{keyword}={value!r}")
    arguments.append("detach=True")
    return f"client.containers.run({', '.join(arguments)})"


def _sdk_values(spec: ContainerSpec) -> Iterator[tuple[str, Any]]:
    simple = {
        "name": spec.name,
        "hostname": spec.hostname,
        "user": spec.user,
        "working_dir": spec.workdir,
        "network": spec.network,
        "mem_limit": size_flag(spec.memory) if spec.memory else "",
        "nano_cpus": round(spec.cpus * 1e9),
        "cpu_shares": spec.cpu_shares,
        "pids_limit": spec.pids_limit,
        "shm_size": spec.shm_size,
        "cap_add": list(spec.cap_add),
        "cap_drop": list(spec.cap_drop),
        "security_opt": list(spec.security_opt),
        "devices": list(spec.devices),
        "dns": list(spec.dns),
        "volumes": [masked_urls(volume) for volume in spec.volumes],
        "platform": spec.platform,
        "privileged": spec.privileged,
        "read_only": spec.read_only,
        "init": spec.init,
        "tty": spec.tty,
        "stdin_open": spec.interactive,
        "auto_remove": spec.auto_remove,
        "publish_all_ports": spec.publish_all,
        "stop_signal": spec.stop_signal,
        "pid_mode": spec.pid_mode,
        "ipc_mode": spec.ipc_mode,
        "sysctls": dict(spec.sysctls),
        "labels": {key: MASK if holds_secret(key, value) else value for key, value in spec.labels},
    }
    yield from ((key, value) for key, value in simple.items() if value)
    if spec.entrypoint is not None:
        yield "entrypoint", list(masked_words(spec.entrypoint))
    if spec.env:
        yield (
            "environment",
            {key: MASK if holds_secret(key, value) else value for key, value in spec.env},
        )
    if spec.ports:
        yield "ports", dict(pair for port in spec.ports for pair in _sdk_ports(port))
    if spec.restart:
        name, _, limit = spec.restart.partition(":")
        yield (
            "restart_policy",
            {"Name": name, **({"MaximumRetryCount": int(limit)} if limit.isdigit() else {})},
        )


def _sdk_ports(port: str) -> Iterator[tuple[str, Any]]:
    """Entries of the SDK's ``ports`` for one -p value; ranges are spelled out since the SDK knows none."""
    published, _, protocol = port.partition("/")
    *host, private = published.rsplit(":", 1)
    address, _, public = host[0].rpartition(":") if host else ("", "", "")
    inside, outside = _range(private), _range(public)
    for position, number in enumerate(inside):
        chosen: Any = outside[position] if position < len(outside) else None
        yield f"{number}/{protocol or 'tcp'}", (address.strip("[]"), chosen) if address else chosen


def _range(text: str) -> Sequence[int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        return ()
    return range(int(first), min(int(last or first), int(first) + 1000) + 1)


def run_equivalent(
    spec: ContainerSpec, start: bool = True, wrapped: bool = False, env_files: Sequence[str] = ()
) -> Equivalent:
    """All three forms of running (or only creating) a container from a spec."""
    name = f"?name={spec.name}" if spec.name else ""
    api = f"POST /containers/create{name}"
    return Equivalent(
        cli=run_command(spec, "run" if start else "create", wrapped, env_files),
        sdk=run_sdk(spec)
        if start
        else run_sdk(spec).replace(".run(", ".create(").replace(", detach=True", ""),
        api=f"{api}\nPOST /containers/{{id}}/start" if start else api,
    )
