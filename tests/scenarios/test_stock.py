"""Hard cases of stock, end to end."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from activities.providers.sandbox.payment import Card
from domain.orders.messages import CancelRequest, Placement
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop


def units_of(placement: Placement, ordered: int) -> int:
    """How many units a placed order got."""
    if placement.outcome == "rejected":
        return 0
    return ordered - sum(missing.quantity for missing in placement.missing)


async def test_s1_of_many_orders_for_the_last_unit_one_wins_and_the_others_pay_nothing(
    shop: Shop,
) -> None:
    await shop.stocked("LAST", 1)
    orders = [an_order(("LAST", 1)) for _ in range(10)]
    placements = await asyncio.gather(*(shop.orders.place(order) for order in orders))
    (winner,) = [p.order_id for p in placements if p.outcome == "confirmed"]
    for placement in placements:
        if placement.order_id == winner:
            continue
        assert placement.outcome == "rejected"
        assert placement.reason == "not available: 1 of 1 LAST"
        assert await shop.payment.operations(placement.order_id) == ()
        assert await shop.story(placement.order_id) == ["received", "rejected"]
    await shop.finish(winner)
    await shop.settled()
    assert (await shop.level("LAST")).on_hand == 0


@pytest.mark.parametrize("seed", [1])
async def test_s1_whoever_races_for_stock_and_whosever_card_is_declined_no_unit_is_lost(
    shop: Shop, seed: int
) -> None:
    random = Random(seed)
    await shop.stocked("TEA", 4, "east")
    await shop.stocked("TEA", 3, "west")

    async def customer() -> tuple[str, int]:
        await asyncio.sleep(random.random() * 0.3)
        quantity = random.randint(1, 3)
        order = an_order(("TEA", quantity), token=random.choice([Card.OK, Card.OK, Card.DECLINE]))
        return order.order_id, units_of(await shop.orders.place(order), quantity)

    got = dict(await asyncio.gather(*(customer() for _ in range(14))))
    winners = [order_id for order_id, units in got.items() if units]
    claimed = [await shop.level("TEA", place) for place in ("east", "west")]
    assert sum(level.allocated for level in claimed) == sum(got.values()) <= 7
    await asyncio.gather(*(shop.finish(order_id) for order_id in winners))
    await shop.settled()
    left = [(await shop.level("TEA", place)).on_hand for place in ("east", "west")]
    assert sum(left) == 7 - sum(got.values())
    for order_id in got.keys() - set(winners):
        held = await shop.payment.operations(order_id)
        assert held == ()  # declined, or never asked


@pytest.mark.parametrize(
    ("policy", "outcome", "missing"),
    [("ship_available", "confirmed", {"2": 3}), ("all_or_nothing", "rejected", {"2": 3})],
)
async def test_s2_two_lines_of_one_sku_are_checked_together(
    shop: Shop, policy: str, outcome: str, missing: dict[str, int]
) -> None:
    await shop.stocked("TEA", 5)
    order = an_order(("TEA", 4), ("TEA", 4))
    placement = await shop.orders.place(
        order, policy=a_policy(give_up_after=60, partly_available=policy)
    )
    assert placement.outcome == outcome
    assert {units.line_id: units.quantity for units in placement.missing} == missing
    assert (await shop.level("TEA")).allocated == (5 if outcome == "confirmed" else 0)
    if outcome == "confirmed":
        await shop.finish(order.order_id)
    await shop.settled()


async def test_s3_orders_with_crossing_lines_at_once_never_wait_for_each_other_in_a_circle(
    shop: Shop,
) -> None:
    # Each location has one of the two, so that every order has two fulfilments, and a declined one
    # releases both of them.
    await shop.stocked("A", 20, "east")
    await shop.stocked("B", 20, "west")
    tokens = [Card.OK, Card.DECLINE] * 6
    crossing = [(("A", 1), ("B", 2)), (("B", 1), ("A", 2))] * 6
    orders = [an_order(*lines, token=token) for lines, token in zip(crossing, tokens, strict=True)]
    placements = await asyncio.gather(*(shop.orders.place(order) for order in orders))
    assert [p.outcome for p in placements] == ["confirmed", "rejected"] * 6
    for level in (await shop.level("A", "east"), await shop.level("B", "west")):
        assert level.allocated == 6 * (1 if level.sku == "A" else 2)
    confirmed = [p.order_id for p in placements if p.outcome == "confirmed"]
    await asyncio.gather(*(shop.finish(order_id) for order_id in confirmed))
    await shop.settled()


async def test_s4_two_units_with_one_at_each_of_two_locations_are_split(shop: Shop) -> None:
    await shop.stocked("TEA", 1, "east")
    await shop.stocked("TEA", 1, "west")
    order = an_order(("TEA", 2))
    await shop.placed(order)
    fulfilments = (await shop.orders.get(order.order_id)).fulfilments
    assert [(f.location, f.units) for f in fulfilments] == [("east", {"1": 1}), ("west", {"1": 1})]
    result = await shop.finish(order.order_id)
    assert result["outcome"] == "closed"
    operations = await shop.payment.operations(order.order_id)
    assert [(o.kind, o.amount.minor) for o in operations] == [
        ("authorize", 25_00),
        ("capture", 12_50),
        ("capture", 12_50),
    ]
    await shop.settled()


async def test_s4_units_that_cannot_all_be_had_are_refused_before_any_payment(shop: Shop) -> None:
    await shop.stocked("TEA", 1, "east")
    await shop.stocked("TEA", 1, "west")
    order = an_order(("TEA", 3))
    placement = await shop.orders.place(
        order, policy=a_policy(give_up_after=60, partly_available="all_or_nothing")
    )
    assert placement.outcome == "rejected"
    assert [(m.line_id, m.quantity) for m in placement.missing] == [("1", 1)]
    assert await shop.payment.operations(order.order_id) == ()
    assert (await shop.level("TEA", "east")).allocated == 0
    await shop.settled()


async def test_s5_a_slow_payment_company_keeps_no_other_order_from_the_same_stock(
    shop: Shop,
) -> None:
    shop.payment._slow_seconds = 5.0
    await shop.stocked("TEA", 10)
    slow = an_order(("TEA", 2), token=Card.SLOW)
    placing_slow = asyncio.create_task(shop.orders.place(slow))

    async def asked() -> bool:
        return bool(await shop.payment.operations(slow.order_id))

    await shop.until(asked, "the payment company is asked")
    # Nobody holds a lock on the stock, or on the order itself.
    async with shop.pool.acquire() as conn, conn.transaction():
        assert await conn.fetch("select from inventory for update nowait")
        assert await conn.fetch("select from stock for update nowait")
        assert await conn.fetch("select from customer_order for update nowait")
    quick = an_order(("TEA", 3))
    await shop.placed(quick)
    await shop.finish(quick.order_id)
    assert not placing_slow.done()
    assert (await placing_slow).outcome == "confirmed"
    shop.payment._slow_seconds = 0.1
    await shop.finish(slow.order_id)
    await shop.settled()
    assert (await shop.level("TEA")).on_hand == 5


@pytest.mark.parametrize("stage", ["picked", "labelled"])
async def test_s6_a_cancelled_fulfilment_gives_its_stock_back_where_it_was_exactly_once(
    shop: Shop, stage: str
) -> None:
    await shop.stocked("TEA", 3, "east")
    await shop.stocked("TEA", 9, "west")
    other = an_order(("TEA", 4))  # has claims of its own, which must not be touched
    await shop.placed(other)
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order)
    (fulfilment,) = (await shop.orders.get(order.order_id)).fulfilments
    location = fulfilment.location
    before = await shop.level("TEA", location)
    await shop.drive(parcel, stage)  # type: ignore[arg-type]  # a stage
    for step in ("recall", "put_back", "void_label", "release_stock"):
        shop.faults.repeat(step)
        shop.faults.after(step)  # and the answer of the first attempt is lost
    request = CancelRequest(reason="changed my mind", request_id="C-1")
    outcome = await shop.aftersales.cancel(order.order_id, request)
    assert outcome.outcome == "cancelled"
    after = await shop.level("TEA", location)
    assert (after.on_hand, after.allocated) == (before.on_hand, before.allocated - 3)
    assert (await shop.level("TEA", "east")).allocated + (
        await shop.level("TEA", "west")
    ).allocated == 4
    await shop.finish(other.order_id)
    await shop.settled()
