"""What a build leaves on this computer: files and folders that appear whole once it has succeeded, or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from dockdesk.backends.engine.buildkit.receive import Receiver
from dockdesk.core.errors import DockDeskError
from dockdesk.core.wholefile import PartFile, local_error
from dockdesk.wire.buildkit import EXPORTER_ID, BytesMessage
from dockdesk.wire.grpc import Code, GrpcError, ServerCall
from dockdesk.wire.protobuf import decode

TITLE = "The result can't be written"


class FileOutput:
    """An archive, written beside its place; a context manager."""

    def __init__(self, path: Path) -> None:
        self._file = PartFile(path, TITLE)
        self._came = False

    def __enter__(self) -> FileOutput:
        self._file.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._file.__exit__(*error)

    def take(self, call: ServerCall) -> None:
        call.begin()
        for message in call:
            self._file.write(decode(BytesMessage, message).content)
        self._came = True

    def finish(self) -> None:
        if self._came:
            self._file.finish()


class FolderOutput:
    """A folder; made anew, or filled with what came beside what it holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._staged: Path | None = None
        self._folders: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> FolderOutput:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            name = f".{self._path.name[:80]}."
            self._staged = Path(
                tempfile.mkdtemp(prefix=name, suffix=".part", dir=self._path.parent)
            )
        except OSError as error:
            raise local_error(TITLE, self._path, error) from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._staged is not None:
            _remove(self._staged)

    def take(self, call: ServerCall) -> None:
        assert self._staged is not None
        receiver = Receiver(call, self._staged, TITLE)
        receiver.run()
        self._folders |= receiver.folders

    def finish(self) -> None:
        assert self._staged is not None
        try:
            self._path.mkdir(exist_ok=True)
            _move(self._staged, self._path)
            # Last, and the deepest first: what is put into a folder changes its time.
            for name in sorted(self._folders, key=lambda item: item.count("/"), reverse=True):
                mode, modified = self._folders[name]
                place = self._path / name
                os.chmod(place, mode)
                os.utime(place, ns=(modified, modified))
        except OSError as error:
            raise local_error(TITLE, error.filename or self._path, error) from error


class FileSend:
    """Answers FileSend.DiffCopy: gives each exporter's result to its output, by the exporter's number."""

    def __init__(self, outputs: Mapping[int, FileOutput | FolderOutput]) -> None:
        self._outputs = dict(outputs)
        self.failure: DockDeskError | None = None

    def handle(self, call: ServerCall) -> None:
        try:
            self._take(call)(call)
        except DockDeskError as error:
            if self.failure is None:
                self.failure = error
            raise GrpcError(Code.UNKNOWN, f"{error.title}: {error.detail}") from error

    def _take(self, call: ServerCall) -> Callable[[ServerCall], None]:
        text = next(iter(call.metadata.get(EXPORTER_ID, ())), "")
        # Older engines have one exporter, and do not say which.
        number = int(text) if text.isdecimal() else min(self._outputs, default=0)
        output = self._outputs.get(number)
        if output is None:
            raise GrpcError(Code.NOT_FOUND, f"exporter {number} not found")
        return output.take


def _move(source: Path, target: Path) -> None:
    """Put what is in ``source`` into ``target``: folders are merged, anything else replaces what is there."""
    with os.scandir(source) as entries:
        found = list(entries)
    for entry in found:
        place = target / entry.name
        if not entry.is_dir(follow_symlinks=False):
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            os.replace(entry.path, place)
            continue
        # A link in the place of a folder would lead what comes next elsewhere.
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                os.unlink(place)
        if place.is_dir():
            _move(Path(entry.path), place)
        else:
            os.replace(entry.path, place)


def _remove(folder: Path) -> None:
    def make_writable(function: Callable[..., object], path: str, _: object) -> None:
        os.chmod(os.path.dirname(path), 0o700)
        os.chmod(path, 0o700, follow_symlinks=os.chmod not in os.supports_follow_symlinks)
        function(path)

    with contextlib.suppress(OSError):
        shutil.rmtree(folder, onerror=make_writable)
    shutil.rmtree(folder, ignore_errors=True)
