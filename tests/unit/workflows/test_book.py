"""What an order's workflow knows: where its units are, through everything that can happen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.errors import IllegalTransition
from domain.fulfilment.fulfilments import Planned
from domain.ids import fulfilment_id
from domain.orders.continuation import Stage
from domain.orders.order import Order
from tests.support.builders import an_order, terms_of
from tests.support.strategies import orders
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def reserve(book: OrderBook, units: dict[str, int]) -> Fulfilment:
    """Stock is found for these units at one location."""
    return book.allocated(Planned(fulfilment_id=next_id(book), location="main", units=units))


def next_id(book: OrderBook) -> str:
    return fulfilment_id(book.order_id, len(book.fulfilments) + 1)


def reserve_all(book: OrderBook) -> Fulfilment:
    return reserve(book, {line_id: line.open for line_id, line in book.lines.items()})


def a_book(order: Order) -> OrderBook:
    book = OrderBook(order.order_id)
    book.learn(terms_of(order))
    return book


class BookMachine(RuleBasedStateMachine):
    """Parcels go out, get lost, come back, are cancelled and waited for."""

    @initialize(order=orders(lines_max=3, quantity_max=4))
    def place(self, order: Order) -> None:
        self.book = a_book(order)
        self.waiting: list[Fulfilment] = []
        self.under_way: list[Fulfilment] = []
        self.returns: list[dict[str, int]] = []

    def some_of(self, data: st.DataObject, units: dict[str, int]) -> dict[str, int]:
        chosen = {k: data.draw(st.integers(0, n), label=f"units of {k}") for k, n in units.items()}
        return {line_id: n for line_id, n in chosen.items() if n}

    def count(self, move: str) -> dict[str, int]:
        return {line_id: getattr(line, move) for line_id, line in self.book.lines.items()}

    def one_of(self, data: st.DataObject, fulfilments: list[Fulfilment]) -> Fulfilment:
        return fulfilments.pop(data.draw(st.integers(0, len(fulfilments) - 1), label="fulfilment"))

    @rule(data=st.data())
    def reserve_some(self, data: st.DataObject) -> None:
        if units := self.some_of(data, self.count("open")):
            self.waiting.append(reserve(self.book, units))

    @rule(data=st.data())
    def wait_for_some(self, data: st.DataObject) -> None:
        self.book.backordered(self.some_of(data, self.count("open")))

    @rule(data=st.data())
    def what_was_waited_for_comes(self, data: st.DataObject) -> None:
        if units := self.some_of(data, self.book.waiting):
            planned = Planned(fulfilment_id=next_id(self.book), location="main", units=units)
            self.waiting.append(self.book.filled(planned))

    @rule(data=st.data())
    def wait_no_longer(self, data: st.DataObject) -> None:
        self.book.not_waited_for(self.some_of(data, self.book.waiting))

    @rule(data=st.data())
    def cancel_open(self, data: st.DataObject) -> None:
        self.book.cancelled(self.some_of(data, self.count("open")), allocated=False)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def pick_short(self, data: st.DataObject) -> None:
        fulfilment = self.waiting[-1]
        before = dict(fulfilment.units)
        missing = self.some_of(data, before)
        self.book.not_found(fulfilment, missing)
        left = {k: n - missing.get(k, 0) for k, n in before.items()}
        assert fulfilment.units == {k: n for k, n in left.items() if n}
        if not fulfilment.units:  # nothing of it was found: it ends here
            self.waiting.pop()
            fulfilment.stage = "ended"

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def cancel_a_parcel(self, data: st.DataObject) -> None:
        fulfilment = self.one_of(data, self.waiting)
        fulfilment.stage = "ended"
        gone = self.some_of(data, fulfilment.units)
        self.book.cancelled(gone, allocated=True)
        keep = {k: n - gone.get(k, 0) for k, n in fulfilment.units.items() if n > gone.get(k, 0)}
        if keep:
            planned = Planned(fulfilment_id=next_id(self.book), location="main", units=keep)
            self.waiting.append(self.book.reassigned(planned))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        fulfilment = self.one_of(data, self.waiting)
        self.book.shipped(fulfilment)
        self.under_way.append(fulfilment)

    def arrived(self, data: st.DataObject) -> Fulfilment:
        """The carrier's part of one has ended, and so has it."""
        fulfilment = self.one_of(data, self.under_way)
        fulfilment.stage = "ended"
        return fulfilment

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), hours=st.integers(0, 9))
    def deliver(self, data: st.DataObject, hours: int) -> None:
        last = self.book.last_delivery
        at = NOON + timedelta(hours=hours)
        self.book.delivered(self.arrived(data), at)
        assert self.book.last_delivery == (at if last is None else max(at, last))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        fulfilment = self.arrived(data)
        replaced = self.some_of(data, fulfilment.units)
        given_up = {k: n - replaced.get(k, 0) for k, n in fulfilment.units.items()}
        self.book.lost(replaced, given_up)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        self.book.came_back(self.arrived(data))

    @rule(data=st.data())
    def request_return(self, data: st.DataObject) -> None:
        if units := self.some_of(data, self.count("returnable")):
            self.book.return_requested(units)
            self.returns.append(units)

    @rule(data=st.data())
    def send_again_what_is_claimed(self, data: st.DataObject) -> None:
        if units := self.some_of(data, self.count("returnable")):
            self.book.sent_again(units)
            self.waiting.append(reserve(self.book, units))

    @precondition(lambda self: self.returns)
    @rule(data=st.data())
    def receive_return(self, data: st.DataObject) -> None:
        requested = self.returns.pop()
        self.book.return_received(requested, self.some_of(data, requested))

    @invariant()
    def every_unit_is_somewhere(self) -> None:
        for line in self.book.lines.values():
            to_come = line.open + line.backordered + line.allocated
            assert to_come + line.shipped + line.cancelled == line.ordered

    def teardown(self) -> None:
        """S21: whatever happened, all that is left goes out, and all of it comes back."""
        if not hasattr(self, "book"):
            return
        self.book.not_waited_for(self.book.waiting)
        if any(line.open for line in self.book.lines.values()):
            self.waiting.append(reserve_all(self.book))
        for fulfilment in self.waiting:
            self.book.shipped(fulfilment)
        for fulfilment in (*self.waiting, *self.under_way):
            self.book.delivered(fulfilment, NOON)
        for units in self.returns:
            self.book.return_received(units, units)
        for line_id, line in self.book.lines.items():
            self.book.return_requested({line_id: line.returnable})
            self.book.return_received({line_id: line.returnable}, {line_id: line.returnable})
        assert self.book.all_returned


