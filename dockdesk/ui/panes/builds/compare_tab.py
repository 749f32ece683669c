"""Two builds beside each other: what got slower, what lost its cache, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from dockdesk.bridge.builds import ARCHIVE_LANE
from dockdesk.core.builds.compare import Comparison, FileChanges, compare
from dockdesk.core.builds.records import BuildRecord
from dockdesk.core.columns import Tone
from dockdesk.core.units import age_text, bytes_text
from dockdesk.core.work import Work
from dockdesk.ui.panes.builds.columns import OUTCOMES, cached_text, seconds_text
from dockdesk.ui.panes.builds.content import ContentView
from dockdesk.ui.panes.builds.findings import Finding, FindingList
from dockdesk.ui.panes.builds.rows import BuildRow
from dockdesk.ui.panes.builds.steps_tab import changed_between, instruction_of
from dockdesk.ui.widgets.cards import Card
from dockdesk.ui.widgets.key_values import Fact, KeyValueGrid
from dockdesk.ui.widgets.labels import ElidedLabel, PlainLabel
from dockdesk.ui.widgets.scroll import ContentScroll

_OFFERED = 100  # builds to compare with
_LED_TO = 4  # steps that are named; the rest are counted
_NAMED = 12  # files of a kind that are named


def causes_of(found: Comparison) -> list[Finding]:
    """Where running again began, and what it led to."""
    findings = []
    for root in found.roots():
        led = found.led_to(root)
        after = root.after
        if after is None:
            continue
        spent = after.seconds + sum(each.after.seconds for each in led if each.after)
        text = root.reason
        if led:
            names = [instruction_of(each.after) for each in led[:_LED_TO] if each.after]
            more = f" and {len(led) - _LED_TO} more" if len(led) > _LED_TO else ""
            text += f"\nSo these ran again too: {'; '.join(names)}{more}."
        findings.append(Finding(instruction_of(after), text, seconds_text(spent), "warn"))
    return findings


def slower_of(found: Comparison) -> list[Finding]:
    """What took noticeably longer, the worst first."""
    findings = []
    for change in found.slower():
        after, before = change.after, change.before
        if after is None:
            continue
        was = f"from {seconds_text(before.seconds)} " if before is not None else ""
        text = f"{was}to {seconds_text(after.seconds)}"
        if before is not None and before.cached and not after.cached:
            text += "; it came from the cache before"
        findings.append(
            Finding(instruction_of(after), text, f"+{seconds_text(change.slower)}", "bad")
        )
    return findings


def figures_of(found: Comparison) -> list[Fact]:
    """The two builds in figures, each as “before → after”."""
    before, after = found.before, found.after
    facts = [
        Fact("Took", f"{seconds_text(before.seconds)} → {seconds_text(after.seconds)}"),
        Fact(
            "From the cache",
            f"{cached_text(before.cached_share)} → {cached_text(after.cached_share)}",
        ),
    ]
    if before.outcome != after.outcome:
        words = [OUTCOMES.get(each.outcome, (each.outcome, ""))[0] for each in (before, after)]
        facts.append(Fact("Outcome", " → ".join(words)))
    if before.size and after.size:
        change = after.size - before.size
        sign = "+" if change > 0 else "−"
        text = f"{bytes_text(before.size)} → {bytes_text(after.size)}"
        facts.append(Fact("Size", f"{text} ({sign}{bytes_text(abs(change))})" if change else text))
    if before.digest or before.image:
        same = (before.digest or before.image) == (after.digest or after.image)
        facts.append(Fact("Image", "the same" if same else "another one"))
    return facts


def inputs_of(found: Comparison) -> list[Fact]:
    """Arguments, base images and options that differ."""
    kinds: list[tuple[str, Sequence[tuple[str, str, str]], str]] = [
        ("", found.args, "default"),
        ("", found.bases, "none"),
        ("", found.options, "none"),
    ]
    facts = []
    for prefix, items, nothing in kinds:
        for name, was, now in items:
            text = f"{_short(was) or nothing} → {_short(now) or nothing}"
            facts.append(Fact(f"{prefix}{name}", text, mono=items is not found.options))
    if found.before.text != found.after.text:
        facts.append(Fact("Dockerfile", "has another text"))
    return facts


def files_of(files: FileChanges | None) -> list[Fact]:
    """The files of the context that differ, counted and named."""
    if files is None:
        return []
    kinds: list[tuple[str, tuple[str, ...], Tone]] = [
        ("changed", files.changed, "warn"),
        ("added", files.added, "good"),
        ("removed", files.removed, "bad"),
        ("touched", files.touched, "muted"),
    ]
    facts = []
    for word, paths, tone in kinds:
        if paths:
            more = f"\n… and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
            label = f"{len(paths):,} {word}"
            facts.append(Fact(label, "\n".join(paths[:_NAMED]) + more, mono=True, tone=tone))
    return facts


def _short(value: str) -> str:
    return value[:19] + "…" if value.startswith("sha256:") else value


class CompareView(ContentView[Comparison]):
    """With the build before, unless another one is chosen; or two chosen rows with each other."""

    def make_content(self) -> QWidget:
        theme = self.context.theme
        self._other: BuildRecord | None = None
        self._offered: list[BuildRecord] = []
        self._of = ""
        self.choice = QComboBox()
        self.choice.setAccessibleName("Compared with")
        self.choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.choice.setMinimumContentsLength(30)
        self.choice.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.choice.activated.connect(self._on_chosen)
        self._verdict = ElidedLabel(theme, role="strong")
        head = QHBoxLayout()
        head.setSpacing(8)
        label = PlainLabel(theme, "Compared with", tone="muted")
        label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        head.addWidget(label)
        head.addWidget(self.choice)
        head.addSpacing(4)
        head.addWidget(self._verdict)
        head.addStretch(1)
        self.causes = FindingList(theme, "Nothing ran that had not run before.")
        self.slower = FindingList(theme, "No step took noticeably longer.")
        left = QVBoxLayout()
        left.setSpacing(12)
        for title, widget in (("Why steps ran", self.causes), ("What got slower", self.slower)):
            left.addWidget(self._card(title, widget))
        left.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(12)
        self.grids: dict[str, tuple[KeyValueGrid, PlainLabel]] = {}
        for title, empty in (
            ("In figures", ""),
            ("What went in", "Arguments, base images and options are the same."),
            ("Files of the context", "They are the same."),
        ):
            right.addWidget(self._facts_card(title, empty))
        right.addStretch(1)
        columns = QHBoxLayout()
        columns.setSpacing(12)
        columns.addLayout(left, 3)
        columns.addLayout(right, 2)
        self._notes = PlainLabel(theme, "", "small", "muted", wrap=True)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(10)
        column.addLayout(head)
        column.addLayout(columns)
        column.addWidget(self._notes)
        column.addStretch(1)
        return ContentScroll(page)

    def _card(self, title: str, widget: QWidget) -> Card:
        card = Card(self.context.theme, title)
        card.body.addWidget(widget)
        return card

    def _facts_card(self, title: str, empty: str) -> Card:
        grid = KeyValueGrid(self.context.theme)
        grid.setAccessibleName(title)
        note = PlainLabel(self.context.theme, empty, tone="muted", wrap=True)
        card = self._card(title, grid)
        card.body.addWidget(note)
        self.grids[title] = (grid, note)
        return card

    def stamp(self, row: BuildRow) -> Any:
        other = self._other.id if self._other is not None else 0
        pair = tuple(each.key for each in self.rows[:2])
        return (*super().stamp(row), other, pair)

    def set_rows(self, rows: Sequence[BuildRow]) -> None:
        if not rows or rows[0].key != self._of:
            self._of, self._other = rows[0].key if rows else "", None
        super().set_rows(rows)

    def work(self, row: BuildRow) -> tuple[str, Callable[[Work], Comparison]] | None:
        pair = self._pair(row)
        if pair is None:
            return None
        before, after = pair
        archive = self.context.builds.archive
        self._offer(before, after)
        now = row if row.record is after else None

        def found(_work: Work) -> Comparison:
            if archive is None:
                return compare(before, after)
            return compare(before, after, changed_between(archive, before, after, now))

        return ARCHIVE_LANE, found

    def present(self, row: BuildRow, data: Comparison) -> None:  # noqa: ARG002
        self.causes.set_findings(causes_of(data))
        self.slower.set_findings(slower_of(data))
        for title, facts in (
            ("In figures", figures_of(data)),
            ("What went in", inputs_of(data)),
            ("Files of the context", files_of(data.files)),
        ):
            grid, note = self.grids[title]
            grid.set_facts(facts)
            grid.setVisible(bool(facts))
            note.setVisible(not facts and bool(note.text()))
        if data.files is None:
            self.grids["Files of the context"][1].setText("They were not kept, or none were sent.")
        else:
            self.grids["Files of the context"][1].setText("They are the same.")
        self._verdict.setText(verdict_of(data))
        self._notes.setText("\n".join(data.notes))
        self._notes.setVisible(bool(data.notes))

    def _pair(self, row: BuildRow) -> tuple[BuildRecord, BuildRecord] | None:
        """The earlier and the later one, or None where that has been said in words."""
        if row.record is None:
            self.say(
                "Nothing to compare yet" if not row.over else "The engine tells too little",
                "A build is compared once it is over."
                if not row.over
                else "Only builds of DockDesk can be compared.",
                "git-compare",
            )
            return None
        chosen = [each.record for each in self.rows[:2] if each.record is not None]
        if len(chosen) == 2 and self._other is None:
            one, other = sorted(chosen, key=lambda record: record.at)
            return one, other
        before = self._other or self.history.before(row)
        if before is None:
            self.say(
                "The first build of this project",
                "The next one is compared with it: what got slower, what ran again, and why.",
                "git-compare",
            )
            return None
        return before, row.record

    def _offer(self, before: BuildRecord, after: BuildRecord) -> None:
        others = [
            record
            for record in self.history.of_project(after.project)[:_OFFERED]
            if record.id != after.id
        ]
        if before not in others:
            others.append(before)
        self._offered = others
        self.choice.clear()
        for record in others:
            word = OUTCOMES.get(record.outcome, (record.outcome, ""))[0]
            tags = f" · {record.spec.tags[0]}" if record.spec.tags else ""
            text = f"{age_text(record.at)} · {word} in {seconds_text(record.seconds)}{tags}"
            self.choice.addItem(text)
        self.choice.setCurrentIndex(others.index(before))

    def _on_chosen(self, at: int) -> None:
        if 0 <= at < len(self._offered):
            self._other = self._offered[at]
            self._update()


def verdict_of(found: Comparison) -> str:
    """The comparison in one sentence."""
    difference = found.after.seconds - found.before.seconds
    roots = found.roots()
    if abs(difference) < 0.5:
        text = "About as quick as before"
    else:
        word = "longer" if difference > 0 else "less"
        text = f"{seconds_text(abs(difference))} {word} than before"
    if len(roots) == 1:
        return f"{text}; running again began at one step."
    return f"{text}; running again began at {len(roots)} steps." if roots else f"{text}."
