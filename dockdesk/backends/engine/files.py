"""Files in containers, running or not, through the engine's archive requests.

Source: Engine API, ContainerArchive, PutContainerArchive, ContainerChanges.
"""

from __future__ import annotations

import posixpath
import tarfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from dockdesk.backends.engine.base import EnginePart
from dockdesk.backends.engine.convert import changes_from
from dockdesk.backends.engine.frames import FrameSplitter
from dockdesk.backends.engine.listing import (
    FolderScan,
    PathStat,
    Question,
    likely_names,
    partial_note,
    path_stat,
)
from dockdesk.backends.engine.pack import Packer
from dockdesk.backends.engine.paths import quoted
from dockdesk.backends.engine.unpack import PieceReader, Unpacker, damaged, free_name, members
from dockdesk.backends.engine.values import mapping
from dockdesk.backends.engine.wire import ProtocolError
from dockdesk.core.errors import (
    ConflictError,
    DockDeskError,
    InvalidInputError,
    NotFoundError,
    NotSupportedError,
    RemoteError,
)
from dockdesk.core.records import dataclass
from dockdesk.core.resources.containers import FileChange, FileEntry
from dockdesk.core.work import Work

_SILENCE = 120.0  # seconds an archive may stand still
_ASKING = 20.0
_MOST_LINKS = 8
_MOST_GUESSES = 200
_CLEARING_UP = 0.25


@dataclass(frozen=True, slots=True)
class Archive:
    """What the engine says of a path, and its archive as it arrives."""

    stat: PathStat
    pieces: Iterator[bytes]


