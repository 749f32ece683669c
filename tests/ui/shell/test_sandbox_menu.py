from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMainWindow

from dockdesk.core.environments import Environment
from dockdesk.core.errors import LocalError
from dockdesk.core.simulation import Scenario, SimulationStatus
from dockdesk.core.work import Work
from dockdesk.ui.shell.sandbox_menu import SandboxMenu
from tests.ui.doubles import environment
from tests.ui.rig import Rig

SCENARIOS = (
    Scenario("calm", "Calm day", "Nothing special happens."),
    Scenario("spike", "Traffic spike", "Four times the usual traffic."),
)


class FakeSimulation:
    """Does what it is told; ``fault`` makes it refuse."""

    def __init__(self) -> None:
        self.now = SimulationStatus("calm", 1.0, 0.0, SCENARIOS)
        self.fault: LocalError | None = None

    def status(self) -> SimulationStatus:
        return self.now

    def play(self, scenario: str) -> SimulationStatus:
        if self.fault is not None:
            raise self.fault
        self.now = replace(self.now, scenario=scenario)
        return self.now

    def set_speed(self, speed: float) -> SimulationStatus:
        self.now = replace(self.now, speed=float(speed))
        return self.now

    def variables(self, _work: Work) -> Mapping[str, str]:
        return {"DOCKER_HOST": "unix:///tmp/a b.sock"}


class Stage:
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.simulation = FakeSimulation()
        self.window = QMainWindow()
        rig.qtbot.addWidget(self.window)
        self.menu = SandboxMenu(
            self.window.menuBar(), self.simulation, rig.session, rig.jobs, rig.notices
        )

    def entry(self, text: str) -> QAction:
        everything = [*self.menu.actions(), *self.menu._speeds.values()]
        return next(item for item in everything if item.text() == text)

    def has(self, text: str) -> bool:
        return any(item.text() == text for item in self.menu.actions())


@pytest.fixture
def stage(rig: Rig) -> Stage:
    return Stage(rig)


def _simulated() -> Environment:
    return replace(environment(), simulated=True)


def test_it_is_there_for_the_sandbox_alone(stage: Stage) -> None:
    assert not stage.menu.menuAction().isVisible()
    stage.rig.connect()
    assert not stage.menu.menuAction().isVisible()
    stage.rig.session.connect_to(_simulated(), lambda _work: stage.rig.engine)
    stage.rig.until(lambda: stage.menu.menuAction().isVisible())


def test_a_scenario_is_played(stage: Stage) -> None:
    stage.rig.connect(_simulated())
    stage.rig.until(lambda: stage.has("Traffic spike"))
    assert stage.entry("Calm day").isChecked()
    stage.entry("Traffic spike").trigger()
    stage.rig.until(lambda: stage.simulation.now.scenario == "spike")
    stage.rig.until(
        lambda: "Scenario: Traffic spike" in [notice.title for notice in stage.rig.notices.shown]
    )
    assert stage.entry("Traffic spike").isChecked()
    assert not stage.entry("Calm day").isChecked()


def test_a_choice_is_told_also_when_the_menu_opens_again_meanwhile(stage: Stage) -> None:
    stage.rig.connect(_simulated())
    stage.rig.until(lambda: stage.has("Traffic spike"))
    stage.entry("Traffic spike").trigger()
    stage.menu.aboutToShow.emit()
    stage.rig.until(
        lambda: "Scenario: Traffic spike" in [notice.title for notice in stage.rig.notices.shown]
    )
    assert stage.simulation.now.scenario == "spike"


def test_time_passes_faster(stage: Stage) -> None:
    stage.rig.connect(_simulated())
    stage.rig.until(lambda: stage.has("Calm day"))
    stage.entry("15 times as fast").trigger()
    stage.rig.until(lambda: stage.simulation.now.speed == 15)
    stage.rig.until(lambda: stage.entry("15 times as fast").isChecked())


def test_its_environment_is_copied_for_a_shell(stage: Stage) -> None:
    stage.rig.connect(_simulated())
    stage.entry("Copy environment variables").trigger()
    wanted = "export DOCKER_HOST='unix:///tmp/a b.sock'\n"
    stage.rig.until(lambda: QGuiApplication.clipboard().text() == wanted)


def test_a_refusal_is_told(stage: Stage) -> None:
    stage.rig.connect(_simulated())
    stage.rig.until(lambda: stage.has("Traffic spike"))
    stage.simulation.fault = LocalError("The sandbox refused", "no such scenario")
    stage.entry("Traffic spike").trigger()
    stage.rig.until(lambda: stage.rig.notices.shown)
