"""Goods that are not sent: collected at a counter, or sold over it; end to end."""

from __future__ import annotations

import asyncio

import pytest

from domain import ids
from domain.errors import InvalidInput
from domain.orders.hold_messages import HoldRequest, ReleaseRequest
from domain.orders.messages import CancelRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from domain.stock.items import Item
from domain.stock.licences import Licence
from domain.stock.locations import Locations
from tests.support.builders import a_document, a_policy, an_order
from tests.support.shop import Shop, Stage

FAR = Locations.model_validate(
    {
        "locations": [
            {
                "location": "main",
                "lanes": [{"country": "DE", "cost": "4.00", "currency": "EUR", "transit_days": 2}],
            }
        ]
    }
).locations


def collected(*lines: tuple[str, int]) -> Order:
    return an_order(*lines, shipping={"service": "collect"})


def sold_at_till(*lines: tuple[str, int]) -> Order:
    """As a till knows it: no customer, no address."""
    document = a_document(*lines, channel="pos")
    del document["customer"], document["shipping"]
    return Order.model_validate(document)


async def test_what_is_collected_is_delivered_when_it_is_handed_over_and_no_carrier_is_asked(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 3)
    part = await shop.placed(collected(("TEA", 2)), a_policy(return_window=0.01))
    order_id = ids.order_of(part)
    await shop.drive(part, "shipped")
    await shop.result(order_id)
    detail = await shop.orders.get(order_id)
    (parcel,) = detail.fulfilments
    assert (parcel.carrier, parcel.tracking_number, parcel.state) == (
        *("counter", part),
        "delivered",
    )
    assert detail.summary.captured_minor == 2_000
    assert detail.document["shipping"]["address"] is None
    assert await shop.carrier.lookup(key=f"{part}:label") is None
    told = await shop.story(order_id)
    assert told.index("shipped") < told.index("delivered")
    await shop.settled()


async def test_what_is_collected_may_come_from_a_place_that_sends_nowhere_near(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 1)
    await shop.locations.save(FAR)
    sent = await shop.orders.place(an_order(("TEA", 1)))
    assert sent.outcome == "rejected"  # no lane leads to Korea
    part = await shop.placed(collected(("TEA", 1)), a_policy(return_window=0.01))
    order_id = ids.order_of(part)
    await shop.drive(part, "shipped")
    await shop.result(order_id)
    await shop.settled()


