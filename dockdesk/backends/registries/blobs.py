"""Blobs on their way: down with digest and size checked, up in one request or resumed where it was cut off.

Source: OCI distribution specification 1.1, "Pulling blobs", "Pushing blobs"; RFC 9110, "Range Requests".
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urljoin

from dockdesk.backends.registries.client import PUSH, DistributionClient
from dockdesk.backends.registries.convert import is_digest
from dockdesk.backends.registries.failures import unreached
from dockdesk.backends.registries.http import ATTEMPTS, PATIENCE, TROUBLE, Answer, Stream, wait
from dockdesk.core.errors import (
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    RateLimitedError,
    RemoteError,
)
from dockdesk.core.records import dataclass
from dockdesk.core.resources.registries import Descriptor
from dockdesk.core.wholefile import PartFile
from dockdesk.core.work import Work

SMALL = 4 << 20  # sent in one piece
_FIRST_DELAY = 0.3
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_RECEIVED = re.compile(r"(?:bytes=)?0-(\d{1,18})")
Moved = Callable[[int], None]  # told how many bytes of a blob have been moved so far


class Source(Protocol):
    """Content that can be read from any place on, as often as asked."""

    @property
    def descriptor(self) -> Descriptor: ...

    def pieces(self, work: Work, offset: int = 0) -> Generator[bytes, None, None]: ...


class BlobSource:
    """A blob of a registry as pieces, from any place on, as often as asked. Blocking."""

    def __init__(
        self,
        client: DistributionClient,
        repository: str,
        descriptor: Descriptor,
        title: str,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._client = client
        self._repository = repository
        self._title = title
        self._descriptor = descriptor
        self._attempts = attempts

    @property
    def descriptor(self) -> Descriptor:
        return self._descriptor

    def pieces(self, work: Work, offset: int = 0) -> Generator[bytes, None, None]:
        """The blob from ``offset`` on. A cut or shortened answer is taken up again where it ended.

        Raise RemoteError where the content is not what its digest says; from the middle on it can't be checked.
        """
        descriptor = self.descriptor
        if not is_digest(descriptor.digest):
            raise RemoteError(self._title, "A blob has no digest that is understood.")
        digest = hashlib.new(descriptor.digest.partition(":")[0])
        position, failures = offset, 0
        while True:
            began = position
            problem: DockDeskError | None = None
            try:
                with closing(self._some(work, position)) as some:
                    for piece in some:
                        position += len(piece)
                        if 0 <= descriptor.size < position:
                            raise self._damaged("It is longer than its manifest says.")
                        digest.update(piece)
                        yield piece
            except TROUBLE as error:
                problem = unreached(self._title, self._client.host, error)
            except RateLimitedError as error:
                _wait_until(error, work)
                problem = error
            except RemoteError as error:
                if isinstance(error, DamagedError):
                    raise
                problem = error
            if problem is None and (descriptor.size < 0 or position == descriptor.size):
                break
            failures = 1 if position > began else failures + 1
            if failures >= self._attempts:
                raise problem or self._damaged(
                    f"Only {position} of {descriptor.size} bytes arrive, again and again."
                )
            wait(_FIRST_DELAY * failures, work)
        expected = descriptor.digest.partition(":")[2]
        if not offset and digest.hexdigest() != expected:
            raise self._damaged("Its content is not what its digest says.")

    def _some(self, work: Work, position: int) -> Generator[bytes, None, None]:
        """One request's worth from ``position`` on."""
        headers = {"Range": f"bytes={position}-"} if position else {}
        if position and position == self.descriptor.size:
            return
        path = self._client.blob_path(self._repository, self.descriptor.digest)
        with self._client.stream(
            "GET", path, work, title=self._title, repository=self._repository, headers=headers
        ) as stream:
            skip = self._to_skip(stream, position)
            for piece in stream.pieces():
                if skip >= len(piece):
                    skip -= len(piece)
                    continue
                yield piece[skip:]
                skip = 0

    def _to_skip(self, stream: Stream, position: int) -> int:
        """Bytes to leave out: a server that knows no ranges begins anew."""
        if stream.status != 206:
            return position
        found = _CONTENT_RANGE.match(stream.headers.get("Content-Range") or "")
        start = int(found[1]) if found is not None else -1
        if start != position:
            raise self._damaged("The registry sent another part of it than asked for.")
        return 0

    def _damaged(self, why: str) -> DamagedError:
        short = self.descriptor.digest.partition(":")[2][:12]
        return DamagedError(
            self._title,
            f"Blob {short} from {self._client.host} is damaged. {why}",
            "Nothing of it was used. Try again; if it stays so, push the image anew.",
        )


