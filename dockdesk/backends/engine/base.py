"""What the parts of the backend share. `EngineBackend` is put together from them in backend.py."""

from __future__ import annotations

from dockdesk.backends.engine.client import EngineClient


class EnginePart:
    """A capability of the engine; its methods use ``self.client``, which `EngineBackend` sets."""

    client: EngineClient
