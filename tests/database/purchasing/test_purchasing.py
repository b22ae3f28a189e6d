"""Buying on the real database: one need is ordered once, and every fact about an order is one."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Conflict, IllegalTransition, InvalidInput
from domain.purchasing.purchase_orders import Acknowledged, OnOrder, PurchasingPolicy, SupplierItem
from domain.stock.items import Item
from domain.stock.locations import Location
from domain.stock.stock_levels import StockLevels
from starter.service.purchase_records import PurchaseRecords
from store import waits
from store.database import Pool
from store.locks import lock_stock
from store.purchasing import purchase_facts, purchase_reads, purchases, replenishment, suppliers
from store.purchasing.purchase_reads import PurchaseOrder
from store.stock import corrections, items, locations, movements, receipts, stock, stock_levels
from tests.support.bench import Bench, until_one_waits
from tests.support.builders import an_order

TODAY = date(2026, 11, 22)
POLICY = PurchasingPolicy(approve_up_to={"EUR": Decimal(1000)})


def terms(sku: str = "TEA", **changes: Any) -> SupplierItem:
    usual: dict[str, Any] = {
        "supplier": "assam",
        "sku": sku,
        "lead_time_days": 7,
        "unit_price": "2.50",
        "currency": "EUR",
        "minimum": 12,
        "multiple": 6,
    }
    return SupplierItem.model_validate({**usual, **changes})


class Buyer:
    """A database with something to buy."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def sold_by(self, *rows: SupplierItem) -> None:
        async with self.pool.acquire() as conn:
            await suppliers.save(conn, rows)

    async def levels(self, sku: str = "TEA", place: str = "main", s: int = 5, up: int = 20) -> None:
        row = StockLevels(sku=sku, location=place, reorder_point=s, order_up_to=up)
        async with self.pool.acquire() as conn:
            await stock_levels.set_levels(conn, [row])

    async def stocked(self, sku: str = "TEA", units: int = 10, place: str = "main") -> None:
        async with self.pool.acquire() as conn:
            await receipts.receive(
                *(conn, f"{sku}{place}", sku, place, units),
                new_location=True,
                who="test",
                why="test",
            )

    async def used(self, units: int, sku: str = "TEA", place: str = "main") -> None:
        async with self.pool.acquire() as conn:
            await corrections.adjust(
                conn, f"{sku}-{units}", sku, place, -units, who="test", why="used"
            )

    async def run(self, *, only_called: bool = False, policy: PurchasingPolicy = POLICY) -> Any:
        async with self.pool.acquire() as conn:
            bought = await replenishment.run(conn, policy, today=TODAY, only_called=only_called)
            assert not bought.left_out
            return bought.ordered

    async def order(self, po_id: str) -> PurchaseOrder:
        async with self.pool.acquire() as conn:
            return await purchase_reads.get(conn, po_id)

    async def one(self) -> PurchaseOrder:
        async with self.pool.acquire() as conn:
            (found,) = await purchase_reads.find(conn)
        return found

    async def told(self, do: Any, po_id: str, *given: Any, **named: Any) -> None:
        async with self.pool.acquire() as conn:
            await do(conn, po_id, *given, who="test", **named)

    async def story(self, po_id: str) -> list[str]:
        async with self.pool.acquire() as conn:
            return [event.what for event in await purchase_reads.story(conn, po_id)]

    async def calls(self) -> int:
        async with self.pool.acquire() as conn:
            return int(await conn.fetchval("select count(*) from replenishment_call"))

    async def wanted(self) -> bool:
        """Somebody should look now."""
        async with self.pool.acquire() as conn:
            return await replenishment.wanted(conn)

    async def days_pass(self, days: int) -> None:
        """For what was refused, and for what is called for."""
        async with self.pool.acquire() as conn:
            for table, moment in (
                ("purchase_order", "refused_at"),
                ("replenishment_call", "try_after"),
            ):
                await conn.execute(
                    f"update {table} set {moment} = {moment} - $1 * interval '1 day'", days
                )

    async def sent(self) -> PurchaseOrder:
        """An order of 18 TEA, with the supplier."""
        await self.sold_by(terms())
        await self.levels()
        await self.stocked(units=4)
        (po_id,) = await self.run()
        async with self.pool.acquire() as conn, conn.transaction():
            row, _ = await purchases.locked(conn, po_id)
            await purchases.sent(conn, row, today=TODAY)
        return await self.order(po_id)


