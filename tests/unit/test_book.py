"""What an order's workflow knows: units and their worth, through everything that can happen."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.amounts import Worth
from domain.continuation import Stage
from domain.errors import IllegalTransition
from domain.fulfilments import Planned
from domain.order import Order
from tests.builders import an_order
from tests.strategies import orders
from workflows.book import OrderBook, Parcel

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def reserve(book: OrderBook, units: dict[str, int]) -> Parcel:
    """Stock is found for these units at one location."""
    return book.allocated(
        Planned(fulfilment_id=book.next_fulfilment_id(), location="main", units=units)
    )


def reserve_all(book: OrderBook) -> Parcel:
    return reserve(book, {line_id: line.open for line_id, line in book.lines.items()})


class BookMachine(RuleBasedStateMachine):
    """Parcels go out, get lost, come back, are cancelled; the money is counted beside the book."""

    @initialize(order=orders(lines_max=3, quantity_max=4))
    def place(self, order: Order) -> None:
        self.order = order
        self.book = OrderBook(order)
        self.charged, self.refunded = Worth(), Worth()
        self.prepaid: Counter[str] = Counter()  # lost, paid for, and to be sent once more
        self.waiting: list[Parcel] = []
        self.under_way: list[Parcel] = []
        self.returning: list[dict[str, int]] = []

    def some_of(self, data: st.DataObject, units: dict[str, int]) -> dict[str, int]:
        chosen = {k: data.draw(st.integers(0, n), label=f"units of {k}") for k, n in units.items()}
        return {line_id: n for line_id, n in chosen.items() if n}

    def cancel(self, units: dict[str, int], *, allocated: bool) -> None:
        """What was paid for to be sent once more, and now is not, is paid back."""
        overpaid, owed = self.book.cancelled(units, allocated=allocated)
        self.prepaid.subtract(overpaid)
        self.refunded += owed
        for line_id, line in self.book.lines.items():
            assert 0 <= self.prepaid[line_id] <= line.open + line.allocated

    def one_of(self, data: st.DataObject, parcels: list[Parcel]) -> Parcel:
        return parcels.pop(data.draw(st.integers(0, len(parcels) - 1), label="parcel"))

    @rule(data=st.data())
    def reserve_some(self, data: st.DataObject) -> None:
        open_units = {line_id: line.open for line_id, line in self.book.lines.items()}
        if units := self.some_of(data, open_units):
            self.waiting.append(reserve(self.book, units))

    @rule(data=st.data())
    def cancel_open(self, data: st.DataObject) -> None:
        open_units = {line_id: line.open for line_id, line in self.book.lines.items()}
        self.cancel(self.some_of(data, open_units), allocated=False)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def pick_short(self, data: st.DataObject) -> None:
        parcel = self.waiting[-1]
        before = dict(parcel.units)
        missing = self.some_of(data, before)
        self.book.not_found(parcel, missing)
        left = {k: n - missing.get(k, 0) for k, n in before.items()}
        assert parcel.units == {k: n for k, n in left.items() if n}
        if not parcel.units:  # nothing of it was found: it ends here
            self.waiting.pop()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def cancel_a_parcel(self, data: st.DataObject) -> None:
        parcel = self.one_of(data, self.waiting)
        gone = self.some_of(data, parcel.units)
        self.cancel(gone, allocated=True)
        keep = {k: n - gone.get(k, 0) for k, n in parcel.units.items() if n > gone.get(k, 0)}
        if keep:
            planned = Planned(
                fulfilment_id=self.book.next_fulfilment_id(), location="main", units=keep
            )
            self.waiting.append(self.book.reassigned(planned))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        parcel = self.one_of(data, self.waiting)
        due, worth = self.book.shipped(parcel)
        for line_id, units in parcel.units.items():
            free = min(units, self.prepaid[line_id])
            assert due.get(line_id, 0) == units - free
            self.prepaid[line_id] -= free
        self.charged += worth
        self.under_way.append(parcel)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), hours=st.integers(0, 9))
    def deliver(self, data: st.DataObject, hours: int) -> None:
        last = self.book.last_delivery
        at = NOON + timedelta(hours=hours)
        self.book.delivered(self.one_of(data, self.under_way), at)
        assert self.book.last_delivery == (at if last is None else max(at, last))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        parcel = self.one_of(data, self.under_way)
        replaced = self.some_of(data, parcel.units)
        given_up = {k: n - replaced.get(k, 0) for k, n in parcel.units.items()}
        self.refunded += self.book.lost(replaced, given_up)
        self.prepaid.update(replaced)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        self.refunded += self.book.came_back(self.one_of(data, self.under_way))

    @rule(data=st.data())
    def request_return(self, data: st.DataObject) -> None:
        returnable = {line_id: line.returnable for line_id, line in self.book.lines.items()}
        if units := self.some_of(data, returnable):
            self.book.return_requested(units)
            self.returning.append(units)

    @precondition(lambda self: self.returning)
    @rule(data=st.data())
    def receive_return(self, data: st.DataObject) -> None:
        requested = self.returning.pop()
        received = self.some_of(data, requested)
        self.refunded += self.book.return_received(requested, received)

    @invariant()
    def money_follows_the_units(self) -> None:
        assert self.charged.total == self.book.charged_worth
        for part in ("goods", "tax", "shipping", "shipping_tax"):
            assert 0 <= getattr(self.refunded, part) <= getattr(self.charged, part)
        assert self.charged.total <= self.order.total_minor

    @invariant()
    def what_is_paid_for_is_what_the_customer_has_or_gets(self) -> None:
        for line_id, line in self.book.lines.items():
            has_or_gets = line.delivered - line.returned + line.in_transit + self.prepaid[line_id]
            assert line.charged - line.refunded == has_or_gets

    @invariant()
    def what_is_charged_was_set_aside(self) -> None:
        for line in self.book.lines.values():
            assert line.open + line.allocated + line.shipped + line.cancelled == line.ordered
        if not any(line.shipped for line in self.book.lines.values()) and not +self.prepaid:
            assert self.charged.total - self.refunded.total == 0

    def teardown(self) -> None:
        """S21: whatever happened, all that is left goes out, and all of it comes back."""
        if not hasattr(self, "book"):
            return
        if any(line.open for line in self.book.lines.values()):
            self.waiting.append(reserve_all(self.book))
        for parcel in self.waiting:
            self.charged += self.book.shipped(parcel)[1]
        for parcel in (*self.waiting, *self.under_way):
            self.book.delivered(parcel, NOON)
        for units in self.returning:
            self.refunded += self.book.return_received(units, units)
        for line_id, line in self.book.lines.items():
            for _ in range(line.returnable):
                self.book.return_requested({line_id: 1})
                self.refunded += self.book.return_received({line_id: 1}, {line_id: 1})
        assert self.refunded == self.charged
        assert self.book.all_returned


# Long enough to lose, replace and return the units of a small order.
BookMachine.TestCase.settings = settings(stateful_step_count=25)
test_money_follows_the_units_whatever_happens = BookMachine.TestCase


def test_two_parcels_are_charged_each_for_what_it_holds() -> None:
    book = OrderBook(an_order(("TEA", 2, "10.00"), ("CUP", 1, "5.00")))
    first = reserve(book, {"1": 1})
    second = reserve(book, {"1": 1, "2": 1})
    assert (first.id, second.id) == (
        f"{book.order.order_id}:1",
        f"{book.order.order_id}:2",
    )
    assert book.shipped(first)[0] == {"1": 1}
    assert book.charged_worth == 1200  # its share of the shipping with it
    assert book.shipped(second)[0] == {"1": 1, "2": 1}
    assert book.charged_worth == book.order.total_minor == 3000


def test_s14_what_is_cancelled_is_not_to_be_authorized() -> None:
    book = OrderBook(an_order(("TEA", 4, "10.00")))
    assert book.deliverable_worth == 4500
    book.cancelled({"1": 1}, allocated=False)
    assert book.deliverable_worth == 3375
    book.cancelled({"1": 3}, allocated=False)
    assert book.deliverable_worth == 0


def test_units_sent_in_place_of_lost_ones_are_not_charged_again() -> None:
    book = OrderBook(an_order(("TEA", 2, "10.00")))
    book.shipped(reserve_all(book))
    assert book.lost({"1": 2}, {}) == Worth()
    due, worth = book.shipped(reserve_all(book))
    assert (due, worth) == ({}, Worth())
    assert book.charged_worth == 2500


def test_lost_units_that_are_not_replaced_are_paid_back() -> None:
    book = OrderBook(an_order(("TEA", 2, "10.00")))
    book.shipped(reserve_all(book))
    assert book.lost({"1": 1}, {"1": 1}) == Worth(goods=1000, shipping=250)


def test_s27_of_three_that_were_to_come_back_the_two_that_came_are_paid_back() -> None:
    book = OrderBook(an_order(("TEA", 3, "10.00")))
    parcel = reserve_all(book)
    book.shipped(parcel)
    book.delivered(parcel, NOON)
    book.return_requested({"1": 3})
    assert book.return_received({"1": 3}, {"1": 2}).goods == 2000
    assert not book.all_returned
    assert book.lines["1"].returnable == 1


def test_a_parcel_can_be_stopped_until_it_is_handed_over() -> None:
    parcel = reserve_all(OrderBook(an_order(("TEA", 1))))
    stoppable = {}
    for stage in get_args(Stage):
        parcel.stage = stage
        stoppable[stage] = parcel.stoppable
    assert [stage for stage, it_is in stoppable.items() if it_is] == [
        *("planned", "pick", "pack", "ship")
    ]
    parcel.stage, parcel.recalled = "pick", True
    assert not parcel.stoppable


def test_a_unit_is_not_shipped_twice() -> None:
    book = OrderBook(an_order(("TEA", 1)))
    parcel = reserve_all(book)
    book.shipped(parcel)
    with pytest.raises(IllegalTransition):
        book.shipped(parcel)
