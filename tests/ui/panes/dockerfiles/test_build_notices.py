"""What came of a build is told once: in its view where that is seen, else by a notice."""

from __future__ import annotations

import pytest

from dockdesk.core.errors import BuildError
from tests.ui.panes.dockerfiles.conftest import Desk
from tests.ui.panes.dockerfiles.test_building import Builds, engine, over, start

__all__ = ["engine"]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("seen", [False, True])
def test_it_is_told_once(desk: Desk, engine: Builds, fails: bool, seen: bool) -> None:
    view = start(desk, desk.open())
    if fails:
        engine.error = BuildError("A step failed with exit code 127", "", "", "t", 5)
    if not seen:
        desk.pane.show_view("problems")
    engine.go.set()
    over(desk, view)
    desk.rig.settle()
    told = [] if seen else ["A step failed with exit code 127" if fails else "Built shop:latest"]
    desk.rig.until(lambda: [notice.title for notice in desk.rig.notices.shown] == told)
    assert view.banner.isHidden() is not fails
