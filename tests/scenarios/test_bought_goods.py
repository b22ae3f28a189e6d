"""Goods that are bought for an order: made for it, or sent to its customer by the supplier."""

from __future__ import annotations

from datetime import date

import pytest

from domain import ids
from domain.errors import IllegalTransition, Refused
from domain.orders.channels import Channel
from domain.orders.edit_messages import LineChange, OrderEdit
from domain.orders.messages import CancelRequest, LineRequest
from domain.orders.order import Order
from domain.orders.sourcing_rules import SourcingRules
from domain.purchasing.purchase_orders import Acknowledged, SupplierItem
from domain.sellers import Seller
from domain.stock.items import Item
from store.purchasing.purchase_reads import PurchaseOrder
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

LAMP, TABLE = "LAMP", "TABLE"


async def sold_by(shop: Shop, supplier: str) -> None:
    """Have a supplier send lamps to customers, and make tables."""
    await shop.catalogue.set_items(
        [Item(sku=LAMP, handling="drop_ship"), Item(sku=TABLE, handling="made_to_order")]
    )
    terms = {"supplier": supplier, "lead_time_days": 3, "unit_price": "4.00", "currency": "USD"}
    await shop.purchasing.set_terms(
        [SupplierItem.model_validate({**terms, "sku": sku}) for sku in (LAMP, TABLE)]
    )


async def asked(shop: Shop, order: Order, sku: str, state: str = "sent") -> PurchaseOrder:
    """The purchase order for an order's line, once it is in this state."""

    async def find() -> PurchaseOrder | None:
        found = await shop.purchasing.orders(sku=sku)
        return next((x for x in found if (x.order_id, x.state) == (order.order_id, state)), None)

    return await shop.until(find, f"{sku} is {state} for {order.order_id}")


async def confirmed(shop: Shop, order: Order) -> None:
    placed = await shop.orders.place(order, policy=a_policy(return_window=0.01))
    assert placed.outcome == "confirmed", placed


async def test_a_lamp_that_its_supplier_sends_goes_beside_a_parcel_of_ours(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    await sold_by(shop, "lumen")
    order = an_order(("TEA", 1), (LAMP, 2))
    await confirmed(shop, order)
    bought = await asked(shop, order, LAMP)
    assert (bought.line_id, bought.drop_ship, bought.location) == ("2", True, "at-lumen")
    assert [(line.sku, line.quantity) for line in bought.lines] == [(LAMP, 2)]
    sent = await shop.pool.fetchval(
        "select document from sandbox.supplier_order where po_id = $1", bought.po_id
    )
    assert sent["ship_to"]["line1"] == "1 Sejong-daero"
    story = await shop.purchasing.story(bought.po_id)
    assert "Sejong" not in "".join(event.model_dump_json() for event in story)
    day = date(2099, 1, 2)
    await shop.purchasing.acknowledge(
        bought.po_id, "855", {LAMP: Acknowledged(quantity=2, due_on=day)}, who="lumen"
    )
    with pytest.raises(IllegalTransition, match="sent to the customer"):
        await shop.purchasing.receive(bought.po_id, "dock", who="dock")
    for _ in range(2):
        await shop.purchasing.ship(bought.po_id, "856", parcel=("dhl", "JD01"), who="lumen")
    await shop.told(order.order_id, "shipped")
    parts = {part.handling: part for part in (await shop.orders.get(order.order_id)).fulfilments}
    lamp = parts["drop_ship"]
    assert (lamp.carrier, lamp.tracking_number, lamp.state) == ("dhl", "JD01", "shipped")
    assert [task.part_id for task in await shop.warehouse.tasks()] == [
        parts["shipped"].fulfilment_id
    ]
    await shop.told(order.order_id, "charged")
    await shop.scan(lamp.fulfilment_id, "delivered")
    await shop.drive(parts["shipped"].fulfilment_id, "delivered")
    await shop.result(order.order_id)
    assert (await shop.level(LAMP, "at-lumen")).on_hand == 0
    await asked(shop, order, LAMP, "closed")
    await shop.settled()


async def test_a_table_is_made_for_its_order_and_sent_when_it_has_come(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    await sold_by(shop, "carpenter")
    first, second = an_order((TABLE, 1)), an_order((TABLE, 1))
    for order in (first, second):
        await confirmed(shop, order)
    for order in (first, second):
        bought = await asked(shop, order, TABLE)
        assert (bought.drop_ship, bought.location) == (False, "main")
        await shop.purchasing.receive(bought.po_id, "dock", who="dock")
        part = ids.fulfilment_id(order.order_id, 1)
        await shop.drive(part, "delivered")
        await shop.result(order.order_id)
        await asked(shop, order, TABLE, "closed")
    await shop.settled()


async def test_each_seller_has_a_place_of_its_own_at_a_supplier(shop: Shop) -> None:
    sellers = [
        Seller(seller=code, name=code, country="US", currency="USD") for code in ("east", "west")
    ]
    await shop.sellers.save(sellers)
    await shop.channels.save(
        [Channel(channel=one.seller, kind="web", seller=one.seller) for one in sellers]
    )
    await sold_by(shop, "lumen")
    places = set()
    for seller in sellers:
        order = an_order((LAMP, 1), channel=seller.seller)
        await confirmed(shop, order)
        places.add((await asked(shop, order, LAMP)).location)
    assert places == {"at-lumen", "at-lumen-west"}


async def test_before_it_is_sent_the_supplier_is_asked_to_stop_it(shop: Shop) -> None:
    await sold_by(shop, "lumen")
    order = an_order((LAMP, 2))
    await confirmed(shop, order)
    await asked(shop, order, LAMP)
    answer = await shop.aftersales.cancel(order.order_id, CancelRequest(reason="too bright"))
    assert answer.outcome == "cancelled"
    await shop.result(order.order_id)
    await asked(shop, order, LAMP, "cancelled")
    await shop.settled()


async def test_what_the_supplier_does_not_stop_stays_ordered_and_comes(shop: Shop) -> None:
    await sold_by(shop, "never-stops")
    order = an_order((LAMP, 1))
    await confirmed(shop, order)
    bought = await asked(shop, order, LAMP)
    answer = await shop.aftersales.cancel(order.order_id, CancelRequest(reason="too bright"))
    assert (answer.outcome, [item.reason for item in answer.refused]) == (
        "refused",
        ["with_supplier"],
    )
    await shop.purchasing.ship(bought.po_id, "856", who="lumen")
    await shop.told(order.order_id, "shipped")
    (part,) = (await shop.orders.get(order.order_id)).fulfilments
    assert (part.carrier, part.tracking_number) == ("supplier", part.fulfilment_id)
    await shop.scan(part.fulfilment_id, "delivered")
    await shop.result(order.order_id)
    await asked(shop, order, LAMP, "closed")
    await shop.settled()


async def test_an_edit_to_fewer_asks_the_supplier_to_stop_first(shop: Shop) -> None:
    await sold_by(shop, "lumen")
    order = an_order((LAMP, 3))
    await confirmed(shop, order)
    await asked(shop, order, LAMP)
    assert order.shipping.address is not None
    moved = order.shipping.address.model_copy(update={"line1": "9 Other Street"})
    with pytest.raises(Refused) as no:
        await shop.edits.edit(order.order_id, OrderEdit(reason="moved", address=moved))
    assert no.value.reason == "with_supplier"
    fewer = OrderEdit(reason="too bright", lines=(LineChange(line_id="1", quantity=1),))
    done = await shop.edits.edit(order.order_id, fewer)
    assert [(each.line_id, each.quantity) for each in done.taken_away] == [("1", 2)]
    await asked(shop, order, LAMP, "cancelled")
    # Until what is still wanted is bought anew, nobody was told the old address.
    await shop.edits.edit(order.order_id, OrderEdit(reason="moved", address=moved))
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="too bright"))
    await shop.result(order.order_id)
    await shop.settled()


