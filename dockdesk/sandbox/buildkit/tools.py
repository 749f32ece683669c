"""Package managers and compilers, as far as a build needs to believe in them: what they say, how long they take, what they leave.

An image has what its variables and its distribution say it has, and what a step before installed.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.sandbox.buildkit.flow import Streams
from dockdesk.sandbox.buildkit.shell import BuildShell
from dockdesk.sandbox.buildkit.task import Growth, Task
from dockdesk.sandbox.buildkit.tools_languages import LANGUAGES
from dockdesk.sandbox.buildkit.tools_system import BROUGHT, SYSTEM

_KNOWN = {**SYSTEM, **LANGUAGES}
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


class ImageTools:
    """What an image's programs are."""

    def __init__(self) -> None:
        self.growth = Growth()

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
        task = Task(self.growth, shell, streams, name, list(words[1:]))
        return await _KNOWN.get(name, _quiet)(task)


def _told(name: str) -> bool:
    return name in _KNOWN or any(name in names for names in BROUGHT.values())


def _release(shell: BuildShell, *names: str) -> bool:
    node = shell.files.get("/etc/os-release")
    text = node.data.decode("utf-8", "replace") if node is not None else ""
    return any(f"ID={name}" in text for name in names)


async def _quiet(task: Task) -> int:
    await task.wait(0.3)
    return 0
