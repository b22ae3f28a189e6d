"""What the steps of each order have done, so that a step that runs again does nothing again.

An effect is recorded in the transaction of what it changes, together with its line in the order's
story (`store.orders.events`), and with the answer that the step gave. An order that has ended needs
its effects only as long as a late attempt of one of its steps may come. Then they go, and from then
on the order's decision says that it is over.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from store.database import Connection, load_queries
from store.faults import refusals

_sql = load_queries(__file__)


async def find(conn: Connection, order_id: str, effect: str) -> dict[str, Any] | None:
    """The answer of an effect, or an empty one; None when it has not been done.

    The caller holds the order's lock. Raises Conflict when the order ended so long ago that nobody
    knows.
    """
    with refusals():
        row = await _sql.find(conn, order_id=order_id, effect=effect)
    return row["answer"] if row["is_done"] else None


async def settled(conn: Connection, order_id: str, effect: str, turn: str) -> dict[str, Any] | None:
    """As `find`; or the answer that changed nothing and that this turn was given before."""
    done = await find(conn, order_id, effect)
    return done if done is not None else await find(conn, order_id, _nothing_in(turn, effect))


async def keep_nothing(
    conn: Connection, order_id: str, effect: str, turn: str, answer: BaseModel
) -> None:
    """Record an answer that changed nothing, so that a late attempt of this turn gives it as well.

    In another turn, the same request is looked at anew. The story does not tell it. The caller
    holds the order's lock. A repeat changes nothing.
    """
    nothing = _nothing_in(turn, effect)
    told = answer.model_dump(mode="json")
    await _sql.keep(conn, order_id=order_id, effect=nothing, answer=told)


def _nothing_in(turn: str, effect: str) -> str:
    return f"nothing:{turn}:{effect}"


async def forget(conn: Connection, kept_for: timedelta, batch: int) -> int:
    """Delete the effects of orders that ended longer ago than that. Returns of how many orders."""
    orders: int = await _sql.forget(conn, kept_for=kept_for, batch=batch)
    return orders
