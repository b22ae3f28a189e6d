"""Stock for orders: reserve, release, reserve again. Short database steps, each idempotent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from domain.amounts import value_lines
from domain.fulfilments import Planned
from domain.locations import Promise, places
from domain.order import Order, Shipping
from domain.places import SourcingRules
from domain.sourcing import Demand, SourcingPlan, plan_sourcing
from store import events, fulfilments, locations, orders
from store.database import Connection, Pool
from store.locks import lock_order, lock_stock

WHO = "orderloom"


class ReserveStock(BaseModel):
    """Reserve all lines of a new order at once. `run_id`: the workflow's first run, its owner."""

    model_config = ConfigDict(frozen=True)

    order: Order
    run_id: str
    partly_available: Literal["ship_available", "all_or_nothing"]
    sourcing: SourcingRules = SourcingRules()


class Reserved(BaseModel):
    """What was reserved, and what could not be (line id → units). No fulfilments: rejected."""

    model_config = ConfigDict(frozen=True)

    fulfilments: tuple[Planned, ...] = ()
    missing: dict[str, int] = {}


class ReserveAgain(BaseModel):
    """Units that were not found or were lost: reserve others, in new fulfilments.

    `source` says where they stand: `open` after a short pick, `shipped` when the carrier lost
    them. What cannot be had is cancelled, or stays lost. `avoid`: a location not to be trusted.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    effect: str
    units: dict[str, int]
    source: Literal["open", "shipped"]
    replace: bool
    first_number: int
    avoid: str | None = None
    reason: str
    sourcing: SourcingRules = SourcingRules()


class ReleaseStock(BaseModel):
    """Give claims back and cancel their units. `units`: fulfilment id → line id → units.

    `decision` ends the order where this leaves nothing of it.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    effect: str
    units: dict[str, dict[str, int]]
    decision: Literal["rejected", "cancelled"] | None = None
    what: str
    why: str
    who: str = WHO


