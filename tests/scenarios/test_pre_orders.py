"""Goods that are ordered before they are on sale, and waits that have become long."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from activities.stock.late_stock import LateStock
from domain import ids
from domain.errors import IllegalTransition
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.items import Item
from domain.stock.locations import Lane, Location
from tests.support.builders import a_policy, an_order
from tests.support.shop import PATIENCE_S, Shop

LANE = Lane(cost=Decimal("4.00"), currency="USD", transit_days=1)


async def moved_to(shop: Shop, day: date | None) -> None:
    """Have NEW be on sale from this day, or now, as the worker's duty finds it."""
    await shop.catalogue.set_items([Item(sku="NEW", available_from=day, backorder=day is None)])
    await LateStock(shop.pool).notice()


async def promise_of(shop: Shop, order_id: str) -> date | None:
    day: date | None = await shop.pool.fetchval(
        "select promised_on from backorder where order_no = order_no_of($1)", order_id
    )
    return day


async def test_a_pre_order_is_not_given_up_and_is_charged_and_sent_on_its_day(shop: Shop) -> None:
    """Its street date is later than any wait, moves twice, and the first authorization ends."""
    await shop.locations.save([Location(location="main", lanes=(LANE,))])
    day = datetime.now(UTC).date() + timedelta(days=90)
    await moved_to(shop, day)
    await shop.stocked("NEW", 3)
    order = an_order(("NEW", 2))
    policy = a_policy(backorder_within=0.5, return_window=0.01)
    assert (await shop.orders.place(order, policy=policy)).outcome == "confirmed"
    promised = await promise_of(shop, order.order_id)
    assert promised is not None
    for days in (30, -40):
        await moved_to(shop, day + timedelta(days=days))
        moved = await promise_of(shop, order.order_id)
        assert moved == promised + timedelta(days=days)
    told = [e for e in await shop.orders.events(order.order_id) if "first day" in e.what]
    assert [event.data["promised_on"] for event in told] == [
        str(promised + timedelta(days=days)) for days in (30, -40)
    ]

    async def looked() -> bool:
        return shop.faults.calls["before_giving_up"] > 0

    await shop.until(looked, "its wait has become long")
    assert "charged" not in await shop.story(order.order_id)
    await shop.pool.execute("update payment_authorization set expires_at = now()")
    await moved_to(shop, None)
    part = ids.fulfilment_id(order.order_id, 1)
    await shop.drive(part, "delivered")
    await shop.result(order.order_id)
    story = await shop.story(order.order_id)
    assert (story.count("charged"), story.count("authorization renewed")) == (1, 1)
    await shop.settled()


async def test_what_comes_on_sale_as_its_wait_ends_is_sent(shop: Shop) -> None:
    """No duty has noticed it yet, and the order is asked for the last time."""
    await moved_to(shop, datetime.now(UTC).date() + timedelta(days=90))
    await shop.stocked("NEW", 1)
    shop.faults.hold("before_giving_up")
    order = an_order(("NEW", 1))
    policy = a_policy(backorder_within=0.5, return_window=0.01)
    assert (await shop.orders.place(order, policy=policy)).outcome == "confirmed"
    await asyncio.wait_for(shop.faults.reached["before_giving_up"].wait(), PATIENCE_S)
    await shop.catalogue.set_items([Item(sku="NEW", backorder=True)])
    shop.faults.release("before_giving_up")
    await shop.drive(ids.fulfilment_id(order.order_id, 1), "delivered")
    await shop.result(order.order_id)
    await shop.settled()


async def test_what_is_on_sale_later_after_all_stays_here_until_its_day(shop: Shop) -> None:
    await shop.stocked("NEW", 1)
    part = await shop.placed(an_order(("NEW", 1)), a_policy(return_window=0.01))
    await moved_to(shop, datetime.now(UTC).date() + timedelta(days=9))
    assert await shop.warehouse.tasks(order_id=ids.order_of(part)) == []
    with pytest.raises(IllegalTransition) as early:
        await shop.warehouse.pick(part, who="picker")
    assert early.value.reason == "before_first_day"
    await moved_to(shop, None)
    await shop.drive(part, "delivered")
    await shop.result(ids.order_of(part))
    await shop.settled()


async def test_a_supplier_is_asked_before_what_it_makes_is_given_up(shop: Shop) -> None:
    """One stops it, and its order is cancelled; the other does not, so that order waits on."""
    await shop.stocked("TEA", 1)
    policy = a_policy(backorder_within=2, return_window=0.01)
    orders = {}
    for supplier in ("carpenter", "never-stops"):
        sku = f"TABLE-{supplier}"
        await shop.catalogue.set_items([Item(sku=sku, handling="made_to_order")])
        terms = {"supplier": supplier, "lead_time_days": 3, "unit_price": "4.00", "currency": "USD"}
        await shop.purchasing.set_terms([SupplierItem.model_validate({**terms, "sku": sku})])
        orders[sku] = an_order((sku, 1))
        assert (await shop.orders.place(orders[sku], policy=policy)).outcome == "confirmed"

    async def bought(sku: str, state: str) -> str | None:
        found = await shop.purchasing.orders(sku=sku)
        return next((each.po_id for each in found if each.state == state), None)

    stopped, goes_on = orders
    ended = await shop.result(orders[stopped].order_id)
    assert ended["reason"].startswith("not in stock within")
    await shop.until(lambda: bought(stopped, "cancelled"), "the table is not made")

    async def asked() -> bool:
        return shop.faults.calls["cancel_purchase"] >= 2

    await shop.until(asked, "the other supplier was asked")
    po_id = await bought(goes_on, "sent")
    assert po_id is not None
    await shop.purchasing.receive(po_id, "dock", who="dock")
    await shop.drive(ids.fulfilment_id(orders[goes_on].order_id, 1), "delivered")
    await shop.result(orders[goes_on].order_id)
    await shop.settled()
