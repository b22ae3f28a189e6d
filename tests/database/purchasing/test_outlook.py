"""How long stock lasts: what was sold, what is on its way, and by when it must be ordered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import IllegalTransition, InvalidInput
from domain.orders.order import Order
from domain.purchasing.purchase_orders import OnOrder, PurchasingPolicy, SupplierItem
from domain.stock.items import Item
from domain.stock.stock_levels import StockLevels
from starter.service.purchase_records import PurchaseRecords
from store.database import Pool
from store.purchasing import replenishment
from store.purchasing.outlook import Outlook
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.earlier import earlier

POLICY = PurchasingPolicy(approve_up_to={"EUR": Decimal(10)})
TODAY = datetime.now(UTC).date()


def terms(sku: str = "TEA", **changes: Any) -> SupplierItem:
    usual: dict[str, Any] = {
        "supplier": "assam",
        "sku": sku,
        "lead_time_days": 3,
        "unit_price": "2.50",
        "currency": "EUR",
        "minimum": 4,
        "multiple": 2,
    }
    return SupplierItem.model_validate({**usual, **changes})


class Buyer(PurchaseRecords):
    """A shop that has sold 2 TEA at main on each of ten days, and has 8 left."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, POLICY)
        self.bench = Bench(pool)

    async def one(self, **wanted: Any) -> Outlook:
        (found,) = await self.outlook(**wanted)
        return found


@pytest.fixture
async def buyer(pool: Pool) -> Buyer:
    buyer = Buyer(pool)
    await buyer.bench.stocked("TEA", 28)
    for day in range(10):
        await earlier(pool, min(day, 1))
        await buyer.bench.reserve(an_order(("TEA", 2)))
    await buyer.set_terms([terms()])
    return buyer


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


async def test_it_is_known_when_stock_runs_out_once_demand_was_measured(buyer: Buyer) -> None:
    before = await buyer.one(skus=["TEA"])
    assert (before.demand, before.out_on, before.order_by) == (None, None, None)
    await buyer.measure_demand()
    row = await buyer.one(skus=["TEA"])
    assert row.demand is not None
    assert (row.demand.mean, row.available, row.incoming) == (2.0, 8, 0)
    assert (row.out_on, row.covered_until, row.order_by) == (in_days(4), in_days(4), in_days(1))
    later = {in_days(-day): (2, 0) for day in range(9)}
    assert await buyer.days_of("TEA") == {in_days(-9): (2, 28), **later}


async def test_a_pace_is_not_known_before_there_is_a_week_of_it(buyer: Buyer) -> None:
    await buyer.bench.stocked("CUP", 10)
    await buyer.set_terms([terms("CUP")])
    await buyer.bench.reserve(placed_now(("CUP", 6)))
    await buyer.measure_demand()
    row = await buyer.one(skus=["CUP"])
    assert (row.days, row.total, row.is_too_new) == (1, 6, True)
    assert (row.out_on, row.covered_until, row.order_by) == (None, None, None)
    assert buyer.suggested(row, terms("CUP")) == 0
    assert [one.sku for one in await buyer.outlook(order_by=in_days(30))] == ["TEA"]
    await earlier(buyer._pool, 6)
    await buyer.measure_demand()
    row = await buyer.one(skus=["CUP"])
    assert (row.days, row.total, row.is_too_new) == (7, 6, False)
    assert row.out_on == in_days(4)


async def test_what_is_sold_out_is_so_at_any_pace(buyer: Buyer) -> None:
    await buyer.bench.stocked("CUP", 2)
    await buyer.bench.reserve(placed_now(("CUP", 2)))
    await buyer.measure_demand()
    assert (await buyer.one(skus=["CUP"])).out_on == TODAY


