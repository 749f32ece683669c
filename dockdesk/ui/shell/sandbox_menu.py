"""The Sandbox menu: which scenario is played and how fast time passes; there only while the sandbox is connected."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping

from PySide6.QtGui import QAction, QActionGroup, QGuiApplication
from PySide6.QtWidgets import QMenu, QMenuBar

from dockdesk.bridge.engine_session import EngineSession
from dockdesk.bridge.jobs import Jobs
from dockdesk.core.simulation import DirectsSimulation, Scenario, SimulationStatus
from dockdesk.core.work import Work
from dockdesk.ui.context import Notices

SPEEDS = (1, 5, 15, 60)


class SandboxMenu(QMenu):
    """Asks the sandbox what it plays whenever it opens: other programs may direct it too."""

    def __init__(
        self,
        bar: QMenuBar,
        simulation: DirectsSimulation,
        session: EngineSession,
        jobs: Jobs,
        notices: Notices,
    ) -> None:
        super().__init__("&Sandbox", bar)
        self._simulation = simulation
        self._session = session
        self._jobs = jobs
        self._notices = notices
        self._status: SimulationStatus | None = None
        self.setToolTipsVisible(True)
        last = bar.actions()[-1:]  # Help stays at the end
        self._entry = bar.insertMenu(last[0], self) if last else bar.addMenu(self)
        self.aboutToShow.connect(self._ask)
        session.state_changed.connect(lambda _state: self._follow())
        self._make_entries()
        self._follow()

    def _follow(self) -> None:
        environment = self._session.environment
        simulated = environment is not None and environment.simulated
        self._entry.setVisible(simulated)
        if simulated and self._status is None and self._session.backend is not None:
            self._ask()

    def _ask(self) -> None:
        self._jobs.submit(
            self,
            lambda _work: self._simulation.status(),
            self._show,
            self._notices.failure,
            lane="sandbox",
            question="status",
        )

    def _direct(
        self, work: Callable[[Work], SimulationStatus], done: Callable[[SimulationStatus], None]
    ) -> None:
        # In order, and no later question may take its place: it changes something.
        self._jobs.submit(self, work, done, self._notices.failure, lane="sandbox", order="sandbox")

    def _show(self, status: SimulationStatus) -> None:
        self._status = status
        for scenario in status.scenarios:
            if scenario.id not in self._entries:
                self._entries[scenario.id] = self._scenario_entry(scenario)
        self._asking.setVisible(not self._entries)
        for id, entry in self._entries.items():
            entry.setChecked(id == status.scenario)
        for speed, entry in self._speeds.items():
            entry.setChecked(speed == status.speed)

    def _scenario_entry(self, scenario: Scenario) -> QAction:
        entry = QAction(scenario.title, self)
        entry.setCheckable(True)
        entry.setToolTip(scenario.summary)
        entry.triggered.connect(lambda _on=False: self._play(scenario.id))
        self._scenarios.addAction(entry)
        self.insertAction(self._asking, entry)
        return entry

    def _make_entries(self) -> None:
        self._entries: dict[str, QAction] = {}
        self._scenarios = QActionGroup(self)
        self._asking = self.addAction("Asking the sandbox…")
        self._asking.setEnabled(False)
        self.addSeparator()
        menu = self.addMenu("Speed of time")
        group = QActionGroup(self)
        self._speeds: dict[float, QAction] = {}
        for speed in SPEEDS:
            entry = menu.addAction("As it is" if speed == 1 else f"{speed} times as fast")
            entry.setCheckable(True)
            entry.triggered.connect(lambda _on=False, speed=speed: self._set_speed(speed))
            group.addAction(entry)
            self._speeds[speed] = entry
        copy = self.addAction("Copy environment variables")
        copy.setToolTip("For a shell: docker, aws, kubectl and any SDK then work on the sandbox.")
        copy.triggered.connect(lambda _on=False: self._copy())

    def _play(self, id: str) -> None:
        def played(status: SimulationStatus) -> None:
            self._show(status)
            scenario = next((item for item in status.scenarios if item.id == status.scenario), None)
            if scenario is not None:
                self._notices.show(f"Scenario: {scenario.title}", scenario.summary, tone="info")

        self._direct(lambda _work: self._simulation.play(id), played)

    def _set_speed(self, speed: float) -> None:
        self._direct(lambda _work: self._simulation.set_speed(speed), self._show)

    def _copy(self) -> None:
        self._jobs.submit(
            self,
            self._simulation.variables,
            self._on_variables,
            self._notices.failure,
            lane="sandbox",
        )

    def _on_variables(self, variables: Mapping[str, str]) -> None:
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")
        self._notices.show("Copied", "Paste the lines into a shell.", tone="good")
