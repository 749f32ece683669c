"""What stands in the pane while nothing is open: ways to begin, and what was open before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.empty import EmptyState, StateButton
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import one_line, plain_tip

_RECENT = 6
_WIDTH = 440
_HEIGHT = 220  # of the words with their icon


class StartPage(QFrame):
    """``recent_chosen`` carries a path. Files can be dropped anywhere on the pane."""

    recent_chosen = Signal(object)

    def __init__(
        self,
        theme: Theme,
        buttons: Sequence[StateButton],
        more: Sequence[StateButton] = (),
        parent: QWidget | None = None,
    ) -> None:
        """``more`` are further ways, less prominent."""
        super().__init__(parent)
        self.setProperty("look", "card")
        self._theme = theme
        self._list = QWidget()
        self._list.setFixedWidth(_WIDTH)
        self._column = QVBoxLayout(self._list)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._buttons = tuple(buttons)
        self.empty = EmptyState(theme)
        self.show_folder(None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.more: list[Button] = []
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        for description in more:
            button = Button(theme, description.title, description.icon, description.look)
            button.clicked.connect(lambda _on=False, run=description.run: run())
            self.more.append(button)
            row.addWidget(button)
        row.addStretch(1)
        layout.addStretch(2)
        self.empty.setMinimumHeight(_HEIGHT)
        layout.addWidget(self.empty)
        layout.addLayout(row)
        layout.addSpacing(24)
        layout.addWidget(self._list, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    def show_folder(self, folder: Path | None, draft: Callable[[], None] | None = None) -> None:
        """Say that ``folder``, which is open, has no Dockerfile, and offer to ``draft`` one; None for no folder."""
        if folder is None or draft is None:
            self.empty.show_message(
                "file-code",
                "Write a Dockerfile",
                "Open a project’s folder or a file, or drop one here. "
                "It is checked while you type, and nothing you type is lost.",
                self._buttons,
            )
            return
        others = [replace(button, look="usual") for button in self._buttons]
        self.empty.show_message(
            "file-code",
            f"{one_line(folder.name, 60)} has no Dockerfile yet",
            "Its own files tell what it is: a Dockerfile and a .dockerignore can be drafted from them, "
            "each line explained.",
            (StateButton("Draft a Dockerfile…", draft, "primary", "bulb"), *others[::2]),
        )

    def set_recent(self, paths: Sequence[Path]) -> None:
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if paths:
            label = PlainLabel(self._theme, "Recent", "small", "muted")
            label.setContentsMargins(13, 0, 0, 2)
            self._column.addWidget(label)
        home = str(Path.home())
        for path in paths[:_RECENT]:
            folder = str(path.parent)
            where = "~" + folder.removeprefix(home) if folder.startswith(home) else folder
            metrics = self.fontMetrics()
            words = f"{one_line(path.name, 60)}   {one_line(where)}"
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideMiddle, _WIDTH - 60)
            named = path.suffix or path.name.lower().startswith(("dockerfile", "containerfile"))
            icon = "file-code" if named else "folder"
            button = Button(self._theme, shown, icon, "flat")
            button.setStyleSheet("text-align: left")
            button.setToolTip(plain_tip(str(path)))
            button.clicked.connect(lambda _on=False, path=path: self.recent_chosen.emit(path))
            self._column.addWidget(button)
        self._list.setVisible(bool(paths))
