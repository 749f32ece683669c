"""A browser for files that are somewhere else."""

from dockdesk.ui.widgets.files.browser import FileBrowser
from dockdesk.ui.widgets.files.source import FileSource

__all__ = ["FileBrowser", "FileSource"]
