"""The three-way match of a supplier's bill."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.edi.matching import match
from domain.edi.purchases import Billed, BilledLine, OrderedLine

DAY = date(2026, 11, 30)
ORDERED = [OrderedLine("TEA", 10, Decimal("2.50"), DAY)]


def a_bill(
    units: int = 10, price: str = "2.50", total: str = "25.00", currency: str = ""
) -> Billed:
    line = BilledLine("TEA", units, Decimal(price))
    no = Decimal(0)
    return Billed("I-1", DAY, "PO-1", (line,), Decimal(total), no, no, currency=currency)


def test_a_bill_that_is_as_the_order_and_the_goods_are_matches() -> None:
    found = match(a_bill(), ORDERED, {"TEA": 10}, {}, currency="EUR", is_repeated=False)
    assert (found.faults, found.missing, found.waits) == ((), (), False)


@pytest.mark.parametrize(
    ("bill", "before", "said"),
    [
        (a_bill(11, total="27.50"), {}, "11 TEA are billed, and 10 were ordered"),
        (a_bill(6, total="15.00"), {"TEA": 6}, "12 TEA are billed, and 10 were ordered"),
        (a_bill(price="2.60", total="26.00"), {}, "billed at 2.60, and was ordered at 2.50"),
        (a_bill(currency="USD"), {}, "it is in USD, and the order is in EUR"),
        (a_bill(total="26.00"), {}, "its total is 26.00, and its parts come to 25.00"),
    ],
)
def test_what_differs_is_told(bill: Billed, before: dict[str, int], said: str) -> None:
    found = match(bill, ORDERED, {"TEA": 20}, before, currency="EUR", is_repeated=False)
    assert said in "; ".join(found.faults)
    assert not found.waits


def test_goods_that_are_billed_and_have_not_come_are_waited_for() -> None:
    found = match(a_bill(), ORDERED, {"TEA": 4}, {}, currency="EUR", is_repeated=False)
    assert found.missing == ("10 TEA are billed, and 4 came",)
    assert found.waits


@pytest.mark.parametrize(("units", "said"), [(4, ()), (11, ("11 TEA are credited, and 10",))])
def test_no_more_is_credited_than_was_billed(units: int, said: tuple[str, ...]) -> None:
    line = BilledLine("TEA", units, Decimal("2.50"))
    total = units * Decimal("2.50")
    note = Billed("C-1", DAY, "PO-1", (line,), total, Decimal(0), Decimal(0), is_credit=True)
    found = match(note, ORDERED, {"TEA": 10}, {"TEA": 10}, currency="EUR", is_repeated=False)
    assert [fault[:27] for fault in found.faults] == [one[:27] for one in said]
    assert not found.missing


def test_a_number_that_came_before_is_paid_once() -> None:
    found = match(a_bill(), ORDERED, {"TEA": 10}, {}, currency="EUR", is_repeated=True)
    assert found.faults == ("invoice I-1 came before: pay it once",)
