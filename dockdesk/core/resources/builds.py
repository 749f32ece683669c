"""Builds: what is asked, and what BuildKit tells (moby.buildkit.v1: Vertex, VertexStatus, VertexLog, VertexWarning).

A classic build, and buildx's rawjson, are turned into the same items, so that one view shows all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TypeAlias

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class BuildSecret:
    """A secret of `RUN --mount=type=secret,id=…`: read from a file or an environment variable when it is asked for.

    Its value is never part of a spec, so that a spec can be kept and shown.
    """

    id: str
    file: str = ""
    variable: str = ""


@dataclass(frozen=True, slots=True)
class BuildOutput:
    """Where the result goes. ``kind``: image (into the engine), push, tar, docker, oci, local or none (cache only).

    ``path`` is a file for tar, docker and oci, a folder for local.
    """

    kind: str = "image"
    path: str = ""


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """What `docker buildx build` takes, as values. Empty means the builder's default.

    ``context`` is a folder; ``dockerfile`` is relative to it, or absolute. ``text`` is used in place of the file where
    it is not None: what stands in the editor, unsaved. ``builder`` is "" for the engine's own, or a name that buildx
    knows.
    """

    context: Path
    dockerfile: str = ""
    text: str | None = field(default=None, repr=False)
    tags: tuple[str, ...] = ()
    target: str = ""
    args: tuple[tuple[str, str], ...] = ()
    secrets: tuple[BuildSecret, ...] = ()
    ssh: tuple[str, ...] = ()  # default, or id=socket or key file
    platforms: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    cache_from: tuple[str, ...] = ()  # as --cache-from: a reference, or type=…,…
    cache_to: tuple[str, ...] = ()
    no_cache: bool = False
    no_cache_stages: tuple[str, ...] = ()
    pull: bool = False
    network: str = ""
    add_hosts: tuple[str, ...] = ()  # name:address
    shm_size: int = 0  # bytes
    outputs: tuple[BuildOutput, ...] = (BuildOutput(),)
    builder: str = ""
    classic: bool = False  # without BuildKit, even where there is one


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One vertex of the build's graph. It is told of several times: what has the same ``digest`` replaces what was.

    ``inputs`` are digests. Times are seconds since 1970; None: not yet. ``name`` is as in “[app 2/5] RUN make”.
    """

    digest: str
    name: str = ""
    inputs: tuple[str, ...] = ()
    cached: bool = False
    started: float | None = None
    completed: float | None = None
    error: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class BuildStatus:
    """Progress of one thing that a step does, such as a layer being fetched. ``current`` of ``total`` (0: unknown)."""

    id: str
    step: str
    name: str = ""
    current: int = 0
    total: int = 0
    started: float | None = None
    completed: float | None = None


@dataclass(frozen=True, slots=True)
class BuildLog:
    """Bytes that a step wrote, cut anywhere. ``stream`` is 1 for stdout, 2 for stderr."""

    step: str
    data: bytes
    stream: int = 1
    time: float | None = None


@dataclass(frozen=True, slots=True)
class BuildWarning:
    """What BuildKit's checks say. ``lines`` are pairs of first and last line, from 1."""

    step: str
    short: str
    level: int = 0
    detail: tuple[str, ...] = ()
    url: str = ""
    file: str = ""
    lines: tuple[tuple[int, int], ...] = ()


BuildItem: TypeAlias = BuildStep | BuildStatus | BuildLog | BuildWarning


@dataclass(frozen=True, slots=True)
class FileMark:
    """What tells a file of the context from its other versions: size in bytes, time in nanoseconds, POSIX mode."""

    size: int
    modified: int
    mode: int = 0


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What came out: ``digest`` of the manifest and ``image`` (id in the engine), where there are such.

    ``method`` is how it was built: buildkit, classic or buildx. ``sent`` is how many bytes of context went to the
    builder, ``files`` how many files. ``listing`` are the context's files that the builder was told of, by path; empty
    where that isn't known.
    """

    method: str
    image: str = ""
    digest: str = ""
    sent: int = 0
    files: int = 0
    listing: Mapping[str, FileMark] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Builder:
    """One line of `docker buildx ls`. ``driver``: docker, docker-container, kubernetes, remote."""

    name: str
    driver: str = ""
    status: str = ""
    platforms: tuple[str, ...] = ()
    current: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class PastBuild:
    """One record of the engine's own build history (Control.ListenBuildHistory). Times are seconds since 1970."""

    ref: str
    name: str = ""
    target: str = ""
    started: float | None = None
    completed: float | None = None
    error: str = ""
    steps: int = 0
    cached: int = 0
    image: str = ""
    pinned: bool = False
