"""A run that is lost after it did what was asked, and before its answer was a row: asked again, it
is answered as it would have been, and nothing is done a second time.
"""

from __future__ import annotations

from datetime import timedelta

from domain.orders.messages import CancelRequest
from domain.orders.return_messages import ReturnLine, ReturnRequest
from domain.stock.items import Item
from store.stock import items
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

ONE = (ReturnLine(line_id="1", quantity=1),)


async def lose(shop: Shop, order_id: str) -> None:
    """Its run is lost, with all answers that it has given, and another one takes the order up."""
    await shop.idle(order_id)
    await shop.workflow(order_id).terminate("lost")
    await shop.pool.execute("delete from answered_request")
    await shop.orders.resume(order_id, settle=timedelta(0))
    await shop.phase(order_id, "in fulfilment")


async def units(shop: Shop, order_id: str, name: str) -> int:
    """A count of the order's only line, which its workflow and its row have alike."""
    (line,) = (await shop.view(order_id))["lines"].values()
    row = await shop.pool.fetchval(
        f"select {name} from order_line where order_no = order_no_of($1)", order_id
    )
    assert line[name] == row
    return int(row)


async def test_a_cancellation_of_one_unit_asked_again_cancels_no_other(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order_id = (order := an_order(("TEA", 3))).order_id
    await shop.placed(order)
    request = CancelRequest(reason="one less", request_id="call-1", lines=ONE)
    first = await shop.aftersales.cancel(order_id, request)
    await lose(shop, order_id)
    assert await shop.aftersales.cancel(order_id, request) == first
    assert await units(shop, order_id, "cancelled") == 1
    assert (await shop.level("TEA")).allocated == 2


async def test_a_cancellation_of_a_backorder_asked_again_cancels_no_other(shop: Shop) -> None:
    async with shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku="TEA", backorder=True)])
    order_id = (order := an_order(("TEA", 3))).order_id
    assert (await shop.orders.place(order)).outcome == "confirmed"
    await shop.phase(order_id, "in fulfilment")
    request = CancelRequest(reason="one less", request_id="call-1", lines=ONE)
    first = await shop.aftersales.cancel(order_id, request)
    await lose(shop, order_id)
    assert await shop.aftersales.cancel(order_id, request) == first
    assert await units(shop, order_id, "cancelled") == 1
    assert await units(shop, order_id, "backordered") == 2


async def test_a_return_asked_again_is_the_same_return_and_is_paid_back_once(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order_id = (order := an_order(("TEA", 2))).order_id
    parcel = await shop.placed(order, a_policy(give_up_after=60, return_window=60))
    await shop.drive(parcel, "delivered")
    await shop.phase(order_id, "return window")
    some = ReturnRequest(reason="too big", request_id="call-1", lines=ONE)
    rest = ReturnRequest(reason="all of it", request_id="call-2")
    answers = [await shop.aftersales.request_return(order_id, each) for each in (some, rest)]
    await shop.idle(order_id)
    await shop.workflow(order_id).terminate("lost")
    await shop.pool.execute("delete from answered_request")
    await shop.orders.resume(order_id, settle=timedelta(0))
    await shop.phase(order_id, "return window")
    again = [await shop.aftersales.request_return(order_id, each) for each in (some, rest)]
    assert again == answers
    assert await units(shop, order_id, "return_requested") == 2
    for each in answers:
        await shop.warehouse.receive_return(str(each.return_id), who="desk")
    await shop.result(order_id)
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())


async def test_what_was_late_and_happened_while_nobody_ran_the_order_needs_nobody(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 10)
    order_id = (order := an_order(("TEA", 1))).order_id
    parcel = await shop.placed(order, a_policy(give_up_after=60, hand_over_within=1))
    await shop.drive(parcel, "labelled")
    assert list(await shop.attention(order_id)) == [f"pick_pack_ship {parcel}"]
    await shop.workflow(order_id).terminate("lost")
    await shop.warehouse.hand_over(parcel, who="packer")
    await shop.orders.resume(order_id, settle=timedelta(0))
    await shop.phase(order_id, "in fulfilment")
    await shop.idle(order_id)
    assert await shop.orders.attention([order_id]) == []