@pytest.fixture
async def buyer(pool: Pool) -> Buyer:
    async with pool.acquire() as conn:
        await locations.save(conn, [Location(location="main"), Location(location="shop")])
    return Buyer(pool)


# One need, one order ------------------------------------------------------------------------------


async def test_what_is_low_is_ordered_up_to_its_level_as_the_supplier_sells_it(
    buyer: Buyer,
) -> None:
    await buyer.sold_by(terms(), terms("CUP", minimum=1, multiple=1), terms("POT"))
    for sku in ("TEA", "CUP", "POT"):
        await buyer.levels(sku)
        await buyer.stocked(sku, 5 if sku != "POT" else 6)
    (po_id,) = await buyer.run()
    order = await buyer.order(po_id)
    assert {line.sku: line.quantity for line in order.lines} == {"CUP": 15, "TEA": 18}
    assert {line.due_on for line in order.lines} == {TODAY + timedelta(days=7)}
    assert (order.state, order.location, order.worth.minor) == ("approved", "main", 33 * 250)
    assert await buyer.story(po_id) == ["proposed", "approved"]


async def test_however_many_runs_decide_at_once_there_is_one_order(buyer: Buyer) -> None:
    skus = [f"SKU-{number}" for number in range(6)]
    await buyer.sold_by(*(terms(sku, supplier=f"s{i % 2}") for i, sku in enumerate(skus)))
    for sku in skus:
        await buyer.levels(sku)
        await buyer.levels(sku, "shop")
    ordered = await asyncio.gather(*(buyer.run(only_called=i % 2 == 0) for i in range(8)))
    assert len([po_id for run in ordered for po_id in run]) == 4  # two suppliers, two places
    async with buyer.pool.acquire() as conn:
        found = await purchase_reads.find(conn)
        lines = [(line.sku, order.location) for order in found for line in order.lines]
    assert sorted(lines) == sorted((sku, place) for sku in skus for place in ("main", "shop"))
    assert await buyer.run() == []


async def test_the_schema_refuses_a_second_order_for_what_has_no_answer(buyer: Buyer) -> None:
    await buyer.sent()
    async with buyer.pool.acquire() as conn, conn.transaction():
        await lock_stock(conn, ["TEA"])
        with pytest.raises(Conflict, match="TEA is on order for main already"):
            await purchases.propose(
                conn, "main", [(terms(), 12)], POLICY, today=TODAY, who="test", why="more"
            )
    assert len((await buyer.one()).lines) == 1


async def test_an_order_that_will_be_late_is_no_new_need_and_one_that_is_not_enough_is(
    buyer: Buyer,
) -> None:
    order = await buyer.sent()
    late = {"TEA": Acknowledged(quantity=18, due_on=TODAY + timedelta(days=90))}
    await buyer.told(purchase_facts.acknowledge, order.po_id, "855", late)
    assert await buyer.run() == []
    async with buyer.pool.acquire() as conn:
        await conn.execute("update stock set reorder_point = 30, order_up_to = 40")
    (second,) = await buyer.run()
    assert [line.quantity for line in (await buyer.order(second)).lines] == [18]  # 40 − (4 + 18)


async def test_a_large_order_waits_for_approval_and_is_promised_to_nobody(buyer: Buyer) -> None:
    await buyer.sold_by(terms(unit_price="100"))
    await buyer.levels()
    (po_id,) = await buyer.run()
    assert (await buyer.order(po_id)).state == "proposed"
    async with buyer.pool.acquire() as conn:
        level = await stock.level(conn, "TEA", "main")
    assert level is not None
    assert level.incoming == 0
    with pytest.raises(IllegalTransition, match="is not approved"):
        await buyer.told(purchase_facts.receive, po_id, "1")


