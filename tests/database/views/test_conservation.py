"""Conservation of stock: whatever is done, at once and in any order, each unit is somewhere."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn
from activities.stock.backorders import AwaitStock, FillBackorder
from activities.stock.contracts import ReleaseStock, ReserveAgain
from domain.money import Price
from domain.orders.order import Order
from domain.purchasing.purchase_orders import PurchasingPolicy, SupplierItem
from domain.stock.kits import Kit
from domain.stock.locations import Location
from starter.service.purchase_records import PurchaseRecords
from store.aftersales.returns import Counted
from store.database import Pool
from store.purchasing import purchases
from store.views import audit
from tests.support.bench import Bench, a_part, at_once, authorizing
from tests.support.builders import an_order

SET = Kit(sku="SET", parts={"TEA": 2, "CUP": 1})
PLACES = ("main", "shop")
STEPS = 12  # of the deck of all there is to do: two and a half times all of it
AT_ONCE = 5


@dataclass
class Life:
    """An order, as its workflow knows it: one step at a time."""

    order: Order
    parts: dict[str, dict[str, int]] = field(default_factory=dict)  # that are to be picked
    shipped: dict[str, dict[str, int]] = field(default_factory=dict)
    numbers: int = 0
    round: int = 1
    returns: int = 0

    def made(self, reserved: Any) -> None:
        for part in reserved.fulfilments:
            self.parts[part.fulfilment_id] = dict(part.units)
            self.numbers += 1

    def goods(self, units: dict[str, int]) -> Counter[str]:
        """SKU → units on shelves, of units by line."""
        found = Counter[str]()
        for line in self.order.lines:
            for sku, each in (SET.parts if line.sku == "SET" else {line.sku: 1}).items():
                found[sku] += each * units.get(line.line_id, 0)
        return found


class Warehouse:
    """Does something by chance, and counts what should be there: on shelves and between them."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench, self.dice = bench, Random(seed)
        self.buying = PurchaseRecords(bench.pool, PurchasingPolicy(over_delivery_percent=10))
        self.there = Counter[str]()
        self.lives: list[Life] = []
        self.on_order: list[str] = []
        self.under_way: list[str] = []
        self.deck: list[Callable[[], Awaitable[None]]] = []
        self.keys = (f"k{number}" for number in itertools.count(1))
        # Each act, and how the units on the shelves changed while it ran: by it and by others.
        self.done: list[tuple[str, dict[str, int]]] = []
        self.said: dict[str, Any] = {"who": "test", "why": "test"}

    def some(self) -> tuple[str, str, str, int]:
        pick = self.dice.choice
        return next(self.keys), pick(["TEA", "CUP"]), pick(PLACES), self.dice.randint(1, 6)

    async def receive(self) -> None:
        key, sku, place, units = self.some()
        cost = Price(each=Decimal(37 * units + 1) / 8, currency="JPY" if units % 2 else "EUR")
        await self.bench.stock.receive(key, sku, place, units, unit_cost=cost, **self.said)
        self.there[sku] += units

    async def write_off(self) -> None:
        key, sku, place, units = self.some()
        await self.bench.stock.write_off(key, sku, place, units, **self.said)
        self.there[sku] -= units

    async def adjust(self) -> None:
        key, sku, place, units = self.some()
        change = units if self.dice.random() < 0.3 else -units
        await self.bench.stock.adjust(key, sku, place, change, **self.said)
        self.there[sku] += change

    async def count(self) -> None:
        key, sku, place, units = self.some()
        await self.bench.stock.count(key, sku, place, units + 2, **self.said)
        # First asked, then added: others change what is there while it waits for the answer.
        change = await self.bench.count(
            "select on_hand_change from movement where effect = $1", f"count:{key}"
        )
        self.there[sku] += change

    async def send(self) -> None:
        key, sku, place, units = self.some()
        other = PLACES[1 - PLACES.index(place)]
        await self.bench.transfers.send(key, place, other, {sku: units}, **self.said)
        self.under_way.append(key)

    async def arrive(self) -> None:
        if not self.under_way:
            return
        transfer = self.under_way.pop(self.dice.randrange(len(self.under_way)))
        found = await self.bench.transfers.list(under_way=True)
        (line,) = next(one.lines for one in found if one.transfer_id == transfer)
        came = self.dice.randint(0, line.sent)
        await self.bench.transfers.receive(
            transfer, "all", {line.sku: came}, rest_is_lost=True, who="test"
        )
        self.there[line.sku] -= line.sent - came

    async def hold(self) -> None:
        soon = datetime.now(UTC) + timedelta(seconds=self.dice.choice([0, 60]))
        wanted = {"TEA": self.dice.randint(1, 3), "CUP": 1}
        await self.bench.baskets.hold(f"B-{self.dice.randint(1, 3)}", wanted, expires_at=soon)

    async def let_go(self) -> None:
        await self.bench.baskets.release(f"B-{self.dice.randint(1, 3)}")

    async def buy(self) -> None:
        _, _, place, units = self.some()
        wanted = {"TEA": units, "CUP": units}
        po_id = await self.buying.propose("assam", place, wanted, **self.said)
        async with self.bench.pool.acquire() as conn, conn.transaction():
            row, _ = await purchases.locked(conn, po_id)
            await purchases.sent(conn, row, today=datetime.now(UTC).date())
        self.on_order.append(po_id)

    async def delivery(self) -> None:
        if not self.on_order:
            return
        po_id = self.dice.choice(self.on_order)
        came = {"TEA": self.dice.randint(0, 4), "CUP": self.dice.randint(1, 3)}
        end = self.dice.random() < 0.3
        key = next(self.keys)
        await self.buying.receive(po_id, key, came, rest_is_cancelled=end, who="dock")
        self.there.update(came)

    async def order(self) -> None:
        tea, cups = self.dice.randint(1, 3), self.dice.randint(1, 3)
        lines = self.dice.choice([[("SET", 1)], [("TEA", tea), ("CUP", cups)], [("TEA", tea)]])
        life = Life(an_order(*lines))
        life.made(await self.bench.reserve(life.order))
        await self.bench.authorizations.authorize_payment(authorizing(life.order))
        self.lives.append(life)

    async def go_on(self) -> None:
        """One step of an order, as its workflow does them: one at a time."""
        if not self.lives:
            return
        life = self.lives.pop(self.dice.randrange(len(self.lives)))
        steps = [self.fill, self.cancel, self.give_back]
        if life.parts:
            steps += [self.ship] * 3 + [self.short_pick, self.refuse]
        step = self.dice.choice(steps)
        try:
            await step(life)
        finally:
            self.lives.append(life)

    async def fill(self, life: Life) -> None:
        order_id = life.order.order_id
        ask = FillBackorder(
            order_id=order_id,
            round=life.round,
            units=await self.waits(order_id, joined=True),
        )
        filled = await self.bench.backorders.fill_backorder(ask)
        life.made(filled)
        life.round += 1
        joining = AwaitStock(order_id=order_id, round=life.round)
        await self.bench.backorders.join_backorders(joining)

    async def waits(self, order_id: str, *, joined: bool = False) -> dict[str, int]:
        """What the order waits for, all of it or what it knows of (line id → units)."""
        rows = await self.bench.pool.fetch(
            "select line_id, quantity from backorder "
            "where order_no = order_no_of($1) and quantity > 0 and (round > 0 or not $2)",
            *(order_id, joined),
        )
        return {row["line_id"]: row["quantity"] for row in rows}

    async def cancel(self, life: Life) -> None:
        part = next(iter(life.parts), None)
        backordered = await self.waits(life.order.order_id)
        units = {}
        if part is not None:
            del life.parts[part]
            recalled = await self.bench.fulfilment.recall(a_part(part))
            units = {part: recalled.units} if recalled.caught else {}
        ask = ReleaseStock(
            order_id=life.order.order_id,
            effect=f"cancel:{next(self.keys)}",
            units=units,
            backordered=backordered,
            what="cancelled",
            why="test",
        )
        await self.bench.inventory.release_stock(ask)

    async def ship(self, life: Life) -> None:
        part, units = life.parts.popitem()
        await self.bench.warehouse.pick(part, who="picker")
        await self.bench.warehouse.pack(part, who="packer")
        await self.bench.send(part)
        await self.bench.warehouse.hand_over(part, who="packer")
        self.there.subtract(life.goods(units))
        life.shipped[part] = units
        await self.bench.scan(part, "delivered")

    async def short_pick(self, life: Life) -> None:
        part, units = life.parts.popitem()
        found = {line: n - 1 for line, n in units.items()}
        outcome = await self.bench.warehouse.pick(part, found, who="picker")
        self.there.subtract(life.goods(outcome["missing"]))
        await self.again(life, part, outcome["missing"], refused=False)
        if any(outcome["picked"].values()):
            await self.bench.warehouse.pack(part, who="packer")

    async def refuse(self, life: Life) -> None:
        part, units = life.parts.popitem()
        await self.bench.warehouse.refuse(part, "closed", who="anna")
        await self.again(life, part, units, refused=True)

    async def again(self, life: Life, part: str, units: dict[str, int], *, refused: bool) -> None:
        ask = ReserveAgain(
            order_id=life.order.order_id,
            fulfilment_id=part,
            units=units,
            source="open",
            replace=True,
            backorder=True,
            round=life.round,
            refused=refused,
            reason="not found",
        )
        life.made(await self.bench.inventory.reserve_again(ask))

    async def give_back(self, life: Life) -> None:
        """A parcel comes back, and some of it is sold again."""
        if not life.shipped:
            return
        _, units = life.shipped.popitem()
        life.returns += 1
        ask = ApproveReturn(
            order_id=life.order.order_id,
            request_id=f"r{life.returns}",
            units=units,
            reason="x",
            who="x",
        )
        return_id = (await self.bench.returns.approve_return(ask)).return_id
        restocked = {line: self.dice.randint(0, n) for line, n in units.items()}
        counted = {
            line: Counted(restocked=n, scrapped=units[line] - n) for line, n in restocked.items()
        }
        place = self.dice.choice(PLACES)
        await self.bench.warehouse.receive_return(return_id, counted, location=place, who="desk")
        self.there.update(life.goods(restocked))

    async def act(self) -> None:
        """The next of all there is to do, or nothing where it is not allowed at this moment."""
        if not self.deck:
            self.deck = [
                *(self.receive, self.write_off, self.adjust, self.count, self.send, self.arrive),
                *(self.hold, self.let_go, self.buy, self.delivery, self.order, self.order),
                *[self.go_on] * 12,
            ]
            self.dice.shuffle(self.deck)
        one = self.deck.pop()
        before = Counter(self.there)
        await one()
        self.done.append((one.__name__, {k: n - before[k] for k, n in self.there.items()}))

    async def accounted_for(self) -> None:
        """Each unit is on a shelf or between two; and the books have no fault."""
        rows = await self.bench.pool.fetch(
            """select sku, (sum(on_hand) + coalesce((select sum(sent - arrived - lost)
                                from transfer_line t where t.sku = s.sku), 0))::bigint as units
               from stock s group by sku"""
        )
        found = {row["sku"]: row["units"] for row in rows}
        moved = await self.bench.pool.fetch(
            """select effect, kind, sku, location, on_hand_change from movement
               where on_hand_change <> 0 order by movement_id desc limit 20"""
        )
        told = "\n".join(str(one) for one in (*map(tuple, moved), *self.done[-AT_ONCE:]))
        assert found == {sku: self.there[sku] for sku in found}, told
        async with self.bench.pool.acquire() as conn:
            faults = (await audit.look(conn)).violations
        assert [one for one in faults if one.rule in UNITS] == []


UNITS = ("stock", "lines", "purchases", "ledger")
"""The rules of the audit that are about what is tested here."""


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_unit_is_accounted_for_whatever_is_done_at_once(pool: Pool, seed: int) -> None:
    bench = Bench(pool)
    warehouse = Warehouse(bench, seed)
    await bench.locations.save([Location(location=place) for place in PLACES])
    for sku, place in itertools.product(("TEA", "CUP"), PLACES):
        await bench.stocked(sku, 12, place)
        warehouse.there[sku] += 12
    await bench.backorderable("TEA", "CUP")
    await bench.catalogue.define_kit(SET)
    terms = {"supplier": "assam", "lead_time_days": 7, "unit_price": "2.50", "currency": "EUR"}
    await warehouse.buying.set_terms(
        [SupplierItem.model_validate({**terms, "sku": sku}) for sku in ("TEA", "CUP")]
    )
    for _ in range(4):
        await warehouse.order()
    for _ in range(STEPS):
        await at_once(warehouse.act() for _ in range(AT_ONCE))
        await warehouse.accounted_for()
