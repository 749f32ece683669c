"""How each change to images is planned: its form, its calls and their equivalents.

Source: Engine API, docker CLI and docker SDK references.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dockdesk.core.actions import Call, Equivalent, Values, bound_to
from dockdesk.core.forms import Choice, Field, FieldKind, Form
from dockdesk.core.references import reference_parts
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.images import Image
from dockdesk.runspec import checks
from dockdesk.runspec.checks import optional

Rows = Sequence[Image]

_REFERENCE = optional(checks.image_problem)


def ref_of(image: Image) -> ResourceRef:
    return ResourceRef("image", image.id, image.name)


def no_digest(image: Image) -> str | None:
    return (
        None
        if image.digests
        else "The image was never pushed or pulled, so no registry gave it a digest."
    )


def _known_tags(engine: Any) -> list[Choice]:
    """All tags of the engine's images: to pull them anew, or to name another much like one."""
    tags = sorted({tag for image in engine.images() for tag in image.tags})
    return [Choice(tag, tag) for tag in tags]


def pull_form(_rows: Rows) -> Form:
    return Form(
        "Pull an image",
        [
            Field(
                "reference",
                "Image",
                FieldKind.EDITABLE_CHOICE,
                required=True,
                placeholder="nginx:1.27",
                choices_from=_known_tags,
                check=_REFERENCE,
                help="A name without a registry comes from Docker Hub; without a tag, latest is taken.",
            ),
            Field(
                "platform",
                "Platform",
                FieldKind.EDITABLE_CHOICE,
                placeholder="the engine's own",
                choices=(
                    Choice("", "the engine's own"),
                    Choice("linux/amd64", "linux/amd64"),
                    Choice("linux/arm64", "linux/arm64"),
                ),
                check=optional(checks.platform_problem),
            ),
        ],
        submit="Pull",
    )


def pull(_rows: Rows, values: Values) -> list[Call]:
    reference = str(values.get("reference") or "").strip()
    platform = str(values.get("platform") or "").strip()
    repository, tag = reference_parts(reference)
    flag = f" --platform {shlex.quote(platform)}" if platform else ""
    return [
        Call(
            ResourceRef("image", reference, reference),
            lambda engine, work: engine.pull(reference, work, platform),
            Equivalent(
                f"docker pull{flag} {shlex.quote(reference)}",
                f"client.images.pull({repository!r}, tag={tag!r}{f', platform={platform!r}' if platform else ''})",
                f"POST /images/create?fromImage={repository}&tag={tag}{f'&platform={platform}' if platform else ''}",
            ),
        )
    ]


def push_form(rows: Rows) -> Form:
    tags = rows[0].tags if rows else ()
    return Form(
        "Push an image",
        [
            Field(
                "reference",
                "Tag to push",
                FieldKind.CHOICE,
                default=tags[0] if tags else "",
                required=True,
                choices=tuple(Choice(tag, tag) for tag in tags),
                help="The registry is part of the tag; use Tag… to name another one.",
            )
        ],
        submit="Push",
        intro="The login of the docker CLI or of Podman is used.",
    )


def push(rows: Rows, values: Values) -> list[Call]:
    reference = str(values.get("reference") or (rows[0].name if rows else ""))
    repository, tag = reference_parts(reference)
    return [
        Call(
            ref_of(image),
            lambda engine, work: engine.push(reference, work),
            Equivalent(
                f"docker push {shlex.quote(reference)}",
                f"client.images.push({repository!r}, tag={tag!r})",
                f"POST /images/{repository}/push?tag={tag}",
            ),
        )
        for image in rows
    ]


def tag_form(rows: Rows) -> Form:
    return Form(
        "Tag an image",
        [
            Field(
                "reference",
                "New tag",
                FieldKind.EDITABLE_CHOICE,
                required=True,
                default=rows[0].name if rows and rows[0].tags else "",
                placeholder="registry.example.com/team/app:1.0",
                choices_from=_known_tags,
                check=_REFERENCE,
            )
        ],
        submit="Tag",
    )


def tag(rows: Rows, values: Values) -> list[Call]:
    reference = str(values.get("reference") or "").strip()
    repository, name = reference_parts(reference)
    return [
        Call(
            ref_of(image),
            bound_to(image.id, lambda engine, id: engine.tag(id, reference)),
            Equivalent(
                f"docker tag {shlex.quote(image.name)} {shlex.quote(reference)}",
                f"client.images.get({image.name!r}).tag({repository!r}, {name!r})",
                f"POST /images/{image.name}/tag?repo={repository}&tag={name}",
            ),
        )
        for image in rows
    ]


def save_form(rows: Rows) -> Form:
    name = rows[0].name.replace("/", "_").replace(":", "_") if len(rows) == 1 else "images"
    return Form(
        "Save to a file",
        [Field("path", "Tar file", FieldKind.SAVE_FILE, default=f"{name}.tar", required=True)],
        submit="Save",
    )


def save(rows: Rows, values: Values) -> list[Call]:
    path = Path(str(values.get("path") or "images.tar")).expanduser()
    names = [image.name if image.tags else image.id for image in rows]
    if not names:
        return []
    target = (
        ref_of(rows[0])
        if len(rows) == 1
        else ResourceRef("image", ",".join(names), f"{len(names)} images")
    )
    return [
        Call(
            target,
            lambda engine, work: engine.save_images(names, path, work),
            Equivalent(
                f"docker save -o {shlex.quote(str(path))} {shlex.join(names)}",
                f"client.images.get({names[0]!r}).save()" if len(names) == 1 else "",
                "GET /images/get?" + "&".join(f"names={name}" for name in names),
            ),
        )
    ]


