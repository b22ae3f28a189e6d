"""What an order costs: history events, and actions as Temporal Cloud bills them."""

from __future__ import annotations

from benchmarks.bill import billable_actions
from tests.support.builders import an_order
from tests.support.shop import Shop


async def test_a_one_parcel_order_takes_36_events_and_9_actions_through_closed(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order)
    await shop.idle(order.order_id)  # A parcel that is packed before it is waited for costs less.
    await shop.drive(parcel, "delivered")
    await shop.result(order.order_id)
    history = list((await shop.workflow(order.order_id).fetch_history()).events)
    actions, events = billable_actions(history), len(history)
    # Growth is to be noticed, and shrinking too. Two answers that meet in one workflow task save
    # its three events.
    assert actions == 9  # one of them is the attempt that buys the label
    assert events in (33, 36)


async def test_status_reads_cost_nothing(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3))
    await shop.placed(order)

    async def picking() -> int:
        await shop.task("pick", f"{order.order_id}:1")
        await shop.idle(order.order_id)
        return len((await shop.workflow(order.order_id).fetch_history()).events)

    before = await picking()
    for _ in range(5):
        await shop.orders.get(order.order_id)
        await shop.orders.events(order.order_id)
        await shop.orders.place(order)
    assert await picking() == before
