"""Backordered units: wait for them, and allocate them when they have arrived."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.waiting import wait_for_report
from domain import ids
from domain.ids import WHO
from domain.orders.quantities import LineUnits
from domain.stock.reservations import Reserved
from store.database import Pool
from store.fulfilment import fulfilments
from store.locks import lock_order, lock_stock
from store.orders import effects, events, orders
from store.stock import allocations, backorders, first_days, promises


class AwaitStock(BaseModel):
    """The `round`-th wait of an order for stock."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    round: int


class FillBackorder(BaseModel):
    """Allocate the units that have arrived, in new fulfilments; the rest waits for the next round.

    `units` are all the units that the order's workflow waits for.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    round: int
    units: LineUnits


class FirstDays(BaseModel):
    """Line id → when its first day of sale begins, or began; of lines that have one."""

    model_config = ConfigDict(frozen=True)

    lines: dict[str, datetime]


class WaitLonger(BaseModel):
    """Lines that are not given up yet, and since when they count as waited for."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    since: dict[str, datetime]


class Backorders:
    """Activities for claims without stock, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def await_stock(self, ask: AwaitStock) -> dict[str, Any]:
        """Wait until stock is soft-reserved for the order."""
        waiting = ids.backorder_id(ask.order_id, ask.round)
        await wait_for_report(self._pool, backorders.WAIT, waiting)

    @activity.defn
    async def join_backorders(self, ask: AwaitStock) -> None:
        """Let this round wait for all backordered units, also those that were added later."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            waiting = await backorders.lines_of(conn, ask.order_id)
            await lock_stock(conn, [row["sku"] for row in waiting])
            await backorders.join(conn, ask.order_id, round=ask.round)

    @activity.defn
    async def before_giving_up(self, ask: AwaitStock) -> FirstDays:
        """Keep for the order what it can have by now, and tell when the rest is on sale.

        What time alone has freed, a worker would only notice within a minute. And nobody gives a
        pre-order up before its first day.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            waiting = [row["sku"] for row in await backorders.lines_of(conn, ask.order_id)]
            await lock_stock(conn, waiting)
            await backorders.serve(conn, waiting)
            return FirstDays(lines=await first_days.of_order(conn, ask.order_id))

    @activity.defn
    async def wait_longer(self, ask: WaitLonger) -> None:
        """Have a later run of the order know how long it waits for these. A repeat is the same."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            waiting = await backorders.lines_of(conn, ask.order_id)
            await lock_stock(conn, [row["sku"] for row in waiting])
            await first_days.wait_longer(conn, ask.order_id, ask.since)

    @activity.defn
    async def fill_backorder(self, ask: FillBackorder) -> Reserved:
        """Allocate the order's soft reservations, if there still are any.

        Returns the new fulfilments, and the units that still wait.
        """
        effect = f"fill_backorder:{ids.backorder_id(ask.order_id, ask.round)}"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            done = await effects.find(conn, ask.order_id, effect)
            if done is not None:
                return Reserved.model_validate(done)
            waiting = await backorders.lines_of(conn, ask.order_id)
            await lock_stock(conn, [row["sku"] for row in waiting])
            takes, told, left = await backorders.fill(
                conn, ask.order_id, ask.units, round=ask.round + 1
            )
            # Units without a known day at the time of the order leave like units that are ordered
            # now.
            unknown = {take.location for take in takes} - told.keys()
            shipping = await orders.shipping(conn, ask.order_id)
            now = await promises.by_location(conn, sorted(unknown), shipping)
            claim = allocations.Claim(
                ask.order_id,
                effect,
                takes,
                first_number=await fulfilments.next_number(conn, ask.order_id),
                promises={**now, **told},
            )
            (planned,) = await allocations.allocate(
                conn, [claim], state="picking", who=WHO, why="backorder filled"
            )
            filled = Reserved(fulfilments=planned, backordered=left)
            await events.tell(
                conn,
                ask.order_id,
                effect,
                "backorder filled" if planned else "backorder waits on",
                who=WHO,
                why="some units are still waited for" if left else "",
                data=filled.model_dump(mode="json"),
                answer=filled.model_dump(mode="json"),
            )
            return filled
