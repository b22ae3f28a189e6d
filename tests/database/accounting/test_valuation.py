"""What goods have cost, on the real database: booked with their movements, to the minor unit."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn
from domain.accounting.costs import Holding, change_of, postings
from domain.errors import InvalidInput, OrderloomError
from domain.ids import order_of
from domain.money import Money, Price, to_decimal
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.kits import Kit
from store.accounting import ledger
from store.accounting.valuation import NOTHING, Paid
from store.aftersales.returns import Counted
from store.database import Pool
from store.locks import lock_stock
from store.stock import locations, receipts, stock, transfers
from store.stock.stock import Move, MovementKind
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import an_order

SKUS = ("CUP", "POT", "TEA")
SAID: dict[str, Any] = {"who": "test", "why": "test"}
NEW: dict[str, Any] = {**SAID, "new_location": True}


def eur(minor: int) -> Price:
    return Price(each=to_decimal(minor, "EUR"), currency="EUR")


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def known(bench: Bench, *names: str) -> list[str]:
    """Orders of these names are on record; their ids."""
    found = []
    for name in names:
        order = an_order(("NONE", 1), channel_order_id=name)
        await bench.reserve(order)
        found.append(order.order_id)
    return found


async def moved(
    pool: Pool,
    effect: str,
    kind: MovementKind,
    units: dict[str, int],
    *,
    order_id: str | None = None,
    paid: Paid = NOTHING,
    location: str = "main",
) -> None:
    moves = [Move(sku=sku, location=location, on_hand=n) for sku, n in units.items()]
    async with pool.acquire() as conn, conn.transaction():
        await lock_stock(conn, units)
        await stock.move(conn, effect, kind, moves, order_id=order_id, paid=paid, **SAID)


async def balances(pool: Pool) -> dict[tuple[str, str], int]:
    async with pool.acquire() as conn:
        found = await ledger.trial_balance(conn)
    return {(item.account.value, item.currency): item.amount_minor for item in found}


async def holdings(pool: Pool) -> dict[str, Holding]:
    rows = await pool.fetch("""
        select sku, quantity, coalesce((select jsonb_object_agg(currency, value_minor)
            from inventory_value v where v.sku = h.sku and value_minor > 0), '{}') as costs
        from holding h""")
    return {row["sku"]: Holding(quantity=row["quantity"], costs=row["costs"]) for row in rows}


async def faults(pool: Pool) -> list[str]:
    async with pool.acquire() as conn:
        found = await audit.look(conn)
    return [f"{x.subject}: {x.message}" for x in found.violations if x.rule == "ledger"]


async def test_goods_are_booked_from_the_receipt_to_the_customer_and_back(bench: Bench) -> None:
    (order,) = await known(bench, "1")
    async with bench.pool.acquire() as conn:
        await receipts.receive(conn, "1", "TEA", "main", 3, unit_cost=eur(100), **SAID)
        await receipts.receive(conn, "2", "TEA", "shop", 1, unit_cost=eur(50), **NEW)
    await moved(bench.pool, "out", "shipped", {"TEA": -3}, order_id=order)
    assert await balances(bench.pool) == {
        ("inventory", "EUR"): 88,
        ("cost_of_goods_sold", "EUR"): 262,
        ("opening_balances", "EUR"): -350,
    }
    await moved(bench.pool, "back", "returned", {"TEA": 1}, order_id=order)
    await moved(bench.pool, "torn", "written_off", {"TEA": -1})
    assert await balances(bench.pool) == {
        ("inventory", "EUR"): 88,
        ("cost_of_goods_sold", "EUR"): 175,
        ("write_offs", "EUR"): 87,
        ("opening_balances", "EUR"): -350,
    }
    async with bench.pool.acquire() as conn:
        entries = await ledger.entries(conn, order_id=order)
    assert [(entry.memo, entry.postings[0].amount_minor) for entry in entries] == [
        ("shipped: test", 262),
        ("returned: test", 87),
    ]
    assert await faults(bench.pool) == []


async def test_a_return_brings_back_what_it_had_cost_and_what_is_torn_is_written_off(
    bench: Bench,
) -> None:
    """By the desk, kits and all: a kit's cost is that of its parts."""
    for key, sku, units, cost in [("1", "TEA", 4, 101), ("2", "CUP", 2, 555)]:
        await bench.stock.receive(key, sku, "main", units, unit_cost=eur(cost), **SAID)
    await bench.catalogue.define_kit(Kit(sku="SET", parts={"TEA": 2, "CUP": 1}))
    part = await bench.at(an_order(("SET", 2), channel_order_id="1"), "delivered")
    assert (await balances(bench.pool))["cost_of_goods_sold", "EUR"] == 404 + 1110
    await bench.stock.receive("3", "TEA", "main", 4, unit_cost=eur(900), **SAID)
    ask = ApproveReturn(
        order_id=order_of(part), request_id="r1", units={"1": 2}, reason="test", who="test"
    )
    back = (await bench.returns.approve_return(ask)).return_id
    counted = {"1": Counted(restocked=1, scrapped=1)}
    for _ in range(2):
        await bench.warehouse.receive_return(back, counted, who="test")
    tea = 404 + 3600  # of 8 units, of which 2 are torn
    booked = await balances(bench.pool)  # and what the customer pays and gets back, in USD
    assert {key: amount for key, amount in booked.items() if key[1] == "EUR"} == {
        ("inventory", "EUR"): tea - tea * 2 // 8 + 555,
        ("write_offs", "EUR"): tea * 2 // 8 + 555,
        ("opening_balances", "EUR"): -(404 + 1110 + 3600),
    }
    assert await faults(bench.pool) == []


