"""The activity drawer: what runs, what ran, and how it ended."""

from dockdesk.ui.shell.activity.drawer import ActivityDrawer

__all__ = ["ActivityDrawer"]