async def test_what_is_discontinued_or_nobody_sells_is_not_bought(buyer: Buyer) -> None:
    await buyer.sold_by(terms("GONE"))
    async with buyer.pool.acquire() as conn:
        await items.save(conn, [Item(sku="GONE", discontinued=True)])
    await buyer.levels("GONE")
    await buyer.levels("UNSOLD")
    assert await buyer.run() == []
    assert await buyer.run(only_called=True) == []
    assert await buyer.calls() == 0  # looked at, and not asked for again and again


async def test_a_supplier_that_refused_is_passed_over_for_the_next_one(buyer: Buyer) -> None:
    order = await buyer.sent()
    await buyer.sold_by(terms(supplier="ceylon", priority=200))
    await buyer.told(purchase_facts.refuse, order.po_id, "no harvest")
    await buyer.told(purchase_facts.refuse, order.po_id, "no harvest")
    (second,) = await buyer.run(only_called=True)
    assert (await buyer.order(second)).supplier == "ceylon"
    again = POLICY.model_copy(update={"ask_again_after": timedelta(microseconds=1)})
    async with buyer.pool.acquire() as conn:
        await conn.execute(
            "update purchase_order_line set cancelled = quantity, answered_at = now()"
        )
    (third,) = await buyer.run(policy=again)
    assert (await buyer.order(third)).supplier == "assam"


async def test_who_answers_that_none_will_come_is_passed_over_as_one_that_refused(
    buyer: Buyer,
) -> None:
    order = await buyer.sent()
    none = {"TEA": Acknowledged(quantity=0, due_on=TODAY)}
    await buyer.told(purchase_facts.acknowledge, order.po_id, "855", none)
    assert await buyer.run(only_called=True) == []  # not the same again, and again
    await buyer.sold_by(terms(supplier="ceylon", priority=200))
    (second,) = await buyer.run()
    assert (await buyer.order(second)).supplier == "ceylon"


async def test_where_all_have_refused_the_need_is_called_for_when_the_first_may_be_asked_again(
    buyer: Buyer,
) -> None:
    order = await buyer.sent()
    await buyer.sold_by(terms(supplier="ceylon", priority=200))
    await buyer.told(purchase_facts.refuse, order.po_id, "no harvest")
    (other,) = await buyer.run(only_called=True)
    await buyer.days_pass(2)
    await buyer.told(purchase_facts.refuse, other, "none left")
    assert await buyer.wanted()
    assert await buyer.run(only_called=True) == []
    assert not await buyer.wanted()  # not again and again
    await buyer.sold_by(terms("CUP"))
    await buyer.levels("CUP")
    (cups,) = await buyer.run(only_called=True)
    assert [line.sku for line in (await buyer.order(cups)).lines] == ["CUP"]
    await buyer.days_pass(4)
    assert not await buyer.wanted()
    await buyer.days_pass(1)
    assert await buyer.wanted()
    (third,) = await buyer.run(only_called=True)
    asked = await buyer.order(third)
    assert (asked.supplier, [line.sku for line in asked.lines]) == ("assam", ["TEA"])
    assert await buyer.calls() == 0


async def test_a_need_that_nobody_is_asked_for_is_looked_at_once_there_is_somebody_else(
    buyer: Buyer,
) -> None:
    order = await buyer.sent()
    await buyer.told(purchase_facts.refuse, order.po_id, "no harvest")
    assert await buyer.run(only_called=True) == []
    await buyer.sold_by(terms(supplier="ceylon", priority=200))
    assert await buyer.wanted()
    (second,) = await buyer.run(only_called=True)
    assert (await buyer.order(second)).supplier == "ceylon"


async def test_a_supplier_is_asked_again_for_what_it_did_not_refuse(buyer: Buyer) -> None:
    await buyer.sold_by(terms(), terms("CUP"))
    for sku in ("TEA", "CUP"):
        await buyer.levels(sku)
    (po_id,) = await buyer.run()
    await buyer.told(purchase_facts.receive, po_id, "1", {"TEA": 24})
    await buyer.told(purchase_facts.refuse, po_id, "no more cups")
    await buyer.used(20)
    (second,) = await buyer.run()
    assert [line.sku for line in (await buyer.order(second)).lines] == ["TEA"]