async def test_a_hand_over_at_the_counter_that_is_reported_twice_is_one(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    part = await shop.placed(collected(("TEA", 1)), a_policy(return_window=0.01))
    order_id = ids.order_of(part)
    await shop.drive(part, "labelled")
    for _ in range(2):
        await shop.warehouse.hand_over(part, who="counter")
    await shop.result(order_id)
    assert (await shop.story(order_id)).count("delivered") == 1
    await shop.settled()


@pytest.mark.parametrize("stage", ["picked", "labelled"])
async def test_what_is_to_be_collected_can_be_cancelled_until_it_is_handed_over(
    shop: Shop, stage: Stage
) -> None:
    await shop.stocked("TEA", 1)
    part = await shop.placed(collected(("TEA", 1)))
    order_id = ids.order_of(part)
    await shop.drive(part, stage)
    answer = await shop.aftersales.cancel(order_id, CancelRequest(reason="not coming"))
    assert answer.outcome == "cancelled"
    await shop.result(order_id)
    await shop.settled()
    assert (await shop.level("TEA")).available == 1


async def test_a_sale_at_a_till_needs_no_hands_and_no_address_and_can_be_returned(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 3)
    policy = a_policy(charge="at_confirmation", return_window=600)
    part = await shop.placed(sold_at_till(("TEA", 2)), policy)
    order_id = ids.order_of(part)
    await shop.told(order_id, "delivered")
    assert await shop.warehouse.tasks() == []
    assert (await shop.level("TEA")).on_hand == 1
    detail = await shop.orders.get(order_id)
    assert detail.summary.customer_id == f"guest-{order_id}"
    assert detail.summary.captured_minor == 2_000
    told = await shop.story(order_id)
    steps = [what for what in told if what in ("picked", "packed", "shipped", "delivered")]
    assert steps == ["picked", "packed", "shipped", "delivered"]
    await shop.heard(order_id, "delivered", 2)
    answer = await shop.aftersales.request_return(order_id, ReturnRequest(reason="too strong"))
    assert answer.outcome == "approved"
    await shop.task("receive-return", answer.return_id or "")
    await shop.warehouse.receive_return(answer.return_id or "", who="clerk")
    await shop.result(order_id)
    await shop.settled()
    assert (await shop.level("TEA")).on_hand == 3


async def test_a_till_sale_is_one_whatever_attempts_are_lost(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    shop.faults.after("pick_pack_ship", 2)
    part = await shop.placed(sold_at_till(("TEA", 1)), a_policy(return_window=0.01))
    order_id = ids.order_of(part)
    await shop.result(order_id)
    told = await shop.story(order_id)
    assert [told.count(what) for what in ("picked", "packed", "shipped", "delivered")] == [
        1,
        1,
        1,
        1,
    ]
    await shop.settled()


# Sold in one command ------------------------------------------------------------------------------


async def test_a_counter_sale_is_placed_paid_and_handed_over_in_one_answer(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    sold = sold_at_till(("TEA", 2))
    told = [shop.counter_sales.sell(sold, "main", who="clerk") for _ in range(2)]
    assert {one.outcome for one in await asyncio.gather(*told)} == {"sold"}
    summary = (await shop.orders.get(sold.order_id)).summary
    assert (summary.delivered, summary.captured_minor) == (2, 2_000)
    assert (await shop.level("TEA")).on_hand == 1
    too_many = await shop.counter_sales.sell(sold_at_till(("TEA", 2)), "main", who="clerk")
    assert (too_many.outcome, too_many.reason) == ("rejected", "not available: 1 of 2 TEA")
    with pytest.raises(InvalidInput, match="not sent"):
        await shop.counter_sales.sell(an_order(("TEA", 1)), "main", who="clerk")


async def test_a_sale_made_without_a_network_is_taken_in_once_whatever_the_count_says(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 1)
    await shop.catalogue.set_items([Item(sku="TEA", backorder=True)])
    waiting = an_order(("TEA", 3))
    await shop.orders.place(waiting)
    sold = sold_at_till(("TEA", 2))
    told = [
        await shop.counter_sales.sell(sold, "main", is_gone=True, who="clerk") for _ in range(2)
    ]
    assert [(one.outcome, one.more_than_counted) for one in told] == [
        ("sold", {"TEA": 2}),
        ("sold", {}),
    ]
    # Who waited has what was kept for him, and waits for no less.
    lines = (await shop.orders.get(waiting.order_id)).lines
    assert [(line.allocated, line.backordered) for line in lines] == [(1, 2)]
    assert (await shop.level("TEA")).on_hand == 1
    await shop.aftersales.cancel(waiting.order_id, CancelRequest(reason="enough"))
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())


async def test_a_till_sale_that_is_held_is_handed_over_by_itself_when_the_hold_ends(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 1)
    held = sold_at_till(("TEA", 1))
    policy = a_policy(over_the_counter=True, return_window=0.01)
    shop.faults.hold("pick_pack_ship")
    await shop.placed(held, policy)
    hold = HoldRequest(reason="other", note="who is it", owner="clerk", by="clerk")
    await shop.holds.hold(held.order_id, hold)
    shop.faults.after("pick_pack_ship")  # so that a second call tells that the first has ended
    shop.faults.release("pick_pack_ship")

    async def tried() -> bool:
        return shop.faults.calls["pick_pack_ship"] > 1

    await shop.until(tried, "everything of the sale that is done while it is held")
    # The goods are in the customer's hand, so they count as picked; the hand-over is refused.
    assert (await shop.orders.get(held.order_id)).fulfilments[0].state == "packed"
    await shop.holds.release(held.order_id, ReleaseRequest(note="known", by="clerk"))
    await shop.result(held.order_id)
    await shop.settled()


async def test_a_till_without_a_network_has_given_out_no_code(shop: Shop) -> None:
    await shop.stocked("TEA", 1, "shop")
    await shop.catalogue.set_items([Item(sku="APP", handling="digital")])
    both = sold_at_till(("TEA", 1), ("APP", 1))
    told = await shop.counter_sales.sell(both, "shop", is_gone=True, who="till")
    assert (told.outcome, told.more_than_counted) == ("rejected", {})
    await shop.codes.take_in([Licence(sku="APP", code="AB12")], "digital", who="kim")
    both = sold_at_till(("TEA", 1), ("APP", 1))
    told = await shop.counter_sales.sell(both, "shop", is_gone=True, who="till")
    assert (told.outcome, told.more_than_counted) == ("sold", {})
    (given,) = (await shop.codes.of_order(both.order_id)).bought
    assert given.code == "AB12"
    await shop.result(both.order_id)
    await shop.settled()
