"""A terminal emulator: xterm's keys, colours and mouse, scrollback, selection and search.

`TerminalView` is the widget; `preload` loads its core beforehand, on a worker's thread.
"""

from dockdesk.ui.widgets.terminal.loading import preload
from dockdesk.ui.widgets.terminal.view import TerminalSink, TerminalView

__all__ = ["TerminalSink", "TerminalView", "preload"]
