"""Manifests with all that hangs on them: platforms, configurations, attestations, referrers. Cached by digest.

Sources: OCI image specification 1.1; OCI distribution specification 1.1, "Listing Referrers"; BuildKit,
docs/attestations/attestation-storage.md; sigstore/cosign, specs/SIGNATURE_SPEC.md (tags).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from dockdesk.backends.registries.blobs import BlobSource, read_blob
from dockdesk.backends.registries.cache import DigestCache
from dockdesk.backends.registries.client import DistributionClient
from dockdesk.backends.registries.convert import (
    OCI_INDEX,
    SCHEMA1S,
    attachment_kind,
    attachments_of,
    attested,
    config_from,
    descriptors,
    digest_of,
    fallback_tag,
    is_digest,
    manifest_from,
    parsed,
    schema1_config,
    usual,
    whole,
)
from dockdesk.backends.registries.failures import sentence
from dockdesk.backends.registries.http import Answer
from dockdesk.backends.registries.together import side_by_side
from dockdesk.core.errors import CancelledError, DockDeskError, RemoteError
from dockdesk.core.resources.registries import (
    ARTIFACT,
    IMAGE,
    INDEX,
    SCHEMA1,
    UNKNOWN,
    Attachment,
    Descriptor,
    ImageConfig,
    Manifest,
    Platform,
    PlatformImage,
    RegistryImage,
    Tag,
    TagImage,
)
from dockdesk.core.work import Work

CONFIG_LIMIT = 4 << 20
_CHILDREN = 100
_REFERRERS = 100
_SIDE_BY_SIDE = 6
_COSIGN = (".sig", ".att", ".sbom")


class ImageReader:
    """Reads images of one registry. Thread-safe; ``cache`` may be shared by all registries."""

    def __init__(self, client: DistributionClient, cache: DigestCache) -> None:
        self._client = client
        self._cache = cache

    # --- manifests ---

    def resolve(self, repository: str, reference: str, work: Work) -> Descriptor:
        title = _title(repository, reference)
        answer = self._client.head_manifest(repository, reference, work, title)
        assert answer is not None
        digest = self._digest_told(answer)
        if not digest:
            manifest = self._fetched(repository, reference, work, title)
            return Descriptor(manifest.media_type, manifest.digest, manifest.size)
        return _described(answer, digest)

    def lookup(self, repository: str, reference: str, work: Work) -> Descriptor | None:
        """As `resolve`; None where there is no such manifest."""
        title = _title(repository, reference)
        answer = self._client.head_manifest(repository, reference, work, title, absent=True)
        if answer is None:
            return None
        digest = self._digest_told(answer)
        return _described(answer, digest) if digest else self.resolve(repository, reference, work)

    @staticmethod
    def _digest_told(answer: Answer) -> str:
        digest = (answer.headers.get("Docker-Content-Digest") or "").strip()
        return digest if is_digest(digest) else ""

    def manifest(self, repository: str, reference: str, work: Work) -> Manifest:
        digest = reference
        if not is_digest(reference):
            digest = self.resolve(repository, reference, work).digest
        media_type, data = self._cache.fetched(
            digest, work, lambda: self._got(repository, digest, work)
        )
        return manifest_from(digest, media_type, data)

    def _got(self, repository: str, digest: str, work: Work) -> tuple[str, bytes]:
        title = _title(repository, digest)
        answer = self._client.get_manifest(repository, digest, work, title)
        media_type = answer.headers.get("Content-Type") or ""
        # Signed manifests of the first kind are named by what they are without their signatures.
        if media_type.partition(";")[0].strip() not in SCHEMA1S:
            self._check(answer.body, digest, title)
        return media_type.partition(";")[0].strip(), answer.body

    def _check(self, data: bytes, digest: str, title: str) -> None:
        if digest_of(data, digest) != digest:
            raise RemoteError(
                title,
                f"{self._client.host} sent something else than the manifest of that digest.",
                "Try again; if it stays so, don't use this image.",
            )

    def _fetched(self, repository: str, reference: str, work: Work, title: str) -> Manifest:
        """By tag, from a registry that tells no digests without content."""
        answer = self._client.get_manifest(repository, reference, work, title)
        digest = self._digest_told(answer) or digest_of(answer.body)
        media_type = (answer.headers.get("Content-Type") or "").partition(";")[0].strip()
        if media_type not in SCHEMA1S:
            self._check(answer.body, digest, title)
        self._cache.put(digest, media_type, answer.body)
        return manifest_from(digest, media_type, answer.body)

    def config(self, repository: str, manifest: Manifest, work: Work) -> ImageConfig | None:
        """The configuration of an image; None for what is none."""
        if manifest.kind == SCHEMA1:
            return schema1_config(manifest)
        if manifest.kind != IMAGE or manifest.config is None:
            return None
        wanted = manifest.config
        title = _title(repository, manifest.digest)
        source = BlobSource(self._client, repository, wanted, title)
        _, data = self._cache.fetched(
            wanted.digest,
            work,
            lambda: (wanted.media_type, read_blob(source, work, CONFIG_LIMIT)),
        )
        return config_from(wanted.digest, parsed(data), manifest.layers)

    # --- whole images ---

    def image(self, repository: str, reference: str, work: Work) -> RegistryImage:
        top = self.manifest(repository, reference, work)
        note = _NOTES.get(top.kind, "")
        if top.kind != INDEX:
            only = self._platform_image(
                repository, Descriptor(top.media_type, top.digest, top.size), work
            )
            return RegistryImage(repository, reference, top, (only,), (), note)
        entries = top.manifests[:_CHILDREN]
        if len(top.manifests) > _CHILDREN:
            note = f"Only the first {_CHILDREN} of {len(top.manifests)} entries are shown."
        images = [entry for entry in entries if not attested(entry)]
        attesting = [entry for entry in entries if attested(entry)]
        found = side_by_side(
            work,
            [partial(self._platform_image, repository, entry) for entry in images],
            _SIDE_BY_SIDE,
        )
        attached = self._attested(repository, attesting, work)
        own = {image.manifest.digest for image in found}
        return RegistryImage(
            repository,
            reference,
            top,
            tuple(_with(image, attached) for image in found),
            tuple(item for item in attached if item.subject not in own),
            note,
        )

    def _platform_image(self, repository: str, entry: Descriptor, work: Work) -> PlatformImage:
        """The image behind an entry. One that is missing or odd is told, and hides no other."""
        platform = entry.platform or Platform()
        try:
            manifest = self.manifest(repository, entry.digest, work)
            config = self.config(repository, manifest, work)
        except CancelledError:
            raise
        except DockDeskError as error:
            missing = Manifest(entry.digest, entry.media_type, UNKNOWN, entry.size, b"")
            return PlatformImage(platform, missing, problem=sentence(str(error)))
        if config is not None and not platform.known:
            platform = config.platform
        return PlatformImage(platform, manifest, config, problem=_NOTES.get(manifest.kind, ""))

    def _attested(
        self, repository: str, entries: Sequence[Descriptor], work: Work
    ) -> list[Attachment]:
        def one(entry: Descriptor, work: Work) -> list[Attachment]:
            manifest = self.manifest(repository, entry.digest, work)
            return attachments_of(manifest, attested(entry))

        lists = side_by_side(work, [partial(one, entry) for entry in entries], _SIDE_BY_SIDE)
        return [item for found in lists for item in found]

    # --- tags ---

    def tag(self, repository: str, name: str, work: Work) -> Tag:
        told = self.resolve(repository, name, work)
        top = self.manifest(repository, told.digest, work)
        if top.kind != INDEX:
            config = self.config(repository, top, work)
            platform = config.platform if config is not None else Platform()
            image = TagImage(platform, top.digest, top.layers_size)
            created = config.created if config is not None else 0.0
            return Tag(
                name,
                top.digest,
                top.media_type,
                created=created,
                size=top.layers_size,
                images=(image,),
            )
        entries = [entry for entry in top.manifests if not attested(entry)]
        if not entries:
            return Tag(name, top.digest, top.media_type)
        shown = usual(entry.platform or Platform() for entry in entries)
        found = self._platform_image(repository, entries[shown], work)
        size = found.manifest.layers_size if found.manifest.data else -1
        images = tuple(
            TagImage(entry.platform or Platform(), entry.digest, size if at == shown else -1)
            for at, entry in enumerate(entries)
        )
        created = found.config.created if found.config is not None else 0.0
        return Tag(name, top.digest, top.media_type, created=created, size=size, images=images)

    # --- what refers to a manifest ---

    def attachments(self, repository: str, digest: str, work: Work) -> list[Attachment]:
        entries = self.referrers(repository, digest, work)[:_REFERRERS]

        def one(entry: Descriptor, work: Work) -> list[Attachment]:
            manifest = self.manifest(repository, entry.digest, work)
            # Some are nothing but their annotations.
            return attachments_of(manifest, digest) or [_bare(entry, digest)]

        lists = side_by_side(work, [partial(one, entry) for entry in entries], _SIDE_BY_SIDE)
        known = {entry.digest for entry in entries}
        cosign = [partial(self._cosign, repository, digest, suffix) for suffix in _COSIGN]
        lists += [
            found
            for found in side_by_side(work, cosign, len(cosign))
            if not known & {item.manifest for item in found}
        ]
        return [item for found in lists for item in found]

    def referrers(self, repository: str, digest: str, work: Work) -> tuple[Descriptor, ...]:
        """By the registry's own list; from the tag that stands in for it where there is none."""
        answer = self._client.send(
            "GET",
            self._client.path(repository, f"referrers/{digest}"),
            work,
            title=_title(repository, digest),
            repository=repository,
            headers={"Accept": OCI_INDEX},
            limit=4 << 20,
            accept=(400, 404, 405, 406, 501),
        )
        media_type = (answer.headers.get("Content-Type") or "").partition(";")[0].strip()
        if answer.status == 200 and media_type == OCI_INDEX:
            return descriptors(parsed(answer.body).get("manifests"))
        tag = fallback_tag(digest)
        if self.lookup(repository, tag, work) is None:
            return ()
        index = self.manifest(repository, tag, work)
        return index.manifests if index.kind == INDEX else ()

    def _cosign(self, repository: str, digest: str, suffix: str, work: Work) -> list[Attachment]:
        found = self.lookup(repository, fallback_tag(digest) + suffix, work)
        if found is None:
            return []
        return attachments_of(self.manifest(repository, found.digest, work), digest)


