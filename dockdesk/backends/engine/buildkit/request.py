"""What is asked of BuildKit for a BuildSpec: the frontend's attributes, exporters and caches.

Source: docker/buildx, build/opt.go; moby/buildkit, frontend/dockerui and client/solve.go.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from dockdesk.core.errors import InvalidInputError, NotFoundError, NotSupportedError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.builds import BuildSpec
from dockdesk.core.wholefile import local_error
from dockdesk.wire.buildkit import CacheEntry

TITLE = "The build can't begin"
_NAMES = ("Dockerfile", "dockerfile", "Containerfile")
IMAGE_KINDS = ("image", "push")
FILE_KINDS = ("tar", "docker", "oci")


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """The Dockerfile of a build: its ``name`` for the frontend, its bytes, and the ignore file of its own beside it.

    ``inside`` is its path in the context, or empty. Times are nanoseconds since 1970, 0 for what is not on the disk.
    """

    name: str
    content: bytes
    modified: int = 0
    inside: str = ""
    ignore: bytes | None = None
    ignore_modified: int = 0

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def files(self) -> dict[str, bytes]:
        found = {self.name: self.content}
        if self.ignore is not None:
            found[f"{self.name}.dockerignore"] = self.ignore
        return found

    def times(self) -> dict[str, int]:
        stamps = {self.name: self.modified, f"{self.name}.dockerignore": self.ignore_modified}
        return {name: stamp for name, stamp in stamps.items() if stamp}


def read_dockerfile(spec: BuildSpec) -> Dockerfile:
    """The Dockerfile that ``spec`` means. Raise NotFoundError, InvalidInputError or LocalError."""
    context = spec.context
    if not context.is_dir():
        raise NotFoundError(TITLE, f"{context} is no folder.", "Choose the folder to build from.")
    path = _path(spec)
    try:
        inside = path.resolve().relative_to(context.resolve()).as_posix()
    except ValueError:
        inside = ""
    beside = path.with_name(f"{path.name}.dockerignore")
    ignore, ignore_modified = _read(beside) if beside.is_file() else (None, 0)
    if spec.text is not None:
        content = spec.text.encode("utf-8", "surrogateescape")
        return Dockerfile(path.name, content, 0, inside, ignore, ignore_modified)
    if not path.is_file():
        raise NotFoundError(
            "There is no Dockerfile",
            f"{path} does not exist.",
            "Choose the Dockerfile, or write one.",
        )
    content, modified = _read(path)
    return Dockerfile(path.name, content, modified, inside, ignore, ignore_modified)


def _path(spec: BuildSpec) -> Path:
    if spec.dockerfile:
        return spec.context / Path(spec.dockerfile).expanduser()
    if spec.text is None:
        for name in _NAMES:
            if (spec.context / name).is_file():
                return spec.context / name
    return spec.context / _NAMES[0]


def _read(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            return file.read(), path.stat().st_mtime_ns
    except OSError as error:
        raise local_error(f"{path.name} can't be read", path, error) from error


def check_spec(spec: BuildSpec) -> None:
    """Raise InvalidInputError for what no builder can use."""
    kinds = [output.kind for output in spec.outputs]
    known = {*IMAGE_KINDS, *FILE_KINDS, "local", "none"}
    if unknown := set(kinds) - known:
        raise InvalidInputError(TITLE, f"There is no output {sorted(unknown)[0]}.", "", "outputs")
    for output in spec.outputs:
        if output.kind in {*FILE_KINDS, "local"} and not output.path:
            raise InvalidInputError(TITLE, f"The output {output.kind} has no path.", "", "outputs")
    if "push" in kinds and not spec.tags:
        raise InvalidInputError(TITLE, "What is pushed needs a tag.", "Give it a tag.", "tags")
    for host in spec.add_hosts:
        _host(host)


def frontend_attrs(spec: BuildSpec, filename: str) -> dict[str, str]:
    """The attributes of the frontend dockerfile.v0."""
    attrs = {"filename": filename}
    if spec.target:
        attrs["target"] = spec.target
    attrs |= {f"build-arg:{name}": value for name, value in spec.args}
    attrs |= {f"label:{name}": value for name, value in spec.labels}
    if spec.platforms:
        attrs["platform"] = ",".join(spec.platforms)
    if spec.no_cache:
        attrs["no-cache"] = ""
    elif spec.no_cache_stages:
        attrs["no-cache"] = ",".join(spec.no_cache_stages)
    attrs["image-resolve-mode"] = "pull" if spec.pull else "local"
    if spec.network in {"host", "none"}:
        attrs["force-network-mode"] = spec.network
    elif spec.network not in {"", "default"}:
        raise NotSupportedError(
            TITLE,
            f"BuildKit can't build in the network {spec.network}: it knows host and none.",
            "Build classically, or leave the network out.",
        )
    if spec.add_hosts:
        attrs["add-hosts"] = ",".join(
            _csv(f"{name}={address}") for name, address in map(_host, spec.add_hosts)
        )
    if spec.shm_size:
        attrs["shm-size"] = str(spec.shm_size)
    if imports := cache_entries(spec.cache_from):
        listed = [{"Type": entry.type, "Attrs": dict(entry.attrs)} for entry in imports]
        attrs["cache-imports"] = json.dumps(listed)
        names = [entry.attrs["ref"] for entry in imports if entry.type == "registry"]
        if names:
            attrs["cache-from"] = ",".join(names)  # for engines that know only this
    return attrs


def cache_entries(texts: Iterable[str]) -> tuple[CacheEntry, ...]:
    """`--cache-from` and `--cache-to`: a reference, or “type=…,…”. Raise InvalidInputError, NotSupportedError."""
    entries = []
    for text in texts:
        if "=" not in text:
            entries.append(CacheEntry("registry", {"ref": text}))
            continue
        values = fields_of(text)
        kind = values.pop("type", "")
        if not kind:
            raise InvalidInputError(TITLE, f"The cache “{text}” has no type.", "", "cache")
        if kind == "registry" and "ref" not in values:
            raise InvalidInputError(TITLE, f"The cache “{text}” has no ref.", "", "cache")
        if kind == "local":
            raise NotSupportedError(
                TITLE,
                "A cache in a local folder needs a builder of its own.",
                "Choose a builder made with `docker buildx create`, or a cache in a registry.",
            )
        entries.append(CacheEntry(kind, values))
    return tuple(entries)


def fields_of(text: str) -> dict[str, str]:
    """“type=registry,ref=x” as a mapping; values may be quoted as in CSV."""
    row = next(csv.reader([text]), [])
    found = {}
    for item in row:
        name, _, value = item.partition("=")
        found[name.strip().lower()] = value
    return found


def _csv(text: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow([text])
    return buffer.getvalue()


def _host(text: str) -> tuple[str, str]:
    """“name:address” or “name=address”; addresses of IPv6 have colons too."""
    separator = "=" if "=" in text else ":"
    name, found, address = text.partition(separator)
    if not name or not found or not address:
        raise InvalidInputError(
            TITLE, f"“{text}” is no host.", "Write it as name:address.", "add_hosts"
        )
    return name, address.strip("[]")


def entitlements(spec: BuildSpec) -> tuple[str, ...]:
    return ("network.host",) if spec.network == "host" else ()


def moby_attrs(spec: BuildSpec, defaults: Mapping[str, str] | None = None) -> dict[str, str]:
    """The attributes of what puts the image into the engine."""
    attrs = dict(defaults or {})
    if spec.tags:
        attrs["name"] = ",".join(_csv(full_name(tag)) for tag in spec.tags)
    return attrs


def full_name(tag: str) -> str:
    """A tag in full, as the engine's exporter wants it: docker.io/library/web:latest for web."""
    from dockdesk.core.references import repository_path, split_reference

    _, version = split_reference(tag)
    if ":" in version:
        raise InvalidInputError(TITLE, f"“{tag}” is a digest.", "Give a tag.", "tags")
    return f"{repository_path(tag)}:{version}"
