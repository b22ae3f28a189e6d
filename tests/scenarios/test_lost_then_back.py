"""A parcel that was lost turns up: each late fact opens a task, and nobody is paid twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain import ids
from domain.errors import IllegalTransition, Refused
from domain.money import Price
from domain.orders.messages import AttentionAnswer
from domain.orders.order import Order
from store.aftersales import return_chases
from store.stock import receipts
from store.warehouse import found_parcels
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop

COST = 400


async def costed(shop: Shop, units: int) -> None:
    async with shop.pool.acquire() as conn:
        await receipts.receive(
            *(conn, "first", "LOST", "main", units),
            new_location=True,
            unit_cost=Price(each=Decimal(4), currency="EUR"),
            who="test",
            why="test",
        )


async def books(shop: Shop, account: str) -> int:
    balance: int = await shop.pool.fetchval(
        "select coalesce(sum(amount_minor), 0)::bigint from posting where account = $1", account
    )
    return balance


def two(**fields: Any) -> Order:
    return an_order(("LOST", 2, "10.00"), shipping=shipping("0"), currency="EUR", **fields)


async def lost(shop: Shop, order: Order) -> str:
    parcel = await placed(shop, order)
    await lose(shop, parcel)
    return parcel


async def placed(shop: Shop, order: Order) -> str:
    return await shop.placed(order, a_policy(give_up_after=60, return_window=0.2))


async def lose(shop: Shop, parcel: str) -> None:
    await shop.drive(parcel, "shipped")
    await shop.scan(parcel, "failure")


async def test_a_lost_parcel_that_comes_back_is_counted_and_not_paid_back_again(
    shop: Shop,
) -> None:
    await costed(shop, 2)
    order = two()
    parcel = await lost(shop, order)
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    assert (await books(shop, "inventory"), await books(shop, "cost_of_goods_sold")) == (0, 800)
    for number in range(2):  # carriers tell everything twice
        await shop.scan(parcel, "return_to_sender", f"back-{number}")
    (task,) = await shop.warehouse.tasks(task="receive-return")
    assert (task.part_id, [line.quantity for line in task.lines]) == (f"{order.order_id}:R1", [2])
    for _ in range(2):
        counted = await shop.warehouse.receive_return(task.part_id, who="kim")
        assert counted == {"received": {"1": 2}, "missing": {}}
    assert (await books(shop, "inventory"), await books(shop, "cost_of_goods_sold")) == (800, 0)
    assert (await shop.level("LOST")).on_hand == 2
    detail = await shop.orders.get(order.order_id)
    assert (detail.summary.refunded_minor, detail.attention) == (2000, ())
    assert detail.summary.reason.startswith("nothing was delivered")
    assert not await shop.warehouse.tasks()
    await shop.settled()


async def test_goods_that_arrive_when_none_is_left_take_the_last_known_cost(shop: Shop) -> None:
    await costed(shop, 2)
    await lost(shop, order := two())
    await shop.result(order.order_id)
    async with shop.pool.acquire() as conn:
        await receipts.receive(conn, "again", "LOST", "main", 3, who="kim", why="found in the yard")
    assert await books(shop, "inventory") == 3 * COST


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_parcel_that_is_delivered_after_its_loss_was_settled_is_put_before_a_person(
    shop: Shop, replaced: bool
) -> None:
    await costed(shop, 4 if replaced else 2)
    order = two()
    parcel = await lost(shop, order)
    if replaced:
        again = f"{order.order_id}:2"
        await shop.drive(again, "delivered")
    await shop.result(order.order_id)
    await shop.scan(parcel, "delivered", "late")
    detail = await shop.orders.get(order.order_id)
    assert [row.step for row in detail.attention] == [f"late_scan {parcel}"]
    assert (detail.summary.refunded_minor == 0) == replaced
    assert not await shop.warehouse.tasks()


async def delivered_after_all(shop: Shop, *, replaced: bool, token: str = "tok_ok") -> str:
    """The parcel of two units, which a person is asked about."""
    await costed(shop, 4 if replaced else 2)
    order = two(payment={"provider": "sandbox", "token": token})
    parcel = await lost(shop, order)
    if replaced:
        await shop.drive(f"{order.order_id}:2", "delivered")
    await shop.result(order.order_id)
    await shop.scan(parcel, "delivered", "late")
    return parcel


async def decide(shop: Shop, parcel: str, action: Any) -> None:
    answer = AttentionAnswer(step=f"late_scan {parcel}", action=action, note="agreed", by="kim")
    await shop.resolve(ids.order_of(parcel), answer)


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_customer_who_keeps_what_was_lost_pays_for_it_once(
    shop: Shop, replaced: bool
) -> None:
    parcel = await delivered_after_all(shop, replaced=replaced)
    order_id = ids.order_of(parcel)
    before = await books(shop, "cost_of_goods_sold")
    await decide(shop, parcel, "charge")
    sale = await shop.orders.get(f"{order_id}-K1")
    assert (sale.summary.state, sale.summary.captured_minor) == ("delivered", 2000)
    assert (await shop.orders.get(order_id)).attention == ()
    assert (await books(shop, "inventory"), await books(shop, "cost_of_goods_sold")) == (0, before)
    assert (await shop.level("LOST")).on_hand == 0
    with pytest.raises(IllegalTransition):
        await decide(shop, parcel, "charge")
    await shop.result(sale.summary.order_id)
    await shop.settled()


async def test_what_a_customer_sends_back_after_all_is_in_stock_again_at_its_cost(
    shop: Shop,
) -> None:
    parcel = await delivered_after_all(shop, replaced=True)
    await decide(shop, parcel, "send_back")
    (task,) = await shop.warehouse.tasks(task="receive-return")
    await shop.warehouse.receive_return(task.part_id, who="kim")
    assert (await books(shop, "inventory"), await books(shop, "cost_of_goods_sold")) == (800, 800)
    assert (await shop.orders.get(ids.order_of(parcel))).attention == ()
    await shop.settled()


async def test_a_customer_whose_bank_says_no_is_asked_again_or_sends_it_back(shop: Shop) -> None:
    parcel = await delivered_after_all(shop, replaced=False)
    order_id = ids.order_of(parcel)
    await shop.pool.execute(
        "insert into brought_tender (order_no, provider, token) "
        "select order_no, 'sandbox', 'tok_decline' from customer_order where order_id = $1",
        order_id,
    )
    for number in (1, 2):
        with pytest.raises(Refused) as no:
            await decide(shop, parcel, "charge")
        assert no.value.reason == "not_paid"
        assert (await shop.orders.get(f"{order_id}-K{number}")).summary.state == "rejected"
        assert (await shop.level("LOST")).on_hand == 0
        assert [row.step for row in (await shop.orders.get(order_id)).attention] == [
            f"late_scan {parcel}"
        ]
    await decide(shop, parcel, "send_back")
    (task,) = await shop.warehouse.tasks(task="receive-return")
    await shop.warehouse.receive_return(task.part_id, who="kim")
    assert (await shop.level("LOST")).on_hand == 2
    assert (await books(shop, "inventory"), await books(shop, "cost_of_goods_sold")) == (800, -1600)
    assert await books(shop, "write_offs") == 1600
    await shop.settled()


async def test_a_charge_that_died_half_way_goes_on_and_charges_once(shop: Shop) -> None:
    parcel = await delivered_after_all(shop, replaced=False)
    order_id, step = ids.order_of(parcel), f"late_scan {parcel}"
    async with shop.pool.acquire() as conn:
        kept = await found_parcels.keep(conn, order_id, step, "agreed", who="kim")
    with pytest.raises(Refused, match="under way"):
        await decide(shop, parcel, "send_back")
    await shop.counter_sales.sell(kept.sale, kept.location, who="kim")
    await decide(shop, parcel, "charge")
    assert (await shop.orders.get(f"{order_id}-K1")).summary.captured_minor == 2000
    assert await shop.orders.whose(f"{order_id}-K2") is None
    await shop.result(f"{order_id}-K1")
    await shop.settled()


async def test_what_a_customer_was_to_send_back_and_did_not_is_chased_and_closed(
    shop: Shop,
) -> None:
    parcel = await delivered_after_all(shop, replaced=False)
    await decide(shop, parcel, "send_back")
    for _ in range(5):
        await shop.pool.execute(
            "update order_return set chase_at = moment() - interval '1 minute' "
            "where kind = 'found' and chase_at is not null"
        )
        async with shop.pool.acquire() as conn:
            for late in await return_chases.overdue(conn, 9):
                await return_chases.chase(conn, late)
    assert not await shop.warehouse.tasks()
    assert (await shop.story(ids.order_of(parcel))).count("overdue return closed") == 1
    await shop.settled()
