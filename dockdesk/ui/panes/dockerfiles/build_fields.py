"""The fields of the build form, made for one Dockerfile. No Qt in it."""

from __future__ import annotations

import re
from typing import Any

from dockdesk.core.forms import Choice, Field, FieldKind
from dockdesk.core.masking import looks_secret
from dockdesk.core.records import dataclass
from dockdesk.runspec import checks
from dockdesk.runspec.checks import each_line, optional
from dockdesk.ui.panes.dockerfiles.build_facts import FileArg, FileFacts, FileSecret

ARG, SECRET = "arg:", "secret:"
"""What the ids of the fields for a file's own arguments and secrets begin with."""

_TEXT, _LINES, _CHECK = FieldKind.TEXT, FieldKind.MULTILINE, FieldKind.CHECK
_FEW_ARGS = 3  # so many stand among the first fields
_SECRET_KEYS = frozenset(("id", "src", "source", "env", "type"))
_CACHE_KINDS = "type=registry,ref=hub.example/app:cache"

OUTPUTS = (
    Choice("image", "An image in the engine"),
    Choice("push", "An image in a registry (push)"),
    Choice("docker", "A docker archive, as docker save makes"),
    Choice("oci", "An OCI archive"),
    Choice("tar", "The file system as a tar file"),
    Choice("local", "The file system as a folder"),
    Choice("none", "Nothing: only the cache is filled"),
)
FILE_OUTPUTS = frozenset(("docker", "oci", "tar"))


@dataclass(frozen=True, slots=True)
class BuildSection:
    """A titled part of the build form."""

    id: str
    title: str
    fields: tuple[Field, ...]


def words_of(value: Any) -> list[str]:
    """Words parted by spaces, commas or lines."""
    return [word for word in re.split(r"[\s,]+", str(value or "")) if word]


def tag_problem(text: str) -> str | None:
    if "@" in text or text.startswith("sha256:"):
        return "A tag is a name, such as shop:1.2; a digest comes from the build."
    return checks.image_problem(text)


def secret_problem(line: str) -> str | None:
    """What is wrong with a secret as `--secret` takes it."""
    pairs = [part.partition("=") for part in line.split(",")]
    keys = {key.strip() for key, _, value in pairs if value.strip()}
    if "id" not in keys or not keys <= _SECRET_KEYS or len(keys) != len(pairs):
        return "write it as id=npmrc,src=/home/me/.npmrc or id=token,env=API_TOKEN."
    return None


def _each_word(check: Any) -> Any:
    def checked(value: Any) -> str | None:
        for word in words_of(value):
            if (problem := check(word)) is not None:
                return f"“{word[:80]}”: {problem}"
        return None

    return checked


def _lines(id: str, title: str, example: str, check: Any, help: str = "One a line.") -> Field:
    return Field(id, title, _LINES, placeholder=example, check=each_line(check), help=help)


def sections_of(facts: FileFacts, modified: bool = False) -> tuple[BuildSection, ...]:
    """The form for a file with these facts; ``modified``: what stands in the editor is not saved."""
    args = tuple(_arg_field(arg) for arg in facts.args)
    few = args if len(args) <= _FEW_ARGS else ()
    return (
        BuildSection("general", "General", _general(facts, few, modified)),
        BuildSection("args", "Build arguments", _arguments(() if few else args)),
        BuildSection("secrets", "Secrets", _secrets(facts)),
        BuildSection("output", "Output", _output()),
        BuildSection("cache", "Cache", _cache(facts)),
        BuildSection("network", "Network and memory", _network()),
        BuildSection("files", "Context and labels", _files()),
    )


def _general(facts: FileFacts, args: tuple[Field, ...], modified: bool) -> tuple[Field, ...]:
    save = Field(
        "save_first",
        "Save the file first",
        _CHECK,
        default=False,
        help="Without it, too, what stands in the editor is what is built.",
    )
    return (
        Field(
            "tags",
            "Tags",
            _TEXT,
            placeholder="shop:1.2",
            help="What the image is called. Several are parted by spaces.",
            check=_each_word(tag_problem),
        ),
        Field(
            "target",
            "Target stage",
            FieldKind.EDITABLE_CHOICE,
            placeholder="the last one",
            choices=tuple(Choice(name, name) for name in facts.stages),
        ),
        *args,
        *((save,) if modified else ()),
        Field("pull", "Look for newer base images", _CHECK, default=False),
        Field("no_cache", "Build without the cache", _CHECK, default=False),
    )


def _arg_field(arg: FileArg) -> Field:
    secret = looks_secret(arg.name)
    where = f"in stage {arg.stage}" if arg.stage else "before the first FROM"
    told = f"Line {arg.line + 1}, {where}."
    if secret:
        told += " Not kept; a secret mount would not leave it in the image's history."
    if arg.default is None:
        placeholder = "no default"
    else:
        placeholder = arg.default or "empty"
    return Field(
        f"{ARG}{arg.name}",
        arg.name,
        FieldKind.SECRET if secret else _TEXT,
        placeholder="" if secret and arg.default else placeholder,
        help=told,
    )


