"""The words of the language: instructions, their flags, what a mount may say. Checks, completion and hover read these.

Source: moby/buildkit, frontend/dockerfile/instructions, and the Dockerfile reference.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

FlagKind = Literal["text", "list", "bool"]

INSTRUCTIONS = (
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
)
KNOWN = frozenset(INSTRUCTIONS)
# Their words are expanded by the builder; RUN, CMD and ENTRYPOINT leave that to the shell. FROM sees global ARGs alone.
EXPANDING = frozenset("ADD ARG COPY ENV EXPOSE FROM LABEL STOPSIGNAL USER VOLUME WORKDIR".split())
SHELL_FORMS = frozenset(("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"))
JSON_FORMS = SHELL_FORMS | {"SHELL", "ADD", "COPY", "VOLUME"}
HEREDOCS = frozenset(("RUN", "COPY", "ADD"))
DIRECTIVES = ("syntax", "escape", "check")


class FlagRule(NamedTuple):
    """A flag an instruction knows; a ``list`` may be repeated; ``values`` are all it may say (none: anything)."""

    name: str
    kind: FlagKind = "text"
    values: tuple[str, ...] = ()
    since: str = ""


_OWNER = (
    FlagRule("chown"),
    FlagRule("chmod", since="1.2"),
    FlagRule("link", "bool", since="1.4"),
    FlagRule("exclude", "list", since="1.19"),
)
FLAGS: dict[str, tuple[FlagRule, ...]] = {
    "FROM": (FlagRule("platform"),),
    "RUN": (
        FlagRule("mount", "list", since="1.2"),
        FlagRule("network", values=("default", "none", "host"), since="1.3"),
        FlagRule("security", values=("sandbox", "insecure"), since="1.20"),
        FlagRule("device", "list", since="1.14-labs"),
    ),
    "COPY": (FlagRule("from"), *_OWNER, FlagRule("parents", "bool", since="1.20")),
    "ADD": (
        *_OWNER,
        FlagRule("checksum", since="1.6"),
        FlagRule("keep-git-dir", "bool", since="1.1"),
        FlagRule("unpack", "bool", since="1.17"),
    ),
    "HEALTHCHECK": (
        FlagRule("interval"),
        FlagRule("timeout"),
        FlagRule("start-period"),
        FlagRule("start-interval"),
        FlagRule("retries"),
    ),
}
# These never look at their flags: BuildKit drops them without a word.
FLAGS_DROPPED = frozenset(("ARG", "STOPSIGNAL"))

MOUNT_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
SHARING = ("shared", "private", "locked")
_TARGET = ("target", "dst", "destination")
_READONLY = ("readonly", "ro", "readwrite", "rw")
_OWNED = ("mode", "uid", "gid")
MOUNT_KEYS: dict[str, tuple[str, ...]] = {
    "bind": ("from", "source", "src", *_TARGET, *_READONLY),
    "cache": ("id", *_TARGET, "sharing", "from", "source", "src", *_READONLY, *_OWNED),
    "tmpfs": (*_TARGET, "size", *_READONLY),
    "secret": ("id", "source", "src", *_TARGET, "env", "required", *_OWNED),
    "ssh": ("id", *_TARGET, "required", *_OWNED),
}
MOUNT_KEY_NAMES = frozenset(("type", "from", "source", "src", *_TARGET, *_READONLY, *_OWNED)) | {
    "id",
    "sharing",
    "required",
    "size",
    "env",
}
BARE_MOUNT_KEYS = frozenset((*_READONLY, "required"))
TARGET_KEYS = _TARGET
SOURCE_KEYS = ("source", "src")

# Known to the builder without an ARG where a proxy is given; the platforms' and the stage's names need ``ARG name``.
PROXY_ARGS = tuple(
    name
    for each in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (each, each.lower())
)
PLATFORM_ARGS = (
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
)
BUILDKIT_ARGS = (
    "BUILDKIT_BUILD_NAME",
    "BUILDKIT_CACHE_MOUNT_NS",
    "BUILDKIT_CONTEXT_KEEP_GIT_DIR",
    "BUILDKIT_INLINE_CACHE",
    "BUILDKIT_MULTI_PLATFORM",
    "BUILDKIT_SANDBOX_HOSTNAME",
    "BUILDKIT_SYNTAX",
    "SOURCE_DATE_EPOCH",
)


def flag_rule(keyword: str, name: str) -> FlagRule | None:
    return next((rule for rule in FLAGS.get(keyword, ()) if rule.name == name), None)
