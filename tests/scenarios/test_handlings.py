"""Kinds of goods in one order side by side: codes that are given out, goods that are collected."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain import ids
from domain.errors import IllegalTransition, OrderloomError, Refused
from domain.orders.messages import CancelRequest, LineRequest, RefundRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from domain.stock.items import Item
from domain.stock.licences import Licence
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

APP = "APP-TEATIMER"

LOOKED_AT_SOON = {"pick_within": 5, "pack_within": 5, "hand_over_within": 5}
"""On a busy machine the first look may find goods that are not ready yet: then the next is soon."""


async def codes_of(shop: Shop, number: int, *, backorder: bool = False) -> None:
    """Have the app be digital, with so many codes to sell."""
    await shop.catalogue.set_items([Item(sku=APP, handling="digital", backorder=backorder)])
    await add_codes(shop, *(f"CODE-{n}" for n in range(number)))


async def add_codes(shop: Shop, *codes: str) -> dict[str, int]:
    wanted = [Licence(sku=APP, code=code) for code in codes]
    return await shop.codes.take_in(wanted, "digital", who="test") if wanted else {}


def collected(*lines: tuple[str, int]) -> Order:
    return an_order(*lines, shipping={"service": "collect"})


async def ready(shop: Shop, part: str) -> str:
    """Have goods lie ready. Returns their code."""
    await shop.drive(part, "labelled")
    ((one),) = (await shop.codes.of_order(ids.order_of(part))).to_collect
    assert one.fulfilment_id == part
    return one.code


async def view_of(shop: Shop, order_id: str) -> dict[str, Any]:
    """Fulfilment → its handling and state."""
    detail = await shop.orders.get(order_id)
    return {part.handling: part for part in detail.fulfilments}


# Codes --------------------------------------------------------------------------------------------


async def test_a_code_is_given_out_when_it_is_paid_and_the_parcel_beside_it_goes_its_own_way(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    await codes_of(shop, 3)
    part = await shop.placed(an_order(("TEA", 1), (APP, 2)), a_policy(return_window=0.01))
    order_id = ids.order_of(part)
    await shop.told(order_id, "delivered")
    parts = await view_of(shop, order_id)
    assert (parts["shipped"].state, parts["digital"].state) == ("picking", "delivered")
    assert parts["digital"].carrier == "codes"
    assert [task.part_id for task in await shop.warehouse.tasks()] == [
        parts["shipped"].fulfilment_id
    ]
    bought = (await shop.codes.of_order(order_id)).bought
    assert [(one.line_id, one.code, one.revoked_at) for one in bought] == [
        ("2", "CODE-0", None),
        ("2", "CODE-1", None),
    ]
    # charged as it is given out, and no sooner than the parcel for the rest
    await shop.told(order_id, "charged")
    assert (await shop.orders.get(order_id)).summary.captured_minor < 3_500
    for code in ("CODE-0", "CODE-1"):
        told = (await shop.orders.get(order_id)).model_dump_json()
        assert code not in told
    await shop.drive(parts["shipped"].fulfilment_id, "delivered")
    await shop.result(order_id)
    await shop.settled()


async def test_a_code_is_given_out_once_however_often_the_step_is_lost(shop: Shop) -> None:
    await codes_of(shop, 3)
    shop.faults.after("pick_pack_ship", 2)
    part = await shop.placed(an_order((APP, 2)), a_policy(return_window=0.01))
    await shop.result(ids.order_of(part))
    assert len((await shop.codes.of_order(ids.order_of(part))).bought) == 2
    (counts,) = await shop.codes.counts(APP)
    assert (counts.free, counts.given, counts.revoked) == (1, 2, 0)
    await shop.settled()


async def test_orders_wait_for_codes_that_are_sold_out_and_each_gets_its_own(shop: Shop) -> None:
    await codes_of(shop, 1, backorder=True)
    orders = [an_order((APP, 2)) for _ in range(3)]
    placed = [shop.orders.place(order, policy=a_policy(return_window=0.01)) for order in orders]
    assert {one.outcome for one in await asyncio.gather(*placed)} == {"confirmed"}
    assert await add_codes(shop, "CODE-0", *(f"MORE-{n}" for n in range(5))) == {APP: 5}
    given: list[str] = []
    for order in orders:
        await shop.result(order.order_id)
        given += [one.code for one in (await shop.codes.of_order(order.order_id)).bought]
    assert len(given) == len(set(given)) == 6
    await shop.settled()


async def test_a_code_cannot_be_cancelled_or_sent_back_and_its_refund_revokes_it(
    shop: Shop,
) -> None:
    await codes_of(shop, 2)
    part = await shop.placed(an_order((APP, 2)), a_policy(return_window=600))
    order_id = ids.order_of(part)
    await shop.heard(order_id, "delivered", 2)
    answer = await shop.aftersales.cancel(order_id, CancelRequest(reason="changed my mind"))
    assert (answer.outcome, answer.refused[0].reason) == ("refused", "digital_delivered")
    assert not answer.return_offered
    one_back = ReturnRequest(lines=(ReturnLine(line_id="1", quantity=1),), reason="no")
    with pytest.raises(OrderloomError) as refused:
        await shop.aftersales.request_return(order_id, one_back)
    assert refused.value.reason == "digital_delivered"
    assert refused.value.instead == ("refund_order",)
    with pytest.raises(Refused):
        await shop.aftersales.request_return(order_id, ReturnRequest(reason="no"))
    await shop.told(order_id, "charged")
    await shop.aftersales.refund(
        order_id, RefundRequest(lines=(LineRequest(line_id="1", quantity=1),), reason="too slow")
    )
    await shop.told(order_id, "codes revoked")
    bought = (await shop.codes.of_order(order_id)).bought
    assert [one.revoked_at is not None for one in bought] == [False, True]


async def test_codes_are_sold_of_what_is_digital_alone(shop: Shop) -> None:
    with pytest.raises(Refused, match="not digital"):
        await add_codes(shop, "CODE")


# Goods that are collected -------------------------------------------------------------------------


async def test_goods_are_collected_with_their_code_and_with_no_other(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    part = await shop.placed(collected(("TEA", 1)), a_policy(return_window=0.01))
    order_id = ids.order_of(part)
    code = await ready(shop, part)
    assert "ready to be collected" in await shop.story(order_id)
    assert code not in (await shop.orders.get(order_id)).model_dump_json()
    with pytest.raises(Refused) as wrong:
        await shop.warehouse.collect(part, "AAAAAAA", who="counter")
    assert wrong.value.reason == "wrong_code"
    for _ in range(2):
        await shop.warehouse.collect(part, f" {code[:3].lower()}-{code[3:]}", who="counter")
    await shop.result(order_id)
    assert (await shop.story(order_id)).count("delivered") == 1
    await shop.settled()


async def test_after_five_wrong_codes_not_even_the_right_one_is_looked_at_for_a_while(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 1)
    part = await shop.placed(collected(("TEA", 1)))
    code = await ready(shop, part)
    for _ in range(5):
        with pytest.raises(Refused):
            await shop.warehouse.try_code(part, "wrong")
    with pytest.raises(Refused) as refused:
        await shop.warehouse.collect(part, code, who="counter")
    assert refused.value.reason == "too_many_tries"
    await shop.pool.execute("update pick_up set tried_at = tried_at - interval '15 minutes'")
    await shop.warehouse.collect(part, code, who="counter")
    await shop.result(ids.order_of(part))


async def test_what_nobody_collects_goes_back_to_stock_and_is_paid_back(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    policy = a_policy(charge="at_confirmation", collect_within=1, **LOOKED_AT_SOON)
    part = await shop.placed(collected(("TEA", 1)), policy)
    order_id = ids.order_of(part)
    code = await ready(shop, part)
    ended = await shop.result(order_id)
    assert ended["outcome"] == "cancelled"
    assert ended["reason"].startswith("not collected within")
    with pytest.raises(IllegalTransition) as late:
        await shop.warehouse.collect(part, code, who="counter")
    assert late.value.reason == "given_up"
    await shop.settled()
    summary = (await shop.orders.get(order_id)).summary
    assert summary.refunded_minor == summary.captured_minor == 1_000
    assert (await shop.level("TEA")).available == 1


async def test_pick_up_given_up_while_the_customer_stands_at_the_counter(shop: Shop) -> None:
    """The row decides: either the goods are collected, or they are given up; never both."""
    await shop.stocked("TEA", 4)
    policy = a_policy(collect_within=1.5, return_window=0.01, **LOOKED_AT_SOON)
    parts = [await shop.placed(collected(("TEA", 1)), policy) for _ in range(4)]
    codes = {part: await ready(shop, part) for part in parts}
    outcomes = {}

    async def at_the_counter(part: str) -> None:
        """The customer asks until the goods are there, or are not to be had."""
        stage = await shop.pool.fetchval(
            "select changed_at from fulfilment where fulfilment_id = $1", part
        )
        await shop.pool.fetchval(
            "select pg_sleep(extract(epoch from $1::timestamptz + interval '1.5 s' - moment()))",
            stage,
        )
        try:
            await shop.warehouse.collect(part, codes[part], who="counter")
            outcomes[part] = "closed"
        except IllegalTransition:
            outcomes[part] = "cancelled"

    await asyncio.gather(*map(at_the_counter, parts))
    for part in parts:
        assert (await shop.result(ids.order_of(part)))["outcome"] == outcomes[part]
    await shop.settled()
    gone = list(outcomes.values()).count("closed")
    assert (await shop.level("TEA")).on_hand == 4 - gone