async def test_a_refusal_while_it_is_decided_is_heard(buyer: Buyer) -> None:
    order = await buyer.sent()
    await buyer.sold_by(terms(supplier="ceylon", priority=200))
    await buyer.levels(s=30, up=40)  # called for, though most of it is on order
    async with buyer.pool.acquire() as conn, conn.transaction():
        await lock_stock(conn, ["TEA"])
        look = asyncio.create_task(buyer.run(only_called=True))
        await until_one_waits(buyer.pool)
        await purchase_facts.refuse(conn, order.po_id, "no harvest", who="test")
    (second,) = await look
    assert (await buyer.order(second)).supplier == "ceylon"


async def test_a_need_is_called_for_again_once_somebody_sells_it_or_it_may_be_bought(
    buyer: Buyer,
) -> None:
    await buyer.levels("TEA")
    await buyer.levels("CUP")
    async with buyer.pool.acquire() as conn:
        await items.save(conn, [Item(sku="CUP", discontinued=True)])
    assert await buyer.run(only_called=True) == []
    await buyer.sold_by(terms(), terms("CUP"))
    (first,) = await buyer.run(only_called=True)
    assert [line.sku for line in (await buyer.order(first)).lines] == ["TEA"]
    async with buyer.pool.acquire() as conn:
        await items.save(conn, [Item(sku="CUP")])
    (second,) = await buyer.run(only_called=True)
    assert [line.sku for line in (await buyer.order(second)).lines] == ["CUP"]


# Levels that are crossed --------------------------------------------------------------------------


async def test_crossing_a_level_calls_once_and_only_then(buyer: Buyer) -> None:
    await buyer.sold_by(terms())
    await buyer.stocked(units=10)
    await buyer.levels()
    assert await buyer.calls() == 0
    await buyer.used(4)
    assert await buyer.calls() == 0  # 6 left, to be ordered at 5
    await buyer.used(1)
    await buyer.used(2)
    assert await buyer.calls() == 1
    (po_id,) = await buyer.run(only_called=True)
    assert [line.quantity for line in (await buyer.order(po_id)).lines] == [18]  # 20 − 3, in sixes
    assert await buyer.calls() == 0
    await buyer.used(3)
    assert await buyer.calls() == 0  # what is on order counts


async def test_a_level_that_is_set_above_what_is_there_calls_at_once(buyer: Buyer) -> None:
    await buyer.stocked(units=4)
    await buyer.levels()
    assert await buyer.calls() == 1


async def test_what_is_lost_on_its_way_from_elsewhere_calls(buyer: Buyer) -> None:
    await buyer.stocked(units=9, place="shop")
    await buyer.stocked(units=1)
    bench = Bench(buyer.pool)
    await bench.transfers.send("T", "shop", "main", {"TEA": 9}, who="test", why="test")
    await buyer.levels()
    assert await buyer.calls() == 0  # it counts on nine more
    await bench.transfers.receive("T", "1", {"TEA": 2}, rest_is_lost=True, who="test")
    assert await buyer.calls() == 1


async def test_levels_follow_demand_where_there_is_enough_to_tell(buyer: Buyer) -> None:
    await buyer.sold_by(terms(lead_time_days=4))
    await buyer.stocked(units=1000)
    async with buyer.pool.acquire() as conn:
        row = StockLevels(sku="TEA", location="main", service_level=0.95)
        await stock_levels.set_levels(conn, [row])
        await replenishment.follow_demand(conn, POLICY)
        (level,) = await stock_levels.levels(conn)
        assert level.reorder_point is None  # a day of history tells nothing
        await conn.execute("alter table movement disable trigger user")
        await conn.execute("update movement set at = now() - interval '19 days'")
        for day in range(20):
            await conn.execute(
                """insert into movement (effect, sku, location, kind, on_hand_change,
                                         allocated_change, who, why, at)
                   values ($1, 'TEA', 'main', 'allocated', 0, $2, '', '',
                           now() - $3::int * interval '1 day')""",
                *(f"demand-{day}", 8 if day % 2 else 12, day),
            )
        await replenishment.follow_demand(conn, POLICY)
        (level,) = await stock_levels.levels(conn)
    # μ = 10, σ = 2.052 over 20 days: 10·4 + 1.645·2.052·√4 = 46.75; and a day's demand on top
    assert (level.reorder_point, level.order_up_to) == (47, 57)


