"""The terminal as other parts of the program use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QClipboard, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QMenu, QScrollBar, QVBoxLayout, QWidget

from dockdesk.core.errors import DockDeskError
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.terminal import paste
from dockdesk.ui.widgets.terminal.bars import FindBar, MessageBar
from dockdesk.ui.widgets.terminal.canvas import TerminalCanvas
from dockdesk.ui.widgets.terminal.emulation import Emulation
from dockdesk.ui.widgets.terminal.finder import Finder
from dockdesk.ui.widgets.terminal.keyboard import Keyboard
from dockdesk.ui.widgets.terminal.pointer import Pointer
from dockdesk.ui.widgets.terminal.screen import HISTORY, Mode, Screen

_Where = Literal["clipboard", "selection"]


class TerminalView(QWidget):
    """A terminal emulator that knows nothing of what runs in it.

    Output goes in with `feed`, on any thread; what the user types, and answers to safe queries, come out of
    ``input_ready`` as bytes. Programs are to be told TERM=xterm-256color and the size in ``resized``. Output can
    neither type nor reach the clipboard. The emulator's core is loaded when the first terminal is made, off the GUI
    thread; call `dockdesk.ui.widgets.terminal.preload` on a worker beforehand to have it open at once.
    """

    input_ready = Signal(object)  # bytes
    resized = Signal(int, int)  # columns, rows
    title_changed = Signal(str)
    bell = Signal()
    drained = Signal()  # after `feed` returned False: there is room again
    restart_requested = Signal()

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, scrollback: int = HISTORY
    ) -> None:
        """``scrollback`` is how many lines it keeps above its screen, about."""
        super().__init__(parent)
        self.setProperty("look", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._ended = False
        self._pending_paste = ""
        self._emulation = Emulation(self, scrollback)
        self._canvas = TerminalCanvas(self._emulation, theme)
        self._canvas.setAccessibleName("Terminal")
        self._scroll_bar = QScrollBar(Qt.Orientation.Vertical)
        self._find_bar = FindBar(theme)
        self._paste_bar = MessageBar(theme, "clipboard-text", "Paste", "Cancel")
        self._end_bar = MessageBar(theme, "player-stop", "Start again")
        self._keyboard = Keyboard(self._canvas, self._emulation)
        self._pointer = Pointer(self._canvas, self._emulation)
        self._finder = Finder(self._canvas, self._emulation)
        self._commands: dict[str, Callable[[], object]] = {
            "copy": self.copy,
            "paste": self.paste,
            "paste_selection": lambda: self._paste_from("selection"),
            "find": self.open_search,
            "page_up": lambda: self.scroll_by(-self.grid[1] + 1),
            "page_down": lambda: self.scroll_by(self.grid[1] - 1),
            "line_up": lambda: self.scroll_by(-1),
            "line_down": lambda: self.scroll_by(1),
            "to_start": lambda: self._scroll_bar.setValue(0),
            "to_end": self._scroll_to_end,
            "zoom_in": lambda: self._canvas.zoom(1),
            "zoom_out": lambda: self._canvas.zoom(-1),
            "zoom_reset": lambda: self._canvas.zoom(0),
        }
        self._lay_out()
        self._connect()
        self.setFocusProxy(self._canvas)
        self._emulation.start()

    def _lay_out(self) -> None:
        screen = QHBoxLayout()
        screen.setSpacing(0)
        screen.addWidget(self._canvas, 1)
        screen.addWidget(self._scroll_bar)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._find_bar)
        column.addLayout(screen, 1)
        column.addWidget(self._paste_bar)
        column.addWidget(self._end_bar)

    def _connect(self) -> None:
        emulation, pointer = self._emulation, self._pointer
        emulation.answered.connect(self._on_answered)
        emulation.title_changed.connect(self.title_changed)
        emulation.bell.connect(self.bell)
        emulation.drained.connect(self.drained)
        emulation.failed.connect(self._on_failed)
        self._canvas.resized.connect(self.resized)
        self._canvas.refreshed.connect(self._show_scroll)
        self._scroll_bar.valueChanged.connect(self._on_scroll_bar_moved)
        self._keyboard.typed.connect(self._on_typed)
        self._keyboard.commanded.connect(self._on_commanded)
        self._keyboard.focus_reported.connect(self._on_answered)
        pointer.reported.connect(self._on_answered)
        pointer.scrolled.connect(self.scroll_by)
        pointer.zoomed.connect(self._canvas.zoom)
        pointer.selected.connect(self._on_selected)
        pointer.middle_clicked.connect(self._on_middle_clicked)
        pointer.menu_asked.connect(self._on_menu_asked)
        self._find_bar.edited.connect(self._finder.find)
        self._find_bar.stepped.connect(self._finder.go)
        self._find_bar.closed.connect(self._on_find_closed)
        self._finder.counted.connect(self._find_bar.show_count)
        self._paste_bar.accepted.connect(self._on_paste_accepted)
        self._paste_bar.dismissed.connect(self._on_paste_dismissed)
        self._end_bar.accepted.connect(self.restart_requested)

    # --- The program in it ---

    def feed(self, data: bytes, wait: bool = True) -> bool:
        """Show output, on any thread. Returns False when there is too much: hold back until `drained`.

        With ``wait`` a caller on another thread is slowed down instead, by 50 ms a call at most.
        """
        return self._emulation.feed(data, wait)

    def sink(self) -> TerminalSink:
        """This terminal as the sink of a stream of bytes."""
        return TerminalSink(self._emulation, self)

    @property
    def grid(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._canvas.grid

    @property
    def emulator(self) -> Screen | None:
        """The emulator's core once it is loaded."""
        return self._emulation.screen

    @property
    def ended(self) -> bool:
        return self._ended

    def set_ended(self, message: str) -> None:
        """The program is over: keys go nowhere, and the user may start again (`restart_requested`, also by Return)."""
        self._ended = True
        self._on_paste_dismissed()
        self._end_bar.say(message)

    def restart(self) -> None:
        """Be a fresh terminal for a new program."""
        self._ended = False
        self._end_bar.hide()
        self._emulation.restart()

    def clear(self) -> None:
        """Forget all but the line of the cursor."""
        if self._emulation.screen is not None:
            self._emulation.screen.clear()
            self._emulation.changed.emit()

    def close_terminal(self) -> None:
        """Free the emulator's memory now rather than when this is deleted; output that still comes is dropped."""
        self._finder.stop()
        self._emulation.close()

    # --- Selection and clipboard ---

    def selected_text(self) -> str:
        screen = self._emulation.screen
        return "" if screen is None else screen.selected_text()

    def select_all(self) -> None:
        if self._emulation.screen is not None:
            self._emulation.screen.select_all()
            self._emulation.changed.emit()

    def copy(self) -> None:
        if text := self.selected_text():
            QGuiApplication.clipboard().setText(text)

    def paste(self) -> None:
        self._paste_from("clipboard")

    def paste_text(self, text: str) -> None:
        """Send text as pasted. Lines that would run at once, in a program without bracketed paste, are asked about."""
        bracketed = self._emulation.mode(Mode.BRACKETED_PASTE)
        lines = paste.lines_in(text)
        if self._ended or not text:
            return
        if lines and not bracketed:
            self._pending_paste = text
            self._paste_bar.say(
                "The text ends with a line break: it would run at once."
                if lines == 1 and paste.cleaned(text).endswith("\r")
                else f"The text has several lines ({lines + 1:,}), which would run one by one."
            )
            self._paste_bar.button.setFocus()
            return
        self._send(paste.encode(text, bracketed))

    def _paste_from(self, where: _Where) -> None:
        clipboard = QGuiApplication.clipboard()
        mode = QClipboard.Mode.Clipboard
        if where == "selection" and clipboard.supportsSelection():
            mode = QClipboard.Mode.Selection
        self.paste_text(clipboard.text(mode))

    def _on_paste_accepted(self) -> None:
        text = self._pending_paste
        self._on_paste_dismissed()
        self._send(paste.encode(text, self._emulation.mode(Mode.BRACKETED_PASTE)))

    def _on_paste_dismissed(self) -> None:
        self._pending_paste = ""
        if self._paste_bar.isVisible():
            self._paste_bar.hide()
            self._canvas.setFocus()

    def _on_selected(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard.supportsSelection() and (text := self.selected_text()):
            clipboard.setText(text, QClipboard.Mode.Selection)

    def _on_middle_clicked(self) -> None:
        if QGuiApplication.clipboard().supportsSelection():
            self._paste_from("selection")

    # --- Search ---

    def open_search(self) -> None:
        """Open the search bar, with the selection in it if that is one line."""
        selected = self.selected_text()
        self._find_bar.open(selected if selected and "\n" not in selected else "")

    def _on_find_closed(self) -> None:
        self._finder.stop()
        self._find_bar.hide()
        self._canvas.setFocus()

    # --- Input ---

    def _send(self, data: bytes) -> None:
        """Send what the user typed: they want to see what comes of it."""
        self.input_ready.emit(data)
        screen = self._emulation.screen
        if screen is not None and screen.selected_text():
            screen.clear_selection()
            self._emulation.changed.emit()
        self._scroll_to_end()

    def _on_typed(self, data: bytes) -> None:
        if not self._ended:
            self._canvas.rest_no_more()
            self._send(data)
        elif data == b"\r":
            self.restart_requested.emit()

    def _on_answered(self, data: bytes) -> None:
        if not self._ended:
            self.input_ready.emit(data)

    def _on_commanded(self, command: str) -> None:
        self._commands[command]()

    def _on_menu_asked(self, position: QPoint) -> None:
        self._menu().popup(position)

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copy = menu.addAction("Copy", QKeySequence("Ctrl+Shift+C"), self.copy)
        copy.setEnabled(bool(self.selected_text()))
        past = menu.addAction("Paste", QKeySequence("Ctrl+Shift+V"), self.paste)
        past.setEnabled(not self._ended)
        menu.addAction("Select all", self.select_all)
        menu.addSeparator()
        menu.addAction("Find…", QKeySequence("Ctrl+Shift+F"), self.open_search)
        menu.addAction("Clear", self.clear)
        return menu

    # --- Scrolling ---

    def scroll_by(self, rows: int) -> None:
        """Show what is ``rows`` further down, or up."""
        self._scroll_bar.setValue(self._scroll_bar.value() + rows)

    def _scroll_to_end(self) -> None:
        screen = self._emulation.screen
        if screen is not None and not screen.scroll().at_end:
            screen.scroll_to_end()
            self._emulation.changed.emit()

    def _on_scroll_bar_moved(self, value: int) -> None:
        if self._emulation.screen is not None:
            self._emulation.screen.scroll_to(value)
            self._emulation.changed.emit()

    def _show_scroll(self) -> None:
        screen = self._emulation.screen
        if screen is None:
            return
        scroll = screen.scroll()
        bar = self._scroll_bar
        blocked = bar.blockSignals(True)
        bar.setRange(0, max(0, scroll.total - scroll.shown))
        bar.setPageStep(scroll.shown)
        bar.setValue(scroll.offset)
        bar.blockSignals(blocked)

    def _on_failed(self, error: DockDeskError) -> None:
        self._end_bar.button.hide()
        self._ended = True
        self._end_bar.say(
            "\n".join(part for part in (error.title, error.detail, error.hint) if part)
        )


class TerminalSink(QObject):
    """Feeds a stream into a terminal; ``over`` is its end, on the GUI thread, with a DockDeskError or None.

    It is a `dockdesk.core.streams.Sink` of bytes and lives as long as its terminal.
    """

    over = Signal(object)

    def __init__(self, emulation: Emulation, parent: QObject) -> None:
        super().__init__(parent)
        self._emulation = emulation

    def put(self, items: Sequence[bytes]) -> None:
        for item in items:
            self._emulation.feed(item)

    def ended(self, error: DockDeskError | None) -> None:
        self.over.emit(error)
