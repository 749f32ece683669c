"""One call of a program that is only told of: what it says, when, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass

from dockdesk.sandbox.buildkit.flow import Streams
from dockdesk.sandbox.buildkit.shell import BuildShell
from dockdesk.sandbox.engine.filesystem import file_node
from dockdesk.sandbox.http import HttpError
from dockdesk.sandbox.world.traffic import unit

MB = 1_000_000


@dataclass(slots=True)
class Growth:
    """Bytes that steps claim to have written beyond their files."""

    bytes: int = 0


@dataclass(slots=True)
class Task:
    """One call of a tool."""

    growth: Growth
    shell: BuildShell
    streams: Streams
    name: str
    words: list[str]

    @property
    def plain(self) -> list[str]:
        return [word for word in self.words if not word.startswith("-")]

    async def say(self, text: str, seconds: float = 0.0) -> None:
        await self.streams.out(text + "\n")
        await self.wait(seconds)

    async def complain(self, text: str) -> None:
        await self.streams.err(text + "\n")

    async def wait(self, seconds: float) -> None:
        if seconds:
            await self.shell.sleep(seconds)

    def luck(self, *key: object) -> float:
        """Between 0 and 1, the same every time."""
        return unit("build", self.name, *key)

    def write(self, path: str, text: str | bytes, mode: int = 0o644, shown: int = 0) -> None:
        self.shell.files.put(self.shell.path(path), file_node(text, mode, self.shell.around.now()))
        self.growth.bytes += max(shown - len(text), 0)

    def read(self, path: str) -> str | None:
        try:
            return self.shell.files.find(self.shell.path(path))[1].data.decode("utf-8", "replace")
        except HttpError:
            return None


def kb(size: int) -> str:
    """A size as package managers write it."""
    return f"{size / 1e6:.1f} MB" if size >= MB else f"{size // 1000} kB"