class Reassign(BaseModel):
    """What stays wanted of a recalled fulfilment goes on in a new one (line id → units)."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    to: str
    units: dict[str, int]


class Inventory:
    """Claims on stock, with the database pool injected."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def reserve_stock(self, ask: ReserveStock) -> Reserved:
        """Record the order and claim its stock, all lines at once, or reject it."""
        order = ask.order
        async with self._pool.acquire() as conn, conn.transaction():
            if not await orders.create(conn, order, value_lines(order), run_id=ask.run_id):
                done = await events.find(conn, order.order_id, "reserve_stock")
                return Reserved.model_validate(done)
            await events.tell(
                conn, order.order_id, "received", "received", who=f"channel {order.channel}"
            )
            demands = [
                Demand(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
                for line in order.lines
            ]
            plan, promises = await _plan(conn, demands, order.shipping, ask.sourcing)
            nothing = not plan.takes
            if nothing or (plan.missing and ask.partly_available == "all_or_nothing"):
                return await _reject(conn, order, plan)
            planned = await fulfilments.allocate(
                conn,
                order.order_id,
                f"reserve:{order.order_id}",
                plan.takes,
                first_number=1,
                state="open",
                promises=promises,
                who=WHO,
                why="ordered",
            )
            await _cancel_open(conn, order.order_id, plan.missing)
            reserved = Reserved(fulfilments=planned, missing=plan.missing)
            await events.tell(
                conn,
                order.order_id,
                "reserve_stock",
                "stock reserved",
                who=WHO,
                why="the rest is not available and is cancelled" if plan.missing else "",
                data=_with_reasons(reserved, plan),
            )
            return reserved

    @activity.defn
    async def release_stock(self, ask: ReleaseStock) -> None:
        """Undo of reserve_stock, for all or some units. Picked goods are put back before."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            if await events.find(conn, ask.order_id, ask.effect) is not None:
                return
            # All at once: one fulfilment after the other would be the wrong order of locks.
            skus = await orders.skus(conn, ask.order_id)
            await lock_stock(conn, [skus[k] for units in ask.units.values() for k in units])
            for fulfilment_id, units in ask.units.items():
                effect = f"{ask.effect}:{fulfilment_id}"
                await fulfilments.release(
                    conn, fulfilment_id, effect, units, who=ask.who, why=ask.why
                )
                await fulfilments.set_state(conn, fulfilment_id, "cancelled")
            if ask.decision is not None:
                await orders.decide(conn, ask.order_id, ask.decision, ask.why)
            await events.tell(
                conn,
                ask.order_id,
                ask.effect,
                ask.what,
                who=ask.who,
                why=ask.why,
                data={"units": ask.units},
            )

    @activity.defn
    async def reserve_again(self, ask: ReserveAgain) -> Reserved:
        """Replace units that are missing, as far as there are others; the rest is given up."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            done = await events.find(conn, ask.order_id, ask.effect)
            if done is not None:
                return Reserved.model_validate(done)
            plan, promises = SourcingPlan(takes=(), missing=ask.units), dict[str, Promise]()
            if ask.replace:
                plan, promises = await _plan_again(conn, ask)
            if ask.source == "shipped":
                await _give_up_shipped(conn, ask, plan)
            planned = await fulfilments.allocate(
                conn,
                ask.order_id,
                ask.effect,
                plan.takes,
                first_number=ask.first_number,
                state="picking",
                promises=promises,
                who=WHO,
                why=ask.reason,
            )
            if ask.source == "open":
                await _cancel_open(conn, ask.order_id, plan.missing)
            reserved = Reserved(fulfilments=planned, missing=plan.missing)
            given_up = "refunded" if ask.source == "shipped" else "cancelled"
            await events.tell(
                conn,
                ask.order_id,
                ask.effect,
                f"missing units {given_up}" if plan.missing else "missing units replaced",
                who=WHO,
                why=ask.reason,
                data=_with_reasons(reserved, plan),
            )
            return reserved

    @activity.defn
    async def reassign(self, ask: Reassign) -> Planned:
        """Carry the units that stay wanted over to a new fulfilment, to be picked."""
        order_id = ask.to.split(":", 1)[0]
        effect = f"reassign:{ask.to}"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            done = await events.find(conn, order_id, effect)
            if done is not None:
                return Planned.model_validate(done)
            planned = await fulfilments.reassign(conn, ask.fulfilment_id, ask.to, ask.units)
            await events.tell(
                conn,
                order_id,
                effect,
                "picking starts again",
                who=WHO,
                why=f"part of {ask.fulfilment_id} was cancelled",
                data=planned.model_dump(mode="json"),
            )
            return planned


async def _reject(conn: Connection, order: Order, plan: SourcingPlan) -> Reserved:
    missing = plan.missing
    await _cancel_open(conn, order.order_id, {line.line_id: line.quantity for line in order.lines})
    why = "not available: " + ", ".join(
        f"{missing[line.line_id]} of {line.quantity} {line.sku}"
        for line in order.lines
        if line.line_id in missing
    )
    await orders.decide(conn, order.order_id, "rejected", why)
    rejected = Reserved(missing=missing)
    await events.tell(
        conn,
        order.order_id,
        "reserve_stock",
        "rejected",
        who=WHO,
        why=why,
        data=_with_reasons(rejected, plan),
    )
    return rejected


async def _plan(
    conn: Connection,
    demands: Sequence[Demand],
    shipping: Shipping,
    rules: SourcingRules,
    *,
    excluded: Set[tuple[str, str]] = frozenset(),
) -> tuple[SourcingPlan, dict[str, Promise]]:
    """Lock the stock of these SKUs, choose whence to take them, and say when that is there."""
    stock = await lock_stock(conn, [demand.sku for demand in demands])
    ways = await locations.ways(conn, sorted({item.location for item in stock}), shipping)
    now = datetime.now(UTC)
    plan = plan_sourcing(demands, stock, places(ways, now), rules, excluded=excluded)
    used = {take.location for take in plan.takes}
    promised = {w.location: w.promise(now, shipping.address.country) for w in ways}
    return plan, {name: told for name, told in promised.items() if told and name in used}


def _with_reasons(reserved: Reserved, plan: SourcingPlan) -> dict[str, Any]:
    """What the step answers, and why so: for the order's story, where `explain` reads it."""
    why = plan.model_dump(mode="json", include={"considered", "exact"})
    return {**reserved.model_dump(mode="json"), "sourcing": why}


async def _plan_again(
    conn: Connection, ask: ReserveAgain
) -> tuple[SourcingPlan, dict[str, Promise]]:
    skus = await orders.skus(conn, ask.order_id)
    demands = [
        Demand(line_id=line_id, sku=skus[line_id], quantity=units)
        for line_id, units in ask.units.items()
    ]
    avoided = frozenset((demand.sku, ask.avoid) for demand in demands) if ask.avoid else frozenset()
    shipping = await orders.shipping(conn, ask.order_id)
    return await _plan(conn, demands, shipping, ask.sourcing, excluded=avoided)


async def _cancel_open(conn: Connection, order_id: str, units: Mapping[str, int]) -> None:
    await orders.move_lines(conn, order_id, {k: {"cancelled": n} for k, n in units.items()})


async def _give_up_shipped(conn: Connection, ask: ReserveAgain, plan: SourcingPlan) -> None:
    """Lost units: those that are replaced are open again, the others count as lost."""
    moves = {}
    for line_id, units in ask.units.items():
        lost = plan.missing.get(line_id, 0)
        moves[line_id] = {"shipped": lost - units, "lost": lost}
    await orders.move_lines(conn, ask.order_id, moves)
