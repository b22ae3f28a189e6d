"""Claims of new orders on stock: many orders in one transaction, each whole or not at all.

A transaction per order would queue on the rows of a stock that everybody wants, and pay for its
round trips and its commit while it holds them. So the stock of all orders is locked once, they are
planned one after the other in the order in which they came, and written by one set of statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from domain.reservations import Reserved, ReserveStock
from domain.sourcing import Demand
from store import events, fulfilments, orders
from store.database import Connection, load_queries
from store.sourcing import Shelves, Sourced, Wanted, lock_shelves

_sql = load_queries("reservations")

WHO: Final = "orderloom"
EFFECT: Final = "reserve_stock"
"""Under this name the order's story keeps what was reserved."""


@dataclass(frozen=True)
class _Planned:
    """What a new order gets. `why`: it is rejected."""

    ask: ReserveStock
    sourced: Sourced
    why: str | None


async def reserve(conn: Connection, asks: Sequence[ReserveStock]) -> list[Reserved]:
    """Record these orders and claim their stock in turn, or reject them; answers in their sequence.

    An order that the same workflow run had reserved before gets the answer of that time. Raises
    Conflict as `orders.create` does.
    """
    created = await orders.create(conn, [(ask.order, ask.run_id) for ask in asks])
    new = [ask for ask, is_new in zip(asks, created, strict=True) if is_new]
    answers = await _reserve(conn, new) if new else {}
    again = {ask.order.order_id for ask in asks} - answers.keys()
    if again:
        rows = _sql.answers(conn, order_ids=sorted(again), effect=EFFECT)
        async for row in rows:
            answers[row["order_id"]] = Reserved.model_validate(row["data"])
    return [answers[ask.order.order_id] for ask in asks]


def with_reasons(reserved: Reserved, sourced: Sourced) -> dict[str, Any]:
    """What the step answers, and why so: for the order's story, where `explain` reads it."""
    why = sourced.plan.model_dump(mode="json", include={"considered", "exact"})
    return {**reserved.model_dump(mode="json"), "sourcing": why}


async def _reserve(conn: Connection, asks: Sequence[ReserveStock]) -> dict[str, Reserved]:
    """Order id → what was claimed for an order that has just been recorded."""
    wants = [_wanted(ask) for ask in asks]
    shelves = await lock_shelves(conn, wants)
    planned = [_plan(shelves, number, ask, wants[number]) for number, ask in enumerate(asks)]
    claimed = await fulfilments.allocate(
        conn, [_claim(one) for one in planned], state="open", who=WHO, why="ordered"
    )
    answers = {
        one.ask.order.order_id: Reserved(fulfilments=parts, missing=one.sourced.plan.missing)
        for one, parts in zip(planned, claimed, strict=True)
    }
    rejected = {one.ask.order.order_id: one.why for one in planned if one.why is not None}
    if rejected:
        await orders.decide_all(conn, "rejected", rejected)
    await events.tell_all(
        conn, [event for one in planned for event in _story(one, answers[one.ask.order.order_id])]
    )
    return answers


def _wanted(ask: ReserveStock) -> Wanted:
    demands = [
        Demand(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
        for line in ask.order.lines
    ]
    return Wanted(demands, ask.order.shipping, ask.sourcing)


def _plan(shelves: Shelves, number: int, ask: ReserveStock, wanted: Wanted) -> _Planned:
    sourced = shelves.plan(number, wanted)
    plan = sourced.plan
    if not plan.takes or (plan.missing and ask.partly_available == "all_or_nothing"):
        return _Planned(ask, sourced, _not_available(ask, plan.missing))
    shelves.take(plan.takes)
    return _Planned(ask, sourced, None)


def _not_available(ask: ReserveStock, missing: Mapping[str, int]) -> str:
    return "not available: " + ", ".join(
        f"{missing[line.line_id]} of {line.quantity} {line.sku}"
        for line in ask.order.lines
        if line.line_id in missing
    )


def _claim(one: _Planned) -> fulfilments.Claim:
    order, sourced = one.ask.order, one.sourced
    if one.why is not None:
        everything = {line.line_id: line.quantity for line in order.lines}
        return fulfilments.Claim(order.order_id, effect="rejected", given_up=everything)
    return fulfilments.Claim(
        order.order_id,
        effect=f"reserve:{order.order_id}",
        takes=sourced.plan.takes,
        promises=sourced.promises,
        given_up=sourced.plan.missing,
    )


def _story(one: _Planned, reserved: Reserved) -> list[events.Event]:
    order = one.ask.order
    what, why = "stock reserved", ""
    if one.why is not None:
        what, why = "rejected", one.why
    elif reserved.missing:
        why = "the rest is not available and is cancelled"
    return [
        events.Event(order.order_id, "received", "received", who=f"channel {order.channel}"),
        events.Event(
            order.order_id,
            EFFECT,
            what,
            who=WHO,
            why=why,
            data=with_reasons(reserved, one.sourced),
        ),
    ]
