"""Claims of new orders on stock: many orders in one transaction, each whole or not at all.

With a transaction per order, orders would queue for the rows of popular stock, and pay for their
round trips and commits while they hold them. So the stock of all orders is locked once. Then the
orders are planned one after the other in the order of their arrival, and written by one set of
statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from domain.errors import Conflict
from domain.orders.quantities import LineUnits
from domain.orders.terms import Terms
from domain.stock.kits import Parts
from domain.stock.locations import Promise
from domain.stock.promises import last_of, promise, without
from domain.stock.reservations import Reserved
from domain.stock.sourcing import Demand
from domain.words import few
from store.database import Connection, load_queries
from store.orders import events, orders
from store.orders.orders import OnRecord
from store.payments import tallies
from store.stock import allocations, backorders, promises
from store.stock.catalogue import Catalogue
from store.stock.sourcing import Shelves, Sourced, Wanted, lock_shelves

_sql = load_queries(__file__)

WHO: Final = "orderloom"
EFFECT: Final = "reserve_stock"
"""The order keeps its reservation under this name."""


@dataclass(frozen=True)
class _Planned:
    """The plan for a new order.

    `why` is the reason of a rejection; `expected` the arrival of backordered units.
    """

    order: OnRecord
    sourced: Sourced
    why: str | None
    expected: Mapping[str, Promise] = field(default_factory=dict)


class KitChanged(Exception):
    """A kit was defined anew since its parts were looked up: other stock has to be locked."""


async def reserve(
    conn: Connection, wanting: Sequence[OnRecord], catalogue: Catalogue
) -> list[Reserved]:
    """Claim the stock of these orders, or reject them. Answers in the sequence given.

    The order that was taken in first is served first. An order that was reserved before gets the
    same answer. Raises Conflict for one that was cancelled or closed long ago: Temporal forgets
    closed workflows in time, and somebody may start another one. Raises KitChanged: then the
    transaction must end, and the next one finds the kit as it is now.
    """
    all_ = {order.order_id: order for order in wanting}
    in_turn = sorted(all_.values(), key=lambda order: order.received_at)
    answers = await _reserve(conn, in_turn, catalogue)
    again = {order.order_id for order in wanting} - answers.keys()
    if again:
        rows = _sql.answers(conn, order_ids=sorted(again), effect=EFFECT)
        async for row in rows:
            if row["decision"] in ("cancelled", "closed") or row["answer"] is None:
                raise Conflict(
                    f"order {row['order_id']} was placed before, and is {row['decision']}; "
                    "nothing was done again"
                )
            answers[row["order_id"]] = Reserved.model_validate(row["answer"])
    return [answers[order.order_id] for order in wanting]


def with_reasons(
    reserved: Reserved, sourced: Sourced, expected: Mapping[str, Promise] | None = None
) -> dict[str, Any]:
    """The step's answer and its reasons, for the order's story, where `explain` reads them.

    `expected`: the promises for backordered units, by line.
    """
    why = sourced.plan.model_dump(mode="json", include={"considered", "exact"})
    told = {line_id: one.model_dump(mode="json") for line_id, one in (expected or {}).items()}
    return {**reserved.model_dump(mode="json"), "sourcing": why, "expected": told}


async def _reserve(
    conn: Connection, wanting: Sequence[OnRecord], catalogue: Catalogue
) -> dict[str, Reserved]:
    """Order id → the claims of those orders that are begun here."""
    skus = {line.sku for order in wanting for line in order.terms.lines}
    known = await catalogue.of(conn, skus, [order.shipping for order in wanting])
    wants = [_wanted(order, known.kits) for order in wanting]
    shelves = await lock_shelves(
        conn, wants, catalogue, order_ids=[order.order_id for order in wanting]
    )
    if {sku: shelves.known.kits.get(sku) for sku in skus} != {
        sku: known.kits.get(sku) for sku in skus
    }:
        raise KitChanged
    planned = {
        number: _plan(shelves, number, order, wants[number])
        for number, order in enumerate(wanting)
        if order.order_id in shelves.begun
    }
    return await _write(conn, shelves, planned, baskets=any(want.basket for want in wants))


async def _write(
    conn: Connection, shelves: Shelves, by_number: Mapping[int, _Planned], *, baskets: bool
) -> dict[str, Reserved]:
    """Write the plans of orders that are begun, by their number among the shelves' orders."""
    if not by_number:
        return {}
    planned = list(by_number.values())
    if any(one.sourced.waits for one in planned):
        planned = await _expect(conn, shelves, by_number)
    claims = [_claim(one) for one in planned]
    answers = {
        one.order.order_id: Reserved(
            fulfilments=claim.planned,
            backordered={} if one.why is not None else dict(one.sourced.waits),
            missing=dict(one.sourced.missing),
        )
        for one, claim in zip(planned, claims, strict=True)
    }
    await allocations.allocate(
        conn,
        claims,
        state="open",
        who=WHO,
        why="ordered",
        stories=[_story(one, answers[one.order.order_id]) for one in planned],
    )
    for one in planned:
        await backorders.wait(
            conn,
            one.order.order_id,
            answers[one.order.order_id].backordered,
            {line.line_id: line.sku for line in one.order.terms.lines},
            round=1,
            promises=one.expected,
        )
    if baskets:
        # Together with the units that orders leave of their baskets.
        await backorders.serve(conn, shelves.skus)
    rejected = {one.order.order_id: one.why for one in planned if one.why is not None}
    if rejected:
        await orders.decide_all(conn, "rejected", rejected)
    less = [one.order.order_id for one in planned if one.why is None and one.sourced.missing]
    if less:
        await tallies.limit(conn, less)
    return answers