async def test_orders_of_before_tell_of_stock_that_is_new_here(buyer: Buyer) -> None:
    await buyer.bench.stocked("CUP", 100)
    for days, units in ((19, 6), (10, 4), (10, 6), (0, 4), (400, 50)):
        await buyer.bench.reserve(placed_now(("CUP", units), days=days))
    gone = placed_now(("CUP", 9), days=30)
    await buyer.bench.reserve(gone)
    await released(buyer, gone.order_id, "CUP", 9)
    await buyer.measure_demand()
    row = await buyer.one(skus=["CUP"])
    # 6 + 10 + 4 in 20 days; what was placed before the days that are looked at is not of them.
    assert (row.days, row.total, row.squares) == (20, 20, 36 + 100 + 16)
    assert row.out_on == in_days(30)
    level = StockLevels(sku="CUP", location="main", service_level=0.95)
    await buyer.bench.stock.set_levels([level])
    await buyer.set_terms([terms("CUP")])
    async with buyer._pool.acquire() as conn:
        await replenishment.follow_demand(conn, POLICY)
    # No level is computed from them: they may be a part of what was sold.
    assert (await buyer.one(skus=["CUP"])).reorder_point is None


def placed_now(line: tuple[str, int], days: int = 0) -> Order:
    at = datetime.now(UTC) - timedelta(days=days)
    return an_order(line, placed_at=at.isoformat())


async def released(buyer: Buyer, order_id: str, sku: str, units: int) -> None:
    async with buyer._pool.acquire() as conn:
        await conn.execute(
            """insert into movement (effect, sku, location, kind, on_hand_change, allocated_change,
                                     order_no, who, why)
               values ('back', $2, 'main', 'released', 0, -$3::int, order_no_of($1), 'x', 'x')""",
            order_id,
            sku,
            units,
        )
        await conn.execute("update stock set allocated = allocated - $2 where sku = $1", sku, units)


async def test_what_was_given_back_on_a_later_day_was_not_sold(buyer: Buyer) -> None:
    big = an_order(("TEA", 8))
    await buyer.bench.reserve(big)
    await earlier(buyer._pool, 3)
    await released(buyer, big.order_id, "TEA", 8)
    await buyer.measure_demand()
    row = await buyer.one(skus=["TEA"])
    assert (row.total, row.squares, row.days) == (20, 40, 11)  # all were claimed for two days
    told = await buyer.days_of("TEA")
    assert (told[in_days(-3)], told[TODAY]) == ((2, 0), (0, 0))


async def test_days_without_stock_say_nothing_of_demand(buyer: Buyer) -> None:
    await buyer.bench.stocked("CUP", 10)
    await buyer.bench.reserve(an_order(("CUP", 10)))
    await earlier(buyer._pool, 10)
    await buyer.measure_demand()
    row = await buyer.one(skus=["CUP"])
    # 10 were sold on the first day, and nobody could buy any on the ten days since.
    assert (row.days, row.total, row.available) == (1, 10, 0)
    await buyer.bench.stock.receive("more", "CUP", "main", 30, who="test", why="test")
    await buyer.measure_demand()
    row = await buyer.one(skus=["CUP"])
    assert (row.days, row.out_on) == (2, None)
    assert not row.is_mostly_of_one_day
    await buyer.bench.backorderable("CUP")
    await buyer.measure_demand()
    row = await buyer.one(skus=["CUP"])
    assert (row.days, row.out_on) == (11, in_days(33))  # it was sold all the time
    assert row.is_mostly_of_one_day


async def test_nothing_is_bought_where_stock_of_it_is_not_kept(buyer: Buyer) -> None:
    await buyer.bench.stocked("TEA", 2, "shop")
    await buyer.bench.reserve(an_order(("TEA", 8)))
    await buyer.bench.reserve(an_order(("TEA", 1)))
    await earlier(buyer._pool, 6)
    await buyer.measure_demand()
    assert len(await buyer.outlook(order_by=in_days(9))) == 2
    await buyer.bench.catalogue.set_items([Item(sku="TEA", handling="drop_ship")])
    assert await buyer.outlook(order_by=in_days(9)) == []
    await buyer.bench.catalogue.set_items([Item(sku="TEA")])
    await buyer.bench.locations.retire("shop")
    assert [row.location for row in await buyer.outlook(order_by=in_days(9))] == ["main"]


async def test_what_is_on_order_covers_longer_and_what_is_proposed_does_not(buyer: Buyer) -> None:
    await buyer.measure_demand()
    await buyer.enter(
        [OnOrder(supplier="assam", sku="TEA", location="main", quantity=6, due_on=in_days(2))],
        who="test",
        why="test",
    )
    row = await buyer.one(skus=["TEA"])
    assert (row.out_on, row.covered_until, row.next_on) == (in_days(4), in_days(7), in_days(2))
    await buyer.propose("assam", "main", {"TEA": 20}, who="test", why="test")
    row = await buyer.one(skus=["TEA"])
    assert (row.incoming, row.proposed, row.covered_until) == (6, 20, in_days(7))


