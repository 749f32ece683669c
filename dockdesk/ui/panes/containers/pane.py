"""The containers pane: the list kept current by events, with live figures of what is visible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QGuiApplication

from dockdesk.core.errors import DockDeskError
from dockdesk.core.resources.containers import Container
from dockdesk.core.resources.images import Image
from dockdesk.core.units import bytes_text, percent_text
from dockdesk.models.arrangement import Grouping
from dockdesk.ui.context import UiContext
from dockdesk.ui.descriptions import EmptyText, ListDescription, StatCard
from dockdesk.ui.list_pane import ListPane, ListState
from dockdesk.ui.pane import Handler
from dockdesk.ui.panes.containers.actions import ACTIONS
from dockdesk.ui.panes.containers.columns import COLUMNS, SPARK_SAMPLES, ContainerRow
from dockdesk.ui.panes.containers.dropped import compose_file
from dockdesk.ui.panes.containers.tabs import TABS


def _running_text(rows: Sequence[ContainerRow]) -> str:
    return f"{sum(row.container.running for row in rows)} of {len(rows)} running"


DESCRIPTION: ListDescription[ContainerRow] = ListDescription(
    id="containers",
    title="Containers",
    icon="box",
    kind="container",
    noun=("container", "containers"),
    columns=COLUMNS,
    key=lambda row: row.container.id,
    name=lambda row: row.container.name,
    actions=ACTIONS,
    tabs=TABS,
    empty=EmptyText(
        "No containers yet",
        "A container is a running image, with processes and files of its own. Run an image to make one.",
        "container.run",
    ),
    grouping=Grouping(lambda row: row.container.project, _running_text, "Without a project"),
    sort=("name", False),
)


def host_of(address: str) -> str:
    """Where published ports of an engine are reached: its host, or this computer for a socket."""
    host = urlsplit(address).hostname if "://" in address else None
    return host if host and not address.startswith(("unix:", "npipe:")) else "localhost"


class ContainersPane(ListPane[ContainerRow]):
    def __init__(self, context: UiContext) -> None:
        super().__init__(context, DESCRIPTION)
        session = context.session
        session.containers_changed.connect(self._on_containers_changed)
        session.list_failed.connect(self._on_list_failed)
        session.info_changed.connect(self._show_cards)
        session.images_changed.connect(self._show_cards)
        context.stats.sampled.connect(self._on_sampled)
        self._visible: set[str] = set()
        self.setAcceptDrops(True)
        self.table.visible_keys_changed.connect(self._on_visible_changed)
        if session.loaded("containers"):
            self._show_all()

    def shown(self) -> None:
        super().shown()
        self.context.session.want("containers")
        self.context.session.want("images")
        self._watch()
        self._show_all()

    def hidden(self) -> None:
        super().hidden()
        self.context.stats.watch(())

    def reload(self) -> None:
        if self.context.session.loaded("containers"):
            self._show_all()
        else:
            self.set_state(ListState.LOADING)
        self.context.session.refresh("containers")

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "container.run": self._run,
            "container.run_again": self._run_again,
            "container.terminal": self._open_terminal,
            "container.logs": lambda _rows: self._show_logs(),
            "container.browse": self._browse,
            "container.copy_id": _copy_ids,
        }

    # What is shown.

    def _row(self, container: Container) -> ContainerRow:
        history = self.context.stats.history(container.id)
        environment = self.context.session.environment
        host = host_of(environment.address if environment is not None else "")
        if history is None:
            return ContainerRow(container, host=host)
        latest = history.latest if container.running else None
        return ContainerRow(
            container,
            latest.cpu if latest is not None else None,
            latest.memory if latest is not None else None,
            history.cpu.tail(SPARK_SAMPLES) if latest is not None else (),
            history.memory.tail(SPARK_SAMPLES) if latest is not None else (),
            host,
        )

    def _show_all(self) -> None:
        if self.context.session.loaded("containers"):
            self.set_rows([self._row(item) for item in self.context.session.containers.values()])
            self._show_cards()

    def _on_containers_changed(self, changed: set[str], removed: set[str]) -> None:
        containers = self.context.session.containers
        rows = [self._row(containers[id]) for id in changed if id in containers]
        self.apply(rows, removed)
        self._show_cards()

    def _on_list_failed(self, kind: str, error: DockDeskError) -> None:
        if kind == "containers":
            self.show_failure(error)

    def _on_visible_changed(self, keys: set[str]) -> None:
        self._visible = keys
        self._watch()

    def _watch(self) -> None:
        if self.isVisible():
            self.context.stats.watch(self._visible)

    def _on_sampled(self, ids: set[str]) -> None:
        if not self.isVisible():
            return
        containers = self.context.session.containers
        self.apply([self._row(containers[id]) for id in ids if id in containers])
        self._show_cards()

    def _show_cards(self) -> None:
        session, stats = self.context.session, self.context.stats
        containers = list(session.containers.values())
        running = [item for item in containers if item.running]
        latest = [sample for item in running if (sample := stats.latest(item.id)) is not None]
        cpu, memory = sum(s.cpu for s in latest), sum(s.memory for s in latest)
        info = session.info
        partly = (
            "" if len(latest) == len(running) else f", {len(latest)} of {len(running)} measured"
        )
        unhealthy = sum(item.health == "unhealthy" for item in running)
        stopped = len(containers) - len(running)
        images = list(session.images.values())
        cards = [
            StatCard(
                "running",
                "Running",
                f"{len(running)} / {len(containers)}",
                f"{unhealthy} unhealthy" if unhealthy else f"{stopped} stopped",
                "bad" if unhealthy else "neutral",
            ),
            StatCard(
                "cpu", "CPU", percent_text(cpu), f"of {info.cpus} cores{partly}" if info else ""
            ),
            StatCard(
                "memory",
                "Memory",
                bytes_text(memory, binary=True),
                f"of {bytes_text(info.memory, binary=True)}{partly}" if info else "",
            ),
        ]
        if session.loaded("images"):
            size = sum(image.size - max(image.shared, 0) for image in images)
            cards.append(
                StatCard("images", "Images", str(len(images)), f"{bytes_text(size)} on disk")
            )
        self.set_cards(cards)

    # Actions that open something.

    def _run(self, rows: Sequence[Any]) -> None:
        """The empty form, or the form for an image that another pane sends."""
        from dockdesk.ui.panes.containers.run_dialog import RunDialog

        images = [row for row in rows if isinstance(row, Image)]
        values = {"image": images[0].name} if images else None
        RunDialog.open_for(self, self.context, values)

    def _run_again(self, rows: Sequence[ContainerRow]) -> None:
        from dockdesk.ui.panes.containers.run_dialog import RunDialog

        RunDialog.open_again(self, self.context, rows[0].container)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if compose_file(event.mimeData()) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A dropped Compose file fills the run form from one of its services."""
        path = compose_file(event.mimeData())
        if path is not None:
            from dockdesk.ui.panes.containers.run_dialog import RunDialog

            event.acceptProposedAction()
            RunDialog.open_for(self, self.context).head.read_compose(path)

    def _open_terminal(self, rows: Sequence[ContainerRow]) -> None:
        from dockdesk.ui.panes.containers.details.terminal import TerminalsView

        self.table.select_keys([row.container.id for row in rows[:1]])
        view = self.show_tab("terminal")
        if isinstance(view, TerminalsView):
            view.open_terminal()

    def _show_logs(self) -> None:
        if (view := self.show_tab("logs")) is not None:
            view.setFocus()  # so that Ctrl+F searches in them

    def _browse(self, rows: Sequence[ContainerRow]) -> None:
        for link in rows[0].links[:1]:
            QDesktopServices.openUrl(QUrl(link.url))


def _copy_ids(rows: Sequence[ContainerRow]) -> None:
    QGuiApplication.clipboard().setText("\n".join(row.container.id for row in rows))
