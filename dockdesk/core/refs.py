"""A name for any resource anywhere, to navigate to it, to order writes on it and to audit them."""

from __future__ import annotations

from dockdesk.core.records import dataclass


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """``kind`` such as "container", its ``id`` there, the ``name`` people call it, and the environment's id."""

    kind: str
    id: str
    name: str = ""
    environment: str = ""

    @property
    def key(self) -> str:
        """One string for it: writes with equal keys run in order."""
        return f"{self.environment}/{self.kind}/{self.id}"
