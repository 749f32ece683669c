"""Package managers of distributions, and their users and groups."""

from __future__ import annotations

import re
from dataclasses import replace

from dockdesk.sandbox.buildkit.task import MB, Task, kb
from dockdesk.sandbox.engine.filesystem import folder_node

# What a package brings that is not called as the package is.
BROUGHT = {
    "build-essential": ("gcc", "g++", "make"),
    "build-base": ("gcc", "g++", "make"),
    "python3": ("python3",),
    "python3-pip": ("pip", "pip3"),
    "py3-pip": ("pip", "pip3"),
    "nodejs": ("node",),
    "golang": ("go",),
    "default-jdk": ("java", "javac"),
    "openjdk-17-jdk": ("java", "javac"),
    "postgresql-client": ("psql",),
    "gnupg": ("gpg",),
    "ca-certificates": ("update-ca-certificates",),
    "netcat-openbsd": ("nc",),
    "procps": ("pgrep", "pkill"),
    "g++": ("g++",),
    "shadow": ("useradd", "groupadd"),
}


async def _apt(task: Task) -> int:
    command = task.plain[0] if task.plain else ""
    if command == "update":
        for number, suite in enumerate(("bookworm", "bookworm-updates", "bookworm-security"), 1):
            await task.say(
                f"Get:{number} http://deb.debian.org/debian {suite} InRelease [{151 // number} kB]",
                0.25,
            )
        await task.say(
            "Get:4 http://deb.debian.org/debian bookworm/main amd64 Packages [8792 kB]", 0.9
        )
        await task.say("Fetched 9368 kB in 2s (4821 kB/s)", 0.2)
        await task.say("Reading package lists...")
        task.write(
            "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main",
            b"packages\n",
            shown=19 * MB,
        )
        return 0
    if command != "install":
        await task.wait(0.4)
        return 0
    packages = [name.partition("=")[0] for name in task.plain[1:]]
    listed = task.shell.files.children("/var/lib/apt/lists")
    await task.say("Reading package lists...", 0.3)
    await task.say("Building dependency tree...", 0.1)
    for package in packages:
        if not listed or "missing" in package or "does-not-exist" in package:
            await task.complain(f"E: Unable to locate package {package}")
            return 100
    await task.say(
        "The following NEW packages will be installed:\n  " + " ".join(sorted(packages)), 0.1
    )
    await task.say(f"0 upgraded, {len(packages)} newly installed, 0 to remove and 0 not upgraded.")
    if not {"-y", "--yes", "-qy", "-yq", "-qqy", "-yqq", "--assume-yes"} & set(task.words):
        await task.complain("Do you want to continue? [Y/n] Abort.")
        return 1
    for number, package in enumerate(packages, 1):
        size = int(40_000 + task.luck(package) ** 3 * 30 * MB)
        await task.say(
            f"Get:{number} http://deb.debian.org/debian bookworm/main amd64 {package} amd64 [{kb(size)}]",
            0.15 + size / (20 * MB),
        )
    for package in packages:
        await task.say(f"Selecting previously unselected package {package}.", 0.05)
        await task.say(f"Unpacking {package} ...", 0.12)
    for package in packages:
        await task.say(f"Setting up {package} ...", 0.15)
        _install(task, package)
    await task.say("Processing triggers for libc-bin (2.36-9+deb12u9) ...", 0.1)
    return 0


def _install(task: Task, package: str) -> None:
    size = int(100_000 + task.luck(package) ** 4 * 40 * MB)
    for name in BROUGHT.get(package, (package,)):
        task.write(f"/usr/bin/{name}", f"\x7fELF {name}\n", 0o755, size)


