"""How much history a big order takes: 100 lines in 10 parcels, with 5 returns."""

from __future__ import annotations

import asyncio

from domain.orders.return_messages import ReturnLine, ReturnRequest
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

LINES, PARCELS, RETURNS = 100, 10, 5
PER_PARCEL = LINES // PARCELS

EVENTS_MIN, EVENTS_MAX = 280, 460
BYTES_MAX = 100_000


async def test_100_lines_in_10_parcels_with_5_returns_stay_far_below_the_limits(
    shop: Shop,
) -> None:
    skus = [f"SKU-{number:03}" for number in range(LINES)]
    await asyncio.gather(
        *(shop.stocked(sku, 5, f"store-{number // PER_PARCEL}") for number, sku in enumerate(skus))
    )
    order = an_order(*((sku, 2, "9.99") for sku in skus))
    await shop.placed(order, a_policy(give_up_after=30, return_window=60))
    assert len((await shop.view(order.order_id))["fulfilments"]) == PARCELS
    playing = asyncio.create_task(shop.play(order.order_id))
    await shop.heard(order.order_id, "delivered", 2 * LINES)
    per_return = LINES // RETURNS
    for number in range(RETURNS):
        chosen = range(1 + number * per_return, 1 + (number + 1) * per_return)
        lines = tuple(ReturnLine(line_id=str(line)) for line in chosen)
        request = ReturnRequest(reason="a box of samples", lines=lines, request_id=f"r{number}")
        await shop.aftersales.request_return(order.order_id, request)
    await shop.result(order.order_id)
    playing.cancel()
    await shop.settled()
    description = await shop.workflow(order.order_id).describe()
    info = description.raw_description.workflow_execution_info
    events, size = info.history_length, info.history_size_bytes
    print(f"100 lines, 10 parcels, 5 returns: {events} events, {size} bytes")
    # Where several answers meet in one workflow task, its three events are saved.
    assert EVENTS_MIN <= events <= EVENTS_MAX
    assert size <= BYTES_MAX
