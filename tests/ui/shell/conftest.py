from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout

from dockdesk.core.actions import Action, Call, Danger, Equivalent, Values
from dockdesk.core.environments import Environment, Guard
from dockdesk.core.refs import ResourceRef
from dockdesk.core.resources.containers import Container
from dockdesk.ui.context import UiContext
from dockdesk.ui.pane import Pane
from dockdesk.ui.panes.registry import PaneEntry
from dockdesk.ui.shell.environments import Environments, FoundEnvironment
from dockdesk.ui.shell.main_window import MainWindow
from dockdesk.ui.shell.parts import WindowParts
from dockdesk.ui.shell.shell import Shell
from tests.ui.rig import Rig

LOCAL = Environment("docker:default", "docker", "default", "unix:///run/docker.sock", "context")
PODMAN = Environment("docker:podman", "docker", "podman", "unix:///run/podman.sock", "socket")
PROD = Environment("docker:prod", "docker", "prod", "tcp://10.0.0.1:2376", "context prod",
                   colour="red", guard=Guard.PROTECTED)  # fmt: skip


def plan_stop(rows: Sequence[Container], values: Values) -> list[Call]:
    return [
        Call(
            ResourceRef("container", row.id, row.name),
            lambda engine, work, id=row.id: engine.stop(id),  # type: ignore[misc]
            Equivalent(f"docker stop {row.name}"),
        )
        for row in rows
    ]


def plan_prune(rows: Sequence[Container], values: Values) -> list[Call]:
    ref = ResourceRef("container", "prune")
    return [Call(ref, lambda engine, work: engine.prune_containers(), Equivalent("docker prune"))]


STOP: Action[Container] = Action(
    "container.stop", "Stop", "player-stop", plan_stop, Danger.DISRUPTS, shortcut="Ctrl+T"
)
PRUNE: Action[Container] = Action(
    "container.prune", "Prune", "trash", plan_prune, Danger.CHANGES, on_rows=False
)
OPEN: Action[Container] = Action(
    "container.look", "Look closer", "eye", on_rows=False, shortcut="Ctrl+N"
)


class PlainPane(Pane):
    """A pane that remembers what it was asked."""

    title = "Containers"
    pane_actions = (STOP, PRUNE, OPEN)

    def __init__(self, context: UiContext) -> None:
        super().__init__(context)
        self.rows: list[Container] = []
        self.asked: list[Any] = []
        self.loss: str | None = None
        self.field = QLineEdit(self)
        QVBoxLayout(self).addWidget(self.field)

    def handlers(self) -> Mapping[str, Any]:
        return {"container.look": lambda rows: self.asked.append(("look", list(rows)))}

    def selected(self) -> Sequence[Container]:
        return self.rows

    def choose(self, *rows: Container) -> None:
        self.rows = list(rows)
        self.selection_changed.emit()

    def crumbs(self) -> Sequence[str]:
        return [row.name for row in self.rows[:1]]

    def open(self, ref: ResourceRef) -> bool:
        row = self.context.session.containers.get(ref.id)
        if row is None:
            return False
        self.choose(row)
        return True

    def place(self) -> ResourceRef | None:
        return ResourceRef("container", self.rows[0].id, self.rows[0].name) if self.rows else None

    def focus_content(self) -> None:
        self.field.setFocus()

    def reload(self) -> None:
        self.asked.append("reload")

    def may_close(self) -> str | None:
        return self.loss

    def save_state(self) -> Mapping[str, Any]:
        return {"asked": len(self.asked)}


class LogPane(PlainPane):
    title = "Command log"
    pane_actions = ()


def no_pane(context: UiContext) -> Pane:
    raise RuntimeError("no table to put anything on")


ENTRIES = (
    PaneEntry("containers", "Containers", "box", "Engine", ("container",), PlainPane,
              lambda: PlainPane.pane_actions),
    PaneEntry("broken", "Broken", "bug", "Engine", (), no_pane, lambda: ()),
    PaneEntry("command_log", "Command log", "history", "Tools", (), LogPane, lambda: (),
              needs_engine=False),
)  # fmt: skip


@dataclass
class Bench:
    """The real window on the fake engine."""

    rig: Rig
    shell: Shell
    window: MainWindow
    environments: Environments
    found: list[FoundEnvironment]
    until: Callable[[Callable[[], object]], None]

    @property
    def pane(self) -> PlainPane:
        pane = self.shell.navigation.pane("containers")
        assert isinstance(pane, PlainPane)
        return pane

    def begin(self) -> None:
        """As app.py does after the first paint; waits until the engine has answered, or none will."""
        self.environments.find()
        self.shell.start()
        self.until(lambda: not self.environments.searching and self.rig.session.environment)
        self.until(lambda: self.rig.session.state.value in ("connected", "failed", "lost"))

    def container(self, name: str) -> Container:
        return next(row for row in self.rig.session.containers.values() if row.name == name)

    def notices(self) -> str:
        return "\n".join(self.shell.notices.texts())


@pytest.fixture
def bench(rig: Rig, tmp_path: Path) -> Iterator[Bench]:
    found = [
        FoundEnvironment(LOCAL, lambda _work: rig.engine, current=True),
        FoundEnvironment(PROD, lambda _work: rig.engine),
    ]
    environments = Environments(rig.jobs, rig.session, rig.settings, lambda: found)
    window = MainWindow()
    shell = Shell(
        window,
        WindowParts(
            rig.theme,
            rig.jobs,
            rig.pulse,
            rig.session,
            rig.stats,
            rig.settings,
            rig.audit,
            rig.builds,
            environments,
            ENTRIES,
            tmp_path / "dockdesk.log",
        ),
    )
    rig.qtbot.addWidget(window, before_close_func=lambda _made: setattr(shell, "_quitting", True))
    window.resize(1280, 800)
    window.show()
    yield Bench(rig, shell, window, environments, found, rig.until)
    shell.notices.close_all()
    window.hide()
