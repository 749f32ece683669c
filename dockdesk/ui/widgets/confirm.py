"""The question before harm: what will happen, to what, and where."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLineEdit, QListView, QWidget

from dockdesk.core.actions import Danger, Equivalent
from dockdesk.core.environments import Environment, Guard
from dockdesk.ui.actions.questions import Question
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.dot import Dot
from dockdesk.ui.widgets.equivalents import EquivalentView
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.plain import ZERO_WIDTH_SPACE, breakable, one_line

_ROW = 28
_ROWS_SEEN = 6


class ConfirmDialog(Dialog):
    """Emits ``confirmed`` when the user agrees; closing, Escape and Cancel do nothing.

    ``typed`` is a word that has to be typed first, ``skipped`` how many of the chosen rows are left out.
    Cancel is the default where something is destroyed, so that a hasty Enter does no harm.
    """

    confirmed = Signal()

    def __init__(
        self,
        theme: Theme,
        title: str,
        verb: str,
        *,
        consequence: str = "",
        names: Sequence[str] = (),
        skipped: int = 0,
        typed: str = "",
        danger: Danger = Danger.DISRUPTS,
        environment: Environment | None = None,
        equivalents: Sequence[Equivalent] = (),
        icon: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, title, 460, parent)
        self._typed = typed
        destroys = danger >= Danger.DESTROYS
        if environment is not None:
            self.body.addLayout(_where(theme, environment))
        if consequence:
            self.body.addWidget(PlainLabel(theme, consequence, wrap=True))
        if len(names) > 1:
            self.body.addWidget(_name_list(theme, names))
        if skipped:
            words = (
                "One chosen row is left out: it can’t be done to it now."
                if skipped == 1
                else f"{skipped} chosen rows are left out: it can’t be done to them now."
            )
            self.body.addWidget(PlainLabel(theme, words, "small", "muted", wrap=True))
        if typed:
            self._add_typing(typed)
        if equivalents:
            self._add_equivalents(equivalents)
        self.body.addStretch(1)
        self.cancel = self.add_button(Button(theme, "Cancel"))
        self.cancel.clicked.connect(self.reject)
        self.agree = self.add_button(Button(theme, verb, icon, "danger" if destroys else "primary"))
        self.agree.clicked.connect(self._on_agreed)
        self.agree.setEnabled(not typed)
        default = self.cancel if destroys and not typed else self.agree
        default.setDefault(True)
        (self.field if typed else default).setFocus(Qt.FocusReason.OtherFocusReason)

    @classmethod
    def for_question(
        cls, theme: Theme, question: Question, parent: QWidget | None = None
    ) -> ConfirmDialog:
        """The dialog for an action's question."""
        action, targets = question.action, question.targets
        what = f"{len(targets)} selected" if len(targets) > 1 else "".join(targets[:1])
        verb = action.title.rstrip("….")
        return cls(
            theme,
            f"{verb}: {one_line(what, 80)}?" if what else f"{verb}?",
            verb,
            consequence=question.consequence,
            names=targets,
            skipped=question.skipped,
            typed=question.typed,
            danger=action.danger,
            environment=question.environment,
            equivalents=question.equivalents,
            icon=action.icon,
            parent=parent,
        )

    def _add_typing(self, typed: str) -> None:
        self.body.addWidget(
            PlainLabel(self.theme, "To confirm, type this name:", "small", "muted", wrap=True)
        )
        self.body.addWidget(
            PlainLabel(self.theme, breakable(typed), "mono_strong", wrap=True, selectable=True)
        )
        self.field = QLineEdit(self)
        self.field.setAccessibleName("The name, to confirm")
        self.field.setFont(self.theme.font("mono"))
        self.field.textChanged.connect(self._on_typed)
        self.body.addWidget(self.field)

    def _add_equivalents(self, equivalents: Sequence[Equivalent]) -> None:
        view = EquivalentView(self.theme)
        view.set_equivalents(equivalents)
        view.setMaximumHeight(140)
        view.setVisible(False)
        more = Button(self.theme, "Show as commands", "terminal-2", "flat")
        more.clicked.connect(more.hide)
        more.clicked.connect(view.show)
        more.clicked.connect(lambda: self.resize(self.sizeHint()))
        row = QHBoxLayout()
        row.addWidget(more)
        row.addStretch(1)
        self.body.addLayout(row)
        self.body.addWidget(view)

    def _on_typed(self, text: str) -> None:
        # What is copied from the label above has its invisible breaks in it.
        typed = text.replace(ZERO_WIDTH_SPACE, "").strip()
        self.agree.setEnabled(typed == self._typed.strip())

    def _on_agreed(self) -> None:
        self.accept()
        self.confirmed.emit()


def _where(theme: Theme, environment: Environment) -> QHBoxLayout:
    """The line that says which environment is meant."""
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(Dot(theme, lambda theme: theme.environment(environment.colour), radius=5))
    words = one_line(environment.name, 60)
    if environment.guard is Guard.PROTECTED:
        words += " (protected)"
    row.addWidget(PlainLabel(theme, f"In {words}", tone="muted"))
    row.addStretch(1)
    return row


def _name_list(theme: Theme, names: Sequence[str]) -> QListView:
    """The names, however many: only what is seen is drawn."""
    view = QListView()
    view.setModel(QStringListModel([one_line(name, 200) for name in names], view))
    view.setProperty("look", "boxed")
    view.setUniformItemSizes(True)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    view.setFont(theme.font("strong"))
    view.setAccessibleName("What it is done to")
    view.ensurePolished()
    row = max(_ROW, view.sizeHintForRow(0))
    view.setFixedHeight(min(len(names), _ROWS_SEEN) * row + 14)
    return view
