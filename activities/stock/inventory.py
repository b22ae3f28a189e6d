"""Stock for orders: reserve, release, reserve again. Short database steps, each idempotent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from temporalio import activity

from activities.stock.contracts import Reassign, Released, ReleaseStock, ReserveAgain
from domain import ids
from domain.calendars import load_holidays
from domain.errors import NotFound
from domain.fulfilment.fulfilments import Planned
from domain.ids import WHO
from domain.orders.handling import SHIPPED
from domain.orders.quantities import LineUnits
from domain.stock.location_ranking import Measure
from domain.stock.reservations import Reserved, ReservedOrder, ReserveStock
from domain.stock.sourcing import Demand, SourcingPlan
from store.batching import Batching
from store.database import Connection, DatabaseAway, Pool
from store.fulfilment import fulfilments
from store.locks import lock_order, lock_stock
from store.orders import effects, events, orders
from store.orders.orders import OnRecord
from store.payments import billing, tallies
from store.payments.billing import Grant
from store.stock import allocations, backorders, kits, losses, reservations
from store.stock.catalogue import Catalogue
from store.stock.sourcing import Sourced, Wanted, lock_shelves

KITS_CHANGE_MAX: Final = 10
"""Tries to reserve for kits whose parts change between two looks, at most."""

WRITERS_MAX: Final = 2
"""Transactions that reserve at the same time, at most. Orders without a common SKU may run in two.
"""


class Inventory:
    """Activities for claims on stock, with the database pool injected.

    `together_max`: order lines that are reserved in one transaction, at most; an order with more
    lines has a transaction to itself. `measures`: how extensions measure locations, by name.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        together_max: int = 100,
        measures: Mapping[str, Measure] | None = None,
    ) -> None:
        self._pool = pool
        self._measures = measures
        self._catalogue = Catalogue(measures)
        load_holidays()  # Not while the first order holds the locks of its stock.
        # An order on record never changes, so it is read before the stock is locked.
        self._reads = Batching(
            self._read,
            rivals_over=lambda _: ("read",),
            size=lambda _: 1,
            size_max=together_max,
            writers_max=1,
            hopeless=DatabaseAway,
        )
        self._reservations = Batching(
            self._reserve,
            rivals_over=lambda order: {line.sku for line in order.terms.lines},
            size=lambda order: len(order.terms.lines),
            size_max=together_max,
            writers_max=WRITERS_MAX,
            hopeless=DatabaseAway,
        )

    @activity.defn
    async def reserve_stock(self, ask: ReserveStock) -> ReservedOrder:
        """Claim the stock of an order on record, all lines at once, or reject it.

        Orders that arrive together are written together, in the order of their arrival.
        """
        order = await self._reads.answer(ask.order_id)
        reserved = await self._reservations.answer(order)
        return ReservedOrder(terms=order.terms, **dict(reserved))

    async def _read(self, order_ids: Sequence[str]) -> list[OnRecord]:
        async with self._pool.acquire() as conn:
            found = await orders.on_record(conn, order_ids)
        for order_id in order_ids:
            if order_id not in found:
                raise NotFound(f"there is no order {order_id} on record")
        return [found[order_id] for order_id in order_ids]

    async def _reserve(self, wanting: Sequence[OnRecord]) -> list[Reserved]:
        async with self._pool.acquire() as conn:
            for _ in range(KITS_CHANGE_MAX):
                with suppress(reservations.KitChanged):
                    async with conn.transaction():
                        return await reservations.reserve(conn, wanting, self._catalogue)
            raise reservations.KitChanged("kits change faster than their orders can be reserved")

    @activity.defn
    async def release_stock(self, ask: ReleaseStock) -> Released:
        """Undo reserve_stock, for all or some units. Picked goods were put back before.

        What was paid for them is owed back from now on.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            order = await lock_order(conn, ask.order_id)
            done = await effects.find(conn, ask.order_id, ask.effect)
            if done is not None:
                return Released.model_validate(done)
            if ask.decision is not None and order["decision"] == "confirmed":
                return Released(confirmed=True)
            # One fulfilment after the other would take the locks in the wrong order.
            skus = await orders.skus(conn, ask.order_id)
            parts = await kits.claimed(conn, ask.order_id)
            claims, waits = await _as_it_stands(conn, ask)
            lines = {line_id for units in claims.values() for line_id in units} | waits.keys()
            await lock_stock(
                conn, [sku for line_id in lines for sku in parts.get(line_id, [skus[line_id]])]
            )
            for fulfilment_id, units in claims.items():
                effect = f"{ask.effect}:{fulfilment_id}"
                await allocations.release(
                    conn, fulfilment_id, effect, units, who=ask.who, why=ask.why
                )
                await fulfilments.set_state(conn, fulfilment_id, "cancelled")
            await backorders.give_up(conn, ask.order_id, waits)
            if ask.decision is not None:
                await orders.decide(conn, ask.order_id, ask.decision, ask.why)
            found = await tallies.load(conn, ask.order_id)
            owed = found.charges.cancelled(dict.fromkeys(lines, 0))
            grant = await billing.grant(
                conn, found, owed, ask.refund_id, kind="cancelled", why=ask.why, who=ask.who
            )
            released = Released(refund=None if grant is None else grant.to_pay)
            await events.tell(
                conn,
                ask.order_id,
                ask.effect,
                ask.what,
                who=ask.who,
                why=ask.why,
                data={"units": claims, "backordered": waits},
                answer=released.model_dump(mode="json"),
            )
            await billing.credit(conn, grant)
            return released

    @activity.defn
    async def reserve_again(self, ask: ReserveAgain) -> Reserved:
        """Replace missing units as far as stock allows, and give up the rest."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            done = await effects.find(conn, ask.order_id, ask.effect)
            if done is not None:
                return Reserved.model_validate(done)
            skus = await orders.skus(conn, ask.order_id)
            sourced = Sourced(SourcingPlan(takes=(), missing={}), missing=ask.units)
            if ask.replace:
                sourced = await _plan_again(conn, ask, skus, Catalogue(self._measures))
            missing = dict(sourced.missing)
            if ask.source == "shipped":
                await losses.count(conn, ask.order_id, ask.units, missing)
            claim = allocations.Claim(
                ask.order_id,
                ask.effect,
                sourced.plan.takes,
                first_number=await fulfilments.next_number(conn, ask.order_id),
                promises=sourced.promises,
                given_up=missing if ask.source == "open" else {},
            )
            (planned,) = await allocations.allocate(
                conn, [claim], state="picking", who=WHO, why=ask.reason
            )
            waits = dict(sourced.waits)
            unwilling = (ask.avoid,) if ask.avoid and ask.refused else ()
            await backorders.wait(
                conn,
                ask.order_id,
                waits,
                skus,
                round=ask.round,
                barred=unwilling,
                promises={},
            )
            reserved = Reserved(fulfilments=planned, backordered=waits, missing=missing)
            grant = await _owed_for(conn, ask, missing)
            refund = None if grant is None else grant.to_pay
            reserved = reserved.model_copy(update={"refund": refund})
            given_up = "refunded" if ask.source == "shipped" else "cancelled"
            replaced = "missing units backordered" if waits else "missing units replaced"
            await events.tell(
                conn,
                ask.order_id,
                ask.effect,
                f"missing units {given_up}" if missing else replaced,
                who=WHO,
                why=ask.reason,
                data=reservations.with_reasons(reserved, sourced),
                answer=reserved.model_dump(mode="json"),
            )
            await billing.credit(conn, grant)
            return reserved

    @activity.defn
    async def reassign(self, ask: Reassign) -> Planned:
        """Carry the units that are still wanted over to a new fulfilment, to be picked."""
        order_id = ids.order_of(ask.fulfilment_id)
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            done = await effects.find(conn, order_id, ask.effect)
            if done is not None:
                return Planned.model_validate(done)
            to = ids.fulfilment_id(order_id, await fulfilments.next_number(conn, order_id))
            planned = await allocations.reassign(conn, ask.fulfilment_id, to, ask.units)
            await events.tell(
                conn,
                order_id,
                ask.effect,
                "picking starts again",
                who=WHO,
                why=f"part of {ask.fulfilment_id} was cancelled",
                data={**planned.model_dump(mode="json"), "instead_of": ask.fulfilment_id},
                answer=planned.model_dump(mode="json"),
            )
            return planned


