"""Dialogs: a form to fill in, and a question before harm. Both are shown with `open`, so nothing waits for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.bridge.jobs import Jobs
from dockdesk.core.actions import Equivalent
from dockdesk.core.errors import DockDeskError
from dockdesk.core.forms import Form
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.empty import StateButton
from dockdesk.ui.widgets.equivalents import EquivalentView
from dockdesk.ui.widgets.forms import FormView
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.notice import MessageCard
from dockdesk.ui.widgets.plain import one_line
from dockdesk.ui.widgets.scroll import ContentScroll

_PREVIEW_DELAY_MS = 150
_NEXT_TURN_MS = 2
_SCREEN_SHARE = 0.85

Preview = Callable[[Mapping[str, Any]], Sequence[Equivalent]]


class Dialog(QDialog):
    """A title, a body that scrolls when it has to, messages, and buttons. Deletes itself when closed."""

    def __init__(
        self, theme: Theme, title: str, width: int = 480, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(one_line(title, 120))
        self.setModal(True)
        self._width = width
        self.heading = PlainLabel(theme, title, "heading", wrap=True)
        self.body = QVBoxLayout()
        self.body.setSpacing(12)
        self.messages = QVBoxLayout()
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self.buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(self.heading)
        layout.addLayout(self.body, 1)
        layout.addLayout(self.messages)
        layout.addLayout(self.buttons)

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        screen = self.screen().availableSize() * _SCREEN_SHARE
        layout = self.layout()
        height = layout.heightForWidth(self._width) if layout is not None else 0
        height = max(hint.height(), height)
        return QSize(min(self._width, screen.width()), min(height, screen.height()))

    def open_soon(self, then: Callable[[], None] | None = None) -> None:
        """Show it when the event loop next comes round, then call ``then``: making it took its time, as this does."""

        def show() -> None:
            self.open()
            if then is not None:
                then()

        QTimer.singleShot(_NEXT_TURN_MS, self, show)

    def setVisible(self, visible: bool) -> None:
        if visible and not self.testAttribute(Qt.WidgetAttribute.WA_Resized):
            # Qt by itself would make it no taller than two thirds of the screen.
            self.resize(self.sizeHint())
        super().setVisible(visible)

    def say(self, card: QWidget | None) -> None:
        """Show a message above the buttons, or none."""
        while (item := self.messages.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if card is not None:
            self.messages.addWidget(card)

    def add_button(self, button: Button) -> Button:
        self.buttons.addWidget(button)
        return button


class FormDialog(Dialog):
    """Has a form filled in. ``submitted`` carries the values once nothing is wrong with them.

    The dialog closes on submit, unless ``stays`` is set: then its owner calls `close_done` or `show_error`, and what
    was typed is still there. ``preview`` shows the equivalents of what is typed, live.
    """

    submitted = Signal(dict)

    def __init__(
        self,
        theme: Theme,
        form: Form,
        jobs: Jobs | None = None,
        backend: Any = None,
        preview: Preview | None = None,
        *,
        danger: bool = False,
        stays: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, form.title, form.width, parent)
        self._preview = preview
        self._stays = stays
        self._sure = False
        # Top down: a widget that moves to another parent is styled again, with all that is in it.
        page = QWidget()
        self.body.addWidget(ContentScroll(page, self), 1)
        self.view = FormView(theme, form, jobs, backend, page)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self.equivalents = EquivalentView(theme, parent=self)
        self.equivalents.setMaximumHeight(130)
        self.equivalents.setVisible(preview is not None)
        self.body.addWidget(self.equivalents)
        self._cancel = self.add_button(Button(theme, "Cancel"))
        self._cancel.clicked.connect(self.reject)
        self.submit = self.add_button(
            Button(theme, form.submit, look="danger" if danger else "primary")
        )
        self.submit.setDefault(True)
        self.submit.clicked.connect(self._on_submit_clicked)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PREVIEW_DELAY_MS)
        self._timer.timeout.connect(self._show_preview)
        self.view.changed.connect(self._on_changed)
        self._show_preview()
        self.view.focus_first()

    def set_busy(self, busy: bool) -> None:
        """While what was submitted is being done: nothing can be changed."""
        self.view.setEnabled(not busy)
        self.submit.setEnabled(not busy)

    def show_error(self, error: DockDeskError) -> None:
        """Say what failed, at its field where it names one; everything typed is still there."""
        self.set_busy(False)
        if self.view.show_error(error):
            self.say(None)
            return
        card = MessageCard(self.theme, error.title, error.detail, error.hint, "bad")
        card.closed.connect(lambda: self.say(None))
        self.say(card)

    def close_done(self) -> None:
        """Close: what was submitted is done."""
        self._sure = True
        self.accept()

    def reject(self) -> None:
        """Close without submitting; asks first if something was typed."""
        if self._sure or not self.view.modified():
            super().reject()
            return
        buttons = (
            StateButton("Keep editing", lambda: self.say(None)),
            StateButton("Discard", self._discard, "danger"),
        )
        card = MessageCard(
            self.theme, "Discard what you typed?", tone="warn", buttons=buttons, closable=False
        )
        self.say(card)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.isVisible() and not self._sure and self.view.modified():
            event.ignore()
            self.reject()
            return
        super().closeEvent(event)

    def _discard(self) -> None:
        self._sure = True
        self.reject()

    def _on_changed(self) -> None:
        if self._preview is not None:
            self._timer.start()

    def _on_submit_clicked(self) -> None:
        values = self.view.accept()
        if values is None:
            return
        self.say(None)
        if self._stays:
            self.set_busy(True)
            self.submitted.emit(values)
        else:
            self.close_done()
            self.submitted.emit(values)

    def _show_preview(self) -> None:
        if self._preview is None:
            return
        if self.view.problems():
            self.equivalents.set_equivalents((), "Fill in the form to see the command.")
        else:
            self.equivalents.set_equivalents(self._preview(self.view.values()))