async def test_the_position_is_the_one_that_buying_decides_by(buyer: Buyer) -> None:
    await buyer.bench.backorderable("TEA")
    level = StockLevels(sku="TEA", location="main", reorder_point=1, order_up_to=9, safety=1)
    await buyer.bench.stock.set_levels([level])
    await buyer.bench.reserve(an_order(("TEA", 30)))
    (known,) = await buyer.bench.stock.levels(sku="TEA")
    row = await buyer.one(skus=["TEA"])
    assert row.position == known.position
    assert row.is_low
    assert row.backordered > 0


async def test_rows_are_filtered_and_come_page_by_page(buyer: Buyer) -> None:
    await buyer.bench.stocked("CUP", 5)
    await buyer.bench.stocked("TEA", 5, "shop")
    await buyer.measure_demand()
    every = await buyer.outlook()
    assert [(row.sku, row.location) for row in every] == [
        *(("TEA", "main"), ("CUP", "main"), ("TEA", "shop")),
    ]
    seen: list[Outlook] = []
    for _ in every:
        last = (seen[-1].out_on, seen[-1].sku, seen[-1].location) if seen else None
        seen += await buyer.outlook(after=last, at_most=1)
    assert seen == every
    for wanted, found in (
        ({"location": "shop"}, 1),
        ({"locations": ["shop"]}, 1),
        ({"text": "te"}, 2),
        ({"text": "e"}, 0),
        ({"only_low": True}, 0),
        ({"out_by": in_days(3)}, 0),
        ({"out_by": in_days(4)}, 1),
        ({"order_by": in_days(0)}, 0),
        ({"order_by": in_days(1)}, 1),
    ):
        assert len(await buyer.outlook(**wanted)) == found, wanted


async def test_what_is_suggested_fills_up_as_the_supplier_sells_it(buyer: Buyer) -> None:
    row = await buyer.one(skus=["TEA"])
    assert buyer.suggested(row, terms()) == 0  # nobody knows how many are sold
    await buyer.measure_demand()
    row = await buyer.one(skus=["TEA"])
    # s = 2·3 and no spread, S = s + 2; 8 are there, so the supplier's least.
    assert buyer.suggested(row, terms()) == 4
    level = StockLevels(sku="TEA", location="main", reorder_point=5, order_up_to=21)
    await buyer.bench.stock.set_levels([level])
    assert buyer.suggested(await buyer.one(skus=["TEA"]), terms()) == 14


async def test_a_proposal_is_changed_once_and_before_it_is_approved(buyer: Buyer) -> None:
    await buyer.bench.stocked("POT", 1)
    await buyer.set_terms([terms("POT")])
    po_id = await buyer.propose("assam", "main", {"TEA": 20, "POT": 4}, who="test", why="test")
    for _ in range(2):
        await buyer.change(po_id, "k", {"TEA": 8, "POT": 0}, who="anna", why="too many")
    order = await buyer.order(po_id)
    assert [(line.sku, line.quantity, line.receivable) for line in order.lines] == [("TEA", 8, 8)]
    (told,) = [event for event in await buyer.story(po_id) if event.what == "changed"]
    assert (told.who, told.why) == ("anna", "POT 4 → 0, TEA 20 → 8: too many")
    for units, why in (
        ({"TEA": 3}, "multiples"),
        ({"TEA": 0}, "cancel it"),
        ({"TEA": 8}, "already"),
    ):
        with pytest.raises(InvalidInput, match=why):
            await buyer.change(po_id, f"{why}", units, who="anna", why="x")
    sent = await buyer.enter(
        [OnOrder(supplier="assam", sku="TEA", location="main", quantity=6, due_on=in_days(2))],
        who="test",
        why="test",
    )
    with pytest.raises(IllegalTransition, match="cannot be changed"):
        await buyer.change(sent[0], "k", {"TEA": 4}, who="anna", why="x")