def _arguments(args: tuple[Field, ...]) -> tuple[Field, ...]:
    return (
        *args,
        _lines(
            "args",
            "Other arguments" if args else "Further arguments",
            "HTTP_PROXY=http://proxy:3128",
            checks.env_problem,
            "NAME=value, one a line: what the file does not declare, or an empty value for what it does.",
        ),
    )


def _secrets(facts: FileFacts) -> tuple[Field, ...]:
    asked = f" The file asks for {', '.join(facts.ssh)}." if facts.ssh else ""
    return (
        *(_secret_field(secret) for secret in facts.secrets),
        _lines(
            "secrets",
            "Other secrets" if facts.secrets else "Secrets",
            "id=npmrc,src=~/.npmrc\nid=token,env=API_TOKEN",
            secret_problem,
            "For RUN --mount=type=secret. Read when the build asks for them, and never kept.",
        ),
        Field(
            "ssh",
            "ssh agents and keys",
            _TEXT,
            placeholder="default",
            help=f"default is the agent that runs here; else id=path of a key or socket.{asked}",
        ),
    )


def _secret_field(secret: FileSecret) -> Field:
    needed = "needs" if secret.required else "takes"
    return Field(
        f"{SECRET}{secret.id}",
        f"Secret {secret.id}",
        FieldKind.OPEN_FILE,
        placeholder="a file, or $VARIABLE",
        help=f"Line {secret.line + 1} {needed} it. It is read when the build asks for it.",
    )


def _output() -> tuple[Field, ...]:
    platform = optional(_each_word(checks.platform_problem))
    return (
        Field("output", "Result", FieldKind.CHOICE, default="image", choices=OUTPUTS),
        Field("output_file", "File", FieldKind.SAVE_FILE, placeholder="shop.tar"),
        Field("output_folder", "Folder", FieldKind.FOLDER, placeholder="dist"),
        Field(
            "platforms",
            "Platforms",
            FieldKind.EDITABLE_CHOICE,
            placeholder="the engine's own",
            choices=tuple(
                Choice(item, item)
                for item in ("linux/amd64", "linux/arm64", "linux/amd64, linux/arm64")
            ),
            check=platform,
        ),
        Field(
            "builder",
            "Builder",
            FieldKind.CHOICE,
            default="",
            choices=(Choice("", "The engine's own"),),
            help="Others come from docker buildx.",
        ),
        Field(
            "classic",
            "Build without BuildKit",
            _CHECK,
            default=False,
            help="As engines did before: slower, without secrets, mounts and several platforms.",
        ),
    )


def _cache(facts: FileFacts) -> tuple[Field, ...]:
    named = f"Of {', '.join(facts.stages)}." if facts.stages else "The stages have no names."
    return (
        Field(
            "no_cache_stages",
            "Stages without the cache",
            _TEXT,
            placeholder=" ".join(facts.stages[:2]),
            help=f"{named} Several are parted by spaces.",
        ),
        _lines(
            "cache_from",
            "Take cache from",
            f"hub.example/app:latest\n{_CACHE_KINDS}",
            _cache_problem,
            "An image's name, or type=…,… as --cache-from takes; one a line.",
        ),
        _lines(
            "cache_to",
            "Write cache to",
            f"type=inline\n{_CACHE_KINDS},mode=max",
            _cache_problem,
            "An image's name, or type=…,… as --cache-to takes; one a line.",
        ),
    )


def _cache_problem(line: str) -> str | None:
    if "=" not in line:
        return checks.image_problem(line)
    if not re.search(r"(?:^|,)type=[a-z0-9]+(?:,|$)", line):
        return "begin it with type=registry, type=local, type=inline, type=gha or the like."
    return None


def _network() -> tuple[Field, ...]:
    return (
        Field(
            "network",
            "Network of RUN",
            FieldKind.EDITABLE_CHOICE,
            placeholder="default",
            choices=tuple(Choice(item, item) for item in ("default", "host", "none")),
        ),
        _lines("add_hosts", "Extra hosts", "db:10.0.0.5", checks.host_problem),
        Field(
            "shm_size",
            "Shared memory (/dev/shm)",
            _TEXT,
            placeholder="64m",
            check=optional(checks.size_problem),
        ),
    )


def _files() -> tuple[Field, ...]:
    return (
        Field(
            "context",
            "Context folder",
            FieldKind.FOLDER,
            help="What COPY and ADD take files from. The Dockerfile may lie elsewhere.",
            required=True,
        ),
        _lines("labels", "Labels", "org.opencontainers.image.source=…", checks.pair_problem),
    )
