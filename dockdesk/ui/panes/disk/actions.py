"""Freeing disk space. Source: Engine API, docker CLI and docker SDK references."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any

from dockdesk.core.actions import Action, Call, Danger, Equivalent, Values
from dockdesk.core.forms import Choice, Field, FieldKind, Form
from dockdesk.core.refs import ResourceRef
from dockdesk.core.work import Work
from dockdesk.ui.panes.disk.columns import DiskRow

Rows = Sequence[DiskRow]

_SCOPES = {
    "containers": (
        "docker container prune --force",
        "client.containers.prune()",
        "POST /containers/prune",
    ),
    "networks": ("docker network prune --force", "client.networks.prune()", "POST /networks/prune"),
    "dangling": (
        "docker image prune --force",
        "client.images.prune(filters={'dangling': True})",
        'POST /images/prune?filters={"dangling":["true"]}',
    ),
    "images": (
        "docker image prune --all --force",
        "client.images.prune(filters={'dangling': False})",
        'POST /images/prune?filters={"dangling":["false"]}',
    ),
    "volumes": (
        "docker volume prune --all --force",
        "client.volumes.prune({'all': True})",
        'POST /volumes/prune?filters={"all":["true"]}',
    ),
    "cache": (
        "docker builder prune --all --force",
        "client.api.prune_builds()",
        "POST /build/prune?all=true",
    ),
}
_RUN: dict[str, Callable[[Any], Any]] = {
    "containers": lambda engine: engine.prune_containers(),
    "networks": lambda engine: engine.prune_networks(),
    "dangling": lambda engine: engine.prune_images(False),
    "images": lambda engine: engine.prune_images(True),
    "volumes": lambda engine: engine.prune_volumes(True),
    "cache": lambda engine: engine.prune_build_cache(True),
}


def _call(scope: str) -> Call:
    def run(engine: Any, _work: Work) -> Any:
        return _RUN[scope](engine)

    # One target for all: what holds an image must be gone before the image is.
    return Call(ResourceRef("disk", "*", scope), run, Equivalent(*_SCOPES[scope]))


def _free_form(_rows: Rows) -> Form:
    return Form(
        "Free disk space",
        [
            Field("containers", "Stopped containers", FieldKind.CHECK, default=True),
            Field("networks", "Networks that nothing uses", FieldKind.CHECK, default=True),
            Field(
                "images",
                "Images",
                FieldKind.CHOICE,
                default="dangling",
                choices=(
                    Choice("", "Keep all"),
                    Choice("dangling", "Those without a tag"),
                    Choice("images", "All that no container uses"),
                ),
            ),
            Field(
                "cache",
                "Build cache",
                FieldKind.CHECK,
                default=True,
                help="The next builds take longer.",
            ),
            Field(
                "volumes",
                "Volumes that nothing uses",
                FieldKind.CHECK,
                default=False,
                help="The data in them is lost, that of named volumes too.",
            ),
        ],
        submit="Free",
        check=_something_chosen,
    )


def _something_chosen(values: Values) -> dict[str, str]:
    return {} if any(values.values()) else {"containers": "Choose at least one kind."}


def _free(_rows: Rows, values: Values) -> list[Call]:
    scopes = [scope for scope in ("containers", "networks") if values.get(scope)]
    if values.get("images"):
        scopes.append(str(values["images"]))
    scopes += [scope for scope in ("volumes", "cache") if values.get(scope)]
    return [_call(scope) for scope in scopes]


def _remove(rows: Rows, _values: Values) -> list[Call]:
    return [_removal(row) for row in rows if row.item.kind in _REMOVALS]


def _removal(row: DiskRow) -> Call:
    verb, sdk, path, run = _REMOVALS[row.item.kind]
    id, name = row.item.id, row.item.name
    shown = name if row.item.kind != "images" or ":" in name else id
    return Call(
        ResourceRef(row.item.kind.rstrip("s"), id, name),
        lambda engine, _work: run(engine, id),
        Equivalent(
            f"docker {verb} {shlex.quote(shown)}",
            sdk.format(name=repr(shown)),
            f"DELETE /{path}/{id}",
        ),
    )


_REMOVALS: dict[str, tuple[str, str, str, Callable[[Any, str], Any]]] = {
    "images": (
        "rmi",
        "client.images.remove({name})",
        "images",
        lambda engine, id: engine.remove_image(id),
    ),
    "containers": (
        "rm",
        "client.containers.get({name}).remove()",
        "containers",
        lambda engine, id: engine.remove(id),
    ),
    "volumes": (
        "volume rm",
        "client.volumes.get({name}).remove()",
        "volumes",
        lambda engine, id: engine.remove_volume(id),
    ),
}


def _refuse(row: DiskRow) -> str | None:
    if row.item.kind not in _REMOVALS:
        return "Build cache is freed as a whole: use Free space…"
    if not row.item.reclaimable:
        return f"{row.item.name} is in use."
    return None


def _no_page(row: DiskRow) -> str | None:
    return None if row.item.kind in _REMOVALS else "Build cache has no page of its own."


ACTIONS: tuple[Action[DiskRow], ...] = (
    Action(
        "disk.free",
        "Free space…",
        "eraser",
        _free,
        Danger.DESTROYS,
        on_rows=False,
        primary=True,
        form=_free_form,
        consequence=lambda _rows: (
            "What is chosen is removed for good. Running containers and what they use are kept."
        ),
    ),
    Action("disk.open", "Show", "arrow-right", many=False, group="open", refuse=_no_page),
    Action(
        "disk.remove",
        "Remove…",
        "trash",
        _remove,
        Danger.DESTROYS,
        shortcut="Delete",
        refuse=_refuse,
        consequence=lambda rows: (
            "It is removed for good." if len(rows) == 1 else "They are removed for good."
        ),
        group="remove",
    ),
)
