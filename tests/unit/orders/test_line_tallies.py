"""What an order's lines say of their money, and what the order says of it as a whole."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.orders.amounts import Worth, sum_of
from domain.orders.order import Order
from tests.support import strategies
from tests.support.builders import a_document
from tests.support.rows import Parcel, Rows

STEPS_MAX = 14


class Life:
    """An order that is lived by chance. Nothing is paid back but for units."""

    def __init__(self, order: Order, random: Random) -> None:
        self.rows = Rows(order)
        self.random = random
        self.there: list[Parcel] = []

    def some(self, units: dict[str, int]) -> dict[str, int]:
        chosen = {line_id: self.random.randint(0, most) for line_id, most in units.items()}
        return {line_id: count for line_id, count in chosen.items() if count}

    def count(self, what: str) -> dict[str, int]:
        return {line_id: getattr(line, what) for line_id, line in self.rows.lines.items()}

    def reserve(self, units: dict[str, int]) -> None:
        if some := {line_id: count for line_id, count in units.items() if count}:
            self.rows.reserve(some)

    def ship(self) -> None:
        if self.rows.to_leave:
            parcel = self.rows.to_leave[-1]
            self.rows.shipped(parcel)
            self.there.append(parcel)

    def cancel(self) -> None:
        if self.rows.to_leave:
            parcel = self.rows.to_leave.pop()
            gone = self.some(parcel.units)
            left = {k: n - gone.get(k, 0) for k, n in parcel.units.items() if n > gone.get(k, 0)}
            self.rows.cancelled(gone, allocated=True)
            if left:
                self.rows.reassigned(left)

    def deliver(self) -> None:
        if self.there:
            self.rows.move("deliver", self.there.pop().units)

    def lose(self) -> None:
        if self.there:
            parcel = self.there.pop()
            again = self.some(parcel.units)
            self.rows.lost(again, {k: n - again.get(k, 0) for k, n in parcel.units.items()})
            self.reserve(again)

    def come_back(self) -> None:
        if self.there:
            self.rows.came_back(self.there.pop())

    def give_back(self) -> None:
        if back := self.some(self.count("returnable")):
            self.rows.move("request_return", back)
            self.rows.returned(back, back)

    def concede(self) -> None:
        charges = self.rows.charges
        if units := self.some(
            {line_id: charges.concedable(line_id) for line_id in self.rows.lines}
        ):
            charges.concede(units, shipping=self.random.random() < 0.5)

    def step(self) -> None:
        steps = [self.ship, self.ship, self.ship, self.deliver, self.deliver, self.lose]
        steps += [self.come_back, self.cancel, self.give_back, self.give_back, self.concede]
        self.random.choice(steps)()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    strategies.orders(lines_max=2, quantity_max=4),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_what_the_lines_have_invoiced_and_credited_is_what_the_order_has(
    order: Order, random: Random, ahead: bool
) -> None:
    life = Life(order, random)
    charges = life.rows.charges
    for _ in range(2):
        life.reserve(life.some(life.count("open")))
    if ahead:
        charges.charge_all()
    steps = [life.step] * random.randint(0, STEPS_MAX)
    for step in (*steps, lambda: life.reserve(life.count("open")), *[life.ship] * STEPS_MAX):
        step()
        lines = sum_of(x.invoiced_worth - x.credited_worth for x in charges.money.values())
        assert lines == charges.invoiced
        assert charges.deferred == charges.deferred.within(Worth(), charges.charged)


def free_goods(
    units: dict[str, int], shipping: dict[str, str | None], *, with_tax: bool = False
) -> Rows:
    """An order that is charged ahead, of goods that cost nothing; only shipping does."""
    lines = [
        {"line_id": line_id, "sku": "TEA", "quantity": count, "unit_price": "0"}
        for line_id, count in units.items()
    ]
    document = a_document(currency="USD", lines=lines, prices_include_tax=with_tax)
    document["shipping"] |= {"price": "0", **shipping}
    rows = Rows(Order.model_validate(document))
    rows.charges.charge_all()
    return rows


def agreed(rows: Rows) -> bool:
    money = rows.charges.money.values()
    return sum_of(x.invoiced_worth - x.credited_worth for x in money) == rows.charges.invoiced


def test_a_parcel_that_comes_back_leaves_lines_and_order_agreed_where_prices_include_tax() -> None:
    rows = free_goods(
        {"1": 2, "2": 1}, {"price": "0.15", "tax": None, "tax_rate": "7"}, with_tax=True
    )
    parcel = rows.reserve({"1": 1})
    rows.shipped(parcel)
    rows.came_back(parcel)
    assert agreed(rows)


def test_units_that_come_back_one_by_one_leave_lines_and_order_agreed() -> None:
    rows = free_goods({"1": 1, "2": 4}, {"tax": "0.04"})
    rows.shipped(rows.reserve({"2": 3}))
    rows.move("deliver", {"2": 3})
    for _ in range(2):
        rows.move("request_return", {"2": 1})
        rows.returned({"2": 1}, {"2": 1})
        assert agreed(rows)
