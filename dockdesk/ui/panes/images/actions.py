"""What can be done to images: the declarations that buttons, menus, palette and shortcuts are made from."""

from __future__ import annotations

from dockdesk.core.actions import Action, Danger
from dockdesk.core.resources.images import Image
from dockdesk.ui.panes.images import plans

ACTIONS: tuple[Action[Image], ...] = (
    Action(
        "image.pull",
        "Pull…",
        "download",
        plans.pull,
        Danger.CHANGES,
        on_rows=False,
        primary=True,
        form=plans.pull_form,
        shortcut="Ctrl+P",
        group="transfer",
    ),
    Action(
        "image.build",
        "Build an image…",
        "hammer",
        danger=Danger.CHANGES,
        on_rows=False,
        group="transfer",
        help="From the Dockerfile that is open, or one that you open.",
    ),
    Action(
        "image.run",
        "Run…",
        "player-play",
        many=False,
        primary=True,
        group="run",
        help="Open the run form for it.",
    ),
    Action(
        "image.push",
        "Push…",
        "upload",
        plans.push,
        Danger.CHANGES,
        many=False,
        form=plans.push_form,
        refuse=lambda image: (
            "An image needs a tag before it can be pushed." if image.dangling else None
        ),
        group="transfer",
        primary=True,
    ),
    Action(
        "image.tag",
        "Tag…",
        "tag",
        plans.tag,
        Danger.CHANGES,
        many=False,
        form=plans.tag_form,
        group="change",
        primary=True,
    ),
    Action(
        "image.save",
        "Save to a file…",
        "package-export",
        plans.save,
        form=plans.save_form,
        group="transfer",
    ),
    Action(
        "image.load",
        "Load from a file…",
        "package-import",
        plans.load,
        Danger.CHANGES,
        on_rows=False,
        form=plans.load_form,
        group="transfer",
    ),
    Action(
        "image.import",
        "Import a file system…",
        "file-import",
        plans.import_,
        Danger.CHANGES,
        on_rows=False,
        form=plans.import_form,
        group="transfer",
    ),
    Action(
        "image.dissect",
        "Dissect",
        "stack-2",
        many=False,
        group="look",
        help="What each layer adds, changes, removes and wastes, file by file.",
    ),
    Action(
        "image.compare",
        "Compare…",
        "git-compare",
        group="look",
        help="Settings, layers and files of two images side by side.",
    ),
    Action("image.copy_name", "Copy name", "copy", many=False, group="open"),
    Action(
        "image.copy_digest", "Copy digest", "hash", many=False, group="open", refuse=plans.no_digest
    ),
    Action(
        "image.remove",
        "Remove…",
        "trash",
        plans.remove,
        Danger.DESTROYS,
        shortcut="Delete",
        form=plans.remove_form,
        consequence=plans.removal,
        group="remove",
        primary=True,
    ),
    Action(
        "image.prune",
        "Prune…",
        "trash",
        plans.prune,
        Danger.DESTROYS,
        on_rows=False,
        primary=True,
        form=plans.prune_form,
        consequence=lambda _rows: (
            "Images that no container uses are removed. They can be pulled or built again."
        ),
        group="remove",
    ),
)
