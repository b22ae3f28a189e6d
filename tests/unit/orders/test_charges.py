"""What is charged, invoiced and paid back, through everything that can happen to units."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.errors import IllegalTransition
from domain.orders.amounts import LineMoney, Worth, sum_of
from domain.orders.charges import Owed
from domain.orders.order import Order
from domain.payments.cover import REST, Need
from tests.support.builders import an_order, shipping
from tests.support.rows import Parcel, Rows
from tests.support.strategies import orders

PARTS = tuple(Worth.model_fields)


class ChargesMachine(RuleBasedStateMachine):
    """Parcels go out, get lost, come back, are cancelled, waited for and paid back; the order is
    charged before or when it goes. The money is counted beside what decides about it.
    """

    @initialize(order=orders(lines_max=3, quantity_max=4), ahead=st.booleans())
    def place(self, order: Order, *, ahead: bool) -> None:
        self.order = order
        self.rows = Rows(order)
        self.ahead = ahead  # charged before anything goes out
        self.charged_ahead = False
        self.authorized: int | None = None
        self.charged, self.refunded = Worth(), Worth()
        self.invoiced, self.credited = Worth(), Worth()
        self.exact = True  # nothing was billed after a refund, and none was of a mere amount
        self.prepaid: Counter[str] = Counter()  # paid for, and to be sent
        self.resent: Counter[str] = Counter()  # of these, invoiced before they got lost
        self.under_way: list[Parcel] = []
        self.returns: list[dict[str, int]] = []

    @property
    def waiting(self) -> list[Parcel]:
        return self.rows.to_leave

    def some_of(self, data: st.DataObject, units: dict[str, int]) -> dict[str, int]:
        chosen = {k: data.draw(st.integers(0, n), label=f"units of {k}") for k, n in units.items()}
        return {line_id: n for line_id, n in chosen.items() if n}

    def count(self, move: str) -> dict[str, int]:
        return {line_id: getattr(line, move) for line_id, line in self.rows.lines.items()}

    def owe(self, owed: Owed) -> Owed:
        """Something is to be paid back."""
        self.refunded += owed.worth
        self.credited += owed.credited
        return owed

    def cancel(self, owed: Owed) -> None:
        """What was paid for to be sent, and now is not, is paid back."""
        self.owe(owed)
        self.prepaid.subtract(owed.units)
        for line_id, line in self.rows.lines.items():
            to_come = line.open + line.backordered + line.allocated
            assert 0 <= self.prepaid[line_id] <= to_come
            self.resent[line_id] = min(self.resent[line_id], to_come)

    def one_of(self, data: st.DataObject, parcels: list[Parcel]) -> Parcel:
        return parcels[data.draw(st.integers(0, len(parcels) - 1), label="parcel")]

    @property
    def may_ship(self) -> bool:
        return self.authorized is not None and (self.charged_ahead or not self.ahead)

    @rule(data=st.data())
    def reserve_some(self, data: st.DataObject) -> None:
        if units := self.some_of(data, self.count("open")):
            self.rows.reserve(units)

    @rule(data=st.data())
    def wait_for_some(self, data: st.DataObject) -> None:
        self.rows.move("backorder", self.some_of(data, self.count("open")))

    @rule(data=st.data())
    def what_was_waited_for_comes(self, data: st.DataObject) -> None:
        if units := self.some_of(data, self.rows.waiting):
            self.rows.move("unbackorder", units)
            self.rows.reserve(units)

    @rule(data=st.data())
    def wait_no_longer(self, data: st.DataObject) -> None:
        self.cancel(self.rows.not_waited_for(self.some_of(data, self.rows.waiting)))

    @rule(data=st.data())
    def cancel_open(self, data: st.DataObject) -> None:
        self.cancel(self.rows.cancelled(self.some_of(data, self.count("open")), allocated=False))

    @precondition(lambda self: self.authorized is None)
    @rule()
    def authorize(self) -> None:
        self.rows.charges.limit()
        self.authorized = self.rows.deliverable_worth

    @precondition(lambda self: self.authorized is not None and self.ahead)
    @rule()
    def charge_ahead(self) -> None:
        if self.charged_ahead:
            return
        self.charged_ahead = True
        left = self.rows.charges.left_to_charge
        due = self.rows.charges.charge_all()
        assert due.worth.total == left == self.rows.deliverable_worth
        self.charged += due.worth
        self.prepaid.update(due.units)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def pick_short(self, data: st.DataObject) -> None:
        parcel = self.waiting[-1]
        missing = self.some_of(data, parcel.units)
        self.rows.move("unallocate", missing)
        left = {k: n - missing.get(k, 0) for k, n in parcel.units.items()}
        parcel.units = {k: n for k, n in left.items() if n}
        if not parcel.units:  # nothing of it was found: it ends here
            self.waiting.pop()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def cancel_a_parcel(self, data: st.DataObject) -> None:
        parcel = self.one_of(data, self.waiting)
        self.waiting.remove(parcel)
        gone = self.some_of(data, parcel.units)
        self.cancel(self.rows.cancelled(gone, allocated=True))
        keep = {k: n - gone.get(k, 0) for k, n in parcel.units.items() if n > gone.get(k, 0)}
        if keep:
            self.rows.reassigned(keep)

    @precondition(lambda self: self.waiting and self.may_ship)
    @rule(data=st.data())
    def ship(self, data: st.DataObject) -> None:
        self.send(self.one_of(data, self.waiting))

    def send(self, parcel: Parcel) -> None:
        need = self.rows.need_of(parcel)
        foreseen = need.amount
        needs = self.rows.needs(parcel)
        assert sum(each.amount for each in needs) == self.rows.charges.left_to_charge
        assert foreseen <= need.most
        refunded = sum(money.refunded for money in self.rows.charges.money.values())
        due = self.rows.shipped(parcel)
        assert due.worth.total == foreseen
        for line_id, units in parcel.units.items():
            free = min(units, self.prepaid[line_id])
            assert due.units.get(line_id, 0) == units - free
            self.prepaid[line_id] -= free
            again = min(units, self.resent[line_id])
            assert due.invoiced_units.get(line_id, 0) == units - again
            self.resent[line_id] -= again
        if due.units:  # the charge is for the invoice, and claims neither more nor less
            assert (due.units, due.worth) == (due.invoiced_units, due.invoiced)
        assert due.after_refund == (self.refunded != Worth() or refunded > 0)
        self.exact = self.exact and not due.after_refund
        self.charged += due.worth
        self.invoiced += due.invoiced
        self.under_way.append(parcel)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        self.rows.move("deliver", self.arrived(data).units)

    def arrived(self, data: st.DataObject) -> Parcel:
        parcel = self.one_of(data, self.under_way)
        self.under_way.remove(parcel)
        return parcel

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        parcel = self.arrived(data)
        replaced = self.some_of(data, parcel.units)
        given_up = {k: n - replaced.get(k, 0) for k, n in parcel.units.items()}
        self.owe(self.rows.lost(replaced, given_up))
        self.prepaid.update(replaced)
        self.resent.update(replaced)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        self.owe(self.rows.came_back(self.arrived(data)))

    @rule(data=st.data())
    def request_return(self, data: st.DataObject) -> None:
        if units := self.some_of(data, self.count("returnable")):
            self.rows.move("request_return", units)
            self.returns.append(units)

    @precondition(lambda self: self.returns)
    @rule(data=st.data())
    def receive_return(self, data: st.DataObject) -> None:
        requested = self.returns.pop()
        received = self.some_of(data, requested)
        conceded = {k: money.conceded for k, money in self.rows.charges.money.items()}
        owed = self.owe(self.rows.returned(requested, received))
        money = self.rows.charges.money
        paid_before = Counter({k: conceded[k] - money[k].conceded for k in received})
        assert Counter(owed.units) + paid_before == Counter(received)

    @rule(data=st.data(), shipping=st.booleans())
    def pay_back_what_stays(self, data: st.DataObject, *, shipping: bool) -> None:
        charges = self.rows.charges
        units = self.some_of(data, {k: charges.concedable(k) for k in self.rows.lines})
        owed = self.owe(charges.concede(units, shipping=shipping))
        assert owed.units == units
        assert shipping or owed.worth.only_shipping == Worth()

    @rule(data=st.data())
    def send_again_what_is_claimed(self, data: st.DataObject) -> None:
        charges = self.rows.charges
        units = self.some_of(data, {k: charges.concedable(k) for k in self.rows.lines})
        if units:
            self.rows.move("send_again", units)
            charges.sent_again(units)
            self.prepaid.update(units)
            self.resent.update(units)
            self.rows.reserve(units)

    @rule()
    def pay_back_shipping(self) -> None:
        self.exact = False
        self.owe(self.rows.charges.refund_shipping())
        assert self.rows.charges.refundable.only_shipping == Worth()

    @rule(data=st.data())
    def goodwill(self, data: st.DataObject) -> None:
        self.exact = False
        before = self.rows.charges.goodwill
        amount = data.draw(st.integers(0, self.rows.charges.refundable.total))
        assert self.owe(self.rows.charges.refund_amount(amount)).worth.total == amount
        assert self.rows.charges.goodwill == before + amount

    @rule()
    def another_transaction_begins(self) -> None:
        self.rows.read_again()

    @invariant()
    def money_follows_the_units(self) -> None:
        charges = self.rows.charges
        assert (self.charged, self.refunded) == (charges.charged, charges.refunded)
        assert self.invoiced - self.credited == charges.invoiced
        for line_id in self.rows.lines:
            money, line = charges.money[line_id], charges.worth[line_id]
            worth = line.first(money.charged - money.refunded) + money.withheld
            limit = line.whole if money.sendable is None else line.first(money.sendable)
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
            money, worth = self.rows.charges.money, self.rows.charges.worth
            out = (worth[line_id].first(each.invoiced) for line_id, each in money.items())
            assert self.invoiced == sum_of(out)
            kept = (worth[k].first(each.charged - each.refunded) for k, each in money.items())
            withheld = (each.withheld for each in money.values())
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
        for line_id, line in self.rows.lines.items():
            money = self.rows.charges.money[line_id]
            has = line.delivered - line.returned - money.conceded + line.in_transit
            assert (money.prepaid, money.resent) == (self.prepaid[line_id], self.resent[line_id])
            assert money.charged - money.refunded == has + money.prepaid
            assert money.invoiced - money.credited == has + money.resent

    def teardown(self) -> None:
        """S21: whatever happened, all that is left goes out, and all of it comes back."""
        if not hasattr(self, "rows"):
            return
        rows = self.rows
        if self.authorized is None:
            self.authorize()
        if self.ahead:
            self.charge_ahead()
        if rows.waiting:
            self.cancel(rows.not_waited_for(rows.waiting))
        if any(line.open for line in rows.lines.values()):
            rows.reserve_all()
        for parcel in list(self.waiting):
            self.send(parcel)
        self.what_is_paid_for_and_not_sent_is_deferred()
        for parcel in self.under_way:
            rows.move("deliver", parcel.units)
        for units in self.returns:
            self.owe(rows.returned(units, units))
        for line_id, line in rows.lines.items():
            for _ in range(line.returnable):
                rows.move("request_return", {line_id: 1})
                self.owe(rows.returned({line_id: 1}, {line_id: 1}))
        assert self.refunded == self.charged
        assert self.credited == self.invoiced


# Long enough to lose, replace and return the units of a small order.
ChargesMachine.TestCase.settings = settings(stateful_step_count=25)
test_money_follows_the_units_whatever_happens = ChargesMachine.TestCase


def test_two_parcels_are_charged_each_for_what_it_holds() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00"), ("CUP", 1, "5.00")))
    first = rows.reserve({"1": 1})
    second = rows.reserve({"1": 1, "2": 1})
    assert rows.shipped(first).units == {"1": 1}
    assert rows.charges.charged.total == 1200  # its share of the shipping with it
    assert rows.shipped(second).units == {"1": 1, "2": 1}
    assert rows.charges.charged.total == rows.order.total_minor == 3000


def test_units_sent_in_place_of_lost_ones_are_not_charged_again() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00")))
    rows.shipped(rows.reserve_all())
    assert not rows.lost({"1": 2}, {})
    due = rows.shipped(rows.reserve_all())
    assert (due.units, due.worth) == ({}, Worth())
    assert (due.invoiced_units, due.invoiced) == ({}, Worth())
    assert rows.charges.charged.total == 2500


@pytest.mark.parametrize("first", ["older", "newer"])
def test_parcels_are_charged_what_is_authorized_for_them_also_after_a_loss(first: str) -> None:
    rows = Rows(an_order(("TEA", 20, "10.00")))
    gone, older = rows.reserve({"1": 3}), rows.reserve({"1": 17})
    rows.shipped(gone)
    rows.lost({"1": 3}, {})
    newer = rows.reserve({"1": 3})  # sent in place of those, which are paid for
    parcels = [older, newer] if first == "older" else [newer, older]
    authorized = {parcel.number: rows.need_of(parcel).most for parcel in parcels}
    charged = {parcel.number: rows.shipped(parcel).worth.total for parcel in parcels}
    assert sum(charged.values()) == rows.order.total_minor - 30_75
    assert all(charged[number] <= authorized[number] for number in charged)


def test_a_parcel_that_was_planned_as_worth_nothing_asks_for_its_cent_before_it_leaves() -> None:
    rows = Rows(an_order(("TEA", 2, "0.00"), shipping=shipping("0.01")))
    first, second = (rows.reserve({"1": 1}) for _ in range(2))
    assert [(need.part, need.amount) for need in rows.needs()] == [("2", 1)]
    assert (rows.to_charge_for(second), rows.shipped(second).worth.total) == (0, 0)
    assert (rows.to_charge_for(first), rows.shipped(first).worth.total) == (1, 1)


@given(orders(lines_max=3, quantity_max=7), st.data())
def test_each_parcel_s_authorization_is_enough_in_whatever_sequence_they_leave(
    order: Order, data: st.DataObject
) -> None:
    rows = Rows(order)
    while units := {k: line.open for k, line in rows.lines.items() if line.open}:
        some = {k: data.draw(st.integers(0, n), label=f"units of {k}") for k, n in units.items()}
        rows.reserve({k: n for k, n in some.items() if n} or units)
    needs = {need.part: need for need in rows.needs()}
    assert sum(need.amount for need in needs.values()) == order.total_minor
    asked, charged = {}, {}
    for parcel in data.draw(st.permutations(list(rows.to_leave)), label="sequence"):
        asked[f"{parcel.number}"] = rows.to_charge_for(parcel)
        charged[f"{parcel.number}"] = rows.shipped(parcel).worth.total
    assert sum(charged.values()) == order.total_minor
    for part, amount in charged.items():
        # A part that was planned as worth nothing has no authorization, and asks for its cent then.
        enough = needs[part].most if part in needs else asked[part]
        assert amount <= enough <= amount + 2 * 4 * len(order.lines)
    if len(charged) == 1:  # nothing is authorized in vain
        assert all(need.most == need.amount for need in needs.values())


def test_two_parcels_need_each_what_it_holds_and_the_rest_what_is_still_to_come() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00"), ("CUP", 1, "5.00")))
    rows.reserve({"1": 1})
    assert rows.needs() == [Need("1", 1200, 1200), Need(REST, 1800, 1800)]
    rows.reserve({"1": 1, "2": 1})
    assert rows.needs() == [Need("1", 1200, 1200), Need("2", 1800, 1800)]


def test_lost_units_that_are_not_replaced_are_paid_back() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00")))
    rows.shipped(rows.reserve_all())
    worth = Worth(goods=1000, shipping=250)
    assert rows.lost({"1": 1}, {"1": 1}) == Owed({"1": 1}, worth, worth)


def test_s27_of_three_that_were_to_come_back_the_two_that_came_are_paid_back() -> None:
    rows = Rows(an_order(("TEA", 3, "10.00")))
    parcel = rows.reserve_all()
    rows.shipped(parcel)
    rows.move("deliver", parcel.units)
    rows.move("request_return", {"1": 3})
    assert rows.returned({"1": 3}, {"1": 2}).worth.goods == 2000


def test_shipping_that_was_not_paid_back_with_its_unit_does_not_pay_for_that_of_the_next() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00")))
    first = rows.reserve({"1": 1})
    rows.shipped(first)
    rows.move("deliver", first.units)
    assert rows.charges.concede({"1": 1}, shipping=False).worth == Worth(goods=1000)
    due = rows.shipped(rows.reserve_all())
    assert due.worth == due.invoiced == Worth(goods=1000, shipping=250)
    rows.move("request_return", {"1": 1})
    back = rows.returned({"1": 1}, {"1": 1})
    assert (back.units, back.worth) == ({}, Worth(shipping=250))
    assert rows.charges.money["1"].conceded == 0


def test_shipping_of_a_cancelled_unit_is_paid_back_whole_where_others_were_paid_back_without() -> (
    None
):
    rows = Rows(an_order(("JAM", 6, "0.01"), shipping=shipping("0.44")))
    rows.charges.charge_all()
    parcel = rows.reserve({"1": 5})
    rows.shipped(parcel)
    rows.move("deliver", parcel.units)
    assert rows.charges.concede({"1": 2}, shipping=False).worth == Worth(goods=2)
    # Six units share 44 as 7, 7, 8, 7, 7 and 8.
    assert rows.cancelled({"1": 1}, allocated=False).worth == Worth(goods=1, shipping=8)
    assert rows.charges.deferred == Worth()


def test_what_the_customer_does_not_have_is_not_paid_back_as_kept() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00")))
    rows.shipped(rows.reserve_all())
    with pytest.raises(IllegalTransition, match="only 0"):
        rows.charges.concede({"1": 1}, shipping=True)


def test_goodwill_before_anything_went_out_is_no_part_of_what_is_invoiced() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00")))
    rows.charges.charge_all()
    owed = rows.charges.refund_amount(500)
    assert (owed.worth.total, owed.credited.total) == (500, 0)
    assert rows.shipped(rows.reserve({"1": 1})).invoiced.total == 1250
    assert rows.shipped(rows.reserve_all()).invoiced.total == 750
    assert rows.charges.deferred == Worth()


def test_goodwill_before_anything_went_out_leaves_nothing_deferred_when_nothing_goes() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00")))
    rows.charges.charge_all()
    rows.charges.refund_amount(500)
    owed = rows.cancelled({"1": 2}, allocated=False)
    assert (owed.worth.total, owed.credited.total) == (2000, 0)
    assert rows.charges.deferred == Worth()


def test_goodwill_for_a_parcel_that_gets_lost_does_not_lower_the_next_ones_invoice() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00"), shipping=shipping("0")))
    rows.shipped(rows.reserve({"1": 1}))
    rows.charges.refund_amount(200)
    assert rows.lost({}, {"1": 1}).credited.total == 800
    due = rows.shipped(rows.reserve_all())
    assert (due.worth.total, due.invoiced.total) == (1000, 1000)
    assert rows.charges.deferred == Worth()


def test_a_refused_charge_of_everything_leaves_nothing_charged() -> None:
    rows = Rows(an_order(("TEA", 2, "10.00")))
    rows.charges.charge_all()
    rows.charges.take_back()
    assert rows.charges.charged == Worth()
    assert not rows.cancelled({"1": 2}, allocated=False)


def test_what_is_billed_after_units_worth_nothing_were_paid_back_says_so() -> None:
    # A line of three is worth 0.01: the first two nothing, and the third all of it, as the third.
    rows = Rows(an_order(("TEA", 3, "10.00"), discount="29.99", shipping=shipping("0")))
    first, second, third = (rows.reserve({"1": 1}) for _ in range(3))
    for parcel in (first, second):
        assert rows.shipped(parcel).worth == Worth()
    assert rows.lost({}, {"1": 1}).worth == Worth()
    due = rows.shipped(third)
    assert (due.worth, due.after_refund) == (Worth(), True)


@pytest.mark.parametrize(
    "changes",
    [
        {"refunded": 1},
        {"charged": 1, "refunded": 2},
        {"charged": 2, "refunded": 1, "conceded": 2},
        {"credited": 1},
        {"conceded": -1},
    ],
    ids=str,
)
def test_units_of_money_that_cannot_be_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(IllegalTransition, match="cannot move"):
        LineMoney().counting(**changes)
    assert LineMoney().counting(charged=2, refunded=1, conceded=1).refunded == 1