def _wanted(order: OnRecord, kits: Mapping[str, Parts]) -> Wanted:
    demands = [
        Demand(
            line_id=line.line_id,
            sku=line.sku,
            quantity=line.quantity,
            parts=dict(kits.get(line.sku, {})),
            handling=line.handling,
        )
        for line in order.terms.lines
    ]
    return Wanted(
        demands,
        order.shipping,
        order.policy.sourcing,
        backorder=order.policy.backorder,
        basket=order.basket,
    )


def _plan(shelves: Shelves, number: int, order: OnRecord, wanted: Wanted) -> _Planned:
    sourced = shelves.plan(number, wanted)
    nothing = not sourced.plan.takes and not sourced.waits
    whole = order.policy.partly_available == "all_or_nothing"
    if nothing or (sourced.missing and whole):
        return _Planned(order, sourced, _not_available(order.terms, sourced.missing))
    shelves.take(sourced.plan.takes)
    return _Planned(order, sourced, None)


async def _expect(
    conn: Connection, shelves: Shelves, planned: Mapping[int, _Planned]
) -> list[_Planned]:
    """Set the arrival of backordered units, by the supply; no supply is promised twice."""
    skus = {line.sku for one in planned.values() for line in one.order.terms.lines}
    coming = await promises.due(conn, sorted(skus))
    expecting = []
    for number, one in planned.items():
        expected = {}
        order = one.order
        for line in order.terms.lines if one.why is None else ():
            units, supply = one.sourced.waits.get(line.line_id, 0), coming.get(line.sku, [])
            told = promise(
                line.sku,
                units,
                [],
                supply,
                shelves.ways(number),
                country=order.shipping.country,
                now=shelves.now,
                rules=order.policy.sourcing,
            )
            if units and (last := last_of(told, units)):
                expected[line.line_id] = last
            coming[line.sku] = without(supply, told)
        expecting.append(replace(one, expected=expected))
    return expecting


def _not_available(terms: Terms, missing: LineUnits) -> str:
    lines = (
        f"{missing[line.line_id]} of {line.quantity} {line.sku}"
        for line in terms.lines
        if line.line_id in missing
    )
    return f"not available: {few(lines, 'line')}"


def _claim(one: _Planned) -> allocations.Claim:
    order, sourced = one.order, one.sourced
    if one.why is not None:
        everything = {line.line_id: line.quantity for line in order.terms.lines}
        return allocations.Claim(order.order_id, effect="rejected", given_up=everything)
    return allocations.Claim(
        order.order_id,
        effect=f"reserve:{order.order_id}",
        takes=sourced.plan.takes,
        promises=sourced.promises,
        given_up=sourced.missing,
    )


def _story(one: _Planned, reserved: Reserved) -> events.Event:
    what, why = "stock reserved", ""
    if one.why is not None:
        what, why = "rejected", one.why
    elif reserved.missing:
        why = "the rest is not available and is cancelled"
    if reserved.backordered and not reserved.fulfilments:
        what = "backordered"
    elif reserved.backordered:
        what = "stock reserved, the rest is backordered"
    return events.Event(
        one.order.order_id,
        EFFECT,
        what,
        who=WHO,
        why=why,
        data=with_reasons(reserved, one.sourced, one.expected),
        answer=reserved.model_dump(mode="json"),
    )