# Facts told again, and at once --------------------------------------------------------------------


async def test_an_answer_as_asked_is_the_same_when_it_is_told_again(buyer: Buyer) -> None:
    order = await buyer.sent()
    slipped = {"TEA": Acknowledged(quantity=18, due_on=TODAY + timedelta(days=30))}
    await buyer.told(purchase_facts.acknowledge, order.po_id, "855")
    await buyer.told(purchase_facts.acknowledge, order.po_id, "855-2", slipped)
    await buyer.told(purchase_facts.acknowledge, order.po_id, "855")
    assert (await buyer.order(order.po_id)).due_on == TODAY + timedelta(days=30)


async def test_a_receipt_told_again_with_an_end_to_the_rest_is_no_repetition(buyer: Buyer) -> None:
    order = await buyer.sent()
    await buyer.told(purchase_facts.receive, order.po_id, "1", {"TEA": 6})
    with pytest.raises(Conflict, match="receive 1 was reported before, differently"):
        await buyer.told(
            purchase_facts.receive, order.po_id, "1", {"TEA": 6}, rest_is_cancelled=True
        )
    for _ in range(2):
        await buyer.told(
            purchase_facts.receive, order.po_id, "2", {"TEA": 6}, rest_is_cancelled=True
        )
    assert (await buyer.order(order.po_id)).outstanding == 0


async def test_a_receipt_of_several_skus_wakes_who_waits_in_the_one_order_of_all(
    buyer: Buyer,
) -> None:
    bench = Bench(buyer.pool)
    await bench.backorderable("CUP", "TEA")
    first = an_order(("TEA", 1), placed_at="2026-11-01T00:00:00Z")
    second = an_order(("CUP", 1), placed_at="2026-11-02T00:00:00Z")
    for order in (first, second):
        await bench.reserve(order)
    await buyer.sold_by(terms(), terms("CUP"))
    await buyer.levels()
    await buyer.levels("CUP")
    (po_id,) = await buyer.run()
    async with buyer.pool.acquire() as conn, conn.transaction():
        # Another receipt, of other SKUs that both wait for, is half-way through.
        await waits.report(conn, first.order_id, f"await_stock:{first.order_id}:B1", {})
        receipt = asyncio.create_task(buyer.told(purchase_facts.receive, po_id, "1"))
        await until_one_waits(buyer.pool)
        await waits.report(conn, second.order_id, f"await_stock:{second.order_id}:B1", {})
    await receipt


# Facts --------------------------------------------------------------------------------------------


async def test_goods_come_in_parts_once_each_and_serve_as_any_receipt_does(buyer: Buyer) -> None:
    order = await buyer.sent()
    for _ in range(2):
        await buyer.told(purchase_facts.receive, order.po_id, "part-1", {"TEA": 5})
    with pytest.raises(Conflict, match="receive part-1 was reported before, differently"):
        await buyer.told(purchase_facts.receive, order.po_id, "part-1", {"TEA": 6})
    async with buyer.pool.acquire() as conn:
        level = await stock.level(conn, "TEA", "main")
        assert level is not None
        assert (level.on_hand, level.incoming) == (9, 13)
    await buyer.told(purchase_facts.receive, order.po_id, "part-2")
    await buyer.told(purchase_facts.receive, order.po_id, "part-2")
    assert (await buyer.order(order.po_id)).outstanding == 0
    async with buyer.pool.acquire() as conn:
        last = (await movements.history(conn, "TEA"))[-1]
        waiting = await conn.fetch("select activity_id, outcome from wait_report order by 1")
    assert (last.kind, last.on_hand_change, last.on_hand) == ("received", 13, 22)
    assert {row["activity_id"]: row["outcome"]["outcome"] for row in waiting} == {
        f"await_acknowledgement:{order.po_id}": "acknowledged",
        f"await_goods:{order.po_id}": "settled",
    }


async def test_receipts_that_race_take_what_was_ordered_and_no_more(buyer: Buyer) -> None:
    order = await buyer.sent()

    async def receive(number: int) -> bool:
        try:
            await buyer.told(purchase_facts.receive, order.po_id, f"part-{number}", {"TEA": 6})
        except IllegalTransition:
            return False
        return True

    assert sum(await asyncio.gather(*(receive(number) for number in range(6)))) == 3
    assert (await buyer.order(order.po_id)).lines[0].received == 18


