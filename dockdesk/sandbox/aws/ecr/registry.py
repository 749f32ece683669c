"""ECR's registry: docker pushes to and pulls from the repositories that the API tells of, and tasks run what was pushed.

Source: docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html (basic authentication as user AWS)
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dockdesk.sandbox.aws.ecr.api import registry_password
from dockdesk.sandbox.aws.ecr.content import image_content
from dockdesk.sandbox.aws.ecr.model import EcrImage, EcrState, Repository, put_tag
from dockdesk.sandbox.aws.values import AwsError
from dockdesk.sandbox.engine.catalogue import FATE_LABEL
from dockdesk.sandbox.engine.recipes import Package
from dockdesk.sandbox.registry import repositories as store
from dockdesk.sandbox.registry.access import BasicAccess
from dockdesk.sandbox.registry.accounts import PULL, PUSH, Login
from dockdesk.sandbox.registry.api import DistributionApi
from dockdesk.sandbox.registry.blobs import Blobs
from dockdesk.sandbox.registry.errors import RegistryError
from dockdesk.sandbox.registry.manifests import INDEXES, Manifest
from dockdesk.sandbox.world.clock import Clock

USER = "AWS"
_FATES = {"ok", "crashes", "unhealthy"}
_ENDS = {"false", "exit", "/bin/false"}


class EcrRegistry:
    """One region's registry, on a loopback port. What is pushed is kept below ``folder``."""

    def __init__(self, clock: Clock, folder: Path) -> None:
        self._stored = store.Repositories(Blobs(folder / "ecr"), clock.now)
        self._state: EcrState | None = None
        self.port = 0

    async def listen(self) -> None:
        """Serve; `attach` tells for what."""
        access = BasicAccess("ECR", self._verify, self._allowed)
        self.server = DistributionApi(self._stored, access, tagging=self._check_tag).server
        self.port = await self.server.listen_loopback()

    async def close(self) -> None:
        await self.server.close()

    @property
    def address(self) -> str:
        """As in an image's name."""
        return f"127.0.0.1:{self.port}"

    @property
    def repositories(self) -> store.Repositories:
        """What is stored: Kubernetes runs it too."""
        return self._stored

    def attach(self, state: EcrState) -> None:
        """Serve the images of ``state``, and tell it of those that are pushed."""
        self._state = state
        for repository in state.repositories.values():
            self._offer(repository)
        state.observer = self

    def _verify(self, user: str, password: str) -> Login | None:
        if self._state is None or user != USER:
            return None
        right = registry_password(self._state.region)
        return Login(USER, True) if hmac.compare_digest(password.encode(), right.encode()) else None

    def _allowed(self, _login: Login, name: str) -> set[str]:
        if self._state is not None and name:
            try:
                self._state.repository(name)
            except AwsError as error:
                raise RegistryError("NAME_UNKNOWN", message=error.message) from None
        return {PULL, PUSH}

    def _check_tag(self, held: store.Repository, tag: str, digest: str) -> None:
        """An immutable repository's tags stay with the image they have."""
        repository = self._state.repositories.get(held.name) if self._state is not None else None
        if repository is None or not repository.immutable or tag not in held.tag_names():
            return
        if self._stored.manifest(held, tag).digest != digest:
            text = f"The image tag '{tag}' already exists in the '{held.name}' repository and cannot be overwritten because the tag is immutable."
            raise RegistryError("TAG_INVALID", message=text)

    # --- what the API changes ---

    def _offer(self, repository: Repository) -> None:
        """The images that are there from the beginning; their content is made when it is pulled."""
        releases = {}
        for image in repository.images.values():
            release = store.Release(tuple(image.tags), image.pushed, _maker(repository.name, image))
            for tag in image.tags:
                releases[tag] = release
        self._stored.add_seeded(repository.name, store.About(created=repository.created), releases)

    def created(self, repository: Repository) -> None:
        self._stored.open(repository.name)

    def deleted(self, repository: Repository) -> None:
        if self._stored.find(repository.name) is not None:
            self._stored.remove(repository.name)

    def put(self, repository: Repository, image: EcrImage, tag: str) -> None:
        """The API stored a manifest. Raises AwsError LayersNotFoundException."""
        held = self._stored.open(repository.name)
        self._make(held, image.digest)
        try:
            self._stored.put(held, tag or image.digest, image.media_type, image.manifest.encode())
        except RegistryError as error:
            code = (
                "LayersNotFoundException"
                if error.code == "MANIFEST_BLOB_UNKNOWN"
                else "InvalidParameterException"
            )
            raise AwsError(code, error.message) from None

    def untagged(self, repository: Repository, tag: str) -> None:
        held = self._stored.find(repository.name)
        if held is not None and (tag in held.tags or tag in held.releases):
            self._stored.untag(held, tag)

    def removed(self, repository: Repository, digest: str) -> None:
        held = self._stored.find(repository.name)
        if held is not None:
            self._make(held, digest)
            if digest in held.manifests:
                self._stored.remove_manifest(held, digest)

    def _make(self, held: store.Repository, digest: str) -> None:
        if digest not in held.manifests and held.releases:
            try:
                self._stored.manifest(held, digest)
            except RegistryError:
                return  # nothing announced had it: it is new

    # --- what docker changes ---

    def refresh(self, repository: Repository) -> None:
        """Learn what was pushed and pulled since the last time."""
        held = self._stored.find(repository.name)
        if held is None:
            return
        for digest, manifest in held.manifests.items():
            image = repository.images.get(digest)
            if image is None:
                data = self._stored.blobs.read(digest).decode()
                pushed = held.pushed.get(digest, self._stored.now())
                image = EcrImage(digest, data, manifest.kind, self._size(held, manifest), pushed)
                image.fate = self._fate(held, manifest)
                image.scanned = pushed + 20 if repository.scan_on_push else 0.0
                repository.images[digest] = image
            image.pulled = max(image.pulled, held.pulled.get(digest, 0.0))
        for name, tag in held.tags.items():
            image = repository.images[tag.digest]
            if name not in image.tags:
                put_tag(repository, image, name)

    def _size(self, held: store.Repository, manifest: Manifest) -> int:
        return sum(item.layers_size() for item in self._stored.children(held, manifest))

    def _fate(self, held: store.Repository, manifest: Manifest) -> str:
        """By the image's own label, or by a command that can only end."""
        if manifest.kind in INDEXES:
            fates = [self._fate(held, item) for item in self._stored.children(held, manifest)]
            return next((fate for fate in fates if fate != "ok"), "ok")
        try:
            raw: Any = json.loads(self._stored.blobs.read(manifest.blobs[0]))
            config = raw.get("config") or {}
            label = str((config.get("Labels") or {}).get(FATE_LABEL, ""))
            words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
        except (ValueError, AttributeError, TypeError, OSError):
            return "ok"  # an artifact that is no image at all
        if label in _FATES:
            return label
        last = str(words[-1]).split() if words else []
        return "crashes" if last[:1] and last[0] in _ENDS else "ok"


def _maker(name: str, image: EcrImage) -> Callable[[], Package]:
    def make() -> Package:
        manifest, blobs = image_content(name, image.made_as, image.pushed)
        return Package(((image.media_type, manifest.encode()),), blobs)

    return make
