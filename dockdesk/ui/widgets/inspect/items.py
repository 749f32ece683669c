"""JSON values as the items of a tree, with secrets masked: no Qt here, this runs on worker threads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from dockdesk.core.masking import MASK, holds_secret, masked_urls, masked_value

ItemKind = Literal["object", "array", "text", "number", "literal"]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Item:
    """One value. ``path`` is as jq writes it (``.State.Pid``, ``.Mounts[0]``); ``text`` is the scalar's whole text.

    ``masked`` is what is shown of a secret instead, empty where there is none.
    """

    key: str
    path: str
    kind: ItemKind
    text: str
    value: Any
    masked: str = ""
    children: tuple[Item, ...] = ()

    def shown(self, reveal: bool) -> str:
        """What the value's column says."""
        if self.masked and not reveal:
            return self.masked
        if self.kind == "object":
            return f"{{{len(self.value)}}}" if self.value else "{}"
        if self.kind == "array":
            return f"[{len(self.value)}]" if self.value else "[]"
        return self.text

    def walk(self) -> Iterator[Item]:
        """This item and all inside."""
        yield self
        for child in self.children:
            yield from child.walk()


def make_items(value: Any, path: str = "", key: str = "") -> Item:
    """The tree of a JSON value; its root has an empty key and the path "."."""
    here = path or "."
    if isinstance(value, Mapping):
        children = tuple(
            make_items(inner, _key_path(path, str(name)), str(name))
            for name, inner in value.items()
        )
        return Item(key, here, "object", "", value, children=children)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        pairs = key in {"Env", "env", "environment"}
        children = tuple(
            _pair_item(inner, f"{here if path else '.'}[{number}]", str(number))
            if pairs and isinstance(inner, str)
            else make_items(inner, f"{here if path else '.'}[{number}]", str(number))
            for number, inner in enumerate(value)
        )
        return Item(key, here, "array", "", value, children=children)
    return _scalar(value, here, key)


def _scalar(value: Any, path: str, key: str) -> Item:
    if isinstance(value, str):
        masked = masked_value(key, value) if holds_secret(key, value) else ""
        return Item(key, path, "text", value, value, masked)
    if isinstance(value, bool) or value is None:
        return Item(key, path, "literal", json.dumps(value), value)
    if isinstance(value, (int, float)):
        return Item(key, path, "number", json.dumps(value), value)
    return Item(key, path, "text", str(value), str(value))


def _pair_item(text: str, path: str, key: str) -> Item:
    """An entry of a list of NAME=value, as engines list environments."""
    name, equals, value = text.partition("=")
    masked = f"{name}={masked_value(name, value)}" if equals and holds_secret(name, value) else ""
    return Item(key, path, "text", text, text, masked or _masked_url(text))


def _masked_url(text: str) -> str:
    masked = masked_urls(text)
    return masked if masked != text else ""


def _key_path(path: str, key: str) -> str:
    if _PLAIN_KEY.match(key):
        return f"{path}.{key}"
    return f"{path or '.'}[{json.dumps(key, ensure_ascii=False)}]"


def prune(item: Item, needle: str, reveal: bool) -> Item | None:
    """What of a tree is or leads to a match of ``needle`` (ignoring case) in keys and in values as they are shown.

    What is inside of a matching key is kept whole. None where nothing matches.
    """
    found = needle.casefold()

    def kept(here: Item) -> Item | None:
        if found in here.key.casefold():
            return here
        if not here.children:
            shown = here.shown(reveal) if here.kind not in {"object", "array"} else ""
            return here if found in shown.casefold() else None
        children = tuple(child for inner in here.children if (child := kept(inner)) is not None)
        return replace(here, children=children) if children else None

    return kept(item) if found else item


def count_matches(item: Item, needle: str, reveal: bool) -> int:
    """How many keys and values match."""
    found = needle.casefold()
    return sum(
        (found in inner.key.casefold())
        + (inner.kind not in {"object", "array"} and found in inner.shown(reveal).casefold())
        for inner in item.walk()
    )


def json_text(item: Item, reveal: bool) -> str:
    """The value as indented JSON, secrets masked unless ``reveal``."""
    return json.dumps(_shown_value(item, reveal), indent=2, ensure_ascii=False, default=str)


def _shown_value(item: Item, reveal: bool) -> Any:
    if item.kind == "object":
        return {child.key: _shown_value(child, reveal) for child in item.children}
    if item.kind == "array":
        return [_shown_value(child, reveal) for child in item.children]
    return item.masked if item.masked and not reveal else item.value


__all__ = ["MASK", "Item", "count_matches", "json_text", "make_items", "prune"]
