"""Where the units of a line stand: every move keeps the sums, and no other move is possible.

The machine moves real tokens between heaps beside the counts, and compares after every move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import ValidationError

from domain.errors import IllegalTransition
from domain.orders.quantities import LineQuantities

# Each move takes units from one heap to another.
MOVES = {
    "allocate": ("open", "allocated"),
    "unallocate": ("allocated", "open"),
    "cancel": ("open", "cancelled"),
    "ship": ("allocated", "in transit"),
    "deliver": ("in transit", "delivered"),
    "lose": ("in transit", "lost"),
    "replace": ("in transit", "open"),
    "come_back": ("in transit", "cancelled"),
    "send_again": ("delivered", "open"),
    "request_return": ("delivered", "return requested"),
}


class LineMachine(RuleBasedStateMachine):
    line: LineQuantities
    heaps: Counter[str]

    @initialize(ordered=st.integers(1, 10))
    def order(self, ordered: int) -> None:
        self.line = LineQuantities(ordered=ordered)
        self.heaps = Counter({"open": ordered})

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        possible = [move for move, (source, _) in sorted(MOVES.items()) if self.heaps[source]]
        if possible:
            move = data.draw(st.sampled_from(possible), label="move")
            source, target = MOVES[move]
            units = data.draw(st.integers(0, self.heaps[source]), label="units")
            self.line = getattr(self.line, move)(units)
            self.heaps[source] -= units
            self.heaps[target] += units

    @precondition(lambda self: self.heaps["return requested"])
    @rule(data=st.data())
    def receive_return(self, data: st.DataObject) -> None:
        requested = data.draw(st.integers(0, self.heaps["return requested"]), label="requested")
        received = data.draw(st.integers(0, requested), label="received")
        self.line = self.line.receive_return(requested, received)
        self.heaps["return requested"] -= requested
        self.heaps["returned"] += received
        self.heaps["delivered"] += requested - received  # the customer still has those

    @rule(move=st.sampled_from(sorted(MOVES)), more=st.integers(1, 3))
    def too_many(self, move: str, more: int) -> None:
        self._refused(lambda: getattr(self.line, move)(self.heaps[MOVES[move][0]] + more))

    @rule(move=st.sampled_from(sorted(MOVES)), units=st.integers(-3, -1))
    def less_than_none(self, move: str, units: int) -> None:
        self._refused(lambda: getattr(self.line, move)(units))

    @rule(data=st.data())
    def a_return_that_cannot_be(self, data: st.DataObject) -> None:
        requested = data.draw(st.integers(-3, self.heaps["return requested"] + 3))
        received = data.draw(st.integers(-3, requested + 3))
        if not 0 <= received <= requested <= self.heaps["return requested"]:
            self._refused(lambda: self.line.receive_return(requested, received))

    def _refused(self, move: Callable[[], LineQuantities]) -> None:
        before = self.line.model_copy(deep=True)
        with pytest.raises(IllegalTransition, match="cannot"):
            move()
        assert self.line == before

    @invariant()
    def counts_are_the_heaps(self) -> None:
        line, heaps = self.line, self.heaps
        with_customer = heaps["delivered"] + heaps["return requested"] + heaps["returned"]
        assert line.open == heaps["open"]
        assert line.allocated == heaps["allocated"]
        assert line.cancelled == heaps["cancelled"]
        assert line.in_transit == heaps["in transit"]
        assert line.lost == heaps["lost"]
        assert line.delivered == with_customer
        assert line.shipped == with_customer + heaps["in transit"] + heaps["lost"]
        assert line.returnable == heaps["delivered"]
        assert line.return_requested == heaps["return requested"]
        assert line.returned == heaps["returned"]

    @invariant()
    def everything_ordered_is_somewhere(self) -> None:
        line = self.line
        parts = line.open + line.backordered + line.allocated + line.shipped + line.cancelled
        assert line.ordered == parts

    @invariant()
    def settled_means_that_nothing_is_under_way(self) -> None:
        under_way = sum(self.heaps[heap] for heap in ("open", "allocated", "in transit"))
        assert self.line.settled == (under_way == 0)


# Enough for a few units to go all the way and come back.
LineMachine.TestCase.settings = settings(stateful_step_count=30)
test_a_line_moves_only_as_it_may = LineMachine.TestCase


@pytest.mark.parametrize(
    "counts",
    [
        {"ordered": 0},
        {"ordered": 1, "allocated": -1},
        {"ordered": 2, "allocated": 2, "shipped": 1},
        {"ordered": 2, "backordered": 2, "cancelled": 1},
        {"ordered": 2, "shipped": 1, "delivered": 1, "lost": 1},
        {"ordered": 2, "shipped": 2, "delivered": 1, "return_requested": 1, "returned": 1},
        {"ordered": 2, "picked": 1},
    ],
)
def test_counts_that_cannot_be_are_refused(counts: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        LineQuantities.model_validate(counts)


def test_a_refusal_says_how_many_could_have_moved() -> None:
    with pytest.raises(IllegalTransition, match="cannot ship 3: only 2 can be"):
        LineQuantities(ordered=5, allocated=2).ship(3)


def test_a_return_cannot_take_back_what_was_not_requested() -> None:
    line = LineQuantities(ordered=3, shipped=3, delivered=3, return_requested=1, returned=1)
    for requested, received in [(2, 1), (1, 2), (-1, -1)]:
        with pytest.raises(IllegalTransition):
            line.receive_return(requested, received)
