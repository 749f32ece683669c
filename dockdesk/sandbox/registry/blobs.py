"""Blobs as files named by their digest, and uploads that may be interrupted and taken up again."""

from __future__ import annotations

import hashlib
import os
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockdesk.sandbox.registry.errors import RegistryError

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_OTHER_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-zA-Z=_-]+")
_FORGOTTEN_SECONDS = 24 * 3600.0


def is_digest(text: str) -> bool:
    """Whether it is a digest that this registry checks."""
    return _DIGEST.fullmatch(text) is not None


def looks_like_digest(text: str) -> bool:
    """Whether it has a digest's form, of whatever algorithm."""
    return _OTHER_DIGEST.fullmatch(text) is not None


@dataclass(slots=True)
class Upload:
    """What has arrived of a blob. ``size`` in bytes; ``busy`` while a request writes to it."""

    id: str
    repository: str
    path: Path
    started: float
    size: int = 0
    busy: bool = False
    hash: Any = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        with open(self.path, "ab") as file:
            file.write(data)
        self.hash.update(data)
        self.size += len(data)


class Blobs:
    """Content by digest in a folder. A blob belongs to the repositories that link it; with the last one it goes."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._sizes: dict[str, int] = {}
        self._links: dict[str, int] = {}
        self._uploads: dict[str, Upload] = {}
        (folder / "blobs").mkdir(parents=True, exist_ok=True)
        (folder / "uploads").mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Where a blob is; the digest must be a checked one."""
        return self._folder / "blobs" / digest.removeprefix("sha256:")

    def size(self, digest: str) -> int | None:
        """Bytes of a blob, None where there is none."""
        return self._sizes.get(digest)

    def read(self, digest: str) -> bytes:
        return self.path(digest).read_bytes()

    def put(self, data: bytes) -> str:
        """Store data; returns its digest."""
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        if digest not in self._sizes:
            self.path(digest).write_bytes(data)
            self._sizes[digest] = len(data)
        return digest

    def link(self, digest: str) -> None:
        self._links[digest] = self._links.get(digest, 0) + 1

    def unlink(self, digest: str) -> None:
        left = self._links.get(digest, 0) - 1
        if left > 0:
            self._links[digest] = left
            return
        self._links.pop(digest, None)
        if self._sizes.pop(digest, None) is not None:
            self.path(digest).unlink(missing_ok=True)

    def begin(self, repository: str) -> Upload:
        """A new upload; those that nobody continued for a day are dropped."""
        now = self._clock()
        for old in [item for item in self._uploads.values() if not item.busy]:
            if now - old.started > _FORGOTTEN_SECONDS:
                self.drop(old)
        name = str(uuid.uuid4())
        upload = Upload(name, repository, self._folder / "uploads" / name, now)
        upload.path.touch()
        self._uploads[name] = upload
        return upload

    def upload(self, id: str, repository: str) -> Upload:
        """A pending upload. Raises RegistryError BLOB_UPLOAD_UNKNOWN."""
        upload = self._uploads.get(id)
        if upload is None or upload.repository != repository:
            raise RegistryError("BLOB_UPLOAD_UNKNOWN", {})
        return upload

    def finish(self, upload: Upload, digest: str) -> None:
        """Make a blob of an upload. Raises RegistryError DIGEST_INVALID; the upload is gone either way."""
        found = "sha256:" + upload.hash.hexdigest()
        if found != digest:
            self.drop(upload)
            raise RegistryError("DIGEST_INVALID", {"Digest": digest, "Reason": {}})
        self._uploads.pop(upload.id, None)
        os.replace(upload.path, self.path(digest))
        self._sizes[digest] = upload.size

    def drop(self, upload: Upload) -> None:
        self._uploads.pop(upload.id, None)
        upload.path.unlink(missing_ok=True)