async def test_an_edit_does_not_take_away_what_the_supplier_sends_all_the_same(shop: Shop) -> None:
    await sold_by(shop, "never-stops")
    order = an_order((LAMP, 2))
    await confirmed(shop, order)
    bought = await asked(shop, order, LAMP)
    fewer = OrderEdit(reason="too bright", lines=(LineChange(line_id="1", quantity=1),))
    with pytest.raises(Refused) as no:
        await shop.edits.edit(order.order_id, fewer)
    assert no.value.reason == "with_supplier"
    await shop.purchasing.ship(bought.po_id, "856", who="lumen")
    await shop.told(order.order_id, "shipped")
    (part,) = (await shop.orders.get(order.order_id)).fulfilments
    await shop.scan(part.fulfilment_id, "delivered")
    await shop.result(order.order_id)
    await shop.settled()


async def test_where_no_supplier_serves_it_a_person_is_asked_once(shop: Shop) -> None:
    await sold_by(shop, "refuses")
    order = an_order((LAMP, 1), (TABLE, 1))
    await confirmed(shop, order)
    told = await shop.attention(order.order_id)
    assert set(told) <= {"buy line 1", "buy line 2"}
    what, why = next(iter(told.items()))
    assert "cannot be bought" in why
    one = (LineRequest(line_id=what.removeprefix("buy line "), quantity=1),)
    answer = await shop.aftersales.cancel(
        order.order_id, CancelRequest(lines=one, reason="nobody has it")
    )
    assert answer.outcome == "cancelled"


async def test_where_no_location_may_take_it_in_a_person_is_asked_and_others_get_theirs(
    shop: Shop,
) -> None:
    """One order that cannot be served keeps nobody else waiting."""
    await sold_by(shop, "carpenter")
    nowhere, after_it = an_order((TABLE, 1)), an_order((LAMP, 1))
    policy = a_policy(return_window=0.01, sourcing=SourcingRules(locations=("nowhere",)))
    assert (await shop.orders.place(nowhere, policy=policy)).outcome == "confirmed"
    await confirmed(shop, after_it)
    assert "there is no location" in (await shop.attention(nowhere.order_id))["buy line 1"]
    await asked(shop, after_it, LAMP)
    for order in (nowhere, after_it):
        await shop.aftersales.cancel(order.order_id, CancelRequest(reason="enough"))
        await shop.result(order.order_id)
