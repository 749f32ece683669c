"""What can be done with builds. All of it opens something: the pane has the handlers."""

from __future__ import annotations

from dockdesk.core.actions import Action, Danger
from dockdesk.ui.panes.builds.rows import BuildRow


def _no_record(row: BuildRow) -> str | None:
    return (
        None if row.record is not None else "The history has only builds of DockDesk that are over."
    )


def _no_spec(row: BuildRow) -> str | None:
    return None if row.spec is not None else "The engine does not tell how it was built."


def _not_again(row: BuildRow) -> str | None:
    if not row.over:
        return "It is still being built."
    return _no_spec(row)


def _no_image(row: BuildRow) -> str | None:
    return None if row.image else "It left no image in the engine."


def _not_running(row: BuildRow) -> str | None:
    return None if row.run is not None and not row.over else "It is over."


ACTIONS: tuple[Action[BuildRow], ...] = (
    Action(
        "builds.begin",
        "Open Dockerfiles",
        "file-code",
        on_rows=False,
        group="build",
        help="Where a build begins.",
    ),
    Action(
        "builds.again",
        "Build again",
        "hammer",
        danger=Danger.CHANGES,
        many=False,
        primary=True,
        refuse=_not_again,
        group="build",
        help="With the same parameters, and the files as they are now.",
    ),
    Action(
        "builds.stop",
        "Stop",
        "player-stop",
        danger=Danger.CHANGES,
        refuse=_not_running,
        group="build",
    ),
    Action(
        "builds.run_image",
        "Run the image…",
        "player-play",
        many=False,
        primary=True,
        refuse=_no_image,
        group="build",
    ),
    Action(
        "builds.open",
        "Open the Dockerfile",
        "file-code",
        many=False,
        primary=True,
        refuse=_no_spec,
        group="open",
    ),
    Action(
        "builds.compare",
        "Compare",
        "git-compare",
        primary=True,
        refuse=_no_record,
        group="open",
        help="With the build before it, or two chosen ones with each other.",
    ),
    Action(
        "builds.copy_command",
        "Copy the command",
        "copy",
        many=False,
        shortcut="Ctrl+Shift+C",
        refuse=_no_spec,
        group="copy",
    ),
    Action(
        "builds.copy_digest",
        "Copy the digest",
        "hash",
        many=False,
        refuse=lambda row: None if row.digest or row.image else "It has none.",
        group="copy",
    ),
    Action(
        "builds.export_log",
        "Export the log…",
        "package-export",
        many=False,
        group="copy",
    ),
    Action(
        "builds.group",
        "Group by project",
        "list-tree",
        on_rows=False,
        group="look",
    ),
    Action(
        "builds.elsewhere",
        "Show or hide builds from elsewhere",
        "server",
        on_rows=False,
        group="look",
        help="Builds that the engine's own history has, and this one has not.",
    ),
    Action(
        "builds.forget",
        "Forget",
        "trash",
        shortcut="Delete",
        danger=Danger.CHANGES,
        refuse=_no_record,
        group="remove",
        help="Takes it out of the history. Its image stays.",
    ),
)
