"""Lost parcels that reached their customers: sent back after all, or kept and paid for.

What the customer keeps is taken into stock at the cost at which it left, soft-reserved for a sale
of its own, which takes it out again. A repeat of each step changes nothing.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.errors import IllegalTransition, NotFound, Refused
from domain.orders.found_parcels import sale_of
from domain.orders.order import Order, Payment
from domain.orders.providers import ELSEWHERE
from domain.stored import stored
from store import clock
from store.database import Connection, Record, load_queries
from store.locks import lock_order
from store.orders import events, orders
from store.payments import tallies
from store.stock import corrections, kits, till_sales
from store.warehouse import returning
from store.warehouse.scans import LATE

_sql = load_queries(__file__)

_KEPT_FOR: Final = timedelta(days=30)
"""So long nobody else gets the goods, while it is not decided whether the customer pays."""


class Kept(BaseModel):
    """What a customer keeps, and is to pay for: the sale, and the return by which it came in."""

    model_config = ConfigDict(frozen=True)

    return_id: str
    location: str
    sale: Order


async def send_back(conn: Connection, order_id: str, step: str, note: str, *, who: str) -> str:
    """The customer sends the goods back: they are expected. Returns the return's id."""
    async with conn.transaction():
        await _asked(conn, order_id, step, "send_back")
        found = await _found(conn, step)
        if found["is_kept"] and not await _is_unpaid(conn, found["return_id"]):
            raise Refused(
                "its sale is under way: say charge again, which tells what became of it",
                reason="sale_under_way",
            )
        await _settle(conn, order_id, step, note, who=who)
        return_id: str = await _sql.expect(conn, fulfilment_id=_part(step), who=who, detail=note)
        await _sql.chase(conn, return_id=return_id)
        return return_id


async def keep(conn: Connection, order_id: str, step: str, note: str, *, who: str) -> Kept:
    """The customer keeps the goods and is to pay: they are in stock for the sale that follows.

    Raises Refused where they cannot be charged for.
    """
    async with conn.transaction():
        await _asked(conn, order_id, step, "charge")
        await orders.check_known(conn, order_id)
        found = await _found(conn, step)
        if Payment.model_validate(found["payment"]).provider == ELSEWHERE:
            raise Refused(
                f"{order_id} is paid elsewhere: charge for it there, and say done",
                reason="paid_elsewhere",
            )
        return_id = found["return_id"]
        if return_id is None or (found["is_kept"] and await _is_unpaid(conn, return_id)):
            return_id = await _sql.expect(conn, fulfilment_id=_part(step), who=who, detail=note)
            found = await _found(conn, step)
        if found["state"] == "approved":
            await _take_in(conn, found, note, who)
            found = await _found(conn, step)
        elif not found["is_kept"]:
            raise Refused(
                f"{_part(step)} came back: the warehouse has counted it", reason="came_back"
            )
        return await _kept(conn, found)


async def paid(
    conn: Connection, order_id: str, step: str, note: str, sale_id: str, *, who: str
) -> None:
    """The sale has taken place: nobody has to see to it any more."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        await _settle(conn, order_id, step, f"paid for as {sale_id}: {note}", who=who)


async def not_paid(conn: Connection, kept: Kept, why: str, *, who: str) -> None:
    """The sale was refused: the goods are with the customer, and not in stock.

    They can be charged for again, or sent back.
    """
    order_id = ids.order_of(kept.return_id)
    for line in kept.sale.lines:
        await corrections.adjust(
            conn,
            f"{kept.return_id}:{line.line_id}",
            line.sku,
            kept.location,
            -line.quantity,
            who=who,
            why=f"with the customer, who has not paid: {why}",
        )
    async with conn.transaction():
        await lock_order(conn, order_id)
        await events.tell(
            conn,
            order_id,
            f"not_paid:{kept.return_id}",
            "found goods not paid for",
            who=who,
            why=why,
            data={"return_id": kept.return_id, "sale": kept.sale.order_id},
            after_end=True,
        )


async def _take_in(conn: Connection, found: Record, note: str, who: str) -> None:
    order_id, return_id = ids.order_of(found["return_id"]), found["return_id"]
    skus = await orders.skus(conn, order_id)
    units: dict[str, int] = {}
    for line_id, count in found["units"].items():
        units[skus[line_id]] = units.get(skus[line_id], 0) + count
    made_of = await kits.claimed(conn, order_id)
    if any(set(made_of[line_id]) != {skus[line_id]} for line_id in found["units"]):
        raise Refused("a kit is not sold over the counter: have it sent back", reason="kit")
    await till_sales.await_goods(
        conn, _basket(return_id), units, found["location"], expires_at=clock.now() + _KEPT_FOR
    )
    await returning.receive_return(conn, return_id, location=found["location"], who=who)
    await events.tell(
        conn,
        order_id,
        f"kept:{return_id}",
        "found goods kept by the customer",
        who=who,
        why=note,
        data={"return_id": return_id},
        after_end=True,
    )


async def _kept(conn: Connection, found: Record) -> Kept:
    return_id = found["return_id"]
    order = stored(Order, found["document"])
    money = await tallies.load(conn, order.order_id)
    number = return_id.rpartition(":R")[2]
    sale = sale_of(
        order,
        money.charges.worth,
        found["units"],
        number=f"{order.channel_order_id}-K{number}",
        placed_at=found["changed_at"],
        basket=_basket(return_id),
        payment=Payment.model_validate(found["payment"]),
    )
    return Kept(return_id=return_id, location=found["location"], sale=sale)


async def _found(conn: Connection, step: str) -> Record:
    found: Record | None = await _sql.found_parcel(conn, fulfilment_id=_part(step))
    if found is None:
        raise NotFound(f"there is no parcel {_part(step)}")
    return found


async def _asked(conn: Connection, order_id: str, step: str, action: str) -> None:
    """Lock the order, and raise where no person is asked for this decision."""
    await lock_order(conn, order_id)
    asked = await events.open_attention(conn, [order_id])
    if not any(row["step"] == step and action in row["allowed"] for row in asked):
        raise IllegalTransition(f"{step!r} of {order_id} takes no {action}")


async def _settle(conn: Connection, order_id: str, step: str, note: str, *, who: str) -> None:
    if not await events.settle(conn, order_id, step, note, who=who):
        raise NotFound(f"{step!r} of {order_id} needs no attention")


async def _is_unpaid(conn: Connection, return_id: str) -> bool:
    return await events.is_told(conn, ids.order_of(return_id), f"not_paid:{return_id}")


def _part(step: str) -> str:
    return step.removeprefix(LATE)


def _basket(return_id: str) -> str:
    return f"found-{hashlib.sha256(return_id.encode()).hexdigest()[:32]}"