def load_form(_rows: Rows) -> Form:
    return Form(
        "Load images from a file",
        [
            Field(
                "path",
                "Tar file",
                FieldKind.OPEN_FILE,
                required=True,
                help="As docker save writes it; may be compressed.",
            )
        ],
        submit="Load",
    )


def load(_rows: Rows, values: Values) -> list[Call]:
    path = Path(str(values.get("path") or "")).expanduser()
    return [
        Call(
            ResourceRef("image", str(path), path.name),
            lambda engine, work: engine.load_images(path, work),
            Equivalent(
                f"docker load -i {shlex.quote(str(path))}",
                f"client.images.load(open({str(path)!r}, 'rb'))",
                "POST /images/load",
            ),
        )
    ]


def import_form(_rows: Rows) -> Form:
    return Form(
        "Import a file system",
        [
            Field(
                "path",
                "Tar file",
                FieldKind.OPEN_FILE,
                required=True,
                help="As docker export writes it.",
            ),
            Field(
                "reference",
                "Image",
                FieldKind.EDITABLE_CHOICE,
                required=True,
                placeholder="imported:latest",
                choices_from=_known_tags,
                check=_REFERENCE,
            ),
        ],
        submit="Import",
    )


def import_(_rows: Rows, values: Values) -> list[Call]:
    path = Path(str(values.get("path") or "")).expanduser()
    reference = str(values.get("reference") or "").strip()
    repository, name = reference_parts(reference)
    return [
        Call(
            ResourceRef("image", reference, reference),
            lambda engine, work: engine.import_image(path, repository, name, work),
            Equivalent(
                f"docker import {shlex.quote(str(path))} {shlex.quote(reference)}",
                f"client.api.import_image({str(path)!r}, repository={repository!r}, tag={name!r})",
                f"POST /images/create?fromSrc=-&repo={repository}&tag={name}",
            ),
        )
    ]


def given(_rows: Rows, values: Values) -> list[Call]:
    """Calls that were planned where files were chosen."""
    return list(values["calls"])


def save_file(image: Image, place: str, path: str, target: Path) -> Call:
    """A file of a layer, which is ``place`` in the archive that `docker save` writes."""
    inner = path.lstrip("/")
    return Call(
        ref_of(image),
        lambda engine, work: engine.save_image_file(image.id, place, path, target, work),
        Equivalent(
            f"docker save {shlex.quote(image.name)} | tar -xO {shlex.quote(place)}"
            f" | tar -xO {shlex.quote(inner)} > {shlex.quote(str(target))}",
            f"client.images.get({image.name!r}).save()",
            f"GET /images/{image.name}/get",
        ),
    )


def remove_form(rows: Rows) -> Form:
    several = len(rows) > 1
    title = f"Remove {len(rows)} images" if several else f"Remove {rows[0].name}"
    return Form(
        title,
        [
            Field(
                "force",
                f"Remove {'them' if several else 'it'} all the same",
                FieldKind.CHECK,
                default=False,
                help="Even those that have several tags, or that a stopped container uses."
                if several
                else "Even if it has several tags, or a stopped container uses it.",
            )
        ],
        submit="Remove",
    )


def remove(rows: Rows, values: Values) -> list[Call]:
    force = bool(values.get("force"))
    flag = " --force" if force else ""
    return [
        Call(
            ref_of(image),
            bound_to(name, lambda engine, name: engine.remove_image(name, force)),
            Equivalent(
                f"docker rmi{flag} {shlex.quote(name)}",
                f"client.images.remove({name!r}, force={force})",
                f"DELETE /images/{name}{'?force=true' if force else ''}",
            ),
        )
        for image in rows
        for name in _removed_names(image, force)
    ]


def _removed_names(image: Image, force: bool) -> Sequence[str]:
    """All its tags one by one, so that an image with several goes entirely without force."""
    return image.tags if image.tags and not force else (image.id,)


def removal(rows: Rows) -> str:
    used = [image for image in rows if image.used_by]
    text = "It can be pulled or built again, if its source still exists."
    if len(rows) > 1:
        text = "They can be pulled or built again, if their sources still exist."
    if used:
        names = ", ".join(dict.fromkeys(name for image in used for name in image.used_by[:3]))
        text = f"In use by {names}: the engine may refuse. {text}"
    return text


def prune_form(_rows: Rows) -> Form:
    return Form(
        "Prune images",
        [
            Field(
                "scope",
                "Remove",
                FieldKind.CHOICE,
                default="dangling",
                choices=(
                    Choice("dangling", "Images without a tag"),
                    Choice("unused", "All images that no container uses"),
                ),
            )
        ],
        submit="Prune",
    )


def prune(_rows: Rows, values: Values) -> list[Call]:
    everything = values.get("scope") == "unused"
    filters = '{"dangling":["false"]}' if everything else '{"dangling":["true"]}'
    return [
        Call(
            ResourceRef("image", "*", "unused images"),
            lambda engine, _work: engine.prune_images(everything),
            Equivalent(
                f"docker image prune{' --all' if everything else ''} --force",
                f"client.images.prune(filters={{'dangling': {not everything}}})",
                f"POST /images/prune?filters={filters}",
            ),
        )
    ]
