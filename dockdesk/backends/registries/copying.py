"""Images from one registry, or repository, to another without an engine: blobs first, manifests after, the tag last.

What has arrived is found there and not sent again, so a copy that failed goes on where it was when asked again.
Source: OCI distribution specification 1.1, "Pushing Manifests", "Mounting a blob from another repository".
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from functools import partial

from dockdesk.backends.registries.blobs import BlobSource, BlobTarget
from dockdesk.backends.registries.convert import (
    attested,
    digest_of,
    is_digest,
    manifest_from,
    parsed,
)
from dockdesk.backends.registries.distribution import DistributionRegistry
from dockdesk.backends.registries.together import side_by_side
from dockdesk.core.errors import InvalidInputError, NotFoundError, RemoteError
from dockdesk.core.records import dataclass
from dockdesk.core.resources.registries import (
    INDEX,
    Copied,
    Descriptor,
    ImagePlace,
    Manifest,
    Registry,
)
from dockdesk.core.work import Work

SIDE_BY_SIDE = 3
_MANIFESTS = 1000
_DEPTH = 3
_BLOBS_SHARE = 0.98  # of the progress; manifests are small
_MOUNTED, _PRESENT, _SENT = "Mounted", "Already there", "Copied"


class ImageCopier:
    """`CopiesImages` of core/registry_ports.py. ``connect`` gives the connection to a registry."""

    def __init__(self, connect: Callable[[Registry], DistributionRegistry]) -> None:
        self._connect = connect

    def copy(
        self,
        source: ImagePlace,
        target: ImagePlace,
        work: Work,
        platforms: Sequence[str] = (),
        attachments: bool = False,
    ) -> Copied:
        run = _Copy(
            self._connect(source.registry), self._connect(target.registry), source, target, work
        )
        return run.run(platforms, attachments)


@dataclass(frozen=True, slots=True)
class _Done:
    how: str
    sent: int = 0


class _Copy:
    """One copy."""

    def __init__(
        self,
        source: DistributionRegistry,
        target: DistributionRegistry,
        place: ImagePlace,
        goal: ImagePlace,
        work: Work,
    ) -> None:
        self._source = source
        self._target = target
        self._place = place
        self._goal = goal
        self._work = work
        self._title = f"{place} could not be copied"

    def run(self, platforms: Sequence[str], attachments: bool) -> Copied:
        goal, work = self._goal, self._work
        work.progress(None, "Reading manifests")
        top = self._source.manifest(self._place.repository, self._place.reference, work)
        if platforms and top.kind == INDEX:
            top = self._only(top, platforms)
        if is_digest(goal.reference) and goal.reference != top.digest:
            raise InvalidInputError(
                self._title, "A digest follows from the content.", "Give a tag for the copy."
            )
        below = self._collect(top)
        about = self._referrers([*below, top]) if attachments else []
        before = self._target.reader.lookup(goal.repository, goal.reference, work)
        blobs, skipped = _blobs([*below, *about, top])
        done = self._move(blobs)
        for manifest in below:
            self._put(manifest)
        work.progress(_BLOBS_SHARE, "Storing manifests")
        self._target.put_manifest(goal.repository, top, goal.reference, work, self._title)
        for manifest in about:
            self._put(manifest)
        self._read_back(top.digest)
        work.progress(1.0, "Copied")
        how = [item.how for item in done]
        return Copied(
            top.digest,
            goal.reference,
            before.digest if before is not None else "",
            len(blobs),
            how.count(_MOUNTED),
            how.count(_PRESENT),
            sum(item.sent for item in done),
            skipped,
        )

    # --- what to copy ---

    def _only(self, top: Manifest, platforms: Sequence[str]) -> Manifest:
        """The image for one platform, or a new index of several with what attests them."""
        named = {str(entry.platform): entry for entry in top.manifests if entry.platform}
        missing = [name for name in platforms if name not in named]
        if missing:
            known = ", ".join(name for name in named if not name.startswith("unknown"))
            raise NotFoundError(
                self._title, f"It has no image for {', '.join(missing)}.", f"It has: {known}."
            )
        chosen = {named[name].digest for name in platforms}
        if len(chosen) == 1:
            return self._source.manifest(self._place.repository, chosen.pop(), self._work)
        entries = [
            item
            for item, entry in zip(_raw_entries(top), top.manifests, strict=True)
            if entry.digest in chosen or attested(entry) in chosen
        ]
        value = {**parsed(top.data), "manifests": entries}
        data = json.dumps(value, indent=2, ensure_ascii=False).encode()
        return manifest_from(digest_of(data), top.media_type, data)

    def _collect(self, top: Manifest, depth: int = 0) -> list[Manifest]:
        """The manifests below one, each after those below it."""
        if top.kind != INDEX:
            return []
        if depth >= _DEPTH or len(top.manifests) > _MANIFESTS:
            raise InvalidInputError(self._title, "Its index is too large or too deep.")
        tasks = [
            partial(self._source.manifest, self._place.repository, entry.digest)
            for entry in top.manifests
        ]
        found: dict[str, Manifest] = {}
        for manifest in side_by_side(self._work, tasks, SIDE_BY_SIDE):
            for item in [*self._collect(manifest, depth + 1), manifest]:
                found.setdefault(item.digest, item)
        return list(found.values())

    def _referrers(self, manifests: Sequence[Manifest]) -> list[Manifest]:
        found: dict[str, Manifest] = {}
        repository = self._place.repository
        for manifest in manifests:
            for entry in self._source.reader.referrers(repository, manifest.digest, self._work):
                found[entry.digest] = self._source.manifest(repository, entry.digest, self._work)
        return list(found.values())

    # --- blobs ---

    def _move(self, blobs: Sequence[Descriptor]) -> list[_Done]:
        progress = _Progress(blobs)
        for blob in blobs:
            self._work.part(_short(blob), 0.0, "Waiting")
        target = self._target.blob_target(self._goal.repository, self._title)
        tasks = [partial(self._move_one, blob, target, progress) for blob in blobs]
        return side_by_side(self._work, tasks, SIDE_BY_SIDE, "registry copy")

    def _move_one(
        self, blob: Descriptor, target: BlobTarget, progress: _Progress, work: Work
    ) -> _Done:
        def moved(size: int) -> None:
            work.part(_short(blob), min(size / max(blob.size, 1), 1.0), "Copying")
            work.progress(progress.at(blob.digest, size))

        done = self._moved_somehow(blob, target, work, moved)
        work.part(_short(blob), 1.0, done.how)
        work.progress(progress.at(blob.digest, max(blob.size, 0)))
        return done

    def _moved_somehow(
        self, blob: Descriptor, target: BlobTarget, work: Work, moved: Callable[[int], None]
    ) -> _Done:
        if target.has(blob.digest, work):
            return _Done(_PRESENT)
        begun = None
        if self._same_registry():
            begun = target.begin(work, blob.digest, self._place.repository)
            if not begun.location:
                return _Done(_MOUNTED)
        source = BlobSource(self._source.client, self._place.repository, blob, self._title)
        return _Done(_SENT, target.upload(source, work, moved, begun))

    def _same_registry(self) -> bool:
        one, other = self._place.registry, self._goal.registry
        return (one.host, one.endpoint) == (other.host, other.endpoint)

    # --- manifests ---

    def _put(self, manifest: Manifest) -> None:
        repository, work = self._goal.repository, self._work
        if self._target.reader.lookup(repository, manifest.digest, work) is None:
            self._target.put_manifest(repository, manifest, manifest.digest, work, self._title)

    def _read_back(self, digest: str) -> None:
        goal = self._goal
        found = self._target.reader.lookup(goal.repository, goal.reference, self._work)
        if found is None or found.digest != digest:
            raise RemoteError(
                self._title,
                f"{goal} does not name the copy, though the registry took it.",
                "Somebody may have set the tag at the same time. Look at what it names now.",
            )


class _Progress:
    """How far all blobs together are. Thread-safe."""

    def __init__(self, blobs: Sequence[Descriptor]) -> None:
        self._lock = threading.Lock()
        self._total = max(sum(max(blob.size, 0) for blob in blobs), 1)
        self._moved: dict[str, int] = {}

    def at(self, digest: str, size: int) -> float:
        with self._lock:
            self._moved[digest] = size
            return _BLOBS_SHARE * min(sum(self._moved.values()) / self._total, 1.0)


def _blobs(manifests: Sequence[Manifest]) -> tuple[list[Descriptor], tuple[str, ...]]:
    """Each blob once, the largest first; and the layers that may not be distributed."""
    found: dict[str, Descriptor] = {}
    skipped: dict[str, None] = {}
    for manifest in manifests:
        named = [manifest.config] if manifest.config is not None else []
        for blob in [*named, *manifest.layers]:
            if blob.urls and ("foreign" in blob.media_type or "nondistrib" in blob.media_type):
                skipped[blob.digest] = None
            else:
                found.setdefault(blob.digest, blob)
    return sorted(found.values(), key=lambda blob: -blob.size), tuple(skipped)


def _raw_entries(top: Manifest) -> list[object]:
    """The entries of an index as they stand there, those with a proper digest."""
    listed = parsed(top.data).get("manifests")
    entries = listed if isinstance(listed, list) else []
    return [
        item
        for item in entries
        if isinstance(item, dict) and is_digest(str(item.get("digest") or ""))
    ]


def _short(blob: Descriptor) -> str:
    return blob.digest.partition(":")[2][:12]
