"""The log panel: a log to follow, search, filter, copy and save, from one source or several.

It knows of sources and streams of bytes and nothing of what writes them, so it serves containers, pods and hosted logs.

    panel.set_sources([LogSource(container.id, container.name)])
    subscription = engine.logs(container.id, panel.query.log_query(), panel.sink_for(container.id))
    panel.connected()

On ``query_changed`` the panel has emptied itself: close the streams and open them again as above, with its new query
and new sinks. On ``retry_requested`` what is there is kept: open each of `lost_sources` again, with its `resume_query`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QMenu, QStackedWidget, QVBoxLayout, QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.bridge.streams import Pulse
from dockdesk.core.errors import DockDeskError
from dockdesk.core.logs.store import MAX_BYTES, LogSnapshot, LogSource
from dockdesk.core.ports import LogChunk, LogQuery
from dockdesk.core.streams import Sink
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.empty import EmptyState, LoadingState, StateButton
from dockdesk.ui.widgets.labels import Line
from dockdesk.ui.widgets.log.feed import FeedState, LogFeed
from dockdesk.ui.widgets.log.gate import PaintGate
from dockdesk.ui.widgets.log.hits import AllRows, ShownRows
from dockdesk.ui.widgets.log.matcher import Hit, SearchSpec
from dockdesk.ui.widgets.log.query import LogPanelQuery, LogRange
from dockdesk.ui.widgets.log.search import LogSearch
from dockdesk.ui.widgets.log.status import LogStatus
from dockdesk.ui.widgets.log.taker import LogTaker
from dockdesk.ui.widgets.log.toolbar import LogToolbar
from dockdesk.ui.widgets.log.view import LogView

_FIND_KEYS = (
    QKeySequence.StandardKey.Find,
    QKeySequence.StandardKey.FindNext,
    QKeySequence.StandardKey.FindPrevious,
    QKeySequence.StandardKey.Save,
)


_Message = tuple[str, str, str, tuple[StateButton, ...]]  # icon, title, detail, buttons


class LogPanel(QWidget):
    """View, tools and status of one log. ``max_bytes`` bounds what it keeps; the oldest lines go first."""

    query_changed = Signal(object)
    retry_requested = Signal()

    def __init__(
        self,
        theme: Theme,
        jobs: Jobs,
        pulse: Pulse,
        parent: QWidget | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        super().__init__(parent)
        self._query = LogPanelQuery()
        self._ended_text = "Ended"
        self._empty_text = ("No output yet", "What it prints will appear here.")
        self._timestamped = False
        self._filtering = False
        self._filtered = False
        self._said: _Message | None = None
        self._gate = PaintGate()
        self.feed = LogFeed(jobs, pulse, self._gate, max_bytes, self)
        self.search = LogSearch(jobs, pulse, self._gate, self)
        self.toolbar = LogToolbar(theme, self)
        self.view = LogView(theme, self.search, self._gate, self)
        self.status = LogStatus(theme, self)
        self._taker = LogTaker(jobs, self.view, self)
        self._loading = LoadingState(theme, "Loading the log…")
        self._empty = EmptyState(theme, "notes")
        self._pages = QStackedWidget(self)
        for page in (self.view, self._loading, self._empty):
            self._pages.addWidget(page)
        # What is said instead of lines may be cut, not make the panel wide.
        self._pages.setMinimumSize(120, 60)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for widget in (self.toolbar, Line(self), self._pages, Line(self), self.status):
            layout.addWidget(widget, 1 if widget is self._pages else 0)
        self._snapshot = self.feed.store.snapshot()
        self._connect()
        self._refresh()

    def _connect(self) -> None:
        tools, search = self.toolbar, self.toolbar.search
        self.feed.changed.connect(self._on_feed_changed)
        self.search.changed.connect(self._on_search_changed)
        self.search.failed.connect(search.show_problem)
        self.search.found.connect(self._on_found)
        self.view.follow_changed.connect(tools.follow.setChecked)
        self.view.copy_asked.connect(lambda: self._taker.copy(False))
        self.view.selection_done.connect(self._taker.offer_selection)
        self.view.menu_asked.connect(self._on_menu_asked)
        tools.follow.toggled.connect(self._on_follow_toggled)
        tools.wrap.toggled.connect(self.view.set_wrapped)
        tools.stamps.toggled.connect(self._on_stamps_toggled)
        tools.outputs.chosen.connect(self._on_outputs_chosen)
        tools.range.chosen.connect(self._on_range_chosen)
        tools.copy.clicked.connect(lambda: self._taker.copy(True))
        tools.save.clicked.connect(self._taker.ask_where)
        tools.clear.clicked.connect(self.clear)
        search.spec_changed.connect(self._on_spec_changed)
        search.next_asked.connect(self.find_next)
        search.filter_toggled.connect(self._on_filter_toggled)
        search.left.connect(self.view.setFocus)
        self._taker.told.connect(self.status.show_message)
        self.status.retry_asked.connect(self.retry_requested)

    # For the owner.

    @property
    def query(self) -> LogPanelQuery:
        """What to stream: depends on the number of sources, so ask after `set_sources`."""
        merged = len(self.feed.sources) > 1
        return replace(self._query, timestamps=self.toolbar.stamps.isChecked() or merged)

    def set_sources(self, sources: Sequence[LogSource]) -> None:
        """Empty the panel and wait for the streams of these. Their order gives them their colours."""
        self.feed.sources = tuple(sources)
        self._restart()

    def sink_for(self, source_id: str) -> Sink[LogChunk]:
        """Where to stream a source to, on any thread; what it was streamed to before is deaf from now on."""
        return self.feed.sink(source_id)

    def connected(self) -> None:
        """The streams are open: from now on silence means that there is no output."""
        self.feed.connected()

    def set_words(self, ended: str, empty: str, empty_detail: str = "") -> None:
        """What to say when the streams have ended, such as "Container exited with code 0", and when nothing came."""
        self._ended_text = ended
        self._empty_text = (empty, empty_detail)
        self._show_state()

    def lost_sources(self) -> list[str]:
        """Ids of the sources whose streams broke."""
        return self.feed.lost()

    def resume_query(self, source_id: str = "") -> LogQuery:
        """What to stream to go on with a source whose stream is over.

        Without a source: from where the first of those that are over stopped, which repeats some lines of the others.
        """
        ids = [source_id] if source_id else self.feed.over() or [s.id for s in self.feed.sources]
        heard = [self.feed.heard_until(id) for id in ids]
        known = [moment for moment in heard if moment is not None]
        return self.query.log_query(min(known) if known and len(known) == len(heard) else None)

    def clear(self) -> None:
        """Forget the lines so far; the streams go on."""
        self.feed.store.clear()
        self._refresh()

    # Searching.

    def focus_search(self) -> None:
        field = self.toolbar.search.field
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        field.selectAll()

    def find_next(self, backwards: bool = False) -> None:
        """Go to the next hit; the first time to the newest one if the view follows, else from the top line on."""
        current = self.search.current
        if current is not None:
            self.search.find(
                current.row, current.start if backwards else current.start + 1, backwards
            )
        elif self.view.following:
            self.search.find(self._snapshot.last_row, 0, backwards=True)
        else:
            self.search.find(self.view.first_shown().row, 0, backwards)

    def _on_spec_changed(self, spec: SearchSpec | None) -> None:
        if spec is None:
            self.toolbar.search.show_count("", False)
        self.search.start(spec)
        self._refresh()

    def _on_search_changed(self) -> None:
        with self._gate.drawing():
            self._show_count()
            if self._filters or self._filtered:
                self._look()
            else:
                self._mark()

    def _on_found(self, hit: Hit | None) -> None:
        if hit is not None:
            self.view.show_hit(hit)

    def _on_filter_toggled(self, on: bool) -> None:
        self._filtering = on
        self.search.note_rows(on)
        self._refresh()

    def _show_count(self) -> None:
        search = self.search
        if not search.active:
            if search.spec is None and not self.toolbar.search.problem:
                self.toolbar.search.show_count("", False)
            return
        hits = search.index.hits
        place = search.index.place(search.current) if search.current is not None else 0
        words = f"{hits:,} hit{'' if hits == 1 else 's'}" if hits else "No hits"
        if place:
            words = f"{place:,} of {hits:,}"
        if search.scanning and not hits:
            words = "Searching…"
        self.toolbar.search.show_count(words, hits > 0)

    def _mark(self) -> None:
        marks = [] if self._filters else self.search.index.marks()
        self.view.set_marks(marks, self.search.current)

    # Content and state.

    def _restart(self) -> None:
        query = self.query
        self._timestamped = query.timestamps
        self.feed.open(self.feed.sources, query.timestamps)
        self._refresh()

    def _on_feed_changed(self) -> None:
        self._show_state()
        # A hidden panel costs nothing: it looks when it is shown.
        if self.isVisible():
            self._refresh()

    def _refresh(self) -> None:
        with self._gate.drawing():
            self._look()

    def _look(self) -> None:
        """Take what the store holds now."""
        self.feed.store.acknowledge()
        self._snapshot = snapshot = self.feed.store.snapshot()
        self.search.update(snapshot)
        shown = self._shown(snapshot)
        self._filtered = self._filters
        self.view.set_content(snapshot, shown)
        self._taker.use(snapshot, shown)
        self.status.show_amount(snapshot, len(shown) if self._filters else None)
        self._mark()
        self._show_state()

    @property
    def _filters(self) -> bool:
        """Whether only matching lines are shown: not while there is nothing to match, or not known yet what does."""
        return self._filtering and self.search.active and self.search.ready

    def _shown(self, snapshot: LogSnapshot) -> ShownRows:
        if self._filters:
            return self.search.index.matching_rows()
        return AllRows(snapshot.first_row, snapshot.last_row)

    def _show_state(self) -> None:
        state, error = self.feed.state, self.feed.error
        message = self._message(state, error)
        self.status.show_state(state, self._ended_text, error, message is None)
        if message is None:
            self._pages.setCurrentWidget(self.view)
        elif state is FeedState.LOADING:
            self._pages.setCurrentWidget(self._loading)
        else:
            if message != self._said:
                self._said = message
                self._empty.show_message(*message)
            self._pages.setCurrentWidget(self._empty)

    def _message(self, state: FeedState, error: DockDeskError | None) -> _Message | None:
        """What to say instead of lines; None if there are some."""
        if self._snapshot.last_row > self._snapshot.first_row:
            if self._filters and not self.search.index.hits:
                show_all = StateButton("Show all lines", self._end_filter)
                return "filter-off", "No line matches", "", (show_all,)
            return None
        if error is not None:
            retry = StateButton("Retry", self.retry_requested.emit, "primary", "refresh")
            detail = "\n".join(part for part in (error.detail, error.hint) if part)
            return "plug-connected-x", error.title, detail, (retry,)
        if state is FeedState.ENDED:
            return "notes", "No output", self._ended_text, ()
        return "notes", *self._empty_text, ()

    def _end_filter(self) -> None:
        self.toolbar.search.filter.setChecked(False)

    # Tools.

    def _on_follow_toggled(self, on: bool) -> None:
        if on != self.view.following:
            self.view.set_following(on)

    def _on_stamps_toggled(self, on: bool) -> None:
        self.view.set_stamps(on)
        self._taker.stamps = on
        if on and not self._timestamped:
            self._ask_again()

    def _on_outputs_chosen(self, stdout: bool, stderr: bool) -> None:
        self._query = replace(self._query, stdout=stdout, stderr=stderr)
        self._ask_again()

    def _on_range_chosen(self, chosen: LogRange) -> None:
        self._query = replace(self._query, range=chosen)
        self._ask_again()

    def _ask_again(self) -> None:
        if self.feed.sources:
            self._restart()
            self.query_changed.emit(self.query)

    def _on_menu_asked(self, point: QPoint) -> None:
        self.make_menu().popup(point)

    def make_menu(self) -> QMenu:
        """The context menu; it deletes itself when closed."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copy = menu.addAction("Copy", lambda: self._taker.copy(False))
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setEnabled(self.view.selection.range is not None)
        menu.addAction("Select all", self.view.select_all)
        menu.addSeparator()
        menu.addAction("Save…", self._taker.ask_where)
        menu.addAction("Clear", self.clear)
        return menu

    # Events.

    def event(self, event: QEvent) -> bool:
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and self._is_own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.FindNext):
            self.find_next()
        elif event.matches(QKeySequence.StandardKey.FindPrevious):
            self.find_next(backwards=True)
        elif event.matches(QKeySequence.StandardKey.Save):
            self._taker.ask_where()
        elif self._is_own(event):
            self.focus_search()
        elif event.key() == Qt.Key.Key_Escape and self.view.clear_selection():
            return
        else:
            super().keyPressEvent(event)

    def _is_own(self, event: QKeyEvent) -> bool:
        slash = event.key() == Qt.Key.Key_Slash and not event.modifiers()
        return slash or any(event.matches(keys) for keys in _FIND_KEYS)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()
