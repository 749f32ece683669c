"""Package managers and compilers of languages."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from dockdesk.sandbox.buildkit.flow import Streams
from dockdesk.sandbox.buildkit.task import MB, Task, kb

_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?\s*(?:[=~<>!]=?\s*([\w.*+!-]+))?"
)
_SCRIPTED = ("java", "node", "php", "psql", "gpg", "python", "python3", "ruby")


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
        size = int(12_000 + task.luck(name, 3) ** 4 * 7 * MB)
        chosen.append((name, number))
        await task.say(f"Collecting {name}{'==' + exact if exact else ''}", 0.2)
        await task.say(
            f"  Downloading {name.replace('-', '_')}-{number}-py3-none-any.whl ({kb(size)})",
            0.1 + size / (12 * MB),
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
            "/root/.cache/pip/http-v2/cache", b"cached downloads\n", shown=3 * MB * len(chosen)
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
        size = int(50_000 + task.luck(name) ** 2 * 6 * MB)
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
                    shown=2 * MB,
                )
        return 0
    if command in {"build", "install"}:
        options = dict(zip(task.words, [*task.words[1:], ""], strict=True))
        await task.wait(4.0 + 4.0 * task.luck(*task.words))
        target = options.get("-o") or posixpath.basename(task.shell.around.folder) or "app"
        resolved = task.shell.files.get(task.shell.path(target))
        if target.endswith("/") or (resolved is not None and resolved.is_folder):
            target = target.rstrip("/") + "/app"
        task.write(target, b"\x7fELF go\n", 0o755, 14 * MB)
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

LANGUAGES: dict[str, Callable[[Task], Awaitable[int]]] = {
    "pip": _pip,
    "pip3": _pip,
    "npm": _npm,
    "yarn": _npm,
    "pnpm": _npm,
    "go": _go,
    "xargs": _xargs,
    "cargo": _compiler(_CARGO, 9.0, (("target/release/app", 9 * MB),)),
    "mvn": _compiler(_MAVEN, 8.0, (("target/app.jar", 21 * MB),)),
    "gradle": _compiler(_GRADLE, 8.0, (("build/libs/app.jar", 21 * MB),)),
    "dotnet": _compiler(_DOTNET, 6.0, (("/app/app.dll", MB), ("/app/app", 70_000))),
    "make": _compiler(_MAKE, 2.0, ()),
    "composer": _compiler(("Installing dependencies from lock file", "Generating optimized autoload files"), 3.0, (("vendor/autoload.php", 900),)),
    "bundle": _compiler(("Fetching gem metadata from https://rubygems.org/.", "Installing rack 3.1.8", "Bundle complete!"), 5.0, ()),
    "gem": _compiler(("Successfully installed 1 gem",), 1.5, ()),
    "poetry": _compiler(("Installing dependencies from lock file", "  - Installing certifi", "  - Installing requests"), 4.0, ()),
    "uv": _compiler(("Resolved 24 packages in 0.21s", "Prepared 24 packages in 0.60s", "Installed 24 packages in 40ms"), 1.2, ()),
    "gcc": _compiler(("",), 1.0, (("a.out", 16_000),)),
    **dict.fromkeys(_SCRIPTED, _versioned),
}  # fmt: skip