# Long enough to lose, replace and return the units of a small order.
BookMachine.TestCase.settings = settings(stateful_step_count=25)
test_every_unit_is_somewhere_whatever_happens = BookMachine.TestCase


def test_s14_what_is_cancelled_is_not_to_be_authorized() -> None:
    book = a_book(an_order(("TEA", 4, "10.00")))
    assert book.deliverable_worth == 4500
    book.cancelled({"1": 1}, allocated=False)
    assert book.deliverable_worth == 3375
    book.cancelled({"1": 3}, allocated=False)
    assert book.deliverable_worth == 0


def test_s27_of_three_that_were_to_come_back_one_that_did_not_come_can_come_later() -> None:
    book = a_book(an_order(("TEA", 3, "10.00")))
    fulfilment = reserve_all(book)
    book.shipped(fulfilment)
    book.delivered(fulfilment, NOON)
    book.return_requested({"1": 3})
    book.return_received({"1": 3}, {"1": 2})
    assert not book.all_returned
    assert book.lines["1"].returnable == 1


def test_a_charge_says_nothing_of_an_authorization_that_was_asked_for_after_it() -> None:
    book = a_book(an_order(("TEA", 1)))
    book.may_be_authorized()
    known = book.authorizations_asked
    book.may_be_authorized()  # another one, for another parcel
    book.stays_authorized(False, known)
    assert book.authorized
    book.stays_authorized(False, book.authorizations_asked)
    assert not book.authorized


def test_a_parcel_can_be_stopped_until_it_is_handed_over() -> None:
    fulfilment = reserve_all(a_book(an_order(("TEA", 1))))
    stoppable = {}
    for stage in get_args(Stage):
        fulfilment.stage = stage
        stoppable[stage] = fulfilment.stoppable
    assert [stage for stage, it_is in stoppable.items() if it_is] == ["planned", "under_way"]
    fulfilment.stage, fulfilment.recalled = "under_way", True
    assert not fulfilment.stoppable


def test_a_unit_is_not_shipped_twice() -> None:
    book = a_book(an_order(("TEA", 1)))
    fulfilment = reserve_all(book)
    book.shipped(fulfilment)
    with pytest.raises(IllegalTransition):
        book.shipped(fulfilment)
