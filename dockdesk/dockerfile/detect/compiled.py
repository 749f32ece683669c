"""Projects in languages that are compiled: Go, Rust, Java and .NET."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockdesk.dockerfile.detect.folder import (
    Choice,
    Folder,
    Project,
    inner,
    port_choice,
    text,
    version_choice,
)

_BINARY = r"[A-Za-z0-9][\w.-]*"
_LISTENS = re.compile(r"ListenAndServe|net\.Listen|gin-gonic|labstack/echo|gofiber|chi\b|net/http")
_RUST_SERVERS = re.compile(r"^(axum|actix-web|rocket|warp|hyper|tide|poem|tonic)\b", re.MULTILINE)


def go(folder: Folder) -> Iterator[Project]:
    module = folder.text("go.mod")
    if not module:
        return
    named = re.search(r"^module\s+(\S+)", module, re.MULTILINE)
    version = re.search(r"^go\s+(\d+\.\d+)", module, re.MULTILINE)
    name = re.sub(r"/v\d+$", "", named[1] if named else "app").rpartition("/")[2]
    packages = [
        f"./cmd/{each[:-1]}"
        for each in folder.list("cmd")
        if each.endswith("/") and folder.has(f"cmd/{each}main.go")
    ]
    evidence = ["go.mod"]
    if folder.has("main.go"):
        packages.insert(0, ".")
        evidence.append("main.go")
    package = (packages or ["."])[0]
    evidence += packages[:1] if package != "." else []
    source = folder.text("main.go" if package == "." else f"{package[2:]}/main.go")
    manifests = "go.mod go.sum" if folder.has("go.sum") else "go.mod"
    yield Project(
        kind="go",
        title="Go",
        template="go",
        evidence=tuple(evidence),
        score=80 if packages else 50,
        values=(("manifests", manifests),),
        choices=(
            version_choice(version[1] if version else "1.24"),
            Choice("package", "Main package", package),
            Choice(
                "binary",
                "Program",
                package.rpartition("/")[2] if package != "." else name,
                pattern=_BINARY,
            ),
            port_choice("8080" if _LISTENS.search(source + module) else ""),
        ),
    )


def rust(folder: Folder) -> Iterator[Project]:
    cargo = folder.toml("Cargo.toml")
    if not cargo:
        return
    bins = cargo.get("bin")
    names = (
        [text(each.get("name")) for each in bins if isinstance(each, dict)]
        if isinstance(bins, list)
        else []
    )
    names += [text(inner(cargo, "package", "name"))]
    names = [name for name in names if name]
    binary = (
        folder.has("src/main.rs")
        or bool(bins)
        or "src/bin/" in {f"src/{each}" for each in folder.list("src")}
    )
    toolchain = folder.toml("rust-toolchain.toml") or folder.toml("rust-toolchain")
    channel = (
        text(inner(toolchain, "toolchain", "channel")) or folder.text("rust-toolchain").strip()
    )
    wanted = channel if re.match(r"\d", channel) else ""
    least = text(inner(cargo, "package", "rust-version"))
    version = re.match(r"\d+\.\d+", wanted)
    needed = re.match(r"1\.(\d+)", least)
    chosen = version[0] if version else "1.88"
    if not version and needed and int(needed[1]) > 88:
        chosen = f"1.{needed[1]}"
    evidence = ["Cargo.toml", *(name for name in ("src/main.rs", "Cargo.lock") if folder.has(name))]
    yield Project(
        kind="rust",
        title="Rust",
        template="rust",
        evidence=tuple(evidence),
        score=80 if binary else 45,
        values=(("locked", " --locked" if folder.has("Cargo.lock") else ""),),
        choices=(
            version_choice(chosen),
            Choice("binary", "Program", (names or ["app"])[0], pattern=_BINARY),
            port_choice("8080" if _RUST_SERVERS.search(folder.text("Cargo.toml")) else ""),
        ),
    )


def java(folder: Folder) -> Iterator[Project]:
    pom = folder.text("pom.xml")
    gradle = "".join(folder.text(name) for name in ("build.gradle", "build.gradle.kts"))
    if pom:
        found = re.search(
            r"<(?:java\.version|maven\.compiler\.(?:release|target|source)|release)>\s*(?:1\.)?(\d+)",
            pom,
        )
        spring = "spring-boot" in pom
        yield _java("Maven", "maven", "pom.xml", found[1] if found else "21", spring)
    if gradle:
        found = re.search(
            r"(?:languageVersion\D{0,40}|(?:source|target)Compatibility\D{0,30})(?:1\.)?(\d+)",
            gradle,
        )
        name = "build.gradle.kts" if folder.has("build.gradle.kts") else "build.gradle"
        spring = "springframework.boot" in gradle
        yield _java("Gradle", "gradle", name, found[1] if found else "21", spring)


def _java(title: str, tool: str, file: str, version: str, spring: bool) -> Project:
    # Images of the build tools exist for the versions with long support.
    supported = next((each for each in ("8", "11", "17", "21") if int(each) >= int(version)), "21")
    if tool == "gradle" and supported == "8":
        supported = "11"
    return Project(
        kind="java",
        title=f"Java ({'Spring Boot, ' if spring else ''}{title})",
        template="java",
        evidence=(file, *(("Spring Boot is used",) if spring else ())),
        score=85 if spring else 75,
        values=(("tool", tool), ("task", "bootJar" if spring else "build")),
        choices=(
            version_choice(supported, "A version of Java with long support: 11, 17 or 21."),
            port_choice("8080" if spring else ""),
        ),
    )


def dotnet(folder: Folder) -> Iterator[Project]:
    files = [name for name in sorted(folder.names) if name.endswith((".csproj", ".fsproj"))]
    for place in sorted(folder.names):
        if place.endswith("/") and not files:
            files = [
                place + name for name in folder.list(place) if name.endswith((".csproj", ".fsproj"))
            ]
    inside = [
        place + name for place in ("src/",) for name in folder.list(place) if name.endswith("/")
    ]
    for place in inside:
        if not files:
            files = [
                place + name for name in folder.list(place) if name.endswith((".csproj", ".fsproj"))
            ]
    files = [name for name in files if re.fullmatch(r"[\w./-]+", name)]
    if not files:
        return
    project = next((name for name in files if "Test" not in name), files[0])
    source = folder.text(project)
    version = re.search(r"<TargetFrameworks?>\s*net(\d+\.\d+)", source)
    web = "Microsoft.NET.Sdk.Web" in source
    named = re.search(r"<AssemblyName>\s*([\w.-]+)\s*<", source)
    path, _, name = project.rpartition("/")
    number = version[1] if version else "8.0"
    modern = float(number) >= 8
    yield Project(
        kind="dotnet",
        title=f".NET ({'ASP.NET Core' if web else 'console'})",
        template="dotnet",
        evidence=(project, *(("Microsoft.NET.Sdk.Web",) if web else ())),
        score=85 if web else 80,
        values=(
            ("project", project),
            ("folder", f"{path}/" if path else ""),
            ("web", "yes" if web else ""),
            ("user", "1654" if modern else "10001"),
            (
                "user_note",
                "the base image names its user so."
                if modern
                else "a number needs no entry in /etc/passwd.",
            ),
        ),
        choices=(
            version_choice(number),
            Choice(
                "assembly",
                "Assembly",
                named[1] if named else name.rpartition(".")[0],
                pattern=r"[\w.-]+",
            ),
        ),
    )


DETECTORS = (go, rust, java, dotnet)
