"""Order holds, as rows. Rules at other rows look at them: while one stands, nothing is handed over.

Whoever writes has locked the order's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.orders.hold_messages import AtEnd, HoldReason, StandingHold
from store.database import Connection, load_queries

_sql = load_queries(__file__)

CUSTOMER = "customer"
"""Who sees to a hold for the payment."""


async def standing(conn: Connection, order_id: str) -> tuple[StandingHold, ...]:
    """The holds of an order that stand, the oldest first."""
    rows = _sql.open_holds(conn, order_id=order_id)
    return tuple([StandingHold(**row) async for row in rows])


async def hold_for_payment(
    conn: Connection, order_id: str, number: int, *, note: str, who: str
) -> None:
    """The order waits to be paid, for the n-th time. A repeat changes nothing."""
    await _place(conn, order_id, f"P{number}", reason="payment", note=note, owner=CUSTOMER, who=who)


async def release_payment(conn: Connection, order_id: str, number: int, *, who: str) -> None:
    """The n-th wait for the payment is over. A repeat changes nothing."""
    await release(conn, order_id, [f"P{number}"], who=who)


async def place(
    conn: Connection,
    order_id: str,
    *,
    reason: HoldReason,
    note: str,
    owner: str,
    who: str,
    until: datetime | None = None,
    at_end: AtEnd = "release",
    told: bool = False,
) -> str:
    """Hold the order. Returns the id of the hold. The caller makes sure that it is done once."""
    hold_id = f"H{await _sql.next_number(conn, order_id=order_id)}"
    await _place(
        conn,
        order_id,
        hold_id,
        reason=reason,
        note=note,
        owner=owner,
        who=who,
        until=until,
        at_end=at_end,
        told=told,
    )
    return hold_id


async def release(
    conn: Connection, order_id: str, hold_ids: Sequence[str], *, who: str, note: str = ""
) -> bool:
    """End holds. What is ended already stays as it is.

    Returns whether the customer is to hear of it: they know of one that ends, and none stands.
    """
    told: bool = await _sql.release(
        conn, order_id=order_id, hold_ids=list(hold_ids), who=who, note=note
    )
    return told


async def extend(
    conn: Connection,
    order_id: str,
    hold_ids: Sequence[str],
    *,
    until: datetime | None,
    at_end: AtEnd | None,
) -> None:
    """Give holds another deadline, or none."""
    ids = list(hold_ids)
    await _sql.extend(conn, order_id=order_id, hold_ids=ids, until=until, at_end=at_end)


class Due(NamedTuple):
    """A hold whose deadline has passed, and what becomes of its order."""

    order_id: str
    hold_id: str
    at_end: AtEnd


async def due(conn: Connection, again_after: timedelta, batch: int) -> list[Due]:
    """Holds that are to end. `again_after`: so long ago the order of one was last asked to."""
    return [Due(**row) async for row in _sql.due(conn, again_after=again_after, batch=batch)]


async def is_due(conn: Connection, order_id: str, hold_id: str) -> bool:
    """Whether it stands, and its deadline has passed."""
    answer: bool = await _sql.is_due(conn, order_id=order_id, hold_id=hold_id)
    return answer


async def asked_to_end(conn: Connection, order_id: str, hold_id: str) -> None:
    """Its order is being asked to reject itself."""
    await _sql.asked_to_end(conn, order_id=order_id, hold_id=hold_id)


async def is_here(conn: Connection, order_id: str) -> bool:
    """Whether anything of the order is still to be handed over."""
    answer: bool = await _sql.is_here(conn, order_id=order_id)
    return answer


async def _place(
    conn: Connection,
    order_id: str,
    hold_id: str,
    *,
    reason: HoldReason,
    note: str,
    owner: str,
    who: str,
    until: datetime | None = None,
    at_end: AtEnd = "release",
    told: bool = False,
) -> None:
    await _sql.place(
        conn,
        order_id=order_id,
        hold_id=hold_id,
        reason=reason,
        note=note,
        owner=owner,
        who=who,
        until=until,
        at_end=None if until is None else at_end,
        told=told,
    )
