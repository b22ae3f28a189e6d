"""What an order's workflow knows: units and their worth, through everything that can happen."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.errors import IllegalTransition
from domain.fulfilment.fulfilments import Planned
from domain.orders.amounts import Worth, sum_of
from domain.orders.continuation import BookState, Stage
from domain.orders.order import Order
from domain.payments.cover import Need
from tests.support.builders import an_order, shipping, terms_of
from tests.support.strategies import orders
from workflows.state.charges import Owed
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def reserve(book: OrderBook, units: dict[str, int]) -> Fulfilment:
    """Stock is found for these units at one location."""
    return book.allocated(
        Planned(fulfilment_id=book.next_fulfilment_id(), location="main", units=units)
    )


def reserve_all(book: OrderBook) -> Fulfilment:
    return reserve(book, {line_id: line.open for line_id, line in book.lines.items()})


def a_book(order: Order, state: BookState | None = None) -> OrderBook:
    book = OrderBook(order.order_id, state)
    book.learn(terms_of(order))
    return book


PARTS = tuple(Worth.model_fields)


class BookMachine(RuleBasedStateMachine):
    """Parcels go out, get lost, come back, are cancelled, waited for and paid back; the order is
    charged before or when it goes. The money is counted beside the book.
    """

    @initialize(order=orders(lines_max=3, quantity_max=4), ahead=st.booleans())
    def place(self, order: Order, *, ahead: bool) -> None:
        self.order = order
        self.book = a_book(order)
        self.ahead = ahead  # charged before anything goes out
        self.authorized: int | None = None
        self.charged, self.refunded = Worth(), Worth()
        self.invoiced, self.credited = Worth(), Worth()
        self.exact = True  # nothing was billed after a refund, and none was of a mere amount
        self.prepaid: Counter[str] = Counter()  # paid for, and to be sent
        self.resent: Counter[str] = Counter()  # of these, invoiced before they got lost
        self.waiting: list[Fulfilment] = []
        self.under_way: list[Fulfilment] = []
        self.returns: list[dict[str, int]] = []

    def some_of(self, data: st.DataObject, units: dict[str, int]) -> dict[str, int]:
        chosen = {k: data.draw(st.integers(0, n), label=f"units of {k}") for k, n in units.items()}
        return {line_id: n for line_id, n in chosen.items() if n}

    def count(self, move: str) -> dict[str, int]:
        return {line_id: getattr(line, move) for line_id, line in self.book.lines.items()}

    def owe(self, owed: Owed) -> Owed:
        """Something is to be paid back."""
        self.refunded += owed.worth
        self.credited += owed.credited
        return owed

    def cancel(self, owed: Owed) -> None:
        """What was paid for to be sent, and now is not, is paid back."""
        self.owe(owed)
        self.prepaid.subtract(owed.units)
        for line_id, line in self.book.lines.items():
            to_come = line.open + line.backordered + line.allocated
            assert 0 <= self.prepaid[line_id] <= to_come
            self.resent[line_id] = min(self.resent[line_id], to_come)

    def one_of(self, data: st.DataObject, fulfilments: list[Fulfilment]) -> Fulfilment:
        return fulfilments.pop(data.draw(st.integers(0, len(fulfilments) - 1), label="fulfilment"))

    @property
    def may_ship(self) -> bool:
        return self.authorized is not None and (self.book.charged_ahead or not self.ahead)

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
            number = self.book.next_fulfilment_id()
            planned = Planned(fulfilment_id=number, location="main", units=units)
            self.waiting.append(self.book.filled(planned))

    @rule(data=st.data())
    def wait_no_longer(self, data: st.DataObject) -> None:
        self.cancel(self.book.not_waited_for(self.some_of(data, self.book.waiting)))

    @rule(data=st.data())
    def cancel_open(self, data: st.DataObject) -> None:
        units = self.some_of(data, self.count("open"))
        self.cancel(self.book.cancelled(units, allocated=False))

    @precondition(lambda self: self.authorized is None)
    @rule()
    def authorize(self) -> None:
        self.book.charges.set_limits()
        needs = self.book.needs()
        assert all(need.most >= need.amount > 0 for need in needs)
        self.authorized = sum(need.amount for need in needs)
        assert self.authorized == self.book.deliverable_worth

    @precondition(lambda self: self.authorized is not None and self.ahead)
    @rule()
    def charge_ahead(self) -> None:
        if self.book.charged_ahead:
            return
        self.book.charged_ahead = True
        due = self.book.charge_all()[0]
        assert due.worth.total == self.book.deliverable_worth
        self.charged += due.worth
        self.prepaid.update(due.units)

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
        self.cancel(self.book.cancelled(gone, allocated=True))
        keep = {k: n - gone.get(k, 0) for k, n in fulfilment.units.items() if n > gone.get(k, 0)}
        if keep:
            planned = Planned(
                fulfilment_id=self.book.next_fulfilment_id(), location="main", units=keep
            )
            self.waiting.append(self.book.reassigned(planned))

    @precondition(lambda self: self.waiting and self.may_ship)
    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        self.send(self.one_of(data, self.waiting))

    def send(self, fulfilment: Fulfilment) -> None:
        foreseen = self.book.need_of(fulfilment).amount
        assert foreseen == sum(
            need.amount for need in self.book.needs(fulfilment) if need.part == fulfilment.id
        )
        assert sum(n.amount for n in self.book.needs(fulfilment)) == self.book.left_to_charge
        due = self.book.shipped(fulfilment)
        assert due.worth.total == foreseen
        for line_id, units in fulfilment.units.items():
            free = min(units, self.prepaid[line_id])
            assert due.units.get(line_id, 0) == units - free
            self.prepaid[line_id] -= free
            again = min(units, self.resent[line_id])
            assert due.invoiced_units.get(line_id, 0) == units - again
            self.resent[line_id] -= again
        if due.units:  # the charge is for the invoice, and claims neither more nor less
            assert (due.units, due.worth) == (due.invoiced_units, due.invoiced)
        refunded = sum(self.count("refunded").values())
        assert due.after_refund == (self.refunded != Worth() or refunded > 0)
        self.exact = self.exact and not due.after_refund
        self.charged += due.worth
        self.invoiced += due.invoiced
        fulfilment.stage = "await_delivery"
        self.under_way.append(fulfilment)

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
        fulfilment = self.one_of(data, self.under_way)
        replaced = self.some_of(data, fulfilment.units)
        given_up = {k: n - replaced.get(k, 0) for k, n in fulfilment.units.items()}
        self.owe(self.book.lost(replaced, given_up))
        self.prepaid.update(replaced)
        self.resent.update(replaced)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        self.owe(self.book.came_back(self.one_of(data, self.under_way)))

    @rule(data=st.data())
    def request_return(self, data: st.DataObject) -> None:
        if units := self.some_of(data, self.count("returnable")):
            self.book.return_requested(units)
            self.returns.append(units)

    @precondition(lambda self: self.returns)
    @rule(data=st.data())
    def receive_return(self, data: st.DataObject) -> None:
        requested = self.returns.pop()
        received = self.some_of(data, requested)
        owed = self.owe(self.book.return_received(requested, received))
        assert Counter(owed.units) + Counter(owed.unconceded) == Counter(received)

    @rule(data=st.data(), shipping=st.booleans())
    def pay_back_what_stays(self, data: st.DataObject, *, shipping: bool) -> None:
        units = self.some_of(data, self.count("concedable"))
        owed = self.owe(self.book.charges.concede(units, shipping=shipping))
        assert owed.units == units
        assert shipping or owed.worth.only_shipping == Worth()

    @rule()
    def pay_back_shipping(self) -> None:
        self.exact = False
        self.owe(self.book.charges.refund_shipping())
        assert self.book.charges.refundable.only_shipping == Worth()

    @rule(data=st.data())
    def goodwill(self, data: st.DataObject) -> None:
        self.exact = False
        before = self.book.charges.goodwill
        amount = data.draw(st.integers(0, self.book.charges.refundable.total))
        assert self.owe(self.book.charges.refund_amount(amount)).worth.total == amount
        assert self.book.charges.goodwill == before + amount

    @rule()
    def continue_as_new(self) -> None:
        state = BookState.model_validate_json(self.book.state().model_dump_json())
        self.book = a_book(self.order, state)
        self.waiting = [self.book.fulfilments[fulfilment.id] for fulfilment in self.waiting]
        self.under_way = [self.book.fulfilments[fulfilment.id] for fulfilment in self.under_way]

    @invariant()
    def money_follows_the_units(self) -> None:
        charges = self.book.charges
        assert (self.charged, self.refunded) == (charges.charged, charges.refunded)
        assert self.invoiced - self.credited == charges.invoiced
        for line_id, line in self.book.lines.items():
            money = charges.lines[line_id]
            worth = charges.worth[line_id].first(line.charged - line.refunded) + money.withheld
            limit = money.limit or charges.worth[line_id].whole
            for part in PARTS:
                kept, taken = getattr(money.charges.kept, part), getattr(money.charges.taken, part)
                assert taken <= getattr(limit, part)
                # Less by the limit alone: a part is not charged a second time in all.
                assert kept == getattr(worth, part) or (
                    kept < getattr(worth, part) and taken == getattr(limit, part)
                )

    @invariant()
    def to_the_cent_what_was_billed_is_the_worth_of_its_units(self) -> None:
        """Whatever the sequence, as long as nothing was billed after a refund."""
        if self.exact:
            lines, worth = self.book.lines, self.book.charges.worth
            out = (worth[line_id].first(line.invoiced) for line_id, line in lines.items())
            assert self.invoiced == sum_of(out)
            kept = (worth[k].first(line.charged - line.refunded) for k, line in lines.items())
            withheld = (money.withheld for money in self.book.charges.lines.values())
            assert self.charged - self.refunded == sum_of((*kept, *withheld))

    @invariant()
    def no_more_is_taken_or_given_than_there_is(self) -> None:
        for part in PARTS:
            assert 0 <= getattr(self.refunded, part) <= getattr(self.charged, part)
            assert 0 <= getattr(self.credited, part) <= getattr(self.invoiced, part)
        assert self.charged.total <= (self.authorized or 0) <= self.order.total_minor

    @invariant()
    def what_is_paid_for_and_not_sent_is_deferred(self) -> None:
        deferred = self.charged - self.refunded - (self.invoiced - self.credited)
        assert min(getattr(deferred, part) for part in PARTS) >= 0
        if self.prepaid.total() == self.resent.total():
            assert deferred == Worth()

    @invariant()
    def what_is_paid_for_is_what_the_customer_has_or_gets(self) -> None:
        for line_id, line in self.book.lines.items():
            has = line.delivered - line.returned - line.conceded + line.in_transit
            assert line.charged - line.refunded == has + self.prepaid[line_id]
            credited = self.book.charges.lines[line_id].credited
            assert line.invoiced - credited == has + self.resent[line_id]

    @invariant()
    def every_unit_is_somewhere(self) -> None:
        for line in self.book.lines.values():
            to_come = line.open + line.backordered + line.allocated
            assert to_come + line.shipped + line.cancelled == line.ordered

    def teardown(self) -> None:
        """S21: whatever happened, all that is left goes out, and all of it comes back."""
        if not hasattr(self, "book"):
            return
        if self.authorized is None:
            self.authorize()
        if self.ahead:
            self.charge_ahead()
        if self.book.waiting:
            self.cancel(self.book.not_waited_for(self.book.waiting))
        if any(line.open for line in self.book.lines.values()):
            self.waiting.append(reserve_all(self.book))
        for fulfilment in self.waiting:
            self.send(fulfilment)
        self.waiting = []
        self.what_is_paid_for_and_not_sent_is_deferred()
        for fulfilment in self.under_way:
            self.book.delivered(fulfilment, NOON)
        for units in self.returns:
            self.owe(self.book.return_received(units, units))
        for line_id, line in self.book.lines.items():
            for _ in range(line.returnable):
                self.book.return_requested({line_id: 1})
                self.owe(self.book.return_received({line_id: 1}, {line_id: 1}))
        assert self.refunded == self.charged
        assert self.credited == self.invoiced
        assert self.book.all_returned


# Long enough to lose, replace and return the units of a small order.
BookMachine.TestCase.settings = settings(stateful_step_count=25)
test_money_follows_the_units_whatever_happens = BookMachine.TestCase


def test_two_parcels_are_charged_each_for_what_it_holds() -> None:
    book = a_book(an_order(("TEA", 2, "10.00"), ("CUP", 1, "5.00")))
    first = reserve(book, {"1": 1})
    second = reserve(book, {"1": 1, "2": 1})
    assert (first.id, second.id) == (
        f"{book.order_id}:1",
        f"{book.order_id}:2",
    )
    assert book.needs() == [Need(first.id, 1200, 1200), Need(second.id, 1800, 1800)]
    assert book.shipped(first).units == {"1": 1}
    assert book.charges.charged.total == 1200  # its share of the shipping with it
    assert book.shipped(second).units == {"1": 1, "2": 1}
    assert book.charges.charged.total == book.terms.total_minor == 3000


def test_s14_what_is_cancelled_is_not_to_be_authorized() -> None:
    book = a_book(an_order(("TEA", 4, "10.00")))
    assert book.deliverable_worth == 4500
    book.cancelled({"1": 1}, allocated=False)
    assert book.deliverable_worth == 3375
    book.cancelled({"1": 3}, allocated=False)
    assert book.deliverable_worth == 0


def test_units_sent_in_place_of_lost_ones_are_not_charged_again() -> None:
    book = a_book(an_order(("TEA", 2, "10.00")))
    book.shipped(reserve_all(book))
    assert not book.lost({"1": 2}, {})
    due = book.shipped(reserve_all(book))
    assert (due.units, due.worth) == ({}, Worth())
    assert (due.invoiced_units, due.invoiced) == ({}, Worth())
    assert book.charges.charged.total == 2500


@pytest.mark.parametrize("first", ["older", "newer"])
def test_parcels_are_charged_what_is_authorized_for_them_also_after_a_loss(
    first: str,
) -> None:
    book = a_book(an_order(("TEA", 20, "10.00")))
    gone, older = reserve(book, {"1": 3}), reserve(book, {"1": 17})
    book.shipped(gone)
    book.lost({"1": 3}, {})
    newer = reserve(book, {"1": 3})  # sent in place of those, which are paid for
    fulfilments = [older, newer] if first == "older" else [newer, older]
    authorized = {fulfilment.id: book.need_of(fulfilment).most for fulfilment in fulfilments}
    charged = {fulfilment.id: book.shipped(fulfilment).worth.total for fulfilment in fulfilments}
    assert sum(charged.values()) == book.terms.total_minor - 30_75
    assert all(charged[part] <= authorized[part] for part in charged)


@given(orders(lines_max=3, quantity_max=7), st.data())
def test_each_parcel_s_authorization_is_enough_in_whatever_sequence_they_leave(
    order: Order, data: st.DataObject
) -> None:
    book = a_book(order)
    while units := {k: line.open for k, line in book.lines.items() if line.open}:
        some = {k: data.draw(st.integers(0, n), label=f"units of {k}") for k, n in units.items()}
        reserve(book, {k: n for k, n in some.items() if n} or units)
    needs = {need.part: need for need in book.needs()}
    assert sum(need.amount for need in needs.values()) == order.total_minor
    fulfilments = data.draw(st.permutations(list(book.fulfilments.values())), label="sequence")
    asked = {}
    charged = {}
    for fulfilment in fulfilments:
        asked[fulfilment.id] = book.need_of(fulfilment).amount
        charged[fulfilment.id] = book.shipped(fulfilment).worth.total
    assert sum(charged.values()) == order.total_minor
    for part, amount in charged.items():
        # A part that was planned as worth nothing has no authorization, and asks for its cent then.
        enough = needs[part].most if part in needs else asked[part]
        assert amount <= enough <= amount + 2 * 4 * len(order.lines)
    if len(fulfilments) == 1:  # nothing is authorized in vain
        assert all(need.most == need.amount for need in needs.values())


def test_a_parcel_that_was_planned_as_worth_nothing_asks_for_its_cent_before_it_leaves() -> None:
    book = a_book(an_order(("TEA", 2, "0.00"), shipping=shipping("0.01")))
    first, second = (reserve(book, {"1": 1}) for _ in range(2))
    assert [(need.part, need.amount) for need in book.needs()] == [(second.id, 1)]
    assert (book.need_of(second).amount, book.shipped(second).worth.total) == (0, 0)
    assert (book.need_of(first).amount, book.shipped(first).worth.total) == (1, 1)


def test_lost_units_that_are_not_replaced_are_paid_back() -> None:
    book = a_book(an_order(("TEA", 2, "10.00")))
    book.shipped(reserve_all(book))
    worth = Worth(goods=1000, shipping=250)
    assert book.lost({"1": 1}, {"1": 1}) == Owed({"1": 1}, worth, worth)


def test_s27_of_three_that_were_to_come_back_the_two_that_came_are_paid_back() -> None:
    book = a_book(an_order(("TEA", 3, "10.00")))
    fulfilment = reserve_all(book)
    book.shipped(fulfilment)
    book.delivered(fulfilment, NOON)
    book.return_requested({"1": 3})
    assert book.return_received({"1": 3}, {"1": 2}).worth.goods == 2000
    assert not book.all_returned
    assert book.lines["1"].returnable == 1


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


def test_shipping_that_was_not_paid_back_with_its_unit_does_not_pay_for_that_of_the_next() -> None:
    book = a_book(an_order(("TEA", 2, "10.00")))
    first = reserve(book, {"1": 1})
    book.shipped(first)
    book.delivered(first, NOON)
    assert book.charges.concede({"1": 1}, shipping=False).worth == Worth(goods=1000)
    due = book.shipped(reserve_all(book))
    assert due.worth == due.invoiced == Worth(goods=1000, shipping=250)
    book.return_requested({"1": 1})
    back = book.return_received({"1": 1}, {"1": 1})
    assert (back.worth, back.unconceded) == (Worth(shipping=250), {"1": 1})


def test_goodwill_before_anything_went_out_is_no_part_of_what_is_invoiced() -> None:
    book = a_book(an_order(("TEA", 2, "10.00")))
    book.charge_all()[0]
    owed = book.charges.refund_amount(500)
    assert (owed.worth.total, owed.credited.total) == (500, 0)
    assert book.shipped(reserve(book, {"1": 1})).invoiced.total == 1250
    assert book.shipped(reserve_all(book)).invoiced.total == 750
    assert book.charges.deferred == Worth()


def test_goodwill_before_anything_went_out_leaves_nothing_deferred_when_nothing_goes() -> None:
    book = a_book(an_order(("TEA", 2, "10.00")))
    book.charge_all()[0]
    book.charges.refund_amount(500)
    owed = book.cancelled({"1": 2}, allocated=False)
    assert (owed.worth.total, owed.credited.total) == (2000, 0)
    assert book.charges.deferred == Worth()


def test_what_is_billed_after_units_worth_nothing_were_paid_back_says_so() -> None:
    # A line of three is worth 0.01: the first two nothing, and the third all of it, as the third.
    book = a_book(an_order(("TEA", 3, "10.00"), discount="29.99", shipping=shipping("0")))
    first, second, third = (reserve(book, {"1": 1}) for _ in range(3))
    book.charges.set_limits()
    for fulfilment in (first, second):
        assert book.shipped(fulfilment).worth == Worth()
    assert book.lost({}, {"1": 1}).worth == Worth()
    due = book.shipped(third)
    assert (due.worth, due.after_refund) == (Worth(), True)
