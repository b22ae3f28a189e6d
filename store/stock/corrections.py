"""Corrections of stock whose record is wrong: adjusted, counted, written off.

The shelf may hold fewer units than orders have allocated. Then the newest claims become backorders
again, in their old places in the queue, and the units that are still there are soft-reserved for
them. Only units that have left the shelf cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from domain.errors import Conflict, IllegalTransition, InvalidInput
from domain.stock.locations import Promise
from store.database import Connection, Record, load_queries
from store.fulfilment import fulfilments
from store.locks import lock_order, lock_stock
from store.orders import events, orders
from store.stock import allocations, backorders, stock
from store.stock.stock import Move, MovementKind, StockLevel

_sql = load_queries(__file__)

TRIES_MAX: Final = 20
"""Tries to lock the claims on a stock row that other orders keep claiming."""


async def adjust(
    conn: Connection, key: str, sku: str, location: str, change: int, *, who: str, why: str
) -> StockLevel:
    """Correct on_hand by `change` units (may be negative), once per key, with the reason.

    Raises NotFound for an unknown row, IllegalTransition when on_hand would fall below the units
    that have left the shelf for orders, and Conflict when the key was used for another change.
    """
    return await _change(conn, f"adjust:{key}", "adjusted", sku, location, change, who, why)


async def write_off(
    conn: Connection, key: str, sku: str, location: str, quantity: int, *, who: str, why: str
) -> StockLevel:
    """Lower on_hand by damaged, expired or stolen units, once per key, with the reason.

    Raises as `adjust` does, and InvalidInput for a quantity below 1.
    """
    if quantity < 1:
        raise InvalidInput(f"cannot write off {quantity} of {sku}; it is one unit or more")
    return await _change(
        conn, f"write_off:{key}", "written_off", sku, location, -quantity, who, why
    )


async def count(
    conn: Connection,
    key: str,
    sku: str,
    location: str,
    counted: int,
    *,
    seen: int | None = None,
    who: str,
    why: str,
) -> StockLevel:
    """Set on_hand to the number that a count found, once per key. The journal keeps the count.

    `seen`: on_hand when the count began; None: nobody knows. Raises as `adjust` does, InvalidInput
    for a negative count, and Conflict where on_hand is not what was seen any more.
    """
    if counted < 0:
        raise InvalidInput(f"counted {counted} of {sku}; a count is zero or more")

    def same(earlier: Record) -> None:
        if earlier["counted"] != counted:
            raise Conflict(f"key {key} was used for a count of {earlier['counted']} {sku} already")

    def as_seen(row: StockLevel) -> None:
        if seen is not None and row.on_hand != seen:
            raise Conflict(
                f"{seen} {sku} were at {location} when the count began, and {row.on_hand} are now: "
                "count again",
                reason="counted_meanwhile",
            )

    effect = f"count:{key}"
    return await _correct(
        *(conn, effect, "counted", sku, location),
        lambda row: counted - row.on_hand,
        same,
        as_seen,
        counted=counted,
        who=who,
        why=why,
    )


async def _change(
    conn: Connection,
    effect: str,
    kind: MovementKind,
    sku: str,
    location: str,
    change: int,
    who: str,
    why: str,
) -> StockLevel:
    def same(earlier: Record) -> None:
        if earlier["on_hand_change"] != change:
            raise Conflict(
                f"key {effect} was used for {earlier['on_hand_change']:+} units of {sku} already"
            )

    return await _correct(
        conn, effect, kind, sku, location, lambda _: change, same, who=who, why=why
    )


async def _correct(
    conn: Connection,
    effect: str,
    kind: MovementKind,
    sku: str,
    location: str,
    change: Callable[[StockLevel], int],
    same: Callable[[Record], None],
    allowed: Callable[[StockLevel], None] = lambda _: None,
    *,
    counted: int | None = None,
    who: str,
    why: str,
) -> StockLevel:
    """Book a change of on_hand, once per effect; `same` raises if it was another change.

    `allowed` raises if the row as it is now must not be changed.

    Orders are locked before stock, so the claims to take back are looked up first without locks,
    and again once everything is locked.
    """

    for _ in range(TRIES_MAX):
        with suppress(_ClaimedMeanwhileError):
            async with conn.transaction():
                row = await stock.row_of(conn, sku, location)
                expected, _ = await _newest_claims(conn, row, row.on_hand + change(row))
                for order_id in sorted({claim["order_id"] for claim in expected}):
                    await lock_order(conn, order_id)
                await lock_stock(conn, {sku}.union(*(claim["skus"] for claim in expected)))
                earlier = await stock.recorded(conn, effect, sku, location)
                if earlier is not None:
                    same(earlier)
                    return await stock.row_of(conn, sku, location)
                row = await stock.row_of(conn, sku, location)
                allowed(row)
                left = row.on_hand + change(row)
                claims, lacking = await _newest_claims(conn, row, left)
                if left < 0 or lacking:
                    raise IllegalTransition(_too_few(row, left, lacking))
                locked = {claim["fulfilment_id"] for claim in expected}
                if not {claim["fulfilment_id"] for claim in claims} <= locked:
                    raise _ClaimedMeanwhileError
                for claim in claims:
                    await _fall_back(conn, claim, who, why)
                move = Move(sku=sku, location=location, on_hand=change(row))
                await stock.move(conn, effect, kind, [move], counted=counted, who=who, why=why)
                return await stock.row_of(conn, sku, location)
    raise Conflict(f"{sku} at {location} is claimed faster than it can be corrected; try again")


class _ClaimedMeanwhileError(Exception):
    """Orders that are not locked have claimed it a moment ago.

    The try is undone, so that its locks are free, also within a larger transaction.
    """


async def _newest_claims(conn: Connection, row: StockLevel, left: int) -> tuple[list[Record], int]:
    """The newest claims that must end if a stock row has only so many units left.

    Also returns the number of units that cannot be taken back.
    """
    units = row.allocated - left
    claims: list[Record] = []
    if units > 0:
        async for claim in _sql.claims(conn, sku=row.sku, location=row.location):
            if units > 0:
                claims.append(claim)
                units -= claim["quantity"]
    return claims, max(units, 0)


def _too_few(row: StockLevel, left: int, lacking: int) -> str:
    if left < 0:
        return f"only {row.on_hand} {row.sku} are on hand at {row.location}"
    return (
        f"{lacking} more {row.sku} have left the shelf at {row.location} for orders, or are "
        "claimed as parts of kits, than that would leave; count what is picked as well, and "
        "refuse (`orderloom warehouse refuse`) the parcels with kits whose parts are missing"
    )


async def _fall_back(conn: Connection, claim: Record, who: str, why: str) -> None:
    """Turn the claims of a fulfilment that nobody has begun to pick into backorders.

    The units that are still there are soft-reserved for them.
    """
    fulfilment_id, order_id = claim["fulfilment_id"], claim["order_id"]
    lines = [line for line in await fulfilments.lines(conn, fulfilment_id) if line.reserved]
    units = {line.line_id: line.reserved for line in lines}
    skus = {line.line_id: line.sku for line in lines}
    promises = {}
    if claim["promised_leave"] is not None:
        promise = Promise(leaves_on=claim["promised_leave"], arrives_on=claim["promised_on"])
        promises = dict.fromkeys(units, promise)
    await allocations.take_reserved(conn, fulfilment_id, units)
    await orders.move_lines(conn, order_id, {k: {"allocated": -n} for k, n in units.items()})
    await backorders.wait(conn, order_id, units, skus, round=0, promises=promises)
    await backorders.soft_reserve(conn, order_id, units, skus, claim["location"])
    await stock.move(
        conn,
        f"fall_back:{fulfilment_id}",
        "released",
        [Move(sku=x.sku, location=x.location, allocated=-x.reserved) for x in lines],
        order_id=order_id,
        who=who,
        why=why,
    )
    await fulfilments.set_state(conn, fulfilment_id, "cancelled")
    outcome = {"picked": {}, "backordered": units}
    await events.tell(
        conn,
        order_id,
        f"fall_back:{fulfilment_id}",
        "fell back to backorder",
        who=who,
        why=f"fewer are there than orders have claimed: {why}",
        data={"fulfilment_id": fulfilment_id, **outcome},
    )
    await fulfilments.report(
        conn, order_id, fulfilment_id, {"outcome": "backordered", "missing": units}
    )