async def _apk(task: Task) -> int:
    command = next((word for word in task.plain), "")
    for branch in ("main", "community"):
        await task.say(
            f"fetch https://dl-cdn.alpinelinux.org/alpine/v3.21/{branch}/x86_64/APKINDEX.tar.gz",
            0.2,
        )
    if command != "add":
        return 0
    skip = False
    packages = []
    for word in task.words[task.words.index("add") + 1 :]:
        if skip or word.startswith("-"):
            skip = word in {"-t", "--virtual"} and not skip
            continue
        packages.append(re.split(r"[=<>~]", word)[0])
    for package in packages:
        if "missing" in package or "does-not-exist" in package:
            await task.complain("ERROR: unable to select packages:")
            await task.complain(
                f"  {package} (no such package):\n    required by: world[{package}]"
            )
            return 1
    for number, package in enumerate(packages, 1):
        version = f"{1 + int(task.luck(package) * 9)}.{int(task.luck(package, 1) * 20)}-r{int(task.luck(package, 2) * 5)}"
        await task.say(f"({number}/{len(packages)}) Installing {package} ({version})", 0.25)
        _install(task, package)
    await task.say("Executing busybox-1.37.0-r12.trigger", 0.05)
    await task.say(f"OK: {8 + 6 * len(packages)} MiB in {15 + 4 * len(packages)} packages")
    return 0


async def _user(task: Task) -> int:
    """useradd, adduser, groupadd and addgroup: they are in the image's lists from then on."""
    if not task.plain:
        await task.complain(f"Usage: {task.name} [options] NAME")
        return 1
    options = dict(zip(task.words, [*task.words[1:], ""], strict=True))
    group = task.name in {"groupadd", "addgroup"}
    path = "/etc/group" if group else "/etc/passwd"
    lines = (task.read(path) or "root:x:0:\n").splitlines()
    valued = {
        "-u",
        "--uid",
        "-g",
        "--gid",
        "-G",
        "-s",
        "--shell",
        "-h",
        "-d",
        "--home",
        "--home-dir",
        "-c",
        "--ingroup",
        "--gecos",
        "--groups",
    }
    names = [
        word
        for number, word in enumerate(task.words)
        if not word.startswith("-") and (not number or task.words[number - 1] not in valued)
    ]
    name = names[-1] if names else task.plain[-1]
    if not group and task.name == "adduser" and len(names) == 2:
        return 0  # a user into a group
    if any(line.startswith(f"{name}:") for line in lines):
        await task.complain(f"{task.name}: {'group' if group else 'user'} '{name}' already exists")
        return 9
    taken = {
        int(line.split(":")[2])
        for line in lines
        if line.count(":") > 2 and line.split(":")[2].isdigit()
    }
    asked = next(
        (
            options[flag]
            for flag in ("-u", "--uid", "-g", "--gid")
            if options.get(flag, "").isdigit()
        ),
        "",
    )
    system = {"-S", "-r", "--system"} & set(task.words)
    first = 100 if system else 1000
    number = int(asked) if asked else next(one for one in range(first, 60_000) if one not in taken)
    home = next(
        (options[flag] for flag in ("-h", "-d", "--home", "--home-dir") if flag in options),
        f"/home/{name}",
    )
    lines.append(f"{name}:x:{number}:" if group else f"{name}:x:{number}:{number}::{home}:/bin/sh")
    task.write(path, "\n".join(lines) + "\n")
    if (
        not group
        and not {"-M", "-H", "--no-create-home"} & set(task.words)
        and not (system and task.name == "useradd")
    ):
        node = replace(folder_node(0o755, task.shell.around.now()), uid=number, gid=number)
        task.shell.files.put(home, node)
    if not group:
        groups = (task.read("/etc/group") or "").splitlines()
        if not any(line.startswith(f"{name}:") for line in groups):
            task.write("/etc/group", "\n".join([*groups, f"{name}:x:{number}:"]) + "\n")
    await task.wait(0.1)
    return 0


SYSTEM = {
    "apt-get": _apt,
    "apt": _apt,
    "apk": _apk,
    "useradd": _user,
    "adduser": _user,
    "groupadd": _user,
    "addgroup": _user,
}
