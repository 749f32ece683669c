"""The engine's events. Source: Engine API, SystemEvents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dockdesk.backends.engine.frames import LineSplitter
from dockdesk.backends.engine.values import HELPER_LABEL
from dockdesk.backends.engine.wire import ProtocolError
from dockdesk.core.resources.engine import EngineEvent

# What Podman calls differently, so that whoever listens need not know which engine speaks.
_PODMAN_ACTIONS: Mapping[tuple[str, str], str] = {
    ("container", "remove"): "destroy",
    ("container", "died"): "die",
    ("image", "remove"): "delete",
    ("volume", "remove"): "destroy",
    ("network", "remove"): "destroy",
}


class _Actor(msgspec.Struct):
    ID: str = ""
    Attributes: dict[str, str] | None = None


class _Event(msgspec.Struct):
    Type: str = ""
    Action: str = ""
    Actor: _Actor = msgspec.field(default_factory=_Actor)
    time: int = 0
    timeNano: int = 0


_decoder = msgspec.json.Decoder(_Event, strict=False)


class EventDecoder:
    """EngineEvents of the stream's lines, without those of DockDesk's own helper containers."""

    def __init__(self, podman: bool = False) -> None:
        self._lines = LineSplitter()
        self._podman = podman

    def feed(self, pieces: Sequence[bytes]) -> list[EngineEvent]:
        events = [self._event(line) for line in self._lines.feed(pieces)]
        return [event for event in events if HELPER_LABEL not in event.attributes]

    def _event(self, line: bytes) -> EngineEvent:
        try:
            event = _decoder.decode(line)
        except msgspec.MsgspecError as error:
            raise ProtocolError(f"an event is no event ({error})") from error
        kind, action = event.Type, event.Action
        if self._podman:
            action = _PODMAN_ACTIONS.get((kind, action), action)
        attributes = event.Actor.Attributes or {}
        return EngineEvent(
            kind=kind,
            action=action,
            id=event.Actor.ID,
            at=event.timeNano / 1e9 if event.timeNano else float(event.time),
            name=attributes.get("name", ""),
            attributes=attributes,
        )
