"""Claims about goods that no parcel brings: others come as they came, and none is sent back."""

from __future__ import annotations

import pytest

from domain import ids
from domain.errors import InvalidInput, Refused
from domain.orders.messages import RefundRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from domain.stock.items import Item
from store.stock import promises
from tests.scenarios.test_bought_goods import LAMP, asked, sold_by
from tests.scenarios.test_claims import claim, decide, one
from tests.scenarios.test_handlings import APP, codes_of, collected, ready
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

FITTING = "FITTING"
POLICY = a_policy(give_up_after=60, return_window=4)


async def with_codes(shop: Shop) -> Order:
    """An order of two codes, which its customer has."""
    await codes_of(shop, 5)
    order = an_order((APP, 2))
    await shop.placed(order, POLICY)
    return await had(shop, order)


async def with_service(shop: Shop) -> Order:
    """An order of two fittings, which its customer has had."""
    await shop.catalogue.set_items([Item(sku=FITTING, handling="service")])
    await shop.stocked(FITTING, 5)
    order = an_order((FITTING, 2))
    part = await shop.placed(order, POLICY)
    await shop.told(order.order_id, "ready for its appointment")
    await shop.appointments.done(part, who="ben")
    return await had(shop, order)


async def had(shop: Shop, order: Order) -> Order:
    await shop.heard(order.order_id, "delivered", 2)
    await shop.told(order.order_id, "charged")
    return order


async def handling_of(shop: Shop, part: str) -> str:
    detail = await shop.orders.get(ids.order_of(part))
    return next(one.handling for one in detail.fulfilments if one.fulfilment_id == part)


async def test_for_a_code_that_does_not_work_another_one_is_given_out(shop: Shop) -> None:
    order = await with_codes(shop)
    again = await decide(shop, await claim(shop, order, lines=one()), "reship")
    (part,) = again.fulfilments
    assert await handling_of(shop, part) == "digital"

    async def all_given() -> bool:
        return len((await shop.codes.of_order(order.order_id)).bought) == 3

    await shop.until(all_given, "another code is given out")
    await shop.heard(order.order_id, "delivered", 2)
    await decide(shop, await claim(shop, order, lines=one()), "refund")
    good = [
        each.code
        for each in (await shop.codes.of_order(order.order_id)).bought
        if not each.revoked_at
    ]
    assert good == ["CODE-0", "CODE-1"]
    rest = RefundRequest(lines=one(), reason="none of them works")
    await shop.aftersales.refund(order.order_id, rest)
    assert all(each.revoked_at for each in (await shop.codes.of_order(order.order_id)).bought)
    await shop.result(order.order_id)
    assert not await shop.warehouse.tasks()
    await shop.settled()


async def test_a_service_that_went_wrong_is_given_again_at_an_appointment(shop: Shop) -> None:
    order = await with_service(shop)
    again = await decide(shop, await claim(shop, order, lines=one()), "reship")
    (part,) = again.fulfilments
    assert await handling_of(shop, part) == "service"
    await shop.until_many(order.order_id, "ready for its appointment", 2)
    await shop.appointments.done(part, who="ben")
    await shop.result(order.order_id)
    assert (await shop.level(FITTING)).on_hand == 2
    await shop.settled()


async def test_in_place_of_broken_goods_that_were_collected_others_lie_ready(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = collected(("TEA", 2))
    part = await shop.placed(order, POLICY)
    code = await ready(shop, part)
    await shop.pool.execute(
        "update fulfilment set promised_leave = '2026-01-02', promised_on = '2026-01-02' "
        "where fulfilment_id = $1",
        part,
    )
    await shop.pool.execute(
        "update pick_up set ready_at = '2026-01-01' where fulfilment_id = $1", part
    )
    async with shop.pool.acquire() as conn:
        assert await promises.notice_slips(conn, 100) == 0
    await shop.warehouse.collect(part, code, who="counter")
    await had(shop, order)
    with pytest.raises(Refused) as no:  # it lay ready in time
        await claim(shop, order, "late")
    assert no.value.reason == "promise_kept"
    again = await decide(shop, await claim(shop, order, lines=one()), "reship")
    (part,) = again.fulfilments
    assert await handling_of(shop, part) == "pick_up"
    await shop.drive(part, "labelled")
    codes = (await shop.codes.of_order(order.order_id)).to_collect
    (code,) = [each.code for each in codes if each.fulfilment_id == part]
    await shop.warehouse.collect(part, code, who="counter")
    await shop.result(order.order_id)
    await shop.settled()


async def test_what_a_supplier_has_sent_is_not_sent_again_from_stock_or_counted(
    shop: Shop,
) -> None:
    await sold_by(shop, "lumen")
    order = an_order((LAMP, 2))
    assert (await shop.orders.place(order, policy=POLICY)).outcome == "confirmed"
    bought = await asked(shop, order, LAMP)
    await shop.purchasing.ship(bought.po_id, "856", parcel=("dhl", "JD01"), who="lumen")
    await shop.told(order.order_id, "shipped")
    (part,) = (await shop.orders.get(order.order_id)).fulfilments
    await shop.scan(part.fulfilment_id, "delivered")
    await had(shop, order)
    await shop.stocked(LAMP, 1)
    made = await claim(shop, order, "wrong", lines=one())
    with pytest.raises(Refused) as no:
        await decide(shop, made, "reship")
    assert no.value.reason == "not_in_stock"
    with pytest.raises(InvalidInput, match="from no shelf of ours"):
        await decide(shop, made, "refund", sent=[{"line_id": "1", "sku": "TEA"}])
    await decide(shop, made, "refund")
    await shop.result(order.order_id)
    await shop.settled()


@pytest.mark.parametrize(
    ("sold", "reason"), [(with_codes, "digital_delivered"), (with_service, "service_is_over")]
)
async def test_what_no_parcel_has_brought_is_not_sent_back(
    shop: Shop, sold: object, reason: str
) -> None:
    assert callable(sold)
    order = await sold(shop)
    made = await claim(shop, order, lines=one())
    with pytest.raises(Refused) as no:
        await decide(shop, made, "refund", send_back=True)
    assert (no.value.reason, no.value.instead) == (reason, ("decide_claim",))
    asked_back = ReturnRequest(reason="not wanted", lines=one())
    with pytest.raises(Refused) as no:
        await shop.aftersales.request_return(order.order_id, asked_back)
    assert (no.value.reason, no.value.instead) == (reason, ("refund_order",))
    with pytest.raises(Refused) as no:
        await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="not wanted"))
    assert no.value.reason == "nothing_left"
    await decide(shop, made, "refund")
    await shop.result(order.order_id)
    await shop.settled()
