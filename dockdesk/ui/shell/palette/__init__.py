"""The command palette: everything the program can do and show, found by typing a few letters."""

from dockdesk.ui.shell.palette.candidates import Candidate
from dockdesk.ui.shell.palette.palette import CommandPalette

__all__ = ["Candidate", "CommandPalette"]
