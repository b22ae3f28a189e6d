"""Whence an order ships: the cheapest way, told with its reasons, and anew where one refuses."""

from __future__ import annotations

from typing import Any

from domain import ids
from domain.orders.messages import CancelRequest, LineRequest
from domain.orders.sourcing_rules import SourcingRules
from domain.stock.locations import Location
from store.views import decisions
from store.views.decisions import Sourced
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

DEARER = {
    "country": "KR",
    "cost": "9.00",
    "currency": "USD",
    "distance_km": 10,
    "transit_days": 1,
}
CHEAPER = {
    "country": "KR",
    "cost": "4.00",
    "currency": "USD",
    "distance_km": 400,
    "transit_days": 3,
}


async def a_network(shop: Shop, **lanes: dict[str, Any]) -> None:
    """Locations with a lane and ten units of tea each."""
    for name in lanes:
        await shop.stocked("TEA", 10, name)
    await shop.locations.save(
        [
            Location.model_validate({"location": name, "lanes": [lane]})
            for name, lane in lanes.items()
        ]
    )


async def why(shop: Shop, order_id: str) -> list[Sourced]:
    async with shop.pool.acquire() as conn:
        return await decisions.sourcing(conn, order_id)


async def location_of(shop: Shop, fulfilment_id: str) -> str:
    detail = await shop.orders.get(ids.order_of(fulfilment_id))
    found = {part.fulfilment_id: part.location for part in detail.fulfilments}
    return found[fulfilment_id]


async def test_an_order_ships_from_where_it_is_cheapest_and_says_so(shop: Shop) -> None:
    await a_network(shop, busan=CHEAPER, seoul=DEARER)
    order = an_order(("TEA", 4))
    part = await shop.placed(order)
    assert await location_of(shop, part) == "busan"
    (choice,) = await why(shop, order.order_id)
    assert (choice.what, choice.exact) == ("stock reserved", True)
    assert {one.place.location: one.why for one in choice.considered} == {
        "busan": "serves it alone",
        "seoul": "dearer than busan",
    }
    await shop.finish(order.order_id)
    await shop.settled()


async def test_an_orders_policy_says_what_is_better_and_what_is_allowed(shop: Shop) -> None:
    await a_network(shop, busan=CHEAPER, seoul=DEARER)
    nearest = a_policy(sourcing=SourcingRules(prefer=("distance",)))
    part = await shop.placed(an_order(("TEA", 4)), nearest)
    assert await location_of(shop, part) == "seoul"
    only = a_policy(sourcing=SourcingRules(locations=("seoul",)))
    part = await shop.placed(an_order(("TEA", 4)), only)
    assert await location_of(shop, part) == "seoul"
    one_parcel = a_policy(sourcing=SourcingRules(parcels_max=1), partly_available="all_or_nothing")
    placement = await shop.orders.place(an_order(("TEA", 11)), policy=one_parcel)
    assert (placement.outcome, placement.reason) == ("rejected", "not available: 1 of 11 TEA")


async def test_what_a_location_refuses_is_sent_from_another(shop: Shop) -> None:
    await a_network(shop, busan=CHEAPER, seoul=DEARER)
    order = an_order(("TEA", 4))
    part = await shop.placed(order)
    await shop.task("pick", part)
    await shop.warehouse.refuse(part, "the dock is full", who="picker")
    second = f"{order.order_id}:2"
    await shop.task("pick", second)
    assert await location_of(shop, second) == "seoul"
    _, again = await why(shop, order.order_id)
    assert again.why == "busan refused: the dock is full"
    assert {one.place.location: (one.has, one.serves) for one in again.considered} == {
        "busan": (0, 0),
        "seoul": (4, 4),
    }
    assert (await shop.level("TEA", "busan")).available == 10
    await shop.finish(order.order_id)
    await shop.settled()
    assert (await shop.orders.get(order.order_id)).summary.delivered == 4


async def test_what_every_location_refuses_is_cancelled_and_not_charged(shop: Shop) -> None:
    await a_network(shop, busan=CHEAPER)
    order = an_order(("TEA", 4))
    part = await shop.placed(order)
    await shop.task("pick", part)
    await shop.warehouse.refuse(part, "recalled by its maker", who="picker")
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.cancelled, summary.captured_minor) == (4, 0)
    await shop.settled()


async def test_a_promise_is_given_at_placement_and_kept_on_the_order(shop: Shop) -> None:
    await a_network(shop, busan=CHEAPER, seoul=DEARER)
    order = an_order(("TEA", 12))  # two parcels, and the later one counts
    placement = await shop.orders.place(order)
    parts = (await shop.orders.get(order.order_id)).fulfilments
    assert sorted(part.location for part in parts) == ["busan", "seoul"]
    promised = {part.location: part.promised_on for part in parts}
    assert promised["busan"] is not None
    assert promised["seoul"] is not None
    assert promised["seoul"] < promised["busan"] == placement.promised_on
    again = await shop.orders.place(order)
    assert again.promised_on == placement.promised_on
    # Part of a parcel is cancelled before it is picked: the rest goes out in it, as promised.
    first = ids.fulfilment_id(order.order_id, 1)
    await shop.task("pick", first)
    one = (LineRequest(line_id="1", quantity=1),)
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="one too many", lines=one))
    parts = (await shop.orders.get(order.order_id)).fulfilments
    assert sum(sum(part.units.values()) for part in parts) == 11
    assert {part.location: part.promised_on for part in parts} == promised
    await shop.finish(order.order_id)
    await shop.settled()
