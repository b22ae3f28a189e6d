"""Orders that come without tax get the rates that an extension knows, once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.errors import InvalidInput, Unreachable
from domain.orders.order import Order
from domain.orders.taxing import Rates, TaxRate
from starter.service.service import Service
from tests.support.builders import QUICK, an_order, shipping
from tests.support.shop import Shop


class Office:
    """Knows rates, and counts how often it is asked."""

    def __init__(self, rate: str) -> None:
        self.rate = TaxRate(rate=Decimal(rate), category="standard")
        self.asked: list[str] = []
        self.away: Exception | None = None

    async def rates(self, order: Order) -> Rates:
        self.asked.append(order.order_id)
        if self.away is not None:
            raise self.away
        return Rates(lines={line.line_id: self.rate for line in order.lines}, shipping=self.rate)


def untaxed(units: int, **fields: Any) -> Order:
    """An order whose channel says nothing of tax."""
    sent = shipping("5.00")
    del sent["tax"]
    return an_order(("TEA", units), **{"shipping": sent, **fields})


def desk(shop: Shop, taxes: Any) -> Service:
    return Service(shop.pool, shop.temporal, task_queue=shop.task_queue, policy=QUICK, taxes=taxes)


async def test_an_order_without_a_word_of_tax_is_charged_with_the_rates_that_are_due(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    office, order = Office("19"), untaxed(2)  # 20.00 and 5.00 of shipping
    placed = await desk(shop, office).orders.place(order)
    assert placed.outcome == "confirmed"
    detail = await shop.orders.get(order.order_id)
    assert detail.summary.total_minor == 29_75
    assert office.asked == [order.order_id]


async def test_placed_again_it_is_the_same_order_whatever_the_rates_are_by_then(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = untaxed(2)
    await desk(shop, Office("19")).orders.place(order)
    later, gone = Office("21"), Office("7")
    gone.away = ConnectionError("nobody answers")
    for office in (later, gone):
        again = await desk(shop, office).orders.place(order)
        assert again.outcome == "confirmed"
    assert (await shop.orders.get(order.order_id)).summary.total_minor == 29_75


@pytest.mark.parametrize(
    "fields",
    [
        {"total": "25.00"},
        {"lines": [{"sku": "TEA", "quantity": 2, "unit_price": "10.00", "tax": "0.00"}]},
        {"lines": [{"sku": "TEA", "quantity": 2, "unit_price": "10.00", "tax_rate": "0"}]},
    ],
)
async def test_what_its_channel_says_of_tax_or_of_the_total_stands(
    shop: Shop, fields: dict[str, Any]
) -> None:
    await shop.stocked("TEA", 9)
    office, order = Office("19"), untaxed(2, **fields)
    await desk(shop, office).orders.place(order)
    assert office.asked == []
    assert (await shop.orders.get(order.order_id)).summary.total_minor == 25_00


async def test_where_the_rates_cannot_be_had_the_order_is_not_placed_and_that_is_said(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    office, order = Office("19"), untaxed(1)
    office.away = ConnectionError("nobody answers")
    with pytest.raises(Unreachable, match=r"nobody answers.*place it again"):
        await desk(shop, office).orders.place(order)
    office.away = None
    assert (await desk(shop, office).orders.place(order)).outcome == "confirmed"


async def test_rates_for_lines_that_are_not_there_are_refused(shop: Shop) -> None:
    class Wrong(Office):
        async def rates(self, order: Order) -> Rates:
            return Rates(lines={"none": self.rate})

    with pytest.raises(InvalidInput, match="lines that the order does not have: none"):
        await desk(shop, Wrong("19")).orders.place(untaxed(1))
