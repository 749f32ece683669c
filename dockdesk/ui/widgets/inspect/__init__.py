"""A value as a searchable tree and as JSON."""

from dockdesk.ui.widgets.inspect.view import InspectTree

__all__ = ["InspectTree"]
