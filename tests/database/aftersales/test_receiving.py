"""Goods that come back in every condition: stock, books, documents, and what is paid back."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn
from domain.aftersales.conditions import Condition
from domain.aftersales.return_counts import Found
from domain.aftersales.return_rules import Limit, ReturnRule
from domain.errors import Conflict, InvalidInput, Refused
from domain.money import Price
from domain.orders.order import Order
from domain.orders.return_messages import ReturnReason
from domain.stock.kits import Kit
from store.accounting import documents
from store.aftersales import return_rules
from store.aftersales.returns import Counted
from store.database import Pool
from store.stock import kits
from store.views import audit, returns
from store.warehouse import return_money
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping

KEPT = "(kept).goods + (kept).tax as fee, (kept).shipping + (kept).shipping_tax as postage"


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def rules(bench: Bench, *some: ReturnRule) -> None:
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, some)


async def sold(bench: Bench, *lines: Any, **fields: Any) -> Order:
    order = an_order(*lines, **fields)
    for line in order.lines:
        await bench.stocked(line.sku, line.quantity)
    await bench.charged(await bench.at(order, "delivered"))
    return order


async def approved(
    bench: Bench, order: Order, number: int, units: dict[str, int], why: ReturnReason = "other"
) -> str:
    ask = ApproveReturn(
        order_id=order.order_id,
        request_id=f"r{number}",
        units=units,
        reason="test",
        reason_codes=dict.fromkeys(units, why),
        who="customer",
    )
    return (await bench.returns.approve_return(ask)).return_id


async def books_are_right(bench: Bench) -> None:
    """But for what is owed, which no workflow is there to pay."""
    async with bench.pool.acquire() as conn:
        faults = (await audit.look(conn)).violations
    assert not faults, faults


async def test_each_condition_goes_its_way_and_the_books_follow(bench: Bench) -> None:
    order = await sold(bench, ("TEA", 4, "10.00"))
    back = await approved(bench, order, 1, {"1": 4})
    receive = bench.warehouse.receive_return
    found = [
        Found(quantity=1),
        Found(quantity=1, condition="opened", photo="photo-1"),
        Found(quantity=1, condition="used"),
        Found(quantity=1, condition="damaged", disposition="supplier", reference="RMA-7"),
    ]
    await rules(bench, ReturnRule(dispositions={"opened": "refurbish"}))
    with pytest.raises(InvalidInput, match="no rule of returns says where"):
        await receive(back, {"1": found}, who="dock")
    await bench.stocked("TEA", 1, "workshop")
    await rules(bench, ReturnRule(dispositions={"opened": "refurbish"}, refurbish_at="workshop"))
    with pytest.raises(Refused, match="workshop is open, so what is put there is sold"):
        await receive(back, {"1": found}, who="dock")
    await bench.pool.execute("update location set retired_at = now() where location = 'workshop'")
    outcome = await receive(back, {"1": found}, who="dock")
    assert await receive(back, {"1": found}, who="dock") == outcome, "once"
    with pytest.raises(Conflict):
        await receive(back, {"1": Counted(restocked=4)}, who="dock")
    assert outcome == {"received": {"1": 4}, "missing": {}}
    assert await bench.level("TEA") == (1, 0)
    assert await bench.level("TEA", "workshop") == (2, 0)
    async with bench.pool.acquire() as conn:
        (line,) = (await returns.get(conn, back)).lines
    assert (line.restocked, line.refurbished, line.scrapped, line.to_supplier) == (1, 1, 1, 1)
    assert [(one.condition, one.disposition) for one in line.units] == [
        ("new", "restock"),
        ("opened", "refurbish"),
        ("used", "scrap"),
        ("damaged", "supplier"),
    ]
    assert (line.units[1].photo, line.units[3].reference) == ("photo-1", "RMA-7")
    await books_are_right(bench)


async def test_a_count_told_again_is_one_by_whichever_rules_and_another_condition_is_another_count(
    bench: Bench,
) -> None:
    order = await sold(bench, ("TEA", 2, "10.00"))
    back = await approved(bench, order, 1, {"1": 2})
    opened = {"1": [Found(quantity=2, condition="opened")]}
    outcome = await bench.warehouse.receive_return(back, opened, who="dock")
    await rules(bench, ReturnRule(dispositions={"opened": "scrap"}))
    assert await bench.warehouse.receive_return(back, opened, who="dock") == outcome
    for other in (None, {"1": [Found(quantity=2)]}):
        with pytest.raises(Conflict):
            await bench.warehouse.receive_return(back, other, who="dock")
    assert await bench.level("TEA") == (2, 0)


async def test_a_fee_is_kept_of_what_is_paid_back_and_the_credit_note_says_so(
    bench: Bench,
) -> None:
    fees: dict[Condition, int] = {"opened": 20, "used": 100}
    await rules(bench, ReturnRule(restocking_percent=fees, outbound_postage="kept"))
    order = await sold(bench, ("TEA", 2, "10.00"), ("MUG", 1, "30.00"))
    back = await approved(bench, order, 1, {"1": 1, "2": 1})
    async with bench.pool.acquire() as conn:
        expected = await return_money.expected_refund(conn, back)
    opened = {"1": [Found(quantity=1, condition="opened")], "2": [Found(quantity=1)]}
    await bench.warehouse.receive_return(back, opened, who="dock")
    torn = await approved(bench, order, 2, {"1": 1}, "damaged")
    worn = {"1": [Found(quantity=1, condition="used")]}
    await bench.warehouse.receive_return(torn, worn, who="dock")
    rows = await bench.pool.fetch(f"select amount_minor, {KEPT} from refund order by refund_id")
    async with bench.pool.acquire() as conn:
        listed = await documents.of_order(conn, order.order_id)
        note = await documents.get(conn, next(x.number for x in listed if x.part_id == back))
    first, second = rows
    tea = order.prices.lines[0]
    assert first["fee"] == (tea.net + tea.tax) * 20 // 200
    assert first["postage"] > 0
    assert expected.minor == first["amount_minor"] + first["fee"], "as new, nothing costs a fee"
    assert (second["fee"], second["postage"]) == (0, 0), "the seller is at fault"
    kept = sum(row["fee"] + row["postage"] for row in rows)
    assert sum(row["amount_minor"] for row in rows) + kept == order.total_minor
    assert note.restocking_minor + note.restocking_tax_minor == first["fee"]
    assert note.total_minor == first["amount_minor"]
    async with bench.pool.acquire() as conn:
        with pytest.raises(Refused, match=f"{back} is received: nothing of it is to come"):
            await return_money.expected_refund(conn, back)
    await books_are_right(bench)


@pytest.mark.parametrize("paid", [None, {"CUP": "1.00", "TEA": "2.00"}])
async def test_a_kits_part_comes_back_with_its_share(
    bench: Bench, paid: dict[str, str] | None
) -> None:
    """By what the parts cost; by their number where that is not known of all."""
    for sku, units in (("CUP", 4), ("TEA", 8)):
        await bench.stock.receive(
            *("first", sku, "main", units),
            unit_cost=None if paid is None else Price(each=Decimal(paid[sku]), currency="USD"),
            new_location=True,
            who="test",
            why="test",
        )
    async with bench.pool.acquire() as conn:
        await kits.define(conn, Kit(sku="SET", parts={"CUP": 1, "TEA": 2}))
    order = an_order(("SET", 4, "15.00"), shipping=shipping("0"))
    await bench.charged(await bench.at(order, "delivered"))
    back = await approved(bench, order, 1, {"1": 3})
    receive = bench.warehouse.receive_return
    for wrong in ({"POT": 1}, {"TEA": 3}, {"CUP": 1, "TEA": 2}):
        with pytest.raises(InvalidInput, match="only some parts of a kit can be missing"):
            await receive(back, {"1": [Found(quantity=1, lacks=wrong)]}, who="dock")
    found = [Found(quantity=1), Found(quantity=2, condition="opened", lacks={"CUP": 1})]
    await receive(back, {"1": found}, who="dock")
    with pytest.raises(Conflict):
        await receive(back, {"1": [Found(quantity=1), Found(quantity=2)]}, who="dock")
    assert await bench.level("TEA") == (6, 0)
    assert await bench.level("CUP") == (1, 0)
    share = 1500 // 3 if paid is None else 1500 // 5
    assert await bench.pool.fetchval("select amount_minor from refund") == 3 * 1500 - 2 * share
    async with bench.pool.acquire() as conn:
        (line,) = (await returns.get(conn, back)).lines
    assert [one.lacks for one in line.units] == [{}, {"CUP": 1}]
    await books_are_right(bench)


@pytest.mark.parametrize("seed", range(4))
async def test_every_unit_of_a_discounted_three_line_order_in_any_sequence_gives_back_what_was_paid(
    bench: Bench, seed: int
) -> None:
    """With the fees, the labels and the postage that were told."""
    random = Random(seed)
    label = Limit(amount=Decimal("2.90"), currency="USD")
    rule = ReturnRule(
        restocking_percent={"opened": random.randint(1, 99), "used": 33},
        outbound_postage=random.choice(("kept", "refunded")),
        label=random.choice(("paid", "none")),
        label_fee=label,
    )
    await rules(bench, rule)
    order = await sold(
        bench, ("TEA", 3, "9.99"), ("MUG", 2, "13.37"), ("POT", 1, "49.01"), discount="7.77"
    )
    units = [line.line_id for line in order.lines for _ in range(line.quantity)]
    random.shuffle(units)
    told = 0
    for number, line_id in enumerate(units, 1):
        why: ReturnReason = random.choice(("other", "damaged", "changed_mind"))
        back = await approved(bench, order, number, {line_id: 1}, why)
        await bench.return_labels.see_to()
        async with bench.pool.acquire() as conn:
            told = (await return_money.expected_refund(conn, back)).minor
        condition: Condition = random.choice(("new", "opened", "used", "damaged"))
        found = Found(quantity=1, condition=condition)
        await bench.warehouse.receive_return(back, {line_id: [found]}, who="dock")
        paid = await bench.pool.fetchval(
            "select coalesce(sum(amount_minor), 0) from refund where refund_id = $1", back
        )
        assert paid <= told
        assert condition in ("opened", "used") or paid == told, "as it was told before"
    rows = await bench.pool.fetch(f"select amount_minor, {KEPT} from refund")
    given = sum(row["amount_minor"] + row["fee"] + row["postage"] for row in rows)
    assert given == order.total_minor
    await books_are_right(bench)