async def test_what_a_picker_does_not_find_is_written_off(bench: Bench) -> None:
    await bench.stock.receive("1", "TEA", "main", 3, unit_cost=eur(100), **SAID)
    order = an_order(("TEA", 3))
    part = await bench.at(order, "confirmed")
    await bench.warehouse.pick(part, {"1": 1}, who="picker")
    assert await balances(bench.pool) == {
        ("inventory", "EUR"): 100,
        ("write_offs", "EUR"): 200,
        ("opening_balances", "EUR"): -300,
    }


async def test_what_suppliers_send_is_owed_to_them_at_their_price(bench: Bench) -> None:
    terms = {"supplier": "kiln", "sku": "CUP", "lead_time_days": 7, "unit_price": "1.234"}
    item = SupplierItem.model_validate({**terms, "currency": "KWD"})
    await bench.stocked("POT", 1)
    await bench.purchasing.set_terms([item])
    await bench.purchasing.propose("kiln", "main", {"CUP": 5}, po_id="PO-1", **SAID)
    await bench.pool.execute("update purchase_order set state = 'sent'")
    for _ in range(2):
        await bench.purchasing.receive("PO-1", "first", {"CUP": 3}, who="dock")
    await bench.stock.receive("free", "CUP", "main", 3, **SAID)
    assert await balances(bench.pool) == {
        ("inventory", "KWD"): 7404,
        ("purchases", "KWD"): -3702,
        ("opening_balances", "KWD"): -3702,
    }