class DamagedError(RemoteError):
    """Content that does not fit its digest or size."""


def _wait_until(error: RateLimitedError, work: Work) -> None:
    left = error.until - time.time()
    if not error.until or left > PATIENCE:
        raise error
    wait(max(left, 0.0), work)


def read_blob(source: BlobSource, work: Work, limit: int) -> bytes:
    """A small blob's content. Raise NotSupportedError for one above ``limit`` bytes."""
    size = source.descriptor.size
    found: list[bytes] = []
    total = 0
    if size <= limit:
        with closing(source.pieces(work)) as pieces:
            for piece in pieces:
                total += len(piece)
                found.append(piece)
                if total > limit:
                    break
            else:
                return b"".join(found)
    raise NotSupportedError(
        "It is too long to be shown", f"It has {max(size, total)} bytes.", "Save it as a file."
    )


def download(source: BlobSource, target: Path, work: Work, title: str) -> int:
    """Write a blob to a file, whole and checked or not at all; returns its bytes."""
    size = max(source.descriptor.size, 1)
    with PartFile(target, title) as file, closing(source.pieces(work)) as pieces:
        for piece in pieces:
            file.write(piece)
            work.progress(min(file.written / size, 1.0))
        file.finish()
        return file.written


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload that was begun: where it goes on, empty if the blob was mounted and is there."""

    location: str


class BlobTarget:
    """Takes blobs into a repository. Blocking; thread-safe."""

    def __init__(
        self, client: DistributionClient, repository: str, title: str, attempts: int = ATTEMPTS
    ) -> None:
        self._client = client
        self._repository = repository
        self._title = title
        self._attempts = attempts

    def has(self, digest: str, work: Work) -> bool:
        answer = self._client.send(
            "HEAD",
            self._client.blob_path(self._repository, digest),
            work,
            title=self._title,
            repository=self._repository,
            actions=PUSH,
            accept=(404,),
        )
        return answer.status != 404

    def begin(self, work: Work, mount: str = "", source: str = "") -> Begun:
        """Begin an upload; with ``mount``, a digest in the repository ``source``, it may be there at once."""
        path = self._client.path(self._repository, "blobs/uploads/")
        if mount:
            path += f"?mount={quote(mount, safe='')}&from={quote(self._client.full_name(source), safe='')}"
        answer = self._client.send(
            "POST",
            path,
            work,
            title=self._title,
            repository=self._repository,
            actions=PUSH,
            source=source if mount else "",
            headers={"Content-Length": "0"},
            body=b"",
        )
        if answer.status == 201:
            return Begun("")
        return Begun(self._location(answer))

    def upload(self, source: Source, work: Work, moved: Moved, begun: Begun | None = None) -> int:
        """Send a blob; returns the bytes that went out. What arrived is not sent again after a cut."""
        size = source.descriptor.size
        location = begun.location if begun is not None else ""
        offset, sent, failures = 0, 0, 0
        while True:
            reached = offset
            try:
                location = location or self.begin(work).location
                if 0 <= size <= SMALL:
                    data = b"".join(source.pieces(work))
                    sent += len(data)
                    self._finish(location, source.descriptor.digest, work, data)
                else:
                    counter = _Counted(offset, moved)
                    try:
                        location, offset = self._patch(location, source, work, counter)
                    finally:
                        counter.close()
                        sent += counter.sent
                    self._finish(location, source.descriptor.digest, work)
                moved(max(size, 0))
                return sent
            except DamagedError:
                raise
            except (*TROUBLE, RemoteError, NotFoundError, InvalidInputError) as error:
                if isinstance(error, RateLimitedError):
                    _wait_until(error, work)
                work.check()
                offset, there = self._taken(location, work)
                location = there
                failures = 1 if offset > reached else failures + 1
                if failures >= self._attempts:
                    raise self._failed(error) from None
            moved(offset)
            wait(_FIRST_DELAY * failures, work)

    def _failed(self, error: Exception) -> DockDeskError:
        if isinstance(error, DockDeskError):
            return error
        return unreached(self._title, self._client.host, error)

    def _patch(
        self, location: str, source: Source, work: Work, counter: _Counted
    ) -> tuple[str, int]:
        """Stream the rest of a blob; returns where to finish, and how much the registry has then."""
        size, offset = source.descriptor.size, counter.offset
        headers = {"Content-Type": "application/octet-stream"}
        if size >= 0:
            headers["Content-Length"] = str(size - offset)
        if offset:
            headers["Content-Range"] = f"{offset}-{size - 1}"
        with self._client.stream(
            "PATCH",
            location,
            work,
            title=self._title,
            repository=self._repository,
            actions=PUSH,
            headers=headers,
            body=lambda: counter.over(source.pieces(work, offset)),
        ) as stream:
            stream.read(1 << 16)
            answer = Answer(stream.status, stream.headers, b"", stream.url)
        taken = _received(answer)
        if taken is not None and size >= 0 and taken != size:
            raise RemoteError(
                self._title, f"{self._client.host} took {taken} of {size} bytes.", "Try again."
            )
        return self._location(answer), size

    def _finish(self, location: str, digest: str, work: Work, data: bytes = b"") -> None:
        joint = "&" if "?" in location else "?"
        answer = self._client.send(
            "PUT",
            f"{location}{joint}digest={quote(digest, safe='')}",
            work,
            title=self._title,
            repository=self._repository,
            actions=PUSH,
            headers={
                "Content-Type": "application/octet-stream",
                "Content-Length": str(len(data)),
            },
            body=data,
            accept=(404,),
        )
        if answer.status == 404:
            # The answer to a first try may have been lost, and the upload be over.
            if not self.has(digest, work):
                raise self._client.refusal(answer, self._title, self._repository)
            return
        told = answer.headers.get("Docker-Content-Digest")
        if told and told != digest and told.partition(":")[0] == digest.partition(":")[0]:
            raise RemoteError(
                self._title,
                f"{self._client.host} stored something else than was sent.",
                "Try again.",
            )

    def _taken(self, location: str, work: Work) -> tuple[int, str]:
        """How many bytes of an upload have arrived, and where it goes on; from the start where it is lost."""
        if not location:
            return 0, ""
        try:
            answer = self._client.send(
                "GET",
                location,
                work,
                title=self._title,
                repository=self._repository,
                actions=PUSH,
                accept=(400, 404, 405, 416),
            )
        except RemoteError:
            return 0, ""
        if answer.status != 204:
            return 0, ""
        return _received(answer) or 0, self._location(answer)

    def _location(self, answer: Answer) -> str:
        target = answer.headers.get("Location") or ""
        if not target:
            raise RemoteError(
                self._title, f"{self._client.host} does not say where to send a blob."
            )
        return urljoin(answer.url, target)


class _Counted:
    """Pieces on their way up, counted: each try begins at ``offset`` again."""

    def __init__(self, offset: int, moved: Moved) -> None:
        self.offset = offset
        self.sent = 0
        self._moved = moved
        self._pieces: Generator[bytes, None, None] | None = None

    def over(self, pieces: Generator[bytes, None, None]) -> Iterator[bytes]:
        self.close()
        self._pieces = pieces
        at = self.offset
        for piece in pieces:
            yield piece
            at += len(piece)
            self.sent += len(piece)
            self._moved(at)

    def close(self) -> None:
        """End the download behind the pieces; the garbage collector would do it, but late."""
        if self._pieces is not None:
            self._pieces.close()


def _received(answer: Answer) -> int | None:
    """Bytes that an upload has, as its Range header tells; ``0-0`` is none or one, and taken for none."""
    found = _RECEIVED.fullmatch((answer.headers.get("Range") or "").strip())
    if found is None:
        return None
    last = int(found[1])
    return last + 1 if last else 0
