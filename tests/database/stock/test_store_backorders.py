"""Backorders on the real database: nobody overtakes, nothing is given twice, whoever comes when."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

import pytest

from activities.stock.backorders import AwaitStock, FillBackorder
from activities.stock.contracts import ReleaseStock, ReserveAgain
from domain.errors import IllegalTransition
from domain.ids import backorder_id
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.sourcing_rules import SourcingRules
from domain.stock.items import Item
from domain.stock.locations import Lane, Location
from domain.stock.reservations import Reserved
from store.database import Pool, open_pool
from store.stock import backorders, items, locations, promises, reservations
from store.stock.catalogue import Catalogue
from store.views import decisions
from store.views.audit import look
from tests.support.bench import Bench, at_once, authorizing
from tests.support.builders import an_order


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.backorderable("TEA", "POT")
    return bench


async def placed(bench: Bench, order: Order) -> Reserved:
    """Reserve for an order, and take its money."""
    reserved = await bench.reserve(order)
    await bench.authorizations.authorize_payment(authorizing(order))
    return reserved


async def soft_reserved(bench: Bench, order: Order) -> int:
    return await bench.count(
        "select coalesce(sum(quantity), 0)::bigint from soft_reservation "
        "where order_no = order_no_of($1)",
        order.order_id,
    )


async def right(bench: Bench) -> None:
    """The books have no fault."""
    async with bench.pool.acquire() as conn:
        found = await look(conn)
    assert not [v for v in found.violations if v.rule in ("stock", "lines")], found.violations


def placed_on(day: int, *lines: tuple[str, int]) -> Order:
    return an_order(*lines, placed_at=f"2026-11-{day:02}T00:00:00Z")


async def test_units_that_arrive_are_soft_reserved_in_turn_and_a_report_wakes_just_those_orders(
    bench: Bench,
) -> None:
    early, other, late = (
        placed_on(1, ("TEA", 3)),
        placed_on(2, ("POT", 1)),
        placed_on(3, ("TEA", 2)),
    )
    for order in (early, other, late):
        assert (await placed(bench, order)).backordered == {"1": order.lines[0].quantity}
    await bench.stocked("TEA", 4)
    assert [await soft_reserved(bench, order) for order in (early, late, other)] == [3, 1, 0]
    assert (
        await bench.count("select count(*) from wait_report where activity_id like 'await%'") == 2
    )
    told = await bench.told(
        bench.backorders.await_stock(AwaitStock(order_id=early.order_id, round=1))
    )
    assert told == {}
    ask = FillBackorder(order_id=late.order_id, round=1, units={"1": 2})
    filled = await bench.backorders.fill_backorder(ask)
    assert [part.units for part in filled.fulfilments] == [{"1": 1}]
    assert filled.backordered == {"1": 1}
    assert await bench.backorders.fill_backorder(ask) == filled
    await bench.stock.receive("more", "TEA", "main", 1, who="test", why="test")
    # The next round's report, while the one before was answered.
    assert await bench.count(
        "select count(*) from wait_report where activity_id = $1",
        f"await_stock:{backorder_id(late.order_id, 2)}",
    )
    await right(bench)


async def test_who_was_taken_in_first_is_served_first_whatever_their_clocks_say(
    bench: Bench,
) -> None:
    # Each channel's clock says the contrary of what was: the later order was placed long before.
    first, second = placed_on(28, ("TEA", 2)), placed_on(1, ("TEA", 2))
    for order in (first, second):
        await placed(bench, order)

    async def served() -> list[int]:
        return [await soft_reserved(bench, order) for order in (first, second)]

    await bench.stocked("TEA", 3)
    assert await served() == [2, 1]  # What arrives goes to the first,
    await bench.stock.count("c", "TEA", "main", 2, who="anna", why="count")
    assert await served() == [2, 0]  # and what is missing after all is taken from the last.
    await right(bench)


async def test_a_count_takes_back_the_claim_that_was_taken_in_last_whatever_their_clocks_say(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 4)
    first, second = placed_on(28, ("TEA", 2)), placed_on(1, ("TEA", 2))
    for order in (first, second):
        await placed(bench, order)
    await bench.stock.count("c", "TEA", "main", 2, who="anna", why="count")
    waiting = await bench.pool.fetch(
        "select order_id from backorder join customer_order using (order_no) where quantity > 0"
    )
    assert [row["order_id"] for row in waiting] == [second.order_id]
    await right(bench)


async def test_a_promise_is_kept_for_who_was_taken_in_first_whatever_their_clocks_say(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 9, "far")
    async with bench.pool.acquire() as conn:
        lane = Lane(cost=Decimal("4.00"), currency="EUR", country="DE")
        far = Location(location="far", lanes=(lane,))
        await locations.save(conn, [far, Location(location="main")])
    due = datetime.now(UTC).date() + timedelta(days=2)
    await bench.transfers.send(
        "T", "far", "main", {"TEA": 1}, expected_on=due, who="test", why="test"
    )
    first, second = placed_on(28, ("TEA", 1)), placed_on(1, ("TEA", 1))
    for order in (first, second):
        await placed(bench, order)
    await bench.pool.execute("update backorder set promised_leave = $1, promised_on = $1", due)
    async with bench.pool.acquire() as conn:
        assert await promises.notice_slips(conn, 10) == 1
    told = await bench.pool.fetch(
        "select order_id from order_event join customer_order using (order_no) "
        "where effect like 'promise:%'"
    )
    assert [row["order_id"] for row in told] == [second.order_id]


async def test_who_gives_up_leaves_what_had_come_to_the_next(bench: Bench) -> None:
    first, second = placed_on(1, ("TEA", 2)), placed_on(2, ("TEA", 3))
    for order in (first, second):
        await placed(bench, order)
    await bench.stocked("TEA", 2)
    assert await soft_reserved(bench, first) == 2
    ask = ReleaseStock(
        order_id=first.order_id, effect="x", backordered={"1": 1}, what="cancelled", why="less"
    )
    for _ in range(2):
        await bench.inventory.release_stock(ask)
    assert [await soft_reserved(bench, order) for order in (first, second)] == [1, 1]
    newcomer = await placed(bench, placed_on(3, ("TEA", 1)))
    assert (newcomer.fulfilments, newcomer.backordered) == ((), {"1": 1})
    await right(bench)


async def test_a_preorder_waits_for_its_first_day_of_sale_though_there_is_stock(
    bench: Bench,
) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    async with bench.pool.acquire() as conn:
        await items.save(conn, [Item(sku="NEW", available_from=tomorrow)])
    await bench.stocked("NEW", 5)
    ahead = placed_on(1, ("NEW", 2))
    assert (await placed(bench, ahead)).backordered == {"1": 2}
    assert await soft_reserved(bench, ahead) == 0
    async with bench.pool.acquire() as conn:
        await items.save(conn, [Item(sku="NEW", available_from=tomorrow - timedelta(days=1))])
    now = placed_on(2, ("NEW", 4))  # the first day has come; whoever ordered ahead comes first
    assert (await placed(bench, now)).missing == {"1": 1}
    assert await soft_reserved(bench, ahead) == 2
    await right(bench)


async def test_units_that_wait_without_a_day_leave_the_others_of_their_line_their_promise(
    bench: Bench,
) -> None:
    lane = Lane(cost=Decimal("4.00"), currency="EUR", transit_days=0)
    async with bench.pool.acquire() as conn:
        await locations.save(conn, [Location(location="main", lanes=(lane,))])
    await bench.stocked("TEA", 1)
    await bench.stocked("TEA", 5, "far")
    due = datetime.now(UTC).date() + timedelta(days=10)
    await bench.transfers.send(
        "T", "far", "main", {"TEA": 5}, expected_on=due, who="test", why="test"
    )
    order = placed_on(1, ("TEA", 3))
    await placed(bench, order)
    part = f"{order.order_id}:1"
    await bench.warehouse.pick(part, {"1": 0}, who="picker")
    ask = ReserveAgain(
        order_id=order.order_id,
        fulfilment_id=part,
        units={"1": 1},
        source="open",
        replace=True,
        backorder=True,
        reason="not found",
    )
    assert (await bench.inventory.reserve_again(ask)).backordered == {"1": 1}
    row = await bench.pool.fetchrow(
        "select quantity, promised_leave from backorder where order_no = order_no_of($1)",
        order.order_id,
    )
    assert row is not None
    assert tuple(row) == (3, due)


async def test_a_first_day_of_sale_begins_for_the_database_when_it_begins_for_us(
    pool: Pool, database_url: str
) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # never both on the day of UTC
        name = await pool.fetchval("select quote_ident(current_database())")
        await pool.execute(f"alter database {name} set timezone = '{zone}'")
        other = await open_pool(database_url, size_max=1)
        today = await other.fetchval("select current_date")
        await other.close()
        assert today == datetime.now(UTC).date()


async def test_ten_there_and_ten_on_their_way_are_promised_now_and_on_that_date(
    bench: Bench,
) -> None:
    lane = Lane(cost=Decimal("4.00"), currency="EUR", transit_days=3)
    async with bench.pool.acquire() as conn:
        await locations.save(conn, [Location(location="main", lanes=(lane,))])
    await bench.stocked("TEA", 10)
    await bench.stocked("TEA", 30, "far")
    async with bench.pool.acquire() as conn:
        await locations.save(
            conn, [Location(location="far", lanes=(lane.model_copy(update={"country": "XX"}),))]
        )
    today = datetime.now(UTC).date()
    due = today + timedelta(days=20)
    await bench.transfers.send(
        "T", "far", "main", {"TEA": 10}, expected_on=due, who="test", why="test"
    )
    order = placed_on(1, ("TEA", 20))
    reserved = await placed(bench, order)
    assert [part.units for part in reserved.fulfilments] == [{"1": 10}]
    assert reserved.backordered == {"1": 10}
    async with bench.pool.acquire() as conn:
        (answer,) = await decisions.decided(conn, [(order.order_id, order.digest)])
        assert answer.expected["1"].leaves_on == due
        assert answer.promised_on == answer.expected["1"].arrives_on >= due + timedelta(days=3)
        # What is promised to one is promised to nobody else.
        more = await promises.available(conn, "TEA", 1, order.shipping, now=datetime.now(UTC))
    assert more == ()
    await bench.transfers.receive("T", "first", {"TEA": 10}, who="test")
    ask = FillBackorder(order_id=order.order_id, round=1, units={"1": 10})
    (part,) = (await bench.backorders.fill_backorder(ask)).fulfilments
    promised: date = await bench.pool.fetchval(
        "select promised_on from fulfilment where fulfilment_id = $1", part.fulfilment_id
    )
    assert promised == answer.promised_on  # as it was told, though it comes sooner
    await right(bench)


async def test_what_is_ordered_ahead_is_promised_for_its_first_day_of_sale_at_the_earliest(
    bench: Bench,
) -> None:
    lane = Lane(cost=Decimal("4.00"), currency="EUR", transit_days=0)
    async with bench.pool.acquire() as conn:
        await locations.save(conn, [Location(location="main", lanes=(lane,))])
    first_day = datetime.now(UTC).date() + timedelta(days=20)
    await bench.stocked("NEW", 2)
    await bench.stocked("NEW", 5, "far")
    due = first_day - timedelta(days=10)
    await bench.transfers.send(
        "T", "far", "main", {"NEW": 5}, expected_on=due, who="test", why="test"
    )
    async with bench.pool.acquire() as conn:
        await items.save(conn, [Item(sku="NEW", available_from=first_day)])
    for units in (2, 4):  # on the shelf, and on its way
        order = placed_on(1, ("NEW", units))
        async with bench.pool.acquire() as conn:
            told = await promises.available(
                conn, "NEW", units, order.shipping, now=datetime.now(UTC)
            )
        assert {one.promise and one.promise.leaves_on for one in told} == {first_day}
        await placed(bench, order)
        leaves = await bench.pool.fetchval(
            "select promised_leave from backorder where order_no = order_no_of($1)", order.order_id
        )
        assert leaves == first_day


async def test_a_backorder_that_slips_is_told_once_before_its_day_and_once_after(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 9, "far")
    async with bench.pool.acquire() as conn:
        lane = Lane(cost=Decimal("4.00"), currency="EUR", country="DE")
        far = Location(location="far", lanes=(lane,))
        await locations.save(conn, [far, Location(location="main")])
    await bench.transfers.send("T", "far", "main", {"TEA": 2}, who="test", why="test")
    first, second = placed_on(1, ("TEA", 1)), placed_on(2, ("TEA", 1))
    for order in (first, second):
        await placed(bench, order)
    today = datetime.now(UTC).date()

    async def slips(due: int, leave: int, arrive: int) -> int:
        await bench.pool.execute(
            "update transfer set expected_on = $1", today + timedelta(days=due)
        )
        await bench.pool.execute(
            "update backorder set promised_leave = $1, promised_on = $2 "
            "where order_no = order_no_of($3)",
            *(today + timedelta(days=days) for days in (leave, arrive)),
            second.order_id,
        )
        async with bench.pool.acquire() as conn:
            return await promises.notice_slips(conn, 10)

    assert await slips(2, 2, 5) == 0
    # The supply slips: noticed at once, long before the day.
    assert [await slips(3, 2, 5), await slips(3, 2, 5)] == [1, 0]
    assert [await slips(3, -3, -1), await slips(3, -3, -1)] == [1, 0]
    told = await bench.pool.fetch("select what from order_event where effect like 'promise:%'")
    assert [row["what"] for row in told] == ["promise at risk", "promise missed"]


async def test_a_count_takes_from_baskets_first_and_never_what_has_left_the_shelf(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 6)
    await bench.at(placed_on(1, ("TEA", 2)), "picked")
    claimed = placed_on(2, ("TEA", 2))
    await bench.at(claimed, "confirmed")
    soon = datetime.now(UTC) + timedelta(hours=1)
    await bench.baskets.hold("B-1", {"TEA": 2}, expires_at=soon)

    async def counted(units: int) -> None:
        await bench.stock.count(f"c{units}", "TEA", "main", units, who="anna", why="count")

    await counted(5)
    assert [one.units for one in await bench.baskets.list()] == [{"TEA": 1}]
    await counted(3)
    assert await bench.baskets.list() == []
    assert (await bench.level("TEA"), await soft_reserved(bench, claimed)) == ((3, 2), 1)
    before = await bench.everything()
    with pytest.raises(IllegalTransition, match="1 more TEA have left the shelf"):
        await counted(1)
    assert await bench.everything() == before
    await right(bench)


async def test_a_count_takes_back_whole_claims_where_lines_share_a_sku(bench: Bench) -> None:
    await bench.stocked("TEA", 5)
    older, newer = placed_on(1, ("TEA", 3)), placed_on(2, ("TEA", 1), ("TEA", 1))
    for order in (older, newer):
        await placed(bench, order)
    await bench.stock.count("c", "TEA", "main", 2, who="anna", why="count")
    assert (await bench.level("TEA"), await soft_reserved(bench, older)) == ((2, 0), 2)
    await right(bench)


async def test_what_fell_back_is_filled_once_the_workflow_has_heard_of_it(bench: Bench) -> None:
    await bench.stocked("TEA", 3)
    await bench.stocked("POT", 1, "outlet")
    order = placed_on(1, ("TEA", 3), ("POT", 2))
    await placed(bench, order)
    await bench.stock.count("c1", "TEA", "main", 2, who="anna", why="count")
    await bench.stock.receive("r", "POT", "main", 1, who="test", why="test")
    # The pot's parcel falls back too; its workflow joins the round for the tea alone.
    await bench.stocked("TEA", 1, "outlet")
    await bench.stock.write_off("w", "POT", "outlet", 1, who="anna", why="broken")
    await bench.backorders.join_backorders(AwaitStock(order_id=order.order_id, round=1))

    async def fill(round: int, units: dict[str, int]) -> dict[str, int]:
        ask = FillBackorder(order_id=order.order_id, round=round, units=units)
        filled = await bench.backorders.fill_backorder(ask)
        await right(bench)
        return dict(sum((Counter(part.units) for part in filled.fulfilments), Counter()))

    assert await fill(1, {"1": 3, "2": 0}) == {"1": 3}
    await bench.backorders.join_backorders(AwaitStock(order_id=order.order_id, round=2))
    assert await bench.count(
        "select count(*) from wait_report where activity_id = $1",
        f"await_stock:{backorder_id(order.order_id, 2)}",
    )
    assert await fill(2, {"2": 2}) == {"2": 1}


@pytest.mark.parametrize("decision", ["rejected", "cancelled"])
async def test_an_order_that_ends_as_its_claims_fall_back_leaves_nothing_behind(
    bench: Bench, decision: Literal["rejected", "cancelled"]
) -> None:
    await bench.stocked("TEA", 3)
    await bench.stocked("POT", 1)
    order, next_one = placed_on(1, ("TEA", 3), ("POT", 2)), placed_on(2, ("TEA", 1))
    reserved = await bench.reserve(order)
    await placed(bench, next_one)
    await bench.stock.count("c", "TEA", "main", 2, who="anna", why="count")
    ask = ReleaseStock(
        order_id=order.order_id,
        effect="release_stock",
        # As its workflow knows it, which has not heard of the count.
        units={part.fulfilment_id: part.units for part in reserved.fulfilments},
        backordered=reserved.backordered,
        decision=decision,
        what=decision,
        why="declined",
    )
    for _ in range(2):
        await bench.inventory.release_stock(ask)
    assert [await bench.level("TEA"), await bench.level("POT")] == [(2, 0), (1, 0)]
    assert [await soft_reserved(bench, order), await soft_reserved(bench, next_one)] == [0, 1]
    async with bench.pool.acquire() as conn:
        assert await backorders.lines_of(conn, order.order_id) == []
    await right(bench)


async def test_whose_units_turn_out_not_to_be_there_is_served_from_elsewhere(bench: Bench) -> None:
    order = placed_on(1, ("TEA", 2))
    await placed(bench, order)
    await bench.stocked("TEA", 2)
    await bench.stocked("TEA", 2, "outlet")
    await bench.stock.write_off("w", "TEA", "main", 2, who="anna", why="torn")
    assert await soft_reserved(bench, order) == 2
    await right(bench)


async def test_what_is_waited_for_comes_only_from_where_the_order_may_be_sent_from(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 1)
    rules = SourcingRules(locations=("main", "far"))
    order = placed_on(1, ("TEA", 2))
    assert (await bench.reserve(order, Policy(sourcing=rules))).backordered == {"1": 1}
    # Neither has had any of it before: one is not allowed, the other sends elsewhere.
    lane = Lane(cost=Decimal("4.00"), currency="EUR", country="US")
    async with bench.pool.acquire() as conn:
        await locations.save(conn, [Location(location="far", lanes=(lane,))])
    await bench.stocked("TEA", 3, "outlet")
    await bench.stocked("TEA", 3, "far")
    assert await soft_reserved(bench, order) == 0
    await bench.stock.write_off("w", "TEA", "main", 1, who="anna", why="torn")  # falls back
    assert await soft_reserved(bench, order) == 0
    await bench.stock.receive("r", "TEA", "main", 2, who="test", why="test")
    assert await soft_reserved(bench, order) == 2
    await right(bench)


async def test_what_an_order_leaves_of_its_basket_is_for_those_first_who_wait(bench: Bench) -> None:
    await bench.stocked("TEA", 3)
    soon = datetime.now(UTC) + timedelta(hours=1)
    await bench.baskets.hold("B-1", {"TEA": 3}, expires_at=soon)
    early = placed_on(1, ("TEA", 2))
    await placed(bench, early)
    own, late = an_order(("TEA", 1), basket="B-1"), placed_on(3, ("TEA", 2))
    both = await bench.on_record(own, late)
    async with bench.pool.acquire() as conn, conn.transaction():  # both in one batch
        answers = await reservations.reserve(conn, both, Catalogue())
    assert [answer.backordered for answer in answers] == [{}, {"1": 2}]
    assert [await soft_reserved(bench, early), await soft_reserved(bench, late)] == [2, 0]
    await right(bench)


async def test_what_nobody_can_be_given_keeps_no_other_from_being_served(bench: Bench) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    async with bench.pool.acquire() as conn:
        await items.save(conn, [Item(sku="NEW", available_from=tomorrow)])
    await bench.stocked("NEW", 5)
    ahead, late = placed_on(1, ("NEW", 2)), placed_on(2, ("TEA", 2))
    await bench.stocked("TEA", 2)
    soon = datetime.now(UTC) + timedelta(hours=1)
    await bench.baskets.hold("B-1", {"TEA": 2}, expires_at=soon)
    for order in (ahead, late):
        await placed(bench, order)
    await bench.pool.execute(
        "update soft_reservation set expires_at = now() where basket is not null"
    )
    async with bench.pool.acquire() as conn:
        await backorders.serve_late(conn, 1)
    assert await soft_reserved(bench, late) == 2
    await right(bench)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_receipts_orders_cancels_fills_baskets_and_counts_at_once_keep_the_books_right(
    bench: Bench, seed: int
) -> None:
    random = Random(seed)
    numbers = itertools.count(1)
    await bench.stocked("TEA", 3)
    await bench.stocked("POT", 2, "outlet")
    orders: list[Order] = []
    parts = {}
    rounds: dict[str, int] = {}

    async def order() -> None:
        skus = random.sample(["TEA", "POT"], random.randint(1, 2))
        new = placed_on(random.randint(1, 28), *((sku, random.randint(1, 3)) for sku in skus))
        reserved = await placed(bench, new)
        orders.append(new)
        parts[new.order_id] = len(reserved.fulfilments) + 1
        rounds[new.order_id] = 1

    async def receive() -> None:
        sku, place = random.choice(["TEA", "POT"]), random.choice(["main", "outlet"])
        key = f"r{next(numbers)}"
        await bench.stock.receive(key, sku, place, random.randint(1, 3), who="t", why="t")

    async def fill() -> None:
        # As the order's workflow does: one step of an order at a time.
        one = orders.pop(random.randrange(len(orders)))
        known = one.order_id
        async with bench.pool.acquire() as conn:
            waits = {x["line_id"]: x["quantity"] for x in await backorders.lines_of(conn, known)}
        ask = FillBackorder(order_id=known, round=rounds[known], units=waits)
        filled = await bench.backorders.fill_backorder(ask)
        parts[known] += len(filled.fulfilments)
        rounds[known] += 1
        if filled.backordered and random.random() < 0.5:
            await bench.inventory.release_stock(
                ReleaseStock(
                    order_id=known,
                    effect=f"cancel:{next(numbers)}",
                    backordered=filled.backordered,
                    what="cancelled",
                    why="no more",
                )
            )
        await bench.backorders.join_backorders(AwaitStock(order_id=known, round=rounds[known]))
        orders.append(one)

    async def hold() -> None:
        soon = datetime.now(UTC) + timedelta(seconds=random.choice([0, 60]))
        await bench.baskets.hold(f"B-{random.randint(1, 3)}", {"TEA": 1, "POT": 1}, expires_at=soon)

    async def count() -> None:
        level = random.randint(0, 4)
        await bench.stock.count(f"c{next(numbers)}", "TEA", "main", level, who="t", why="t")

    for _ in range(6):
        await order()
    for _ in range(8):
        acts = [order, receive, receive, fill, fill, hold, count]
        await at_once(act() for act in random.choices(acts, k=6))
        await right(bench)
    for sku in ("TEA", "POT"):
        free = await bench.count(
            "select coalesce(sum(available), 0)::bigint from (select on_hand - allocated - ("
            "select coalesce(sum(quantity), 0) from soft_reservation r where (r.sku, r.location)"
            " = (s.sku, s.location)) as available from stock s where sku = $1) x",
            sku,
        )
        waits = await bench.count(
            "select (coalesce(sum(quantity), 0) - (select coalesce(sum(quantity), 0) from "
            "soft_reservation where order_no is not null and sku = $1))::bigint from backorder "
            "where sku = $1",
            sku,
        )
        # Nobody waits for what is there; a basket that expired is not noticed by itself.
        assert not (free > 0 and waits > 0), (sku, free, waits)
