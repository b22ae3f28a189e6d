"""What follows from a claim: goods are asked back, counts are put right, a voucher is given."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import IllegalTransition, InvalidInput, Refused
from domain.orders.return_messages import ReturnRequest
from store.aftersales import return_chases
from tests.scenarios.test_claims import claim, decide, delivered, one
from tests.support.shop import Shop


async def test_claimed_goods_that_come_back_are_in_stock_again_and_not_paid_back_twice(
    shop: Shop,
) -> None:
    order = await delivered(shop)
    made = await claim(shop, order, lines=one())
    paid = await decide(shop, made, "refund", send_back=True)
    assert (str(paid.amount), paid.return_id) == ("12.50 USD", f"{order.order_id}:R1")
    (task,) = await shop.warehouse.tasks(task="receive-return")
    for _ in range(2):
        await shop.warehouse.receive_return(task.part_id, who="kim")
    assert (await shop.level("TEA")).on_hand == 1
    closed = await shop.claims.get(made.claim_id)
    assert (closed.return_id, closed.return_state) == (paid.return_id, "closed")
    other = await shop.aftersales.request_return(
        order.order_id, ReturnRequest(reason="too small", lines=one())
    )
    assert other.return_id is not None
    await shop.warehouse.receive_return(other.return_id, who="kim")
    await shop.result(order.order_id)
    assert (await shop.orders.get(order.order_id)).summary.refunded_minor == 2500
    assert (await shop.level("TEA")).on_hand == 2
    await shop.settled()


async def test_claimed_goods_that_never_come_are_chased_and_let_be(shop: Shop) -> None:
    order = await delivered(shop)
    await shop.stocked("TEA", 1, "outlet")
    made = await claim(shop, order, lines=one())
    again = await decide(shop, made, "reship", send_back=True)
    await shop.drive(again.fulfilments[0], "delivered")
    assert again.return_id is not None
    for _ in range(5):
        await shop.pool.execute(
            "update order_return set chase_at = moment() - $1::interval where kind = 'claimed'",
            timedelta(minutes=1),
        )
        async with shop.pool.acquire() as conn:
            for late in await return_chases.overdue(conn, 9):
                await return_chases.chase(conn, late)
    assert (await shop.claims.get(made.claim_id)).return_state == "closed"
    story = await shop.story(order.order_id)
    assert story.count("overdue return closed") == 1
    assert not await shop.warehouse.tasks(task="receive-return")
    with pytest.raises(IllegalTransition, match="closed"):  # what comes now is unannounced
        await shop.warehouse.receive_return(again.return_id, who="kim")
    await shop.finish(order.order_id)
    await shop.settled()


async def test_who_got_something_else_has_both_skus_counted_once(shop: Shop) -> None:
    order = await delivered(shop)
    await shop.stocked("POT", 5)
    made = await claim(shop, order, "wrong", lines=one())
    sent = [{"line_id": "1", "sku": "POT"}]
    with pytest.raises(InvalidInput, match="NOPE"):
        await decide(shop, made, "refund", sent=[{"line_id": "1", "sku": "NOPE"}])
    with pytest.raises(InvalidInput, match="named twice"):
        await decide(shop, made, "refund", sent=[*sent, {"line_id": "1", "sku": "POT"}])
    with pytest.raises(InvalidInput, match="what was ordered"):
        await decide(shop, made, "refund", sent=[{"line_id": "1", "sku": "TEA"}])
    for _ in range(2):
        await decide(shop, made, "refund", sent=sent, request_id="d-1")
    assert (await shop.level("TEA")).on_hand == 1
    assert (await shop.level("POT")).on_hand == 4
    broken = await claim(shop, order, lines=one())
    with pytest.raises(InvalidInput, match="something else was sent"):
        await decide(shop, broken, "refund", sent=sent)
    await shop.settled()


async def test_what_is_on_the_shelf_still_is_sent_though_its_count_says_none_is(shop: Shop) -> None:
    order = await delivered(shop)
    await shop.stocked("POT", 5)
    made = await claim(shop, order, "wrong", lines=one())
    with pytest.raises(Refused):
        await decide(shop, made, "reship")
    sent = [{"line_id": "1", "sku": "POT"}]
    for _ in range(2):
        again = await decide(shop, made, "reship", sent=sent, request_id="d-1")
    (part,) = again.fulfilments
    await shop.drive(part, "delivered")
    assert (await shop.level("TEA")).on_hand == 0
    assert (await shop.level("POT")).on_hand == 4
    await shop.settled()


async def test_a_claim_is_paid_as_a_voucher_and_booked_as_one(shop: Shop) -> None:
    order = await delivered(shop)
    paid = await decide(shop, await claim(shop, order, lines=one()), "refund", to="voucher")
    assert (str(paid.amount), paid.owed) == ("12.50 USD", "")
    (voucher,) = await shop.vouchers.list(order_id=order.order_id)
    assert (voucher.kind, voucher.balance_minor) == ("voucher", 1250)
    rows = await shop.pool.fetch(
        "select account, sum(amount_minor)::bigint as minor from posting "
        "where account in ('voucher_liability', 'refunds_payable') group by account"
    )
    assert {row["account"]: row["minor"] for row in rows} == {
        "voucher_liability": -1250,
        "refunds_payable": 0,
    }
    with pytest.raises(Refused):
        await decide(shop, await claim(shop, order, "late"), "refund", send_back=True)
    await shop.settled()
