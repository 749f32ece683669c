"""Which panes there are, in the order of the navigation rail. To add a pane: a folder here, and its entry below.

A pane's actions are known before it is made (menu bar, palette and shortcut sheet need them), so each folder has a
Qt-free ``actions.py`` with ``ACTIONS`` and a ``pane.py`` with the widget; both are imported when first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dockdesk.core.actions import Action
from dockdesk.core.records import dataclass
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import Pane


@dataclass(frozen=True, slots=True)
class PaneEntry:
    """One line of the navigation rail. ``kinds`` are the ResourceRef kinds that the pane opens.

    ``section`` is the heading it stands under in the rail; an empty one has none. A pane that ``needs_engine`` gives
    way to the welcome page while none has ever answered.
    """

    id: str
    title: str
    icon: str
    section: str
    kinds: Sequence[str]
    make: Callable[[UiContext], Pane]
    actions: Callable[[], Sequence[Action[Any]]]
    needs_engine: bool = True


def _containers(context: UiContext) -> Pane:
    from dockdesk.ui.panes.containers.pane import ContainersPane

    return ContainersPane(context)


def _container_actions() -> Sequence[Action[Any]]:
    from dockdesk.ui.panes.containers.actions import ACTIONS

    return ACTIONS


def _images(context: UiContext) -> Pane:
    from dockdesk.ui.panes.images.pane import ImagesPane

    return ImagesPane(context)


def _image_actions() -> Sequence[Action[Any]]:
    from dockdesk.ui.panes.images.actions import ACTIONS

    return ACTIONS


def _volumes(context: UiContext) -> Pane:
    from dockdesk.ui.panes.volumes.pane import VolumesPane

    return VolumesPane(context)


def _volume_actions() -> Sequence[Action[Any]]:
    from dockdesk.ui.panes.volumes.actions import ACTIONS

    return ACTIONS


def _networks(context: UiContext) -> Pane:
    from dockdesk.ui.panes.networks.pane import NetworksPane

    return NetworksPane(context)


def _network_actions() -> Sequence[Action[Any]]:
    from dockdesk.ui.panes.networks.actions import ACTIONS

    return ACTIONS


def _disk(context: UiContext) -> Pane:
    from dockdesk.ui.panes.disk.pane import DiskPane

    return DiskPane(context)


def _disk_actions() -> Sequence[Action[Any]]:
    from dockdesk.ui.panes.disk.actions import ACTIONS

    return ACTIONS


def _command_log(context: UiContext) -> Pane:
    from dockdesk.ui.panes.command_log.pane import CommandLogPane

    return CommandLogPane(context)


def _command_log_actions() -> Sequence[Action[Any]]:
    from dockdesk.ui.panes.command_log.actions import ACTIONS

    return ACTIONS


def _dockerfiles(context: UiContext) -> Pane:
    from dockdesk.ui.panes.dockerfiles.pane import DockerfilesPane

    return DockerfilesPane(context)


def _dockerfile_actions() -> Sequence[Action[Any]]:
    from dockdesk.ui.panes.dockerfiles.actions import ACTIONS

    return ACTIONS


def _builds(context: UiContext) -> Pane:
    from dockdesk.ui.panes.builds.pane import BuildsPane

    return BuildsPane(context)


def _build_actions() -> Sequence[Action[Any]]:
    from dockdesk.ui.panes.builds.actions import ACTIONS

    return ACTIONS


PANES: Sequence[PaneEntry] = (
    PaneEntry(
        "dockerfiles",
        "Dockerfiles",
        "file-code",
        "Build",
        ("dockerfile",),
        _dockerfiles,
        _dockerfile_actions,
        needs_engine=False,
    ),
    PaneEntry(
        "builds",
        "Builds",
        "hammer",
        "Build",
        ("build",),
        _builds,
        _build_actions,
        needs_engine=False,
    ),
    PaneEntry(
        "containers", "Containers", "box", "Engine", ("container",), _containers, _container_actions
    ),
    PaneEntry("images", "Images", "stack-2", "Engine", ("image",), _images, _image_actions),
    PaneEntry("volumes", "Volumes", "database", "Engine", ("volume",), _volumes, _volume_actions),
    PaneEntry(
        "networks", "Networks", "network", "Engine", ("network",), _networks, _network_actions
    ),
    PaneEntry("disk", "Disk", "chart-donut", "Engine", ("disk",), _disk, _disk_actions),
    PaneEntry(
        "command_log",
        "Command log",
        "history",
        "DockDesk",
        ("audit",),
        _command_log,
        _command_log_actions,
        needs_engine=False,
    ),
)
