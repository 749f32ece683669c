"""What people build on: languages, distributions, servers. No simulated engine has them from the beginning; they are pulled.

Their sizes are those of the real images, roughly; in them is what a small Linux has, and variables that say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dockdesk.sandbox.engine.catalogue import ALPINE, DEBIAN, MIB, PATH, Program, Recipe

_MB = 1_000_000
_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)")
_NOTHING = ("COPY / / # buildkit", 2_400_000)


@dataclass(frozen=True, slots=True)
class Base:
    """``variable`` tells the version; ``sizes`` are those of the plain, the slim and the alpine variant, in MB on top."""

    repository: str
    version: str
    variable: str
    about: str
    sizes: tuple[int, int, int] = (700, 60, 45)
    command: tuple[str, ...] = ("bash",)
    entrypoint: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""
    empty: bool = False  # without a distribution, and so without a shell
    more: tuple[str, ...] = ()  # further variables
    older: tuple[str, ...] = ()
    variants: tuple[str, ...] = ("",)

    @property
    def tag(self) -> str:
        return self.version.rpartition(".")[0] if self.version.count(".") > 1 else self.version


ALL: tuple[Base, ...] = (
    Base("python", "3.13.1", "PYTHON_VERSION", "The Python language, with pip.", (930, 48, 36), ("python3",), older=("3.12.8", "3.11.11", "3.10.16"), variants=("", "-slim", "-alpine", "-slim-bookworm")),
    Base("node", "22.12.0", "NODE_VERSION", "JavaScript on the server, with npm and yarn.", (1040, 145, 148), ("node",), ("docker-entrypoint.sh",), older=("20.18.1", "18.20.5"), variants=("", "-slim", "-alpine")),
    Base("golang", "1.23.4", "GOLANG_VERSION", "The Go language and its tools.", (760, 760, 240), workdir="/go", more=("GOPATH=/go",), older=("1.22.10", "1.21.13"), variants=("", "-alpine", "-bookworm")),
    Base("rust", "1.83.0", "RUST_VERSION", "The Rust language, with cargo.", (1400, 780, 860), more=("CARGO_HOME=/usr/local/cargo",), older=("1.82.0", "1.81.0"), variants=("", "-slim", "-slim-bookworm", "-alpine")),
    Base("ruby", "3.3.6", "RUBY_VERSION", "The Ruby language, with gem and bundler.", (910, 130, 90), ("irb",), older=("3.2.6", "3.1.6"), variants=("", "-slim", "-alpine")),
    Base("php", "8.3.14", "PHP_VERSION", "The PHP language, with or without a server.", (430, 430, 95), ("php", "-a"), ("docker-php-entrypoint",), older=("8.2.26", "8.1.31"), variants=("", "-apache", "-fpm", "-cli", "-alpine")),
    Base("composer", "2.8.4", "PHP_VERSION", "PHP's manager of dependencies.", (180, 180, 180), ("composer",), ("/docker-entrypoint.sh",), workdir="/app"),
    Base("maven", "3.9.9", "MAVEN_VERSION", "Builds Java projects.", (470, 470, 330), ("mvn",), more=("JAVA_VERSION=jdk-21.0.5+11",), older=("3.8.8",), variants=("", "-eclipse-temurin-21", "-eclipse-temurin-17")),
    Base("gradle", "8.14.0", "GRADLE_VERSION", "Builds Java and Kotlin projects.", (680, 680, 560), ("gradle",), more=("JAVA_VERSION=jdk-21.0.5+11",), older=("8.13.0", "7.6.4"), variants=("", "-jdk21", "-jdk17")),
    Base("eclipse-temurin", "21", "JAVA_VERSION", "Java from Eclipse Adoptium.", (400, 210, 190), ("jshell",), older=("17", "11"), variants=("", "-jdk", "-jre", "-jre-alpine")),
    Base("debian", "12.8", "", "A universal Linux.", (43, 1, 1), older=("11.11",), variants=("", "-slim")),
    Base("ubuntu", "24.04", "", "A Linux for servers and desktops.", (4, 4, 4), older=("22.04", "20.04")),
    Base("httpd", "2.4.62", "HTTPD_VERSION", "The Apache web server.", (74, 74, 55), ("httpd-foreground",), ports=("80/tcp",), older=("2.4.59",), variants=("", "-alpine")),
    Base("caddy", "2.8.4", "CADDY_VERSION", "A web server that gets its certificates itself.", (44, 44, 44), ("caddy", "run", "--config", "/etc/caddy/Caddyfile"), ports=("80/tcp", "443/tcp"), workdir="/srv", older=("2.7.6",)),
    Base("nginxinc/nginx-unprivileged", "1.28.0", "NGINX_VERSION", "A web server that needs no root.", (130, 130, 40), ("nginx", "-g", "daemon off;"), ("/docker-entrypoint.sh",), ("8080/tcp",), "101", older=("1.27.3",), variants=("", "-alpine")),
    Base("oven/bun", "1.1.42", "BUN_VERSION", "JavaScript, built and run fast.", (150, 130, 100), ("/usr/local/bin/bun",), workdir="/home/bun/app", more=("NODE_VERSION=22.12.0",), variants=("", "-slim", "-alpine")),
    Base("hugomods/hugo", "0.147.9", "HUGO_VERSION", "Builds static sites.", (300, 300, 300), ("hugo",), workdir="/src", more=("NODE_VERSION=22.12.0", "GOLANG_VERSION=1.23.4")),
    Base("mcr.microsoft.com/dotnet/sdk", "8.0.404", "DOTNET_VERSION", "Builds .NET applications.", (780, 780, 700), more=("DOTNET_SDK_VERSION=8.0.404",)),
    Base("mcr.microsoft.com/dotnet/aspnet", "8.0.11", "DOTNET_VERSION", "Runs ASP.NET applications.", (140, 140, 90)),
    Base("mcr.microsoft.com/dotnet/runtime", "8.0.11", "DOTNET_VERSION", "Runs .NET applications.", (118, 118, 70)),
    Base("gcr.io/distroless/static-debian12", "nonroot", "", "Nothing but certificates and time zones.", (2, 2, 2), (), user="65532", empty=True),
    Base("gcr.io/distroless/base-debian12", "nonroot", "", "The C library and little else.", (20, 20, 20), (), user="65532", empty=True),
    Base("gcr.io/distroless/cc-debian12", "nonroot", "", "What compiled programs need.", (23, 23, 23), (), user="65532", empty=True),
    Base("gcr.io/distroless/python3-debian12", "nonroot", "PYTHON_VERSION", "Python without a shell.", (50, 50, 50), (), user="65532", empty=True),
    Base("ghcr.io/astral-sh/uv", "0.5.11", "", "Python's packages, fast.", (36, 36, 36), ("/uv",), empty=True),
)  # fmt: skip
BY_REPOSITORY: Mapping[str, Base] = {base.repository: base for base in ALL}
# Those that Docker Hub has; the others are at registries of their own.
ON_HUB = tuple(base for base in ALL if "." not in base.repository.partition("/")[0])


def recipe(repository: str, tag: str = "") -> Recipe | None:
    """The image under a tag, which may be any; None for repositories that are not among these."""
    base = BY_REPOSITORY.get(repository)
    if base is None:
        return None
    tag = tag or base.tag
    alpine, slim = "alpine" in tag, "slim" in tag or "jre" in tag
    size = base.sizes[2 if alpine else 1 if slim else 0] * _MB
    bottom = (
        _NOTHING if base.empty else ALPINE if alpine or base.repository in _ALPINE_ONLY else DEBIAN
    )
    env = [PATH, *base.more]
    if base.variable:
        env.append(f"{base.variable}={_version(base, tag)}")
    name = repository.rpartition("/")[2]
    shells = () if base.empty else ("/bin/sh",) if bottom is ALPINE else ("/bin/bash", "/bin/sh")
    files = {"/uv": "\x7fELF uv\n", "/uvx": "\x7fELF uvx\n"} if name == "uv" else {}
    if bottom is DEBIAN:
        files["/etc/debian_version"] = "12.8\n"
    return Recipe(
        repository,
        tag,
        (bottom, (f"RUN /bin/sh -c install {name} # buildkit", size)),
        base.command,
        base.entrypoint,
        tuple(env),
        base.ports,
        user=base.user,
        workdir=base.workdir,
        program=Program(
            "access" if base.ports else "quiet", 0.4, 0.02 if base.ports else 0.0, 18 * MIB
        ),
        shells=shells,
        files=files,
    )


_ALPINE_ONLY = {"caddy", "composer"}


def _version(base: Base, tag: str) -> str:
    """What a tag says of the version, the rest as the newest has it."""
    match = _NUMBER.match(tag)
    if match is None:
        return base.version
    said, known = match[1].split("."), base.version.split(".")
    return ".".join(
        [
            *said,
            *(
                known[len(said) :]
                if said == known[: len(said)]
                else ["4"] * (len(known) - len(said))
            ),
        ]
    )


def newest() -> tuple[Recipe, ...]:
    """One of each that Docker Hub has, under its own tag."""
    found = (recipe(base.repository) for base in ON_HUB)
    return tuple(replace(one) for one in found if one is not None)
