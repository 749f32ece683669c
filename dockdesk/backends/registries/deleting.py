"""What deleting a manifest would take with it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dockdesk.backends.registries.convert import attested
from dockdesk.core.records import dataclass
from dockdesk.core.resources.registries import Attachment, Deletion, Manifest


@dataclass(frozen=True, slots=True)
class TagTarget:
    """What a tag names; ``children`` are digests of its index's entries."""

    name: str
    digest: str
    children: tuple[str, ...] = ()


def planned(
    manifest: Manifest,
    targets: Sequence[TagTarget],
    total: int,
    attachments: Sequence[Attachment],
) -> Deletion:
    """``targets`` are the tags that were looked at, of ``total``."""
    others = [target for target in targets if target.digest != manifest.digest]
    kept = {target.digest for target in others}
    kept.update(child for target in others for child in target.children)
    return Deletion(
        manifest.digest,
        tuple(target.name for target in targets if target.digest == manifest.digest),
        tuple(
            entry
            for entry in manifest.manifests
            if entry.digest not in kept and not attested(entry)
        ),
        tuple(attachments),
        tuple(target.name for target in others if manifest.digest in target.children),
        len(targets),
        max(total, len(targets)),
    )
