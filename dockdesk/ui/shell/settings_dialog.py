"""The settings, shown from their declarations: to add one, declare it.

A row takes a millisecond to make and another to lay out: the first group is there when the dialog opens, the others
come one by one while it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QSpacerItem,
    QVBoxLayout,
    QWidget,
)

from dockdesk.core.forms import Field, FieldKind
from dockdesk.core.preferences import SHOWN
from dockdesk.core.settings import Setting, SettingKind, Settings
from dockdesk.ui.theme import Theme
from dockdesk.ui.widgets.buttons import Button, IconButton
from dockdesk.ui.widgets.dialogs import Dialog
from dockdesk.ui.widgets.empty import EmptyState
from dockdesk.ui.widgets.form_fields import FieldEditor, make_editor
from dockdesk.ui.widgets.labels import Line, PlainLabel
from dockdesk.ui.widgets.scroll import ContentScroll
from dockdesk.ui.widgets.search_field import SearchField
from dockdesk.ui.widgets.turns import Turns

_WIDTH, _HEIGHT = 820, 560
_EDITOR_WIDTH = 210
_KINDS = {
    SettingKind.SWITCH: FieldKind.CHECK,
    SettingKind.CHOICE: FieldKind.CHOICE,
    SettingKind.NUMBER: FieldKind.NUMBER,
    SettingKind.TEXT: FieldKind.TEXT,
}


class SettingsDialog(Dialog):
    """What is changed applies at once, and each setting can go back to its default. The owner saves."""

    def __init__(
        self,
        theme: Theme,
        settings: Settings,
        shown: Sequence[Setting[Any]] = SHOWN,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "Settings", _WIDTH, parent)
        self._settings = settings
        self._shown = tuple(shown)
        self._rows: dict[str, SettingRow] = {}
        self._groups = list(dict.fromkeys(item.group for item in shown))
        self._headings: dict[str, PlainLabel] = {}
        self.search = SearchField(theme, "Search settings", parent=self)
        self.search.searched.connect(self._on_searched)
        self.search.left.connect(self.reject)
        self.groups = QListWidget(self)
        self.groups.ensurePolished()  # else rows get the height of an unstyled list
        self.groups.addItems(self._groups)
        self.groups.setFixedWidth(170)
        self.groups.setAccessibleName("Groups of settings")
        self.groups.setCurrentRow(0)
        self.groups.currentRowChanged.connect(self._on_group_chosen)
        self._nothing: EmptyState | None = None
        self._make_columns()
        self._then: Callable[[], None] | None = None
        rest = [partial(self._add_group, group) for group in self._groups[1:]]
        self._rest = Turns([*rest, self._place_all], self)
        self.reset_all = Button(theme, "Reset all", "arrow-back-up", "flat")
        self.reset_all.clicked.connect(self._on_reset_all_clicked)
        self.buttons.insertWidget(0, self.reset_all)
        close = self.add_button(Button(theme, "Close", look="primary"))
        close.clicked.connect(self.accept)
        close.setDefault(True)
        ends = [settings.listen(item, self._on_setting_changed) for item in shown]
        # Also where the dialog goes with its window, without being closed.
        for over in (self.finished, self.destroyed):
            over.connect(lambda *_: [end() for end in ends])
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def sizeHint(self) -> QSize:
        screen = self.screen().availableSize()
        return QSize(min(_WIDTH, screen.width()), min(_HEIGHT, screen.height()))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._rest.begin()

    def row(self, key: str) -> SettingRow:
        self._rest.finish()
        return self._rows[key]

    def go_to(self, key: str) -> None:
        """Bring a setting into view and put the cursor into it; a key that is not shown does nothing."""

        def reveal() -> None:
            if (row := self._rows.get(key)) is not None:
                self._area.ensureWidgetVisible(row)
                row.editor.input().setFocus(Qt.FocusReason.OtherFocusReason)

        self._with_all(reveal)

    def _with_all(self, then: Callable[[], None]) -> None:
        """Call ``then`` once all rows are there and in their places; the last who asked is the one who is called."""
        if self._rest.over:
            then()
        else:
            self._then = then

    def _place_all(self) -> None:
        for row in self._rows.values():
            row.show()
        self._column.activate()
        QCoreApplication.sendEvent(self._area, QEvent(QEvent.Type.LayoutRequest))
        if (then := self._then) is not None:
            self._then = None
            then()

    def _make_columns(self) -> None:
        columns = QHBoxLayout()
        columns.setSpacing(20)
        self.body.addLayout(columns)
        side = QVBoxLayout()
        side.setSpacing(8)
        self.search.setFixedWidth(170)
        columns.addLayout(side)
        side.addWidget(self.search)
        side.addWidget(self.groups, 1)
        # Top down: a widget that moves to another parent is styled again, with all that is in it.
        page = QWidget()
        self._area = ContentScroll(page, self)
        columns.addWidget(self._area, 1)
        self._page = page
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(4, 0, 12, 12)
        self._column.setSpacing(12)
        self._column.addStretch(1)
        for group in self._groups[:1]:
            self._add_group(group)

    def _add_group(self, group: str) -> None:
        heading = PlainLabel(self.theme, group, "heading", parent=self._page)
        if self._headings:
            self._put(QSpacerItem(0, 8))
        self._headings[group] = heading
        self._put(heading)
        for item in self._shown:
            if item.group == group:
                row = SettingRow(self.theme, self._settings, item, self._page)
                self._rows[item.key] = row
                self._put(row)

    def _put(self, part: QWidget | QSpacerItem) -> None:
        """Below what is there, above the stretch at the end."""
        at = self._column.count() - 1
        if isinstance(part, QWidget):
            self._column.insertWidget(at, part)
        else:
            self._column.insertItem(at, part)

    def _on_searched(self, text: str) -> None:
        self._rest.finish()
        seen: set[str] = set()
        for row in self._rows.values():
            fits = row.matches(text)
            row.setVisible(fits)
            if fits:
                seen.add(row.setting.group)
        for group, heading in self._headings.items():
            heading.setVisible(group in seen)
        if not seen and self._nothing is None:
            self._nothing = EmptyState(
                self.theme, "search", "No setting matches", "Try another word.", parent=self._page
            )
            self._put(self._nothing)
        if self._nothing is not None:
            self._nothing.setVisible(not seen)
        self.groups.setEnabled(not text)

    def _on_group_chosen(self, number: int) -> None:
        def reveal() -> None:
            heading = self._headings[self._groups[number]]
            self._area.verticalScrollBar().setValue(heading.y())

        if number >= 0:
            self._with_all(reveal)

    def _on_setting_changed(self, _value: Any) -> None:
        for row in self._rows.values():
            row.refresh()

    def _on_reset_all_clicked(self) -> None:
        self._rest.finish()
        for row in self._rows.values():
            self._settings.reset(row.setting)
            row.reload()


class SettingRow(QFrame):
    """One setting: its words, its editor, and the way back to its default."""

    def __init__(
        self, theme: Theme, settings: Settings, setting: Setting[Any], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setting = setting
        self._settings = settings
        self.editor = _make_editor(theme, setting, self)
        self.editor.setFixedWidth(_EDITOR_WIDTH)
        words = f"Reset “{setting.title}” to its default"
        self.reset = IconButton(theme, "arrow-back-up", words, parent=self)
        # The place is kept, so that nothing moves when it shows.
        policy = self.reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(policy)
        self.reset.clicked.connect(self._on_reset_clicked)
        self.problem = PlainLabel(theme, "", "small", "bad", wrap=True, parent=self)
        help = PlainLabel(theme, setting.help, "small", "muted", wrap=True, parent=self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        line = QHBoxLayout()
        line.setSpacing(12)
        layout.addLayout(line)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        line.addLayout(texts, 1)
        texts.addWidget(PlainLabel(theme, setting.title, "strong", parent=self))
        texts.addWidget(help)
        texts.addWidget(self.problem)
        line.addWidget(self.editor, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.reset, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(Line(self))
        self.reload()
        self.editor.changed.connect(self._on_changed)

    def matches(self, text: str) -> bool:
        """Whether every word of ``text`` is found in the setting's words."""
        item = self.setting
        words = " ".join((item.title, item.help, item.group, *(c.title for c in item.choices)))
        return all(word in words.casefold() for word in text.casefold().split())

    def reload(self) -> None:
        """Show the setting's value, in place of what was typed."""
        if self.editor.value() != (value := self._settings.get(self.setting)):
            self.editor.set_value(value)
        self._show_problem(None)
        self.refresh()

    def refresh(self) -> None:
        """Follow a change made elsewhere, such as the theme by a shortcut; what is being typed stays."""
        value = self._settings.get(self.setting)
        being_typed = self.editor.input().hasFocus() or bool(self.problem.text())
        if not being_typed and self.editor.value() != value:
            self.editor.set_value(value)
        self.reset.setVisible(not self._settings.is_default(self.setting))

    def _on_changed(self) -> None:
        value = self.editor.value()
        problem = self.setting.problem(value)
        self._show_problem(problem)
        if problem is None:
            self._settings.set(self.setting, value)
        self.refresh()

    def _on_reset_clicked(self) -> None:
        self._settings.reset(self.setting)
        self.reload()
        self.editor.input().setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_problem(self, problem: str | None) -> None:
        self.problem.setText(problem or "")
        self.problem.setVisible(problem is not None)
        self.editor.set_invalid(problem is not None)


def _make_editor(theme: Theme, setting: Setting[Any], parent: QWidget) -> FieldEditor:
    editor = make_editor(
        Field(
            setting.key,
            "" if setting.kind is SettingKind.SWITCH else setting.title,
            _KINDS[setting.kind],
            default=setting.default,
            choices=setting.choices,
            minimum=setting.minimum,
            maximum=setting.maximum,
            unit=setting.unit,
        ),
        theme,
        parent,
    )
    editor.input().setAccessibleName(setting.title)
    editor.input().setAccessibleDescription(setting.help)
    return editor
