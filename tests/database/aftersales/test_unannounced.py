"""Parcels that nobody announced: written down, made returns of, counted once, or settled."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from activities.aftersales.returns import ApproveReturn
from activities.warehouse.unannounced_parcels import UnannouncedParcels
from domain.aftersales.return_counts import FoundGoods
from domain.aftersales.return_rules import Limit, ReturnRule
from domain.errors import Conflict, NotFound, Refused
from domain.orders.order import Order
from starter.service.attention import AttentionList
from starter.service.unannounced import UnannouncedRecords
from store.aftersales import return_rules, unannounced
from store.aftersales.unannounced import Unannounced
from store.database import Pool
from tests.database.aftersales.sent_back import asked, decide, is_clean, shown, tasks
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping

TEA = FoundGoods(sku="TEA", quantity=2, condition="opened", photo="photo-9")


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def an_order_at_its_customer(bench: Bench) -> Order:
    order = an_order(("TEA", 2, "10.00"), ("MUG", 1), ("TEA", 1, "10.00"), shipping=shipping("0"))
    await bench.stocked("TEA", 9)
    await bench.stocked("MUG", 9)
    await bench.charged(await bench.at(order, "delivered"))
    return order


async def came(
    bench: Bench, *units: FoundGoods, order_id: str | None = None, key: str = "dock-1"
) -> Unannounced:
    dock = UnannouncedRecords(bench.pool)
    return await dock.receive(key, units or (TEA,), location="main", order_id=order_id, who="dock")


async def ask(bench: Bench, parcel_no: int, order_id: str | None = None) -> str:
    """What the order does, when it is asked. Returns the return's id."""
    async with bench.pool.acquire() as conn:
        wanted = await unannounced.ask(conn, parcel_no, order_id)
    assert wanted is not None
    approve = ApproveReturn(
        order_id=wanted.order_id,
        request_id=wanted.request_id,
        units=wanted.units,
        reason="came",
        who="dock",
    )
    return (await bench.returns.approve_return(approve)).return_id


async def count(bench: Bench) -> None:
    await asyncio.gather(*(UnannouncedParcels(bench.pool).count() for _ in range(3)))


async def parcel(bench: Bench, number: int) -> Unannounced:
    async with bench.pool.acquire() as conn:
        return await unannounced.get(conn, number)


async def to_do(bench: Bench) -> list[str]:
    found = await AttentionList(bench.pool).tasks()
    return [f"{task.name}: {task.reason}" for task in found if task.kind == "parcel"]


async def test_a_parcel_becomes_a_return_by_the_rules_and_is_counted_as_it_was_found(
    bench: Bench,
) -> None:
    order = await an_order_at_its_customer(bench)
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(label="free")])
    lot = TEA.model_copy(update={"quantity": 3})
    found = await came(bench, lot, order_id=order.order_id)
    assert await came(bench, lot, order_id=order.order_id) == found, "told twice, it is one"
    with pytest.raises(Conflict):
        await came(bench, TEA, order_id=order.order_id)
    back = await ask(bench, found.parcel_no)
    async with bench.pool.acquire() as conn:
        assert await unannounced.ask(conn, found.parcel_no, None) is None, "it is one already"
    await count(bench)
    await count(bench)
    counted = await shown(bench, back)
    assert (counted.state, counted.label) == ("received", None), "no label is bought for it"
    assert [(x.line_id, x.quantity, x.units[0].condition) for x in counted.lines] == [
        ("1", 2, "opened"),
        ("3", 1, "opened"),
    ]
    assert await bench.level("TEA") == (9, 0)
    now = await parcel(bench, found.parcel_no)
    assert now.return_id == back
    assert now.ended_at is not None
    assert await to_do(bench) == []
    await is_clean(bench)


async def test_one_that_rules_put_before_a_person_is_counted_when_he_approves_it(
    bench: Bench,
) -> None:
    order = await an_order_at_its_customer(bench)
    limit = Limit(amount=Decimal(0), currency="USD")
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(review_above=limit)])
    found = await came(bench, order_id=order.order_id)
    back = await ask(bench, found.parcel_no)
    await count(bench)
    assert (await shown(bench, back)).state == "requested"
    assert not await decide(bench, back, "refuse")
    await count(bench)
    (task,) = await to_do(bench)
    assert task == f"{found.parcel_no}: {back}, which was made of it, is refused: well"
    again = await ask(bench, found.parcel_no)
    assert again != back, "a person asks anew"
    assert not await decide(bench, again, "approve")
    await count(bench)
    assert (await shown(bench, again)).state == "received"
    assert await to_do(bench) == []
    await is_clean(bench)