class FileCalls(EnginePart):
    """See BrowsesFiles in core/ports.py.

    A folder is read from its archive up to ``cheap_bytes``; then the container is asked; if it can't be, the archive
    is read on up to ``most_bytes``.
    """

    cheap_bytes = 1 << 20
    most_bytes = 256 << 20

    def list_files(self, id: str, path: str) -> list[FileEntry]:
        title = f"{path} could not be listed"
        folder = clean_path(path)
        complete, entries = self._scan(id, folder, title, self.cheap_bytes, patience=2.0)
        # What is mounted by the kernel, such as /proc and a tmpfs, is an empty folder in an archive.
        if complete and entries:
            return _sorted(entries.values())
        # Only now: while an archive is open, Docker answers nothing else about the container.
        if (listed := self._ask(id, folder)) is not None:
            return _sorted(listed)
        if complete:
            return []
        complete, entries = self._scan(id, folder, title, self.most_bytes, patience=6.0)
        if complete:
            return _sorted(entries.values())
        return [*_sorted(self._guessed(id, folder, entries)), partial_note(folder)]

    def read_file(self, id: str, path: str, limit: int = 1 << 20) -> tuple[bytes, bool]:
        title = f"{path} could not be read"
        with self._open(id, clean_path(path), title) as archive:
            if archive.stat.is_folder:
                raise InvalidInputError(title, "It is a folder.", "Open it instead.")
            for tar, member in members(PieceReader(archive.pieces), title):
                source = tar.extractfile(member) if member.isreg() else None
                if source is None:
                    raise InvalidInputError(title, "It is a device, a pipe or a socket.")
                try:
                    data = source.read(limit + 1)
                except tarfile.TarError as error:
                    raise damaged(title, error) from error
                return data[:limit], len(data) > limit
        raise RemoteError(title, "The engine sent an empty archive.", "Try again.")

    def download(self, id: str, path: str, target: Path, work: Work) -> Path:
        """Copy out to ``target``: into it if it is a folder (under a name that is free), else as it.

        Links that lead out of what is copied, devices and pipes are left out; the work's log names them.
        """
        return self.download_as(id, path, target, work)

    def download_as(self, id: str, path: str, target: Path, work: Work, name: str = "") -> Path:
        """As `download`, under ``name`` where ``target`` is a folder."""
        source = clean_path(path)
        title = f"{path} could not be copied"
        name = name or posixpath.basename(source) or "filesystem"
        into_folder = target.is_dir()
        folder = target if into_folder else target.parent
        with self._open(id, source, title, work) as archive:
            expected = 0 if archive.stat.is_folder else archive.stat.size
            with Unpacker(folder, name if into_folder else target.name, title, work) as unpacker:
                unpacker.unpack(archive.pieces, expected)
                made = unpacker.place(free_name(target, name) if into_folder else target)
        left = f", without {unpacker.omitted} that can't be copied" if unpacker.omitted else ""
        work.progress(1.0, f"Copied to {made}{left}")
        return made

    def upload(self, id: str, sources: Sequence[Path], folder: str, work: Work) -> None:
        target = clean_path(folder)
        title = f"Could not copy into {folder}"
        self._check_folder(id, target, title)
        work.progress(None, "Looking at the files")
        packer = Packer(sources, title, work)
        try:
            with self.client.stream(
                "PUT",
                f"/containers/{quoted(id)}/archive",
                {"path": target, "noOverwriteDirNonDir": True},
                data=packer,
                timeout=600.0,
                title=title,
                work=work,
            ) as answer:
                answer.read()
        except (InvalidInputError, RemoteError, ConflictError) as error:
            raise _refused(error, title) from error
        work.progress(1.0, "Copied")

    def changes(self, id: str) -> list[FileChange]:
        title = "What differs from the image could not be found out"
        container = f"/containers/{quoted(id)}"
        try:
            return changes_from(self.client.get(f"{container}/changes", title=title))
        except RemoteError:
            self.client.get(f"{container}/json", title=title)  # Podman answers 500 if it is gone
            raise

    # --- Within ---

    @contextmanager
    def _open(self, id: str, path: str, title: str, work: Work | None = None) -> Iterator[Archive]:
        """The archive of a path; where that is a link, of what it leads to."""
        for attempt in range(_MOST_LINKS):
            with self.client.stream(
                "GET",
                f"/containers/{quoted(id)}/archive",
                {"path": path},
                timeout=_SILENCE,
                title=title,
                work=work,
            ) as exchange:
                found = path_stat(exchange.headers)
                if found.is_link and found.target and clean_path(found.target) != path:
                    path = clean_path(found.target)
                    continue
                pieces = iter(exchange)
                first = next(pieces, b"")
                if first or attempt == _MOST_LINKS - 1:
                    yield Archive(found, chain((first,), pieces))
                    return
            # Podman sends nothing while it still clears up after a container that has just ended.
            time.sleep(_CLEARING_UP)
        raise InvalidInputError(title, "Its links lead in a circle.")

    def _check_folder(self, id: str, path: str, title: str) -> None:
        """Raise NotFoundError or InvalidInputError where a path is no folder: Podman would make one."""
        for _ in range(_MOST_LINKS):
            try:
                headers = self.client.head(
                    f"/containers/{quoted(id)}/archive", {"path": path}, title=title
                )
            except NotFoundError as error:
                self.client.get(f"/containers/{quoted(id)}/json", title=title)
                detail = f"{path} does not exist in the container."
                raise NotFoundError(title, detail, "Choose a folder that exists.") from error
            found = path_stat(headers)
            if not found.is_link or not found.target or clean_path(found.target) == path:
                if not found.is_folder:
                    raise InvalidInputError(title, f"{path} is not a folder.", "Choose a folder.")
                return
            path = clean_path(found.target)
        raise InvalidInputError(title, "Its links lead in a circle.")

    def _scan(
        self, id: str, folder: str, title: str, limit: int, patience: float
    ) -> tuple[bool, dict[str, FileEntry]]:
        """A folder's entries from its archive, and whether they are all."""
        with self._open(id, folder, title) as archive:
            if not archive.stat.is_folder:
                raise InvalidInputError(title, "It is not a folder.")
            scan = FolderScan(folder, archive.pieces, title)
            return scan.run(limit, patience), scan.entries

    def _ask(self, id: str, folder: str) -> list[FileEntry] | None:
        """The folder as the running container sees it; None if it can't be asked."""
        question = Question(folder)
        wanted = {
            "AttachStdout": True,
            "AttachStderr": True,
            "User": "0",
            "Env": list(question.env),
            "Cmd": list(question.command),
        }
        try:
            made = mapping(self.client.post(f"/containers/{quoted(id)}/exec", json=wanted))
            with self.client.stream(
                "POST",
                f"/exec/{made['Id']}/start",
                json={"Detach": False, "Tty": False},
                timeout=_ASKING,
            ) as answer:
                splitter = FrameSplitter()
                chunks = [chunk for piece in answer for chunk in splitter.feed([piece])]
            state = mapping(self.client.get(f"/exec/{made['Id']}/json"))
        except (ConflictError, RemoteError, NotFoundError, NotSupportedError, InvalidInputError):
            return None  # it is not running, or has no shell
        except ProtocolError:
            return None
        listed = question.read(b"".join(chunk.data for chunk in chunks if chunk.stream == 1))
        # Without `stat` the script prints nothing, as it does for an empty folder.
        return listed if listed and state.get("ExitCode") == 0 else None

    def _guessed(self, id: str, folder: str, known: dict[str, FileEntry]) -> list[FileEntry]:
        """What is known of a folder, and what is there of the names that are likely."""
        entries = dict(known)
        container = f"/containers/{quoted(id)}"
        detail = self.client.get(f"{container}/json")
        changed = self.client.get(f"{container}/changes")
        tries = 0
        for name in likely_names(folder, detail, changed):
            if name in entries or tries >= _MOST_GUESSES:
                continue
            tries += 1
            path = posixpath.join(folder, name)
            try:
                headers = self.client.head(f"{container}/archive", {"path": path})
            except (NotFoundError, InvalidInputError, RemoteError):
                continue  # it is not there
            entries[name] = path_stat(headers).entry(path)
        return list(entries.values())


def clean_path(path: str) -> str:
    """An absolute path without “..”, which can't lead above the root."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _sorted(entries: Iterable[FileEntry]) -> list[FileEntry]:
    return sorted(entries, key=lambda entry: entry.name)


def _refused(error: DockDeskError, title: str) -> DockDeskError:
    """Why the engine did not take files, with what to do about it."""
    reason = error.detail.casefold()
    if "read-only" in reason or "readonly" in reason:
        return ConflictError(
            title, error.detail, "The file system there is read-only. Choose a writable volume."
        )
    if "no space left" in reason or "quota" in reason:
        return RemoteError(
            title, error.detail, "The engine's disk is full: see Disk for what can go."
        )
    if "overwrite" in reason or "not a directory" in reason or "is a directory" in reason:
        return ConflictError(
            title, error.detail, "A file can't replace a folder, nor a folder a file."
        )
    return error
