"""The settings, shown from their declarations: to add one, declare it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
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
        self._nothing = EmptyState(
            theme, "search", "No setting matches", "Try another word.", parent=self
        )
        self._nothing.hide()
        self._make_columns(shown)
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

    def row(self, key: str) -> SettingRow:
        return self._rows[key]

    def go_to(self, key: str) -> None:
        """Bring a setting into view and put the cursor into it; a key that is not shown does nothing."""
        if (row := self._rows.get(key)) is not None:
            self._area.ensureWidgetVisible(row)
            row.editor.input().setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_columns(self, shown: Sequence[Setting[Any]]) -> None:
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
        column = QVBoxLayout(page)
        column.setContentsMargins(4, 0, 12, 12)
        column.setSpacing(12)
        for group in self._groups:
            heading = PlainLabel(self.theme, group, "heading", parent=page)
            self._headings[group] = heading
            column.addSpacing(8 if column.count() else 0)
            column.addWidget(heading)
            for item in shown:
                if item.group == group:
                    row = SettingRow(self.theme, self._settings, item, page)
                    self._rows[item.key] = row
                    column.addWidget(row)
        column.addWidget(self._nothing)
        column.addStretch(1)

    def _on_searched(self, text: str) -> None:
        seen: set[str] = set()
        for row in self._rows.values():
            fits = row.matches(text)
            row.setVisible(fits)
            if fits:
                seen.add(row.setting.group)
        for group, heading in self._headings.items():
            heading.setVisible(group in seen)
        self._nothing.setVisible(not seen)
        self.groups.setEnabled(not text)

    def _on_group_chosen(self, number: int) -> None:
        if number >= 0:
            heading = self._headings[self._groups[number]]
            self._area.verticalScrollBar().setValue(heading.y())

    def _on_setting_changed(self, _value: Any) -> None:
        for row in self._rows.values():
            row.refresh()

    def _on_reset_all_clicked(self) -> None:
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
