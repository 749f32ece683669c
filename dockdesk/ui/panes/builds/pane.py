"""The builds pane: what is being built, and all that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from dockdesk.core.actions import Action
from dockdesk.core.builds.command import build_equivalent
from dockdesk.core.builds.records import BuildRecord
from dockdesk.core.builds.trend import usual_seconds
from dockdesk.core.errors import DockDeskError, LocalError
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.builds import BuildResult, BuildSpec
from dockdesk.core.work import Work
from dockdesk.ui.context import NoticeAction, UiContext
from dockdesk.ui.descriptions import DetailTab, EmptyText, ListDescription, StatCard
from dockdesk.ui.list_pane import ListPane
from dockdesk.ui.pane import Handler
from dockdesk.ui.panes.builds.actions import ACTIONS
from dockdesk.ui.panes.builds.again import again_action
from dockdesk.ui.panes.builds.columns import BY_PROJECT, COLUMNS, ELSEWHERE_LAST, seconds_text
from dockdesk.ui.panes.builds.compare_tab import CompareView
from dockdesk.ui.panes.builds.content import content_of
from dockdesk.ui.panes.builds.dockerfile_tab import DockerfileView
from dockdesk.ui.panes.builds.history import BuildHistory
from dockdesk.ui.panes.builds.log_tab import LogView
from dockdesk.ui.panes.builds.log_text import whole_log
from dockdesk.ui.panes.builds.rows import BuildRow, key_of
from dockdesk.ui.panes.builds.steps_tab import StepsView
from dockdesk.ui.panes.builds.summary_tab import SummaryView
from dockdesk.ui.panes.builds.trend_tab import TrendView


def _tabs(history: list[BuildHistory]) -> tuple[DetailTab[BuildRow], ...]:
    """The tabs, which all look at one history: it is there once the first of them is made."""
    return (
        DetailTab("summary", "Summary", lambda c: SummaryView(c, history[0]), "info-circle"),
        DetailTab("steps", "Steps", lambda c: StepsView(c, history[0]), "list-tree"),
        DetailTab("log", "Log", lambda c: LogView(c, history[0]), "file-text"),
        DetailTab(
            "compare", "Compare", lambda c: CompareView(c, history[0]), "git-compare", several=True
        ),
        DetailTab("dockerfile", "Dockerfile", lambda c: DockerfileView(c, history[0]), "file-code"),
        DetailTab("trend", "Trend", lambda c: TrendView(c, history[0]), "chart-line"),
    )


def _description(history: list[BuildHistory]) -> ListDescription[BuildRow]:
    return ListDescription(
        id="builds",
        title="Builds",
        icon="hammer",
        kind="build",
        noun=("build", "builds"),
        columns=COLUMNS,
        key=lambda row: row.key,
        name=lambda row: row.name,
        actions=ACTIONS,
        tabs=_tabs(history),
        empty=EmptyText(
            "Nothing built yet",
            "Each build is kept here with its steps and its log, and compared with the one before: "
            "what got slower, what ran again, and why. Open a Dockerfile and build it to begin.",
            "builds.begin",
        ),
        search=_search,
        grouping=BY_PROJECT,
        sort=("at", True),
        of_engine=False,
    )


def _search(row: BuildRow) -> str:
    return " ".join(
        (row.project, row.name, row.outcome, row.image, row.digest, row.method, *row.tags)
    )


class BuildsPane(ListPane[BuildRow]):
    """Running builds stand on top. Rows of the engine's own history are there where it keeps one."""

    def __init__(self, context: UiContext) -> None:
        histories: list[BuildHistory] = []
        super().__init__(context, _description(histories))
        self.history = BuildHistory(context, self)
        histories.append(self.history)
        self._grouped = True
        self._elsewhere = True
        self.history.changed.connect(self._on_changed)
        self.history.failed.connect(self._on_failed)
        self.history.elsewhere_changed.connect(self._show_cards)
        context.session.state_changed.connect(self._on_connection_changed)
        if context.builds.archive is None and not context.builds.runs:
            self.set_rows(())  # nothing is kept here: no reason to wait
        self.history.read()

    # Pane.

    def shown(self) -> None:
        super().shown()
        self.history.watch(True)
        self.history.read_elsewhere()

    def hidden(self) -> None:
        super().hidden()
        self.history.watch(False)

    def reload(self) -> None:
        self.history.read()
        self.history.read_elsewhere()

    def open(self, ref: ResourceRef) -> bool:
        """``ref.id`` is a row's key; a Dockerfile's path stands for the newest build of it."""
        newest = max(
            (row for row in self.history.rows() if row.project and row.project == ref.id),
            key=lambda row: row.at,
            default=None,
        )
        key = newest.key if newest is not None else self._key_of_record(ref.id)
        return super().open(ResourceRef(ref.kind, key, ref.name, ref.environment))

    def trigger(self, action: Action[Any], rows: Sequence[Any] | None = None) -> None:
        """Other panes have records in their hands, not rows."""
        if action.id == "builds.compare" and rows and isinstance(rows[0], BuildRecord):
            self.open(ResourceRef("build", key_of(rows[0].id)))
            self.show_tab("compare")
            return
        super().trigger(action, rows)

    def _key_of_record(self, key: str) -> str:
        """The key of the row that a record's key stands for: builds of this window have keys of their own."""
        number = key.removeprefix("b")
        found = self.history.key_of(int(number)) if number.isascii() and number.isdecimal() else ""
        return found or key

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "builds.begin": lambda _rows: self.context.navigator.show_pane("dockerfiles"),
            "builds.again": lambda rows: self._again(rows[0]),
            "builds.stop": _stop,
            "builds.run_image": lambda rows: self._run_image(rows[0]),
            "builds.open": lambda rows: self.context.navigator.open(
                ResourceRef("dockerfile", rows[0].project)
            ),
            "builds.compare": self._compare,
            "builds.copy_command": lambda rows: _copy(_command(rows[0])),
            "builds.copy_digest": lambda rows: _copy(rows[0].digest or rows[0].image),
            "builds.export_log": lambda rows: self._ask_where(rows[0]),
            "builds.group": lambda _rows: self.set_grouped(not self._grouped),
            "builds.elsewhere": lambda _rows: self.set_elsewhere(not self._elsewhere),
            "builds.forget": self._forget,
        }

    def save_state(self) -> Mapping[str, Any]:
        return {
            **super().save_state(),
            "grouped": self._grouped,
            "elsewhere": self._elsewhere,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        super().restore_state(state)
        self.set_grouped(state.get("grouped") is not False)
        self.set_elsewhere(state.get("elsewhere") is not False)

    # What is shown.

    def set_grouped(self, on: bool) -> None:
        """Whether the builds of a project stand together."""
        self._grouped = on
        self.model.set_grouping(BY_PROJECT if on else ELSEWHERE_LAST)

    def set_elsewhere(self, on: bool) -> None:
        """Whether builds that only the engine tells of are listed."""
        self._elsewhere = on
        self.model.set_predicate(None if on else lambda row: bool(row.project))

    def _on_changed(self, rows: Sequence[BuildRow], gone: Sequence[str]) -> None:
        self.apply(rows, gone)
        self._show_cards()

    def _on_failed(self, error: DockDeskError) -> None:
        self.show_failure(error)

    def _on_connection_changed(self, _state: object) -> None:
        if self.isVisible():
            self.history.read_elsewhere()

    def _show_cards(self) -> None:
        rows = [row for row in self.history.rows() if row.project]
        over = [row for row in rows if row.over]
        running = len(rows) - len(over)
        newest = max(over, key=lambda row: row.at, default=None)
        failed = sum(row.outcome == "failed" for row in over)
        cards = [
            StatCard(
                "count",
                "Builds",
                f"{len(over):,}",
                f"{running} running now" if running else "none is running",
                "accent" if running else "neutral",
            ),
            StatCard(
                "failed", "Failed", str(failed), "of all that are kept", "bad" if failed else "good"
            ),
        ]
        if newest is not None:
            usual = usual_seconds(self.history.of_project(newest.project), newest.at)
            detail = f"{newest.name}, usually {seconds_text(usual)}" if usual else newest.name
            cards.append(StatCard("newest", "Last one took", seconds_text(newest.seconds), detail))
        cards.append(self._elsewhere_card())
        self.set_cards(cards)

    def _elsewhere_card(self) -> StatCard:
        count = self.history.elsewhere()
        if self.history.keeps is None:
            return StatCard("elsewhere", "Built elsewhere", "–", "not known: no engine answers")
        if not self.history.keeps:
            return StatCard("elsewhere", "Built elsewhere", "–", "the engine tells of no others")
        return StatCard("elsewhere", "Built elsewhere", str(count), "in the engine's own history")

    # What can be done.

    def _again(self, row: BuildRow) -> None:
        spec = row.spec
        environment = self.context.session.environment
        if spec is None:
            return
        where = environment.name if environment is not None else ""

        def build(spec: BuildSpec, text: str, backend: Any, work: Work) -> BuildResult:
            run = self.context.builds.begin(spec, text, where, work)
            return run.execute(backend, work)

        self.context.runner.trigger(again_action(spec, build))

    def _run_image(self, row: BuildRow) -> None:
        images = self.context.session.images
        image = images.get(row.image) or next(
            (each for each in images.values() if set(each.tags) & set(row.tags)), None
        )
        if image is None:
            self.context.session.want("images")
            self.context.notices.show(
                "The image is not in this engine",
                "It was removed since, or built in another engine.",
                "Build it again.",
                tone="warn",
            )
            return
        self.context.navigator.trigger("container.run", [image])

    def _compare(self, rows: Sequence[BuildRow]) -> None:
        if not self.selected() or self.current() not in rows:
            self.table.select_keys([row.key for row in rows])
        self.show_tab("compare")

    def _forget(self, rows: Sequence[BuildRow]) -> None:
        archive = self.context.builds.archive
        records = [row.record for row in rows if row.record is not None]
        if archive is None or not records:
            return

        def work(_work: Work) -> list[Any]:
            kept = [(each, archive.files(each.id), archive.logs(each.id)) for each in records]
            archive.forget([record.id for record in records])
            return kept

        def undo(kept: list[Any]) -> None:
            def again(_work: Work) -> None:
                for record, files, logs in kept:
                    archive.add(record, files, logs)

            self.context.jobs.submit(
                self, again, lambda _none: self.history.read(), lane="archive", order="archive"
            )

        def done(kept: list[Any]) -> None:
            self.history.forget(rows)
            what = f"{len(kept)} builds" if len(kept) > 1 else rows[0].name
            self.context.notices.show(
                f"Forgotten: {what}",
                "Images and files are still there.",
                tone="good",
                actions=(NoticeAction("Undo", lambda: undo(kept)),),
            )

        self.context.jobs.submit(self, work, done, lane="archive", order="archive")

    def _ask_where(self, row: BuildRow) -> None:
        dialog = QFileDialog(self, "Export the log", f"{row.name.replace('/', '-')}.log")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("log")
        dialog.fileSelected.connect(lambda path: self.export_log(row, Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export_log(self, row: BuildRow, path: Path) -> None:
        """Write what a build's steps wrote to ``path`` in the background, and say so."""
        lane, fetch = content_of(self.context, row)

        def work(work: Work) -> Path:
            content = fetch(work)
            try:
                path.write_text(f"{whole_log(content.steps, content.logs)}\n", "utf-8")
            except OSError as error:
                raise LocalError("The log could not be exported", f"{path}: {error}") from error
            return path

        self.context.jobs.submit(
            self,
            work,
            lambda made: self.context.notices.show("Exported", str(made), tone="good"),
            self.context.notices.failure,
            lane=lane,
        )


def _command(row: BuildRow) -> str:
    spec = row.spec
    return "" if spec is None else build_equivalent(spec, classic=row.method == "classic").cli


def _stop(rows: Sequence[BuildRow]) -> None:
    for row in rows:
        if row.run is not None:
            row.run.cancel()


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
