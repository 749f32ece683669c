"""Package managers and compilers, as far as a build needs to believe in them: what they say, how long they take, what they leave.

An image has what its variables and its distribution say it has, and what a step before installed.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from dockdesk.sandbox.buildkit.shell import BuildShell, Streams
from dockdesk.sandbox.engine.filesystem import file_node, folder_node
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.world.traffic import unit

_MB = 1_000_000
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?\s*(?:[=~<>!]=?\s*([\w.*+!-]+))?"
)

# Which variable of an official image promises which programs.
_BY_VARIABLE = {
    "PYTHON_VERSION": ("python", "python3", "pip", "pip3", "poetry", "uv", "pytest", "gunicorn"),
    "NODE_VERSION": ("node", "npm", "npx", "yarn", "pnpm", "corepack"),
    "GOLANG_VERSION": ("go", "gofmt"),
    "RUST_VERSION": ("cargo", "rustc", "rustup"),
    "JAVA_VERSION": ("java", "javac", "jar", "jlink"),
    "MAVEN_VERSION": ("mvn",),
    "GRADLE_VERSION": ("gradle",),
    "PHP_VERSION": ("php", "composer", "docker-php-ext-install", "docker-php-ext-enable", "pecl", "a2enmod"),
    "RUBY_VERSION": ("ruby", "gem", "bundle", "rake", "rails"),
    "DOTNET_VERSION": ("dotnet",),
    "NGINX_VERSION": ("nginx",),
}  # fmt: skip
_DEBIAN = (
    "apt-get",
    "apt",
    "dpkg",
    "apt-cache",
    "useradd",
    "groupadd",
    "update-ca-certificates",
    "ldconfig",
)
_ALPINE = ("apk", "update-ca-certificates")
# In every small Linux, and not done by the sandbox's own programs.
_COMMON = (
    "adduser", "addgroup", "awk", "chgrp", "cmp", "comm", "diff", "gzip", "gunzip", "install", "kill", "su", "sync", "tar",
    "unzip", "xargs", "ip", "vi", "mktemp",
)  # fmt: skip
# What a package brings that is not called as the package is.
_BROUGHT = {
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
_SCRIPTED = {"node", "python", "python3", "java", "ruby", "php", "psql", "gpg"}


class ImageTools:
    """What an image's programs are. ``grown`` counts the bytes that they claim to have written beyond their files."""

    def __init__(self) -> None:
        self.grown = 0

    def has(self, shell: BuildShell, name: str) -> bool:
        base = name.rpartition("/")[2]
        if "/" in name and not name.startswith(
            ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/")
        ):
            return False
        env, files = shell.around.env, shell.files
        if any(base in names for variable, names in _BY_VARIABLE.items() if variable in env):
            return True
        if base in _COMMON:
            return True
        debian = files.get("/etc/debian_version") is not None or _release(shell, "debian", "ubuntu")
        if base in _DEBIAN and debian:
            return True
        if base in _ALPINE and _release(shell, "alpine"):
            return True
        return _told(base) and files.get(f"/usr/bin/{base}") is not None

    async def run(self, shell: BuildShell, words: Sequence[str], streams: Streams) -> int:
        name = words[0].rpartition("/")[2]
        task = Task(self, shell, streams, name, list(words[1:]))
        return await _KNOWN.get(name, _quiet)(task)


def _told(name: str) -> bool:
    return name in _KNOWN or any(name in names for names in _BROUGHT.values())


def _release(shell: BuildShell, *names: str) -> bool:
    node = shell.files.get("/etc/os-release")
    text = node.data.decode("utf-8", "replace") if node is not None else ""
    return any(f"ID={name}" in text for name in names)


