"""Which of the things that are shown an engine's event changes. Source: Engine API, SystemEvents; podman-events(1)."""

from __future__ import annotations

from dockdesk.core.records import dataclass
from dockdesk.core.resources.engine import EngineEvent

# These change nothing that a list shows. Health checks alone make three of them a run, so they must cost nothing;
# what a kill does is told by the die that follows.
_QUIET_CONTAINER = frozenset(
    {
        "archive-path",
        "attach",
        "checkpoint",
        "copy",
        "detach",
        "exec",
        "exec_create",
        "exec_detach",
        "exec_die",
        "exec_died",
        "exec_start",
        "export",
        "extract-to-dir",
        "kill",
        "mount",
        "resize",
        "sync",
        "top",
        "unmount",
    }
)
_QUIET_IMAGE = frozenset({"mount", "push", "save", "unmount"})
_GONE = frozenset({"destroy", "remove"})


@dataclass(frozen=True, slots=True)
class Effects:
    """What must be read again: containers by id (``changed``) or all of them, and whole lists of other kinds.

    ``removed`` is a container that no longer exists: nothing needs to be read for it.
    """

    changed: str = ""
    removed: str = ""
    all_containers: bool = False
    lists: frozenset[str] = frozenset()


NONE = Effects()


def effects_of(event: EngineEvent) -> Effects:
    """What ``event`` changes."""
    action = event.action.split(":", 1)[0].strip()
    if event.kind == "container":
        return _of_container(event, action)
    if event.kind == "image":
        return NONE if action in _QUIET_IMAGE else Effects(lists=frozenset({"images"}))
    if event.kind == "volume":
        # Who uses a volume is known from the containers.
        quiet = action in {"mount", "unmount"}
        return NONE if quiet else Effects(lists=frozenset({"volumes"}))
    if event.kind == "network":
        container = event.attributes.get("container", "")
        return Effects(changed=container, lists=frozenset({"networks"}))
    return NONE


def _of_container(event: EngineEvent, action: str) -> Effects:
    if action in _QUIET_CONTAINER:
        return NONE
    if action in _GONE:
        return Effects(removed=event.id)
    if action == "prune" or not event.id:
        return Effects(all_containers=True)
    if action == "commit":
        return Effects(lists=frozenset({"images"}))
    return Effects(changed=event.id)
