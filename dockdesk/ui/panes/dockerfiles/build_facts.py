"""What a build form has to know of a Dockerfile: its stages, arguments, secrets. No Qt in it."""

from __future__ import annotations

from collections.abc import Iterator

from dockdesk.core.records import dataclass
from dockdesk.dockerfile.tree import Document, Flag, Instruction
from dockdesk.dockerfile.vocabulary import PLATFORM_ARGS


@dataclass(frozen=True, slots=True)
class FileArg:
    """An ARG. ``default`` is None where it has none; ``stage`` "" before the first FROM. ``line`` is 0-based."""

    name: str
    default: str | None
    line: int
    stage: str = ""


@dataclass(frozen=True, slots=True)
class FileSecret:
    """A secret that a RUN mounts; ``required`` where the step fails without it."""

    id: str
    required: bool
    line: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Empty for a file that was not read."""

    stages: tuple[str, ...] = ()
    args: tuple[FileArg, ...] = ()
    secrets: tuple[FileSecret, ...] = ()
    ssh: tuple[str, ...] = ()


def facts_of(document: Document | None) -> FileFacts:
    """What the form asks of a file. A name that several stages declare stands once, with its first default."""
    if document is None:
        return FileFacts()
    args: dict[str, FileArg] = {}
    secrets: dict[str, FileSecret] = {}
    ssh: dict[str, None] = {}
    for instruction in document.instructions:
        if instruction.keyword == "ARG":
            for arg in _args(document, instruction):
                known = args.get(arg.name)
                if known is None or (known.default is None and arg.default is not None):
                    args[arg.name] = arg
        for mount in _mounts(instruction):
            kind = mount.option("type")
            if kind is not None and kind.value == "secret":
                secret = _secret(mount, instruction.first)
                before = secrets.get(secret.id)
                if before is None or (secret.required and not before.required):
                    secrets[secret.id] = secret
            elif kind is not None and kind.value == "ssh":
                given = mount.option("id")
                ssh[(given.value if given and given.value else "default")] = None
    return FileFacts(
        tuple(stage.name for stage in document.stages if stage.name),
        tuple(args.values()),
        tuple(secret for secret in secrets.values() if secret.id),
        tuple(ssh),
    )


def _args(document: Document, instruction: Instruction) -> Iterator[FileArg]:
    stage = document.stages[instruction.stage] if instruction.stage >= 0 else None
    name = (stage.name or f"stage {stage.index}") if stage is not None else ""
    for pair in instruction.pairs:
        if pair.name not in PLATFORM_ARGS:
            default = None if pair.value is None else pair.value.strip("\"'")
            yield FileArg(pair.name, default, instruction.first, name)


def _mounts(instruction: Instruction) -> Iterator[Flag]:
    yield from (flag for flag in instruction.flags if flag.name == "mount")


def _secret(mount: Flag, line: int) -> FileSecret:
    id, target = mount.option("id"), mount.option("target", "dst", "destination")
    required = mount.option("required")
    name = id.value if id is not None and id.value else ""
    if not name and target is not None:
        name = (target.value or "").rpartition("/")[2]
    wanted = required is not None and (required.value or "true").lower() in {"true", "1"}
    return FileSecret(name, wanted, line)
