"""What can be done with the command log. All of it opens something: the pane has the handlers."""

from __future__ import annotations

from dockdesk.core.actions import Action, AuditEntry

ACTIONS: tuple[Action[AuditEntry], ...] = (
    Action(
        "log.export_script",
        "Export as script…",
        "terminal-2",
        on_rows=False,
        primary=True,
        help="A shell script of what is shown: the chosen lines, or all that the filter lets through.",
    ),
    Action(
        "log.export_markdown",
        "Export as Markdown…",
        "markdown",
        on_rows=False,
        help="A numbered list of steps for a handout, of what is shown.",
    ),
    Action("log.copy", "Copy commands", "copy", shortcut="Ctrl+Shift+C", group="open"),
    Action("log.copy_sdk", "Copy as Python", "brand-python", group="open"),
)