@dataclass(slots=True)
class Task:
    """One call of a tool."""

    tools: ImageTools
    shell: BuildShell
    streams: Streams
    name: str
    words: list[str]

    @property
    def plain(self) -> list[str]:
        return [word for word in self.words if not word.startswith("-")]

    async def say(self, text: str, seconds: float = 0.0) -> None:
        await self.streams.out(text + "\n")
        await self.wait(seconds)

    async def complain(self, text: str) -> None:
        await self.streams.err(text + "\n")

    async def wait(self, seconds: float) -> None:
        if seconds:
            await self.shell.sleep(seconds)

    def luck(self, *key: object) -> float:
        """Between 0 and 1, the same every time."""
        return unit("build", self.name, *key)

    def write(self, path: str, text: str | bytes, mode: int = 0o644, shown: int = 0) -> None:
        self.shell.files.put(self.shell.path(path), file_node(text, mode, self.shell.around.now()))
        self.tools.grown += max(shown - len(text), 0)

    def read(self, path: str) -> str | None:
        try:
            return self.shell.files.find(self.shell.path(path))[1].data.decode("utf-8", "replace")
        except HttpError:
            return None


async def _quiet(task: Task) -> int:
    await task.wait(0.3)
    return 0


# --- Debian and Alpine ---


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
            shown=19 * _MB,
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
        size = int(40_000 + task.luck(package) ** 3 * 30 * _MB)
        await task.say(
            f"Get:{number} http://deb.debian.org/debian bookworm/main amd64 {package} amd64 [{_kb(size)}]",
            0.15 + size / (20 * _MB),
        )
    for package in packages:
        await task.say(f"Selecting previously unselected package {package}.", 0.05)
        await task.say(f"Unpacking {package} ...", 0.12)
    for package in packages:
        await task.say(f"Setting up {package} ...", 0.15)
        _install(task, package)
    await task.say("Processing triggers for libc-bin (2.36-9+deb12u9) ...", 0.1)
    return 0


