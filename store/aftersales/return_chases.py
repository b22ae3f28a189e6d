"""Returns of which nothing comes: the customer is told some times, and then they are closed."""

from __future__ import annotations

from domain import ids
from store.aftersales import return_decisions, returns
from store.database import Connection, load_queries
from store.locks import lock_order
from store.orders import events

_sql = load_queries(__file__)


async def overdue(conn: Connection, at_most: int) -> list[str]:
    """The returns that are overdue by now, the longest first."""
    return [row["return_id"] async for row in _sql.overdue(conn, at_most=at_most)]


async def chase(conn: Connection, return_id: str) -> None:
    """Tell that a return is overdue, or close it where that was told often enough, as policy says.

    Of one that a carrier has, a person is told as well, and it is not closed.

    Does nothing where it is not overdue by now. One transaction.
    """
    order_id = ids.order_of(return_id)
    async with conn.transaction():
        await lock_order(conn, order_id)
        late = await _sql.chase(conn, return_id=return_id)
        if late is None:
            return
        if late["ends"]:
            await return_decisions.end(conn, return_id, "closed", because="nothing came in time")
        if late["is_in_transit"]:
            reason = (
                f"a carrier has had the parcel of {return_id} for long: ask it where the parcel "
                "is; count what comes, or that nothing does"
            )
            step = returns.parcel_step(return_id)
            await events.raise_attention(conn, order_id, step, reason, ["done"])
        await events.tell(
            conn,
            order_id,
            f"chase:{return_id}:{late['number']}",
            "overdue return closed" if late["ends"] else "return overdue",
            who=ids.WHO,
            data={"return_id": return_id},
        )
