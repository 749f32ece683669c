"""Which job may run: against a model that is too simple to be wrong."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dockdesk.bridge.lanes import Bounds, Lanes

BOUNDS = Bounds(lane_reads=2, lane_writes=2, lane_long=2, short=5, long=3)


@dataclass(eq=False)
class Item:
    number: int
    lane: str = ""
    order: str = ""
    long: bool = False


class LanesMachine(RuleBasedStateMachine):
    """Adds, takes, drops and finishes jobs in any order; the model is two plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes: Lanes[Item] = Lanes(BOUNDS)
        self.waiting: list[Item] = []
        self.running: list[Item] = []
        self.count = 0

    @rule(
        lane=st.sampled_from("abc"), order=st.sampled_from(["", "", "x", "y"]), long=st.booleans()
    )
    def add(self, lane: str, order: str, long: bool) -> None:
        self.count += 1
        item = Item(self.count, lane, order, long)
        self.waiting.append(item)
        self.lanes.add(item)

    def _free(self, item: Item) -> bool:
        """Whether the model lets ``item`` run now."""
        if item.order:
            if any(other.order == item.order for other in self.running):
                return False
            if next(other for other in self.waiting if other.order == item.order) is not item:
                return False

        def kind(other: Item) -> str:
            return "long" if other.long else "write" if other.order else "read"

        beside = [o for o in self.running if o.lane == item.lane and kind(o) == kind(item)]
        pool = [o for o in self.running if o.long == item.long]
        return len(beside) < 2 and len(pool) < (3 if item.long else 5)

    @rule()
    def take(self) -> None:
        item = self.lanes.take()
        free = [other for other in self.waiting if self._free(other)]
        if item is None:
            assert free == []
            return
        assert item in free
        # Of its own lane, kind and order it is the first that could go.
        assert not any(
            other.number < item.number
            and (other.lane, other.long, other.order) == (item.lane, item.long, item.order)
            for other in free
        )
        self.waiting.remove(item)
        self.running.append(item)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def drop_waiting(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.waiting))
        assert self.lanes.drop(item)
        self.waiting.remove(item)
        assert not self.lanes.drop(item)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(self.running))
        assert not self.lanes.drop(item)
        self.lanes.finish(item)
        self.running.remove(item)

    @invariant()
    def tells_the_same(self) -> None:
        assert self.lanes.waiting == self.waiting
        assert self.lanes.running == self.running
        assert self.lanes.busy == bool(self.waiting or self.running)

    def teardown(self) -> None:
        """Whatever happened, everything that waits gets its turn, and nothing is kept."""
        while self.waiting or self.running:
            while (item := self.lanes.take()) is not None:
                self.waiting.remove(item)
                self.running.append(item)
            assert self.running, "nothing runs, yet something waits for ever"
            self.lanes.finish(self.running.pop(0))
        assert not self.lanes._queues
        assert not self.lanes._orders


TestLanesMachine = LanesMachine.TestCase
TestLanesMachine.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)


def test_lanes_take_turns() -> None:
    lanes: Lanes[Item] = Lanes(Bounds(lane_reads=3, short=3))
    for number in range(30):
        lanes.add(Item(number, "busy"))
    lanes.add(Item(100, "other"))
    first = lanes.take()
    assert first is not None
    assert first.lane == "busy"
    second = lanes.take()
    assert second is not None
    assert second.lane == "other"


def test_a_stuck_lane_leaves_room_for_others() -> None:
    lanes: Lanes[Item] = Lanes(Bounds(lane_reads=4, lane_writes=8, short=32))
    for number in range(100):
        lanes.add(Item(number, "stuck", f"order {number}" if number % 2 else ""))
    taken = 0
    while lanes.take() is not None:
        taken += 1
    assert taken == 12
    lanes.add(Item(1000, "other"))
    item = lanes.take()
    assert item is not None
    assert item.lane == "other"