_NOTES = {
    SCHEMA1: "An image of the old first format, which newer engines no longer pull. Push it anew.",
    ARTIFACT: "No image to run: an artifact.",
    UNKNOWN: "Its kind of manifest is not known. It can be copied, tagged and deleted.",
}


def _title(repository: str, reference: str) -> str:
    joint = "@" if ":" in reference else ":"
    shown = reference if ":" not in reference else reference[:19] + "…"
    return f"{repository}{joint}{shown} could not be read"


def _described(answer: Answer, digest: str) -> Descriptor:
    media_type = (answer.headers.get("Content-Type") or "").partition(";")[0].strip()
    length = answer.headers.get("Content-Length") or ""
    return Descriptor(media_type, digest, whole(int(length[:18]) if length.isdecimal() else None))


def _bare(entry: Descriptor, subject: str) -> Attachment:
    kind = attachment_kind(entry.artifact_type, entry.media_type, "")
    return Attachment(
        kind, subject, entry.digest, entry, "", entry.artifact_type, entry.annotations
    )


def _with(image: PlatformImage, attached: Sequence[Attachment]) -> PlatformImage:
    own = tuple(item for item in attached if item.subject == image.manifest.digest)
    if not own:
        return image
    return PlatformImage(image.platform, image.manifest, image.config, own, image.problem)
