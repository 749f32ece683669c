"""What can be done to containers: the declarations that buttons, menus, palette and shortcuts are made from."""

from __future__ import annotations

from dockdesk.core.actions import Action, Danger
from dockdesk.ui.panes.containers import plans
from dockdesk.ui.panes.containers.columns import ContainerRow

_RUNS = plans.when("running", "restarting", say="does not run")
_RUNS_OR_PAUSED = plans.when("running", "paused", "restarting", say="does not run")

ACTIONS: tuple[Action[ContainerRow], ...] = (
    Action(
        "container.run",
        "Run image…",
        "player-play",
        on_rows=False,
        primary=True,
        danger=Danger.READS,
        shortcut="Ctrl+N",
        group="run",
        help="Fill in what docker run takes, or paste a docker run line or a Compose service.",
    ),
    Action(
        "container.start",
        "Start",
        "player-play",
        plans.simple("start", lambda engine, id, _work: engine.start(id)),
        Danger.CHANGES,
        refuse=plans.when("created", "exited", "dead", say="runs already"),
        group="state",
    ),
    Action(
        "container.stop",
        "Stop",
        "player-stop",
        plans.simple("stop", lambda engine, id, work: engine.stop(id, None, work)),
        Danger.CHANGES,
        refuse=_RUNS_OR_PAUSED,
        group="state",
    ),
    Action(
        "container.restart",
        "Restart",
        "refresh",
        plans.simple("restart", lambda engine, id, _work: engine.restart(id)),
        Danger.CHANGES,
        shortcut="Ctrl+R",
        refuse=plans.when(
            "running", "paused", "restarting", "exited", "created", say="can't be restarted"
        ),
        group="state",
    ),
    Action(
        "container.pause",
        "Pause",
        "player-pause",
        plans.simple("pause", lambda engine, id, _work: engine.pause(id)),
        Danger.CHANGES,
        refuse=plans.when("running", say="does not run"),
        group="state",
    ),
    Action(
        "container.unpause",
        "Resume",
        "player-track-next",
        plans.simple("unpause", lambda engine, id, _work: engine.unpause(id)),
        Danger.CHANGES,
        refuse=plans.when("paused", say="is not paused"),
        group="state",
    ),
    Action(
        "container.kill",
        "Send signal…",
        "bolt",
        plans.kill,
        Danger.DISRUPTS,
        form=plans.kill_form,
        refuse=_RUNS_OR_PAUSED,
        group="state",
        consequence=lambda rows: (
            f"The signal goes to the main process of {plans.names_of(rows)}. SIGKILL ends it at once."
        ),
    ),
    Action(
        "container.terminal",
        "Open terminal",
        "terminal-2",
        shortcut="Ctrl+T",
        many=False,
        danger=Danger.CHANGES,
        refuse=_RUNS,
        group="open",
        help="A shell inside the container.",
    ),
    Action("container.logs", "Show logs", "file-text", shortcut="Ctrl+L", group="open"),
    Action(
        "container.browse",
        "Open in browser",
        "external-link",
        many=False,
        group="open",
        refuse=lambda row: None if row.links else f"{row.container.name} publishes no port.",
    ),
    Action("container.run_again", "Run again with changes…", "copy-plus", many=False, group="run"),
    Action(
        "container.rename",
        "Rename…",
        "pencil",
        plans.rename,
        Danger.CHANGES,
        shortcut="F2",
        many=False,
        form=plans.rename_form,
        group="change",
    ),
    Action(
        "container.update",
        "Limits and restart policy…",
        "adjustments",
        plans.update,
        Danger.CHANGES,
        form=plans.update_form,
        needs="update",
        group="change",
    ),
    Action(
        "container.commit",
        "Make an image…",
        "stack-2",
        plans.commit,
        Danger.CHANGES,
        many=False,
        form=plans.commit_form,
        group="change",
    ),
    Action(
        "container.export",
        "Export file system…",
        "package-export",
        plans.export,
        Danger.READS,
        many=False,
        form=plans.export_form,
        group="change",
    ),
    Action("container.copy_id", "Copy id", "copy", group="open"),
    Action(
        "container.remove",
        "Remove…",
        "trash",
        plans.remove,
        Danger.DESTROYS,
        shortcut="Delete",
        form=plans.remove_form,
        consequence=plans.removal,
        group="remove",
    ),
    Action(
        "container.prune",
        "Prune",
        "trash",
        plans.prune,
        Danger.DESTROYS,
        on_rows=False,
        primary=True,
        consequence=lambda _rows: (
            "All stopped containers are removed, with everything written inside them and not in a volume."
        ),
        group="remove",
    ),
)
