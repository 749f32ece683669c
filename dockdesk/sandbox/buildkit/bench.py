"""What the steps of one build share: where it runs, who asked for it, what it tells."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockdesk.sandbox.buildkit.cache import Cache
from dockdesk.sandbox.buildkit.journal import Journal, Telling
from dockdesk.sandbox.buildkit.sessions import Session, Sessions
from dockdesk.sandbox.engine.filesystem import Node
from dockdesk.sandbox.engine.registry_client import Credentials
from dockdesk.sandbox.engine.state import EngineState
from dockdesk.wire.buildkit import SourceInfo, Vertex
from dockdesk.wire.grpc import Code


class StepError(Exception):
    """Why a build failed: ``lines`` of the Dockerfile (first, last), and the step's ``digest``, where they are known."""

    def __init__(
        self, message: str, lines: Sequence[tuple[int, int]] = (), code: Code = Code.UNKNOWN
    ) -> None:
        super().__init__(message)
        self.message = message
        self.lines = tuple(lines)
        self.digest = ""
        self.code = code


def digest(*parts: object) -> str:
    text = repr(parts).encode("utf-8", "surrogateescape")
    return "sha256:" + hashlib.sha256(text).hexdigest()


@dataclass(slots=True)
class Bench:
    """``uploaded`` are the files of a context that came with the request. ``source`` is the Dockerfile, once read.

    ``logins``, by the registry, take the place of a session's; Docker Hub's is under "".
    """

    state: EngineState
    cache: Cache
    sessions: Sessions
    session_id: str
    ref: str
    journal: Journal
    uploaded: Mapping[str, Node] | None = None
    source: SourceInfo = field(default_factory=SourceInfo)
    logins: Mapping[str, Credentials] | None = None

    async def session(self) -> Session:
        """Raises GrpcError where there is none."""
        return await self.sessions.get(self.session_id)

    def telling(self, name: str, *key: object, inputs: Sequence[str] = ()) -> Telling:
        """A vertex that is no step of the Dockerfile's own graph."""
        made = Telling(self.journal, Vertex(digest(name, *key), tuple(inputs), name))
        made.start()
        return made