async def test_what_is_between_two_locations_is_ours_until_it_is_lost(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        await receipts.receive(conn, "1", "TEA", "main", 3, unit_cost=eur(100), **SAID)
        await locations.add(conn, ["shop"])
        await stock.ensure_rows(conn, [("CUP", "shop")])
        await transfers.send(conn, "T", "main", "shop", {"TEA": 3}, **SAID)
        assert await balances(bench.pool) == {
            ("inventory", "EUR"): 300,
            ("opening_balances", "EUR"): -300,
        }
        assert await faults(bench.pool) == []
        await transfers.receive(conn, "T", "1", {"TEA": 1}, who="test")
        await transfers.receive(conn, "T", "2", {"TEA": 1}, rest_is_lost=True, who="test")
    assert await balances(bench.pool) == {
        ("inventory", "EUR"): 200,
        ("write_offs", "EUR"): 100,
        ("opening_balances", "EUR"): -300,
    }
    assert await faults(bench.pool) == []


async def test_a_price_that_nobody_pays_is_refused_and_nothing_changed(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        with pytest.raises(InvalidInput, match="cannot be meant"):
            await receipts.receive(conn, "1", "TEA", "main", 9, unit_cost=eur(10**15), **SAID)
    assert (await bench.level("TEA"), await balances(bench.pool)) == ((0, 0), {})


async def test_claims_take_no_statement_for_what_goods_cost_and_goods_one(bench: Bench) -> None:
    (order,) = await known(bench, "1")
    await bench.stocked("TEA", 9)
    kinds: list[tuple[MovementKind, dict[str, int], int]] = [
        ("allocated", {"allocated": 1}, 1),
        ("shipped", {"on_hand": -1, "allocated": -1}, 2),
        ("written_off", {"on_hand": -1}, 2),
        ("returned", {"on_hand": 1}, 3),  # at what these units had cost: that is looked up
    ]
    async with bench.pool.acquire() as conn:
        for kind, units, statements in kinds:
            seen: list[str] = []
            move = Move(sku="TEA", location="main", **units)
            with conn.query_logger(lambda query, seen=seen: seen.append(query.query)):
                await stock.move(conn, kind, kind, [move], order_id=order, **SAID)
                await asyncio.sleep(0)  # the log is told a moment later
            # Whoever waits for what is free now is looked for as before.
            own = [query for query in seen if "soft_reservation" not in query]
            assert len([query for query in own if "backorder" not in query]) == statements, kind


async def test_one_effect_of_one_key_books_each_of_its_rows_once(bench: Bench) -> None:
    """As an import does, whose rows have one key."""
    async with bench.pool.acquire() as conn:
        for sku, place in [("TEA", "main"), ("TEA", "shop"), ("CUP", "main"), ("TEA", "main")]:
            await receipts.receive(conn, "import", sku, place, 1, unit_cost=eur(7), **NEW)
    assert (await balances(bench.pool))["inventory", "EUR"] == 21


async def test_goods_that_cost_less_than_a_cent_each_are_booked_whole_and_leave_by_their_share(
    bench: Bench,
) -> None:
    (order,) = await known(bench, "1")
    async with bench.pool.acquire() as conn:
        cost = Price(each=Decimal("0.0085"), currency="EUR")
        await receipts.receive(conn, "1", "TEA", "main", 10_000, unit_cost=cost, **SAID)
    assert (await balances(bench.pool))["inventory", "EUR"] == 8500
    await moved(bench.pool, "one", "shipped", {"TEA": -1}, order_id=order)
    assert ("cost_of_goods_sold", "EUR") not in await balances(bench.pool)
    await moved(bench.pool, "more", "shipped", {"TEA": -200}, order_id=order)
    assert (await balances(bench.pool))["cost_of_goods_sold", "EUR"] == 170
    assert await faults(bench.pool) == []


@pytest.mark.parametrize("seed", range(3))
async def test_the_books_are_those_of_the_model_in_any_sequence(bench: Bench, seed: int) -> None:
    dice = Random(seed)
    held: dict[str, Holding] = defaultdict(Holding)
    last = dict[str, Holding]()
    out: dict[tuple[str, str], Holding] = defaultdict(Holding)
    booked = Counter[tuple[str, str]]()
    orders = await known(bench, "1", "2")
    async with bench.pool.acquire() as conn:
        await locations.add(conn, ["main"])
        await stock.ensure_rows(conn, [(sku, "main") for sku in SKUS])

    def model(kind: MovementKind, units: dict[str, int], order: str | None, paid: Paid) -> None:
        changes = {}
        for sku, n in units.items():
            sold = out[order, sku] if order and kind == "returned" else None
            changes[sku] = change_of(
                *(held[sku], n),
                paid=paid.costs.get((sku, "main")),
                sold=sold,
                last=last.get(sku),
            )
        for sku, change in changes.items():
            held[sku] = added(held[sku], units[sku], change, 1)
            if change:
                costs = {currency: abs(cost) for currency, cost in change.items()}
                last[sku] = Holding(quantity=abs(units[sku]), costs=costs)
            if order:
                out[order, sku] = added(out[order, sku], -units[sku], change, -1)
        for currency, accounts in postings(changes.values(), kind, bought=paid.bought).items():
            booked.update({(account.value, currency): n for account, n in accounts.items()})

    for number in range(60):
        skus = dice.sample(SKUS, dice.randint(1, 3))
        units = {sku: dice.randint(1, 9) for sku in skus}
        order, paid = None, NOTHING
        kinds: list[MovementKind] = ["received", "shipped", "returned", "written_off", "counted"]
        kind = dice.choice(kinds)
        if kind == "received":
            money = {
                (sku, "main"): Money(
                    minor=dice.randint(0, 9999), currency=dice.choice(("EUR", "JPY"))
                )
                for sku in skus
                if dice.random() < 0.8
            }
            paid = Paid(money, bought=dice.random() < 0.5)
        if kind in ("shipped", "returned"):
            order = dice.choice(orders)
        if kind in ("shipped", "written_off"):
            units = {sku: -min(n, held[sku].quantity) for sku, n in units.items()}
        if kind == "returned":
            units = {sku: min(n, out[order or "", sku].quantity) for sku, n in units.items()}
        units = {sku: n for sku, n in units.items() if n}
        model(kind, units, order, paid)
        for _ in range(dice.randint(1, 2)):  # a step that runs again books nothing more
            await moved(bench.pool, str(number), kind, units, order_id=order, paid=paid)
    assert await balances(bench.pool) == {key: n for key, n in booked.items() if n}
    assert {k: v for k, v in (await holdings(bench.pool)).items() if k in SKUS} == {
        sku: held[sku] for sku in SKUS
    }
    assert await faults(bench.pool) == []


def added(holding: Holding, units: int, change: dict[str, int], sign: int) -> Holding:
    costs = Counter(holding.costs)
    costs.update({currency: sign * cost for currency, cost in change.items()})
    return Holding(quantity=holding.quantity + units, costs={k: v for k, v in costs.items() if v})


async def test_goods_that_move_everywhere_at_once_lose_nothing_and_never_block(
    bench: Bench,
) -> None:
    """Also the first receipts of a SKU, which have no row in common before."""
    orders = await known(bench, "1", "2", "3")
    dice = Random(7)

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        skus = dice.sample(SKUS, 2)
        place = dice.choice(("main", "shop", "annex"))
        try:
            if number % 3:
                async with bench.pool.acquire() as conn:
                    await receipts.receive(
                        conn, str(number), skus[0], place, 7, unit_cost=eur(333 + number), **NEW
                    )
            elif {(sku, place) for sku in skus} <= {
                (row.sku, row.location) for row in await bench.stock.list()
            }:
                units = dict.fromkeys(skus, -2)
                order = dice.choice(orders)
                await moved(
                    bench.pool, str(number), "shipped", units, order_id=order, location=place
                )
        except OrderloomError:
            pass  # not so many there: nothing changed

    await asyncio.wait_for(asyncio.gather(*(work(number) for number in range(120))), 60)
    paid = sum(7 * (333 + number) for number in range(120) if number % 3)
    booked = await balances(bench.pool)
    assert booked["opening_balances", "EUR"] == -paid
    assert booked["inventory", "EUR"] + booked["cost_of_goods_sold", "EUR"] == paid
    assert await faults(bench.pool) == []
