"""Images taken apart, as core's ports see it. What reads them is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockdesk.backends.engine.base import EnginePart
from dockdesk.core.units import bytes_text
from dockdesk.core.wholefile import PartFile
from dockdesk.core.work import Work

if TYPE_CHECKING:
    from dockdesk.core.dissection.model import Dissection


class DissectCalls(EnginePart):
    """See DissectsImages in core/ports.py."""

    def dissect(self, id: str, work: Work) -> Dissection:
        from dockdesk.backends.engine.apart import read_apart

        return read_apart(self.client, id, work)

    def dissecting(self, id: str) -> tuple[Callable[..., Dissection], tuple[Any, ...]]:
        from dockdesk.backends.engine.apart import dissect_at

        return dissect_at, (self.client.within_reach(), id)

    def read_image_file(
        self, id: str, place: str, path: str, work: Work, limit: int = 1 << 20
    ) -> tuple[bytes, bool]:
        from dockdesk.backends.engine.apart import one_file
        from dockdesk.backends.engine.layerstream import FileDone

        taken = bytearray()

        def take(piece: memoryview) -> None:
            taken.extend(piece[: limit + 1 - len(taken)])
            if len(taken) > limit:
                raise FileDone

        one_file(self.client, id, place, path, take, work, f"{path} could not be read")
        return bytes(taken[:limit]), len(taken) > limit

    def save_image_file(self, id: str, place: str, path: str, target: Path, work: Work) -> int:
        from dockdesk.backends.engine.apart import one_file

        title = f"{target.name} could not be saved"
        with PartFile(target, title) as file:

            def take(piece: memoryview) -> None:
                file.write(bytes(piece))
                work.progress(None, bytes_text(file.written))

            one_file(self.client, id, place, path, take, work, title)
            file.finish()
            return file.written
