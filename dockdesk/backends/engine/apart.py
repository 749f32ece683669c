"""Images taken apart: what is in each of their layers. Source: Engine API v1.41 to v1.55, ImageGet.

The engine packs an image into an archive for it, which takes it about as long as `docker save`; reading what comes is
meant to be quicker than that. Nothing is written to a disk, and of layers only the list of their files is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from dockdesk.backends.engine.client import EngineClient
from dockdesk.backends.engine.convert_images import ImageList, bare
from dockdesk.backends.engine.endpoints import Endpoint
from dockdesk.backends.engine.layerstream import FileDone, ImageReader, OneFile
from dockdesk.backends.engine.manifests import Contents, contents_of
from dockdesk.backends.engine.paths import quoted
from dockdesk.backends.engine.tarstream import TarFormatError, TarReader
from dockdesk.backends.engine.values import labels, mapping, real_tags, strings, text, whole
from dockdesk.core.dissection.base import LocalImage, base_of
from dockdesk.core.dissection.build import dissected
from dockdesk.core.dissection.model import Dissection
from dockdesk.core.errors import DockDeskError, NotFoundError, RemoteError
from dockdesk.core.units import bytes_text
from dockdesk.core.wholefile import local_error
from dockdesk.core.work import Work

_TITLE = "The image could not be dissected"
PATIENCE = 1800.0  # seconds: old engines pack all of it before they send the first byte
_MOST_IMAGES = 200  # that are asked whether they are the base
_READ = 1 << 18


def one_file(
    client: EngineClient,
    id: str,
    place: str,
    path: str,
    take: Callable[[memoryview], None],
    work: Work,
    title: str,
) -> None:
    """Hand the content of a file of a layer to ``take``, which raises FileDone once it has enough."""
    reader = OneFile(place, path.strip("/"), take)
    work.progress(None, "The engine packs the image")
    try:
        with client.stream(
            "GET", f"/images/{quoted(id)}/get", timeout=PATIENCE, title=title, work=work
        ) as pieces:
            for piece in pieces:
                work.check()
                reader.feed(piece)
    except FileDone:
        return
    except TarFormatError as error:
        raise _damaged(title, error) from error
    if not reader.found:
        raise NotFoundError(
            title,
            f"The layer holds no file {path}.",
            "The image may have been removed or built anew.",
        )


def dissect_at(work: Work, endpoint: Endpoint, id: str) -> Dissection:
    """`DissectCalls.dissect` with a connection of its own: for a process of its own."""
    client = EngineClient.connect(endpoint, work)
    try:
        return read_apart(client, id, work)
    finally:
        client.close()


def read_apart(client: EngineClient, id: str, work: Work) -> Dissection:
    raw = mapping(client.get(f"/images/{quoted(id)}/json", title=_TITLE, work=work))
    expected = whole(raw.get("Size"))
    work.progress(None, "The engine packs the image")
    try:
        with client.stream(
            "GET", f"/images/{quoted(id)}/get", timeout=PATIENCE, title=_TITLE, work=work
        ) as pieces:
            found = contents_from(pieces, expected, work)
    except TarFormatError as error:
        raise _damaged(_TITLE, error) from error
    made = _put_together(found, text(raw.get("Id")) or id, real_tags(raw.get("RepoTags")), work)
    work.progress(1.0, "Looking for its base")
    own = labels(mapping(raw.get("Config")).get("Labels"))
    base = base_of(made.id, made.layers, own, _local_images(client, work))
    return replace(made, base=base)


def contents_from(pieces: Iterable[bytes], expected: int, work: Work) -> Contents:
    """What an archive holds that comes in pieces. ``expected``: roughly how many bytes; 0 where unknown.

    Raise TarFormatError, or DockDeskError.
    """
    reader = ImageReader()
    read = 0
    for piece in pieces:
        work.check()
        reader.feed(piece)
        read += len(piece)
        of = f" of {bytes_text(expected)}" if expected > read else ""
        work.progress(min(0.99, read / expected) if expected else None, bytes_text(read) + of)
    _finish(reader)
    return contents_of(reader, _TITLE)


def dissect_file(work: Work, path: Path, id: str = "") -> Dissection:
    """An image that was saved to a file, as `docker save` does. Raise DockDeskError."""
    try:
        with path.open("rb") as file:
            found = contents_from(iter(lambda: file.read(_READ), b""), path.stat().st_size, work)
    except TarFormatError as error:
        raise _damaged(_TITLE, error) from error
    except OSError as error:
        raise local_error(_TITLE, path, error) from error
    made = _put_together(found, id, found.tags, work)
    return replace(made, base=base_of(id, made.layers, labels(made.config.get("Labels")), ()))


def _finish(reader: TarReader) -> None:
    reader.finish()
    if not reader.done and isinstance(reader, ImageReader) and not reader.texts:
        raise TarFormatError("it is empty")


def _put_together(found: Contents, id: str, tags: tuple[str, ...], work: Work) -> Dissection:
    work.progress(0.99, "Putting the layers together")
    config = found.config
    platform = "/".join(
        filter(None, (text(config.get(key)) for key in ("os", "architecture", "variant")))
    )
    return dissected(
        found.layers, id, tags, platform, mapping(config.get("config")), check=work.check
    )


def _local_images(client: EngineClient, work: Work) -> list[LocalImage]:
    """Tagged images of the engine with the digests of their layers; the newest, where there are very many."""
    listed = client.get("/images/json", type=ImageList, title=_TITLE) or []
    found = []
    for item in [image for image in listed if real_tags(image.repo_tags)][:_MOST_IMAGES]:
        work.check()
        try:
            raw = mapping(client.get(f"/images/{quoted(item.id)}/json"))
        except NotFoundError:
            continue  # it was removed meanwhile
        layers = strings(mapping(raw.get("RootFS")).get("Layers"))
        found.append(LocalImage(_full(item.id), real_tags(item.repo_tags), item.size, layers))
    return found


def _full(id: str) -> str:
    return f"sha256:{bare(id)}"


def _damaged(title: str, error: TarFormatError) -> DockDeskError:
    return RemoteError(
        title, f"The engine's archive can't be read: {error}.", "Try again; it may have broken off."
    )