def _kb(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= _MB else f"{size // 1000} kB"


def _install(task: Task, package: str) -> None:
    size = int(100_000 + task.luck(package) ** 4 * 40 * _MB)
    for name in _BROUGHT.get(package, (package,)):
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


# --- Languages ---


async def _pip(task: Task) -> int:
    if not task.plain or task.plain[0] not in {"install", "wheel", "download"}:
        await task.wait(0.3)
        return 0
    wanted: list[tuple[str, str]] = []
    rest = list(task.words)
    rest.remove(task.plain[0])
    while rest:
        word = rest.pop(0)
        if word in {"-r", "--requirement"} and rest:
            name = rest.pop(0)
            text = task.read(name)
            if text is None:
                await task.complain(
                    f"ERROR: Could not open requirements file: [Errno 2] No such file or directory: '{name}'"
                )
                return 1
            wanted += _requirements(text)
        elif (
            word
            in {
                "-t",
                "--target",
                "-c",
                "--prefix",
                "-i",
                "--index-url",
                "--root",
                "-w",
                "--wheel-dir",
            }
            and rest
        ):
            rest.pop(0)
        elif not word.startswith("-"):
            wanted += [("app", "")] if word.startswith((".", "/")) else _requirements(word)
    version = (task.shell.around.env.get("PYTHON_VERSION") or "3.12.8").rsplit(".", 1)[0]
    folder = f"/usr/local/lib/python{version}/site-packages"
    chosen = []
    for name, exact in wanted:
        if "does-not-exist" in name or "missing" in name:
            await task.complain(
                f"ERROR: Could not find a version that satisfies the requirement {name} (from versions: none)"
            )
            await task.complain(f"ERROR: No matching distribution found for {name}")
            return 1
        number = (
            exact
            or f"{1 + int(task.luck(name) * 8)}.{int(task.luck(name, 1) * 20)}.{int(task.luck(name, 2) * 9)}"
        )
        size = int(12_000 + task.luck(name, 3) ** 4 * 18 * _MB)
        chosen.append((name, number))
        await task.say(f"Collecting {name}{'==' + exact if exact else ''}", 0.2)
        await task.say(
            f"  Downloading {name.replace('-', '_')}-{number}-py3-none-any.whl ({_kb(size)})",
            0.1 + size / (12 * _MB),
        )
        task.write(
            f"{folder}/{name.replace('-', '_').lower()}/__init__.py",
            f'__version__ = "{number}"\n',
            shown=size * 3,
        )
        task.write(
            f"{folder}/{name.replace('-', '_')}-{number}.dist-info/METADATA",
            f"Name: {name}\nVersion: {number}\n",
        )
        if name.lower() in {"gunicorn", "uvicorn", "flask", "pytest", "alembic", "celery"}:
            task.write(
                f"/usr/local/bin/{name.lower()}", f"#!/usr/local/bin/python\n# {name}\n", 0o755
            )
    if "--no-cache-dir" not in task.words and not task.shell.around.env.get("PIP_NO_CACHE_DIR"):
        task.write(
            "/root/.cache/pip/http-v2/cache", b"cached downloads\n", shown=3 * _MB * len(chosen)
        )
    await task.say(
        "Installing collected packages: " + ", ".join(name for name, _ in chosen),
        0.6 + 0.25 * len(chosen),
    )
    await task.say(
        "Successfully installed " + " ".join(f"{name}-{number}" for name, number in chosen)
    )
    if task.shell.around.user == "root" and "--root-user-action=ignore" not in task.words:
        await task.complain(
            "WARNING: Running pip as the 'root' user can result in broken permissions and conflicting behaviour with the "
            "system package manager."
        )
    return 0


def _requirements(text: str) -> list[tuple[str, str]]:
    found = []
    for line in text.splitlines():
        line = line.partition("#")[0].strip().strip("\"'")
        match = _REQUIREMENT.match(line) if line and not line.startswith("-") else None
        if match is not None:
            found.append((match[1], match[3] or "" if "==" in line else ""))
    return found


async def _npm(task: Task) -> int:
    command = task.plain[0] if task.plain else ""
    manifest = task.read("package.json")
    if command in {"ci", "install", "i", "add", ""} and (task.name != "npm" or command):
        if manifest is None and len(task.plain) < 2:
            await task.complain(
                "npm error code ENOENT\nnpm error enoent Could not read package.json"
            )
            return 254
        if command == "ci" and task.read("package-lock.json") is None:
            await task.complain(
                "npm error code EUSAGE\nnpm error\nnpm error The `npm ci` command can only install with an existing package-lock.json"
            )
            return 1
        return await _npm_install(task, manifest)
    if command == "run" or (task.name != "npm" and command):
        return await _npm_run(task, manifest)
    await task.wait(0.3)
    return 0


def _dependencies(manifest: str | None, development: bool) -> list[str]:
    try:
        value = json.loads(manifest or "{}")
    except ValueError:
        return []
    kinds = ("dependencies", "devDependencies") if development else ("dependencies",)
    return [str(name) for kind in kinds for name in (value.get(kind) or {})]


async def _npm_install(task: Task, manifest: str | None) -> int:
    production = any(
        word in {"--omit=dev", "--production", "--only=production"} for word in task.words
    )
    names = [*_dependencies(manifest, not production), *task.plain[1:]]
    await task.wait(2.0 + 0.5 * len(names))
    if len(names) > 3:
        await task.complain(
            "npm warn deprecated inflight@1.0.6: This module is not supported, and leaks memory."
        )
    count = 1 + int(len(names) * (8 + 20 * task.luck(*names)))
    for name in names:
        size = int(50_000 + task.luck(name) ** 2 * 6 * _MB)
        task.write(
            f"node_modules/{name}/package.json",
            json.dumps({"name": name, "version": "1.0.0"}),
            shown=size,
        )
    await task.say(
        f"\nadded {count} packages, and audited {count + 1} packages in {3 + len(names) // 2}s", 0.3
    )
    await task.say("\nfound 0 vulnerabilities")
    return 0


async def _npm_run(task: Task, manifest: str | None) -> int:
    script = task.plain[1] if task.plain[:1] == ["run"] and len(task.plain) > 1 else task.plain[0]
    try:
        known = (json.loads(manifest or "{}").get("scripts") or {}).get(script)
    except (ValueError, AttributeError):
        known = None
    if known is None:
        await task.complain(f'npm error Missing script: "{script}"')
        return 1
    await task.say(f"\n> {script}\n> {known}\n", 1.5)
    if script == "build":
        await task.say("✓ 214 modules transformed.", 1.8)
        task.write("dist/index.html", "<!doctype html>\n<script src=/assets/index.js></script>\n")
        task.write("dist/assets/index.js", "console.log('built')\n", shown=240_000)
        await task.say(
            "dist/index.html                 0.46 kB\ndist/assets/index.js          238.10 kB\n✓ built in 3.21s"
        )
    return 0


async def _go(task: Task) -> int:
    command = task.plain[0] if task.plain else ""
    if command == "mod":
        for line in (task.read("go.mod") or "").splitlines():
            match = re.match(r"\s*(?:require\s+)?([\w./-]+\.[\w./-]+)\s+(v[\w.-]+)", line)
            if match:
                await task.complain(f"go: downloading {match[1]} {match[2]}")
                await task.wait(0.3)
                task.write(
                    f"/go/pkg/mod/{match[1]}@{match[2]}/go.mod",
                    f"module {match[1]}\n",
                    shown=2 * _MB,
                )
        return 0
    if command in {"build", "install"}:
        options = dict(zip(task.words, [*task.words[1:], ""], strict=True))
        await task.wait(4.0 + 4.0 * task.luck(*task.words))
        target = options.get("-o") or posixpath.basename(task.shell.around.folder) or "app"
        resolved = task.shell.files.get(task.shell.path(target))
        if target.endswith("/") or (resolved is not None and resolved.is_folder):
            target = target.rstrip("/") + "/app"
        task.write(target, b"\x7fELF go\n", 0o755, 14 * _MB)
        return 0
    if command == "test":
        await task.wait(2.5)
        await task.say(f"ok  \t{posixpath.basename(task.shell.around.folder) or 'app'}\t0.214s")
        return 0
    if command == "version":
        await task.say(
            f"go version go{task.shell.around.env.get('GOLANG_VERSION', '1.23.4')} linux/amd64"
        )
        return 0
    await task.wait(0.4)
    return 0


def _compiler(
    lines: Sequence[str], seconds: float, results: Sequence[tuple[str, int]]
) -> Callable[[Task], Awaitable[int]]:
    """A build tool that says some lines over so many seconds and leaves (path, bytes)."""

    async def run(task: Task) -> int:
        if set(task.plain) & {"version", "--version", "-v"} or not task.words:
            await task.say(f"{task.name} 1.0 (simulated)")
            return 0
        for line in lines:
            await task.say(line, seconds / len(lines))
        for path, size in results:
            task.write(path, b"\x7fELF\n", 0o755, size)
        return 0

    return run


async def _versioned(task: Task) -> int:
    """An interpreter: its version, or nothing to say. What it would run is not run."""
    env = task.shell.around.env
    if {"--version", "-V", "-v", "-version"} & set(task.words):
        name = {"python": "Python", "python3": "Python", "node": "v"}.get(task.name, task.name)
        version = next(
            (
                env[key]
                for key in (
                    "PYTHON_VERSION",
                    "NODE_VERSION",
                    "RUBY_VERSION",
                    "PHP_VERSION",
                    "JAVA_VERSION",
                )
                if key in env
            ),
            "1.0",
        )
        await task.say(f"{name}{'' if name == 'v' else ' '}{version}", 0.05)
        return 0
    if task.words[:2] == ["-m", "pip"]:
        return await _pip(replace(task, words=task.words[2:]))
    if task.words[:2] == ["-m", "venv"] and len(task.words) > 2:
        task.write(f"{task.words[2]}/bin/activate", "# venv\n")
        task.write(f"{task.words[2]}/bin/python", "#!/bin/sh\n", 0o755)
        await task.wait(1.8)
        return 0
    script = next((word for word in task.words if not word.startswith("-")), "")
    if task.words[:1] not in (["-c"], ["-m"], ["-e"]) and script and task.read(script) is None:
        await task.complain(
            f"{task.name}: can't open file '{task.shell.path(script)}': [Errno 2] No such file or directory"
        )
        return 2
    await task.wait(0.8)
    return 0


async def _xargs(task: Task) -> int:
    words = list(task.words)
    while words and words[0].startswith("-"):
        words.pop(0)
    given = task.streams.given.split()
    streams = Streams("", task.streams.out, task.streams.err)
    return await task.shell.call([*(words or ["echo"]), *given], streams)


_CARGO = ("    Updating crates.io index", "  Downloaded 87 crates (6.2 MB) in 1.41s", "   Compiling proc-macro2 v1.0.92", "   Compiling serde v1.0.216", "   Compiling tokio v1.42.0", "   Compiling app v0.1.0", "    Finished `release` profile [optimized] target(s) in 21.40s")  # fmt: skip
_MAVEN = ("[INFO] Scanning for projects...", "[INFO] Building app 1.0.0", "[INFO] --- compiler:3.13.0:compile (default-compile) @ app ---", "[INFO] --- jar:3.4.1:jar (default-jar) @ app ---", "[INFO] BUILD SUCCESS")  # fmt: skip
_GRADLE = ("> Task :compileJava", "> Task :processResources", "> Task :classes", "> Task :bootJar", "", "BUILD SUCCESSFUL in 14s")  # fmt: skip
_DOTNET = (
    "  Determining projects to restore...",
    "  Restored /src/app.csproj (in 2.41 sec).",
    "  app -> /app/app.dll",
)
_MAKE = ("cc -O2 -c main.c", "cc -O2 -o app main.o")

_KNOWN: dict[str, Callable[[Task], Awaitable[int]]] = {
    "apt-get": _apt,
    "apt": _apt,
    "apk": _apk,
    "useradd": _user,
    "adduser": _user,
    "groupadd": _user,
    "addgroup": _user,
    "pip": _pip,
    "pip3": _pip,
    "npm": _npm,
    "yarn": _npm,
    "pnpm": _npm,
    "go": _go,
    "xargs": _xargs,
    "cargo": _compiler(_CARGO, 9.0, (("target/release/app", 9 * _MB),)),
    "mvn": _compiler(_MAVEN, 8.0, (("target/app.jar", 21 * _MB),)),
    "gradle": _compiler(_GRADLE, 8.0, (("build/libs/app.jar", 21 * _MB),)),
    "dotnet": _compiler(_DOTNET, 6.0, (("/app/app.dll", _MB), ("/app/app", 70_000))),
    "make": _compiler(_MAKE, 2.0, ()),
    "composer": _compiler(("Installing dependencies from lock file", "Generating optimized autoload files"), 3.0, (("vendor/autoload.php", 900),)),
    "bundle": _compiler(("Fetching gem metadata from https://rubygems.org/.", "Installing rack 3.1.8", "Bundle complete!"), 5.0, ()),
    "gem": _compiler(("Successfully installed 1 gem",), 1.5, ()),
    "poetry": _compiler(("Installing dependencies from lock file", "  - Installing certifi", "  - Installing requests"), 4.0, ()),
    "uv": _compiler(("Resolved 24 packages in 0.21s", "Prepared 24 packages in 0.60s", "Installed 24 packages in 40ms"), 1.2, ()),
    "gcc": _compiler(("",), 1.0, (("a.out", 16_000),)),
    **dict.fromkeys(sorted(_SCRIPTED), _versioned),
}  # fmt: skip
