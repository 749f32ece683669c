"""What may be opened next is made before, a piece at a time."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from dockdesk.ui.shell.primer import Primer


def test_steps_are_taken_one_by_one(qtbot: QtBot) -> None:
    taken: list[int] = []
    primer = Primer([lambda n=n: taken.append(n) for n in range(3)])  # type: ignore[misc]
    assert taken == []
    qtbot.waitUntil(lambda: primer.over, timeout=10_000)
    assert taken == [0, 1, 2]


def test_no_more_are_taken_once_stopped(qtbot: QtBot) -> None:
    taken: list[int] = []
    primer = Primer([lambda: taken.append(1), lambda: primer.stop(), lambda: taken.append(2)])
    qtbot.waitUntil(lambda: primer.over, timeout=10_000)
    assert taken == [1]
