"""Fulfilments: the units that each location sends, their claims on stock, and their state."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.fulfilment.fulfilments import RECALLABLE, FulfilmentState
from domain.orders.quantities import LineUnits
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


class FulfilmentLine(BaseModel):
    """One line of a fulfilment. `reserved` is the open claim; `picked` is None until counted.

    `parts`: the stock that one unit takes (SKU → units). Except for a kit, that is one of the SKU
    itself.
    """

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int
    picked: int | None
    reserved: int
    location: str
    parts: dict[str, int]


async def locked(conn: Connection, fulfilment_id: str) -> Record:
    """Lock the fulfilment's order and read the fulfilment. Raises NotFound."""
    row: Record | None = await _sql.locked(conn, fulfilment_id=fulfilment_id)
    if row is None:
        raise NotFound(f"there is no fulfilment {fulfilment_id}; see `orderloom warehouse tasks`")
    return row


async def find(conn: Connection, fulfilment_id: str) -> Record | None:
    """The fulfilment's row, read without a lock; None if it does not exist."""
    row: Record | None = await _sql.fulfilment_of(conn, fulfilment_id=fulfilment_id)
    return row


async def lines(conn: Connection, fulfilment_id: str) -> list[FulfilmentLine]:
    """The lines of a fulfilment, sorted by line id."""
    return [FulfilmentLine(**row) async for row in _sql.lines_of(conn, fulfilment_id=fulfilment_id)]


async def release_to_warehouse(conn: Connection, order_id: str) -> None:
    """open → picking, for all fulfilments of the order."""
    await _sql.release_to_warehouse(conn, order_id=order_id)


async def is_live(conn: Connection, fulfilment_id: str) -> bool:
    """Whether the fulfilment exists, and will go out or has gone out."""
    return bool(await _sql.is_live(conn, fulfilment_id=fulfilment_id))


async def set_state(conn: Connection, fulfilment_id: str, state: FulfilmentState) -> None:
    """Move a fulfilment whose present state the caller has read under the order's lock."""
    await _sql.set_state(conn, fulfilment_id=fulfilment_id, state=state)


async def recall(conn: Connection, fulfilment_id: str) -> FulfilmentState | None:
    """Stop a fulfilment before its hand-over, for good: the warehouse can no longer report it.

    Returns the state in which it was stopped, or None when it is too late (or a short pick of
    everything has stopped it). A repeat gives the same answer. Cancel and ship meet at this row:
    the first to commit wins, and the other is told.
    """
    row = await locked(conn, fulfilment_id)
    caught: FulfilmentState | None = row["recalled_from"]
    if caught is None and row["state"] in RECALLABLE:
        caught = row["state"]
        await _sql.recall(conn, fulfilment_id=fulfilment_id)
    return caught


async def set_picked(conn: Connection, fulfilment_id: str, picked: LineUnits) -> None:
    """Record the picker's count."""
    await _sql.set_picked(
        conn,
        fulfilment_id=fulfilment_id,
        line_ids=list(picked),
        picked=list(picked.values()),
    )