async def _as_it_stands(
    conn: Connection, ask: ReleaseStock
) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """The units to release, as (claims by fulfilment and line, backordered units by line).

    A claim may have become a backorder without the workflow knowing it yet.
    """
    claims, waits = {}, dict(ask.backordered)
    for fulfilment_id, units in ask.units.items():
        held = {x.line_id: x.reserved for x in await fulfilments.lines(conn, fulfilment_id)}
        claims[fulfilment_id] = {k: min(n, held[k]) for k, n in units.items()}
        for line_id, n in units.items():
            if n > held[line_id]:
                waits[line_id] = waits.get(line_id, 0) + n - held[line_id]
    return claims, waits


async def _plan_again(
    conn: Connection, ask: ReserveAgain, skus: Mapping[str, str], catalogue: Catalogue
) -> Sourced:
    """Lock the missing units' stock, and choose other locations for them."""
    parts = await kits.claimed(conn, ask.order_id)
    handlings = await orders.handlings(conn, ask.order_id)
    demands = [
        Demand(
            line_id=line_id,
            sku=skus[line_id],
            quantity=units,
            parts=parts.get(line_id, {}),
            handling=handlings.get(line_id, SHIPPED),
        )
        for line_id, units in ask.units.items()
    ]
    avoided = {(part, ask.avoid) for demand in demands for part in demand.takes if ask.avoid}
    shipping = await orders.shipping(conn, ask.order_id)
    wanted = Wanted(demands, shipping, ask.sourcing, excluded=avoided, backorder=ask.backorder)
    return (await lock_shelves(conn, [wanted], catalogue)).plan(0, wanted)


async def _owed_for(conn: Connection, ask: ReserveAgain, missing: LineUnits) -> Grant | None:
    """Grant a refund for paid units that will not be sent. None: nothing is owed."""
    if ask.source == "shipped":
        was = "was " if ask.reason.startswith("lost") else ""
        return await losses.grant(
            *(conn, ask.order_id, ask.fulfilment_id, ask.units, missing),
            why=f"{ask.fulfilment_id} {was}{ask.reason}",
        )
    return await losses.grant_missing(conn, ask.order_id, ask.fulfilment_id, missing)
