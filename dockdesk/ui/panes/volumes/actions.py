"""What can be done to volumes. Source: Engine API, docker CLI and docker SDK references."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from dockdesk.core.actions import Action, Call, Danger, Equivalent, Values, bound_to
from dockdesk.core.forms import Choice, Field, FieldKind, Form
from dockdesk.core.masking import masked_value, split_pairs
from dockdesk.core.ports import VolumeSpec
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.engine import Volume
from dockdesk.runspec import checks
from dockdesk.runspec.checks import each_line, lines_of, optional

Rows = Sequence[Volume]


def _create_form(_rows: Rows) -> Form:
    pairs = each_line(checks.pair_problem)
    return Form(
        "Create a volume",
        [
            Field(
                "name",
                "Name",
                placeholder="chosen by the engine",
                check=optional(checks.name_problem),
            ),
            Field("driver", "Driver", default="local", required=True),
            Field(
                "options",
                "Driver options",
                FieldKind.MULTILINE,
                placeholder="type=nfs",
                check=pairs,
                help="name=value, one a line.",
            ),
            Field(
                "labels",
                "Labels",
                FieldKind.MULTILINE,
                placeholder="team=web",
                check=pairs,
                help="name=value, one a line.",
            ),
        ],
        submit="Create",
    )


def _create(_rows: Rows, values: Values) -> list[Call]:
    spec = VolumeSpec(
        name=str(values.get("name") or "").strip(),
        driver=str(values.get("driver") or "local").strip(),
        options=dict(split_pairs(lines_of(values.get("options")))),
        labels=dict(split_pairs(lines_of(values.get("labels")))),
    )
    words = ["docker", "volume", "create", "--driver", spec.driver]
    # What is shown and kept in the command log; the options of a mount may hold its password.
    options = {key: masked_value(key, value) for key, value in spec.options.items()}
    labels = {key: masked_value(key, value) for key, value in spec.labels.items()}
    for flag, pairs in (("--opt", options), ("--label", labels)):
        for key, value in pairs.items():
            words += [flag, f"{key}={value}"]
    if spec.name:
        words.append(spec.name)
    return [
        Call(
            ResourceRef("volume", spec.name, spec.name or "a new volume"),
            lambda engine, _work: engine.create_volume(spec),
            Equivalent(
                shlex.join(words),
                f"client.volumes.create(name={spec.name or None!r}, driver={spec.driver!r}, "
                f"driver_opts={options!r}, labels={labels!r})",
                "POST /volumes/create",
            ),
        )
    ]


def _remove(rows: Rows, _values: Values) -> list[Call]:
    return [
        Call(
            ResourceRef("volume", volume.name, volume.name),
            bound_to(volume.name, lambda engine, name: engine.remove_volume(name)),
            Equivalent(
                f"docker volume rm {shlex.quote(volume.name)}",
                f"client.volumes.get({volume.name!r}).remove()",
                f"DELETE /volumes/{volume.name}",
            ),
        )
        for volume in rows
    ]


def _prune_form(_rows: Rows) -> Form:
    return Form(
        "Prune volumes",
        [
            Field(
                "scope",
                "Remove",
                FieldKind.CHOICE,
                default="anonymous",
                choices=(
                    Choice("anonymous", "Anonymous volumes that no container uses"),
                    Choice("all", "All volumes that no container uses, named ones too"),
                ),
            )
        ],
        submit="Prune",
    )


def _prune(_rows: Rows, values: Values) -> list[Call]:
    everything = values.get("scope") == "all"
    return [
        Call(
            ResourceRef("volume", "*", "unused volumes"),
            lambda engine, _work: engine.prune_volumes(everything),
            Equivalent(
                f"docker volume prune{' --all' if everything else ''} --force",
                f"client.volumes.prune({{'all': {everything}}})",
                "POST /volumes/prune" + ('?filters={"all":["true"]}' if everything else ""),
            ),
        )
    ]


def _used(volume: Volume) -> str | None:
    if not volume.used_by:
        return None
    return f"{volume.name} is in use by {volume.used_by[0]}; remove the container first."


ACTIONS: tuple[Action[Volume], ...] = (
    Action(
        "volume.create",
        "Create…",
        "plus",
        _create,
        Danger.CHANGES,
        on_rows=False,
        primary=True,
        form=_create_form,
        shortcut="Ctrl+Shift+N",
    ),
    Action("volume.copy_name", "Copy name", "copy", group="open"),
    Action(
        "volume.remove",
        "Remove…",
        "trash",
        _remove,
        Danger.DESTROYS,
        shortcut="Delete",
        refuse=_used,
        consequence=lambda rows: (
            "All data in it is lost." if len(rows) == 1 else "All data in them is lost."
        ),
        group="remove",
        primary=True,
    ),
    Action(
        "volume.prune",
        "Prune…",
        "trash",
        _prune,
        Danger.DESTROYS,
        on_rows=False,
        primary=True,
        form=_prune_form,
        consequence=lambda _rows: "All data in the removed volumes is lost.",
        group="remove",
    ),
)
