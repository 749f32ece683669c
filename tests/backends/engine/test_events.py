"""The engine's events."""

from __future__ import annotations

import pytest

from dockdesk.backends.engine.events import EventDecoder
from dockdesk.backends.engine.wire import ProtocolError
from dockdesk.core.resources.engine import EngineEvent

STARTED = (
    b'{"status":"start","id":"abc","Type":"container","Action":"start","Actor":{"ID":"abc",'
    b'"Attributes":{"name":"web","image":"x"}},"scope":"local","time":5,"timeNano":5250000000}\n'
)


def test_an_event_is_read() -> None:
    assert EventDecoder().feed([STARTED[:50], STARTED[50:]]) == [
        EngineEvent("container", "start", "abc", 5.25, "web", {"name": "web", "image": "x"})
    ]


def test_an_event_may_say_little() -> None:
    event = b'{"Type":"network","Action":"create","Actor":{"ID":"n","Attributes":null},"time":7}\n'
    assert EventDecoder().feed([event]) == [EngineEvent("network", "create", "n", 7.0)]


def test_podman_removes_where_docker_destroys() -> None:
    event = b'{"Type":"container","Action":"remove","Actor":{"ID":"c"},"time":7}\n'
    assert EventDecoder(podman=True).feed([event])[0].action == "destroy"
    assert EventDecoder().feed([event])[0].action == "remove"


def test_what_is_no_event_is_a_fault_of_the_engine() -> None:
    with pytest.raises(ProtocolError):
        EventDecoder().feed([b"{]\n"])
