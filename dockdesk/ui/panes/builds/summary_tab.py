"""What a build was, at a glance."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from dockdesk.core.builds.trend import usual_seconds
from dockdesk.core.masking import MASK, holds_secret
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.builds import BuildOutput
from dockdesk.core.units import bytes_text
from dockdesk.ui.context import UiContext
from dockdesk.ui.facts_view import time_text
from dockdesk.ui.pane import DetailView
from dockdesk.ui.panes.builds.columns import METHODS, OUTCOMES, cached_text, seconds_text
from dockdesk.ui.panes.builds.history import BuildHistory
from dockdesk.ui.panes.builds.rows import BuildRow
from dockdesk.ui.widgets.cards import Card
from dockdesk.ui.widgets.key_values import Fact, KeyValueGrid
from dockdesk.ui.widgets.labels import PlainLabel
from dockdesk.ui.widgets.scroll import ContentScroll


class SummaryView(DetailView[BuildRow]):
    """Facts that the list has already: nothing is fetched."""

    def __init__(
        self, context: UiContext, history: BuildHistory, parent: QWidget | None = None
    ) -> None:
        super().__init__(context, parent)
        self._history = history
        page = QWidget()
        columns = QHBoxLayout(page)
        columns.setContentsMargins(12, 12, 12, 12)
        columns.setSpacing(12)
        self._cards: dict[str, tuple[KeyValueGrid, PlainLabel]] = {}
        for titles in ((("Result", ""), ("Base images", "None is known.")), (("Asked for", ""),)):
            column = QVBoxLayout()
            column.setSpacing(12)
            for title, empty in titles:
                column.addWidget(self._card(title, empty))
            column.addStretch(1)
            columns.addLayout(column, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(ContentScroll(page))

    def facts(self, title: str) -> tuple[Fact, ...]:
        """What a card shows."""
        return self._cards[title][0].facts()

    def set_rows(self, rows: Sequence[BuildRow]) -> None:
        if not rows:
            return
        row = rows[0]
        self._show("Result", self._result(row))
        self._show("Base images", base_facts(row))
        self._show("Asked for", asked_facts(row))

    def _result(self, row: BuildRow) -> list[Fact]:
        word, tone = OUTCOMES.get(row.outcome, (row.outcome, "neutral"))
        facts = [Fact("Outcome", word, tone=tone)]
        if row.error:
            facts.append(Fact("Why", row.error, tone="bad"))
        facts += [
            Fact("When", time_text(row.at)),
            Fact("Took", self._took(row)),
            Fact("From the cache", cached_text(row.cached)),
            Fact("Built by", METHODS.get(row.method, row.method)),
            Fact("Environment", row.environment),
            Fact("Size", bytes_text(row.size) if row.size else ""),
        ]
        if row.image:
            link = ResourceRef("image", row.image, row.tags[0] if row.tags else "")
            facts.append(Fact("Image", row.image, mono=True, link=link))
        if row.digest and row.digest != row.image:
            facts.append(Fact("Digest", row.digest, mono=True))
        return [fact for fact in facts if fact.value]

    def _took(self, row: BuildRow) -> str:
        usual = usual_seconds(self._history.of_project(row.project), row.at)
        text = seconds_text(row.seconds)
        return f"{text} (usually {seconds_text(usual)})" if usual is not None else text

    def _card(self, title: str, empty: str) -> Card:
        card = Card(self.context.theme, title)
        grid = KeyValueGrid(self.context.theme)
        grid.setAccessibleName(title)
        grid.followed.connect(self._on_followed)
        note = PlainLabel(self.context.theme, empty, tone="muted", wrap=True)
        card.body.addWidget(grid)
        card.body.addWidget(note)
        self._cards[title] = (grid, note)
        return card

    def _show(self, title: str, facts: Sequence[Fact]) -> None:
        grid, note = self._cards[title]
        grid.set_facts(facts)
        grid.setVisible(bool(facts))
        note.setVisible(not facts and bool(note.text()))

    def _on_followed(self, link: object) -> None:
        if isinstance(link, ResourceRef):
            self.context.navigator.open(link)


def base_facts(row: BuildRow) -> list[Fact]:
    if row.record is None:
        return []
    return [
        Fact(name.removeprefix("docker.io/library/"), digest or "not known", mono=bool(digest))
        for name, digest in row.record.bases
    ]


def asked_facts(row: BuildRow) -> list[Fact]:
    """The parameters that it was built with, without whatever is as by default."""
    spec = row.spec
    if spec is None:
        return [Fact("Tags", ", ".join(row.tags)), Fact("Told by", "the engine's own history")]
    dockerfile = ResourceRef("dockerfile", row.project)
    single = [
        Fact("Context", str(spec.context), mono=True),
        Fact("Dockerfile", row.project, mono=True, link=dockerfile),
        Fact("Target", spec.target),
        Fact("Platforms", ", ".join(spec.platforms)),
        Fact("Output", ", ".join(output_text(output) for output in spec.outputs)),
        Fact("Builder", spec.builder),
        Fact("Network", spec.network),
        Fact("Without cache", "all" if spec.no_cache else ", ".join(spec.no_cache_stages)),
        Fact("Pull", "always" if spec.pull else ""),
        Fact("/dev/shm", bytes_text(spec.shm_size) if spec.shm_size else ""),
    ]
    many = [Fact("Tag", tag, mono=True) for tag in spec.tags]
    many += [
        Fact(f"Argument {name}", value, holds_secret(name, value) and value != MASK, mono=True)
        for name, value in spec.args
    ]
    many += [Fact(f"Label {name}", value, mono=True) for name, value in spec.labels]
    many += [
        Fact("Secret", f"{secret.id} from {secret.file or '$' + (secret.variable or secret.id)}")
        for secret in spec.secrets
    ]
    many += [Fact("SSH", value, mono=True) for value in spec.ssh]
    many += [Fact("Cache from", value, mono=True) for value in spec.cache_from]
    many += [Fact("Cache to", value, mono=True) for value in spec.cache_to]
    many += [Fact("Host", value, mono=True) for value in spec.add_hosts]
    return [fact for fact in (*single, *many) if fact.value]


def output_text(output: BuildOutput) -> str:
    words = {"image": "into the engine", "push": "to the registry", "none": "cache only"}
    return words.get(output.kind) or f"{output.kind} {output.path}".strip()