async def test_what_cannot_be_is_refused_with_what_and_why(buyer: Buyer) -> None:
    order = await buyer.sent()
    receive = purchase_facts.receive
    with pytest.raises(IllegalTransition, match=r"19 of TEA cannot .* 18 were ordered .* 18 more"):
        await buyer.told(receive, order.po_id, "1", {"TEA": 19})  # 5 % of 18 is no unit
    with pytest.raises(InvalidInput, match="has no CUP; it has TEA"):
        await buyer.told(receive, order.po_id, "1", {"CUP": 1})
    with pytest.raises(InvalidInput, match="-1 of TEA cannot be"):
        await buyer.told(receive, order.po_id, "1", {"TEA": -1})
    more = {"TEA": Acknowledged(quantity=24, due_on=TODAY)}
    with pytest.raises(InvalidInput, match="24 of TEA were not ordered"):
        await buyer.told(purchase_facts.acknowledge, order.po_id, "1", more)
    await buyer.told(receive, order.po_id, "1")
    with pytest.raises(IllegalTransition, match="is closed: nothing of it is outstanding"):
        await buyer.told(receive, order.po_id, "2", {"TEA": 1})


async def test_fewer_than_ordered_calls_for_the_rest_and_news_in_any_order_go_forward(
    buyer: Buyer,
) -> None:
    order = await buyer.sent()
    await buyer.told(purchase_facts.ship, order.po_id, "856", {"TEA": 6})
    fewer = {"TEA": Acknowledged(quantity=6, due_on=TODAY + timedelta(days=3))}
    await buyer.told(purchase_facts.acknowledge, order.po_id, "855", fewer)
    now = await buyer.order(order.po_id)
    assert (now.state, now.lines[0].cancelled, now.outstanding) == ("shipped", 12, 6)
    all_of_it = {"TEA": Acknowledged(quantity=18, due_on=TODAY)}
    await buyer.told(purchase_facts.acknowledge, order.po_id, "855-2", all_of_it)
    assert (await buyer.order(order.po_id)).outstanding == 6  # what was given up stays so
    assert await buyer.calls() == 0  # 4 + 6 is above 5
    await buyer.used(4)
    assert await buyer.calls() == 0
    await buyer.told(purchase_facts.receive, order.po_id, "1", {"TEA": 2}, rest_is_cancelled=True)
    assert await buyer.calls() == 1
    assert (await buyer.story(order.po_id))[2:] == [
        *("shipped", "acknowledged", "acknowledged", "received", "rest cancelled")
    ]


async def test_an_order_from_before_is_incoming_and_entered_once(buyer: Buyer) -> None:
    await buyer.sold_by(terms())
    await buyer.levels(s=25, up=50)
    row = OnOrder(supplier="assam", sku="TEA", location="main", quantity=40, due_on=TODAY)
    async with buyer.pool.acquire() as conn, conn.transaction():
        await lock_stock(conn, ["TEA"])
        news = [
            await purchases.enter(conn, "OLD-1", [row], [terms()], POLICY, who="test", why="")
            for _ in range(2)
        ]
    assert news == [True, False]
    assert await buyer.run() == []
    async with buyer.pool.acquire() as conn:
        (start,) = await purchase_reads.claim_to_start(conn, 10)
    assert (start.po_id, start.sent, start.needs_approval) == ("OLD-1", True, False)
    await buyer.told(purchase_facts.receive, "OLD-1", "1")
    assert (await buyer.order("OLD-1")).outstanding == 0


async def test_rows_of_one_sku_and_day_are_one_line_of_an_order_from_before(buyer: Buyer) -> None:
    await buyer.sold_by(terms())
    rows = [
        OnOrder(supplier="assam", sku="TEA", location="main", quantity=units, due_on=TODAY)
        for units in (30, 20)
    ]
    desk = PurchaseRecords(buyer.pool)
    assert len(await desk.enter(rows, who="test", why="")) == 1
    assert await desk.enter(rows, who="test", why="") == []
    assert [line.quantity for line in (await buyer.one()).lines] == [50]
