"""The proposals completion is made of, one kind at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from dockdesk.core.records import dataclass
from dockdesk.dockerfile import commonplace, reference
from dockdesk.dockerfile.expand import global_scope
from dockdesk.dockerfile.pins import known_images, known_tags
from dockdesk.dockerfile.spot import Spot
from dockdesk.dockerfile.tree import Document
from dockdesk.dockerfile.vocabulary import PLATFORM_ARGS

ItemKind = Literal[
    "instruction",
    "flag",
    "option",
    "value",
    "keyword",
    "stage",
    "variable",
    "file",
    "folder",
    "image",
    "tag",
    "snippet",
    "directive",
]
_USERS_MADE = re.compile(r"\b(?:useradd|adduser)\b([^&|;]*)")
_STOPS = re.compile("«([^»]*)»")


class Sources(Protocol):
    """What is known outside of the text, without waiting: what is not there yet comes at the next key."""

    def files(self, prefix: str) -> Sequence[str]:
        """Paths of the build context that begin with ``prefix``, one level on; folders end in ``/``."""

    def images(self, prefix: str) -> Sequence[str]:
        """Names of images, with or without tags, that begin with ``prefix``."""

    def tags(self, image: str) -> Sequence[str]:
        """Tags of an image, the likeliest first."""


class NoSources:
    """For a text that has no context: nothing is known."""

    def files(self, _prefix: str) -> Sequence[str]:
        return ()

    def images(self, _prefix: str) -> Sequence[str]:
        return ()

    def tags(self, _image: str) -> Sequence[str]:
        return ()


@dataclass(frozen=True, slots=True)
class Item:
    """One proposal: ``insert`` replaces the range; ``stops`` are (start, end) in it to be visited, in order.

    ``detail`` goes beside the label, ``docs`` into a popup; both are plain text.
    """

    label: str
    insert: str
    kind: ItemKind
    detail: str = ""
    docs: str = ""
    stops: tuple[tuple[int, int], ...] = ()


class Choice(NamedTuple):
    """Items, and how many characters before the cursor they replace."""

    items: list[Item]
    typed: str


def from_snippet(snippet: commonplace.Snippet, escape: str) -> Item:
    """A snippet with its places found; continuations take the file's escape character."""
    body = snippet.body
    if escape != "\\":
        body = re.sub(r"\\\n", lambda _found: f"{escape}\n", body)
    stops = []
    text = ""
    at = 0
    for found in _STOPS.finditer(body):
        text += body[at : found.start()]
        stops.append((len(text), len(text) + len(found[1])))
        text += found[1]
        at = found.end()
    text += body[at:]
    return Item(snippet.label, text, "snippet", snippet.detail, text, tuple(stops))


def mount_ids(document: Document, kind: str) -> list[str]:
    """Ids that other mounts of the type have in this file."""
    found: dict[str, None] = {}
    for instruction in document.instructions:
        for flag in instruction.flags:
            option, named = flag.option("type"), flag.option("id")
            if option and option.value == kind and named and named.value:
                found[named.value] = None
    return list(found)


def tags_of(token: str, sources: Sources) -> Choice | None:
    """Tags, once an image and its colon are typed."""
    image, colon, tag = token.rpartition(":")
    if not colon or "/" in tag or "$" in image or not image:
        return None
    known = dict.fromkeys([*sources.tags(image), *known_tags(image)])
    return Choice([Item(each, each, "tag", image) for each in known], tag)


def images_like(prefix: str, sources: Sources) -> list[Item]:
    """Those at hand first, then what Docker Hub is known to have."""
    here = sources.images(prefix)
    seen = set(here)
    more = [name for name in known_images(prefix) if name not in seen]
    return [
        *(Item(each, each, "image") for each in here),
        *(Item(each, each, "image", "Docker Hub") for each in more),
    ]


def stages_above(document: Document, spot: Spot, *, numbers: bool) -> list[Item]:
    """Stages above this one, by name; those without a name by number where that is allowed."""
    items = []
    for stage in reversed(
        document.stages[: spot.stage] if spot.stage is not None else document.stages
    ):
        name = stage.name or (str(stage.index) if numbers else "")
        if name:
            items.append(Item(name, name, "stage", f"line {stage.line + 1}, on {stage.base}"))
    return items


def files_like(prefix: str, sources: Sources) -> list[Item]:
    return [
        Item(each, each, "folder" if each.endswith("/") else "file")
        for each in sources.files(prefix)
    ]


def users_known(document: Document, spot: Spot) -> list[Item]:
    """Users this file makes above, then common ones."""
    made: dict[str, None] = {}
    for instruction in document.instructions:
        if instruction.keyword == "RUN" and instruction.first < spot.line:
            for found in _USERS_MADE.finditer(instruction.text):
                words = [word for word in found[1].split() if re.fullmatch(r"[a-z_][\w-]*", word)]
                if words:
                    made[words[-1]] = None
    items = [Item(each, each, "value", "made above") for each in made]
    return items + described(commonplace.USERS)


def arg_names(document: Document) -> list[Item]:
    """Global ARGs to be repeated, and what BuildKit sets."""
    items = []
    for name, variable in global_scope(document).known.items():
        if name not in PLATFORM_ARGS:
            items.append(Item(name, name, "variable", variable.value or "", variable.why))
    for name, what in reference.AUTOMATIC.items():
        items.append(Item(name, name, "variable", what))
    return items


def plain(values: Iterable[str]) -> list[Item]:
    return [Item(each, each, "value") for each in values]


def described(values: Mapping[str, str]) -> list[Item]:
    return [Item(each, each, "value", detail) for each, detail in values.items()]