async def test_a_place_or_an_order_that_is_not_there_is_said_so(bench: Bench) -> None:
    await bench.stocked("TEA", 1)
    dock = UnannouncedRecords(bench.pool)
    with pytest.raises(NotFound, match="there is no location moon"):
        await dock.receive("k1", [TEA], location="moon", who="dock")
    with pytest.raises(NotFound, match="web-none"):
        await dock.receive("k1", [TEA], location="main", order_id="web-none", who="dock")
    assert await dock.list() == []


async def test_nobody_knows_whose_it_is_until_a_person_says_it(bench: Bench) -> None:
    order = await an_order_at_its_customer(bench)
    found = await came(bench)
    assert await to_do(bench) == [f"{found.parcel_no}: nobody knows whose it is"]
    async with bench.pool.acquire() as conn:
        with pytest.raises(Refused, match="name the order"):
            await unannounced.ask(conn, found.parcel_no, None)
        with pytest.raises(NotFound):
            await unannounced.ask(conn, found.parcel_no, "web-none")
    back = await ask(bench, found.parcel_no, order.order_id)
    await count(bench)
    assert (await shown(bench, back)).state == "received"
    with pytest.raises(Refused, match=f"is {back} by now"):
        await UnannouncedRecords(bench.pool).settle(found.parcel_no, "no")


async def test_what_the_order_never_had_is_no_return_and_a_person_settles_it(bench: Bench) -> None:
    order = await an_order_at_its_customer(bench)
    dock = UnannouncedRecords(bench.pool)
    for number, goods in enumerate((TEA.model_copy(update={"quantity": 4}), POT), 1):
        found = await came(bench, goods, order_id=order.order_id, key=f"k{number}")
        async with bench.pool.acquire() as conn:
            with pytest.raises(Refused) as no:
                await unannounced.ask(conn, found.parcel_no, None)
        assert no.value.reason == "more_than_delivered"
        for _ in range(2):
            await dock.settle(found.parcel_no, "sent on to its owner")
        async with bench.pool.acquire() as conn:
            with pytest.raises(Refused, match="is settled: sent on to its owner"):
                await unannounced.ask(conn, found.parcel_no, None)
    assert len(await dock.list()) == 2
    assert await dock.list(open_only=True) == []
    await UnannouncedParcels(bench.pool, timedelta(0)).forget()
    assert await dock.list() == []


POT = FoundGoods(sku="POT", quantity=1)


async def test_what_was_too_much_in_an_announced_parcel_waits_for_a_person_and_is_not_paid_back(
    bench: Bench,
) -> None:
    order, back = await asked(bench, ReturnRule())
    extra = [TEA.model_copy(update={"quantity": 1}), POT]
    receive = bench.warehouse.receive_return
    outcome = await receive(back, extra=extra, who="dock")
    assert await receive(back, extra=extra, who="dock") == outcome
    with pytest.raises(Conflict):
        await receive(back, who="dock")
    paid = await bench.pool.fetchval("select sum(amount_minor) from refund")
    assert paid == 2000, "of the two that were announced"
    (found,) = await UnannouncedRecords(bench.pool).list()
    assert (found.came_with, found.order_id, found.units) == (back, order.order_id, tuple(extra))
    assert len(await to_do(bench)) == 1
    await count(bench)
    assert len(await to_do(bench)) == 1, "nothing is done about it by itself"
    assert await tasks(bench) == []
    await is_clean(bench)


async def test_where_the_rules_do_not_say_what_becomes_of_it_a_person_counts_it(
    bench: Bench,
) -> None:
    order = await an_order_at_its_customer(bench)
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(dispositions={"opened": "refurbish"})])
    found = await came(bench, order_id=order.order_id)
    back = await ask(bench, found.parcel_no)
    await count(bench)
    (task,) = await to_do(bench)
    assert "cannot be counted by itself: counts, line 1: no rule of returns says where" in task
    await bench.warehouse.receive_return(back, who="dock")
    await count(bench)
    assert await to_do(bench) == []


async def test_asked_at_another_order_the_first_ones_answer_comes_to_nothing(bench: Bench) -> None:
    first = await an_order_at_its_customer(bench)
    second = an_order(("TEA", 2, "10.00"))
    await bench.at(second, "delivered")
    found = await came(bench, order_id=first.order_id)
    async with bench.pool.acquire() as conn:
        early = await unannounced.ask(conn, found.parcel_no, None)
    back = await ask(bench, found.parcel_no, second.order_id)
    assert early is not None
    late = ApproveReturn(
        order_id=early.order_id,
        request_id=early.request_id,
        units=early.units,
        reason="came",
        who="dock",
    )
    other = (await bench.returns.approve_return(late)).return_id
    await count(bench)
    assert (await shown(bench, back)).state == "received"
    assert (await shown(bench, other)).state == "approved", "nothing of it comes"
