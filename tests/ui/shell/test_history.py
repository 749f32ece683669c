from __future__ import annotations

from dockdesk.core.refs import ResourceRef
from dockdesk.ui.shell.history import BOUND, History, Place


def test_goes_back_and_forward_and_forgets_what_was_ahead() -> None:
    history = History()
    a, b, c, d = (Place(name) for name in "abcd")
    for place in (a, b, c):
        history.went(place)
    assert history.back() == b
    assert history.back() == a
    assert history.back() is None
    assert history.forward() == b
    history.went(d)
    assert not history.can_go_forward
    assert history.back() == b


def test_the_same_place_is_noted_once_and_another_resource_is_another_place() -> None:
    history = History()
    history.went(Place("containers"))
    history.went(Place("containers"))
    assert not history.can_go_back
    history.went(Place("containers", ResourceRef("container", "1", "web")))
    assert history.can_go_back


def test_amending_changes_no_steps() -> None:
    history = History()
    history.went(Place("overview"))
    history.went(Place("containers"))
    chosen = Place("containers", ResourceRef("container", "1"))
    history.amend(chosen)
    assert history.current == chosen
    assert history.back() == Place("overview")
    assert history.forward() == chosen


def test_is_bounded() -> None:
    history = History()
    for number in range(BOUND * 2):
        history.went(Place(str(number)))
    steps = 0
    while history.back() is not None:
        steps += 1
    assert steps == BOUND - 1
